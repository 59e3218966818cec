"""What a case needs before it runs: the split of its ranks, memory, time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pyland.base.registry import Variable, variables
from pyland.config import CaseConfig
from pyland.config.surface import OTHER_SURFACES
from pyland.domain.layers import Layers
from pyland.driver.rank_layout import choose_split
from pyland.land.lake_model import NOMINAL_LAYERS

if TYPE_CHECKING:
    from pyland.driver.commands.check import CheckReport

BYTES = 8
"""Size of a number [byte]."""

SECONDS_PER_COLUMN_STEP = 0.5e-6
"""Time of one core per column, member and step for weather and records [s] (docs/scaling.md)."""

SECONDS_PER_LAYER_STEP = 0.2e-6
"""Time of one core per soil layer of a column and step [s]: soil water, heat and roots (docs/scaling.md)."""

SECONDS_PER_PATCH_STEP = 1.1e-6
"""Time of one core per vegetation patch of a column and step [s] (docs/scaling.md)."""

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


def describe_cost(config: CaseConfig, ncell: int, nlayer: int = 0, npatch: int = 0, ground: int = 0) -> str:
    """Say about how long one core computes; input and output take some per cent more.

    Parameters
    ----------
    config : CaseConfig
        The case.
    ncell : int
        Cells of the run.
    nlayer, npatch : int
        Soil layers and patches of the land, without a land model none.
    ground : int
        Columns of the distributed subsurface. They fill its rectangle: those outside the domain cost as much.
    """
    members = config.ensemble.size
    spinup = config.time.spinup
    seconds = (config.time.end - config.time.start).total_seconds()
    if spinup.years > 0:
        first, last = config.time.spinup_window
        seconds += spinup.years * (last - first).total_seconds()
    steps = seconds / config.time.step
    land = (SECONDS_PER_COLUMN_STEP + SECONDS_PER_LAYER_STEP * nlayer + SECONDS_PER_PATCH_STEP * npatch) * (nlayer > 0)
    water = SECONDS_PER_CELL_STEP * config.nlayer * config.is_distributed
    stages = 1 + (config.assimilation.filter != "none" and config.assimilation.open_loop)
    passes = config.subsurface.coupling_iterations  # 1 but for land over the distributed subsurface
    hours = steps * members * stages * passes * (ncell * land + ground * water) / 3600.0
    amount = f"{hours:.3g} core-hours" if hours >= 1.0 else f"{3600.0 * hours:.2g} core-seconds"
    return f"about {amount}, {stages} stage(s) of {steps:.0f} steps, spin-up included"


def memory_estimate(
    ncolumn: int, layers: Layers, npatch: int, snow_layers: int, others: tuple[str, ...] = ()
) -> float:
    """Return the memory of all fields of a rank [byte].

    Counts the registry: every forcing, state, flux and parameter by its dimensions, twice for averages and copies.

    Parameters
    ----------
    ncolumn : int
        Columns of the rank, cells times members.
    layers : Layers
        Layers of soil and rock.
    npatch, snow_layers : int
        Patches and snow layers of a column.
    others : tuple of str
        Surfaces beside soil that the run has, see `pyland.domain.surface.other_surfaces`.
    """
    return 2.0 * ncolumn * sum(_bytes(one, layers, npatch, snow_layers) for one in _present(others))


def restart_estimate(
    ncolumn: int, layers: Layers, npatch: int, snow_layers: int, others: tuple[str, ...] = ()
) -> float:
    """Return the size of a restart of all columns of a run [byte], which the root gathers; see `memory_estimate`."""
    state = [one for one in _present(others) if one.role == "state"]
    return float(ncolumn) * sum(_bytes(one, layers, npatch, snow_layers) for one in state)


def _present(others: tuple[str, ...]) -> list[Variable]:
    """Return the variables of a run, without those of surfaces that it does not have."""
    absent = tuple(f"{name}_" for name in OTHER_SURFACES if name not in others)
    return [one for one in variables() if not one.id.startswith(absent)]


def _bytes(one: Variable, layers: Layers, npatch: int, snow_layers: int) -> int:
    """Return the size of a variable in one column [byte]."""
    sizes = {
        "column": 1,
        "layer": layers.nlayer,
        "thermal_layer": layers.nthermal,
        "snow_layer": snow_layers,
        "lake_layer": len(NOMINAL_LAYERS),
        "patch": npatch,
        "band": 2,
        "layer_patch": layers.nlayer * npatch,
    }
    return BYTES * int(np.prod([sizes[name] for name in one.dims]))
