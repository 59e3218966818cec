"""Potential evapotranspiration from what a run has: Priestley and Taylor (1972), or Penman and Monteith after FAO-56.

References
----------
.. [1] Priestley, C. H. B., Taylor, R. J. (1972). On the assessment of surface heat flux and evaporation using
   large-scale parameters. Mon. Weather Rev. 100, 81-92.
.. [2] Allen, R. G., Pereira, L. S., Raes, D., Smith, M. (1998). Crop evapotranspiration. FAO Irrigation and Drainage
   Paper 56: equations 6 to 13 and 47.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

PRIESTLEY_TAYLOR = 1.26
"""Ratio to equilibrium evaporation [1] [1]_."""

FREEZING = 273.15
"""0 degC [K]."""

MOLAR_RATIO = 0.622
"""Molar mass of water over that of dry air [1]."""

HEAT_CAPACITY = 1013.0
"""Of moist air at constant pressure [J kg-1 K-1] [2]_."""

VAPORISATION = 2.45e6
"""Latent heat of FAO-56 [J kg-1] [2]_."""

Array = NDArray[Any]


def saturation_pressure(temperature: ArrayLike) -> Array:
    """Return the saturation vapour pressure over water [Pa] at a temperature [K] (equation 11 of FAO-56)."""
    celsius = np.asarray(temperature, float) - FREEZING
    return 610.8 * np.exp(17.27 * celsius / (celsius + 237.3))


def pressure_slope(temperature: ArrayLike) -> Array:
    """Return the slope of the saturation vapour pressure [Pa K-1] at a temperature [K] (equation 13 of FAO-56)."""
    celsius = np.asarray(temperature, float) - FREEZING
    return 4098.0 * saturation_pressure(temperature) / (celsius + 237.3) ** 2


def psychrometric_constant(pressure: ArrayLike) -> Array:
    """Return the psychrometric constant [Pa K-1] at an air pressure [Pa] (equation 8 of FAO-56)."""
    return HEAT_CAPACITY * np.asarray(pressure, float) / (MOLAR_RATIO * VAPORISATION)


def priestley_taylor(available: ArrayLike, temperature: ArrayLike, pressure: ArrayLike) -> Array:
    """Return potential evapotranspiration [kg m-2 s-1] of wet ground without advection.

    Parameters
    ----------
    available : array_like
        Net radiation less the heat into the ground [W m-2]; below 0 nothing evaporates.
    temperature : array_like
        Air temperature [K].
    pressure : array_like
        Air pressure [Pa].
    """
    slope = pressure_slope(temperature)
    weight = slope / (slope + psychrometric_constant(pressure))
    return PRIESTLEY_TAYLOR * weight * np.maximum(np.asarray(available, float), 0.0) / VAPORISATION


def penman_monteith(
    available: ArrayLike, temperature: ArrayLike, pressure: ArrayLike, humidity: ArrayLike, wind: ArrayLike,
    height: float,
) -> Array:
    """Return the evapotranspiration of the reference grass of FAO-56 [kg m-2 s-1], from daily means.

    Parameters
    ----------
    available, temperature, pressure : array_like
        As for `priestley_taylor`.
    humidity : array_like
        Specific humidity [kg kg-1].
    wind : array_like
        Wind speed [m s-1].
    height : float
        Height of the wind above the ground [m]; it is brought to 2 m by equation 47.
    """
    slope, constant = pressure_slope(temperature), psychrometric_constant(pressure)
    mixing, air = np.asarray(humidity, float), np.asarray(pressure, float)
    vapour = mixing * air / (MOLAR_RATIO + (1.0 - MOLAR_RATIO) * mixing)
    two_metres = np.asarray(wind, float) * 4.87 / np.log(67.8 * height - 5.42)
    deficit = np.maximum(saturation_pressure(temperature) - vapour, 0.0)
    # 900 K s3 Mg-1 d-1 of equation 6 holds for kPa and a day
    aerodynamic = constant * 900.0 / np.asarray(temperature, float) * two_metres * deficit / 1000.0 / 86400.0
    radiation = slope * np.asarray(available, float) / VAPORISATION
    return np.maximum((radiation + aerodynamic) / (slope + constant * (1.0 + 0.34 * two_metres)), 0.0)
