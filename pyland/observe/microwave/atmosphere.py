"""Emission and loss of the cloudless atmosphere at L-band, for brightness temperatures at the top of the atmosphere."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pyland.base.errors import InputError
from pyland.observe.microwave.dielectric import L_BAND, SINGLE_FREQUENCY

COSMIC = 2.7
"""Brightness temperature of space [K]."""


def atmosphere(
    elevation: ArrayLike, air_temperature: ArrayLike, angle: ArrayLike, *, frequency: float = L_BAND
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what the atmosphere lets pass, emits upward and sends down.

    Fit of Pellarin et al. (2003), IEEE Trans. Geosci. Remote Sens. 41, 2135-2139, appendix: optical depth at nadir
    exp(-3.9262 - 0.2211 z - 0.00369 T), equivalent temperature exp(4.9274 + 0.002195 T), z in km and T in K.

    Parameters
    ----------
    elevation : array_like
        Of the ground above sea level [m].
    air_temperature : array_like
        At 2 m [K].
    angle : array_like
        Of incidence [degree].
    frequency : float
        [Hz]; the fit holds at L-band only.

    Returns
    -------
    passed : numpy.ndarray
        Transmission along the path [1].
    upward, downward : numpy.ndarray
        Brightness temperatures [K] at the top and, with space, at the ground: ``sky`` of `brightness_temperature`.

    Raises
    ------
    InputError
        At another frequency, an angle beyond 85 degrees, or an air temperature that is not in K.
    """
    low, high = SINGLE_FREQUENCY
    if not low <= frequency <= high:
        raise InputError(
            f"atmosphere: the fit of Pellarin et al. (2003) is that of L-band, got {frequency / 1e9:.4g} GHz; use "
            "brightness temperatures at the ground and atmosphere: none.")
    warmth, slope = np.asarray(air_temperature, float), np.asarray(angle, float)
    if (warmth < 150.0).any() or ((slope < 0.0) | (slope > 85.0)).any():
        raise InputError("atmosphere: expected air temperatures in K and incidence angles between 0 and 85 degrees.")
    depth = np.exp(-3.9262 - 0.2211e-3 * np.asarray(elevation, float) - 0.00369 * warmth)
    passed = np.exp(-depth / np.cos(np.radians(slope)))
    upward = np.exp(4.9274 + 0.002195 * warmth) * (1.0 - passed)
    return passed, upward, upward + COSMIC * passed


__all__ = ["COSMIC", "atmosphere"]
