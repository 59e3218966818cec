"""How long the records of a logger last, from their time stamps."""

from __future__ import annotations

import numpy as np

from pyland.base.errors import InputError

_COMMON = 0.01  # share of the steps that a length of records has at least; rarer ones are gaps [1]


def record_lengths(times: np.ndarray, where: str) -> np.ndarray:
    """Return how long each record of a logger lasts [s], shape (row,), from the times at which records end.

    Parameters
    ----------
    times : ndarray of datetime64[s], shape (row,)
        Increasing.
    where : str
        What they are of, for messages.

    Raises
    ------
    InputError
        If there are fewer than two, or they do not increase.

    Notes
    -----
    The step to the record before, unless that is rare (less than 1 % of the steps): then the record follows a gap and
    lasts as long as the next one.
    """
    if times.size < 2:
        raise InputError(f"{where}: has {times.size} record; its length is not known from one.")
    steps = np.diff(times).astype(np.int64)
    if (steps <= 0).any():
        at = int(np.argmax(steps <= 0))
        raise InputError(
            f"{where}: time is not increasing: record {at + 2} ({times[at + 1]} UTC) follows record {at + 1} "
            f"({times[at]} UTC), {int((steps <= 0).sum())} records do. Sort the file and remove duplicates; a clock "
            "that is set back in autumn shows summer time: bring the file to standard time."
        )
    kinds, kind, counts = np.unique(steps, return_inverse=True, return_counts=True)
    common = (counts >= _COMMON * steps.size)[kind]
    if not common.any():
        common = kinds[kind] == np.median(steps)
    before, after = np.r_[steps[:1], steps], np.r_[steps, steps[-1:]]
    usual, usual_after = np.r_[False, common], np.r_[common, False]
    typical = np.median(steps[common]) if common.any() else np.median(steps)
    return np.where(usual, before, np.where(usual_after, after, typical)).astype(float)
