"""One analysis: observe, assimilate, put back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pyland.assimilate import StateVector, limit_heads
from pyland.base.cell_ranks import CellRanks
from pyland.base.member_statistics import member_mean
from pyland.config.observations import UNITS
from pyland.coupling import ColumnModel, CoupledModel, SurfaceMosaic
from pyland.driver.filter_call import FilterCall, FilterChoice, Localization, StatePlaces
from pyland.driver.incremental_update import IncrementalUpdate
from pyland.driver.inflating import AdaptiveFactors, AdditiveNoise
from pyland.driver.smoother_window import PastState, SmootherWindow
from pyland.observe import (
    AnalysisInput,
    InnovationStatistics,
    ObservationSet,
    assemble,
    combine_footprints,
    operator_for,
    sets_between,
)

Model = ColumnModel | SurfaceMosaic | CoupledModel
"""What an analysis changes; heads of a ``CoupledModel`` only."""

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
        Values on this rank that had to be brought into the range of the soil.
    left : list of PastState
        Smoothed states that have left the window of a smoother.
    """

    sets: list[ObservationSet]
    prior: np.ndarray
    posterior: np.ndarray
    increments: dict[str, np.ndarray]
    water: np.ndarray
    clipped: int
    left: list[PastState] = field(default_factory=list)


def field_of(name: str, model: Model) -> np.ndarray:
    """Return soil water or pressure heads of a model as they are now, (layer, member, cell)."""
    return model.flux[name] if name in model.flux else model.state[name]


