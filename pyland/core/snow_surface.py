"""Boundary to ageing, albedo and light of snow, and to snow on plants: packs of arrays in, packs of arrays out.

Packs are ``(value, column)``; a pack of snow is ``(5 * layer, column)``: ice, liquid, thickness, temperature and grain
radius of all layers, one quantity after the other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyland.core import wrapped
from pyland.core.errors import check

Array = NDArray[np.float64]


def _run(procedure: str, *arguments: object) -> None:
    check(*getattr(wrapped.pl_api_snow_surface, procedure)(*arguments))


def grow(dt: float, packs: Array, columns: Array, refrozen: Array) -> Array:
    """Return the grain radius ``(layer, column)`` for columns ``(4, column)`` and refrozen mass ``(layer, column)``."""
    radius = np.zeros_like(refrozen)
    _run("snow_grow", dt, packs.T, columns.T, refrozen.T, radius.T)
    return radius


def age(dt: float, packs: Array, columns: Array, ages: Array) -> Array:
    """Return the age ``(1, column)`` for columns ``(2, column)``."""
    new = ages.copy()
    _run("snow_age_step", dt, packs.T, columns.T, new.T)
    return new


def reflect(scheme: int, packs: Array, columns: Array) -> Array:
    """Return the albedos ``(4, column)`` for columns ``(7, column)``."""
    results = np.zeros((4, packs.shape[1]))
    _run("snow_reflect", scheme, packs.T, columns.T, results.T)
    return results


def bands(columns: Array) -> Array:
    """Return the albedo of three bands ``(3, column)`` for columns ``(3, column)``."""
    results = np.zeros((3, columns.shape[1]))
    _run("snow_bands", columns.T, results.T)
    return results


def light(packs: Array, columns: Array) -> tuple[Array, Array]:
    """Return absorption ``(layer, column)`` and what reaches the ground ``(1, column)`` for columns ``(3, column)``."""
    per_layer, to_ground = np.zeros((packs.shape[0] // 5, packs.shape[1])), np.zeros((1, packs.shape[1]))
    _run("snow_light", packs.T, columns.T, per_layer.T, to_ground.T)
    return per_layer, to_ground


def canopy(dt: float, inputs: Array, canopy_snow: Array) -> tuple[Array, Array]:
    """Return canopy snow ``(1, column)`` and results ``(5, column)`` for packs ``(6, column)`` and ``(1, column)``."""
    store, results = canopy_snow.copy(), np.zeros((5, inputs.shape[1]))
    _run("snow_canopy", dt, inputs.T, store.T, results.T)
    return store, results


def expose(columns: Array, areas: Array) -> Array:
    """Return leaf and stem area ``(2, column)`` above the snow for columns ``(5, column)``."""
    exposed = areas.copy()
    _run("snow_expose", columns.T, exposed.T)
    return exposed
