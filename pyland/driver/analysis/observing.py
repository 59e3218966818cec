"""Observations of a run: from files, or from a truth that the same case computes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pyland.base.cell_ranks import CellRanks
from pyland.base.errors import InputError, PylandError
from pyland.base.observation_reasons import WITHHELD
from pyland.base.parallel import Communicator
from pyland.config import CaseConfig
from pyland.config.observations import ObservationSection
from pyland.config.rivers import PlaceSection
from pyland.domain import Domain
from pyland.driver.analysis.analysis_state import Model
from pyland.driver.analysis.model_climatology import (
    hidden_in_history,
    seen_of_history,
    statistics_by_place,
    storage_baseline,
)
from pyland.driver.analysis.observed_fields import LEAF_AREA, Observer
from pyland.driver.analysis.open_loop_observer import with_prediction
from pyland.driver.analysis.product_sets import product_sets
from pyland.driver.analysis.state_quality import StateQuality, state_rules
from pyland.driver.rivers.gauge_cells import on_rivers, river_cells
from pyland.driver.rivers.river_run import RiverRun
from pyland.driver.setup import Setup
from pyland.observe import (
    ObservationSet,
    ProductErrors,
    TargetCells,
    cdf_of_sets,
    combine_footprints,
    error_of,
    grid_places,
    make_observations,
    match_sets,
    read_measurements,
    rescale_sets,
    withhold,
)
from pyland.observe.climatology import CdfMatch, LinearMatch, read_climatology
from pyland.subsurface.river_network import RiverNetwork

_log = logging.getLogger(__name__)

_NEEDS_OPEN_LOOP = ("observations '{}': scaling: {} needs the climatology of the model, and with it "
                    "assimilation.open_loop: true.")

ANOMALIES = ("tws",)
"""Types that are anomalies: scaling gives them the mean of the model, and takes nothing away."""


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


def read_sets(
    config: CaseConfig, whole: Domain, comm: Communicator | None = None, network: RiverNetwork | None = None
) -> list[ObservationSet]:
    """Read the observations of all entries that come from files, within the period of the run.

    Products are read by the root where there are ranks. Gauges see the cells of ``network``.

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
        if entry.reader != "measurements":
            is_mine = comm is None or comm.is_root
            found = product_sets(entry, config, target) if is_mine else []
            sets += found if comm is None else comm.broadcast(found)
            continue
        found = read_measurements(
            entry.file, entry.variable, target, name=entry.name, error=entry.error, kind=entry.type,
            depth=entry.sensed, times=observation_times(entry, start, end), window=entry.window,
            footprint=entry.seen_width, footprint_weights=entry.footprint_weights,
            relative_error=entry.relative_error, e_folding_depth=entry.decay, stamps=entry.stamps, units=entry.units,
            accepted_quality=[int(flag) for flag in entry.quality.accepted], settings=entry.settings)
        inside = [one for one in found if start < one.time <= end]
        if not inside:
            raise InputError(
                f"observation '{entry.name}', file {entry.file}: no observation between {start} and {end}; "
                f"the file has {found[0].time} to {found[-1].time}."
            )
        sets += inside
    return sets if network is None else _gauged(config, sets, target, network)


def _gauged(
    config: CaseConfig, sets: list[ObservationSet], target: TargetCells, network: RiverNetwork
) -> list[ObservationSet]:
    """Return sets whose gauges see the cells of their rivers."""
    snap = {entry.name: entry.settings["snap"] for entry in config.observations if entry.type == "discharge"}
    mine = [one for one in sets if one.name in snap]
    others = [one for one in sets if one.name not in snap]
    for name, distance in snap.items():
        gauges = [one for one in mine if one.name == name]
        others += on_rivers(gauges, distance, target, network) if gauges else []
    return others


