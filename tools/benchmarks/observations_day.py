"""Time one analysis day of a satellite product: file, table, sets on the grid, predictions, innovations.

    OMP_NUM_THREADS=1 python tools/benchmarks/observations_day.py [--nx 424] [--ny 412] [--dx 12500] [--members 24]

A file in the layout of SMAP L3 enhanced (global, 9 km) is written with values in one strip in three, and read for a
grid of 424 x 412 cells (EURO-CORDEX, 12.5 km). Prints wall and CPU seconds of each step, and how many observations
there are.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from pyland.base.parallel import Communicator
from pyland.observe import Scene, TargetCells, assemble, combine_footprints, operator_for, read_product, sets_from_table
from pyland.observe.quality import QualityRules, apply_quality
from pyland.observe.readers.ease_grid import EaseGrid
from pyland.observe.target_cells import EARTH_RADIUS

DAY = np.datetime64("2018-06-01", "s")
SMAP_EPOCH = np.datetime64("2000-01-01T11:58:55.816", "ms")
STRIP = 110
"""Columns of the 9 km grid in a strip, as wide as the swath of SMAP."""


def measure(label: str, call: Callable[[], Any]) -> Any:
    """Run once, print the times and return the result."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = call()
    print(f"{label:44s} wall {time.perf_counter() - wall:7.2f} s   CPU {time.process_time() - cpu:7.2f} s")
    return result


def write_day(path: Path) -> None:
    """Write the morning pass of a day."""
    grid, random = EaseGrid(9), np.random.default_rng(1)
    seen = np.broadcast_to((np.arange(grid.shape[1]) // STRIP) % 3 == 0, grid.shape)
    seconds = (DAY - SMAP_EPOCH) / np.timedelta64(1, "ms") / 1000.0 + 6 * 3600.0
    fields = {
        "soil_moisture": random.uniform(0.05, 0.45, grid.shape), "tb_time_seconds": np.full(grid.shape, seconds),
        "retrieval_qual_flag": np.zeros(grid.shape), "surface_flag": np.zeros(grid.shape),
        "static_water_body_fraction": random.uniform(0.0, 0.06, grid.shape),
        "vegetation_water_content": random.uniform(0.0, 5.5, grid.shape),
        "boresight_incidence": np.full(grid.shape, 40.0),
    }
    with netCDF4.Dataset(path, "w") as file:
        inner = file.createGroup("Soil_Moisture_Retrieval_Data_AM")
        for name, size in zip(("row", "column"), grid.shape, strict=True):
            inner.createDimension(name, size)
        for name, values in fields.items():
            is_flag = "flag" in name
            kind, fill = ("u2", 65534) if is_flag else ("f8" if "seconds" in name else "f4", -9999.0)
            one = inner.createVariable(name, kind, ("row", "column"), fill_value=fill, zlib=True, complevel=1)
            if name == "soil_moisture":
                one.units = "cm**3/cm**3"
            one[:] = np.where(seen, values, fill)


def main() -> None:
    """Build the day and time its parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("nx", 424), ("ny", 412), ("members", 24)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--dx", type=float, default=12500.0, help="width of a cell [m]")
    option = parser.parse_args()
    y, x = np.meshgrid((np.arange(option.ny) - 0.5 * (option.ny - 1)) * option.dx,
                       (np.arange(option.nx) - 0.5 * (option.nx - 1)) * option.dx, indexing="ij")
    degree = np.deg2rad(1.0) * EARTH_RADIUS
    latitude = 48.0 + y / degree
    longitude = 10.0 + x / (degree * np.cos(np.deg2rad(latitude)))
    target = TargetCells(latitude.ravel(), longitude.ravel(), x.ravel(), y.ravel(), option.dx)
    thickness = np.array([0.02, 0.04, 0.06, 0.08, 0.12])
    water = np.random.default_rng(2).uniform(0.1, 0.4, (thickness.size, option.members, x.size))
    bounds = (float(target.latitude.min()), float(target.latitude.max()), float(target.longitude.min()),
              float(target.longitude.max()))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "SMAP_L3_SM_P_E_20180601_R18290_001.h5"
        write_day(path)
        table = measure("read_product: file to table", lambda: read_product(path, "smap_l3", bounds=bounds))
    print(f"  {table.size} rows, {table.counts()}")
    table = measure("apply_quality", lambda: apply_quality(table, QualityRules.usual(table)))
    sets = measure("sets_from_table: places and footprints", lambda: sets_from_table(
        table, target, name="smap", start=DAY, end=DAY + np.timedelta64(1, "D"), step=86400.0, error=0.04,
        depth=(0.0, 0.05), footprint=9000.0, footprint_weights="square"))
    one = sets[0]
    print(f"  {len(sets)} sets, {one.size} observations, {int(one.used.sum())} used, "
          f"{one.cells.shape[1]} cells at most")
    comm, operator = Communicator(), operator_for("soil_moisture")

    def predict() -> np.ndarray:
        columns = operator.columns({"soil_water": water}, Scene(thickness, one.top, one.bottom))
        return combine_footprints(columns, np.arange(x.size), one.cells, one.weights, comm)

    predicted = measure(f"predictions of {option.members} members", predict)
    used = measure("innovations", lambda: assemble([one], [predicted], 3.0))
    print(f"  {used.size} innovations")


if __name__ == "__main__":
    main()
