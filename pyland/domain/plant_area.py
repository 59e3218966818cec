"""Leaf and stem area through the year: the table of plant types, and series from files.

A climatology holds means of parts of the year that repeat; a dated series holds values at instants. Both are
interpolated linearly.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path

import netCDF4
import numpy as np
import yaml

from pyland.base.errors import InputError
from pyland.base.registry import variable
from pyland.domain.grid import Domain

MONTHS = 12
EIGHT_DAYS = 46
"""Values of a year of 8-day composites, the first from 1 January; the last one is cut off by the end of the year."""

_HALF_YEAR = 6  # [months]
_SECONDS_PER_DAY = 86400.0
_LATITUDE, _LONGITUDE = ("latitude", "lat"), ("longitude", "lon")


@cache
def monthly_table(plant_type: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return monthly leaf and stem area of a plant type on the northern hemisphere.

    Parameters
    ----------
    plant_type : str
        Name of the type; ``bare_ground`` has no leaves.

    Returns
    -------
    tuple of tuple of float
        Twelve leaf areas and twelve stem areas, in the middle of the months [m2 m-2].
    """
    if plant_type == "bare_ground":
        return (0.0,) * MONTHS, (0.0,) * MONTHS
    text = resources.files("pyland.domain").joinpath("plant_phenology.yaml").read_text(encoding="utf-8")
    table = yaml.safe_load(text)
    row = table["rows"][table["types"][plant_type]]
    # sums of decimals such as 4.5 - 4.1 should be decimals
    stems = tuple(round(total - leaf, 6) for total, leaf in zip(row["total"], row["leaf"], strict=True))
    return tuple(float(leaf) for leaf in row["leaf"]), stems


def on_hemisphere(monthly: tuple[float, ...], latitude: np.ndarray) -> np.ndarray:
    """Return monthly values shifted by half a year south of the equator.

    Parameters
    ----------
    monthly : tuple of float
        Twelve values of the northern hemisphere.
    latitude : numpy.ndarray, shape (cell,)
        [degrees north].

    Returns
    -------
    numpy.ndarray, shape (12, cell)
    """
    north = np.array(monthly)[:, None]
    return np.where(latitude < 0.0, np.roll(north, _HALF_YEAR, axis=0), north)


def between_months(time: np.datetime64) -> tuple[int, int, float]:
    """Return the months (0 to 11) around a time and the weight of the second [1]: linear between their middles."""
    time = np.datetime64(time, "s")
    month = time.astype("datetime64[M]")
    length = (month + 1).astype("datetime64[s]") - month.astype("datetime64[s]")
    place = float((time - month.astype("datetime64[s]")) / length) - 0.5
    index = int(month.astype(np.int64)) % MONTHS
    if place < 0:
        return (index - 1) % MONTHS, index, place + 1.0
    return index, (index + 1) % MONTHS, place


@dataclass(frozen=True)
class AreaSeries:
    """Leaf or stem area of cells in time.

    Attributes
    ----------
    values : numpy.ndarray, shape (time, cell)
        [m2 m-2].
    stamps : numpy.ndarray of datetime64[s], shape (time,) or None
        Instants of a dated series; None for a climatology of 12 months or 46 times 8 days.
    name : str
        File and variable, for messages.
    """

    values: np.ndarray
    stamps: np.ndarray | None
    name: str

    def at(self, time: np.datetime64) -> np.ndarray:
        """Return the areas at a time, shape (cell,) [m2 m-2].

        Raises
        ------
        InputError
            If a dated series does not cover the time. Before the first and after the last instant, its value holds for
            the length of one interval.
        """
        first, second, weight = self._around(np.datetime64(time, "s"))
        return (1.0 - weight) * self.values[first] + weight * self.values[second]

    def _around(self, time: np.datetime64) -> tuple[int, int, float]:
        if self.stamps is None:
            return between_months(time) if len(self.values) == MONTHS else _between_composites(time)
        stamps, second = self.stamps, int(np.searchsorted(self.stamps, time))
        if stamps[0] <= time <= stamps[-1]:
            second = max(second, 1)
            return second - 1, second, float((time - stamps[second - 1]) / (stamps[second] - stamps[second - 1]))
        end, neighbour = (0, 1) if second == 0 else (-1, -2)
        if abs(time - stamps[end]) <= abs(stamps[neighbour] - stamps[end]):
            return end, end, 0.0
        raise InputError(
            f"{self.name}: the series covers {stamps[0]} to {stamps[-1]}, but {time} is needed (spin-up included); "
            "give a longer series, a climatology of 12 or 46 values, or another period")

    def subset(self, cells: slice | np.ndarray) -> AreaSeries:
        """Return the series of some of the cells."""
        return replace(self, values=self.values[:, cells])


def _between_composites(time: np.datetime64) -> tuple[int, int, float]:
    """Return the 8-day composites around a time and the weight of the second [1]."""
    year = time.astype("datetime64[Y]")
    length = float(((year + 1).astype("datetime64[s]") - year.astype("datetime64[s]")).astype(np.int64))
    edges = np.minimum(8.0 * _SECONDS_PER_DAY * np.arange(EIGHT_DAYS + 1), length)
    middles = 0.5 * (edges[:-1] + edges[1:])
    second = float((time - year.astype("datetime64[s]")).astype(np.int64))
    upper = int(np.searchsorted(middles, second))
    low, high = middles[upper - 1], middles[upper % EIGHT_DAYS]
    if upper == 0:
        low -= length
    if upper == EIGHT_DAYS:
        high += length
    return (upper - 1) % EIGHT_DAYS, upper % EIGHT_DAYS, (second - low) / (high - low)


