"""Files of a merge: the gridded result, the same as a table of observations, and how complete it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from pyland.observe import ObservationTable
from pyland.observe.merging import CommonGrid, Completeness, Merged
from pyland.observe.quantities import quantity_of
from pyland.output.atomic import complete_file
from pyland.output.attributes import CONVENTIONS, TIME_ATTRIBUTES


def write_merged(
    path: str | Path, merged: Merged, grid: CommonGrid, times: np.ndarray, names: Sequence[str], kind: str,
    interval: float, attributes: Mapping[str, Any],
) -> None:  # fmt: skip
    """Write a merged product; the file appears under its name only when it is complete.

    Parameters
    ----------
    path : str or Path
        netCDF file; an older one is replaced.
    merged : Merged
        Result of a method.
    grid : CommonGrid
        Its places.
    times : ndarray of datetime64, shape (time,)
        Middles of the intervals.
    names : sequence of str
        Products.
    kind : str
        Type of the observations.
    interval : float
        Width of the intervals [s].
    attributes : mapping
        Global attributes.
    """
    quantity = quantity_of(kind)
    with complete_file(path) as partial, netCDF4.Dataset(partial, "w", format="NETCDF4") as file:
        file.setncatts({"Conventions": CONVENTIONS, "observation_type": kind, **attributes})
        places = _write_places(file, grid)
        _write_times(file, times, interval)
        _write_names(file, "product", names)
        about = {"coordinates": "latitude longitude"} if grid.shape is None else {}
        write = _Writer(file, grid.shape, places, about)
        write(kind, ("time", *places), merged.value,
              {**quantity.attributes(), "long_name": f"merged {kind.replace('_', ' ')}", "cell_methods": "time: mean",
               "ancillary_variables": f"{kind}_sigma count"})
        write(f"{kind}_sigma", ("time", *places), merged.sigma,
              {"long_name": "standard deviation of the error of the merged value", "units": quantity.unit})
        write("weight", ("product", "time", *places), merged.weights, {
            "long_name": "share of a product in the merged value", "units": "1"}, "f4")
        write("count", ("time", *places), merged.count, {
            "long_name": "products in the merged value", "units": "1"}, "i1")
        write("flag", places, merged.flag, {
            "long_name": "what the method says of the place",
            "flag_values": np.arange(len(merged.flag_words), dtype="i1"),
            "flag_meanings": " ".join(merged.flag_words)}, "i1")
        shapes = {(len(names), grid.size): ("product", *places), (grid.size,): places,
                  (len(times), grid.size): ("time", *places),
                  (len(names), len(times), grid.size): ("product", "time", *places)}
        for name, values in merged.details.items():
            more = dict(merged.detail_attributes.get(name, {}))
            more["units"] = more.get("units") or quantity.unit
            kind_of = "i4" if np.asarray(values).dtype.kind in "iu" else "f8"
            write(name, shapes[np.shape(values)], values, more, kind_of)


def write_completeness(
    path: str | Path, found: Completeness, grid: CommonGrid, times: np.ndarray, interval: float,
    attributes: Mapping[str, Any],
) -> None:  # fmt: skip
    """Write how many values there are, of each product and of what was merged, at each time and at each place."""
    with complete_file(path) as partial, netCDF4.Dataset(partial, "w", format="NETCDF4") as file:
        file.setncatts({"Conventions": CONVENTIONS, **attributes})
        places = _write_places(file, grid)
        _write_times(file, times, interval)
        _write_names(file, "series", found.names)
        write = _Writer(file, grid.shape, places, {"coordinates": "latitude longitude"} if grid.shape is None else {})
        write("count_by_time", ("series", "time"), found.by_time, {
            "long_name": "places with a value", "units": "1", "coordinates": ""}, "i4")
        write("count_by_place", ("series", *places), found.by_place, {
            "long_name": "times with a value", "units": "1"}, "i4")
        write("count_together", places, found.together, {
            "long_name": "times at which all products have a value", "units": "1"}, "i4")
        write("share", ("series",), found.share, {
            "long_name": "share of all times and places with a value", "units": "1", "coordinates": ""})


def merged_table(
    merged: Merged, grid: CommonGrid, times: np.ndarray, kind: str, sensed: Mapping[str, float],
    provenance: Mapping[str, str],
) -> ObservationTable:  # fmt: skip
    """Return a merged product as a table: a row for each time and place with a value.

    Parameters
    ----------
    merged, grid, times, kind
        As in `write_merged`.
    sensed : mapping
        ``top``, ``bottom``, ``e_folding_depth`` and ``footprint`` of all rows [m].
    provenance : mapping
        What was done.
    """
    when, where = np.nonzero(np.isfinite(merged.value))
    return ObservationTable(
        "merged", kind, merged.value[when, where], np.asarray(times, "datetime64[s]")[when], grid.latitude[where],
        grid.longitude[where], merged.sigma[when, where], location=grid.location[where],
        extra={"products": merged.count[when, where].astype(float)}, extra_units={"products": "1"},
        provenance=dict(provenance), **sensed)


class _Writer:
    """Writes variables whose places may be rows and columns."""

    def __init__(
        self, file: netCDF4.Dataset, shape: tuple[int, int] | None, places: tuple[str, ...], about: Mapping[str, str]
    ) -> None:
        self._file, self._shape, self._places, self._about = file, shape, places, about

    def __call__(
        self, name: str, dims: tuple[str, ...], values: np.ndarray, attributes: Mapping[str, Any], kind: str = "f8"
    ) -> None:
        is_number = kind[0] == "f"
        variable = self._file.createVariable(
            name, kind, dims, fill_value=np.array(np.nan, kind) if is_number else None, compression="zlib", complevel=1)
        given = {**self._about, **attributes}
        variable.setncatts({name: one for name, one in given.items() if not (name == "coordinates" and one == "")})
        values = np.asarray(values)
        if self._shape is not None and dims[-len(self._places):] == self._places:
            values = values.reshape(*values.shape[:-1], *self._shape)
        if values.size:
            variable[...] = values


def _write_places(file: netCDF4.Dataset, grid: CommonGrid) -> tuple[str, ...]:
    """Write coordinates and return the dimensions of places."""
    columns = {"latitude": ("degrees_north", grid.latitude), "longitude": ("degrees_east", grid.longitude)}
    if grid.shape is None:
        file.createDimension("place", grid.size)
        for name, (unit, values) in columns.items():
            _coordinate(file, name, ("place",), unit, values)
        file.createVariable("location", "i8", ("place",))[:] = grid.location
        file["location"].long_name = "identity of the place"
        return ("place",)
    axes = (grid.latitude[::grid.shape[1]], grid.longitude[:grid.shape[1]])
    for (name, (unit, _)), values in zip(columns.items(), axes, strict=True):
        file.createDimension(name, values.size)
        if name == "longitude" and (np.diff(values) < 0).any():  # over the date line
            values = np.where(values < values[0], values + 360.0, values)
        _coordinate(file, name, (name,), unit, values)
    return ("latitude", "longitude")


def _coordinate(file: netCDF4.Dataset, name: str, dims: tuple[str, ...], unit: str, values: np.ndarray) -> None:
    variable = file.createVariable(name, "f8", dims)
    variable.setncatts({"standard_name": name, "units": unit})
    variable[:] = values


def _write_times(file: netCDF4.Dataset, times: np.ndarray, interval: float) -> None:
    file.createDimension("time", len(times))
    file.createDimension("bound", 2)
    middle = np.asarray(times, "datetime64[s]").astype(np.int64)
    half = int(interval) // 2
    file.createVariable("time", "i8", ("time",)).setncatts({**TIME_ATTRIBUTES, "bounds": "time_bounds"})
    file["time"][:] = middle
    file.createVariable("time_bounds", "i8", ("time", "bound"))[:] = np.stack(
        [middle - half, middle - half + int(interval)], axis=1)


def _write_names(file: netCDF4.Dataset, name: str, words: Sequence[str]) -> None:
    file.createDimension(name, len(words))
    variable = file.createVariable(name, str, (name,))
    variable.long_name = "name of the product"
    variable[:] = np.array(list(words), dtype=object)


__all__ = ["merged_table", "write_completeness", "write_merged"]
