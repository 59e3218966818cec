"""Rivers beside the columns: runoff of all ranks in, discharge out.

Columns are split over ranks; the network is not. At the end of a routing step every rank gathers the runoff of all
cells and routes all of it, so that every rank has the same bits whatever their number is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyland.coupling import ColumnModel
from pyland.driver.river_setup import RiverPlan, build_rivers
from pyland.driver.setup import Setup
from pyland.subsurface import open_water_evaporation
from pyland.subsurface.rivers import DENSITY_WATER

WATER_MEMORY = 86400.0
"""Time over which open water levels out its energy [s]: the formulas of evaporation hold for daily means."""

PREFIX = "rivers:"
"""Head of the names of river arrays in a restart; they cover all cells, on every rank."""


class RiverRun:
    """Rivers of an ensemble on their way through a run.

    Parameters
    ----------
    setup : Setup
        The run.
    plan : RiverPlan
        Network, lakes and gauges.
    nmember : int
        Ensemble size.
    """

    def __init__(self, setup: Setup, plan: RiverPlan, nmember: int) -> None:
        self.plan = plan
        self.rivers = build_rivers(setup.config, setup.whole, plan, nmember)
        self.step_length = setup.config.river_step
        self.position = setup.position
        self._comm = setup.comm
        self._evaporation = setup.config.rivers.lakes.evaporation
        height = np.broadcast_to(setup.forcing.reference_height, (setup.domain.ncell,))
        self._lakes = np.flatnonzero(np.isin(self.position, self.rivers.lake_cells))
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
        runoff, rain, demand = (
            self._comm.allgather_last(array) / seconds for array in (self._runoff, self._rain, self._demand))
        self._mean_demand += (demand - self._mean_demand) * -np.expm1(-seconds / WATER_MEMORY)
        self.rivers.advance(seconds, runoff, rain, np.maximum(self._mean_demand, 0.0))
        self.seconds, self._routed = seconds, runoff
        self._open(ncell)

    def fields(self) -> dict[str, np.ndarray]:
        """Return the output variables of the last routing step, each (member, cell), all cells."""
        rivers = self.rivers
        return {
            "discharge": rivers.discharge,
            "river_storage": rivers.storage,
            "lake_volume": rivers.at_lakes(rivers.lake_volume),
            "lake_area": rivers.at_lakes(rivers.lake_area()),
            "lake_evaporation": rivers.at_lakes(rivers.lake_flux("evaporation")),
        }

    def volumes(self) -> dict[str, np.ndarray]:
        """Return what went through each cell in the last routing step, each (member, cell) [m3]."""
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
        """Return what a restart needs, all cells, the same on every rank; collective."""
        gathered = {"runoff": self._runoff, "rain": self._rain, "demand": self._demand}
        out = {name: self._comm.allgather_last(array) for name, array in gathered.items()}
        out |= {"storage": self.rivers.storage, "lake_volume": self.rivers.lake_volume,
                "mean_demand": self._mean_demand, "clock": np.array([self._seconds, self.seconds])}
        return {PREFIX + name: np.array(array, order="C") for name, array in out.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up the state of a restart."""
        rivers = self.rivers
        mine = np.flatnonzero(np.isin(rivers.lake_cells, self.position))
        self._runoff = np.array(state[PREFIX + "runoff"][:, self.position])
        self._rain, self._demand = (np.array(state[PREFIX + name][:, mine]) for name in ("rain", "demand"))
        rivers.storage[...] = state[PREFIX + "storage"]
        rivers.lake_volume[...] = state[PREFIX + "lake_volume"]
        self._mean_demand = np.array(state[PREFIX + "mean_demand"])
        self._seconds, self.seconds = (float(value) for value in state[PREFIX + "clock"])
