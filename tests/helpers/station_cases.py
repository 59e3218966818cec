"""A station file of made-up weather with a soil probe, and a case of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

PROBE: dict[str, Any] = {
    "name": "probe", "type": "soil_moisture", "variable": "SoilMoist", "depth": [0, 0.05], "error": 0.03,
    "every": "6 h"}
"""Observations of the soil probe of the file."""


def write_station(file: Path, hours: int = 96) -> Path:
    """Write half-hourly weather from 2020-06-01 and return the file."""
    count = 2 * hours
    sun = np.maximum(np.sin((np.arange(count) / 48.0 - 0.25) * 2.0 * np.pi), 0.0)
    with netCDF4.Dataset(file, "w") as out:
        out.createDimension("time", count)
        time = out.createVariable("time", "f8", ("time",))
        time.units = "seconds since 2020-06-01"
        time[:] = np.arange(count) * 1800.0
        for name, units, values in (
            ("SWdown", "W m-2", 800.0 * sun), ("LWdown", "W m-2", 320.0), ("Tair", "K", 290.0 + 5.0 * sun),
            ("Qair", "kg kg-1", 0.008), ("PSurf", "Pa", 95000.0), ("Rainf", "kg m-2 s-1", 0.0),
            ("Snowf", "kg m-2 s-1", 0.0), ("Wind", "m s-1", 3.0),
        ):
            variable = out.createVariable(name, "f8", ("time",))
            variable.units = units
            variable[:] = values
        soil = out.createVariable("SoilMoist", "f8", ("time",))
        soil.units = "m3 m-3"
        soil[:] = 0.2
        out.setncatts({"time_convention": "UTC, start of averaging interval", "time_step_s": 1800, "lat": 45.0,
                       "lon": 5.0, "elev_m": 200.0})
    return file


def site_case(file: Path) -> dict[str, Any]:
    """Return a case of the station with four members."""
    return {
        "time": {"start": "2020-06-01", "end": "2020-06-04", "step": "30 min"},
        "domain": {"type": "site", "latitude": 45.0, "longitude": 5.0, "elevation": 200,
                   "layers": [0.02, 0.03, 0.05, 0.1, 0.3, 0.5], "bedrock_layers": 2},
        "surface": {"vegetation": {"patches": [{"type": "c3_grass", "fraction": 0.8, "leaf_area_index": 1.5}]},
                    "soil": {"texture": {"sand": 45, "clay": 20}}},
        "forcing": {"format": "alma", "path": str(file), "height": 10},
        "subsurface": {"initial": {"saturation": 0.5}},
        "ensemble": {"size": 4, "perturb": {"initial": {"soil_water": {"kind": "add_normal", "std": 0.03}}}},
        "output": {"every": "1 day", "restart_every": "1 day"},
    }
