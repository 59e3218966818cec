"""Smooth random fields from a seed: the relief and the soils of generated catchments.

A sum of cosines with random directions and phases, whose wave numbers are drawn from the spectrum of a Gaussian
correlation exp(-(r/length)^2) [1]_. The value at a point depends on the seed and the point only, not on the grid.

References
----------
.. [1] Shinozuka, M., Deodatis, G. (1991). Simulation of stochastic processes by spectral representation. Appl. Mech.
   Rev. 44, 191-204.
"""

from __future__ import annotations

import zlib

import numpy as np

WAVES = 256
"""Number of cosines: the sum is close to normal, and its correlation close to the target."""

_POINTS_AT_ONCE = 65536


def smooth_field(x: np.ndarray, y: np.ndarray, length: float, seed: int, purpose: str) -> np.ndarray:
    """Return a random field of mean 0 and variance 1.

    Parameters
    ----------
    x, y : numpy.ndarray, shape (cell,)
        Coordinates [m].
    length : float
        Distance over which the correlation falls to 1/e [m], above 0.
    seed : int
        Seed, 0 or above.
    purpose : str
        Names the field, so that two fields of one seed are independent.

    Returns
    -------
    numpy.ndarray, shape (cell,)
        Values [1].
    """
    generator = np.random.Generator(np.random.Philox(key=[seed, zlib.crc32(purpose.encode("utf-8"))]))
    # the Fourier transform of exp(-(r/length)^2) is normal with standard deviation sqrt(2)/length
    wave_x, wave_y = generator.standard_normal((2, WAVES)) * np.sqrt(2.0) / length
    phase = 2.0 * np.pi * generator.random(WAVES)
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    result = np.empty(x.size)
    for start in range(0, x.size, _POINTS_AT_ONCE):
        part = slice(start, start + _POINTS_AT_ONCE)
        angle = x[part, None] * wave_x + y[part, None] * wave_y + phase
        result[part] = np.cos(angle).sum(axis=1)
    return result * np.sqrt(2.0 / WAVES)
