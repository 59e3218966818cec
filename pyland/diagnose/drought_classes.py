"""Drought classes of percentiles, the area in each, and droughts as events.

References
----------
.. [1] Svoboda, M., et al. (2002). The Drought Monitor. Bull. Amer. Meteor. Soc. 83, 1181-1190: classes D0 to D4.
.. [2] Tallaksen, L. M., Madsen, H., Clausen, B. (1997). On the definition and modelling of streamflow drought duration
   and deficit volume. Hydrol. Sci. J. 42, 15-33: events that are near to each other count as one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyland.base.errors import InputError

CLASSES = {"D0": 30.0, "D1": 20.0, "D2": 10.0, "D3": 5.0, "D4": 2.0}
"""Drought class and the percentile at or below which it begins [percent]."""

CLASS_WORDS = {"D0": "abnormally dry", "D1": "moderate", "D2": "severe", "D3": "extreme", "D4": "exceptional"}
"""What the classes are called [1]_."""

UNKNOWN = -1
"""Code of a cell without a percentile; 0 is no drought, 1 to 5 are D0 to D4."""

Array = NDArray[Any]


def drought_class(percentile: ArrayLike) -> NDArray[np.int8]:
    """Return the drought class: 0 none, 1 to 5 for D0 to D4, -1 where there is no percentile.

    Parameters
    ----------
    percentile : array_like
        Percentile [percent], 0 to 100.
    """
    values = np.asarray(percentile)
    code = sum(((values <= bound).astype(np.int8) for bound in CLASSES.values()), np.zeros(values.shape, np.int8))
    return np.where(np.isnan(values), np.int8(UNKNOWN), code)


def area_in_drought(classes: ArrayLike, area: ArrayLike | None = None) -> Array:
    """Return the share of the area in each class or a worse one.

    Parameters
    ----------
    classes : array_like of int, shape (time, ...)
        Of `drought_class`.
    area : array_like, shape (...), optional
        Area of the cells [any unit]; equal without it. Cells without a class do not count at that time.

    Returns
    -------
    numpy.ndarray, shape (time, 5)
        Shares of D0 to D4 or worse [1]; NaN at times without any class.
    """
    codes = np.asarray(classes)
    codes = codes.reshape(len(codes), -1)
    weight = np.ones(codes.shape[1]) if area is None else np.asarray(area, float).ravel()
    if weight.shape != codes.shape[1:] or (weight < 0.0).any():
        raise InputError(f"drought: expected an area of 0 or more for each of {codes.shape[1]} cells, got an array of "
                         f"{weight.size}.")
    known = (codes != UNKNOWN) @ weight
    shares = np.stack([(codes >= number) @ weight for number in range(1, len(CLASSES) + 1)], axis=1)
    return shares / np.where(known > 0.0, known, np.nan)[:, None]


@dataclass(frozen=True)
class DroughtEvents:
    """Droughts of all cells, each an entry of arrays of shape (event,), by cell and then by time.

    Attributes
    ----------
    cell : numpy.ndarray of int
        Number of the cell in the flattened map.
    first, last : numpy.ndarray of int
        Number of the first and the last time of the event.
    duration : numpy.ndarray of int
        Times from first to last.
    severity : numpy.ndarray
        Sum over the event of what the index lies below the threshold [unit of the index x times].
    lowest : numpy.ndarray
        Lowest index of the event.
    """

    cell: Array
    first: Array
    last: Array
    duration: Array
    severity: Array
    lowest: Array


def drought_events(
    index: ArrayLike, threshold: float, *, least_duration: int = 1, merge_gap: int = 0
) -> DroughtEvents:
    """Find runs of times with an index at or below a threshold.

    Parameters
    ----------
    index : array_like, shape (time, ...)
        Percentile, SPI, PDSI, ...; a gap (NaN) ends an event.
    threshold : float
        What counts as drought [unit of the index].
    least_duration : int
        Shortest event that is told, after merging [times].
    merge_gap : int
        Two events with so many times between them, or fewer, are one [2]_; what lies above the threshold there adds
        nothing to its severity. A gap in the data (NaN) is never merged over.

    Raises
    ------
    InputError
        If the options are not counts.
    """
    if least_duration < 1 or merge_gap < 0:
        raise InputError(f"drought: least_duration must be 1 or more and merge_gap 0 or more, got {least_duration} and "
                         f"{merge_gap}.")
    values = np.asarray(index, float)
    ntime = len(values)
    series = np.ascontiguousarray(values.reshape(ntime, -1).T)
    edges = np.diff(series <= threshold, prepend=False, append=False, axis=1)
    cell, place = np.nonzero(edges)
    cell, first, last = cell[::2], place[::2], place[1::2] - 1
    missing = np.cumsum(np.isnan(series), axis=1)
    joins = np.zeros(len(cell), bool)
    joins[1:] = (cell[1:] == cell[:-1]) & (first[1:] - last[:-1] - 1 <= merge_gap)
    joins[1:] &= missing[cell[1:], first[1:]] == missing[cell[:-1], last[:-1]]
    begins = np.flatnonzero(~joins)
    ends = np.append(begins[1:], len(cell)) - 1 if len(begins) else begins
    cell, first, last = cell[begins], first[begins], last[ends]
    duration = last - first + 1
    keep = duration >= least_duration
    cell, first, last, duration = cell[keep], first[keep], last[keep], duration[keep]
    deficit = np.clip(threshold - np.nan_to_num(series, nan=threshold), 0.0, None)
    total = np.concatenate([np.zeros((len(series), 1)), np.cumsum(deficit, axis=1)], axis=1)
    severity = total[cell, last + 1] - total[cell, first]
    return DroughtEvents(cell, first, last, duration, severity, _lowest(series, cell, first, last))


def _lowest(series: Array, cell: Array, first: Array, last: Array) -> Array:
    """Return the smallest value of each event; events of the flattened series never overlap."""
    if len(cell) == 0:
        return np.zeros(0)
    ntime = series.shape[1]
    bounds = np.stack([cell * ntime + first, cell * ntime + last + 1], axis=1).ravel()
    flat = np.append(series.ravel(), np.inf)  # the last bound may lie one behind the end
    return np.fmin.reduceat(flat, bounds)[::2]
