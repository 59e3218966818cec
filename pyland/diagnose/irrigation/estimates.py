"""Three estimates of irrigation, each a running sum over the season, of arrays.

Noise of observations goes into each step of a sum with either sign and leaves it in the next. A sum of positive steps
keeps the half of it that is positive, and grows with the number of observations: **nothing here is clipped before it is
summed**.

References
----------
.. [1] Brocca, L., Tarpanelli, A., Filippucci, P., et al. (2018). How much water is used for irrigation? A new approach
   exploiting coarse resolution satellite soil moisture products. Int. J. Appl. Earth Obs. 73, 752-766: inversion.
.. [2] Zaussinger, F., Dorigo, W., Gruber, A., et al. (2019). Estimating irrigation water use over the contiguous United
   States by combining satellite and reanalysis soil moisture data. Hydrol. Earth Syst. Sci. 23, 897-923: differences.
.. [3] Abolafia-Rosenzweig, R., Livneh, B., Small, E. E., Kumar, S. V. (2019). Soil moisture data assimilation to
   estimate irrigation water use. J. Adv. Model. Earth Syst. 11, 3670-3690: increments.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyland.base.errors import InputError

Array = NDArray[Any]


@dataclass(frozen=True)
class IrrigationEstimates:
    """Running sums of three estimates from the start of the season, arrays of shape (time, ...) [kg m-2].

    Attributes
    ----------
    inversion, differences, increments : numpy.ndarray
        Of the three methods; NaN at all times of a cell that a method has nothing for.
    """

    inversion: Array
    differences: Array
    increments: Array


def from_inversion(
    storage: ArrayLike, precipitation: ArrayLike, evapotranspiration: ArrayLike, runoff: ArrayLike
) -> Array:
    """Sum up what the observed water balance lacks [1]_: change of storage + ET + drainage and runoff - P.

    Parameters
    ----------
    storage : array_like, shape (time + 1, ...)
        Observed storage at the start and the end of each interval [kg m-2]; NaN where there is no observation.
    precipitation : array_like, shape (time, ...)
        Without irrigation [kg m-2 per interval].
    evapotranspiration, runoff : array_like, shape (time, ...)
        Computed at the observed state; runoff with the drainage out of the storage [kg m-2 per interval].

    Returns
    -------
    numpy.ndarray, shape (time, ...)
        Sum from the first observation to the end of each interval [kg m-2]; between observations it stands still, and
        before the first it is 0.
    """
    rain, used, away = _same(precipitation, evapotranspiration, runoff)
    return _held(storage, np.cumsum(used + away - rain, axis=0))


def from_differences(
    storage: ArrayLike, rainfed_storage: ArrayLike, evapotranspiration: ArrayLike, rainfed_evapotranspiration: ArrayLike
) -> Array:
    """Sum up what observations gain over a model without irrigation: storage and evapotranspiration [2]_.

    What drains away beside the model is not seen: the estimate is low by it.

    Parameters
    ----------
    storage : array_like, shape (time + 1, ...)
        Observed storage at the start and the end of each interval [kg m-2]; NaN where there is no observation.
    rainfed_storage : array_like, shape (time + 1, ...)
        Of the model without irrigation [kg m-2].
    evapotranspiration, rainfed_evapotranspiration : array_like, shape (time, ...)
        At the observed state, and of the model without irrigation [kg m-2 per interval].

    Returns
    -------
    numpy.ndarray, shape (time, ...)
        As of `from_inversion`.
    """
    used, less = _same(evapotranspiration, rainfed_evapotranspiration)
    seen, dry = _same(storage, rainfed_storage)
    return _held(seen - dry, np.cumsum(used - less, axis=0))


def from_increments(increments: ArrayLike) -> Array:
    """Sum up what the analyses added, and took away [3]_.

    Parameters
    ----------
    increments : array_like, shape (time, ...)
        Water added by the analyses of each interval [kg m-2], of either sign.

    Returns
    -------
    numpy.ndarray, shape (time, ...)
    """
    added = np.asarray(increments, float)
    return np.cumsum(added, axis=0)


def irrigation_estimates(
    storage: ArrayLike,
    precipitation: ArrayLike,
    evapotranspiration: ArrayLike,
    runoff: ArrayLike,
    increments: ArrayLike,
    rainfed_storage: ArrayLike,
    rainfed_evapotranspiration: ArrayLike,
) -> IrrigationEstimates:
    """Give the three estimates of the same season beside each other; arguments as of each method."""
    return IrrigationEstimates(
        from_inversion(storage, precipitation, evapotranspiration, runoff),
        from_differences(storage, rainfed_storage, evapotranspiration, rainfed_evapotranspiration),
        from_increments(increments))


def season_totals(running: ArrayLike, statistic: str = "end") -> Array:
    """Return the irrigation of a season from its running sum.

    Parameters
    ----------
    running : array_like, shape (time, ...)
        Running sum from the start of the season [kg m-2].
    statistic : {"end", "largest"}
        The sum at the end of the season; or its largest value within it, which is not lowered by water that leaves
        unseen after the last irrigation, but is raised by noise.

    Returns
    -------
    numpy.ndarray, shape (...)
        [kg m-2]; may be negative.
    """
    sums = np.asarray(running, float)
    if statistic not in ("end", "largest"):
        raise InputError(f"irrigation: statistic must be end or largest, got {statistic!r}.")
    return np.array(sums[-1] if statistic == "end" else sums.max(axis=0))


# ---- inside ------------------------------------------------------------------------------------------


def _held(storage: ArrayLike, fluxes: Array) -> Array:
    """Add the change of the storage since its first observation to sums of fluxes; hold sums between observations."""
    states = np.asarray(storage, float)
    if states.shape != (len(fluxes) + 1, *fluxes.shape[1:]):
        raise InputError(f"irrigation: expected storages at the ends of {len(fluxes)} intervals, shape "
                         f"{(len(fluxes) + 1, *fluxes.shape[1:])}, got {states.shape}.")
    sums = states + np.concatenate([np.zeros((1, *fluxes.shape[1:])), fluxes])
    known = ~np.isnan(sums)
    place = np.where(known, np.arange(len(sums)).reshape(-1, *[1] * (sums.ndim - 1)), -1)
    latest = np.maximum.accumulate(place, axis=0)
    first = np.argmax(known, axis=0)[None]
    start = np.take_along_axis(sums, first, axis=0)
    out = np.where(latest < 0, 0.0, np.take_along_axis(sums, np.maximum(latest, 0), axis=0) - start)
    return np.where(known.sum(axis=0) >= 2, out, np.nan)[1:]


def _same(*arrays: ArrayLike) -> list[Array]:
    """Return arrays of the same shape, else raise InputError."""
    out = [np.asarray(one, float) for one in arrays]
    if any(one.shape != out[0].shape for one in out):
        raise InputError(f"irrigation: expected arrays of one shape, got {', '.join(str(one.shape) for one in out)}.")
    return out
