"""`pyland cycle`: every complete cycle whose inputs have arrived, one after the other; safe to kill and call again."""

from __future__ import annotations

import contextlib
import time as clock
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.base.logging import get_logger
from pyland.base.parallel import Communicator, world
from pyland.config import CaseConfig
from pyland.domain import build_domain
from pyland.driver.cycle.arrivals import Arrivals
from pyland.driver.cycle.cycle_inputs import INPUTS, CycleInputs, Waiting, input_folder
from pyland.driver.cycle.housekeeping import WORK, restart_file, tidy
from pyland.driver.cycle.lock import LOCK, CycleLock
from pyland.driver.cycle.log_file import write_line
from pyland.driver.cycle.products import PRODUCTS, hidden_folder, make_product, publish_product
from pyland.driver.cycle.publish import describe_product, follow_up, with_members, write_latency
from pyland.driver.cycle.run_configs import analysis_run, forecast_run, state_hash
from pyland.driver.cycle.run_steps import final_restart, run_once
from pyland.driver.cycle.staged_files import damaged_copies, link_file
from pyland.driver.cycle.standing_files import missing_standing_files
from pyland.driver.cycle.state_file import (
    ANALYSED,
    FORECAST,
    PUBLISHED,
    STAGED,
    STATE,
    STATUS,
    CurrentCycle,
    CycleRecord,
    CycleState,
    read_state,
)
from pyland.driver.cycle.timeline import Timeline
from pyland.driver.run import Progress, set_threads
from pyland.output.atomic import write_json
from pyland.output.history import stamp_of
from pyland.output.restart import read_restart

_log = get_logger("cycle")


@dataclass
class CycleReport:
    """What a call of `run_cycles` did.

    Attributes
    ----------
    published : list of str
        Names of the products that were published, in order.
    waiting : str
        Why it stopped.
    seconds : dict of str to list of float
        Wall time of each product by step: ``stage``, ``analysis``, ``forecast``, ``publish`` [s].
    """

    published: list[str] = field(default_factory=list)
    waiting: str = ""
    seconds: dict[str, list[float]] = field(default_factory=dict)


def cycle_folder(config: CaseConfig, output: str | Path | None = None) -> Path:
    """Return the folder of a cycle: ``cycle`` below the case unless the user names another."""
    return Path(output).absolute() if output is not None else config.directory / "cycle"


def run_cycles(
    config: CaseConfig,
    *,
    output: str | Path | None = None,
    until: np.datetime64 | None = None,
    now: np.datetime64 | None = None,
    once: bool = False,
    progress: Progress | None = None,
    comm: Communicator | None = None,
) -> CycleReport:
    """Run every complete cycle whose inputs have arrived, or whose patience has ended; collective.

    Parameters
    ----------
    config : CaseConfig
        A case with section ``cycle``.
    output : path, optional
        Folder of the cycle; ``cycle`` below the case by default.
    until : numpy.datetime64, optional
        No cycle that ends later is run, UTC; ``time.end`` by default.
    now : numpy.datetime64, optional
        The time, UTC, for a replay: files that were written later have not arrived yet. The clock by default.
    once : bool
        Run one cycle at most.
    progress : callable, optional
        As for `pyland.driver.run.run_case`.
    comm : Communicator, optional
        Ranks; those the process was launched with by default.

    Returns
    -------
    CycleReport
        On all ranks.

    Raises
    ------
    PylandError
        Among them InputError if the case has no section ``cycle``, its state is of another case, or another call is at
        work in the folder.
    """
    if config.cycle is None:
        raise InputError(f"{config.case.name}: the case has no section `cycle`, which says what a real-time cycle "
                         "waits for. See docs/guide/realtime.md.")
    for problem in missing_standing_files(config):
        raise InputError(problem)
    config = with_members(config)
    comm, root = comm or world(), cycle_folder(config, output)
    set_threads(config, comm)
    with CycleLock(root / LOCK) if comm.is_root else contextlib.nullcontext():
        comm.barrier()
        loop = CycleLoop(config, root, comm, progress or (lambda done, text: None))
        return loop.run(until, now, once)


