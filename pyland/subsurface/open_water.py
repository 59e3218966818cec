"""Evaporation of open water from the weather.

References
----------
.. [1] Priestley, C. H. B., Taylor, R. J. (1972). On the assessment of surface heat flux and evaporation using
       large-scale parameters. Mon. Weather Rev. 100, 81-92.
.. [2] Shuttleworth, W. J. (1993). Evaporation. In: Maidment, D. R. (ed.), Handbook of Hydrology, McGraw-Hill,
       chapter 4.
.. [3] Allen, R. G., Pereira, L. S., Raes, D., Smith, M. (1998). Crop evapotranspiration. FAO Irrigation and Drainage
       Paper 56.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pyland.base.errors import InputError

METHODS = ("priestley_taylor", "penman", "none")

NEEDED = (
    "air_temperature", "specific_humidity", "surface_pressure", "wind_speed", "shortwave_down", "longwave_down",
)
"""Forcing that the formulas take."""

ALBEDO = 0.08  # of open water [1], [2] table 4.2.2
EMISSIVITY = 0.97  # of water [1], as of lakes in CLM (Technical Note, section 12.3)
STEFAN_BOLTZMANN = 5.67e-8  # [W m-2 K-4]
PRIESTLEY_TAYLOR = 1.26  # [1], without advection
FREEZING_POINT = 273.15  # [K]
MOLAR_RATIO = 0.622  # water vapour to dry air [1]
MEGAJOULE = 1.0e6  # [J]
SECONDS_PER_DAY = 86400.0


def open_water_evaporation(
    weather: Mapping[str, np.ndarray], reference_height: np.ndarray | float, method: str = "priestley_taylor"
) -> np.ndarray:
    """Evaporation that the weather asks of open water.

    Parameters
    ----------
    weather : mapping of str to numpy.ndarray
        ``NEEDED``, any common shape.
    reference_height : float or numpy.ndarray
        Height of the wind above ground [m].
    method : str
        ``priestley_taylor`` [1]_, ``penman`` ([2]_, equation 4.2.30) or ``none``.

    Returns
    -------
    numpy.ndarray
        [kg m-2 s-1]; negative where the water loses more energy than it gains, as at night. The formulas are for means
        over a day and longer, over which the heat that water stores is small.

    Raises
    ------
    InputError
        If the method is unknown.
    """
    if method not in METHODS:
        raise InputError(f"Open water: expected one of {', '.join(METHODS)}, got '{method}'.")
    shape = np.broadcast_shapes(*(np.shape(weather[name]) for name in NEEDED))
    if method == "none":
        return np.zeros(shape)
    values = {name: np.ascontiguousarray(np.broadcast_to(weather[name], shape), dtype=float) for name in NEEDED}
    celsius = values["air_temperature"] - FREEZING_POINT
    pressure = values["surface_pressure"] / 1000.0  # kPa
    saturation = 0.6108 * np.exp(17.27 * celsius / (237.3 + celsius))  # kPa, [2] eq. 4.2.2
    slope = 4098.0 * saturation / (237.3 + celsius) ** 2  # kPa K-1, [2] eq. 4.2.3
    latent = 2.501 - 0.002361 * celsius  # MJ kg-1, [2] eq. 4.2.1
    gamma = 0.0016286 * pressure / latent  # kPa K-1, [2] eq. 4.2.28
    radiation = (1.0 - ALBEDO) * values["shortwave_down"] + EMISSIVITY * (
        values["longwave_down"] - STEFAN_BOLTZMANN * values["air_temperature"] ** 4)
    energy = radiation / (latent * MEGAJOULE)  # kg m-2 s-1
    if method == "priestley_taylor":
        return PRIESTLEY_TAYLOR * slope / (slope + gamma) * energy
    humidity = values["specific_humidity"]
    vapour = humidity * pressure / (MOLAR_RATIO + (1.0 - MOLAR_RATIO) * humidity)
    deficit = np.maximum(saturation - vapour, 0.0)
    wind = values["wind_speed"] * 4.87 / np.log(67.8 * np.asarray(reference_height) - 5.42)  # at 2 m, [3] eq. 47
    drying = 6.43 * (1.0 + 0.536 * wind) * deficit / latent / SECONDS_PER_DAY  # kg m-2 s-1
    return (slope * energy + gamma * drying) / (slope + gamma)
