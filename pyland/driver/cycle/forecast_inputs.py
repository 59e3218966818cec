"""Weather of a forecast: one for all members of the ensemble, or one for each."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from pyland.base.errors import InputError
from pyland.config.cycle import ForecastSection
from pyland.driver.cycle.arrivals import Arrivals
from pyland.driver.cycle.file_patterns import found_members, member_pattern
from pyland.driver.cycle.staged_files import StagedFile, StagedInput
from pyland.driver.cycle.weather_files import stage_weather

NAME = "forecast"


def stage_forecast(arrivals: Arrivals, rank: int, issue: np.datetime64, begin: np.datetime64,
                   folder: Path) -> StagedInput:
    """Copy the weather of a forecast that was issued at one time.

    Parameters
    ----------
    arrivals : Arrivals
        What is there.
    rank : int
        0 for the weather forecast of the cycle, 1 for the one before, and so on.
    issue : numpy.datetime64
        Time that the names of the files stand for, UTC.
    begin : numpy.datetime64
        Begin of the forecast of the ensemble, UTC.
    folder : Path
        Where copies go; below it ``member_NNN`` where each member has files of its own.

    Raises
    ------
    InputError
        Why it cannot be used, as the end of a sentence.
    """
    section = arrivals.config.cycle.forecast
    end = begin + np.timedelta64(round(section.lead), "s")
    about = {"issued": str(issue)}
    if section.source == "generator":
        return StagedInput(NAME, 0, source="generator")
    if not section.has_members:
        files = stage_weather(arrivals, section, _choice(arrivals, section.path, issue), begin, end, folder)
        return StagedInput(NAME, rank, tuple(files), about=about)
    staged: dict[int, list[StagedFile]] = {}
    reason = "nothing has arrived"
    for member in found_members(section.path, issue):
        if len(staged) == arrivals.config.ensemble.size:
            break
        place = folder / member_folder(len(staged))
        try:
            staged[member] = stage_weather(
                arrivals, section, _choice(arrivals, member_pattern(section.path, member), issue), begin, end, place)
        except InputError as error:
            reason = f"member {member}: {error}"
    if not staged:
        shutil.rmtree(folder, ignore_errors=True)
        raise InputError(reason)
    wanted = min(section.members, arrivals.config.ensemble.size)
    return StagedInput(NAME, rank, tuple(one for files in staged.values() for one in files),
                       is_complete=len(staged) >= wanted, members=tuple(staged), about=about)


def member_folder(place: int) -> str:
    """Return the folder of a member of the weather by its place among those that are there."""
    return f"member_{place:03d}"


def issues(section: ForecastSection, begin: np.datetime64, interval: float) -> list[np.datetime64]:
    """Return the times of weather forecasts that may drive a forecast, the newest first, UTC."""
    if section.source == "generator":
        return [begin]
    oldest = np.timedelta64(round(section.oldest), "s")
    width = np.timedelta64(round(interval), "s")
    return list(np.arange(begin, begin - oldest - np.timedelta64(1, "s"), -width))


def _choice(arrivals: Arrivals, pattern: str, issue: np.datetime64) -> list[list]:
    """Return the files of a forecast as the one choice there is."""
    found = arrivals.find(pattern, np.array([issue]))
    return [found] if found else []
