"""What was observed where: rows of ``analysis.nc`` by cell, and the measurements of the station of a site run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.observation_reasons import REASONS, USED, WITHHELD
from pyland.view.web_server.record_files import RecordFiles
from pyland.view.web_server.viewed_grid import ViewedGrid

TYPE_TO_VARIABLE = {
    "soil_moisture": "soil_water",
    "groundwater": "water_table_depth",
    "lst": "ground_temperature",
    "snow_cover": "snow_cover_fraction",
    "snow_water": "snow_mass",
    "snow_depth": "snow_depth",
    "lai": "leaf_area_index",
    "tws": "terrestrial_water_storage",
    "discharge": "discharge",
}
"""Type of an observation to the variable that has its unit; other types are shown by themselves."""

MOST_PLACES = 1000
"""Most places that the index lists; the series of a cell has all of its own."""

_ROWS = ("observation_time", "latitude", "longitude", "depth_top", "depth_bottom", "value", "error", "prior_mean",
         "posterior_mean", "stream", "rejection", "place")

LEAST_MEASURED = 0.75
"""Least share of a record's interval that a station must have measured, as for scores (docs/guide/output.md)."""


@dataclass(frozen=True)
class _Rows:
    """Observations in the order of their cells."""

    values: Mapping[str, np.ndarray]
    cell: np.ndarray
    names: tuple[str, ...]
    types: tuple[str, ...]
    units: tuple[str, ...]


