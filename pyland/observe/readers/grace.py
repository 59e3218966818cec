"""Anomalies of the water stored on land, from GRACE and GRACE-FO: gridded netCDF of mascons and harmonics.

The files have one estimate of a mascon (3 degrees, JPL) in each of its half-degree cells. By default the cells of a
mascon become one row: 36 copies of one number would weigh as 36 observations. Scale factors, which spread a mascon over
its cells by a land model, are applied only if asked for; then each cell is a row.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.base.logging import get_logger
from pyland.base.observation_reasons import BAD_ERROR, USED
from pyland.base.text import library_words
from pyland.observe.observation_table import ObservationTable
from pyland.observe.readers.point_netcdf import open_points
from pyland.observe.readers.point_table import in_unit, joined_rows, range_flags
from pyland.observe.readers.selection import Selection

FOOTPRINT = 300.0e3
"""Diameter of what the satellites resolve [m]: mascons of 3 degrees, Watkins et al. (2015), J. Geophys. Res.
Solid Earth 120, 2648-2671, doi:10.1002/2014JB011547."""

_FILL = -99999.0
_LATITUDES, _LONGITUDES = ("lat", "latitude"), ("lon", "longitude")


class _Grid(NamedTuple):
    """The chosen part of a file."""

    rows: np.ndarray
    columns: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    months: np.ndarray


def read_grace(
    paths: list[Path], *, period: object = None, bounds: object = None, rows: str = "auto", scale: bool = False,
    land_threshold: float = 0.5, mask: Path | str | None = None, footprint: float = FOOTPRINT,
    variable: str = "lwe_thickness", sigma: float | None = None,
) -> ObservationTable:
    """Read anomalies of water storage.

    Parameters
    ----------
    paths : list of Path
        NetCDF files with ``lwe_thickness`` over ``(time, lat, lon)``; where they are, ``uncertainty``,
        ``scale_factor``, ``land_mask``, ``mascon_ID`` and ``time_bounds`` are used.
    period, bounds : optional
        See `pyland.observe.readers.read_product`; a month belongs to the period if its middle does.
    rows : {"auto", "mascon", "cell"}
        What becomes a row; ``auto``: the mascons if the file names them and no scale factors are applied.
    scale : bool
        Multiply by ``scale_factor``, anomaly and error alike.
    land_threshold : float
        Cells with a ``land_mask`` below this are left out, and counted [1].
    mask : Path or str, optional
        File with ``land_mask``, where it is published beside the product.
    footprint : float
        Diameter of the seen area [m].
    variable : str
        Name of the anomalies.
    sigma : float, optional
        Standard deviation of the error where the file has no ``uncertainty`` [kg m-2].

    Returns
    -------
    ObservationTable
        Type ``tws`` [kg m-2]; the time is the middle of the month's solution, extra ``averaging_days`` [d] its length.

    Raises
    ------
    InputError
        If a variable or unit is missing, or nothing is on land.
    """
    if rows not in ("auto", "mascon", "cell"):
        raise InputError(f"grace: rows must be auto, mascon or cell, got '{rows}'.")
    if scale and rows == "mascon":
        raise InputError("grace: scale factors differ between the cells of a mascon; rows must be cell with scale.")
    chosen, parts, left_out = Selection.of(period, bounds), [], {"not_land": 0, "outside_bounds_or_period": 0}
    for path in paths:
        with open_points(path) as opened:
            data = _with_units(opened, path)
            parts.append(_read(data, path, chosen, rows, scale, land_threshold, mask, variable, left_out))
    table = joined_rows(parts, None, None, left_out, sigma)
    table.footprint = np.full(table.size, float(footprint))
    return table


def _read(data: xr.Dataset, path: Path, chosen: Selection, rows: str, scale: bool, threshold: float,
          mask: Path | str | None, variable: str, left_out: dict[str, int]) -> ObservationTable:
    """Return the rows of one file."""
    if variable not in data.variables:
        raise InputError(f"{path}: has no variable '{variable}'; there are {', '.join(map(str, data.data_vars))}.")
    middle, days = _months(data, path)
    grid = _chosen(data, path, chosen, middle)
    names = (_name(data, _LATITUDES, path), _name(data, _LONGITUDES, path))
    unit = str(data[variable].attrs.get("units", "")) or None
    values = in_unit(_part(data, variable, names, grid, path), unit, "tws", f"{path}: variable '{variable}'")
    errors = np.full(values.shape, np.nan)
    if "uncertainty" in data.variables:
        unit = str(data["uncertainty"].attrs.get("units", "")) or unit
        errors = in_unit(_part(data, "uncertainty", names, grid, path), unit, "tws", f"{path}: variable 'uncertainty'")
    land = _land(data, names, grid, path, mask) >= threshold
    left_out["not_land"] += int((~land).sum()) * grid.months.size
    left_out["outside_bounds_or_period"] += int(data[variable].size) - values.size
    if not land.any():
        raise InputError(f"{path}: no cell within the bounds is land (land_mask at or above {threshold:g}).")
    if scale:
        if "scale_factor" not in data.variables:
            raise InputError(f"{path}: has no scale_factor; leave scale out, or take the file that has them.")
        factor = _part(data, "scale_factor", names, grid, path)[0]
        values, errors = values * factor, errors * np.abs(factor)
    by_mascon = rows == "mascon" or (rows == "auto" and not scale and "mascon_ID" in data.variables)
    latitude, longitude = (one.ravel() for one in np.meshgrid(grid.latitude, grid.longitude, indexing="ij"))
    kept = np.flatnonzero(land.ravel())
    values, errors = (one.reshape(grid.months.size, -1)[:, kept] for one in (values, errors))
    latitude, longitude = latitude[kept], longitude[kept]
    if by_mascon:
        if "mascon_ID" not in data.variables:
            raise InputError(f"{path}: has no mascon_ID; rows must be cell.")
        number = _part(data, "mascon_ID", names, grid, path)[0].ravel()[kept].astype(np.int64)
        values, errors, latitude, longitude, number = _mascons(values, errors, latitude, longitude, number)
    else:
        number = (grid.rows[:, None] * data.sizes[names[1]] + grid.columns).ravel()[kept]
    return _table(data, path, (values, errors), (latitude, longitude, number), (middle[grid.months], days[grid.months]))


def _mascons(values: np.ndarray, errors: np.ndarray, latitude: np.ndarray, longitude: np.ndarray, number: np.ndarray,
             ) -> tuple[np.ndarray, ...]:
    """Return means over the cells of each mascon (month, mascon), by area, their centres and numbers.

    The error is the mean of those of the cells, not smaller: they are copies of one error.
    """
    numbers, which = np.unique(number, return_inverse=True)
    area = np.cos(np.radians(latitude))
    total = np.bincount(which, area, numbers.size)
    start = np.full(numbers.size, -1)
    start[which[::-1]] = np.arange(which.size)[::-1]  # the first cell of each, to unwrap longitudes around it
    away = (longitude - longitude[start][which] + 180.0) % 360.0 - 180.0

    def mean(cells: np.ndarray) -> np.ndarray:
        known = np.isfinite(cells)
        weight = np.array([np.bincount(which, area * one, numbers.size) for one in known])
        amount = np.array([np.bincount(which, area * np.where(ok, one, 0.0), numbers.size)
                           for one, ok in zip(cells, known, strict=True)])
        return np.where(weight > 0.0, amount / np.where(weight > 0.0, weight, 1.0), np.nan)

    return (mean(values), mean(errors), np.bincount(which, area * latitude, numbers.size) / total,
            longitude[start] + np.bincount(which, area * away, numbers.size) / total, numbers)


def _table(data: xr.Dataset, path: Path, both: tuple[np.ndarray, np.ndarray],
           places: tuple[np.ndarray, np.ndarray, np.ndarray], times: tuple[np.ndarray, np.ndarray],
           ) -> ObservationTable:
    (values, errors), (latitude, longitude, number), (middle, days) = both, places, times
    months, count = values.shape
    flags = range_flags(values.ravel(), "tws", f"{path}: anomalies of water storage")
    known = np.isfinite(errors.ravel())
    flags[(flags == USED) & known & (np.where(known, errors.ravel(), 1.0) <= 0.0)] = BAD_ERROR
    about = {"anomaly_of": str(data.attrs.get("time_mean_removed", data.attrs.get("title", "not stated")))}
    if "product_version" in data.attrs:
        about["product_version"] = str(data.attrs["product_version"])
    return ObservationTable(
        "GRACE", "tws", values.ravel(), np.repeat(middle, count), np.tile(latitude, months),
        np.tile(longitude, months), sigma=errors.ravel(), flag=flags, location=np.tile(number, months),
        extra={"averaging_days": np.repeat(days, count)}, extra_units={"averaging_days": "d"}, provenance=about)


def _with_units(data: xr.Dataset, path: Path) -> xr.Dataset:
    """Return a dataset whose units are in ``units``: those of CSR write ``Units``, also of the time."""
    for one in data.variables.values():
        if "Units" in one.attrs and "units" not in one.attrs and not np.issubdtype(one.dtype, np.datetime64):
            one.attrs["units"] = one.attrs["Units"]
    if "time" in data.variables and "since" in str(data["time"].attrs.get("units", "")):
        try:
            return xr.decode_cf(data)
        except (ValueError, OverflowError) as error:
            raise InputError(f"{path}: the time axis cannot be read ({error}).") from None
    return data


def _months(data: xr.Dataset, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the middle, datetime64[s], and the length [d] of each month's solution; NaN where not said."""
    if "time" not in data.variables or not np.issubdtype(data["time"].dtype, np.datetime64):
        raise InputError(f"{path}: has no time axis 'time' with units such as 'days since 2002-01-01'.")
    stamps = data["time"].values.astype("datetime64[s]")
    name = data["time"].attrs.get("bounds", data["time"].encoding.get("bounds", "time_bounds"))
    if name not in data.variables:
        return stamps, np.full(stamps.size, np.nan)
    edges = data[name]
    if not np.issubdtype(edges.dtype, np.datetime64):  # bounds that do not repeat the units of the time
        units = {"units": data["time"].encoding["units"], "calendar": data["time"].encoding.get("calendar", "standard")}
        edges = xr.decode_cf(xr.Dataset({"edges": (edges.dims, edges.values, units)}))["edges"]
    first, last = edges.values.astype("datetime64[s]").T
    length = (last - first).astype(np.int64)
    if (length <= 0).any():
        raise InputError(f"{path}: '{name}' ends before it starts at {stamps[int(np.argmax(length <= 0))]}.")
    return first + (last - first) // 2, length / 86400.0


