"""Parts of the year that have a climatology of their own."""

from __future__ import annotations

import numpy as np

from pyland.base.errors import InputError
from pyland.observe.merging.anomalies import DAYS, day_of_year

NODES = 24
"""Parts of the year with a window in days: one each half a month, between which numbers are interpolated."""

LEAST_HALF_WIDTH = 8
"""Smallest half width [days]: windows of neighbouring nodes then share days, and none is left out."""


class SeasonalWindows:
    """The whole year, the four seasons, or windows around days of the year.

    Parameters
    ----------
    window : {"year", "season"} or int
        One climatology for all days; one each for December-February, March-May, June-August and September-November;
        or the half width [days] of windows around 24 days of the year, 8 to 182. Numbers of two such windows are
        interpolated in time.

    Raises
    ------
    InputError
        If it is none of these.
    """

    def __init__(self, window: str | int = "year") -> None:
        is_days = isinstance(window, (int, np.integer)) and not isinstance(window, bool)
        if window not in ("year", "season") and not (is_days and LEAST_HALF_WIDTH <= window <= DAYS // 2):
            raise InputError(f"climatology: window must be 'year', 'season' or {LEAST_HALF_WIDTH} to {DAYS // 2} days "
                             f"on either side, got {window!r}.")
        self.window = window
        self.size = {"year": 1, "season": 4}.get(window, NODES)

    def members(self, times: np.ndarray) -> np.ndarray:
        """Return which times belong to which part, shape (part, time)."""
        if self.window in ("year", "season"):
            return self.weights(times)[0] == np.arange(self.size)[:, None]
        centre = (np.arange(NODES) + 0.5) * DAYS / NODES
        distance = np.abs(day_of_year(times) + 0.5 - centre[:, None])
        return np.minimum(distance, DAYS - distance) <= self.window + 0.5

    def weights(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return for each time (time,) two parts and the weight of the second."""
        if self.window == "year":
            first = np.zeros(np.shape(times), int)
        elif self.window == "season":
            months = np.asarray(times).astype("datetime64[M]").astype(int) % 12 + 1
            first = months % 12 // 3
        else:
            place = (day_of_year(times) + 0.5) / DAYS * NODES - 0.5
            low = np.floor(place)
            return low.astype(int) % NODES, (low.astype(int) + 1) % NODES, place - low
        return first, first, np.zeros(first.shape)


def within(times: np.ndarray, period: tuple[object, object] | None) -> np.ndarray:
    """Return which times lie in a period (start, end), the end not included; all without one."""
    times = np.asarray(times, "datetime64[s]")
    if period is None:
        return np.ones(times.shape, bool)
    start, end = (np.datetime64(one, "s") for one in period)
    if not start < end:
        raise InputError(f"climatology: the train period must end after it starts, got {start} to {end}.")
    return (times >= start) & (times < end)
