"""Files of maps and series that were derived from the files of a run, on its cells, after the CF conventions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pyland.output.atomic import complete_file
from pyland.output.attributes import CONVENTIONS, TIME_ATTRIBUTES
from pyland.output.history import seconds

KEPT = ("source", "history", "pyland_version", "commit", "config_hash", "seed")
"""Global attributes that a derived file takes from that of the run."""

Field = tuple[tuple[str, ...], np.ndarray, Mapping[str, Any]]
"""Dimensions, values, attributes."""


def cell_dimensions(data: xr.Dataset) -> tuple[str, ...]:
    """Return the names of the dimensions of cells of a file of a run: y and x, or site."""
    return tuple(str(one) for one in data["latitude"].dims)


def cell_coordinates(data: xr.Dataset) -> dict[str, xr.DataArray]:
    """Return the coordinates of the cells of a file of a run."""
    dims, names = set(cell_dimensions(data)), ("latitude", "longitude", "x", "y", "site_name")
    return {name: data[name] for name in names if name in data.variables and set(data[name].dims) <= dims}


def kept_attributes(data: xr.Dataset) -> dict[str, Any]:
    """Return the global attributes that a file derived from that of a run takes over."""
    return {name: data.attrs[name] for name in KEPT if name in data.attrs}


def write_fields(
    path: str | Path,
    like: xr.Dataset,
    fields: Mapping[str, Field],
    *,
    title: str,
    bounds: tuple[np.ndarray, np.ndarray] | None = None,
    coordinates: Mapping[str, Field] | None = None,
) -> Path:
    """Write fields on the cells of a run.

    Parameters
    ----------
    path : str or Path
        netCDF file; it appears under its name only when it is complete.
    like : xarray.Dataset
        File of the run: cells and provenance are taken from it.
    fields : mapping of str to (dimensions, values, attributes)
        Variables; whole numbers keep their kind, others become float32.
    title : str
        Of the file.
    bounds : tuple of two numpy.ndarray of datetime64, shape (time,), optional
        Starts and ends of the intervals of dimension ``time``, which is stamped with the end.
    coordinates : mapping, optional
        Further coordinates, such as the scale of an index.

    Returns
    -------
    Path
    """
    variables: dict[str, Any] = {}
    encoding: dict[str, Any] = {}
    for name, (dims, values, attributes) in fields.items():
        array = np.asarray(values)
        kind = array.dtype if array.dtype.kind in "iu" else np.float32
        variables[name] = (dims, array.astype(kind), {**attributes, "coordinates": "latitude longitude"})
        encoding[name] = {"zlib": True, "complevel": 4, **({"_FillValue": np.float32(np.nan)}
                                                           if kind == np.float32 else {"_FillValue": None})}
    data = xr.Dataset(variables, attrs={"Conventions": CONVENTIONS, "title": title, **kept_attributes(like)})
    for name, one in cell_coordinates(like).items():
        data[name] = (one.dims, one.values, {key: value for key, value in one.attrs.items() if key != "coordinates"})
        encoding[name] = {"_FillValue": None}
    for name, (dims, values, attributes) in (coordinates or {}).items():
        data[name] = (dims, np.asarray(values), dict(attributes))
        encoding[name] = {"_FillValue": None}
    if bounds is not None:
        starts, ends = ([seconds(one) for one in side] for side in bounds)
        data["time"] = (("time",), np.asarray(ends, np.int64), {**TIME_ATTRIBUTES, "bounds": "time_bounds"})
        data["time_bounds"] = (("time", "bound"), np.stack([starts, ends], axis=1).astype(np.int64))
        encoding |= {name: {"_FillValue": None} for name in ("time", "time_bounds")}
    data = data.set_coords([name for name in ("latitude", "longitude", *(coordinates or {})) if name in data])
    with complete_file(path) as partial:
        data.to_netcdf(partial, engine="netcdf4", encoding=encoding)
    return Path(path)
