"""Files laid out as ERA5, ERA5-Land, COSMO-REA6 and CMFD lay theirs out, with weather that is known everywhere.

Fields that hold at stamps are linear in latitude, longitude and time; means are linear in space and change from
interval to interval. So bilinear regridding and time interpolation have to return them to the precision of the files.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import netCDF4
import numpy as np

from pyland.forcing.moist_air import humidity_from_vapour, saturation_pressure

START = np.datetime64("2020-06-10T00:00:00")
SLOPES = {"air_temperature": (285.0, -0.6, 0.3, 0.1), "dewpoint_temperature": (280.0, -0.4, 0.2, 0.05),
          "surface_pressure": (95000.0, 50.0, -20.0, 5.0), "eastward_wind": (3.0, 0.1, 0.05, 0.02),
          "northward_wind": (-4.0, 0.05, 0.1, -0.01), "specific_humidity": (0.006, 1e-4, -1e-4, 1e-5),
          "wind_speed": (5.0, 0.1, -0.1, 0.02), "relative_humidity": (0.6, 0.01, -0.01, 0.001)}
"""Value, change per degree north and east of 50 N 7 E, and change per hour after the start."""

Field = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def hours_of(moments: np.ndarray) -> np.ndarray:
    """Hours since `START`."""
    return (np.asarray(moments, dtype="datetime64[s]") - START) / np.timedelta64(3600, "s")


def at_stamp(name: str, latitude: np.ndarray, longitude: np.ndarray, hours: np.ndarray) -> np.ndarray:
    """Field that holds at stamps, ``(time, *place)``, SI."""
    value, north, east, later = SLOPES[name]
    place = value + north * (latitude - 50.0) + east * ((longitude + 180.0) % 360.0 - 187.0)
    return place + later * np.reshape(hours, (-1,) + (1,) * np.ndim(latitude))


def mean_after(name: str, latitude: np.ndarray, longitude: np.ndarray, begin: np.ndarray) -> np.ndarray:
    """Mean over the interval that begins ``begin`` hours after the start, ``(time, *place)``, SI."""
    begin = np.reshape(begin, (-1,) + (1,) * np.ndim(latitude))
    place = 1.0 + 0.02 * (latitude - 50.0) + 0.01 * ((longitude + 180.0) % 360.0 - 187.0)
    level = {"shortwave_down": 150.0 + 100.0 * np.sin(begin), "longwave_down": 300.0 + 20.0 * np.cos(begin),
             "precipitation": 1e-4 * (np.abs(begin) % 5.0), "snowfall": 2e-5 * (np.abs(begin) % 5.0)}[name]
    return place * level


def write(
    path: Path, fields: dict[str, tuple[str, np.ndarray]], latitude: np.ndarray, longitude: np.ndarray,
    moments: np.ndarray, *, time: str = "time", names: tuple[str, str] = ("latitude", "longitude"),
    dimensions: tuple[str, str] | None = None, packed: bool = False, versions: bool = False,
) -> Path:
    """Write one file: ``fields`` by name with unit and values ``(time, row, column)``; missing values are NaN."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows, columns = dimensions or names
    with netCDF4.Dataset(path, "w") as file:
        shape = next(iter(fields.values()))[1].shape
        for name, size in ((time, shape[0]), (rows, shape[1]), (columns, shape[2])):
            file.createDimension(name, size)
        axis = file.createVariable(time, "i8" if time == "valid_time" else "i4", (time,))
        epoch = "1970-01-01" if time == "valid_time" else "1900-01-01"
        axis.units = f"{'seconds' if time == 'valid_time' else 'hours'} since {epoch}"
        axis.calendar = "proleptic_gregorian" if time == "valid_time" else "gregorian"
        since = moments.astype("datetime64[s]") - np.datetime64(epoch, "s")
        axis[:] = since.astype(np.int64) // (1 if time == "valid_time" else 3600)
        for name, values in zip(names, (latitude, longitude), strict=True):
            axes = (rows, columns) if values.ndim == 2 else (rows if name == names[0] else columns,)
            file.createVariable(name, "f8", axes)[:] = values
        if time == "valid_time":
            file.createVariable("number", "i8", ())[...] = 0
            file.createVariable("expver", str, (time,))[:] = np.array(["0001"] * shape[0], dtype=object)
        if versions:
            file.createDimension("expver", 2)
        for name, (unit, values) in fields.items():
            _write_field(file, name, unit, values, (time, rows, columns), packed, versions)
    return path


def _write_field(
    file: netCDF4.Dataset, name: str, unit: str, values: np.ndarray, dimensions: tuple[str, str, str], packed: bool,
    versions: bool,
) -> None:
    if versions:  # the last stamps are of the preliminary version
        dimensions = (dimensions[0], "expver", *dimensions[1:])
        late = np.arange(values.shape[0])[:, None, None] >= values.shape[0] - 6
        values = np.stack([np.where(late, np.nan, values), np.where(late, values, np.nan)], axis=1)
    kind = "i2" if packed else "f4"
    fill = -32767 if packed else np.float32(np.nan)
    variable = file.createVariable(name, kind, dimensions, fill_value=fill, zlib=True)
    if packed:
        low, high = np.nanmin(values), np.nanmax(values)
        variable.scale_factor = (high - low) / 65000.0 if high > low else 1.0
        variable.add_offset = 0.5 * (low + high)
    variable.units = unit
    variable[:] = np.ma.masked_invalid(values)


