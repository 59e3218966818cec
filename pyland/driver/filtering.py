"""One analysis: observe, assimilate, put back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyland.assimilate import StateVector, analyse, analyse_local, limit_heads
from pyland.base.cell_ranks import CellRanks
from pyland.base.member_statistics import member_mean
from pyland.config.observations import UNITS
from pyland.coupling import ColumnModel, CoupledModel, SurfaceMosaic
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

LOCAL_FILTERS = ("letkf",)
"""Filters that update each cell with the observations around it."""


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
    """

    sets: list[ObservationSet]
    prior: np.ndarray
    posterior: np.ndarray
    increments: dict[str, np.ndarray]
    water: np.ndarray
    clipped: int


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
    ) -> None:
        self.sets = sets
        self.method = method
        self.statistics = InnovationStatistics()
        self.clipped = 0
        self._every = np.timedelta64(round(every), "s")
        self._start = np.datetime64(start, "s")
        self._updated, self._reported = tuple(update), tuple(reported)
        self._coordinates = np.stack([x, y], axis=1)
        self._cell_id, self._comm = np.asarray(cell_id), comm
        self._radius, self._taper = radius, taper
        self._inflation, self._relaxation, self._damping = inflation, relaxation, damping
        self._max_innovation, self._seed = dict(max_innovation), seed

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
        fields = self._fields(sets, model)
        prior = self._predict(sets, fields, model.thickness)
        used = assemble(sets, prior, self._max_innovation)
        before = {name: member_mean(fields[name]) for name in self._reported}
        water, clipped = np.zeros((model.nmember, model.ncell)), 0
        if used.size:
            self.statistics.add(used.predicted, used.observed, used.variance)
            water, clipped = self._change(time, model, fields, used)
        self.clipped += clipped
        after = self._fields(sets, model)
        posterior = self._predict(sets, after, model.thickness)
        return Outcome(
            sets,
            np.concatenate(prior, axis=1),
            np.concatenate(posterior, axis=1),
            {name: member_mean(after[name]) - before[name] for name in self._reported},
            water,
            clipped,
        )

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
            columns = operator.columns(fields[operator.field], thickness, one.top, one.bottom)
            predicted.append(combine_footprints(columns, self._cell_id, one.cells, one.weights, self._comm))
        return predicted

    def _change(
        self, time: np.datetime64, model: Model, fields: Mapping[str, np.ndarray], used: AnalysisInput
    ) -> tuple[np.ndarray, int]:
        """Put the analysed state into the model; return the water added, (member, cell) [kg m-2], and values clipped.

        Water comes first: it makes heads follow where it changes, and heads of the other cells are put in after it.
        """
        states = {name: fields[name] for name in self._updated}
        vector = StateVector.join(self._updated, states)
        analysed = vector.values + self._damping * (self._filtered(time, vector.values, used) - vector.values)
        new = StateVector(analysed, vector.is_head).put(states)
        water, clipped = np.zeros((model.nmember, model.ncell)), 0
        if "soil_water" in new:
            water, clipped = model.change_soil_water(self._comm.my_members(new["soil_water"]))
        if "pressure_head" in new:
            heads, beyond = limit_heads(new["pressure_head"], fields["pressure_head"], model.thickness)
            is_head = np.broadcast_to(vector.is_head, heads.shape).astype(float)
            heads, is_head = self._comm.my_members(heads), self._comm.my_members(is_head)
            water = water + model.change_pressure_head(
                np.where(is_head > 0.0, heads, field_of("pressure_head", model)))
            clipped += beyond
        return water, clipped

    def _filtered(self, time: np.datetime64, state: np.ndarray, used: AnalysisInput) -> np.ndarray:
        """Return the analysed state, (layer, member, cell)."""
        nlayer, nmember, ncell = state.shape
        ensemble = state.transpose(1, 2, 0).reshape(nmember, ncell * nlayer)
        common: dict[str, Any] = {"inflation": self._inflation, "relaxation": self._relaxation}
        if self.method in LOCAL_FILTERS:
            analysed = analyse_local(
                ensemble, used.predicted, used.observed, used.variance, self._coordinates, used.coordinates,
                self._radius, method=self.method, taper=self._taper,
                domain_of_state=np.repeat(np.arange(ncell), nlayer), **common)
        else:
            stamp = int(np.datetime64(time, "s").astype(np.int64))
            analysed = analyse(
                ensemble, used.predicted, used.observed, used.variance, method=self.method,
                rng=np.random.Generator(np.random.Philox(key=[self._seed, stamp])), **common)
        return analysed.reshape(nmember, ncell, nlayer).transpose(2, 0, 1)

