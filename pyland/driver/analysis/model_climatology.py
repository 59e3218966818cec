"""What an open loop shows where and when observations are: the climatology to which these can be brought."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.base.logging import get_logger
from pyland.base.observation_reasons import FROZEN, REASONS, SNOW, USED
from pyland.observe import ObservationSet, Setting, operator_for, scene_of

DIURNAL = ("lst", "sif")
"""Types that change with the hour by more than with the day."""

LONGEST_RECORD = np.timedelta64(3, "h")
"""Longest interval of a history whose means stand for what these types are at a time."""

_LOG = get_logger("observe")


def seen_of_history(
    sets: list[ObservationSet], history: Path, thickness: np.ndarray,
    static: Mapping[str, np.ndarray] | None = None
) -> list[np.ndarray]:
    """Return what the operators see of the ensemble mean of a history, for each observation of each set.

    Parameters
    ----------
    sets : list of ObservationSet
        Sets of one name.
    history : Path
        History of the open loop.
    thickness : numpy.ndarray, shape (layer,)
        Thickness of the layers that hold water [m].
    static : mapping of str to numpy.ndarray, shape ([layer,] cell), optional
        Static fields of all cells.

    Returns
    -------
    list of numpy.ndarray, shape (obs,)
        By set, of the record whose interval holds its time [unit of the type]; NaN where no cell is seen.

    Raises
    ------
    InputError
        If the history does not hold what is observed.
    """
    found: list[np.ndarray] = [np.zeros(0)] * len(sets)
    with xr.open_dataset(history) as data:
        record = _record_of(sets, data)
        for alike in _groups(sets):
            one = sets[alike[0]]
            operator = operator_for(one.type, one.settings)
            if not operator.recorded:
                raise InputError(
                    f"observations '{one.name}': a history does not hold what type {one.type} sees with these options "
                    "of `operator`; scaling needs others.")
            lacking = [name for name in operator.recorded if name not in data]
            if lacking:
                raise InputError(f"observations '{one.name}': scaling needs {lacking[0]} in output.variables.")
            _warn_of_means(one, data)
            records, position = np.unique(record[alike], return_inverse=True)
            held = {name: _records(data[name], records) for name in operator.recorded}
            columns = operator.of_history(held, scene_of(one, thickness, static or {}))
            for place, row in zip(alike, position, strict=True):
                found[place] = _footprints(columns[row], sets[place])
    return found


def hidden_in_history(
    sets: list[ObservationSet], history: Path, frozen: float | None, snow: float | None
) -> list[np.ndarray]:
    """Return the flags of sets with those rejected whose ground an open loop has frozen or under snow.

    What will be rejected in the analysis must not be in the climatology either: values of frozen ground are other than
    those that are left, and shift the mean of all.

    Parameters
    ----------
    sets : list of ObservationSet
        Sets of one name.
    history : Path
        History of the open loop.
    frozen : float or None
        Temperature of the top layer below which ground is frozen [K]; None: not asked.
    snow : float or None
        Mass of snow above which it hides the ground [kg m-2]; None: not asked.

    Returns
    -------
    list of numpy.ndarray of int8, shape (obs,)
        By set. A limit whose field the history lacks is not asked, with a warning.
    """
    flags = [one.flags.copy() for one in sets]
    if not sets:
        return flags
    with xr.open_dataset(history) as data:
        record = _record_of(sets, data)
        for name, limit, reason in (("soil_temperature", frozen, FROZEN), ("snow_mass", snow, SNOW)):
            if limit is None:
                continue
            if name not in data:
                _LOG.warning("observations '%s': scaling cannot leave out what is %s, as output.variables has no %s; "
                             "the climatology holds observations that the analysis will reject", sets[0].name,
                             REASONS[reason], name)
                continue
            records, position = np.unique(record, return_inverse=True)
            field = _records(data[name], records)
            field = field[0] if field.ndim == 3 else field
            for place, one in enumerate(sets):
                seen = _footprints(field[position[place]], one)
                hides = seen < limit if reason == FROZEN else seen > limit
                flags[place][hides & (flags[place] == USED)] = reason
    return flags


def statistics_by_place(sets: list[ObservationSet], seen: list[np.ndarray]) -> tuple[dict[int, float], ...]:
    """Return mean and standard deviation over time (division by n) of what is seen, by ``location`` of used ones."""
    place = np.concatenate([one.location[one.used] for one in sets])
    values = np.concatenate([values[one.used] for one, values in zip(sets, seen, strict=True)])
    location, first, index = np.unique(place, return_index=True, return_inverse=True)
    count = np.bincount(index, minlength=location.size)
    origin = values[first]  # sums of differences from it: a constant series has the standard deviation 0 exactly
    shift = np.bincount(index, values - origin[index], location.size) / count
    std = np.sqrt(np.bincount(index, (values - origin[index] - shift[index]) ** 2, location.size) / count)
    keys = location.tolist()
    return dict(zip(keys, (origin + shift).tolist(), strict=True)), dict(zip(keys, std.tolist(), strict=True))


def storage_baseline(sets: list[ObservationSet], history: Path, settings: Mapping[str, Setting]) -> list[np.ndarray]:
    """Return the mean of the stored water of an open loop over the period of a product, for each observation.

    Parameters
    ----------
    sets : list of ObservationSet
        Sets of one name, of type tws.
    history : Path
        History of the open loop.
    settings : mapping
        With ``baseline_start`` and ``baseline_end``, times as text (UTC).

    Returns
    -------
    list of numpy.ndarray, shape (obs,)
        By set [kg m-2].

    Raises
    ------
    InputError
        If the history does not hold the water, or nothing of the period.
    """
    name, start, end = "terrestrial_water_storage", settings["baseline_start"], settings["baseline_end"]
    with xr.open_dataset(history) as data:
        if name not in data:
            raise InputError(f"observations '{sets[0].name}': type tws needs {name} in output.variables.")
        times = data["time"].values.astype("datetime64[s]")
        inside = np.flatnonzero((times >= np.datetime64(start, "s")) & (times <= np.datetime64(end, "s")))
        if not inside.size:
            raise InputError(f"observations '{sets[0].name}': operator.baseline_start {start} to baseline_end {end} "
                             f"has no record of the open loop, which holds {times[0]} to {times[-1]}.")
        mean = _records(data[name], inside).mean(axis=0)
    return [_footprints(mean, one) for one in sets]


def _record_of(sets: list[ObservationSet], data: xr.Dataset) -> np.ndarray:
    """Return the record whose interval holds the time of each set, (set,)."""
    times = data["time"].values.astype("datetime64[s]")
    return np.clip(np.searchsorted(times, np.array([one.time for one in sets])), 0, times.size - 1)


def _warn_of_means(one: ObservationSet, data: xr.Dataset) -> None:
    """Warn where the record of a day stands for an hour of it."""
    if one.type not in DIURNAL or "time_bounds" not in data:
        return
    bounds = data["time_bounds"].values
    width = np.diff(bounds.astype("datetime64[s]") if bounds.dtype.kind == "M" else bounds, axis=1).max()
    hours = width / np.timedelta64(3600, "s") if bounds.dtype.kind == "M" else float(width) / 3600.0
    if hours > LONGEST_RECORD / np.timedelta64(1, "h"):
        _LOG.warning("observations '%s': scaling brings them to means of %g h of the open loop, but type %s changes "
                     "with the hour: an overpass at noon would become a mean of the day. Set output.every to 3 h or "
                     "less, or give a climatology", one.name, hours, one.type)


def _groups(sets: list[ObservationSet]) -> list[np.ndarray]:
    """Return the places of sets that are seen alike."""
    by_view: dict[str, list[int]] = {}
    for place, one in enumerate(sets):
        view = (one.type, one.top, one.bottom, one.e_folding_depth, sorted(one.settings.items()))
        by_view.setdefault(repr(view), []).append(place)
    return [np.array(places) for places in by_view.values()]


def _records(field: xr.DataArray, records: np.ndarray) -> np.ndarray:
    """Return records of a variable, ([layer,] record, cell)."""
    values = field.isel(time=records).values
    vertical = [one for one in field.dims if str(one).endswith("layer")]
    if not vertical:
        return values.reshape(records.size, -1)
    values = np.moveaxis(values, field.dims.index(vertical[0]), 0)
    return values.reshape(values.shape[0], records.size, -1)


def _footprints(columns: np.ndarray, one: ObservationSet) -> np.ndarray:
    """Return the means over the footprints of a set, (obs,), NaN of one without cells."""
    weights = np.where(one.cells >= 0, one.weights, 0.0)
    values = np.where(weights > 0.0, columns[np.maximum(one.cells, 0)], 0.0)
    return np.where((weights > 0.0).any(axis=1), (values * weights).sum(axis=1), np.nan)


__all__ = ["hidden_in_history", "seen_of_history", "statistics_by_place", "storage_baseline"]
