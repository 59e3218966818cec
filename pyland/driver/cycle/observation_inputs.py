"""Observations of a cycle: files that hold at least one within it, as the run reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pyland.base.errors import InputError, PylandError
from pyland.base.logging import quietly
from pyland.config import CaseConfig
from pyland.config.cycle import ObservationStreamSection
from pyland.config.observations import ObservationSection
from pyland.driver.analysis.observing import read_sets
from pyland.driver.continuation import observed_config
from pyland.driver.cycle.arrivals import DAY, Arrivals
from pyland.driver.cycle.file_patterns import FoundFile, hours_between
from pyland.driver.cycle.staged_files import StagedFile, StagedInput

MEASUREMENTS = "measurements"
"""Reader of a single file."""


def stage_observations(
    arrivals: Arrivals, rank: int, stream: ObservationStreamSection, begin: np.datetime64, end: np.datetime64,
    folder: Path,
) -> StagedInput:
    """Copy the observations of an entry from one stream.

    Parameters
    ----------
    arrivals : Arrivals
        What is there.
    rank : int
        Place of the stream in the order of preference.
    stream : ObservationStreamSection
        The stream.
    begin, end : numpy.datetime64
        The cycle, UTC: observations after its begin up to its end count.
    folder : Path
        Where copies go.

    Raises
    ------
    InputError
        Why the stream cannot be used, as the end of a sentence.
    """
    entry = next(one for one in arrivals.config.observations if one.name == stream.entry)
    pattern = stream.path or entry.file
    inside = arrivals.find(pattern, hours_between(begin, end))
    known = {one.path for one in inside}
    around = [one for one in arrivals.find(pattern, hours_between(begin - DAY, end + DAY)) if one.path not in known]
    if entry.reader == MEASUREMENTS:  # one file at a time, the newest first
        inside = sorted([*inside, *around], key=lambda one: (one.changed, one.path.name), reverse=True)
        around = []
    kept, reason = list[StagedFile](), "nothing has arrived"
    for one in [*inside, *around]:
        staged = arrivals.stage([one], folder)
        kept += staged
        for copy in staged:
            problem = _problem(arrivals, entry, folder / copy.name, begin, end)
            if problem is None:
                continue
            kept.remove(copy)
            (folder / copy.name).unlink()
            if one.path in known:
                reason = problem
            if _is_of_cycle(one, known):
                arrivals.refuse(one, problem)
        if kept and entry.reader == MEASUREMENTS:
            break
    kept = _without_repeated(arrivals, kept, folder)
    if not kept:
        raise InputError(reason)
    return StagedInput(stream.name, rank, tuple(kept), is_complete=len(kept) >= stream.files)


def observation_file(entry: ObservationSection, folder: Path) -> str:
    """Return what ``file`` of an entry is for the copies in a folder."""
    return str(next(iter(sorted(folder.iterdir()))) if entry.reader == MEASUREMENTS else folder / "*")


def with_files(config: CaseConfig, files: dict[str, str]) -> CaseConfig:
    """Return the configuration with other files for some entries of ``observations``, by name."""
    return config.model_copy(update={"observations": [
        entry.model_copy(update={"file": files.get(entry.name, entry.file)}) for entry in config.observations]})


def _problem(
    arrivals: Arrivals, entry: ObservationSection, path: Path, begin: np.datetime64, end: np.datetime64
) -> str | None:
    """Return why a file cannot be used for a cycle, None if it can."""
    config = with_files(arrivals.config, {entry.name: str(path)})
    period = config.model_copy(update={
        "time": config.time.model_copy(update={"end": end.astype("datetime64[s]").item()})})
    try:
        with quietly():
            found = read_sets(observed_config(period, begin, (entry.name,)), arrivals.whole)
    except PylandError as error:
        return str(error).replace(f"{path.parent}/", "")
    if not any(begin < one.time <= end and one.values.size for one in found):
        return f"holds no observation after {begin} up to {end}"
    return None


def _is_of_cycle(one: FoundFile, inside: set[Path]) -> bool:
    """Whether the name of a file says that it belongs to the cycle; without a time in its name it says nothing."""
    return one.claimed is not None and one.path in inside


def _without_repeated(arrivals: Arrivals, staged: list[StagedFile], folder: Path) -> list[StagedFile]:
    """Leave out copies of one content under several names."""
    kept: dict[str, StagedFile] = {}
    for one in sorted(staged, key=lambda one: one.name):
        if one.sha256 in kept:
            (folder / one.name).unlink()
        else:
            kept[one.sha256] = one
    return list(kept.values())
