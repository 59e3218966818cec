"""``pyland check`` of a case with the distributed subsurface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyland.base.errors import PylandError
from pyland.base.parallel import Communicator
from pyland.config import CaseConfig
from pyland.config.parallel import ParallelSection
from pyland.domain.parflow_cover import read_cover
from pyland.driver.analysis.observing import observation_problems
from pyland.driver.commands.estimates import describe_cost, describe_split, memory_estimate, restart_estimate
from pyland.driver.distributed.coupled_setup import prepare_coupled
from pyland.driver.distributed.flow_setup import FlowSetup, describe_flow, prepare_flow
from pyland.driver.inputs import describe_weather, open_weather
from pyland.subsurface.flow_grid import FlowGrid

if TYPE_CHECKING:
    from pyland.driver.commands.check import CheckReport

BYTES_PER_CELL = 300.0
"""Memory per cell of a rank [byte]: properties, coefficients, Krylov vectors, preconditioner, and what set-up and
output need beside them for a moment; 290 were measured on 300 x 100 x 20 cells."""

BYTES_PER_MEMBER = 8.0
"""Memory of the heads per cell and member [byte]."""


def check_flow(config: CaseConfig, ranks: int, report: CheckReport) -> float:
    """Check grid, soil, slopes, sides, initial state, weather and observations; nothing is written.

    Parameters
    ----------
    config : CaseConfig
        The case.
    ranks : int
        Number of ranks it is to run on.
    report : CheckReport
        Receives facts and problems.

    Returns
    -------
    float
        Memory of a rank [byte], 0 if the grid cannot be built.
    """
    alone = config.model_copy(update={"parallel": ParallelSection()})  # built here on one rank, whatever is planned
    try:
        land = prepare_coupled(alone, Communicator()) if config.is_coupled else None
        setup = prepare_flow(config, Communicator()) if land is None else land.flow
    except PylandError as error:
        report.problems += str(error).splitlines()
        return 0.0
    report.facts["domain"] = f"{config.domain.type}, {setup.whole.ncell} of {setup.whole.nx} x {setup.whole.ny} cells"
    weather = report.attempt(config.where("forcing"), lambda: open_weather(config, setup.whole))
    if weather is not None:
        report.facts |= describe_weather(config, weather)
    report.facts |= describe_flow(setup)
    report.problems += observation_problems(config, setup.whole, setup.layers.depth)
    groups, tiles = 1, ranks
    if land is not None:
        groups, tiles = describe_split(config, setup.whole.ncell, ranks, report, prefers_members=True)
    shape = report.attempt("parallel", lambda: tiles_of(setup, tiles))
    if shape is not None and tiles > 1:
        report.facts["tiles"] = f"{shape[1]} x {shape[0]} rectangles of cells on {tiles} ranks"
    members = -(-config.ensemble.size // groups)
    size = memory_of_flow(setup, tiles, members)
    cells = setup.whole.nx * setup.whole.ny
    report.restart = BYTES_PER_MEMBER * config.ensemble.size * cells * setup.layers.nlayer
    cost = describe_cost(config, setup.whole.ncell, ground=cells)
    if land is not None:
        kind = land.layers, land.surface.npatch, config.land.snow.layers
        largest = setup.whole.ncell if shape is None else largest_tile(setup, tiles, config, report)
        size += memory_estimate(largest * members, *kind)
        report.restart += restart_estimate(setup.whole.ncell * config.ensemble.size, *kind)
        cost = describe_cost(config, setup.whole.ncell, land.layers.nlayer, land.surface.npatch, cells)
        report.facts["layers"] = (f"land {land.layers.nlayer} to {land.layers.depth:.2f} m, rock to "
                                  f"{land.layers.thermal_thickness.sum():.1f} m")
        if config.surface.vegetation.parflow is not None:
            report.facts |= read_cover(config.surface.vegetation.parflow, setup.whole).facts
        report.facts["ensemble"] = f"{config.ensemble.size} members, filter {config.assimilation.filter}"
    report.facts["memory"] = (f"about {size / 2**20:.3g} MiB per rank, beside the program; the root gathers "
                              f"{report.restart / 2**20:.3g} MiB for a restart")
    report.facts["cost"] = cost
    return size


def tiles_of(setup: FlowSetup, ranks: int) -> tuple[int, int]:
    """Return how many tiles the ranks make from south to north and from west to east.

    Raises
    ------
    InputError
        If the ranks cannot share the grid.
    """
    return _grid_of_tile(setup, ranks, 0).tiles


def largest_tile(setup: FlowSetup, ranks: int, config: CaseConfig, report: CheckReport) -> int:
    """Return the cells of the domain on the rank that has most of them, and report it if a rank has none."""
    grids = [_grid_of_tile(setup, ranks, rank) for rank in range(ranks)]
    counts = [int(setup.whole.mask[one.rows, one.columns].sum()) for one in grids]
    empty = counts.count(0)
    if empty:
        report.problems.append(
            f"{config.where('parallel.tiles')}: {empty} of {ranks} rectangles have no cell of the domain; use fewer "
            "ranks, or more member groups.")
    if max(counts) * ranks > 1.2 * sum(counts):
        report.facts["balance"] = (f"the fullest rectangle has {max(counts)} cells of the domain, the mean is "
                                   f"{sum(counts) / ranks:.0f}: ranks wait for it")
    return max(counts)


def _grid_of_tile(setup: FlowSetup, ranks: int, rank: int) -> FlowGrid:
    """Return the grid as one of some ranks sees it."""
    comm = Communicator()
    comm.size, comm.rank = ranks, rank
    _, ny, nx = setup.shape
    return FlowGrid(setup.layers.thickness, nx, ny, setup.dx, setup.dy, None, comm)


def memory_of_flow(setup: FlowSetup, ranks: int, members: int) -> float:
    """Return the memory of a rank [byte]: solver and heads of its share of the cells, soil of the whole grid."""
    nlayer, ny, nx = setup.shape
    share = -(-nlayer * ny * nx // ranks)
    return share * (BYTES_PER_CELL + BYTES_PER_MEMBER * members) + sum(field.nbytes for field in setup.soil.values())
