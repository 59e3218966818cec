"""Distances between points and the search for those nearby, with one definition for all that observations need."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from pyland.assimilate.arguments import to_floats
from pyland.base.errors import InputError
from pyland.base.text import one_of

EARTH_RADIUS = 6.37122e6
"""Mean radius of the Earth as in the local filters (CIME shr_const) [m]."""

METRICS = ("euclidean", "haversine")

ROUNDING = 1.0 + 64 * np.finfo(float).eps
"""Factor on radii: the rounding of two ways to compute a distance must not lose a point exactly on the radius."""


class NearbyPoints:
    """Points with a spatial index.

    Parameters
    ----------
    points : array_like
        Coordinates, shape ``(point, ndim)`` or ``(point,)``, ndim 1 to 3; (latitude, longitude) in degrees with
        ``haversine``.
    metric : {"euclidean", "haversine"}
        Straight line, or great circle [m].
    period : array_like, optional
        Length of each periodic axis, shape ``(ndim,)``, 0 or infinite for none; only with ``euclidean``.
    name : str
        What the points are, for messages.

    Attributes
    ----------
    points : numpy.ndarray
        Coordinates, shape ``(point, ndim)``.

    Raises
    ------
    InputError
        If shapes or values do not fit the metric.
    """

    def __init__(
        self, points: Any, metric: str = "euclidean", period: Any = None, *, name: str = "coords (point, ndim)"
    ) -> None:
        if metric not in METRICS:
            raise InputError(f"metric must be {one_of(METRICS)}; got {metric!r}")
        self.metric = metric
        self.points = as_points(name, points, metric)
        self.period = _periods(period, self.points.shape[1], metric)
        inside = self._in_tree(self.points)
        self._tree = cKDTree(inside, boxsize=self._box()) if len(self.points) else None
        self._grain = (ROUNDING - 1.0) * float(np.abs(inside).max(initial=0.0))  # that of coordinates, not of distances

    def within(self, others: Any, radius: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Find the points within a finite radius of others, the radius included.

        Returns
        -------
        other, point : numpy.ndarray of int, shape (pair,)
            In the order of others, then of points.
        distance : numpy.ndarray, shape (pair,)
            In the unit of the coordinates, in metres with ``haversine``.
        """
        places, reach = self._others(others), self._reach(radius)
        if self._tree is None or not len(places):
            none = np.empty(0, np.int64)
            return none, none, np.empty(0)
        found = cKDTree(self._in_tree(places), boxsize=self._box()).sparse_distance_matrix(
            self._tree, reach, output_type="ndarray"
        )
        other, point = found["i"].astype(np.int64), found["j"].astype(np.int64)
        distance = self.distance(places[other], self.points[point])
        keep = np.flatnonzero(distance <= radius)
        order = keep[np.lexsort((point[keep], other[keep]))]
        return other[order], point[order], distance[order]

    def count_within(self, others: Any, radius: float) -> np.ndarray:
        """Return how many pairs `within` looks at for each of others, shape ``(other,)``; what a search will take."""
        places, reach = self._others(others), self._reach(radius)
        if self._tree is None or not len(places):
            return np.zeros(len(places), np.int64)
        return self._tree.query_ball_point(self._in_tree(places), reach, return_length=True).astype(np.int64)

    def nearest(self, others: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return the nearest point of each of others and its distance; of several as near, that of the lowest number.

        At most ``2**ndim`` equally near points are compared, as many as a regular grid has.
        """
        places = self._others(others)
        if self._tree is None:
            raise InputError("there are no points to be nearest to")
        count = min(2 ** self.points.shape[1], len(self.points))
        _, candidates = self._tree.query(self._in_tree(places), k=np.arange(1, count + 1))
        candidates = np.sort(candidates.reshape(len(places), count), axis=1)
        distances = self.distance(places[:, np.newaxis, :], self.points[candidates])
        best = distances.argmin(axis=1)
        rows = np.arange(len(places))
        return candidates[rows, best].astype(np.int64), distances[rows, best]

    def spacing(self, chosen: np.ndarray) -> np.ndarray:
        """Return the distance of chosen points to their nearest neighbours; there must be two points."""
        _, pair = self._tree.query(self._in_tree(self.points[chosen]), k=[1, 2])
        return self.distance(self.points[pair[:, 0]], self.points[pair[:, 1]])

    def distance(self, ones: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Return the distance between coordinates of shape (..., ndim), pair by pair."""
        if self.metric == "haversine":
            one, other = np.radians(ones), np.radians(others)
            half = np.sin((one - other) / 2.0) ** 2
            share = half[..., 0] + np.cos(one[..., 0]) * np.cos(other[..., 0]) * half[..., 1]
            return 2.0 * EARTH_RADIUS * np.arcsin(np.sqrt(np.minimum(share, 1.0)))
        return np.sqrt((self.nearest_image(ones - others) ** 2).sum(axis=-1))

    def nearest_image(self, offset: np.ndarray) -> np.ndarray:
        """Return offsets (..., ndim) taken the short way around periodic axes."""
        if not self.period.any():
            return offset
        length = np.where(self.period > 0, self.period, 1.0)
        return np.where(self.period > 0, offset - length * np.round(offset / length), offset)

    def _others(self, others: Any) -> np.ndarray:
        places = as_points("coords (obs, ndim)", others, self.metric)
        if places.shape[1] != self.points.shape[1]:
            raise InputError(
                f"points and observations must have as many coordinates; got {self.points.shape[1]} "
                f"and {places.shape[1]}"
            )
        return places

    def _reach(self, radius: float) -> float:
        """Return the distance in the tree that no point within the radius exceeds."""
        if not np.isfinite(radius) or radius < 0:
            raise InputError(f"a search needs a finite radius of at least 0; got {radius!r}")
        if self.metric == "haversine":  # a chord in space
            radius = 2.0 * EARTH_RADIUS * np.sin(min(radius / (2.0 * EARTH_RADIUS), np.pi / 2))
        return radius * ROUNDING + self._grain

    def _in_tree(self, points: np.ndarray) -> np.ndarray:
        if self.metric == "haversine":
            return EARTH_RADIUS * on_sphere(points)
        length = np.where(self.period > 0, self.period, 1.0)
        inside = np.where(self.period > 0, np.mod(points, length), points)
        return np.where((self.period > 0) & (inside >= length), 0.0, inside)  # the remainder may round to the period

    def _box(self) -> np.ndarray | None:
        return self.period if self.period.any() else None


def on_sphere(points: np.ndarray) -> np.ndarray:
    """Return unit vectors (point, 3) of (latitude, longitude) in degrees."""
    latitude, longitude = np.radians(points).T
    return np.column_stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)]
    )


