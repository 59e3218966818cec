"""``pyland diagnose CASE glacier``: mass balance of the glaciers of a run."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.base.text import aligned_columns
from pyland.config.diagnose_glacier import GlacierSection
from pyland.diagnose.glacier import (
    DAY,
    BalanceYears,
    accumulation_area_ratio,
    area_balance,
    balance_years,
    band_balance,
    degree_day_balance,
    equilibrium_line,
)
from pyland.diagnose.records import open_file, records_of_period
from pyland.driver.commands.diagnosis import DiagnosedRun, Diagnosis
from pyland.output.domain_fields import read_domain_fields
from pyland.output.row_files import write_rows
from pyland.subsurface.river_grid import great_circle

RATE = "glacier_mass_balance"
"""Variable of the history that the balance is made of."""

PUBLISHED_COLUMNS = ("name", "period", "balance", "latitude", "longitude")
"""Columns of a table of published balances."""


def glacier(run: DiagnosedRun) -> Diagnosis:
    """Return balances by season and year, by height, equilibrium lines and accumulation areas.

    Writes ``years.csv``, ``bands.csv``, with a table of published balances ``published.csv``, and ``glacier.png``.
    """
    section = run.config.diagnose.glacier
    history, domain = run.files.need("history.nc"), read_domain_fields(run.files.run_dir)
    cells = _Cells(domain)
    with open_file(history) as data:
        _need(data, history, RATE)
        records = data.isel(time=records_of_period(data["time_bounds"].values, run.period, history))
        rate = cells.of(records[RATE].values)
        start, end = records["time_bounds"].values.T
        others = _degree_day(records, cells, section, history)
    found = balance_years(rate, start, end, section.first_month, section.summer_month)
    edges = section.band * np.arange(math.floor(cells.elevation.min() / section.band),
                                     math.floor(cells.elevation.max() / section.band) + 2)
    by_band, band_area = band_balance(found.annual, cells.elevation, cells.area, edges)
    altitude, gradient = equilibrium_line(found.annual, cells.elevation, cells.area)
    years: list[dict[str, Any]] = [
        {"year": label, "winter": float(one[0]), "summer": float(one[1]), "annual": float(one[2]),
         "equilibrium_line_m": float(altitude[place]), "gradient_per_100_m": 100.0 * float(gradient[place]),
         "accumulation_area_ratio": float(accumulation_area_ratio(found.annual, cells.area)[place])}
        for place, (label, one) in enumerate(zip(found.labels, _means(found, cells.area), strict=True))]
    if others is not None:
        light = balance_years(others, start, end, section.first_month, section.summer_month)
        for row, mean in zip(years, area_balance(light.annual, cells.area), strict=True):
            row["degree_day_annual"] = float(mean)
    bands = [{"from_m": float(low), "to_m": float(high), "glacier_km2": float(size) / 1e6,
              **{label: float(value) for label, value in zip(found.labels, column, strict=True)}}
             for low, high, size, column in zip(edges, edges[1:], band_area, by_band.T, strict=False) if size > 0.0]
    numbers: dict[str, Any] = {"glacier_area_km2": float(cells.area.sum()) / 1e6, "years": years, "bands": bands}
    files = [write_rows(run.folder / "years.csv", years), write_rows(run.folder / "bands.csv", bands)]
    if section.published is not None:
        numbers["published"] = _compare(Path(section.published), section.distance, found, cells)
        files.append(write_rows(run.folder / "published.csv", numbers["published"]))
    if run.with_figures:
        from pyland.view.glacier_balance import plot_glacier_balance

        files.append(plot_glacier_balance(found, cells.elevation, cells.area, run.folder / "glacier.png"))
    return Diagnosis(numbers, _text(numbers), tuple(files))


class _Cells:
    """Cells with glaciers: where they are, and how large their glaciers."""

    def __init__(self, domain: xr.Dataset) -> None:
        share = domain["glacier_fraction"].values if "glacier_fraction" in domain else np.zeros(1)
        self._has = np.nan_to_num(share) > 0.0
        if not self._has.any():
            raise InputError("The run has no glaciers; see surface.glacier, or glacier_fraction of a domain file.")
        self.area = (share * domain["cell_area"].values)[self._has]
        self.elevation, self.latitude, self.longitude = (
            domain[name].values[self._has] for name in ("elevation", "latitude", "longitude"))

    def of(self, values: np.ndarray) -> np.ndarray:
        """Return the values of the cells, (record, cell), of maps."""
        return values[:, self._has].astype(float)


def _need(data: xr.Dataset, path: Path, name: str) -> None:
    if name not in data:
        raise InputError(f"{path}: expected '{name}', which the run has not written; name it in output.variables and "
                         "run the case again.")


def _degree_day(data: xr.Dataset, cells: _Cells, section: GlacierSection, path: Path) -> np.ndarray | None:
    """Return the balance of a degree-day model, (record, cell) [kg m-2 s-1]; None without one."""
    if section.degree_day is None:
        return None
    for name in ("air_temperature", "snowfall"):
        _need(data, path, name)
    start, end = data["time_bounds"].values.T.astype("datetime64[s]")
    length = (end - start).astype(np.int64)
    if (length != DAY).any():
        raise InputError("diagnose.glacier.degree_day: expected daily records (output.every: 1 d), got records of "
                         f"{length.min() / DAY:g} to {length.max() / DAY:g} days.")
    daily = degree_day_balance(cells.of(data["air_temperature"].values), cells.of(data["snowfall"].values) * DAY,
                               section.degree_day.snow, section.degree_day.ice)
    return daily / DAY


def _means(found: BalanceYears, area: np.ndarray) -> np.ndarray:
    """Return winter, summer and annual means of each year, (year, 3)."""
    return np.stack([area_balance(one, area) for one in (found.winter, found.summer, found.annual)], axis=1)


def _compare(path: Path, distance: float, found: BalanceYears, cells: _Cells) -> list[dict[str, Any]]:
    """Return published balances beside the mean of all years, of the nearest glacier and of all glaciers."""
    annual = found.annual[np.isfinite(found.annual).all(axis=1)]
    if not len(annual):
        raise InputError("diagnose.glacier.published: the run covers no whole mass-balance year to compare.")
    mean = annual.mean(axis=0)
    rows = []
    for entry in read_published(path):
        away = great_circle(entry["latitude"], entry["longitude"], cells.latitude, cells.longitude)
        near = int(np.argmin(away))
        here = float(mean[near]) if away[near] <= distance else math.nan
        rows.append({**entry, "run_here": here, "distance_km": float(away[near]) / 1000.0,
                     "run_mean": float(area_balance(mean, cells.area)), "years": len(annual)})
    return rows


def read_published(path: Path) -> list[dict[str, Any]]:
    """Read a table of published balances.

    Parameters
    ----------
    path : Path
        CSV with the columns ``PUBLISHED_COLUMNS``; ``balance`` in m w.e. per year, places in degrees. Lines that
        begin with # are left out.

    Raises
    ------
    InputError
        If the file is missing, or a column or a number is.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such table; see diagnose.glacier.published.")
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    rows = []
    for number, row in enumerate(csv.DictReader(lines), start=1):
        missing = [name for name in PUBLISHED_COLUMNS if row.get(name) is None]
        if missing:
            raise InputError(f"{path}: expected the columns {', '.join(PUBLISHED_COLUMNS)}; row {number} lacks "
                             f"{', '.join(missing)}.")
        try:
            rows.append({name: row[name] if name in ("name", "period") else float(row[name])
                         for name in PUBLISHED_COLUMNS})
        except ValueError as error:
            raise InputError(f"{path}: row {number} holds no number where one is expected ({error}).") from None
    return rows


def _text(numbers: dict[str, Any]) -> str:
    """Return the tables for people."""
    parts = [f"glaciers, {numbers['glacier_area_km2']:.4g} km2, specific balance [m w.e.]",
             _table(numbers["years"], {"equilibrium_line_m": 0, "accumulation_area_ratio": 2}),
             "annual balance by elevation [m w.e.]",
             _table(numbers["bands"], {"from_m": 0, "to_m": 0, "glacier_km2": 1})]
    if "published" in numbers:
        parts += ["published balances [m w.e. per year]", _table(numbers["published"], {"distance_km": 0, "years": 0})]
    return "\n".join(parts)


def _table(rows: list[dict[str, Any]], digits: dict[str, int]) -> str:
    """Return rows in columns of equal width; numbers have 3 decimals if not told otherwise."""
    def shown(name: str, value: Any) -> str:
        if isinstance(value, str):
            return value
        return "-" if math.isnan(value) else f"{value:.{digits.get(name, 3)}f}"

    return "\n".join(aligned_columns([list(rows[0]), *([shown(*item) for item in row.items()] for row in rows)]))
