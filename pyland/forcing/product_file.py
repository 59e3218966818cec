"""One netCDF file of a gridded product: what it holds, and rows of it.

The netCDF library is entered under `pyland.base.netcdf_access.NETCDF_ACCESS`: files are read in a thread while the main
one may write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numpy as np

from pyland.base.errors import InputError
from pyland.base.netcdf_access import NETCDF_ACCESS
from pyland.forcing.netcdf_input import LATITUDE_NAMES, LONGITUDE_NAMES

TIME_NAMES = ("time", "valid_time", "Time")
VERSION_DIMENSION = "expver"  # of old downloads: final ERA5 and the preliminary ERA5T side by side
_SECONDS = {"second": 1, "sec": 1, "s": 1, "minute": 60, "min": 60, "hour": 3600, "hr": 3600, "h": 3600, "day": 86400,
            "d": 86400}  # fmt: skip
_SINCE = re.compile(r"^\s*([A-Za-z]+?)s?\s+since\b")


@dataclass(frozen=True)
class FileVariable:
    """A variable of a file: its unit (None without one) and step of packing in that unit (0 if not packed)."""

    unit: str | None
    packing_step: float


@dataclass(frozen=True)
class ProductFile:
    """What a file holds.

    Attributes
    ----------
    path : Path
        The file.
    stamps : numpy.ndarray of int
        Time stamps, seconds since 1970-01-01, ``(time,)``; empty for a file without time.
    variables : mapping of str to FileVariable
        Variables over rows and columns, by their name in the file.
    latitude, longitude : numpy.ndarray
        Coordinates [degrees], axes or fields.
    """

    path: Path
    stamps: np.ndarray
    variables: Mapping[str, FileVariable]
    latitude: np.ndarray
    longitude: np.ndarray


def scan_file(path: Path, names: frozenset[str]) -> ProductFile | None:
    """Read what a file holds, without its fields.

    Parameters
    ----------
    path : Path
        The file.
    names : frozenset of str
        Names of variables that matter.

    Returns
    -------
    ProductFile or None
        None if the file has none of the variables.

    Raises
    ------
    InputError
        If the file cannot be read, or lacks coordinates, a time axis or rows and columns.
    """
    with _opened(path) as file:
        found = [name for name in file.variables if name in names]
        if not found:
            return None
        coordinates, order = {}, []
        for what, candidates in (("latitude", (*LATITUDE_NAMES, "RLAT")), ("longitude", (*LONGITUDE_NAMES, "RLON"))):
            name = next((one for one in candidates if one in file.variables), None)
            if name is None:
                raise InputError(f"{path}: has no {what} ({', '.join(candidates)})")
            values = _plain(file[name][...])
            order += list(file[name].dimensions[-2:] if values.ndim > 1 else file[name].dimensions)
            coordinates[what] = values.reshape(values.shape[-2:]) if values.ndim > 2 else values
        time = next((one for one in TIME_NAMES if one in file.variables), None)
        has_time = time is not None and any(time in file[name].dimensions or file[time].ndim == 0 for name in found)
        stamps = _stamps(file[time], path) if has_time else np.zeros(0, dtype=np.int64)
        variables = {}
        for name in found:
            variable = file[name]
            _check_dimensions(variable, tuple(dict.fromkeys(order)), path)
            packed = variable.dtype.kind in "iu"
            variables[name] = FileVariable(
                getattr(variable, "units", None), float(getattr(variable, "scale_factor", 1.0)) if packed else 0.0)
        return ProductFile(path, stamps, variables, **coordinates)


def read_rows(
    path: Path, name: str, first: int, last: int, rows: np.ndarray, columns: np.ndarray, width: int
) -> np.ndarray:
    """Read a box of a variable over some time stamps.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        The variable.
    first, last : int
        Stamps ``first`` to ``last - 1``; a variable without time is read as it is.
    rows, columns : numpy.ndarray of int
        Adjoining row numbers, and adjoining column numbers that may pass ``width``.
    width : int
        Columns of the grid.

    Returns
    -------
    numpy.ndarray
        ``(time, row * column)`` in the unit of the file, NaN where missing.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    down = slice(int(rows[0]), int(rows[-1]) + 1)
    across = [slice(int(columns[0]), min(int(columns[-1]) + 1, width))]
    if columns[-1] >= width:  # over the seam of a grid around the earth
        across.append(slice(0, int(columns[-1]) + 1 - width))
    with _opened(path) as file:
        variable = file[name]
        extra = variable.dimensions[:-2]
        choice = [_time_slice(file, one, first, last) for one in extra]
        try:
            pieces = [_plain(variable[(*choice, down, one)]) for one in across]
        except (OSError, RuntimeError, IndexError) as error:
            raise InputError(_damaged(path, f"variable '{name}' cannot be read ({error})")) from error
    values = pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=-1)
    if VERSION_DIMENSION in extra and values.shape[extra.index(VERSION_DIMENSION)] > 1:
        values = _first_given(values, extra.index(VERSION_DIMENSION))
    return values.reshape(-1, rows.size * columns.size)


