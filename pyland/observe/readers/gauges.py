"""Discharge of rivers at gauges: GRDC station files, USGS RDB files, and any other text by its columns.

GRDC files and those of the USGS are known by their first lines. Means of a day have the middle of the day as their
time; the day is that of the gauge's clock, so its offset from UTC matters where rivers rise fast.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from pyland.base.errors import InputError
from pyland.base.observation_reasons import FROZEN, QUALITY, USED
from pyland.base.text_columns import TextColumns, read_text_columns
from pyland.base.text_layout import Column, TextLayout
from pyland.observe.observation_table import ObservationTable
from pyland.observe.readers.point_table import checked_place, in_unit, joined_rows, place_number, range_flags

GAUGE_LAYOUTS = MappingProxyType({
    "gauges": TextLayout(time=("time",), columns={
        "discharge": Column(("discharge",), "m3 s-1"), "latitude": Column(("latitude",), "degree"),
        "longitude": Column(("longitude",), "degree"), "gauge": Column(("gauge",)),
    }),
})
"""Layouts with a name: columns time, discharge, latitude, longitude and gauge."""

TIME_ZONES = MappingProxyType({
    "UTC": 0.0, "GMT": 0.0, "AST": -4.0, "ADT": -3.0, "EST": -5.0, "EDT": -4.0, "CST": -6.0, "CDT": -5.0, "MST": -7.0,
    "MDT": -6.0, "PST": -8.0, "PDT": -7.0, "AKST": -9.0, "AKDT": -8.0, "HST": -10.0,
})
"""Zones of RDB files and their offsets from UTC [h]."""

_KNOWN = ("discharge", "latitude", "longitude", "gauge", "quality")
_DISCHARGE = "00060"  # parameter code of the USGS
_UNITS_GRDC = ("m³/s", "m3/s", "m^3/s")
_DAY = np.timedelta64(86400, "s")


class _Place(NamedTuple):
    latitude: float | None
    longitude: float | None
    gauge: str | None


def read_gauges(
    paths: list[Path], *, period: object = None, bounds: object = None, layout: object = None,
    latitude: float | None = None, longitude: float | None = None, gauge: str | None = None,
    utc_offset: float | None = None, statistic: str = "00003", accepted: tuple[str, ...] = ("A", "P"),
    daily: bool | None = None, sigma: float | None = None, relative_sigma: float = 0.0,
) -> ObservationTable:
    """Read discharge.

    Parameters
    ----------
    paths : list of Path
        Files, one gauge each (a text file of a layout may have several).
    period, bounds : optional
        See `pyland.observe.readers.read_product`.
    layout : str, Path, mapping or TextLayout, optional
        Of text files that are neither GRDC's nor RDB: one of `GAUGE_LAYOUTS`, a YAML file or a mapping with the
        quantities ``discharge``, ``latitude``, ``longitude``, ``gauge``, ``quality``; ``gauges`` by default.
    latitude, longitude : float, optional
        Of the gauge [degrees], where the file is silent: RDB files are.
    gauge : str, optional
        Its name or number, where the file is silent.
    utc_offset : float, optional
        Local standard time of the file minus UTC [h]; refused where an RDB file says its zones.
    statistic : str
        Of RDB files with daily values: code of the statistic, ``00003`` is the mean.
    accepted : tuple of str
        Qualifiers of RDB files to use: ``A`` approved, ``P`` provisional; with any other (``e`` estimated) a value has
        the reason of a quality flag, and ``Ice`` that of frost.
    daily : bool, optional
        Whether times are dates of daily means; by default they are if all of them are midnight and more than an hour
        apart.
    sigma : float, optional
        Standard deviation of the error of small flows [m3 s-1]; unknown without it.
    relative_sigma : float
        Share of the flow that is added as an independent error [1]; rating curves have about 0.1.

    Returns
    -------
    ObservationTable
        Type ``discharge`` [m3 s-1] at the middle of the day or at the time of the sample; extra ``gauge``, and from
        GRDC ``river``, ``catchment_area`` [m2].

    Raises
    ------
    InputError
        If place or unit is missing, a line is truncated, or no discharge can be.
    """
    place = _Place(latitude, longitude, gauge)
    accepted = (accepted,) if isinstance(accepted, str) else tuple(accepted)
    parts = []
    for path in paths:
        kind = _kind(path)
        if kind == "grdc":
            part = _grdc(path, utc_offset)
        elif kind == "rdb":
            part = _rdb(path, place, utc_offset, statistic, accepted)
        else:
            part = _text(path, TextLayout.of(layout or "gauges", GAUGE_LAYOUTS, _KNOWN), place, utc_offset, accepted)
        parts.append(_at_middle(part, daily))
    names = {name for part in parts for name in part.extra}
    for part in parts:  # files of GRDC beside others
        lacking = {"river": "", "catchment_area": np.nan}
        part.extra |= {name: np.full(part.size, lacking[name]) for name in names - set(part.extra)}
        part.extra_units |= {"catchment_area": "m2"} if "catchment_area" in names else {}
    return joined_rows(parts, period, bounds, sigma=sigma, relative_sigma=relative_sigma)


def _kind(path: Path) -> str:
    """Tell the format of a file by its first lines."""
    if not path.is_file():
        raise InputError(f"{path}: no such file.")
    with path.open("rb") as stream:
        head = stream.read(20000).decode("latin-1")
    lines = head.splitlines()
    if "GRDC STATION DATA FILE" in head:
        return "grdc"
    first = next((line for line in lines if not line.startswith("#")), "")
    return "rdb" if first.startswith("agency_cd\tsite_no") else "text"


def _grdc(path: Path, utc_offset: float | None) -> ObservationTable:
    """Return the rows of a GRDC file: comments with ``#`` say all of the gauge."""
    table = _read_after_comments(path, ";")
    about = {}
    for line in _comments(path):
        name, colon, text = line.lstrip("# ").partition(":")
        if colon:
            about[name.strip().lower()] = text.strip()
    number = about.get("grdc-no.")
    if number is None:
        raise InputError(f"{path}: the comments have no 'GRDC-No.'; the header may be cut off.")
    latitude, longitude = (_number_of(about.get(f"{name} (dd)")) for name in ("latitude", "longitude"))
    latitude, longitude = checked_place(latitude, longitude, f"{path}: gauge {number}")
    unit = about.get("unit of measure", "")
    if unit not in _UNITS_GRDC:
        raise InputError(f"{path}: the unit of measure must be m3/s, got '{unit}'; gauges have discharge, not stage.")
    value = next((name for name in ("Value", "Original", "Calculated") if name in table.cells), None)
    date = next((name for name in table.cells if name.startswith("YYYY-MM-DD")), None)
    if value is None or date is None:
        raise InputError(f"{path}: expected the columns YYYY-MM-DD;hh:mm;Value, got {', '.join(table.cells)}.")
    numbers = table.numbers(value, missing=(-999.0, -99.0))
    times = table.times(date, "%Y-%m-%d", utc_offset)
    clock = table.cells.get("hh:mm")
    if clock is not None and not np.isin(clock, ("--:--", "")).all():
        texts = np.char.add(np.char.add(table.texts(date), " "), np.where(clock == "--:--", "00:00", clock))
        times = _stamps(table, texts, "%Y-%m-%d %H:%M", utc_offset)
    area = next((_number_of(text) for name, text in about.items() if name.startswith("catchment area")), None)
    extra = {"gauge": np.full(numbers.size, number), "river": np.full(numbers.size, about.get("river", "")),
             "catchment_area": np.full(numbers.size, 1.0e6 * area if area is not None and area > 0.0 else np.nan)}
    return ObservationTable("gauges", "discharge", numbers, times, latitude, longitude,
                            flag=range_flags(numbers, "discharge", str(path)),
                            location=np.full(numbers.size, place_number(number)), extra=extra,
                            extra_units={"catchment_area": "m2"})


