"""One analysis: observe, assimilate, put back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyland.assimilate import analyse, analyse_local
from pyland.base.cell_ranks import CellRanks
from pyland.base.member_statistics import member_mean
from pyland.base.parallel import Communicator
from pyland.config.observations import UNITS
from pyland.driver.analysis_state import AnalysisState, Change, Model, UpdatedVariable, field_of
from pyland.driver.member_parameters import MemberParameters
from pyland.observe import (
    AnalysisInput,
    InnovationStatistics,
    ObservationSet,
    assemble,
    combine_footprints,
    operator_for,
    sets_between,
)

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
        Values on this rank that had to be brought into range.
    clipped_by : dict of str to int
        The same by variable.
    heat : numpy.ndarray, shape (member, cell)
        Heat added to soil and snow of these [J m-2].
    """

    sets: list[ObservationSet]
    prior: np.ndarray
    posterior: np.ndarray
    increments: dict[str, np.ndarray]
    water: np.ndarray
    clipped: int
    clipped_by: dict[str, int]
    heat: np.ndarray


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
    method : str
        ``enkf``, ``etkf`` or ``letkf``.
    update : sequence of str or UpdatedVariable
        What is updated; a name alone is a state with ``damping``.
    reported : sequence of str
        Fields whose increments an `Outcome` has; those of ``update`` and others that follow them.
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
        Share of the increment that is applied to what is given by its name, in (0, 1] [1].
    max_innovation : mapping of str to float
        Largest innovation per observation name [standard deviations]; missing names are not checked.
    seed : int
        Seed of perturbed observations.
    parameters : MemberParameters, optional
        Needed where parameters are updated.
    """

    def __init__(
        self,
        sets: list[ObservationSet],
        *,
        every: float,
        start: np.datetime64,
        method: str,
        update: Sequence[str | UpdatedVariable],
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
        parameters: MemberParameters | None = None,
    ) -> None:
        self.sets = sets
        self.method = method
        self.statistics = InnovationStatistics()
        self._every = np.timedelta64(round(every), "s")
        self._start = np.datetime64(start, "s")
        self.parameters = parameters
        chosen = [UpdatedVariable(one, damping=damping) if isinstance(one, str) else one for one in update]
        self.state = AnalysisState(chosen, start, parameters)
        self.clipped = dict.fromkeys(self.state.names, 0)
        self._reported = tuple(reported)
        self._coordinates = np.stack([x, y], axis=1)
        self._cell_id, self._comm = np.asarray(cell_id), comm
        self._radius, self._taper = radius, taper
        self._inflation, self._relaxation = inflation, relaxation
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

    def total_clipped(self, comm: Communicator) -> dict[str, int]:
        """Return the values of all ranks that had to be brought into range, by variable; collective."""
        counts = comm.allgather(tuple(self.clipped.values()))
        return {name: sum(one[place] for one in counts) for place, name in enumerate(self.clipped)}

    def update(self, time: np.datetime64, model: Model) -> Outcome:
        """Assimilate what arrived in the interval that ends at ``time``; changes the state of ``model``."""
        sets = sets_between(self.sets, time - self._every, time)
        fields = self._fields(sets, model)
        prior = self._predict(sets, fields, model.thickness)
        used = assemble(sets, prior, self._max_innovation)
        before = {name: member_mean(fields[name]) for name in self._reported}
        nothing = np.zeros((model.nmember, model.ncell))
        change = Change(nothing, nothing, {})
        if used.size:
            self.statistics.add(used.predicted, used.observed, used.variance)
            change = self._change(time, model, fields, used)
        for name, count in change.clipped.items():
            self.clipped[name] += count
        after = self._fields(sets, model)
        posterior = self._predict(sets, after, model.thickness)
        return Outcome(
            sets,
            np.concatenate(prior, axis=1),
            np.concatenate(posterior, axis=1),
            {name: member_mean(after[name]) - before[name] for name in self._reported},
            change.water,
            sum(change.clipped.values()),
            change.clipped,
            change.heat,
        )

    def _fields(self, sets: list[ObservationSet], model: Model) -> dict[str, np.ndarray]:
        """Return copies of what is observed, updated or reported, all members, (layer, member, cell); collective."""
        names = dict.fromkeys((*self.state.needs(model), *self._reported, *(
            operator_for(one.type).field for one in sets)))
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
    ) -> Change:
        """Put the analysed state into the model; return what was added and cut."""
        state = self.state.take(time, fields, model)
        if state is None:
            nothing = np.zeros((model.nmember, model.ncell))
            return Change(nothing, nothing, {})
        return self.state.put(state, self._filtered(time, state.values, used), fields, model, self._comm)

    def _filtered(self, time: np.datetime64, state: np.ndarray, used: AnalysisInput) -> np.ndarray:
        """Return the analysed state, (row, member, cell)."""
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