def as_points(name: str, value: Any, metric: str) -> np.ndarray:
    """Return finite coordinates as (point, ndim); a list of numbers is one coordinate each."""
    points = to_floats(name, np.asarray(value)[:, np.newaxis] if np.ndim(value) == 1 else value, 2)
    if not 1 <= points.shape[1] <= 3:
        raise InputError(f"{name} must have 1 to 3 coordinates per row; got shape {points.shape}")
    if metric == "haversine":
        if points.shape[1] != 2:
            raise InputError(
                f"{name} must hold (latitude, longitude) for metric 'haversine'; got {points.shape[1]} coordinates"
            )
        if len(points) and np.abs(points[:, 0]).max() > 90.0:
            raise InputError(
                f"{name} must hold (latitude, longitude) in degrees for metric 'haversine'; got a latitude of "
                f"{points[np.abs(points[:, 0]).argmax(), 0]!r}"
            )
    return points


def _periods(period: Any, ndim: int, metric: str) -> np.ndarray:
    """Return the length of each periodic axis, 0 where there is none."""
    if period is None:
        return np.zeros(ndim)
    lengths = np.asarray(period, dtype=np.float64)
    if lengths.shape != (ndim,) or np.isnan(lengths).any() or (lengths < 0).any():
        raise InputError(
            f"period must hold one length per coordinate, shape ({ndim},), 0 or infinite for an axis without; "
            f"got {period!r}"
        )
    lengths = np.where(np.isfinite(lengths), lengths, 0.0)
    if metric == "haversine" and lengths.any():
        raise InputError("period belongs to metric 'euclidean'; great circles close by themselves")
    return lengths


__all__ = ["EARTH_RADIUS", "METRICS", "ROUNDING", "NearbyPoints", "as_points", "on_sphere"]
