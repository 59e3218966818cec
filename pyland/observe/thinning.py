"""Thinning: observations that stand so close that their errors are no longer independent.

A filter takes every error for independent, unless it is told of their correlation. Dense products say the same thing
many times; thinned to a distance, what is left is nearer to what the filter believes (Liu and Rabier 2002).

References
----------
.. [1] Liu, Z.-Q., Rabier, F. (2002). The interaction between model resolution, observation resolution and observation
   density in data assimilation: a one-dimensional study. Q. J. R. Meteorol. Soc. 128, 1367-1386.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.spatial import cKDTree

from pyland.base.errors import InputError


def is_kept(
    x: np.ndarray, y: np.ndarray, variance: np.ndarray, location: np.ndarray, distance: float
) -> np.ndarray:
    """Choose observations of one time that keep a distance from each other.

    Observations are asked in the order of their error variance, those of one variance in the order of their places; one
    is kept if none that is kept already is nearer than the distance. The choice does not depend on the order in which
    they are given.

    Parameters
    ----------
    x, y : array_like, shape (obs,)
        Coordinates [m].
    variance : array_like, shape (obs,)
        Error variances [unit of the observation squared].
    location : array_like of int, shape (obs,)
        Identity of the places.
    distance : float
        Smallest distance [m], above 0; observations at this distance are both kept.

    Returns
    -------
    ndarray of bool, shape (obs,)

    Raises
    ------
    InputError
        If the distance is not positive and finite.

    Examples
    --------
    >>> import numpy as np
    >>> is_kept([0.0, 60.0, 120.0], np.zeros(3), np.ones(3), np.arange(3), 100.0).tolist()
    [True, False, True]
    """
    if not (np.isfinite(distance) and distance > 0):
        raise InputError(f"observations.thinning: expected a positive distance [m], got {distance}.")
    places = np.stack([np.asarray(x, float), np.asarray(y, float)], axis=1)
    count = len(places)
    if count == 0:
        return np.zeros(0, bool)
    rank = np.empty(count, np.int64)
    rank[np.lexsort((np.asarray(location), np.asarray(variance, float)))] = np.arange(count)
    pairs = cKDTree(places).query_pairs(distance, output_type="ndarray")
    near = np.hypot(*(places[pairs[:, 0]] - places[pairs[:, 1]]).T) < distance
    first, second = pairs[near].T
    swapped = rank[first] > rank[second]
    better, worse = np.where(swapped, second, first), np.where(swapped, first, second)
    order = np.argsort(rank[worse], kind="stable")  # each is asked after all that are better have answered
    better, worse = better[order], worse[order]
    kept = np.ones(count, bool)
    bounds = [*np.flatnonzero(np.diff(rank[worse], prepend=-1)), worse.size]
    for start, end in pairwise(bounds):
        kept[worse[start]] = not kept[better[start:end]].any()
    return kept
