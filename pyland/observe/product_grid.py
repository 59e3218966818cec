"""The places of a product that has a grid of its own."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from pyland.base.errors import InputError
from pyland.observe.target_cells import TargetCells


def grid_places(target: TargetCells, spacing: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lay a regular grid of places over a domain.

    Parameters
    ----------
    target : TargetCells
        Cells of the domain.
    spacing : float
        Distance of the places from west to east and from south to north [m].

    Returns
    -------
    x, y : ndarray, shape (place,)
        Coordinates in the domain [m], rows from south to north; the grid is centred, as many places as fit between the
        outer edges of the cells, and at least one.
    cell : ndarray of int, shape (place,)
        Nearest cell. Places farther from a cell than half of its edge to both sides, over cells that are not modelled,
        are left out.

    Raises
    ------
    InputError
        If the spacing is not positive.
    """
    if not (np.isfinite(spacing) and spacing > 0):
        raise InputError(f"observations: the spacing of a product must be positive [m], got {spacing}.")
    axes = []
    for values in (target.x, target.y):
        first, last = values.min() - 0.5 * target.size, values.max() + 0.5 * target.size
        count = max(int((last - first) / spacing * (1.0 + 1e-9)), 1)  # 300 km hold twelve times 25 km, rounded or not
        axes.append(0.5 * (first + last) + spacing * (np.arange(count) - 0.5 * (count - 1)))
    x, y = (values.ravel() for values in np.meshgrid(*axes))
    cell = cKDTree(np.stack([target.x, target.y], axis=1)).query(np.stack([x, y], axis=1))[1]
    reach = 0.5 * target.size * (1.0 + 1e-9)
    inside = (np.abs(x - target.x[cell]) <= reach) & (np.abs(y - target.y[cell]) <= reach)
    return x[inside], y[inside], cell[inside]
