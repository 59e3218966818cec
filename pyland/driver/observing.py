"""Observations of a run: from files, or from a truth that the same case computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from pyland.base.cell_ranks import CellRanks
from pyland.base.errors import InputError
from pyland.base.parallel import Communicator
from pyland.config import CaseConfig
from pyland.config.observations import ObservationSection
from pyland.coupling import ColumnModel
from pyland.domain import Domain
from pyland.driver.setup import Setup
from pyland.observe import (
    ObservationSet,
    TargetCells,
    column_soil_moisture,
    combine_footprints,
    make_observations,
    read_soil_moisture,
    rescale_sets,
)


def observation_times(entry: ObservationSection, start: np.datetime64, end: np.datetime64) -> np.ndarray | None:
    """Return the times of an entry after ``start`` up to ``end``; None takes every time of its file."""
    if entry.every is None:
        return None
    width = np.timedelta64(round(entry.every), "s")
    return np.arange(start + width, end + np.timedelta64(1, "s"), width)


def target_cells(config: CaseConfig, whole: Domain) -> TargetCells:
    """Return the cells of the run as observations look for them."""
    sizes = {"grid": max(config.domain.dx, config.domain.dy), "file": float(np.sqrt(whole.area.max()))}
    size = sizes.get(whole.kind, _SITE_SIZE)
    return TargetCells(whole.latitude, whole.longitude, whole.x, whole.y, size)


_SITE_SIZE = 5000.0  # a station belongs to a site within half a diagonal of this [m]


def read_sets(config: CaseConfig, whole: Domain) -> list[ObservationSet]:
    """Read the observations of all entries that come from files, within the period of the run.

    Raises
    ------
    InputError
        If a file is missing, damaged, or holds nothing for this domain and period.
    """
    target = target_cells(config, whole)
    start, end = config.time.start64, config.time.end64
    sets: list[ObservationSet] = []
    for entry in config.observations:
        if entry.file is None:
            continue
        found = read_soil_moisture(
            entry.file, entry.variable, target, name=entry.name, error=entry.error,
            depth=(entry.depth[0], entry.depth[1]), times=observation_times(entry, start, end), window=entry.window,
            footprint=entry.footprint, stamps=entry.stamps, units=entry.units,
            accepted_quality=[int(flag) for flag in entry.quality.accepted])
        inside = [one for one in found if start < one.time <= end]
        if not inside:
            raise InputError(
                f"observation '{entry.name}', file {entry.file}: no observation between {start} and {end}; "
                f"the file has {found[0].time} to {found[-1].time}."
            )
        sets += inside
    return sets


class TruthObserver:
    """Watches a truth run and makes synthetic observations of it; stands where an analysis would stand.

    Parameters
    ----------
    setup : Setup
        The run.
    entries : list of ObservationSection
        Entries with ``twin``.
    ranks : CellRanks
        Ranks of the truth run.
    """

    def __init__(self, setup: Setup, entries: list[ObservationSection], ranks: CellRanks) -> None:
        self._setup, self._entries, self._ranks = setup, entries, ranks
        self._target = target_cells(setup.config, setup.whole)
        start, end = setup.config.time.start64, setup.config.time.end64
        self._times = {entry.name: _twin_times(entry, start, end) for entry in entries}
        self.sets: list[ObservationSet] = []

    def is_due(self, time: np.datetime64) -> bool:
        """Whether something is observed at this time."""
        return any(time in times for times in self._times.values())

    def update(self, time: np.datetime64, model: ColumnModel) -> None:
        """Observe the truth."""
        whole = self._setup.whole
        for entry in self._entries:
            if time not in self._times[entry.name]:
                continue
            soil_water = self._ranks.all_members(model.state["soil_water"])
            columns = column_soil_moisture(soil_water, model.thickness, *entry.depth)
            if entry.footprint > 0:
                cells, weights = self._target.footprints(whole.x, whole.y, entry.footprint)
            else:
                cells, weights = np.arange(whole.ncell)[:, None], np.ones((whole.ncell, 1))
            seen = combine_footprints(columns, self._ranks.position, cells, weights, self._ranks)[0]
            twin = entry.twin
            self.sets.append(make_observations(
                seen, time, whole.x, whole.y, name=entry.name, error=twin.error or entry.error, seed=twin.seed,
                depth=(entry.depth[0], entry.depth[1]), fraction=twin.coverage, coverage=twin.pattern, cells=cells,
                weights=weights))
            self.sets[-1].variance[:] = entry.error**2


def _twin_times(entry: ObservationSection, start: np.datetime64, end: np.datetime64) -> frozenset[np.datetime64]:
    times = observation_times(entry, start, end)
    if times is None:
        raise InputError(f"observations '{entry.name}': twin observations need `every`, the time between them.")
    return frozenset(times.tolist() and [np.datetime64(one, "s") for one in times])


def rescale(
    config: CaseConfig, sets: list[ObservationSet], open_loop: Path, comm: Communicator, thickness: np.ndarray
) -> list[ObservationSet]:
    """Bring observations to the climatology of the open loop where an entry asks for it.

    Parameters
    ----------
    config : CaseConfig
        The case.
    sets : list of ObservationSet
        All observations.
    open_loop : Path
        History of the open loop.
    comm : Communicator
        Ranks of the run; the root reads.
    thickness : numpy.ndarray, shape (layer,)
        Thickness of the soil layers [m].

    Raises
    ------
    InputError
        If scaling is asked for without an open loop.
    """
    out: list[ObservationSet] = []
    for entry in config.observations:
        mine = [one for one in sets if one.name == entry.name]
        if entry.scaling != "none" and mine:
            if not config.assimilation.open_loop:
                raise InputError(
                    f"observations '{entry.name}': scaling: {entry.scaling} needs the climatology of the model, and "
                    "with it assimilation.open_loop: true."
                )
            mean, std = comm.broadcast(_climatology(mine, open_loop, thickness) if comm.is_root else None)
            mine = rescale_sets(mine, entry.scaling, mean, std)
        out += mine
    return out


def _climatology(
    sets: list[ObservationSet], history: Path, thickness: np.ndarray
) -> tuple[dict[int, float], dict[int, float]]:
    """Return mean and standard deviation of the open loop at the times of the observations, by location."""
    with xr.open_dataset(history) as data:
        water = data["soil_water"]
        flat = water.values.reshape(water.sizes["time"], water.sizes["layer"], -1)
        times = data["time"].values.astype("datetime64[s]")
    samples: dict[int, list[float]] = {}
    for one in sets:
        record = int(np.clip(np.searchsorted(times, one.time), 0, times.size - 1))
        columns = column_soil_moisture(flat[record][:, None, :], thickness, one.top, one.bottom)[0]
        for row in np.flatnonzero(one.used):
            cells, weights = one.cells[row], one.weights[row]
            value = float((columns[cells[cells >= 0]] * weights[cells >= 0]).sum())
            samples.setdefault(int(one.location[row]), []).append(value)
    mean = {place: float(np.mean(values)) for place, values in samples.items()}
    std = {place: float(np.std(values)) for place, values in samples.items()}
    return mean, std
