"""How usual a value is for its place and day of the year: quantiles, percentiles and anomalies.

A `Climatology` holds, for days of the year, quantiles, mean and standard deviation of the values that lie at most
``half_width`` days from that day of the year, of all years. Days count in a year of 365: 29 February is the 28th.
The window holds the march of the season too: where that is large beside the differences between years (air temperature
in spring), percentiles of a narrow window are sharper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc

from pyland.base.errors import InputError

DAYS = 365
"""Days of the year of a climatology."""

PROBABILITIES = (0.0, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85,
                 0.9, 0.925, 0.95, 0.97, 0.98, 0.99, 1.0)
"""Probabilities of the stored quantiles [1]: ends, and the bounds of the drought classes among them."""

HALF_WIDTH = 15
"""Days on either side of a day of the year that count for it."""

LEAST_YEARS = 20
"""Years that a climatology needs, where nothing else is said."""

QUANTILES = ("empirical", "harrell_davis")
"""How quantiles are estimated: between ordered values, or as beta-weighted means of all of them."""

_FEBRUARY_28 = 58  # from 0
_CELLS_AT_ONCE = 2048  # of a sort; its samples then stay in the second-level cache or near it

Array = NDArray[Any]


def day_of_year(times: ArrayLike) -> NDArray[np.int64]:
    """Return the day of a year of 365 days, 0 to 364; 29 February is the day of the 28th.

    Parameters
    ----------
    times : array_like of datetime64
        Instants, UTC.

    Returns
    -------
    numpy.ndarray of int, same shape
    """
    days = np.asarray(times, "datetime64[D]")
    years = days.astype("datetime64[Y]")
    since = (days - years.astype("datetime64[D]")).astype(np.int64)
    is_leap = ((years + 1).astype("datetime64[D]") - years.astype("datetime64[D]")).astype(np.int64) > DAYS
    return since - (is_leap & (since > _FEBRUARY_28))


@dataclass(frozen=True)
class Climatology:
    """What is usual at each cell on each day of the year.

    Attributes
    ----------
    days : numpy.ndarray, shape (node,)
        Days of the year, 0 to 365, evenly spaced; between two of them numbers are interpolated.
    probabilities : numpy.ndarray, shape (probability,)
        Probabilities of the quantiles, rising from 0 to 1 [1].
    quantiles : numpy.ndarray, shape (node, probability, ...)
        Quantiles [unit of the variable]; NaN where there are fewer than ``least_years`` years.
    mean, deviation : numpy.ndarray, shape (node, ...)
        Mean and standard deviation (n - 1) of the same values [unit of the variable].
    years : numpy.ndarray of int, shape (node, ...)
        Calendar years with a value within the window.
    half_width : int
        Days on either side.
    least_years : int
        Years that were asked for.
    method : str
        One of `QUANTILES`.
    period : tuple of str
        First and last day of the values.
    """

    days: Array
    probabilities: Array
    quantiles: Array
    mean: Array
    deviation: Array
    years: Array
    half_width: int = HALF_WIDTH
    least_years: int = LEAST_YEARS
    method: str = "empirical"
    period: tuple[str, str] = ("", "")

    @property
    def cell_shape(self) -> tuple[int, ...]:
        """Shape of the cells."""
        return self.mean.shape[1:]

    @classmethod
    def build(
        cls,
        times: ArrayLike,
        values: ArrayLike,
        *,
        half_width: int = HALF_WIDTH,
        least_years: int = LEAST_YEARS,
        step: int = 5,
        method: str = "empirical",
        probabilities: Sequence[float] = PROBABILITIES,
    ) -> Climatology:
        """Make a climatology of a long series.

        Parameters
        ----------
        times : array_like of datetime64, shape (time,)
            An instant within the day (or longer interval) of each value, rising.
        values : array_like, shape (time, ...)
            Values of all cells; NaN is a gap.
        half_width : int
            Days on either side of a day of the year, 0 to 182.
        least_years : int
            Fewest years of a cell within the window, at least 2.
        step : int
            Days between the days of the year at which quantiles are kept, 1 to 30.
        method : str
            One of `QUANTILES`.
        probabilities : sequence of float
            Rising from 0 to 1.

        Raises
        ------
        InputError
            If shapes or options do not fit, or no cell has enough years.
        """
        moments, series = np.asarray(times, "datetime64[s]"), np.asarray(values)
        shares = np.asarray(probabilities, float)
        _check_options(moments, series, half_width, least_years, step, method, shares)
        nodes = round(DAYS / step)
        centres = np.arange(nodes) * (DAYS / nodes)
        flat = series.reshape(len(series), -1).astype(np.result_type(series, np.float32), copy=False)
        rows = _window_rows(moments, centres, half_width)
        starts = [_year_starts(moments[row]) for row in rows]
        quantiles = np.empty((nodes, len(shares), flat.shape[1]), flat.dtype)
        mean, deviation = (np.empty((nodes, flat.shape[1]), flat.dtype) for _ in range(2))
        years = np.empty((nodes, flat.shape[1]), np.int16)
        for first in range(0, flat.shape[1], _CELLS_AT_ONCE):
            part = slice(first, first + _CELLS_AT_ONCE)
            block = np.ascontiguousarray(flat[:, part].T)
            block[~np.isfinite(block)] = np.nan
            for node, row in enumerate(rows):
                quantiles[node, :, part], mean[node, part], deviation[node, part], years[node, part] = _summary(
                    block[:, row], starts[node], shares, method)
        enough = years >= least_years
        if not enough.any():
            raise InputError(
                f"climatology: no cell has values of {least_years} years within {half_width} days of a day of the "
                f"year; the series from {moments[0].astype('datetime64[D]')} to "
                f"{moments[-1].astype('datetime64[D]')} has at most {int(years.max(initial=0))}. Give "
                "a longer run, or fewer least_years.")
        quantiles[~np.broadcast_to(enough[:, None], quantiles.shape)] = np.nan
        mean[~enough], deviation[~enough] = np.nan, np.nan
        shape = series.shape[1:]
        return cls(centres, shares, quantiles.reshape(nodes, len(shares), *shape), mean.reshape(nodes, *shape),
                   deviation.reshape(nodes, *shape), years.reshape(nodes, *shape), half_width, least_years, method,
                   (str(moments[0].astype("datetime64[D]")), str(moments[-1].astype("datetime64[D]"))))

    def at(self, field: str, day: float) -> Array:
        """Return ``quantiles``, ``mean`` or ``deviation`` of a day of the year (0 to 364), between two nodes."""
        array: Array = getattr(self, field)
        place = (day % DAYS) / DAYS * len(self.days)
        low = int(place) % len(self.days)
        lower, upper = array[low], array[(low + 1) % len(self.days)]
        share = place - int(place)
        return lower if share == 0.0 else lower + (upper - lower) * share


def percentile_of(values: ArrayLike, climatology: Climatology, day: ArrayLike) -> Array:
    """Return the share of the climatology that lies below values.

    A value that is one of several equal quantiles (no snow, a saturated soil) gets the middle of their shares.

    Parameters
    ----------
    values : array_like, shape (..., cells) or (time, ..., cells)
        Values whose last axes are the cells of the climatology; with one day for each time the first axis is time.
    climatology : Climatology
        Of the same variable and cells.
    day : array_like of datetime64 or int, shape () or (time,)
        Instants, or days of the year from 0 to 364.

    Returns
    -------
    numpy.ndarray, same shape as values
        Percentile [percent], 0 to 100; NaN where the value or the climatology is.

    Raises
    ------
    InputError
        If the shapes do not fit.
    """
    shares = climatology.probabilities

    def rank(part: Array, number: float) -> Array:
        knots = climatology.at("quantiles", number)
        out = np.zeros(part.shape)
        for low, high, weight in zip(knots[:-1], knots[1:], np.diff(shares), strict=True):
            width = high - low
            place = (part - low) / np.where(width > 0.0, width, 1.0)
            tie = 0.5 * ((part > low).astype(float) + (part >= low))
            out += weight * np.where(width > 0.0, np.clip(place, 0.0, 1.0), tie)
        out[np.isnan(part) | np.isnan(knots[0])] = np.nan
        return 100.0 * out

    return _by_day(values, climatology, day, rank)


def anomaly(values: ArrayLike, climatology: Climatology, day: ArrayLike) -> Array:
    """Return values less the mean of the day of the year [unit of the values]; arguments as of `percentile_of`."""
    return _by_day(values, climatology, day, lambda part, number: part - climatology.at("mean", number))


def standardised_anomaly(values: ArrayLike, climatology: Climatology, day: ArrayLike) -> Array:
    """Return anomalies by the standard deviation of the day of the year [1]; NaN where nothing ever varies.

    Arguments as of `percentile_of`.
    """

    def scaled(part: Array, number: float) -> Array:
        spread = climatology.at("deviation", number)
        return (part - climatology.at("mean", number)) / np.where(spread > 0.0, spread, np.nan)

    return _by_day(values, climatology, day, scaled)


# ---- inside ------------------------------------------------------------------------------------------


def _by_day(values: ArrayLike, climatology: Climatology, day: ArrayLike, function: Any) -> Array:
    """Apply a function of (values of a day of the year, that day) to all days, each day of the year once."""
    array, cells = np.asarray(values), climatology.cell_shape
    numbers = np.asarray(day)
    numbers = day_of_year(numbers) if numbers.dtype.kind == "M" else numbers
    if numbers.ndim > 1 or array.shape[array.ndim - len(cells):] != cells or (
            numbers.ndim == 1 and array.shape[:1] != numbers.shape):
        raise InputError(
            f"climatology: values of shape {array.shape} with days of shape {numbers.shape} do not fit cells of shape "
            f"{cells}; expected (..., cells) and one day, or (time, ..., cells) and one day for each time.")
    if numbers.ndim == 0:
        return np.asarray(function(array, float(numbers)))
    out = np.empty(array.shape, np.result_type(array, np.float32))
    for number in np.unique(numbers):
        rows = np.flatnonzero(numbers == number)
        out[rows] = function(array[rows], float(number))
    return out


def _check_options(
    times: Array, values: Array, half_width: int, least_years: int, step: int, method: str, shares: Array
) -> None:
    """Refuse what cannot be a climatology."""
    if times.ndim != 1 or len(times) == 0 or values.shape[:1] != times.shape:
        raise InputError(f"climatology: {np.shape(times)} times do not fit values of shape {values.shape}; expected "
                         "(time,) and (time, ...).")
    if (np.diff(times) <= np.timedelta64(0, "s")).any():
        raise InputError("climatology: the times must rise.")
    if not 0 <= half_width <= DAYS // 2:
        raise InputError(f"climatology: half_width must be 0 to {DAYS // 2} days, got {half_width}.")
    if least_years < 2:
        raise InputError(f"climatology: least_years must be 2 or more, got {least_years}.")
    if not 1 <= step <= 30:
        raise InputError(f"climatology: step must be 1 to 30 days, got {step}.")
    if method not in QUANTILES:
        raise InputError(f"climatology: method must be one of {', '.join(QUANTILES)}, got {method!r}.")
    if len(shares) < 2 or shares[0] != 0.0 or shares[-1] != 1.0 or (np.diff(shares) <= 0.0).any():
        raise InputError("climatology: probabilities must rise from 0 to 1.")


def _window_rows(times: Array, centres: Array, half_width: int) -> list[Array]:
    """Return for each node the rows of the times within its window."""
    days = day_of_year(times)
    rows = []
    for centre in centres:
        distance = np.abs(days - centre)
        rows.append(np.flatnonzero(np.minimum(distance, DAYS - distance) <= half_width))
    return rows


def _year_starts(times: Array) -> Array:
    """Return where each calendar year begins among rising times."""
    years = times.astype("datetime64[Y]").astype(np.int64)
    return np.flatnonzero(np.diff(years, prepend=years[:1] - 1)) if len(years) else np.zeros(0, np.int64)


def _summary(sample: Array, starts: Array, shares: Array, method: str) -> tuple[Array, Array, Array, Array]:
    """Return quantiles (probability, cell), mean, standard deviation and years (cell,) of samples (cell, value)."""
    ncell = len(sample)
    if sample.shape[1] == 0:
        nothing = np.full(ncell, np.nan)
        return np.full((len(shares), ncell), np.nan), nothing, nothing, np.zeros(ncell, int)
    ordered = np.sort(sample, axis=1)  # gaps go to the end
    if np.isnan(ordered[:, -1]).any():
        is_there = ~np.isnan(sample)
        count = is_there.sum(axis=1)
        years = np.logical_or.reduceat(is_there, starts, axis=1).sum(axis=1)
        mean = np.where(is_there, sample, 0.0).sum(axis=1, dtype=float) / np.maximum(count, 1)
        squares = (np.where(is_there, sample - mean[:, None], 0.0) ** 2).sum(axis=1, dtype=float)
    else:
        count, years = (np.full(ncell, number) for number in (sample.shape[1], len(starts)))
        mean = sample.mean(axis=1, dtype=float)
        away = sample - mean[:, None].astype(sample.dtype)
        squares = np.einsum("ij,ij->i", away, away)
    deviation = np.sqrt(squares / np.maximum(count - 1, 1))
    quantiles, is_tied = _between(ordered, count, shares)
    if method == "harrell_davis":
        smooth = np.empty_like(quantiles)
        for number in np.unique(count[count > 0]):
            cells = np.flatnonzero(count == number)
            smooth[:, cells] = harrell_davis_weights(int(number), shares) @ ordered[cells, :number].T
        # what is one value over a whole share (no snow) stays exactly that value
        quantiles = np.maximum.accumulate(np.where(is_tied, quantiles, smooth), axis=0)
    quantiles[:, count == 0] = np.nan
    return quantiles, mean, deviation, years


def _between(ordered: Array, count: Array, shares: Array) -> tuple[Array, Array]:
    """Interpolate between ordered values (cell, value); the k-th of n from 0 stands for (k + 1/2)/n (Hazen 1914).

    Returns quantiles (probability, cell), and whether the two values around each are the same.
    """
    last = np.maximum(count - 1, 0)
    place = np.clip(shares[:, None] * count - 0.5, 0.0, last)
    low = place.astype(np.int64)
    high = np.minimum(low + 1, last)
    cells = np.arange(len(ordered))
    below, above = ordered[cells, low], ordered[cells, high]
    return below + (above - below) * (place - low), below == above


def harrell_davis_weights(number: int, shares: ArrayLike) -> Array:
    """Return the weights of ordered values in the quantiles of Harrell and Davis (1982), shape (share, number).

    The ends, 0 and 1, are the smallest and the largest value.

    Parameters
    ----------
    number : int
        Number of values.
    shares : array_like, shape (share,)
        Probabilities [1].
    """
    wanted = np.asarray(shares, float)
    inner = np.clip(wanted, 0.5 / number, 1.0 - 0.5 / number)[:, None]
    edges = np.arange(number + 1) / number
    weights = np.diff(betainc((number + 1) * inner, (number + 1) * (1.0 - inner), edges), axis=1)
    weights[wanted == 0.0] = np.eye(1, number, 0)
    weights[wanted == 1.0] = np.eye(1, number, number - 1)
    return weights
