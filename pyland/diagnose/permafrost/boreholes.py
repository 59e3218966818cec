"""Boreholes: measured ground temperature and active layer, from a table, beside the cells of a run."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pyland.base.errors import InputError

MEASURED = ("magt", "alt")
"""Columns that are compared: mean annual ground temperature [degC], active-layer thickness [m]."""


@dataclass(frozen=True)
class Boreholes:
    """A table of boreholes, arrays of shape (hole,); what is not known is NaN.

    Attributes
    ----------
    name : tuple of str
        Names.
    latitude, longitude : numpy.ndarray
        [degree].
    elevation : numpy.ndarray
        [m].
    magt : numpy.ndarray
        Mean annual ground temperature [degC].
    alt : numpy.ndarray
        Thickness of the active layer [m].
    """

    name: tuple[str, ...]
    latitude: np.ndarray
    longitude: np.ndarray
    elevation: np.ndarray
    magt: np.ndarray
    alt: np.ndarray


def read_boreholes(path: str | Path) -> Boreholes:
    """Read a table of boreholes.

    Parameters
    ----------
    path : str or Path
        CSV file with a head line: latitude, longitude, magt [degC] and/or alt [m], and if known name and elevation [m];
        other columns are left alone.

    Raises
    ------
    InputError
        If the file or a column is missing, or a number cannot be read; the message names the line.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: there is no such file of boreholes.")
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        there = [name.strip().lower() for name in reader.fieldnames or []]
        missing = [name for name in ("latitude", "longitude") if name not in there]
        if missing or not set(MEASURED) & set(there):
            raise InputError(f"{path}: expected the columns latitude, longitude and one of {', '.join(MEASURED)}; got "
                             f"{', '.join(there) or 'nothing'}.")
        reader.fieldnames = there
        rows = list(reader)
    if not rows:
        raise InputError(f"{path}: the table has no line below its head.")
    fields = {name: np.array([_number(row.get(name), path, line, name) for line, row in enumerate(rows, start=2)])
              for name in ("latitude", "longitude", "elevation", *MEASURED)}
    for name in ("latitude", "longitude"):
        if not np.isfinite(fields[name]).all():
            raise InputError(f"{path}:{int(np.flatnonzero(~np.isfinite(fields[name]))[0]) + 2}: {name} is missing.")
    return Boreholes(tuple((row.get("name") or f"line {line}").strip() for line, row in enumerate(rows, start=2)),
                     **fields)


def nearest_cells(
    holes: Boreholes, latitude: np.ndarray, longitude: np.ndarray, elevation: np.ndarray, reach: float
) -> np.ndarray:
    """Return the cell of each borehole.

    Parameters
    ----------
    holes : Boreholes
        Where they are.
    latitude, longitude, elevation : numpy.ndarray, shape (cell,)
        Cells [degree, degree, m].
    reach : float
        Longest way to the middle of the cell [m].

    Returns
    -------
    numpy.ndarray of int, shape (hole,)
        The nearest cell; of several that are equally near the one whose elevation fits best; -1 beyond the reach.
    """
    radius = 6.371e6  # [m]
    east = (np.radians((longitude - holes.longitude[:, None] + 180.0) % 360.0 - 180.0)
            * np.cos(np.radians(holes.latitude))[:, None])
    north = np.radians(latitude - holes.latitude[:, None])
    way = radius * np.hypot(east, north)
    step = np.abs(np.nan_to_num(elevation - holes.elevation[:, None]))
    nearest = np.lexsort((step, np.round(way)), axis=-1)[:, 0]  # to the metre
    return np.where(np.take_along_axis(way, nearest[:, None], axis=1)[:, 0] <= reach, nearest, -1)


def _number(text: str | None, path: Path, line: int, name: str) -> float:
    if text is None or not text.strip():
        return np.nan
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{path}:{line}: {name}: expected a number, got '{text}'.") from None
