"""Observations of a case that are products: reader, quality, and sets on the cells of the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.base.text import shown, suggestion
from pyland.config import CaseConfig
from pyland.config.observations import ObservationSection
from pyland.observe import READERS, ObservationSet, ObservationTable, TargetCells, read_product, sets_from_table
from pyland.observe.quality import (
    ClassError,
    ErrorModel,
    ErrorOrElse,
    ProductError,
    QualityRules,
    apply_quality,
    error_of_table,
    read_errors,
    super_observations,
)
from pyland.observe.target_cells import EARTH_RADIUS

SECOND = np.timedelta64(1, "s")
"""Readers leave the end of a period out, a run takes it in."""


def product_table(entry: ObservationSection, config: CaseConfig, target: TargetCells) -> ObservationTable:
    """Read the product of an entry near the domain, within the period of the run; judge its quality and its errors.

    Raises
    ------
    InputError
        If the reader is not there or cannot read the files, or it gives another type than the entry says.
    """
    where = f"observation '{entry.name}'"
    if entry.reader not in READERS:
        raise InputError(f"{where}: the reader '{entry.reader}' is not available in this version; available: "
                         f"measurements, {', '.join(READERS)}.")
    check_rules(entry)
    period = (config.time.start64, config.time.end64 + SECOND)
    table = read_product(entry.file, entry.reader, period=period, bounds=_bounds(target),
                         **{name: _resolved(value, config) for name, value in entry.reader_options.items()})
    if table.type != entry.type:
        raise InputError(f"{where}: expected observations of type {entry.type}, got {table.type} of {table.product}. "
                         "Set `type`, or the variable in reader_options.")
    return _with_errors(_judged(table, entry, where), entry)


def _judged(table: ObservationTable, entry: ObservationSection, where: str) -> ObservationTable:
    """Apply the rules of an entry."""
    quality = entry.quality
    if not (quality.usual or quality.rules):
        return table
    rules = QualityRules.usual(table, **quality.rules) if quality.usual else QualityRules(**quality.rules)
    return apply_quality(table, rules)


def _with_errors(table: ObservationTable, entry: ObservationSection) -> ObservationTable:
    """Give a table the errors of the model of an entry, where it has one."""
    section = entry.error_model
    if section is None:
        return table
    model: ErrorModel
    if section.model == "classes":
        model = ClassError(section.column, tuple(section.edges), tuple(section.errors))
    elif section.model == "collocation":
        model = read_errors(section.file)
    else:
        model = ProductError(1.0 if section.factor is None else section.factor, section.floor or 0.0)
    return error_of_table(table, model if section.otherwise is None else ErrorOrElse(model, section.otherwise))


def check_rules(entry: ObservationSection) -> None:
    """Check names and values of ``quality.rules``, before a file is read.

    Raises
    ------
    InputError
        If there is no such rule, or its value is of another kind.
    """
    known, where = QualityRules.__dataclass_fields__, f"observation '{entry.name}': quality.rules"
    for name, value in entry.quality.rules.items():
        if name not in known:
            raise InputError(f"{where}: there is no rule '{name}'{suggestion(name, known) or '.'} The rules are "
                             f"{', '.join(known)}.")
        pairs = name in ("valid_range", "period")
        if name == "duplicates":
            expected, is_so = "true or false", isinstance(value, bool)
        elif pairs:
            expected, is_so = "a list of two", isinstance(value, list) and len(value) == 2
        else:
            expected, is_so = "a number or null", value is None or _is_number(value)
        if name == "valid_range":
            is_so = is_so and all(map(_is_number, value))
        if not is_so and not (pairs and value is None):
            raise InputError(f"{where}: {name}: expected {expected}, got {shown(value)}.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def product_sets(entry: ObservationSection, config: CaseConfig, target: TargetCells) -> list[ObservationSet]:
    """Return the sets of an entry that is a product.

    Raises
    ------
    InputError
        If it cannot be read, or holds nothing for this domain and period.
    """
    table = product_table(entry, config, target)
    if entry.super_observations > 0:
        interval = entry.every or config.assimilation.every or config.time.step
        # blocks of time are those of the analyses: after the one before, up to and with its own
        table = super_observations(
            table, entry.super_observations, interval=np.timedelta64(round(interval), "s"),
            origin=config.time.start64 + SECOND, angle_bin=entry.angle_bin,
            error_correlation=entry.super_error_correlation)
    return sets_from_table(
        table, target, name=entry.name, start=config.time.start64, end=config.time.end64,
        step=entry.every or config.assimilation.every or config.time.step, error=entry.error,
        relative_error=entry.relative_error, with_sigma=entry.table_error, depth=_depth(entry, table),
        e_folding_depth=entry.e_folding_depth, footprint=entry.footprint,
        footprint_weights=entry.footprint_weights, settings=entry.settings, angle_bin=entry.angle_bin,
        same_place=entry.same_place)


def _depth(entry: ObservationSection, table: ObservationTable) -> tuple[float, float] | None:
    """Return the window of an entry where it says one or the product has none; None: that of the product."""
    if entry.type != "soil_moisture":
        return entry.sensed
    knows = np.isfinite(table.top).all() and np.isfinite(table.bottom).all()
    return None if knows and "depth" not in entry.model_fields_set else entry.sensed


def _bounds(target: TargetCells) -> tuple[float, float, float, float]:
    """Return south, north, west and east of a box around the domain, a cell wider [degrees]."""
    longitude = (target.longitude + 180.0) % 360.0 - 180.0
    north = np.rad2deg(target.size / EARTH_RADIUS)
    south_edge = max(float(target.latitude.min() - north), -90.0)
    north_edge = min(float(target.latitude.max() + north), 90.0)
    shrink = np.cos(np.deg2rad(min(max(abs(south_edge), abs(north_edge)), 89.0)))
    east = north / shrink
    return south_edge, north_edge, max(float(longitude.min() - east), -180.0), min(float(longitude.max() + east), 180.0)


def _resolved(value: Any, config: CaseConfig) -> Any:
    """Return an option of a reader; text that names a file of the case is its path."""
    if isinstance(value, str) and (Path(config.directory) / value).exists():
        return str(Path(config.directory) / value)
    return value


__all__ = ["product_sets", "product_table"]
