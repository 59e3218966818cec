"""Run directories, stations and a cycle for the web map, written by hand: every value is known from its place."""

from __future__ import annotations

import json
from pathlib import Path

import netCDF4
import numpy as np

NY, NX, RECORDS = 8, 10, 6
LAYERS = ((0.0, 0.05), (0.05, 0.2))
START = np.datetime64("2020-05-01T00:00:00")
SEA = (slice(0, 2), slice(0, 3))
"""Cells without land: the first three of the first two rows."""

OPEN_LOOP_SHIFT = -0.02
SPREAD = 0.01
OBSERVED_ROW, OBSERVED_COLUMN = 5, 6
PRECIPITATION, EVAPOTRANSPIRATION, RUNOFF = 5.0, 3.0, 1.5


def latitude() -> np.ndarray:
    """Return latitudes of the cells, (y, x) [degrees]; rows are tilted, as those of a rotated grid."""
    row, column = np.mgrid[0:NY, 0:NX]
    return 50.0 + 0.1 * row + 0.004 * column


def longitude() -> np.ndarray:
    """Return longitudes of the cells, (y, x) [degrees]."""
    row, column = np.mgrid[0:NY, 0:NX]
    return 6.0 + 0.15 * column - 0.004 * row


def soil_water(shift: float = 0.0) -> np.ndarray:
    """Return the water of the soil, (time, layer, y, x) [m3 m-3]."""
    time, layer, row, column = np.mgrid[0:RECORDS, 0:2, 0:NY, 0:NX]
    values = 0.1 + 0.01 * column + 0.02 * row + 0.005 * time + 0.1 * layer + shift
    values[(slice(None), slice(None), *SEA)] = np.nan
    return values


def write_run(folder: Path) -> Path:
    """Write history, open loop, analyses and balance of a run; return its directory."""
    folder.mkdir(parents=True)
    (folder / "open_loop").mkdir()
    _write_history(folder / "history.nc", 0.0)
    _write_history(folder / "open_loop" / "history.nc", OPEN_LOOP_SHIFT)
    _write_analyses(folder / "analysis.nc")
    with _file(folder / "balance.nc") as out:
        _coordinates(out)
        terms = {"precipitation": PRECIPITATION, "evapotranspiration": EVAPOTRANSPIRATION, "surface_runoff": RUNOFF,
                 "subsurface_runoff": 0.0, "storage_change": 0.5, "analysis_increment": 0.0, "water_residual": 0.0}
        for name, value in terms.items():
            values = np.full((RECORDS, NY, NX), value)
            values[(slice(None), *SEA)] = np.nan
            _variable(out, name, ("time", "y", "x"), values, units="kg m-2", long_name=name.replace("_", " "))
    return folder


def write_stations(folder: Path) -> Path:
    """Write a run of two sites."""
    folder.mkdir(parents=True)
    with _file(folder / "history.nc") as out:
        _time(out)
        out.createDimension("site", 2)
        _variable(out, "latitude", ("site",), [48.0, 48.4], units="degrees_north", standard_name="latitude")
        _variable(out, "longitude", ("site",), [9.0, 9.7], units="degrees_east", standard_name="longitude")
        names = out.createVariable("site_name", str, ("site",))
        names[:] = np.array(["meadow", "forest"], object)
        values = np.array([100.0, 40.0]) + 10.0 * np.arange(RECORDS)[:, None]
        _variable(out, "latent_heat_flux", ("time", "site"), values, units="W m-2", long_name="latent heat flux",
                  coordinates="latitude longitude site_name")
        _variable(out, "latent_heat_flux_std", ("time", "site"), 0.0 * values + 5.0, units="W m-2", long_name="spread")
    return folder


def write_cycle(folder: Path) -> Path:
    """Write a cycle with two products, an alarm and a board of its inputs."""
    for stamp, shift in (("20200501T0000", 0.0), ("20200502T0000", 0.05)):
        product = folder / "products" / stamp
        product.mkdir(parents=True)
        _write_history(product / "forecast.nc", shift)
        alarm = {"name": "dry soil", "variable": "soil_water", "status": "raised", "since": "2020-05-01T00:00:00",
                 "area": 4.0e8, "worst": {"probability": 0.75}, "drought_class": "D2",
                 "text": {"en": "Soil is dry.", "de": "Der Boden ist trocken.", "zh": "土壤干燥。"}}
        (product / "alarms.json").write_text(json.dumps({"reference_time": stamp, "alarms": [alarm]}))
    row = {"kind": "weather", "arrived": "2020-05-02T03:00:00", "interval": 86400.0, "patience": 43200.0, "files": 2}
    board = {"time": "2020-05-02T06:00:00", "status": "late", "inputs": [
        {**row, "name": "weather", "stream": "early", "newest_valid": "2020-05-02T00:00:00", "age": 21600.0,
         "expected_latency": 43200.0, "usual_latency": 10800.0, "status": "ok"},
        {**row, "name": "satellite", "stream": "final", "newest_valid": None, "age": None, "expected_latency": 86400.0,
         "usual_latency": None, "status": "missing"}]}
    (folder / "latency.json").write_text(json.dumps(board))
    status = {"now": "2020-05-02T06:00:00", "stopped": "waiting for weather", "cycles": 2, "products": 2}
    (folder / "status.json").write_text(json.dumps(status))
    return folder


