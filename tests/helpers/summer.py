"""Weather of dry summer days that are all the same."""

from __future__ import annotations

import numpy as np

from pyland.forcing.moist_air import saturation_pressure

HOUR = 3600.0
"""[s]"""


def summer_weather(start, step, ncell):
    """Return the mean weather of a step of dry days that are all the same."""
    hours = (start + np.arange(30.0, step, 60.0)) / HOUR % 24.0
    sun = np.maximum(0.9 * np.cos((hours - 12.0) / 24.0 * 2.0 * np.pi) - 0.1, 0.0)
    vapour = 0.5 * float(saturation_pressure(np.array([293.0]))[0])
    values = {
        "air_temperature": (293.0 + 8.0 * np.cos((hours - 15.0) / 24.0 * 2.0 * np.pi)).mean(),
        "specific_humidity": 0.622 * vapour / (9e4 - 0.378 * vapour), "surface_pressure": 9e4, "wind_speed": 3.0,
        "shortwave_down": 1000.0 * sun.mean(), "longwave_down": 330.0, "rain": 0.0, "snowfall": 0.0,
        "cosine_zenith": sun.mean(), "daylength_factor": 0.8, "co2": 4e-4,
    }
    return {name: np.full(ncell, float(value)) for name, value in values.items()}