def read_area(path: str | Path, name: str, domain: Domain, quantity: str) -> AreaSeries:
    """Read leaf or stem area of the cells of a domain.

    Parameters
    ----------
    path : str or Path
        NetCDF file. The first dimension of the variable is time: dated by a coordinate with units such as ``days since
        2000-01-01`` (not one that is marked as ``climatology``), else a climatology of 12 months or 46 times 8 days.
        The others are none (one series for all cells) or ``(cell)`` or ``(y, x)`` with ``latitude`` and ``longitude``
        as axes or fields; each cell takes its nearest point. Without them, points are the cells of the domain in order.
    name : str
        Variable [m2 m-2].
    domain : Domain
        The cells.
    quantity : str
        Registry id, for the range.

    Raises
    ------
    InputError
        If the file cannot be read, lacks the variable, or its shape, times or values do not fit.
    """
    label = f"{path}: {name}"
    with _open(path) as file:
        if name not in file.variables:
            raise InputError(f"{path}: expected a variable {name}; the file has {', '.join(file.variables)}.")
        values = np.ma.filled(np.ma.asarray(file[name][:], dtype=float), np.nan)
        if not 1 <= values.ndim <= 3:
            raise InputError(f"{label}: expected (time), (time, cell) or (time, y, x), got the shape {values.shape}.")
        stamps = _stamps(file, name, label, len(values))
        points = _points(file, domain, values.shape[1:], label)
    values = np.ascontiguousarray(values.reshape(len(values), -1)[:, points])
    if not np.isfinite(values).all():
        raise InputError(f"{label}: values are missing at {int((~np.isfinite(values)).any(axis=0).sum())} cell(s).")
    variable(quantity).check_range(values, label)
    return AreaSeries(values, stamps, label)


@contextmanager
def _open(path: str | Path) -> Iterator[netCDF4.Dataset]:
    if not Path(path).is_file():
        raise InputError(f"{path}: there is no such file.")
    try:
        file = netCDF4.Dataset(path)
    except OSError as error:
        raise InputError(f"{path}: the file cannot be read as netCDF ({error}); it may be truncated.") from None
    try:
        yield file
    finally:
        file.close()


def _stamps(file: netCDF4.Dataset, name: str, label: str, count: int) -> np.ndarray | None:
    """Return the instants of a dated series, None for a climatology."""
    dimension = file[name].dimensions[0]
    time = file.variables.get(dimension)
    if time is None or "since" not in getattr(time, "units", "") or "climatology" in time.ncattrs():
        if count not in (MONTHS, EIGHT_DAYS):
            raise InputError(
                f"{label}: has no dates and {count} values along '{dimension}'; expected dates, or a climatology of "
                f"{MONTHS} months or of {EIGHT_DAYS} times 8 days.")
        return None
    found = netCDF4.num2date(time[:], time.units, getattr(time, "calendar", "standard"), only_use_cftime_datetimes=True)
    stamps = np.array([one.isoformat() for one in np.atleast_1d(found)], dtype="datetime64[s]")
    if count < 2 or not (np.diff(stamps) > np.timedelta64(0, "s")).all():
        raise InputError(f"{label}: expected two dates or more that increase along '{dimension}', got {count}.")
    return stamps


def _points(file: netCDF4.Dataset, domain: Domain, shape: tuple[int, ...], label: str) -> np.ndarray:
    """Return the place of each cell among the flattened points of the file, shape (cell,)."""
    size = int(np.prod(shape, dtype=np.int64))
    if size == 1:
        return np.zeros(domain.ncell, dtype=np.int64)
    names = [next((one for one in names if one in file.variables), None) for names in (_LATITUDE, _LONGITUDE)]
    if None in names:
        if size != domain.nx * domain.ny:
            raise InputError(
                f"{label}: has {size} points but the domain {domain.nx * domain.ny}, and the file no latitude and "
                "longitude to find the nearest; add them.")
        return domain.cell_id
    latitude, longitude = (np.asarray(file[one][:], dtype=float) for one in names)
    if latitude.ndim == 1 and longitude.ndim == 1 and len(shape) == 2:
        longitude, latitude = np.meshgrid(longitude, latitude)
    if latitude.size != size or longitude.size != size:
        raise InputError(
            f"{label}: latitude and longitude have {latitude.size} and {longitude.size} points, not {size}.")
    return _nearest(latitude.ravel(), longitude.ravel(), domain.latitude, domain.longitude)


def _nearest(
    latitude: np.ndarray, longitude: np.ndarray, at_latitude: np.ndarray, at_longitude: np.ndarray
) -> np.ndarray:
    """Return the nearest of some points on the sphere for each cell."""

    def unit(lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
        phi, lam = np.radians(lat), np.radians(lon)
        return np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=-1)

    points = unit(latitude, longitude)
    return np.array([int(np.argmax(points @ one)) for one in unit(at_latitude, at_longitude)], dtype=np.int64)
