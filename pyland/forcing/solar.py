"""Where the sun stands: zenith angle, its means over time intervals, length of the day.

The declination and the equation of time change by less than 0.02 degrees in an hour, so they are taken at the middle
of an interval; the hour angle is integrated exactly between sunrise and sunset.

References
----------
.. [1] Michalsky, J. J. (1988). The Astronomical Almanac's algorithm for approximate solar position (1950-2050).
       Solar Energy 40, 227-235. Accurate to 0.01 degrees; the form below is that of the Almanac, page C24.
.. [2] Lawrence, D. M., et al. (2018). Technical description of version 5.0 of CLM. NCAR/TN, section 2.3 (orbit),
       9.4 (day length factor of photosynthesis).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

SOLAR_CONSTANT = 1361.0  # total solar irradiance [W m-2], Kopp and Lean (2011), Geophys. Res. Lett. 38, L01706
OBLIQUITY = math.radians(23.44)  # of the ecliptic [rad]; the largest declination
SHORTEST_SUNSHINE = 1.0  # a sunlit part of a step below this [s] counts as night; the sun is then below 0.005 degrees
SMALLEST_DAYLENGTH_FACTOR = 0.01  # [1], reference 2

_DAY = 86400.0  # [s]
_J2000 = 946728000  # 2000-01-01T12:00 in seconds since 1970-01-01


class SunPosition(NamedTuple):
    """The sun as seen from the centre of the earth, at one moment or at several (arrays)."""

    declination: float | np.ndarray
    """[rad]"""
    noon: float | np.ndarray
    """Sun's hour angle at longitude 0 [rad] is ``2 pi t/day - noon``, with t the UTC second of the day."""
    irradiance_factor: float | np.ndarray
    """Inverse square of the distance to the sun in astronomical units [1]."""


def seconds_since_1970(time: np.datetime64) -> int:
    """Whole seconds of ``time`` (UTC) since 1970-01-01."""
    return int(np.datetime64(time, "s").astype(np.int64))


def sun_position(seconds: float) -> SunPosition:
    """Position of the sun.

    Parameters
    ----------
    seconds : float
        Time, UTC, seconds since 1970-01-01.

    Returns
    -------
    SunPosition
        Declination, phase of the hour angle (with the equation of time) and distance factor, reference [1]_ of the
        module.
    """
    days = (seconds - _J2000) / _DAY
    mean_longitude = math.radians((280.460 + 0.9856474 * days) % 360.0)
    anomaly = math.radians((357.528 + 0.9856003 * days) % 360.0)
    longitude = mean_longitude + math.radians(1.915 * math.sin(anomaly) + 0.020 * math.sin(2.0 * anomaly))
    tilt = math.radians(23.439 - 4.0e-7 * days)
    ascension = math.atan2(math.cos(tilt) * math.sin(longitude), math.cos(longitude))
    # Equation of time: apparent minus mean solar time, folded to (-pi, pi] because both angles are periodic.
    equation_of_time = (mean_longitude - ascension + math.pi) % (2.0 * math.pi) - math.pi
    distance = 1.00014 - 0.01671 * math.cos(anomaly) - 0.00014 * math.cos(2.0 * anomaly)
    return SunPosition(
        declination=math.asin(math.sin(tilt) * math.sin(longitude)),
        noon=math.pi - equation_of_time,
        irradiance_factor=distance**-2,
    )


def sun_positions(seconds: Iterable[float]) -> SunPosition:
    """Positions of the sun at several moments, as arrays of shape ``(moment, 1)``; see `sun_position`."""
    positions = np.array([sun_position(moment) for moment in seconds])
    return SunPosition(*(positions[:, i : i + 1] for i in range(positions.shape[1])))


