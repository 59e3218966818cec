"""Where observations lie on the model grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from pyland.base.errors import InputError

EARTH_RADIUS = 6371229.0
"""Radius of the sphere [m] (WMO GRIB, shape of the earth 6)."""

FOOTPRINT_WEIGHTS = ("uniform", "gaussian", "hamming", "square")
"""Weights of the cells of a footprint: alike in a circle, those of an antenna, of a resampled scatterometer, alike in
a cell of a grid."""

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

    def locate(
        self, latitude: np.ndarray, longitude: np.ndarray, *, only_inside: bool = False
    ) -> tuple[np.ndarray, ...]:
        """Find the nearest cell of each point.

        Parameters
        ----------
        latitude, longitude : array_like, shape (obs,)
            Positions [degrees].
        only_inside : bool
            Look no further than the domain: faster for products that reach far beyond it. Cell and coordinates of
            points outside have no meaning then.

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
        reach = 2.0 * _ROOM * _HALF_DIAGONAL * self.size / EARTH_RADIUS if only_inside else np.inf
        distance, near = tree.query(points, k=range(1, min(_NEIGHBOURS, known.size) + 1), distance_upper_bound=reach)
        is_tie = distance <= distance[:, :1] * (1.0 + 1e-9) + 1e-15  # rounding of points half way between cells
        is_near = near < known.size
        cell[placed] = known[np.where(is_tie & is_near, near, known.size - 1).min(axis=1)]
        placed[placed] = is_near[:, 0]
        radians = np.deg2rad(1.0)
        north = EARTH_RADIUS * radians * (latitude - self.latitude[cell])
        east = EARTH_RADIUS * radians * _wrapped(longitude - self.longitude[cell]) * np.cos(
            radians * self.latitude[cell])
        inside = placed & (np.hypot(east, north) <= _ROOM * _HALF_DIAGONAL * self.size)
        return cell, self.x[cell] + east, self.y[cell] + north, inside

    def geographic(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return latitude and longitude [degrees] of points (point,) in the coordinates of the domain [m].

        On the tangent plane at the nearest cell, as in `locate`.
        """
        cell, radians = self.nearest_of(x, y), np.deg2rad(1.0) * EARTH_RADIUS
        return (self.latitude[cell] + (y - self.y[cell]) / radians,
                self.longitude[cell] + (x - self.x[cell]) / (radians * np.cos(np.deg2rad(self.latitude[cell]))))

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

    def nearest_of(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the nearest cell of each of many points, (point,); arguments as for `nearest`."""
        tree = cKDTree(np.stack([self.x, self.y], axis=1))
        return tree.query(np.stack([np.atleast_1d(x), np.atleast_1d(y)], axis=1))[1]

    def footprints(
        self, x: np.ndarray, y: np.ndarray, diameter: np.ndarray | float, weights: str = "uniform"
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the cells whose centres lie in the footprint around each point, with their weights.

        Parameters
        ----------
        x, y : array_like, shape (obs,)
            Points in the coordinates of the domain [m].
        diameter : float or array_like, shape (obs,)
            Diameter of the footprint [m]; one without a centre holds the nearest cell.
        weights : {"uniform", "gaussian", "hamming", "square"}
            ``uniform``: alike in the circle. ``gaussian``: the diameter is the half-power width of an antenna, the
            weight is one half at its rim, and cells count to ``GAUSSIAN_REACH`` diameters from the centre.
            ``hamming``: 0.54 + 0.46 cos(pi r / diameter) to one diameter from the centre, the window with which ASCAT
            is brought to its grid: 25 km for the product on 12.5 km, 50 km for that on 25 km. ``square``: alike in a
            square whose edge is the diameter, for cells of a product's grid such as EASE.

        Returns
        -------
        cells : ndarray of int, shape (obs, slot)
            Global cells in rising order; -1 in empty slots.
        weights : ndarray, shape (obs, slot)
            Weights [1] that sum to 1; 0 in empty slots.

        Raises
        ------
        InputError
            If a diameter is negative, or the weights are unknown.
        """
        points = np.stack([np.atleast_1d(x), np.atleast_1d(y)], axis=1).astype(float)
        width = np.broadcast_to(np.asarray(diameter, float), (len(points),))
        wrong = ~(np.isfinite(width) & (width >= 0))
        if wrong.any():
            raise InputError("observations: footprint must be 0 or a positive diameter [m], got "
                             f"{width[np.argmax(wrong)]}.")
        if weights not in FOOTPRINT_WEIGHTS:
            raise InputError(f"observations: footprint weights must be one of {', '.join(FOOTPRINT_WEIGHTS)}, got "
                             f"{weights!r}.")
        tree = cKDTree(np.stack([self.x, self.y], axis=1))
        rows, cells, shares = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0)]
        for one in np.unique(width):
            mine = np.flatnonzero(width == one)
            row, cell, share = self._seen(tree, points[mine], float(one), weights)
            rows.append(mine[row])
            cells.append(cell)
            shares.append(share)
        row, cell, share = (np.concatenate(parts) for parts in (rows, cells, shares))
        empty = np.setdiff1d(np.arange(len(points)), row)
        if empty.size:
            row, cell = np.append(row, empty), np.append(cell, tree.query(points[empty])[1])
            share = np.append(share, np.ones(empty.size))
        order = np.lexsort((cell, row))
        return _slots(row[order], cell[order], share[order], len(points))

    def _seen(
        self, tree: cKDTree, points: np.ndarray, diameter: float, weights: str
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return point, cell and weight of all pairs in reach, for footprints of one size."""
        reach = diameter * {"gaussian": GAUSSIAN_REACH, "hamming": 1.0}.get(weights, 0.5)
        norm = np.inf if weights == "square" else 2.0
        pairs = cKDTree(points).sparse_distance_matrix(tree, reach * (1.0 + 1e-9), p=norm, output_type="ndarray")
        row, cell = pairs["i"].astype(np.int64), pairs["j"].astype(np.int64)
        east, north = self.x[cell] - points[row, 0], self.y[cell] - points[row, 1]
        distance = np.maximum(np.abs(east), np.abs(north)) if weights == "square" else np.hypot(east, north)
        within = distance <= reach
        row, cell, distance = row[within], cell[within], distance[within]
        if weights == "gaussian" and diameter > 0.0:
            return row, cell, 0.5 ** ((2.0 * distance / diameter) ** 2)
        if weights == "hamming" and diameter > 0.0:
            return row, cell, 0.54 + 0.46 * np.cos(np.pi * distance / diameter)
        return row, cell, np.ones(row.size)


def _slots(row: np.ndarray, cell: np.ndarray, share: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return cells and weights that sum to 1, (row, slot), from pairs in the order of rows."""
    size = np.bincount(row, minlength=count)
    first = np.concatenate([[0], np.cumsum(size)[:-1]]).astype(np.int64)
    shape = (count, int(size.max(initial=1)))
    cells, weights = np.full(shape, -1, np.int64), np.zeros(shape)
    if row.size:
        slot = np.arange(row.size) - first[row]
        total = np.add.reduceat(share, first)  # every row has a cell
        cells[row, slot], weights[row, slot] = cell, share / total[row]
    return cells, weights


def _on_sphere(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Return points on the unit sphere, (point, 3); the nearest by chord is the nearest on the sphere."""
    up, around = np.deg2rad(latitude), np.deg2rad(longitude)
    return np.stack([np.cos(up) * np.cos(around), np.cos(up) * np.sin(around), np.sin(up)], axis=-1)


def _wrapped(longitude: np.ndarray) -> np.ndarray:
    """Return longitudes or their differences in -180..180 [degrees]."""
    return (np.asarray(longitude) + 180.0) % 360.0 - 180.0
