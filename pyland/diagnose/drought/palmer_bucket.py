"""Water of the Palmer index: the bucket of two layers of Palmer (1965), or the fluxes of a run in its place.

References
----------
.. [1] Palmer, W. C. (1965). Meteorological drought. U.S. Weather Bureau Research Paper 45.
.. [2] Alley, W. M. (1984). The Palmer Drought Severity Index: limitations and assumptions. J. Climate Appl. Meteor.
   23, 1100-1109: equations 1 to 11.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyland.base.errors import InputError

SURFACE_CAPACITY = 25.4
"""Available water that the surface layer holds [kg m-2]: one inch [1]_."""

Array = NDArray[Any]


@dataclass(frozen=True)
class PalmerFluxes:
    """Water of each month that the index compares with its potential, each (month, cell) [kg m-2].

    Attributes
    ----------
    evapotranspiration, recharge, runoff, loss : numpy.ndarray
        What happened.
    potential_evapotranspiration, potential_recharge, potential_runoff, potential_loss : numpy.ndarray
        What could have.
    """

    evapotranspiration: Array
    recharge: Array
    runoff: Array
    loss: Array
    potential_evapotranspiration: Array
    potential_recharge: Array
    potential_runoff: Array
    potential_loss: Array


def bucket_fluxes(precipitation: ArrayLike, potential: ArrayLike, capacity: ArrayLike) -> PalmerFluxes:
    """Run Palmer's bucket, full at the start.

    Water is taken from the surface layer first, at the potential rate, then from the layer below in proportion to
    what it holds; it is filled in the same order, and what neither takes runs off.

    Parameters
    ----------
    precipitation, potential : array_like, shape (month, cell)
        Precipitation and potential evapotranspiration [kg m-2 per month].
    capacity : array_like, shape () or (cell,)
        Available water of both layers together [kg m-2].

    Raises
    ------
    InputError
        If the shapes differ or the capacity is not larger than that of the surface layer.
    """
    rain, demand = np.asarray(precipitation, float), np.asarray(potential, float)
    if rain.ndim != 2 or rain.shape != demand.shape:
        raise InputError(f"Palmer index: precipitation has shape {rain.shape} and potential evapotranspiration "
                         f"{demand.shape}; expected the same (month, cell).")
    total = np.broadcast_to(np.asarray(capacity, float), rain.shape[1:])
    if (total <= SURFACE_CAPACITY).any():
        raise InputError(f"Palmer index: an available water capacity of {np.nanmin(total):g} kg m-2 leaves nothing "
                         f"below the surface layer, which holds {SURFACE_CAPACITY:g} kg m-2; give more.")
    deep_capacity = total - SURFACE_CAPACITY
    out = PalmerFluxes(*(np.empty(rain.shape) for _ in range(4)), demand, *(np.empty(rain.shape) for _ in range(3)))
    surface, deep = np.full(rain.shape[1], SURFACE_CAPACITY), deep_capacity.copy()
    for month in range(len(rain)):
        wanted, held = demand[month], surface + deep
        lost_above = np.minimum(surface, wanted)
        out.potential_loss[month] = lost_above + np.minimum(deep, (wanted - lost_above) * deep / total)
        out.potential_recharge[month] = total - held
        out.potential_runoff[month] = held
        surplus = np.maximum(rain[month] - wanted, 0.0)
        deficit = np.maximum(wanted - rain[month], 0.0)
        above = np.minimum(surface, deficit)
        below = np.minimum(deep, (deficit - above) * deep / total)
        filled_above = np.minimum(surplus, SURFACE_CAPACITY - surface)
        filled_below = np.minimum(surplus - filled_above, deep_capacity - deep)
        out.loss[month] = above + below
        out.recharge[month] = filled_above + filled_below
        out.runoff[month] = surplus - filled_above - filled_below
        out.evapotranspiration[month] = np.minimum(wanted, rain[month] + above + below)
        surface = surface - above + filled_above
        deep = deep - below + filled_below
    return out


def model_fluxes(
    potential: ArrayLike,
    evapotranspiration: ArrayLike,
    runoff: ArrayLike,
    storage_change: ArrayLike,
    *,
    limits: tuple[ArrayLike, ArrayLike] | None = None,
) -> PalmerFluxes:
    """Put the water of a run in the place of the bucket ("LDAS-PDSI").

    Recharge is what the storage (soil, snow, ground water) gains in a month, loss what it loses. The storage is known
    from its changes; its bounds are the largest and smallest at the end of any month, or ``limits``. Potential
    recharge is the room below the upper bound at the start of the month, potential runoff what is held above the lower
    one, as in Palmer's bucket, and potential loss the smaller of that and the potential evapotranspiration.

    Parameters
    ----------
    potential, evapotranspiration, runoff, storage_change : array_like, shape (month, cell)
        Of the run [kg m-2 per month].
    limits : tuple of two array_like, shape () or (cell,), optional
        Lowest and highest storage relative to the start of the first month [kg m-2]; storages beyond them widen them.

    Raises
    ------
    InputError
        If the shapes differ.
    """
    demand, used, away, change = (
        np.asarray(one, float) for one in (potential, evapotranspiration, runoff, storage_change))
    if demand.ndim != 2 or not demand.shape == used.shape == away.shape == change.shape:
        raise InputError(f"Palmer index: expected fluxes of one shape (month, cell), got {demand.shape}, {used.shape}, "
                         f"{away.shape} and {change.shape}.")
    after = np.cumsum(change, axis=0)
    before = after - change
    low, high = np.minimum(after.min(axis=0), 0.0), np.maximum(after.max(axis=0), 0.0)
    if limits is not None:
        low, high = np.minimum(low, limits[0]), np.maximum(high, limits[1])
    held = before - low
    return PalmerFluxes(
        used, np.maximum(change, 0.0), np.maximum(away, 0.0), np.maximum(-change, 0.0), demand, high - before, held,
        np.minimum(demand, held))
