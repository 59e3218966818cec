"""One analysis: observe, assimilate, put back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pyland.assimilate.state_part import JoinedState
from pyland.base.cell_ranks import CellRanks
from pyland.base.member_statistics import member_mean
from pyland.base.parallel import Communicator
from pyland.config.observation_operators import UNITS
from pyland.driver.analysis.analysis_state import AnalysisState, Change, Model, UpdatedVariable, field_of
from pyland.driver.analysis.filter_call import FilterCall, FilterChoice, StatePlaces
from pyland.driver.analysis.incremental_update import IncrementalUpdate
from pyland.driver.analysis.inflating import AdaptiveFactors, AdditiveNoise
from pyland.driver.analysis.observed_fields import Observer
from pyland.driver.analysis.smoother_window import PastState, SmootherWindow
from pyland.driver.analysis.state_quality import StateQuality
from pyland.driver.member_parameters import MemberParameters
from pyland.driver.rivers.river_reach import RiverReach
from pyland.observe import (
    InnovationStatistics,
    ObservationSet,
    assemble,
    sets_between,
)

WITHOUT_UNIT = ("n", "chi2")
"""Statistics of innovations that several quantities may share."""


@dataclass(frozen=True)
class Outcome:
    """What an analysis did.

    Attributes
    ----------
    sets : list of ObservationSet
        Observations that arrived, with their flags.
    prior, posterior : numpy.ndarray, shape (member, observation)
        What the members predict for all observations of all sets, before and after.
    increments : dict of str to numpy.ndarray
        Ensemble-mean change, (layer, cell) of the cells of which this rank has all members.
    water : numpy.ndarray, shape (member, cell)
        Water added to the members and cells of the model [kg m-2].
    clipped : int
        Values on this rank that had to be brought into range.
    clipped_by : dict of str to int
        The same by variable.
    heat : numpy.ndarray, shape (member, cell)
        Heat added to soil and snow of these [J m-2].
    left : list of PastState
        Smoothed states that have left the window of a smoother.
    """

    sets: list[ObservationSet]
    prior: np.ndarray
    posterior: np.ndarray
    increments: dict[str, np.ndarray]
    water: np.ndarray
    clipped: int
    clipped_by: dict[str, int]
    heat: np.ndarray
    left: list[PastState] = field(default_factory=list)


class Analysis:
    """Analyses of the state and the parameters of a run.

    Parameters
    ----------
    sets : list of ObservationSet
        All observations of the run, the same on every rank.
    every : float
        Interval between analyses [s], counted from ``start``.
    start : numpy.datetime64
        Start of the run, UTC.
    choice : FilterChoice
        Filter with all its options.
    update : sequence of UpdatedVariable
        What is updated.
    reported : sequence of str
        Fields whose increments an `Outcome` has; those of ``update`` and others that follow them.
    x, y : numpy.ndarray, shape (cell,)
        Coordinates of the cells that this rank analyses, with all their members [m].
    comm : CellRanks
        Ranks of the run; it brings together the members of these cells.
    max_innovation : mapping of str to float
        Largest innovation per observation name [standard deviations]; missing names are not checked.
    parameters : MemberParameters, optional
        Needed where parameters are updated.
    spacing : mapping of str to float
        Smallest distance of assimilated observations per observation name [m].
    adaptive : AdaptiveFactors, optional
        Inflation that observations estimate.
    additive : AdditiveNoise, optional
        Noise that is added after the filter.
    incremental : IncrementalUpdate, optional
        Increments enter over the steps that follow.
    smoother : SmootherWindow, optional
        Analysed states that go on being updated.
    observer : Observer, optional
        Sees the model for the operators; without it, one that knows neither soil nor rivers.
    quality : StateQuality, optional
        Rejects observations by the state of the model.
    rivers : RiverReach, optional
        Rivers along which observations reach.
    """

    def __init__(
        self,
        sets: list[ObservationSet],
        *,
        every: float,
        start: np.datetime64,
        choice: FilterChoice,
        update: Sequence[UpdatedVariable],
        reported: Sequence[str],
        x: np.ndarray,
        y: np.ndarray,
        comm: CellRanks,
        max_innovation: Mapping[str, float],
        parameters: MemberParameters | None = None,
        spacing: Mapping[str, float] | None = None,
        adaptive: AdaptiveFactors | None = None,
        additive: AdditiveNoise | None = None,
        incremental: IncrementalUpdate | None = None,
        smoother: SmootherWindow | None = None,
        observer: Observer | None = None,
        quality: StateQuality | None = None,
        rivers: RiverReach | None = None,
    ) -> None:
        self.sets, self.choice, self._rivers = sets, choice, rivers
        self.adaptive, self.additive, self.incremental, self.smoother = adaptive, additive, incremental, smoother
        self.statistics = InnovationStatistics()
        self._every = np.timedelta64(round(every), "s")
        self._start = np.datetime64(start, "s")
        self.parameters = parameters
        self.state = AnalysisState(update, start, parameters)
        self.clipped = dict.fromkeys(self.state.names, 0)
        self._reported = tuple(reported)
        self._coordinates = np.stack([x, y], axis=1)
        self._comm = comm
        self._observer = Observer(comm) if observer is None else observer
        self._quality = StateQuality({}, self._observer) if quality is None else quality
        self._max_innovation, self._spacing = dict(max_innovation), dict(spacing or {})

    def is_due(self, time: np.datetime64) -> bool:
        """Whether observations of the interval that ends at ``time`` wait to be assimilated."""
        on_schedule = (np.datetime64(time, "s") - self._start) % self._every == np.timedelta64(0, "s")
        return bool(on_schedule) and bool(sets_between(self.sets, time - self._every, time))

    def innovations(self) -> dict[str, float]:
        """Return the statistics of all innovations; of several quantities those that have no unit."""
        found = self.statistics.result()
        units = {UNITS[one.type] for one in self.sets}
        return found if len(units) == 1 else {name: found[name] for name in WITHOUT_UNIT}

    def total_clipped(self, comm: Communicator) -> dict[str, int]:
        """Return the values of all ranks that had to be brought into range, by variable; collective."""
        counts = comm.allgather(tuple(self.clipped.values()))
        return {name: sum(one[place] for one in counts) for place, name in enumerate(self.clipped)}

    def update(self, time: np.datetime64, model: Model) -> Outcome:
        """Assimilate what arrived in the interval that ends at ``time``; changes the state of ``model``."""
        sets = sets_between(self.sets, time - self._every, time)
        changes = [] if self.incremental is None else [self._add(model, self.incremental.rest())]
        left = [] if self.smoother is None else self.smoother.leave(time)
        fields = self._fields(sets, model)
        prior = self._observer.predict(sets, fields, model.thickness)
        self._quality.reject(sets, fields, prior)
        used = assemble(sets, prior, self._max_innovation, self._spacing)
        before = {name: member_mean(fields[name]) for name in self._reported}
        after = fields
        if used.size or self.choice.unobserved:  # what is inflated without observations is so if none is used, too
            self.statistics.add(used.predicted, used.observed, used.variance)
            call = FilterCall(self.choice, time, sets, used, self._rivers)
            found = self._analysed(time, model, fields, call, sets)
            if found is not None and self.incremental is None:
                changes.append(self.state.put(*found, fields, model, self._comm))
                after = self._fields(sets, model)
            elif found is not None:
                after, change = self._wait(*found, fields, model)
                changes.append(change)
        if self.smoother is not None:
            self.smoother.add(time, {name: after[name] for name in self.state.names})
        change = _total(changes, model)
        self._count(change)
        posterior = self._observer.predict(sets, after, model.thickness)
        return Outcome(
            sets,
            np.concatenate(prior, axis=1),
            np.concatenate(posterior, axis=1),
            {name: member_mean(after[name]) - before[name] for name in self._reported},
            change.water,
            sum(change.clipped.values()),
            change.clipped,
            change.heat,
            left,
        )

    def add_increment(self, model: Model) -> Change | None:
        """Add what enters before the coming step, and return what it changed, None if nothing waits; collective."""
        if self.incremental is None or not self.incremental.is_waiting:
            return None
        change = self._add(model, self.incremental.part())
        self._count(change)
        return change

    def _fields(self, sets: list[ObservationSet], model: Model) -> dict[str, np.ndarray]:
        """Return copies of what is observed, updated or reported, all members, (layer, member, cell); collective."""
        names = dict.fromkeys((*self.state.needs(model), *self._reported))
        found = {name: np.array(self._comm.all_members(field_of(name, model)), order="C") for name in names}
        seen = dict.fromkeys((*self._observer.needs(sets), *self._quality.needs(sets)))
        others = [name for name in seen if name not in found]
        return found | self._observer.fields(others, model)

    def _analysed(
        self, time: np.datetime64, model: Model, fields: Mapping[str, np.ndarray], call: FilterCall,
        sets: list[ObservationSet]
    ) -> tuple[JoinedState, np.ndarray] | None:
        """Return the state before and after the filter, (row, member, cell), None if nothing is due.

        The states of a smoother follow.
        """
        state = self.state.take(time, fields, model)
        places = None if state is None else StatePlaces.of_layers(self._coordinates, state.depth)
        if state is not None:
            nrow, nmember, ncell = state.values.shape
            ensemble = state.values.transpose(1, 2, 0).reshape(nmember, ncell * nrow)
            if self.adaptive is not None:
                ensemble, call = self.adaptive.inflate(
                    call, places, ensemble, sets, model.thickness, _rows(state), state.is_updated.T.reshape(-1))
        if self.smoother is not None:
            self.smoother.update(call, self._coordinates, self.state.depths(model))
        if state is None:
            return None
        analysed = call.update(ensemble, places).reshape(nmember, ncell, nrow).transpose(2, 0, 1)
        return state, analysed + self._noise(time, call, state, places) if self.additive is not None else analysed

    def _noise(self, time: np.datetime64, call: FilterCall, state: JoinedState, places: StatePlaces) -> np.ndarray:
        """Return noise where an observation reaches the state, or everywhere if asked; (row, member, cell).

        What a part takes over is damped; noise is not.
        """
        noise = np.zeros(state.values.shape)
        for part, first in zip(state.parts, state.start, strict=True):
            rows = slice(first, first + part.count)
            drawn = self.additive.of(part.name, time, noise[rows].shape) / part.damping
            noise[rows] = np.where(np.broadcast_to(part.is_updated, part.values.shape)[:part.count], drawn, noise[rows])
        if self.choice.unobserved:
            return noise
        nrow, _, ncell = noise.shape
        return noise * call.is_reached(places).reshape(ncell, nrow).T[:, None, :]

    def _wait(
        self, state: JoinedState, analysed: np.ndarray, fields: Mapping[str, np.ndarray], model: Model
    ) -> tuple[dict[str, np.ndarray], Change]:
        """Let the increments wait; return the fields as if they were in, and what was out of range."""
        new, clipped = self.state.analysed(state, analysed, fields, model)
        self.incremental.begin({name: self._comm.my_members(one - fields[name]) for name, one in new.items()})
        nothing = np.zeros((model.nmember, model.ncell))
        return {**fields, **new}, Change(nothing, nothing, clipped)

    def _add(self, model: Model, parts: Mapping[str, np.ndarray]) -> Change:
        """Add parts of increments, ([layer,] member, cell) of this rank."""
        return self.state.add(parts, model) if parts else _total([], model)

    def _count(self, change: Change) -> None:
        """Count what had to be brought into range."""
        for name, count in change.clipped.items():
            self.clipped[name] += count

    # ---- restart -----------------------------------------------------------------------------------

    def cell_state(self) -> dict[str, np.ndarray]:
        """Return what a restart needs over this rank's members and cells; collective."""
        out: dict[str, np.ndarray] = {}
        if self.incremental is not None:
            out |= self.incremental.state()[0]
        if self.smoother is not None:
            out |= self.smoother.state(self._comm)[0]
        return out

    def plain_state(self) -> dict[str, np.ndarray]:
        """Return what a restart needs that is the same on all ranks; collective."""
        clipped = list(self.total_clipped(self._comm).values())
        out = {"analysis:statistics": self.statistics.state(), "analysis:clipped": np.array(clipped, dtype=np.int64)}
        if self.incremental is not None:
            out |= self.incremental.state()[1]
        if self.smoother is not None:
            out |= self.smoother.state(self._comm)[1]
        return out | ({} if self.adaptive is None else self.adaptive.state())

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue from a restart, reduced to this rank's members and cells; collective."""
        self.statistics.restore(state["analysis:statistics"])
        counts = state["analysis:clipped"] if self._comm.is_root else np.zeros(len(self.clipped), int)
        self.clipped = dict(zip(self.clipped, map(int, counts), strict=True))
        if self.incremental is not None:
            self.incremental.restore(state)
        if self.smoother is not None:
            self.smoother.restore(state, self._comm, self.state.names)
        if self.adaptive is not None:
            self.adaptive.restore(state)


def _rows(state: JoinedState) -> dict[str, slice]:
    """Return the rows of each variable of a state vector that has a row for each of its layers."""
    return {part.name: slice(first, first + part.count)
            for part, first in zip(state.parts, state.start, strict=True) if not part.is_shared}


def _total(changes: Sequence[Change], model: Model) -> Change:
    """Return the sum of changes."""
    nothing = np.zeros((model.nmember, model.ncell))
    clipped: dict[str, int] = {}
    for one in changes:
        for name, count in one.clipped.items():
            clipped[name] = clipped.get(name, 0) + count
    return Change(sum((one.water for one in changes), nothing), sum((one.heat for one in changes), nothing), clipped)