@dataclass(frozen=True)
class Places:
    """Where a twin entry looks.

    Attributes
    ----------
    x, y : numpy.ndarray, shape (place,)
        Coordinates in the domain [m].
    cells, weights : numpy.ndarray, shape (place, slot)
        Footprints.
    """

    x: np.ndarray
    y: np.ndarray
    cells: np.ndarray
    weights: np.ndarray


def twin_places(entry: ObservationSection, target: TargetCells, network: RiverNetwork | None = None) -> Places:
    """Return the places of a twin entry: its locations, or all cells; gauges see the cells of ``network``.

    Raises
    ------
    InputError
        If a location lies outside the domain.
    """
    x, y, cells = target.x, target.y, np.arange(target.x.size)
    if entry.twin.locations:
        found = [_locate(entry.name, place, target) for place in entry.twin.locations]
        x, y = (np.array([one[axis] for one in found]) for axis in (0, 1))
        cells = np.array([one[2] for one in found])
    if entry.twin.spacing is not None:
        x, y, cells = grid_places(target, entry.twin.spacing)
    if entry.seen_width > 0:
        return Places(x, y, *target.footprints(x, y, entry.seen_width, entry.footprint_weights))
    if entry.type == "discharge" and network is not None:
        cells = river_cells(x, y, entry.settings["snap"], target, network)
    return Places(x, y, cells[:, None], np.ones((cells.size, 1)))


def _locate(name: str, place: PlaceSection, target: TargetCells) -> tuple[float, float, int]:
    """Return x, y [m] and cell of a location."""
    if place.x is not None and place.y is not None:
        x, y = place.x, place.y
        cell, inside = target.nearest(x, y)
    else:
        cell, x, y, inside = (one[0] for one in target.locate([place.latitude], [place.longitude]))
    if not inside:
        raise InputError(
            f"observation '{name}': the location '{place.name}' lies outside the domain, which covers "
            f"{target.bounds()}, x {target.x.min():.6g} to {target.x.max():.6g} m and y {target.y.min():.6g} to "
            f"{target.y.max():.6g} m (centres of the cells). Give a place within it.")
    return float(x), float(y), int(cell)


def observation_problems(config: CaseConfig, whole: Domain, depth: float) -> list[str]:
    """Return what is wrong with files, places and depths of the observations, with the key of each.

    Parameters
    ----------
    config : CaseConfig
        The case.
    whole : Domain
        All cells of the run.
    depth : float
        Of the layers that hold water [m].
    """
    problems, target = [], target_cells(config, whole)
    for place, entry in enumerate(config.observations):
        where = config.where(f"observations.{place}")
        try:
            if entry.twin is not None:
                twin_places(entry, target)
            else:
                alone = config.model_copy(update={"observations": [entry]})
                set_aside(alone, read_sets(alone, whole))
        except PylandError as error:
            problems.append(f"{where}: {error}")
        problems += [f"{where}: {one}" for one in _rescaling_problems(entry, config)]
        if entry.sensed[1] > depth:
            problems.append(
                f"{where}.depth: expected depths within the soil layers (to {depth:g} m), got {entry.depth}.")
    return problems


