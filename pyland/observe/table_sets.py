"""From a table of observations to sets on the cells of a domain, and back.

What a product says (`ObservationTable`) becomes what a filter takes (`ObservationSet`): rows of one analysis and one
way of looking make a set; each gets its cells. Nothing is lost silently: rows outside the domain or the period are
counted in the log, rows that are not used keep their reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pyland.base.errors import InputError
from pyland.base.logging import get_logger
from pyland.base.observation_reasons import OUT_OF_RANGE, in_words, reason_counts
from pyland.observe.measurement_files import error_of
from pyland.observe.observation_table import ObservationTable
from pyland.observe.observations import ObservationSet, Setting
from pyland.observe.quantities import quantity_of
from pyland.observe.target_cells import TargetCells

SAME_PLACE = ("mean", "keep")
"""What becomes of several observations of a place in one analysis."""

_LOG = get_logger("observe")


def sets_from_table(
    table: ObservationTable,
    target: TargetCells,
    *,
    name: str,
    start: np.datetime64,
    end: np.datetime64,
    step: float,
    error: float,
    relative_error: float = 0.0,
    with_sigma: bool = True,
    depth: tuple[float, float] | None = None,
    e_folding_depth: float | None = None,
    footprint: float | None = None,
    footprint_weights: str = "uniform",
    settings: Mapping[str, Setting] | None = None,
    angle_bin: float = 1.0,
    same_place: str = "mean",
) -> list[ObservationSet]:
    """Put observations on the cells of a domain.

    Parameters
    ----------
    table : ObservationTable
        Observations, used or not.
    target : TargetCells
        Cells of the domain.
    name : str
        Name of the observation entry.
    start, end : datetime64
        Period of the run (UTC); what lies after ``start`` up to ``end`` counts.
    step : float
        Interval between analyses, counted from ``start`` [s]; an observation belongs to the first one that is not
        before it.
    error : float
        Standard deviation of the error where the table has none [unit of the type].
    relative_error : float
        The same as a share of the value; ``error`` is then its floor [1].
    with_sigma : bool
        Whether errors of the table count; else ``error`` stands for all.
    depth : tuple of float, optional
        Top and bottom of what is seen [m]; default: those of the table.
    e_folding_depth : float, optional
        Depth over which the weight of the soil falls to 1/e [m]; default: that of the table.
    footprint : float, optional
        Diameter of what is seen [m], 0 for the nearest cell; default: that of the table.
    footprint_weights : str
        See `TargetCells.footprints`.
    settings : mapping, optional
        Options of the operator; ``incidence_angle`` and ``polarisation`` of the table go before them.
    angle_bin : float
        Angles of incidence within this width are one set, seen with the middle of their bin [degrees].
    same_place : {"mean", "keep"}
        Several used observations of a place in one analysis are averaged, the error variance too: errors of one
        product within a step are taken to be one error; or each is kept.

    Returns
    -------
    list of ObservationSet
        In the order of time, then of depth, polarisation and angle. Where there is more than one of these, places get
        numbers of their own in each.

    Raises
    ------
    InputError
        If an option cannot be, or no row lies in the domain and the period.
    """
    quantity, label = quantity_of(table.type), f"observation '{name}', {table.product}"
    if not (np.isfinite(error) and error > 0 and step >= 1 and step == round(step) and angle_bin > 0):
        raise InputError(f"{label}: error [{quantity.unit}] and angle_bin [degrees] must be positive and step a whole "
                         f"number of seconds, got {error}, {angle_bin}, {step}.")
    if same_place not in SAME_PLACE:
        raise InputError(f"{label}: same_place must be one of {', '.join(SAME_PLACE)}, got {same_place!r}.")
    start, end = np.datetime64(start, "s"), np.datetime64(end, "s")
    in_time = (table.time > start) & (table.time <= end)
    inside = np.zeros(table.size, bool)
    _, x, y, inside[in_time] = target.locate(
        table.latitude[in_time], table.longitude[in_time], only_inside=True)
    _LOG.info("%s: %d rows; %d outside the period, %d outside the domain", label, table.size,
              int((~in_time).sum()), int((in_time & ~inside).sum()))
    if not inside.any():
        raise InputError(f"{label}: {_why_none(table, target, in_time, start, end)}")
    chosen, x, y = table.rows(inside), x[inside[in_time]], y[inside[in_time]]
    low, high = quantity.valid_range
    chosen = chosen.rejected(~((chosen.value >= low) & (chosen.value <= high)), OUT_OF_RANGE)
    interval = np.timedelta64(round(step), "s")
    analysis = -((start - chosen.time) // interval)
    view, views = _views(chosen, depth, e_folding_depth, angle_bin)
    row, values, variance, flags, averaged = _of_places(
        chosen, np.stack([view, analysis]), _variance(chosen, error, relative_error, with_sigma), same_place)
    x, y = x[row], y[row]
    width = chosen.footprint[row] if footprint is None else np.full(row.size, float(footprint))
    cells, weights = target.footprints(x, y, width, footprint_weights)
    location = chosen.location[row] * len(views) + view[row]
    sets = []
    order = np.lexsort((location, view[row], analysis[row]))
    key = np.stack([analysis[row][order], view[row][order]])
    for part in np.split(order, np.flatnonzero((np.diff(key) != 0).any(axis=0)) + 1):
        top, bottom, decay, more = views[view[row[part[0]]]]
        time = start + analysis[row[part[0]]] * interval
        slots = max(int((cells[part] >= 0).sum(axis=1).max()), 1)
        sets.append(ObservationSet(
            name, table.type, time, values[part], variance[part], x[part], y[part], cells[part, :slots],
            weights[part, :slots], top, bottom, location[part], flags[part], decay, {**(settings or {}), **more}))
    _LOG.info("%s: %d sets, %s; %d averaged into another", label, len(sets), in_words(reason_counts(flags)), averaged)
    return sets


def _why_none(table: ObservationTable, target: TargetCells, in_time: np.ndarray, start: np.datetime64,
              end: np.datetime64) -> str:
    if not in_time.any():
        return (f"none of the {table.size} rows lies after {start} up to {end}; they have {table.time.min()} to "
                f"{table.time.max()}.")
    first = int(np.argmax(in_time))
    return (f"all {int(in_time.sum())} rows of the period lie outside the domain; the first at latitude "
            f"{table.latitude[first]:.4f}, longitude {table.longitude[first]:.4f}; the domain covers "
            f"{target.bounds()}.")


def _variance(table: ObservationTable, error: float, relative_error: float, with_sigma: bool) -> np.ndarray:
    """Return error variances, (obs,)."""
    otherwise = error_of(table.value, error, relative_error)
    known = with_sigma & np.isfinite(table.sigma) & (table.sigma > 0)
    return np.where(known, table.sigma, otherwise) ** 2


def _views(
    table: ObservationTable, depth: tuple[float, float] | None, e_folding_depth: float | None, angle_bin: float
) -> tuple[np.ndarray, list[tuple[float, float, float, dict[str, Setting]]]]:
    """Return the way of looking of each row, and window, e-folding depth and settings of each way."""
    top, bottom = (table.top, table.bottom) if depth is None else (np.full(table.size, float(d)) for d in depth)
    decay = table.e_folding_depth if e_folding_depth is None else np.full(table.size, float(e_folding_depth))
    angle = (np.floor(table.incidence_angle / angle_bin) + 0.5) * angle_bin
    polarisation = table.extra.get("polarisation", np.full(table.size, "")).astype(str)
    kinds, word = np.unique(polarisation, return_inverse=True)
    columns = np.stack([top, bottom, word.astype(float), angle, decay])
    ways, way = np.unique(np.where(np.isnan(columns), -np.inf, columns), axis=1, return_inverse=True)
    found = []
    for one in ways.T:
        first, last, which, seen, fall = np.where(one == -np.inf, np.nan, one)
        more: dict[str, Setting] = {} if np.isnan(seen) else {"incidence_angle": float(seen)}
        if kinds[int(which)]:
            more["polarisation"] = str(kinds[int(which)])
        found.append((float(first), float(last), float(fall), more))
    return way.reshape(-1), found


def _of_places(
    table: ObservationTable, group: np.ndarray, variance: np.ndarray, same_place: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]:
    """Return row, value, variance and flag of what is kept, and how many rows went into another.

    ``group`` (2, obs) says which rows are seen together. A place with a used row has the mean of the used ones, else
    its first row.
    """
    if same_place == "keep":
        return np.arange(table.size), table.value, variance, table.flag, 0
    order = np.lexsort((~table.used, table.location, group[1], group[0]))
    key = np.stack([group[0][order], group[1][order], table.location[order]])
    is_first = np.concatenate([[True], (np.diff(key) != 0).any(axis=0)])
    place, used = np.cumsum(is_first) - 1, table.used[order]
    row = order[is_first]
    count = np.bincount(place, used, row.size)
    several = count > 1
    safe = np.maximum(count, 1)
    values, errors = table.value[row].copy(), variance[row].copy()
    for out, given in ((values, table.value), (errors, variance)):
        origin = out[place]  # sums of differences: rows that are alike give their own value
        more = np.where(used, given[order] - origin, 0.0)
        out[several] += (np.bincount(place, more, row.size) / safe)[several]
    return row, values, errors, table.flag[row], int((safe - 1).sum())


def table_of_sets(
    sets: Sequence[ObservationSet], target: TargetCells, *, product: str, footprint: float = 0.0
) -> ObservationTable:
    """Return the observations of sets of one name as a table, with the places that `sets_from_table` puts back.

    Parameters
    ----------
    sets : sequence of ObservationSet
        At least one, of one name.
    target : TargetCells
        Cells of the domain that they lie on.
    product : str
        Name of the product in the table.
    footprint : float
        Diameter of what is seen [m].

    Raises
    ------
    InputError
        If there is no set.
    """
    if not sets:
        raise InputError(f"{product}: there are no observations to make a table of.")
    size = [one.size for one in sets]
    x, y = (np.concatenate([getattr(one, axis) for one in sets]) for axis in ("x", "y"))
    latitude, longitude = target.geographic(x, y)
    angle = [float(one.settings.get("incidence_angle", np.nan)) for one in sets]
    words = [str(one.settings.get("polarisation", "")) for one in sets]
    joined = {name: np.concatenate([getattr(one, attribute) for one in sets])
              for name, attribute in (("value", "values"), ("flag", "flags"), ("location", "location"))}
    return ObservationTable(
        product, sets[0].type, time=np.repeat(np.array([one.time for one in sets]), size), latitude=latitude,
        longitude=longitude, sigma=np.sqrt(np.concatenate([one.variance for one in sets])), footprint=footprint,
        top=np.repeat([one.top for one in sets], size), bottom=np.repeat([one.bottom for one in sets], size),
        e_folding_depth=np.repeat([one.e_folding_depth for one in sets], size),
        incidence_angle=np.repeat(angle, size),
        extra={"polarisation": np.repeat(np.array(words, object), size)} if any(words) else {},
        provenance={"reader": "twin", "history": f"observed of a truth as '{sets[0].name}'"}, **joined).sorted()