class ObservedPlaces:
    """Observations of a run.

    Parameters
    ----------
    analyses : RecordFiles or None
        ``analysis.nc``, by observation.
    grid : ViewedGrid
        Cells of the run.
    records : RecordFiles
        History of the run: measurements of a station are shown as means over its records.
    station : Path or None
        File of the station that drove a site run.
    """

    def __init__(
        self, analyses: RecordFiles | None, grid: ViewedGrid, records: RecordFiles, station: Path | None = None
    ) -> None:
        self._analyses, self._grid, self._records, self._station = analyses, grid, records, station
        self._version, self._rows = "", None
        self._measured: tuple[str, list[dict[str, Any]]] | None = None

    @property
    def exists(self) -> bool:
        """Whether there is any observation."""
        return bool(self._current()) or bool(self._measurements())

    def places(self) -> tuple[list[dict[str, Any]], int]:
        """Return the places of observations, streams with few places first, and how many are left out."""
        out = self._station_places()
        rows = self._current()
        if rows is None:
            return out, 0
        streams = []
        for code, name in enumerate(rows.names):
            mine = np.flatnonzero(rows.values["stream"] == code)
            if mine.size == 0:
                continue
            cells, first, count = np.unique(rows.cell[mine], return_index=True, return_counts=True)
            streams.append((cells.size, code, name, cells, mine[first], count))
        left = 0
        for size, code, name, cells, first, count in sorted(streams, key=lambda one: one[:2]):
            room = max(MOST_PLACES - len(out), 0)
            left += max(size - room, 0)
            kind = rows.types[code]
            for number in range(min(size, room)):
                y, x = divmod(int(cells[number]), self._grid.shape[1])
                row = first[number]
                out.append({
                    "name": name, "type": kind, "lat": float(rows.values["latitude"][row]),
                    "lon": float(rows.values["longitude"][row]), "y": y, "x": x, "count": int(count[number]),
                    "variables": [TYPE_TO_VARIABLE[kind]] if kind in TYPE_TO_VARIABLE else []})
        return out, left

    def of_cell(self, y: int, x: int) -> list[dict[str, Any]]:
        """Return all series of observations in a cell: by stream and depth.

        Returns
        -------
        list of dict
            ``name``, ``type``, ``units``, ``variable`` (None where the model has none in that unit), ``depth`` [m] and,
            along time, ``time``, ``value``, ``error``, ``prior``, ``posterior``, ``status`` and ``reason``.
        """
        out = list(self._measurements())
        rows = self._current()
        if rows is None:
            return out
        cell = y * self._grid.shape[1] + x
        low, high = np.searchsorted(rows.cell, [cell, cell + 1])
        mine = {name: values[low:high] for name, values in rows.values.items()}
        depths = np.nan_to_num(np.stack([mine["depth_top"], mine["depth_bottom"]]), nan=-1.0)
        groups = np.stack([mine["stream"].astype(float), mine["place"].astype(float), *depths])
        for group in np.unique(groups, axis=1).T:
            take = np.flatnonzero((groups == group[:, np.newaxis]).all(axis=0))
            out.append(_series_of(rows, mine, take[np.argsort(mine["observation_time"][take], kind="stable")]))
        return out

    def observed_cells(self) -> list[tuple[int, int]]:
        """Return row and column of every cell with observations."""
        rows = self._current()
        cells = set() if rows is None else {divmod(int(one), self._grid.shape[1]) for one in np.unique(rows.cell)}
        return sorted(cells | ({(0, 0)} if self._measurements() else set()))

    # ---- inside ----------------------------------------------------------------------------------

    def _current(self) -> _Rows | None:
        """Return the rows as the files have them now; None without any."""
        if self._analyses is None or self._analyses.is_empty or not self._analyses.has("stream"):
            return None
        if self._version != self._analyses.version:
            self._rows = self._read()
            self._version = self._analyses.version
        return self._rows

    def _read(self) -> _Rows | None:
        names = [name for name in _ROWS if self._analyses.has(name)]
        values = {name: np.asarray(one) for name, one in self._analyses.read_rows(names).items()}
        values.setdefault("place", np.zeros(values["value"].shape, np.int64))
        if values["value"].size == 0:
            return None
        known = np.isfinite(values["latitude"]) & np.isfinite(values["longitude"])
        cell, distance = self._grid.nearest(
            np.where(known, values["latitude"], 0.0), np.where(known, values["longitude"], 0.0)
        )
        near = known & (distance <= max(self._grid.cell_size(), 1.0))
        order = np.flatnonzero(near)
        order = order[np.argsort(cell[order], kind="stable")]
        about = self._analyses.attributes("stream")
        return _Rows({name: one[order] for name, one in values.items()}, cell[order],
                     tuple(str(about["flag_meanings"]).split()), tuple(str(about["stream_types"]).split()),
                     tuple(one.strip() for one in str(about["stream_units"]).split(",")))

    def _measurements(self) -> list[dict[str, Any]]:
        """Return what the station of a site run measured, in the units of the model."""
        if self._station is None or self._grid.kind != "sites":
            return []
        if self._measured is None or self._measured[0] != self._records.version:
            found = _station_series(self._station, self._records.time_starts, self._records.times)
            self._measured = (self._records.version, found)
        return self._measured[1]

    def _station_places(self) -> list[dict[str, Any]]:
        found = self._measurements()
        if not found:
            return []
        return [{
            "name": found[0]["name"], "type": "station", "lat": float(self._grid.latitude[0, 0]),
            "lon": float(self._grid.longitude[0, 0]), "y": 0, "x": 0, "count": sum(len(one["time"]) for one in found),
            "variables": list(dict.fromkeys(one["variable"] for one in found))}]


