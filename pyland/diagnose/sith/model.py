"""The ET model: a day of all cells, and a run over days in blocks of cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from pyland.base.errors import InputError
from pyland.diagnose.sith.demand import interception, moisture_stress, potential_evaporation, temperature_stress
from pyland.diagnose.sith.parameters import (
    LAYER_THICKNESS,
    WATER_DENSITY,
    SithPlants,
    SithSoil,
    root_shares,
)
from pyland.diagnose.sith.water import (
    BASE_FLOW,
    BASE_FLOW_DECAY,
    SithState,
    drain,
    infiltrate,
    move_table,
    snow_balance,
    surface_runoff,
)

WEATHER = ("net_radiation", "ground_heat_flux", "air_temperature", "surface_pressure", "precipitation",
           "leaf_area_index")
"""Daily means that the model needs [W m-2, W m-2, K, Pa, kg m-2 d-1, m2 m-2], each (cell,)."""

CELLS_AT_ONCE = 4096
"""Cells of a block: its arrays stay in the cache."""


@dataclass
class SithDay:
    """Results of a day, or of days with a leading axis, shape ([day,] cell) [kg m-2 d-1] unless said otherwise.

    Attributes
    ----------
    transpiration, soil_evaporation, interception, sublimation : numpy.ndarray
        Parts of evapotranspiration.
    unlimited_transpiration : numpy.ndarray
        Transpiration before the soil's water limits it: what the public code of SiTHv2 reports.
    surface_runoff, base_flow : numpy.ndarray
        Water that leaves.
    moisture : numpy.ndarray, shape ([day,] 3, cell)
        Water content of the layers at the end of the day [m3 m-3].
    water_table_depth : numpy.ndarray
        At the end of the day [m].
    snow : numpy.ndarray
        At the end of the day [kg m-2].
    residual : numpy.ndarray
        Precipitation less what left and what is stored; round-off.
    """

    transpiration: np.ndarray
    soil_evaporation: np.ndarray
    interception: np.ndarray
    sublimation: np.ndarray
    unlimited_transpiration: np.ndarray
    surface_runoff: np.ndarray
    base_flow: np.ndarray
    moisture: np.ndarray
    water_table_depth: np.ndarray
    snow: np.ndarray
    residual: np.ndarray

    @property
    def evapotranspiration(self) -> np.ndarray:
        """Sum of the four parts [kg m-2 d-1]."""
        return self.transpiration + self.soil_evaporation + self.interception + self.sublimation


def advance_day(
    state: SithState,
    weather: Mapping[str, np.ndarray],
    soil: SithSoil,
    plants: SithPlants,
    optimum: np.ndarray,
    *,
    roots: np.ndarray | None = None,
    vegetation_stress: np.ndarray | float = 1.0,
) -> SithDay:
    """Advance all cells by a day.

    Parameters
    ----------
    state : SithState
        Changes in place.
    weather : mapping of str to numpy.ndarray, shape (cell,)
        See ``WEATHER``.
    soil, plants : SithSoil, SithPlants
        Parameters.
    optimum : numpy.ndarray, shape (cell,)
        Optimum temperature of the plants [K], above 273.15.
    roots : numpy.ndarray, shape (3, cell), optional
        `root_shares` of the plants, where they are known already.
    vegetation_stress : numpy.ndarray or float
        Constraint by vegetation optical depth, 0 to 1 [1].

    Returns
    -------
    SithDay
    """
    roots = root_shares(plants) if roots is None else roots
    before, porosity = state.storage(soil.porosity), soil.porosity
    rainfall, leaf_area = weather["precipitation"], weather["leaf_area_index"]
    canopy, ground = potential_evaporation(weather["net_radiation"], weather["ground_heat_flux"], leaf_area,
                                           weather["air_temperature"], weather["surface_pressure"])
    caught, wet = interception(canopy, leaf_area, rainfall, plants.interception)
    sublimation, input_ = snow_balance(state, rainfall - caught, weather["air_temperature"], ground)
    runoff = surface_runoff(state, input_, porosity)
    runoff = runoff + infiltrate(state, input_ - runoff, porosity)
    activity = vegetation_stress * temperature_stress(weather["air_temperature"], optimum)
    demand = _demand(state, soil, roots, (1.0 - wet) * canopy)
    unlimited, transpired, pumped = _transpire(state, soil, plants, demand * activity, canopy)
    evaporated, drawn = _evaporate(state, soil, ground - sublimation)
    recharge = drain(state, soil)
    base = BASE_FLOW * np.exp(-BASE_FLOW_DECAY * state.table)
    runoff = runoff + move_table(state, recharge - pumped - drawn - base, soil)
    transpiration = transpired + pumped
    evaporation = evaporated + drawn
    left = transpiration + evaporation + caught + sublimation + runoff + base
    return SithDay(transpiration, evaporation, caught, sublimation, unlimited, runoff, base, state.moisture(porosity),
                   state.table.copy(), state.snow.copy(), rainfall - left - (state.storage(porosity) - before))


def _demand(state: SithState, soil: SithSoil, roots: np.ndarray, potential: np.ndarray) -> np.ndarray:
    """Share the potential transpiration between the layers by roots and water, (3, cell) [kg m-2 d-1]."""
    weight = roots * (state.moisture(soil.porosity) / soil.porosity) ** soil.exponent
    total = weight.sum(axis=0)
    return potential * np.divide(weight, total, out=np.zeros_like(weight), where=total > 0.0)


def _transpire(
    state: SithState, soil: SithSoil, plants: SithPlants, demand: np.ndarray, potential: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Take up water; return what would be taken without a limit, from unsaturated layers, and from ground water.

    The unsaturated part of a layer gives no water below the wilting point of the soil; the saturated part gives what is
    asked for.
    """
    depth = state.depth()
    above, water = state.unsaturated, state.water(soil.porosity)
    share = np.divide(above, water, out=np.zeros_like(water), where=water > 0.0)
    moisture = np.divide(above, WATER_DENSITY * depth, out=np.zeros_like(above), where=depth > 0.0)
    stress = moisture_stress(moisture, potential, plants.height, soil.field_capacity, soil.wilting_point)
    wanted = stress * share * demand
    taken = np.minimum(wanted, np.maximum(above - WATER_DENSITY * soil.wilting_point * depth, 0.0))
    state.unsaturated = above - taken
    pumped = ((1.0 - share) * demand).sum(axis=0)
    return wanted.sum(axis=0) + pumped, taken.sum(axis=0), pumped


