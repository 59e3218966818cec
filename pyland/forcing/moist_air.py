"""Moisture of air: saturation and specific humidity.

The same formulas as the compiled core (``fortran/base/pl_moist_air.f90``), so that air that is saturated here is
saturated there.

References
----------
.. [1] Flatau, P. J., Walko, R. L., Cotton, W. R. (1992). Polynomial fits to saturation vapor pressure.
       J. Appl. Meteorol. 31, 1507-1513. Table 4 (least relative error), over water: 0.2 % from -40 to 70 degrees C.
"""

from __future__ import annotations

import numpy as np

FREEZING_POINT = 273.15  # [K]
GRAVITY = 9.80616  # [m s-2]
GAS_DRY_AIR = 287.042  # [J kg-1 K-1]
GAS_WATER_VAPOUR = 461.504  # [J kg-1 K-1]
LATENT_FUSION = 3.337e5  # [J kg-1]
STEFAN_BOLTZMANN = 5.67e-8  # [W m-2 K-4]
MOLAR_RATIO = 0.622  # water vapour to dry air [1]

_LOWEST, _HIGHEST = -75.0, 100.0  # range of the polynomial [degC]
_POLYNOMIAL = (
    6.11583699, 4.44606896e-1, 1.43177157e-2, 2.64224321e-4, 2.99291081e-6,
    2.03154182e-8, 7.02620698e-11, 3.79534310e-14, -3.21582393e-16,
)  # fmt: skip


def saturation_pressure(temperature: np.ndarray) -> np.ndarray:
    """Saturation vapour pressure over water.

    Parameters
    ----------
    temperature : numpy.ndarray
        Air temperature [K], any shape; clamped to the range of the polynomial, 198 to 373 K.

    Returns
    -------
    numpy.ndarray
        Vapour pressure [Pa].

    Notes
    -----
    Reference [1]_ of the module.
    """
    celsius = np.minimum(np.maximum(temperature - FREEZING_POINT, _LOWEST), _HIGHEST)
    pressure = np.full_like(celsius, _POLYNOMIAL[-1])
    for coefficient in _POLYNOMIAL[-2::-1]:
        pressure = pressure * celsius + coefficient
    return 100.0 * pressure


def humidity_from_vapour(vapour_pressure: np.ndarray, air_pressure: np.ndarray) -> np.ndarray:
    """Specific humidity [kg kg-1] of air with the given vapour pressure and air pressure [Pa]."""
    return MOLAR_RATIO * vapour_pressure / (air_pressure - (1.0 - MOLAR_RATIO) * vapour_pressure)


def vapour_from_humidity(humidity: np.ndarray, air_pressure: np.ndarray) -> np.ndarray:
    """Vapour pressure [Pa] of air with the given specific humidity [kg kg-1] and air pressure [Pa]."""
    return humidity * air_pressure / (MOLAR_RATIO + (1.0 - MOLAR_RATIO) * humidity)


def relative_humidity(humidity: np.ndarray, temperature: np.ndarray, air_pressure: np.ndarray) -> np.ndarray:
    """Relative humidity over water [1] of air at ``temperature`` [K] and ``air_pressure`` [Pa]."""
    return vapour_from_humidity(humidity, air_pressure) / saturation_pressure(temperature)


def ice_saturation_ratio(temperature: np.ndarray) -> np.ndarray:
    """Saturation over ice divided by saturation over water [1]; 1 at the freezing point and above.

    Parameters
    ----------
    temperature : numpy.ndarray
        Air temperature [K], any shape.

    Returns
    -------
    numpy.ndarray
        Ratio in (0, 1]: the difference of two Clausius-Clapeyron equations with a constant latent heat of fusion.
    """
    cold = np.minimum(temperature, FREEZING_POINT)
    return np.exp(LATENT_FUSION / GAS_WATER_VAPOUR * (1.0 / FREEZING_POINT - 1.0 / cold))
