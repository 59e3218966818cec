"""Means and spreads over members whose bits do not depend on how many cells are reduced at once.

numpy adds the members of many cells in their order, but those of a single cell in pairs. A rank with one cell would
therefore differ in the last bit from a rank with more.
"""

from __future__ import annotations

import numpy as np


def member_mean(values: np.ndarray, axis: int = -2) -> np.ndarray:
    """Return the mean over members, added in their order.

    Parameters
    ----------
    values : numpy.ndarray, shape (..., member, cell)
        Any unit.
    axis : int
        Axis of the members.
    """
    members = np.moveaxis(np.asarray(values, dtype=float), axis, 0)
    total = np.array(members[0])
    for one in members[1:]:
        total += one
    return total / len(members)


def member_spread(values: np.ndarray, axis: int = -2) -> np.ndarray:
    """Return the sample standard deviation (n - 1) over members, added in their order; arguments as `member_mean`."""
    members = np.moveaxis(np.asarray(values, dtype=float), axis, 0)
    mean = member_mean(members, 0)
    total = np.zeros_like(mean)
    for one in members:
        total += (one - mean) ** 2
    return np.sqrt(total / (len(members) - 1))