def make_axes(spacing: float = 0.25, extent: float = 1.0, west: float = 6.0) -> tuple[np.ndarray, np.ndarray]:
    """Latitudes from north to south and longitudes around 50 N 7 E [degrees]."""
    count = round(2 * extent / spacing) + 1
    return 50.0 + extent - spacing * np.arange(count), west + spacing * np.arange(count)


def era5_fields(latitude: np.ndarray, longitude: np.ndarray, hours: np.ndarray, with_snow: bool = True) -> dict:
    """Instantaneous and accumulated fields of ERA5 by name: (unit, values)."""
    here = np.meshgrid(latitude, longitude, indexing="ij")
    instant = {label: (unit, at_stamp(name, *here, hours)) for label, name, unit in (
        ("t2m", "air_temperature", "K"), ("d2m", "dewpoint_temperature", "K"), ("sp", "surface_pressure", "Pa"),
        ("u10", "eastward_wind", "m s**-1"), ("v10", "northward_wind", "m s**-1"))}
    amounts = [("ssrd", "shortwave_down", "J m**-2", 3600.0), ("strd", "longwave_down", "J m**-2", 3600.0),
               ("tp", "precipitation", "m", 3.6)]
    if with_snow:
        amounts.append(("sf", "snowfall", "m of water equivalent", 3.6))
    accumulated = {label: (unit, factor * mean_after(name, *here, hours - 1.0))
                   for label, name, unit, factor in amounts}
    return {"instant": instant, "accum": accumulated}


def write_era5(
    folder: Path, hours: int = 49, *, style: str = "new", with_snow: bool = True, with_height: bool = True,
    axes: tuple[np.ndarray, np.ndarray] | None = None,
) -> Path:
    """Write ERA5 as downloads have it.

    ``new``: valid_time, a file of stamps and one of sums; ``old``: 16 bits, one file a month; ``versions``: with ERA5T.
    """
    latitude, longitude = axes or make_axes()
    moments = START + np.arange(hours) * np.timedelta64(3600, "s")
    fields = era5_fields(latitude, longitude, hours_of(moments), with_snow)
    if style == "new":
        for kind, some in fields.items():
            write(folder / f"data_stream-oper_stepType-{kind}.nc", some, latitude, longitude, moments,
                  time="valid_time")
    else:
        together = fields["instant"] | fields["accum"]
        split = hours // 2
        for number, part in enumerate((slice(0, split), slice(split, hours))):
            some = {name: (unit, values[part]) for name, (unit, values) in together.items()}
            write(folder / f"era5_{number}.nc", some, latitude, longitude, moments[part], packed=style == "old",
                  versions=style == "versions")
    if with_height:
        here = np.meshgrid(latitude, longitude, indexing="ij")
        write(folder / "geopotential.nc", {"z": ("m**2 s**-2", 9.80665 * height(*here)[None])}, latitude, longitude,
              moments[:1])
    return folder


