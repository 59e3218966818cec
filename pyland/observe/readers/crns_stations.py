"""Counts of cosmic-ray neutron sensors from the text files of their loggers.

Counts of a record become counts per hour through its length. Nothing is corrected here: pressure, humidity and the
incoming flux come along as columns, and a file of corrected counts says so in the provenance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from pyland.base.errors import InputError
from pyland.base.observation_reasons import QUALITY, SNOW, USED
from pyland.base.record_lengths import record_lengths
from pyland.base.text_columns import TextColumns
from pyland.base.text_layout import Column, TextLayout
from pyland.observe.observation_table import ObservationTable
from pyland.observe.quantities import QUANTITIES
from pyland.observe.readers.point_table import (
    checked_place,
    in_unit,
    joined_rows,
    place_number,
    range_flags,
    without_repeats,
)

EXTRA = MappingProxyType({
    "pressure": "Pa", "relative_humidity": "1", "air_temperature": "K", "absolute_humidity": "kg m-3",
    "incoming_flux": "1", "muons": "h-1", "thermal_neutrons": "h-1",
})
"""Columns that come along where the file has them, and their units; counts of muons and of slow neutrons as rates,
the incoming flux in the unit of the file."""

_COUNTS = ("counts", "corrected_counts")
_KNOWN = (*_COUNTS, "counts_error", "record_length", "quality_flag", "snow_flag", "latitude", "longitude", *EXTRA)

CRNS_LAYOUTS = MappingProxyType({
    "campbell_crns": TextLayout(  # crnpy's KS003, a CR300 with two tubes
        time=("TIMESTAMP",), header=2, units_line=3, first=5, missing=(-7999.0, 7999.0),
        columns={
            "counts": Column(("counts_1_Tot", "counts_2_Tot"), "counts"), "latitude": Column(("latitude",), "degree"),
            "longitude": Column(("longitude",), "degree"), "pressure": Column(("barometric_pressure_Avg",), "mbar"),
            "relative_humidity": Column(("relative_humidity_Avg",), "%"),
            "air_temperature": Column(("air_temperature_Avg",), "degC"),
        }),
    "neptoon_hourly": TextLayout(  # neptoon's FSC001
        time=("DateTime_utc",),
        columns={
            "counts": Column(("NeutronCount_Epithermal_Cum1h",), "counts"), "pressure": Column(("AirPressure",), "hPa"),
            "thermal_neutrons": Column(("NeutronCount_Slow_Cum1h",), "counts"),
            "relative_humidity": Column(("AirHumidity_Relative",), "%"),
            "air_temperature": Column(("AirTemperature",), "degC"),
        }),
    "neptoon_corrected": TextLayout(  # neptoon's Sheepdrove2, counts that are corrected already
        time=("DateTime_utc",),
        columns={
            "corrected_counts": Column(("NeutronCount_Epithermal_Cum1h_corrected",), "h-1"),
            "counts_error": Column(("NeutronCount_Epithermal_Cum1h_corrected_std",), "h-1"),
            "quality_flag": Column(("Flag_Extreme_Counts",)), "snow_flag": Column(("Flag_Snow_ERA5",)),
            "absolute_humidity": Column(("AirHumidity_gapfilled",), "g/m**3"),
            "pressure": Column(("air_pressure",), "hPa"),
        }),
    "finapp": TextLayout(  # a Finapp detector writes counts per hour, whatever the integration time
        time=("Datetime",),
        columns={
            "counts": Column(("neutrons",), "h-1"), "muons": Column(("muons",), "h-1"),
            "record_length": Column(("integration_time(s)",), "s"), "pressure": Column(("pressure(hPa)",), "hPa"),
            "relative_humidity": Column(("ur(%)",), "%"), "air_temperature": Column(("temperature_ext(C)",), "degC"),
        }),
    "rdt": TextLayout(  # crnpy's rover-type station with three detectors, no header
        time=("time",), header=None, time_pattern="%m/%d/%Y %H:%M",
        names=("time", "pressure", "relative_humidity", "air_temperature", "dew_point", "battery", "counts_1",
               "counts_2", "counts_3"),
        columns={
            "counts": Column(("counts_1", "counts_2", "counts_3"), "counts"), "pressure": Column(("pressure",), "mbar"),
            "relative_humidity": Column(("relative_humidity",), "%"),
            "air_temperature": Column(("air_temperature",), "degC"),
        }),
})
"""Layouts with a name; loggers of Campbell write 7999 where a number is too large for their format."""

FOOTPRINT = 400.0
"""Diameter within which 86 % of the neutrons come from, middle of 130 to 240 m of radius [m]: Koehli et al. (2015),
Water Resour. Res. 51, 5772-5790."""

SPIKE = 0.5
"""Largest departure from the median of a day: rain changes counts by less than a fifth, a pulse of the electronics by
more than this [1]."""

_SPIKE_ERRORS = 6.0  # counting errors that a departure must exceed as well, for detectors that count little
_HALF_DAY = 43200.0  # records so far before and after one are compared with it [s]
_MOST_NEIGHBOURS = 144  # on each side, half a day of records of five minutes: bounds the memory


def read_crns(
    paths: list[Path], *, period: object = None, bounds: object = None, layout: object = "campbell_crns",
    latitude: float | None = None, longitude: float | None = None, station: str | None = None,
    detectors: Sequence[str] | None = None, utc_offset: float | None = None, time_label: str = "end",
    footprint: float = FOOTPRINT, spike: float | None = SPIKE,
) -> ObservationTable:
    """Read neutron counts of stations.

    Parameters
    ----------
    paths : list of Path
        Files of one station, or of several if they say where they are.
    period, bounds : optional
        See `pyland.observe.readers.read_product`.
    layout : str, Path, mapping or TextLayout
        One of `CRNS_LAYOUTS`, a YAML file or a mapping; quantities are ``counts`` (columns of one or several
        detectors; unit ``counts`` per record, or a rate), ``corrected_counts``, ``counts_error``, ``record_length``,
        ``quality_flag``, ``snow_flag`` (not zero: rejected), ``latitude``, ``longitude`` and those of `EXTRA`.
    latitude, longitude : float, optional
        Of the station [degrees], where the file has no columns of them.
    station : str, optional
        Its name; the name of the file by default.
    detectors : sequence of str, optional
        Columns of the detectors to add up; all of the layout by default. A record counts only if all of them do.
    utc_offset : float, optional
        Local standard time of the file minus UTC [h].
    time_label : {"end", "start", "middle"}
        What the times mark; the table has the middle of each record.
    footprint : float
        Diameter of the seen area [m].
    spike : float or None
        Largest departure of a detector from the median of the day around it [1]; None: not checked.

    Returns
    -------
    ObservationTable
        Type ``crns`` [h-1]; sigma of the counting statistics (square root of the counts); extra columns ``detector_1``,
        ``detector_2``, ... [h-1], ``record_length`` [s] and those of `EXTRA` that the file has. Records in which a
        detector is silent or far from its neighbours have the reason of a quality flag.

    Raises
    ------
    InputError
        If a column, unit or the place is missing, times run backward, or no count can be.
    """
    plan = TextLayout.of(layout, CRNS_LAYOUTS, _KNOWN)
    if time_label not in ("end", "start", "middle"):
        raise InputError(f"crns: time_label must be end, start or middle, got '{time_label}'.")
    if footprint < 0.0:
        raise InputError(f"crns: footprint must not be negative, got {footprint:g} m.")
    kinds = [one for one in _COUNTS if one in plan.columns]
    if len(kinds) != 1:
        raise InputError(f"crns: the layout must name the columns of either {' or '.join(_COUNTS)}.")
    parts = []
    for path in paths:
        table = plan.read(path)
        parts.append(_station(plan, table, kinds[0], detectors, utc_offset, time_label, spike,
                              (latitude, longitude), station or (path.stem if len(paths) > 1 else None)))
    if len({frozenset(part.extra) for part in parts}) > 1:
        parts = _same_columns(parts)
    found = joined_rows([replace(part, footprint=np.full(part.size, footprint)) for part in parts], period, bounds)
    found.provenance["corrections"] = (
        "done by the provider: pressure, humidity, incoming flux" if kinds[0] == "corrected_counts" else "none")
    return found


def _station(plan: TextLayout, table: TextColumns, kind: str, detectors: Sequence[str] | None,
             utc_offset: float | None, label: str, spike: float | None,
             place: tuple[float | None, float | None], station: str | None) -> ObservationTable:
    """Return the rows of one file."""
    where = str(table.path)
    times = plan.times(table, utc_offset)
    fresh = without_repeats(times, where, table.lines)
    lengths = _lengths(plan, table, times, fresh)
    rates, errors, flags = _rates(plan, table, kind, detectors, lengths, spike)
    latitude, longitude = _place(plan, table, place)
    total = rates.sum(axis=0)
    new = range_flags(total, "crns", f"{where}: {kind.replace('_', ' ')}")
    flags = np.where(new != USED, new, flags).astype(np.int8)
    for quantity, reason in (("quality_flag", QUALITY), ("snow_flag", SNOW)):
        for name in plan.columns[quantity].names if plan.has(table, quantity) else ():
            raised = np.nan_to_num(table.numbers(name, plan.missing)) != 0.0
            flags[raised & (flags == USED)] = reason
    extra, units = {"record_length": lengths}, {"record_length": "s"}
    for number, one in enumerate(rates if len(rates) > 1 else (), 1):
        extra[f"detector_{number}"], units[f"detector_{number}"] = one, "h-1"
    for quantity, unit in EXTRA.items():
        if plan.has(table, quantity):
            if quantity == "incoming_flux":  # of a neutron monitor, in its own unit: only ratios of it are used
                extra[quantity] = table.numbers(plan.columns[quantity].names[0], plan.missing)
                unit = plan.columns[quantity].unit or unit
            elif unit == "h-1":
                extra[quantity] = _hourly(plan, table, quantity, plan.columns[quantity].names[0], lengths)
            else:
                extra[quantity] = plan.values(table, quantity, unit)
            units[quantity] = unit
    shift = {"end": -0.5, "middle": 0.0, "start": 0.5}[label]
    middle = times + np.round(shift * lengths).astype("timedelta64[s]")
    name = station or table.path.stem
    return ObservationTable(
        "cosmic-ray neutrons", "crns", total, middle, latitude, longitude, sigma=errors, flag=flags,
        location=np.full(total.size, place_number(name)), extra={**extra, "station": np.full(total.size, name)},
        extra_units=units)


def _lengths(plan: TextLayout, table: TextColumns, times: np.ndarray, fresh: np.ndarray) -> np.ndarray:
    """Return the length of each record [s]; of one without its own, the step to the record before."""
    steps = record_lengths(times[fresh], str(table.path))[np.cumsum(fresh) - 1]
    if not plan.has(table, "record_length"):
        return steps
    own = plan.values(table, "record_length", "s")
    if (own <= 0.0).any():
        row = int(np.argmax(own <= 0.0))
        raise InputError(f"{table.path}, line {table.lines[row]}: the length of a record must be above 0 s, got "
                         f"{own[row]:g}.")
    return np.where(np.isfinite(own), own, steps)


def _rates(plan: TextLayout, table: TextColumns, kind: str, detectors: Sequence[str] | None, lengths: np.ndarray,
           spike: float | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return counts per hour (detector, row), the error of their sum (row,) [h-1] and flags (row,)."""
    names = plan.columns[kind].names
    chosen = names if detectors is None else tuple([detectors] if isinstance(detectors, str) else detectors)
    for name in chosen:
        if name not in names:
            raise InputError(f"{table.path}: detectors has no '{name}'; the layout has {', '.join(names)}.")
    if not chosen:
        raise InputError(f"{table.path}: detectors is empty; the layout has {', '.join(names)}.")
    rates = np.array([_hourly(plan, table, kind, name, lengths) for name in chosen])
    # sqrt(rate length / 3600 s) counts, as a rate
    errors = np.sqrt(np.maximum(rates.sum(axis=0), 0.0) * 3600.0 / lengths)
    if plan.has(table, "counts_error"):
        name = plan.columns["counts_error"].names[0]
        errors = in_unit(table.numbers(name, plan.missing), plan.unit_of(table, "counts_error", name), "crns",
                         f"{table.path}: column '{name}'")
    wrong = (rates <= 0.0).any(axis=0)
    if spike is not None:
        if not spike > 0.0:
            raise InputError(f"{table.path}: spike must be above 0, got {spike:g}.")
        for one in rates:
            wrong |= _spikes(one, lengths, spike)
    return rates, errors, np.where(wrong, QUALITY, USED).astype(np.int8)


