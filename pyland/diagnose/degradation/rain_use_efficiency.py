"""Rain-use efficiency in two dimensions, long-term mean and largest response, relative to what the aridity allows.

Written from the description of the method [1]_, [2]_, not from a program.

References
----------
.. [1] del Barrio, G., Puigdefabregas, J., Sanjuan, M. E., Stellmes, M., Ruiz, A. (2010). Assessment and monitoring of
   land condition in the Iberian Peninsula, 1989-2000. Remote Sens. Environ. 114, 1817-1832.
.. [2] del Barrio, G., Sanjuan, M. E., Hirche, A., et al. (2016). Land degradation states and trends in the northwestern
   Maghreb drylands, 1998-2008. Remote Sens. 8, 603.
.. [3] Koenker, R., Bassett, G. (1978). Regression quantiles. Econometrica 46, 33-50.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linprog

from pyland.base.errors import ConvergenceError, InputError
from pyland.diagnose.drought.monthly import MONTHS, calendar_month, check_months

PRECEDING = 6
"""Months, that of the largest vegetation included, whose rain its efficiency is reckoned with [1]_."""

LEAST_CELLS = 20
"""Cells below which boundaries of 5 and 95 % would be single cells."""

STATES = {1: "degraded", 2: "recovering", 3: "mature", 4: "reference"}
"""Condition by relative efficiency, mean and largest: low/low, low/high, high/low, high/high. The words are ours."""

Array = NDArray[Any]


@dataclass(frozen=True)
class RainUseEfficiency:
    """Efficiency and aridity of each cell, arrays of shape (...).

    Attributes
    ----------
    mean, largest : numpy.ndarray
        Mean of the years of vegetation over rain, and largest vegetation over the rain of its six months
        [unit of the vegetation per kg m-2].
    mean_aridity, largest_aridity : numpy.ndarray
        Potential evapotranspiration over rain of the same times [1].
    """

    mean: Array
    largest: Array
    mean_aridity: Array
    largest_aridity: Array


def rain_use_efficiency(
    vegetation: ArrayLike, precipitation: ArrayLike, potential: ArrayLike, months: ArrayLike, *, first_month: int = 10
) -> RainUseEfficiency:
    """Compute rain-use efficiency in both dimensions.

    Parameters
    ----------
    vegetation : array_like, shape (month, ...)
        Vegetation index, leaf area or productivity; 0 or more.
    precipitation, potential : array_like, shape (month, ...)
        Precipitation and potential evapotranspiration [kg m-2 per month].
    months : array_like of datetime64, shape (month,)
        Months, one after the other.
    first_month : int
        Calendar month with which a hydrological year begins, 1 to 12; years that are not whole do not count.

    Returns
    -------
    RainUseEfficiency
        NaN where it does not rain in a whole year, or not in the six months.

    Raises
    ------
    InputError
        If shapes do not fit, or the series has no whole hydrological year.
    """
    plants, rain, demand = (np.asarray(one, float) for one in (vegetation, precipitation, potential))
    if not plants.shape == rain.shape == demand.shape:
        raise InputError(f"rain-use efficiency: expected arrays of one shape (month, ...), got {plants.shape}, "
                         f"{rain.shape} and {demand.shape}.")
    if not 1 <= first_month <= MONTHS:
        raise InputError(f"rain-use efficiency: first_month must be 1 to {MONTHS}, got {first_month}.")
    moments = check_months(months, len(rain))
    begin = (first_month - 1 - int(calendar_month(moments[:1])[0])) % MONTHS
    years = (len(rain) - begin) // MONTHS
    if years < 1:
        raise InputError(f"rain-use efficiency: {len(rain)} months from {moments[0]} hold no whole hydrological year.")
    shape = rain.shape[1:]
    plants, rain, demand = (one.reshape(len(one), -1) for one in (plants, rain, demand))

    def yearly(values: Array) -> Array:
        return values[begin:begin + years * MONTHS].reshape(years, MONTHS, -1)

    fallen = yearly(rain).sum(axis=1)
    fallen = np.where(fallen > 0.0, fallen, np.nan)
    mean = (yearly(plants).mean(axis=1) / fallen).mean(axis=0)
    mean_aridity = (yearly(demand).sum(axis=1) / fallen).mean(axis=0)
    if len(rain) < PRECEDING:
        raise InputError(f"rain-use efficiency: expected {PRECEDING} months or more, got {len(rain)}.")
    summed = [sum(one[k:len(one) - PRECEDING + 1 + k] for k in range(PRECEDING)) for one in (rain, demand)]
    candidates = plants[PRECEDING - 1:]
    whole = ~np.isnan(candidates).any(axis=0)
    peak = np.where(whole, np.argmax(np.where(np.isnan(candidates), -np.inf, candidates), axis=0), 0)
    cells = np.arange(plants.shape[1])
    before, wanted = summed[0][peak, cells], summed[1][peak, cells]
    before = np.where(whole & (before > 0.0), before, np.nan)
    return RainUseEfficiency(*(one.reshape(shape) for one in (
        mean, candidates[peak, cells] / before, mean_aridity, wanted / before)))


def relative_efficiency(
    efficiency: ArrayLike, aridity: ArrayLike, *, probabilities: tuple[float, float] = (0.05, 0.95), degree: int = 1
) -> Array:
    """Place log efficiency between the boundaries that cells of the same aridity reach.

    The boundaries are regression quantiles [3]_ of log efficiency over all cells, polynomials of aridity.

    Parameters
    ----------
    efficiency, aridity : array_like, shape (...)
        Of `rain_use_efficiency`.
    probabilities : tuple of float
        Of the lower and the upper boundary.
    degree : int
        Of the polynomials, 1 or 2.

    Returns
    -------
    numpy.ndarray, shape (...)
        0 at and below the lower, 1 at and above the upper boundary; NaN where efficiency is not above 0, or where the
        boundaries cross.

    Raises
    ------
    InputError
        If fewer than twenty cells have numbers, or options do not fit.
    """
    use, dry = np.asarray(efficiency, float), np.asarray(aridity, float)
    if use.shape != dry.shape or not 0.0 < probabilities[0] < probabilities[1] < 1.0 or degree not in (1, 2):
        raise InputError(f"rain-use efficiency: expected efficiency and aridity of one shape, got {use.shape} and "
                         f"{dry.shape}; rising probabilities between 0 and 1, got {probabilities}; degree 1 or 2, got "
                         f"{degree}.")
    known = (use > 0.0) & np.isfinite(use) & np.isfinite(dry)
    if known.sum() < LEAST_CELLS:
        raise InputError(f"rain-use efficiency: {int(known.sum())} cells have an efficiency; boundaries need "
                         f"{LEAST_CELLS}. They compare cells of one region with each other.")
    logarithm, centre = np.log(use[known]), float(dry[known].mean())
    spread = float(dry[known].std()) or 1.0
    powers = ((dry[known] - centre) / spread)[:, None] ** np.arange(degree + 1)
    low, high = (powers @ regression_quantile(powers, logarithm, one) for one in probabilities)
    width = np.where(high > low, high - low, np.nan)
    out = np.full(use.shape, np.nan)
    out[known] = np.clip((logarithm - low) / width, 0.0, 1.0)
    return out


def regression_quantile(predictors: ArrayLike, values: ArrayLike, probability: float) -> Array:
    """Return the coefficients of a regression quantile [3]_, from the dual linear program.

    Parameters
    ----------
    predictors : array_like, shape (cell, coefficient)
        The first column is usually 1.
    values : array_like, shape (cell,)
    probability : float
        Share of values below [1].

    Raises
    ------
    ConvergenceError
        If the program is not solved, for instance because predictors depend on each other.
    """
    x, y = np.asarray(predictors, float), np.asarray(values, float)
    solved = linprog(-y, A_eq=x.T, b_eq=(1.0 - probability) * x.sum(axis=0), bounds=(0.0, 1.0), method="highs")
    if solved.status != 0:
        raise ConvergenceError(f"regression quantile {probability:g} of {len(y)} values: {solved.message}")
    return np.asarray(-solved.eqlin.marginals)


def condition_state(mean: ArrayLike, largest: ArrayLike, *, threshold: float = 0.5) -> NDArray[np.int8]:
    """Return the state of each cell from its two relative efficiencies: codes of `STATES`, 0 where one is unknown.

    Parameters
    ----------
    mean, largest : array_like, shape (...)
        Of `relative_efficiency` [1].
    threshold : float
        Relative efficiency from which on it is high [1].
    """
    first, second = np.asarray(mean, float), np.asarray(largest, float)
    code = 1 + 2 * (first >= threshold) + (second >= threshold)
    return np.where(np.isnan(first) | np.isnan(second), 0, code).astype(np.int8)
