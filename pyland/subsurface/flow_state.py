"""Heads of a distributed subsurface: at the start, their check, and the water table they hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyland.base.errors import InputError, StateError
from pyland.base.parallel import Communicator
from pyland.subsurface.flow_grid import FlowGrid, spread_cells, spread_columns
from pyland.subsurface.flow_options import HEADS


def initial_heads(grid: FlowGrid, pressure_head: np.ndarray | None, table: np.ndarray | None) -> np.ndarray:
    """Return the pressure heads of the tile at the start.

    Parameters
    ----------
    grid : FlowGrid
        Cells and tiles.
    pressure_head : array_like, optional
        A number, ``(layer,)`` or ``(layer, y, x)`` of the whole domain [m].
    table : array_like, optional
        Depth of the water table of hydrostatic columns, a number or ``(y, x)`` of the whole domain [m].

    Returns
    -------
    numpy.ndarray, shape (layer, y, x)
        [m]

    Raises
    ------
    InputError
        If not exactly one is given, its shape does not fit, or a head is not what the solver can take.
    """
    if (pressure_head is None) == (table is None):
        raise InputError("initial state: give exactly one of pressure_head and water_table_depth.")
    if table is not None:
        heads = grid.depth[:, None, None] - spread_columns(table, grid.shape[1:], "water_table_depth")
    else:
        heads = spread_cells(pressure_head, grid.shape, "pressure_head")
    there = heads[grid.active]
    if there.min() < HEADS[0] or there.max() > HEADS[1]:
        raise InputError(f"initial state: expected pressure heads of {HEADS[0]:g} to {HEADS[1]:g} m, got "
                         f"{there.min():g} to {there.max():g} m.")
    return heads[:, grid.rows, grid.columns]


def check_heads(heads: np.ndarray, grid: FlowGrid, names: Sequence[int | None]) -> None:
    """Raise a StateError that says where a head of the tile, (member, layer, y, x) [m], is not finite.

    ``names`` are those of the members, None without.
    """
    if np.isfinite(heads.sum()):
        return
    bad = np.argwhere(~np.isfinite(heads))
    if bad.size:
        member, layer, row, column = bad[0]
        of_member = f" of member {names[member]}" if names[member] is not None else ""
        raise StateError(
            f"pressure{of_member}: NaN or infinity in {len(bad)} cells, the first in layer {layer}, y "
            f"{row + grid.rows.start}, x {column + grid.columns.start} (from 0); give finite heads.")


def worst_cell(residual: np.ndarray, grid: FlowGrid, comm: Communicator) -> str:
    """Say which cell of the domain has the largest residual, (layer, y, x) of the tile; all ranks must ask together."""
    size = np.nan_to_num(np.abs(residual), nan=np.inf)
    layer, row, column = (int(one) for one in np.unravel_index(np.argmax(size), size.shape))
    mine = float(size[layer, row, column]), layer, row + grid.rows.start, column + grid.columns.start
    _, layer, row, column = max(comm.allgather(mine))
    return f"layer {layer}, y {row}, x {column} (from 0)"


def find_water_table(head: np.ndarray, active: np.ndarray, grid: FlowGrid) -> np.ndarray:
    """Return the depth to the top of the saturated zone that reaches the base, (y, x) [m].

    Parameters
    ----------
    head : numpy.ndarray, shape (layer, y, x)
        [m]
    active : numpy.ndarray of bool, shape (layer, y, x)
        Cells that exist; the zone goes through others.
    grid : FlowGrid
        Layers.

    Returns
    -------
    numpy.ndarray, shape (y, x)
        Hydrostatic above the highest cell of the zone; the base of the domain where there is none; NaN without cells.
    """
    zone = np.logical_and.accumulate(((head >= 0.0) | ~active)[::-1], axis=0)[::-1] & active
    top = np.argmax(zone, axis=0)
    table = grid.depth[top] - np.take_along_axis(head, top[None], 0)[0]
    table = np.where(zone.any(axis=0), np.maximum(table, 0.0), grid.thickness.sum())
    return np.where(active.any(axis=0), table, np.nan)
