"""Cells with several surfaces: soil columns beside lakes and others, each with its share of the area.

Every surface of a cell is a column of its own, in its own set of columns under the same weather. Fluxes of a cell are
area means of balances that close in each column, so they close in the cell. Soil keeps its state and its parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np

from pyland.base.errors import BalanceError, InputError, StateError
from pyland.base.registry import is_variable, variable
from pyland.coupling.column_model import ColumnModel

STEFAN_BOLTZMANN = 5.67e-8
"""Of the core [W m-2 K-4]."""

ROUNDING = 1e-9
"""How far fractions that are decimals may exceed 1 together [1]."""

SURFACE = frozenset({"ground_temperature", "friction_velocity", "snow_depth"})
"""Results that are no amount per area and have an area mean all the same."""

SOIL_ONLY = frozenset({"substeps", "heat_iterations", "patch_gross_production", "patch_leaf_respiration"})
"""Counts of the solver of the soil, and results of its patches."""


class SurfaceColumns(Protocol):
    """What the mosaic asks of a set of columns of another surface, all members of some cells."""

    state: Mapping[str, np.ndarray]
    flux: Mapping[str, np.ndarray]

    def advance(
        self, weather: Mapping[str, np.ndarray], leaf_area: np.ndarray, stem_area: np.ndarray, dt: float
    ) -> None:
        """Advance by one step; leaf and stem area are those of the soil in the same cells."""

    @property
    def carbon_columns(self) -> tuple[ColumnModel, ...]:
        """Return the columns that hold carbon."""

    def land_water(self) -> np.ndarray:
        """Return the water stored, (member, cell) [kg m-2]."""

    def water_stores(self) -> dict[str, np.ndarray]:
        """Return the water by store, each (member, cell) [kg m-2]."""

    def evaporation_parts(self) -> dict[str, np.ndarray]:
        """Return the evapotranspiration of the last step by its ways, each (member, cell) [kg m-2 s-1]."""

    @property
    def bytes_per_column(self) -> float:
        """Return the memory of a column [byte]."""


@dataclass(frozen=True)
class SurfacePart:
    """One surface type of the cells that have it.

    Attributes
    ----------
    name : str
        Surface type.
    cells : numpy.ndarray of int, shape (part,)
        Cells of this rank that have it. A rank without any names one cell, with fraction 0: all ranks write the same
        variables.
    fraction : numpy.ndarray, shape (part,)
        Share of those cells [1].
    columns : SurfaceColumns
        Columns of those cells, all members.
    """

    name: str
    cells: np.ndarray
    fraction: np.ndarray
    columns: SurfaceColumns


class SurfaceMosaic:
    """Soil columns of all cells, and columns of other surfaces of some cells.

    Parameters
    ----------
    soil : ColumnModel
        Soil columns of all cells of this rank.
    parts : iterable of SurfacePart
        Other surfaces; their fractions of a cell add up to at most 1, soil has what is left.

    Attributes
    ----------
    state : mapping of str to numpy.ndarray
        State of the soil, live, and under their own names the states of the other surfaces, NaN in cells without them.
    flux : mapping of str to numpy.ndarray, shape (member, cell)
        Area means of fluxes and of amounts per area. What has no meaning elsewhere (water table depth, water stress)
        is that of the soil, results that only another surface has are NaN in cells without it.
    parameter, forcing : mapping of str to numpy.ndarray
        Of the soil.

    Raises
    ------
    InputError
        If fractions are out of range or shapes do not fit.
    """

    def __init__(self, soil: ColumnModel, parts: Iterable[SurfacePart]) -> None:
        self.soil, self.parts = soil, tuple(parts)
        self.ncell, self.nmember, self.npatch, self.nlayer = soil.ncell, soil.nmember, soil.npatch, soil.nlayer
        self.thickness, self.thermal_thickness = soil.thickness, soil.thermal_thickness
        self.parameter, self.forcing = soil.parameter, soil.forcing
        self.soil_fraction = np.ones(self.ncell)
        for part in self.parts:
            self._check(part)
            np.subtract.at(self.soil_fraction, part.cells, part.fraction)
        if (self.soil_fraction < -ROUNDING).any():
            cell = int(np.argmin(self.soil_fraction))
            covered = 1.0 - self.soil_fraction[cell]
            raise InputError(f"Surfaces of cell {cell} cover {covered:.6g} of it; expected at most 1.")
        self.soil_fraction = np.maximum(self.soil_fraction, 0.0)
        self._averaged = tuple(name for name in soil.flux if _has_mean(name))
        own = {name: array for part in self.parts for name, array in self._own_results(part)}
        self._flux = {name: np.array(view) for name, view in soil.flux.items()} | own
        self._other_state = {name: self._spread(part, part.columns.state[name])
                             for part in self.parts for name in part.columns.state}
        self.flux = MappingProxyType(self._flux)
        self.state = MappingProxyType(dict(soil.state) | self._other_state)
        self._collect()

    def _check(self, part: SurfacePart) -> None:
        if part.cells.shape != part.fraction.shape or len(np.unique(part.cells)) != len(part.cells):
            raise InputError(f"Surface '{part.name}': expected one fraction for each cell, got the shapes "
                             f"{part.fraction.shape} and {part.cells.shape}.")
        if not ((part.fraction >= 0.0) & (part.fraction <= 1.0)).all():
            raise InputError(f"Surface '{part.name}': expected fractions between 0 and 1, got "
                             f"{part.fraction.min():g} to {part.fraction.max():g}.")

    def _own_results(self, part: SurfacePart) -> list[tuple[str, np.ndarray]]:
        """Return the results that the soil does not have, over all cells."""
        return [(name, self._spread(part, view)) for name, view in part.columns.flux.items()
                if name not in self.soil.flux and name.startswith(f"{part.name}_")]

    def _spread(self, part: SurfacePart, values: np.ndarray) -> np.ndarray:
        """Put values of a part's cells among all cells; NaN elsewhere."""
        out = np.full((*values.shape[:-1], self.ncell), np.nan)
        exists = part.fraction > 0.0
        out[..., part.cells[exists]] = values[..., exists]
        return out

    def _collect(self) -> None:
        """Bring the fluxes of cells and the states of the other surfaces up to date."""
        for name, target in self._flux.items():
            if name in self._averaged:
                np.multiply(self.soil_fraction, self.soil.flux[name], out=target)
            elif name in self.soil.flux:
                target[...] = self.soil.flux[name]
        for part in self.parts:
            for name in self._averaged:
                if name in part.columns.flux:
                    self._flux[name][..., part.cells] += part.fraction * part.columns.flux[name]
            for name, array in self._own_results(part):
                self._flux[name][...] = array
            for name, view in part.columns.state.items():
                self._other_state[name][...] = self._spread(part, view)
        if self.parts:
            self._flux["radiative_temperature"][...] = (self._flux["longwave_up"] / STEFAN_BOLTZMANN) ** 0.25

    def advance(
        self, weather: Mapping[str, np.ndarray], leaf_area: np.ndarray, stem_area: np.ndarray, dt: float
    ) -> None:
        """Advance all columns by one step.

        Parameters
        ----------
        weather : mapping of str to numpy.ndarray
            Forcing, mean over the step, each ``(cell,)`` or ``(member, cell)``.
        leaf_area, stem_area : numpy.ndarray, shape (patch, cell)
            Leaf and stem area index of the soil columns [m2 m-2].
        dt : float
            Time step [s], in (0, 86400].

        Raises
        ------
        ConvergenceError, BalanceError, StateError
            If the numerics fail; the message names surface, cell and member.
        """
        self.soil.advance(weather, leaf_area, stem_area, dt)
        for part in self.parts:
            here = {name: np.asarray(values)[..., part.cells] for name, values in weather.items()
                    if not name.startswith("irrigation_")}
            try:
                part.columns.advance(here, leaf_area[:, part.cells], stem_area[:, part.cells], dt)
            except (BalanceError, StateError) as error:
                raise type(error)(f"{error} ({part.name}: cells are counted among those with one)") from error
        self._collect()

    def set_parameters(self, parameters: Mapping[str, np.ndarray]) -> None:
        """Set parameter fields of the soil columns."""
        self.soil.set_parameters(parameters)

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Set state fields, of the soil or, over all cells, of the other surfaces."""
        others = {name: part for part in self.parts for name in part.columns.state}
        self.soil.set_state({name: values for name, values in state.items() if name not in others})
        for name, part in others.items():
            if name not in state:
                continue
            view, exists = part.columns.state[name], part.fraction > 0.0
            shape = (*view.shape[:-1], self.ncell)
            if np.shape(state[name]) != shape:
                raise InputError(f"Surfaces: '{name}' has shape {np.shape(state[name])}; expected {shape}.")
            view[..., exists] = np.asarray(state[name], dtype=float)[..., part.cells[exists]]
        self._collect()

    def change_soil_water(self, soil_water: np.ndarray) -> tuple[np.ndarray, int]:
        """Replace soil water after an analysis; see `ColumnModel.change_soil_water`.

        Returns
        -------
        increment : numpy.ndarray, shape (member, cell)
            Water added, mean over the cell [kg m-2].
        clipped : int
            Number of values that had to be brought into range.
        """
        return self._of_cell(self.soil.change_soil_water(soil_water))

    def pores(self) -> tuple[np.ndarray, np.ndarray]:
        """Residual water and open pores of the soil; see `ColumnModel.pores`."""
        return self.soil.pores()

    def change_soil_temperature(self, temperature: np.ndarray) -> tuple[np.ndarray, int]:
        """Give the soil the heat of an analysed temperature; see `ColumnModel.change_soil_temperature`."""
        return self._of_cell(self.soil.change_soil_temperature(temperature))

    def change_snow_mass(self, snow_mass: np.ndarray) -> tuple[np.ndarray, int]:
        """Replace the mass of snow on the soil; see `ColumnModel.change_snow_mass`."""
        return self._of_cell(self.soil.change_snow_mass(snow_mass))

    def change_store(self, name: str, values: np.ndarray) -> tuple[np.ndarray, int]:
        """Replace a store of the soil; see `ColumnModel.change_store`."""
        return self._of_cell(self.soil.change_store(name, values))

    def change_parameters(self, parameters: Mapping[str, np.ndarray]) -> tuple[np.ndarray, int]:
        """Replace parameters of the soil and its plants; see `ColumnModel.change_parameters`."""
        return self._of_cell(self.soil.change_parameters(parameters))

    def _of_cell(self, change: tuple[np.ndarray, int]) -> tuple[np.ndarray, int]:
        """Return what was added to the soil as a mean over the cell."""
        return self.soil_fraction * change[0], change[1]

    def land_heat(self) -> np.ndarray:
        """Heat of the soil and its snow, mean over the cell, (member, cell) [J m-2]; see `ColumnModel.land_heat`."""
        return self.soil_fraction * self.soil.land_heat()

    @property
    def leaf_area_factor(self) -> np.ndarray | None:
        """Factor on the leaf area of the soil's plants, (member, cell) [1]; None for 1."""
        return self.soil.leaf_area_factor

    @property
    def has_carbon(self) -> bool:
        """Whether respiration and the net exchange of carbon are computed."""
        return self.soil.has_carbon

    @property
    def carbon_columns(self) -> tuple[ColumnModel, ...]:
        """Sets of columns that hold carbon: soil and wetlands."""
        return self.soil.carbon_columns + tuple(one for part in self.parts for one in part.columns.carbon_columns)

    def start_carbon_means(self) -> None:
        """Begin the means that `balance_carbon` needs, see `ColumnModel.start_carbon_means`."""
        for columns in self.carbon_columns:
            columns.start_carbon_means()

    def balance_carbon(self, sink: float = 0.0) -> None:
        """Set all carbon pools to their equilibrium, see `ColumnModel.balance_carbon`."""
        for columns in self.carbon_columns:
            columns.balance_carbon(sink)
        self._collect()

    def land_carbon(self) -> np.ndarray:
        """Carbon in plants, litter and soil, area mean, shape (member, cell) [kg m-2]."""
        out = self.soil_fraction * self.soil.land_carbon()
        for part in self.parts:
            for columns in part.columns.carbon_columns:
                out[..., part.cells] += part.fraction * columns.land_carbon()
        return out

    def land_water(self) -> np.ndarray:
        """Water that the columns of a cell store, area mean, shape (member, cell) [kg m-2]."""
        out = self.soil_fraction * self.soil.land_water()
        for part in self.parts:
            out[..., part.cells] += part.fraction * part.columns.land_water()
        self._flux["land_water"][...] = out
        return out

    def water_stores(self) -> dict[str, np.ndarray]:
        """Water by store, area mean, see `ColumnModel.water_stores`."""
        return self._area_means(self.soil.water_stores(), [part.columns.water_stores() for part in self.parts])

    def evaporation_parts(self) -> dict[str, np.ndarray]:
        """Evapotranspiration of the last step by its ways, area mean, see `ColumnModel.evaporation_parts`."""
        return self._area_means(self.soil.evaporation_parts(),
                                [part.columns.evaporation_parts() for part in self.parts])

    def _area_means(
        self, soil: Mapping[str, np.ndarray], others: Iterable[Mapping[str, np.ndarray]]
    ) -> dict[str, np.ndarray]:
        """Return means over the area of cells of amounts per area of the soil and of each part."""
        out = {name: self.soil_fraction * values for name, values in soil.items()}
        for part, amounts in zip(self.parts, others, strict=True):
            for name, values in amounts.items():
                out[name][..., part.cells] += part.fraction * values
        return out

    @property
    def bytes_per_column(self) -> float:
        """Memory of all fields per cell and member [byte]."""
        return self.soil.bytes_per_column + sum(
            part.columns.bytes_per_column * len(part.cells) / self.ncell for part in self.parts)


def _has_mean(name: str) -> bool:
    """Whether a result of the soil has an area mean: fluxes, amounts per area, temperature and drag of the surface."""
    if name in SOIL_ONLY:
        return False
    if name in SURFACE or not is_variable(name):
        return True
    return "m-2" in variable(name).units.split()


__all__ = ["SurfaceColumns", "SurfaceMosaic", "SurfacePart"]
