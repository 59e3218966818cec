"""Snow of soil columns after an analysis of its mass: packs are scaled, made and removed by the rules of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from pyland.base.registry import variable
from pyland.land.snow_pack import (
    FREEZING_POINT,
    SnowPack,
    add_snowfall,
    adjust_snow_layers,
    fresh_snow_density,
    update_snow_cover,
)

if TYPE_CHECKING:
    from pyland.coupling.column_model import ColumnModel

LEAST_MASS = 1e-6
"""A pack with less is no snow, of ``pl_snow_chunk`` [kg m-2]."""

SMALLEST_GRAIN = 54.5
"""Optical radius in layers that are absent, of ``pl_snow_chunk`` [um]."""

LAYERED = ("snow_ice", "snow_liquid", "snow_layer_thickness", "snow_temperature", "snow_grain_radius")
SURFACE = ("snow_age", "snow_cover_fraction", "snow_mass_maximum")
ABSENT = MappingProxyType({"snow_temperature": FREEZING_POINT, "snow_grain_radius": SMALLEST_GRAIN})
"""What fields of snow hold without snow, where it is not 0."""


def snow_mass(state: Mapping[str, np.ndarray]) -> np.ndarray:
    """Mass of snow of columns, (member, cell) [kg m-2], from the state of a model.

    Layer by layer: numpy would add those of a single column in pairs, with other bits.
    """
    return reduce(np.add, [*state["snow_ice"], *state["snow_liquid"]])


def put_snow_mass(model: ColumnModel, mass: np.ndarray) -> int:
    """Give columns an analysed mass of snow.

    A pack that is there keeps density, temperature and grains of its layers, and its cover. Where there was none, new
    snow falls at the air temperature of the last step. Below ``LEAST_MASS`` nothing is left. Layers are then divided
    and joined as the model does it.

    Parameters
    ----------
    model : ColumnModel
        Soil columns.
    mass : numpy.ndarray, shape (member, cell)
        Analysed ice and liquid [kg m-2].

    Returns
    -------
    int
        Number of values that had to be brought into the range that the registry has.
    """
    state = model.core.state
    wanted = np.asarray(mass, dtype=float).reshape(-1)
    allowed = np.clip(wanted, *variable("snow_mass").valid_range)
    present = snow_mass(model.state).reshape(-1)
    moves = allowed != present
    had, gets = present >= LEAST_MASS, allowed >= LEAST_MASS
    gone = np.flatnonzero(moves & ~gets)
    for name in (*LAYERED, *SURFACE, "snow_dust_age"):
        state[name][:, gone] = ABSENT.get(name, 0.0)
    if (scaled := np.flatnonzero(moves & gets & had)).size:
        factor = allowed[scaled] / present[scaled]
        for name in ("snow_ice", "snow_liquid", "snow_layer_thickness", "snow_mass_maximum"):
            state[name][:, scaled] *= factor
        _put(model, scaled, adjust_snow_layers(_pack(model, scaled)), adjust_snow_layers(_dust_pack(model, scaled)))
    if (fresh := np.flatnonzero(moves & gets & ~had)).size:
        pack = _new_pack(model, fresh, allowed[fresh])
        _put(model, fresh, pack, replace(pack, grain_radius=np.zeros_like(pack.ice)))
    flux = model.core.flux
    flux["snow_mass"][0] = np.where(moves, allowed * gets, flux["snow_mass"][0])
    depth = state["snow_cover_fraction"][0] * reduce(np.add, state["snow_layer_thickness"])
    flux["snow_depth"][0] = np.where(moves, depth, flux["snow_depth"][0])
    return int(np.count_nonzero(allowed != wanted))


def _pack(model: ColumnModel, columns: np.ndarray) -> SnowPack:
    state = model.core.state
    return SnowPack(*(np.ascontiguousarray(state[name][:, columns]) for name in LAYERED),
                    *(state[name][0, columns] for name in SURFACE))


def _dust_pack(model: ColumnModel, columns: np.ndarray) -> SnowPack:
    """Return the packs with the age of the dust in place of the grains: layers mix both alike."""
    return replace(_pack(model, columns), grain_radius=np.ascontiguousarray(
        model.core.state["snow_dust_age"][:, columns]))


def _new_pack(model: ColumnModel, columns: np.ndarray, mass: np.ndarray) -> SnowPack:
    """Return packs of new snow where there was none."""
    weather, choices = model.core.forcing, model.snow_choices
    air = np.minimum(weather["air_temperature"][0, columns], FREEZING_POINT)
    density = fresh_snow_density(air, weather["wind_speed"][0, columns],
                                 scheme=str(choices.get("fresh_density", "clm5")))
    pack = add_snowfall(SnowPack.without_snow(model.core.nsnow, columns.size), 1.0, mass, air, density)
    pack = update_snow_cover(
        pack, mass, model.core.parameter["topography_deviation"][0, columns],
        scheme=str(choices.get("cover", "swenson_lawrence")), roughness=float(choices.get("roughness", 0.01)))
    return adjust_snow_layers(pack)


def _put(model: ColumnModel, columns: np.ndarray, pack: SnowPack, dust: SnowPack) -> None:
    state = model.core.state
    for name, values in zip(LAYERED, (pack.ice, pack.liquid, pack.thickness, pack.temperature, pack.grain_radius),
                            strict=True):
        state[name][:, columns] = values
    for name, values in zip(SURFACE, (pack.age, pack.cover, pack.mass_maximum), strict=True):
        state[name][0, columns] = values
    is_there = pack.ice + pack.liquid > 0.0
    state["snow_dust_age"][:, columns] = np.where(is_there, dust.grain_radius, 0.0)
