"""Boundary to the single processes of carbon and irrigation: packs of arrays in, packs of arrays out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyland.core import wrapped
from pyland.core.errors import check

Array = NDArray[np.float64]

N_POOL = 6


def _run(procedure: str, *arguments: object) -> None:
    check(*getattr(wrapped.pl_api_carbon, procedure)(*arguments))


def respiration(plants: Array, roots: Array, temperature: Array) -> Array:
    """Stem and root, growth and all plant respiration ``(3, column)`` for a pack of plants ``(5, column)``."""
    results = np.zeros((3, plants.shape[1]))
    _run("carbon_respiration", plants.T, roots.T, temperature.T, results.T)
    return results


def decomposition_factor(thickness: Array, temperature: Array, head: Array) -> Array:
    """Control of decay ``(1, column)`` for soil ``(layer, column)``."""
    results = np.zeros((1, thickness.shape[1]))
    _run("carbon_decomposition_factor", thickness.T, temperature.T, head.T, results.T)
    return results


def pool_step(dt: float, climate: Array, pools: Array) -> tuple[Array, Array]:
    """Return new pools ``(6, column)`` and respiration ``(1, column)`` for a pack of climate ``(3, column)``."""
    new = pools.copy()
    results = np.zeros((1, pools.shape[1]))
    _run("carbon_pool_step", dt, climate.T, new.T, results.T)
    return new, results


def pool_respiration(climate: Array, pools: Array) -> Array:
    """Respiration ``(1, column)`` of pools that stay; climate ``(2, column)``."""
    results = np.zeros((1, pools.shape[1]))
    _run("carbon_pool_respiration", climate.T, pools.T, results.T)
    return results


def equilibrium(climate: Array) -> Array:
    """Pools ``(6, column)`` in equilibrium with a mean climate ``(3, column)``."""
    results = np.zeros((N_POOL, climate.shape[1]))
    _run("carbon_equilibrium", climate.T, results.T)
    return results


def irrigate(dt: float, settings: Array, soil: tuple[Array, Array, Array, Array, Array],
             store: Array) -> tuple[Array, Array]:
    """Return the new store ``(2, column)`` and results ``(3, column)``; soil is five arrays ``(layer, column)``."""
    new = store.copy()
    results = np.zeros((3, store.shape[1]))
    _run("carbon_irrigate", dt, settings.T, *(one.T for one in soil), new.T, results.T)
    return new, results
