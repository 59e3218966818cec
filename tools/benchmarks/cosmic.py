"""Time COSMIC over many columns, and compare it with sums over layers of 1 mm in NumPy in the same run.

    OMP_NUM_THREADS=1 python tools/benchmarks/cosmic.py [--columns 100000] [--layers 15] [--sample 50]

Prints seconds of one call over all columns (best of three), columns per second, seconds of the sums for a sample of the
columns, the ratio of both per column, and the largest relative difference of their counts.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from pyland.core.neutrons import ANGLES
from pyland.observe.neutrons import cosmic

MILLIMETRE, COUNTED = 0.1, 300.0  # [cm]
SITE = {"n": 348.33, "alpha": 0.2392421548, "soil_length": 1078.2204562}


def sums(water: np.ndarray, bounds: np.ndarray, density: float) -> float:
    """Return the counts of one column by sums over layers of 1 mm, as the original code makes them."""
    middle = MILLIMETRE * (np.arange(round(COUNTED / MILLIMETRE)) + 0.5)
    w = water[np.searchsorted(100.0 * bounds[:-1], middle)]
    soil = density * middle
    mass = np.cumsum(w * MILLIMETRE) - 0.5 * w * MILLIMETRE
    secant, weight = ANGLES["exact"]()
    up = np.exp(-np.outer(soil / (0.1 * SITE["soil_length"]) + mass / 3.1627190566, secant)) @ weight
    down = np.exp(-soil / 161.98621864 - mass / 129.14558985)
    return float(SITE["n"] * np.sum(down * (SITE["alpha"] * density + w) * up) * MILLIMETRE)


def main() -> None:
    """Build columns and time both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--columns", type=int, default=100_000)
    parser.add_argument("--layers", type=int, default=15)
    parser.add_argument("--sample", type=int, default=50)
    option = parser.parse_args()
    rng = np.random.default_rng(1)
    growing = np.expm1(np.linspace(0.0, 5.0, option.layers + 1)) / np.expm1(5.0)
    bounds = np.maximum(np.round(3.0 * growing[1:], 3), 0.005 * np.arange(1, option.layers + 1))  # whole millimetres
    thickness = np.diff(np.concatenate([[0.0], bounds]))
    water = rng.uniform(0.05, 0.45, (option.layers, option.columns))
    best = np.inf
    for _ in range(3):
        start = time.perf_counter()
        neutrons = cosmic(water, thickness, 1402.0, **SITE)
        best = min(best, time.perf_counter() - start)
    start = time.perf_counter()
    found = np.array([sums(water[:, column], bounds, 1.402) for column in range(option.sample)])
    slow = time.perf_counter() - start
    print(f"COSMIC, {option.columns} columns of {option.layers} layers   {best:8.3f} s   "
          f"{option.columns / best:10.0f} columns per second")
    print(f"sums of 1 mm, {option.sample} columns              {slow:8.3f} s   "
          f"{option.sample / slow:10.0f} columns per second")
    print(f"ratio per column {slow / option.sample / (best / option.columns):.0f}; largest relative difference "
          f"{np.abs(found / neutrons.counts[:option.sample] - 1.0).max():.1e}")


if __name__ == "__main__":
    main()
