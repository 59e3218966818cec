"""Water of the model: snow, runoff, drainage and a water table that moves through three layers; nothing is lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyland.diagnose.sith.parameters import DEEP_YIELD, LAYER_BOTTOM, LAYER_THICKNESS, WATER_DENSITY, SithSoil

ZERO_CELSIUS = 273.15
"""[K]."""

BASE_FLOW = 39.0
"""Discharge of ground water with the water table at the surface [kg m-2 d-1] (Zhu et al. 2019)."""

BASE_FLOW_DECAY = 1.25
"""Its decrease with the depth of the water table [m-1]."""

DRAINAGE = ((0.048, 4.8), (0.012, 1.2), (0.012, 1.2))
"""Slow and fast drainage of each layer [kg m-2 d-1] (Ducharne et al. 1998)."""

FAST_FROM = 0.75
"""Saturation from which fast drainage sets in [1], same source."""

_TOP = LAYER_BOTTOM - LAYER_THICKNESS


@dataclass
class SithState:
    """Water of each cell.

    Attributes
    ----------
    unsaturated : numpy.ndarray, shape (3, cell)
        Water of each layer above the water table [kg m-2].
    table : numpy.ndarray, shape (cell,)
        Depth of the water table [m], 0 or larger.
    snow : numpy.ndarray, shape (cell,)
        [kg m-2].
    """

    unsaturated: np.ndarray
    table: np.ndarray
    snow: np.ndarray

    def copy(self) -> SithState:
        """Return a state of its own."""
        return SithState(self.unsaturated.copy(), self.table.copy(), self.snow.copy())

    def depth(self) -> np.ndarray:
        """Return the thickness of each layer above the water table, (3, cell) [m]."""
        return np.clip(self.table - _TOP[:, None], 0.0, LAYER_THICKNESS[:, None])

    def water(self, porosity: np.ndarray) -> np.ndarray:
        """Return the water of each layer, its saturated part included, (3, cell) [kg m-2]."""
        return self.unsaturated + WATER_DENSITY * porosity * (LAYER_THICKNESS[:, None] - self.depth())

    def moisture(self, porosity: np.ndarray) -> np.ndarray:
        """Return the mean volumetric water content of each layer, (3, cell) [m3 m-3]."""
        return self.water(porosity) / (WATER_DENSITY * LAYER_THICKNESS[:, None])

    def storage(self, porosity: np.ndarray) -> np.ndarray:
        """Return all water that the model books, below the layers relative to a full aquifer, (cell,) [kg m-2]."""
        deep = WATER_DENSITY * DEEP_YIELD * np.maximum(self.table - LAYER_BOTTOM[-1], 0.0)
        return self.water(porosity).sum(axis=0) - deep + self.snow


def state_from_moisture(moisture: np.ndarray, table: np.ndarray, snow: np.ndarray, porosity: np.ndarray) -> SithState:
    """Return a state from water contents.

    Parameters
    ----------
    moisture : numpy.ndarray, shape (3, cell)
        Of the layers above the water table [m3 m-3]; cut to the pores.
    table, snow : numpy.ndarray, shape (cell,)
        Depth of the water table [m], snow [kg m-2].
    porosity : numpy.ndarray, shape (cell,)
        [m3 m-3].
    """
    state = SithState(np.zeros_like(moisture), np.maximum(table, 0.0).astype(float), np.array(snow, dtype=float))
    state.unsaturated = WATER_DENSITY * np.clip(moisture, 0.0, porosity) * state.depth()
    return state


def snow_balance(
    state: SithState, precipitation: np.ndarray, temperature: np.ndarray, potential: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Let snow fall, sublimate and melt; return sublimation and the water that reaches the soil [kg m-2 d-1].

    Parameters
    ----------
    state : SithState
        Its snow changes.
    precipitation : numpy.ndarray, shape (cell,)
        Below the canopy [kg m-2 d-1]; snow at 0 degC and below.
    temperature : numpy.ndarray, shape (cell,)
        [K].
    potential : numpy.ndarray, shape (cell,)
        Potential evaporation of the soil [kg m-2 d-1].
    """
    celsius = temperature - ZERO_CELSIUS
    snowfall = np.where(celsius <= 0.0, precipitation, 0.0)
    pack = state.snow + snowfall
    sublimation = np.minimum(pack, potential)
    pack = pack - sublimation
    rain = precipitation - snowfall
    melt = np.minimum(pack, (1.5 + 0.007 * rain) * np.maximum(celsius, 0.0))
    state.snow = pack - melt
    return sublimation, rain + melt


