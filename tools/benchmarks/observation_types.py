"""Time observation operators, thinning and distances along rivers: 512 x 512 cells, 10 000 observations, 32 members.

    OMP_NUM_THREADS=1 python tools/benchmarks/observation_types.py [--size 512] [--observations 10000] [--members 32]

Prints CPU seconds of one call each.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from pyland.assimilate.footprints import footprint_average
from pyland.assimilate.interpolation import linear_on_axes, linear_on_triangles
from pyland.assimilate.observation_batch import ObservationBatch
from pyland.assimilate.observation_type import ObservationType
from pyland.assimilate.river_distances import river_distances
from pyland.assimilate.thinning import CellBest, CellMean, MinimumDistance


def measure(label: str, call: Callable[[], Any]) -> Any:
    """Run once, print the time and return the result."""
    start = time.process_time()
    result = call()
    print(f"{label:50s} CPU {time.process_time() - start:8.3f} s")
    return result


def main() -> None:
    """Build the problem and time its parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--observations", type=int, default=10000)
    parser.add_argument("--members", type=int, default=32)
    parser.add_argument("--reaches", type=int, default=1_000_000)
    option = parser.parse_args()
    n, rng = option.size, np.random.default_rng(1)
    axis = np.arange(n) + 0.5
    cells = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    places = rng.uniform(0.5, n - 0.5, (option.observations, 2))
    E = rng.standard_normal((option.members, n * n))
    H = measure("footprints, Gaussian, 9 cells", lambda: footprint_average(cells, places, 9.0, "gaussian"))
    Y = measure("H E", lambda: H(E))
    measure("adjoint", lambda: H.adjoint(Y))
    measure("bilinear", lambda: linear_on_axes([axis, axis], places))
    nodes = rng.uniform(0, n, (20_000, 2))
    measure("linear on triangles of 20 000 nodes", lambda: linear_on_triangles(nodes, places))
    values = rng.standard_normal(option.observations)
    for thinning in (None, CellMean(4.0), CellBest(4.0), MinimumDistance(4.0)):
        one = ObservationType("any", values, 0.5, places, H, thinning=thinning, innovation_limit=3.0)
        batch = measure(f"join, {thinning}", lambda one=one: ObservationBatch.join([one], E))
        print(f"    {batch.nobs} observations")
    tree = np.append(-1, np.arange(option.reaches - 1) // 2)  # two tributaries at each confluence
    gauges = rng.integers(0, option.reaches, option.observations)
    for direction in ("both", "network"):
        pairs = measure(
            f"{option.observations} gauges on {option.reaches} reaches, {direction}",
            lambda direction=direction: river_distances(tree, 1.0, np.arange(tree.size), gauges, 6.0, direction),
        )
        print(f"    {pairs.size} pairs")


if __name__ == "__main__":
    main()
