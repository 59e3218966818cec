"""Boundary to the compiled canopy, bare ground, leaf and root kernels: tables in, tables out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from pyland.base.errors import InputError
from pyland.core import wrapped
from pyland.core.errors import check

# members of the tables in the order of fortran/api/pl_api_canopy.f90
PROFILE = ("zeta", "log_momentum", "log_scalar", "ratio_momentum", "ratio_scalar")
LEAF = (
    "leaf_temperature", "absorbed_light", "vcmax25", "is_c4", "stomatal_slope", "stomatal_intercept",
    "growth_temperature", "water_stress", "vapour_pressure", "boundary_resistance", "co2_pressure",
    "air_pressure", "potential_temperature",
)
LEAF_RESULT = (
    "net_assimilation", "gross_assimilation", "respiration", "stomatal_resistance", "internal_co2",
    "stomatal_conductance", "converged",
)
WEATHER = (
    "air_temperature", "specific_humidity", "air_pressure", "wind_speed", "longwave_down", "co2", "reference_height",
)
PLANT = (
    "fraction", "leaf_area", "stem_area", "canopy_top", "roughness_ratio", "displacement_ratio", "leaf_dimension",
    "vcmax25_top", "is_c4", "stomatal_slope", "stomatal_intercept", "growth_temperature", "daylength_factor",
    "water_stress",
)
GROUND = ("temperature", "emissivity", "roughness", "humidity", "humidity_slope", "resistance")
RADIATION = (
    "canopy_absorbed", "sunlit_leaf_area", "shaded_leaf_area", "sunlit_par", "shaded_par", "extinction",
    "canopy_emissivity",
)
STATE = ("leaf_temperature", "canopy_water", "wet_fraction", "dry_fraction")
FLUX = (
    "sensible_canopy", "sensible_ground", "sensible_ground_slope", "transpiration", "canopy_evaporation",
    "ground_evaporation", "ground_evaporation_slope", "longwave_ground", "longwave_ground_slope",
    "longwave_canopy", "longwave_up", "friction_velocity", "gross_photosynthesis", "leaf_respiration",
    "canopy_conductance", "iterations", "converged",
)
STOMATA = {"ball_berry": 1, "medlyn": 2}


def stomata_number(name: str) -> int:
    """Return the number of a stomatal conductance scheme."""
    if name not in STOMATA:
        raise InputError(f"stomata: expected one of {', '.join(STOMATA)}, got {name!r}")
    return STOMATA[name]


def make_table(what: str, values: Mapping[str, ArrayLike], names: Sequence[str], ncolumn: int) -> np.ndarray:
    """Put named arrays into a Fortran-ordered table, one row per column.

    Parameters
    ----------
    what : str
        Name of the table, for messages.
    values : Mapping[str, ArrayLike]
        One scalar or array of shape ``(ncolumn,)`` for each name; no other names.
    names : Sequence[str]
        Members in the order of the table.
    ncolumn : int
        Number of columns.

    Returns
    -------
    numpy.ndarray
        Shape ``(ncolumn, len(names))``.

    Raises
    ------
    InputError
        If a name is missing or unknown, or an array has another length.
    """
    missing = [name for name in names if name not in values]
    unknown = [name for name in values if name not in names]
    if missing or unknown:
        raise InputError(
            f"{what}: missing {missing or 'nothing'}, unknown {unknown or 'nothing'}; expected {list(names)}")
    table = np.empty((ncolumn, len(names)), order="F")
    for k, name in enumerate(names):
        array = np.asarray(values[name], dtype=float)
        if array.shape not in ((), (ncolumn,)):
            raise InputError(f"{what}.{name}: expected a number or shape ({ncolumn},), got {array.shape}")
        table[:, k] = array
    return table


def call_profiles(table: np.ndarray) -> np.ndarray:
    """Integrated profiles of momentum and scalars, shape ``(ncolumn, 2)``."""
    output = np.zeros((table.shape[0], 2), order="F")
    check(*wrapped.pl_api_canopy.canopy_profiles(table, output))
    return output


def call_leaf(stomata: int, table: np.ndarray) -> np.ndarray:
    """Rates of one leaf class, shape ``(ncolumn, len(LEAF_RESULT))``."""
    output = np.zeros((table.shape[0], len(LEAF_RESULT)), order="F")
    check(*wrapped.pl_api_canopy.canopy_leaf(stomata, table, output))
    return output


def call_exchange(
    dt: float,
    stomata: int,
    stability_limit: float,
    weather: np.ndarray,
    plant: np.ndarray,
    ground: np.ndarray,
    radiation: np.ndarray,
    state: np.ndarray,
) -> np.ndarray:
    """Fluxes of canopies, shape ``(ncolumn, len(FLUX))``; the leaf temperature in ``state`` changes in place."""
    flux = np.zeros((weather.shape[0], len(FLUX)), order="F")
    check(*wrapped.pl_api_canopy.canopy_exchange(
        dt, stomata, stability_limit, weather, plant, ground, radiation, state, flux))
    return flux


def call_bare_ground(stability_limit: float, weather: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """Fluxes of bare ground, shape ``(ncolumn, len(FLUX))``."""
    flux = np.zeros((weather.shape[0], len(FLUX)), order="F")
    check(*wrapped.pl_api_canopy.canopy_bare_ground(stability_limit, weather, ground, flux))
    return flux


def call_stress(
    root_fraction: np.ndarray, pressure_head: np.ndarray, soil_temperature: np.ndarray, limits: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Water stress ``(ncolumn,)`` and uptake shares ``(ncolumn, nlayer)`` from Fortran-ordered arrays."""
    stress = np.zeros((root_fraction.shape[0], 1), order="F")
    share = np.zeros(root_fraction.shape, order="F")
    check(*wrapped.pl_api_canopy.canopy_stress(root_fraction, pressure_head, soil_temperature, limits, stress, share))
    return stress[:, 0], share


def call_roots(beta: float, interfaces: np.ndarray) -> np.ndarray:
    """Share of the roots in each layer, one fewer than ``interfaces``."""
    fraction = np.zeros(max(interfaces.size - 1, 0))
    check(*wrapped.pl_api_canopy.canopy_roots(beta, interfaces, fraction))
    return fraction
