"""Months: sums of records, sums over several months, and the months of a calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyland.base.errors import InputError

MONTHS = 12
"""Months of a year."""

Array = NDArray[Any]


def monthly_sums(starts: ArrayLike, ends: ArrayLike, values: ArrayLike) -> tuple[NDArray[np.datetime64], Array]:
    """Add up records to whole calendar months; a record that lies in two is shared by time.

    Parameters
    ----------
    starts, ends : array_like of datetime64, shape (record,)
        Bounds of the records, one after the other, none longer than a month.
    values : array_like, shape (record, ...)
        Amounts of the records, such as kg m-2.

    Returns
    -------
    months : numpy.ndarray of datetime64[M], shape (month,)
        Those that the records cover whole.
    sums : numpy.ndarray, shape (month, ...)
        Amounts of the months.

    Raises
    ------
    InputError
        If records have gaps, are longer than a month, or cover no whole month.
    """
    begin, end = np.asarray(starts, "datetime64[s]"), np.asarray(ends, "datetime64[s]")
    amounts = np.asarray(values, float)
    if len(begin) == 0 or (begin[1:] != end[:-1]).any() or (end <= begin).any():
        raise InputError("monthly sums: the records must follow each other without gaps.")
    last_instant = end - np.timedelta64(1, "s")
    month_begin, month_end = (one.astype("datetime64[M]").astype(np.int64) for one in (begin, last_instant))
    if (month_end - month_begin > 1).any():
        raise InputError("monthly sums: a record is longer than a month; write the run with a shorter output.every.")
    turn = month_end.astype("datetime64[M]").astype("datetime64[s]")
    duration = (end - begin).astype(float)
    share = np.where(month_begin == month_end, 0.0, (turn - begin).astype(float) / duration)
    first = month_begin[0]
    sums = np.zeros((month_end[-1] - first + 1, *amounts.shape[1:]))
    spread = share.reshape(-1, *[1] * (amounts.ndim - 1))
    _add_rows(sums, month_begin - first, amounts * spread)
    _add_rows(sums, month_end - first, amounts * (1.0 - spread))
    months = (first + np.arange(len(sums))).astype("datetime64[M]")
    is_whole = (months.astype("datetime64[s]") >= begin[0]) & ((months + 1).astype("datetime64[s]") <= end[-1])
    if not is_whole.any():
        raise InputError(f"monthly sums: the records from {begin[0]} to {end[-1]} cover no whole calendar month; "
                         "let the run go on, or give a longer period.")
    return months[is_whole], sums[is_whole]


def _add_rows(sums: Array, month: Array, rows: Array) -> None:
    """Add rows (record, ...) to those of their months, which rise."""
    begins = np.flatnonzero(np.diff(month, prepend=month[0] - 1))
    sums[month[begins]] += np.add.reduceat(rows, begins, axis=0)


def accumulate(monthly: ArrayLike, scale: int) -> Array:
    """Add up each month and those before it.

    Parameters
    ----------
    monthly : array_like, shape (month, ...)
        Amounts.
    scale : int
        Months of a sum, 1 or more.

    Returns
    -------
    numpy.ndarray, shape (month, ...)
        NaN in the first ``scale - 1`` months, and where one of the months is.
    """
    values = np.asarray(monthly, float)
    if scale < 1:
        raise InputError(f"drought index: expected a scale of 1 month or more, got {scale}.")
    out = np.full(values.shape, np.nan)
    if len(values) >= scale:
        out[scale - 1:] = sum(values[k: len(values) - scale + 1 + k] for k in range(scale))
    return out


def check_months(months: ArrayLike, count: int) -> Array:
    """Return months as datetime64[M] if they follow each other, else raise InputError."""
    moments = np.asarray(months, "datetime64[M]")
    if moments.shape != (count,) or (np.diff(moments.astype(np.int64)) != 1).any():
        raise InputError(f"drought index: expected {count} months that follow each other, got {moments.size} from "
                         f"{moments[:1]} to {moments[-1:]}.")
    return moments


def calibration_months(months: Array, calibration: tuple[int, int] | None) -> Array:
    """Return which months lie in the years of the calibration, both included; all without one.

    Raises
    ------
    InputError
        If the years are not all there.
    """
    if calibration is None:
        return np.ones(len(months), bool)
    first, last = calibration
    begin, end = np.datetime64(f"{first:04d}-01", "M"), np.datetime64(f"{last:04d}-12", "M")
    if first > last or begin < months[0] or end > months[-1]:
        raise InputError(f"drought index: the calibration from {first} to {last} is not within the months "
                         f"{months[0]} to {months[-1]}.")
    return (months >= begin) & (months <= end)


def calendar_month(months: Array) -> Array:
    """Return the calendar month of months, 0 is January."""
    return months.astype(np.int64) % MONTHS
