"""Speed of river routing: microseconds per cell, member and sub-step.

python tools/benchmarks/rivers.py [--cells 10000]
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from pyland.core.runtime import build, set_threads
from pyland.subsurface import RiverGrid, RiverNetwork, Rivers

STEP = 900.0  # [s]


def time_routing(network: RiverNetwork, scheme: str, nmember: int, repeats: int = 5) -> float:
    """CPU time of the fastest of some steps, per cell and member [us]."""
    rng = np.random.default_rng(1)
    rivers = Rivers(network, scheme, nmember=nmember, substep=STEP)
    runoff = np.asfortranarray(rng.uniform(0.0, 1e-3, (nmember, network.ncell)))
    seconds = []
    for _ in range(repeats + 3):  # the first fill the rivers
        start = time.thread_time()
        rivers.advance(STEP, runoff)
        seconds.append(time.thread_time() - start)
    return 1e6 * min(seconds[3:]) / network.ncell / nmember


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=10000)
    size = round(parser.parse_args().cells ** 0.5)
    set_threads(1)
    relief = np.random.default_rng(0).normal(size=(size, size)).cumsum(0).cumsum(1)
    start = time.thread_time()
    network = RiverNetwork.from_elevation(RiverGrid.regular(relief, 1000.0, 1000.0))
    print(build()["flags"])
    print(f"network of {network.ncell} cells: {1e6 * (time.thread_time() - start) / network.ncell:.2f} us per cell")
    for scheme in ("linear", "kinematic"):
        for nmember in (1, 8, 32, 64):
            print(f"{scheme:10s} {nmember:3d} members: {time_routing(network, scheme, nmember):.3f} us")


if __name__ == "__main__":
    main()
