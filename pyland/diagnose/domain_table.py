"""Water of a run of the distributed subsurface as a balance table of its whole domain."""

from __future__ import annotations

import numpy as np
import xarray as xr

from pyland.diagnose.balance_columns import water_columns
from pyland.diagnose.balance_table import BalanceTable, row_periods
from pyland.diagnose.flow import FLOWS
from pyland.diagnose.records import Period
from pyland.diagnose.zones import Zones

DENSITY_WATER = 1000.0
"""[kg m-3]"""

_SAME = {"precipitation": "precipitation", "evaporation": "evapotranspiration", "irrigation": "irrigation",
         "increment": "analysis_increment", "storage_change": "storage_change"}
_INFLOW = tuple(name for name in FLOWS if name.startswith("boundary_") or name == "source")
_RUNOFF = ("discharge", "surface_runoff")


def domain_balance_table(balance: xr.Dataset, period: Period = (None, None), every: str = "period") -> BalanceTable:
    """Return the water balance of a domain whose cells exchange water.

    Parameters
    ----------
    balance : xarray.Dataset
        ``balance.nc`` of a run with ``subsurface.mode: distributed``.
    period, every
        As for `pyland.diagnose.balance_table.balance_table`.

    Returns
    -------
    BalanceTable
        One zone. ``runoff`` is what leaves over land, ``boundary_inflow`` what comes through the sides, the bottom and
        by wells.
    """
    periods = row_periods(balance, period, every)
    area = float(balance.attrs["domain_area"])

    def depth(names: tuple[str, ...]) -> np.ndarray:
        whole = sum((balance[name].values for name in names if name in balance), np.zeros(balance.sizes["time"]))
        return periods.sums(whole[:, None]) * DENSITY_WATER / area

    terms = {name: depth((given,)) for given, name in _SAME.items() if given in balance}
    terms |= {"runoff": depth(_RUNOFF), "boundary_inflow": depth(_INFLOW)}
    zones = Zones("domain", ("domain",), np.zeros(1, dtype=np.int64), np.array([area]))
    values = water_columns(terms, zones.area)
    values["area_km2"] = np.broadcast_to(zones.area / 1.0e6, (len(periods.labels), 1))
    return BalanceTable("water", zones, every, periods, values)


__all__ = ["domain_balance_table"]
