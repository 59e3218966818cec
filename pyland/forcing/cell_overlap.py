"""Areas that a quadrilateral shares with the unit squares of an index space."""

from __future__ import annotations

import numpy as np

_BLOCK = 2048  # quadrilaterals at once: bounds the memory of the areas


def square_overlaps(row: np.ndarray, column: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Areas shared with the unit squares around whole row and column numbers.

    Parameters
    ----------
    row, column : numpy.ndarray
        Corners of quadrilaterals without self-intersection, in order around them, ``(cell, corner)``.

    Returns
    -------
    rows, columns : numpy.ndarray of int
        Squares that may share area, ``(cell, square)``.
    area : numpy.ndarray
        Shared area [1], ``(cell, square)``; 0 where a square shares none.
    """
    low = [np.floor(one.min(axis=1) + 0.5).astype(int) for one in (row, column)]
    high = [np.floor(one.max(axis=1) + 0.5).astype(int) for one in (row, column)]
    count = [int((last - first).max()) + 1 for first, last in zip(low, high, strict=True)]
    rows = low[0][:, None] + np.arange(count[0])
    columns = low[1][:, None] + np.arange(count[1])
    area = np.concatenate([
        _areas(row[first : first + _BLOCK], column[first : first + _BLOCK],
               rows[first : first + _BLOCK], columns[first : first + _BLOCK])
        for first in range(0, row.shape[0], _BLOCK)])  # fmt: skip
    shape = (row.shape[0], count[0], count[1])
    rows = np.broadcast_to(rows[:, :, None], shape).reshape(shape[0], -1)
    columns = np.broadcast_to(columns[:, None, :], shape).reshape(shape[0], -1)
    return rows, columns, area.reshape(shape[0], -1)


def _areas(row: np.ndarray, column: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Areas by squares, ``(cell, row, column)``: second difference of the area left of and below a corner.

    That area is the integral of min(y, b) dx around the polygon, over the parts of its edges left of a (Green's
    theorem), which is exact for straight edges.
    """
    below = np.concatenate([rows - 0.5, rows[:, -1:] + 0.5], axis=1)[:, :, None]
    left = np.concatenate([columns - 0.5, columns[:, -1:] + 0.5], axis=1)[:, None, :]
    total = np.zeros((row.shape[0], below.shape[1], left.shape[2]))
    base = row.min(axis=1)  # near the polygon, so that no digits are lost
    for corner in range(row.shape[1]):
        following = (corner + 1) % row.shape[1]
        x0, x1 = column[:, corner, None, None], column[:, following, None, None]
        y0, y1 = ((row[:, one] - base)[:, None, None] for one in (corner, following))
        run = x1 - x0
        slope = (y1 - y0) / np.where(run == 0.0, 1.0, run)  # an upright edge adds nothing
        begin, end = np.minimum(x0, left), np.minimum(x1, left)
        limit = below - base[:, None, None]
        p, q = limit - (y0 + (begin - x0) * slope), limit - (y0 + (end - x0) * slope)
        is_cut = (p < 0.0) != (q < 0.0)
        cut = np.maximum(p, q) ** 2 / np.where(is_cut, 2.0 * np.abs(p - q), 1.0)
        under = np.where(is_cut, cut, 0.5 * (np.maximum(p, 0.0) + np.maximum(q, 0.0)))
        total += (limit - under) * (end - begin)
    return np.abs(np.diff(np.diff(total, axis=1), axis=2))