class Analysis:
    """Analyses of the water of a run.

    Parameters
    ----------
    sets : list of ObservationSet
        All observations of the run, the same on every rank.
    every : float
        Interval between analyses [s], counted from ``start``.
    start : numpy.datetime64
        Start of the run, UTC.
    method : str
        ``enkf``, ``etkf`` or ``letkf``.
    update : sequence of str
        States that are updated: ``soil_water``, ``pressure_head`` or both, see `StateVector`.
    reported : sequence of str
        States whose increments an `Outcome` has; those of ``update`` and others that follow them.
    x, y : numpy.ndarray, shape (cell,)
        Coordinates of the cells that this rank analyses, with all their members [m].
    cell_id : numpy.ndarray of int, shape (cell,)
        Global indices of these cells.
    comm : CellRanks
        Ranks of the run; it brings together the members of these cells.
    radius, taper : float, str
        Localisation: support radius [m] and taper.
    inflation, relaxation : float
        Factor on prior anomalies and relaxation to prior spread [1].
    damping : float
        Share of the increment that is applied, in (0, 1] [1].
    max_innovation : mapping of str to float
        Largest innovation per observation name [standard deviations]; missing names are not checked.
    seed : int
        Seed of perturbed observations.
    choice : FilterChoice, optional
        Filter with all its options; in place of ``method``, ``radius``, ``taper``, ``inflation``, ``relaxation``.
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
    """

    def __init__(
        self,
        sets: list[ObservationSet],
        *,
        every: float,
        start: np.datetime64,
        method: str,
        update: Sequence[str],
        reported: Sequence[str],
        x: np.ndarray,
        y: np.ndarray,
        cell_id: np.ndarray,
        comm: CellRanks,
        radius: float,
        taper: str,
        inflation: float,
        relaxation: float,
        damping: float,
        max_innovation: Mapping[str, float],
        seed: int,
        choice: FilterChoice | None = None,
        spacing: Mapping[str, float] | None = None,
        adaptive: AdaptiveFactors | None = None,
        additive: AdditiveNoise | None = None,
        incremental: IncrementalUpdate | None = None,
        smoother: SmootherWindow | None = None,
    ) -> None:
        self.sets = sets
        self.choice = choice or FilterChoice(
            method, inflation, relaxation, otherwise=Localization(radius, taper), seed=seed)
        self.adaptive, self.additive, self.incremental, self.smoother = adaptive, additive, incremental, smoother
        self.statistics = InnovationStatistics()
        self.clipped = 0
        self._every = np.timedelta64(round(every), "s")
        self._start = np.datetime64(start, "s")
        self._updated, self._reported = tuple(update), tuple(reported)
        self._coordinates = np.stack([x, y], axis=1)
        self._cell_id, self._comm = np.asarray(cell_id), comm
        self._damping = damping
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

    def update(self, time: np.datetime64, model: Model) -> Outcome:
        """Assimilate what arrived in the interval that ends at ``time``; changes the state of ``model``."""
        sets = sets_between(self.sets, time - self._every, time)
        water, clipped = self._add(model, {} if self.incremental is None else self.incremental.rest())
        left = [] if self.smoother is None else self.smoother.leave(time)
        fields = self._fields(sets, model)
        prior = self._predict(sets, fields, model.thickness)
        used = assemble(sets, prior, self._max_innovation, self._spacing)
        before = {name: member_mean(fields[name]) for name in self._reported}
        after = fields
        if used.size:
            self.statistics.add(used.predicted, used.observed, used.variance)
            new, is_head, beyond = self._analysed(time, model, fields, used, sets)
            if self.incremental is None:
                added, out_of_range = self._put(model, new, is_head)
                water, clipped = water + added, clipped + out_of_range
                after = self._fields(sets, model)
            else:
                self.incremental.begin({name: self._comm.my_members(new[name] - fields[name]) for name in new})
                after = fields | new
            clipped += beyond
        if self.smoother is not None:
            self.smoother.add(time, {name: after[name] for name in self._updated})
        self.clipped += clipped
        posterior = self._predict(sets, after, model.thickness)
        return Outcome(
            sets,
            np.concatenate(prior, axis=1),
            np.concatenate(posterior, axis=1),
            {name: member_mean(after[name]) - before[name] for name in self._reported},
            water,
            clipped,
            left,
        )

    def add_increment(self, model: Model) -> np.ndarray | None:
        """Add what enters before the coming step, and return the water added, (member, cell) [kg m-2], None if nothing.

        Collective.
        """
        if self.incremental is None or not self.incremental.is_waiting:
            return None
        water, clipped = self._add(model, self.incremental.part())
        self.clipped += clipped
        return water

    def _fields(self, sets: list[ObservationSet], model: Model) -> dict[str, np.ndarray]:
        """Return copies of what is observed, updated or reported, all members, (layer, member, cell); collective."""
        names = dict.fromkeys((*self._updated, *self._reported, *(operator_for(one.type).field for one in sets)))
        return {name: np.array(self._comm.all_members(field_of(name, model)), order="C") for name in names}

    def _predict(
        self, sets: list[ObservationSet], fields: Mapping[str, np.ndarray], thickness: np.ndarray
    ) -> list[np.ndarray]:
        """Return what the members predict for each set, (member, observation of the set), on every rank."""
        predicted = []
        for one in sets:
            operator = operator_for(one.type)
            columns = operator.columns(
                fields[operator.field], thickness, one.top, one.bottom, one.e_folding_depth)
            predicted.append(combine_footprints(columns, self._cell_id, one.cells, one.weights, self._comm))
        return predicted

    def _analysed(
        self, time: np.datetime64, model: Model, fields: Mapping[str, np.ndarray], used: AnalysisInput,
        sets: list[ObservationSet]
    ) -> tuple[dict[str, np.ndarray], np.ndarray, int]:
        """Return the analysed fields, (layer, member, cell), which cells are heads, and the count out of range."""
        states = {name: fields[name] for name in self._updated}
        vector = StateVector.join(self._updated, states)
        call = FilterCall(self.choice, time, sets, used)
        analysed = vector.values + self._damping * (self._filtered(call, vector.values, sets, model) - vector.values)
        if self.additive is not None:
            analysed = analysed + self._noise(time, call, vector, model)
        new, beyond = StateVector(analysed, vector.is_head).put(states), 0
        if "pressure_head" in new:
            new["pressure_head"], beyond = limit_heads(new["pressure_head"], fields["pressure_head"], model.thickness)
        return new, vector.is_head, beyond

    def _put(self, model: Model, new: Mapping[str, np.ndarray], is_head: np.ndarray) -> tuple[np.ndarray, int]:
        """Put analysed fields into the model; return the water added, (member, cell) [kg m-2], and values clipped.

        Water comes first: it makes heads follow where it changes, and heads of the other cells are put in after it.
        """
        water, clipped = np.zeros((model.nmember, model.ncell)), 0
        if "soil_water" in new:
            water, clipped = model.change_soil_water(self._comm.my_members(new["soil_water"]))
        if "pressure_head" in new:
            is_head = self._comm.my_members(np.broadcast_to(is_head, new["pressure_head"].shape).astype(float))
            heads = self._comm.my_members(new["pressure_head"])
            water = water + model.change_pressure_head(
                np.where(is_head > 0.0, heads, field_of("pressure_head", model)))
        return water, clipped

    def _add(self, model: Model, parts: Mapping[str, np.ndarray]) -> tuple[np.ndarray, int]:
        """Add parts of increments, (layer, member, cell) of this rank; return as `_put`."""
        water, clipped = np.zeros((model.nmember, model.ncell)), 0
        if "soil_water" in parts:
            water, clipped = model.change_soil_water(field_of("soil_water", model) + parts["soil_water"])
        if "pressure_head" in parts:
            water = water + model.change_pressure_head(field_of("pressure_head", model) + parts["pressure_head"])
        return water, clipped

    def _filtered(
        self, call: FilterCall, state: np.ndarray, sets: list[ObservationSet], model: Model
    ) -> np.ndarray:
        """Return the analysed state, (layer, member, cell); the states of a smoother follow."""
        nlayer, nmember, ncell = state.shape
        ensemble = state.transpose(1, 2, 0).reshape(nmember, ncell * nlayer)
        places = StatePlaces.of_layers(self._coordinates, model.thickness)
        if self.adaptive is not None:
            ensemble, call = self.adaptive.inflate(call, places, ensemble, sets, model.thickness)
        if self.smoother is not None:
            self.smoother.update(call, self._coordinates, model.thickness)
        return call.update(ensemble, places).reshape(nmember, ncell, nlayer).transpose(2, 0, 1)

    def _noise(self, time: np.datetime64, call: FilterCall, vector: StateVector, model: Model) -> np.ndarray:
        """Return noise where an observation reaches the state, or everywhere if asked; (layer, member, cell)."""
        water, head = (self.additive.of(name, time, vector.values.shape) for name in ("soil_water", "pressure_head"))
        noise = np.where(vector.is_head, head, water)
        if self.choice.unobserved:
            return noise
        nlayer, _, ncell = noise.shape
        reached = call.is_reached(StatePlaces.of_layers(self._coordinates, model.thickness))
        return noise * reached.reshape(ncell, nlayer).T[:, None, :]

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
        clipped = sum(self._comm.allgather(self.clipped))
        out = {"analysis:statistics": self.statistics.state(), "analysis:clipped": np.array([clipped], dtype=np.int64)}
        if self.incremental is not None:
            out |= self.incremental.state()[1]
        if self.smoother is not None:
            out |= self.smoother.state(self._comm)[1]
        return out | ({} if self.adaptive is None else self.adaptive.state())

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue from a restart, reduced to this rank's members and cells; collective."""
        self.statistics.restore(state["analysis:statistics"])
        self.clipped = int(state["analysis:clipped"][0]) if self._comm.is_root else 0
        if self.incremental is not None:
            self.incremental.restore(state)
        if self.smoother is not None:
            self.smoother.restore(state, self._comm, self._updated)
        if self.adaptive is not None:
            self.adaptive.restore(state)
