"""Standard-normal random fields with a Gaussian correlation in space.

White noise lives on the nodes of a square lattice that is anchored at the origin of the coordinates and numbered by
integers; the field at (x, y) is the sum of the 8 x 8 nodes around the point with the weights exp(-d**2 / L**2),
divided by the root of the sum of their squares. The variance is therefore exactly 1 everywhere and the correlation of
two points is exp(-d**2 / (2 L**2)) within 1e-3 (kernel convolved with itself; Oliver 1995). A value depends on
(seed, purpose, member, step, x, y) only: no other cell, member or rank takes part.

References
----------
.. [1] Oliver, D. S. (1995). Moving averages for Gaussian simulation in two and three dimensions.
   Math. Geol. 27, 939-960.
"""

from __future__ import annotations

import math

import numpy as np

from pyland.base.errors import InputError
from pyland.ensemble.counter_random import CHANNELS, standard_normal

__all__ = ["CHANNELS", "RandomField", "standard_normal"]

_OFFSETS = np.arange(-3, 5)
"""Lattice nodes used on each axis, relative to the node at or below the point: at least 3 spacings to either side."""

_SPACING = 1.0 / math.sqrt(2.0)
"""Lattice spacing in length scales: the standard deviation of the kernel, which bounds the aliasing by exp(-pi**2)."""

_MAX_INDEX = 2**30
"""Largest lattice index: keeps row and column in one 64-bit integer."""


class RandomField:
    """Spatially correlated standard-normal noise at fixed points.

    Parameters
    ----------
    x, y : array_like, shape (cell,)
        Coordinates of the cells [m].
    cell_id : array_like of int, shape (cell,)
        Global index of the cells; names the white noise when ``length_scale`` is 0.
    length_scale : float
        Length scale L [m] of the correlation exp(-d**2 / (2 L**2)); 0 means independent cells.

    Raises
    ------
    InputError
        If shapes differ, a coordinate is not finite, or the length scale is negative or absurdly short.

    Notes
    -----
    The cost of a draw is that of the lattice nodes around the cells: few when L is longer than the distance of
    cells. When L is much shorter than that distance, the field is white in effect; 0 is then far cheaper.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray, cell_id: np.ndarray, length_scale: float) -> None:
        x, y = np.asarray(x, float), np.asarray(y, float)
        self.cell_id = np.asarray(cell_id, np.int64)
        self.length_scale = float(length_scale)
        if x.ndim != 1 or x.shape != y.shape or x.shape != self.cell_id.shape:
            raise InputError(
                f"random field: x, y and cell_id must have one equal length, got shapes {x.shape}, {y.shape}, "
                f"{self.cell_id.shape}."
            )
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise InputError("random field: cell coordinates must be finite; check x and y of the domain.")
        if not math.isfinite(self.length_scale) or self.length_scale < 0:
            raise InputError(f"random field: length_scale must be 0 or a positive length [m], got {length_scale}.")
        if self.length_scale > 0:
            self._connect(x, y)

    @property
    def node_count(self) -> int:
        """Number of lattice nodes a draw evaluates (cells if the noise is white)."""
        return self.cell_id.size if self.length_scale == 0 else self._node_column.size

    def _connect(self, x: np.ndarray, y: np.ndarray) -> None:
        """Find the lattice nodes around the cells and their weights, once.

        The sum over 8 x 8 nodes is done in two passes: along x for each needed pair (distinct x, lattice row), then
        along y for each cell.
        """
        ux, x_of_cell = np.unique(x, return_inverse=True)
        column, weight_x = self._axis(ux)
        row, self._weight_y = self._axis(y)
        rows = row[:, None] + _OFFSETS                                             # (cell, 8)
        pair_key = x_of_cell[:, None].astype(np.int64) * (4 * _MAX_INDEX) + (rows + _MAX_INDEX)
        pairs, self._pair_of_cell = np.unique(pair_key, return_inverse=True)
        self._pair_of_cell = self._pair_of_cell.reshape(rows.shape)
        pair_x, pair_row = pairs // (4 * _MAX_INDEX), pairs % (4 * _MAX_INDEX) - _MAX_INDEX
        self._weight_x = weight_x[pair_x]                                           # (pair, 8)
        columns = column[pair_x][:, None] + _OFFSETS
        node_key = (columns + _MAX_INDEX) * (4 * _MAX_INDEX) + (pair_row + _MAX_INDEX)[:, None]
        nodes, node_of_pair = np.unique(node_key, return_inverse=True)
        self._node_of_pair = node_of_pair.reshape(columns.shape)
        self._node_column = nodes // (4 * _MAX_INDEX) - _MAX_INDEX
        self._node_row = nodes % (4 * _MAX_INDEX) - _MAX_INDEX

    def _axis(self, coordinate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the lattice index at or below each point and the normalised weights (point, 8) along one axis."""
        position = coordinate / (_SPACING * self.length_scale)
        if position.size and np.abs(position).max() >= _MAX_INDEX - _OFFSETS.size:
            raise InputError(
                f"random field: length_scale {self.length_scale} m is too short for coordinates of "
                f"{np.abs(coordinate).max():.3g} m. Use 0 for cells that are independent."
            )
        index = np.floor(position).astype(np.int64)
        distance = (position - index)[:, None] - _OFFSETS
        weight = np.exp(-0.5 * distance**2)
        total = np.zeros(len(weight))
        for k in range(_OFFSETS.size):
            total += weight[:, k] ** 2
        return index, weight / np.sqrt(total)[:, None]

    def sample(self, seed: int, purpose: str, members: np.ndarray, step: int, channels: int = 1) -> np.ndarray:
        """Draw the fields of one step.

        Parameters
        ----------
        seed : int
            Seed of the experiment.
        purpose : str
            What the field is for.
        members : array_like of int, shape (member,)
            Global member indices.
        step : int
            Step index.
        channels : int
            Number of independent fields, 1 to 4.

        Returns
        -------
        ndarray, shape (channels, member, cell)
            Standard-normal fields [1], independent between channels, members and steps.
        """
        members = np.asarray(members, np.int64)
        if self.length_scale == 0:
            return standard_normal(seed, purpose, members[:, None], step, self.cell_id, self.cell_id >> 32, channels)
        noise = standard_normal(seed, purpose, members, step, self._node_column[:, None], self._node_row[:, None],
                                channels)
        noise = np.ascontiguousarray(noise.transpose(1, 0, 2)).reshape(self.node_count, channels * members.size)
        along_x = _weighted_sum(noise, self._node_of_pair, self._weight_x)
        field = _weighted_sum(along_x, self._pair_of_cell, self._weight_y)                     # (cell, channel*member)
        return np.ascontiguousarray(field.T).reshape(channels, members.size, self.cell_id.size)


def _weighted_sum(values: np.ndarray, index: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return sum_k weight[:, k] * values[index[:, k]], always added in the order of k (no BLAS: bitwise neutral)."""
    total = np.zeros((len(index), values.shape[1]))
    term = np.empty_like(total)
    for k in range(index.shape[1]):
        np.take(values, index[:, k], axis=0, out=term, mode="clip")
        term *= weight[:, k : k + 1]
        total += term
    return total
