"""Where the water of columns is, and by which way it evaporates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pyland.base.units import WATER_DENSITY

if TYPE_CHECKING:
    from pyland.coupling.column_model import ColumnModel

WATER_STORES = ("soil", "ground_water", "snow", "surface", "canopy", "glacier")
"""Stores of a column: unsaturated soil, soil below the water table, snow, ponds, leaves, the body of a glacier."""

EVAPORATION_PARTS = ("transpiration", "canopy_evaporation", "soil_evaporation", "snow_sublimation",
                     "open_water_evaporation")
"""Ways of evapotranspiration; that of leaves holds what sublimates from the snow on them, that of soil that of ice."""


def saturated_depth(thickness: np.ndarray, pressure_head: np.ndarray) -> np.ndarray:
    """Return the depth of the top of the saturated zone that reaches the base of columns.

    Parameters
    ----------
    thickness : numpy.ndarray, shape (layer,)
        Layers, top first [m].
    pressure_head : numpy.ndarray, shape (layer, ...)
        [m]

    Returns
    -------
    numpy.ndarray, shape (...)
        Below the surface [m], as ``water_table_depth`` of the core (``fortran/subsurface/pl_water_table.f90``): where
        the head between the middles of layers is 0; 0 where all is saturated, the depth of the base where nothing is.
    """
    base = float(np.sum(thickness))
    middle = np.cumsum(thickness) - 0.5 * np.asarray(thickness)
    depth = np.minimum(middle[-1] - pressure_head[-1], base)
    connected = pressure_head[-1] >= 0.0
    for k in range(len(thickness) - 2, -1, -1):
        here, below = pressure_head[k], pressure_head[k + 1]
        distance = middle[k + 1] - middle[k]
        fall = np.where(below > here, below - here, np.inf)  # a head that does not fall upwards crosses nothing
        between = middle[k + 1] - distance * np.minimum(np.maximum(below, 0.0) / fall, 1.0)
        depth = np.where(connected, np.where(here >= 0.0, middle[k] - here, between), depth)
        connected = connected & (here >= 0.0)
    return np.maximum(depth, 0.0)


def column_stores(model: ColumnModel) -> dict[str, np.ndarray]:
    """Return the water of columns by store.

    Parameters
    ----------
    model : ColumnModel
        Columns; ``model.land_water()`` was called since their state changed.

    Returns
    -------
    dict of str to numpy.ndarray, shape (member, cell)
        ``WATER_STORES`` [kg m-2]; their sum is ``land_water``. Ground water is what the layers below the water table
        hold, at most their pores; the rest of the soil, with what compression adds, is ``soil``.
    """
    state, fraction = model.state, model.parameter["patch_fraction"]
    bottom = np.cumsum(model.thickness)[:, None, None]
    height = model.thickness[:, None, None]
    shape = (model.nlayer, model.nmember, model.ncell)  # a single layer has no axis in the views
    head, water, ice = (state[name].reshape(shape) for name in ("pressure_head", "soil_water", "soil_ice"))
    wet = np.clip(bottom - saturated_depth(model.thickness, head), 0.0, height)
    pores = model.parameter["porosity"].reshape(shape)
    ground_water = WATER_DENSITY * np.minimum(pores * wet, (water + ice) * height).sum(axis=0)
    return {
        "soil": model.flux["soil_water_total"] - ground_water,
        "ground_water": ground_water,
        "snow": (state["snow_ice"] + state["snow_liquid"]).sum(axis=0),
        "surface": np.array(state["surface_water"]),
        "canopy": (fraction * (state["canopy_water"] + state["canopy_snow"])).sum(axis=0),
        "glacier": np.zeros_like(ground_water),
    }


def column_evaporation(model: ColumnModel) -> dict[str, np.ndarray]:
    """Return the evapotranspiration of the last step of columns by its ways, (member, cell) [kg m-2 s-1].

    Snow on the ground has what leaves, soil and plants do not have of the whole.
    """
    flux = model.flux
    parts = {name: np.array(flux[name]) for name in EVAPORATION_PARTS[:3]}
    parts["snow_sublimation"] = flux["evapotranspiration"] - sum(parts.values())
    return parts | {"open_water_evaporation": np.zeros_like(parts["transpiration"])}


__all__ = ["EVAPORATION_PARTS", "WATER_STORES", "column_evaporation", "column_stores", "saturated_depth"]
