"""Factors that turn counts of a probe into counts under reference conditions.

They are for air pressure, humidity, incoming flux and plants.
Each function returns the factor to multiply with: corrected = raw * pressure * humidity * incoming * biomass.
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from pyland.base.errors import InputError

ATTENUATION_LENGTH = 1300.0
"""Mass of air in which high-energy neutrons fade to one of e [kg m-2]: 1280 at high latitudes, 1420 at the equator
(Zreda et al. 2012, Hydrol. Earth Syst. Sci. 16, 4079-4099, sect. 2.4)."""

GRAVITY = 9.80616
"""[m s-2], that of ``pl_constants.f90``."""

GAS_WATER_VAPOUR = 461.504
"""[J kg-1 K-1], that of ``pl_constants.f90``."""

HUMIDITY_EFFECT = 5.4
"""Change of counts with absolute humidity [m3 kg-1], 0.0054 m3 g-1 (Rosolem et al. 2013, J. Hydrometeor. 14,
1659-1671)."""

BIOMASS_EFFECT = 0.0053
"""Share of counts lost by each kg m-2 of biomass water [m2 kg-1], 6.4/1210 (Baatz et al. 2015, Water Resour. Res. 51,
2030-2046)."""

RIGIDITY_EFFECT = 0.075
"""Change of the amplitude of incoming flux with cutoff rigidity [GV-1] (Hawdon et al. 2014, Water Resour. Res. 50,
5029-5043)."""


def pressure_factor(
    pressure: ArrayLike, reference: float, attenuation_length: float = ATTENUATION_LENGTH
) -> np.ndarray:
    """Return the factor for air pressure, exp((p - p_ref)/(g L)) (Zreda et al. 2012, eq. 5).

    Parameters
    ----------
    pressure : array_like
        Air pressure [Pa].
    reference : float
        Air pressure for which counts are wanted [Pa]: a mean of the site.
    attenuation_length : float
        L [kg m-2].

    Raises
    ------
    InputError
        If pressures are not those of air on the ground in Pa, or the length is not positive.
    """
    pressure = np.asarray(pressure, float)
    for name, values in (("pressure", pressure), ("reference pressure", np.asarray(reference, float))):
        known = values[np.isfinite(values)]
        if not ((known > 3.0e4) & (known < 1.2e5)).all():
            raise InputError(f"correction for pressure: {name} must lie between 30 000 and 120 000 Pa, got "
                             f"{known.min():.6g} to {known.max():.6g}; 1 hPa is 100 Pa.")
    if not attenuation_length > 0:
        raise InputError("correction for pressure: the attenuation length must be above 0 kg m-2.")
    return np.exp((pressure - reference) / (GRAVITY * attenuation_length))


def saturation_pressure(temperature: ArrayLike) -> np.ndarray:
    """Return the saturation vapour pressure over water [Pa] at a temperature [K].

    Buck (1981), J. Appl. Meteor. 20, 1527-1532: e_w4 of its table 2.
    """
    celsius = np.asarray(temperature, float) - 273.15
    return 611.21 * np.exp(17.502 * celsius / (celsius + 240.97))


def absolute_humidity(vapour_pressure: ArrayLike, temperature: ArrayLike) -> np.ndarray:
    """Return the mass of vapour in air [kg m-3] from its pressure [Pa] and the temperature [K]: that of an ideal gas.

    Raises
    ------
    InputError
        If temperatures are not in kelvin.
    """
    temperature = np.asarray(temperature, float)
    known = temperature[np.isfinite(temperature)]
    if not ((known > 150) & (known < 350)).all():
        raise InputError(f"absolute humidity: temperature must lie between 150 and 350 K, got {known.min():.4g} to "
                         f"{known.max():.4g}.")
    return np.asarray(vapour_pressure, float) / (GAS_WATER_VAPOUR * temperature)


def humidity_factor(humidity: ArrayLike, reference: float = 0.0) -> np.ndarray:
    """Return the factor for vapour, 1 + 5.4 (h - h_ref) (Rosolem et al. 2013).

    Counts that go into `uts_moisture` are not multiplied with it: that relation knows humidity.

    Parameters
    ----------
    humidity : array_like
        Absolute humidity near the ground [kg m-3]; see `absolute_humidity`.
    reference : float
        Absolute humidity for which counts are wanted [kg m-3]; dry air by default.

    Raises
    ------
    InputError
        If humidities are not those of air in kg m-3.
    """
    humidity = np.asarray(humidity, float)
    known = humidity[np.isfinite(humidity)]
    if not ((known >= 0) & (known < 0.1)).all():
        raise InputError(f"correction for humidity: absolute humidity must lie between 0 and 0.1 kg m-3, got "
                         f"{known.min():.4g} to {known.max():.4g}; 1 g m-3 is 0.001 kg m-3.")
    return 1.0 + HUMIDITY_EFFECT * (humidity - reference)


def incoming_factor(incoming: ArrayLike, reference: float, amplitude: float = 1.0) -> np.ndarray:
    """Return the factor for the incoming flux, 1/(1 + tau (I/I_ref - 1)).

    Parameters
    ----------
    incoming : array_like
        Counts of a neutron monitor [any unit].
    reference : float
        Counts of the monitor for which counts of the probe are wanted [same unit].
    amplitude : float
        tau, change at the probe over that at the monitor [1]: 1 (Zreda et al. 2012), `hawdon_amplitude`, or that of
        McJannet and Desilets (2023), Water Resour. Res. 59, e2022WR033889, whose factor this is.

    Raises
    ------
    InputError
        If counts of the monitor are not positive.
    """
    incoming = np.asarray(incoming, float)
    if not (incoming[np.isfinite(incoming)] > 0).all() or not reference > 0:
        raise InputError("correction for the incoming flux: counts of the monitor must be above 0.")
    return 1.0 / (1.0 + amplitude * (incoming / reference - 1.0))


def hawdon_amplitude(rigidity: float, monitor_rigidity: float) -> float:
    """Return tau for cutoff rigidities of the probe and of the monitor [GV] (Hawdon et al. 2014)."""
    return 1.0 - RIGIDITY_EFFECT * (rigidity - monitor_rigidity)


def biomass_factor(biomass_water: ArrayLike, effect: float = BIOMASS_EFFECT) -> np.ndarray:
    """Return the factor for plants, 1/(1 - 0.0053 B) (Baatz et al. 2015).

    Parameters
    ----------
    biomass_water : array_like
        Water equivalent of biomass, see `pyland.observe.neutrons.hydrogen.biomass_water` [kg m-2].
    effect : float
        Share of counts lost by each kg m-2 [m2 kg-1].

    Raises
    ------
    InputError
        If the water is negative or so much that nothing would be counted.
    """
    lost = effect * np.asarray(biomass_water, float)
    if not ((lost >= 0) & (lost < 1)).all():
        raise InputError(f"correction for biomass: its water must lie between 0 and {1.0 / effect:.4g} kg m-2.")
    return 1.0 / (1.0 - lost)


CORRECTIONS = MappingProxyType({
    "pressure": pressure_factor, "humidity": humidity_factor, "incoming": incoming_factor, "biomass": biomass_factor})
"""All factors by name."""

__all__ = ["ATTENUATION_LENGTH", "BIOMASS_EFFECT", "CORRECTIONS", "HUMIDITY_EFFECT", "absolute_humidity",
           "biomass_factor", "hawdon_amplitude", "humidity_factor", "incoming_factor", "pressure_factor",
           "saturation_pressure"]
