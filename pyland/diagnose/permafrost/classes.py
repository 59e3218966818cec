"""Names for cold ground: thermal classes by temperature, zones by the share of an area that has permafrost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyland.base.errors import InputError

THERMAL_CLASSES = ("very_stable", "stable", "semi_stable", "transitional", "unstable")
"""Classes of permafrost on the Tibetan Plateau from the coldest (Ran et al. 2021, Sci. China Earth Sci. 64, 62-79)."""

CLASS_LIMITS = (-5.0, -3.0, -1.5, -0.5)
"""Mean annual ground temperature that parts one class from the next [degC], same source."""

ZONES = ("none", "isolated", "sporadic", "discontinuous", "continuous")
"""Zones of the map of the International Permafrost Association (Brown et al. 1997, USGS CP-45)."""

ZONE_LIMITS = (0.1, 0.5, 0.9)
"""Share of the area that parts isolated, sporadic, discontinuous and continuous permafrost [1], same source."""


def thermal_class(
    temperature: np.ndarray, permafrost: np.ndarray, limits: Sequence[float] = CLASS_LIMITS
) -> np.ndarray:
    """Return the thermal class of each cell.

    Parameters
    ----------
    temperature : numpy.ndarray
        Mean annual ground temperature at the depth of zero amplitude [degC].
    permafrost : numpy.ndarray of bool, same shape
        Whether there is permafrost.
    limits : sequence of float
        Four increasing temperatures [degC].

    Returns
    -------
    numpy.ndarray of int, same shape
        1 to 5 in the order of ``THERMAL_CLASSES``; 0 without permafrost, -1 where the temperature is missing. A
        temperature on a limit belongs to the warmer class.

    Raises
    ------
    InputError
        If the limits are not four increasing numbers.
    """
    if len(limits) != len(CLASS_LIMITS) or (np.diff(limits) <= 0.0).any():
        raise InputError(f"Thermal classes: expected {len(CLASS_LIMITS)} increasing temperatures [degC], got "
                         f"{list(limits)}.")
    number = np.digitize(temperature, limits) + 1
    return np.where(np.isfinite(temperature), np.where(permafrost, number, 0), -1)


def zone_of_share(share: float | np.ndarray) -> np.ndarray:
    """Return the zone of an area.

    Parameters
    ----------
    share : float or numpy.ndarray
        Share of the area that has permafrost [1].

    Returns
    -------
    numpy.ndarray of int, shape of ``share``
        0 to 4 in the order of ``ZONES``; a share on a limit belongs to the zone with more.
    """
    share = np.asarray(share, dtype=float)
    if not ((share >= 0.0) & (share <= 1.0)).all():
        raise InputError(f"Zones of permafrost: expected shares from 0 to 1, got {share.min():g} to {share.max():g}.")
    return np.where(share > 0.0, np.digitize(share, ZONE_LIMITS) + 1, 0)


def area_shares(permafrost: np.ndarray, area: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of the area of each group that has permafrost.

    Parameters
    ----------
    permafrost : numpy.ndarray of bool, shape (cell,)
        Whether there is permafrost.
    area : numpy.ndarray, shape (cell,)
        [m2].
    group : numpy.ndarray of int, shape (cell,)
        Group of each cell, such as an elevation band.

    Returns
    -------
    groups : numpy.ndarray of int, shape (group,)
        In increasing order.
    shares : numpy.ndarray, shape (group,)
        [1].
    """
    groups, member = np.unique(group, return_inverse=True)
    total = np.bincount(member, weights=area)
    return groups, np.bincount(member, weights=area * permafrost) / total


def lower_limit(permafrost: np.ndarray, elevation: np.ndarray) -> dict[str, float]:
    """Return where permafrost begins as one goes up.

    Parameters
    ----------
    permafrost : numpy.ndarray of bool, shape (cell,)
        Whether there is permafrost.
    elevation : numpy.ndarray, shape (cell,)
        [m].

    Returns
    -------
    dict of str to float
        ``lowest``: elevation of the lowest cell with permafrost; ``everywhere``: that of the lowest cell from which on
        all cells have it; ``limit``: the elevation with as many cells with permafrost below it as cells without above
        it, half-way between cells [m]. NaN without permafrost, ``limit`` too where all cells have it.
    """
    if not permafrost.any():
        return dict.fromkeys(("lowest", "everywhere", "limit"), float("nan"))
    order = np.argsort(elevation, kind="stable")
    there, height = permafrost[order], elevation[order]
    without = np.flatnonzero(~there)
    everywhere = without[-1] + 1 if without.size else 0
    count = without.size  # as many cells below the limit as there are without permafrost
    limit = 0.5 * (height[count - 1] + height[count]) if count else np.nan
    return {"lowest": float(height[there][0]),
            "everywhere": float(height[everywhere]) if everywhere < height.size else float("nan"),
            "limit": float(limit)}
