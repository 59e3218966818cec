"""One run, or one file with maps, behind the URLs of the page: index, maps, series."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.view.web_server.domain_maps import DomainMaps
from pyland.view.web_server.field_statistics import FieldStatistics
from pyland.view.web_server.kept_records import KeptRecords
from pyland.view.web_server.names import statistic_label
from pyland.view.web_server.observed_places import ObservedPlaces, matching
from pyland.view.web_server.record_files import PROBE_BLOCK, RecordFiles, record_paths
from pyland.view.web_server.viewed_grid import ViewedGrid, viewed_grid
from pyland.view.web_server.viewed_variables import ViewedVariable, viewed_variables

RUN_PARTS = {"analysis": "analysis", "balance": "balance", "members": "members"}
"""What belongs to the history of a run, and the names of its files without their ending."""

RUNNING = ("run", "open_loop", "smoothed")
"""Roles of files that grow."""

LOOK_AGAIN = 1.0
"""Least time between two looks at the files of a run [s]."""

RANGE_RECORDS = 12
"""Records that the range of colours is taken from, evenly over the run."""

RANGE_VALUES = 50_000
"""Most values of a record that the range is taken from, every k-th cell."""

BLOCK_LIMIT = 128 * 2**20
"""Bytes of series that are kept."""


class ViewedRun:
    """A run directory, or any file with maps on a grid.

    Parameters
    ----------
    identifier, title : str
        Name in URLs, and in words.
    folder : Path
        Run directory, or the folder of the file.
    find : callable
        Returns the files of the records as they are now.
    role : str
        ``run``, ``open_loop``, ``truth``, ``smoothed``, ``diagnosis``, ``product`` or ``cycle``.
    parent : str or None
        Run that it belongs to.
    station : Path or None
        Station file that drove a site run.
    parts : mapping of str to str
        Which of ``analysis``, ``balance`` and ``members`` lie beside the records, and under which names; the domain
        lies there too unless it is empty.
    kept : KeptRecords, optional
        Where whole records are kept, if it is shared.
    """

    def __init__(
        self, identifier: str, title: str, folder: Path, find: Callable[[], Sequence[Path]], *, role: str = "run",
        parent: str | None = None, station: Path | None = None, parts: Mapping[str, str] = RUN_PARTS,
        kept: KeptRecords | None = None,
    ) -> None:
        self.id, self.title, self.folder, self.role, self.parent = identifier, title, folder, role, parent
        self.open_loop: ViewedRun | None = None
        self.truth: ViewedRun | None = None
        self._station, self._parts = station, dict(parts)
        self.records = RecordFiles(find)
        self.analyses = self._part("analysis", "analysis", "analysis_time")
        self.balance = self._part("balance")
        self.members = self._part("members")
        self.statistics = FieldStatistics(self.records, self.analyses, kept or KeptRecords())
        self._looked = time.monotonic()
        self._blocks: OrderedDict[tuple[Any, ...], np.ndarray] = OrderedDict()
        self._ranges: dict[tuple[Any, ...], dict[str, Any]] = {}

    # ---- what there is -----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Look at the files again if the last look is some time ago."""
        if time.monotonic() - self._looked < LOOK_AGAIN:
            return
        parts = (self.records, self.analyses, self.balance, self.members, self.__dict__.get("observations_file"))
        changed = [one.refresh() for one in parts if one is not None]
        if any(changed):
            for name in ("variables", "domain", "grid", "observed"):
                self.__dict__.pop(name, None)
            self._blocks.clear()
            self._ranges.clear()
        self._looked = time.monotonic()

    def close(self) -> None:
        """Close all files."""
        for one in (self.records, self.analyses, self.balance, self.members, self.__dict__.get("observations_file")):
            if one is not None:
                one.close()

    @property
    def is_growing(self) -> bool:
        """Whether the run has not ended: its records are segments."""
        return self.role in RUNNING and (
            self.records.is_empty or any("segments" in one.parts for one in self.records.paths)
        )

    @cached_property
    def grid(self) -> ViewedGrid:
        """Cells of the run."""
        names = ()
        if self.records.has("site_name"):
            names = tuple(str(one) for one in self.records.values("site_name"))
        latitude, longitude = (self._coordinate(name) for name in ("latitude", "longitude"))
        if self.records.definition[latitude].dimensions != self.records.definition[longitude].dimensions:
            axes = np.meshgrid(self.records.values(latitude), self.records.values(longitude), indexing="ij")
            return viewed_grid(*(np.asarray(one, float) for one in axes))
        return viewed_grid(*(np.asarray(self.records.values(one), float) for one in (latitude, longitude)), names)

    @cached_property
    def variables(self) -> dict[str, ViewedVariable]:
        """Variables by identifier."""
        return viewed_variables(self.records, self.analyses, with_history=self.role != "diagnosis")

    @cached_property
    def observed(self) -> ObservedPlaces:
        """Observations."""
        return ObservedPlaces(self.observations_file, self.grid, self.records, self._station)

    @cached_property
    def observations_file(self) -> RecordFiles | None:
        """``analysis.nc`` by observation instead of by analysis."""
        return self._part("analysis", "observation", "observation_time")

    @cached_property
    def domain(self) -> DomainMaps:
        """Static maps, zones and areas."""
        return DomainMaps(self.folder if self._parts else None, self.grid)

    def variable(self, name: str) -> ViewedVariable:
        """Return a variable.

        Raises
        ------
        InputError
            If there is none of that name.
        """
        if name not in self.variables:
            raise InputError(
                f"{self.title}: no variable '{name}'; there are {', '.join(self.variables) or 'none yet'}."
            )
        return self.variables[name]

    # ---- answers -----------------------------------------------------------------------------------

    def index(self) -> dict[str, Any]:
        """Return what the page needs to know of the run."""
        if self.records.is_empty:
            return {
                "id": self.id,
                "title": self.title,
                "version": "empty",
                "is_growing": True,
                "grid": None,
                "times": [],
                "time_start": [],
                "variables": [],
                "statistics": {},
                "sites": [],
                "zones": [],
                "downloads": [],
            }
        places, left = self.observed.places()
        used = dict.fromkeys(one for entry in self.variables.values() for one in entry.statistics)
        statistics = {name: {"label": statistic_label(name), "note": self.statistics.note(name)} for name in used}
        return {
            "id": self.id, "title": self.title, "role": self.role, "parent": self.parent, "version": self.version,
            "is_growing": self.is_growing, "grid": self._grid_entry(), "times": _stamps(self.records.times),
            "time_start": _stamps(self.records.time_starts), "times_step": 1,
            "variables": [entry.describe() for entry in self.variables.values()], "statistics": statistics,
            "sites": places, "sites_left_out": left, "zones": self.domain.zone_entries(), "domain": self.domain.entry(),
            "has_balance": self.has_balance, "balance": "server" if self.has_balance else None,
            "series": {"kind": "cell"}, "downloads": ["nc", "csv", *(["tif"] if self.grid.kind != "sites" else [])],
            "source": {name: str(value) for name, value in self.records.attributes().items()
                       if name in ("title", "source", "commit", "config_hash", "comment", "stage")},
        }

    @property
    def version(self) -> str:
        """Text that changes with the files."""
        more = "" if self.analyses is None or self.analyses.is_empty else f"-{self.analyses.version}"
        return self.records.version + more

    @property
    def has_balance(self) -> bool:
        """Whether there are water terms per cell."""
        return (
            self.balance is not None and not self.balance.is_empty and "precipitation" in self.balance.map_variables()
        )

    def map(self, name: str, statistic: str, layer: int, index: int) -> np.ndarray:
        """Return a map, float32 of shape (y, x); NaN outside."""
        values = self.statistics.map(self.variable(name), statistic, layer, index)
        return np.ascontiguousarray(values.reshape(self.grid.shape), "<f4")

    def range(self, name: str, statistic: str, layer: int) -> dict[str, Any]:
        """Return the range of colours: percentiles 2 and 98 of some records, symmetric about 0 where they diverge."""
        key = (self.version, name, statistic, layer)
        if key not in self._ranges:
            count = max(len(self.records.times), 1)
            chosen = np.unique(np.linspace(0, count - 1, min(RANGE_RECORDS, count)).round().astype(int))
            step = max(int(np.prod(self.grid.shape)) // RANGE_VALUES, 1)
            sample = np.concatenate([self.map(name, statistic, layer, int(one)).ravel()[::step] for one in chosen])
            sample = sample[np.isfinite(sample)]
            low, high = np.percentile(sample, [2.0, 98.0]) if sample.size else (0.0, 1.0)
            if statistic in ("anomaly", "increment") or (statistic == "mean" and self.variable(name).signed):
                high = max(abs(low), abs(high))
                low = -high
            if statistic == "percentile":
                low, high = 0.0, 100.0
            extremes = (sample.min(), sample.max()) if sample.size else (None, None)
            self._ranges[key] = {
                "range": [_figure(low), _figure(high)],
                "minimum": _figure(extremes[0]),
                "maximum": _figure(extremes[1]),
                "times": int(chosen.size),
            }
        return self._ranges[key]

    def series(self, name: str, layer: int, y: int, x: int) -> dict[str, Any]:
        """Return everything about one cell over time."""
        entry = self.variable(name)
        self.check_cell(y, x)
        out: dict[str, Any] = {
            "variable": name, "units": entry.units, "title_variable": entry.label, "layer": layer,
            "latitude": _figure(self.grid.latitude[y, x]), "longitude": _figure(self.grid.longitude[y, x]),
            "name": self.grid.names[x] if self.grid.names else None, "time": _stamps(self.records.times)}
        found = self.series_values(entry, layer, y, x)
        out |= {statistic: _numbers(values) for statistic, values in found.items()}
        out["derived"] = {name: "normal" for name in entry.normal}
        out["members"] = self._members_of(entry, layer, y, x)
        deep = None if entry.layers is None else entry.layers[layer]
        out["observations"] = [plain_series(one) for one in matching(self.observed.of_cell(y, x), name, deep)]
        for word, other in (("open_loop", self.open_loop), ("truth", self.truth)):
            out[word] = _companion(other, name, layer, y, x)
        return out

    def series_values(self, entry: ViewedVariable, layer: int, y: int, x: int) -> dict[str, np.ndarray]:
        """Return the statistics of one cell over time, (record,) each: of the file, and normal quantiles."""
        from pyland.view.web_server.field_statistics import normal_quantile

        if not 0 <= layer < entry.layer_count:
            raise InputError(f"{entry.id} has layers 0 to {entry.layer_count - 1}, got layer {layer}.")
        where = None if entry.layers is None else layer
        found = {statistic: self._cell(stored, where, y, x) for statistic, stored in entry.stored.items()}
        for statistic in entry.normal:
            found[statistic] = normal_quantile(found["mean"], found["std"], statistic, entry.valid_range)
        return found

    def check_cell(self, y: int, x: int) -> None:
        """Raise InputError if a cell is not of the grid."""
        rows, columns = self.grid.shape
        if not (0 <= y < rows and 0 <= x < columns):
            raise InputError(
                f"{self.title}: the grid has rows 0 to {rows - 1} and columns 0 to {columns - 1}, got row {y}, "
                f"column {x}."
            )

    # ---- inside ----------------------------------------------------------------------------------

    def _part(self, name: str, record: str = "time", time_name: str = "time") -> RecordFiles | None:
        """Return the files of a part; None if the run has no such part."""
        if name not in self._parts:
            return None
        return RecordFiles(lambda: record_paths(self.folder, self._parts[name]), record, time_name)

    def _coordinate(self, name: str) -> str:
        short = {"latitude": "lat", "longitude": "lon"}[name]
        found = next((one for one in (name, short, f"grid_{name}") if self.records.has(one)), None)
        if found is None:
            raise InputError(f"{self.records.paths[-1]}: no variable {name}; a map needs to know where its cells lie.")
        return found

    def _grid_entry(self) -> dict[str, Any]:
        grid = self.grid
        rows, columns = grid.shape
        if grid.kind == "curvilinear":
            latitude, longitude = (f"data/{self.id}/grid/{one}.bin" for one in ("latitude", "longitude"))
        elif grid.kind == "sites":
            latitude, longitude = grid.latitude[0].tolist(), grid.longitude[0].tolist()
        else:
            latitude, longitude = grid.latitude[:, 0].tolist(), grid.longitude[0].tolist()
        northwards = rows == 1 or grid.latitude[-1].mean() >= grid.latitude[0].mean()
        projection = {name: grid.projection.get(name) for name in ("name", "proj", "latitude_0", "longitude_0")}
        return {"ny": rows, "nx": columns, "kind": grid.kind, "latitude": latitude, "longitude": longitude,
                "row0": "south" if northwards else "north", "bbox": list(grid.bounds), "corners": grid.corners(),
                "projection": projection, "names": list(grid.names) or None}

    def _cell(self, stored: str, layer: int | None, y: int, x: int) -> np.ndarray:
        """Return the series of a cell; its neighbours are read with it and kept."""
        if "time" not in self.records.map_variables()[stored]:
            value = self.records.read_map(stored, 0, layer).reshape(self.grid.shape)[y, x]
            return np.full(len(self.records.times), value)
        row, column = (one // PROBE_BLOCK * PROBE_BLOCK for one in (y, x))
        key = (self.records.version, stored, layer, row, column)
        if key not in self._blocks:
            whole = self.grid.kind == "sites"
            rows, columns = slice(row, row + PROBE_BLOCK), slice(column, column + PROBE_BLOCK)
            block = self.records.read_block(stored, layer, *((columns, None) if whole else (rows, columns)))
            self._blocks[key] = block.reshape(block.shape[0], *((1, -1) if whole else block.shape[1:]))
            while sum(one.nbytes for one in self._blocks.values()) > BLOCK_LIMIT and len(self._blocks) > 1:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end(key)
        return self._blocks[key][:, y - row, x - column]

    def _members_of(self, entry: ViewedVariable, layer: int, y: int, x: int) -> list[list[float | None]] | None:
        """Return the series of every member where the run kept them."""
        members = self.members
        if members is None or not members.has(entry.id):
            return None
        depth = () if entry.layers is None else (layer,)
        place = (x,) if self.grid.kind == "sites" else (y, x)
        values = members.read_members(entry.id, depth, place)
        return [_numbers(one) for one in values.T]


def _companion(other: ViewedRun | None, name: str, layer: int, y: int, x: int) -> dict[str, Any] | None:
    """Return the series of the same cell in the run beside; None without it."""
    if other is None or other.records.is_empty or name not in other.variables:
        return None
    if other.grid.shape[0] <= y or other.grid.shape[1] <= x:
        return None
    entry = other.variables[name]
    if layer >= entry.layer_count:
        return None
    found = other.series_values(entry, layer, y, x)
    return {"run": other.id, "time": _stamps(other.records.times),
            **{statistic: _numbers(values) for statistic, values in found.items()}}


def plain_series(series: dict[str, Any]) -> dict[str, Any]:
    """Return a series of observations in the types of JSON."""
    out = dict(series)
    for name, values in series.items():
        if isinstance(values, np.ndarray):
            out[name] = _stamps(values) if values.dtype.kind == "M" else _numbers(values)
    return out


def _numbers(values: np.ndarray) -> list[float | None]:
    """Return numbers as JSON has them: seven digits, as float32 does, and null where there is none."""
    return [None if value != value or value in (np.inf, -np.inf) else float(f"{value:.7g}")
            for value in np.asarray(values, float).tolist()]


def _figure(value: float | None) -> float | None:
    return None if value is None or not np.isfinite(value) else float(f"{float(value):.9g}")


def _stamps(times: np.ndarray) -> list[str | None]:
    """Return instants as ``YYYY-MM-DDTHH:MMZ``, with seconds where they are needed; null for none."""
    if times.size == 0:
        return []
    whole = (times[~np.isnat(times)].astype(np.int64) % 60 == 0).all()
    text = np.datetime_as_string(times, unit="m" if whole else "s")
    return [None if one == "NaT" else f"{one}Z" for one in text.tolist()]