@contextmanager
def _opened(path: Path) -> Iterator[netCDF4.Dataset]:
    """Open a file while no other thread is in the netCDF library."""
    with NETCDF_ACCESS:
        try:
            file = netCDF4.Dataset(path)
        except (OSError, RuntimeError) as error:
            raise InputError(_damaged(path, f"cannot be opened as netCDF ({error})")) from error
        try:
            yield file
        finally:
            file.close()


def _damaged(path: Path, what: str) -> str:
    return f"{path}: {what}; it may be truncated or damaged, or GRIB: download it again, as netCDF"


def _plain(values: np.ndarray) -> np.ndarray:
    """Return float64 with NaN where masked."""
    if not np.ma.isMaskedArray(values):
        return np.asarray(values, dtype=np.float64)
    return np.ma.filled(values.astype(np.float64), np.nan)


def _first_given(values: np.ndarray, axis: int) -> np.ndarray:
    """Take, at each place, the first value that is there."""
    versions = np.moveaxis(values, axis, 0)
    result = versions[0]
    for other in versions[1:]:
        result = np.where(np.isnan(result), other, result)
    return result


def _time_slice(file: netCDF4.Dataset, dimension: str, first: int, last: int) -> slice:
    return slice(first, last) if dimension in TIME_NAMES else slice(None)


def _check_dimensions(variable: netCDF4.Variable, order: tuple[str, ...], path: Path) -> None:
    """Make sure that rows and columns come last, and that beside them and time there are single entries only."""
    extra = {
        dimension: size for dimension, size in zip(variable.dimensions[:-2], variable.shape[:-2], strict=True)
        if dimension not in (*TIME_NAMES, VERSION_DIMENSION) and size != 1}
    if variable.dimensions[-2:] != order or extra:
        raise InputError(
            f"{path}: variable '{variable.name}' has dimensions ({', '.join(variable.dimensions)}) of sizes "
            f"{variable.shape}; expected (time, {', '.join(order)}), and others of one entry only")


def _stamps(time: netCDF4.Variable, path: Path) -> np.ndarray:
    """Time stamps in whole seconds since 1970-01-01."""
    units, calendar = str(getattr(time, "units", "")), str(getattr(time, "calendar", "standard"))
    match = _SINCE.match(units)
    if match is None or match[1].lower() not in _SECONDS or calendar not in (
            "standard", "gregorian", "proleptic_gregorian"):
        raise InputError(
            f"{path}: the time axis '{time.name}' has units '{units}' and calendar '{calendar}'; expected units such "
            "as 'hours since 1900-01-01' in the standard calendar")
    values = _plain(time[...]).reshape(-1)
    if values.size == 0 or not np.isfinite(values).all():
        raise InputError(f"{path}: the time axis '{time.name}' is empty or has missing stamps")
    begin = netCDF4.num2date(values[0], units, calendar, only_use_cftime_datetimes=False,
                             only_use_python_datetimes=True)
    origin = np.datetime64(begin.replace(tzinfo=None), "ms").astype(np.int64) / 1000.0
    return np.rint(origin + (values - values[0]) * _SECONDS[match[1].lower()]).astype(np.int64)
