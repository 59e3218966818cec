"""Weather for a run from the record of a station's logger, which has no longwave, has gaps, and runs on local time.

`station_forcing` writes the ALMA netCDF file that a case reads; `read_station_record` gives its arrays. Records of any
length are averaged over regular intervals by their overlap, gaps up to a stated length are filled, and longwave follows
from temperature, humidity and the clear-sky index of shortwave (`pyland.forcing.sky.longwave_of_shortwave`). Rain and
snow stay one flux; the rule of the case parts them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import netCDF4
import numpy as np

from pyland.base.checksums import sha256_of_file
from pyland.base.complete_files import written_aside
from pyland.base.errors import InputError
from pyland.base.logging import get_logger
from pyland.base.record_lengths import record_lengths
from pyland.base.text import suggestion
from pyland.base.text_columns import TextColumns
from pyland.base.text_layout import Column, TextLayout
from pyland.base.units import convert
from pyland.forcing.checks import BOUNDS
from pyland.forcing.moist_air import humidity_from_vapour, saturation_pressure
from pyland.forcing.sky import CLEAR_SKY_LONGWAVE, clear_sky_transmittance, longwave_of_shortwave
from pyland.forcing.solar import SHORTEST_SUNSHINE, SOLAR_CONSTANT, SolarGeometry, sun_positions

QUANTITIES = MappingProxyType({
    "shortwave_down": "W m-2", "longwave_down": "W m-2", "air_temperature": "K", "vapour_pressure": "Pa",
    "relative_humidity": "1", "surface_pressure": "Pa", "wind_speed": "m s-1", "precipitation": "kg m-2 s-1",
})
"""What a record may hold, and the unit it is brought to; precipitation may be an amount per record."""

STATION_LAYOUTS = MappingProxyType({
    "campbell_crns": TextLayout(  # crnpy's KS003: a CR300 with an all-in-one weather sensor
        time=("TIMESTAMP",), header=2, units_line=3, first=5, missing=(-7999.0, 7999.0),
        columns={
            "shortwave_down": Column(("solar_flux_density_Avg",)), "air_temperature": Column(("air_temperature_Avg",)),
            "vapour_pressure": Column(("vapor_pressure_Avg",)), "wind_speed": Column(("wind_speed_Avg",)),
            "relative_humidity": Column(("relative_humidity_Avg",)), "precipitation": Column(("precipitation_Tot",)),
            "surface_pressure": Column(("barometric_pressure_Avg",)),
        }),
})
"""Layouts with a name; loggers write 7999 where a number is too large for their format."""

LONGEST_GAP = 6 * 3600.0
"""Longest gap that is filled [s]: longer ones take the sun, or a front, with them."""

_ALMA = {"shortwave_down": "SWdown", "longwave_down": "LWdown", "air_temperature": "Tair", "specific_humidity": "Qair",
         "surface_pressure": "PSurf", "wind_speed": "Wind", "precipitation": "Precip"}  # fmt: skip
_LEAST_COVER = 0.5  # share of an interval that must be measured for its mean to count as measured [1]
_MOST_IMPOSSIBLE = 0.01  # share of values that may be broken means of a logger; more are another unit [1]
_HIGH_SUN = 0.2  # cosine of the zenith angle above which shortwave tells cloud; below, the horizon and haze do [1]
_LARGEST_CLOCK_ERROR = 0.75  # hours; clouds of the afternoon and the horizon shift the sun of a record by less [h]
_LEAST_DAYS = 5  # of six hours of sunshine, to judge a clock


@dataclass
class StationWeather:
    """Weather of a station at regular intervals.

    Attributes
    ----------
    start : datetime64[s]
        Start of the first interval (UTC).
    interval : int
        Length of an interval [s].
    values : dict of str to ndarray, shape (time,)
        By registry name, in the units of `pyland.forcing.checks.BOUNDS`; ``precipitation`` is rain and snow.
    filled : dict of str to ndarray of bool, shape (time,)
        Where a value is filled or derived, not measured.
    notes : list of str
        What was done, in sentences.
    """

    start: np.datetime64
    interval: int
    values: dict[str, np.ndarray]
    filled: dict[str, np.ndarray]
    notes: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Number of intervals."""
        return self.values["air_temperature"].size

    @property
    def end(self) -> np.datetime64:
        """End of the last interval (UTC)."""
        return self.start + np.timedelta64(self.interval * self.size, "s")


