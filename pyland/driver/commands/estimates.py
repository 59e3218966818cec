"""What a case needs before it runs: the split of its ranks, memory, time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pyland.base.registry import variables
from pyland.config import CaseConfig
from pyland.domain.layers import Layers
from pyland.driver.rank_layout import choose_split

if TYPE_CHECKING:
    from pyland.driver.commands.check import CheckReport

BYTES = 8
"""Size of a number [byte]."""

SECONDS_PER_COLUMN_STEP = 4.0e-6
"""Time of one core per column, member and step of the land [s]: 3 to 5e-6 were measured (docs/benchmarks.md)."""

SECONDS_PER_CELL_STEP = 0.4e-6
"""Time of one core per cell of the distributed subsurface, member and step [s]: 0.2 to 0.6e-6 were measured; storms on
fine grids take several times as much."""


def describe_split(
    config: CaseConfig, ncell: int, ranks: int, report: CheckReport, *, prefers_members: bool = False
) -> tuple[int, int]:
    """Return member groups and tiles of the ranks, and say how much is on one; all tiles if they do not fit."""
    section, size = config.parallel, config.ensemble.size
    split = report.attempt(config.where("parallel"), lambda: choose_split(
        ranks, ncell, size, section.member_groups, section.tiles, prefers_members=prefers_members))
    if not isinstance(split, tuple):
        return 1, ranks
    groups, tiles = split
    report.facts["ranks"] = (f"{ranks} = {groups} member group(s) x {tiles} tile(s); at most {-(-size // groups)} "
                             f"member(s) x {-(-ncell // tiles)} cell(s) on a rank")
    return groups, tiles


def describe_cost(config: CaseConfig, ncell: int) -> str:
    """Say about how long one core computes; input and output take some per cent more."""
    members = config.ensemble.size
    spinup = config.time.spinup
    seconds = (config.time.end - config.time.start).total_seconds()
    if spinup.years > 0:
        first, last = config.time.spinup_window
        seconds += spinup.years * (last - first).total_seconds()
    steps = seconds / config.time.step
    land = SECONDS_PER_COLUMN_STEP * (config.land.model != "none")
    ground = SECONDS_PER_CELL_STEP * config.nlayer * config.is_distributed
    stages = 1 + (config.assimilation.filter != "none" and config.assimilation.open_loop)
    passes = config.subsurface.coupling_iterations  # 1 but for land over the distributed subsurface
    hours = steps * ncell * members * stages * passes * (land + ground) / 3600.0
    amount = f"{hours:.3g} core-hours" if hours >= 1.0 else f"{3600.0 * hours:.2g} core-seconds"
    return f"about {amount}, {stages} stage(s) of {steps:.0f} steps, spin-up included"


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