class CycleLoop:
    """The loop of one call; its state is that of the folder.

    Parameters
    ----------
    config : CaseConfig
        The case.
    root : Path
        Folder of the cycle.
    comm : Communicator
        Ranks; the root decides, reads the state and writes it, all of them run.
    progress : callable
        Shows progress.
    """

    def __init__(self, config: CaseConfig, root: Path, comm: Communicator, progress: Progress) -> None:
        self.config, self.root, self.comm, self.progress = config, root, comm, progress
        self.report = CycleReport()
        self._redone: set[int] = set()
        self.state: CycleState | None = None
        if comm.is_root:
            self.state = read_state(root / STATE) or self._first_state()
            self._check_state()

    def run(self, until: np.datetime64 | None, now: np.datetime64 | None, once: bool) -> CycleReport:
        """Run cycles until one has to wait; collective. Arguments as for `run_cycles`."""
        start = self.comm.broadcast(None if self.state is None else np.datetime64(self.state.start, "s"))
        timeline = Timeline.of_case(self.config, start, until)
        if self.comm.is_root:
            moment = np.datetime64("now", "s") if now is None else np.datetime64(now, "s")
            self._arrivals = Arrivals(self.config, build_domain(self.config.domain), self.state, moment,
                                      is_replay=now is not None)
            self._inputs = CycleInputs(self._arrivals, timeline, self.root)
            self._tidy()
        while not (once and self.report.published):
            current = self._on_root(lambda: self._take_up(timeline) or self._plan(timeline))
            if current is None:
                break
            self._run_cycle(current, timeline)
        self._on_root(lambda: self._end(timeline))
        self.report = self.comm.broadcast(self.report)
        return self.report

    # ---- decisions of the root -----------------------------------------------------------------------

    def _on_root(self, action: Callable[[], Any]) -> Any:
        """Return on all ranks what an action returns on the root; what it raises ends all."""
        return self.comm.broadcast(action() if self.comm.is_root else None)

    def _first_state(self) -> CycleState:
        """Return the state of a folder in which nothing was done yet."""
        start, initial = self.config.time.start64, self.config.cycle.initial
        if initial is not None:
            start = self._check_initial(Path(initial))
        return CycleState(state_hash(self.config), str(start), self.config.cycle.interval)

    def _check_initial(self, path: Path) -> np.datetime64:
        """Return the time of ``cycle.initial``."""
        restart = read_restart(path)
        steps = (restart.time - self.config.time.start64) / np.timedelta64(round(self.config.time.step), "s")
        if int(restart.state["clock"][0]) != round(float(steps)):
            raise InputError(
                f"{self.config.where('cycle.initial')}: {path} is of {restart.time} after "
                f"{int(restart.state['clock'][0])} steps, but from time.start ({self.config.time.start64}) to there "
                f"are {float(steps):g}. Give the time.start and time.step of the run that wrote it.")
        return restart.time

    def _check_state(self) -> None:
        """Make sure that the folder belongs to the case."""
        state, path = self.state, self.root / STATE
        if state.state_hash != state_hash(self.config):
            raise InputError(
                f"{path}: the state was written by another configuration: domain, surface, soil, ensemble, filter, "
                "time.start, time.step or output differ, so that its restarts do not fit. Undo the change of "
                "case.yaml, or begin a new cycle with another --output.")
        if state.interval != self.config.cycle.interval:
            raise InputError(
                f"{path}: the cycles of this folder are {state.interval:g} s long, cycle.interval is "
                f"{self.config.cycle.interval:g} s. Undo the change, or begin a new cycle with another --output and "
                "the newest restart as cycle.initial.")

    def _take_up(self, timeline: Timeline) -> CurrentCycle | None:
        """Return the cycle that an earlier call left on its way; one whose copies are damaged is planned anew."""
        current = self.state.current
        if current is None or current.step != STAGED:
            return current
        folder = self.root / INPUTS / current.name
        wrong = [name for what, taken in current.inputs.items()
                 for name in damaged_copies(input_folder(folder, what), taken)]
        if not wrong:
            return current
        _log.warning("%s: %s of the copies are missing or damaged; its inputs are copied anew", current.name,
                     ", ".join(wrong))
        self.state.current = None
        self.state.write(self.root / STATE)
        return None

    def _plan(self, timeline: Timeline) -> CurrentCycle | None:
        """Stage the cycle that is due, or an earlier one for which better inputs have arrived; None to stop."""
        state, redo = self.state, self.config.cycle.redo
        is_up_to_date = state.next_index > state.last_index
        for index in sorted(state.records) if is_up_to_date else ():
            if index <= state.last_index - redo or index in self._redone:
                continue
            better = self._inputs.better(state.records[index])
            if better:
                _log.info("%s: better inputs have arrived (%s); run again from there", state.records[index].name,
                          ", ".join(better))
                state.next_index = index
                break
        index = state.next_index
        if not timeline.has(index):
            self.report.waiting = f"the next cycle ends at {timeline.end_of(index)}, after {timeline.end}"
            return None
        if self._arrivals.now < timeline.end_of(index):
            self.report.waiting = f"the next cycle ends at {timeline.end_of(index)}; it is {self._arrivals.now}"
            return None
        return self._stage(index, timeline)

    def _stage(self, index: int, timeline: Timeline) -> CurrentCycle | None:
        """Copy the inputs of a cycle and remember that; None if it has to wait."""
        began, before = clock.perf_counter(), self.state.records.get(index)
        version = 1 if before is None else before.version + 1
        # a forecast from the past helps nobody: only that of the newest cycle is made again
        with_forecast = self.config.cycle.forecast.lead > 0 and (before is None or index == self.state.last_index)
        name = timeline.name_of(index, version)
        taken = self._inputs.stage(index, name, with_forecast, before)
        if isinstance(taken, Waiting):
            until = "" if taken.until is None else f"; until {taken.until} at the latest"
            self.report.waiting = f"{taken.what}{until}"
            return None
        self._redone.add(index)
        has_weather = "forecast" in taken and taken["forecast"]["stream"] is not None
        self.state.current = CurrentCycle(
            index, stamp_of(timeline.end_of(index)), version, taken, STAGED, with_forecast and has_weather)
        self.state.write(self.root / STATE)
        self._note("stage", began)
        return self.state.current

    # ---- one cycle -----------------------------------------------------------------------------------

    def _run_cycle(self, current: CurrentCycle, timeline: Timeline) -> None:
        """Bring a cycle from where it stands to its product; collective."""
        name, begin, end = current.name, timeline.begin_of(current.index), timeline.end_of(current.index)
        inputs, work = self.root / INPUTS / name, self.root / WORK / name
        _log.info("cycle %s: %s to %s, %s", name, begin, end, _streams(current))
        if current.step == STAGED:
            began = clock.perf_counter()
            restart = self._on_root(lambda: self._restart_before(current.index))
            run, continuation = analysis_run(self.config, inputs, current.inputs, begin, end, restart)
            run_once(run, continuation, work / "analysis", self.comm, self.progress)
            self._done(current, ANALYSED, "analysis", began)
        restart = final_restart(work / "analysis", end)
        if current.step == ANALYSED:
            began = clock.perf_counter()
            if current.with_forecast:
                run, continuation = forecast_run(self.config, inputs, current.inputs, end, restart)
                run_once(run, continuation, work / "forecast", self.comm, self.progress)
            self._done(current, FORECAST, "forecast", began)
        if self.comm.is_root:
            self._publish(current, timeline, work, restart)
        self.comm.barrier()

    def _restart_before(self, index: int) -> Path | None:
        """Return the state at the begin of a cycle."""
        if index == 0:
            initial = self.config.cycle.initial
            return None if initial is None else Path(initial)
        before: CycleRecord = self.state.records[index - 1]
        return restart_file(self.root, before.name)

    def _done(self, current: CurrentCycle, step: str, label: str, began: float) -> None:
        """Remember that a step is done, on all ranks and, forced to disk, in the folder."""
        current.step = step
        if self.comm.is_root:
            self.state.current = current
            self.state.write(self.root / STATE)
            self._note(label, began)

    def _publish(self, current: CurrentCycle, timeline: Timeline, work: Path, restart: Path) -> None:
        """Make the product, give it its name, keep the restart, tell of it, and close the cycle."""
        began, products = clock.perf_counter(), self.root / PRODUCTS
        if current.step == FORECAST:
            folder = make_product(current, work, products, {"case": self.config.case.name})
            before = self.state.records.get(current.index - 1)
            describe_product(folder, self.config, self._arrivals.whole, current, timeline,
                             None if before is None else products / before.name)
            publish_product(hidden_folder(products, current.name), products, current.name)
            kept = restart_file(self.root, current.name)
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.unlink(missing_ok=True)
            link_file(restart, kept)
            current.step = PUBLISHED
            self.state.current = current
            self.state.write(self.root / STATE)
        follow_up(self.root, self.config, current, timeline, current.index >= self.state.last_index)
        self.state.finish(self.config.cycle.redo)
        self.state.write(self.root / STATE)
        write_line(self.root, f"{current.name}: published, {_streams(current)}")
        self._tidy()
        self.report.published.append(current.name)
        self._note("publish", began)

    def _tidy(self) -> None:
        tidy(self.root, self.state, self.config.cycle.redo)

    def _end(self, timeline: Timeline) -> None:
        """Leave word of why the call stops and how old the inputs are."""
        write_latency(self.root, self._arrivals, timeline, self.state)
        self.state.write(self.root / STATE)
        write_json(self.root / STATUS, {
            "now": str(self._arrivals.now), "stopped": self.report.waiting or "asked to run one cycle",
            "published": self.report.published, "cycles": self.state.cycles, "products": self.state.products,
            "seconds": self.report.seconds})
        if self.report.waiting:
            _log.info("stopped: %s", self.report.waiting)

    def _note(self, label: str, began: float) -> None:
        """Remember how long a step took."""
        self.report.seconds.setdefault(label, []).append(clock.perf_counter() - began)


def _streams(current: CurrentCycle) -> str:
    """Return the streams that a cycle is made of, for messages."""
    return ", ".join(f"{name}: {taken['stream'] or 'none'}" for name, taken in current.inputs.items())