def _rdb(path: Path, place: _Place, utc_offset: float | None, statistic: str, accepted: tuple[str, ...],
         ) -> ObservationTable:
    """Return the rows of a file of the USGS: tabs, a line of names, a line of widths, qualifiers beside values."""
    table = _read_after_comments(path, "\t", skip=1)
    wanted = [name for name in table.cells if re.fullmatch(rf"\w+_{_DISCHARGE}(_{statistic})?", name)]
    if not wanted:
        raise InputError(f"{path}: has no column of discharge, TS_{_DISCHARGE} or TS_{_DISCHARGE}_{statistic}; the "
                         f"columns are {', '.join(table.cells)}.")
    if len(wanted) > 1:
        raise InputError(f"{path}: has {len(wanted)} columns of discharge ({', '.join(wanted)}); keep one series.")
    texts = table.texts(wanted[0])
    is_ice = np.char.lower(texts) == "ice"
    words = np.array([not _is_number(text) for text in texts.tolist()])  # Ice, Eqp, Bkw, ...: no value, and why
    cubic_feet = np.where(words, "nan", texts).astype(float)
    numbers = in_unit(cubic_feet, "ft3 s-1", "discharge", str(path))
    flags = range_flags(np.where(cubic_feet <= -999999.0, np.nan, numbers), "discharge", f"{path}: '{wanted[0]}'")
    flags[is_ice] = FROZEN
    qualifier = table.cells.get(f"{wanted[0]}_cd")
    if qualifier is not None:
        kinds, kind = np.unique(qualifier, return_inverse=True)
        fine = np.array([all(one in accepted for one in re.split(r"[:,\s]+", text)) for text in kinds.tolist()])
        flags[~fine[kind] & (flags == USED)] = QUALITY
    sites = np.unique(table.texts("site_no"))
    if sites.size > 1:
        raise InputError(f"{path}: has the sites {', '.join(sites.tolist())}; split the file, one gauge each, because "
                         "it does not say where they are.")
    site = str(sites[0])
    latitude, longitude = checked_place(place.latitude, place.longitude, f"{path}: site {site}")
    return ObservationTable("gauges", "discharge", numbers, _rdb_times(table, utc_offset), latitude, longitude,
                            flag=flags, location=np.full(numbers.size, place_number(site)),
                            extra={"gauge": np.full(numbers.size, site)})


