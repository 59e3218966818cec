"""A case on its way through its stages: truth of a twin experiment, open loop, assimilation; each can be resumed."""

from __future__ import annotations

import re
import shutil
import time as clock
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.cell_ranks import CellRanks
from pyland.base.errors import InputError
from pyland.base.logging import get_logger
from pyland.base.parallel import Communicator
from pyland.base.registry import variable
from pyland.config import CaseConfig
from pyland.config.domain import ElevationSection
from pyland.config.filters import SMOOTHERS
from pyland.config.forcing import GRIDDED
from pyland.config.load import config_hash
from pyland.config.observation_operators import UNITS
from pyland.core import runtime
from pyland.coupling import ColumnModel
from pyland.diagnose.balance import closure
from pyland.diagnose.skill import skill_of_run
from pyland.driver.analysis.analysis_state import updated_variables
from pyland.driver.analysis.filter_call import FilterChoice
from pyland.driver.analysis.filtering import Analysis
from pyland.driver.analysis.incremental_update import IncrementalUpdate, part_weights
from pyland.driver.analysis.inflating import AdaptiveFactors, AdditiveNoise
from pyland.driver.analysis.observation_warnings import warn_of_reach, warn_of_unused
from pyland.driver.analysis.observed_fields import Observer
from pyland.driver.analysis.observing import TruthObserver, read_sets, rescale, set_aside, target_cells
from pyland.driver.analysis.open_loop_observer import OpenLoopObserver, seen_of_run, watched_names
from pyland.driver.analysis.smoother_window import SmootherWindow
from pyland.driver.analysis.state_quality import StateQuality, state_rules
from pyland.driver.commands.case_files import CaseFiles
from pyland.driver.commands.diagnose import assimilation_section
from pyland.driver.continuation import Continuation, observed_config
from pyland.driver.inputs import weather_files
from pyland.driver.member_parameters import MemberParameters
from pyland.driver.member_run import MemberRun
from pyland.driver.records import Records
from pyland.driver.rivers.given_stages import GivenStages
from pyland.driver.rivers.river_reach import RiverReach
from pyland.driver.rivers.river_run import RiverRun
from pyland.driver.rivers.river_setup import plan_rivers
from pyland.driver.setup import Setup, build_model, prepare, set_initial_carbon
from pyland.driver.static_fields import static_fields
from pyland.driver.time_loop import integrate, spin_up
from pyland.ensemble import ForcingPerturbation
from pyland.forcing import fingerprint_of_set, reading_ahead
from pyland.observe import ObservationSet, read_observations, table_of_sets, write_observations, write_table
from pyland.output.atomic import explained
from pyland.output.domain_fields import write_domain_fields
from pyland.output.grid import OutputGrid
from pyland.output.predictions import PredictionWriter
from pyland.output.provenance import provenance
from pyland.output.restart import find_latest, read_restart, remove_restarts
from pyland.output.scores import write_scores
from pyland.output.segments import remove_segments

Progress = Callable[[float, str], None]
"""Shows the share that is done and where the run is."""

_log = get_logger("run")


