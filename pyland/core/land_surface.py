"""Boundary to the single land-surface processes: packs of arrays in, packs of arrays out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyland.core import wrapped
from pyland.core.errors import check

Array = NDArray[np.float64]

N_TWO_STREAM = 19
N_RADIATION = 9
N_WEATHER_DERIVED = 7
N_EVAPORATION = 4


def pack(values: Sequence[ArrayLike]) -> Array:
    """Stack per-column values to ``(value, column)``, C-contiguous; scalars are repeated over the columns.

    Raises
    ------
    ValueError
        If two arrays differ in length.
    """
    rows = np.broadcast_arrays(*(np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in values))
    return np.ascontiguousarray(np.stack(rows))


def _run(procedure: str, *arguments: object) -> None:
    check(*getattr(wrapped.pl_api_land_surface, procedure)(*arguments))


def two_stream(plants: Array, albedos: Array, cosine_zenith: Array) -> Array:
    """Two-stream results ``(19, column)`` for packs ``(12, column)``, ``(4, column)`` and ``(1, column)``."""
    results = np.zeros((N_TWO_STREAM, plants.shape[1]))
    _run("surface_two_stream", plants.T, albedos.T, cosine_zenith.T, results.T)
    return results


def radiation(plants: Array, albedos: Array, weather: Array) -> Array:
    """Patch radiation ``(9, column)`` for packs ``(12, column)``, ``(4, column)`` and ``(6, column)``."""
    results = np.zeros((N_RADIATION, plants.shape[1]))
    _run("surface_radiation", plants.T, albedos.T, weather.T, results.T)
    return results


def weather(forcing: Array) -> Array:
    """Return derived weather ``(7, column)`` for a pack ``(6, column)``."""
    results = np.zeros((N_WEATHER_DERIVED, forcing.shape[1]))
    _run("surface_weather", forcing.T, results.T)
    return results


def albedo(colour: Array, water: Array) -> Array:
    """Soil albedo ``(4, column)`` for packs ``(4, column)`` and ``(1, column)``."""
    results = np.zeros_like(colour)
    _run("surface_albedo", colour.T, water.T, results.T)
    return results


def intercept(dt: float, inputs: Array, canopy_water: Array) -> tuple[Array, Array]:
    """Return canopy water ``(1, column)`` and results ``(3, column)`` for packs ``(3, column)``, ``(1, column)``."""
    store = canopy_water.copy()
    results = np.zeros_like(inputs)
    _run("surface_intercept", dt, inputs.T, store.T, results.T)
    return store, results


def soil_thermal(sand: Array, clay: Array, organic: Array, porosity: Array, water: Array, ice: Array,
                 nthermal: int) -> tuple[Array, Array]:
    """Conductivity and heat capacity ``(nthermal, column)`` of soil ``(layer, column)`` over bedrock."""
    shape = (nthermal, porosity.shape[1])
    conductivity, capacity = np.zeros(shape), np.zeros(shape)
    _run("surface_soil_thermal", sand.T, clay.T, organic.T, porosity.T, water.T, ice.T, conductivity.T, capacity.T)
    return conductivity, capacity


def ground_heat(dt: float, nsnow: int, rows: Array, curve: Array, surfaces: Array, temperature: Array,
                liquid: Array) -> tuple[Array, Array, Array]:
    """Return new temperature and liquid water ``(row, column)`` and results ``(5, column)``.

    ``rows`` ``(4 * row, column)``: dry capacity, water, conductance, source; ``curve`` ``(3 * layer, column)``: film,
    scale, power; ``surfaces`` ``(7, column)``: top row, then flux, slope and start of the snow and of the soil surface.
    """
    new, melted = temperature.copy(), liquid.copy()
    results = np.zeros((5, temperature.shape[1]))
    _run("surface_ground_heat", dt, nsnow, rows.T, curve.T, surfaces.T, new.T, melted.T, results.T)
    return new, melted, results


def evaporation(scheme: int, weather: Array, soil: Array, states: Array) -> Array:
    """Soil-surface results ``(4, column)`` for packs ``(2, column)``, ``(4, column)`` and ``(4, column)``."""
    results = np.zeros((N_EVAPORATION, weather.shape[1]))
    _run("surface_evaporation", scheme, weather.T, soil.T, states.T, results.T)
    return results
