"""How long the records of a logger last, from their time stamps."""

from __future__ import annotations

import numpy as np

from pyland.base.errors import InputError

_AROUND = 3  # steps before and after
_ALIKE = 0.1  # clocks of loggers drift by minutes in an hour at most, a gap is another record at least [1]


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
    The step to the record before, if it is like the median of the seven steps around it (within a tenth). Any other
    step is a gap or an early read-out, and the record lasts as long as the shorter of this step and the next one.
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
    around = np.lib.stride_tricks.sliding_window_view(np.pad(steps, _AROUND, mode="edge"), 2 * _AROUND + 1)
    regular = np.abs(steps - np.median(around, axis=1)) <= _ALIKE * steps
    lengths = np.where(regular, steps, np.minimum(steps, np.r_[steps[1:], steps[-1:]]))
    return np.r_[lengths[:1], lengths].astype(float)