def station_forcing(
    record: str | Path, output: str | Path, *, latitude: float, longitude: float, elevation: float, height: float,
    name: str | None = None, **options: object,
) -> StationWeather:
    """Make an ALMA netCDF file of the record of a station, for ``forcing: {format: alma, path: ...}``.

    Parameters
    ----------
    record : str or Path
        Text file of the logger.
    output : str or Path
        File to write.
    latitude, longitude, elevation : float
        Of the station [degrees, degrees, m].
    height : float
        Of the wind sensor above the ground [m].
    name : str, optional
        Of the station; that of the file by default.
    **options
        Of `read_station_record`.

    Returns
    -------
    StationWeather
        What was written.

    Raises
    ------
    InputError
        See `read_station_record`.
    """
    weather = read_station_record(record, latitude=latitude, longitude=longitude, **options)
    if not 0.1 <= height <= 500.0:
        raise InputError(f"{record}: the height of the wind sensor must lie between 0.1 and 500 m, got {height:g}.")
    attributes = {
        "site": name or Path(record).stem, "lat": float(latitude), "lon": float(longitude), "elev_m": float(elevation),
        "z_meas_m": float(height), "utc_offset_h": float(options.get("utc_offset", 0.0)),
        "source": f"{Path(record).name} sha256:{sha256_of_file(record)}",
    }
    write_station_weather(output, weather, attributes)
    return weather


def read_station_record(
    record: str | Path, *, latitude: float, longitude: float, layout: object = "campbell_crns",
    utc_offset: float = 0.0, time_label: str = "end", interval: float = 3600.0,
    longest_gap: float | Mapping[str, float] = LONGEST_GAP, longwave: str = "dilley_obrien",
    start: object = None, end: object = None, check_clock: bool = True,
) -> StationWeather:
    """Read the record of a station as gap-free weather.

    Parameters
    ----------
    record : str or Path
        Text file.
    latitude, longitude : float
        Of the station [degrees].
    layout : str, Path, mapping or TextLayout
        One of `STATION_LAYOUTS`, or a layout of one's own with quantities of `QUANTITIES`.
    utc_offset : float
        Local standard time of the record minus UTC [h].
    time_label : {"end", "start"}
        What the time stamps mark.
    interval : float
        Length of the intervals to make [s].
    longest_gap : float or mapping of str to float
        Longest gap to fill [s], of all quantities or by quantity (then the others have `LONGEST_GAP`).
    longwave : str
        Clear-sky formula, one of `pyland.forcing.sky.CLEAR_SKY_LONGWAVE`; not used if the record has longwave.
    start, end : datetime64 or str, optional
        Period (UTC); that of the record by default.
    check_clock : bool
        Compare the clock with the sun.

    Returns
    -------
    StationWeather
        Without a missing value.

    Raises
    ------
    InputError
        If a quantity is lacking, a value is impossible, times run backward, a gap is too long, or the sun of the record
        stands highest at another time than that of the place.

    Notes
    -----
    Temperature, vapour pressure, pressure and wind are interpolated over gaps in time; of shortwave it is its ratio to
    that of a clear sky, so that a filled day rises and sets with the sun; rain in a gap is unknown and taken as none.
    """
    path = Path(record)
    if longwave not in CLEAR_SKY_LONGWAVE:
        raise InputError(f"{path}: longwave must be one of {', '.join(CLEAR_SKY_LONGWAVE)}, got '{longwave}'.")
    gaps = _gap_limits(longest_gap, path)
    if time_label not in ("end", "start"):
        raise InputError(f"{path}: time_label must be 'end' or 'start', got '{time_label}'.")
    plan = TextLayout.of(layout, STATION_LAYOUTS, QUANTITIES)
    table = plan.read(path)
    ends, lengths = _record_intervals(plan.times(table, utc_offset), time_label, path)
    measured = _quantities(plan, table, lengths)
    edges = _edges(ends, lengths, round(interval), start, end, path)
    means = {quantity: _interval_means(values, ends, lengths, edges) for quantity, values in measured.items()}
    weather = StationWeather(edges[0].astype("datetime64[s]"), round(interval), {}, {})
    sun = _Sun(latitude, longitude, edges)
    if check_clock:
        sun.check_clock(means["shortwave_down"], utc_offset, path)
    _fill(weather, means, sun, gaps, longwave, path)
    for note in weather.notes:
        get_logger("forcing").info("%s: %s", path, note)
    return weather


