"""``pyland check``: everything that can be known about a case without running it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pyland.base.errors import ConfigError, PylandError
from pyland.base.free_memory import free_memory
from pyland.config import CaseConfig
from pyland.domain import Domain, build_domain, build_layers, build_surface
from pyland.domain.parflow_cover import read_cover
from pyland.domain.surface import other_surfaces
from pyland.driver.analysis.observing import observation_problems
from pyland.driver.commands.check_flow import check_flow
from pyland.driver.commands.estimates import describe_cost, describe_split, memory_estimate, restart_estimate
from pyland.driver.cycle.standing_files import missing_standing_files
from pyland.driver.inputs import check_tiles, describe_weather, open_weather
from pyland.driver.rivers.river_setup import RiverPlan, build_rivers, describe_rivers, plan_rivers

SECONDS_PER_DAY = 86400.0


@dataclass
class CheckReport:
    """What a check found.

    Attributes
    ----------
    facts : dict of str to str
        What the case is, for the terminal.
    problems : list of str
        One sentence per problem; empty if the case can run.
    memory : float
        Memory that the state of a rank takes [byte]; 0 where it could not be estimated.
    restart : float
        Size of a restart, which the root gathers [byte]; 0 where it could not be estimated.
    """

    facts: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    memory: float = 0.0
    restart: float = 0.0

    def raise_problems(self) -> None:
        """Raise ConfigError with all problems, if there are any."""
        if self.problems:
            head = "" if len(self.problems) == 1 else f"the case has {len(self.problems)} problems:\n"
            raise ConfigError(head + "\n".join(self.problems))

    def attempt(self, where: str, action: Callable[[], object]) -> object | None:
        """Return the action's result; an error of pyland becomes a problem."""
        try:
            return action()
        except PylandError as error:
            self.problems.append(f"{where}: {error}")
        return None


def check_case(config: CaseConfig, ranks: int = 1, is_here: bool = True) -> CheckReport:
    """Check files, units, time cover, memory and ranks of a case whose configuration is valid.

    Parameters
    ----------
    config : CaseConfig
        The case.
    ranks : int
        Number of ranks it is to run on.
    is_here : bool
        It is to run on this machine, whose memory must do.

    Returns
    -------
    CheckReport
        Facts and all problems; nothing is written.
    """
    report = CheckReport()
    _describe_time(config, report)
    _describe_cycle(config, report)
    if config.is_distributed:
        report.attempt(config.where("parallel"), lambda: check_tiles(config, ranks))
        report.memory = check_flow(config, ranks, report)
        if is_here:
            _check_memory(report.memory, "domain", config, report)
        return report
    layers = build_layers(config.domain.layers, config.domain.bedrock_layers, config.domain.bedrock_thickness)
    domain = report.attempt(config.where("domain"), lambda: build_domain(config.domain))
    if isinstance(domain, Domain):
        report.facts["domain"] = f"{config.domain.type}, {domain.ncell} of {domain.nx} x {domain.ny} cells"
        surface = report.attempt(
            config.where("surface"), lambda: build_surface(config.surface, config.subsurface.retention, domain, layers)
        )
        if surface is not None and config.surface.vegetation.parflow is not None:
            report.facts |= read_cover(config.surface.vegetation.parflow, domain).facts
        if config.cycle is None:  # what a cycle reads arrives later
            weather = report.attempt(config.where("forcing"), lambda: open_weather(config, domain))
            if weather is not None:
                report.facts |= describe_weather(config, weather)
        plan = report.attempt(config.where("rivers"), lambda: plan_rivers(config, domain))
        if isinstance(plan, RiverPlan):
            report.facts |= describe_rivers(config, plan)
            report.attempt(config.where("rivers"), lambda: build_rivers(config, domain, plan, 1))
        groups, tiles = describe_split(config, domain.ncell, ranks, report)
        columns = -(-config.ensemble.size // groups) * -(-domain.ncell // tiles)
        npatch = max(len(config.surface.vegetation.patches), 1) if surface is None else surface.npatch
        columns_of_all = config.ensemble.size * domain.ncell
        others = report.attempt(config.where("surface"), lambda: other_surfaces(config.surface, domain)) or ()
        kind = layers, npatch, config.land.snow.layers, others
        size = report.memory = memory_estimate(columns, *kind)
        report.restart = restart_estimate(columns_of_all, *kind)
        report.facts["memory"] = (
            f"about {size / 2**20:.1f} MiB per rank for {columns} columns, beside the program; the root gathers "
            f"{report.restart / 2**20:.3g} MiB for a restart")
        report.facts["cost"] = describe_cost(config, domain.ncell, layers.nlayer, npatch)
        if is_here:
            _check_memory(size, "ensemble.size", config, report)
        report.problems += observation_problems(config, domain, layers.depth) if config.cycle is None else []
    report.facts["layers"] = (
        f"{layers.nlayer} to {layers.depth:.2f} m, {layers.bedrock_thickness.size} of bedrock to "
        f"{layers.thermal_thickness.sum():.1f} m"
    )
    report.facts["ensemble"] = f"{config.ensemble.size} members, filter {config.assimilation.filter}"
    return report


def _describe_time(config: CaseConfig, report: CheckReport) -> None:
    """Say what period a run covers, in how many steps."""
    days = config.time.nstep * config.time.step / SECONDS_PER_DAY
    spinup = config.time.spinup.years
    report.facts["time"] = (
        f"{config.time.start.isoformat()} to {config.time.end.isoformat()} UTC, {days:g} days, "
        f"{config.time.nstep} steps of {config.time.step:g} s"
        + (f", after {spinup} passes of spin-up" if spinup else "")
    )


def _describe_cycle(config: CaseConfig, report: CheckReport) -> None:
    """Say what a real-time cycle waits for; its files arrive later and are not looked at here."""
    cycle = config.cycle
    if cycle is None:
        return
    weather = ", ".join(one.name for one in cycle.weather)
    watched = {entry.name: [one.name for one in cycle.observation_streams(entry.name)] for entry in config.observations}
    observed = "".join(f"; {name}: {', '.join(streams)}" for name, streams in watched.items())
    report.problems += missing_standing_files(config)
    if cycle.initial is not None and not Path(cycle.initial).is_file():
        report.problems.append(f"{config.where('cycle.initial')}: there is no file {cycle.initial}; a cycle that has "
                               "begun needs it no more, leave the key out then.")
    length, lead = (seconds / SECONDS_PER_DAY for seconds in (cycle.interval, cycle.forecast.lead))
    report.facts["cycle"] = (
        f"cycles of {length:g} days, {f'forecasts of {lead:g} days' if lead > 0 else 'no forecasts'}; weather: "
        f"{weather}{observed}; files arrive later and are not checked, see `pyland cycle --status`")


def _check_memory(size: float, path: str, config: CaseConfig, report: CheckReport) -> None:
    """Report it if a rank needs more memory than there is [byte]."""
    free = free_memory()
    if size > free:
        report.problems.append(
            f"{config.where(path)}: the state needs about {size / 2**30:.1f} GiB per rank, but "
            f"{free / 2**30:.1f} GiB are free here; use more nodes, fewer members or fewer cells."
        )
