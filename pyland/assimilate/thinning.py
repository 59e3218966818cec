"""Fewer observations where they are dense: cell means (superobservations), the best of a cell, a least distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.sparse import coo_array, csr_array

from pyland.assimilate.arguments import check_number
from pyland.assimilate.nearby_points import EARTH_RADIUS, NearbyPoints, on_sphere

PAIRS = 2**18
"""Pairs of neighbours that are in memory at once (about 20 MB); the result does not depend on it."""

BATCH = 4096
"""Candidates whose neighbours are counted at once; the result does not depend on it."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Observations of one type that may be thinned.

    Attributes
    ----------
    index : NearbyPoints
        Their places.
    variance : numpy.ndarray
        Error variances, shape ``(obs,)``.
    depth : numpy.ndarray
        Depths [m], shape ``(obs,)``, NaN for none; observations at different depths are never joined nor compared.
    correlation_length : float or None
        Correlation length of the errors, in the unit of distances.
    """

    index: NearbyPoints
    variance: np.ndarray
    depth: np.ndarray
    correlation_length: float | None

    @property
    def size(self) -> int:
        """Number of candidates."""
        return self.variance.size

    def depth_class(self) -> np.ndarray:
        """Return a number for each distinct depth, shape (obs,)."""
        return np.unique(self.depth, return_inverse=True, equal_nan=True)[1]


class Thinning(Protocol):
    """What turns candidates into fewer observations."""

    def matrix(self, candidates: Candidates) -> csr_array:
        """Return the weights (kept, obs): a row per observation that is kept, of one or of several candidates."""
        ...


@dataclass(frozen=True)
class CellMean:
    """Superobservation: one mean per cell of a regular grid, weighted with the inverse error variance.

    Attributes
    ----------
    size : float
        Side of the cells in the unit of the coordinates (metres with ``haversine``), above 0.

    Notes
    -----
    The predicted observations are averaged with the same weights. The error variance of the mean is that of the
    weighted sum, wᵀ R w, so that errors that are correlated do not average out.
    """

    size: float

    def __post_init__(self) -> None:
        _check_size(self.size)

    def matrix(self, candidates: Candidates) -> csr_array:
        """Return the weights (kept, obs); rows in the order of the first candidate of each cell."""
        cell = _first_first(cell_numbers(candidates, self.size))
        count = int(cell.max(initial=-1)) + 1
        share = 1.0 / candidates.variance
        share = share / np.bincount(cell, share, minlength=count)[cell]
        return csr_array(coo_array((share, (cell, np.arange(candidates.size))), shape=(count, candidates.size)))


@dataclass(frozen=True)
class CellBest:
    """The observation with the smallest error of each cell of a regular grid; of equals, the first by coordinates.

    Attributes
    ----------
    size : float
        Side of the cells in the unit of the coordinates (metres with ``haversine``), above 0.
    """

    size: float

    def __post_init__(self) -> None:
        _check_size(self.size)

    def matrix(self, candidates: Candidates) -> csr_array:
        """Return a row of one weight for each observation that is kept, in their order."""
        cell = cell_numbers(candidates, self.size)
        order = _by_preference(candidates)
        _, best = np.unique(cell[order], return_index=True)
        return _rows(np.sort(order[best]), candidates.size)


@dataclass(frozen=True)
class MinimumDistance:
    """Observations no nearer to each other than a distance; those with smaller errors go first, then by coordinates.

    Attributes
    ----------
    distance : float
        Least distance in the unit of the coordinates (metres with ``haversine``), above 0.
    """

    distance: float

    def __post_init__(self) -> None:
        _check_size(self.distance)

    def matrix(self, candidates: Candidates) -> csr_array:
        """Return a row of one weight for each observation that is kept, in their order."""
        points, level = candidates.index.points, candidates.depth_class()
        kept, free = [], np.ones(candidates.size, bool)
        waiting = _by_preference(candidates)
        while waiting.size:  # each turn settles at least one candidate
            counts = candidates.index.count_within(points[waiting[:BATCH]], self.distance)
            block = waiting[: max(1, int(np.searchsorted(np.cumsum(counts), PAIRS, side="right")))][:BATCH]
            one, other, distance = candidates.index.within(points[block], self.distance)
            here = block[one]
            close = (distance < self.distance) & (here != other) & (level[here] == level[other])
            one, other = one[close], other[close]
            first = np.searchsorted(one, np.arange(block.size + 1))
            for place, here in enumerate(block):
                if free[here]:
                    kept.append(here)
                    free[other[first[place] : first[place + 1]]] = False
            waiting = waiting[block.size :]
            waiting = waiting[free[waiting]]
        return _rows(np.sort(np.array(kept, dtype=np.int64)), candidates.size)


def cell_numbers(candidates: Candidates, size: float) -> np.ndarray:
    """Return a number for the grid cell and depth of each candidate, shape (obs,); equal numbers share a cell.

    Cells start at the origin of the coordinates. On the sphere they are bands of latitude, each divided into as many
    cells as bring their width nearest to the size. A periodic axis is divided into a whole number of cells.
    """
    points, period = candidates.index.points, candidates.index.period
    if candidates.index.metric == "haversine":
        nband = max(1, round(np.pi * EARTH_RADIUS / size))
        band = np.minimum(((points[:, 0] + 90.0) / 180.0 * nband).astype(np.int64), nband - 1)
        middle = np.radians((band + 0.5) / nband * 180.0 - 90.0)
        ncell = np.maximum(1, np.round(2.0 * np.pi * EARTH_RADIUS * np.cos(middle) / size)).astype(np.int64)
        share = np.mod(points[:, 1], 360.0) / 360.0
        columns = [band, np.minimum((share * ncell).astype(np.int64), ncell - 1)]
    else:
        columns = []
        for k, length in enumerate(period):
            if length > 0:
                ncell = max(1, round(length / size))
                columns.append(np.minimum((np.mod(points[:, k], length) / length * ncell).astype(np.int64), ncell - 1))
            else:
                columns.append(np.floor(points[:, k] / size))
    return np.unique(np.column_stack([*columns, candidates.depth_class()]), axis=0, return_inverse=True)[1].ravel()


def joined_places(candidates: Candidates, weights: csr_array) -> np.ndarray:
    """Return the places (kept, ndim) of weighted means: the middle of their candidates, the short way around."""
    index = candidates.index
    if index.metric == "haversine":
        middle = weights @ on_sphere(index.points)
        places = np.column_stack([
            np.degrees(np.arctan2(middle[:, 2], np.hypot(middle[:, 0], middle[:, 1]))),
            np.degrees(np.arctan2(middle[:, 1], middle[:, 0])),
        ])  # fmt: skip
    else:
        anchor = index.points[weights.indices[weights.indptr[:-1]]]
        owner = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr))
        offset = index.nearest_image(index.points[weights.indices] - anchor[owner]) * weights.data[:, np.newaxis]
        shift = np.zeros_like(anchor)
        np.add.at(shift, owner, offset)
        places = anchor + shift
    alone = np.flatnonzero(np.diff(weights.indptr) == 1)
    places[alone] = index.points[weights.indices[weights.indptr[alone]]]  # their own, to the last bit
    return places


def joined_variance(candidates: Candidates, weights: csr_array) -> np.ndarray:
    """Return the error variances (kept,) of weighted means, wᵀ R w, with correlated errors where there are any."""
    deviation = np.sqrt(candidates.variance)
    if candidates.correlation_length is None:
        return (weights.multiply(weights) @ candidates.variance[:, np.newaxis])[:, 0]
    variance = np.empty(weights.shape[0])
    for row in range(weights.shape[0]):
        part = slice(weights.indptr[row], weights.indptr[row + 1])
        chosen, share = weights.indices[part], weights.data[part]
        places = candidates.index.points[chosen]
        distance = candidates.index.distance(places[:, np.newaxis], places[np.newaxis])
        scaled = share * deviation[chosen]
        variance[row] = scaled @ np.exp(-distance / candidates.correlation_length) @ scaled
    return variance


def _by_preference(candidates: Candidates) -> np.ndarray:
    """Return candidates by error variance, then by coordinates: the order in a file does not matter."""
    return np.lexsort((*candidates.index.points.T[::-1], candidates.variance))


def _first_first(cell: np.ndarray) -> np.ndarray:
    """Renumber cells in the order of their first candidates."""
    _, first, inverse = np.unique(cell, return_index=True, return_inverse=True)
    rank = np.empty(first.size, np.int64)
    rank[np.argsort(first)] = np.arange(first.size)
    return rank[inverse.ravel()]


def _rows(kept: np.ndarray, size: int) -> csr_array:
    return csr_array(coo_array((np.ones(kept.size), (np.arange(kept.size), kept)), shape=(kept.size, size)))


def _check_size(size: float) -> None:
    check_number("size of a thinning cell or distance", size, 0.0, np.finfo(float).max, open_low=True)


__all__ = ["Candidates", "CellBest", "CellMean", "MinimumDistance", "Thinning", "joined_places", "joined_variance"]
