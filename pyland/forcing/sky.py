"""What the sky sends down: shortwave and longwave, clear and cloudy.

References
----------
.. [1] ASCE-EWRI (2005). The ASCE standardized reference evapotranspiration equation. Appendix D, eqs. D.1-D.6
       (clear-sky transmittance from pressure, vapour and sun angle).
.. [2] Kasten, F., Czeplak, G. (1980). Solar and terrestrial radiation dependent on the amount and type of cloud.
       Solar Energy 24, 177-189, eq. 8.
.. [3] Prata, A. J. (1996). A new long-wave formula for estimating downward clear-sky radiation at the surface.
       Q. J. R. Meteorol. Soc. 122, 1127-1151, eq. 17.
.. [4] Unsworth, M. H., Monteith, J. L. (1975). Long-wave radiation at the ground. Q. J. R. Meteorol. Soc. 101, 13-24,
       eq. 18.
.. [5] Dilley, A. C., O'Brien, D. M. (1998). Estimating downward clear sky long-wave irradiance at the surface from
       screen temperature and precipitable water. Q. J. R. Meteorol. Soc. 124, 1391-1401.
.. [6] Brutsaert, W. (1975). On a derivable formula for long-wave radiation from clear skies. Water Resour. Res. 11,
       742-744.
.. [7] Crawford, T. M., Duchon, C. E. (1999). An improved parameterization for estimating effective atmospheric
       emissivity for use in calculating daytime downwelling longwave radiation. J. Appl. Meteorol. 38, 474-480.
"""

from __future__ import annotations

import numpy as np

from pyland.forcing.moist_air import STEFAN_BOLTZMANN

LOWEST_SUN = 0.01  # cosine of the zenith angle below which the air mass of a flat atmosphere has no meaning [1]
_KILOPASCAL = 1000.0  # [Pa]


def clear_sky_transmittance(
    cosine_zenith: np.ndarray, air_pressure: np.ndarray, vapour_pressure: np.ndarray
) -> np.ndarray:
    """Share of the extraterrestrial shortwave that reaches the ground under a clear, clean sky.

    Parameters
    ----------
    cosine_zenith : numpy.ndarray
        Cosine of the zenith angle [1], any shape.
    air_pressure, vapour_pressure : numpy.ndarray
        At the ground [Pa].

    Returns
    -------
    numpy.ndarray
        Beam plus diffuse transmittance [1], between 0.18 and 0.98; reference [1]_ of the module.
    """
    sun = np.maximum(cosine_zenith, LOWEST_SUN)
    pressure = air_pressure / _KILOPASCAL
    water = 0.14 * (vapour_pressure / _KILOPASCAL) * pressure + 2.1  # precipitable water [mm]
    beam = 0.98 * np.exp(-0.00146 * pressure / sun - 0.075 * (water / sun) ** 0.4)
    diffuse = np.where(beam >= 0.15, 0.35 - 0.36 * beam, 0.18 + 0.82 * beam)
    return beam + diffuse


def cloud_transmittance(cloud_cover: np.ndarray) -> np.ndarray:
    """Shortwave under clouds over shortwave under a clear sky [1], from cloud cover in [0, 1]; reference [2]_."""
    return 1.0 - 0.75 * cloud_cover**3.4


def longwave_down(temperature: np.ndarray, vapour_pressure: np.ndarray, cloud_cover: np.ndarray) -> np.ndarray:
    """Downward longwave radiation.

    Parameters
    ----------
    temperature : numpy.ndarray
        Air temperature near the ground [K], any shape.
    vapour_pressure : numpy.ndarray
        Near the ground [Pa].
    cloud_cover : numpy.ndarray
        In [0, 1].

    Returns
    -------
    numpy.ndarray
        [W m-2], references [3]_ (clear sky) and [4]_ (clouds) of the module.
    """
    water = 46.5 * (vapour_pressure / 100.0) / temperature  # precipitable water [g cm-2], vapour pressure in hPa
    clear = 1.0 - (1.0 + water) * np.exp(-np.sqrt(1.2 + 3.0 * water))
    emissivity = (1.0 - 0.84 * cloud_cover) * clear + 0.84 * cloud_cover
    return emissivity * STEFAN_BOLTZMANN * temperature**4


def precipitable_water(temperature: np.ndarray, vapour_pressure: np.ndarray) -> np.ndarray:
    """Water in the air above [kg m-2] from temperature [K] and vapour pressure [Pa] near the ground; reference [3]_."""
    return 465.0 * (vapour_pressure / 100.0) / temperature


def _dilley_obrien(temperature: np.ndarray, vapour_pressure: np.ndarray) -> np.ndarray:
    water = precipitable_water(temperature, vapour_pressure)
    return 59.38 + 113.7 * (temperature / 273.16) ** 6 + 96.96 * np.sqrt(water / 25.0)


def _brutsaert(temperature: np.ndarray, vapour_pressure: np.ndarray) -> np.ndarray:
    return 1.24 * (vapour_pressure / 100.0 / temperature) ** (1.0 / 7.0) * STEFAN_BOLTZMANN * temperature**4


def _prata(temperature: np.ndarray, vapour_pressure: np.ndarray) -> np.ndarray:
    return longwave_down(temperature, vapour_pressure, np.zeros_like(temperature))


CLEAR_SKY_LONGWAVE = {"dilley_obrien": _dilley_obrien, "brutsaert": _brutsaert, "prata": _prata}
"""Longwave of a clear sky [W m-2] of temperature [K] and vapour pressure [Pa]; references 5, 6 and 3."""


def longwave_of_shortwave(
    temperature: np.ndarray, vapour_pressure: np.ndarray, clear_sky_index: np.ndarray, formula: str = "dilley_obrien"
) -> np.ndarray:
    """Downward longwave radiation where shortwave, temperature and humidity are measured.

    Parameters
    ----------
    temperature : numpy.ndarray
        Air temperature near the ground [K], any shape.
    vapour_pressure : numpy.ndarray
        Near the ground [Pa].
    clear_sky_index : numpy.ndarray
        Shortwave over that of a clear sky [1]; taken as 0 below 0 and as 1 above 1.
    formula : str
        One of `CLEAR_SKY_LONGWAVE`.

    Returns
    -------
    numpy.ndarray
        [W m-2]: clear sky of ``formula``, and a share of cloud of one minus the index that radiates as a black body,
        reference [7]_ of the module.
    """
    cloud = 1.0 - np.clip(clear_sky_index, 0.0, 1.0)
    clear = CLEAR_SKY_LONGWAVE[formula](temperature, vapour_pressure)
    return cloud * STEFAN_BOLTZMANN * temperature**4 + (1.0 - cloud) * clear
