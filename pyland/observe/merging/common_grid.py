"""Products on common places and times: what merging compares must be seen at once.

A place takes the nearest place of a product within a radius, or the mean of all of its places within the radius. An
interval of time takes the mean of what was seen in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

from pyland.base.errors import InputError
from pyland.base.text import one_of
from pyland.observe.observation_table import ObservationTable
from pyland.observe.target_cells import EARTH_RADIUS

ALIGNMENTS = ("nearest", "area")

DAY = np.timedelta64(86400, "s")


@dataclass(frozen=True)
class CommonGrid:
    """Places that products are brought to.

    Attributes
    ----------
    latitude, longitude : ndarray, shape (place,)
        Middles [degrees], longitude in -180..180.
    shape : tuple of int or None
        Rows and columns of a regular grid, south to north and west to east; None for a list of places.
    location : ndarray of int64, shape (place,)
        Identity of each place.
    """

    latitude: np.ndarray
    longitude: np.ndarray
    shape: tuple[int, int] | None = None
    location: np.ndarray | None = None

    def __post_init__(self) -> None:
        latitude, longitude = np.asarray(self.latitude, float), np.asarray(self.longitude, float)
        object.__setattr__(self, "latitude", latitude)
        object.__setattr__(self, "longitude", (longitude + 180.0) % 360.0 - 180.0)
        if self.location is None:
            object.__setattr__(self, "location", np.arange(latitude.size))
        if latitude.ndim != 1 or not latitude.shape == longitude.shape == np.shape(self.location):
            raise InputError(f"grid: latitude, longitude and location must have one shape (place,), got "
                             f"{latitude.shape}, {longitude.shape} and {np.shape(self.location)}.")
        if not (np.isfinite(latitude).all() and np.isfinite(longitude).all() and (np.abs(latitude) <= 90).all()):
            raise InputError("grid: every place needs a latitude in -90..90 and a longitude [degrees].")

    @classmethod
    def regular(cls, bounds: Sequence[float], spacing: float) -> CommonGrid:
        """Return the cells of a regular grid.

        Parameters
        ----------
        bounds : sequence of four floats
            South, north, west, east of the outer edges [degrees]; a west above the east crosses 180 degrees.
        spacing : float
            Edge of a cell [degrees]; cells begin in the south-west, and those whose middle lies within count.

        Raises
        ------
        InputError
            If there is no such grid.
        """
        south, north, west, east = (float(one) for one in bounds)
        width = (east - west) % 360.0 or 360.0
        if not (-90.0 <= south < north <= 90.0 and 0.0 < spacing <= min(north - south, width)):
            raise InputError(f"grid: expected bounds south, north, west, east [degrees] and a spacing within them, got "
                             f"{list(bounds)} and {spacing:g}.")
        rows, columns = (int(np.floor(one / spacing + 0.5)) for one in (north - south, width))
        latitude = south + spacing * (np.arange(rows) + 0.5)
        longitude = west + spacing * (np.arange(columns) + 0.5)
        return cls(np.repeat(latitude, columns), np.tile(longitude, rows), (rows, columns))

    @classmethod
    def of_table(cls, table: ObservationTable) -> CommonGrid:
        """Return the places of a product, in the order of their identity.

        Raises
        ------
        InputError
            If the table is empty.
        """
        if not table.size:
            raise InputError(f"grid: the table of {table.product} is empty and has no places.")
        location, first = np.unique(table.location, return_index=True)
        return cls(table.latitude[first], table.longitude[first], None, location)

    @property
    def size(self) -> int:
        """Number of places."""
        return self.latitude.size


def times_between(start: object, end: object, interval: np.timedelta64 = DAY) -> np.ndarray:
    """Return the middles of the intervals from start to end, shape (time,).

    Raises
    ------
    InputError
        If the period is not a whole number of intervals.
    """
    start, end = np.datetime64(start, "s"), np.datetime64(end, "s")
    interval = interval.astype("timedelta64[s]")
    if not (end > start and (end - start) % interval == np.timedelta64(0, "s")):
        raise InputError(f"merge: the period {start} to {end} must be a whole number of intervals of "
                         f"{interval.astype(int) / 3600:g} h.")
    return start + interval // 2 + interval * np.arange((end - start) // interval)


def align_tables(
    tables: Sequence[ObservationTable], times: np.ndarray, places: CommonGrid, *, method: str = "nearest",
    radius: float | Sequence[float] | None = None, interval: np.timedelta64 = DAY,
) -> np.ndarray:  # fmt: skip
    """Bring several products of one type to common times and places.

    Parameters
    ----------
    tables : sequence of ObservationTable
        One for each product.
    times, places, method, interval
        As in `align_table`.
    radius : float or sequence of float, optional
        As in `align_table`, for all or one for each.

    Returns
    -------
    ndarray, shape (product, time, place)
        NaN without a value.

    Raises
    ------
    InputError
        If types differ, or as in `align_table`.
    """
    types = {one.type for one in tables}
    if len(types) != 1:
        raise InputError(f"merge: tables must be of one type, got {', '.join(sorted(types)) or 'none'}.")
    radii = list(radius) if isinstance(radius, Sequence) else [radius] * len(tables)
    if len(radii) != len(tables):
        raise InputError(f"merge: expected one radius, or one for each of {len(tables)} tables, got {len(radii)}.")
    return np.stack([align_table(one, times, places, method=method, radius=far, interval=interval)[0]
                     for one, far in zip(tables, radii, strict=True)])


def align_table(
    table: ObservationTable, times: np.ndarray, places: CommonGrid, *, method: str = "nearest",
    radius: float | None = None, interval: np.timedelta64 = DAY, error_correlation: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Bring a product to times and places; only its used rows count.

    Parameters
    ----------
    table : ObservationTable
        The product. Rows with one ``location`` lie at the place of its first row.
    times : ndarray of datetime64, shape (time,)
        Middles of intervals, rising.
    places : CommonGrid
        Where to.
    method : {"nearest", "area"}
        The nearest place of the product within the radius, or the mean of all within it.
    radius : float, optional
        How far a place of the product may be [m]; default the largest footprint of the table, which must have one.
    interval : timedelta64
        Width of the intervals; they must not overlap.
    error_correlation : float
        Correlation of the errors of values that are averaged [1]; 1 leaves the error as it is.

    Returns
    -------
    values, sigma : ndarray, shape (time, place)
        Means and standard deviations of their errors [unit of the type]; NaN without a value (without an error).

    Raises
    ------
    InputError
        If an option cannot be, or intervals overlap.
    """
    if method not in ALIGNMENTS:
        raise InputError(f"merge: alignment must be {one_of(ALIGNMENTS)}, got {method!r}.")
    if not 0.0 <= error_correlation <= 1.0:
        raise InputError(f"merge: error_correlation must lie in 0..1, got {error_correlation}.")
    if radius is None:
        radius = float(np.max(table.footprint, initial=0.0))
    if not (np.isfinite(radius) and radius > 0):
        raise InputError(f"merge: the radius within which {table.product} is looked for must be positive [m], got "
                         f"{radius}. A table without footprint needs one.")
    rows, when = _intervals(table, times, interval)
    shape = (len(times), places.size)
    if not rows.size:
        return np.full(shape, np.nan), np.full(shape, np.nan)
    location, first, where = np.unique(table.location[rows], return_index=True, return_inverse=True)
    value, sigma = table.value[rows], table.sigma[rows]
    cell, size = when * location.size + where, len(times) * location.size
    sums = [np.bincount(cell, one, size).reshape(len(times), location.size)
            for one in (np.ones(rows.size), value, sigma, sigma**2)]
    here = _on_sphere(table.latitude[rows][first], table.longitude[rows][first])
    there = _on_sphere(places.latitude, places.longitude)
    chord = 2.0 * np.sin(min(radius / EARTH_RADIUS, np.pi) / 2.0)
    if method == "nearest":
        distance, near = cKDTree(here).query(there)
        sums = [np.where(distance <= chord, one[:, near], 0.0) for one in sums]
    else:
        pairs = cKDTree(there).sparse_distance_matrix(cKDTree(here), chord, output_type="ndarray")
        share = csr_matrix((np.ones(pairs.size), (pairs["i"], pairs["j"])), (places.size, location.size))
        unknown = np.isnan(sums[2])
        sums = [(share @ one.T).T for one in (sums[0], sums[1], np.where(unknown, 0, sums[2]),
                                              np.where(unknown, 0, sums[3]), unknown.astype(float))]
        sums[2] = np.where(sums.pop() > 0, np.nan, sums[2])
    count, total, error, square = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = (1.0 - error_correlation) * square / count**2 + error_correlation * (error / count) ** 2
        return np.where(count > 0, total / count, np.nan), np.where(count > 0, np.sqrt(variance), np.nan)


def _intervals(table: ObservationTable, times: np.ndarray, interval: np.timedelta64) -> tuple[np.ndarray, np.ndarray]:
    """Return the used rows that lie in an interval, and the number of it."""
    times, width = np.asarray(times, "datetime64[s]"), np.timedelta64(interval, "s")
    if times.ndim != 1 or not times.size or width <= np.timedelta64(0, "s") or (np.diff(times) < width).any():
        raise InputError("merge: times must be the rising middles of intervals that do not overlap.")
    start = times - width // 2
    number = np.searchsorted(start, table.time, side="right") - 1
    safe = np.maximum(number, 0)
    rows = np.flatnonzero(table.used & np.isfinite(table.value) & (number >= 0) & (table.time < start[safe] + width))
    return rows, number[rows]


def _on_sphere(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Return points on the unit sphere, shape (point, 3)."""
    up, around = np.deg2rad(latitude), np.deg2rad(longitude)
    return np.stack([np.cos(up) * np.cos(around), np.cos(up) * np.sin(around), np.sin(up)], axis=-1)