def _hourly(plan: TextLayout, table: TextColumns, quantity: str, name: str, lengths: np.ndarray) -> np.ndarray:
    """Return counts of a column per hour (row,)."""
    unit = plan.unit_of(table, quantity, name)
    values = table.numbers(name, plan.missing)
    if unit in ("counts", "count"):
        return values * 3600.0 / lengths
    if unit not in QUANTITIES["crns"].factors:
        raise InputError(f"{table.path}: column '{name}' has the unit '{unit}'; neutrons are 'counts' of a record, or "
                         f"a rate in {', '.join(QUANTITIES['crns'].factors)}.")
    return in_unit(values, unit, "crns", f"{table.path}: column '{name}'")


def _spikes(rates: np.ndarray, lengths: np.ndarray, spike: float) -> np.ndarray:
    """Return which records (row,) are farther from the median of those around than ``spike`` and counting errors.

    Where a detector is silent for longer than the window, silence is its median, and not judged here.
    """
    valid = np.isfinite(rates) & (rates > 0.0)
    side = int(np.clip(round(_HALF_DAY / np.median(lengths)), 2, _MOST_NEIGHBOURS))
    padded = np.pad(np.where(valid, rates, np.nan), side, constant_values=np.nan)
    window = np.sort(np.lib.stride_tricks.sliding_window_view(padded, 2 * side + 1), axis=1)
    count = np.isfinite(window).sum(axis=1)
    middle = np.maximum(count - 1, 0) // 2
    rows = np.arange(rates.size)
    median = 0.5 * (window[rows, middle] + window[rows, np.maximum(count, 1) // 2])
    error = np.sqrt(np.maximum(np.nan_to_num(median), 0.0) * 3600.0 / lengths)
    far = np.abs(rates - median)
    return valid & (count > 2) & (far > spike * median) & (far > _SPIKE_ERRORS * error)


def _place(plan: TextLayout, table: TextColumns, place: tuple[float | None, float | None]) -> tuple[float, float]:
    """Return latitude and longitude [degrees] of the options, else the medians of the columns."""
    found = []
    for given, quantity in zip(place, ("latitude", "longitude"), strict=True):
        if given is None and plan.has(table, quantity):
            column = table.numbers(plan.columns[quantity].names[0], plan.missing)
            given = float(np.median(column[np.isfinite(column)])) if np.isfinite(column).any() else np.nan
        found.append(given)
    return checked_place(found[0], found[1], str(table.path))


def _same_columns(parts: list[ObservationTable]) -> list[ObservationTable]:
    """Return tables with the same extra columns; numbers that one lacks are NaN."""
    units = {name: unit for part in parts for name, unit in part.extra_units.items()}
    return [replace(part, extra_units=units, extra={
        **part.extra, **{name: np.full(part.size, np.nan) for name in units if name not in part.extra}})
        for part in parts]
