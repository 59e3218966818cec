"""Time of a cycle of filters on Lorenz-96 (40 variables, all observed), model and analysis apart.

    python tools/benchmarks/lorenz96.py [--cycles 2000]

The reference of the ratio is an ETKF in NumPy with LAPACK eigenvalues, in the same run. DAPPER takes 2.6 to 6.9 ms per
cycle of such filters, PDAF v3.0 0.2 ms (ESTKF, N=30, model included), on the same kind of machine.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from pyland.assimilate import analyse, analyse_local

NX = 40
RING = np.arange(float(NX))


def step(x: np.ndarray, dt: float = 0.05) -> np.ndarray:
    """One step of fourth-order Runge-Kutta."""

    def tendency(y: np.ndarray) -> np.ndarray:
        ring = np.concatenate([y[..., -2:], y, y[..., :1]], axis=-1)
        return (ring[..., 3:] - ring[..., :-3]) * ring[..., 1:-2] - y + 8.0

    k1 = tendency(x)
    k2 = tendency(x + 0.5 * dt * k1)
    k3 = tendency(x + 0.5 * dt * k2)
    return x + dt / 6.0 * (k1 + 2.0 * (k2 + k3) + tendency(x + dt * k3))


def numpy_etkf(E: np.ndarray, d: np.ndarray, R: np.ndarray) -> np.ndarray:
    """Return an ETKF analysis of a state that is observed everywhere."""
    mean = E.mean(axis=0)
    X, S = E - mean, (E - mean) / np.sqrt(R)
    values, U = np.linalg.eigh(S @ S.T + (len(E) - 1) * np.eye(len(E)))
    weights = (U / values) @ (U.T @ (S @ ((d - mean) / np.sqrt(R))))
    return mean + weights @ X + (U * np.sqrt((len(E) - 1) / values)) @ U.T @ X


def main() -> None:
    """Cycle each filter."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=2000)
    cycles = parser.parse_args().cycles
    filters = [("NumPy ETKF", 28, None), *((name, n, name) for name, n in (
        ("etkf", 24), ("etkf", 28), ("etkf", 40), ("denkf", 40), ("enkf", 40), ("ensrf", 28), ("letkf", 28),
        ("letkf", 10), ("lensrf", 10), ("netf", 40)))]
    reference = np.nan
    print(f"{'filter':12s} {'N':>3s} {'model ms':>9s} {'analysis ms':>12s} {'NumPy/this':>11s} {'RMSE':>6s}")
    for label, members, method in filters:
        rng = np.random.default_rng(1)
        truth = np.eye(1, NX)[0] + 0.03 * rng.standard_normal(NX)
        E = np.eye(1, NX) + 0.03 * rng.standard_normal((members, NX))
        R, spent, errors = np.ones(NX), np.zeros(2), []
        for cycle in range(cycles):
            began = time.process_time()
            truth, E = step(truth), step(E)
            middle = time.process_time()
            d = truth + rng.standard_normal(NX)
            if method is None:
                E = numpy_etkf(E, d, R)
            elif method.startswith("l"):
                E = analyse_local(E, E, d, R, RING, RING, 15.0, method, period=40.0, inflation=1.05, rng=rng, threads=1)
            else:
                E = analyse(E, E, d, R, method, inflation=1.05, rng=rng, threads=1)
            spent += middle - began, time.process_time() - middle
            if cycle >= cycles // 5:
                errors.append(np.sqrt(np.mean((E.mean(axis=0) - truth) ** 2)))
        model, analysis = 1e3 * spent / cycles
        reference = analysis if method is None else reference
        print(f"{label:12s} {members:3d} {model:9.3f} {analysis:12.3f} {reference / analysis:10.1f}x "
              f"{np.mean(errors):6.3f}", flush=True)


if __name__ == "__main__":
    main()