def _rescaling_problems(entry: ObservationSection, config: CaseConfig) -> list[str]:
    """Return what an entry lacks to be rescaled, which a run would find only after its open loop."""
    problems, storage = [], "terrestrial_water_storage"
    if entry.climatology is not None:
        try:
            _climatology_of(entry)
        except PylandError as error:
            problems.append(str(error))
    elif entry.scaling != "none" and not config.assimilation.open_loop:
        problems.append(_NEEDS_OPEN_LOOP.format(entry.name, entry.scaling))
    if "baseline_start" in entry.settings and storage not in config.output.variables:
        problems.append(f"observations '{entry.name}': type {entry.type} needs {storage} in output.variables.")
    return problems


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
    rivers : RiverRun, optional
        Its rivers.
    """

    def __init__(
        self, setup: Setup, entries: list[ObservationSection], ranks: CellRanks, rivers: RiverRun | None = None
    ) -> None:
        self._entries = entries
        self._observer = Observer.of_run(setup, ranks, rivers)
        rules = {name: replace(one, between=None) for name, one in state_rules(setup.config).items()}
        self._quality = StateQuality(rules, self._observer)
        target = target_cells(setup.config, setup.whole)
        network = None if rivers is None else rivers.plan.network
        self._places = {entry.name: twin_places(entry, target, network) for entry in entries}
        start, end = setup.config.time.start64, setup.config.time.end64
        self._times = {entry.name: _twin_times(entry, start, end) for entry in entries}
        self._errors = {entry.name: ProductErrors(**entry.twin.errors.model_dump()) for entry in entries}
        self._shifts = {
            entry.name: self._errors[entry.name].shift(entry.name, entry.twin.seed, places.x, places.y)
            for entry, places in zip(entries, self._places.values(), strict=True)}
        self.sets: list[ObservationSet] = []

    def is_due(self, time: np.datetime64) -> bool:
        """Whether something is observed at this time."""
        return any(time in times for times in self._times.values())

    def update(self, time: np.datetime64, model: Model) -> None:
        """Observe the truth."""
        for entry in self._entries:
            if time not in self._times[entry.name]:
                continue
            places, twin, errors = self._places[entry.name], entry.twin, self._errors[entry.name]
            blank = np.full(places.x.size, np.nan)
            view = ObservationSet(
                entry.name, entry.type, time, blank, blank, places.x, places.y, places.cells, places.weights,
                *entry.sensed, e_folding_depth=entry.decay, settings=entry.settings)
            fields = self._observer.fields(self._observer.needs([view]), model)
            seen = self._observer.predict([view], fields, model.thickness)[0][0]
            leaves = self._leaf_area(places, model) if errors.needs_leaves else None
            seen = errors.distorted(seen, self._shifts[entry.name], leaves)
            self.sets.append(make_observations(
                seen, time, places.x, places.y, name=entry.name, seed=twin.seed, kind=entry.type, depth=entry.sensed,
                error=errors.noise(twin.error or error_of(seen, entry.error, entry.relative_error), leaves),
                fraction=twin.coverage, coverage=twin.pattern, cells=places.cells, weights=places.weights,
                e_folding_depth=entry.decay, settings=entry.settings, gaps=twin.gaps,
                noise_length=errors.noise_length))
            made = self.sets[-1]
            made.variance[:] = error_of(made.values, entry.error, entry.relative_error) ** 2
            fields = self._observer.fields(self._quality.needs([made]), model)  # flags that a product comes with
            self._quality.reject([made], fields, [made.values[None]])

    def finish(self) -> list[ObservationSet]:
        """Return all sets; those of anomalies less the mean over time of what was seen at each place."""
        means: dict[str, dict[int, float]] = {}
        for entry in self._entries:
            if entry.type in ANOMALIES:
                mine = [one for one in self.sets if one.name == entry.name]
                means[entry.name] = statistics_by_place(mine, [one.values for one in mine])[0] if mine else {}
        return [one if one.name not in means else replace(one, values=one.values - np.array(
            [means[one.name][place] for place in one.location.tolist()])) for one in self.sets]


    def _leaf_area(self, places: Places, model: Model) -> np.ndarray:
        """Return the leaf area index of what the places see, (place,) [1]; collective."""
        ranks, fields = self._observer.ranks, self._observer.fields([LEAF_AREA], model)
        return combine_footprints(fields[LEAF_AREA], ranks.position, places.cells, places.weights, ranks)[0]


def _twin_times(entry: ObservationSection, start: np.datetime64, end: np.datetime64) -> frozenset[np.datetime64]:
    if entry.every is None:
        raise InputError(f"observations '{entry.name}': twin observations need `every`, the time between them.")
    if entry.twin.first > 0:  # as if the run had begun one interval before the first
        start = start + np.timedelta64(round(entry.twin.first - entry.every), "s")
    times = observation_times(entry, start, end)
    return frozenset(times.tolist() and [np.datetime64(one, "s") for one in times])


def rescale(
    config: CaseConfig, sets: list[ObservationSet], open_loop: Path, comm: Communicator, thickness: np.ndarray,
    static: Mapping[str, np.ndarray] | None = None, *, seen: Mapping[str, list[np.ndarray]] | None = None,
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
    static : mapping of str to numpy.ndarray, shape ([layer,] cell), optional
        Static fields of all cells, on the root, for types that need them.
    seen : mapping of str to list of numpy.ndarray, shape (obs,), optional
        What the open loop predicted as it ran, by name and set (`seen_of_run`); it stands for the history.

    Raises
    ------
    InputError
        If scaling is asked for without an open loop.
    """
    out: list[ObservationSet] = []
    hiding = state_rules(config)
    for entry in config.observations:
        mine = [one for one in sets if one.name == entry.name]
        if "baseline_start" in entry.settings and mine:
            shift = storage_baseline(mine, open_loop, entry.settings) if comm.is_root else None
            mine = [replace(one, values=one.values + more)
                    for one, more in zip(mine, comm.broadcast(shift), strict=True)]
        if entry.scaling != "none" and mine:
            if comm.is_root and config.assimilation.parameters and entry.type not in ANOMALIES:
                _log.warning("observations '%s': scaling: %s takes from them what they say of parameters (%s): "
                             "bias and range become those of the model. Use scaling: none to estimate parameters",
                             entry.name, entry.scaling, ", ".join(config.assimilation.parameters))
            if entry.climatology is not None:
                out += match_sets(mine, _climatology_of(entry))
                continue
            if not config.assimilation.open_loop:
                raise InputError(_NEEDS_OPEN_LOOP.format(entry.name, entry.scaling))
            if seen is not None and entry.name in seen:
                shown = seen[entry.name]
                mine = with_prediction(mine, shown)
            else:
                rules = hiding.get(entry.name)
                if rules is not None and (rules.frozen, rules.snow) != (None, None):
                    flags = comm.broadcast(hidden_in_history(mine, open_loop, rules.frozen, rules.snow)
                                           if comm.is_root else None)
                    mine = [replace(one, flags=flag) for one, flag in zip(mine, flags, strict=True)]
                shown = seen_of_history(mine, open_loop, thickness, static) if comm.is_root else None
            if entry.scaling == "cdf":
                mine = comm.broadcast(match_sets(mine, cdf_of_sets(mine, shown)) if comm.is_root else None)
            else:
                mean, std = comm.broadcast(statistics_by_place(mine, shown) if comm.is_root else None)
                mine = rescale_sets(mine, entry.scaling, mean, std)
        out += mine
    return out


def _climatology_of(entry: ObservationSection) -> CdfMatch | LinearMatch:
    """Return the climatology of an earlier period that an entry names.

    Raises
    ------
    InputError
        If it cannot be read, or rescales in another way than the entry says.
    """
    match = read_climatology(entry.climatology)
    method = "cdf" if isinstance(match, CdfMatch) else match.method
    if method != entry.scaling:
        raise InputError(f"observations '{entry.name}': expected scaling: {method}, which is what {entry.climatology} "
                         f"holds, got {entry.scaling}.")
    return match


def set_aside(config: CaseConfig, sets: list[ObservationSet]) -> None:
    """Withhold the share of each entry that is to test the analysis.

    Parameters
    ----------
    config : CaseConfig
        The case.
    sets : list of ObservationSet
        All observations; their flags change.

    Raises
    ------
    InputError
        If an entry has too few places or times to choose from.
    """
    for entry in config.observations:
        if not entry.assimilate:
            for one in sets:
                if one.name == entry.name:
                    one.flags[one.used] = WITHHELD
        elif entry.withheld > 0:
            withhold([one for one in sets if one.name == entry.name], entry.withheld, config.ensemble.seed)
