"""Depth at which the yearly wave of temperature has died out, and the temperature there."""

from __future__ import annotations

import numpy as np

from pyland.base.errors import InputError
from pyland.diagnose.permafrost.annual_profiles import AnnualProfiles
from pyland.diagnose.permafrost.isotherms import value_at

AMPLITUDE_LIMIT = 0.1
"""Amplitude below which there is none, the resolution of thermistors in boreholes [K]."""

RESOLUTION = 3.1e-5
"""Step of a temperature near 273 K that is stored in 32 bits [K]; a history tells no smaller amplitude from none."""


def amplitude(years: AnnualProfiles) -> np.ndarray:
    """Return the amplitude of the yearly wave of temperature, shape (layer, cell) [K].

    That of the mean wave of all years, without what a trend from year to year adds: of a steady warming by b a year the
    yearly sine has -b/pi, which at depth is more than what is left of the wave. Half the yearly range, which boreholes
    often have, is the same for a wave without a trend.
    """
    sine = years.sine.mean(axis=0)
    if years.nyear > 1:
        number = np.arange(years.nyear) - 0.5 * (years.nyear - 1)
        trend = np.tensordot(number / (number @ number), years.mean, axes=1)  # least squares [K per year]
        sine = sine + trend / np.pi
    return np.hypot(years.cosine.mean(axis=0), sine)


def zero_amplitude_depth(size: np.ndarray, depth: np.ndarray, limit: float = AMPLITUDE_LIMIT) -> np.ndarray:
    """Return the depth below which the amplitude stays below a limit.

    Parameters
    ----------
    size : numpy.ndarray, shape (layer, cell)
        Amplitude at ``depth`` [K].
    depth : numpy.ndarray, shape (layer,)
        From the top [m].
    limit : float
        [K], above ``RESOLUTION``.

    Returns
    -------
    numpy.ndarray, shape (cell,)
        [m]; NaN where the amplitude exceeds the limit at the lowest point, or is missing. Between two points the
        logarithm of the amplitude is linear, as it is where conduction alone carries the wave.

    Raises
    ------
    InputError
        If the limit is too small.
    """
    if limit <= RESOLUTION:
        raise InputError(f"Depth of zero amplitude: expected a limit above {RESOLUTION:g} K, which is what 32 bits "
                         f"resolve, got {limit:g} K.")
    exceeds = size > limit
    last = depth.size - 1 - np.argmax(exceeds[::-1], axis=0)
    lower = np.minimum(last + 1, depth.size - 1)
    above = np.take_along_axis(size, last[None], axis=0)[0]
    below = np.maximum(np.take_along_axis(size, lower[None], axis=0)[0], RESOLUTION)
    crosses = exceeds.any(axis=0) & (lower > last)
    ratio = np.divide(above, below, out=np.ones(above.shape), where=crosses)
    part = np.divide(above, limit, out=np.ones(above.shape), where=crosses)
    share = np.divide(np.log(part), np.log(ratio), out=np.zeros(above.shape), where=crosses)
    found = np.where(crosses, depth[last] + share * (depth[lower] - depth[last]), np.nan)
    found = np.where(exceeds.any(axis=0), found, depth[0])
    return np.where(np.isfinite(size).all(axis=0), found, np.nan)


def ground_temperature(years: AnnualProfiles, depth: np.ndarray) -> np.ndarray:
    """Return the mean annual ground temperature (MAGT) of each year at one depth per cell.

    Parameters
    ----------
    years : AnnualProfiles
        The years.
    depth : numpy.ndarray, shape (cell,)
        Depth of zero amplitude [m]; NaN gives NaN.

    Returns
    -------
    numpy.ndarray, shape (year, cell)
        [K], linear between the layers.
    """
    return value_at(years.mean, years.depth, np.broadcast_to(depth, (years.nyear, depth.size)))


def check_column(size: np.ndarray, depth: np.ndarray, limit: float = AMPLITUDE_LIMIT) -> None:
    """Refuse columns that end above the depth of zero amplitude.

    Parameters
    ----------
    size, depth, limit
        As in `zero_amplitude_depth`.

    Raises
    ------
    InputError
        If the amplitude of the lowest point exceeds the limit in every cell.
    """
    lowest = size[-1][np.isfinite(size[-1])]
    if lowest.size and lowest.min() > limit:
        raise InputError(
            f"The column is too shallow for the depth of zero amplitude: at its lowest point, {depth[-1]:.3g} m, the "
            f"yearly wave still has an amplitude of {lowest.min():.3g} K in every cell, expected at most {limit:g} K. "
            "It takes 15 to 20 m of ground: give more layers of rock (domain.bedrock_layers: 5 reaches 49.6 m), spin "
            "up again and run the case.")
