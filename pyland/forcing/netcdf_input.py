"""Opening netCDF input: errors as sentences, time axes as intervals."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr

from pyland.base.errors import InputError

LATITUDE_NAMES = ("lat", "latitude", "nav_lat", "LATIXY", "XLAT")
LONGITUDE_NAMES = ("lon", "longitude", "nav_lon", "LONGXY", "XLONG")
ELEVATION_NAMES = ("elev_m", "elevation", "elev", "altitude", "surface_altitude")
HEIGHT_NAMES = ("z_meas_m", "reference_height_m", "reference_height", "measurement_height")


class TimeAxis(NamedTuple):
    """Equal, adjoining intervals of a file."""

    start: np.datetime64
    interval: int
    count: int
    dimension: str
    label: str
    """``start``, ``middle`` or ``end``: what the time stamps of the file mark."""


def open_input(path: str | Path) -> xr.Dataset:
    """Open a netCDF file without decoding its times.

    Parameters
    ----------
    path : str or Path
        File.

    Returns
    -------
    xarray.Dataset
        Lazy; missing values are NaN; the caller closes it.

    Raises
    ------
    InputError
        If the file does not exist or is not a complete netCDF file.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file; check forcing.path (relative paths start at the case directory)")
    try:
        return xr.open_dataset(path, engine="netcdf4", decode_times=False, cache=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(
            f"{path}: cannot be opened as netCDF ({error}); it may be truncated or damaged: compare its checksum with "
            "the source and copy it again"
        ) from error


def read_values(variable: xr.DataArray, file: str) -> np.ndarray:
    """Values of a lazy variable as float64; a damaged file gives an InputError that names the variable."""
    try:
        return np.asarray(variable.values, dtype=np.float64)
    except (OSError, RuntimeError, ValueError, TypeError) as error:
        raise InputError(
            f"{file}: variable '{variable.name}' cannot be read ({error}); the file may be truncated or damaged: "
            "compare its checksum with the source and copy it again"
        ) from error


def find_number(dataset: xr.Dataset, names: Iterable[str], file: str) -> np.ndarray | None:
    """Look for a number (or field) among variables and global attributes; None if there is none.

    Variables win over attributes because they can have one value per cell.
    """
    names = tuple(names)
    for name in names:
        if name in dataset.variables:
            return read_values(dataset[name], file)
    for name in names:
        if name in dataset.attrs:
            try:
                return np.asarray(float(dataset.attrs[name]))
            except (TypeError, ValueError):
                continue
    return None


def read_time_axis(dataset: xr.Dataset, file: str, label: str | None = None) -> TimeAxis:
    """Read the time stamps of averages and check that they leave no gap.

    Parameters
    ----------
    dataset : xarray.Dataset
        From `open_input`.
    file : str
        Path, for messages.
    label : {"start", "end"}, optional
        What the stamps mark. By default the bounds of ``time`` decide, then a global attribute ``time_convention`` or
        ``time_label`` that contains the word "end"; else stamps are starts, as in the ALMA convention.

    Returns
    -------
    TimeAxis
        Start of the first interval, interval [s], number of intervals, name of the dimension.

    Raises
    ------
    InputError
        If there is no time axis, its calendar is not a real one, it is in local time, or stamps are not increasing,
        irregular or missing.
    """
    name = _time_name(dataset, file)
    stamps = _decode(dataset, name, file)
    interval = _interval(dataset, stamps, file)
    _check_regular(stamps, interval, file)
    if label is None:
        label, shift = _find_label(dataset, name, stamps, interval, file)
    elif label in {"start", "end"}:
        shift = 0 if label == "start" else -interval
    else:
        raise InputError(f"{file}: time_label must be 'start' or 'end', got '{label}'")
    return TimeAxis(stamps[0] + np.timedelta64(shift, "s"), interval, stamps.size, str(dataset[name].dims[0]), label)


def _time_name(dataset: xr.Dataset, file: str) -> str:
    candidates = ["time", "Time", "valid_time"]
    candidates += [str(n) for n in dataset.variables if "since" in str(dataset[n].attrs.get("units", ""))]
    for name in candidates:
        if name in dataset.variables and dataset[name].ndim == 1 and dataset[name].size > 0:
            return name
    raise InputError(
        f"{file}: has no time axis; expected a variable 'time' with units such as 'seconds since 1970-01-01', "
        f"found {', '.join(sorted(map(str, dataset.variables)))}"
    )


def _decode(dataset: xr.Dataset, name: str, file: str) -> np.ndarray:
    """Time stamps as datetime64[s], rounded to whole seconds."""
    convention = str(dataset.attrs.get("time_convention", ""))
    if re.search(r"\blocal\b", convention, re.IGNORECASE):
        raise InputError(
            f"{file}: time_convention is '{convention}', but pyland needs UTC; shift the time stamps by the UTC offset"
        )
    units = str(dataset[name].attrs.get("units", ""))
    try:
        decoded = xr.decode_cf(dataset[[name]].drop_vars([n for n in dataset[[name]].variables if n != name]))
        stamps = decoded[name].values
    except (OSError, RuntimeError, ValueError, TypeError, OverflowError) as error:
        raise InputError(f"{file}: the time axis '{name}' with units '{units}' cannot be read ({error})") from error
    if not np.issubdtype(stamps.dtype, np.datetime64):
        raise InputError(
            f"{file}: the time axis '{name}' has units '{units}' and calendar "
            f"'{dataset[name].attrs.get('calendar', 'none given')}'; expected units such as "
            "'seconds since 1970-01-01' in the proleptic_gregorian calendar"
        )
    if np.isnat(stamps).any():
        raise InputError(f"{file}: time stamp {int(np.flatnonzero(np.isnat(stamps))[0])} of '{name}' is missing")
    return (stamps.astype("datetime64[ms]") + np.timedelta64(500, "ms")).astype("datetime64[s]")


def _interval(dataset: xr.Dataset, stamps: np.ndarray, file: str) -> int:
    """Length of an interval [s]: the most common distance, or the attribute ``time_step_s`` of a single stamp."""
    if stamps.size == 1:
        step = dataset.attrs.get("time_step_s")
        if step is None or int(step) <= 0:
            raise InputError(f"{file}: has one time stamp and no attribute time_step_s, so its interval is unknown")
        return int(step)
    steps = np.diff(stamps).astype(np.int64)
    backward = np.flatnonzero(steps <= 0)
    if backward.size:
        i = int(backward[0])
        raise InputError(
            f"{file}: time is not increasing: stamp {i + 1} ({stamps[i + 1]}) follows stamp {i} ({stamps[i]}); "
            f"{backward.size} stamps do; sort the file and remove duplicates"
        )
    values, counts = np.unique(steps, return_counts=True)
    return int(values[np.argmax(counts)])


def _check_regular(stamps: np.ndarray, interval: int, file: str) -> None:
    steps = np.diff(stamps).astype(np.int64)
    wrong = np.flatnonzero(steps != interval)
    if wrong.size == 0:
        return
    i = int(wrong[0])
    if np.all(steps[wrong] % interval == 0):
        count = int((steps[wrong] // interval - 1).sum())
        raise InputError(
            f"{file}: {count} time stamps are missing in {wrong.size} gaps; the first gap is after index {i}, between "
            f"{stamps[i]} and {stamps[i + 1]} UTC (expected every {interval} s); forcing must be gap-free: fill the "
            "gaps, or choose a period without them"
        )
    raise InputError(
        f"{file}: time is not regular: {steps[i]} s between stamps {i} ({stamps[i]}) and {i + 1} ({stamps[i + 1]}), "
        f"{interval} s elsewhere; resample to a regular interval"
    )


def _find_label(dataset: xr.Dataset, name: str, stamps: np.ndarray, interval: int, file: str) -> tuple[str, int]:
    """Find what the stamps mark, and the seconds from the first stamp to the start of its interval."""
    bounds = dataset[name].attrs.get("bounds")
    if bounds in dataset.variables:
        edges = dataset[[bounds]].copy()
        edges[bounds].attrs = {**dataset[name].attrs, **dataset[bounds].attrs}
        edges[bounds].attrs.pop("bounds", None)
        first, last = xr.decode_cf(edges)[bounds].values.reshape(stamps.size, 2)[0].astype("datetime64[s]")
        if int((last - first).astype(np.int64)) != interval:
            raise InputError(
                f"{file}: the first time bounds {first} to {last} do not span the distance of the time stamps, "
                f"{interval} s; correct '{bounds}' or the stamps"
            )
        shift = int((first - stamps[0]).astype(np.int64))
        return ("start" if shift == 0 else "end" if shift == -interval else "middle"), shift
    text = f"{dataset.attrs.get('time_convention', '')} {dataset.attrs.get('time_label', '')}".lower()
    is_end = re.search(r"\bend(?:ing)?\b", text) and not re.search(r"\bstart(?:ing)?\b", text)
    return ("end", -interval) if is_end else ("start", 0)
