"""Boundary to the compiled soil water columns: numpy in, numpy out."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pyland.base.errors import InputError
from pyland.core import wrapped
from pyland.core.errors import check

RETENTION = {"van_genuchten": 1, "clapp_hornberger": 2, "gardner": 3}
LOWER_BOUNDARY = {"free_drainage": 1, "no_flow": 2, "water_table": 3}
UPPER_BOUNDARY = {"flux": 1, "head": 2}
SOIL = (
    "porosity",
    "residual_water",
    "retention_scale",
    "retention_shape",
    "saturated_conductivity",
    "specific_storage",
)
"""Soil parameters in the order of the compiled core."""
FLUXES = (
    "infiltration",
    "surface_runoff",
    "drainage",
    "surface_evaporation",
    "residual",
    "substeps",
    "iterations",
)
"""Fluxes in the order of the compiled core."""


@dataclass(frozen=True)
class SolverOptions:
    """Schemes and tolerances of the soil water columns; numbers as in ``fortran/subsurface/pl_richards_column.f90``."""

    retention: int = RETENTION["van_genuchten"]
    air_entry: float = 0.02
    lower_boundary: int = LOWER_BOUNDARY["free_drainage"]
    upper_boundary: int = UPPER_BOUNDARY["flux"]
    water_table_depth: float = 2.0
    surface_head: float = 0.0
    ponding_depth: float = 0.0
    air_dry_head: float = -1.0e5
    tolerance: float = 1.0e-7
    max_iterations: int = 15
    min_step: float = 1.0e-3


@dataclass
class ColumnArrays:
    """State, soil and results of a set of columns, laid out as the compiled core wants them.

    Parameters
    ----------
    thickness : numpy.ndarray, shape (layer, column)
        Layer thickness [m].
    soil : numpy.ndarray, shape (6, layer, column)
        Soil parameters in the order of ``SOIL``.
    """

    thickness: np.ndarray
    soil: np.ndarray
    pressure_head: np.ndarray = field(init=False)
    soil_water: np.ndarray = field(init=False)
    surface_water: np.ndarray = field(init=False)
    actual_sink: np.ndarray = field(init=False)
    flux: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.thickness = np.ascontiguousarray(self.thickness, float)
        self.soil = np.ascontiguousarray(self.soil, float)
        if self.soil.shape != (len(SOIL), *self.thickness.shape):
            raise InputError(f"soil: expected shape {(len(SOIL), *self.thickness.shape)}, got {self.soil.shape}.")
        ncolumn = self.thickness.shape[1]
        self.pressure_head = np.zeros_like(self.thickness)
        self.soil_water = np.zeros_like(self.thickness)
        self.surface_water = np.zeros(ncolumn)
        self.actual_sink = np.zeros_like(self.thickness)
        self.flux = np.zeros((len(FLUXES), ncolumn))

    def advance(self, dt: float, surface_input: np.ndarray, sink: np.ndarray, options: SolverOptions) -> None:
        """Advance all columns by ``dt`` [s]; see :class:`pyland.subsurface.Subsurface`."""
        o = options
        check(
            *wrapped.pl_api_subsurface.subsurface_advance(
                float(dt),
                o.retention,
                o.air_entry,
                o.lower_boundary,
                o.upper_boundary,
                o.water_table_depth,
                o.surface_head,
                o.ponding_depth,
                o.air_dry_head,
                o.tolerance,
                o.max_iterations,
                o.min_step,
                self.thickness.T,
                self.soil.T,
                np.ascontiguousarray(surface_input, float),
                np.ascontiguousarray(sink, float).T,
                self.pressure_head.T,
                self.soil_water.T,
                self.surface_water,
                self.actual_sink.T,
                self.flux.T,
            )
        )

    def head_from_water(self, options: SolverOptions) -> None:
        """Set heads from water contents."""
        self._convert(1, options)

    def water_from_head(self, options: SolverOptions) -> None:
        """Set water contents from heads."""
        self._convert(2, options)

    def reconcile(self, options: SolverOptions) -> None:
        """Limit water contents to the retention curve and make heads consistent with them."""
        self._convert(3, options)

    def _convert(self, mode: int, o: SolverOptions) -> None:
        check(
            *wrapped.pl_api_subsurface.subsurface_convert(
                mode, o.retention, o.air_entry, o.air_dry_head, self.soil.T, self.soil_water.T, self.pressure_head.T
            )
        )

    def diagnose(self, o: SolverOptions) -> tuple[np.ndarray, np.ndarray]:
        """Return all water of each column [kg m-2] and the depth of its water table [m]."""
        total, depth = np.zeros_like(self.surface_water), np.zeros_like(self.surface_water)
        check(
            *wrapped.pl_api_subsurface.subsurface_diagnose(
                o.retention,
                o.air_entry,
                o.air_dry_head,
                self.thickness.T,
                self.soil.T,
                self.pressure_head.T,
                self.soil_water.T,
                self.surface_water,
                total,
                depth,
            )
        )
        return total, depth


__all__ = ["FLUXES", "LOWER_BOUNDARY", "RETENTION", "SOIL", "UPPER_BOUNDARY", "ColumnArrays", "SolverOptions"]
