"""``pyland check``: everything that can be known about a case without running it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pyland.base.errors import ConfigError, PylandError
from pyland.base.registry import variables
from pyland.config import CaseConfig
from pyland.domain import Domain, Layers, build_domain, build_layers, build_surface
from pyland.driver.commands.check_flow import check_flow
from pyland.driver.inputs import check_tiles, forcing_period, open_weather
from pyland.driver.observing import observation_problems
from pyland.driver.rank_layout import choose_split
from pyland.driver.river_setup import RiverPlan, build_rivers, describe_rivers, plan_rivers
from pyland.land.lake_model import NOMINAL_LAYERS

BYTES = 8
"""Size of a number [byte]."""

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
    """

    facts: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    memory: float = 0.0

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


def check_case(config: CaseConfig, ranks: int = 1) -> CheckReport:
    """Check files, units, time cover, memory and ranks of a case whose configuration is valid.

    Parameters
    ----------
    config : CaseConfig
        The case.
    ranks : int
        Number of ranks it is to run on.

    Returns
    -------
    CheckReport
        Facts and all problems; nothing is written.
    """
    report = CheckReport()
    _describe_time(config, report)
    if config.is_distributed:
        report.attempt(config.where("parallel"), lambda: check_tiles(config, ranks))
        report.memory = check_flow(config, ranks, report)
        _check_memory(report.memory, "domain", config, report)
        return report
    layers = build_layers(config.domain.layers, config.domain.bedrock_layers, config.domain.bedrock_thickness)
    domain = report.attempt(config.where("domain"), lambda: build_domain(config.domain))
    if isinstance(domain, Domain):
        report.facts["domain"] = f"{config.domain.type}, {domain.ncell} of {domain.nx} x {domain.ny} cells"
        surface = report.attempt(
            config.where("surface"), lambda: build_surface(config.surface, config.subsurface.retention, domain, layers)
        )
        weather = report.attempt(config.where("forcing"), lambda: open_weather(config, domain))
        if weather is not None:
            start, end = forcing_period(config)
            report.facts["forcing"] = f"{config.forcing.format}, covers {start} to {end} UTC"
        plan = report.attempt(config.where("rivers"), lambda: plan_rivers(config, domain))
        if isinstance(plan, RiverPlan):
            report.facts |= describe_rivers(config, plan)
            report.attempt(config.where("rivers"), lambda: build_rivers(config, domain, plan, 1))
        columns = _columns_per_rank(config, domain, ranks, report)
        npatch = 1 if surface is None else surface.npatch
        size = memory_estimate(columns, layers, npatch, config.land.snow.layers,
                               len(NOMINAL_LAYERS) if config.surface.lake else 0)
        report.memory = size
        report.facts["memory"] = f"about {size / 2**20:.1f} MiB per rank for {columns} columns"
        _check_memory(size, "ensemble.size", config, report)
        report.problems += observation_problems(config, domain, layers.depth)
    report.facts["layers"] = (
        f"{layers.nlayer} to {layers.depth:.2f} m, {layers.bedrock_thickness.size} of bedrock to "
        f"{layers.thermal_thickness.sum():.1f} m"
    )
    report.facts["ensemble"] = f"{config.ensemble.size} members, filter {config.assimilation.filter}"
    return report


def memory_estimate(ncolumn: int, layers: Layers, npatch: int, snow_layers: int, lake_layers: int = 0) -> float:
    """Return the memory of all fields of a rank [byte].

    Counts the registry: every forcing, state, flux and parameter by its dimensions, twice for averages and copies.
    """
    sizes = {
        "column": 1,
        "layer": layers.nlayer,
        "thermal_layer": layers.nthermal,
        "snow_layer": snow_layers,
        "lake_layer": lake_layers,
        "patch": npatch,
        "band": 2,
        "layer_patch": layers.nlayer * npatch,
    }
    each = sum(int(np.prod([sizes[name] for name in item.dims])) for item in variables())
    return 2.0 * each * ncolumn * BYTES


def _describe_time(config: CaseConfig, report: CheckReport) -> None:
    """Say what period a run covers, in how many steps."""
    days = config.time.nstep * config.time.step / SECONDS_PER_DAY
    spinup = config.time.spinup.years
    report.facts["time"] = (
        f"{config.time.start.isoformat()} to {config.time.end.isoformat()} UTC, {days:g} days, "
        f"{config.time.nstep} steps of {config.time.step:g} s"
        + (f", after {spinup} passes of spin-up" if spinup else "")
    )


def _columns_per_rank(config: CaseConfig, domain: Domain, ranks: int, report: CheckReport) -> int:
    """Return the columns of the rank that has most, and say how the ranks are split."""
    section, size = config.parallel, config.ensemble.size
    split = report.attempt(config.where("parallel"), lambda: choose_split(
        ranks, domain.ncell, size, section.member_groups, section.tiles))
    if not isinstance(split, tuple):
        return -(-domain.ncell // ranks) * size
    groups, tiles = split
    members, cells = -(-size // groups), -(-domain.ncell // tiles)
    report.facts["ranks"] = (f"{ranks} = {groups} member group(s) x {tiles} tile(s); at most {members} member(s) x "
                             f"{cells} cell(s) on a rank")
    return members * cells


def _check_memory(size: float, path: str, config: CaseConfig, report: CheckReport) -> None:
    """Report it if a rank needs more memory than there is [byte]."""
    free = _available_memory()
    if free is not None and size > free:
        report.problems.append(
            f"{config.where(path)}: the state needs about {size / 2**30:.1f} GiB per rank, but "
            f"{free / 2**30:.1f} GiB are free here; use more nodes, fewer members or fewer cells."
        )


def _available_memory() -> float | None:
    """Return the memory that Linux says is available [byte]; None elsewhere."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    kibibytes = next((line.split()[1] for line in lines if line.startswith("MemAvailable")), None)
    return None if kibibytes is None else float(kibibytes) * 1024.0
