"""Carbon of plants and soil, process by process, and the tissue that goes with a plant type.

The time step of the model calls the same compiled kernels. Per-column arguments are arrays of shape ``(column,)`` or
scalars; layered ones have shape ``(layer, column)``, pools ``(6, column)``: litter 1 to 3, then soil 1 to 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyland.base.errors import InputError
from pyland.core import carbon as core
from pyland.core.land_surface import pack

__all__ = [
    "CARBON_PARAMETERS",
    "CARBON_SCHEMES",
    "LITTER_POOLS",
    "PlantRespiration",
    "compute_decomposition_factor",
    "compute_pool_respiration",
    "compute_tissue_nitrogen",
    "find_equilibrium_pools",
    "plant_respiration",
    "step_soil_carbon",
]

Array = NDArray[np.float64]

CARBON_SCHEMES = {"none": 0, "prescribed": 1, "evolving": 2}
"""Words of ``land.carbon`` and numbers of the core."""

CARBON_PARAMETERS = frozenset({"stem_nitrogen", "root_nitrogen", "litterfall_rate"})
"""Parameter fields that columns with carbon have."""

LITTER_POOLS = 3
"""How many of the six pools are litter; the others are soil."""

YEAR = 365.0 * 86400.0
"""A year of the rates of turnover [s]."""

LIVE_WOOD_NITROGEN = 1.0 / 50.0
"""Nitrogen per carbon of live wood [1], CLM5 (Lawrence et al. 2018, table of allocation and C:N ratios)."""

ROOT_NITROGEN = 1.0 / 42.0
"""Nitrogen per carbon of fine roots [1], as above."""

STEM_PER_LEAF = 0.01
"""Carbon of respiring stemwood per leaf area and height [kg m-1]: Clark et al. (2011), doi 10.5194/gmd-4-701-2011."""

COARSE_ROOT_SHARE = 0.3
"""Coarse roots per stem [1], CLM5, as above."""


@dataclass(frozen=True)
class PlantRespiration:
    """Respiration of plants as carbon, each ``(column,)`` [kg m-2 s-1].

    Attributes
    ----------
    stem_root : numpy.ndarray
        Maintenance of live stems and of roots.
    growth : numpy.ndarray
        Growth respiration.
    total : numpy.ndarray
        Leaves, maintenance and growth.
    """

    stem_root: Array
    growth: Array
    total: Array


def compute_tissue_nitrogen(
    plant: Mapping[str, float], leaf_area: ArrayLike, canopy_top: ArrayLike
) -> tuple[Array, Array]:
    """Return the nitrogen of live stems and of roots of a plant type.

    Parameters
    ----------
    plant : mapping of str to float
        Parameters of the type, from :func:`pyland.land.plant_parameters`.
    leaf_area : array_like
        Largest leaf area index of the year [1]; tissue does not follow the seasons.
    canopy_top : array_like
        Height of the canopy [m].

    Returns
    -------
    tuple of numpy.ndarray
        Stem and root nitrogen [kg m-2].

    Notes
    -----
    Stems: live share of 0.01 kg m-1 times height and leaf area (pipe model; Clark et al. 2011, eq. 41), C:N 50. Roots:
    fine roots in proportion to leaf carbon (CLM5), C:N 42, and live coarse roots, 0.3 of the stems.
    """
    area, height = np.asarray(leaf_area, dtype=float), np.asarray(canopy_top, dtype=float)
    stem = STEM_PER_LEAF * height * area * plant["live_wood_share"] * LIVE_WOOD_NITROGEN
    fine = plant["root_leaf_ratio"] * area / plant["specific_leaf_area"] * ROOT_NITROGEN
    return stem, fine + COARSE_ROOT_SHARE * stem


def plant_respiration(
    gross_production: ArrayLike,
    leaf_respiration: ArrayLike,
    stem_nitrogen: ArrayLike,
    root_nitrogen: ArrayLike,
    air_temperature: ArrayLike,
    soil_temperature: ArrayLike,
    root_fraction: ArrayLike,
) -> PlantRespiration:
    """Return the respiration of plants.

    Parameters
    ----------
    gross_production, leaf_respiration : array_like, shape (column,)
        As carbon [kg m-2 s-1].
    stem_nitrogen, root_nitrogen : array_like, shape (column,)
        Nitrogen of live stems and of roots [kg m-2].
    air_temperature : array_like, shape (column,)
        Temperature of stems [K].
    soil_temperature, root_fraction : array_like, shape (layer, column)
        Temperature [K] and share of the roots [1] of the layers.

    Raises
    ------
    InputError
        If shapes do not fit or a value is not finite.
    """
    rows = pack([gross_production, leaf_respiration, stem_nitrogen, root_nitrogen, air_temperature])
    ncolumn = rows.shape[1]
    temperature = _layers("soil_temperature", soil_temperature, ncolumn)
    roots = _layers("root_fraction", root_fraction, ncolumn)
    return PlantRespiration(*core.respiration(rows, roots, temperature))


def compute_decomposition_factor(thickness: ArrayLike, temperature: ArrayLike, head: ArrayLike) -> Array:
    """Return the control of decay by temperature and water in the top 0.29 m, 1 in wet soil at 25 degC.

    Parameters
    ----------
    thickness, temperature, head : array_like, shape (layer, column)
        Thickness [m], temperature [K] and pressure head [m] of the layers.

    Returns
    -------
    numpy.ndarray, shape (column,)
        [1]
    """
    temperature = np.asarray(temperature, dtype=float)
    ncolumn = temperature.shape[1] if temperature.ndim == 2 else 1
    soil = [_layers(name, value, ncolumn)
            for name, value in (("thickness", thickness), ("temperature", temperature), ("head", head))]
    return core.decomposition_factor(*soil)[0]


def step_soil_carbon(
    dt: float, pools: ArrayLike, litterfall: ArrayLike, factor: ArrayLike, sand: ArrayLike
) -> tuple[Array, Array]:
    """Advance litter and soil by one implicit step.

    Parameters
    ----------
    dt : float
        Time step [s].
    pools : array_like, shape (6, column)
        Carbon [kg m-2].
    litterfall : array_like, shape (column,)
        Carbon [kg m-2 s-1].
    factor : array_like, shape (column,)
        Control of decay, from `compute_decomposition_factor` [1].
    sand : array_like, shape (column,)
        Sand share of the mineral soil [%].

    Returns
    -------
    tuple of numpy.ndarray
        New pools ``(6, column)`` [kg m-2] and heterotrophic respiration ``(column,)`` [kg m-2 s-1].

    Raises
    ------
    InputError
        If shapes do not fit, a value is not finite or the step is not positive.
    """
    climate = pack([sand, factor, litterfall])
    new, respired = core.pool_step(dt, climate, _layers("pools", pools, climate.shape[1], core.N_POOL))
    return new, respired[0]


def compute_pool_respiration(pools: ArrayLike, factor: ArrayLike, sand: ArrayLike) -> Array:
    """Return the respiration ``(column,)`` [kg m-2 s-1] of pools ``(6, column)`` [kg m-2] that stay as they are."""
    climate = pack([sand, factor])
    return core.pool_respiration(climate, _layers("pools", pools, climate.shape[1], core.N_POOL))[0]


def find_equilibrium_pools(litterfall: ArrayLike, factor: ArrayLike, sand: ArrayLike) -> Array:
    """Return the pools that a mean climate keeps in balance.

    Parameters
    ----------
    litterfall : array_like, shape (column,)
        Mean litterfall as carbon, the mean net primary production [kg m-2 s-1].
    factor : array_like, shape (column,)
        Mean control of decay [1]; below 0.001 it counts as 0.001.
    sand : array_like, shape (column,)
        Sand share of the mineral soil [%].

    Returns
    -------
    numpy.ndarray, shape (6, column)
        Carbon [kg m-2].
    """
    return core.equilibrium(pack([sand, factor, litterfall]))


def _layers(name: str, value: ArrayLike, ncolumn: int, nlayer: int | None = None) -> Array:
    """Return ``(layer, column)`` from ``(layer,)`` or ``(layer, column)``."""
    array = np.asarray(value, dtype=float)
    if array.ndim == 1:
        array = np.repeat(array[:, None], ncolumn, axis=1)
    if array.ndim != 2 or array.shape[1] != ncolumn or (nlayer is not None and array.shape[0] != nlayer):
        raise InputError(
            f"{name}: expected shape ({nlayer or 'layer'}, {ncolumn}), got {np.shape(value)}; one value per column."
        )
    return np.ascontiguousarray(array)
