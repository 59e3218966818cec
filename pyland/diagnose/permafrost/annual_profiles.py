"""Years of ground temperature: mean, maximum and minimum of each year, layer and cell, read block by block."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from pyland.base.errors import InputError

LONGEST_INTERVAL = 31.0
"""Longest averaging interval of a record [d]; a month takes 1 % off a yearly wave."""

RECORDS_AT_ONCE = 64
"""Records that are held in memory at a time."""

_DAY = np.timedelta64(86400, "s")


@dataclass(frozen=True)
class AnnualProfiles:
    """Statistics of whole years; a year runs from the month and day of the first record to the same of the next.

    Attributes
    ----------
    start, end : numpy.ndarray of datetime64[s], shape (year,)
        First and last instant of each year, UTC.
    depth : numpy.ndarray, shape (layer,)
        Middle of the layers, from the top [m].
    mean, maximum, minimum : numpy.ndarray, shape (year, layer, cell)
        Temperature [K]; NaN in cells without ground.
    cosine, sine : numpy.ndarray, shape (year, layer, cell)
        Parts of the yearly wave, from the start of the year on [K].
    """

    start: np.ndarray
    end: np.ndarray
    depth: np.ndarray
    mean: np.ndarray
    maximum: np.ndarray
    minimum: np.ndarray
    cosine: np.ndarray
    sine: np.ndarray

    @property
    def nyear(self) -> int:
        """Number of years."""
        return int(self.start.size)


def year_edges(first: np.datetime64, last: np.datetime64) -> np.ndarray:
    """Return the edges of the whole years between two instants.

    Parameters
    ----------
    first, last : numpy.datetime64
        UTC.

    Returns
    -------
    numpy.ndarray of datetime64[s], shape (year + 1,)
        ``first`` and its anniversaries up to ``last``; that of a 29 February is the 1 March of other years.
    """
    moment = np.datetime64(first, "s").astype(datetime)
    edges = [np.datetime64(moment, "s")]
    for year in range(moment.year + 1, np.datetime64(last, "s").astype(datetime).year + 1):
        leap_day = (moment.month, moment.day) == (2, 29) and not _is_leap(year)
        edge = moment.replace(year=year, month=3, day=1) if leap_day else moment.replace(year=year)
        if np.datetime64(edge, "s") > last:
            break
        edges.append(np.datetime64(edge, "s"))
    return np.array(edges)


def annual_profiles(
    bounds: np.ndarray, depth: np.ndarray, read: Callable[[slice], np.ndarray], *, name: str = "history.nc"
) -> AnnualProfiles:
    """Reduce a series of profiles to whole years.

    Parameters
    ----------
    bounds : numpy.ndarray of datetime64, shape (time, 2)
        First and last instant of each record, UTC, in order and without gaps.
    depth : numpy.ndarray, shape (layer,)
        Middle of the layers, from the top [m].
    read : callable
        Gives the temperatures of a slice of records, (time, layer, cell) [K].
    name : str
        What the series is called in messages.

    Returns
    -------
    AnnualProfiles
        Records count for the year of their middle and by their length; those after the last whole year are left out.

    Raises
    ------
    InputError
        If records are longer than a month, have gaps, or do not cover a year.
    """
    bounds = np.asarray(bounds).astype("datetime64[s]")
    check_records(bounds, name)
    edges = year_edges(bounds[0, 0], bounds[-1, 1])
    nyear = edges.size - 1
    if nyear < 1:
        raise InputError(f"{name}: expected records of a whole year at least, got {bounds[0, 0]} to {bounds[-1, 1]}; "
                         "let the run go on, or give a longer period.")
    middle = bounds[:, 0] + (bounds[:, 1] - bounds[:, 0]) // 2
    year = np.searchsorted(edges, middle, side="right") - 1
    weight = (bounds[:, 1] - bounds[:, 0]) / _DAY
    inside = np.clip(year, 0, nyear - 1)
    angle = 2.0 * np.pi * ((middle - edges[inside]) / (edges[inside + 1] - edges[inside]))
    factors = np.stack([weight, 2.0 * weight * np.cos(angle), 2.0 * weight * np.sin(angle)])
    sums = highest = lowest = None
    days = np.zeros(nyear)
    for first in range(0, len(bounds), RECORDS_AT_ONCE):
        block = slice(first, min(first + RECORDS_AT_ONCE, len(bounds)))
        values = np.asarray(read(block), dtype=float)
        if sums is None:
            shape = (nyear, *values.shape[1:])
            sums, highest, lowest = np.zeros((3, *shape)), np.full(shape, -np.inf), np.full(shape, np.inf)
        for one in np.unique(year[block]):
            if one >= nyear:
                continue
            mine = year[block] == one
            days[one] += weight[block][mine].sum()
            sums[:, one] += np.tensordot(factors[:, block][:, mine], values[mine], axes=1)
            np.maximum(highest[one], values[mine].max(axis=0), out=highest[one])
            np.minimum(lowest[one], values[mine].min(axis=0), out=lowest[one])
    mean, cosine, sine = sums / days[:, None, None]
    return AnnualProfiles(edges[:-1], edges[1:], np.asarray(depth, dtype=float), mean, highest, lowest, cosine, sine)


def check_records(bounds: np.ndarray, name: str) -> None:
    """Make sure that records follow each other and resolve a year; InputError otherwise. Arguments as above."""
    length = (bounds[:, 1] - bounds[:, 0]) / _DAY
    if not (length > 0.0).all() or length.max() > LONGEST_INTERVAL:
        raise InputError(f"{name}: expected records of at most {LONGEST_INTERVAL:g} days, got {length.min():g} to "
                         f"{length.max():g}; set output.every to 1 day and run the case again.")
    gaps = np.flatnonzero(bounds[1:, 0] != bounds[:-1, 1])
    if gaps.size:
        raise InputError(f"{name}: expected records without gaps, got one that ends at {bounds[gaps[0], 1]} and one "
                         f"that begins at {bounds[gaps[0] + 1, 0]}.")


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
