"""Maps and series as files: netCDF after the CF conventions, CSV and GeoTIFF, made in memory."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import netCDF4
import numpy as np

from pyland.base.errors import InputError, UnavailableError
from pyland.base.netcdf_access import NETCDF_ACCESS
from pyland.output.attributes import CONVENTIONS, TIME_ATTRIBUTES
from pyland.view.web_server.viewed_variables import ViewedVariable

if TYPE_CHECKING:
    from pyland.view.web_server.viewed_run import ViewedRun

MEDIA_TYPES = {"nc": "application/x-netcdf", "csv": "text/csv; charset=UTF-8", "tif": "image/tiff"}

_PROVENANCE = ("source", "pyland_version", "commit", "config_hash", "input_checksums", "comment", "stage", "seed",
               "compiler", "compiler_flags")


def download_map(
    run: ViewedRun, name: str, statistic: str, layer: int, index: int, kind: str
) -> tuple[bytes, str, str]:
    """Return a map as a file.

    Parameters
    ----------
    run : ViewedRun
        Run.
    name, statistic : str
        Variable and statistic.
    layer, index : int
        Layer and record.
    kind : {"nc", "csv", "tif"}
        Format. A GeoTIFF has north above. Its grid is that of the run where this has one in longitude and latitude
        (EPSG:4326) or in metres (``domain.type: grid``, sinusoidal around the middle of the domain); other grids are
        brought to even longitudes and latitudes of about their resolution, each point from the nearest cell.

    Returns
    -------
    content : bytes
    media_type : str
    file_name : str
    """
    entry = run.variable(name)
    values = run.map(name, statistic, layer, index)
    about = _about(run, entry, statistic, layer)
    stamp = ""
    if len(run.records.times):
        stamp = "_" + str(run.records.times[index].astype("datetime64[m]")).replace("-", "").replace(":", "")
    deep = "" if entry.layers is None else f"_{entry.axis}{layer + 1}"
    file_name = f"{run.id}_{name}_{statistic}{deep}{stamp}.{kind}"
    make = {"nc": _map_netcdf, "csv": _map_csv, "tif": _map_geotiff}[kind]
    return make(run, entry, statistic, values, about, index), MEDIA_TYPES[kind], file_name


def download_series(run: ViewedRun, name: str, layer: int, y: int, x: int, kind: str) -> tuple[bytes, str, str]:
    """Return the series of a cell as a file, ``csv`` or ``nc``; parameters and results as for `download_map`."""
    entry = run.variable(name)
    run.check_cell(y, x)
    found = run.series_values(entry, layer, y, x)
    place = run.grid.names[x] if run.grid.names else f"row{y}_column{x}"
    deep = "" if entry.layers is None else f"_{entry.axis}{layer + 1}"
    file_name = f"{run.id}_{name}{deep}_{place}.{kind}".replace(" ", "_")
    if kind == "csv":
        return _series_csv(run, entry, layer, y, x, found), MEDIA_TYPES["csv"], file_name
    return _series_netcdf(run, entry, layer, y, x, found), MEDIA_TYPES["nc"], file_name


# ---- netCDF --------------------------------------------------------------------------------------


def _map_netcdf(
    run: ViewedRun, entry: ViewedVariable, statistic: str, values: np.ndarray, about: dict[str, Any], index: int
) -> bytes:
    grid = run.grid
    sites = grid.kind == "sites"
    places = ("site",) if sites else ("y", "x")

    def fill(file: netCDF4.Dataset) -> None:
        for dimension, size in zip(places, grid.shape[-len(places):], strict=True):
            file.createDimension(dimension, size)
        _write_coordinates(file, run, places)
        times = ()
        if len(run.records.times):
            times = ("time",)
            _write_times(file, run.records.times[index : index + 1], run.records.time_starts[index : index + 1])
        variable = file.createVariable(_stored_name(entry, statistic), "f4", (*times, *places), compression="zlib",
                                       complevel=1, fill_value=np.float32("nan"))
        variable.setncatts({**about, "coordinates": "latitude longitude", **({"grid_mapping": "crs"} if
                            grid.projection["name"] == "sinusoidal" and not sites else {})})
        variable[...] = values.reshape(variable.shape)

    return _netcdf(run, fill)


def _series_netcdf(
    run: ViewedRun, entry: ViewedVariable, layer: int, y: int, x: int, found: dict[str, np.ndarray]
) -> bytes:
    def fill(file: netCDF4.Dataset) -> None:
        file.featureType = "timeSeries"
        file.createDimension("station", 1)
        for name, value, unit in (("latitude", run.grid.latitude[y, x], "degrees_north"),
                                  ("longitude", run.grid.longitude[y, x], "degrees_east")):
            made = file.createVariable(name, "f8", ("station",))
            made.setncatts({"standard_name": name, "long_name": name, "units": unit})
            made[:] = value
        label = file.createVariable("station_name", str, ("station",))
        label.setncatts({"long_name": "name of the place", "cf_role": "timeseries_id"})
        label[0] = run.grid.names[x] if run.grid.names else f"row {y}, column {x}"
        _write_times(file, run.records.times, run.records.time_starts)
        for statistic, values in found.items():
            variable = file.createVariable(
                _stored_name(entry, statistic),
                "f4",
                ("station", "time"),
                compression="zlib",
                fill_value=np.float32("nan"),
            )
            variable.setncatts(
                {**_about(run, entry, statistic, layer), "coordinates": "latitude longitude station_name"}
            )
            variable[0] = values

    return _netcdf(run, fill)


def _netcdf(run: ViewedRun, fill: Any) -> bytes:
    """Return the bytes of a netCDF file that ``fill`` writes into; the provenance of the run goes with it."""
    with tempfile.TemporaryDirectory(prefix="pyland_view_") as folder, NETCDF_ACCESS:
        path = Path(folder) / "part.nc"
        with netCDF4.Dataset(path, "w", format="NETCDF4") as file:
            known = run.records.attributes()
            file.setncatts({"Conventions": CONVENTIONS, "title": f"{run.title}: part of its output",
                            **{name: known[name] for name in _PROVENANCE if name in known}})
            fill(file)
        return path.read_bytes()


def _write_coordinates(file: netCDF4.Dataset, run: ViewedRun, places: tuple[str, ...]) -> None:
    """Write latitude and longitude, and x, y and the projection of a grid in metres."""
    grid = run.grid
    for name, values, unit in (
        ("latitude", grid.latitude, "degrees_north"),
        ("longitude", grid.longitude, "degrees_east"),
    ):
        made = file.createVariable(name, "f8", places)
        made.setncatts({"standard_name": name, "long_name": name, "units": unit})
        made[...] = values.reshape(made.shape)
    if grid.names:
        made = file.createVariable("site_name", str, ("site",))
        made.long_name = "name of the station"
        made[:] = np.array(grid.names, dtype=object)
    if grid.projection["name"] == "sinusoidal":
        for name, size in (("y", grid.shape[0]), ("x", grid.shape[1])):
            first, step = grid.projection[name]
            made = file.createVariable(name, "f8", (name,))
            made.setncatts({"standard_name": f"projection_{name}_coordinate", "long_name": f"{name} of the cell centre",
                            "units": "m", "axis": name.upper()})
            made[:] = first + step * np.arange(size)
        made = file.createVariable("crs", "i4")
        made.setncatts(
            {
                "grid_mapping_name": "sinusoidal",
                "longitude_of_projection_origin": grid.projection["longitude_0"],
                "false_easting": 0.0,
                "false_northing": _false_northing(grid.projection["latitude_0"]),
                "earth_radius": _radius(),
                "proj4": grid.projection["proj"],
            }
        )


def _write_times(file: netCDF4.Dataset, times: np.ndarray, starts: np.ndarray) -> None:
    file.createDimension("time", len(times))
    variable = file.createVariable("time", "i8", ("time",))
    variable.setncatts(TIME_ATTRIBUTES)
    variable[:] = times.astype("datetime64[s]").astype(np.int64)
    if len(starts) and not np.isnat(starts).any():
        file.createDimension("bound", 2)
        variable.bounds = "time_bounds"
        file.createVariable("time_bounds", "i8", ("time", "bound"))[:] = np.stack(
            [one.astype("datetime64[s]").astype(np.int64) for one in (starts, times)], axis=1)


def _stored_name(entry: ViewedVariable, statistic: str) -> str:
    return entry.id if statistic == "mean" else f"{entry.id}_{statistic}"


def _about(run: ViewedRun, entry: ViewedVariable, statistic: str, layer: int) -> dict[str, Any]:
    """Return attributes of a statistic: those of the file, or words for a derived one."""
    if statistic in entry.stored:
        kept = run.records.attributes(entry.stored[statistic])
        about = {
            name: value for name, value in kept.items() if name not in ("_FillValue", "coordinates", "grid_mapping")
        }
    else:
        what = {"anomaly": "anomaly of ", "percentile": "percentile of ", "increment": "analysis increment of "}.get(
            statistic, f"quantile {statistic[1:]} % (normal, from mean and standard deviation) of ")
        note = run.statistics.note(statistic)
        about = {"long_name": what + entry.label["en"], "units": "%" if statistic == "percentile" else entry.units,
                 **({} if note is None else {"comment": f"against {note}"})}
    if entry.layers is not None and "top" in entry.layers[layer]:
        deep = entry.layers[layer]
        about["layer_top_m"], about["layer_bottom_m"] = deep["top"], deep["bottom"]
    return about


# ---- CSV -----------------------------------------------------------------------------------------


def _map_csv(
    run: ViewedRun, entry: ViewedVariable, statistic: str, values: np.ndarray, about: dict[str, Any], index: int
) -> bytes:
    """Return rows of latitude, longitude and value of modelled cells, after lines that begin with #."""
    grid, text = run.grid, io.StringIO()
    for line in _csv_head(run, about, index):
        text.write(f"# {line}\n")
    known = np.isfinite(values)
    columns = [grid.latitude[known], grid.longitude[known], values[known]]
    names = ["latitude", "longitude", f"{_stored_name(entry, statistic)} [{about['units']}]"]
    writer = csv.writer(text, lineterminator="\n")
    if grid.names:
        writer.writerow(["site", *names])
        sites = np.array(grid.names)[known[0]]
        writer.writerows(
            [site, f"{a:.6f}", f"{b:.6f}", f"{c:.7g}"] for site, a, b, c in zip(sites, *columns, strict=True)
        )
    else:
        writer.writerow(names)
        writer.writerows((f"{a:.6f}", f"{b:.6f}", f"{c:.7g}") for a, b, c in zip(*columns, strict=True))
    return text.getvalue().encode()


