"""The product of a cycle: a folder that is made under a hidden name and gets its own when it is complete."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyland.base.complete_files import force_to_disk
from pyland.driver.cycle.staged_files import link_file
from pyland.driver.cycle.state_file import CurrentCycle
from pyland.driver.cycle.timeline import product_name
from pyland.output.atomic import write_json
from pyland.output.scores import read_scores

PRODUCTS = "products"
CYCLE_FILE = "cycle.json"

ANALYSIS_FILES = {
    "history.nc": "analysis.nc", "members.nc": "analysis_members.nc", "balance.nc": "balance.nc",
    "analysis.nc": "departures.nc", "discharge.nc": "discharge.nc",
    "domain.nc": "domain.nc", "case.yaml": "case.yaml",
}
"""Files of the analysis run, and their names in the product; those that a run does not write are not there."""

FORECAST_FILES = {
    "history.nc": "forecast.nc", "members.nc": "forecast_members.nc", "balance.nc": "forecast_balance.nc",
    "discharge.nc": "forecast_discharge.nc",
}
"""Files of the forecast run, and their names in the product."""


def hidden_folder(products: Path, name: str) -> Path:
    """Return the folder in which a product is made."""
    return products / f".{name}.partial"


def make_product(current: CurrentCycle, work: Path, products: Path, about: Mapping[str, Any]) -> Path:
    """Collect the files of a cycle in the hidden folder of its product.

    Parameters
    ----------
    current : CurrentCycle
        The cycle; its analysis and forecast are done.
    work : Path
        Folder with the runs ``analysis`` and ``forecast``.
    products : Path
        Folder of all products.
    about : mapping
        More facts for ``cycle.json``.

    Returns
    -------
    Path
        The hidden folder.
    """
    folder = hidden_folder(products, current.name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _link(work / "analysis", folder, ANALYSIS_FILES)
    made_by = current.name if current.with_forecast else None
    if current.with_forecast:
        _link(work / "forecast", folder, FORECAST_FILES)
    elif superseded(current) is not None:
        made_by = _link_forecast(products / superseded(current), folder)
    scores = read_scores(work / "analysis")
    scores.pop("timing", None)  # says nothing of the product
    write_json(folder / "scores.json", scores)
    write_json(folder / CYCLE_FILE, {
        "name": current.name, "cycle": current.stamp, "version": current.version, "supersedes": superseded(current),
        "forecast_of": made_by, "inputs": current.inputs, **about})
    return folder


def _link_forecast(before: Path, folder: Path) -> str | None:
    """Take over the forecast of the version before, which is the one that was issued; return which product made it."""
    if not has_forecast(before):
        return None
    for name in FORECAST_FILES.values():
        if (before / name).exists():
            link_file(before / name, folder / name)
    return json.loads((before / CYCLE_FILE).read_text(encoding="utf-8"))["forecast_of"]


def has_forecast(folder: Path) -> bool:
    """Tell whether a product has a forecast."""
    return (folder / FORECAST_FILES["history.nc"]).exists()


def superseded(current: CurrentCycle) -> str | None:
    """Return the name of the product that this one replaces."""
    return None if current.version == 1 else product_name(current.stamp, current.version - 1)


def publish_product(folder: Path, products: Path, name: str) -> Path:
    """Give a product its name; one that has it already is the same if a call was killed before it said so."""
    final = products / name
    if final.exists():
        if (final / CYCLE_FILE).exists() and (final / CYCLE_FILE).read_bytes() == (folder / CYCLE_FILE).read_bytes():
            shutil.rmtree(folder)
            return final
        replaced = hidden_folder(products, f"{name}.replaced")  # of a cycle folder whose state was taken away
        shutil.rmtree(replaced, ignore_errors=True)
        final.rename(replaced)
        folder.rename(final)
        shutil.rmtree(replaced)
    else:
        folder.rename(final)
    force_to_disk(products)
    return final


def _link(run: Path, folder: Path, names: Mapping[str, str]) -> None:
    """Link files of a run into a product under other names; the run goes, the files stay."""
    for name, other in names.items():
        if (run / name).exists():
            link_file(run / name, folder / other)