def surface_runoff(state: SithState, water: np.ndarray, porosity: np.ndarray) -> np.ndarray:
    """Return the runoff of water that reaches the soil, by its free pores (SCS 1985), (cell,) [kg m-2 d-1].

    Parameters
    ----------
    state : SithState
        Its layers 1 and 2 above the water table take the water.
    water : numpy.ndarray, shape (cell,)
        [kg m-2 d-1].
    porosity : numpy.ndarray, shape (cell,)
        [m3 m-3].
    """
    room = np.maximum(WATER_DENSITY * porosity * state.depth()[:2] - state.unsaturated[:2], 0.0).sum(axis=0)
    excess = water - 0.2 * room
    curve = np.divide(excess**2, water + 0.8 * room, out=np.zeros_like(water), where=excess > 0.0)
    return np.minimum(np.maximum(curve, water - room), water)


def infiltrate(state: SithState, water: np.ndarray, porosity: np.ndarray) -> np.ndarray:
    """Fill layers from the top; return what none had room for [kg m-2 d-1]. Arguments as for `surface_runoff`."""
    room = WATER_DENSITY * porosity * state.depth()
    for layer in range(3):
        total = state.unsaturated[layer] + water
        state.unsaturated[layer] = np.minimum(total, room[layer])
        water = total - state.unsaturated[layer]
    return water


def drain(state: SithState, soil: SithSoil) -> np.ndarray:
    """Let water drain from layer to layer; return the recharge of the ground water, (cell,) [kg m-2 d-1]."""
    depth = state.depth()
    flow = np.zeros_like(state.table)
    for layer, (slow, fast) in enumerate(DRAINAGE):
        full = WATER_DENSITY * soil.porosity * depth[layer]
        saturation = np.divide(state.unsaturated[layer], full, out=np.zeros_like(full), where=full > 0.0)
        rate = slow * saturation + np.where(saturation >= FAST_FROM, (fast - slow) * saturation * np.sqrt(saturation),
                                            0.0)
        rate = np.minimum(np.minimum(rate, soil.saturated_conductivity), state.unsaturated[layer])
        held = state.unsaturated[layer] - rate + flow
        state.unsaturated[layer] = np.minimum(held, full)
        flow = rate + (held - state.unsaturated[layer])  # what a full layer cannot hold goes on
    return flow


def move_table(state: SithState, gain: np.ndarray, soil: SithSoil) -> np.ndarray:
    """Move the water table by what the ground water gained; return what rises above the surface, (cell,) [kg m-2 d-1].

    Parameters
    ----------
    state : SithState
        Its water table and the layers around it change.
    gain : numpy.ndarray, shape (cell,)
        Recharge less base flow and what plants took [kg m-2 d-1].
    soil : SithSoil
        Its soil.

    Notes
    -----
    A rising table fills the pores that it meets and takes up the water in them. A falling table leaves field capacity
    behind. Both book the same storage, so that nothing is made or lost whichever way it goes.
    """
    lost, left = np.maximum(-gain, 0.0), np.maximum(gain, 0.0)
    field = soil.field_capacity
    for layer in range(3):  # falling: from the top
        thickness = LAYER_BOTTOM[layer] - np.maximum(state.table, _TOP[layer])
        saturated = np.where(lost > 0.0, np.clip(thickness, 0.0, None), 0.0)
        fall = np.minimum(saturated, lost / (WATER_DENSITY * (soil.porosity - field)))
        state.unsaturated[layer] += WATER_DENSITY * field * fall
        lost = np.maximum(lost - WATER_DENSITY * (soil.porosity - field) * fall, 0.0)
        state.table = np.where(fall >= saturated, np.maximum(state.table, np.where(saturated > 0.0, LAYER_BOTTOM[layer],
                                                                                   0.0)), state.table + fall)
    state.table = state.table + lost / (WATER_DENSITY * DEEP_YIELD)
    below = np.maximum(state.table - LAYER_BOTTOM[-1], 0.0)
    rise = np.minimum(below, left / (WATER_DENSITY * DEEP_YIELD))
    state.table = np.where((rise >= below) & (below > 0.0), LAYER_BOTTOM[-1], state.table - rise)
    left = np.maximum(left - WATER_DENSITY * DEEP_YIELD * rise, 0.0)
    for layer in (2, 1, 0):  # rising: from below
        depth = np.where(left > 0.0, np.clip(state.table - _TOP[layer], 0.0, None), 0.0)
        room = WATER_DENSITY * soil.porosity * depth - np.where(left > 0.0, state.unsaturated[layer], 0.0)
        fills = (left >= room) & (left > 0.0)
        share = np.divide(left, room, out=np.zeros_like(left), where=(room > 0.0) & ~fills)
        rise = np.where(fills, depth, share * depth)
        state.unsaturated[layer] = np.where(fills, 0.0, state.unsaturated[layer] * (1.0 - share))
        state.table = np.where(fills, np.where(depth > 0.0, _TOP[layer], state.table), state.table - rise)
        left = np.where(left > 0.0, np.where(fills, np.maximum(left - room, 0.0), 0.0), 0.0)
    return left