def _file(path: Path) -> netCDF4.Dataset:
    out = netCDF4.Dataset(path, "w")
    out.setncatts({"Conventions": "CF-1.11", "title": "values of places"})
    return out


def _variable(
    out: netCDF4.Dataset, name: str, dimensions: tuple[str, ...], values, kind: str = "f4", **attributes
) -> None:
    kind = "f8" if name in ("latitude", "longitude", "layer", "layer_bounds") else kind
    made = out.createVariable(name, kind, dimensions)
    made.setncatts(attributes)
    made[:] = values


def _time(out: netCDF4.Dataset) -> None:
    out.createDimension("time", RECORDS)
    out.createDimension("bound", 2)
    days = np.arange(RECORDS) * 86400
    seconds = days + int(START.astype("datetime64[s]").astype(int))
    units = {"units": "seconds since 1970-01-01", "calendar": "proleptic_gregorian"}
    _variable(out, "time", ("time",), seconds + 86400, "i8", standard_name="time", bounds="time_bounds", **units)
    _variable(out, "time_bounds", ("time", "bound"), np.stack([seconds, seconds + 86400], 1), "i8", **units)


def _coordinates(out: netCDF4.Dataset, names: tuple[str, str] = ("latitude", "longitude")) -> None:
    _time(out)
    _plane(out, names)


def _plane(out: netCDF4.Dataset, names: tuple[str, str]) -> None:
    out.createDimension("y", NY)
    out.createDimension("x", NX)
    out.createDimension("layer", 2)
    if "bound" not in out.dimensions:
        out.createDimension("bound", 2)
    _variable(out, "layer", ("layer",), np.mean(LAYERS, 1), units="m", positive="down", bounds="layer_bounds")
    _variable(out, "layer_bounds", ("layer", "bound"), LAYERS)
    for name, values, units in ((names[0], latitude(), "degrees_north"), (names[1], longitude(), "degrees_east")):
        values[SEA] = np.nan  # as pyland writes cells that are not modelled
        _variable(out, name, ("y", "x"), values, "f8", units=units)


def _write_history(path: Path, shift: float) -> None:
    with _file(path) as out:
        _coordinates(out)
        about = {"units": "m3 m-3", "coordinates": "latitude longitude"}
        water = soil_water(shift)
        _variable(out, "soil_water", ("time", "layer", "y", "x"), water, long_name="soil water", **about)
        _variable(out, "soil_water_std", ("time", "layer", "y", "x"), 0.0 * water + SPREAD, long_name="spread", **about)
        flux = 1000.0 * water[:, 0]
        _variable(out, "latent_heat_flux", ("time", "y", "x"), flux, long_name="latent heat flux", units="W m-2")


def _write_analyses(path: Path) -> None:
    """Write two observations of one cell, of which the second was not used, and increments of 0.01 per record."""
    with _file(path) as out:
        _plane(out, ("grid_latitude", "grid_longitude"))
        out.createDimension("observation", 2)
        out.createDimension("analysis", 2)
        first = int((START + np.timedelta64(1, "D")).astype("datetime64[s]").astype(int))
        moments = np.array([first, first + 86400])
        units = {"units": "seconds since 1970-01-01 00:00:00", "calendar": "proleptic_gregorian"}
        _variable(out, "observation_time", ("observation",), moments, "i8", **units)
        _variable(out, "analysis_time", ("analysis",), moments, "i8", **units)
        place = {"latitude": latitude(), "longitude": longitude()}
        for name, values in place.items():
            _variable(out, name, ("observation",), np.full(2, values[OBSERVED_ROW, OBSERVED_COLUMN]))
        values = {"depth_top": [0.0, 0.0], "depth_bottom": [0.05, 0.05], "value": [0.3, 0.9], "error": [0.04, 0.04]}
        names = ("prior_mean", "prior_spread", "posterior_mean", "posterior_spread", "innovation", "residual")
        for name in (*values, *names):
            _variable(out, name, ("observation",), values.get(name, [0.3, 0.3]), "f8", units="m3 m-3")
        stream = {"flag_values": np.int32(0), "flag_meanings": "satellite", "stream_types": "soil_moisture",
                  "stream_units": "m3 m-3"}
        _variable(out, "stream", ("observation",), [0, 0], "i4", **stream)
        used = {"flag_values": np.array([0, 1], "i1"), "flag_meanings": "rejected used"}
        _variable(out, "used", ("observation",), [1, 0], "i1", **used)
        why = {"flag_values": np.array([0, 1], "i1"), "flag_meanings": "used innovation_too_large"}
        _variable(out, "rejection", ("observation",), [0, 1], "i1", **why)
        increment = np.where(np.isnan(soil_water()[:2]), np.nan, 0.01)
        _variable(out, "soil_water_increment", ("analysis", "layer", "y", "x"), increment, units="m3 m-3")
