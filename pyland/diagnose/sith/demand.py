"""What atmosphere and plants ask for: potential evaporation, interception, and what cold and dry soil leave of it."""

from __future__ import annotations

import numpy as np

DAY = 86400.0
"""[s]."""

EXTINCTION = 0.6
"""Extinction of net radiation in the canopy [1] (Zhu et al. 2019)."""

PRIESTLEY_TAYLOR = 1.26
"""Coefficient of Priestley and Taylor (1972) [1]."""

WET_SHARE = 0.7
"""Share of what the canopy caught that evaporates from it [1] (Zhu et al. 2019)."""

_HEAT_CAPACITY_AIR = 1013.0  # [J kg-1 K-1]
_MASS_RATIO = 0.622  # water vapour over dry air [1]
_ZERO_CELSIUS = 273.15  # [K]


def potential_evaporation(
    net_radiation: np.ndarray, ground_heat: np.ndarray, leaf_area: np.ndarray, temperature: np.ndarray,
    pressure: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Share net radiation between canopy and soil and turn it into potential evaporation after Priestley and Taylor.

    Parameters
    ----------
    net_radiation, ground_heat : numpy.ndarray
        Means of the day [W m-2].
    leaf_area : numpy.ndarray
        [m2 m-2].
    temperature : numpy.ndarray
        Air temperature [K].
    pressure : numpy.ndarray
        [Pa].

    Returns
    -------
    canopy, soil : numpy.ndarray
        [kg m-2 d-1], not negative: where radiation is lost, nothing evaporates.
    """
    celsius = temperature - _ZERO_CELSIUS
    below = np.exp(-EXTINCTION * leaf_area)
    latent = 2.501e6 - 2361.0 * celsius  # [J kg-1]
    saturation = 610.8 * np.exp(17.27 * celsius / (celsius + 237.3))  # [Pa], Tetens
    slope = 4098.0 * saturation / (celsius + 237.3) ** 2
    psychrometric = _HEAT_CAPACITY_AIR * pressure / (_MASS_RATIO * latent)
    factor = PRIESTLEY_TAYLOR * slope / (slope + psychrometric) / latent * DAY
    canopy = factor * (1.0 - below) * net_radiation
    soil = factor * (below * net_radiation - ground_heat)
    return np.maximum(canopy, 0.0), np.maximum(soil, 0.0)


def interception(
    potential: np.ndarray, leaf_area: np.ndarray, precipitation: np.ndarray, share: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return evaporation from wet leaves and the share of the day that they are wet (Choudhury and DiGirolamo 1998).

    Parameters
    ----------
    potential : numpy.ndarray
        Potential evaporation of the canopy [kg m-2 d-1].
    leaf_area : numpy.ndarray
        [m2 m-2].
    precipitation : numpy.ndarray
        [kg m-2 d-1].
    share : numpy.ndarray
        Share of the precipitation that a unit of leaf area catches [1].

    Returns
    -------
    evaporation : numpy.ndarray
        At most 0.7 of the precipitation [kg m-2 d-1].
    wet : numpy.ndarray
        [1].
    """
    caught = np.minimum(precipitation, share * leaf_area * precipitation)
    evaporation = np.minimum(WET_SHARE * caught, potential)
    wet = np.divide(evaporation, potential, out=np.zeros_like(potential), where=potential > 0.0)
    return evaporation, wet


def temperature_stress(temperature: np.ndarray, optimum: np.ndarray) -> np.ndarray:
    """Return exp(-((T - T_opt)/T_opt)^2), temperatures [K] taken in degrees Celsius, shape (cell,) [1]."""
    best = optimum - _ZERO_CELSIUS
    return np.exp(-(((temperature - optimum) / best) ** 2))


def height_scale(height: np.ndarray) -> np.ndarray:
    """Return 1 to 5 for canopies of 0.5 to 25 m: how much drier soil a plant can use, and how long it copes [1].

    Parameters
    ----------
    height : numpy.ndarray
        Canopy height [m].
    """
    return 4.0 * (np.sqrt(height) - 0.7) / 4.3 + 1.0


def moisture_stress(
    water: np.ndarray, potential: np.ndarray, height: np.ndarray, field_capacity: np.ndarray, wilting_point: np.ndarray
) -> np.ndarray:
    """Return how much of its demand a plant gets from soil of a water content (Zhang et al. 2022).

    Parameters
    ----------
    water : numpy.ndarray, shape (..., cell)
        Volumetric water content of the unsaturated soil [m3 m-3].
    potential : numpy.ndarray, shape (cell,)
        Potential evaporation of the canopy [kg m-2 d-1].
    height : numpy.ndarray, shape (cell,)
        Canopy height [m].
    field_capacity, wilting_point : numpy.ndarray, shape (cell,)
        [m3 m-3].

    Returns
    -------
    numpy.ndarray, shape (..., cell)
        0 at the wilting point of the plant and below, 1 at the critical water content and above.
    """
    scale = height_scale(height)
    wilting = wilting_point / scale
    spared = 1.0 / (1.0 + potential) - 0.1 / (1.0 + height)
    critical = np.clip((1.0 - spared) * (field_capacity - wilting) + wilting, wilting, field_capacity)
    range_ = critical - wilting
    lack = np.divide(critical - water, range_, out=np.where(water >= critical, 0.0, 1.0) * np.ones_like(range_),
                     where=range_ > 0.0)
    return 1.0 - np.clip(lack, 0.0, 1.0) ** scale
