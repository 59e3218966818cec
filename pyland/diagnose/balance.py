"""Closure: what the water and energy books leave unexplained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from pyland.diagnose.records import read_records

WATER_TERMS = (
    "precipitation",
    "irrigation",
    "evapotranspiration",
    "surface_runoff",
    "subsurface_runoff",
    "analysis_increment",
    "storage_change",
    "water_residual",
)
"""Terms of the water balance in ``balance.nc`` [kg m-2 per interval]."""

RIVER_TERMS = (
    "river_runoff",
    "river_deficit",
    "lake_precipitation",
    "lake_evaporation",
    "lake_withheld_runoff",
    "river_storage_change",
    "lake_volume_change",
    "river_residual",
)
"""Terms of the balance of rivers and lakes in ``balance.nc`` [m3 per interval]."""

ENERGY_TERMS = ("net_radiation", "latent_heat_flux", "sensible_heat_flux", "ground_heat_flux", "snow_heat_flux",
                "energy_residual")
"""Terms of the energy balance in ``balance.nc`` [W m-2]."""


def closure(balance_file: str | Path) -> dict[str, dict[str, float]]:
    """Sum up a balance file.

    Parameters
    ----------
    balance_file : str or Path
        ``balance.nc`` of a run.

    Returns
    -------
    dict
        ``water``: mean over the cells of each term, summed over the run [kg m-2]; ``water_residual_relative``, the
        residual by the water that went in or out [1]; ``largest_step_residual`` of any cell, member and step
        [kg m-2] and ``largest_residual`` of any cell over the whole run [kg m-2].
        ``energy``: mean terms [W m-2], ``analysis_heat_increment`` of the whole run [J m-2],
        ``largest_step_residual`` and ``largest_interval_residual`` [W m-2].
        ``rivers``, where the run had any: terms summed over cells and the run, ``outflow`` of the domain, and
        ``largest_residual`` of any cell over the whole run [m3].

    Raises
    ------
    InputError
        If the file is missing, damaged or holds no record.
    """
    data = read_records(balance_file)
    cells = [d for d in data["precipitation"].dims if d != "time"]
    water = {name: float(data[name].sum("time", skipna=False).mean(cells)) for name in WATER_TERMS}
    turnover = abs(water["precipitation"]) + sum(abs(water[name]) for name in WATER_TERMS[1:6])
    water["water_residual_relative"] = abs(water["water_residual"]) / turnover if turnover > 0.0 else float("nan")
    water["largest_residual"] = _largest(data["water_residual"].sum("time", skipna=False))
    water["largest_step_residual"] = _largest(data["water_residual_largest"])
    length = np.diff(data["time_bounds"].values.astype("datetime64[s]").astype(np.int64), axis=1)[:, 0]
    weights = xr.DataArray(length / length.sum(), dims="time")
    energy = {name: float((data[name] * weights).sum("time", skipna=False).mean(cells)) for name in ENERGY_TERMS}
    if "analysis_heat_increment" in data:  # files of earlier runs have none
        energy["analysis_heat_increment"] = float(data["analysis_heat_increment"].sum("time", skipna=False).mean(cells))
    energy["largest_interval_residual"] = _largest(data["energy_residual"])
    energy["largest_step_residual"] = _largest(data["energy_residual_largest"])
    result = {"water": water, "energy": energy}
    if "river_runoff" in data:
        rivers = {name: float(data[name].sum()) for name in RIVER_TERMS}
        rivers["outflow"] = float(data["river_outflow"].sum() - data["river_inflow"].sum())
        rivers["largest_residual"] = _largest(data["river_residual"].sum("time", skipna=False))
        result["rivers"] = rivers
    return result


def _largest(values: xr.DataArray) -> float:
    """Return the largest absolute value over active cells."""
    return float(np.abs(values).max())
