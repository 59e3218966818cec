"""``pyland diagnose CASE skill`` of a gridded run: scores at many stations, their medians and a map."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.base.logging import get_logger
from pyland.base.text import aligned_columns
from pyland.diagnose.many_stations import SCORES, StationPlace, medians, record_means, station_row
from pyland.diagnose.records import in_period, open_file
from pyland.diagnose.scores import score
from pyland.diagnose.series import at_depth, read_history, read_station, units_of
from pyland.diagnose.skill import observed_names, skill
from pyland.driver.commands.diagnosis import DiagnosedRun, Diagnosis
from pyland.forcing import read_site
from pyland.observe import ObservationTable, read_table
from pyland.observe.quantities import quantity_of
from pyland.output.row_files import write_rows
from pyland.subsurface.river_grid import great_circle

TABLE_VARIABLES = {"soil_moisture": "soil_water", "groundwater": "water_table_depth", "snow_water": "snow_mass",
                   "snow_depth": "snow_depth", "lst": "radiative_temperature"}
"""Variables of the history by the type of an observation table."""

PATTERN = frozenset("*?")
"""Characters that stand for others in the name of a file."""

DIAGONAL = math.sqrt(0.5)
"""Half diagonal of a square by its side [1]."""

_log = get_logger("diagnose")


def stations(run: DiagnosedRun) -> Diagnosis:
    """Compare a run with the stations of ``diagnose.skill``; writes ``stations.csv``, ``medians.csv`` and maps.

    Raises
    ------
    InputError
        If no file is given, one cannot be read, or no station has a point in common with the run.
    """
    section = run.config.diagnose.skill
    if not section.stations:
        raise InputError(f"{run.config.where('diagnose.skill.stations')}: expected station files, got none.")
    history = run.files.need("history.nc")
    grid = _Grid(history, section.distance)
    rows: list[dict[str, Any]] = []
    for path in station_files(section.stations):
        found = list(_compare(path, history, grid, run))
        wanted = [row for row in found if not section.variables or row["variable"].split(" ")[0] in section.variables]
        if not wanted:
            _log.warning("%s: nothing of it can be compared with the run", path)
        rows += wanted
    if not rows:
        raise InputError(f"{history}: no station has a point in common with the run; look at its period, its "
                         "output.variables and diagnose.skill.")
    middle = medians(rows, section.least)
    files = [write_rows(run.folder / "stations.csv", rows), write_rows(run.folder / "medians.csv", middle)]
    if run.with_figures:
        from pyland.view.station_map import plot_station_map

        files.append(plot_station_map(
            rows, grid.latitude, grid.longitude, run.folder / "stations.png", section.least, grid.span(run.period)))
    return Diagnosis({"stations": rows, "medians": middle}, _text(rows, middle), tuple(files))


def station_files(given: Sequence[str]) -> list[Path]:
    """Return the files that a list of names and patterns stands for.

    Raises
    ------
    InputError
        If one is not there, or a pattern fits none.
    """
    out: dict[Path, None] = {}
    for one in given:
        path = Path(one)
        found = sorted(path.parent.glob(path.name)) if PATTERN & set(path.name) else [path]
        if not found or not all(each.is_file() for each in found):
            raise InputError(f"diagnose.skill.stations: there is no file {one}; * and ? may stand for parts of its "
                             "name, not of its folder.")
        out |= dict.fromkeys(found)
    return list(out)


class _Grid:
    """Cells of a history, and how far a station may be from them."""

    def __init__(self, history: Path, farthest: float | None) -> None:
        with open_file(history) as data:
            self.latitude, self.longitude = data["latitude"].values, data["longitude"].values
            self._span = data["time_bounds"].values[0, 0], data["time_bounds"].values[-1, 1]
        self._flat = self.latitude.ravel(), self.longitude.ravel()
        self._known = np.flatnonzero(np.isfinite(self._flat[0]))
        self._farthest = farthest

    def span(self, period: tuple[Any, Any]) -> str:
        """Return the days that are compared."""
        first, last = (given or own for given, own in zip(period, self._span, strict=True))
        return f"{str(first)[:10]} to {str(last)[:10]}"

    def place(self, name: str, latitude: float, longitude: float) -> StationPlace | None:
        """Return the nearest cell of a station; None, with a warning, if it is too far."""
        away = great_circle(latitude, longitude, *(values[self._known] for values in self._flat))
        near = int(np.argmin(away))
        cell = int(self._known[near])
        limit = self._farthest if self._farthest is not None else self._reach(near)
        if away[near] > limit:
            _log.warning("station %s lies %.4g km from the nearest cell, more than %.4g km; it is left out", name,
                         away[near] / 1000.0, limit / 1000.0)
            return None
        return StationPlace(name, float(latitude), float(longitude), cell, float(away[near]) / 1000.0)

    def _reach(self, near: int) -> float:
        """Return the half diagonal of a cell by its nearest neighbour [m]; a site reaches any station."""
        if self._known.size < 2:
            return math.inf
        others = np.delete(self._known, near)
        here = (values[self._known[near]] for values in self._flat)
        return DIAGONAL * float(great_circle(*here, *(values[others] for values in self._flat)).min())


def _compare(path: Path, history: Path, grid: _Grid, run: DiagnosedRun) -> Iterator[dict[str, Any]]:
    """Give the rows of a file."""
    if _is_table(path):
        yield from _rows_of_table(read_table(path), path, history, grid, run)
        return
    site = read_site(path)
    if site.latitude is None or site.longitude is None:
        raise InputError(f"{path}: expected the latitude and longitude of the station among its attributes.")
    station = read_station(path)
    place = grid.place(site.name, site.latitude, site.longitude)
    if place is None:
        return
    model = read_history(history, observed_names(station), cell=place.cell, depths=station.depths)
    for step, scores in skill(model, station, period=run.period).items():
        for name, found in scores.items():
            yield station_row(place, name, units_of(name), step, found)


def _is_table(path: Path) -> bool:
    """Tell whether a file is an observation table."""
    with open_file(path, decode_times=False) as data:
        return "footprint" in data and "flag" in data


def _rows_of_table(
    table: ObservationTable, path: Path, history: Path, grid: _Grid, run: DiagnosedRun
) -> Iterator[dict[str, Any]]:
    """Give a row for each place and depth of a table."""
    name = TABLE_VARIABLES.get(table.type)
    if name is None:
        raise InputError(f"{path}: expected observations of {', '.join(TABLE_VARIABLES)}, got '{table.type}'.")
    table = table.rows(table.used)
    with open_file(history) as data:
        if name not in data:
            raise InputError(f"{history}: '{table.type}' needs '{name}'; name it in output.variables and run the case "
                             "again.")
        start, end = data["time_bounds"].values.T
        counts = in_period(data["time_bounds"].values, run.period)
        keys = np.stack([table.location.astype(float), np.nan_to_num(table.top, nan=-1.0),
                         np.nan_to_num(table.bottom, nan=-1.0)], axis=1)
        for key in np.unique(keys, axis=0):
            mine = (keys == key).all(axis=1)
            label = f"{path.stem} {int(key[0])}"
            place = grid.place(label, float(table.latitude[mine].mean()), float(table.longitude[mine].mean()))
            if place is None:
                continue
            modelled = _at(data, name, place.cell, (key[1], key[2]))
            observed = record_means(table.time[mine], table.value[mine], start, end)
            depth = f" {100 * key[1]:g}-{100 * key[2]:g} cm" if key[1] >= 0.0 and "layer" in data[name].dims else ""
            found = score(np.where(counts, modelled, np.nan), observed)
            if found["n"] > 0:
                yield station_row(place, table.type + depth, quantity_of(table.type).unit, "record", found)


def _at(data: xr.Dataset, name: str, cell: int, depth: tuple[float, float]) -> np.ndarray:
    """Return a variable of a cell, (record,), profiles at a depth [m]."""
    variable = data[name]
    values = variable.values.reshape(*variable.shape[: variable.ndim - data["latitude"].ndim], -1)[..., cell]
    if values.ndim == 1:
        return values
    top, bottom = depth if depth[0] >= 0.0 else (0.0, 0.05)
    return at_depth(values, data["layer_bounds"].values, top, bottom)


def _text(rows: Sequence[dict[str, Any]], middle: Sequence[dict[str, Any]]) -> str:
    """Return rows and medians for people, days before native steps where a station has both."""
    daily = {(row["station"], row["variable"]) for row in rows if row["step"] == "daily"}
    shown = [row for row in rows if row["step"] != "native" or (row["station"], row["variable"]) not in daily]
    table = [["station", "variable", "step", "km", *SCORES]]
    table += [[row["station"], row["variable"], row["step"], f"{row['distance_km']:.1f}",
               *(_number(row[name]) for name in SCORES)] for row in shown]
    table += [[f"median of {row['stations']}", row["variable"], row["step"], "",
               *(_number(row[name]) for name in SCORES)] for row in middle]
    return "\n".join(aligned_columns(table, 3))


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4g}"
