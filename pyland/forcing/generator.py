"""A stochastic weather generator: hourly weather of any climate, place and grid, without a file.

All of it rests on Gaussian fields whose value depends on place and time alone (`random_field`), so that weather is the
same for any order of calls, start of the run and share of the cells.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from statistics import NormalDist
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.forcing import moist_air, sky
from pyland.forcing.checks import BOUNDS
from pyland.forcing.climates import find_climate
from pyland.forcing.elevation import STANDARD_LAPSE_RATE
from pyland.forcing.interval import IntervalForcing
from pyland.forcing.precipitation_phase import PrecipitationPhase
from pyland.forcing.random_field import RandomField, exceedance
from pyland.forcing.solar import SOLAR_CONSTANT, seconds_since_1970, sun_position, sun_positions

_HOUR, _HOURS, _DAY = 3600, 24, 86400
_YEAR = 365.2425 * _DAY  # [s]
_WARMEST = 946684800 + 200 * _DAY  # middle of the northern summer: 19 July 2000 in seconds since 1970
_DAYS_KEPT = 3  # a step near midnight reads hours of two days

# Purposes: keys of the random numbers.
_WETNESS, _TEMPERATURE, _SHOWERS, _CLOUDS, _WIND, _PRESSURE = range(101, 107)

# Lengths [m], memories [1 per step] and weights of the weather patterns: orders of magnitude of synoptic systems
# (hundreds of kilometres, days) and of rain cells (tens of kilometres, hours); Orlanski (1975), Bull. Am. Meteorol.
# Soc. 56, 527-530.
_STEERING_WIND = (7.0, 3.0)  # rain cells move towards x and y [m s-1]
_SYNOPTIC_CLOUD = 0.85  # weight of the synoptic pattern in hourly cloudiness [1]
_SYNOPTIC_WIND = 0.3  # weight of wetness in wind: rainy days are windy [1]
_CLOUD_CONTRAST = 2.5  # above 1, skies are mostly clear or overcast [1]
_RAIN_TAIL = 1.4  # exponent of the stretched-exponential hourly intensities; 1 is exponential [1]

_TROPICS = 10.0  # seasons fade towards the equator over this latitude [degrees]
_POLEWARD_COOLING = 0.6  # decrease of the annual mean temperature with latitude [K per degree]
_CLOUD_WARMTH = 3.0  # an overcast sky cools midsummer and warms midwinter by this [K]
_CLOUD_DAMPING = 0.6  # an overcast sky takes this share of the diurnal range [1]
_WARMEST_HOUR = 15.0  # local solar time of the highest temperature and wind [h]
_SHOWER_HOUR = 16.0  # local solar time of most showers [h]
_FULL_DIURNAL_SUN = 0.2  # range of the cosine of the zenith angle that a full diurnal cycle needs [1]
_WIND_DIURNAL = 0.3  # relative amplitude of wind on a clear day [1]
_DRYING = 0.4  # the air is fully dry where wetness is this far in probability from rain [1]
_HIGHEST_HUMIDITY = 0.98  # relative humidity [1]; leaves room for interpolation in time, where saturation is convex
_RAIN_HUMIDITY = 0.95  # relative humidity in heavy rain [1]
_OVERCAST_RAIN = 0.2 / _HOUR  # rain at which the sky is overcast [kg m-2 s-1]
_HUMID_RAIN = 0.3 / _HOUR  # rain that half closes the gap to `_RAIN_HUMIDITY` [kg m-2 s-1]
_SEA_PRESSURE = 101325.0  # [Pa]
_PRESSURE_SPREAD, _PRESSURE_DROP = 700.0, 300.0  # synoptic standard deviation, and drop per unit of wetness [Pa]


class WeatherGenerator(IntervalForcing):
    """Seeded hourly weather for a set of cells.

    Parameters
    ----------
    latitude, longitude : float or array_like
        Places [degrees], one or one per cell.
    elevation : float or array_like
        [m], one or one per cell.
    x, y : array_like
        Positions on a plane [m], ``(cell,)``; weather is correlated by their distances. Use the same origin for all
        parts of a domain.
    start, end : numpy.datetime64
        Period, UTC; widened to whole hours.
    climate : str, optional
        Name in `pyland.forcing.climates.CLIMATES`.
    seed : int, optional
        Another seed is another weather of the same climate; not negative.
    reference_height : float, optional
        Height that temperature, humidity and wind stand for [m above ground].
    lapse_rate : float, optional
        Decrease of temperature with elevation [K m-1].
    annual_precipitation : float or array_like, optional
        Mean of a year [kg m-2], one or one per ``precipitation_elevation``; that of the climate by default.
    precipitation_elevation : array_like, optional
        Ascending elevations [m] that the amounts belong to; linear between, constant beyond.
    phase : PrecipitationPhase, optional
        Rule for rain and snow; the generator makes the total alone, so ``given`` means the ramp.

    Raises
    ------
    InputError
        If a place, the period, the climate or the seed is not valid.

    Notes
    -----
    Per hour and cell:

    * season: a cosine of the year, positive in summer of the hemisphere, fading towards the equator;
    * wetness S: a synoptic Gaussian field; rain can fall where it exceeds the quantile of the wet-day frequency;
    * rain: there, where a second field of moving rain cells exceeds the quantile of the wet hours (more likely in the
      afternoon in convective climates); its intensity is a stretched exponential of the excess. The expected
      amount is that of the climate;
    * cloud cover from S and a field of its own, overcast when it rains;
    * temperature: annual cycle, latitude, elevation, synoptic field with a memory of days, diurnal cycle damped by
      clouds;
    * dew point: night minimum less a depression on dry days; never above saturation (over ice in frost);
    * shortwave and longwave: `pyland.forcing.sky`; wind: Weibull distribution of shape 2, stronger in the afternoon;
    * pressure: hydrostatic, with a synoptic part; rain or snow by the rule of ``phase``.

    Statistics hold for the mean of years; one year of a place scatters as in nature.
    """

    def __init__(
        self,
        latitude: Any,
        longitude: Any,
        elevation: Any,
        x: Any,
        y: Any,
        start: np.datetime64,
        end: np.datetime64,
        climate: str = "temperate",
        seed: int = 1,
        *,
        reference_height: float = 10.0,
        lapse_rate: float = STANDARD_LAPSE_RATE,
        annual_precipitation: Any = None,
        precipitation_elevation: Any = None,
        phase: PrecipitationPhase | None = None,
    ) -> None:
        x, y = (np.atleast_1d(np.asarray(v, dtype=np.float64)) for v in (x, y))
        if x.ndim != 1 or x.shape != y.shape or x.size == 0:
            raise InputError(
                f"weather generator: x and y must be lists of the same length, got {x.shape} and {y.shape}")
        latitude = _cell_values(latitude, "latitude", x.size, -90.0, 90.0)
        longitude = _cell_values(longitude, "longitude", x.size, -360.0, 360.0)
        self._elevation = _cell_values(elevation, "elevation", x.size, -500.0, 9000.0)
        height = _cell_values(reference_height, "forcing.height", x.size, 0.1, 500.0)
        first = seconds_since_1970(start) // _HOUR
        last = -(-seconds_since_1970(end) // _HOUR)
        if last <= first:
            raise InputError(f"weather generator: end {end} must be after start {start}")
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
            raise InputError(f"forcing.generator.seed must be a whole number, 0 or larger, got {seed!r}")
        super().__init__(
            np.datetime64(first * _HOUR, "s"), _HOUR, last - first, latitude, longitude, height, "weather generator")
        self.climate_name, self.climate, self.seed = climate, find_climate(climate), int(seed)
        self._annual_precipitation = _annual_amounts(
            self.climate.annual_precipitation if annual_precipitation is None else annual_precipitation,
            precipitation_elevation, self._elevation)
        self._lapse_rate = float(lapse_rate)
        self.phase = phase or PrecipitationPhase()
        self._first_hour = first
        self._days: OrderedDict[int, np.ndarray] = OrderedDict()
        self._set_up_patterns(x, y)
        self._set_up_local_time()

    def interval_means(self, index: int) -> np.ndarray:
        """Means of hour ``index`` after the start, ``(field, cell)``."""
        day, hour = divmod(self._first_hour + index, _HOURS)
        if day not in self._days:
            self._days[day] = self._generate(day)
            while len(self._days) > _DAYS_KEPT:
                self._days.popitem(last=False)
        return self._days[day][hour]

    def checksums(self) -> dict[str, str]:
        """Nothing: the generator reads no file."""
        return {}

    def describe(self) -> dict[str, Any]:
        """Provenance: climate, seed, period, numpy version (its random streams are part of the answer)."""
        return {
            "format": "generator",
            "climate": self.climate_name,
            "seed": self.seed,
            "start": str(self.start),
            "end": str(self.end),
            "interval_seconds": self.interval,
            "ncell": self.ncell,
            "lapse_rate": self._lapse_rate,
            "annual_precipitation": [float(self._annual_precipitation.min()), float(self._annual_precipitation.max())],
            "precipitation_phase": self.phase.describe(),
            "numpy": np.__version__,
        }

    # ---- set-up ---------------------------------------------------------------------------------------------------

    def _set_up_patterns(self, x: np.ndarray, y: np.ndarray) -> None:
        def pattern(purpose: int, length: float, steps: int, memory: float, moving: bool = False) -> RandomField:
            velocity = _STEERING_WIND if moving else (0.0, 0.0)
            return RandomField(x, y, self.seed, purpose, length, steps, memory, velocity)

        self._wetness = pattern(_WETNESS, 250.0e3, 1, 0.45)
        self._warmth = pattern(_TEMPERATURE, 500.0e3, 1, 0.75)
        self._pressure = pattern(_PRESSURE, 800.0e3, 1, 0.70)
        self._showers = pattern(_SHOWERS, 20.0e3, _HOURS, 0.60, moving=True)
        self._clouds = pattern(_CLOUDS, 60.0e3, _HOURS, 0.80, moving=True)
        self._gusts = pattern(_WIND, 100.0e3, _HOURS, 0.90, moving=True)
        contrast = math.sqrt(1.0 + _CLOUD_CONTRAST**2)
        self._cloud_shift = tuple(contrast * NormalDist().inv_cdf(c) for c in self.climate.cloudiness)

    def _set_up_local_time(self) -> None:
        """Daily cycles of the hours of a UTC day by local solar time, ``(hour, cell)``; seasons of the hemispheres."""
        local = np.arange(_HOURS)[:, None] + 0.5 + self.longitude[None, :] / 15.0
        self._warm_hours = np.cos(2.0 * math.pi * (local - _WARMEST_HOUR) / _HOURS)
        self._shower_hours = np.cos(2.0 * math.pi * (local - _SHOWER_HOUR) / _HOURS)
        self._hemisphere = np.tanh(self.latitude / _TROPICS)
        self._base_temperature = (
            self.climate.mean_temperature
            - _POLEWARD_COOLING * (np.abs(self.latitude) - self.climate.latitude)
            - self._lapse_rate * self._elevation
        )

    # ---- one day --------------------------------------------------------------------------------------------------

    def _generate(self, day: int) -> np.ndarray:
        """Hourly means of a UTC day (days since 1970-01-01), ``(hour, field, cell)``."""
        season = self._season(day)
        wetness = self._between_days(self._wetness, day)
        synoptic_cloud = 1.0 - exceedance(_CLOUD_CONTRAST * wetness + self._seasonal(self._cloud_shift, season))
        precipitation, dryness = self._precipitation(day, season, wetness)
        cloud = self._cloud_cover(day, season, wetness, precipitation)
        daily, swing = self._temperature(day, season, synoptic_cloud)
        temperature = np.maximum(daily + swing * self._warm_hours, BOUNDS["air_temperature"].lowest)
        pressure = self._surface_pressure(day, daily, wetness)
        depression = self._seasonal(self.climate.dew_point_depression, season) * dryness
        vapour = _vapour_pressure(temperature, daily - swing - depression, precipitation)
        humidity = moist_air.humidity_from_vapour(vapour, pressure)
        rain, snowfall = self.phase.split(precipitation, temperature, humidity, pressure)
        fields = np.empty((_HOURS, 8, self.ncell))  # order of INTERVAL_FIELDS
        fields[:, 0] = temperature
        fields[:, 1] = humidity
        fields[:, 2] = pressure
        fields[:, 3] = self._wind(day, wetness, synoptic_cloud)
        fields[:, 4] = sky.longwave_down(temperature, vapour, cloud)
        fields[:, 5] = rain
        fields[:, 6] = snowfall
        fields[:, 7] = self._shortwave(day, pressure, vapour, cloud)
        fields.flags.writeable = False
        return fields

    def _season(self, day: int) -> np.ndarray:
        """1 at midsummer, -1 at midwinter of the hemisphere, ``(hour, cell)``."""
        middle = day * _DAY + (np.arange(_HOURS) + 0.5) * _HOUR
        return np.cos(2.0 * math.pi * (middle - _WARMEST) / _YEAR)[:, None] * self._hemisphere[None, :]

    @staticmethod
    def _seasonal(pair: tuple[float, ...], season: np.ndarray) -> np.ndarray:
        """From the winter to the summer value of a climate number, ``(hour, cell)``."""
        winter, summer = pair
        return 0.5 * (winter + summer) + 0.5 * (summer - winter) * season

    @staticmethod
    def _between_days(field: RandomField, day: int) -> np.ndarray:
        """Interpolate a daily field to hours, ``(hour, cell)``.

        Straight lines between noons, divided by the standard deviation that they would lose: standard normal at any
        hour.
        """
        before, today, after = (field.day(d)[0] for d in (day - 1, day, day + 1))
        weight = (np.arange(_HOURS) + 0.5 - 0.5 * _HOURS) / _HOURS  # days from noon
        left = np.where(weight < 0.0, -weight, 0.0)[:, None]
        right = np.where(weight > 0.0, weight, 0.0)[:, None]
        middle = 1.0 - left - right
        other = left + right
        spread = np.sqrt(middle**2 + other**2 + 2.0 * middle * other * field.step_correlation)
        return (left * before[None, :] + middle * today[None, :] + right * after[None, :]) / spread

    def _precipitation(self, day: int, season: np.ndarray, wetness: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Precipitation [kg m-2 s-1] and dryness of the air [1] (0 near rain, 1 far from it), ``(hour, cell)``."""
        climate = self.climate
        wet_share = self._seasonal(climate.wet_day_frequency, season)
        rank = exceedance(wetness)
        hour_share = self._seasonal(climate.wet_hours, season) / _HOURS
        afternoon = 1.0 + self._seasonal(climate.convection, season) * self._shower_hours
        chance = np.minimum(hour_share * afternoon, 1.0)
        shower = exceedance(self._showers.day(day))
        is_wet = (rank < wet_share) & (shower < chance)
        excess = -np.log(np.where(is_wet, shower / np.where(is_wet, chance, 1.0), 1.0))
        expected = self._annual_precipitation / _YEAR * (1.0 + (climate.summer_precipitation - 1.0) * season)
        scale = expected / (wet_share * hour_share * math.gamma(1.0 + _RAIN_TAIL))
        dryness = np.minimum(np.maximum((rank - wet_share) / _DRYING, 0.0), 1.0)
        return np.where(is_wet, scale * excess**_RAIN_TAIL, 0.0), dryness

    def _cloud_cover(
        self, day: int, season: np.ndarray, wetness: np.ndarray, precipitation: np.ndarray
    ) -> np.ndarray:
        """Hourly cloud cover [1], ``(hour, cell)``."""
        own = math.sqrt(1.0 - _SYNOPTIC_CLOUD**2)
        pattern = _SYNOPTIC_CLOUD * wetness + own * self._clouds.day(day)
        cloud = 1.0 - exceedance(_CLOUD_CONTRAST * pattern + self._seasonal(self._cloud_shift, season))
        return cloud + (1.0 - cloud) * np.minimum(precipitation / _OVERCAST_RAIN, 1.0)

    def _temperature(self, day: int, season: np.ndarray, cloud: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Temperature without its diurnal cycle [K] and amplitude of that cycle [K], ``(hour, cell)``."""
        climate = self.climate
        usual = self._seasonal(climate.cloudiness, season)
        daily = (
            self._base_temperature
            + climate.annual_amplitude * season
            + self._seasonal(climate.synoptic_temperature, season) * self._between_days(self._warmth, day)
            - _CLOUD_WARMTH * season * (cloud - usual)
        )
        sun = sun_position((day + 0.5) * _DAY)
        latitude = np.radians(self.latitude)
        middle = math.sin(sun.declination) * np.sin(latitude)
        swing = math.cos(sun.declination) * np.cos(latitude)
        low, high = np.maximum(middle - swing, 0.0), np.maximum(middle + swing, 0.0)
        strength = np.minimum((high - low) / _FULL_DIURNAL_SUN, 1.0)
        span = self._seasonal(climate.diurnal_range, season) * (1.0 - _CLOUD_DAMPING * cloud)
        return daily, 0.5 * span * strength

    def _surface_pressure(self, day: int, daily: np.ndarray, wetness: np.ndarray) -> np.ndarray:
        """[Pa], ``(hour, cell)``: hydrostatic below a synoptic sea level pressure."""
        sea = _SEA_PRESSURE + _PRESSURE_SPREAD * self._between_days(self._pressure, day) - _PRESSURE_DROP * wetness
        column = np.maximum(daily, BOUNDS["air_temperature"].lowest) + 0.5 * self._lapse_rate * self._elevation
        return sea * np.exp(-moist_air.GRAVITY * self._elevation / (moist_air.GAS_DRY_AIR * column))

    def _wind(self, day: int, wetness: np.ndarray, cloud: np.ndarray) -> np.ndarray:
        """Wind speed [m s-1], ``(hour, cell)``: Weibull distribution of shape 2."""
        own = math.sqrt(1.0 - _SYNOPTIC_WIND**2)
        rank = exceedance(own * self._gusts.day(day) + _SYNOPTIC_WIND * wetness)
        scale = self.climate.wind_speed / math.gamma(1.5)
        return scale * np.sqrt(-np.log(rank)) * (1.0 + _WIND_DIURNAL * (1.0 - cloud) * self._warm_hours)

    def _shortwave(self, day: int, pressure: np.ndarray, vapour: np.ndarray, cloud: np.ndarray) -> np.ndarray:
        """Shortwave down [W m-2], ``(hour, cell)``: extraterrestrial mean times clear-sky and cloud transmittance."""
        begin = day * _DAY + _HOUR * np.arange(_HOURS)
        sun = sun_positions(begin + 0.5 * _HOUR)
        integral, sunshine = self._sun.sunlit(begin[:, None], _HOUR, sun)
        top = SOLAR_CONSTANT * sun.irradiance_factor * integral / _HOUR
        cosine = integral / np.where(sunshine > 0.0, sunshine, 1.0)
        return top * sky.clear_sky_transmittance(cosine, pressure, vapour) * sky.cloud_transmittance(cloud)


def _vapour_pressure(temperature: np.ndarray, dew_point: np.ndarray, precipitation: np.ndarray) -> np.ndarray:
    """Vapour pressure [Pa] from the dew point [K], raised by rain [kg m-2 s-1] and limited by saturation."""
    saturation = moist_air.saturation_pressure(temperature)
    vapour = moist_air.saturation_pressure(dew_point)
    gap = np.maximum(_RAIN_HUMIDITY * saturation - vapour, 0.0)
    vapour = vapour + gap * (precipitation / (precipitation + _HUMID_RAIN))
    return np.minimum(vapour, _HIGHEST_HUMIDITY * saturation * moist_air.ice_saturation_ratio(temperature))


def _annual_amounts(amounts: Any, heights: Any, elevation: np.ndarray) -> np.ndarray:
    """Return the mean precipitation of a year of each cell [kg m-2]."""
    amounts = np.asarray(amounts, dtype=np.float64).reshape(-1)
    heights = np.zeros(1) if heights is None else np.asarray(heights, dtype=np.float64).reshape(-1)
    if amounts.size != heights.size or not (np.diff(heights) > 0.0).all() or not (amounts >= 0.0).all():
        raise InputError(
            "forcing.generator.annual_precipitation: expected one amount, or one that is not negative for each of the "
            f"ascending precipitation_elevation, got {amounts.tolist()} at {heights.tolist()}")
    return np.interp(elevation, heights, amounts)


def _cell_values(given: Any, what: str, ncell: int, lowest: float, highest: float) -> np.ndarray:
    """One number per cell within bounds."""
    values = np.asarray(given, dtype=np.float64).reshape(-1)
    if values.size not in {1, ncell} or not np.all((values >= lowest) & (values <= highest)):
        raise InputError(
            f"weather generator: {what} must be one number or {ncell}, within {lowest:g} and {highest:g}, got {given}")
    return np.broadcast_to(values, (ncell,)).copy()
