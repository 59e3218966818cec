"""``pyland study CASE``: run all experiments that are not finished, and compare them in tables and figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.parallel import Communicator
from pyland.config import CaseConfig
from pyland.config.study import OPEN_LOOP
from pyland.diagnose.study_scores import comma_separated, markdown, study_scores
from pyland.driver.case_run import Progress
from pyland.driver.study.study_plan import study_of
from pyland.driver.study.study_run import OBSERVATIONS, StudyFolders, run_study
from pyland.output.atomic import complete_file, write_json

SHOWN_RUNS = 3
"""Experiments in the series of a station, beside the open loop."""


def study(
    config: CaseConfig,
    *,
    only: Sequence[str] = (),
    output: str | Path | None = None,
    progress: Progress | None = None,
    comm: Communicator,
    figures: bool = True,
) -> tuple[str, list[Path]]:
    """Run a study and compare its runs.

    Parameters
    ----------
    config : CaseConfig
        A case with a section ``study``.
    only : sequence of str
        Experiments to run; empty takes those of the section.
    output : path, optional
        Folder of the study.
    progress : callable, optional
        Shows progress.
    comm : Communicator
        Ranks.
    figures : bool
        Whether figures are drawn, which needs matplotlib.

    Returns
    -------
    tables : str
        Markdown; empty on ranks but the root.
    files : list of Path
        What was written.
    """
    folders = run_study(config, only=only, output=output, progress=progress, comm=comm)
    return compare(config, folders, figures=figures) if comm.is_root else ("", [])


def compare(config: CaseConfig, folders: StudyFolders, *, figures: bool = True) -> tuple[str, list[Path]]:
    """Write tables and figures of the runs that are finished; see `study`."""
    section = study_of(config)
    runs: dict[str, dict[int, Path]] = {}
    for seed in folders.seeds:
        for name in folders.finished(seed):
            runs.setdefault(name, {})[seed] = folders.run(seed, name)
    runs = {name: runs[name] for name in folders.runs if name in runs}
    start = None if section.start is None else np.datetime64(section.start, "s")
    found = study_scores(runs, section.stations, OPEN_LOOP, start, _station_names(config))
    tables, root = markdown(found), folders.root
    files = [root / "study.json", root / "study.md", root / "study.csv"]
    write_json(files[0], found)
    for path, text in zip(files[1:], (tables, comma_separated(found)), strict=True):
        with complete_file(path) as partial:
            partial.write_text(text, encoding="utf-8")
    return tables, files + (_draw(config, folders, runs, found, start) if figures else [])


def _station_names(config: CaseConfig) -> dict[str, dict[int, str]]:
    """Return the words for the places of stations that the case names."""
    return {
        entry.name: {place: one.name for place, one in enumerate(entry.twin.locations)}
        for entry in config.observations if entry.twin is not None and entry.name in study_of(config).stations}


def _draw(
    config: CaseConfig, folders: StudyFolders, runs: dict[str, dict[int, Path]], found: dict[str, Any],
    start: np.datetime64 | None
) -> list[Path]:
    """Draw all figures; those of maps and series are of the first seed."""
    from pyland.view.study_maps import plot_mean_maps
    from pyland.view.study_scores import plot_station_scores
    from pyland.view.study_series import plot_station_series

    section, target, seed = study_of(config), folders.root / "figures", folders.seeds[0]
    mine = {name: one[seed] for name, one in runs.items() if seed in one}
    drawn = [
        plot_station_scores(one, target / f"scores_{name}.png", title=name) for name, one in found["stations"].items()]
    entries = {entry.name: entry for entry in config.observations}
    truth = folders.truth(seed) / "truth.nc"
    drawn.append(plot_mean_maps(
        mine, folders.seed(seed) / OBSERVATIONS, section.products, target / "mean_maps.png",
        truth=truth if truth.exists() else None, start=start, depth=tuple(entries[section.products[0]].depth)))
    chosen = [OPEN_LOOP, *_most_telling([name for name in mine if name != OPEN_LOOP], found)]
    for name, one in found["stations"].items():
        drawn.append(plot_station_series(
            {run: mine[run] for run in chosen}, name, target / f"series_{name}.png", start=start,
            names=one["places"]))
    return drawn


def _most_telling(names: list[str], found: dict[str, Any]) -> list[str]:
    """Return the runs with the least mean ubRMSE, in the order of the study."""
    summaries = [one["summary"] for one in found["stations"].values()]
    best = sorted(names, key=lambda name: sum(one[name]["ubrmse"] for one in summaries))[:SHOWN_RUNS]
    return [name for name in names if name in best]
