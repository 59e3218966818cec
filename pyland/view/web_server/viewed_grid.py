"""Where the cells of a viewed file lie: rows and columns, their coordinates, and the projection if there is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pyland.domain.grid import EARTH_RADIUS

_SAME_PLACE = 1.0e-5
"""Differences of coordinates that are rounding [degrees]: about a metre, well below any cell."""

_MOST_POWERS = 5
"""Highest power of row and column that continue coordinates into cells that are not modelled."""


@dataclass(frozen=True)
class ViewedGrid:
    """Cells of a map, or of a list of sites (one row).

    Attributes
    ----------
    kind : str
        ``regular`` (latitude of rows, longitude of columns), ``curvilinear`` or ``sites``.
    latitude, longitude : numpy.ndarray, shape (y, x)
        Centres [degrees north, degrees east], continued into cells that have none in the file; longitudes do not jump.
    is_active : numpy.ndarray of bool, shape (y, x)
        Cells that the file gives coordinates for.
    names : tuple of str
        Names of the sites.
    projection : dict
        ``name`` (longlat, sinusoidal or None), ``proj`` (PROJ text); ``x``, ``y`` of even grids (first centre, step).
    """

    kind: str
    latitude: np.ndarray
    longitude: np.ndarray
    is_active: np.ndarray
    names: tuple[str, ...]
    projection: dict[str, Any]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.latitude.shape

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east and north edge of the cells [degrees]; of sites, of their centres."""
        west, east = self.longitude.min(), self.longitude.max()
        south, north = self.latitude.min(), self.latitude.max()
        if self.kind != "sites":
            half = [0.5 * _largest_step(one) for one in (self.longitude, self.latitude)]
            west, east, south, north = west - half[0], east + half[0], south - half[1], north + half[1]
        return float(west), float(max(south, -90.0)), float(east), float(min(north, 90.0))

    def corners(self) -> list[list[float]]:
        """Return longitude and latitude of the four outer corners, first row and column first, then along the row."""
        rows, columns = self.shape
        at = ((-0.5, -0.5), (-0.5, columns - 0.5), (rows - 0.5, columns - 0.5), (rows - 0.5, -0.5))
        return [[_between(self.longitude, *one), _between(self.latitude, *one)] for one in at]

    def cell_area(self) -> np.ndarray:
        """Return the area of the cells [m2], shape (y, x), from their centres; 1 for sites."""
        if self.kind == "sites":
            return np.ones(self.shape)
        if self.projection["name"] == "sinusoidal":
            step = abs(self.projection["x"][1] * self.projection["y"][1])
            return np.full(self.shape, step)
        points = _unit_vectors(self.latitude, self.longitude)
        along, across = (_difference(points, axis) for axis in (0, 1))
        return np.linalg.norm(np.cross(along, across), axis=-1) * EARTH_RADIUS**2

    def nearest(self, latitude: np.ndarray, longitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the flat index of the nearest modelled cell, and the distance to its centre [m], of places."""
        from scipy.spatial import cKDTree

        where = np.flatnonzero(self.is_active.ravel())
        points = _unit_vectors(self.latitude.ravel()[where], self.longitude.ravel()[where])
        chord, found = cKDTree(points).query(_unit_vectors(np.asarray(latitude), np.asarray(longitude)))
        return where[found], chord * EARTH_RADIUS

    def cell_size(self) -> float:
        """Return the typical distance between the centres of neighbours [m]; 0 where there are none."""
        if self.kind == "sites" or max(self.shape) < 2:
            return 0.0
        return float(np.sqrt(np.median(self.cell_area())))


def viewed_grid(latitude: np.ndarray, longitude: np.ndarray, names: tuple[str, ...] = ()) -> ViewedGrid:
    """Return the grid of centres as a file has them.

    Parameters
    ----------
    latitude, longitude : numpy.ndarray, shape (y, x) or (site,)
        [degrees north, degrees east]; NaN in cells that are not modelled.
    names : tuple of str
        Names of sites; numbers without.
    """
    if latitude.ndim == 1:
        words = names or tuple(f"site {number + 1}" for number in range(latitude.size))
        return ViewedGrid(
            "sites",
            latitude[np.newaxis],
            longitude[np.newaxis],
            np.isfinite(latitude)[np.newaxis],
            words,
            _no_projection(),
        )
    active = np.isfinite(latitude) & np.isfinite(longitude)
    reference = _mean_longitude(longitude[active])
    plain = (longitude - reference + 180.0) % 360.0 - 180.0
    found = _regular(latitude, plain, reference, active) or _sinusoidal(latitude, plain, reference, active)
    if found is not None:
        return found
    whole = _continued(latitude, longitude, active)
    east = (whole[1] - reference + 180.0) % 360.0 - 180.0 + reference
    return ViewedGrid("curvilinear", whole[0], east, active, (), _no_projection())


def _regular(latitude: np.ndarray, plain: np.ndarray, reference: float, active: np.ndarray) -> ViewedGrid | None:
    """Return the grid if rows have one latitude and columns one longitude, else None."""
    rows = _line(np.where(active, latitude, np.nan), axis=1)
    columns = _line(np.where(active, plain, np.nan), axis=0)
    if rows is None or columns is None:
        return None
    wide = [np.broadcast_to(one, active.shape) for one in (rows[:, np.newaxis], columns[np.newaxis] + reference)]
    projection = _no_projection()
    steps = [np.diff(one) for one in (columns, rows)]
    if all(step.size == 0 or np.ptp(step) < _SAME_PLACE for step in steps):
        x, y = (float(step.mean()) if step.size else 1.0 for step in steps)
        projection = {"name": "longlat", "proj": "+proj=longlat +datum=WGS84 +no_defs", "epsg": 4326,
                      "x": (float(columns[0] + reference), x), "y": (float(rows[0]), y)}
    return ViewedGrid("regular", *wide, active, (), projection)


def _sinusoidal(latitude: np.ndarray, plain: np.ndarray, reference: float, active: np.ndarray) -> ViewedGrid | None:
    """Return the grid if it is one of ``pyland.domain.regular_grid``, else None: x and y are even, areas are kept."""
    rows = _line(np.where(active, latitude, np.nan), axis=1)
    if rows is None or rows.size < 2 or np.ptp(np.diff(rows)) > _SAME_PLACE or plain.shape[1] < 2:
        return None
    step_y = np.radians(rows[-1] - rows[0]) / (rows.size - 1) * EARTH_RADIUS
    column = np.arange(plain.shape[1]) - 0.5 * (plain.shape[1] - 1)
    over = np.degrees(column[np.newaxis] / (EARTH_RADIUS * np.cos(np.radians(rows))[:, np.newaxis]))
    middle, step_x = np.linalg.lstsq(
        np.stack([np.ones(int(active.sum())), over[active]], axis=1), plain[active], rcond=None)[0]
    whole = middle + over * step_x
    if not np.abs(whole - plain)[active].max() < _SAME_PLACE or step_x == 0.0:
        return None
    latitude_0 = 0.5 * float(rows[0] + rows[-1])
    longitude_0 = float((middle + reference + 180.0) % 360.0 - 180.0)
    shift = -EARTH_RADIUS * np.radians(latitude_0)
    projection = {
        "name": "sinusoidal", "latitude_0": latitude_0, "longitude_0": longitude_0, "epsg": None,
        "proj": f"+proj=sinu +lon_0={longitude_0:.9f} +x_0=0 +y_0={shift:.6f} +R={EARTH_RADIUS} +units=m +no_defs",
        "x": (float(column[0] * step_x), float(step_x)), "y": (float(-0.5 * (rows.size - 1) * step_y), float(step_y))}
    return ViewedGrid(
        "curvilinear", np.repeat(rows[:, np.newaxis], plain.shape[1], axis=1), whole + reference, active, (), projection
    )


def _line(values: np.ndarray, axis: int) -> np.ndarray | None:
    """Return the one value of each line, continued evenly to lines without one; None if a line has several."""
    known = np.isfinite(values).any(axis=axis)
    if not known.any():
        return None
    low, high = (reduce(np.where(np.isfinite(values), values, empty), axis=axis)
                 for reduce, empty in ((np.min, np.inf), (np.max, -np.inf)))
    if (high[known] - low[known]).max() > _SAME_PLACE:
        return None
    number, line = np.arange(known.size), 0.5 * (low + high)
    if known.all():
        return line
    if known.sum() == 1:
        return None
    slope, start = np.polyfit(number[known], line[known], 1)
    return np.where(known, line, start + slope * number)


def _continued(latitude: np.ndarray, longitude: np.ndarray, active: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return coordinates of all cells: those of modelled cells, and smooth ones beyond.

    Directions from the middle of the Earth are polynomials of row and column (least squares), which no date line cuts.
    """
    if active.all():
        return latitude, longitude
    rows, columns = (np.linspace(-1.0, 1.0, size) for size in active.shape)
    powers = next(p for p in range(_MOST_POWERS, -1, -1) if (p + 1) * (p + 2) <= active.sum() or p == 0)
    terms = np.stack([np.multiply.outer(rows**i, columns**j) for i in range(powers + 1) for j in range(powers + 1 - i)])
    points = _unit_vectors(latitude[active], longitude[active])
    weights = np.linalg.lstsq(terms[:, active].T, points, rcond=None)[0]
    x, y, z = np.moveaxis(np.tensordot(terms, weights, axes=(0, 0)), -1, 0)
    smooth = np.degrees(np.arctan2(z, np.hypot(x, y))), np.degrees(np.arctan2(y, x))
    return tuple(np.where(active, given, more) for given, more in zip((latitude, longitude), smooth, strict=True))


def _no_projection() -> dict[str, Any]:
    return {"name": None, "proj": None, "epsg": None}


def _unit_vectors(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Return directions from the middle of the Earth, shape (..., 3)."""
    north, east = np.radians(latitude), np.radians(longitude)
    return np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=-1)


def _difference(points: np.ndarray, axis: int) -> np.ndarray:
    """Return the step from cell to cell along an axis; a single line has that along itself, turned by 90 degrees."""
    if points.shape[axis] > 1:
        return np.gradient(points, axis=axis)
    if points.shape[1 - axis] > 1:
        return np.cross(points, np.gradient(points, axis=1 - axis))
    return np.zeros_like(points)


def _mean_longitude(longitude: np.ndarray) -> float:
    east = np.radians(longitude)
    return float(np.degrees(np.arctan2(np.sin(east).mean(), np.cos(east).mean())))


def _largest_step(values: np.ndarray) -> float:
    """Return the largest distance between neighbours along either axis."""
    return max((float(np.abs(np.diff(values, axis=axis)).max()) for axis in (0, 1) if values.shape[axis] > 1),
               default=0.0)


def _between(values: np.ndarray, row: float, column: float) -> float:
    """Return a linearly continued value at a row and column that may lie half a cell outside."""
    line = _along(values, row)
    return float(_along(line, column))


def _along(values: np.ndarray, at: float) -> np.ndarray:
    """Interpolate or continue along the first axis."""
    if values.shape[0] == 1:
        return values[0]
    low = int(np.clip(np.floor(at), 0, values.shape[0] - 2))
    return values[low] + (at - low) * (values[low + 1] - values[low])
