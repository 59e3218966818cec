"""Soil classes of a distributed subsurface: cells name their class instead of holding their parameters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pyland.base.errors import InputError
from pyland.subsurface.flow_grid import FlowGrid, numbers, spread_cells
from pyland.subsurface.retention import CURVE_PARAMETERS, complete_soil


class SoilClasses:
    """Distinct sets of retention parameters and which of them a cell has.

    Parameters
    ----------
    soil : Mapping
        As :class:`pyland.subsurface.DistributedSubsurface` takes it.
    retention : str
        ``van_genuchten``, ``clapp_hornberger`` or ``gardner``.
    grid : FlowGrid
        Cells and tiles.

    Attributes
    ----------
    table : numpy.ndarray, shape (class, 5)
        Porosity, residual water, scale and shape of the curve, specific storage.
    index : numpy.ndarray of int, shape (y, layer, x)
        Class of each cell of the tile and its rim; one more than the last for cells that do not exist.
    conductivity : tuple of numpy.ndarray, shape (layer, y, x)
        Conductivity at saturation of the whole domain in x, y and z [m s-1].
    porosity, residual : numpy.ndarray, shape (layer, y, x)
        Porosity and residual water of the tile [m3 m-3]; 1 where no cell is.

    Raises
    ------
    InputError
        If the curve is unknown, or parameters are missing, superfluous or out of range.
    """

    def __init__(self, soil: Mapping[str, np.ndarray], retention: str, grid: FlowGrid) -> None:
        values = complete_soil(soil, retention, "saturated_conductivity_x", "saturated_conductivity_y")
        curve = CURVE_PARAMETERS[retention]
        scale = np.abs(numbers(values[curve[0]], curve[0])) if retention == "clapp_hornberger" else values[curve[0]]
        shape_of_curve = values[curve[1]] if len(curve) > 1 else 1.0
        names = ("porosity", "residual_water", curve[0], curve[-1], "specific_storage")
        _check_curve(values, curve, grid)
        columns = [spread_cells(value, grid.shape, name) for name, value in zip(
            names, (values["porosity"], values["residual_water"], scale, shape_of_curve, values["specific_storage"]),
            strict=True)]
        exists = grid.exists_with_rim
        self.table, index = _compress([grid.cells_with_rim(one) for one in columns], exists)
        self.index = np.where(exists, index, self.table.shape[0])
        vertical = values["saturated_conductivity"]
        self.conductivity = tuple(
            _positive(values.get(name, vertical), grid, name)
            for name in ("saturated_conductivity_x", "saturated_conductivity_y", "saturated_conductivity"))
        lookup = np.vstack([self.table, np.ones((1, 5))])
        mine = self.index[1:-1, :, 1:-1].transpose(1, 0, 2)
        self.porosity = lookup[mine, 0]
        self.residual = lookup[mine, 1]


def _check_curve(values: Mapping[str, np.ndarray], curve: tuple[str, ...], grid: FlowGrid) -> None:
    """Raise an InputError that names the parameter that is out of range; the whole domain, so that all ranks agree."""
    for name in ("specific_storage", *curve):
        value = np.abs(numbers(values[name], name)) if name == "air_entry_head" else values[name]
        least, bound = _extremes(value, grid, name)[0], 1.0 if name == "van_genuchten_n" else 0.0
        if not least > bound:
            raise InputError(f"{name}: must be more than {bound:g} in every active cell, got {least:g}.")
    most, least = _extremes(values["porosity"], grid, "porosity")[1], _extremes(
        values["residual_water"], grid, "residual_water")[0]
    if most > 1.0 or least < 0.0:
        raise InputError(f"porosity must not exceed 1 and residual_water not fall below 0 [m3 m-3], got {most:g} and "
                         f"{least:g}.")
    pores, bound_water = (spread_cells(values[name], grid.shape, name) for name in ("porosity", "residual_water"))
    if not np.greater(pores, bound_water, where=grid.active, out=np.ones(grid.shape, bool)).all():
        raise InputError("residual_water: must be less than porosity in every active cell.")


def _extremes(value: np.ndarray, grid: FlowGrid, name: str) -> tuple[float, float]:
    """Return least and largest value of the active cells; of all layers, where values are given by layer."""
    field = spread_cells(value, grid.shape, name)
    given = field[grid.active] if np.ndim(value) > 1 else numbers(value, name)
    return float(given.min()), float(given.max())


def _positive(value: np.ndarray, grid: FlowGrid, name: str) -> np.ndarray:
    least = _extremes(value, grid, name)[0]
    if not least > 0.0:
        raise InputError(f"{name}: must be positive [m s-1] in every active cell, got {least:g}.")
    return spread_cells(value, grid.shape, name)


def _compress(columns: list[np.ndarray], exists: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return distinct rows of parameters of existing cells, and the row of each cell."""
    code = np.zeros(exists.shape, np.int64)
    for column in columns:
        if column.min() == column.max():
            continue
        distinct, place = np.unique(column, return_inverse=True)
        if distinct.size * (int(code.max()) + 1) >= 2**62:
            code = np.unique(code, return_inverse=True)[1].reshape(exists.shape)
        code = code * distinct.size + place.reshape(exists.shape)
    distinct, first, place = np.unique(code[exists], return_index=True, return_inverse=True)
    if distinct.size == 0: # no cell of this tile exists
        return np.stack([column.ravel()[:1] for column in columns], axis=1), np.zeros(exists.shape, np.int64)
    index = np.zeros(exists.shape, np.int64)
    index[exists] = place.ravel()
    return np.stack([column[exists][first] for column in columns], axis=1), index
