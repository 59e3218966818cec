"""Change of vegetation of years, by time and by aridity: a stepwise regression of every cell.

References
----------
.. [1] del Barrio, G., Sanjuan, M. E., Hirche, A., et al. (2016). Land degradation states and trends in the northwestern
   Maghreb drylands, 1998-2008. Remote Sens. 8, 603.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr

from pyland.base.errors import InputError

LEAST_YEARS = 5
"""Years below which two coefficients leave no error to test them with."""

Array = NDArray[Any]


@dataclass(frozen=True)
class VegetationChange:
    """Standardised partial coefficients of each cell, arrays of shape (...) [1]; 0 where they are not significant.

    Attributes
    ----------
    by_time : numpy.ndarray
        Change of vegetation with time at the same aridity.
    by_aridity : numpy.ndarray
        Change of vegetation with aridity at the same time.
    """

    by_time: Array
    by_aridity: Array


def vegetation_change(
    vegetation: ArrayLike, aridity: ArrayLike, years: ArrayLike | None = None, *, level: float = 0.1
) -> VegetationChange:
    """Regress vegetation on standardised time and aridity, and keep what is significant [1]_.

    The less significant of both predictors is left out first, if it is not significant; then the other is tested alone.

    Parameters
    ----------
    vegetation, aridity : array_like, shape (year, ...)
        Means of years, without gaps; cells with one have NaN.
    years : array_like of float, shape (year,), optional
        0, 1, 2, ... without it.
    level : float
        Level of significance [1].

    Raises
    ------
    InputError
        If shapes differ or there are fewer than five years.
    """
    plants, dry = np.asarray(vegetation, float), np.asarray(aridity, float)
    time = np.arange(len(plants), dtype=float) if years is None else np.asarray(years, float)
    if plants.shape != dry.shape or time.shape != plants.shape[:1] or len(time) < LEAST_YEARS:
        raise InputError(f"vegetation change: expected vegetation and aridity of one shape with {LEAST_YEARS} years or "
                         f"more, got {plants.shape}, {dry.shape} and {time.shape} years.")
    shape = plants.shape[1:]
    y, a = (_standardised(one.reshape(len(one), -1)) for one in (plants, dry))
    t = np.broadcast_to(_standardised(time[:, None]), y.shape)
    number = len(y)
    ty, ay, ta = ((one * other).mean(axis=0) for one, other in ((t, y), (a, y), (t, a)))
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = 1.0 - ta**2
        time_part, dry_part = (ty - ta * ay) / apart, (ay - ta * ty) / apart
        left = np.maximum(1.0 - time_part * ty - dry_part * ay, 0.0) / (number - 3) / apart
        p_time, p_dry = (_two_sided(one / np.sqrt(left), number - 3) for one in (time_part, dry_part))
        alone_time, alone_dry = (
            _two_sided(one * np.sqrt((number - 2) / (1.0 - one**2)), number - 2) for one in (ty, ay))
    drops_time = (p_time >= level) & (p_time >= p_dry)
    drops_dry = (p_dry >= level) & ~drops_time
    by_time = np.where(drops_time, 0.0, np.where(drops_dry, np.where(alone_time < level, ty, 0.0), time_part))
    by_dry = np.where(drops_dry, 0.0, np.where(drops_time, np.where(alone_dry < level, ay, 0.0), dry_part))
    known = np.isfinite(p_time) & np.isfinite(p_dry)
    return VegetationChange(*(np.where(known, one, np.nan).reshape(shape) for one in (by_time, by_dry)))


def _standardised(values: Array) -> Array:
    """Return values (year, cell) less their mean by their standard deviation; NaN where nothing varies."""
    spread = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(spread > 0.0, spread, np.nan)


def _two_sided(statistic: Array, freedom: int) -> Array:
    """Return the two-sided probability of Student's t."""
    return 2.0 * np.asarray(stdtr(freedom, -np.abs(statistic)))
