"""The distributed subsurface on its way through a run: this rank's cells, their fields and volumes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyland.base.units import WATER_DENSITY
from pyland.domain import Domain
from pyland.driver.distributed.flow_setup import FlowSetup, MovingSides, build_flow
from pyland.output.domain_balance import COUNTS, SIDES


class FlowModel:
    """The kernel of a case, seen as records and restarts see columns: cell last, one member.

    Parameters
    ----------
    setup : FlowSetup
        The run.

    Attributes
    ----------
    flow : DistributedSubsurface
        The kernel.
    domain : Domain
        Cells of this rank: those of its tile that are modelled.
    cells : numpy.ndarray of int
        Their places in the flattened grid.
    """

    has_carbon = False
    nmember = 1

    def __init__(self, setup: FlowSetup) -> None:
        self.flow = build_flow(setup)
        whole = setup.whole
        self._tile = self.flow.tile
        number = np.arange(whole.ny * whole.nx).reshape(whole.ny, whole.nx)[self._tile]
        self._inside = whole.mask[self._tile]
        self.cells = number[self._inside]
        self.domain: Domain = whole.subset(np.searchsorted(whole.cell_id, self.cells))
        self._area = setup.dx * setup.dy
        self._thickness = setup.layers.thickness[:, None]
        self._sides = MovingSides(setup.config)
        self._rain, self._dries = np.zeros(self.cells.size), False
        self._out: Mapping[str, Any] = {}
        self._comm = setup.comm

    @property
    def ncell(self) -> int:
        """Cells of this rank."""
        return self.cells.size

    @property
    def bytes_per_column(self) -> float:
        """Memory of the heads per column [byte]."""
        return float(self.flow.pressure.nbytes / max(self._inside.size, 1))

    def at_cells(self, field: np.ndarray) -> np.ndarray:
        """Return a field of the tile, (..., y, x), at the cells of this rank, (..., cell)."""
        return np.ascontiguousarray(np.asarray(field)[..., self._inside])

    def on_tile(self, values: np.ndarray) -> np.ndarray:
        """Put values of this rank's cells, (cell,), on its tile, (y, x); 0 elsewhere."""
        out = np.zeros(self._inside.shape)
        out[self._inside] = values
        return out

    def set_boundaries(self, start: np.datetime64, seconds: float) -> None:
        """Give the sides that change in time their mean over the step that begins at ``start``."""
        self._sides.move(self.flow, start, seconds)

    def advance(self, seconds: float, rain: np.ndarray, evaporation: np.ndarray) -> None:
        """Advance by a step with water at the surface, each (cell,) [kg m-2 s-1]."""
        self._rain, self._dries = rain, bool(evaporation.any())
        self._out = self.flow.advance(seconds, rain=self.on_tile(rain - evaporation))

    def fields(self) -> dict[str, np.ndarray]:
        """Return the output variables of the last step by registry id, each ([layer,] 1, cell)."""
        flow, out = self.flow, self._out
        water = self.at_cells(flow.soil_water)
        pond = self.at_cells(flow.surface_water)
        values = {
            "pressure_head": self.at_cells(flow.pressure),
            "saturation": self.at_cells(flow.saturation),
            "soil_water": water,
            "soil_water_total": WATER_DENSITY * (water * self._thickness).sum(axis=0),
            "water_table_depth": self.at_cells(flow.water_table_depth),
            "surface_water": pond,
            "surface_water_depth": pond / WATER_DENSITY,
            "surface_runoff": self.at_cells(out["surface_runoff"]),
            "overland_outflow": self.at_cells(out["discharge"]),
            "precipitation": self._rain,
        }
        return {name: value[..., None, :] for name, value in values.items()}

    def volumes(self, seconds: float) -> dict[str, float]:
        """Return what passed the rim of this rank's cells in the last step [m3]; sides count on the root alone."""
        out = self._out
        to_volume = self._area * seconds / WATER_DENSITY
        net = float(self.at_cells(out["rain"]).sum())
        fallen = float(self._rain.sum())
        sides = out["boundary"] if self._comm.is_root else {}
        return {
            "precipitation": fallen * to_volume,
            "evaporation": (fallen - net) * to_volume if self._dries else 0.0,  # not the round-off of a difference
            "source": float(self.at_cells(out["source"]).sum()) * to_volume,
            **{f"boundary_{side}": float(sides.get(side, 0.0)) * seconds for side in SIDES},
            "discharge": float(self.at_cells(out["discharge"]).sum()) * seconds,
            "surface_runoff": float(self.at_cells(out["surface_runoff"]).sum()) * to_volume,
        }

    def counts(self) -> dict[str, int]:
        """Return what the last step cost; the same on all ranks."""
        return {name: int(self._out[name.removeprefix("solver_")]) for name in COUNTS}

    def storage(self) -> dict[str, float]:
        """Return the water in the whole domain [m3]; the same on all ranks."""
        return {name: float(self.flow.balance[name]) for name in ("storage_subsurface", "storage_surface")}

    def discharge_of(self, groups: Mapping[str, np.ndarray]) -> list[float]:
        """Return the discharge of this rank's cells of each outlet [m3 s-1]."""
        discharge = self.at_cells(self._out["discharge"])
        return [float(discharge[np.isin(self.cells, cells)].sum()) for cells in groups.values()]

    def state(self) -> dict[str, np.ndarray]:
        """Return what a restart needs, (layer, member, cell)."""
        return {"pressure_head": self.at_cells(self.flow.pressure)[..., None, :]}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take up the state of a restart."""
        self.flow.pressure[..., self._inside] = state["pressure_head"][..., 0, :]
        self.flow.reconcile()