def write_station_weather(path: str | Path, weather: StationWeather, attributes: Mapping[str, object]) -> None:
    """Write weather as an ALMA netCDF file; it appears under its name only when it is complete.

    Parameters
    ----------
    path : str or Path
        The file; an older one is replaced.
    weather : StationWeather
        What to write.
    attributes : mapping
        ``lat``, ``lon``, ``elev_m``, ``z_meas_m`` and what else is known of the place.
    """
    with written_aside(path) as partial, netCDF4.Dataset(partial, "w") as file:
        file.createDimension("time", weather.size)
        time = file.createVariable("time", "i8", ("time",))
        time.setncatts({"standard_name": "time", "units": "seconds since 1970-01-01 00:00:00",
                        "calendar": "standard", "axis": "T"})
        time[:] = weather.start.astype(np.int64) + weather.interval * np.arange(weather.size)
        for quantity, values in weather.values.items():
            variable = file.createVariable(_ALMA[quantity], "f8", ("time",), zlib=True)
            variable.setncatts({"units": BOUNDS[quantity].unit, "long_name": quantity.replace("_", " ")})
            variable[:] = values
            quality = file.createVariable(f"{_ALMA[quantity]}_qc", "i1", ("time",), zlib=True)
            quality.setncatts({"flag_values": np.array([0, 1], "i1"),
                               "flag_meanings": "measured filled_or_derived"})
            quality[:] = weather.filled[quantity]
        file.setncatts({"Conventions": "CF-1.11", "time_convention": "UTC, start of averaging interval",
                        "time_step_s": weather.interval, "notes": " ".join(weather.notes), **attributes})


