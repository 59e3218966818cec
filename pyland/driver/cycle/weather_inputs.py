"""Weather of a cycle: one stream of files, what an earlier cycle forecast, or a generated climate."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pyland.base.errors import InputError
from pyland.config.cycle import StreamSection
from pyland.config.forcing import GRIDDED
from pyland.driver.cycle.arrivals import DAY, Arrivals
from pyland.driver.cycle.file_patterns import FoundFile, found_members, hours_between, member_pattern
from pyland.driver.cycle.staged_files import StagedInput
from pyland.driver.cycle.weather_files import format_of, stage_weather


def stage_stream(
    arrivals: Arrivals, rank: int, stream: StreamSection, begin: np.datetime64, end: np.datetime64, folder: Path
) -> StagedInput:
    """Copy the weather of a cycle from one stream.

    Parameters
    ----------
    arrivals : Arrivals
        What is there.
    rank : int
        Place of the stream in the order of preference.
    stream : StreamSection
        The stream.
    begin, end : numpy.datetime64
        The cycle, UTC.
    folder : Path
        Where copies go.

    Raises
    ------
    InputError
        Why the stream cannot be used, as the end of a sentence.
    """
    if stream.source == "generator":
        return StagedInput(stream.name, rank, source="generator")
    if stream.source == "forecast":
        return _stage_forecast(arrivals, rank, stream, begin, end, folder)
    files = stage_weather(arrivals, stream, _choices(arrivals, stream, begin, end), begin, end, folder)
    return StagedInput(stream.name, rank, tuple(files))


def _choices(
    arrivals: Arrivals, stream: StreamSection, begin: np.datetime64, end: np.datetime64
) -> list[list[FoundFile]]:
    """Return the files of a cycle: those whose names stand for a time of it, then with those of the days around it.

    A file of a day may hold the first stamp of the next one, or lack it. Station files are tried one by one, the newest
    first.
    """
    pattern = stream.path or arrivals.config.forcing.path
    inside = arrivals.find(pattern, hours_between(begin, end))
    if format_of(arrivals.config, stream) not in GRIDDED:
        return [[one] for one in sorted(inside, key=lambda one: (one.changed, one.path.name), reverse=True)]
    known = {one.path for one in inside}
    more = [one for one in arrivals.find(pattern, hours_between(begin - DAY, end + DAY)) if one.path not in known]
    return [one for one in (inside, [*inside, *more] if more else []) if one]


def _stage_forecast(
    arrivals: Arrivals, rank: int, stream: StreamSection, begin: np.datetime64, end: np.datetime64, folder: Path
) -> StagedInput:
    """Copy the weather of the newest forecast that covers a cycle; of an ensemble its first member.

    It goes on being perturbed as any weather of the analysis.
    """
    section, reason = arrivals.config.cycle.forecast, "no forecast has arrived"
    interval = np.timedelta64(round(arrivals.config.cycle.interval), "s")
    oldest = np.timedelta64(round(section.oldest), "s")
    for issue in np.arange(begin, begin - oldest - np.timedelta64(1, "s"), -interval):
        pattern = section.path
        if section.has_members:
            there = found_members(pattern, issue)
            if not there:
                continue
            pattern = member_pattern(pattern, there[0])
        found = arrivals.find(pattern, np.array([issue]))
        if not found:
            continue
        try:
            files = stage_weather(arrivals, section, [found], begin, end, folder)
        except InputError as error:
            reason = f"forecast of {issue}: {error}"
            continue
        return StagedInput(stream.name, rank, tuple(files), "forecast", about={"issued": str(issue)})
    raise InputError(reason)
