"""Weights that carry fields of a source grid to cells: nearest point, bilinear or conservative.

References
----------
.. [1] Jones, P. W. (1999). First- and second-order conservative remapping schemes for grids in spherical coordinates.
       Mon. Weather Rev. 127, 2204-2210. The first-order scheme, with areas taken in the index space of the source.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pyland.base.errors import InputError
from pyland.forcing.cell_overlap import square_overlaps
from pyland.forcing.source_grid import SourceGrid

REGRIDDINGS = ("bilinear", "conservative", "nearest")
EARTH_RADIUS = 6371008.8  # mean radius (IUGG) [m], as that of the cells
FARTHEST_POINT = 32  # rows and columns within which a point with values is looked for [1]
_LEAST_SHARE = 1e-12  # of a cell: shared areas below it are round-off [1]


class CellPlaces(NamedTuple):
    """Cells that weather is needed for."""

    latitude: np.ndarray
    """Centres [degrees north], ``(cell,)``."""
    longitude: np.ndarray
    """Centres [degrees east], ``(cell,)``."""
    size: tuple[np.ndarray | float, np.ndarray | float]
    """Width from west to east and from south to north [m], each a number or ``(cell,)``."""


class Regridding:
    """Sparse weights from the points of a grid to cells.

    Parameters
    ----------
    grid : SourceGrid
        Points of the source.
    cells : CellPlaces
        Cells to fill.
    method : str
        One of `REGRIDDINGS`; ``conservative`` takes a cell as a rectangle around its centre, reference [1]_ of the
        module.
    has_values : numpy.ndarray of bool, optional
        Points where the source has values, ``(row, column)``; everywhere by default.

    Attributes
    ----------
    rows, columns : numpy.ndarray of int
        Box of points that are needed: row numbers, and column numbers that may pass the end of a cyclic grid.
    index : numpy.ndarray of int
        Points of each cell, ``(cell, point)``, counted in the flattened box.
    weight : numpy.ndarray
        Their weights [1], ``(cell, point)``, which sum to 1; 0 fills up the row of a cell with fewer points.
    filled, farthest : int, float
        Cells without a point that has values, which take the nearest one, and its largest distance [m].
    partial : int
        Cells some of whose points have no values; the others share their weight.

    Raises
    ------
    InputError
        If a cell lies outside the grid, or no point near it has values.
    """

    def __init__(
        self, grid: SourceGrid, cells: CellPlaces, method: str, has_values: np.ndarray | None = None
    ) -> None:
        if method not in REGRIDDINGS:
            raise InputError(f"forcing.regridding: expected one of {', '.join(REGRIDDINGS)}, got '{method}'")
        self.method = method
        row, column = grid.locate(cells.latitude, cells.longitude)
        _check_inside(grid, cells, row, column)
        if method == "conservative":
            rows, columns, weight = _overlaps(grid, cells, column)
        elif method == "bilinear":
            rows, columns, weight = _corners(grid, row, column)
        else:
            rows, columns = (np.floor(one + 0.5).astype(int)[:, None] for one in (row, column))
            weight = np.ones(rows.shape)
        rows = np.clip(rows, 0, grid.shape[0] - 1)
        columns = columns % grid.shape[1] if grid.is_cyclic else np.clip(columns, 0, grid.shape[1] - 1)
        self.filled, self.partial, self.farthest = 0, 0, 0.0
        if has_values is not None and not has_values[rows, columns].all():
            rows, columns, weight = self._avoid_gaps(grid, cells, has_values, rows, columns, weight)
        order = np.argsort(weight <= 0.0, axis=1, kind="stable")[:, : int((weight > 0.0).sum(axis=1).max())]
        rows, columns, weight = (np.take_along_axis(one, order, axis=1) for one in (rows, columns, weight))
        used = weight > 0.0  # points without weight become the first one, which is needed anyway
        rows, columns = (np.where(used, one, one[:, :1]) for one in (rows, columns))
        self.rows = np.arange(rows.min(), rows.max() + 1)
        self.columns = _column_range(columns, grid.shape[1] if grid.is_cyclic else None)
        offset = (columns - self.columns[0]) % grid.shape[1] if grid.is_cyclic else columns - self.columns[0]
        self.index = (rows - self.rows[0]) * self.columns.size + offset
        # summed from left to right, so that the zeros that fill up a row change no bit
        self.weight = weight / np.cumsum(weight, axis=1)[:, -1:]

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Carry fields to the cells.

        Parameters
        ----------
        values : numpy.ndarray
            Values at the points of the box, ``(time, row * column)``.

        Returns
        -------
        numpy.ndarray
            ``(time, cell)``; what a cell gets does not depend on the other cells, to the last bit.
        """
        result = values[:, self.index[:, 0]] * self.weight[:, 0]
        for point in range(1, self.index.shape[1]):
            result += values[:, self.index[:, point]] * self.weight[:, point]
        return result

    def describe(self) -> dict[str, float | str]:
        """Say how cells were filled, as plain values."""
        return {
            "method": self.method,
            "source_points_read": int(self.rows.size * self.columns.size),
            "cells_next_to_missing_values": self.partial,
            "cells_filled_from_the_nearest_point": self.filled,
            "farthest_of_these_points_km": round(self.farthest / 1000.0, 1),
        }

    def _avoid_gaps(
        self, grid: SourceGrid, cells: CellPlaces, has_values: np.ndarray, rows: np.ndarray, columns: np.ndarray,
        weight: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Take weight from points without values; cells without any other take the nearest point with values."""
        reached = weight > 0.0
        weight = np.where(has_values[rows, columns], weight, 0.0)
        lost = np.flatnonzero(weight.sum(axis=1) <= 0.0)
        self.partial = int((reached & (weight == 0.0)).any(axis=1).sum()) - lost.size
        self.filled = lost.size
        for cell in lost:
            row, column, distance = _nearest_value(
                grid, has_values, rows[cell], columns[cell], cells.latitude[cell], cells.longitude[cell])
            rows[cell], columns[cell], weight[cell] = row, column, 0.0
            weight[cell, 0] = 1.0
            self.farthest = max(self.farthest, distance)
        return rows, columns, weight


def _check_inside(grid: SourceGrid, cells: CellPlaces, row: np.ndarray, column: np.ndarray) -> None:
    outside = np.flatnonzero(~grid.is_inside(row, column))
    if outside.size:
        cell = int(outside[0])
        raise InputError(
            f"{grid.name}: cell {cell} at {cells.latitude[cell]:.4f} degrees north, {cells.longitude[cell]:.4f} "
            f"degrees east lies outside the grid of the weather ({grid.describe()}), and so do {outside.size - 1} "
            "other cells; download a larger area, or make the domain smaller")


def _corners(grid: SourceGrid, row: np.ndarray, column: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Four points around each place and their bilinear weights; beyond the outermost points, those hold."""
    rows, columns = grid.shape
    row = np.clip(row, 0.0, rows - 1.0)
    if not grid.is_cyclic:
        column = np.clip(column, 0.0, columns - 1.0)
    i = np.minimum(np.floor(row).astype(int), max(rows - 2, 0))
    j = np.floor(column).astype(int)
    if not grid.is_cyclic:
        j = np.minimum(j, max(columns - 2, 0))
    u, v = row - i, column - j
    weight = np.stack([(1 - u) * (1 - v), (1 - u) * v, u * (1 - v), u * v], axis=1)
    return np.stack([i, i, i + 1, i + 1], axis=1), np.stack([j, j + 1, j, j + 1], axis=1), weight


def _overlaps(
    grid: SourceGrid, cells: CellPlaces, centre: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points whose cells share area with each target cell, and the shared areas."""
    east, north = (0.5 * np.broadcast_to(one, cells.latitude.shape) for one in cells.size)
    up = np.degrees(north / EARTH_RADIUS)
    aside = np.degrees(east / (EARTH_RADIUS * np.cos(np.radians(cells.latitude))))
    latitude = np.clip(cells.latitude[:, None] + up[:, None] * np.array([-1, -1, 1, 1]), -90.0, 90.0)
    longitude = cells.longitude[:, None] + aside[:, None] * np.array([-1, 1, 1, -1])
    row, column = grid.locate(latitude, longitude)
    if grid.is_cyclic:  # corners on the other side of the seam
        half = 0.5 * grid.shape[1]
        column = (column - centre[:, None] + half) % grid.shape[1] - half + centre[:, None]
    broken = np.flatnonzero(~(np.isfinite(row) & np.isfinite(column)).all(axis=1))
    if broken.size:
        cell = int(broken[0])
        raise InputError(
            f"{grid.name}: the corners of cell {cell} at {cells.latitude[cell]:.4f} degrees north, "
            f"{cells.longitude[cell]:.4f} degrees east leave the grid of the weather ({grid.describe()}); use "
            "forcing.regridding: bilinear, or make the domain smaller")
    rows, columns, area = square_overlaps(row, column)
    inside = (rows >= 0) & (rows < grid.shape[0])
    if not grid.is_cyclic:
        inside &= (columns >= 0) & (columns < grid.shape[1])
    else:
        columns = columns % grid.shape[1]
    whole = area.sum(axis=1, keepdims=True)
    area = np.where(inside & (area > _LEAST_SHARE * whole), area, 0.0)
    where = np.clip(rows, 0, grid.shape[0] - 1), np.clip(columns, 0, grid.shape[1] - 1)
    return *where, area * grid.area(*where)


def _column_range(columns: np.ndarray, cyclic: int | None) -> np.ndarray:
    """Shortest run of columns that holds all that are used; on a cyclic grid it starts after the widest gap."""
    used = np.unique(columns)
    if cyclic is None or used.size == 1:
        return np.arange(used[0], used[-1] + 1)
    gaps = np.diff(np.append(used, used[0] + cyclic))
    widest = int(gaps.argmax())
    first = int(used[(widest + 1) % used.size])
    return first + np.arange(cyclic - int(gaps[widest]) + 1)


def _nearest_value(
    grid: SourceGrid, has_values: np.ndarray, rows: np.ndarray, columns: np.ndarray, latitude: float, longitude: float
) -> tuple[int, int, float]:
    """Row, column and distance [m] of the nearest point with values around some points."""
    row, column = int(rows[0]), int(columns[0])
    reach = 1
    while reach <= FARTHEST_POINT:
        i = np.arange(max(row - reach, 0), min(row + reach + 1, grid.shape[0]))
        j = np.arange(column - reach, column + reach + 1)
        j = np.unique(j % grid.shape[1]) if grid.is_cyclic else j[(j >= 0) & (j < grid.shape[1])]
        found = np.argwhere(has_values[np.ix_(i, j)])
        if found.size:
            i, j = i[found[:, 0]], j[found[:, 1]]
            distance = _distance(*grid.points(i, j), latitude, longitude)
            best = int(distance.argmin())
            return int(i[best]), int(j[best]), float(distance[best])
        reach *= 2
    raise InputError(
        f"{grid.name}: no point of the weather within {FARTHEST_POINT} rows and columns of {latitude:.4f} degrees "
        f"north, {longitude:.4f} degrees east has values (sea?); mask these cells in domain.mask")


def _distance(latitude: np.ndarray, longitude: np.ndarray, north: float, east: float) -> np.ndarray:
    """Great-circle distance [m] (haversine)."""
    one, other = np.radians(latitude), np.radians(north)
    half = np.sin(0.5 * (one - other)) ** 2 + np.cos(one) * np.cos(other) * np.sin(
        0.5 * np.radians(longitude - east)) ** 2
    return 2.0 * EARTH_RADIUS * np.arcsin(np.sqrt(np.minimum(half, 1.0)))
