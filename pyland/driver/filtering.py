"""One analysis: observe, assimilate, put back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyland.assimilate import analyse, analyse_local
from pyland.base.member_statistics import member_mean
from pyland.base.parallel import Communicator
from pyland.coupling import ColumnModel
from pyland.observe import (
    AnalysisInput,
    InnovationStatistics,
    ObservationSet,
    assemble,
    column_soil_moisture,
    combine_footprints,
    sets_between,
)

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


class Analysis:
    """Soil-water analyses of a run.

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
    layers : numpy.ndarray of int
        Soil layers that are updated.
    x, y : numpy.ndarray, shape (cell,)
        Coordinates of the cells that this rank analyses, with all their members [m].
    cell_id : numpy.ndarray of int, shape (cell,)
        Global indices of these cells.
    comm : Communicator
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
        layers: np.ndarray,
        x: np.ndarray,
        y: np.ndarray,
        cell_id: np.ndarray,
        comm: Communicator,
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
        self._layers = np.asarray(layers)
        self._coordinates = np.stack([x, y], axis=1)
        self._cell_id, self._comm = np.asarray(cell_id), comm
        self._radius, self._taper = radius, taper
        self._inflation, self._relaxation, self._damping = inflation, relaxation, damping
        self._max_innovation, self._seed = dict(max_innovation), seed

    def is_due(self, time: np.datetime64) -> bool:
        """Whether observations of the interval that ends at ``time`` wait to be assimilated."""
        on_schedule = (np.datetime64(time, "s") - self._start) % self._every == np.timedelta64(0, "s")
        return bool(on_schedule) and bool(sets_between(self.sets, time - self._every, time))

    def update(self, time: np.datetime64, model: ColumnModel) -> Outcome:
        """Assimilate what arrived in the interval that ends at ``time``; changes the state of ``model``."""
        sets = sets_between(self.sets, time - self._every, time)
        soil_water = np.array(self._comm.all_members(model.state["soil_water"]), order="C")
        prior = self._predict(sets, soil_water, model.thickness)
        used = assemble(sets, prior, self._max_innovation)
        before = member_mean(soil_water)
        water, clipped = np.zeros((model.nmember, model.ncell)), 0
        if used.size:
            self.statistics.add(used.predicted, used.observed, used.variance)
            analysed = self._filtered(time, soil_water[self._layers], used)
            soil_water[self._layers] += self._damping * (analysed - soil_water[self._layers])
            water, clipped = model.change_soil_water(self._comm.my_members(soil_water))
        self.clipped += clipped
        after = self._comm.all_members(model.state["soil_water"])
        posterior = self._predict(sets, after, model.thickness)
        return Outcome(
            sets,
            np.concatenate(prior, axis=1),
            np.concatenate(posterior, axis=1),
            {"soil_water": member_mean(after) - before},
            water,
            clipped,
        )

    def _predict(
        self, sets: list[ObservationSet], soil_water: np.ndarray, thickness: np.ndarray
    ) -> list[np.ndarray]:
        """Return what the members predict for each set, (member, observation of the set), on every rank."""
        return [
            combine_footprints(
                column_soil_moisture(soil_water, thickness, one.top, one.bottom),
                self._cell_id,
                one.cells,
                one.weights,
                self._comm,
            )
            for one in sets
        ]

    def _filtered(self, time: np.datetime64, soil_water: np.ndarray, used: AnalysisInput) -> np.ndarray:
        """Return the analysed water of the updated layers, (layer, member, cell)."""
        nlayer, nmember, ncell = soil_water.shape
        ensemble = soil_water.transpose(1, 2, 0).reshape(nmember, ncell * nlayer)
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