def _chosen(data: xr.Dataset, path: Path, chosen: Selection, middle: np.ndarray) -> _Grid:
    """Return the part of the grid in the box, and the months in the period."""
    latitude, longitude = (data[_name(data, names, path)].values.astype(float) for names in (_LATITUDES, _LONGITUDES))
    rows, columns = (np.flatnonzero(one) for one in (chosen.in_latitudes(latitude), chosen.in_longitudes(longitude)))
    months = np.flatnonzero(chosen.in_period(middle))
    if not (rows.size and columns.size and months.size):
        raise InputError(f"{path}: nothing lies within period and bounds; the file has {middle[0]} to {middle[-1]}, "
                         f"latitudes {latitude.min():g} to {latitude.max():g}, longitudes {longitude.min():g} to "
                         f"{longitude.max():g}.")
    return _Grid(rows, columns, latitude[rows], longitude[columns], months)


def _part(data: xr.Dataset, name: str, names: tuple[str, str], grid: _Grid, path: Path) -> np.ndarray:
    """Return the chosen part of a variable (month or 1, row, column), NaN where missing."""
    variable = data[name]
    if not set(names) <= set(variable.dims):
        raise InputError(f"{path}: variable '{name}' must be over latitude and longitude, got "
                         f"({', '.join(map(str, variable.dims))}).")
    where = {names[0]: grid.rows, names[1]: grid.columns}
    if "time" in variable.dims:
        where["time"] = grid.months
    try:
        values = np.asarray(variable.isel(where).transpose(..., *names).values, float)
    except (OSError, RuntimeError) as error:
        raise InputError(f"{path}: variable '{name}' cannot be read ({library_words(error)}); the file may be "
                         "truncated.") from None
    values = np.where(values <= _FILL, np.nan, values)  # also where the attribute _FillValue is lacking
    return values if values.ndim == 3 else values[None]


def _land(data: xr.Dataset, names: tuple[str, str], grid: _Grid, path: Path, mask: Path | str | None) -> np.ndarray:
    """Return the share of land (row, column); 1 where no mask is known."""
    if mask is not None:
        with open_points(Path(mask)) as other:
            if "land_mask" not in other.variables:
                raise InputError(f"{mask}: has no variable 'land_mask'.")
            same = [name in other.variables and np.array_equal(other[name].values, data[name].values) for name in names]
            if not all(same):
                raise InputError(f"{mask}: is not on the grid of {path}.")
            return _part(other, "land_mask", names, grid, Path(mask))[0]
    if "land_mask" in data.variables:
        return _part(data, "land_mask", names, grid, path)[0]
    get_logger("observe").warning("%s: has no land_mask, and all its cells are taken as land; name a file that has one "
                                  "(option mask), or leave the sea out by bounds.", path)
    return np.ones((grid.rows.size, grid.columns.size))


def _name(data: xr.Dataset, names: tuple[str, ...], path: Path) -> str:
    for name in names:
        if name in data.variables and data[name].ndim == 1:
            return name
    raise InputError(f"{path}: has no coordinate {' or '.join(names)} of one dimension.")
