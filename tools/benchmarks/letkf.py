"""Time the filters on a large field: 512 x 512 cells, 10 000 point observations, Gaspari-Cohn support radius R cells.

    python tools/benchmarks/letkf.py [--members 32] [--radius 10] [--size 512] [--observations 10000] [--threads 1]

Prints wall and CPU seconds of `analyse_local` (transposition and copies included) and of the global filters.
PDAF v3.0 on the same sizes, one core, CPU seconds, initialisation of observations included: LETKF N=32 R=10 35.6,
R=20 42.7; N=64 R=10 71.9, R=20 83.1; ETKF N=32 0.04, N=64 0.10 (wall); EnKF N=64 15.8.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from pyland.assimilate import analyse, analyse_local


def measure(label: str, call, ncell: int) -> None:
    """Run once and print the times."""
    wall, cpu = time.perf_counter(), time.process_time()
    analysis = call()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    spread = analysis.std(axis=0, ddof=1).mean()
    each = 1e6 * cpu / ncell
    print(f"{label:20s} wall {wall:8.3f} s  CPU {cpu:8.3f} s  {each:8.2f} us per cell  mean spread {spread:.6f}")


def main() -> None:
    """Build the problem and time the filters."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=32)
    parser.add_argument("--radius", type=float, nargs="+", default=[10.0, 20.0])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--observations", type=int, default=10000)
    parser.add_argument("--threads", type=int, default=1)
    option = parser.parse_args()
    n = option.size
    rng = np.random.default_rng(1)
    y, x = np.divmod(np.arange(n * n), n)
    places = np.column_stack([x, y]).astype(float)
    phase = rng.uniform(0.0, 2.0 * np.pi, (option.members, 12))
    waves = rng.integers(1, 9, (12, 2))
    field = sum(np.sin(2 * np.pi * (waves[k] @ places.T) / n + phase[:, k : k + 1]) for k in range(12)) / np.sqrt(6)
    E = np.asfortranarray(np.tile(field, (1, option.layers)))
    domain = np.tile(np.arange(n * n), option.layers)
    cells = np.sort(rng.choice(n * n, option.observations, replace=False))
    Y = field[:, cells].copy()
    R = np.full(cells.size, 0.25)
    d = rng.standard_normal(cells.size)
    for radius in option.radius:
        measure(f"LETKF N={option.members} R={radius:g}", lambda radius=radius: analyse_local(
            E, Y, d, R, places, places[cells], radius, domain_of_state=domain, threads=option.threads), n * n)
    for method in ("etkf", "enkf"):
        measure(f"{method.upper()} N={option.members}", lambda method=method: analyse(
            E, Y, d, R, method=method, rng=1, threads=option.threads), n * n)


if __name__ == "__main__":
    main()
