"""Time what the page of ``pyland view`` waits for, on a generated year of 424 x 412 cells (EUR-11) and three variables.

    python tools/benchmarks/web_view.py FOLDER [--days 365]

The history is written by pyland's own writer into FOLDER/run unless it is there. "Cold" series follow after the pages
of the file were given back to the system (posix_fadvise), so that they are read from the disk.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np

SHAPE = (424, 412)
VARIABLES = ("evapotranspiration", "soil_water_total", "ground_temperature")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--days", type=int, default=365)
    options = arguments.parse_args()
    run = options.folder / "run"
    if not (run / "history.nc").exists():
        begin = time.perf_counter()
        write_history(run, options.days)
        report("write the history", time.perf_counter() - begin, f"{size_of(run):.0f} MB")
    forget(run / "history.nc")
    begin = time.perf_counter()
    server = subprocess.Popen([sys.executable, "-m", "pyland", "view", str(run), "--no-browser", "--port", "0"],
                              stdout=subprocess.PIPE, text=True)
    try:
        address = server.stdout.readline().split()[0]
        report("server listens", time.perf_counter() - begin)
        measure(address, run, begin)
    finally:
        server.terminate()
        server.wait()


def measure(address: str, run: Path, begin: float) -> None:
    """Ask the server as the page does."""
    name = json.loads(get(f"{address}data/catalogue.json"))["runs"][0]["id"]
    index = json.loads(get(f"{address}data/{name}/index.json"))
    count = len(index["times"])
    base = f"{address}data/{name}"
    first = get(f"{base}/map/{VARIABLES[0]}/mean/0/{count // 2}.bin")
    assert len(first) == 4 * SHAPE[0] * SHAPE[1]
    report("first map (from the start of the server)", time.perf_counter() - begin)
    chosen = np.random.default_rng(1).permutation(count)[:40]
    slices = [timed(f"{base}/map/{VARIABLES[0]}/mean/0/{one}.bin") for one in chosen]
    report("next maps, median", float(np.median(slices)), f"largest {1e3 * max(slices):.0f} ms")
    report("range of colours", timed(f"{base}/range/{VARIABLES[0]}/mean/0.json"))
    cold = []
    for number in range(5):
        forget(run / "history.nc")
        cold.append(timed(f"{base}/series/{VARIABLES[number % 3]}/0/{60 + 70 * number}_{40 + 60 * number}.json"))
    report("series of a cell, cold, median", float(np.median(cold)), f"largest {1e3 * max(cold):.0f} ms")
    report("series of its neighbour", timed(f"{base}/series/{VARIABLES[0]}/0/61_41.json"))
    report("first anomaly", timed(f"{base}/map/{VARIABLES[1]}/anomaly/0/3.bin"))
    report("next anomaly", timed(f"{base}/map/{VARIABLES[1]}/anomaly/0/4.bin"))
    report("first percentile after it", timed(f"{base}/map/{VARIABLES[1]}/percentile/0/3.bin"))
    for kind in ("nc", "csv", "tif"):
        report(f"download as {kind}", timed(f"{base}/download/{VARIABLES[1]}/mean/0/3.{kind}"))


def write_history(run: Path, days: int) -> None:
    """Write a history of smooth fields that travel and breathe, with noise in the last digits as real output has."""
    from pyland.output.grid import OutputGrid
    from pyland.output.history import HistoryWriter

    ny, nx = SHAPE
    latitude, longitude = np.meshgrid(np.linspace(30.0, 72.0, ny), np.linspace(-20.0, 60.0, nx), indexing="ij")
    grid = OutputGrid(latitude.ravel(), longitude.ravel(), shape=SHAPE)
    run.mkdir(parents=True, exist_ok=True)
    writer = HistoryWriter(run, grid, VARIABLES, {"title": "benchmark of the web view", "source": "generated"})
    writer.start()
    random, start = np.random.default_rng(0), np.datetime64("2019-01-01", "s")
    scale, middle = (1.0e-5, 100.0, 15.0), (3.0e-5, 500.0, 285.0)
    for day in range(days):
        wave = np.sin(np.radians(6.0 * longitude + 4.0 * day)) * np.cos(np.radians(5.0 * latitude - day))
        season = -np.cos(2.0 * np.pi * day / 365.0) * np.cos(np.radians(latitude))
        fields = {
            name: (centre + size * (wave + season + 0.05 * random.standard_normal(SHAPE))).reshape(1, -1)
            for name, size, centre in zip(VARIABLES, scale, middle, strict=True)
        }
        writer.add(start + np.timedelta64(day, "D"), start + np.timedelta64(day + 1, "D"), fields)
    writer.flush("20200101T0000")
    writer.finish()


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=120) as answer:
        return answer.read()


def timed(url: str) -> float:
    begin = time.perf_counter()
    get(url)
    return time.perf_counter() - begin


def forget(path: Path) -> None:
    """Give the pages of a file back to the system."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fdatasync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def size_of(folder: Path) -> float:
    return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file()) / 1.0e6


def report(what: str, seconds: float, more: str = "") -> None:
    print(f"{what:45s} {1e3 * seconds:9.0f} ms  {more}", flush=True)


if __name__ == "__main__":
    main()