class SolarGeometry:
    """Sun angles at a set of places.

    Parameters
    ----------
    latitude, longitude : numpy.ndarray
        Places, shape ``(cell,)`` [degrees north, degrees east].
    """

    def __init__(self, latitude: np.ndarray, longitude: np.ndarray) -> None:
        latitude = np.radians(np.asarray(latitude, dtype=np.float64))
        self._sine = np.sin(latitude)
        self._cosine = np.maximum(np.cos(latitude), 0.0)
        self._longitude = np.radians(np.asarray(longitude, dtype=np.float64))
        solstice = np.copysign(OBLIQUITY, latitude)
        self._longest_day = self._half_day(np.sin(solstice) * self._sine, np.cos(solstice) * self._cosine)

    def cosine_zenith(self, seconds: float) -> np.ndarray:
        """Cosine of the zenith angle at one moment (``seconds`` since 1970-01-01), ``(cell,)``; negative at night."""
        sun = sun_position(seconds)
        a, b = self._coefficients(sun)
        return a + b * np.cos(2.0 * math.pi * ((seconds % _DAY) / _DAY) - sun.noon + self._longitude)

    def sunlit(
        self, seconds: float | np.ndarray, duration: float, sun: SunPosition | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Integrate the sun over an interval.

        Parameters
        ----------
        seconds : float or numpy.ndarray
            Start of the interval, UTC, seconds since 1970-01-01; several as an array of shape ``(moment, 1)``, which
            need ``sun`` of the same shape (`sun_positions`) and give answers of shape ``(moment, cell)``.
        duration : float
            Length of the interval [s], above 0.
        sun : SunPosition, optional
            Declination and equation of time to use; those at the middle of the interval by default. Parts of an
            interval add up to the whole when all use the sun of the whole.

        Returns
        -------
        integral : numpy.ndarray
            Integral of the positive part of the cosine of the zenith angle [s], ``(cell,)``.
        sunshine : numpy.ndarray
            Part of the interval with the sun above the horizon [s], ``(cell,)``.

        Notes
        -----
        With ``mu = a + b cos h`` and half day length ``h0``, each solar day contributes
        ``(h2-h1) (a + b cos((h1+h2)/2) sinc((h2-h1)/2))`` where ``h1, h2`` are the ends of the interval clipped to
        ``[-h0, h0]``: no difference of large numbers.
        """
        if sun is None:
            sun = sun_position(seconds + 0.5 * duration)
        a, b = self._coefficients(sun)
        half_day = self._half_day(a, b)
        angle = 2.0 * math.pi * ((seconds % _DAY) / _DAY) - sun.noon + self._longitude
        first = (angle + math.pi) % (2.0 * math.pi) - math.pi  # hour angle of the start in [-pi, pi)
        last = first + 2.0 * math.pi * duration / _DAY
        integral = np.zeros(first.shape)
        sunshine = np.zeros(first.shape)
        for day in range(math.ceil(duration / _DAY) + 1):
            shift = 2.0 * math.pi * day
            rise = np.minimum(np.maximum(first - shift, -half_day), half_day)
            fall = np.minimum(np.maximum(last - shift, -half_day), half_day)
            length = fall - rise
            mean = a + b * np.cos(0.5 * (rise + fall)) * np.sinc(length / (2.0 * math.pi))
            integral = integral + length * np.maximum(mean, 0.0)
            sunshine = sunshine + length
        return integral * (_DAY / (2.0 * math.pi)), sunshine * (_DAY / (2.0 * math.pi))

    def mean_sunlit_cosine(self, seconds: float, duration: float) -> np.ndarray:
        """Mean cosine of the zenith angle over the sunlit part of an interval, ``(cell,)``; 0 at night."""
        integral, sunshine = self.sunlit(seconds, duration)
        is_day = sunshine >= SHORTEST_SUNSHINE
        return np.where(is_day, integral / np.maximum(sunshine, SHORTEST_SUNSHINE), 0.0)

    def day_length(self, seconds: float) -> np.ndarray:
        """Time between sunrise and sunset [s], ``(cell,)``, with the declination of the given moment."""
        return self._half_day(*self._coefficients(sun_position(seconds))) * (_DAY / math.pi)

    def daylength_factor(self, seconds: float) -> np.ndarray:
        """Square of day length over the longest day of the year, in [0.01, 1], ``(cell,)``, reference [2]_."""
        half_day = self._half_day(*self._coefficients(sun_position(seconds)))
        return np.minimum(np.maximum((half_day / self._longest_day) ** 2, SMALLEST_DAYLENGTH_FACTOR), 1.0)

    def _coefficients(self, sun: SunPosition) -> tuple[np.ndarray, np.ndarray]:
        """Return ``a`` and ``b`` of ``mu = a + b cos h``."""
        return np.sin(sun.declination) * self._sine, np.cos(sun.declination) * self._cosine

    @staticmethod
    def _half_day(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Hour angle of sunset [rad] in [0, pi]; at the poles (b = 0) the sign of ``a`` decides."""
        ratio = np.where(np.abs(a) < b, -a / np.where(b > 0.0, b, 1.0), -np.sign(a))
        return np.arccos(np.minimum(np.maximum(ratio, -1.0), 1.0))
