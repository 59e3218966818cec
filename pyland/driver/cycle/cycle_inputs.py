"""Inputs of a cycle: which stream of each is taken, whether the cycle has to wait, and the copies of all."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.driver.cycle.arrivals import Arrivals
from pyland.driver.cycle.forecast_inputs import issues, stage_forecast
from pyland.driver.cycle.observation_inputs import stage_observations
from pyland.driver.cycle.staged_files import StagedInput, folder_name, link_file
from pyland.driver.cycle.state_file import CycleRecord
from pyland.driver.cycle.timeline import Timeline
from pyland.driver.cycle.weather_inputs import stage_stream

WEATHER, FORECAST = "weather", "forecast"
INPUTS = "inputs"
"""Folder of the copies below that of a cycle."""

_STAGING = ".staging"

Attempt = Callable[[int, Any, Path], StagedInput]
"""Copies one stream into a folder: rank, stream, folder."""


@dataclass(frozen=True)
class Waiting:
    """A cycle that cannot run yet.

    Attributes
    ----------
    what : str
        What it waits for, a sentence.
    until : numpy.datetime64 or None
        When the patience ends, UTC; None where nothing stands in for what is missing.
    """

    what: str
    until: np.datetime64 | None


def observation_input(entry: str) -> str:
    """Return the name of the input of an entry of ``observations``."""
    return f"observations/{entry}"


def input_folder(inputs: Path, name: str) -> Path:
    """Return the folder of an input among those of its cycle."""
    return inputs.joinpath(*map(folder_name, name.split("/", 1)))


class CycleInputs:
    """Stages the inputs of cycles, on the root.

    Parameters
    ----------
    arrivals : Arrivals
        What is there.
    timeline : Timeline
        The cycles.
    root : Path
        Folder of the cycle.
    """

    def __init__(self, arrivals: Arrivals, timeline: Timeline, root: Path) -> None:
        self._arrivals, self._timeline, self._folder = arrivals, timeline, root / INPUTS
        self._cycle = arrivals.config.cycle

    def stage(
        self, index: int, name: str, with_forecast: bool, before: CycleRecord | None = None
    ) -> dict[str, Any] | Waiting:
        """Copy the inputs of a cycle into ``inputs/<name>``, all of them or none.

        Parameters
        ----------
        index : int
            Number of the cycle.
        name : str
            Name of its product.
        with_forecast : bool
            Whether it has a forecast.
        before : CycleRecord, optional
            How the cycle ran before: an input is what it was then unless a better stream has arrived, and nothing is
            waited for.

        Returns
        -------
        dict of str to dict, or Waiting
            What was taken, by input.
        """
        place = self._folder / _STAGING
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        taken: dict[str, Any] = {}
        for what, streams, attempt in self._attempts(index, with_forecast):
            folder = input_folder(place, what)
            if before is None:
                found = self._choose(index, what, streams, attempt, folder)
            else:
                found = self._better(before, what, streams, attempt, folder) or self._as_before(before, what, folder)
            if isinstance(found, Waiting):
                shutil.rmtree(place)
                return found
            taken[what] = found
        final = self._folder / name
        shutil.rmtree(final, ignore_errors=True)  # of a call that was killed before it said so in the state
        place.rename(final)
        return taken

    def better(self, record: CycleRecord) -> list[str]:
        """Return the inputs for which a better stream has arrived since a cycle ran."""
        place, out = self._folder / _STAGING, []
        for what, streams, attempt in self._attempts(record.index, with_forecast=False):
            if self._better(record, what, streams, attempt, input_folder(place, what)) is not None:
                out.append(what)
        shutil.rmtree(place, ignore_errors=True)
        return out

    # ---- inside ----------------------------------------------------------------------------------

    def _attempts(self, index: int, with_forecast: bool) -> list[tuple[str, Sequence[Any], Attempt]]:
        """Return name, streams and how to copy one, for each input of a cycle."""
        begin, end = self._timeline.begin_of(index), self._timeline.end_of(index)
        arrivals, cycle = self._arrivals, self._cycle
        out: list[tuple[str, Sequence[Any], Attempt]] = [(
            WEATHER, cycle.weather,
            lambda rank, stream, folder: stage_stream(arrivals, rank, stream, begin, end, folder))]
        if arrivals.config.assimilation.filter != "none":
            out += [(observation_input(entry.name), cycle.observation_streams(entry.name),
                     lambda rank, stream, folder: stage_observations(arrivals, rank, stream, begin, end, folder))
                    for entry in arrivals.config.observations]
        if with_forecast and cycle.forecast.lead > 0:
            out.append((FORECAST, issues(cycle.forecast, end, cycle.interval),
                        lambda rank, issue, folder: stage_forecast(arrivals, rank, issue, end, folder)))
        return out

    def _choose(
        self, index: int, what: str, streams: Sequence[Any], attempt: Attempt, folder: Path
    ) -> dict[str, Any] | Waiting:
        """Take the first stream that is there, unless one that is preferred is still waited for."""
        end, reasons = self._timeline.end_of(index), {}
        for rank, stream in enumerate(streams):
            patience = np.timedelta64(round(self._patience(what, rank, stream)), "s")
            label = str(getattr(stream, "name", stream))
            try:
                found = attempt(rank, stream, folder)
            except InputError as error:
                found, reasons[label] = None, str(error)
            if found is not None and (found.is_complete or self._arrivals.now >= end + patience):
                return found.facts() | ({"passed_over": reasons} if reasons else {})
            shutil.rmtree(folder, ignore_errors=True)
            if self._arrivals.now < end + patience:
                return Waiting(f"the cycle to {end} waits for {what} ({label}): "
                               f"{reasons.get(label, 'not all files have arrived')}", end + patience)
        if what == WEATHER:
            told = "; ".join(f"{stream}: {reason}" for stream, reason in reasons.items())
            return Waiting(f"the cycle to {end} has no weather, and no stream stands in ({told})", None)
        return {"stream": None, "rank": len(streams), "source": "files", "members": [], "files": [],
                "passed_over": reasons}

    def _patience(self, what: str, rank: int, stream: Any) -> float:
        """Return how long a stream is waited for [s]; an older forecast is there or not."""
        if what != FORECAST:
            return stream.patience
        return self._cycle.forecast.patience if rank == 0 else 0.0

    def _better(
        self, record: CycleRecord, what: str, streams: Sequence[Any], attempt: Attempt, folder: Path
    ) -> dict[str, Any] | None:
        """Take the first stream that is there and preferred to what a cycle ran with, None if there is none."""
        used = record.inputs.get(what, {"rank": len(streams)})
        for rank, stream in enumerate(streams[:used["rank"]]):
            try:
                found = attempt(rank, stream, folder)
            except InputError:
                shutil.rmtree(folder, ignore_errors=True)
                continue
            if found.is_complete:
                return found.facts()
            shutil.rmtree(folder, ignore_errors=True)
        return None

    def _as_before(self, record: CycleRecord, what: str, folder: Path) -> dict[str, Any]:
        """Take the copies that a cycle ran with."""
        used = record.inputs.get(what)
        if used is None:
            return {"stream": None, "rank": 0, "source": "files", "members": [], "files": [], "passed_over": {}}
        old = input_folder(self._folder / record.name, what)
        if used["files"]:
            folder.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(old, folder, copy_function=link_file)
        return used
