"""Series of soil-moisture stations: spikes, breaks and low plateaus, found in the series alone.

As the checks of the International Soil Moisture Network by the "spectrum" of a series (Dorigo et al. 2013, equations
4-9 and 14; numbers in m3 m-3 here, where the paper has percent), for values each hour. Derivatives are those of a
parabola through three values. Constant high values (their equations 10-13) are not looked for: saturated ground has
them too.

References
----------
.. [1] Dorigo, W. A., Xaver, A., Vreugdenhil, M., et al. (2013). Global automated quality control of in situ soil
   moisture data from the International Soil Moisture Network. Vadose Zone J. 12, doi:10.2136/vzj2012.0097.
"""

from __future__ import annotations

import numpy as np

from pyland.base.errors import InputError
from pyland.base.observation_reasons import QUALITY
from pyland.observe.observation_table import ObservationTable

HALF_DAY = 12
"""Hours on either side of a value that it is compared with."""

SPIKE_RATIO = (0.85, 1.15)
"""Ratio to the value before, below and above which a value may be a spike (equation 4)."""

SYMMETRY = (0.8, 1.2)
"""Ratio of the curvatures before and after a spike (equation 5)."""

QUIET = 0.01
"""Variance over mean of the day around it, below which a spike stands out (equation 6; 1 in percent) [m3 m-3]."""

BREAK_SHARE = 0.1
"""Change from the value before, over the value, above which there may be a break (equation 7)."""

BREAK_CHANGE = 0.01
"""Change from the value before that is smaller than any break (1 in percent) [m3 m-3]."""

BREAK_SLOPE = 10.0
"""Slope at a break over the mean slope of the day around it (equation 8)."""

BREAK_CURVATURE = 10.0
"""Curvature at a break over that two hours later (equation 9)."""

PLATEAU = 1e-5
"""Variance over mean of 13 hours below which they are constant (equation 14; 0.001 in percent) [m3 m-3]."""

_BALANCE = 0.05  # how far a ratio of curvatures may be from 1 to be 1 to one decimal
_LEAST_SLOPES = 4  # of a day that make a mean
_HOUR = 3600


