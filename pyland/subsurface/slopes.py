"""Slopes of the land from its elevation, so that water runs out of every cell."""

from __future__ import annotations

import numpy as np

from pyland.core.rivers import OUTLET, drain
from pyland.subsurface.river_grid import RiverGrid


def slopes_from_elevation(
    elevation: np.ndarray, dx: float, dy: float, mask: np.ndarray | None = None, least: float = 1e-4
) -> tuple[np.ndarray, np.ndarray]:
    """Return the slopes of the faces between cells.

    Depressions are filled over the four neighbours that overland flow knows, and rim cells that no neighbour lies below
    let the water out [1]_. The slope of a face is the difference of the filled elevations; on flats it falls by
    ``least`` along the way out. Beyond the rim the slope goes on as inside of it: in the west and south overland flow
    takes the value of the cell itself.

    Parameters
    ----------
    elevation : numpy.ndarray, shape (ny, nx)
        [m]; rows from south to north, each from west to east.
    dx, dy : float
        Size of a cell [m].
    mask : numpy.ndarray of bool, shape (ny, nx), optional
        Cells of the domain; all by default.
    least : float
        Slope of flats along the way out [1].

    Returns
    -------
    slope_x, slope_y : numpy.ndarray, shape (ny, nx)
        Slope of the face to the east and to the north of each cell, positive where the land rises to there [1]; 0 where
        the cell has no neighbour on either side.

    References
    ----------
    .. [1] Barnes, R., Lehman, C., Mulla, D. (2014). Priority-flood: An optimal depression-filling and
       watershed-labeling algorithm for digital elevation models. Comput. Geosci. 62, 117-127.
    """
    elevation = np.asarray(elevation, dtype=float)
    mask = np.ones(elevation.shape, dtype=bool) if mask is None else np.asarray(mask, dtype=bool)
    downstream, filled = _drain_four_ways(RiverGrid.regular(elevation, dx, dy, mask))
    surface, receiver = np.full(mask.shape, np.nan), np.full(mask.shape, OUTLET)
    surface[mask] = filled
    receiver[mask] = np.where(downstream >= 0, np.flatnonzero(mask.ravel())[downstream], OUTLET)
    is_outlet = mask & (receiver == OUTLET)
    nx = mask.shape[1]
    slope_x = _faces(surface, receiver, dx, least, 1)
    slope_y = _faces(surface.T, receiver.T, dy, least, nx).T
    slope_x = _beyond_the_rim(slope_x, mask)
    slope_y = _beyond_the_rim(slope_y.T, mask.T).T
    _open_outlets(slope_x, slope_y, mask, is_outlet, least)
    return slope_x, slope_y


def _drain_four_ways(grid: RiverGrid) -> tuple[np.ndarray, np.ndarray]:
    """Return receiving cells and filled elevation where water moves east, south, west and north only."""
    # a diagonal neighbour is replaced by the one before it, which changes nothing but the diagonal
    neighbour, distance = grid.neighbour.copy(), np.array(grid.distance)
    neighbour[:, 1::2], distance[:, 1::2] = neighbour[:, 0::2], distance[:, 0::2]
    return drain(neighbour, distance, grid.elevation, np.inf, np.zeros(grid.ncell, dtype=bool))


def _faces(surface: np.ndarray, receiver: np.ndarray, width: float, least: float, stride: int) -> np.ndarray:
    """Return slopes of the faces along the second axis, NaN at the rim; ``stride`` is the step to the next cell."""
    slope = np.full(surface.shape, np.nan)
    slope[:, :-1] = np.diff(surface, axis=1) / width
    here = _numbers(surface.shape, stride)
    onward = receiver[:, :-1] == here[:, 1:]
    back = receiver[:, 1:] == here[:, :-1]
    inner = slope[:, :-1]
    inner[onward] = np.minimum(inner[onward], -least)
    inner[back] = np.maximum(inner[back], least)
    return slope


def _numbers(shape: tuple[int, int], stride: int) -> np.ndarray:
    """Return the place of each cell in the flattened map, for the map itself (stride 1) or its transpose."""
    if stride == 1:
        return np.arange(shape[0] * shape[1]).reshape(shape)
    return np.arange(shape[0] * shape[1]).reshape(shape[1], shape[0]).T


def _beyond_the_rim(slope: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Fill the faces without a neighbour: the slope goes on as on the other side of the cell, 0 if there is none."""
    out = slope.copy()
    before = np.full(slope.shape, np.nan)
    before[:, 1:] = slope[:, :-1]
    last = mask & np.isnan(slope)
    out[last] = before[last]
    return np.nan_to_num(out)


def _open_outlets(
    slope_x: np.ndarray, slope_y: np.ndarray, mask: np.ndarray, is_outlet: np.ndarray, least: float
) -> None:
    """Make sure that one face of every outlet falls outwards; changes the slopes."""
    ny, nx = mask.shape
    for y, x in zip(*np.nonzero(is_outlet), strict=True):
        east, north = x + 1 == nx or not mask[y, x + 1], y + 1 == ny or not mask[y + 1, x]
        west, south = x == 0 or not mask[y, x - 1], y == 0 or not mask[y - 1, x]
        if (east and slope_x[y, x] < 0) or (north and slope_y[y, x] < 0):
            continue
        if (west and slope_x[y, x] > 0) or (south and slope_y[y, x] > 0):  # overland flow takes the cell's own there
            continue
        if east:
            slope_x[y, x] = -least
        elif north:
            slope_y[y, x] = -least
        elif west:
            slope_x[y, x] = least
        else:
            slope_y[y, x] = least

