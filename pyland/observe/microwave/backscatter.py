"""Radar backscatter of soil under vegetation at C-band: the water cloud over an empirical soil.

All functions take arrays whose shapes can be broadcast and work on them at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pyland.base.errors import InputError
from pyland.observe.microwave.dielectric import smooth_reflectivity

C_BAND = 5.405e9
"""Frequency of the radar of Sentinel-1 [Hz]."""

LIGHT_SPEED = 2.99792458e8
"""[m s-1]."""

RADAR_POLARISATIONS = ("vv", "hh", "vh")
"""Order of the first axis of what the models of Oh return."""

DRIEST = 0.01
"""Water content below which the model of 2004 is as there [m3 m-3]; it was fitted to 0.04 to 0.29."""


def decibel(power: ArrayLike) -> np.ndarray:
    """Return 10 log10 of a positive ratio of powers [dB]; NaN where it is not positive."""
    power = np.asarray(power, float)
    return 10.0 * np.log10(np.where(power > 0.0, power, np.nan))


def linear(backscatter: ArrayLike) -> np.ndarray:
    """Return the ratio of powers [1] that a value in dB stands for."""
    return 10.0 ** (0.1 * np.asarray(backscatter, float))


def oh_1992(permittivity: ArrayLike, rms_height: ArrayLike, angle: ArrayLike, frequency: float = C_BAND) -> np.ndarray:
    """Return the backscatter of bare rough soil from its permittivity (Oh, Sarabandi and Ulaby 1992).

    IEEE Trans. Geosci. Remote Sens. 30, 370-381, eqs. 2-5: with the reflectivity Γ0 at nadir and ks,
    p = hh/vv = (1 - (2θ/π)^(1/(3 Γ0)) exp(-ks))², q = vh/vv = 0.23 Γ0^(1/2) (1 - exp(-ks)) and
    vv = 0.7 (1 - exp(-0.65 (ks)^1.8)) cos³θ (Γv + Γh)/p^(1/2). Fitted at 1.5 to 9.5 GHz, ks 0.1 to 6, θ 10
    to 70 degrees.

    Parameters
    ----------
    permittivity : array_like of complex
        Of the soil [1].
    rms_height : array_like
        Standard deviation of the height of the surface [m].
    angle : array_like
        Of incidence [degree].
    frequency : float
        [Hz].

    Returns
    -------
    numpy.ndarray, shape (3, ...)
        Ratios of powers [1], in the order of `RADAR_POLARISATIONS`.

    Raises
    ------
    InputError
        If a value cannot be.
    """
    ks = _roughness(rms_height, frequency)
    nadir = smooth_reflectivity(permittivity, 0.0)[0]
    horizontal, vertical = smooth_reflectivity(permittivity, angle)
    theta = np.radians(np.asarray(angle, float))
    ratio_h = (1.0 - (2.0 * theta / np.pi) ** (1.0 / (3.0 * nadir)) * np.exp(-ks)) ** 2
    ratio_x = 0.23 * np.sqrt(nadir) * -np.expm1(-ks)
    size = -0.7 * np.expm1(-0.65 * ks**1.8)
    vv = size * np.cos(theta) ** 3 * (vertical + horizontal) / np.sqrt(ratio_h)
    return np.stack(np.broadcast_arrays(vv, ratio_h * vv, ratio_x * vv))


def oh_2004(soil_moisture: ArrayLike, rms_height: ArrayLike, angle: ArrayLike, frequency: float = C_BAND) -> np.ndarray:
    """Return the backscatter of bare rough soil from its water content (Oh 2004).

    IEEE Trans. Geosci. Remote Sens. 42, 596-601, eqs. 1-4: vh = 0.11 m^0.7 cos^2.2 θ (1 - exp(-0.32 (ks)^1.8)),
    p = hh/vv = 1 - (2θ/π)^(0.35 m^-0.65) exp(-0.4 (ks)^1.4) and
    q = vh/vv = 0.095 (0.13 + sin 1.5θ)^1.4 (1 - exp(-1.3 (ks)^0.9)).

    Parameters
    ----------
    soil_moisture : array_like
        [m3 m-3]; below `DRIEST` as there.
    rms_height, angle, frequency
        As in :func:`oh_1992`.

    Returns
    -------
    numpy.ndarray, shape (3, ...)
        Ratios of powers [1], in the order of `RADAR_POLARISATIONS`.

    Raises
    ------
    InputError
        If a value cannot be.
    """
    ks = _roughness(rms_height, frequency)
    theta = _angle(angle)
    water = np.maximum(np.asarray(soil_moisture, float), DRIEST)
    vh = -0.11 * water**0.7 * np.cos(theta) ** 2.2 * np.expm1(-0.32 * ks**1.8)
    ratio_h = 1.0 - (2.0 * theta / np.pi) ** (0.35 * water**-0.65) * np.exp(-0.4 * ks**1.4)
    ratio_x = -0.095 * (0.13 + np.sin(1.5 * theta)) ** 1.4 * np.expm1(-1.3 * ks**0.9)
    vv = vh / ratio_x
    return np.stack(np.broadcast_arrays(vv, ratio_h * vv, vh))


def linear_soil(soil_moisture: ArrayLike, dry: ArrayLike, slope: ArrayLike) -> np.ndarray:
    """Return backscatter of soil that is linear in its water: ``dry`` [dB] + ``slope`` [dB] times water [m3 m-3]."""
    return np.asarray(dry, float) + np.asarray(slope, float) * np.asarray(soil_moisture, float)


def water_cloud(
    soil: ArrayLike,
    angle: ArrayLike,
    vegetation: ArrayLike,
    volume: ArrayLike,
    attenuation: ArrayLike,
    vegetation_attenuation: ArrayLike | None = None,
) -> np.ndarray:
    """Return the backscatter of soil under vegetation (Attema and Ulaby 1978, Radio Sci. 13, 357-364).

    sigma = A V1 cosθ (1 - γ²) + γ² sigma_soil with γ² = exp(-2 B V2/cosθ), all of them ratios of powers.

    Parameters
    ----------
    soil : array_like
        Backscatter of the soil [dB].
    angle : array_like
        Of incidence [degree].
    vegetation : array_like
        Descriptor V1 of the vegetation, for example leaf area [1] or water [kg m-2].
    volume, attenuation : array_like
        A and B, per unit of the descriptor.
    vegetation_attenuation : array_like, optional
        Descriptor V2 that attenuates; V1 where not given.

    Returns
    -------
    numpy.ndarray
        [dB].

    Raises
    ------
    InputError
        If the descriptor, A or B is negative or the angle is not between 0 and 85 degrees.
    """
    cosine = np.cos(_angle(angle))
    first = np.asarray(vegetation, float)
    second = first if vegetation_attenuation is None else np.asarray(vegetation_attenuation, float)
    for name, value in (("the vegetation", first), ("the vegetation", second), ("A", volume), ("B", attenuation)):
        if (np.asarray(value, float) < 0.0).any():
            raise InputError(f"water cloud: {name} must not be negative.")
    passed = np.exp(-2.0 * np.asarray(attenuation, float) * second / cosine)
    cloud = np.asarray(volume, float) * first * cosine * (1.0 - passed)
    return decibel(cloud + passed * linear(soil))


def radar_polarisation_number(polarisation: str) -> int:
    """Return the place of a polarisation in `RADAR_POLARISATIONS` (``hv`` is ``vh``); `InputError` for another word."""
    name = "vh" if polarisation == "hv" else polarisation
    if name not in RADAR_POLARISATIONS:
        raise InputError(f"polarisation: expected one of {', '.join(RADAR_POLARISATIONS)}, got {polarisation!r}.")
    return RADAR_POLARISATIONS.index(name)


def _roughness(rms_height: ArrayLike, frequency: float) -> np.ndarray:
    """Return the height of the roughness times the wave number [1]."""
    height = np.asarray(rms_height, float)
    if (height <= 0.0).any() or not frequency > 0.0:
        raise InputError("backscatter of soil: the rms height [m] and the frequency [Hz] must be positive.")
    return 2.0 * np.pi * frequency / LIGHT_SPEED * height


def _angle(angle: ArrayLike) -> np.ndarray:
    """Return an incidence angle in radians."""
    degrees = np.asarray(angle, float)
    if ((degrees < 0.0) | (degrees > 85.0)).any():
        raise InputError("backscatter: the incidence angle must lie between 0 and 85 degrees.")
    return np.radians(degrees)


__all__ = [
    "C_BAND",
    "RADAR_POLARISATIONS",
    "decibel",
    "linear",
    "linear_soil",
    "oh_1992",
    "oh_2004",
    "radar_polarisation_number",
    "water_cloud",
]