def height(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Height of the surface that the weather stands for [m]."""
    return 400.0 + 100.0 * (latitude - 50.0) + 50.0 * (longitude - 7.0)


def write_era5_land(folder: Path, hours: int = 49, *, sea_from: float | None = None, packed: bool = True) -> Path:
    """Write ERA5-Land: sums since 00 UTC, where the stamp 00 UTC has the sum of the day before; sea in the east."""
    latitude, longitude = make_axes(0.1, 0.5, 6.5)
    moments = START + np.arange(hours) * np.timedelta64(3600, "s")
    fields = era5_fields(latitude, longitude, hours_of(moments))
    day_before = era5_fields(latitude, longitude, np.arange(-23.0, 1.0))["accum"]
    for name, (unit, values) in fields["accum"].items():
        sums = np.empty_like(values)
        sums[0] = day_before[name][1].sum(axis=0)
        for stamp in range(1, hours):  # that at 01 UTC begins a new sum
            sums[stamp] = values[stamp] + (0.0 if stamp % 24 == 1 else sums[stamp - 1])
        fields["accum"][name] = (unit, sums)
    together = fields["instant"] | fields["accum"]
    if sea_from is not None:
        sea = longitude[None, None, :] > sea_from
        together = {name: (unit, np.where(sea, np.nan, values)) for name, (unit, values) in together.items()}
    write(folder / "era5_land_202006.nc", together, latitude, longitude, moments, packed=packed)
    return folder


def rotated_grid(rows: int = 40, columns: int = 44, spacing: float = 0.055) -> tuple[np.ndarray, np.ndarray]:
    """Latitudes and longitudes of a grid with its pole at 39.25 N 162 W, around 50 N 7 E [degrees]."""
    pole = np.radians(39.25)
    rlat, rlon = np.meshgrid(-0.2 + spacing * (np.arange(rows) - rows // 2),
                             -7.05 + spacing * (np.arange(columns) - columns // 2), indexing="ij")
    rlat, rlon = np.radians(rlat), np.radians(rlon)
    latitude = np.arcsin(np.sin(rlat) * np.sin(pole) + np.cos(rlat) * np.cos(rlon) * np.cos(pole))
    east = np.arctan2(np.cos(rlat) * np.sin(rlon),
                      np.cos(rlat) * np.cos(rlon) * np.sin(pole) - np.sin(rlat) * np.cos(pole))
    return np.degrees(latitude), 18.0 + np.degrees(east)


def write_cosmo(folder: Path, hours: int = 49, *, humidity: str = "QV_2M") -> Path:
    """Write COSMO-REA6: a rotated pole, a file per variable and month; shortwave holds at stamps."""
    latitude, longitude = rotated_grid()
    moments = START + np.arange(hours) * np.timedelta64(3600, "s")
    since = hours_of(moments)
    sun = cosmo_shortwave(moments)[:, None, None] * np.ones(latitude.shape)
    fields = {label: (unit, factor * at_stamp(name, latitude, longitude, since)) for label, name, unit, factor in (
        ("T_2M", "air_temperature", "K", 1.0), ("QV_2M", "specific_humidity", "kg kg-1", 1.0),
        ("RELHUM_2M", "relative_humidity", "%", 100.0), ("PS", "surface_pressure", "Pa", 1.0),
        ("U_10M", "eastward_wind", "m s-1", 1.0), ("V_10M", "northward_wind", "m s-1", 1.0))}
    fields.pop("RELHUM_2M" if humidity == "QV_2M" else "QV_2M")
    fields["SWDIRS_RAD"], fields["SWDIFDS_RAD"] = ("W m-2", 0.7 * sun), ("W m-2", 0.3 * sun)
    fields["ATHD_S"] = ("W m-2", mean_after("longwave_down", latitude, longitude, since - 1.0))
    fields["TOT_PRECIP"] = ("kg m-2", 3600.0 * mean_after("precipitation", latitude, longitude, since - 1.0))
    fields["SNOW_GSP"] = ("kg m-2", 2400.0 * mean_after("snowfall", latitude, longitude, since - 1.0))
    fields["SNOW_CON"] = ("kg m-2", 1200.0 * mean_after("snowfall", latitude, longitude, since - 1.0))
    names, dimensions = ("lat", "lon"), ("rlat", "rlon")
    for label, one in fields.items():
        write(folder / label / f"{label}.2D.202006.nc", {label: one}, latitude, longitude, moments, names=names,
              dimensions=dimensions)
    write(folder / "HSURF.nc", {"HSURF": ("m", height(latitude, longitude)[None])}, latitude, longitude, moments[:1],
          names=names, dimensions=dimensions)
    return folder


def cosmo_shortwave(moments: np.ndarray) -> np.ndarray:
    """Shortwave at stamps [W m-2], the same everywhere: 0.5 of the sun over 50 N 7 E above the atmosphere."""
    from pyland.forcing.solar import SolarGeometry

    sun = SolarGeometry(np.array([50.0]), np.array([7.0]))
    seconds = moments.astype("datetime64[s]").astype(np.int64)
    return 680.0 * np.maximum([float(sun.cosine_zenith(float(one))[0]) for one in seconds], 0.0)


def write_cmfd(folder: Path, steps: int = 17, *, unit: str = "mm hr-1", packed: bool = True) -> Path:
    """Write CMFD: a file per variable and month, 3-hourly, from south to north, in 16 bits."""
    latitude, longitude = make_axes(0.1, 0.5, 6.55)
    latitude = latitude[::-1] + 0.05
    moments = START + 3 * np.arange(steps) * np.timedelta64(3600, "s")
    since = hours_of(moments)
    here = np.meshgrid(latitude, longitude, indexing="ij")
    rain = 3600.0 if unit == "mm hr-1" else 1.0
    fields = {
        "temp": ("K", at_stamp("air_temperature", *here, since)),
        "pres": ("Pa", at_stamp("surface_pressure", *here, since)),
        "shum": ("kg kg-1", at_stamp("specific_humidity", *here, since)),
        "wind": ("m s-1", at_stamp("wind_speed", *here, since)),
        "srad": ("W m-2", mean_after("shortwave_down", *here, since - 1.5)),
        "lrad": ("W m-2", mean_after("longwave_down", *here, since - 1.5)),
        "prec": (unit, rain * mean_after("precipitation", *here, since - 3.0)),
    }
    for label, one in fields.items():
        write(folder / label.capitalize() / f"{label}_CMFD_V0106_B-01_03hr_010deg_202006.nc", {label: one}, latitude,
              longitude, moments, names=("lat", "lon"), packed=packed)
    return folder


def expected_humidity(latitude: np.ndarray, longitude: np.ndarray, hours: np.ndarray) -> np.ndarray:
    """Specific humidity of ERA5's dew point and pressure [kg kg-1], ``(time, *place)``."""
    here = latitude, longitude, hours
    return humidity_from_vapour(saturation_pressure(at_stamp("dewpoint_temperature", *here)),
                                at_stamp("surface_pressure", *here))
