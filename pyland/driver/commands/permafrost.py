"""``pyland diagnose CASE permafrost``: frozen ground of a run, its files and figures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.diagnose.permafrost import (
    AnnualProfiles,
    DegreeDays,
    PermafrostYears,
    amplitude,
    annual_profiles,
    area_shares,
    degree_days,
    ground_temperature,
    lower_limit,
    n_factor,
    permafrost_years,
    thermal_class,
    zero_amplitude_depth,
    zone_of_share,
)
from pyland.diagnose.permafrost.classes import THERMAL_CLASSES, ZONES
from pyland.diagnose.permafrost.degree_days import LONGEST_DAY
from pyland.diagnose.permafrost.zero_amplitude import check_column
from pyland.diagnose.records import open_file, records_of_period
from pyland.domain import Domain
from pyland.domain.grid import build_domain
from pyland.driver.commands.diagnosis import DiagnosedRun, Diagnosis
from pyland.driver.commands.permafrost_comparison import compare_boreholes, learned_fields
from pyland.driver.commands.permafrost_file import permafrost_dataset
from pyland.output.atomic import complete_file, write_json
from pyland.output.row_files import write_rows

ZERO_CELSIUS = 273.15
"""[K]."""

LAST_YEARS = 2
"""Years at the end of the period whose mean the maps show."""


@dataclass(frozen=True)
class FrozenGround:
    """Everything found of a run; arrays over the modelled cells.

    Attributes
    ----------
    years, state : AnnualProfiles, PermafrostYears
        Profiles and state of each year.
    amplitude : numpy.ndarray, shape (layer, cell)
        [K].
    zero_depth : numpy.ndarray, shape (cell,)
        Depth of zero amplitude [m].
    magt : numpy.ndarray, shape (year, cell)
        Mean annual ground temperature there [degC].
    air, surface : DegreeDays or None
        Indices of the air and of the uppermost layer of the ground, below the snow; None without daily records.
    thermal_class : numpy.ndarray of int, shape (cell,)
        Of the mean of the last years.
    latitude, longitude, elevation, area : numpy.ndarray, shape (cell,)
        Of the cells [degree, degree, m, m2].
    """

    years: AnnualProfiles
    state: PermafrostYears
    amplitude: np.ndarray
    zero_depth: np.ndarray
    magt: np.ndarray
    air: DegreeDays | None
    surface: DegreeDays | None
    thermal_class: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    elevation: np.ndarray
    area: np.ndarray

    @property
    def permafrost(self) -> np.ndarray:
        """Whether there is permafrost at the end of the period, (cell,)."""
        return self.state.permafrost[-1]

    def late(self, values: np.ndarray) -> np.ndarray:
        """Return the mean of the last years, (cell,); NaN where one of them has none."""
        return values[-LAST_YEARS:].mean(axis=0)


def permafrost(run: DiagnosedRun) -> Diagnosis:
    """Find frozen ground in a run; write permafrost.nc, tables and figures.

    Raises
    ------
    InputError
        If the history lacks soil temperature of two years, or the column is too shallow.
    """
    section, domain = run.config.diagnose.permafrost, build_domain(run.config.domain)
    history_file = run.files.need("history.nc")
    with open_file(history_file) as history:  # its profiles may not fit into memory
        inside = np.flatnonzero(records_of_period(history["time_bounds"].values, run.period, history_file))
        ground = frozen_ground(history.isel(time=slice(inside[0], inside[-1] + 1)), domain, section)
        frame = xr.Dataset(coords={name: history[name] for name in _MAP if name in history.coords}).load()
    numbers = summary(ground, section)
    holes = compare_boreholes(section.boreholes, ground)
    learned = learned_fields(run, domain, ground, holes)
    if holes is not None:
        numbers["boreholes"] = holes.numbers
    if learned:
        numbers["learned"] = {name: one.numbers for name, one in learned.items()}
    files = [_write_map(run.folder / "permafrost.nc", permafrost_dataset(ground, domain, frame, section, learned)),
             write_rows(run.folder / "cells.csv", _cell_rows(ground)),
             write_rows(run.folder / "bands.csv", numbers["bands"]),
             write_rows(run.folder / "years.csv", numbers["years"])]
    if holes is not None:
        files.append(write_rows(run.folder / "boreholes.csv", holes.rows))
    write_json(run.folder / "permafrost.json", numbers)
    files.append(run.folder / "permafrost.json")
    if run.with_figures:
        files += _figures(run, ground, domain, section)
    return Diagnosis(numbers, _text(numbers), tuple(files))


_MAP = ("latitude", "longitude", "x", "y", "site", "station")


def frozen_ground(history: xr.Dataset, domain: Domain, section: Any) -> FrozenGround:
    """Reduce a history to frozen ground.

    Parameters
    ----------
    history : xarray.Dataset
        Records of the run with ``soil_temperature`` on ``thermal_layer``, and ``air_temperature`` if there is any.
    domain : Domain
        All cells of the run.
    section : PermafrostSection
        Settings.
    """
    name = "soil_temperature"
    if name not in history or "thermal_layer_bounds" not in history:
        raise InputError(f"history.nc does not hold {name}; add it to output.variables, with output.every: 1 day, and "
                         "run the case again.")
    bounds, edges = history["time_bounds"].values, history["thermal_layer_bounds"].values
    field = history[name]
    years = annual_profiles(bounds, edges.mean(axis=1), lambda part: _cells(field[part].values, domain))
    size = amplitude(years)
    check_column(size, years.depth, section.amplitude_limit)
    zero_depth = zero_amplitude_depth(size, years.depth, section.amplitude_limit)
    magt = ground_temperature(years, zero_depth) - ZERO_CELSIUS
    state = permafrost_years(years, section.freezing_point)
    is_daily = (bounds[:, 1] - bounds[:, 0]).max() <= np.timedelta64(LONGEST_DAY, "s")
    air = surface = None
    if is_daily:
        surface = degree_days(bounds, _cells(field[:, 0].values, domain).astype(float))
    if is_daily and "air_temperature" in history:
        air = degree_days(bounds, _cells(history["air_temperature"].values, domain).astype(float))
    return FrozenGround(
        years, state, size, zero_depth, magt, air, surface,
        thermal_class(magt[-LAST_YEARS:].mean(axis=0), state.permafrost[-1], section.class_limits),
        domain.latitude, domain.longitude, domain.elevation, domain.area)


def _cells(values: np.ndarray, domain: Domain) -> np.ndarray:
    """Return a field of the history on the modelled cells, (..., cell)."""
    if not domain.is_grid:
        return values
    return values.reshape(*values.shape[:-2], -1)[..., domain.cell_id]


def summary(ground: FrozenGround, section: Any) -> dict[str, Any]:
    """Return the numbers of a run: the whole domain, its elevation bands, its years.

    Parameters
    ----------
    ground : FrozenGround
        The run.
    section : PermafrostSection
        Settings.
    """
    frozen, area = ground.permafrost, ground.area
    share = float(area[frozen].sum() / area.sum())
    classes = {name: float(area[ground.thermal_class == place].sum() / area.sum())
               for place, name in enumerate(THERMAL_CLASSES, start=1)}
    drift = (ground.magt[-1] - ground.magt[0]) / max(ground.years.nyear - 1, 1)
    numbers: dict[str, Any] = {
        "start": str(ground.years.start[0]), "end": str(ground.years.end[-1]), "years_counted": ground.years.nyear,
        "cells": int(frozen.size), "cells_with_permafrost": int(frozen.sum()), "permafrost_share": share,
        "zone": ZONES[int(zone_of_share(share))], "thermal_class_shares": classes,
        "lower_limit": lower_limit(frozen, ground.elevation),
        "active_layer": _range(ground.late(ground.state.active_layer), frozen, area),
        "magt": _range(ground.late(ground.magt), frozen, area),
        "top_temperature": _range(ground.late(ground.state.top_temperature) - ZERO_CELSIUS, frozen, area),
        "zero_amplitude_depth": _range(ground.zero_depth, np.ones_like(frozen), area),
        "cells_without_zero_amplitude": int(np.isnan(ground.zero_depth).sum()),
        "cells_with_talik": int((ground.state.talik[-1] > 0.0).sum()),
        "magt_drift_per_year": _range(drift, np.ones_like(frozen), area),
    }
    for name, one in (("air", ground.air), ("surface", ground.surface)):
        if one is not None:
            numbers[f"{name}_thawing_index"] = _range(one.thawing.mean(axis=0), np.ones_like(frozen), area)
            numbers[f"{name}_freezing_index"] = _range(one.freezing.mean(axis=0), np.ones_like(frozen), area)
    if ground.air is not None and ground.surface is not None:
        for name in ("thawing", "freezing"):
            factor = n_factor(getattr(ground.surface, name).mean(axis=0), getattr(ground.air, name).mean(axis=0))
            numbers[f"n_factor_{name}"] = _range(factor, np.isfinite(factor), area)
    numbers["bands"] = _bands(ground, section.elevation_band)
    numbers["years"] = [_year(ground, place) for place in range(ground.years.nyear)]
    return numbers


def _range(values: np.ndarray, where: np.ndarray, area: np.ndarray) -> dict[str, float] | None:
    """Return mean over the area, least and largest value; None without one."""
    counted = where & np.isfinite(values)
    if not counted.any():
        return None
    some = values[counted]
    return {"mean": float(np.average(some, weights=area[counted])), "least": float(some.min()),
            "largest": float(some.max())}


def _bands(ground: FrozenGround, height: float) -> list[dict[str, Any]]:
    """Return a row for each elevation band, from the lowest."""
    band = np.floor(ground.elevation / height).astype(int)
    rows = []
    for number, share in zip(*area_shares(ground.permafrost, ground.area, band), strict=True):
        inside = band == number
        alt, magt = (_range(ground.late(one), inside & ground.permafrost, ground.area)
                     for one in (ground.state.active_layer, ground.magt))
        rows.append({"from_elevation": number * height, "to_elevation": (number + 1) * height,
                     "cells": int(inside.sum()), "permafrost_share": float(share),
                     "zone": ZONES[int(zone_of_share(share))], "active_layer": None if alt is None else alt["mean"],
                     "magt_of_permafrost": None if magt is None else magt["mean"],
                     "magt": (_range(ground.late(ground.magt), inside, ground.area) or {}).get("mean")})
    return rows


def _year(ground: FrozenGround, place: int) -> dict[str, Any]:
    """Return the row of a year."""
    frozen, area = ground.state.permafrost[place], ground.area
    alt, magt = (_range(one[place], frozen, area) or {} for one in (ground.state.active_layer, ground.magt))
    return {"start": str(ground.years.start[place])[:10], "end": str(ground.years.end[place])[:10],
            "permafrost_share": float(area[frozen].sum() / area.sum()), "active_layer": alt.get("mean"),
            "active_layer_least": alt.get("least"), "active_layer_largest": alt.get("largest"),
            "magt_of_permafrost": magt.get("mean")}


def _cell_rows(ground: FrozenGround) -> list[dict[str, Any]]:
    """Return a row for each cell, mean of the last years."""
    columns = {
        "latitude": ground.latitude, "longitude": ground.longitude, "elevation": ground.elevation,
        "permafrost": ground.permafrost.astype(int), "thermal_class": ground.thermal_class,
        "active_layer": ground.late(ground.state.active_layer), "permafrost_table": ground.late(ground.state.table),
        "talik": ground.late(ground.state.talik), "frost_depth": ground.late(ground.state.frost_depth),
        "magt": ground.late(ground.magt), "zero_amplitude_depth": ground.zero_depth,
        "top_temperature": ground.late(ground.state.top_temperature) - ZERO_CELSIUS,
    }
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _write_map(path: Path, data: xr.Dataset) -> Path:
    """Write a file of maps, complete or not at all."""
    with complete_file(path) as partial:
        data.to_netcdf(partial, engine="netcdf4")
    return path


def _figures(run: DiagnosedRun, ground: FrozenGround, domain: Domain, section: Any) -> list[Path]:
    """Draw profiles, map or section, and years."""
    from pyland.view.permafrost_map import plot_permafrost_map
    from pyland.view.permafrost_profile import plot_permafrost_profiles
    from pyland.view.permafrost_series import plot_permafrost_years

    return [plot_permafrost_profiles(ground, run.folder / "profiles.png", section.freezing_point),
            plot_permafrost_map(ground, domain, run.folder / "map.png"),
            plot_permafrost_years(ground, run.folder / "years.png")]


def _text(numbers: dict[str, Any]) -> str:
    """Return a short table."""

    def shown(entry: dict[str, float] | None) -> str:
        if entry is None:
            return "-"
        return f"{entry['mean']:8.2f}   ({entry['least']:.2f} to {entry['largest']:.2f})"

    limit = numbers["lower_limit"]
    lines = [
        f"permafrost in {numbers['cells_with_permafrost']} of {numbers['cells']} cells, "
        f"{100 * numbers['permafrost_share']:.0f} % of the area ({numbers['zone']}); "
        f"{numbers['start'][:10]} to {numbers['end'][:10]}",
        f"lower limit                      {limit['limit']:8.0f} m  (lowest {limit['lowest']:.0f}, everywhere from "
        f"{limit['everywhere']:.0f})" if np.isfinite(limit["lowest"]) else "lower limit                             -",
    ]
    for name, words, unit in (("active_layer", "active layer", "m"), ("magt", "temperature, zero amplitude", "degC"),
                              ("top_temperature", "temperature, top of permafrost", "degC"),
                              ("zero_amplitude_depth", "depth of zero amplitude", "m"),
                              ("magt_drift_per_year", "drift of temperature", "K per year"),
                              ("n_factor_thawing", "n-factor of thawing", ""),
                              ("n_factor_freezing", "n-factor of freezing", "")):
        if name in numbers:
            lines.append(f"{words:31s}{shown(numbers[name])} {unit}".rstrip())
    for name, one in (numbers.get("boreholes") or {}).items():
        lines.append(f"boreholes, {name:20s}bias {one['bias']:8.2f}, rmse {one['rmse']:.2f}, r {one['r']:.2f}, "
                     f"n {one['n']}")
    for name, one in (numbers.get("learned") or {}).items():
        scores = one["scores"]["ensemble"]
        lines.append(f"learned {name:22s}withheld samples: rmse {scores['rmse']:.2f}, r {scores['r']:.2f}; all cells "
                     f"against the run: bias {one['against_run']['bias']:.2f}, rmse {one['against_run']['rmse']:.2f}")
    return "\n".join(lines)
