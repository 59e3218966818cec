"""What the parameters are fitted to: daily means at a station, and observations of a case by their operators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from pyland.base.cell_ranks import CellRanks
from pyland.base.errors import InputError
from pyland.config.calibration import TargetSection
from pyland.diagnose.series import Series, Station, at_depth, identifier_of, read_station
from pyland.diagnose.skill import DAY, daily_pairs, observed_names
from pyland.driver.analysis.observed_fields import Observer
from pyland.driver.analysis.open_loop_observer import by_analysis
from pyland.driver.records import value_of
from pyland.driver.setup import Setup
from pyland.driver.time_loop import Step
from pyland.observe import ObservationSet
from pyland.observe.quantities import QUANTITIES


class Target(ABC):
    """Observations of one name within a period.

    Attributes
    ----------
    name, units : str
        For tables and figures.
    observed, error : numpy.ndarray, shape (obs,)
        Values and standard deviations of their errors.
    times : numpy.ndarray of datetime64[s], shape (obs,)
        Middle of what was observed, UTC; ascending.
    places : numpy.ndarray, shape (obs, 2)
        Coordinates [m], y first.
    """

    name: str
    units: str
    observed: np.ndarray
    error: np.ndarray
    times: np.ndarray
    places: np.ndarray

    @abstractmethod
    def begin(self, nmember: int) -> None:
        """Forget what an earlier run predicted."""

    @abstractmethod
    def add_step(self, step: Step, model: object, weather: dict[str, np.ndarray]) -> None:
        """Look at the model after a step."""

    @abstractmethod
    def predicted(self) -> np.ndarray:
        """Return what the members of the run predict, (member, obs)."""


class StationTarget(Target):
    """Means of local days of one variable at a station, with the rules of ``pyland diagnose CASE skill``.

    Parameters
    ----------
    section : TargetSection
        Which variable.
    station : Station
        The observations.
    setup : Setup
        A run of one site.
    period : tuple of numpy.datetime64
        Start and end, UTC; days count that lie within it.

    Raises
    ------
    InputError
        If the station or the model has no such variable, or the station has none in the period.
    """

    def __init__(
        self, section: TargetSection, station: Station, setup: Setup, period: tuple[np.datetime64, np.datetime64]
    ) -> None:
        where, name = f"calibrate.observations '{section.name}'", str(section.station)
        found = identifier_of(name, station.depths)
        if setup.whole.ncell != 1:
            raise InputError(f"{where}: a station needs domain.type: site; this run has {setup.whole.ncell} cells. Use "
                             "an entry of observations.")
        if found is None or name not in observed_names(station):
            raise InputError(f"{where}: expected one of the variables of the station ("
                             f"{', '.join(observed_names(station))}), got '{name}'.")
        self._id, self._depth, self._factor = found
        self.name, self.units = section.name, _units(name)
        if self._depth is not None:
            edges = np.concatenate([[0.0], np.cumsum(
                setup.layers.thickness if self._id == "soil_water" else np.concatenate(
                    [setup.layers.thickness, setup.layers.bedrock_thickness]))])
            self._bounds = np.column_stack([edges[:-1], edges[1:]])
        seconds = np.timedelta64(round(setup.step), "s")
        starts = np.arange(period[0], period[1], seconds)
        # the model's part of the pairs is no number yet: what is taken of them is which days count
        blank = Series(starts, setup.step, {name: np.zeros(len(starts))}, "")
        pairs = daily_pairs(blank, station, name, period)
        good = np.zeros(0, dtype=bool) if pairs is None else np.isfinite(pairs.observed + pairs.model)
        if not good.any():
            raise InputError(f"{where}: the station has no '{name}' on whole days from {period[0]} to {period[1]}.")
        self._offset = np.timedelta64(round(station.utc_offset * 3600), "s")
        self._days = pairs.start[good].astype("datetime64[D]")
        self.observed = np.array(pairs.observed[good])
        self.error = np.full(self.observed.size, float(section.error))
        self.times = self._days.astype("datetime64[s]") + np.timedelta64(DAY // 2, "s") - self._offset
        self.places = np.tile([setup.domain.y[0], setup.domain.x[0]], (self.observed.size, 1))
        self._total, self._steps = np.zeros((self.observed.size, 0)), DAY / setup.step

    def begin(self, nmember: int) -> None:
        """See `Target`."""
        self._total = np.zeros((self.observed.size, nmember))

    def add_step(self, step: Step, model: object, weather: dict[str, np.ndarray]) -> None:
        """See `Target`."""
        day = (step.start + self._offset).astype("datetime64[D]")
        place = int(np.searchsorted(self._days, day))
        if place < len(self._days) and self._days[place] == day:
            values = value_of(self._id, model, weather)[..., 0]
            if self._depth is not None:
                values = at_depth(values.T, self._bounds, *self._depth)
            self._total[place] += values

    def predicted(self) -> np.ndarray:
        """See `Target`."""
        return self._factor * self._total.T / self._steps


class EntryTarget(Target):
    """Observations of an entry of ``observations``, predicted by its operator at the end of the step of their time.

    Parameters
    ----------
    section : TargetSection
        Which entry.
    sets : sequence of ObservationSet
        Its observations.
    setup : Setup
        The run.
    ranks : CellRanks
        Its ranks.
    period : tuple of numpy.datetime64
        Start and end, UTC.

    Raises
    ------
    InputError
        If there are none in the period.
    """

    def __init__(
        self, section: TargetSection, sets: Sequence[ObservationSet], setup: Setup, ranks: CellRanks,
        period: tuple[np.datetime64, np.datetime64],
    ) -> None:
        mine = [one for one in sets if period[0] < one.time <= period[1] and one.used.any()]
        if not mine:
            raise InputError(f"calibrate.observations '{section.name}': no usable observation of '{section.entry}' "
                             f"from {period[0]} to {period[1]}.")
        self.name, self.units = section.name, QUANTITIES[mine[0].type].unit
        self._due = by_analysis(mine, setup.config.time.start64, period[1], setup.step)
        ordered = [one for due in self._due.values() for one in due]
        self.observed = np.concatenate([one.values[one.used] for one in ordered])
        given = np.concatenate([np.sqrt(one.variance[one.used]) for one in ordered])
        self.error = given if section.error is None else np.full(given.size, float(section.error))
        self.times = np.concatenate([np.full(one.used.sum(), one.time) for one in ordered])
        self.places = np.concatenate([np.column_stack([one.y, one.x])[one.used] for one in ordered])
        self._observer = Observer.of_run(setup, ranks, None)
        self._seen: list[np.ndarray] = []

    def begin(self, nmember: int) -> None:
        """See `Target`."""
        self._seen = []

    def add_step(self, step: Step, model: object, weather: dict[str, np.ndarray]) -> None:
        """See `Target`."""
        due = self._due.get(np.datetime64(step.end, "s"))
        if due is None:
            return
        fields = self._observer.fields(self._observer.needs(due), model)
        predicted = self._observer.predict(due, fields, model.thickness)
        self._seen += [values[:, one.used] for one, values in zip(due, predicted, strict=True)]

    def predicted(self) -> np.ndarray:
        """See `Target`."""
        return np.concatenate(self._seen, axis=1)


def build_targets(
    sections: Sequence[TargetSection], setup: Setup, ranks: CellRanks, sets: Sequence[ObservationSet],
    period: tuple[np.datetime64, np.datetime64],
) -> list[Target]:
    """Return the observations of a period, in the order of the case.

    Parameters
    ----------
    sections : sequence of TargetSection
        ``calibrate.observations``.
    setup : Setup
        The run.
    ranks : CellRanks
        Its ranks.
    sets : sequence of ObservationSet
        Observations of all entries.
    period : tuple of numpy.datetime64
        Start and end, UTC.
    """
    stations: dict[tuple[str, str], Station] = {}
    out: list[Target] = []
    for one in sections:
        if one.entry is not None:
            out.append(EntryTarget(one, [found for found in sets if found.name == one.entry], setup, ranks, period))
            continue
        path, depths = one.file or str(setup.config.forcing.path), {}
        if one.depth is not None:
            depths = {str(one.station): (one.depth[0], one.depth[1])}
        key = path, repr(depths)
        if key not in stations:
            stations[key] = read_station(path, depths)
        out.append(StationTarget(one, stations[key], setup, period))
    return out


def _units(name: str) -> str:
    """Return the unit of an ALMA name in station files."""
    prefix = name.partition("_")[0]
    known = {"SoilMoist": "m3 m-3", "SoilTemp": "K", "TSurf": "K", "SWE": "kg m-2", "SnowDepth": "m", "Ustar": "m s-1",
             "GPP": "umol m-2 s-1", "NEE": "umol m-2 s-1", "WaterTableDepth": "m", "SnowRunoff": "kg m-2 d-1"}
    return known.get(prefix, "W m-2")


__all__ = ["EntryTarget", "StationTarget", "Target", "build_targets"]
