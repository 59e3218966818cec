"""Heat of soil columns, and what an analysis of their temperature does to it.

Ice and liquid water of soil in which both are follow from heat, not from temperature alone. So an analysed change of
temperature is taken for the heat that it would need without change of phase, and the column finds temperature and ice
to its new heat by the model's own freezing curve: soil that is warmer than freezing before and after gets the analysed
temperature, frozen soil does not pass the freezing point without its latent heat.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from pyland.base.registry import variable
from pyland.base.units import WATER_DENSITY
from pyland.core import land_surface
from pyland.land.snow_pack import FREEZING_POINT, HEAT_CAPACITY_ICE, HEAT_CAPACITY_WATER, LATENT_FUSION
from pyland.land.soil_heat import step_ground_heat

if TYPE_CHECKING:
    from pyland.coupling.column_model import ColumnModel

GRAVITY = 9.80616
"""Of the core [m s-2]."""

BLOCK = 65536
"""Columns whose heat is computed at once, so that work arrays stay small beside the model [1]."""

ALL = slice(None)
"""All columns."""

FILM_SHARE = 0.01
"""Share of the pores whose water does not freeze, of ``pl_frozen_soil`` [1]."""


def land_heat(model: ColumnModel) -> np.ndarray:
    """Heat of soil, bedrock and snow, 0 for solids and liquid water at the freezing point.

    Parameters
    ----------
    model : ColumnModel
        Soil columns.

    Returns
    -------
    numpy.ndarray, shape (member, cell)
        [J m-2]
    """
    ncolumn = model.nmember * model.ncell
    blocks = [slice(first, first + BLOCK) for first in range(0, ncolumn, BLOCK)]
    return np.concatenate([_heat_of(model, block) for block in blocks]).reshape(model.nmember, model.ncell)


def _heat_of(model: ColumnModel, block: slice) -> np.ndarray:
    """Heat of some columns, (column,) [J m-2]."""
    state, nlayer = model.core.state, model.nlayer
    water, ice = _water_masses(model, block)
    capacity = _dry_capacity(model, block)
    capacity[:nlayer] += HEAT_CAPACITY_WATER * water + HEAT_CAPACITY_ICE * ice
    cold = HEAT_CAPACITY_ICE * (state["snow_temperature"][:, block] - FREEZING_POINT) - LATENT_FUSION
    warmth = state["soil_temperature"][:, block] - FREEZING_POINT
    # one layer after the other: numpy would add those of a single column in pairs, with other bits
    return reduce(np.add, [*(capacity * warmth), *(-LATENT_FUSION * ice), *(state["snow_ice"][:, block] * cold)])


def put_soil_temperature(model: ColumnModel, temperature: np.ndarray) -> int:
    """Give soil and bedrock the heat that an analysed temperature stands for; water stays in its layers.

    Parameters
    ----------
    model : ColumnModel
        Soil columns; temperature, liquid and ice change, heads do not yet.
    temperature : numpy.ndarray, shape (thermal_layer, member, cell)
        Analysed temperature [K].

    Returns
    -------
    int
        Number of values that had to be brought into the range of temperatures that the registry has.
    """
    state, nlayer = model.core.state, model.nlayer
    present = state["soil_temperature"]
    wanted = np.asarray(temperature, dtype=float).reshape(present.shape)
    allowed = np.clip(wanted, *variable("soil_temperature").valid_range)
    clipped = int(np.count_nonzero(allowed != wanted))
    present[nlayer:] = allowed[nlayer:]  # rock holds no water
    soil = present[:nlayer]
    moves = allowed[:nlayer] != soil
    if not moves.any():
        return clipped
    liquid, ice = _water_masses(model)
    capacity = _dry_capacity(model)[:nlayer]
    whole_capacity = capacity + HEAT_CAPACITY_WATER * liquid + HEAT_CAPACITY_ICE * ice
    water = liquid + ice
    film, scale, power = freezing_curve(model)
    stepped = step_ground_heat(
        1.0, dry_capacity=capacity, conductance=0.0, temperature=soil.copy(), water=water,
        liquid=np.where(ice > 0.0, liquid, water), film=film, curve_scale=scale, curve_power=power,
        source=whole_capacity * (allowed[:nlayer] - soil))
    is_warm = (ice == 0.0) & (stepped.liquid >= water)
    soil[...] = np.where(moves, np.where(is_warm, allowed[:nlayer], stepped.temperature), soil)
    total = state["soil_water"] + state["soil_ice"]
    new_ice = np.where(stepped.liquid >= water, 0.0, np.maximum(total - stepped.liquid / _layer_mass(model), 0.0))
    turns = moves & (new_ice != state["soil_ice"])
    state["soil_ice"][...] = np.where(turns, new_ice, state["soil_ice"])
    state["soil_water"][...] = np.where(turns, total - new_ice, state["soil_water"])
    return clipped


def _layer_mass(model: ColumnModel) -> np.ndarray:
    """Mass of water that would fill a layer, (layer, 1) [kg m-2]."""
    return WATER_DENSITY * model.thickness[:, None]


def _water_masses(model: ColumnModel, block: slice = ALL) -> tuple[np.ndarray, np.ndarray]:
    """Liquid and ice of the soil layers, each (layer, column) [kg m-2]."""
    mass = _layer_mass(model)
    return mass * model.core.state["soil_water"][:, block], mass * model.core.state["soil_ice"][:, block]


def _dry_capacity(model: ColumnModel, block: slice = ALL) -> np.ndarray:
    """Heat capacity without water of soil and bedrock, (thermal_layer, column) [J m-2 K-1]."""
    soil = [np.ascontiguousarray(model.core.parameter[name][:, block])
            for name in ("sand", "clay", "organic", "porosity")]
    nothing = np.zeros_like(soil[0])
    _, capacity = land_surface.soil_thermal(*soil, nothing, nothing, model.thermal_thickness.size)
    return capacity * model.thermal_thickness[:, None]


def freezing_curve(model: ColumnModel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Freezing curve of ``pl_frozen_soil``: at T below T_f, film + scale (T_f - T)**-power stays liquid.

    Parameters
    ----------
    model : ColumnModel
        Soil columns.

    Returns
    -------
    film, scale, power : numpy.ndarray, shape (layer, column)
        [kg m-2], [kg m-2 K**power], [1].
    """
    parameter, mass = model.core.parameter, _layer_mass(model)
    pores = parameter["porosity"] - parameter["residual_water"]
    scale, shape = parameter["retention_scale"], parameter["retention_shape"]
    is_campbell = model.retention == "clapp_hornberger"
    entry = scale if is_campbell else 1.0 / scale
    power = 1.0 / shape if is_campbell else shape - 1.0
    per_kelvin = LATENT_FUSION / (GRAVITY * FREEZING_POINT)
    film = mass * (parameter["residual_water"] + FILM_SHARE * pores)
    return film, mass * pores * (entry / per_kelvin) ** power, power
