"""Monotonic trends of many series at once: the test of Mann and Kendall, and the slope of Theil and Sen.

References
----------
.. [1] Mann, H. B. (1945). Nonparametric tests against trend. Econometrica 13, 245-259.
.. [2] Kendall, M. G. (1975). Rank correlation methods. Griffin: the variance with ties.
.. [3] Sen, P. K. (1968). Estimates of the regression coefficient based on Kendall's tau. J. Amer. Statist. Assoc. 63,
   1379-1389.
.. [4] Hamed, K. H., Rao, A. R. (1998). A modified Mann-Kendall trend test for autocorrelated data. J. Hydrol. 204,
   182-196.
.. [5] Hamed, K. H. (2008). Trend detection in hydrologic data: the Mann-Kendall trend test under the scaling
   hypothesis. J. Hydrol. 349, 350-363: the variance of S of normal values of known correlation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri
from scipy.stats import rankdata

from pyland.base.errors import InputError

LEAST_VALUES = 4
"""Values below which no trend can be significant: 4! orders, 1 of which rises."""

CORRELATIONS = ("independent", "hamed_rao")
"""What a test takes of the values: independent of each other, or correlated [4]_."""

_CELLS_AT_ONCE = 2048  # all pairs of forty years of so many cells are 13 MB

Array = NDArray[Any]


@dataclass(frozen=True)
class Trend:
    """Trend of each cell, arrays of shape (...).

    Attributes
    ----------
    direction : numpy.ndarray of int
        1 rising, -1 falling, 0 neither at the level of the test; 0 too where it cannot be told (see ``p_value``).
    p_value : numpy.ndarray
        Two-sided probability of such a statistic without a trend [1]; NaN with fewer than four values.
    statistic : numpy.ndarray
        S: pairs that rise less pairs that fall.
    z : numpy.ndarray
        S as a standard normal number, with the correction of continuity.
    slope : numpy.ndarray
        Median slope of all pairs [unit of the values per unit of time].
    """

    direction: Array
    p_value: Array
    statistic: Array
    z: Array
    slope: Array


def mann_kendall(
    values: ArrayLike, times: ArrayLike | None = None, *, level: float = 0.05, correlation: str = "independent",
    window: int = 1,
) -> Trend:
    """Test series for a monotonic trend.

    Parameters
    ----------
    values : array_like, shape (time, ...)
        Series of all cells; NaN is a gap.
    times : array_like of float, shape (time,), optional
        Rising times, such as years; 0, 1, 2, ... without it.
    level : float
        Level of significance [1].
    correlation : {"independent", "hamed_rao"}
        With ``hamed_rao`` the variance of S grows with the autocorrelation of the ranks of what the slope leaves, at
        lags where it is significant [4]_; a series with a gap then has no test.
    window : int
        Values are moving means of so many, such as `moving_mean` gives; 1: they are not. Two means that share values
        rise and fall together: the variance of S grows at least by what it is for means of independent values [5]_.

    Raises
    ------
    InputError
        If shapes or options do not fit.
    """
    series = np.asarray(values, float)
    moments = np.arange(len(series), dtype=float) if times is None else np.asarray(times, float)
    if series.ndim == 0 or moments.shape != series.shape[:1] or (np.diff(moments) <= 0.0).any():
        raise InputError(f"trend: expected rising times for values of shape {series.shape}, got {moments.shape}.")
    if not 0.0 < level < 1.0:
        raise InputError(f"trend: expected a level of significance between 0 and 1, got {level:g}.")
    if correlation not in CORRELATIONS:
        raise InputError(f"trend: correlation must be one of {', '.join(CORRELATIONS)}, got {correlation!r}.")
    flat = series.reshape(len(series), -1)
    slope = sen_slope(flat, moments)
    statistic, variance, count = _kendall(flat)
    if window < 1:
        raise InputError(f"trend: window must be 1 value or more, got {window}.")
    factor = np.full(variance.shape, _shared_factor(len(flat), window))
    if correlation == "hamed_rao":
        own = _variance_factor(flat, moments, slope)
        factor = np.maximum(factor, own) if window > 1 else own
    variance = variance * factor
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(variance > 0.0, (statistic - np.sign(statistic)) / np.sqrt(variance), 0.0)
    p_value = 2.0 * ndtr(-np.abs(z))
    known = (count >= LEAST_VALUES) & np.isfinite(variance)
    p_value, z = np.where(known, p_value, np.nan), np.where(known, z, np.nan)
    direction = np.where(p_value < level, np.sign(statistic), 0.0).astype(np.int8)
    shape = series.shape[1:]
    return Trend(*(one.reshape(shape) for one in (direction, p_value, statistic, z, slope)))


def sen_slope(values: ArrayLike, times: ArrayLike | None = None) -> Array:
    """Return the median of the slopes between all pairs of values [3]_.

    Parameters
    ----------
    values : array_like, shape (time, ...)
        NaN is a gap.
    times : array_like of float, shape (time,), optional
        0, 1, 2, ... without it.

    Returns
    -------
    numpy.ndarray, shape (...)
        [unit of the values per unit of time]; NaN with fewer than two values.
    """
    series = np.asarray(values, float)
    moments = np.arange(len(series), dtype=float) if times is None else np.asarray(times, float)
    flat = series.reshape(len(series), -1)
    early, late = np.triu_indices(len(flat), 1)
    span = (moments[late] - moments[early])[:, None]
    out = np.full(flat.shape[1], np.nan)
    if len(span) == 0:
        return out.reshape(series.shape[1:])
    for first in range(0, flat.shape[1], _CELLS_AT_ONCE):
        part = flat[:, first:first + _CELLS_AT_ONCE]
        slopes = np.sort(np.ascontiguousarray(((part[late] - part[early]) / span).T), axis=1)  # gaps go to the end
        count = (~np.isnan(slopes)).sum(axis=1)
        rows = np.arange(len(slopes))
        middle = 0.5 * (slopes[rows, np.maximum(count - 1, 0) // 2] + slopes[rows, count // 2])
        out[first:first + _CELLS_AT_ONCE] = np.where(count > 0, middle, np.nan)
    return out.reshape(series.shape[1:])


def moving_mean(yearly: ArrayLike, years: int) -> Array:
    """Return the mean of each year and those before it.

    Parameters
    ----------
    yearly : array_like, shape (year, ...)
        Values of years.
    years : int
        Years of a mean; 1 leaves the values as they are.

    Returns
    -------
    numpy.ndarray, shape (year - years + 1, ...)
    """
    values = np.asarray(yearly, float)
    if not 1 <= years <= len(values):
        raise InputError(f"moving mean: expected 1 to {len(values)} years, got {years}.")
    rows = len(values) - years + 1
    return sum((values[k:rows + k] for k in range(years)), np.zeros((rows, *values.shape[1:]))) / years


# ---- inside ------------------------------------------------------------------------------------------


def _kendall(flat: Array) -> tuple[Array, Array, Array]:
    """Return S, its variance with ties [2]_ and the number of values of each cell, from (time, cell)."""
    known = ~np.isnan(flat)
    count = known.sum(axis=0)
    statistic = np.zeros(flat.shape[1])
    equal = np.ones(flat.shape)  # how many values are the same as each
    for lag in range(1, len(flat)):
        difference = flat[lag:] - flat[:-lag]
        statistic += np.nansum(np.sign(difference), axis=0)
        same = difference == 0.0
        equal[lag:] += same
        equal[:-lag] += same
    # the sum over groups of t (t - 1) (2 t + 5) is one over values of (t - 1) (2 t + 5)
    ties = np.where(known, (equal - 1.0) * (2.0 * equal + 5.0), 0.0).sum(axis=0)
    return statistic, (count * (count - 1.0) * (2.0 * count + 5.0) - ties) / 18.0, count


def _shared_factor(number: int, window: int) -> float:
    """Return the factor of the variance of S for moving means of independent values [5]_.

    Two differences of normal values of correlation r have signs of covariance 2/pi asin(r). Means of ``window`` values
    that are ``lag`` apart share ``window - lag`` of them.
    """
    if window == 1 or number < 2:
        return 1.0
    places = np.arange(number)
    shared = np.clip(1.0 - np.abs(places[:, None] - places) / window, 0.0, None)
    early, late = np.triu_indices(number, 1)
    length = np.sqrt(2.0 - 2.0 * shared[early, late])
    total = 0.0
    for one in range(len(early)):  # a row of pairs at a time
        i, j = early[one], late[one]
        both = shared[j, late] - shared[i, late] - shared[j, early] + shared[i, early]
        total += np.arcsin(np.clip(both / (length[one] * length), -1.0, 1.0)).sum()
    return float(2.0 / np.pi * total / (number * (number - 1.0) * (2.0 * number + 5.0) / 18.0))


def _variance_factor(flat: Array, times: Array, slope: Array) -> Array:
    """Return the factor of the variance of S for correlated values [4]_, NaN for series with gaps, (cell,)."""
    number = len(flat)
    whole = ~np.isnan(flat).any(axis=0)
    out = np.full(flat.shape[1], np.nan)
    ranks = rankdata(flat[:, whole] - slope[whole] * times[:, None], axis=0)
    ranks -= ranks.mean(axis=0)
    power = (ranks**2).sum(axis=0)
    bound = ndtri(0.975) / np.sqrt(number)
    total = np.zeros(ranks.shape[1])
    for lag in range(1, number):
        with np.errstate(divide="ignore", invalid="ignore"):
            correlation = (ranks[lag:] * ranks[:-lag]).sum(axis=0) / power
        weight = (number - lag) * (number - lag - 1.0) * (number - lag - 2.0)
        total += np.where(np.abs(correlation) > bound, weight * correlation, 0.0)
    factor = 1.0 + 2.0 * total / (number * (number - 1.0) * (number - 2.0))
    out[whole] = np.where(factor > 0.0, factor, np.nan)
    return out