def _rdb_times(table: TextColumns, utc_offset: float | None) -> np.ndarray:
    """Return times (UTC); samples have their zone beside them, days have none."""
    if "tz_cd" not in table.cells:
        return table.times("datetime", None, utc_offset)
    if utc_offset is not None:
        raise InputError(f"{table.path}: the file says its time zones (column tz_cd); leave utc_offset out.")
    zones, zone = np.unique(table.texts("tz_cd"), return_inverse=True)
    for one in zones.tolist():
        if one not in TIME_ZONES:
            raise InputError(f"{table.path}: the time zone '{one}' is not known; known are {', '.join(TIME_ZONES)}.")
    shift = np.array([round(3600.0 * TIME_ZONES[one]) for one in zones.tolist()])[zone]
    return table.times("datetime") - shift.astype("timedelta64[s]")


def _text(path: Path, plan: TextLayout, place: _Place, utc_offset: float | None, accepted: tuple[str, ...],
          ) -> ObservationTable:
    """Return the rows of a text file of a stated layout."""
    table = plan.read(path)
    if not plan.has(table, "discharge"):
        raise InputError(f"{path}: has no column of discharge that the layout names; the columns are "
                         f"{', '.join(table.cells)}.")
    name = plan.columns["discharge"].names[0]
    numbers = in_unit(table.numbers(name, plan.missing), plan.unit_of(table, "discharge", name), "discharge",
                      f"{path}: column '{name}'")
    flags = range_flags(numbers, "discharge", f"{path}: column '{name}'")
    if plan.has(table, "quality"):
        flags[~np.isin(table.texts(plan.columns["quality"].names[0]), accepted) & (flags == USED)] = QUALITY
    if plan.has(table, "gauge"):
        names = table.texts(plan.columns["gauge"].names[0])
    else:
        names = np.full(table.size, place.gauge or path.stem)
    latitude, longitude = (
        plan.values(table, quantity, "degree") if plan.has(table, quantity) else
        np.full(table.size, np.nan if given is None else given)
        for quantity, given in (("latitude", place.latitude), ("longitude", place.longitude)))
    kinds, first, kind = np.unique(names, return_index=True, return_inverse=True)
    for one, row in zip(kinds.tolist(), first.tolist(), strict=True):
        checked_place(float(latitude[row]), float(longitude[row]), f"{path}: gauge '{one}'")
    return ObservationTable(
        "gauges", "discharge", numbers, plan.times(table, utc_offset), latitude[first][kind], longitude[first][kind],
        flag=flags, location=np.array([place_number(one) for one in kinds.tolist()])[kind], extra={"gauge": names})


def _at_middle(table: ObservationTable, daily: bool | None) -> ObservationTable:
    """Return a table whose daily means stand at the middle of their day."""
    if daily is None:
        moments = np.unique(table.time)
        clock = np.unique((moments - moments.astype("datetime64[D]")).astype(np.int64))
        daily = clock.size == 1 and (moments.size == 1 or np.diff(moments).min() >= _DAY)
    if daily:
        table.time = table.time + _DAY // 2
    return table


def _comments(path: Path) -> list[str]:
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return [line for line in text.splitlines() if line.startswith("#")]


def _read_after_comments(path: Path, delimiter: str, skip: int = 0) -> TextColumns:
    """Return the columns of a file whose header is the first line that is no comment."""
    with path.open("rb") as stream:
        before = next((number for number, line in enumerate(stream) if not line.startswith(b"#")), None)
    if before is None:
        raise InputError(f"{path}: has comments alone; the file may be truncated.")
    return read_text_columns(path, delimiter=delimiter, header=before + 1, first=before + 2 + skip, comment="#")


def _stamps(table: TextColumns, texts: np.ndarray, pattern: str, utc_offset: float | None) -> np.ndarray:
    joined = TextColumns(table.path, {"time": texts}, {}, table.lines)
    return joined.times("time", pattern, utc_offset)


def _number_of(text: str | None) -> float | None:
    return float(text) if text is not None and _is_number(text) else None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
