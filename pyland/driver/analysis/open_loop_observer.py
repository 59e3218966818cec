"""An open loop that observes as it runs: the climatology of types that a history does not hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from pyland.base.errors import InputError
from pyland.base.member_statistics import member_mean
from pyland.base.observation_reasons import NO_CLIMATOLOGY
from pyland.config import CaseConfig
from pyland.driver.analysis.analysis_state import Model
from pyland.driver.analysis.observed_fields import Observer
from pyland.driver.analysis.state_quality import StateQuality
from pyland.observe import ObservationSet, operator_for
from pyland.observe.climatology.set_scaling import MINIMUM_COUNT
from pyland.output.predictions import PredictionWriter, read_predictions


def watched_names(config: CaseConfig) -> tuple[str, ...]:
    """Return the entries whose climatology the open loop must observe: scaled to it, and not held by its history."""
    if config.assimilation.filter == "none" or not config.assimilation.open_loop:
        return ()
    return tuple(entry.name for entry in config.observations if entry.scaling != "none" and entry.climatology is None
                 and not operator_for(entry.type, entry.settings).recorded)


def by_analysis(
    sets: list[ObservationSet], start: np.datetime64, end: np.datetime64, every: float
) -> dict[np.datetime64, list[ObservationSet]]:
    """Return sets by the analysis that takes them, in the order of time and, within one, of time and name.

    Parameters
    ----------
    sets : list of ObservationSet
        Any sets; those after the last analysis are left out.
    start, end : numpy.datetime64
        Period of the run, UTC.
    every : float
        Interval between analyses [s], counted from ``start``.
    """
    start, width = np.datetime64(start, "s"), np.timedelta64(round(every), "s")
    found: dict[np.datetime64, list[ObservationSet]] = {}
    for one in sorted(sets, key=lambda one: (one.time, one.name)):
        time = start - ((start - one.time) // width) * width
        if start < time <= end:
            found.setdefault(time, []).append(one)
    return found


class OpenLoopObserver:
    """Predicts observations while an ensemble runs; stands where an analysis would stand, and changes nothing.

    What is predicted is the ensemble mean at the analysis that would take the observation, so that an innovation of
    the analysis and its climatology are of the same time. Where frost, snow or rain of the ensemble say that the
    observation cannot be used there is no prediction.

    Parameters
    ----------
    sets : list of ObservationSet
        What to observe, the same on every rank; they are not changed.
    start, end : numpy.datetime64
        Period of the run, UTC.
    every : float
        Interval between analyses [s], counted from ``start``.
    observer : Observer
        Sees the model.
    quality : StateQuality
        Judges observations by the state of the model.
    writer : PredictionWriter
        Keeps the predictions; the records of the run flush, resume and finish it.
    """

    def __init__(
        self, sets: list[ObservationSet], start: np.datetime64, end: np.datetime64, every: float, observer: Observer,
        quality: StateQuality, writer: PredictionWriter
    ) -> None:
        self._due = by_analysis(sets, start, end, every)
        self._observer, self._quality, self._writer = observer, quality, writer

    def is_due(self, time: np.datetime64) -> bool:
        """Whether something is observed at this time."""
        return np.datetime64(time, "s") in self._due

    def update(self, time: np.datetime64, model: Model) -> None:
        """Observe the ensemble; collective."""
        sets = self._due[np.datetime64(time, "s")]
        judged = [replace(one) for one in sets]
        names = dict.fromkeys((*self._observer.needs(sets), *self._quality.needs(sets)))
        fields = self._observer.fields(names, model)
        predicted = self._observer.predict(judged, fields, model.thickness)
        self._quality.reject(judged, fields, predicted)
        self._writer.add(
            time, [one.name for one in sets], [one.location for one in sets],
            [np.where(seen.flags == one.flags, member_mean(values), np.nan)
             for one, seen, values in zip(sets, judged, predicted, strict=True)])

    # ---- restart: all that is known lies in the file of the writer -----------------------------------

    def cell_state(self) -> dict[str, np.ndarray]:
        """Return what a restart needs over cells: nothing."""
        return {}

    def plain_state(self) -> dict[str, np.ndarray]:
        """Return what else a restart needs: nothing."""
        return {}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue from a restart."""


def seen_of_run(
    folder: Path, sets: list[ObservationSet], start: np.datetime64, end: np.datetime64, every: float
) -> dict[str, list[np.ndarray]]:
    """Return what an open loop predicted for observations.

    Parameters
    ----------
    folder : Path
        Folder of the open loop, with ``predicted.nc``.
    sets : list of ObservationSet
        The sets that it observed.
    start, end, every
        As for `by_analysis`.

    Returns
    -------
    dict of str to list of numpy.ndarray, shape (obs,)
        By name, of the sets of that name in their order [unit of the type]; NaN where nothing was predicted.

    Raises
    ------
    InputError
        If the file is missing or damaged, or belongs to other observations.
    """
    held, first = read_predictions(folder), 0
    found = {id(one): np.full(one.size, np.nan) for one in sets}
    for time, due in by_analysis(sets, start, end, every).items():
        for one in due:
            rows = slice(first, first + one.size)
            if not (np.array_equal(held["place"][rows], one.location)
                    and (held["observation_time"][rows] == time.astype(np.int64)).all()):
                raise InputError(f"{folder / 'predicted.nc'}: expected predictions of {one.size} observations "
                                 f"'{one.name}' of {time}; the file belongs to others. Run without --resume.")
            found[id(one)] = held["prediction"][rows]
            first += one.size
    out: dict[str, list[np.ndarray]] = {}
    for one in sets:
        out.setdefault(one.name, []).append(found[id(one)])
    return out


def with_prediction(sets: list[ObservationSet], seen: list[np.ndarray]) -> list[ObservationSet]:
    """Return sets in which observations that an open loop does not predict are not used: ``no_climatology``.

    The same holds for all observations of a place where that leaves fewer of them than a mean needs.

    Parameters
    ----------
    sets : list of ObservationSet
        Sets of one name.
    seen : list of numpy.ndarray, shape (obs,)
        By set [unit of the type]; NaN: none.
    """
    place = np.concatenate([one.location for one in sets])
    used = np.concatenate([one.used for one in sets])
    known = used & np.isfinite(np.concatenate(seen))
    _, index = np.unique(place, return_inverse=True)
    count, before = np.bincount(index, known), np.bincount(index, used)
    too_few = (count < MINIMUM_COUNT) & (count < before)
    lost = np.split(used & (~known | too_few[index]), np.cumsum([one.size for one in sets])[:-1])
    return [replace(one, flags=np.where(gone, np.int8(NO_CLIMATOLOGY), one.flags))
            for one, gone in zip(sets, lost, strict=True)]


__all__ = ["OpenLoopObserver", "by_analysis", "seen_of_run", "watched_names", "with_prediction"]
