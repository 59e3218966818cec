"""Boundary to the compiled COSMIC operator: columns of soil in, neutrons above them out."""

from __future__ import annotations

from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pyland.core import wrapped
from pyland.core.errors import check

Array = NDArray[np.float64]

GAUSS_ANGLES = 16
HALF_DEGREES = 180


@cache
def gauss_angles() -> tuple[Array, Array]:
    """Return 1/cosine and weights [1] of the mean over all angles from the vertical, shapes ``(16,)``.

    Gauss-Legendre in t with phi = pi/2 (1 - t**2): the contribution of an angle is smooth but for a boundary layer at
    pi/2, where the substitution puts nodes. Counts are within 1e-8 of their limit (``tests/unit/observe/neutrons``).
    """
    node, weight = np.polynomial.legendre.leggauss(GAUSS_ANGLES)
    t = 0.5 * (1.0 + node)
    return 1.0 / np.sin(0.5 * np.pi * t**2), t * weight


@cache
def half_degree_angles() -> tuple[Array, Array]:
    """Return 1/cosine and weights [1] of the rectangles of half a degree from 0 to 89.5, shapes ``(180,)``.

    The sum of the original COSMIC code (Shuttleworth et al. 2013, supplement): 0.42 % more than the integral, as the
    largest value of each rectangle is taken.
    """
    angle = np.deg2rad(0.5 * np.arange(HALF_DEGREES))
    return 1.0 / np.cos(angle), np.full(HALF_DEGREES, 1.0 / HALF_DEGREES)


ANGLES = MappingProxyType({"exact": gauss_angles, "half_degree": half_degree_angles})
"""Sums over the angles of the ways up."""


def cosmic_columns(
    thickness: Array, bulk_density: Array, water: Array, site: Array, *, extent: float, share: float, angles: str
) -> tuple[Array, Array, Array]:
    """Compute neutrons above columns.

    Parameters
    ----------
    thickness : ndarray, shape (layer, column)
        Thickness of the layers from the top [m].
    bulk_density : ndarray, shape (layer, column)
        Dry bulk density [kg m-3].
    water : ndarray, shape (layer, column)
        Liquid, ice, lattice and organic water [m3 m-3].
    site : ndarray, shape (4, column)
        Water above the ground [kg m-2], N [h-1], alpha [1] and L3 [g cm-2].
    extent : float
        Depth to which neutrons are counted [m].
    share : float
        Share of the neutrons from the soil that come from above the sensing depth [1].
    angles : str
        Key of `ANGLES`.

    Returns
    -------
    counts, depth : ndarray, shape (column,)
        Neutrons [unit of N] and sensing depth [m].
    shares : ndarray, shape (layer, column)
        Part of the counts that each layer makes [1].

    Raises
    ------
    InputError
        If a value is outside its physical bounds or not finite.
    ConvergenceError
        If a sensing depth is not found.
    """
    secant, weight = ANGLES[angles]()
    counts, depth = np.zeros(thickness.shape[1]), np.zeros(thickness.shape[1])
    shares = np.zeros(thickness.shape)
    arrays = [np.ascontiguousarray(one, dtype=np.float64).T for one in (thickness, bulk_density, water, site)]
    check(*wrapped.pl_api_neutrons.neutrons_cosmic(
        secant, weight, *arrays, extent, share, counts, shares.T, depth))
    return counts, depth, shares


__all__ = ["ANGLES", "cosmic_columns", "gauss_angles", "half_degree_angles"]
