"""Time every filter on a large field: 512 x 512 cells, 10 000 point observations, Gaspari-Cohn support radius R cells.

    python tools/benchmarks/filters.py [--methods letkf enkf ...] [--members 32 64] [--radius 10 20] [--size 512]
                                       [--layers 1] [--observations 10000] [--threads 1]

Prints CPU and wall seconds of one analysis (copies and search included), the ratio to a reference that is computed in
the same run, an LETKF in NumPy with a tree search and LAPACK's eigenvalues on a sample of the cells, and the ratio to
PDAF v3.0 on the same sizes where its figure is known (CPU seconds of one core of the same kind of machine,
initialisation of observations included).
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from pyland.assimilate import FILTERS, analyse, analyse_local, localisation_weights

PDAF = {
    ("letkf", 32, 10): 35.6, ("letkf", 32, 20): 42.7, ("letkf", 64, 10): 71.9, ("letkf", 64, 20): 83.1,
    ("lestkf", 64, 10): 78.0, ("lestkf", 64, 20): 78.0, ("lensrf", 32, 20): 203.0,
    ("etkf", 32, None): 0.037, ("etkf", 64, None): 0.103, ("estkf", 32, None): 0.038, ("estkf", 64, None): 0.101,
    ("enkf", 64, None): 15.8,
}
"""CPU seconds of PDAF v3.0 by filter, members and radius; ETKF and ESTKF are wall seconds."""

SAMPLE = 400
"""Cells of the reference."""


@dataclass
class Problem:
    """A smooth random field, seen at random cells."""

    size: int
    members: int
    layers: int
    observations: int

    def __post_init__(self) -> None:
        n, rng = self.size, np.random.default_rng(1)
        y, x = np.divmod(np.arange(n * n), n)
        self.places = np.column_stack([x, y]).astype(float)
        phase = rng.uniform(0.0, 2.0 * np.pi, (self.members, 12))
        waves = rng.integers(1, 9, (12, 2))
        field = np.zeros((self.members, n * n), order="F")
        for k in range(12):
            field += np.sin(2 * np.pi * (waves[k] @ self.places.T) / n + phase[:, k : k + 1])
        field /= np.sqrt(6.0)
        self.cells = np.sort(rng.choice(n * n, self.observations, replace=False))
        self.Y, self.d = field[:, self.cells].copy(), rng.standard_normal(self.observations)
        self.R = np.full(self.observations, 0.25)
        self.E = field if self.layers == 1 else np.asfortranarray(np.tile(field, (1, self.layers)))
        self.domain = np.tile(np.arange(n * n), self.layers)

    def analyse(self, method: str, radius: float | None, threads: int) -> np.ndarray:
        """Run one filter."""
        if not FILTERS[method].is_local:
            return analyse(self.E, self.Y, self.d, self.R, method, rng=1, threads=threads)
        return analyse_local(
            self.E, self.Y, self.d, self.R, self.places, self.places[self.cells], radius, method,
            domain_of_state=self.domain, rng=1, threads=threads)

    def reference(self, radius: float) -> float:
        """CPU seconds that an LETKF in NumPy would take for all cells, from a sample of them."""
        S = (self.Y - self.Y.mean(axis=0)) / np.sqrt(self.R)
        innovation = (self.d - self.Y.mean(axis=0)) / np.sqrt(self.R)
        chosen = np.random.default_rng(2).choice(self.size**2, SAMPLE, replace=False)
        where, began = self.places[self.cells], time.process_time()
        tree = cKDTree(where)
        for cell in chosen:
            near = np.array(tree.query_ball_point(self.places[cell], radius), dtype=int)
            root = np.sqrt(localisation_weights(np.linalg.norm(where[near] - self.places[cell], axis=1), radius))
            s, x = root * S[:, near], self.E[:, cell] - self.E[:, cell].mean()
            values, U = np.linalg.eigh(s @ s.T + (self.members - 1) * np.eye(self.members))
            mean = x @ U @ ((U.T @ (s @ (root * innovation[near]))) / values)
            _ = mean + np.sqrt(self.members - 1) * ((x @ U) / np.sqrt(values)) @ U.T
        return (time.process_time() - began) * self.size**2 / SAMPLE


def measure(
    label: str, call: Callable[[], np.ndarray], reference: float | None, peer: float | None, ncell: int
) -> None:
    """Run once and print a line."""
    wall, cpu = time.perf_counter(), time.process_time()
    analysis = call()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    spread = analysis[:, : 10**6].std(axis=0, ddof=1).mean()
    ratios = [f"{one / cpu:8.1f}x" if one is not None else " " * 9 for one in (reference, peer)]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    times = f"{cpu:8.3f} {wall:8.3f} {1e6 * cpu / ncell:8.2f}"
    print(f"{label:24s} {times} {' '.join(ratios)} {spread:10.6f} {memory:7.0f}", flush=True)


def main() -> None:
    """Build the problem and time the filters."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", default=["letkf", "etkf", "enkf"])
    parser.add_argument("--members", type=int, nargs="+", default=[32, 64])
    parser.add_argument("--radius", type=float, nargs="+", default=[10.0, 20.0])
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--observations", type=int, default=10000)
    parser.add_argument("--threads", type=int, default=1)
    option = parser.parse_args()
    standard = option.size == 512 and option.observations == 10000 and option.layers == 1
    heads = ("CPU s", "wall s", "us/cell"), ("NumPy", "PDAF"), ("spread", "MiB")
    print(f"{'filter':24s} " + " ".join(f"{name:>{width}s}" for width, names in zip((8, 9, 8), heads, strict=True)
                                       for name in names))
    for members in option.members:
        problem = Problem(option.size, members, option.layers, option.observations)
        for radius in option.radius:
            reference = problem.reference(radius)
            print(f"{'NumPy LETKF (sampled)':24s} {reference:8.1f}")
            for method in (one for one in option.methods if FILTERS[one].is_local):
                peer = PDAF.get((method, members, round(radius))) if standard else None
                measure(f"{method} N={members} R={radius:g}",
                        lambda m=method, r=radius, p=problem: p.analyse(m, r, option.threads), reference, peer,
                        option.size**2)
        for method in (one for one in option.methods if not FILTERS[one].is_local):
            peer = PDAF.get((method, members, None)) if standard else None
            measure(f"{method} N={members}", lambda m=method, p=problem: p.analyse(m, None, option.threads), None, peer,
                    option.size**2)


if __name__ == "__main__":
    main()
