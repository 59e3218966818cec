"""Series of points in netCDF files: ``(time)`` of one place, ``(time, place)`` or ``(place, time)`` of several."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.base.text import library_words


def open_points(path: Path) -> xr.Dataset:
    """Open a netCDF file with decoded times; the caller closes it.

    Raises
    ------
    InputError
        If it is none, or damaged.
    """
    try:
        return xr.open_dataset(path, engine="netcdf4", cache=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"{path}: cannot be opened as netCDF ({library_words(error)}); it may be truncated.") from None


def time_dimension(data: xr.Dataset, name: str, path: Path) -> str:
    """Return the dimension of a variable along which its time runs.

    Raises
    ------
    InputError
        If there is no such variable, or none of its dimensions has times.
    """
    if name not in data.variables:
        raise InputError(f"{path}: has no variable '{name}'; there are "
                         f"{', '.join(map(str, data.data_vars)) or 'none'}.")
    for dimension in data[name].dims:
        if dimension in data.variables and np.issubdtype(data[dimension].dtype, np.datetime64):
            return str(dimension)
    raise InputError(f"{path}: variable '{name}' has no time axis with units such as 'days since 2002-01-01' in the "
                     f"standard calendar; its dimensions are {', '.join(map(str, data[name].dims))}.")


def times_of(data: xr.Dataset, name: str, path: Path) -> np.ndarray:
    """Return the times of a variable, datetime64[s] (UTC), shape (time,).

    Raises
    ------
    InputError
        If one is missing.
    """
    stamps = data[time_dimension(data, name, path)].values
    if np.isnat(stamps).any():
        raise InputError(f"{path}: time {int(np.argmax(np.isnat(stamps)))} of '{name}' is missing.")
    return (stamps.astype("datetime64[ms]") + np.timedelta64(500, "ms")).astype("datetime64[s]")


def numbers_of(data: xr.Dataset, name: str, path: Path) -> tuple[np.ndarray, int]:
    """Return values of a variable with shape (time, place), NaN where missing, and the number of places.

    Raises
    ------
    InputError
        If it has more than one dimension beside time, or cannot be read.
    """
    time = time_dimension(data, name, path)
    variable = data[name]
    if variable.ndim > 2:
        raise InputError(f"{path}: variable '{name}' must be over (time) or (time, place), got "
                         f"({', '.join(map(str, variable.dims))}). Grids are read by 'mapped'.")
    try:
        values = np.asarray(variable.transpose(time, ...).values, float)
    except (OSError, RuntimeError, ValueError, TypeError) as error:
        raise InputError(f"{path}: variable '{name}' cannot be read ({library_words(error)}); the file may be "
                         "truncated.") from None
    values = values.reshape(values.shape[0], -1)
    return values, values.shape[1]


def number_of(data: xr.Dataset, names: Iterable[str], count: int, given: float | None) -> np.ndarray:
    """Return a number of each place (place,): that given, a variable, or a global attribute; NaN where unknown."""
    if given is not None:
        return np.full(count, float(given))
    for name in names:
        if name in data.variables and data[name].size in (1, count):
            return np.broadcast_to(np.asarray(data[name].values, float).ravel(), count)
        if name in data.attrs:
            return np.full(count, float(data.attrs[name]))
    return np.full(count, np.nan)


def place_names(data: xr.Dataset, variable: xr.DataArray, count: int, name: str) -> np.ndarray:
    """Return names of the places (place,): a text along their dimension, else ``name`` and a number."""
    if count == 1 and variable.ndim == 1:
        return np.array([name])
    for one in data.variables.values():
        if one.dims and one.dims[0] in variable.dims and one.shape[:1] == (count,) and one.dtype.kind in "OUS":
            return np.array([_text(word) for word in one.values.tolist()])
    return np.array([f"{name} {number}" for number in range(1, count + 1)])


def _text(word: object) -> str:
    return (word.decode() if isinstance(word, bytes) else str(word)).strip()
