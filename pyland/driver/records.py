"""Everything that one ensemble integration leaves behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.cell_ranks import CellRanks
from pyland.base.errors import InputError
from pyland.base.registry import variable
from pyland.config.rivers import RIVER_VARIABLES
from pyland.coupling import ColumnModel
from pyland.driver.analysis.departure_records import observation_record
from pyland.driver.analysis.filtering import Outcome
from pyland.driver.analysis.smoother_window import TIMES, PastState
from pyland.driver.member_parameters import has_parameter, parameter_of
from pyland.driver.rivers.river_records import RIVER_TERMS, RiverRecords
from pyland.driver.rivers.river_run import RiverRun
from pyland.driver.time_loop import Step
from pyland.output.accumulator import Accumulator
from pyland.output.analysis import MEMBERS_ATTRIBUTE, AnalysisWriter, ObservationRecord
from pyland.output.balance import ENERGY_RATES, BalanceWriter
from pyland.output.grid import OutputGrid
from pyland.output.history import HistoryWriter, MembersWriter, stamp_of
from pyland.output.predictions import PredictionWriter
from pyland.output.smoothed import SmoothedWriter


class Records:
    """History, members, balance and analyses of one integration.

    Parameters
    ----------
    run_dir : Path
        Where the files go.
    grid : OutputGrid
        All cells of the run.
    comm : CellRanks
        Ranks of the run, as they share members and cells.
    attrs : mapping
        Global attributes of all files.
    variables, members : sequence of str
        Registry identifiers for the ensemble statistics and for every member.
    statistics : sequence of str
        Ensemble statistics.
    nmember : int
        Ensemble size.
    observation_members : bool
        What every member predicts for the observations is written, too.
    every, restart_every : float
        Output interval and interval between restarts [s], counted from ``start``; None: none but at the end.
    start : numpy.datetime64
        Start of the run, UTC.
    streams : mapping of str to mapping
        Observation streams, name to type and units; empty without observations.
    increments : sequence of str
        Variables whose increments are written.
    smoothed : sequence of str
        Variables of a smoother, which writes its states when they leave its window; empty for a filter.
    rivers : RiverRun, optional
        Rivers of the ensemble.
    with_carbon : bool
        Carbon pools evolve, and their balance is booked.
    """

    def __init__(
        self,
        run_dir: Path,
        grid: OutputGrid,
        comm: CellRanks,
        attrs: Mapping[str, Any],
        *,
        variables: tuple[str, ...],
        members: tuple[str, ...] = (),
        statistics: tuple[str, ...] = ("mean", "std"),
        nmember: int,
        observation_members: bool = False,
        every: float,
        restart_every: float | None,
        start: np.datetime64,
        streams: Mapping[str, Mapping[str, str]] | None = None,
        increments: tuple[str, ...] = ("soil_water",),
        smoothed: tuple[str, ...] = (),
        rivers: RiverRun | None = None,
        with_carbon: bool = False,
    ) -> None:
        self.run_dir, self.grid, self.comm = run_dir, grid, comm
        self.streams = tuple(streams or {})
        methods = {name: time_method(name) for name in dict.fromkeys((*variables, *members))}
        self._accumulator = Accumulator({name: one for name, one in methods.items() if name not in RIVER_VARIABLES})
        self._rivers = None if rivers is None else RiverRecords(
            run_dir, grid, attrs, rivers, {name: one for name, one in methods.items() if name in RIVER_VARIABLES})
        self._history = HistoryWriter(
            run_dir, grid, {name: methods[name] for name in variables}, attrs, statistics, nmember=nmember,
            communicator=comm)
        self._members = MembersWriter(
            run_dir, grid, {name: methods[name] for name in members}, attrs, nmember, communicator=comm
        ) if members else None
        self._balance = self._open_balance(attrs, with_carbon)
        self._analysis = AnalysisWriter(
            run_dir, grid, streams, increments, {**attrs, MEMBERS_ATTRIBUTE: nmember},
            members=nmember if observation_members else 0, communicator=comm) if streams else None
        self._smoothed = SmoothedWriter(
            run_dir, grid, smoothed, attrs, nmember=nmember, communicator=comm) if streams and smoothed else None
        self._predictions: PredictionWriter | None = None
        self._set_clock(start, every, restart_every)
        self.largest_energy_residual = 0.0
        self.largest_water_residual = 0.0

    def _open_balance(self, attrs: Mapping[str, Any], with_carbon: bool) -> BalanceWriter:
        return BalanceWriter(
            self.run_dir, self.grid, attrs, terms=None if self._rivers is None else RIVER_TERMS,
            communicator=self.comm, with_carbon=with_carbon, with_parts=True)

    def _set_clock(self, start: np.datetime64, every: float, restart_every: float | None) -> None:
        """Set the times of records and restarts."""
        self._start = np.datetime64(start, "s")
        self._every = np.timedelta64(round(every), "s")
        self._restart_every = None if restart_every is None else np.timedelta64(round(restart_every), "s")
        self._interval_start = self._start

    @property
    def _writers(self) -> list[HistoryWriter | BalanceWriter | AnalysisWriter | PredictionWriter]:
        whole = (self._history, self._members, self._balance, self._analysis, self._smoothed, self._predictions)
        return [one for one in whole if one is not None]

    def keep_predictions(self, writer: PredictionWriter) -> None:
        """Write, resume and finish the predictions of an open loop with the other files; comes before `start`."""
        self._predictions = writer

    def start(self, model: ColumnModel) -> None:
        """Begin a new run; files of an earlier run under the same names are removed."""
        for writer in self._writers:
            if writer is not self._balance:
                writer.start()
        self._start_balance(model)
        if self._rivers is not None:
            self._rivers.start()

    def resume(self, time: np.datetime64, state: Mapping[str, np.ndarray]) -> None:
        """Continue after the restart of ``time`` whose state (this rank's members and cells) is given."""
        self._interval_start = np.datetime64(int(state["interval_start"][0]), "s")
        for writer in self._writers:
            if writer is self._balance:
                self._resume_balance(time, state)
            elif writer is self._analysis or writer is self._predictions:
                writer.resume(time)
            elif writer is self._smoothed:
                waiting = state[TIMES]
                writer.resume(time, np.datetime64(int(waiting[0]), "s") if waiting.size else None)
            else:
                writer.resume(time, self._interval_start)
        self._accumulator.restore(state)
        if self._rivers is not None:
            self._rivers.resume(time, state)
        self.largest_energy_residual, self.largest_water_residual = (float(v) for v in state["largest_residuals"])

    def go_on(self, time: np.datetime64, state: Mapping[str, np.ndarray]) -> None:
        """Begin files of their own at the restart of ``time`` of another run; arguments as for `resume`.

        Raises
        ------
        InputError
            If the restart lies within an output interval: its record would lie across two runs.
        """
        self._interval_start = np.datetime64(int(state["interval_start"][0]), "s")
        if self._interval_start != time:
            raise InputError(
                f"{self.run_dir}: a run can go on in files of its own at the end of an output interval only; the "
                f"restart is of {time}, within the interval that began at {self._interval_start}. Choose times that "
                "are whole numbers of output.every after time.start.")
        for writer in self._writers:
            if writer is not self._balance:
                writer.start()
        self._go_on_balance(state)
        if self._rivers is not None:
            self._rivers.resume(time, state, in_new_files=True)

    def add_step(self, step: Step, model: ColumnModel, weather: Mapping[str, np.ndarray]) -> None:
        """Book one step, and write a record where an output interval ends."""
        self._note_residuals(model)
        self._book(step, model, weather)
        self._accumulator.add(step.seconds, self._values(model, weather))
        if self._rivers is not None:
            self._rivers.add_step(step.end)
        if (step.end - self._start) % self._every == np.timedelta64(0, "s"):
            self._close_interval(step.end, model)

    def _note_residuals(self, model: ColumnModel) -> None:
        """Remember the largest residuals of cells."""
        water, energy = (float(np.abs(model.flux[f"{name}_balance_residual"]).max(initial=0.0))
                         for name in ("water", "energy"))
        self.largest_water_residual = max(self.largest_water_residual, water)
        self.largest_energy_residual = max(self.largest_energy_residual, energy)

    def _values(self, model: ColumnModel, weather: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the output variables of the present step, each ([layer,] member, cell)."""
        return {name: value_of(name, model, weather) for name in self._accumulator.methods}

    def _start_balance(self, model: ColumnModel) -> None:
        self._balance.start(self._start, **self._stored(model))

    def _resume_balance(self, time: np.datetime64, state: Mapping[str, np.ndarray]) -> None:
        self._balance.resume(time, state)

    def _go_on_balance(self, state: Mapping[str, np.ndarray]) -> None:
        """Begin a balance with what the restart holds: an analysis at its time counts from then on."""
        self._balance.go_on(state)

    def _book(self, step: Step, model: ColumnModel, weather: Mapping[str, np.ndarray]) -> None:
        """Book the fluxes of a step in the balance."""
        shape = (model.nmember, model.ncell)
        precipitation = np.broadcast_to(weather["rain"] + weather["snowfall"], shape)
        lost = ("evapotranspiration", "surface_runoff", "subsurface_runoff")
        rates = {name: model.flux[name] for name in (*ENERGY_RATES, *lost)}
        rates["irrigation"] = model.flux.get("irrigation", np.zeros(shape))
        rates |= model.evaporation_parts()
        rates |= {"rainfall": np.broadcast_to(weather["rain"], shape),
                  "snowfall": np.broadcast_to(weather["snowfall"], shape)}
        residuals = model.flux["water_balance_residual"], model.flux["energy_balance_residual"]
        self._balance.add_step(step.seconds, {**rates, "precipitation": precipitation}, *residuals)
        if self._balance.with_carbon:
            self._balance.add_carbon(step.seconds, model.flux, model.flux["carbon_balance_residual"])

    def _stored(self, model: ColumnModel) -> dict[str, Any]:
        """Return what the balance compares between the bounds of an interval: water, and carbon where it is booked."""
        out: dict[str, Any] = {"storage": model.land_water(), "stores": model.water_stores()}
        return out | ({"carbon": model.land_carbon()} if self._balance.with_carbon else {})

    def _close_interval(self, time: np.datetime64, model: ColumnModel) -> None:
        record, terms = self._accumulator.result(), {}
        if self._rivers is not None:
            values, terms = self._rivers.close_interval()
            record |= values
        record = {name: self.comm.all_members(values) for name, values in record.items()}
        self._history.add(self._interval_start, time, record)
        if self._members is not None:
            self._members.add(self._interval_start, time, record)
        self._close_balance(time, model, terms)
        self._interval_start = time

    def _close_balance(self, time: np.datetime64, model: ColumnModel, terms: Mapping[str, np.ndarray]) -> None:
        self._balance.close_interval(time, **self._stored(model), further=terms)

    def add_analysis(self, time: np.datetime64, outcome: Outcome) -> None:
        """Write one analysis and book its increments of water and heat in the balance."""
        self._book_increment(outcome.water, outcome.heat)
        if self._analysis is not None:
            self._analysis.add(time, self._observed(outcome), outcome.increments)
        self.add_smoothed(outcome.left)

    def add_smoothed(self, states: Iterable[PastState]) -> None:
        """Write states that have left the window of a smoother."""
        for one in states:
            self._smoothed.add_state(one.time, one.fields)

    def add_increment(self, water: np.ndarray, heat: np.ndarray) -> None:
        """Book water [kg m-2] and heat [J m-2] of an earlier analysis that enter before a step, (member, cell)."""
        self._book_increment(water, heat)

    def _book_increment(self, water: np.ndarray, heat: np.ndarray) -> None:
        """Book the water [kg m-2] and the heat [J m-2] that an analysis added, (member, cell)."""
        self._balance.add_increment(water, heat)

    def _observed(self, outcome: Outcome) -> ObservationRecord:
        return observation_record(outcome, self.streams, self.grid)

    def is_restart_due(self, time: np.datetime64) -> bool:
        """Whether a restart belongs to this time."""
        if self._restart_every is None:
            return False
        return bool((time - self._start) % self._restart_every == np.timedelta64(0, "s"))

    def flush(self, time: np.datetime64) -> None:
        """Write complete segments; comes before the restart of the same time."""
        for writer in self._writers:
            writer.flush(stamp_of(time))
        if self._rivers is not None:
            self._rivers.flush(time)

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return the half-filled intervals for a restart: arrays over this rank's members and cells, and others."""
        whole, plain = self._balance_state()
        whole |= self._accumulator.state()
        plain["accumulator_duration"] = whole.pop("accumulator_duration")
        plain["interval_start"] = np.array([self._interval_start.astype(np.int64)])
        residuals = [self.largest_energy_residual, self.largest_water_residual]
        plain["largest_residuals"] = np.max(self.comm.allgather(residuals), axis=0)
        if self._rivers is not None:
            plain |= self._rivers.state()
        return whole, plain

    def _balance_state(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        whole = self._balance.state()
        return whole, {"balance_clock": whole.pop("balance_clock")}

    def finish(self, time: np.datetime64, model: ColumnModel) -> None:
        """Close the last interval, join the segments into the final files."""
        if self._interval_start < time:
            self._close_interval(time, model)
        for writer in self._writers:
            writer.flush(stamp_of(time))
            writer.finish()
        if self._rivers is not None:
            self._rivers.finish(time)


def time_method(name: str) -> str:
    """Return how a variable is reduced over the output interval: states by their mean, like fluxes.

    Raises
    ------
    InputError
        If the registry has no such variable.
    """
    variable(name)
    return "mean"


def value_of(name: str, model: ColumnModel, weather: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return a variable of the present step, ([layer,] member, cell)."""
    if name in model.flux:
        return model.flux[name]
    if name in model.state:
        return model.state[name]
    if name in weather:
        return np.broadcast_to(weather[name], (model.nmember, model.ncell))
    if name == "precipitation":
        return np.broadcast_to(weather["rain"] + weather["snowfall"], (model.nmember, model.ncell))
    if name == "terrestrial_water_storage":
        return model.land_water()
    if name == "leaf_area_index":
        return (model.forcing["leaf_area_index"] * model.parameter["patch_fraction"]).sum(axis=0)
    if has_parameter(name, model):
        return parameter_of(name, model)
    known = sorted({*model.flux, *model.state, *weather, "precipitation", "leaf_area_index",
                    "terrestrial_water_storage"})
    raise InputError(f"output.variables: '{name}' is not computed by this model; it has {', '.join(known)}.")
