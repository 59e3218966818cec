"""Anomalies from a climatology of the day of the year: what products see of the weather, without season and bias.

Errors of products follow the seasons (vegetation, frozen ground), and seasons are common to all: a collocation of
values takes seasonal errors for the truth. It is done on anomalies from a smoothed climatology (Gruber et al. 2020).

References
----------
.. [1] Gruber, A., De Lannoy, G., Albergel, C., et al. (2020). Validation practices for satellite soil moisture
   retrievals: what are (the) errors? Remote Sens. Environ. 244, 111806.
"""

from __future__ import annotations

import numpy as np

from pyland.base.errors import InputError

WINDOW = 35
"""Days over which a climatology is smoothed."""

LEAST_IN_WINDOW = 7
"""Fewest values of such a window, one in five days of a single year."""

DAYS = 365
"""Days of a climatology; the last of a leap year is counted with the one before."""


def day_of_year(times: np.ndarray) -> np.ndarray:
    """Return the number of each day in its year, 0 to 364, shape (time,)."""
    days = np.asarray(times).astype("datetime64[D]")
    return np.minimum((days - days.astype("datetime64[Y]").astype("datetime64[D]")).astype(int), DAYS - 1)


def seasonal_climatology(
    values: np.ndarray, times: np.ndarray, window: int = WINDOW, least: int = LEAST_IN_WINDOW
) -> np.ndarray:
    """Return the mean of the season around each day of the year, over all years.

    Parameters
    ----------
    values : ndarray, shape (time, place)
        Values, NaN without one.
    times : ndarray of datetime64, shape (time,)
        Their times (UTC).
    window : int
        Days around a day that its mean is taken of, an odd number up to 365; the year is a circle.
    least : int
        Fewest values in the window.

    Returns
    -------
    ndarray, shape (365, place)
        NaN where the window has fewer values.

    Raises
    ------
    InputError
        If the window is even or too wide, or a shape differs.
    """
    if not (1 <= window <= DAYS and window % 2 == 1 and least >= 1):
        raise InputError(f"climatology: the window must be an odd number of days up to {DAYS} and least 1 or more, got "
                         f"{window} and {least}.")
    values, day = np.asarray(values, float), day_of_year(times)
    if values.ndim != 2 or values.shape[0] != day.size:
        raise InputError(f"climatology: values must have shape ({day.size}, place), got {values.shape}.")
    there = np.isfinite(values)
    order = np.argsort(day, kind="stable")
    present, first = np.unique(day[order], return_index=True)
    half = window // 2
    sums, counts = np.zeros((DAYS, values.shape[1])), np.zeros((DAYS, values.shape[1]), np.int32)
    if present.size == day.size and (np.diff(day) > 0).all():  # one year, in its order
        sums[present], counts[present] = np.where(there, values, 0.0), there
    elif day.size:
        sums[present] = np.add.reduceat(np.where(there, values, 0.0)[order], first, axis=0)
        counts[present] = np.add.reduceat(there[order].astype(np.int32), first, axis=0)
    total, number = _around(sums, half), _around(counts, half)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(number >= least, total / number, np.nan)


def anomalies_of(
    values: np.ndarray, times: np.ndarray, window: int = WINDOW, least: int = LEAST_IN_WINDOW
) -> tuple[np.ndarray, np.ndarray]:
    """Return anomalies from the climatology of the season, and that climatology.

    Parameters
    ----------
    values, times, window, least
        As in `seasonal_climatology`.

    Returns
    -------
    anomaly, climatology : ndarray, shape (time, place)
        NaN where there is no climatology.

    Notes
    -----
    A value is part of its own climatology: with n values in a window, the error variance of an anomaly is that of the
    value times 1 - 1/n.
    """
    climatology = seasonal_climatology(values, times, window, least)[day_of_year(times)]
    return values - climatology, climatology


def _around(daily: np.ndarray, half: int) -> np.ndarray:
    """Return sums over the days around each day of a circular year, shape (365, place)."""
    width = 2 * half + 1
    if width >= DAYS:
        return np.broadcast_to(daily.sum(axis=0), daily.shape)
    power = np.concatenate([daily[DAYS - half:], daily, daily[:half]])  # sums of 1, 2, 4, ... days from each on
    total, start, length = None, 0, 1
    while length <= width:
        if width & length:
            part = power[start:start + DAYS]
            total = part.copy() if total is None else np.add(total, part, out=total)
            start += length
        power = power[:len(power) - length] + power[length:]
        length *= 2
    return total
