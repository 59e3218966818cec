"""Dense observations made fewer: the best of a block, or the mean of a block with the error of that mean.

Errors of neighbours are not independent: the mean of n of them with the correlation r has the error variance
``s^2 (1 + (n - 1) r)/n`` and never less than ``r s^2``.

Only what looks alike is averaged or weighed against each other: rows of one depth window, angle of incidence (within a
width), polarisation and orbit.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from pyland.base.errors import InputError
from pyland.base.observation_reasons import AVERAGED, THINNED, USED
from pyland.observe.merging.common_grid import CommonGrid
from pyland.observe.observation_table import COLUMNS, ObservationTable
from pyland.observe.target_cells import EARTH_RADIUS

HOUR = np.timedelta64(3600, "s")

EPOCH = np.datetime64("1970-01-01", "s")


def thin(table: ObservationTable, spacing: float, interval: np.timedelta64 = HOUR) -> ObservationTable:
    """Keep one observation of each block and interval of time: that with the smallest error.

    Parameters
    ----------
    table : ObservationTable
        Observations.
    spacing : float
        Edge of the blocks [m], see `blocks_of`.
    interval : timedelta64
        Length of the intervals of time, counted from 1970.

    Returns
    -------
    ObservationTable
        Others have the reason ``thinned``. Of equal errors the first in the order of place is kept.

    Raises
    ------
    InputError
        If the spacing or the interval is not positive.
    """
    block = blocks_of(table.latitude, table.longitude, spacing)
    rows, group = _groups(table, block, interval)
    error = np.where(np.isfinite(table.sigma[rows]), table.sigma[rows], np.inf)
    order = np.lexsort((table.location[rows], error, group))
    worse = np.zeros(table.size, bool)
    worse[rows[order[1:][np.diff(group[order]) == 0]]] = True
    return table.rejected(worse, THINNED).with_history(f"thinned to one in blocks of {spacing:g} m")


def super_observations(
    table: ObservationTable, spacing: float, *, grid: CommonGrid | None = None, interval: np.timedelta64 = HOUR,
    error_correlation: float = 0.0, representativeness: float | str = 0.0, least_count: int = 1,
    origin: np.datetime64 = EPOCH, angle_bin: float = 1.0,
) -> ObservationTable:  # fmt: skip
    """Replace the observations of each block and interval of time by their mean.

    Parameters
    ----------
    table : ObservationTable
        Observations.
    spacing : float
        Edge of the blocks [m]; with ``grid``, how far from a place an observation may be, half of it.
    grid : CommonGrid, optional
        Places whose blocks are meant, instead of `blocks_of`.
    interval : timedelta64
        Length of the intervals of time, counted from ``origin``; the beginning of one belongs to it, its end does not.
    error_correlation : float
        Correlation of the errors of observations within a block [1].
    representativeness : float or "spread"
        Standard deviation of an observation around the mean of its whole block [unit], independent from one to the
        next: it adds its square over n. ``"spread"`` takes it from the block: what the values differ beyond their
        errors; a block with one observation has that of all others together.
    least_count : int
        Fewest observations of a block that make a mean.
    origin : datetime64
        Where the intervals begin: for analyses at ``start + k interval``, which see what came after the one before, a
        second after ``start``.
    angle_bin : float
        Angles of incidence within this width are averaged [degrees].

    Returns
    -------
    ObservationTable
        First the means, with times and places that are means too, the block (negative numbers; the location of
        ``grid``) as location, the spacing as footprint and the column ``averaged`` with the number of observations;
        then all rows of ``table``, those that went into a mean with the reason ``averaged_into_another``.

    Raises
    ------
    InputError
        If an option cannot be.

    Notes
    -----
    Other extra columns of a mean are means of numbers, and empty words.
    """
    if not 0.0 <= error_correlation <= 1.0 or least_count < 1:
        raise InputError(f"super-observations: error_correlation must lie in 0..1 and least_count be 1 at least, got "
                         f"{error_correlation} and {least_count}.")
    is_number = isinstance(representativeness, (int, float)) and representativeness >= 0
    if representativeness != "spread" and not is_number:
        raise InputError("super-observations: representativeness must be a standard deviation or 'spread', got "
                         f"{representativeness!r}.")
    block = blocks_of(table.latitude, table.longitude, spacing) if grid is None else _of_grid(table, grid, spacing)
    rows, group = _groups(table, block, interval, origin, angle_bin)
    kept = block[rows] != _NOWHERE
    rows, group = rows[kept], group[kept]
    number = np.bincount(group)
    enough = number[group] >= least_count
    rows, group = rows[enough], np.unique(group[enough], return_inverse=True)[1]
    count = np.bincount(group).astype(float)
    first = np.zeros(count.size, int)
    first[group[::-1]] = rows[::-1]

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(group, values, count.size) / count

    value, sigma = table.value[rows], table.sigma[rows]
    centre, square = mean(value), mean(sigma**2)
    variance = (1.0 - error_correlation) * square / count + error_correlation * mean(sigma) ** 2
    if representativeness == "spread":
        freedom = count - 1.0
        spread = mean((value - centre[group]) ** 2) * count / np.maximum(freedom, 1.0)
        beyond = spread - (1.0 - error_correlation) * square
        of_all = np.sum(freedom * beyond) / max(np.sum(freedom), 1.0)
        variance += np.maximum(np.where(freedom > 0, beyond, of_all), 0.0) / count
    else:
        variance += representativeness**2 / count
    made = {name: mean(getattr(table, name)[rows]) for name in ("top", "bottom", "incidence_angle", "latitude")}
    start = table.time[first]
    time = start + np.round(mean((table.time[rows] - start[group]).astype(float))).astype("timedelta64[s]")
    east = (table.longitude[rows] - table.longitude[first][group] + 180.0) % 360.0 - 180.0
    extra = {name: mean(values[rows].astype(float)) if values.dtype.kind in "fiub" else np.full(count.size, "")
             for name, values in table.extra.items()}
    means = ObservationTable(
        table.product, table.type, centre, time, made["latitude"], table.longitude[first] + mean(east),
        np.sqrt(variance), USED, block[first], spacing, made["top"], made["bottom"],
        _equal(table.e_folding_depth[rows], group, first, table.e_folding_depth), made["incidence_angle"],
        {**extra, "averaged": count}, {**table.extra_units, "averaged": "1"}, dict(table.provenance))
    went = np.zeros(table.size, bool)
    went[rows] = True
    old = table.rejected(went, AVERAGED)
    columns = {name: np.concatenate([getattr(one, name) for one in (means, old)]) for name in COLUMNS}
    old_extra = {**old.extra, "averaged": np.zeros(old.size)}
    both = {name: np.concatenate([values, old_extra[name]]) for name, values in means.extra.items()}
    return replace(means, **columns, extra=both).with_history(f"means of blocks of {spacing:g} m")


_NOWHERE = np.iinfo(np.int64).min


def blocks_of(latitude: np.ndarray, longitude: np.ndarray, spacing: float) -> np.ndarray:
    """Return the block of each point on the sphere: bands of latitude, cut into pieces of about the same width.

    Parameters
    ----------
    latitude, longitude : array_like, shape (obs,)
        Points [degrees].
    spacing : float
        About the height of the bands and the width of the blocks [m].

    Returns
    -------
    ndarray of int64, shape (obs,)
        Negative numbers, the same for the same block at all times.

    Raises
    ------
    InputError
        If the spacing is not positive.
    """
    if not (np.isfinite(spacing) and spacing > 0):
        raise InputError(f"blocks of observations: the spacing must be positive [m], got {spacing}.")
    half_turn = np.pi * EARTH_RADIUS
    bands = max(int(np.round(half_turn / spacing)), 1)
    band = np.minimum(((np.asarray(latitude, float) + 90.0) / 180.0 * bands).astype(np.int64), bands - 1)
    width = np.cos(np.pi * ((band + 0.5) / bands - 0.5))
    pieces = np.maximum(np.round(2.0 * half_turn * width / spacing), 1.0)
    piece = np.minimum(((np.asarray(longitude, float) + 180.0) % 360.0 / 360.0 * pieces).astype(np.int64), pieces - 1)
    return -(1 + band * np.int64(2 * bands + 2) + piece.astype(np.int64))


def _of_grid(table: ObservationTable, grid: CommonGrid, spacing: float) -> np.ndarray:
    """Return the location of the nearest place of a grid within half the spacing."""
    if not (np.isfinite(spacing) and spacing > 0):
        raise InputError(f"super-observations: the spacing must be positive [m], got {spacing}.")
    points = [np.stack([np.cos(up) * np.cos(around), np.cos(up) * np.sin(around), np.sin(up)], axis=-1)
              for up, around in ((np.deg2rad(one.latitude), np.deg2rad(one.longitude)) for one in (grid, table))]
    distance, near = cKDTree(points[0]).query(points[1])
    inside = distance <= 2.0 * np.sin(min(0.5 * spacing / EARTH_RADIUS, np.pi) / 2.0)
    return np.where(inside, grid.location[near], _NOWHERE)


def _groups(
    table: ObservationTable, block: np.ndarray, interval: np.timedelta64, origin: np.datetime64 = EPOCH,
    angle_bin: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the used rows, and the number of the block, interval and way of looking of each."""
    seconds = int(np.timedelta64(interval, "s").astype(int))
    if seconds <= 0:
        raise InputError(f"blocks of observations: the interval must be positive, got {interval}.")
    if not angle_bin > 0:
        raise InputError(f"blocks of observations: angle_bin must be positive [degrees], got {angle_bin}.")
    rows = np.flatnonzero(table.used)
    since = (table.time[rows] - np.datetime64(origin, "s")).astype(np.int64)
    keys = [since // seconds, block[rows]]
    views = (table.top, table.bottom, np.floor(table.incidence_angle / angle_bin))
    keys += [np.unique(one[rows], return_inverse=True)[1] for one in views]
    keys += [np.unique(table.extra[name][rows], return_inverse=True)[1] for name in ("polarisation", "orbit")
             if name in table.extra]
    order = np.lexsort(keys)
    differs = np.zeros(max(rows.size - 1, 0), bool)
    for one in keys:
        differs |= one[order][1:] != one[order][:-1]
    group = np.zeros(rows.size, int)
    group[order[1:]] = np.cumsum(differs)
    return rows, group


def _equal(values: np.ndarray, group: np.ndarray, first: np.ndarray, column: np.ndarray) -> np.ndarray:
    """Return what the members of a group have in common, NaN where they differ."""
    common = column[first]
    same = np.bincount(group, values != common[group], common.size) == 0
    if not same.all():
        raise InputError("super-observations: rows of one block have different e-folding depths; average products with "
                         "one sensing depth.")
    return common


