"""``pyland plot CASE KIND``: one figure of a variable that the user chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pyland.base.errors import InputError
from pyland.base.registry import variable
from pyland.driver.commands.case_files import CaseFiles, find_case_files
from pyland.view.increment_maps import plot_increments
from pyland.view.profile_section import plot_profile
from pyland.view.shown_fields import Choice
from pyland.view.variable_maps import plot_maps
from pyland.view.variable_series import COLOURS, check_place, plot_series

KINDS = {
    "maps": {"variable", "statistic", "layer", "times"},
    "series": {"variable", "layer", "place", "compare"},
    "profile": {"variable", "statistic", "place"},
    "increments": {"variable", "layer"},
}
"""Figures that can be asked for, and the options that each has."""

FLAGS = {"variable": "--variable", "statistic": "--statistic", "layer": "--layer", "times": "--time", "place": "--at",
         "compare": "--compare"}
"""Options of the command line."""


@dataclass(frozen=True)
class Wanted:
    """What the user asks for; None or empty where he does not say.

    Attributes
    ----------
    variable, statistic : str or None
        Registry id or alias, and ``mean``, ``std``, ``p05``, ...
    layer : int or None
        From 1.
    times : sequence of str
        Instants, UTC.
    place : str or None
        ``LAT,LON``.
    compare : sequence of path
        Further cases or runs.
    """

    variable: str | None = None
    statistic: str | None = None
    layer: int | None = None
    times: Sequence[str] = ()
    place: str | None = None
    compare: Sequence[str | Path] = field(default=())


def plot_choice(
    case: str | Path, kind: str, wanted: Wanted, *, output: str | Path | None = None,
    folder: str | Path | None = None,
) -> Path:
    """Draw one figure.

    Parameters
    ----------
    case : str or Path
        Case or run directory.
    kind : str
        One of ``KINDS``.
    wanted : Wanted
        What is shown.
    output, folder : path, optional
        Run directory if not ``run`` below the case, and where the figure goes if not into its ``figures``.

    Returns
    -------
    Path
        The figure; its name says what it shows.

    Raises
    ------
    InputError
        If an option does not belong to the figure, or the run does not hold what is asked for.
    """
    if kind not in KINDS:
        raise InputError(f"pyland plot: unknown figure '{kind}'; expected one of {', '.join(KINDS)}, or none for all "
                         "that the run allows.")
    wrong = [FLAGS[name] for name, value in vars(wanted).items() if value not in (None, ()) and name not in KINDS[kind]]
    if wrong:
        own = ", ".join(FLAGS[name] for name in FLAGS if name in KINDS[kind])
        raise InputError(f"pyland plot {kind}: it has no {' and '.join(wrong)}; its options are {own}.")
    files = find_case_files(case, output)
    default = "soil_temperature" if kind == "profile" and _has(files, "soil_temperature") else "soil_water"
    identifier = variable(wanted.variable).id if wanted.variable else default
    choice = Choice(identifier, wanted.statistic or "mean", wanted.layer)
    parts = [kind, choice.name, "" if wanted.layer is None else f"layer_{wanted.layer}"]
    target = Path(folder) if folder is not None else files.run_dir / "figures"
    path = target / ("_".join(filter(None, parts)) + ".png")
    if kind == "increments":
        return plot_increments(files.need("analysis.nc"), path, choice)
    if kind == "maps":
        return plot_maps(files.need("history.nc"), path, choice, [_instant(one) for one in wanted.times])
    place = None if wanted.place is None else check_place(wanted.place)
    if kind == "profile":
        return plot_profile(files.need("history.nc"), path, choice, place)
    return plot_series(_runs(files, wanted.compare), path, choice, place, files.find("analysis.nc"))


def _runs(files: CaseFiles, others: Sequence[str | Path]) -> dict[str, Path]:
    """Return the histories of a figure by their names: the run, its open loop, and others."""
    open_loop = files.find("open_loop/history.nc")
    runs = {"analysis" if open_loop is not None else "run": files.need("history.nc")}
    if open_loop is not None:
        runs["open loop"] = open_loop
    for one in others:
        found = find_case_files(one)
        name = found.run_dir.parent.name if found.run_dir.name == "run" else found.run_dir.name
        runs[name if name not in runs else str(found.run_dir)] = found.need("history.nc")
    if len(runs) > len(COLOURS):
        raise InputError(f"pyland plot series: expected at most {len(COLOURS)} runs in one figure, got {len(runs)}.")
    return runs


def _has(files: CaseFiles, name: str) -> bool:
    """Tell whether the history of a run has a variable."""
    import netCDF4

    with netCDF4.Dataset(files.need("history.nc")) as data:
        return name in data.variables


def _instant(text: str) -> np.datetime64:
    """Return an instant of the command line."""
    try:
        return np.datetime64(text, "ns")
    except ValueError:
        raise InputError(f"--time {text}: expected an instant (UTC) such as 2020-06-01 or 2020-06-01T12:00.") from None