def _record_intervals(times: np.ndarray, label: str, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return ends of the records [s since 1970] and their lengths [s]."""
    if label == "end":
        lengths = record_lengths(times, str(path))
        return times.astype(np.int64).astype(float), lengths
    lengths = record_lengths(-times.astype(np.int64)[::-1].astype("timedelta64[s]") + np.datetime64(0, "s"),
                             str(path))[::-1]
    return times.astype(np.int64) + lengths, lengths


def _quantities(plan: TextLayout, table: TextColumns, lengths: np.ndarray) -> dict[str, np.ndarray]:
    """Return measured quantities (record,) in the units of `QUANTITIES`."""
    found = {}
    for quantity, unit in QUANTITIES.items():
        if not plan.has(table, quantity):
            continue
        if quantity != "precipitation":
            found[quantity] = plan.values(table, quantity, unit)
            continue
        name = plan.columns[quantity].names[0]
        own, numbers = plan.unit_of(table, quantity, name), table.numbers(name, plan.missing)
        label = f"{table.path}: column '{name}'"
        try:
            found[quantity] = convert(numbers, own, "kg m-2", label) / lengths
        except InputError:
            found[quantity] = convert(numbers, own, unit, label)
    needed = ["shortwave_down", "air_temperature", "surface_pressure", "wind_speed", "precipitation"]
    needed += [] if "relative_humidity" in found else ["vapour_pressure"]
    for quantity in needed:
        if quantity not in found:
            raise InputError(f"{table.path}: the layout names no column of {quantity}, or the file lacks it; the "
                             f"columns are {', '.join(table.cells)}.")
        if np.isnan(found[quantity]).all():
            raise InputError(f"{table.path}: {quantity} has no value at all.")
    for quantity, values in found.items():
        if quantity in BOUNDS:
            found[quantity] = _possible(values, quantity, table)
    if "relative_humidity" in found:
        humidity, temperature = found.pop("relative_humidity"), found["air_temperature"]
        vapour = humidity * saturation_pressure(temperature)
        known = found.get("vapour_pressure", np.full(vapour.shape, np.nan))
        found["vapour_pressure"] = np.where(np.isfinite(known), known, vapour)
    return found


def _possible(values: np.ndarray, quantity: str, table: TextColumns) -> np.ndarray:
    """Return values with NaN where they cannot be; many of them are a wrong unit or fill value, and an error."""
    bounds = BOUNDS[quantity]
    outside = (values < bounds.lowest) | (values > bounds.highest)
    if not outside.any():
        return values
    row, count = int(np.argmax(outside)), int(outside.sum())
    what = (f"{table.path}, line {table.lines[row]}: {quantity} is {values[row]:.6g} {bounds.unit}, outside "
            f"[{bounds.lowest:g}, {bounds.highest:g}]; {count} of {values.size} values are")
    if count > _MOST_IMPOSSIBLE * values.size:
        raise InputError(f"{what}. Check its unit, and name the number that stands for a missing value (missing).")
    get_logger("forcing").warning("%s, and are taken as missing.", what)
    return np.where(outside, np.nan, values)


def _edges(ends: np.ndarray, lengths: np.ndarray, interval: int, start: object, end: object, path: Path) -> np.ndarray:
    """Return edges of the intervals to make [s since 1970], whole ones within the record and the period."""
    if not 60 <= interval <= 86400:
        raise InputError(f"{path}: interval must lie between 60 and 86400 s, got {interval}.")
    first, last = ends[0] - lengths[0], ends[-1]
    wanted = [None if one is None else float(np.datetime64(str(one).removesuffix("Z"), "s").astype(np.int64))
              for one in (start, end)]
    if wanted[0] is not None and wanted[0] < first or wanted[1] is not None and wanted[1] > last:
        span = [np.datetime64(int(one), "s") for one in (first, last)]
        raise InputError(f"{path}: the period {start or 'start'} to {end or 'end'} reaches beyond the record, "
                         f"{span[0]} to {span[1]} UTC.")
    low = -(-(first if wanted[0] is None else wanted[0]) // interval)
    high = (last if wanted[1] is None else wanted[1]) // interval
    if high <= low:
        raise InputError(f"{path}: the record has no whole interval of {interval} s.")
    return (np.arange(int(low), int(high) + 1) * interval).astype(np.int64)


def _interval_means(values: np.ndarray, ends: np.ndarray, lengths: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return means over intervals by overlap with the records, NaN where less than half is measured.

    The integral of a record that is constant within its records is linear between their ends, so differences of its
    interpolation at the edges are exact.
    """
    begins = np.maximum(ends - lengths, np.r_[-np.inf, ends[:-1]])
    known = np.isfinite(values)
    part = np.where(known, ends - begins, 0.0)
    knots = np.column_stack((begins, ends)).ravel()
    measured = np.column_stack((np.zeros(part.size), part)).ravel().cumsum()
    amount = np.column_stack((np.zeros(part.size), part * np.where(known, values, 0.0))).ravel().cumsum()
    time = np.diff(np.interp(edges, knots, measured))
    integral = np.diff(np.interp(edges, knots, amount))
    enough = time >= _LEAST_COVER * np.diff(edges)
    return np.where(enough, integral / np.where(enough, time, 1.0), np.nan)


class _Sun:
    """The sun over the intervals: extraterrestrial shortwave, its angle, hours of the day."""

    def __init__(self, latitude: float, longitude: float, edges: np.ndarray) -> None:
        begins, duration = edges[:-1].astype(float), float(edges[1] - edges[0])
        middles = begins + 0.5 * duration
        position = sun_positions(middles)
        integral, sunshine = SolarGeometry(np.array([latitude]), np.array([longitude])).sunlit(
            begins[:, None], duration, position)
        integral, sunshine = integral[:, 0], sunshine[:, 0]
        self.step, self.is_day = duration, sunshine >= SHORTEST_SUNSHINE
        self.is_high = (sunshine >= 0.99 * duration) & (integral >= _HIGH_SUN * duration)
        self.cosine = np.where(self.is_day, integral / np.maximum(sunshine, SHORTEST_SUNSHINE), 0.0)
        self.top = SOLAR_CONSTANT * np.ravel(position.irradiance_factor) * integral / duration
        self.angle = 2.0 * np.pi * (middles % 86400.0) / 86400.0 - np.ravel(position.noon) + np.radians(longitude)

    def check_clock(self, shortwave: np.ndarray, utc_offset: float, path: Path) -> None:
        """Raise InputError if the centre of the shortwave of all days is not near noon."""
        weights = np.where(np.isfinite(shortwave), shortwave, 0.0)
        if (weights > 0.0).sum() * self.step < _LEAST_DAYS * 6 * 3600 or weights.sum() <= 0.0:
            return
        shift = np.arctan2((weights * np.sin(self.angle)).sum(), (weights * np.cos(self.angle)).sum()) * 12.0 / np.pi
        if abs(shift) > _LARGEST_CLOCK_ERROR:
            raise InputError(
                f"{path}: the shortwave of the record has its centre {abs(shift):.1f} h "
                f"{'after' if shift > 0 else 'before'} noon of the place. The clock is not that of utc_offset = "
                f"{utc_offset:g} h (about {utc_offset + shift:.1f} h would fit), or the time stamps mark the other end "
                "of a record. check_clock=False takes the record as it is."
            )


def _fill(weather: StationWeather, means: dict[str, np.ndarray], sun: _Sun, gaps: Mapping[str, float],
          formula: str, path: Path) -> None:
    """Fill gaps and derive humidity and longwave."""
    whole: dict[str, np.ndarray] = {}
    for quantity in ("air_temperature", "vapour_pressure", "surface_pressure", "wind_speed"):
        weather.filled[quantity] = np.isnan(means[quantity])
        _check_gaps(weather.filled[quantity], quantity, gaps, weather, path)
        whole[quantity] = _interpolated(means[quantity])
    temperature, pressure = whole["air_temperature"], whole["surface_pressure"]
    saturated = saturation_pressure(temperature)
    wet = whole["vapour_pressure"] > saturated
    vapour = np.minimum(whole["vapour_pressure"], saturated)
    clear = sun.top * clear_sky_transmittance(sun.cosine, pressure, vapour)
    shortwave = np.where(sun.is_day, np.maximum(means["shortwave_down"], 0.0), 0.0)
    _check_gaps(np.isnan(shortwave), "shortwave_down", gaps, weather, path)
    told = sun.is_high & np.isfinite(shortwave)
    if not told.any():
        raise InputError(f"{path}: the sun never stands high enough in the record to tell clouds, so longwave cannot "
                         "be derived; use a record with longwave.")
    index = _interpolated(np.where(told, shortwave / np.where(told, clear, 1.0), np.nan))
    rain = means["precipitation"]
    _check_gaps(np.isnan(rain), "precipitation", gaps, weather, path)
    weather.filled["shortwave_down"] = np.isnan(shortwave)
    weather.filled["precipitation"] = np.isnan(rain)
    weather.filled["specific_humidity"] = weather.filled.pop("vapour_pressure") | wet
    weather.values = {
        "shortwave_down": np.where(np.isnan(shortwave), index * clear, shortwave), "air_temperature": temperature,
        "specific_humidity": humidity_from_vapour(vapour, pressure), "surface_pressure": pressure,
        "wind_speed": whole["wind_speed"], "precipitation": np.where(np.isnan(rain), 0.0, np.maximum(rain, 0.0)),
    }
    derived = longwave_of_shortwave(temperature, vapour, index, formula)
    own = means.get("longwave_down", np.full(temperature.shape, np.nan))
    weather.values["longwave_down"] = np.where(np.isnan(own), derived, own)
    weather.filled["longwave_down"] = np.isnan(own)
    counts = {name: int(mask.sum()) for name, mask in weather.filled.items() if name != "longwave_down" and mask.any()}
    weather.notes += [
        f"{weather.size} intervals of {weather.interval} s from {weather.start} UTC.",
        "Filled: " + (", ".join(f"{count} of {name}" for name, count in counts.items()) or "none") + ".",
        f"Vapour above saturation was set to it in {int(wet.sum())} intervals.",
        f"Longwave of {int(np.isnan(own).sum())} intervals by '{formula}' with the cloud of the clear-sky index of "
        "shortwave (Crawford and Duchon 1999), interpolated over nights.",
    ]
    if "precipitation" in counts:
        weather.notes.append("Rain of filled intervals is unknown and 0.")


def _gap_limits(longest_gap: float | Mapping[str, float], path: Path) -> dict[str, float]:
    """Return the longest gap to fill [s] by quantity."""
    if not isinstance(longest_gap, Mapping):
        return dict.fromkeys(QUANTITIES, float(longest_gap))
    for quantity in longest_gap:
        if quantity not in QUANTITIES:
            hint = suggestion(quantity, QUANTITIES) or "."
            raise InputError(f"{path}: longest_gap has no quantity '{quantity}'{hint} Known are "
                             f"{', '.join(QUANTITIES)}.")
    return {quantity: float(longest_gap.get(quantity, LONGEST_GAP)) for quantity in QUANTITIES}


def _check_gaps(missing: np.ndarray, quantity: str, gaps: Mapping[str, float], weather: StationWeather,
                path: Path) -> None:
    """Raise InputError if values of a quantity are missing for longer than its limit."""
    limit = int(gaps[quantity] // weather.interval)
    steps = np.flatnonzero(np.diff(np.r_[0, missing.astype(np.int8), 0]))
    begins, lengths = steps[::2], steps[1::2] - steps[::2]
    if lengths.size and lengths.max() > limit:
        at = int(np.argmax(lengths))
        first = weather.start + np.timedelta64(int(begins[at]) * weather.interval, "s")
        raise InputError(
            f"{path}: {quantity} is missing for {lengths[at] * weather.interval / 3600.0:g} h from {first} UTC, "
            f"gaps longer than longest_gap = {limit * weather.interval / 3600.0:g} h: {int((lengths > limit).sum())}. "
            "Allow longer gaps, choose a period without them (start, end), or fill them from another station."
        )


def _interpolated(values: np.ndarray) -> np.ndarray:
    """Fill what is missing linearly between neighbours; the nearest value beyond the first and last."""
    known = np.isfinite(values)
    at = np.arange(values.size)
    return np.interp(at, at[known], values[known])
