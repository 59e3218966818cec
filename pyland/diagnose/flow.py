"""The water of a distributed run: closure of the whole domain, and its hydrographs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pyland.diagnose.records import read_records

FLOWS = ("precipitation", "evaporation", "source", "boundary_west", "boundary_east", "boundary_south", "boundary_north",
         "boundary_bottom", "boundary_top", "discharge", "surface_runoff", "irrigation", "increment")
"""Terms of ``balance.nc`` that pass the rim of the domain [m3 per interval]; the last two with a land model."""

COUNTS = ("solver_steps", "newton_iterations", "krylov_iterations")
"""What the solver did [1]."""


def domain_closure(balance_file: str | Path) -> dict[str, Any]:
    """Sum up the balance of a distributed run.

    Parameters
    ----------
    balance_file : str or Path
        ``balance.nc`` of a run with ``subsurface.mode: distributed``.

    Returns
    -------
    dict
        ``water``: each term summed over the run [m3], ``storage_change``, ``water_residual`` and
        ``water_residual_relative``, that by the water that went in or out [1]; ``largest_interval_water_residual``
        per area of the domain [kg m-2]; ``iterations``: steps and iterations of the solver.

    Raises
    ------
    InputError
        If the file is missing, damaged or holds no record.
    """
    data = read_records(balance_file)
    flows = [name for name in FLOWS if name in data]
    water = {name: float(data[name].sum()) for name in (*flows, "storage_change")}
    water["water_residual"] = float(data["residual"].sum())
    turnover = sum(float(np.abs(data[name]).sum()) for name in flows)
    water["water_residual_relative"] = abs(water["water_residual"]) / turnover if turnover > 0.0 else float("nan")
    area = float(data.attrs["domain_area"])
    return {
        "water": water,
        "largest_interval_water_residual": 1000.0 * float(np.abs(data["residual"]).max()) / area,
        "iterations": {name: int(data[name].sum()) for name in COUNTS},
    }


def is_domain_balance(balance_file: str | Path) -> bool:
    """Tell whether a balance is that of a whole domain rather than of cells."""
    return "domain_area" in read_records(balance_file).attrs


def hydrographs(discharge_file: str | Path) -> dict[str, dict[str, Any]]:
    """Sum up the hydrographs of a run.

    Parameters
    ----------
    discharge_file : str or Path
        ``discharge.nc``.

    Returns
    -------
    dict
        By outlet: ``maximum`` [m3 s-1], ``time_of_maximum`` (end of the step, UTC), ``volume`` [m3] and ``last``, the
        discharge at the end [m3 s-1], ensemble means.

    Raises
    ------
    InputError
        If the file is missing, damaged or holds no record.
    """
    data = read_records(discharge_file)
    length = np.diff(data["time_bounds"].values.astype("datetime64[s]").astype(np.int64), axis=1)[:, 0]
    out = {}
    for place, name in enumerate(data["gauge_name"].values):
        flow = data["discharge"].isel(gauge=place).mean("member").values
        out[str(name)] = {
            "maximum": float(flow.max()), "time_of_maximum": str(data["time"].values[flow.argmax()])[:19],
            "volume": float((flow * length).sum()), "last": float(flow[-1]),
        }
    return out
