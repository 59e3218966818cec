"""Time the parts that the cost of a continent is made of (docs/scaling.md), on this machine.

    python tools/benchmarks/scaling.py                                # steps, members, analysis of one rank
    mpirun -n 2 python tools/benchmarks/scaling.py                    # what goes between ranks

One rank prints microseconds of CPU time per column and step, the least of several: of the compiled step by soil
layers, patches and snow, with the bytes of a column; of what Python adds (perturbed weather, means over the output
interval); of a local analysis per cell; each also over a reference of the same run, numpy's exp of a value in cache:
machine speed cancels. Two ranks print what an exchange, a gather to the root, shared predictions and a barrier cost.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from column_step import STEP, STEPS_PER_DAY, bring_winter, build_columns, in_winter, make_weather, run, time_reference

from pyland.assimilate import analyse_local
from pyland.base.cell_ranks import CellRanks, PlacedRanks
from pyland.base.parallel import Communicator, share_of, world
from pyland.core.runtime import build, set_threads
from pyland.ensemble import ForcingPerturbation
from pyland.forcing import PrecipitationPhase
from pyland.observe import combine_footprints
from pyland.output.accumulator import Accumulator
from pyland.output.grid import OutputGrid
from pyland.output.history import HistoryWriter
from pyland.output.restart import write_restart

LAYERS = {
    15: [0.02, 0.03, 0.05, 0.07, 0.10, 0.13, 0.17, 0.23, 0.30, 0.40, 0.50, 0.60, 0.80, 1.0, 1.2],
    20: "clm5",
    30: list(np.geomspace(0.02, 0.75, 30)),
}
"""Soil layers of `cases/22_eurocordex`, those of CLM5, and many [m]."""

PLANTS = ("c3_crop", "c3_grass", "broadleaf_deciduous_temperate", "needle_evergreen_boreal")
MEMBERS, TILE = 64, 96  # of an ensemble; cells of one of 1000 tiles of a continent [1]
CELLS = 94783           # of cases/22_eurocordex [1]
NX, NY = 424, 412       # of its map [1]
SPACING = 12.2e3        # of its cells [m]
FLUXES = ("latent_heat_flux", "sensible_heat_flux", "net_radiation", "evapotranspiration", "surface_runoff",
          "subsurface_runoff", "gross_primary_production", "ground_temperature", "snow_mass", "soil_water_total")
PERTURBED = {"precipitation": 0.5, "shortwave": 0.3, "longwave": 20.0, "temperature": 1.0}  # [1], [1], [W m-2], [K]


def least(call: Callable[[], object], repeats: int = 5, clock: Callable[[], float] = time.process_time) -> float:
    """Seconds of the fastest of some calls."""
    seconds = []
    for _ in range(repeats):
        start = clock()
        call()
        seconds.append(clock() - start)
    return min(seconds)


def time_columns(reference: float, ncolumn: int = 1000, days: int = 3) -> None:
    """Print the cost of the compiled step."""
    spring = make_weather(ncolumn, STEPS_PER_DAY * days)
    chosen = [(layers, 1, False) for layers in LAYERS] + [(15, patches, False) for patches in (2, 3, 4)]
    for layers, patches, is_winter in [*chosen, (20, 4, False), (15, 1, True), (15, 4, True)]:
        model = build_columns(ncolumn, PLANTS[-patches:] if is_winter else PLANTS[:patches], LAYERS[layers])
        weather = in_winter(spring) if is_winter else spring
        if is_winter:
            bring_winter(model)
        run(model, weather[: STEPS_PER_DAY // 2])
        cpu = run(model, weather)[0].reshape(days, -1).min(axis=0).mean() * 1e6 / ncolumn
        state = sum(view.nbytes for view in model.state.values()) / ncolumn
        print(f"step, {layers} layers, {patches} patches, {'snow' if is_winter else 'no snow':8s} {cpu:6.2f} us per "
              f"column and step = {1e3 * cpu / reference:5.0f} references, {model.bytes_per_column:5.0f} bytes per "
              f"column, {state:5.0f} of them state", flush=True)


def time_members(reference: float) -> None:
    """Print what Python adds to a step: weather of the members, means over the output interval."""
    row, column = np.divmod(np.arange(TILE), TILE)
    weather = {name: field for name, field in make_weather(TILE, 2)[1].items() if name != "co2"}
    phase = PrecipitationPhase("wet_bulb", 273.15, 275.15)
    settings = {name: {"std": std} for name, std in PERTURBED.items()} | {"time_scale": 86400.0}
    for length in (0.0, 1e5):
        noise = ForcingPerturbation(settings | {"length_scale": length}, 1, np.arange(MEMBERS), SPACING * column,
                                    SPACING * row, np.arange(TILE), STEP, phase)
        steps = iter(range(10**6))
        cpu = least(lambda noise=noise, steps=steps: noise.apply(next(steps), weather), 30) * 1e6 / MEMBERS / TILE
        print(f"perturbed weather, correlated over {length / 1e3:3.0f} km {cpu:6.2f} us per column and step = "
              f"{1e3 * cpu / reference:5.0f} references")
    values = {"soil_water": np.ones((15, MEMBERS, TILE))} | {f"flux_{k}": np.ones((MEMBERS, TILE)) for k in range(10)}
    means = Accumulator(dict.fromkeys(values, "mean"))
    cpu = least(lambda: means.add(STEP, values), 30) * 1e6 / MEMBERS / TILE
    print(f"means of 10 fluxes and 15 layers          {cpu:6.2f} us per column and step = "
          f"{1e3 * cpu / reference:5.0f} references")


def time_analysis(reference: float, side: int = 64, layers: int = 15) -> None:
    """Print the cost of a local analysis: a satellite of 25 km sees cells of 12 km, radius 100 km, all layers."""
    rng = np.random.default_rng(1)
    y, x = np.divmod(np.arange(side * side), side)
    places = SPACING * np.column_stack([x, y])
    seen = np.flatnonzero((x % 2 == 0) & (y % 2 == 0))
    state = rng.standard_normal((MEMBERS, side * side * layers))
    domain = np.repeat(np.arange(side * side), layers)
    predicted = np.ascontiguousarray(state[:, seen * layers])
    cpu = least(lambda: analyse_local(
        state, predicted, rng.standard_normal(seen.size), np.full(seen.size, 0.5), places, places[seen], 1e5,
        domain_of_state=domain, threads=1), 2) * 1e6 / side**2
    print(f"LETKF of {MEMBERS} members and {layers} layers        {cpu:6.1f} us per cell and analysis = "
          f"{1e3 * cpu / reference:5.0f} references")


def time_records(folder: Path, records: int = 4) -> None:
    """Print what the root needs for a record of 10 fluxes and 15 layers of all cells, mean and spread, on the map."""
    index = np.arange(CELLS) * (NX * NY // CELLS)
    grid = OutputGrid(np.zeros(CELLS), np.zeros(CELLS), {"layer": np.array(LAYERS[15])}, shape=(NY, NX), index=index)
    rng = np.random.default_rng(1)
    writer = HistoryWriter(folder, grid, ("soil_water", *FLUXES), {})
    writer.start()
    values = {"soil_water": rng.random((15, 2, CELLS))} | {name: rng.random((2, CELLS)) for name in FLUXES}
    day, start = np.timedelta64(1, "D"), np.datetime64("2018-01-01")
    cpu = time.process_time()
    for record in range(records):
        writer.add(start + record * day, start + (record + 1) * day, values)
    writer.flush("20180105T0000")
    written = time.process_time()
    size = writer.finish().stat().st_size / records
    print(f"a record of history.nc, {size / 1e6:.0f} MB compressed: {1e3 * (written - cpu) / records:.0f} ms to write, "
          f"{1e3 * (time.process_time() - written) / records:.0f} ms to join at the end")


def time_ranks(comm: Communicator) -> None:
    """Print what goes between ranks; every line is of the slowest rank."""
    mine = share_of(CELLS, comm.size, comm.rank)
    cells = np.arange(mine.start, mine.stop)
    placed = PlacedRanks(comm, cells)
    mean = np.ones((15, cells.size))

    def report(label: str, call: Callable[[], object], size: float, repeats: int = 5) -> None:
        comm.barrier()
        wall = max(comm.allgather(least(call, repeats, time.perf_counter)))
        peak = max(comm.allgather(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)) / 1024.0
        if comm.is_root:
            print(f"{label:66s} {1e3 * wall:9.3f} ms {size / wall / 1e9:6.2f} GB/s, peak {peak:5.0f} MB", flush=True)

    placed.gather_last(mean)
    report("100 barriers", lambda: [comm.barrier() for _ in range(100)], 0.0)
    report("gather of one mean, 15 layers of all cells", lambda: placed.gather_last(mean), 15.0 * CELLS * 8)
    tile = np.arange(4 * TILE)  # one tile that the ranks share by members
    ranks = CellRanks(comm, comm, MEMBERS, tile)
    water = np.ones((15, ranks.nmember_local, tile.size))
    size = 15.0 * MEMBERS * tile.size * 8
    report(f"exchange to all members, 15 layers of {tile.size} cells", lambda: ranks.all_members(water), size)
    part = np.ones((MEMBERS, cells.size))
    footprints = np.arange(0, CELLS - CELLS % 4).reshape(-1, 4)
    weights = np.full(footprints.shape, 0.25)
    for slots in (4, 1):
        seen, share = footprints[:, :slots], weights[:, :slots] * 4.0 / slots
        report(f"predictions of {len(seen)} footprints of {slots} cell(s), {MEMBERS} members",
               lambda seen=seen, share=share: combine_footprints(part, cells, seen, share, comm),
               8.0 * MEMBERS * seen.size, 3)
    some = np.ones((15, MEMBERS // 8, cells.size))  # an eighth of the members: memory of a small machine
    report(f"gather of a restart field, 15 layers, {MEMBERS // 8} members of all cells",
           lambda: placed.gather_last(some), 15.0 * MEMBERS / 8 * CELLS * 8, 3)
    joined = placed.gather_last(some)
    if comm.is_root:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "restart" / "20180101T0000.nc"
            file.parent.mkdir()
            wall = least(lambda: write_restart(file, {"soil_water": joined}, {}, np.datetime64("2018-01-01")), 2,
                         time.perf_counter)
        print(f"the root writes that field {1e3 * wall:49.3f} ms {joined.nbytes / wall / 1e9:6.2f} GB/s")


def main() -> None:
    """Time one rank or what goes between several."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    set_threads(1)
    comm = world()
    if comm.size > 1:
        time_ranks(comm)
        return
    reference = time_reference()
    time_columns(reference)
    time_members(reference)
    time_analysis(reference)
    with tempfile.TemporaryDirectory() as folder:
        time_records(Path(folder))
    print(f"reference {reference:.3f} ns at the start, {time_reference():.3f} at the end; {build()['compiler']} "
          f"{build()['flags']}")


if __name__ == "__main__":
    main()
