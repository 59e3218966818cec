"""Measurements of soil moisture or ground water from netCDF files.

Three layouts are read: a station ``(time)`` as in ALMA-like site files, points ``(time, place)``, and grids
``(time, y, x)`` on latitude and longitude. Values are checked, never repaired: each rejected one keeps the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.base.observation_reasons import MISSING, OUT_OF_RANGE, OUTSIDE, QUALITY, USED
from pyland.base.text import library_words
from pyland.observe.observations import ObservationSet, Setting
from pyland.observe.quantities import Quantity, quantity_of
from pyland.observe.target_cells import TargetCells

COVER = 0.5
"""Share of the samples of an averaging window that must be valid."""

_LATITUDES, _LONGITUDES = ("latitude", "lat"), ("longitude", "lon")
_STAMPS = ("start", "instant", "end")


def read_measurements(
    path: str | Path,
    variable: str,
    target: TargetCells,
    *,
    name: str,
    error: float,
    kind: str = "soil_moisture",
    depth: tuple[float, float] = (np.nan, np.nan),
    times: np.ndarray | None = None,
    window: float = 0.0,
    footprint: float = 0.0,
    footprint_weights: str = "uniform",
    relative_error: float = 0.0,
    e_folding_depth: float = np.inf,
    stamps: str | None = None,
    units: str | None = None,
    quality_variable: str | None = None,
    accepted_quality: Sequence[int] = (0,),
    settings: Mapping[str, Setting] | None = None,
) -> list[ObservationSet]:
    """Read observations of one kind.

    Parameters
    ----------
    path : str or Path
        NetCDF file.
    variable : str
        Name of the variable.
    target : TargetCells
        Cells of the domain.
    name : str
        Name of the observation entry.
    error : float
        Standard deviation of the observation error [unit of the kind].
    kind : str
        Type of the observations, one of `QUANTITIES`.
    depth : tuple of float
        Top and bottom of the observed layer [m]; NaN where it has no meaning.
    times : array_like of datetime64, optional
        Analysis times (UTC). Without them, every time of the file makes a set.
    window : float
        Width of the window around an analysis time over which samples are averaged [s]; 86400 gives a daily mean. With
        0 the sample that ends at the analysis time (stamps ``start`` and ``end``) or bears it (``instant``) is taken.
    footprint : float
        Diameter of the footprint [m]; 0 is the nearest cell.
    footprint_weights : {"uniform", "gaussian"}
        See `TargetCells.footprints`.
    relative_error : float
        Standard deviation of the error as a share of the value [1]; ``error`` is its floor.
    e_folding_depth : float
        Depth over which the weight of the soil in ``depth`` falls to 1/e [m].
    stamps : {"start", "instant", "end"}, optional
        What a time of the file means. Default: ``start`` if the file says so (``time_convention`` attribute or
        ALMA convention), else ``instant``.
    units : str, optional
        Unit of the variable if the file lacks it or is wrong; one of `Quantity.factors`.
    quality_variable : str, optional
        Name of the quality flag, with the dimensions of the variable; default ``<variable>_qc`` if there is one.
    accepted_quality : sequence of int
        Values of the quality flag that are used.
    settings : mapping, optional
        Options of the operator that the sets carry.

    Returns
    -------
    list of ObservationSet
        One set for each time with at least one value, used or rejected, in the order of time. Points of a grid outside
        the domain are left out; a station or a point outside is kept with its flag.

    Raises
    ------
    InputError
        If the file is missing or damaged, the variable, its unit or its place is unknown, all observations lie outside
        the domain, all values are out of range, or no analysis time has a value.
    """
    path, label, quantity = Path(path), f"observation '{name}', file {path}", quantity_of(kind)
    if not (np.isfinite(error) and error > 0):
        raise InputError(f"observation '{name}': error must be a positive standard deviation [{quantity.unit}], got "
                         f"{error}.")
    dataset = _open(path, label)
    with dataset:
        data, quality, latitude, longitude, is_grid, time, interval = _load(
            dataset, variable, label, stamps, quality_variable
        )
        factor = _factor(dataset[variable].attrs.get("units"), units, quantity, variable, label)
    values = data * factor
    flags = _value_flags(values, quality, accepted_quality, label, variable, quantity)
    cell, x, y, inside = target.locate(latitude, longitude)
    if not inside.any():
        raise InputError(
            f"{label}: all {latitude.size} observations of '{variable}' lie outside the domain; the first at latitude "
            f"{latitude[0]:.4f}, longitude {longitude[0]:.4f}; the domain covers {target.bounds()}. "
            "Check the coordinates of the file and of `domain`."
        )
    place = np.flatnonzero(inside) if is_grid else np.arange(latitude.size)
    flags[:, ~inside] = OUTSIDE
    values, flags, x, y = values[:, place], flags[:, place], x[place], y[place]
    if footprint > 0:
        cells, weights = target.footprints(x, y, footprint, footprint_weights)
    else:
        cells, weights = cell[place, None], np.ones((place.size, 1))
    sets = []
    for moment, value, flag in _select(values, flags, time, interval, times, window):
        sets.append(ObservationSet(name, kind, moment, value, error_of(value, error, relative_error) ** 2, x, y, cells,
                                   weights, *map(float, depth), location=place, flags=flag,
                                   e_folding_depth=e_folding_depth, settings=dict(settings or {})))
    if not sets and times is not None and np.size(times):
        moments = np.atleast_1d(times)
        raise InputError(
            f"{label}: none of the {moments.size} analysis times from {moments.min()} to {moments.max()} has a value "
            f"of '{variable}'; the file covers {time[0]} to {time[-1]}. Check the period, `every` and the window."
        )
    return sets


def error_of(values: np.ndarray, error: float, relative_error: float = 0.0) -> np.ndarray:
    """Return standard deviations of errors, a share of the values but not below ``error``; NaN counts as no value."""
    return np.fmax(error, relative_error * np.abs(np.asarray(values, float)))


def _open(path: Path, label: str) -> xr.Dataset:
    if not path.is_file():
        raise InputError(f"{label}: the file does not exist. Check `observations.file`.")
    try:
        return xr.open_dataset(path, engine="netcdf4", decode_timedelta=False)
    except Exception as error:  # the netCDF library and the decoder raise what they like for a damaged file
        raise InputError(f"{label}: cannot be read as netCDF ({library_words(error)}). It may be truncated.") from error


def _load(dataset: xr.Dataset, variable: str, label: str, stamps: str | None, quality_variable: str | None) -> tuple:
    """Return values (time, place), quality or None, positions (place,), is_grid, time (time,), its step to sample."""
    if variable not in dataset.data_vars:
        known = ", ".join(sorted(map(str, dataset.data_vars)))
        raise InputError(f"{label}: there is no variable '{variable}'; the file holds {known}.")
    array = dataset[variable]
    if "time" not in dataset.variables or array.dims[:1] != ("time",) or array.ndim > 3:
        raise InputError(
            f"{label}: '{variable}' must have the dimensions (time), (time, place) or (time, y, x) and a time "
            f"coordinate, got {array.dims}."
        )
    time = dataset["time"].values
    if not np.issubdtype(time.dtype, np.datetime64):
        raise InputError(f"{label}: the time coordinate needs units like 'seconds since 1970-01-01' and a standard "
                         f"calendar, got {dataset['time'].attrs.get('units', 'none')}.")
    time = time.astype("datetime64[s]")
    if time.size == 0 or (np.diff(time) <= np.timedelta64(0, "s")).any():
        raise InputError(f"{label}: times must be present and rising without doubles.")
    try:
        values = np.asarray(array.values, float).reshape(time.size, -1)
        companion = quality_variable or f"{variable}_qc"
        quality = None
        if quality_variable is not None and companion not in dataset.data_vars:
            raise InputError(f"{label}: there is no quality variable '{companion}'.")
        if companion in dataset.data_vars:
            if dataset[companion].dims != array.dims:
                raise InputError(f"{label}: '{companion}' must have the dimensions of '{variable}', {array.dims}.")
            quality = np.asarray(dataset[companion].values, float).reshape(values.shape)
    except (OSError, RuntimeError) as error:
        raise InputError(f"{label}: '{variable}' cannot be read ({library_words(error)}). The file may be "
                         "truncated.") from error
    latitude, longitude = _positions(dataset, array, label)
    return (values, quality, latitude, longitude, array.ndim == 3, time,
            _interval(dataset, array.ndim, time, label, stamps))


def _positions(dataset: xr.Dataset, array: xr.DataArray, label: str) -> tuple[np.ndarray, np.ndarray]:
    """Return latitude and longitude (place,) [degrees] from coordinates or global attributes."""
    found = []
    for names in (_LATITUDES, _LONGITUDES):
        key = next((n for n in names if n in dataset.variables), None)
        attribute = next((dataset.attrs[n] for n in names if n in dataset.attrs), None)
        if key is not None:
            found.append(dataset[key])
        elif attribute is not None and array.ndim == 1:
            found.append(xr.DataArray(float(attribute)))
        else:
            raise InputError(f"{label}: the place of the observations is unknown; expected {' or '.join(names)} as "
                             "a variable or, for a station, as a global attribute.")
    place = array.isel(time=0, drop=True)
    positions = []
    for one in found:
        if one.ndim and not set(one.dims) <= set(place.dims):
            if one.size != 1:
                raise InputError(f"{label}: '{one.name}' has the dimensions {one.dims}, the observations {place.dims}.")
            one = one.squeeze(drop=True)
        positions.append(np.asarray(one.broadcast_like(place).transpose(*place.dims).values, float).reshape(-1))
    if not np.isfinite(positions).all() or np.abs(positions[0]).max(initial=0.0) > 90.0:
        raise InputError(f"{label}: latitudes and longitudes must be finite, latitudes within -90..90 degrees.")
    return positions[0], positions[1]


def _interval(dataset: xr.Dataset, ndim: int, time: np.ndarray, label: str, stamps: str | None) -> tuple[int, int]:
    """Return the offsets of the start and the end of a sample from its stamp [s]."""
    if stamps is None:
        said = f"{dataset.attrs.get('time_convention', '')} {dataset.attrs.get('Conventions', '')}".lower()
        stamps = "start" if ndim == 1 and ("start" in said or "alma" in said) else "instant"
    if stamps not in _STAMPS:
        raise InputError(f"{label}: stamps must be one of {', '.join(_STAMPS)}, got {stamps!r}.")
    if stamps == "instant":
        return 0, 0
    if time.size < 2:
        raise InputError(f"{label}: a single time has no averaging interval; set stamps to 'instant'.")
    step = int(np.min(np.diff(time)).astype(int))
    return (0, step) if stamps == "start" else (-step, 0)


def _factor(found: str | None, given: str | None, quantity: Quantity, variable: str, label: str) -> float:
    text = given if given is not None else found
    if text is None or text.strip() not in quantity.factors:
        what = "no unit" if text is None else f"the unit {text!r}"
        raise InputError(
            f"{label}: '{variable}' has {what}; expected one of {', '.join(quantity.factors)}. Set the unit of "
            f"the observation entry if the file is wrong, or convert the file ({quantity.hint})."
        )
    return quantity.factors[text.strip()]


def _value_flags(values: np.ndarray, quality: np.ndarray | None, accepted: Sequence[int], label: str,
                 variable: str, quantity: Quantity) -> np.ndarray:
    """Flag missing, impossible and rejected values; shape (time, place)."""
    flags, (lowest, highest) = np.full(values.shape, USED, np.int8), quantity.valid_range
    missing = ~np.isfinite(values)
    with np.errstate(invalid="ignore"):
        impossible = ~missing & ((values < lowest) | (values > highest))
    if missing.all():
        raise InputError(f"{label}: '{variable}' holds no value at all.")
    if impossible.sum() == (~missing).sum():
        raise InputError(
            f"{label}: all values of '{variable}' lie outside {lowest:g}..{highest:g} {quantity.unit}, the first is "
            f"{values[impossible][0]:.6g}. The unit is probably wrong ({', '.join(quantity.factors)} are known)."
        )
    if quality is not None:
        flags[~np.isin(quality, np.asarray(accepted, float))] = QUALITY
    flags[impossible] = OUT_OF_RANGE
    flags[missing] = MISSING
    return flags


def _select(values: np.ndarray, flags: np.ndarray, time: np.ndarray, interval: tuple[int, int],
            times: np.ndarray | None, window: float):
    """Yield (time, values (place,), flags (place,)) of each time to assimilate."""
    if times is None:
        ends = time + np.timedelta64(interval[1], "s")
        for moment, value, flag in zip(ends, values, flags, strict=True):
            if (flag != MISSING).any():
                yield moment, value, flag
        return
    middle = time + np.timedelta64((interval[0] + interval[1]) // 2, "s")
    end = time + np.timedelta64(interval[1], "s")
    half = np.timedelta64(round(0.5 * window), "s")
    for moment in np.atleast_1d(np.asarray(times)).astype("datetime64[s]"):
        if window > 0:
            first, last = np.searchsorted(middle, moment - half, "left"), np.searchsorted(middle, moment + half, "left")
        else:
            first = np.searchsorted(end, moment, "left")
            last = first + (first < end.size and end[first] == moment)
        if last > first:
            value, flag = _average(values[first:last], flags[first:last])
            if (flag != MISSING).any():
                yield moment, value, flag


def _average(values: np.ndarray, flags: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average the used samples of a window; where too few are used, keep the worst reason."""
    if len(values) == 1:
        return values[0], flags[0].copy()
    used = flags == USED
    count = used.sum(axis=0)
    enough = count >= np.maximum(COVER * len(values), 1)
    mean = np.where(used, values, 0.0).sum(axis=0) / np.maximum(count, 1)
    flag = np.where(enough, USED, flags.max(axis=0)).astype(np.int8)
    return np.where(enough, mean, np.nan), flag
