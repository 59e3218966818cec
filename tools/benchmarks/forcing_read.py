"""How long the model waits for weather of ERA5: the same days read when they are needed, and read ahead.

    python tools/benchmarks/forcing_read.py [--points 120] [--cells 60] [--days 12] [--members 1] [--threads 1]

Makes compressed files of ERA5's layout over points x points, and land columns on cells x cells in their middle;
advances the columns in steps of 30 minutes, once with reading ahead and once without, and prints where the time went.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

import netCDF4
import numpy as np

from pyland.base.parallel import world
from pyland.config import load_case
from pyland.core.runtime import build, set_threads
from pyland.driver.setup import build_model, prepare
from pyland.driver.time_loop import steps
from pyland.forcing import reading_ahead

START = np.datetime64("2020-06-01T00:00:00")
FIELDS = {"t2m": ("K", 290.0, 5.0), "d2m": ("K", 280.0, 5.0), "sp": ("Pa", 95000.0, 500.0),
          "u10": ("m s**-1", 3.0, 2.0), "v10": ("m s**-1", -1.0, 2.0), "ssrd": ("J m**-2", 8e5, 5e5),
          "strd": ("J m**-2", 1.1e6, 5e4), "tp": ("m", 1e-4, 1e-4)}  # fmt: skip
"""Unit, middle and half range by name."""


def write_days(folder: Path, points: int, days: int) -> None:
    """Write hourly fields of noise in 16 bits, compressed, a file a day and the stamp that ends the last day."""
    random = np.random.default_rng(1)
    for day in range(days + 1):
        with netCDF4.Dataset(folder / f"era5_{day:03d}.nc", "w") as file:
            for name, size in (("time", 24 if day < days else 1), ("latitude", points), ("longitude", points)):
                file.createDimension(name, size)
            stamps = file.createVariable("time", "i4", ("time",))
            stamps.units = f"hours since {START}"
            stamps[:] = 24 * day + np.arange(file.dimensions["time"].size)
            file.createVariable("latitude", "f8", ("latitude",))[:] = 50.0 + 0.05 * points - 0.1 * np.arange(points)
            file.createVariable("longitude", "f8", ("longitude",))[:] = 10.0 - 0.05 * points + 0.1 * np.arange(points)
            for name, (unit, middle, half) in FIELDS.items():
                field = file.createVariable(name, "i2", ("time", "latitude", "longitude"), zlib=True, complevel=1)
                field.units, field.scale_factor, field.add_offset = unit, half / 32000.0, middle
                field[:] = middle + half * random.uniform(-1.0, 1.0, field.shape)


def advance(folder: Path, options: argparse.Namespace, is_ahead: bool) -> None:
    """Advance the columns over all days and print where the time went."""
    end = START + np.timedelta64(options.days, "D")
    config = load_case({
        "time": {"start": str(START), "end": str(end), "step": "30 min"},
        "domain": {"type": "grid", "latitude": 50.0, "longitude": 10.0, "nx": options.cells, "ny": options.cells,
                   "dx": "4 km", "dy": "4 km"},
        "land": {"initial": {"soil_temperature": 288.0}},
        "forcing": {"format": "era5", "path": str(folder)}, "ensemble": {"size": options.members}})  # fmt: skip
    setup = prepare(config, world())
    model = build_model(setup, np.arange(options.members), config.ensemble.seed)
    co2 = np.full(setup.domain.ncell, config.land.co2)
    kernel, began = 0.0, time.perf_counter()
    with reading_ahead(setup.forcing) if is_ahead else nullcontext():
        for step in steps(START, end, 1800.0):
            weather = {"co2": co2, **setup.forcing.weather(step.start, step.seconds)}
            before = time.perf_counter()
            model.advance(weather, *setup.surface.leaf_area(step.middle), step.seconds)
            kernel += time.perf_counter() - before
    wall, times = time.perf_counter() - began, setup.forcing.times
    print(f"{'read ahead' if is_ahead else 'read when needed':18s} wall {wall:7.2f} s  columns {kernel:7.2f} s  "
          f"reading {times.reading:6.2f} s  waiting {times.waiting:6.2f} s = {100.0 * times.waiting / wall:5.1f} %  "
          f"blocks {times.blocks}, ready {times.blocks_ready}")


def main() -> None:
    """Write the files and advance twice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("points", 120), ("cells", 60), ("days", 12), ("members", 1), ("threads", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    set_threads(options.threads)
    print(f"{options.cells ** 2} cells x {options.members} members, {options.points} x {options.points} points, "
          f"{options.days} days; {options.threads} threads, {build()['compiler']}")
    with tempfile.TemporaryDirectory() as folder:
        write_days(Path(folder), options.points, options.days)
        for is_ahead in (False, True):
            advance(Path(folder), options, is_ahead)


if __name__ == "__main__":
    main()
