"""Scores of past forecasts as files: maps by lead time, and a table."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from pyland.base.errors import InputError
from pyland.base.netcdf_access import NETCDF_ACCESS
from pyland.output.atomic import complete_file
from pyland.output.attributes import CONVENTIONS
from pyland.output.grid import OutputGrid

ALL = "_all"
"""Suffix of the score over all places."""

_FILL = np.float32(netCDF4.default_fillvals["f4"])


def write_hindcast_maps(
    path: str | Path,
    quantity: str,
    units: str,
    scores: Mapping[str, np.ndarray],
    table: Sequence[Mapping[str, float]],
    words: Mapping[str, tuple[str, str]],
    grid: OutputGrid,
    *,
    period: tuple[Any, Any] | None = None,
    attrs: Mapping[str, Any] | None = None,
) -> Path:
    """Write the scores of one quantity.

    Parameters
    ----------
    path : str or Path
        netCDF file.
    quantity, units : str
        Name of the quantity and its unit.
    scores : mapping of str to numpy.ndarray, shape (lead, cell)
        Scores by name, as `pyland.diagnose.HindcastRecord.scores` gives them.
    table : sequence of mapping
        Scores over all places, one row per lead time, as `pyland.diagnose.HindcastRecord.table` gives them.
    words : mapping of str to tuple of str
        Long name and unit of each score, `pyland.diagnose.hindcast_sums.SCORES`; an empty unit is that of the quantity.
    grid : OutputGrid
        Where the cells are.
    period : tuple of datetime64, optional
        First and last time that was verified [UTC].
    attrs : mapping, optional
        Further global attributes.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If table and scores differ in their lead times.
    """
    leads = np.array([row["lead"] for row in table], float)
    wrong = sorted(name for name, values in scores.items() if len(values) != leads.size)
    if wrong:
        raise InputError(f"{path}: expected scores at the {leads.size} lead times of the table, got another number "
                         f"of '{wrong[0]}'.")
    with complete_file(path) as partial, NETCDF_ACCESS, netCDF4.Dataset(partial, "w") as file:
        file.setncatts({"Conventions": CONVENTIONS, "title": f"Skill of past forecasts of {quantity}",
                        "quantity": quantity, "units_of_quantity": units, **(attrs or {})})
        if period is not None:
            first, last = (str(np.datetime64(one, "s")) for one in period)
            file.setncatts({"time_coverage_start": first, "time_coverage_end": last})
        file.createDimension("lead", leads.size)
        for name, size in zip(grid.horizontal, grid.horizontal_shape, strict=True):
            file.createDimension(name, size)
        made = file.createVariable("lead", "f8", ("lead",))
        made.setncatts({"standard_name": "forecast_period", "long_name": "time after the analysis", "units": "s"})
        made[:] = leads
        for name, (dims, values, attributes) in grid.coordinates().items():
            if set(dims) <= set(grid.horizontal):
                made = file.createVariable(name, str if values.dtype == object else "f8", dims)
                made.setncatts(attributes)
                made[:] = values
        for name, values in scores.items():
            long_name, unit = words[name]
            about = {"long_name": f"{long_name} of {quantity}", "units": unit or units}
            made = file.createVariable(name, "f4", ("lead", *grid.horizontal), zlib=True, complevel=1, fill_value=_FILL)
            made.setncatts(about | {"coordinates": "latitude longitude"})
            made[:] = np.ma.masked_invalid(grid.place(np.asarray(values, float)))
            made = file.createVariable(name + ALL, "f8", ("lead",), fill_value=netCDF4.default_fillvals["f8"])
            made.setncatts(about | {"long_name": f"{about['long_name']}, all places"})
            made[:] = np.ma.masked_invalid([row[name] for row in table])
    return Path(path)


def write_hindcast_table(path: str | Path, tables: Mapping[str, Sequence[Mapping[str, float]]]) -> Path:
    """Write the scores over all places as CSV.

    Parameters
    ----------
    path : str or Path
        The file.
    tables : mapping of str to sequence of mapping
        Rows by quantity; lead times are written in hours.

    Returns
    -------
    Path
        The file. Numbers that are not there are empty.
    """
    names = list(dict.fromkeys(name for rows in tables.values() for row in rows for name in row if name != "lead"))
    with complete_file(path) as partial, partial.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["quantity", "lead_hours", *names])
        for quantity, rows in tables.items():
            for row in rows:
                numbers = (f"{row[name]:.6g}" if np.isfinite(row[name]) else "" for name in names)
                writer.writerow([quantity, f"{row['lead'] / 3600.0:g}", *numbers])
    return Path(path)
