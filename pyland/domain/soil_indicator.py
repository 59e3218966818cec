"""Hydraulic parameters of soil by classes: a field of class numbers and a table, as ParFlow's scripts have them."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from pyland.base.errors import InputError
from pyland.base.registry import variable
from pyland.config.parflow import SoilIndicatorSection
from pyland.config.surface import RETENTION_PARAMETERS
from pyland.domain.domain_file import read_layered_field
from pyland.domain.grid import Domain
from pyland.domain.pfb import read_pfb

SECONDS_PER_HOUR = 3600.0

COLUMNS: Mapping[str, tuple[str, float]] = MappingProxyType({
    "Ksat_m_per_h": ("saturated_conductivity", 1.0 / SECONDS_PER_HOUR),
    "vg_alpha_per_m": ("van_genuchten_alpha", 1.0),
    "vg_n": ("van_genuchten_n", 1.0),
    "specific_storage_per_m": ("specific_storage", 1.0),
    "Sres": ("residual_saturation", 1.0),
    "Ssat": ("full_saturation", 1.0),
})
"""Columns in the units of ParFlow: what they are, and the factor to the unit of pyland."""

KEY, LABEL = "indicator", "name"
"""Columns with the number of a class, and with words for people."""


def read_soil_classes(
    section: SoilIndicatorSection, retention: str, domain: Domain, nlayer: int
) -> dict[str, np.ndarray]:
    """Read the soil parameters of the cells of a domain.

    Parameters
    ----------
    section : SoilIndicatorSection
        ``surface.soil.indicator``.
    retention : str
        ``subsurface.retention``: the table needs all its parameters.
    domain : Domain
        The cells.
    nlayer : int
        Soil layers.

    Returns
    -------
    dict of str to numpy.ndarray, shape (layer, cell)
        By registry id, with ``specific_storage`` if the table has it.

    Raises
    ------
    InputError
        If a file cannot be read, does not fit the domain, or a class or a parameter is missing or not possible.

    Notes
    -----
    ParFlow's saturations count pores: the residual water is Sres times porosity. Where Ssat is below 1, the pores that
    never fill do not count: porosity is that of ParFlow times Ssat.
    """
    classes = _read_classes(section, domain, nlayer)
    table = read_class_table(str(section.table), retention)
    present = np.unique(classes)
    missing = [number for number in present if number not in table]
    if missing:
        raise InputError(f"{section.table}: expected a line for each class of {section.file}, got none for "
                         f"{', '.join(f'{number:g}' for number in missing)}.")
    place = np.searchsorted(present, classes)
    names = next(iter(table.values()))
    return {name: np.array([table[int(number)][name] for number in present])[place] for name in names}


def read_class_table(path: str | Path, retention: str) -> dict[int, dict[str, float]]:
    """Read the parameters of soil classes.

    Parameters
    ----------
    path : str or Path
        CSV file with a header: ``indicator``, and registry ids in SI units, or the `COLUMNS` in the units of ParFlow.
    retention : str
        Retention curve whose parameters the table must have.

    Returns
    -------
    dict of int to dict of str to float
        Parameters by registry id, of each class.

    Raises
    ------
    InputError
        If the file cannot be read, has an unknown column, lacks one, or a number is missing or not possible.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream, skipinitialspace=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: the file cannot be read as CSV ({error}).") from None
    columns = [name.strip() for name in rows[0] if name is not None] if rows else []
    known = (*RETENTION_PARAMETERS[retention], "specific_storage", *COLUMNS)
    unknown = [name for name in columns if name not in (KEY, LABEL, *known)]
    if KEY not in columns or unknown:
        what = f"the unknown column '{unknown[0]}'" if unknown else f"no column {KEY}"
        raise InputError(f"{path}: expected the columns {KEY}, {LABEL} (optional) and some of {', '.join(known)}, got "
                         f"{what}.")
    out: dict[int, dict[str, float]] = {}
    for line, row in enumerate(rows, start=2):
        number = _number(path, line, KEY, row)
        if number != int(number) or int(number) in out:
            raise InputError(f"{path}:{line}: expected a whole number that no other line has in {KEY}, got {row[KEY]}.")
        out[int(number)] = _parameters(path, line, row, [name for name in columns if name in known])
    lacking = [name for name in RETENTION_PARAMETERS[retention] if name not in next(iter(out.values()))]
    if lacking:
        raise InputError(f"{path}: expected all parameters of subsurface.retention: {retention}, got no "
                         f"{', '.join(lacking)}; in units of ParFlow they are {', '.join(COLUMNS)}.")
    for name in next(iter(out.values())):
        variable(name).check_range(np.array([row[name] for row in out.values()]), str(path))
    return out


def _parameters(path: str | Path, line: int, row: Mapping[str, str], columns: list[str]) -> dict[str, float]:
    """Return the parameters of a class by registry id."""
    values = {}
    for column in columns:
        name, factor = COLUMNS.get(column, (column, 1.0))
        if name in values:
            raise InputError(f"{path}: expected {name} once, got it in two columns.")
        values[name] = _number(path, line, column, row) * factor
    full, residual = values.pop("full_saturation", 1.0), values.pop("residual_saturation", None)
    if "porosity" in values:
        if residual is not None:
            if "residual_water" in values:
                raise InputError(f"{path}: expected either Sres or residual_water, got both.")
            values["residual_water"] = residual * values["porosity"]
        values["porosity"] *= full
    return values


def _number(path: str | Path, line: int, column: str, row: Mapping[str, str]) -> float:
    try:
        value = float(row[column])
    except (TypeError, ValueError):
        value = np.nan
    if not np.isfinite(value):
        raise InputError(f"{path}:{line}: expected a number for {column}, got {row[column]!r}.")
    return value


def _read_classes(section: SoilIndicatorSection, domain: Domain, nlayer: int) -> np.ndarray:
    """Return the class of every layer and cell, whole numbers."""
    path, shape = str(section.file), (domain.ny, domain.nx)
    is_pfb = path.lower().endswith(".pfb")
    values = read_pfb(path, flip=True) if is_pfb else read_layered_field(path, section.variable)
    cells = (1, *values.shape) if values.ndim == 2 else values.shape
    if cells[1:] != shape or cells[0] not in (1, nlayer):
        raise InputError(
            f"{path}: expected {shape[1]} x {shape[0]} cells (x, y) and {nlayer} layers, or one, as in the domain, got "
            f"{' x '.join(map(str, cells[::-1]))}.")
    found = np.broadcast_to(values.reshape(cells[0], -1)[:, domain.cell_id], (nlayer, domain.ncell))
    if not np.isfinite(found).all() or (np.abs(found - np.rint(found)) > 1e-6).any():
        raise InputError(f"{path}: expected whole numbers of classes in every modelled cell.")
    return np.rint(found).astype(np.int64)
