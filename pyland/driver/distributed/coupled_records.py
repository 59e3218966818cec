"""What a run of land over the distributed subsurface leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyland.base.units import WATER_DENSITY
from pyland.coupling import CoupledModel
from pyland.driver.distributed.coupled_setup import CoupledSetup
from pyland.driver.distributed.domain_records import DomainRecords
from pyland.output.domain_balance import COUNTS, LAND_TERMS, SIDES


class CoupledRecords(DomainRecords):
    """Records of an ensemble of land over the distributed subsurface.

    Parameters
    ----------
    setup : CoupledSetup
        The run.
    args, choices
        See `Records`.
    """

    def __init__(self, setup: CoupledSetup, *args: Any, **choices: Any) -> None:
        super().__init__(setup.flow, LAND_TERMS, *args, **choices)
        self._cells, self._is_first = setup.domain.cell_id, setup.flow.comm.is_root
        self._area = setup.flow.dx * setup.flow.dy
        self._to_volume = self._area / WATER_DENSITY

    def _volumes(
        self, model: CoupledModel, weather: Mapping[str, np.ndarray], seconds: float
    ) -> dict[str, np.ndarray]:
        shape, to_volume = (model.nmember, model.ncell), self._to_volume * seconds
        rates = {
            "precipitation": np.broadcast_to(weather["rain"] + weather["snowfall"], shape),
            "evaporation": model.flux["evapotranspiration"],
            "irrigation": model.flux.get("irrigation", np.zeros(shape)),
            "surface_runoff": model.flux["surface_runoff"],
        }
        inflow = model.outflow["boundary"] if self._is_first else {}  # of the whole domain: one tile counts it
        return {
            **{name: rate.sum(axis=1) * to_volume for name, rate in rates.items()},
            **{f"boundary_{side}": np.atleast_1d(inflow[side]) * seconds for side in SIDES if side in inflow},
            "discharge": model.flux["overland_outflow"].sum(axis=1) * seconds,
        }

    def _stores(self, model: CoupledModel) -> dict[str, np.ndarray]:
        above = model.water_above().sum(axis=1) * self._to_volume
        balance = model.flow.balance
        return {"storage_subsurface": np.atleast_1d(balance["storage_subsurface"]),
                "storage_surface": np.atleast_1d(balance["storage_surface"]),
                "storage_land": np.sum(self._flow.comm.allgather(above), axis=0)}

    def _book_increment(self, water: np.ndarray, heat: np.ndarray) -> None:
        self._water.add({"increment": water.sum(axis=1) * self._to_volume,
                         "heat_increment": heat.sum(axis=1) * self._area})

    def _counts(self, model: CoupledModel) -> dict[str, int]:
        return {name: int(model.outflow[name.removeprefix("solver_")]) for name in COUNTS}

    def _discharge_at(self, model: CoupledModel) -> np.ndarray:
        leaving = model.flux["overland_outflow"]
        at_outlets = [np.isin(self._cells, cells) for cells in self._outlets.values()]
        return np.array([[member[inside].sum() for inside in at_outlets] for member in leaving])  # each by itself
