"""Where the cells of a mapped product lie, and which of them are in a box.

References
----------
.. [1] Snyder, J. P. (1987). Map projections, a working manual. USGS Professional Paper 1395, eqs 30-6 and 30-7
   (sinusoidal).
.. [2] Masuoka, E., et al. (2011). MODIS land data products: generation, quality assurance and validation. In: Land
   Remote Sensing and Global Environmental Change, Springer, 509-531: sphere and tiles of the sinusoidal grid.
"""

from __future__ import annotations

import re

import numpy as np

from pyland.base.errors import InputError
from pyland.observe.readers.ease_grid import EaseGrid, inverse_projection
from pyland.observe.readers.mapping import Place
from pyland.observe.readers.opened_file import OpenedFile
from pyland.observe.readers.selection import Selection

SPHERE = 6371007.181
"""Radius of the sphere of the MODIS sinusoidal grid [m]."""

TILE = 20015109.354 / 18.0
"""Edge of a tile of it [m]: 36 by 18 tiles."""

_TILE = re.compile(r"h(\d{2})v(\d{2})")


class MappedPlaces:
    """Cells of a product over the last two dimensions of its values, and the block of them that holds a box.

    Parameters
    ----------
    file : OpenedFile
        The file.
    place : Place
        What the mapping says.
    shape : tuple of int
        Last two dimensions of the values.
    selection : Selection
        The box.

    Attributes
    ----------
    block : tuple of slice
        Rows and columns to read.
    inside : ndarray of int
        Cells of the block, flat, that lie in the box.
    latitude, longitude : ndarray, shape (cell,)
        Their places [degrees].
    location : ndarray of int, shape (cell,)
        Their index in the grid of the product.
    outside : int
        Cells of the file that are not in the box.

    Raises
    ------
    InputError
        If the coordinates do not fit the shape.
    """

    def __init__(self, file: OpenedFile, place: Place, shape: tuple[int, int], selection: Selection) -> None:
        latitude, longitude, numbers = _coordinates(file, place, shape)
        if latitude.ndim == 1:
            near = selection.in_latitudes(latitude)[:, None], selection.in_longitudes(longitude)[None, :]
            latitude, longitude = latitude[:, None], longitude[None, :]
            rows, columns = near[0].any(axis=1), near[1].any(axis=0)
            chosen = near[0] & near[1]
        else:
            chosen = selection.in_bounds(latitude, longitude)
            rows, columns = chosen.any(axis=1), chosen.any(axis=0)
        self.block = _span(rows), _span(columns)
        chosen = np.broadcast_to(chosen, shape)[self.block]
        self.inside = np.flatnonzero(chosen)
        self.outside = shape[0] * shape[1] - self.inside.size
        self.latitude = np.broadcast_to(latitude, shape)[self.block].ravel()[self.inside]
        self.longitude = np.broadcast_to(longitude, shape)[self.block].ravel()[self.inside]
        if numbers is None:
            row, column = np.divmod(self.inside, max(chosen.shape[1], 1))
            self.location = (row + self.block[0].start) * shape[1] + column + self.block[1].start
        else:
            self.location = numbers[self.block].ravel()[self.inside]


def _coordinates(file: OpenedFile, place: Place, shape: tuple[int, int]) -> tuple:
    """Return latitude and longitude, axes or fields [degrees], and the numbers of cells, None for those of the file."""
    if place.latitude is not None:
        latitude, longitude = (np.squeeze(file.numbers(name)) for name in (place.latitude, place.longitude))
        return (*_fitting(file, np.atleast_1d(latitude), np.atleast_1d(longitude), shape), None)
    if place.ease_grid is not None and place.row is None:
        grid = EaseGrid(place.ease_grid)
        if grid.shape != shape:
            raise InputError(f"{file.path}: the values have the shape {shape}; expected {grid.shape}, the EASE-Grid "
                             f"2.0 of {place.ease_grid} km of the mapping. For a part of it give place.row and "
                             "place.column.")
        return grid.latitude, grid.longitude, None
    if place.ease_grid is not None:
        grid = EaseGrid(place.ease_grid)
        row, column = (file.raw(name).astype(np.int64) for name in (place.row, place.column))
        row, column = _fitting(file, row, column, shape)
        known = (row >= 0) & (row < grid.shape[0]), (column >= 0) & (column < grid.shape[1])
        latitude = np.where(known[0], grid.latitude[np.where(known[0], row, 0)], np.nan)
        longitude = np.where(known[1], grid.longitude[np.where(known[1], column, 0)], np.nan)
        if row.ndim == 1:
            row, column = np.meshgrid(row, column, indexing="ij")
        return latitude, longitude, row * grid.shape[1] + column
    if place.modis_tile:
        x, y, numbers = _tile(file, shape)
        return (*_sinusoidal(x, y), numbers)
    x, y = file.numbers(place.x), file.numbers(place.y)
    if (y.size, x.size) != shape or x.ndim != 1:
        raise InputError(f"{file.path}: x and y have {x.size} and {y.size} numbers; expected {shape[1]} and "
                         f"{shape[0]}, columns and rows of the values.")
    if place.projection == "ease":
        latitude, longitude = inverse_projection(np.zeros(y.size), y)[0], inverse_projection(x, np.zeros(x.size))[1]
        return latitude, longitude, None
    return (*_sinusoidal(x, y), None)


def _fitting(file: OpenedFile, rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> tuple:
    if rows.ndim == 1 and columns.ndim == 1 and (rows.size, columns.size) == shape:
        return rows, columns
    if rows.shape == shape and columns.shape == shape:
        return rows, columns
    raise InputError(f"{file.path}: the coordinates have the shapes {rows.shape} and {columns.shape}; expected "
                     f"({shape[0]},) and ({shape[1]},), or both {shape}, the rows and columns of the values.")


def _tile(file: OpenedFile, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    match = _TILE.search(file.path.name)
    if match is None:
        raise InputError(f"{file.path}: the file name has no tile like h18v03, which place.modis_tile needs.")
    across, down = int(match[1]), int(match[2])
    if shape[0] != shape[1] or across > 35 or down > 17:
        raise InputError(f"{file.path}: tile h{match[1]}v{match[2]} of the shape {shape}; expected a square one with "
                         "h00 to h35 and v00 to v17.")
    count = shape[0]
    steps = (np.arange(count) + 0.5) / count
    row, column = np.meshgrid(down * count + np.arange(count), across * count + np.arange(count), indexing="ij")
    return (across + steps - 18.0) * TILE, (9.0 - down - steps) * TILE, row * (36 * count) + column


def _sinusoidal(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return latitude and longitude (row, column) [degrees]; NaN beyond the rim of the earth."""
    phi = (y / SPHERE)[:, None]
    lam = x[None, :] / (SPHERE * np.cos(phi))
    longitude = np.rad2deg(np.where(np.abs(lam) <= np.pi, lam, np.nan))
    return np.broadcast_to(np.rad2deg(phi), longitude.shape), longitude


def _span(chosen: np.ndarray) -> slice:
    where = np.flatnonzero(chosen)
    return slice(int(where[0]), int(where[-1]) + 1) if where.size else slice(0, 0)
