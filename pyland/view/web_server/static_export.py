"""A site of files with the URLs of the server: any web server can hand it out, none of ours is needed.

What the server computes when asked is computed before: maps of the chosen statistics, ranges of colours, the balance of
each zone. Series lie in tiles of cells with all times, and polygons are summed in the page from monthly terms per cell.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.view.web_server.answers import Answers, as_json
from pyland.view.web_server.application import bokeh_folder, page_folder
from pyland.view.web_server.catalogue import Catalogue
from pyland.view.web_server.field_statistics import normal_quantile
from pyland.view.web_server.viewed_run import ViewedRun
from pyland.view.web_server.viewed_variables import ViewedVariable
from pyland.view.web_server.zone_balance import balance_terms

LARGEST = 2000.0
"""Largest site without asking for more [MB]."""

TILE_BYTES = 2**20
"""Size of a tile of series that the page reads for one cell [bytes]."""

MARK = "pyland_view.json"
"""File that tells a site of ours, which may be replaced."""

_SCRIPT = re.compile(rb"bokeh/([\w.-]+\.js)")


@dataclass(frozen=True)
class ExportChoice:
    """What goes into a static site.

    Attributes
    ----------
    variables, statistics : tuple of str
        Names; empty for all.
    every : int
        Every k-th time, the last one among them.
    limit : float
        Largest size [MB].
    """

    variables: tuple[str, ...] = ()
    statistics: tuple[str, ...] = ()
    every: int = 1
    limit: float = LARGEST


@dataclass(frozen=True)
class _RunPlan:
    """What is written of a run."""

    run: ViewedRun
    entries: tuple[ViewedVariable, ...]
    times: np.ndarray
    tile: tuple[int, int]
    series_statistics: tuple[str, ...]

    def statistics(self, entry: ViewedVariable, choice: ExportChoice) -> tuple[str, ...]:
        return tuple(one for one in entry.statistics if not choice.statistics or one in choice.statistics)

    def of_series(self, entry: ViewedVariable, choice: ExportChoice) -> tuple[str, ...]:
        """Return the statistics in the tiles of a variable, in their order."""
        return tuple(one for one in self.series_statistics if one in self.statistics(entry, choice))

    def bytes(self, choice: ExportChoice) -> dict[str, float]:
        """Return the size of maps and series."""
        cells = 4.0 * np.prod(self.run.grid.shape)
        layers = [(entry, entry.layer_count * cells * max(len(self.times), 1)) for entry in self.entries]
        return {"maps": sum(size * len(self.statistics(entry, choice)) for entry, size in layers),
                "series": sum(size * len(self.of_series(entry, choice)) for entry, size in layers)}


def export_site(
    catalogue: Catalogue, folder: Path, choice: ExportChoice, progress: Callable[[str], None] = lambda text: None
) -> str:
    """Write a static site.

    Parameters
    ----------
    catalogue : Catalogue
        Runs.
    folder : Path
        New or empty folder, or an earlier site, which is replaced when the new one is complete.
    choice : ExportChoice
        What goes into it.
    progress : callable
        Takes the name of each run when its turn comes.

    Returns
    -------
    str
        Report of what was written, with sizes.

    Raises
    ------
    InputError
        If the folder holds something else, a name is unknown, or the site would be larger than the limit.
    """
    plans = [_plan(one, choice) for one in catalogue.runs if not one.records.is_empty]
    _check_names(plans, choice)
    _check_size(plans, choice)
    target = _check_folder(folder)
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        _write_page(partial)
        answers = Answers(catalogue)
        for plan in plans:
            progress(plan.run.title)
            _write_run(partial, plan, choice, answers)
        for run in catalogue.runs:
            if run.role == "cycle":
                _write(partial / "data" / run.id / "cycle.json", answers.cycle(run.id, query={}).content)
                _write(partial / "data" / run.id / "index.json", answers.index(run.id, query={}).content)
        _write(partial / "data" / "catalogue.json", as_json(catalogue.describe(is_static=True)).content)
        sizes = {name: _size(partial, pattern) for name, pattern in _PARTS.items()}
        _write(partial / MARK, json.dumps({"megabytes": sizes, "every": choice.every}).encode())
        if target.exists():
            shutil.rmtree(target)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return _report(target, plans, sizes, choice)


_PARTS = {
    "page": "[!d]*/**/*",
    "maps": "data/*/map/**/*",
    "series": "data/*/series/**/*",
    "balance": "data/*/balance/**/*",
}

# ---- plans ---------------------------------------------------------------------------------------


def _plan(run: ViewedRun, choice: ExportChoice) -> _RunPlan:
    entries = tuple(one for one in run.variables.values() if not choice.variables or one.id in choice.variables)
    count = len(run.records.times)
    times = np.arange(count - 1, -1, -choice.every)[::-1] if count else np.zeros(0, np.int64)
    stored = list(dict.fromkeys(name for one in entries for name in one.stored))
    rows, columns = run.grid.shape
    cells = max(TILE_BYTES // (4 * max(len(times), 1) * max(len(stored), 1)), 1)
    side = max(int(cells**0.5), 1)
    return _RunPlan(
        run, entries, times, (min(side, rows), min(max(cells // min(side, rows), 1), columns)), tuple(stored)
    )


def _check_names(plans: Sequence[_RunPlan], choice: ExportChoice) -> None:
    variables = {name for plan in plans for name in plan.run.variables}
    statistics = {name for plan in plans for one in plan.run.variables.values() for name in one.statistics}
    for option, wanted, known in (("--variable", choice.variables, variables),
                                  ("--statistic", choice.statistics, statistics)):
        unknown = [one for one in wanted if one not in known]
        if unknown:
            raise InputError(f"{option} {unknown[0]}: no run has it; there are {', '.join(sorted(known)) or 'none'}.")
    if choice.statistics and "mean" not in choice.statistics:
        raise InputError("--statistic: expected mean among them; the page opens with it.")


def _check_size(plans: Sequence[_RunPlan], choice: ExportChoice) -> None:
    whole = sum(sum(plan.bytes(choice).values()) for plan in plans) / 1.0e6
    if whole > choice.limit:
        shares = sorted(((sum(_RunPlan(plan.run, (entry,), plan.times, plan.tile, plan.series_statistics).bytes(
            choice).values()) / 1.0e6, entry.id) for plan in plans for entry in plan.entries), reverse=True)
        most = ", ".join(f"{name} {size:.0f} MB" for size, name in shares[:3])
        raise InputError(
            f"--export: the site would take {whole:.0f} MB; the limit is {choice.limit:.0f} MB (most: {most}). "
            "Choose --variable, --statistic or --every K, or raise --limit."
        )


def _check_folder(folder: Path) -> Path:
    folder = folder.absolute()
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--export {folder}: expected a folder, found a file.")
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise InputError(
            f"--export {folder}: the folder holds other files; expected a new or empty one, or an earlier site."
        )
    return folder


# ---- files ---------------------------------------------------------------------------------------


def _write_page(folder: Path) -> None:
    """Copy the page and the scripts of bokeh that it names."""
    page = page_folder()
    if not (page / "index.html").is_file():
        raise InputError(f"{page}: the page is not there; install pyland again.")
    shutil.copytree(page, folder)
    wanted = {name.decode() for file in (*folder.glob("*.html"), *folder.rglob("*.js"))
              for name in _SCRIPT.findall(file.read_bytes())}
    (folder / "bokeh").mkdir()
    for name in sorted(wanted):
        if (bokeh_folder() / name).is_file():
            shutil.copyfile(bokeh_folder() / name, folder / "bokeh" / name)


def _write_run(folder: Path, plan: _RunPlan, choice: ExportChoice, answers: Answers) -> None:
    run, base = plan.run, folder / "data" / plan.run.id
    index = run.index()
    index |= {
        "is_growing": False,
        "times": [index["times"][one] for one in plan.times],
        "time_start": [index["time_start"][one] for one in plan.times],
        "times_step": choice.every,
        "variables": [
            {**entry.describe(), "statistics": list(plan.statistics(entry, choice))} for entry in plan.entries
        ],
        "series": {"kind": "tile", "tile": list(plan.tile), "statistics": list(plan.series_statistics)},
        "downloads": ["nc", "csv"],
    }
    for name in ("latitude", "longitude", "cell_area"):
        _write(base / "grid" / f"{name}.bin", answers.grid(run.id, name, query={}).content)
    for name in run.domain.fields:
        _write(base / "field" / f"{name}.bin", answers.field(run.id, name, query={}).content)
    for entry in plan.entries:
        for layer in range(entry.layer_count):
            _write_maps(base, plan, entry, layer, choice)
            _write_tiles(base / "series" / entry.id / str(layer), plan, entry, layer, choice)
    for y, x in run.observed.observed_cells():
        _write(base / "observations" / f"{y}_{x}.json", answers.observations(run.id, str(y), str(x), query={}).content)
    if run.has_balance:
        for zone in index["zones"]:
            _write(base / "zones" / zone["id"] / "balance.json", answers.zone(run.id, zone["id"], query={}).content)
        index |= {"balance": "fields", "balance_fields": _write_balance(base, run)}
    _write(base / "index.json", as_json(index).content)


def _write_maps(base: Path, plan: _RunPlan, entry: ViewedVariable, layer: int, choice: ExportChoice) -> None:
    for statistic in plan.statistics(entry, choice):
        place = Path(entry.id) / statistic / str(layer)
        for number, time in enumerate(plan.times):
            values = plan.run.map(entry.id, statistic, layer, int(time))
            _write(base / "map" / place / f"{number}.bin", values.tobytes())
        span = plan.run.range(entry.id, statistic, layer)
        _write(base / "range" / entry.id / statistic / f"{layer}.json", as_json(span).content)


def _write_tiles(folder: Path, plan: _RunPlan, entry: ViewedVariable, layer: int, choice: ExportChoice) -> None:
    """Write tiles of series, (statistic, time, row, column) each; a row of tiles is read at a time."""
    rows, columns = plan.run.grid.shape
    height, width = plan.tile
    statistics = plan.of_series(entry, choice)
    for number, low in enumerate(range(0, rows, height)):
        band = np.stack([_band(plan, entry, name, layer, low, min(low + height, rows)) for name in statistics])
        for other, left in enumerate(range(0, columns, width)):
            part = np.ascontiguousarray(band[..., left : left + width], "<f4")
            _write(folder / f"tile_{number}_{other}.bin", part.tobytes())


def _band(plan: _RunPlan, entry: ViewedVariable, statistic: str, layer: int, low: int, high: int) -> np.ndarray:
    """Return rows of cells over the exported times, (time, row, column)."""
    if statistic in entry.normal:
        mean, spread = (_band(plan, entry, name, layer, low, high) for name in ("mean", "std"))
        return normal_quantile(mean, spread, statistic, entry.valid_range)
    records, where = plan.run.records, None if entry.layers is None else layer
    stored, columns = entry.stored[statistic], plan.run.grid.shape[1]
    if "time" not in records.map_variables()[stored]:
        value = records.read_map(stored, 0, where).reshape(plan.run.grid.shape)[low:high]
        return np.broadcast_to(value, (len(plan.times), *value.shape))
    place = (slice(0, columns), None) if plan.run.grid.kind == "sites" else (slice(low, high), slice(None))
    block = records.read_block(stored, where, *place)
    return block.reshape(block.shape[0], high - low, columns)[plan.times]


def _write_balance(base: Path, run: ViewedRun) -> dict[str, Any]:
    """Write monthly sums of the water terms per cell, and return what the index says of them."""
    starts, ends = run.balance.time_starts, run.balance.times
    months = (starts + (ends - starts) // 2).astype("datetime64[M]")
    names, place = np.unique(months, return_inverse=True)
    terms = balance_terms(run)
    for term in terms:
        for number in range(names.size):
            total = sum(run.balance.read_map(term["id"], int(one)).astype(np.float64)
                        for one in np.flatnonzero(place == number))
            _write(base / "balance" / term["id"] / f"{number}.bin", np.ascontiguousarray(total, "<f4").tobytes())
    return {"terms": terms, "months": [str(one) for one in names], "area": f"data/{run.id}/grid/cell_area.bin"}


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _size(folder: Path, pattern: str) -> float:
    return round(sum(one.stat().st_size for one in folder.glob(pattern) if one.is_file()) / 1.0e6, 3)


def _report(target: Path, plans: Sequence[_RunPlan], sizes: dict[str, float], choice: ExportChoice) -> str:
    """Return what was written, for the terminal."""
    files = [one for one in target.rglob("*") if one.is_file()]
    whole = sum(one.stat().st_size for one in files) / 1.0e6
    lines = [f"{target}: {whole:.1f} MB in {len(files)} files "
             f"(maps {sizes['maps']:.1f} MB, series {sizes['series']:.1f} MB, balance {sizes['balance']:.1f} MB)"]
    for plan in plans:
        names = ", ".join(entry.id for entry in plan.entries)
        lines.append(f"  {plan.run.title}: {len(plan.times)} of {len(plan.run.records.times)} times; {names}")
    lines.append("Browsers load it from a web server, not from file://; to look at it here: "
                 f"python -m http.server --bind 127.0.0.1 --directory {target}")
    return "\n".join(lines)
