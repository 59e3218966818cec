"""What a learning merge needs beside products: predictors from netCDF files, and stations at the places of a grid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr
from scipy.spatial import cKDTree

from pyland.base.errors import InputError
from pyland.base.observation_reasons import OUTSIDE
from pyland.base.text import library_words
from pyland.observe.merging.bme_covariance import sphere_coordinates
from pyland.observe.merging.common_grid import DAY, CommonGrid, align_table
from pyland.observe.observation_table import ObservationTable

_NAMES = {"time": ("time",), "latitude": ("latitude", "lat", "nav_lat"), "longitude": ("longitude", "lon", "nav_lon")}
_SAME_PLACE = 1.0  # m


def read_predictor(path: str | Path, variable: str, times: np.ndarray, places: CommonGrid, radius: float,
                   interval: np.timedelta64 = DAY) -> np.ndarray:
    """Read a variable of a netCDF file at times and places.

    Parameters
    ----------
    path : str or Path
        File with the coordinates latitude and longitude, along axes of their own or of the dimensions of places, and
        time where the variable has it.
    variable : str
        Name of the variable: dimensions time, or none, and those of places.
    times : ndarray of datetime64, shape (time,)
        Middles of intervals.
    places : CommonGrid
        Where to.
    radius : float
        How far the nearest place of the file may be [m].
    interval : timedelta64, optional
        Width of the intervals; means of what lies within are taken.

    Returns
    -------
    ndarray, shape (time, place) or (place,)
        In the unit of the file; NaN at times without a value.

    Raises
    ------
    InputError
        If the file, the variable or its coordinates cannot be used, or a place has nothing near.
    """
    try:
        with xr.open_dataset(path) as data:
            if variable not in data:
                raise InputError(f"{path}: there is no variable '{variable}'; there are {', '.join(data.data_vars)}.")
            found = {name: next((one for one in words if one in data.variables), None)
                     for name, words in _NAMES.items()}
            if found["latitude"] is None or found["longitude"] is None:
                raise InputError(f"{path}: expected variables latitude and longitude (or lat and lon).")
            one, latitude, longitude = data[variable], data[found["latitude"]], data[found["longitude"]]
            is_changing = found["time"] is not None and found["time"] in one.dims
            dims = [name for name in one.dims if name != found["time"]]
            template = one.isel({found["time"]: 0}) if is_changing else one
            latitude, longitude = (part.broadcast_like(template).transpose(*dims).values.ravel()
                                   for part in (latitude, longitude))
            values = one.transpose(*([found["time"]] if is_changing else []), *dims).values.astype(float)
            when = data[found["time"]].values if is_changing else None
    except InputError:
        raise
    except Exception as error:  # the libraries raise what they like for a damaged file
        raise InputError(f"{path}: cannot be read as predictors ({library_words(error)}).") from error
    values = values.reshape(-1, latitude.size)
    if values.shape[1] != latitude.size or (is_changing and not np.issubdtype(when.dtype, np.datetime64)):
        raise InputError(f"{path}: '{variable}' must have the dimensions of latitude and longitude and a time of the "
                         "standard calendar.")
    usable = np.isfinite(values).any(axis=0) & np.isfinite(latitude) & np.isfinite(longitude)
    if not usable.any():
        raise InputError(f"{path}: '{variable}' has no values.")
    distance, near = cKDTree(sphere_coordinates(latitude[usable], longitude[usable])).query(
        sphere_coordinates(places.latitude, places.longitude))
    far = distance > radius
    if far.any():
        raise InputError(f"{path}: '{variable}' has no value within {radius:g} m of {int(far.sum())} of {places.size} "
                         f"places, the first at {places.latitude[far][0]:.3f}, {places.longitude[far][0]:.3f}.")
    values = values[:, usable][:, near]
    return _interval_means(values, when, times, interval) if is_changing else values[0]


def _interval_means(values: np.ndarray, when: np.ndarray, times: np.ndarray, interval: np.timedelta64) -> np.ndarray:
    """Return means (time, place) of the values whose times lie within half an interval before or after the middle."""
    times, when = np.asarray(times, "datetime64[s]"), np.asarray(when, "datetime64[s]")
    half = interval.astype("timedelta64[s]") // 2
    index = np.searchsorted(times - half, when, side="right") - 1
    within = (index >= 0) & (when < times[np.maximum(index, 0)] + half)
    order = np.argsort(index[within], kind="stable")
    index, part = index[within][order], values[within][order]
    total, count = np.zeros((times.size, values.shape[1])), np.zeros((times.size, values.shape[1]))
    if index.size:
        present, first = np.unique(index, return_index=True)
        total[present] = np.add.reduceat(np.where(np.isfinite(part), part, 0.0), first, axis=0)
        count[present] = np.add.reduceat(np.isfinite(part).astype(float), first, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return total / count


def stations_at_places(table: ObservationTable, times: np.ndarray, places: CommonGrid, radius: float,
                       interval: np.timedelta64 = DAY) -> np.ndarray:
    """Bring each station to the one place that is nearest; stations of one place are averaged.

    Parameters
    ----------
    table : ObservationTable
        Stations; only used rows count.
    times : ndarray of datetime64, shape (time,)
        Middles of intervals.
    places : CommonGrid
        Where to. A station never counts at two places: it could not be left out.
    radius : float
        How far the place may be [m].
    interval : timedelta64, optional
        Width of the intervals.

    Returns
    -------
    ndarray, shape (time, place)
        NaN at places without a station.

    Raises
    ------
    InputError
        If no station is within the radius of a place.
    """
    distance, near = cKDTree(sphere_coordinates(places.latitude, places.longitude)).query(
        sphere_coordinates(table.latitude, table.longitude))
    table = table.rejected(distance > radius, OUTSIDE)
    if not table.used.any():
        raise InputError(f"merge: no station of '{table.product}' has a used value within {radius:g} m of a place.")
    moved = replace(table, latitude=places.latitude[near], longitude=places.longitude[near], location=near)
    return align_table(moved, times, places, radius=_SAME_PLACE, interval=interval)[0]