def _evaporate(state: SithState, soil: SithSoil, potential: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Evaporate from the first layer; return what its unsaturated part and the ground water in it give."""
    full = state.unsaturated[0] + WATER_DENSITY * soil.porosity * (LAYER_THICKNESS[0] - state.depth()[0])
    moisture = full / (WATER_DENSITY * LAYER_THICKNESS[0])
    wanted = np.minimum(moisture / soil.field_capacity, 1.0) * potential
    share = np.divide(state.unsaturated[0], full, out=np.zeros_like(full), where=full > 0.0)
    taken = np.minimum(share * wanted, state.unsaturated[0])
    state.unsaturated[0] = state.unsaturated[0] - taken
    return taken, (1.0 - share) * wanted


def run_sith(
    state: SithState,
    weather: Mapping[str, np.ndarray],
    soil: SithSoil,
    plants: SithPlants,
    optimum: np.ndarray,
    *,
    vegetation_stress: np.ndarray | None = None,
    spinup: int = 0,
) -> SithDay:
    """Run the model over days.

    Parameters
    ----------
    state : SithState
        At the start; at the end of the run afterwards.
    weather : mapping of str to numpy.ndarray, shape (day, cell)
        See ``WEATHER``; no missing values.
    soil, plants : SithSoil, SithPlants
        Parameters, (cell,).
    optimum : numpy.ndarray, shape (cell,)
        Optimum temperature of the plants [K], above 273.15.
    vegetation_stress : numpy.ndarray, shape (day, cell), optional
        Constraint by vegetation optical depth, 0 to 1 [1]; without it 1.
    spinup : int
        How many times the days are run before.

    Returns
    -------
    SithDay
        Arrays with a leading axis of days.

    Raises
    ------
    InputError
        If a field is missing, has another shape, or has values that are missing or impossible.
    """
    ncell = state.table.size
    shape = _check(weather, optimum, vegetation_stress, ncell)
    roots = root_shares(plants)
    out: dict[str, np.ndarray] = {}
    for first in range(0, ncell, CELLS_AT_ONCE):
        block = slice(first, min(first + CELLS_AT_ONCE, ncell))
        part = SithState(state.unsaturated[:, block].copy(), state.table[block].copy(), state.snow[block].copy())
        own = [type(one)(**{item.name: getattr(one, item.name)[block] for item in fields(one)})
               for one in (soil, plants)]
        for cycle in range(spinup + 1):
            for day in range(shape[0]):
                stress = 1.0 if vegetation_stress is None else vegetation_stress[day, block]
                found = advance_day(part, {name: weather[name][day, block] for name in WEATHER}, *own, optimum[block],
                                    roots=roots[:, block], vegetation_stress=stress)
                if cycle < spinup:
                    continue
                for item in fields(found):
                    values = getattr(found, item.name)
                    if item.name not in out:
                        out[item.name] = np.empty((shape[0], *values.shape[:-1], ncell))
                    out[item.name][day, ..., block] = values
        state.unsaturated[:, block], state.table[block], state.snow[block] = part.unsaturated, part.table, part.snow
    return SithDay(**out)


def _check(
    weather: Mapping[str, np.ndarray], optimum: np.ndarray, stress: np.ndarray | None, ncell: int
) -> tuple[int, ...]:
    """Return the shape (day, cell) of the weather, or say what is wrong with it."""
    missing = [name for name in WEATHER if name not in weather]
    if missing:
        raise InputError(f"SiTH: expected daily {', '.join(WEATHER)}; {', '.join(missing)} is missing.")
    shape = np.shape(weather[WEATHER[0]])
    if len(shape) != 2 or shape[0] == 0 or shape[1] != ncell:
        raise InputError(f"SiTH: expected {WEATHER[0]} of shape (day, {ncell}), got {shape}.")
    for name, values in [*((name, weather[name]) for name in WEATHER), ("vegetation_stress", stress)]:
        if values is None:
            continue
        if np.shape(values) != shape:
            raise InputError(f"SiTH: expected {name} of shape {shape}, got {np.shape(values)}.")
        if not np.isfinite(values).all():
            day, cell = np.argwhere(~np.isfinite(values))[0]
            raise InputError(f"SiTH: {name} is missing on day {day} in cell {cell}; give values for all days.")
    if min(weather["precipitation"].min(), weather["leaf_area_index"].min()) < 0.0:
        raise InputError("SiTH: expected precipitation and leaf area of 0 or more.")
    if not (np.asarray(optimum) > 273.15).all():
        raise InputError(f"SiTH: expected optimum temperatures above 273.15 K, got {np.min(optimum):.2f} K.")
    return shape
