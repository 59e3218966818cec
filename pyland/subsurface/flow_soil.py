"""Soil classes of a distributed subsurface: cells name their class instead of holding their parameters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pyland.base.errors import InputError
from pyland.subsurface.flow_grid import FlowGrid, numbers, spread_cells
from pyland.subsurface.retention import CURVE_PARAMETERS, SPECIFIC_STORAGE


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
    porosity, residual, elastic : numpy.ndarray, shape (layer, y, x)
        Of the tile: porosity and residual water [m3 m-3], specific storage over porosity [m-1]; 1 where no cell is.

    Raises
    ------
    InputError
        If the curve is unknown, or parameters are missing, superfluous or out of range.
    """

    def __init__(self, soil: Mapping[str, np.ndarray], retention: str, grid: FlowGrid) -> None:
        values = _complete(soil, retention)
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
            _positive(spread_cells(values.get(name, vertical), grid.shape, name), grid.active, name)
            for name in ("saturated_conductivity_x", "saturated_conductivity_y", "saturated_conductivity"))
        lookup = np.vstack([self.table, np.ones((1, 5))])
        mine = self.index[1:-1, :, 1:-1].transpose(1, 0, 2)
        self.porosity = lookup[mine, 0]
        self.residual = lookup[mine, 1]
        self.elastic = lookup[mine, 4] / self.porosity


def _complete(soil: Mapping[str, np.ndarray], retention: str) -> dict[str, np.ndarray]:
    if retention not in CURVE_PARAMETERS:
        raise InputError(f"retention: expected one of {sorted(CURVE_PARAMETERS)}, got {retention!r}.")
    if not isinstance(soil, Mapping):
        raise InputError(f"soil: expected a mapping of parameters, got {soil!r:.80}.")
    required = {"porosity", "saturated_conductivity", *CURVE_PARAMETERS[retention]}
    defaults = {"residual_water": 0.0, "specific_storage": SPECIFIC_STORAGE}
    optional = {*defaults, "saturated_conductivity_x", "saturated_conductivity_y"}
    missing, unknown = required - set(soil), set(soil) - required - optional
    if missing or unknown:
        raise InputError(
            f"soil: a {retention} soil needs {sorted(required)} and may have {sorted(optional)}; "
            f"missing {sorted(missing)}, unknown {sorted(unknown)}."
        )
    return {**defaults, **soil}


def _check_curve(values: Mapping[str, np.ndarray], curve: tuple[str, ...], grid: FlowGrid) -> None:
    """Raise an InputError that names the parameter that is out of range; the whole domain, so that all ranks agree."""
    fields = {name: spread_cells(values[name], grid.shape, name)[grid.active]
              for name in ("porosity", "residual_water", "specific_storage", *curve)}
    for name in ("specific_storage", *curve):
        field = np.abs(fields[name]) if name == "air_entry_head" else fields[name]
        least = 1.0 if name == "van_genuchten_n" else 0.0
        if not field.min() > least:
            raise InputError(f"{name}: must be more than {least:g} in every active cell, got {fields[name].min():g}.")
    if fields["porosity"].max() > 1.0 or fields["residual_water"].min() < 0.0:
        raise InputError(f"porosity must not exceed 1 and residual_water not fall below 0 [m3 m-3], got "
                         f"{fields['porosity'].max():g} and {fields['residual_water'].min():g}.")
    if not (fields["porosity"] > fields["residual_water"]).all():
        raise InputError("residual_water: must be less than porosity in every active cell.")


def _positive(field: np.ndarray, active: np.ndarray, name: str) -> np.ndarray:
    least = np.where(active, field, np.inf).min()
    if not least > 0.0:
        raise InputError(f"{name}: must be positive [m s-1] in every active cell, got {least:g}.")
    return field


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
