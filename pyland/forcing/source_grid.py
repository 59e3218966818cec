"""The grid of a gridded product: where a place lies between its points."""

from __future__ import annotations

import numpy as np

from pyland.base.errors import InputError

EDGE = 0.5  # a cell reaches this far beyond its point [grid points]
_ROUND_OFF = 1e-6  # [grid points]
_FIRST_GUESSES = 16  # rows and columns of a curvilinear grid, evenly spread, at which the search may begin [1]
_NEWTON_STEPS = 40  # smooth grids need five; more are for places far outside, which stop at the edge
_MATCHED = 1e-7  # largest distance that counts as found [degrees]


class SourceGrid:
    """Points of a product, by row and column.

    Parameters
    ----------
    latitude, longitude : numpy.ndarray
        [degrees]: both ``(row,)`` and ``(column,)`` of a regular grid, or both ``(row, column)`` of a curvilinear one.
    spacing : float
        Distance of points where a regular grid has a single row or column [degrees].
    name : str
        Name in messages.

    Raises
    ------
    InputError
        If the coordinates are not those of a grid.
    """

    def __init__(self, latitude: np.ndarray, longitude: np.ndarray, spacing: float, name: str) -> None:
        latitude, longitude = np.asarray(latitude, dtype=np.float64), np.asarray(longitude, dtype=np.float64)
        self.name = name
        self.is_regular = latitude.ndim == 1
        self.is_cyclic = False
        if not (np.isfinite(latitude).all() and np.isfinite(longitude).all() and (np.abs(latitude) <= 90.0).all()):
            raise InputError(f"{name}: latitudes or longitudes are missing, or latitudes leave -90 to 90 degrees")
        if self.is_regular:
            longitude = longitude + 360.0 * np.concatenate([[0.0], np.cumsum(np.diff(longitude) < -180.0)])
            for what, axis in (("latitude", latitude), ("longitude", longitude)):
                steps = np.diff(axis)
                if not (np.all(steps > 0.0) or (what == "latitude" and np.all(steps < 0.0))):
                    raise InputError(f"{name}: {what} is not in order; expected a regular grid of rows and columns")
            self.shape = (latitude.size, longitude.size)
            self._row_step = self._mean_step(latitude, spacing)
            self._column_step = self._mean_step(longitude, spacing)
            self.is_cyclic = abs(longitude[-1] - longitude[0] + self._column_step - 360.0) < 0.1 * self._column_step
        elif latitude.ndim == 2 and latitude.shape == longitude.shape and min(latitude.shape) > 1:
            self.shape = latitude.shape
        else:
            raise InputError(
                f"{name}: latitude has shape {latitude.shape} and longitude {longitude.shape}; expected two axes, or "
                "two fields of one shape with two rows and columns at least")
        self.latitude, self.longitude = latitude, longitude

    def locate(self, latitude: np.ndarray, longitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Place between the points of the grid.

        Parameters
        ----------
        latitude, longitude : numpy.ndarray
            Places [degrees], one shape.

        Returns
        -------
        row, column : numpy.ndarray
            Fractional indices of that shape; beyond -0.5 and count - 0.5 is outside, and NaN far outside.
        """
        if not self.is_regular:
            return self._search(np.asarray(latitude, dtype=float), np.asarray(longitude, dtype=float))
        rows = _fractional(self.latitude, latitude, self._row_step)
        west = self.longitude[0]
        east = (longitude - west) % 360.0
        if not self.is_cyclic:  # a place just west of the first point is not 359 degrees east of it
            middle = 0.5 * (self.longitude[-1] - west)
            east = np.where(east > middle + 180.0, east - 360.0, east)
        columns = _fractional(self.longitude - west, east, self._column_step)
        return rows, columns

    def is_inside(self, row: np.ndarray, column: np.ndarray) -> np.ndarray:
        """Whether places lie within the cells around the points; bool of their shape."""
        reach = EDGE + _ROUND_OFF
        rows, columns = self.shape
        inside = (row >= -reach) & (row <= rows - 1 + reach)
        return inside if self.is_cyclic else inside & (column >= -reach) & (column <= columns - 1 + reach)

    def area(self, row: np.ndarray, column: np.ndarray) -> np.ndarray:
        """Areas of cells relative to each other [1], from whole row and column numbers of one shape."""
        if self.is_regular:
            height = np.abs(np.gradient(self.latitude)) if self.shape[0] > 1 else np.array([self._row_step])
            width = np.gradient(self.longitude) if self.shape[1] > 1 else np.array([self._column_step])
            return np.cos(np.radians(self.latitude[row])) * height[row] * width[column]
        north, south = np.minimum(row + 1, self.shape[0] - 1), np.maximum(row - 1, 0)
        east, west = np.minimum(column + 1, self.shape[1] - 1), np.maximum(column - 1, 0)
        down, along = north - south, east - west  # grid points between the neighbours
        lat, lon = self.latitude, self.longitude
        cross = ((lat[north, column] - lat[south, column]) * _around(lon[row, east] - lon[row, west])
                 - (lat[row, east] - lat[row, west]) * _around(lon[north, column] - lon[south, column]))
        return np.cos(np.radians(lat[row, column])) * np.abs(cross) / (down * along)

    def points(self, row: np.ndarray, column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Latitude and longitude of points [degrees], from whole row and column numbers of one shape."""
        if self.is_regular:
            return self.latitude[row], self.longitude[column]
        return self.latitude[row, column], self.longitude[row, column]

    def describe(self) -> str:
        """Say in words where the grid lies."""
        rows, columns = self.shape
        kind = "regular" if self.is_regular else "curvilinear"
        return (f"{kind}, {rows} x {columns} points, {self.latitude.min():.6g} to {self.latitude.max():.6g} degrees "
                f"north, {self.longitude.min():.6g} to {self.longitude.max():.6g} degrees east"
                + (", around the earth" if self.is_cyclic else ""))

    @staticmethod
    def _mean_step(axis: np.ndarray, spacing: float) -> float:
        return spacing if axis.size == 1 else float(abs(axis[-1] - axis[0]) / (axis.size - 1))

    def _search(self, latitude: np.ndarray, longitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Invert the bilinear map of a curvilinear grid by Newton's method, all places at once."""
        shape = latitude.shape
        latitude, longitude = latitude.ravel(), longitude.ravel()
        rows, columns = (np.unique(np.linspace(0, size - 1, _FIRST_GUESSES).round().astype(int)) for size in self.shape)
        coarse = np.meshgrid(rows, columns, indexing="ij")
        sample = _unit_vectors(*self.points(*coarse)).reshape(-1, 3)
        row, column = np.empty(latitude.size), np.empty(latitude.size)
        block = max(1, 2**24 // sample.shape[0])  # of places, 128 MiB of distances
        for first in range(0, latitude.size, block):
            part = slice(first, first + block)
            near = np.argmax(_unit_vectors(latitude[part], longitude[part]) @ sample.T, axis=1)
            row[part], column[part] = coarse[0].ravel()[near], coarse[1].ravel()[near]
        shrink = np.cos(np.radians(latitude))
        distance = np.full(latitude.size, np.inf)
        for _ in range(_NEWTON_STEPS):
            i = np.clip(np.floor(row).astype(int), 0, self.shape[0] - 2)
            j = np.clip(np.floor(column).astype(int), 0, self.shape[1] - 2)
            u, v = row - i, column - j
            corners = [(a, b) for a in (0, 1) for b in (0, 1)]
            y = [self.latitude[i + a, j + b] - latitude for a, b in corners]
            x = [_around(self.longitude[i + a, j + b] - longitude) * shrink for a, b in corners]
            (north, north_u, north_v), (east, east_u, east_v) = (_bilinear(z, u, v) for z in (y, x))
            distance = np.hypot(north, east)
            determinant = north_u * east_v - north_v * east_u
            determinant = np.where(determinant == 0.0, np.inf, determinant)  # two equal points: stay
            row = np.clip(row - (north * east_v - east * north_v) / determinant, -1.0, self.shape[0])
            column = np.clip(column - (east * north_u - north * east_u) / determinant, -1.0, self.shape[1])
            if np.all(distance < _MATCHED):
                break
        lost = ~(distance < _MATCHED)
        row[lost], column[lost] = np.nan, np.nan
        return row.reshape(shape), column.reshape(shape)


def _fractional(axis: np.ndarray, place: np.ndarray, step: float) -> np.ndarray:
    """Fractional index on an axis in rising or falling order, continued in a straight line beyond its ends."""
    if axis.size == 1:
        return (np.asarray(place, dtype=float) - axis[0]) / step
    sign = 1.0 if axis[-1] > axis[0] else -1.0
    rising = sign * axis
    place = sign * np.asarray(place, dtype=float)
    left = np.clip(np.searchsorted(rising, place, side="right") - 1, 0, axis.size - 2)
    return left + (place - rising[left]) / (rising[left + 1] - rising[left])


def _around(degrees: np.ndarray) -> np.ndarray:
    """Difference of longitudes in [-180, 180)."""
    return (degrees + 180.0) % 360.0 - 180.0


def _unit_vectors(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Points on a sphere of radius 1, ``(..., 3)``."""
    north, east = np.radians(latitude), np.radians(longitude)
    return np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=-1)


def _bilinear(z: list[np.ndarray], u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the bilinear surface over four corners and its slopes along rows and columns."""
    value = (1 - u) * ((1 - v) * z[0] + v * z[1]) + u * ((1 - v) * z[2] + v * z[3])
    along_u = (1 - v) * (z[2] - z[0]) + v * (z[3] - z[1])
    along_v = (1 - u) * (z[1] - z[0]) + u * (z[3] - z[2])
    return value, along_u, along_v