def _series_csv(
    run: ViewedRun, entry: ViewedVariable, layer: int, y: int, x: int, found: dict[str, np.ndarray]
) -> bytes:
    text = io.StringIO()
    about = _about(run, entry, "mean", layer)
    text.write(f"# {run.title}: {about.get('long_name', entry.id)} [{entry.units}]\n"
               f"# latitude {run.grid.latitude[y, x]:.6f}, longitude {run.grid.longitude[y, x]:.6f}\n"
               "# time_start and time_end: interval of the record, UTC\n")
    if entry.normal:
        text.write(f"# {', '.join(entry.normal)}: normal, from mean and standard deviation\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["time_start", "time_end", *found])
    starts, ends = ([("" if np.isnat(one) else f"{one}Z") for one in times.astype("datetime64[s]")]
                    for times in (run.records.time_starts, run.records.times))
    numbers = [[f"{value:.7g}" if np.isfinite(value) else "" for value in values] for values in found.values()]
    writer.writerows(zip(starts, ends, *numbers, strict=True))
    return text.getvalue().encode()


def _csv_head(run: ViewedRun, about: dict[str, Any], index: int) -> list[str]:
    lines = [f"{run.title}: {about.get('long_name', '')} [{about['units']}]"]
    if "comment" in about:
        lines.append(str(about["comment"]))
    if "layer_top_m" in about:
        lines.append(f"layer from {about['layer_top_m']:g} m to {about['layer_bottom_m']:g} m")
    if len(run.records.times):
        lines.append(f"from {run.records.time_starts[index]}Z to {run.records.times[index]}Z")
    known = run.records.attributes()
    lines += [f"{name}: {known[name]}" for name in ("source", "commit", "config_hash") if name in known]
    return lines


# ---- GeoTIFF -------------------------------------------------------------------------------------


def _map_geotiff(
    run: ViewedRun, entry: ViewedVariable, statistic: str, values: np.ndarray, about: dict[str, Any], index: int
) -> bytes:
    try:
        import rasterio
        from rasterio.io import MemoryFile
        from rasterio.transform import Affine
    except ImportError:
        raise UnavailableError("a GeoTIFF needs rasterio; install it with: pip install 'pyland[view]'") from None
    grid = run.grid
    if grid.kind == "sites":
        raise InputError(f"{run.title}: sites make no GeoTIFF; take csv or nc.")
    tags = {"units": str(about["units"]), "long_name": str(about.get("long_name", "")),
            "source": str(run.records.attributes().get("source", "")), "run": run.title}
    if len(run.records.times):
        tags["time_start"], tags["time_end"] = (
            f"{one[index]}Z" for one in (run.records.time_starts, run.records.times)
        )
    if grid.projection["name"] is None:
        values, west, north, step = _on_even_degrees(run, values)
        system, transform = "EPSG:4326", Affine(step, 0.0, west, 0.0, -step, north)
        tags["resampling"] = "nearest cell centre, from a curvilinear grid"
    else:
        (x, step_x), (y, step_y) = (grid.projection[name] for name in ("x", "y"))
        if step_y > 0.0:
            values, y = values[::-1], y + step_y * (values.shape[0] - 1)
        transform = Affine(step_x, 0.0, x - 0.5 * step_x, 0.0, -abs(step_y), y + 0.5 * abs(step_y))
        system = "EPSG:4326" if grid.projection["epsg"] else rasterio.crs.CRS.from_proj4(grid.projection["proj"])
    with MemoryFile() as memory:
        with memory.open(driver="GTiff", height=values.shape[0], width=values.shape[1], count=1, dtype="float32",
                         crs=system, transform=transform, nodata=np.nan, compress="deflate") as raster:
            raster.write(np.ascontiguousarray(values, np.float32), 1)
            raster.update_tags(**tags)
            raster.set_band_description(1, f"{_stored_name(entry, statistic)} [{about['units']}]")
        return memory.read()


def _on_even_degrees(run: ViewedRun, values: np.ndarray) -> tuple[np.ndarray, float, float, float]:
    """Return a map on even longitudes and latitudes from north to south, its west and north edge, and its step.

    The step is the typical size of a cell in degrees of latitude; each point takes the nearest cell whose centre is at
    most one cell away.
    """
    west, south, east, north = run.grid.bounds
    step = float(np.degrees(run.grid.cell_size() / _radius()))
    latitude = north - step * (np.arange(max(int(np.ceil((north - south) / step)), 1)) + 0.5)
    longitude = west + step * (np.arange(max(int(np.ceil((east - west) / step)), 1)) + 0.5)
    cell, distance = run.grid.nearest(*np.meshgrid(latitude, longitude, indexing="ij"))
    return np.where(distance <= run.grid.cell_size(), values.ravel()[cell], np.float32("nan")), west, north, step


def _radius() -> float:
    from pyland.domain.grid import EARTH_RADIUS

    return EARTH_RADIUS


def _false_northing(latitude: float) -> float:
    return -_radius() * float(np.radians(latitude))
