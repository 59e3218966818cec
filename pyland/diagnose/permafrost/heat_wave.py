"""What theory says of temperature in uniform ground: the yearly wave, and the depth of thaw after Stefan."""

from __future__ import annotations

import numpy as np

YEAR = 365.25 * 86400.0
"""Length of a year [s]."""

FUSION_HEAT = 3.337e5
"""Latent heat of fusion [J kg-1], as in CLM (Lawrence et al. 2018, table 2.7)."""


def damping_depth(diffusivity: float | np.ndarray, period: float = YEAR) -> float | np.ndarray:
    """Return the depth at which a wave has fallen to 1/e, sqrt(kappa P / pi) (Carslaw and Jaeger 1959, 2.6) [m].

    Parameters
    ----------
    diffusivity : float or numpy.ndarray
        Thermal diffusivity kappa [m2 s-1].
    period : float
        Period P of the wave [s].
    """
    return np.sqrt(np.asarray(diffusivity) * period / np.pi)


def wave_temperature(
    time: np.ndarray, depth: np.ndarray, mean: float, size: float, diffusivity: float, gradient: float = 0.0
) -> np.ndarray:
    """Return the temperature of uniform ground under a yearly wave at its surface.

    Parameters
    ----------
    time : numpy.ndarray, shape (time,)
        [s]; the surface is at its mean and warming at 0.
    depth : numpy.ndarray, shape (layer,)
        [m].
    mean, size : float
        Mean [K] and amplitude [K] at the surface.
    diffusivity : float
        [m2 s-1].
    gradient : float
        Increase of the mean with depth [K m-1].

    Returns
    -------
    numpy.ndarray, shape (time, layer)
        mean + gradient z + size exp(-z/d) sin(2 pi t / P - z/d) [K].
    """
    ratio = depth / damping_depth(diffusivity)
    phase = 2.0 * np.pi * time[:, None] / YEAR - ratio
    return mean + gradient * depth + size * np.exp(-ratio) * np.sin(phase)


def wave_zero_amplitude_depth(size: float, diffusivity: float, limit: float) -> float:
    """Return the depth at which the wave of `wave_temperature` has fallen to an amplitude [K]: d ln(size/limit) [m]."""
    return float(damping_depth(diffusivity) * np.log(size / limit))


def wave_active_layer(mean: float, size: float, diffusivity: float, freezing_point: float) -> float:
    """Return the greatest depth of the freezing isotherm in the wave, without latent heat: d ln(size/(T_f - mean)) [m].

    Parameters
    ----------
    mean, size, freezing_point : float
        Mean [K] below the freezing point by less than the amplitude [K]; freezing point [K].
    diffusivity : float
        [m2 s-1].
    """
    return float(damping_depth(diffusivity) * np.log(size / (freezing_point - mean)))


def stefan_depth(
    thawing_index: float | np.ndarray, conductivity: float | np.ndarray, water: float | np.ndarray
) -> float | np.ndarray:
    """Return the depth of thaw after Stefan, sqrt(2 k I / (L w)) [m].

    Parameters
    ----------
    thawing_index : float or numpy.ndarray
        Thawing index of the ground surface [K d].
    conductivity : float or numpy.ndarray
        Of the thawed ground [W m-1 K-1].
    water : float or numpy.ndarray
        Ice that thaws, per volume of ground [kg m-3].
    """
    return np.sqrt(2.0 * np.asarray(conductivity) * np.asarray(thawing_index) * 86400.0
                   / (FUSION_HEAT * np.asarray(water)))