def matching(series: list[dict[str, Any]], variable: str, layer: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return the observations that a layer of a variable can be compared with.

    Parameters
    ----------
    series : list of dict
        From `ObservedPlaces.of_cell`.
    variable : str
        Identifier.
    layer : mapping or None
        ``top`` and ``bottom`` of the layer [m]; an observed range fits if its middle lies in the layer or if it covers
        half of it: 0 to 5 cm fit both 0 to 2 and 2 to 5 cm. Observations without a depth belong to the uppermost.
    """
    out = []
    for one in series:
        if one["variable"] != variable:
            continue
        depth = one["depth"]
        if layer is None or "top" not in layer or depth is None:
            fits = layer is None or "top" not in layer or layer["top"] == 0.0
        else:
            middle = 0.5 * (depth[0] + depth[1])
            common = min(depth[1], layer["bottom"]) - max(depth[0], layer["top"])
            half = 0.5 * (layer["bottom"] - layer["top"])
            fits = layer["top"] <= middle < layer["bottom"] or common >= half
        if fits:
            out.append(one)
    return out


def _series_of(rows: _Rows, mine: Mapping[str, np.ndarray], take: np.ndarray) -> dict[str, Any]:
    code = int(mine["stream"][take[0]])
    flags = mine["rejection"][take].astype(int)
    top, bottom = (float(mine[name][take[0]]) for name in ("depth_top", "depth_bottom"))
    return {
        "name": rows.names[code], "type": rows.types[code], "units": rows.units[code],
        "variable": TYPE_TO_VARIABLE.get(rows.types[code]),
        "depth": [top, bottom] if np.isfinite(top) and np.isfinite(bottom) else None,
        "latitude": float(mine["latitude"][take[0]]), "longitude": float(mine["longitude"][take[0]]),
        "time": mine["observation_time"][take].astype("datetime64[s]"), "value": mine["value"][take],
        "error": mine["error"][take], "prior": mine["prior_mean"][take], "posterior": mine["posterior_mean"][take],
        "status": ["used" if flag == USED else "withheld" if flag == WITHHELD else "rejected" for flag in flags],
        "reason": [REASONS[int(flag)] for flag in flags],
    }


def _station_series(path: Path, starts: np.ndarray, ends: np.ndarray) -> list[dict[str, Any]]:
    """Return what a station file measured of variables of the model, as means over the records of the run."""
    from pyland.diagnose.series import ALMA_TO_ID, PROFILE_TO_ID, parse_depth, read_station, unit_factor

    station = read_station(path)
    out = []
    for series in (station.native, station.daily):
        for name, values in {} if series is None else series.values.items():
            depth = station.depths.get(name) or (parse_depth(name) or (None, None, None))[1:]
            variable = ALMA_TO_ID.get(name) or (
                PROFILE_TO_ID.get(name.split("_")[0]) if depth[0] is not None else None)
            if variable is None:
                continue
            moments, means = record_means(series.start, series.step, values, starts, ends)
            empty = np.full(means.size, np.nan)
            if means.size:
                out.append({
                    "name": f"{station.name} {name}", "type": "station", "units": None, "variable": variable,
                    "depth": None if depth[0] is None else [float(depth[0]), float(depth[1])], "latitude": None,
                    "longitude": None, "time": moments, "value": means / unit_factor(name), "error": empty,
                    "prior": empty, "posterior": empty, "status": ["withheld"] * means.size,
                    "reason": ["measured_at_the_station"] * means.size})
    return out


def record_means(
    begin: np.ndarray, step: float, values: np.ndarray, starts: np.ndarray, ends: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return means of a measured series over the records of a run.

    Parameters
    ----------
    begin : numpy.ndarray of datetime64[s], shape (point,)
        Start of each measured interval, UTC.
    step : float
        Its length [s].
    values : numpy.ndarray, shape (point,)
        NaN where nothing was measured.
    starts, ends : numpy.ndarray of datetime64[s], shape (record,)
        Intervals of the records.

    Returns
    -------
    times : numpy.ndarray of datetime64[s]
        Ends of the records with enough measured points; of points themselves where these are longer than a record.
    means : numpy.ndarray
        Their means [unit of the values].
    """
    if ends.size == 0:
        return begin[:0], values[:0]
    finish = begin + np.timedelta64(round(step), "s")
    inside = np.isfinite(values) & (begin >= starts[0]) & (finish <= ends[-1])
    lengths = (ends - starts).astype(float)
    if step >= np.median(lengths):
        return finish[inside], values[inside]
    record = np.searchsorted(ends, finish[inside], side="left")
    within = begin[inside] >= starts[record]
    record, taken = record[within], values[inside][within]
    count = np.bincount(record, minlength=ends.size)
    total = np.bincount(record, weights=taken, minlength=ends.size)
    enough = (count > 0) & (count * step >= LEAST_MEASURED * lengths)
    return ends[enough], total[enough] / count[enough]
