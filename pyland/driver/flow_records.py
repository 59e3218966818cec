"""Everything that a run of the distributed subsurface leaves behind: maps, hydrographs, the water of the domain."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.logging import get_logger
from pyland.base.parallel import Communicator
from pyland.driver.flow_model import FlowModel
from pyland.driver.flow_setup import FlowSetup
from pyland.driver.records import Records, time_method
from pyland.driver.time_loop import Step
from pyland.output.accumulator import Accumulator
from pyland.output.discharge import DischargeWriter
from pyland.output.domain_balance import COUNTS, FLOWS, STORES, DomainBalanceWriter, residual_of
from pyland.output.grid import OutputGrid
from pyland.output.history import HistoryWriter

_log = get_logger("run")

PLAIN = frozenset({"accumulator_duration", "clock", "counts", "flows", "interval_start", "stored", "largest_residuals"})
"""Arrays of a restart that have no cell axis."""


class FlowRecords(Records):
    """History, discharge and balance of the distributed subsurface.

    Parameters
    ----------
    run_dir : Path
        Where the files go.
    setup : FlowSetup
        The run.
    model : FlowModel
        This rank's cells.
    attrs : mapping
        Global attributes of all files.
    """

    def __init__(self, run_dir: Path, setup: FlowSetup, model: FlowModel, attrs: Mapping[str, Any]) -> None:
        config, comm = setup.config, setup.comm
        self.run_dir, self.comm, self.grid = run_dir, comm, output_grid(setup, model)
        self.streams: tuple[str, ...] = ()
        self._members = self._analysis = self._rivers = None
        self._set_clock(config.time.start64, config.output.every, config.output.restart_every)
        methods = {name: time_method(name) for name in config.history_variables}
        self._accumulator = Accumulator(methods)
        self._history = HistoryWriter(run_dir, self.grid, methods, attrs, communicator=comm)
        self._balance = DomainBalanceWriter(run_dir, {**attrs, "domain_area": setup.domain_area}, communicator=comm)
        self._outlets = setup.outlets
        self._discharge = _discharge_writer(run_dir, setup, attrs, comm) if setup.outlets else None
        self._area = setup.domain_area
        self.largest_water_residual, self.largest_energy_residual = 0.0, 0.0
        self._stored = np.zeros(len(STORES))
        self._open()

    def _open(self) -> None:
        """Begin an output interval."""
        self._flows, self._counts = np.zeros(len(FLOWS)), np.zeros(len(COUNTS), dtype=np.int64)

    @property
    def _writers(self) -> list[Any]:
        return [one for one in (self._history, self._balance, self._discharge) if one is not None]

    def start(self, model: FlowModel) -> None:
        """Begin a new run; files of an earlier run under the same names are removed."""
        for writer in self._writers:
            writer.start()
        self._stored = _stored(model)
        self._open()

    def resume(self, time: np.datetime64, state: Mapping[str, np.ndarray]) -> None:
        """Continue after the restart of ``time`` whose state (this rank's cells) is given."""
        self._interval_start = np.datetime64(int(state["interval_start"][0]), "s")
        for writer in self._writers:
            writer.resume(time, self._interval_start)
        self._accumulator.restore(state)
        self._stored, self._flows = np.array(state["stored"]), np.array(state["flows"])
        self._counts = np.array(state["counts"])
        self.largest_water_residual = float(state["largest_residuals"][0])

    def add_step(self, step: Step, model: FlowModel, weather: Mapping[str, np.ndarray]) -> None:
        """Book one step; close the output interval if it ends with it. Collective."""
        fields = model.fields()
        self._accumulator.add(step.seconds, {name: fields[name] for name in self._accumulator.methods})
        mine = [*model.volumes(step.seconds).values(), *model.discharge_of(self._outlets)]
        total = np.array(self.comm.allgather(mine)).sum(axis=0)
        self._flows += total[: len(FLOWS)]
        self._counts += np.array(list(model.counts().values()))
        if self._discharge is not None:
            self._discharge.add(step.end, step.seconds, total[None, len(FLOWS) :])
        if (step.end - self._start) % self._every == np.timedelta64(0, "s"):
            self._close_interval(step.end, model)

    def _close_interval(self, time: np.datetime64, model: FlowModel) -> None:
        stored = _stored(model)
        change = float(stored.sum() - self._stored.sum())
        flows = dict(zip(FLOWS, map(float, self._flows), strict=True))
        record = {**flows, **dict(zip(STORES, map(float, stored), strict=True)),
                  **dict(zip(COUNTS, map(float, self._counts), strict=True)),
                  "storage_change": change, "residual": residual_of(flows, change)}
        self._history.add(self._interval_start, time, self._accumulator.result())
        self._balance.add(self._interval_start, time, record)
        per_area = 1000.0 * record["residual"] / self._area
        self.largest_water_residual = max(self.largest_water_residual, abs(per_area))
        steps, newton, krylov = self._counts
        _log.debug("%s: %d steps, %d Newton and %d Krylov iterations, residual %.1e kg m-2", time, steps, newton,
                   krylov, per_area)
        self._interval_start, self._stored = time, stored
        self._open()

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return the half-filled interval for a restart: arrays over this rank's cells, and those that are not."""
        whole = self._accumulator.state()
        plain = {"accumulator_duration": whole.pop("accumulator_duration"), "stored": self._stored,
                 "flows": self._flows, "counts": self._counts,
                 "interval_start": np.array([self._interval_start.astype(np.int64)]),
                 "largest_residuals": np.array([self.largest_water_residual])}
        return whole, plain


def output_grid(setup: FlowSetup, model: FlowModel) -> OutputGrid:
    """Return the cells of all ranks, in the order of the ranks, as the output rooms want them."""
    whole = setup.whole
    cells = setup.comm.allgather_last(model.cells)
    place = np.searchsorted(whole.cell_id, cells)
    x, y = (np.nanmean(whole.to_grid(values), axis=axis) if whole.mask.any(axis=axis).all() else None
            for values, axis in ((whole.x, 0), (whole.y, 1)))
    return OutputGrid(whole.latitude[place], whole.longitude[place], {"layer": setup.layers.thickness},
                      shape=(whole.ny, whole.nx), index=cells, x=x, y=y)


def _discharge_writer(
    run_dir: Path, setup: FlowSetup, attrs: Mapping[str, Any], comm: Communicator
) -> DischargeWriter:
    """Return the writer of hydrographs; an outlet lies where its cells do in the mean."""
    whole = setup.whole
    places = [np.searchsorted(whole.cell_id, cells) for cells in setup.outlets.values()]
    return DischargeWriter(
        run_dir, list(setup.outlets), np.array([whole.latitude[one].mean() for one in places]),
        np.array([whole.longitude[one].mean() for one in places]), None, attrs, 1, communicator=comm,
        kind="overland_outflow")


def _stored(model: FlowModel) -> np.ndarray:
    """Return the water in the domain in the order of ``STORES`` [m3]."""
    stored = model.storage()
    return np.array([stored[name] for name in STORES])
