"""Freezing and thawing indices of air and ground surface, and the n-factors between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyland.base.errors import InputError
from pyland.diagnose.permafrost.annual_profiles import check_records, year_edges
from pyland.diagnose.permafrost.isotherms import FREEZING_POINT

LONGEST_DAY = 86400
"""Longest record that an index is made of [s]: means over weeks hide days on the other side of the freezing point."""


@dataclass(frozen=True)
class DegreeDays:
    """Sums of a year above and below the freezing point, shape (year, cell) [K d]; both are positive.

    Attributes
    ----------
    thawing, freezing : numpy.ndarray
        Thawing and freezing index.
    """

    thawing: np.ndarray
    freezing: np.ndarray


def degree_days(
    bounds: np.ndarray, temperature: np.ndarray, freezing_point: float = FREEZING_POINT, *, name: str = "history.nc"
) -> DegreeDays:
    """Sum up degree days of whole years.

    Parameters
    ----------
    bounds : numpy.ndarray of datetime64, shape (time, 2)
        First and last instant of each record, UTC, in order, without gaps, a day at most.
    temperature : numpy.ndarray, shape (time, cell)
        [K].
    freezing_point : float
        [K].
    name : str
        What the series is called in messages.

    Returns
    -------
    DegreeDays
        Years as those of `annual_profiles`.

    Raises
    ------
    InputError
        If records are longer than a day, have gaps, or do not cover a year.
    """
    bounds = np.asarray(bounds).astype("datetime64[s]")
    check_records(bounds, name)
    seconds = (bounds[:, 1] - bounds[:, 0]).astype(float)
    if seconds.max() > LONGEST_DAY:
        raise InputError(f"{name}: freezing and thawing indices need records of a day at most, got "
                         f"{seconds.max() / LONGEST_DAY:g} days; set output.every to 1 day.")
    edges = year_edges(bounds[0, 0], bounds[-1, 1])
    if edges.size < 2:
        raise InputError(f"{name}: expected records of a whole year at least, got {bounds[0, 0]} to {bounds[-1, 1]}.")
    middle = bounds[:, 0] + (bounds[:, 1] - bounds[:, 0]) // 2
    first = np.searchsorted(middle, edges)  # records of a year follow each other
    above = np.maximum(temperature - freezing_point, 0.0) * (seconds / 86400.0)[:, None]
    below = np.maximum(freezing_point - temperature, 0.0) * (seconds / 86400.0)[:, None]
    inside = slice(None, first[-1])
    return DegreeDays(*(np.add.reduceat(one[inside], first[:-1], axis=0) for one in (above, below)))


def n_factor(surface: np.ndarray, air: np.ndarray) -> np.ndarray:
    """Return the index of the surface over that of the air [1]; NaN where the air has none.

    Parameters
    ----------
    surface, air : numpy.ndarray, same shape
        Both freezing or both thawing indices [K d].
    """
    return np.divide(surface, air, out=np.full(np.shape(air), np.nan), where=air > 0.0)