def find_spikes(values: np.ndarray) -> np.ndarray:
    """Tell which values are spikes of one hour, shape (time, series).

    Parameters
    ----------
    values : ndarray, shape (time, series)
        Soil moisture each hour [m3 m-3], NaN without a value.

    Returns
    -------
    ndarray of bool, shape (time, series)
        A value next to a gap, or with a gap in the day around it, is none.
    """
    before, after = _shifted(values, 1), _shifted(values, -1)
    curvature = _curvature(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = values / before
        leaps = (ratio < SPIKE_RATIO[0]) | (ratio > SPIKE_RATIO[1])
        symmetry = np.abs(_shifted(curvature, 1) / _shifted(curvature, -1))
        is_peak = (values - before) * (values - after) > 0.0
        number, mean, variance = _around(values, HALF_DAY)
        quiet = (number == 2 * HALF_DAY) & (variance / mean < QUIET)
        return leaps & is_peak & (symmetry > SYMMETRY[0]) & (symmetry < SYMMETRY[1]) & quiet


def find_breaks(values: np.ndarray) -> np.ndarray:
    """Tell where a series leaps and stays: -1 a drop, 1 a rise, 0 none, shape (time, series).

    Parameters
    ----------
    values : ndarray, shape (time, series)
        Soil moisture each hour [m3 m-3], NaN without a value.
    """
    before, after = _shifted(values, 1), _shifted(values, -1)
    change, slope, curvature = values - before, 0.5 * (after - before), _curvature(values)
    number, mean, _ = _around(slope, HALF_DAY, with_middle=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        large = (np.abs(change / values) > BREAK_SHARE) & (np.abs(change) > BREAK_CHANGE)
        steep = (number >= _LEAST_SLOPES) & (np.abs(slope) > BREAK_SLOPE * np.abs(mean))
        turns = np.abs(np.abs(_shifted(curvature, 1) / curvature) - 1.0) < _BALANCE
        stays = np.abs(curvature / _shifted(curvature, -2)) > BREAK_CURVATURE
        found = large & steep & turns & (curvature != 0.0) & stays
    return np.where(found, np.sign(np.where(found, change, 0.0)), 0.0).astype(np.int8)


def find_low_plateaus(values: np.ndarray, breaks: np.ndarray) -> np.ndarray:
    """Tell which values are constant for 13 hours and more after a drop, shape (time, series).

    Parameters
    ----------
    values : ndarray, shape (time, series)
        Soil moisture each hour [m3 m-3], NaN without a value.
    breaks : ndarray, shape (time, series)
        From `find_breaks`.
    """
    width = HALF_DAY + 1
    padded = np.concatenate([values, np.full((width - 1, values.shape[1]), np.nan)])
    number, mean, variance = _windows(padded, width)
    with np.errstate(invalid="ignore"):
        constant = (number == width) & (variance <= PLATEAU * mean)
    begins = constant & ~_shifted(constant, 1).astype(bool)
    drops = np.cumsum((breaks < 0) & constant, axis=0)
    at_start = np.maximum.accumulate(np.where(begins, drops - ((breaks < 0) & constant), 0), axis=0)
    after_drop = constant & (drops > at_start)
    reach = np.cumsum(np.concatenate([np.zeros((width, values.shape[1]), int), after_drop]), axis=0)
    return (reach[width:] - reach[:-width] > 0) & np.isfinite(values)


def apply_series_checks(table: ObservationTable) -> ObservationTable:
    """Give values of stations that are spikes, breaks or low plateaus the reason ``rejected_by_quality_flag``.

    Parameters
    ----------
    table : ObservationTable
        Soil moisture of stations at whole hours; a series is one ``location`` and depth. Used rows only are looked at.

    Returns
    -------
    ObservationTable
        With the line of how many there were in its history.

    Raises
    ------
    InputError
        If it is no soil moisture, a time is no whole hour, or a series has two values at one.
    """
    if table.type != "soil_moisture":
        raise InputError(f"series checks: {table.product} is {table.type}; the checks are for soil_moisture.")
    rows = np.flatnonzero(table.used & np.isfinite(table.value))
    if not rows.size:
        return table
    seconds = table.time[rows].astype(np.int64)
    if (seconds % _HOUR).any():
        first = table.time[rows][seconds % _HOUR > 0][0]
        raise InputError(f"series checks: {table.product} has a value at {first}; the checks need values at whole "
                         "hours. Average or round the times first.")
    hour = seconds // _HOUR - seconds.min() // _HOUR
    keys = np.stack([table.location[rows].astype(float), np.nan_to_num(table.top[rows], nan=-1.0),
                     np.nan_to_num(table.bottom[rows], nan=-1.0)])
    series = np.unique(keys, axis=1, return_inverse=True)[1].ravel()
    shape = (int(hour.max()) + 1, int(series.max()) + 1)
    if np.bincount(hour * shape[1] + series).max() > 1:
        raise InputError(f"series checks: a series of {table.product} has two values at one time; apply the rule "
                         "`duplicates` first.")
    values = np.full(shape, np.nan)
    values[hour, series] = table.value[rows]
    breaks = find_breaks(values)
    found = {"spikes": find_spikes(values), "breaks": breaks != 0, "low plateaus": find_low_plateaus(values, breaks)}
    bad = np.zeros(table.size, bool)
    bad[rows] = np.logical_or.reduce(list(found.values()))[hour, series]
    counts = ", ".join(f"{int(one.sum())} {name}" for name, one in found.items())
    return table.rejected(bad, QUALITY).with_history(f"series checks: {counts}")


def _shifted(values: np.ndarray, steps: int) -> np.ndarray:
    """Return the value ``steps`` before each (after, if negative); NaN or False where there is none."""
    out = np.zeros_like(values) if values.dtype == bool else np.full(values.shape, np.nan)
    if steps > 0:
        out[steps:] = values[:-steps]
    else:
        out[:steps] = values[-steps:]
    return out


def _curvature(values: np.ndarray) -> np.ndarray:
    return _shifted(values, -1) - 2.0 * values + _shifted(values, 1)


def _around(values: np.ndarray, half: int, *, with_middle: bool = False) -> tuple[np.ndarray, ...]:
    """Return number, mean and variance of the values around each, with or without itself."""
    gap = np.full((half, values.shape[1]), np.nan)
    number, mean, variance = _windows(np.concatenate([gap, values, gap]), 2 * half + 1)
    if with_middle:
        return number, mean, variance
    there = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        less = number - there
        other = np.where(there, (mean * number - values) / less, mean)
        square = variance * (number - 1)
        without = np.where(there, square - (values - other) ** 2 * less / number, square)
        return less, other, np.maximum(without, 0.0) / (less - 1)


def _windows(values: np.ndarray, width: int) -> tuple[np.ndarray, ...]:
    """Return number, mean and variance (by n - 1) of the values from each on, of a length ``width``."""
    there = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        origin = np.where(there, values, 0.0).sum(axis=0) / there.sum(axis=0)  # sums of differences from it round less
        moved = np.where(there, values - origin, 0.0)
        sums = [np.cumsum(np.concatenate([np.zeros((1, values.shape[1])), one]), axis=0)
                for one in (there.astype(float), moved, moved**2)]
        number, total, square = (one[width:] - one[:-width] for one in sums)
        mean = total / number
        return number, origin + mean, np.maximum(square - number * mean**2, 0.0) / (number - 1.0)
