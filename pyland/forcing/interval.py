"""From means over data intervals to the weather of a model step."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from pyland.forcing.solar import SolarGeometry, seconds_since_1970
from pyland.forcing.within_interval import check_step, parts_of_step, shortwave_part

INTERVAL_FIELDS = (
    "air_temperature",
    "specific_humidity",
    "surface_pressure",
    "wind_speed",
    "longwave_down",
    "rain",
    "snowfall",
    "shortwave_down",
)
"""Order of the fields along the first axis of `IntervalForcing.interval_means`."""

SMOOTH = slice(0, 5)  # fields that vary smoothly between interval means
PRECIPITATION = slice(5, 7)
SHORTWAVE = 7


class IntervalForcing(ABC):
    """Weather given as means over equal, adjoining intervals.

    Parameters
    ----------
    start : numpy.datetime64
        Start of the first interval, UTC.
    interval : int
        Length of an interval [s].
    count : int
        Number of intervals.
    latitude, longitude : numpy.ndarray
        Places, ``(cell,)`` [degrees].
    reference_height : numpy.ndarray
        Height of the forcing level above ground [m], ``(cell,)``.
    name : str
        Name in messages, for instance the path of the file.

    Notes
    -----
    A step as long as an interval or longer gets exact means. A shorter step gets

    * shortwave in proportion to the cosine of the zenith angle, so that the steps of an interval return its energy;
      an interval whose mean cosine is below 0.001 (twilight) is spread evenly;
    * rain and snowfall constant within the interval, so that the amount is returned;
    * the other fields from a straight line between the middles of the intervals, taken at the middle of the step: no
      overshoot, and no new extremes.
    """

    def __init__(
        self,
        start: np.datetime64,
        interval: int,
        count: int,
        latitude: np.ndarray,
        longitude: np.ndarray,
        reference_height: np.ndarray,
        name: str,
    ) -> None:
        self.start = np.datetime64(start, "s")
        self.interval = int(interval)
        self.count = int(count)
        self.end = self.start + np.timedelta64(self.interval * self.count, "s")
        self.latitude, self.longitude = latitude, longitude
        self.ncell = latitude.size
        self.reference_height = reference_height
        self.name = name
        self._first_second = seconds_since_1970(self.start)
        self._sun = SolarGeometry(latitude, longitude)

    @abstractmethod
    def interval_means(self, index: int) -> np.ndarray:
        """Means of interval ``index``, shape ``(field, cell)`` in the order of `INTERVAL_FIELDS`; read only."""

    @abstractmethod
    def checksums(self) -> dict[str, str]:
        """SHA-256 of every input file, by path."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """Provenance as plain values."""

    def weather(self, start: np.datetime64, dt: float) -> dict[str, np.ndarray]:
        """Mean weather of a step; see `pyland.forcing.protocol.Forcing.weather`."""
        seconds = seconds_since_1970(start)
        offset = float(seconds - self._first_second)
        check_step(self.name, start, dt, offset, self.interval * self.count, (self.start, self.end))
        means = np.zeros((len(INTERVAL_FIELDS), self.ncell))
        shortwave = np.zeros(self.ncell)
        for part in parts_of_step(offset, dt, self.interval):
            values = self.interval_means(part.index)
            means += values * (part.length / dt)
            begin = self._first_second + part.index * self.interval
            lit = part._replace(begin=self._first_second + part.begin)
            shortwave = shortwave + shortwave_part(self._sun, values[SHORTWAVE], begin, self.interval, lit, dt)
        if dt < self.interval:
            means[SMOOTH] = self._between_middles(offset + 0.5 * dt)
        fields = {name: means[i].copy() for i, name in enumerate(INTERVAL_FIELDS)}
        fields["shortwave_down"] = shortwave
        fields["cosine_zenith"] = self._sun.mean_sunlit_cosine(seconds, dt)
        fields["daylength_factor"] = self._sun.daylength_factor(seconds + 0.5 * dt)
        return fields

    def _between_middles(self, offset: float) -> np.ndarray:
        """Smooth fields on the line between interval middles, ``offset`` seconds after the first start."""
        position = offset / self.interval - 0.5
        left = math.floor(position)
        fraction = position - left
        lower = self.interval_means(min(max(left, 0), self.count - 1))[SMOOTH]
        upper = self.interval_means(min(max(left + 1, 0), self.count - 1))[SMOOTH]
        return (1.0 - fraction) * lower + fraction * upper