class CaseRun:
    """A case on its way through its stages.

    Parameters
    ----------
    config : CaseConfig
        The case.
    run_dir : Path
        Where results go.
    comm : Communicator
        Ranks of the run.
    is_resumed : bool
        Go on from the last restart.
    progress : callable
        Shows progress.
    given : GivenStages, optional
        Truth, observations and open loop of another run instead of those that this one would compute.
    continuation : Continuation, optional
        The run goes on from another; it has neither truth nor open loop.
    """

    def __init__(
        self, config: CaseConfig, run_dir: Path, comm: Communicator, is_resumed: bool, progress: Progress,
        given: GivenStages | None = None, continuation: Continuation | None = None,
    ) -> None:
        self.config, self.run_dir, self.comm = config, run_dir, comm
        self.is_resumed, self.progress, self.given = is_resumed, progress, given
        self.continuation = continuation
        self.setup = self._prepare()
        self.river_plan = plan_rivers(config, self.setup.whole)
        self.restart_hash = config_hash(_without_end(config)) if continuation is None else continuation.state_hash
        self.attrs = self._provenance()
        self.timing: dict[str, float] = {}

    def _prepare(self) -> Setup:
        """Build domain, surface and weather."""
        return prepare(self.config, self.comm, self.continuation)

    def _input_files(self) -> list[str | None]:
        """Return the files that the case names, None for those that it does not."""
        config = self.config
        relief = config.domain.elevation
        return [*weather_files(config, self.setup.whole), config.domain.file, config.domain.mask,
                relief.file if isinstance(relief, ElevationSection) else None, config.surface.soil.file,
                config.land.initial.file, config.rivers.directions.file, config.rivers.width.file,
                config.ensemble.parameters_file, *config.surface.area_files, *config.surface.parflow_files,
                *(entry.file for entry in config.observations), *(entry.climatology for entry in config.observations),
                *(entry.error_model.file for entry in config.observations if entry.error_model is not None)]

    def _provenance(self) -> dict[str, Any]:
        config = self.config
        inputs = [Path(one) for one in self._input_files() if one]
        inputs = [one for one in inputs if (config.directory / one).exists()]  # who reads a missing one complains
        about = self.comm.broadcast(
            provenance(config_hash=config_hash(config), inputs=inputs, base=config.directory, build=runtime.build(),
                       ranks=self.comm.size, threads=runtime.threads(), seed=config.ensemble.seed,
                       title=config.case.name)
            if self.comm.is_root else None)
        if config.forcing.format in GRIDDED:  # files of gigabytes: their heads
            about["input_checksums"] = "; ".join(
                one for one in (about["input_checksums"], fingerprint_of_set(config.forcing.path)) if one)
        return {**about, **({"comment": config.case.description} if config.case.description else {})}

    # ---- stages --------------------------------------------------------------------------------------

    def execute(self) -> dict[str, Any]:
        """Run all stages and return the scores, on the root; empty elsewhere."""
        config, began = self.config, clock.perf_counter()
        with_filter = config.assimilation.filter != "none"
        self._write_domain()
        names, given = watched_names(config), self.given
        if given is not None and names:  # the open loop of another run has not predicted these
            given = replace(given, open_loop=None)
        if given is not None:
            sets = given.take([entry.name for entry in config.observations], self.run_dir, self.comm)
        else:
            sets = self.read_observations() if with_filter else []
            sets += self.observe_truth() if self.continuation is None else []
        if with_filter and config.assimilation.open_loop and self.continuation is None:
            folder, watched = self.run_dir / "open_loop", [one for one in sets if one.name in names]
            if given is None or given.open_loop is None:
                self._stage("open loop", folder, None, watched)
            seen = seen_of_run(folder, watched, *self._analysis_clock) if watched and self.comm.is_root else {}
            sets = rescale(config, sets, folder / "history.nc", self.comm, self.setup.water_thickness,
                           seen=self.comm.broadcast(seen))
        elif with_filter:
            sets = rescale(config, sets, self.run_dir, self.comm, self.setup.water_thickness)
        if with_filter:
            set_aside(config, sets)
        run = self._stage("assimilation" if with_filter else "run", self.run_dir, sets if with_filter else None)
        self.timing["wall_seconds"] = clock.perf_counter() - began
        return self._scores(run)

    def _write_domain(self) -> None:
        """Write what the cells are; collective."""
        fields = self._static_fields()
        if fields is not None:
            write_domain_fields(self.run_dir, self._output_grid(), fields, self.attrs)

    def _static_fields(self) -> dict[str, np.ndarray] | None:
        """Return static fields of all cells on the root, None elsewhere; collective."""
        return static_fields(self.setup, self.river_plan)

    def _output_grid(self) -> OutputGrid:
        """Return all cells of the run as the output rooms want them."""
        return self.setup.output_grid()

    @property
    def _analysis_clock(self) -> tuple[np.datetime64, np.datetime64, float]:
        """Start and end of the run and the interval between analyses [s]."""
        config = self.config
        return config.time.start64, config.time.end64, config.assimilation.every or config.time.step

    def read_observations(self) -> list[ObservationSet]:
        """Return the observations of all entries that come from files; collective."""
        network = None if self.river_plan is None else self.river_plan.network
        config = self.config if self.continuation is None else observed_config(
            self.config, self.continuation.since, self.continuation.observed)
        return read_sets(config, self.setup.whole, self.comm, network)

    def observe_truth(self) -> list[ObservationSet]:
        """Run the truth of twin observations and observe it; nothing without twins; collective."""
        twins = [entry for entry in self.config.observations if entry.twin is not None]
        return self._truth(twins) if twins else []

    def _truth(self, twins: list[Any]) -> list[ObservationSet]:
        """Run the truth and observe it, unless an earlier call did; the root's file is what all ranks read."""
        path, truth = self.run_dir / "observations.nc", self.run_dir / "truth.nc"
        if not self.comm.broadcast(self.is_resumed and _belongs(truth, self.attrs) and path.exists()):
            folder = self.run_dir / "truth"
            seed = twins[0].twin.seed
            run = self._member_run("truth", folder, np.array([0]), seed, is_truth=True)
            run.analysis = observer = TruthObserver(self.setup, twins, run.records.comm, run.rivers)
            self._begin(run)
            with reading_ahead(run.forcing):
                integrate(run)
            run.records.finish(run.time, run.model)
            if self.comm.is_root:
                with explained(path):
                    made = observer.finish()
                    write_observations(path, made)
                    self._write_tables(twins, made)
                if (folder / "discharge.nc").exists():
                    (folder / "discharge.nc").replace(self.run_dir / "truth_discharge.nc")
                (folder / "history.nc").replace(truth)
                shutil.rmtree(folder)
            self.comm.barrier()
        return self.comm.broadcast(read_observations(path) if self.comm.is_root else None)

    def _write_tables(self, twins: list[Any], sets: list[ObservationSet]) -> None:
        """Write what each twin entry observed as a table, as readers of products make them."""
        target = target_cells(self.config, self.setup.whole)
        for entry in twins:
            mine = [one for one in sets if one.name == entry.name]
            if mine:
                name = re.sub(r"[^A-Za-z0-9_.-]", "_", entry.name)
                table = table_of_sets(mine, target, product=entry.name, footprint=entry.seen_width)
                write_table(self.run_dir / f"observed_{name}.nc", table)

    def _stage(
        self, name: str, folder: Path, sets: list[ObservationSet] | None, watched: list[ObservationSet] | None = None
    ) -> MemberRun:
        """Integrate the ensemble, from its last restart if the run is resumed; ``watched`` is predicted only."""
        config = self.config
        run = self._member_run(name, folder, np.arange(config.ensemble.size), config.ensemble.seed, sets=sets)
        if watched:
            self._watch(run, watched)
        began = clock.perf_counter()
        restart = None
        if self.is_resumed and self.comm.is_root:
            restart = find_latest(folder, config_hash=self.restart_hash)
        if self.comm.any(restart is not None):
            run.take_up(restart)
            _log.info("%s: resumed at %s", name, run.time)
        elif self.continuation is not None and self.continuation.restart is not None:
            self._go_on(run)
        else:
            self._begin(run)
        first = run.step_index
        with reading_ahead(run.forcing):
            integrate(run)
        if first < run.step_index and not run.records.is_restart_due(run.end):
            run.write_restart()
        if isinstance(run.analysis, Analysis) and run.analysis.smoother is not None:
            run.records.add_smoothed(run.analysis.smoother.drain())
        run.records.finish(run.time, run.model)
        elapsed = clock.perf_counter() - began
        label = name.replace(" ", "_")
        self.timing[f"{label}_seconds"] = elapsed
        steps = (run.step_index - first) * self.setup.whole.ncell * config.ensemble.size
        if steps:
            self.timing[f"{label}_microseconds_per_column_step"] = 1e6 * elapsed / steps
        return run

    def _watch(self, run: MemberRun, sets: list[ObservationSet]) -> None:
        """Let an open loop predict observations."""
        config, ranks = self.config, run.records.comm
        names = {one.name for one in sets}
        writer = PredictionWriter(run.records.run_dir, _streams(config, names), self.attrs, ranks)
        observer = Observer.of_run(self.setup, ranks, run.rivers)
        quality = StateQuality(state_rules(config), observer)
        run.analysis = OpenLoopObserver(sets, *self._analysis_clock, observer, quality, writer)
        run.records.keep_predictions(writer)

    def _begin(self, run: MemberRun) -> None:
        """Start from the initial state: spin-up, then empty records."""
        folder = run.records.run_dir
        if self.comm.is_root:
            remove_restarts(folder)
            remove_segments(folder)
        self.comm.barrier()
        self._spin_up(run)
        run.records.start(run.model)

    def _go_on(self, run: MemberRun) -> None:
        """Take up the state that another run ended with, in new files.

        Raises
        ------
        InputError
            If the restart cannot be read, belongs to another case, or is of another time.
        """
        begin, restart = self.continuation, None
        if self.comm.is_root:
            remove_restarts(run.records.run_dir)
            remove_segments(run.records.run_dir)
            size = self.config.ensemble.size, self.setup.whole.ncell
            shapes = {f"model:{name}": (*field.shape[:-2], *size) for name, field in run.model.state.items()}
            restart = read_restart(
                begin.restart, config_hash=None if begin.is_first else begin.state_hash, shapes=shapes)
            if restart.time != begin.since:
                raise InputError(f"{begin.restart}: expected a restart of {begin.since}, got one of {restart.time}.")
        run.take_up(restart, in_new_files=True)
        _log.info("goes on at %s from %s", run.time, begin.restart)

    def _spin_up(self, run: MemberRun) -> None:
        """Bring the state to its cycle under the weather that the case names for it."""
        spinup = self.config.time.spinup
        if spinup.years > 0:
            first, last = (np.datetime64(one, "s") for one in self.config.time.spinup_window)
            with reading_ahead(run.forcing):
                spin_up(run, first, last, spinup.years)
            if run.model.has_carbon:
                self._balance_carbon(run.model)

    def _balance_carbon(self, model: ColumnModel) -> None:
        """End the spin-up of carbon: pools in equilibrium with its last pass, or those that the case gives."""
        model.balance_carbon(self.config.land.carbon_sink)
        set_initial_carbon(model, self.config)

    def _member_run(
        self, name: str, folder: Path, members: np.ndarray, seed: int, sets: list[ObservationSet] | None = None,
        is_truth: bool = False,
    ) -> MemberRun:
        config, setup, comm = self.config, self.setup, self.comm
        if comm.is_root:
            folder.mkdir(parents=True, exist_ok=True)
        comm.barrier()
        streams = _streams(config, {entry.name for entry in config.observations}) if sets else {}
        ranks = setup.layout.of_members(len(members)).cell_ranks(setup.position)
        mine = members[ranks.members]
        rivers = None if self.river_plan is None else RiverRun(setup, self.river_plan, ranks)
        records = self._records(folder, ranks, name, len(members), streams, rivers, is_truth)
        has_own_weather = self.continuation is not None and self.continuation.weather is not None
        settings = None if has_own_weather else config.ensemble.forcing_settings()
        perturbation = None
        if settings:
            if is_truth:
                settings["control"] = False
            perturbation = ForcingPerturbation(
                settings, seed, mine, setup.domain.x, setup.domain.y, setup.domain.cell_id, setup.step,
                setup.forcing.phase)
        run = MemberRun(
            setup, self._build_model(mine, seed, is_truth), records, perturbation,
            None if sets is None else self._analysis(sets, ranks, rivers), config.time.end64,
            {**self.attrs, "stage": name, "config_hash": self.restart_hash}, rivers)
        run.progress = lambda done, moment: self.progress(done, f"{name}: {np.datetime64(moment, 'D')}")
        return run

    def _build_model(self, members: np.ndarray, seed: int, is_truth: bool) -> ColumnModel:
        """Build what an ensemble advances; arguments as for `build_model`."""
        return build_model(self.setup, members, seed, is_truth)

    def _records(
        self, folder: Path, ranks: CellRanks, name: str, nmember: int, streams: Mapping[str, Mapping[str, str]],
        rivers: RiverRun | None, is_truth: bool,
    ) -> Records:
        """Open what an integration leaves behind."""
        return Records(
            folder, self.setup.output_grid(), ranks, {**self.attrs, "stage": name},
            **self._record_choices(nmember, is_truth), streams=streams, rivers=rivers,
            with_carbon=self.config.land.carbon == "evolving")

    def _record_choices(self, nmember: int, is_truth: bool) -> dict[str, Any]:
        """Return variables and intervals of the records of an ensemble."""
        config, output = self.config, self.config.output
        return {
            "variables": config.history_variables, "observation_members": output.observation_members,
            "members": tuple(variable(one).id for one in output.members) if nmember > 1 else (),
            "statistics": tuple(output.statistics), "nmember": nmember, "every": output.every,
            "restart_every": None if is_truth else output.restart_every, "start": config.time.start64,
            "increments": self._reported,
            "smoothed": (*config.assimilation.updated, *config.assimilation.parameters) if (
                config.assimilation.filter in SMOOTHERS) else (),
        }

    @property
    def _reported(self) -> tuple[str, ...]:
        """Fields whose increments are written: heads of columns say nothing that their water does not."""
        section = self.config.assimilation
        water = ("soil_water", "pressure_head") if self.config.is_coupled else ("soil_water",)
        return tuple(dict.fromkeys((*water, *section.updated, *section.parameters)))

    def _analysis(self, sets: list[ObservationSet], ranks: CellRanks, rivers: RiverRun | None) -> Analysis:
        config, domain = self.config, self.setup.domain
        section = config.assimilation
        choice = FilterChoice.of_case(config)
        if self.comm.is_root:
            warn_of_reach(choice, sets, self.setup.whole, self.river_plan)
        observer = Observer.of_run(self.setup, ranks, rivers)
        return Analysis(
            sets,
            every=section.every or config.time.step,
            start=config.time.start64,
            choice=choice,
            update=updated_variables(config),
            reported=self._reported,
            x=domain.x[ranks.share], y=domain.y[ranks.share], comm=ranks,
            max_innovation={entry.name: entry.quality.max_innovation for entry in config.observations
                            if entry.quality.max_innovation is not None},
            parameters=MemberParameters(tuple(section.parameters), self.setup) if section.parameters else None,
            spacing={entry.name: entry.thinning for entry in config.observations if entry.thinning > 0},
            observer=observer, quality=StateQuality(state_rules(config), observer),
            rivers=RiverReach(rivers.plan.network, ranks.position) if choice.is_along_rivers and rivers else None,
            **self._after_the_filter(ranks),
        )

    def _after_the_filter(self, ranks: CellRanks) -> dict[str, Any]:
        """Return what an analysis does besides its filter, as far as the case asks for it."""
        config, section = self.config, self.config.assimilation
        out: dict[str, Any] = {}
        if section.inflation.adaptive is not None:
            out["adaptive"] = AdaptiveFactors(section.inflation.adaptive, ranks, section.inflation.unobserved)
        if section.inflation.additive:
            cells = self.setup.domain.cell_id[ranks.share]
            out["additive"] = AdditiveNoise(section.inflation.additive, config.ensemble.seed, cells)
        if section.incremental is not None:
            steps = round(section.incremental.window / config.time.step)
            out["incremental"] = IncrementalUpdate(part_weights(section.incremental.weights, steps))
        if section.filter in SMOOTHERS:
            out["smoother"] = SmootherWindow(section.window, section.damping)
        return out

    # ---- end -----------------------------------------------------------------------------------------

    def _scores(self, run: MemberRun) -> dict[str, Any]:
        """Judge the run and write ``scores.json``."""
        comm, config = self.comm, self.config
        water = max(comm.allgather(run.records.largest_water_residual))
        energy = max(comm.allgather(run.records.largest_energy_residual))
        clipped = run.analysis.total_clipped(comm) if isinstance(run.analysis, Analysis) else {}
        memory = run.model.bytes_per_column
        scores: dict[str, Any] = {}
        if comm.is_root:
            station = Path(config.forcing.path) if config.forcing.format == "alma" else None
            skill = self._skill(station) if station else {}
            files = CaseFiles(self.run_dir, station if skill else None)
            closed = {**self._closure(), "largest_step_water_residual": water,
                      "largest_step_energy_residual": energy}
            assimilation = {}
            if run.analysis is not None and run.analysis.sets:
                assimilation = {**assimilation_section(files), "innovations": run.analysis.innovations(),
                                "clipped_values": sum(clipped.values()), "clipped": clipped}
                warn_of_unused(assimilation["departures"])
            layout = self.setup.layout
            timing = {**self.timing, "bytes_per_column": memory, "ranks": comm.size, "threads": runtime.threads(),
                      "member_groups": layout.groups, "tiles": layout.tiles}
            timing |= closed.pop("iterations", {})
            scores = {"skill": skill, "closure": closed, "timing": timing, "assimilation": assimilation,
                      **self._more_scores()}
            write_scores(self.run_dir, **scores)
        comm.barrier()
        return scores

    def _closure(self) -> dict[str, Any]:
        """Sum up the balances of the run."""
        return closure(self.run_dir / "balance.nc")

    def _more_scores(self) -> dict[str, Any]:
        """Return what else the run says of itself."""
        return {}

    def _skill(self, station: Path) -> dict[str, Any]:
        """Compare with what the station observed; the results stand even where it cannot be compared with."""
        try:
            return skill_of_run(self.run_dir / "history.nc", station)
        except InputError as error:
            _log.warning("no comparison with the station: %s", error)
            return {}


def _streams(config: CaseConfig, names: set[str]) -> dict[str, dict[str, str]]:
    """Return type and unit of the observations of some names, in the order of the case."""
    return {entry.name: {"type": entry.type, "units": UNITS[entry.type]} for entry in config.observations
            if entry.name in names}


def _without_end(config: CaseConfig) -> CaseConfig:
    """Return the configuration without what a resumed run may change: its end and its name."""
    reference = config.time.start.replace(year=config.time.start.year + 1000)
    plain = CaseConfig()
    return config.model_copy(update={
        "case": plain.case, "time": config.time.model_copy(update={"end": reference})})


def _belongs(path: Path, attrs: dict[str, Any]) -> bool:
    """Whether a file of an earlier call was written for this very configuration."""
    import netCDF4

    if not path.exists():
        return False
    try:
        with netCDF4.Dataset(path) as data:
            return str(data.getncattr("config_hash")) == attrs["config_hash"]
    except (OSError, AttributeError) as error:
        raise InputError(f"{path}: the file is damaged ({error}). Run without --resume.") from error
