"""Columns of the surfaces beside soil: lakes, glaciers, wetlands, urban ground."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pyland.coupling import (
    ColumnModel,
    GroundColumns,
    LakeColumns,
    SurfaceMosaic,
    SurfacePart,
    UrbanSlab,
    glacier_columns,
    urban_columns,
)
from pyland.land.carbon import CARBON_PARAMETERS
from pyland.land.lake_model import DENSEST

if TYPE_CHECKING:
    from pyland.driver.setup import Setup

WETLAND_POND = 0.1
"""Water that stands on a wetland before it runs off [m]."""

SHARED_OPTIONS = ("stability_limit", "bottom_heat_flux")
"""Options of the soil columns, besides those of snow, that hold on other grounds too."""


def add_other_surfaces(
    soil: ColumnModel, setup: Setup, options: Mapping[str, Any]
) -> ColumnModel | SurfaceMosaic:
    """Return the soil columns, with columns of the other surfaces beside them where the run has some.

    Parameters
    ----------
    soil : ColumnModel
        Soil columns of this rank's cells, in their initial state.
    setup : Setup
        The run.
    options : mapping
        Options that the soil columns were made with.
    """
    makers = {"glacier": _glaciers, "lake": _lakes, "urban": _urban, "wetland": _wetlands}
    parts = []
    for name in setup.other_surfaces:
        fraction = setup.surface.other[name]
        cells = np.flatnonzero(fraction > 0.0)
        if not cells.size:
            cells = np.array([0])  # with fraction 0: all ranks have the same variables
        parts.append(SurfacePart(name, cells, fraction[cells], makers[name](soil, setup, options, cells)))
    return SurfaceMosaic(soil, parts) if parts else soil


def _height(setup: Setup, cells: np.ndarray) -> np.ndarray:
    """Return the height of the forcing [m]."""
    return np.broadcast_to(np.asarray(setup.forcing.reference_height, dtype=float), (setup.domain.ncell,))[cells]


def _shared(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that hold on grounds that are no soil."""
    return {name: value for name, value in options.items() if name in SHARED_OPTIONS or name.startswith("snow")}


def _lakes(soil: ColumnModel, setup: Setup, options: Mapping[str, Any], cells: np.ndarray) -> LakeColumns:
    """Open water at the temperature that soil starts with, at least that of densest water."""
    return LakeColumns(
        setup.surface.lake_depth[cells], soil.nmember, latitude=setup.domain.latitude[cells],
        reference_height=_height(setup, cells), temperature=np.maximum(setup.initial_temperature[cells], DENSEST),
        extinction=setup.config.surface.lake_extinction, stability_limit=setup.config.land.stability_limit)


def _glaciers(soil: ColumnModel, setup: Setup, options: Mapping[str, Any], cells: np.ndarray) -> GroundColumns:
    """Ice in all thermal layers, at the temperature that soil starts with, not above freezing."""
    return glacier_columns(
        setup.layers.thermal_thickness, setup.initial_temperature[cells], _height(setup, cells), soil.nmember,
        **_shared(options))


def _urban(soil: ColumnModel, setup: Setup, options: Mapping[str, Any], cells: np.ndarray) -> GroundColumns:
    """Sealed ground in all thermal layers."""
    slab = UrbanSlab(**setup.config.surface.urban_slab.model_dump())
    return urban_columns(
        setup.layers.thermal_thickness, setup.initial_temperature[cells], _height(setup, cells), soil.nmember, slab,
        **_shared(options))


def _wetlands(soil: ColumnModel, setup: Setup, options: Mapping[str, Any], cells: np.ndarray) -> GroundColumns:
    """Soil and plants of the cell over a water table at the surface, under a pond."""
    layers = setup.layers
    wet = {"lower_boundary": "water_table", "water_table_depth": 0.0, "ponding_depth": WETLAND_POND}
    model = ColumnModel(
        layers.thickness, layers.bedrock_thickness,
        {name: view[..., cells] for name, view in soil.parameter.items()
         if name not in CARBON_PARAMETERS and not name.startswith("irrigation_")},
        ncell=len(cells), nmember=soil.nmember, npatch=soil.npatch, **{**options, **wet})
    same = tuple(name for name in ("soil_temperature", "leaf_temperature", "growth_temperature", "carbon_pools",
                                   "plant_carbon") if name in model.state)
    model.set_state({"pressure_head": np.repeat(layers.node_depth[:, None], len(cells), axis=1),
                     **{name: soil.state[name][..., cells] for name in same}})
    return GroundColumns("wetland", model, False, {})
