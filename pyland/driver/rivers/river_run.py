"""Rivers beside the columns: runoff of all ranks in, discharge out.

Columns are split over ranks; the network is not. At the end of a routing step the ranks of a member group gather the
runoff of their members in all cells, and each routes all of it: the bits are the same whatever the ranks are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyland.base.cell_ranks import CellRanks, PlacedRanks
from pyland.coupling import ColumnModel
from pyland.driver.rivers.river_setup import RiverPlan, build_rivers
from pyland.driver.setup import Setup
from pyland.subsurface import open_water_evaporation
from pyland.subsurface.rivers import DENSITY_WATER

WATER_MEMORY = 86400.0
"""Time over which open water levels out its energy [s]: the formulas of evaporation hold for daily means."""

PREFIX = "rivers:"
"""Head of the names of river arrays in a restart; they cover all members and cells, on every rank."""


class RiverRun:
    """Rivers of an ensemble on their way through a run.

    Parameters
    ----------
    setup : Setup
        The run.
    plan : RiverPlan
        Network, lakes and gauges.
    ranks : CellRanks
        Ranks as they share members and cells.
    """

    def __init__(self, setup: Setup, plan: RiverPlan, ranks: CellRanks) -> None:
        self.plan, self.ranks = plan, ranks
        nmember = ranks.nmember_local
        self.rivers = build_rivers(setup.config, setup.whole, plan, nmember)
        self.step_length = setup.config.river_step
        self.position = setup.position
        self._evaporation = setup.config.rivers.lakes.evaporation
        height = np.broadcast_to(setup.forcing.reference_height, (setup.domain.ncell,))
        self._lakes = np.flatnonzero(np.isin(self.position, self.rivers.lake_cells))
        self._tiles = PlacedRanks(setup.layout.comm_tiles, self.position)
        self._lake_tiles = PlacedRanks(setup.layout.comm_tiles, self.position[self._lakes])
        self._height = np.ascontiguousarray(height[self._lakes])
        self._mean_demand = np.zeros((nmember, self.rivers.nlake))
        self._open(setup.domain.ncell)
        self.seconds = 0.0
        self._routed = np.zeros((nmember, self.rivers.ncell))

    @property
    def has_routed(self) -> bool:
        """Whether the last model step completed a routing step."""
        return self._seconds == 0.0 and self.seconds > 0.0

    def _open(self, ncell: int) -> None:
        """Begin to collect a routing step."""
        nmember, self._seconds = self.rivers.nmember, 0.0
        self._runoff = np.zeros((nmember, ncell))
        self._rain, self._demand = (np.zeros((nmember, self._lakes.size)) for _ in range(2))

    def add_step(self, seconds: float, model: ColumnModel, weather: Mapping[str, np.ndarray]) -> None:
        """Collect the runoff of a model step; route where a routing step is complete."""
        self._runoff += (model.flux["surface_runoff"] + model.flux["subsurface_runoff"]) * seconds
        if self._lakes.size:
            shape = (self.rivers.nmember, self._runoff.shape[1])
            here = {name: np.broadcast_to(values, shape)[:, self._lakes] for name, values in weather.items()}
            self._rain += (here["rain"] + here["snowfall"]) * seconds
            self._demand += open_water_evaporation(here, self._height, self._evaporation) * seconds
        self._seconds += seconds
        if self._seconds >= self.step_length:
            self.route()

    def route(self) -> None:
        """Route what was collected; nothing if a step has just been routed."""
        if self._seconds == 0.0:
            return
        seconds, ncell = self._seconds, self._runoff.shape[1]
        runoff = self._tiles.allgather_last(self._runoff) / seconds
        rain, demand = (self._lake_tiles.allgather_last(array) / seconds for array in (self._rain, self._demand))
        self._mean_demand += (demand - self._mean_demand) * -np.expm1(-seconds / WATER_MEMORY)
        self.rivers.advance(seconds, runoff, rain, np.maximum(self._mean_demand, 0.0))
        self.seconds, self._routed = seconds, runoff
        self._open(ncell)

    def join_tiles(self, values: np.ndarray) -> np.ndarray:
        """Return an array (member, cell) of this rank's cells for all cells, on every rank of its group; collective."""
        return self._tiles.allgather_last(values)

    def fields(self) -> dict[str, np.ndarray]:
        """Return the output variables of the last routing step, each (member, cell): this rank's members, all cells."""
        rivers = self.rivers
        return {
            "discharge": rivers.discharge,
            "river_storage": rivers.storage,
            "lake_volume": rivers.at_lakes(rivers.lake_volume),
            "lake_area": rivers.at_lakes(rivers.lake_area()),
            "lake_evaporation": rivers.at_lakes(rivers.lake_flux("evaporation")),
        }

    def volumes(self) -> dict[str, np.ndarray]:
        """Return what went through each cell in the last routing step, as `fields` [m3]."""
        rivers, seconds = self.rivers, self.seconds
        return {
            "river_runoff": self._routed * (rivers.network.area / DENSITY_WATER) * seconds,
            "river_inflow": rivers.inflow * seconds,
            "river_outflow": rivers.discharge * seconds,
            "river_deficit": rivers.deficit * seconds,
            "lake_precipitation": rivers.at_lakes(rivers.lake_flux("rain")) * seconds,
            "lake_evaporation": rivers.at_lakes(rivers.lake_flux("evaporation")) * seconds,
            "lake_withheld_runoff": rivers.at_lakes(rivers.lake_flux("withheld")) * seconds,
        }

    def state(self) -> dict[str, np.ndarray]:
        """Return what a restart needs, all members and cells, the same on every rank; collective."""
        out = {"runoff": self._tiles.allgather_last(self._runoff)}
        out |= {name: self._lake_tiles.allgather_last(array)
                for name, array in (("rain", self._rain), ("demand", self._demand))}
        out |= {"storage": self.rivers.storage, "lake_volume": self.rivers.lake_volume,
                "mean_demand": self._mean_demand}
        out = {name: self.ranks.join_members(array) for name, array in out.items()}
        out["clock"] = np.array([self._seconds, self.seconds])
        return {PREFIX + name: np.array(array, order="C") for name, array in out.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up the state of a restart."""
        rivers = self.rivers
        held = {name: state[PREFIX + name][self.ranks.members]
                for name in ("runoff", "rain", "demand", "storage", "lake_volume", "mean_demand")}
        lakes = np.searchsorted(rivers.lake_cells, self.position[self._lakes])
        self._runoff = np.ascontiguousarray(held["runoff"][:, self.position])
        self._rain, self._demand = (np.ascontiguousarray(held[name][:, lakes]) for name in ("rain", "demand"))
        rivers.storage[...], rivers.lake_volume[...] = held["storage"], held["lake_volume"]
        self._mean_demand = np.array(held["mean_demand"])
        self._seconds, self.seconds = (float(value) for value in state[PREFIX + "clock"])
