"""Rain or snow: the rule that splits precipitation where the weather does not, or is not trusted to.

References
----------
.. [1] Lawrence, D. M., et al. (2018). Technical description of version 5.0 of CLM. NCAR/TN, section 2.2.3.2: all snow
       at 0 degC and below, all rain at 2 degC and above, linear between.
.. [2] Wang, Y.-H., et al. (2019). A wet-bulb temperature-based rain-snow partitioning scheme improves snowpack
       prediction over the drier western United States. Geophys. Res. Lett. 46, 13825-13835. Equation 1: the frozen
       share as a sigmoid of the wet-bulb temperature.
.. [3] Rogers, R. R., Yau, M. K. (1989). A short course in cloud physics, 3rd edition, chapter 2: isobaric wet-bulb
       temperature.
.. [4] World Meteorological Organization (2008). Guide to meteorological instruments, WMO-No. 8, annex 4.B: saturation
       over water.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.forcing.moist_air import FREEZING_POINT, MOLAR_RATIO, vapour_from_humidity

PHASE_METHODS = ("given", "ramp", "wet_bulb")
"""As the source has it (a ramp where it has the total alone), by air temperature, by wet-bulb temperature."""

RAIN_RAMP = 2.0  # all snow at the freezing point, all rain this many kelvin above it [K]
CAPACITY_AIR = 1004.64  # at constant pressure [J kg-1 K-1]
LATENT_VAPORISATION = 2.501e6  # [J kg-1]

# Saturation over water of [4]: 611.2 Pa exp(17.62 t / (243.12 + t)), t in degC.
_MAGNUS = (611.2, 17.62, 243.12)

_SIGMOID = (6.99e-5, 2.0, 3.97)  # of [2]: share of snow 1 / (1 + a exp(b (T_w + c))), wet-bulb temperature in degC
_LARGEST_EXPONENT = 80.0  # share of snow below 1e-30: keeps exp finite in hot air [1]
_NEWTON_STEPS = 10  # [1]
"""Newton steps of the wet-bulb temperature; seven are enough for dry air of 60 degC. Always all of them, so that the
answer of a cell depends on nothing but its own weather."""


@dataclass(frozen=True)
class PrecipitationPhase:
    """Rule that splits precipitation.

    Attributes
    ----------
    method : str
        One of `PHASE_METHODS`.
    all_snow_below, all_rain_above : float
        Ends of the ramp of air temperature [K], reference [1]_ of the module; without use for ``wet_bulb``.

    Raises
    ------
    InputError
        If the method is unknown or the ramp has no width.
    """

    method: str = "given"
    all_snow_below: float = FREEZING_POINT
    all_rain_above: float = FREEZING_POINT + RAIN_RAMP

    def __post_init__(self) -> None:
        if self.method not in PHASE_METHODS:
            raise InputError(
                f"forcing.precipitation_phase: expected one of {', '.join(PHASE_METHODS)}, got '{self.method}'")
        if not self.all_snow_below < self.all_rain_above:
            raise InputError(
                f"forcing.all_snow_below ({self.all_snow_below:g} K) must lie below forcing.all_rain_above "
                f"({self.all_rain_above:g} K)")

    def rain_share(self, temperature: np.ndarray, humidity: np.ndarray, air_pressure: np.ndarray) -> np.ndarray:
        """Liquid share of precipitation.

        Parameters
        ----------
        temperature, humidity, air_pressure : numpy.ndarray
            Air temperature [K], specific humidity [kg kg-1] and pressure [Pa], one shape.

        Returns
        -------
        numpy.ndarray
            Share in [0, 1].
        """
        if self.method == "wet_bulb":
            return wet_bulb_rain_share(wet_bulb_temperature(temperature, humidity, air_pressure))
        width = self.all_rain_above - self.all_snow_below
        return np.minimum(np.maximum((temperature - self.all_snow_below) / width, 0.0), 1.0)

    def split(
        self, total: np.ndarray, temperature: np.ndarray, humidity: np.ndarray, air_pressure: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return rain and snowfall, in the unit of ``total``; their sum is ``total`` to round-off."""
        rain = total * self.rain_share(temperature, humidity, air_pressure)
        return rain, total - rain

    def describe(self) -> str:
        """Say the rule in words, for provenance."""
        if self.method == "wet_bulb":
            return "sigmoid of the wet-bulb temperature (Wang et al. 2019)"
        low, high = (end - FREEZING_POINT for end in (self.all_snow_below, self.all_rain_above))
        return f"linear ramp from {low:g} to {high:g} degC"


def wet_bulb_rain_share(wet_bulb: np.ndarray) -> np.ndarray:
    """Liquid share of precipitation [1] at a wet-bulb temperature [K]: one minus the sigmoid of [2]_ of the module."""
    scale, slope, shift = _SIGMOID
    exponent = np.minimum(slope * (wet_bulb - FREEZING_POINT + shift), _LARGEST_EXPONENT)
    growth = scale * np.exp(exponent)
    return growth / (1.0 + growth)


def wet_bulb_temperature(temperature: Any, humidity: Any, air_pressure: Any) -> np.ndarray:
    """Isobaric wet-bulb temperature over water.

    Parameters
    ----------
    temperature : array_like
        Air temperature [K].
    humidity : array_like
        Specific humidity [kg kg-1]; air beyond saturation counts as saturated.
    air_pressure : array_like
        [Pa].

    Returns
    -------
    numpy.ndarray
        Temperature [K] at which ``e_s(T_w) - e = c_p p / (0.622 L_v) (T - T_w)``, reference [3]_ of the module.

    Notes
    -----
    The left side less the right one rises and is convex in T_w, so Newton's method from the air temperature descends to
    the root without overshooting. Saturation is that of [4]_, which is convex at any temperature of the atmosphere.
    """
    warm, moist, pressure = np.broadcast_arrays(
        *(np.asarray(one, dtype=np.float64) for one in (temperature, humidity, air_pressure)))
    vapour = np.minimum(vapour_from_humidity(moist, pressure), _saturation(warm)[0])
    psychrometric = CAPACITY_AIR * pressure / (MOLAR_RATIO * LATENT_VAPORISATION)
    wet = np.array(warm)
    for _ in range(_NEWTON_STEPS):
        pressure_over_water, slope = _saturation(wet)
        excess = pressure_over_water - vapour - psychrometric * (warm - wet)
        wet = wet - excess / (slope + psychrometric)
    return wet


def _saturation(temperature: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return saturation vapour pressure [Pa] and its derivative [Pa K-1] after [4]_ of the module."""
    scale, rate, shift = _MAGNUS
    celsius = temperature - FREEZING_POINT
    pressure = scale * np.exp(rate * celsius / (shift + celsius))
    return pressure, pressure * rate * shift / (shift + celsius) ** 2
