"""What rivers leave behind: maps in the history, hydrographs at gauges, terms of the balance."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from pyland.driver.rivers.river_run import PREFIX, RiverRun
from pyland.output.accumulator import Accumulator
from pyland.output.discharge import DischargeWriter
from pyland.output.grid import OutputGrid
from pyland.output.history import stamp_of

FLOWS = MappingProxyType({
    "river_runoff": ("runoff of the cell into its river or lake", 1.0),
    "river_inflow": ("water that arrives from upstream", 1.0),
    "river_deficit": ("negative runoff for which the river had no water", 1.0),
    "river_outflow": ("water that leaves the cell downstream", -1.0),
    "lake_precipitation": ("precipitation on the terminal lake", 1.0),
    "lake_evaporation": ("evaporation of the terminal lake", -1.0),
    "lake_withheld_runoff": ("runoff of land that the terminal lake covers, which does not reach it", -1.0),
})
"""Volumes that pass a cell: meaning, and sign in its balance."""

STORES = ("river_storage", "lake_volume")
"""Fields that hold the water of a cell."""

RIVER_TERMS = MappingProxyType({
    **{name: (meaning, "m3", "sum") for name, (meaning, _) in FLOWS.items()},
    "river_storage": ("water in the river at the end of the interval", "m3", "point"),
    "lake_volume": ("water in the terminal lake at the end of the interval", "m3", "point"),
    "lake_area": ("area of the terminal lake at the end of the interval", "m2", "point"),
    "river_storage_change": ("change of the water in the river", "m3", "sum"),
    "lake_volume_change": ("change of the water in the terminal lake", "m3", "sum"),
    "river_residual": ("what the river terms leave unexplained", "m3", "sum"),
})
"""Terms of ``balance.nc``: meaning, unit, cell method over time."""


class RiverRecords:
    """Maps, hydrographs and balance of rivers.

    Parameters
    ----------
    run_dir : Path
        Run directory.
    grid : OutputGrid
        All cells of the run.
    attrs : mapping
        Global attributes of files.
    run : RiverRun
        The rivers.
    methods : mapping of str to str
        River variables of history and members, to their time method.
    """

    def __init__(
        self, run_dir: Path, grid: OutputGrid, attrs: Mapping[str, Any], run: RiverRun, methods: Mapping[str, str]
    ) -> None:
        self._run = run
        self._accumulator = Accumulator(methods)
        self._sums: dict[str, np.ndarray] = {}
        self._stored: dict[str, np.ndarray] = {}
        gauges = run.plan.gauges
        cells = np.array([one.cell for one in gauges], dtype=np.int64)
        self._cells = cells
        self._gauges = DischargeWriter(
            run_dir, [one.name for one in gauges], grid.latitude[cells], grid.longitude[cells],
            run.rivers.network.upstream_area[cells], attrs, run.ranks.nmember, communicator=run.ranks,
        ) if gauges else None

    def start(self) -> None:
        """Begin a new run."""
        if self._gauges is not None:
            self._gauges.start()
        self._open()

    def _open(self) -> None:
        """Begin an output interval."""
        fields = self._local(self._run.fields())
        self._stored = {name: fields[name] for name in STORES}
        self._sums = {name: np.zeros_like(fields["discharge"]) for name in FLOWS}

    def _local(self, fields: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return this rank's cells of fields over all cells."""
        return {name: np.array(values[:, self._run.position]) for name, values in fields.items()}

    def add_step(self, time: np.datetime64) -> None:
        """Book the routing step that ends with this model step, if one does."""
        if not self._run.has_routed:
            return
        self._accumulator.add(self._run.seconds, self._local(self._run.fields()))
        for name, volume in self._local(self._run.volumes()).items():
            self._sums[name] += volume
        if self._gauges is not None:
            discharge = self._run.ranks.join_members(self._run.rivers.discharge[:, self._cells])
            self._gauges.add(time, self._run.seconds, discharge)

    def close_interval(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return the record of the output interval and its balance terms, all (member, cell); open the next."""
        record = self._accumulator.result()
        fields = self._local(self._run.fields())
        change = {name: fields[name] - self._stored[name] for name in STORES}
        left = sum(sign * self._sums[name] for name, (_, sign) in FLOWS.items()) - sum(change.values())
        terms = {**self._sums, **{name: fields[name] for name in (*STORES, "lake_area")},
                 **{f"{name}_change": change[name] for name in STORES}, "river_residual": left}
        self._open()
        return record, terms

    def state(self) -> dict[str, np.ndarray]:
        """Return the half-filled interval for a restart, all members and cells; collective."""
        held = self._accumulator.state()
        duration = held.pop("accumulator_duration")
        held |= {f"sum:{name}": values for name, values in self._sums.items()}
        held |= {f"stored:{name}": values for name, values in self._stored.items()}
        out = {PREFIX + name: np.ascontiguousarray(self._run.ranks.join_members(self._run.join_tiles(values)))
               for name, values in held.items()}
        return out | {PREFIX + "duration": duration}

    def resume(self, time: np.datetime64, state: Mapping[str, np.ndarray], *, in_new_files: bool = False) -> None:
        """Continue after the restart of ``time`` whose state (all members and cells) is given."""
        if self._gauges is not None and in_new_files:
            self._gauges.start()
        elif self._gauges is not None:
            self._gauges.resume(time)
        mine, members = self._run.position, self._run.ranks.members
        held = {name.removeprefix(PREFIX): values for name, values in state.items() if name.startswith(PREFIX)}

        def part(kind: str) -> dict[str, np.ndarray]:
            return {name: np.array(values[members][:, mine]) for name, values in held.items() if name.startswith(kind)}

        self._accumulator.restore({**part("accumulator:"), "accumulator_duration": held["duration"]})
        self._sums = {name.removeprefix("sum:"): values for name, values in part("sum:").items()}
        self._stored = {name.removeprefix("stored:"): values for name, values in part("stored:").items()}

    def flush(self, time: np.datetime64) -> None:
        """Write complete segments."""
        if self._gauges is not None:
            self._gauges.flush(stamp_of(time))

    def finish(self, time: np.datetime64) -> None:
        """Join the segments into the final file."""
        if self._gauges is not None:
            self._gauges.flush(stamp_of(time))
            self._gauges.finish()
