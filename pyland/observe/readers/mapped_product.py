"""Any gridded product by a mapping in YAML: netCDF or HDF5, one or many times, flags by values or bits."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np

from pyland.base.errors import InputError
from pyland.base.observation_reasons import USED
from pyland.observe.observation_table import ObservationTable
from pyland.observe.readers.mapped_places import MappedPlaces
from pyland.observe.readers.mapping import Clock, Flag, Numbers, ProductMapping, Time, load_mapping
from pyland.observe.readers.name_time import time_of_name
from pyland.observe.readers.opened_file import OpenedFile, opened, unit_factor
from pyland.observe.readers.row_collector import RowCollector
from pyland.observe.readers.selection import Selection

_SECONDS = {"hours": 3600.0, "minutes": 60.0, "seconds": 1.0}
_DEGREES_PER_HOUR = 15.0


def read_mapped(
    paths: list[Path],
    *,
    period: object = None,
    bounds: object = None,
    mapping: str | Path | dict | None = None,
    sigma: float | None = None,
    footprint: float | None = None,
) -> ObservationTable:
    """Read a gridded product.

    Parameters
    ----------
    paths : list of Path
        Files of the product.
    period, bounds : optional
        See `Selection.of`.
    mapping : str, Path or dict
        Name of a mapping that comes with pyland, a YAML file, or its content; see `ProductMapping`.
    sigma : float, optional
        Standard deviation of the error instead of that of the mapping [unit of the type].
    footprint : float, optional
        Diameter of the footprint instead of that of the mapping [m].

    Returns
    -------
    ObservationTable
        With the columns that the mapping names.

    Raises
    ------
    InputError
        If the mapping or a file is wrong.
    """
    known = load_mapping(mapping)
    changes = {name: value for name, value in (("sigma", sigma), ("footprint", footprint)) if value is not None}
    known = ProductMapping.model_validate({**known.model_dump(), **changes}) if changes else known
    chosen = Selection.of(period, bounds)
    rows, units, versions = RowCollector(known.type, chosen), {}, {}
    for path in paths:
        with opened(path) as file:
            if known.version_attribute:
                versions[file.attribute(known.version_attribute) or "unknown"] = None
            units |= _add_file(rows, file, known)
    top, bottom = known.depth if known.depth is not None else (np.nan, np.nan)
    version = {"product_version": "\n".join(versions)} if versions else {}
    return rows.table(known.product, footprint=known.footprint, top=top, bottom=bottom, extra_units=units,
                      provenance={"mapping": known.model_dump_json(exclude_defaults=True), **version})


def _add_file(rows: RowCollector, file: OpenedFile, mapping: ProductMapping) -> dict[str, str]:
    """Add the rows of a file and return the units of further columns."""
    variable = file.variable(mapping.value.variable)
    if variable.ndim < 2:
        raise InputError(f"{file.path}: '{mapping.value.variable}' has the dimensions {variable.dimensions}; expected "
                         "rows and columns as the last two.")
    places = MappedPlaces(file, mapping.place, variable.shape[-2:], rows.selection)
    stamps = _stamps(file, mapping.time)
    leading = variable.shape[:-2]
    steps = range(leading[0]) if leading and mapping.time.variable is not None else range(1)
    if leading and (np.prod(leading[1:], dtype=int) != 1 or (mapping.time.variable is None and leading[0] != 1)
                    or (mapping.time.variable is not None and len(stamps) != leading[0])):
        raise InputError(f"{file.path}: '{mapping.value.variable}' has the dimensions {variable.dimensions} of "
                         f"{variable.shape} and {len(stamps)} times; expected (time, row, column).")
    units = {}
    for step in steps:
        rows.outside_bounds(places.outside)
        raw = _cells(file, mapping.value.variable, places, step)
        value = _scaled(file, mapping.value, raw) * _factor(file, mapping.value, mapping.type)
        found = np.flatnonzero(np.isfinite(value))
        rows.no_value(value.size - found.size)
        extra = {}
        for name, one in mapping.columns.items():
            extra[name] = _numbers(file, one, places, step)[found]
            units[name] = one.unit or file.unit(one.variable) or "1"
        rows.add(file.path, value=value[found], sigma=_errors(file, mapping, places, step, value, found),
                 flag=_flags(file, mapping.flags, places, step, found),
                 time=_times(file, mapping.time, stamps[step], places, step, found),
                 latitude=places.latitude[found], longitude=places.longitude[found], location=places.location[found],
                 incidence_angle=_angles(file, mapping.incidence_angle, places, step, found), extra=extra)
    return units


def _cells(file: OpenedFile, name: str, places: MappedPlaces, step: int) -> np.ndarray:
    """Return raw numbers of a variable over the cells of the box; one without time is the same at all times."""
    shape = file.variable(name).shape
    leading = () if len(shape) <= 2 else ((step if shape[0] > 1 else 0), *(0,) * (len(shape) - 3))
    try:
        return file.raw(name, (*leading, *places.block)).reshape(-1)[places.inside]
    except IndexError:
        raise InputError(f"{file.path}: '{name}' has the shape {shape}, which does not fit the values.") from None


def _scaled(file: OpenedFile, numbers: Numbers, raw: np.ndarray) -> np.ndarray:
    value = file.decoded(numbers.variable, raw, numbers.fill)
    if not numbers.unpack:
        value = np.where(np.isnan(value), np.nan, raw)
    if numbers.range is not None:
        value = np.where((raw >= numbers.range[0]) & (raw <= numbers.range[1]), value, np.nan)
    if numbers.scale != 1.0 or numbers.offset != 0.0:
        value = value * numbers.scale + numbers.offset
    return value if numbers.limits is None else np.clip(value, *numbers.limits)


def _numbers(file: OpenedFile, numbers: Numbers, places: MappedPlaces, step: int) -> np.ndarray:
    return _scaled(file, numbers, _cells(file, numbers.variable, places, step))


def _factor(file: OpenedFile, numbers: Numbers, observation_type: str) -> float:
    unit = numbers.unit if numbers.unit is not None else file.unit(numbers.variable)
    return unit_factor(unit, observation_type, f"{file.path}: '{numbers.variable}'")


def _errors(file: OpenedFile, mapping: ProductMapping, places: MappedPlaces, step: int, value: np.ndarray,
            found: np.ndarray) -> np.ndarray:
    if isinstance(mapping.sigma, Numbers):
        unit = mapping.sigma.unit or file.unit(mapping.sigma.variable)
        factor = _factor(file, mapping.value, mapping.type) if unit is None else unit_factor(
            unit, mapping.type, f"{file.path}: '{mapping.sigma.variable}'")
        sigma = _numbers(file, mapping.sigma, places, step)[found] * factor
    else:
        sigma = np.full(found.size, mapping.sigma)
    return np.maximum(sigma, mapping.relative_sigma * np.abs(value[found])) if mapping.relative_sigma else sigma


def _angles(file: OpenedFile, angle: float | Numbers | None, places: MappedPlaces, step: int,
            found: np.ndarray) -> np.ndarray | float:
    if isinstance(angle, Numbers):  # a sign tells the side that a sensor looks from
        return np.abs(_numbers(file, angle, places, step)[found])
    return np.nan if angle is None else angle


def _flags(file: OpenedFile, flags: tuple[Flag, ...], places: MappedPlaces, step: int, found: np.ndarray) -> np.ndarray:
    """Return the reason of each cell; the first flag of the mapping that rejects counts."""
    result = np.full(found.size, USED, np.int8)
    for one in reversed(flags):
        if one.variable not in file:
            raise InputError(f"{file.path}: has no quality flag '{one.variable}', which the mapping names. A product "
                             "without it needs a mapping without it.")
        bits = np.nan_to_num(_cells(file, one.variable, places, step)[found].astype(float), nan=-1.0).astype(np.int64)
        good = np.isin(bits, one.accepted) if one.accepted is not None else np.isin(bits & one.bits, one.equal)
        result[~good] = one.code
    return result


def _stamps(file: OpenedFile, time: Time) -> np.ndarray:
    """Return the times of the file (datetime64[s]), one for each step."""
    if time.variable is not None:
        return np.atleast_1d(file.times(time.variable))
    if time.file_name is not None:
        return np.array([time_of_name(file.path, time.file_name)])
    text = file.attribute(time.attribute).strip()
    if not text:
        raise InputError(f"{file.path}: has no attribute '{time.attribute}' for its time, which the mapping names.")
    try:
        return np.array([datetime.strptime(text, time.format)], "datetime64[s]")
    except ValueError:
        raise InputError(f"{file.path}: the attribute '{time.attribute}' is {text!r}, which does not fit the format "
                         f"'{time.format}' of the mapping.") from None


def _times(file: OpenedFile, time: Time, stamp: np.datetime64, places: MappedPlaces, step: int,
           found: np.ndarray) -> np.ndarray:
    seconds = np.full(found.size, time.hours * 3600.0)
    is_local = time.is_local_solar
    if time.clock is not None:
        stamp = stamp.astype("datetime64[D]").astype("datetime64[s]")
        seconds = seconds + _clock(file, time.clock, places, step)[found]
        is_local = is_local or time.clock.is_local_solar
    if is_local:
        longitude = (places.longitude[found] + 180.0) % 360.0 - 180.0
        seconds = seconds - longitude / _DEGREES_PER_HOUR * 3600.0
    known = np.isfinite(seconds) & ~np.isnat(stamp)
    moved = stamp + np.rint(np.where(known, seconds, 0.0)).astype("timedelta64[s]")
    return np.where(known, moved, np.datetime64("NaT", "s"))


def _clock(file: OpenedFile, clock: Clock, places: MappedPlaces, step: int) -> np.ndarray:
    numbers = Numbers(variable=clock.variable, scale=clock.scale, fill=clock.fill, unpack=clock.unpack)
    return _numbers(file, numbers, places, step) * _SECONDS[clock.unit]
