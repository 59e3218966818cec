"""Where observations lie on the model grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from pyland.base.errors import InputError

EARTH_RADIUS = 6371229.0
"""Radius of the sphere [m] (WMO GRIB, shape of the earth 6)."""

FOOTPRINT_WEIGHTS = ("uniform", "gaussian")
"""Weights of the cells of a footprint."""

GAUSSIAN_REACH = 1.5
"""Where the footprint of an antenna ends [half-power widths]: its weight has fallen to 2**-9 of that in the middle."""

_HALF_DIAGONAL = 0.5 * np.sqrt(2.0)
_ROOM = 1.02
"""Factor on half a diagonal: meridians converge within a grid, so that corners of cells do not quite meet."""

_NEIGHBOURS = 4
"""Cells that a point may be equally near to: the corner of four."""


@dataclass(frozen=True)
class TargetCells:
    """The cells of the whole domain, the same on every rank.

    Attributes
    ----------
    latitude, longitude : ndarray, shape (cell,)
        Centres of the cells [degrees]; longitudes may run from -180 or from 0.
    x, y : ndarray, shape (cell,)
        Centres of the cells in the coordinates of the domain [m].
    size : float
        Edge length of a cell [m]; an observation belongs to the domain if it is within half a diagonal of a centre.
    """

    latitude: np.ndarray
    longitude: np.ndarray
    x: np.ndarray
    y: np.ndarray
    size: float

    def __post_init__(self) -> None:
        for name in ("latitude", "longitude", "x", "y"):
            object.__setattr__(self, name, np.atleast_1d(np.asarray(getattr(self, name), float)))
        if len({getattr(self, name).shape for name in ("latitude", "longitude", "x", "y")}) != 1 or self.x.ndim != 1:
            raise InputError("observations: latitude, longitude, x and y of the cells must have one shape (cell,).")
        if not self.size > 0:
            raise InputError(f"observations: the size of a cell must be positive [m], got {self.size}.")

    def bounds(self) -> str:
        """Return the bounds of the domain as text for messages."""
        longitude = _wrapped(self.longitude)
        return (f"latitude {self.latitude.min():.4f} to {self.latitude.max():.4f}, "
                f"longitude {longitude.min():.4f} to {longitude.max():.4f}")

    def locate(self, latitude: np.ndarray, longitude: np.ndarray) -> tuple[np.ndarray, ...]:
        """Find the nearest cell of each point.

        Parameters
        ----------
        latitude, longitude : array_like, shape (obs,)
            Positions [degrees].

        Returns
        -------
        cell : ndarray of int, shape (obs,)
            Nearest cell.
        x, y : ndarray, shape (obs,)
            Coordinates of the points in the domain [m], from the local tangent plane at the nearest cell.
        inside : ndarray of bool, shape (obs,)
            Whether the point lies in the domain.
        """
        latitude, longitude = np.atleast_1d(np.asarray(latitude, float)), np.atleast_1d(np.asarray(longitude, float))
        cell = np.zeros(latitude.size, np.int64)
        placed = np.isfinite(latitude) & np.isfinite(longitude)
        known = np.flatnonzero(np.isfinite(self.latitude) & np.isfinite(self.longitude))
        tree = cKDTree(_on_sphere(self.latitude[known], self.longitude[known]))
        points = _on_sphere(latitude[placed], longitude[placed])
        distance, near = tree.query(points, k=range(1, min(_NEIGHBOURS, known.size) + 1))
        is_tie = distance <= distance[:, :1] * (1.0 + 1e-9) + 1e-15  # rounding of points half way between cells
        cell[placed] = known[np.where(is_tie, near, known.size - 1).min(axis=1)]
        radians = np.deg2rad(1.0)
        north = EARTH_RADIUS * radians * (latitude - self.latitude[cell])
        east = EARTH_RADIUS * radians * _wrapped(longitude - self.longitude[cell]) * np.cos(
            radians * self.latitude[cell])
        inside = np.hypot(east, north) <= _ROOM * _HALF_DIAGONAL * self.size
        return cell, self.x[cell] + east, self.y[cell] + north, inside

    def nearest(self, x: float, y: float) -> tuple[int, bool]:
        """Find the nearest cell of a point, and whether the point lies in the domain.

        Parameters
        ----------
        x, y : float
            Point in the coordinates of the domain [m].
        """
        distance = np.hypot(self.x - x, self.y - y)
        cell = int(distance.argmin())
        return cell, bool(distance[cell] <= _ROOM * _HALF_DIAGONAL * self.size)

    def footprints(
        self, x: np.ndarray, y: np.ndarray, diameter: float, weights: str = "uniform"
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the cells whose centres lie in a circle around each point, with their weights.

        Parameters
        ----------
        x, y : array_like, shape (obs,)
            Points in the coordinates of the domain [m].
        diameter : float
            Diameter of the circle [m]; a circle without a centre holds the nearest cell.
        weights : {"uniform", "gaussian"}
            ``gaussian``: the diameter is the half-power width of an antenna, the weight is one half at its rim, and
            cells count to ``GAUSSIAN_REACH`` diameters from the centre.

        Returns
        -------
        cells : ndarray of int, shape (obs, slot)
            Global cells in rising order; -1 in empty slots.
        weights : ndarray, shape (obs, slot)
            Weights [1] that sum to 1; 0 in empty slots.
        """
        if not (np.isfinite(diameter) and diameter >= 0):
            raise InputError(f"observations: footprint must be 0 or a positive diameter [m], got {diameter}.")
        if weights not in FOOTPRINT_WEIGHTS:
            raise InputError(f"observations: footprint weights must be one of {', '.join(FOOTPRINT_WEIGHTS)}, got "
                             f"{weights!r}.")
        radius = 0.5 * diameter if weights == "uniform" else GAUSSIAN_REACH * diameter
        points = np.stack([np.atleast_1d(x), np.atleast_1d(y)], axis=1).astype(float)
        tree = cKDTree(np.stack([self.x, self.y], axis=1))
        chosen, shares = [], []
        for point, near in zip(points, tree.query_ball_point(points, radius * (1.0 + 1e-9)), strict=True):
            within = np.sort(np.asarray(near, np.int64))
            distance = np.hypot(self.x[within] - point[0], self.y[within] - point[1])
            within, distance = within[distance <= radius], distance[distance <= radius]
            if not within.size:
                within, distance = np.array([tree.query(point)[1]]), np.zeros(1)
            share = np.ones(within.size) if weights == "uniform" else 0.5 ** ((2.0 * distance / diameter) ** 2)
            chosen.append(within)
            shares.append(share / share.sum())
        cells = np.full((len(chosen), max((c.size for c in chosen), default=1)), -1, np.int64)
        found = np.zeros(cells.shape)
        for row, (index, share) in enumerate(zip(chosen, shares, strict=True)):
            cells[row, : index.size], found[row, : index.size] = index, share
        return cells, found


def _on_sphere(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Return points on the unit sphere, (point, 3); the nearest by chord is the nearest on the sphere."""
    up, around = np.deg2rad(latitude), np.deg2rad(longitude)
    return np.stack([np.cos(up) * np.cos(around), np.cos(up) * np.sin(around), np.sin(up)], axis=-1)


def _wrapped(longitude: np.ndarray) -> np.ndarray:
    """Return longitudes or their differences in -180..180 [degrees]."""
    return (np.asarray(longitude) + 180.0) % 360.0 - 180.0
