"""Which part of a product is wanted: a period and a box, and how much of a file lies outside of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from pyland.base.errors import InputError

_OFFSET = re.compile(r"T[0-9:.]+[+-]\d\d:?(\d\d)?$")


@dataclass(frozen=True)
class Selection:
    """A period and a box of latitude and longitude; what is None is not limited.

    Attributes
    ----------
    period : tuple of datetime64[s] or None
        Start and end (UTC); a time belongs to it if start <= time < end.
    bounds : tuple of float or None
        South, north, west and east [degrees], the rim included; a box with west > east goes over the date line.
    """

    period: tuple[np.datetime64, np.datetime64] | None = None
    bounds: tuple[float, float, float, float] | None = None

    @classmethod
    def of(cls, period: object = None, bounds: object = None) -> Selection:
        """Return the selection of what a user gave.

        Parameters
        ----------
        period : sequence of two datetime64 or str, optional
            Start and end (UTC).
        bounds : sequence of four float, optional
            South, north, west, east [degrees].

        Raises
        ------
        InputError
            If one of them cannot be.
        """
        if isinstance(period, Selection):
            return period
        return cls(None if period is None else _period(period), None if bounds is None else _bounds(bounds))

    def in_period(self, time: np.ndarray) -> np.ndarray:
        """Return whether times lie in the period; NaT does not."""
        time = np.asarray(time)
        if self.period is None:
            return ~np.isnat(time)
        return (time >= self.period[0]) & (time < self.period[1])

    def in_latitudes(self, latitude: np.ndarray) -> np.ndarray:
        """Return whether latitudes [degrees] lie in the box; NaN does not."""
        if self.bounds is None:
            return np.isfinite(latitude)
        return (latitude >= self.bounds[0]) & (latitude <= self.bounds[1])

    def in_longitudes(self, longitude: np.ndarray) -> np.ndarray:
        """Return whether longitudes [degrees], from -180 or from 0, lie in the box; NaN does not."""
        if self.bounds is None:
            return np.isfinite(longitude)
        west, east = self.bounds[2:]
        width = east - west if east - west >= 0.0 else east - west + 360.0
        if width >= 360.0:
            return np.isfinite(longitude)
        return (np.asarray(longitude, float) - west) % 360.0 <= width

    def in_bounds(self, latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
        """Return whether places [degrees] lie in the box."""
        return self.in_latitudes(latitude) & self.in_longitudes(longitude)

    def text(self) -> dict[str, str]:
        """Return the selection as text for provenance, without what is not limited."""
        found = {}
        if self.period is not None:
            found["period"] = f"{self.period[0]} {self.period[1]}"
        if self.bounds is not None:
            found["bounds"] = " ".join(f"{one:g}" for one in self.bounds)
        return found


def _period(given: object) -> tuple[np.datetime64, np.datetime64]:
    try:
        texts = [str(one).removesuffix("Z") for one in given]
        if any(_OFFSET.search(one) for one in texts):
            raise InputError(f"observations: period must be in UTC, without an offset, got {' to '.join(texts)}.")
        start, end = (np.datetime64(one, "s") for one in texts)
    except InputError:
        raise
    except (TypeError, ValueError):
        raise InputError(f"observations: period must be two times, for instance 2018-04-01 2018-11-01T12:00, got "
                         f"{_words(given)}.") from None
    if not start < end:
        raise InputError(f"observations: period must end after its start, got {start} to {end}. The end itself does "
                         "not belong to it: a day is 2018-06-01 2018-06-02.")
    return start, end


def _bounds(given: object) -> tuple[float, float, float, float]:
    try:
        south, north, west, east = (float(one) for one in given)
    except (TypeError, ValueError):
        raise InputError(f"observations: bounds must be four numbers, south north west east [degrees], got "
                         f"{_words(given)}.") from None
    if not -90.0 <= south < north <= 90.0 or not (-180.0 <= west <= 360.0 and -180.0 <= east <= 360.0):
        raise InputError(f"observations: bounds must be south north west east with -90 <= south < north <= 90 and "
                         f"longitudes in -180..360 degrees, got {south:g} {north:g} {west:g} {east:g}.")
    return south, north, west, east


def _words(given: object) -> str:
    return " ".join(map(str, given)) if isinstance(given, list | tuple) else str(given)
