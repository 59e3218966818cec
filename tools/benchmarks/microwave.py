"""Time the microwave operators: a million columns at both polarisations, homogeneous and layered, beside NumPy.

    OMP_NUM_THREADS=1 python tools/benchmarks/microwave.py [--columns 1000000] [--layered 100000] [--repeats 3]

Prints the CPU seconds of the fastest of some calls, and for the homogeneous ground the ratio to the same model written
in NumPy's complex numbers, computed in the same run; both must agree.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np

from pyland.observe.microwave import DIELECTRICS, brightness_temperature, layered_ground

CLM = np.array([0.0175, 0.0276, 0.0455, 0.0750, 0.1236, 0.2038, 0.3360, 0.5539, 0.9133, 1.5058])
"""Layers of a land model [m]."""


def fastest(label: str, repeats: int, call: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    """Call some times, print and return the CPU seconds of the fastest, with the result."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        result = call()
        seconds.append(time.process_time() - start)
    print(f"{label:50s} CPU {min(seconds):8.3f} s")
    return min(seconds), result


def in_numpy(water: np.ndarray, temperature: np.ndarray, clay: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Mironov 2009, Fresnel, roughness and tau-omega as one would write them with complex arrays; shape (2, column)."""
    c, omega, vacuum = 100.0 * clay, 2.0 * np.pi * 1.41e9, 8.854e-12

    def index(static: np.ndarray | float, relaxation: np.ndarray | float, conductivity: np.ndarray) -> np.ndarray:
        return np.sqrt(4.9 + (static - 4.9) / (1.0 - 1j * omega * relaxation) + 1j * conductivity / (omega * vacuum))

    bound_water = index(79.8 - 0.854 * c + 32.7e-4 * c * c, 1.062e-11 + 3.45e-14 * c, 0.3112 + 0.467e-2 * c)
    free_water = index(100.0, 8.5e-12, 0.3631 + 1.217e-2 * c)
    bound = np.minimum(water, 0.02863 + 0.30673e-2 * c)
    eps = (1.634 - 0.539e-2 * c + 0.2748e-4 * c * c + 1j * (0.03952 - 0.04038e-2 * c)
           + (bound_water - 1.0) * bound + (free_water - 1.0) * (water - bound)) ** 2
    cosine = np.cos(np.radians(40.0))
    root = np.sqrt(eps - 1.0 + cosine**2)
    smooth = np.stack([np.abs((cosine - root) / (cosine + root)) ** 2,
                       np.abs((eps * cosine - root) / (eps * cosine + root)) ** 2])
    rough, passed = smooth * np.exp(-0.15 * cosine**2), np.exp(-depth / cosine)
    return temperature * ((1.0 - rough) * passed + 0.95 * (1.0 - passed) * (1.0 + rough * passed))


def main() -> None:
    """Build random columns and time the operators."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--columns", type=int, default=1_000_000)
    parser.add_argument("--layered", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    option = parser.parse_args()
    rng, n = np.random.default_rng(1), option.columns
    water, temperature, clay, depth = (
        rng.uniform(low, high, n) for low, high in ((0.02, 0.45), (275, 310), (0.02, 0.6), (0, 1)))
    canopy = {"optical_depth": depth, "albedo": 0.05, "roughness": 0.15}
    reference, expected = fastest(
        f"{n} columns in NumPy", option.repeats, lambda: in_numpy(water, temperature, clay, depth))
    for model in DIELECTRICS:
        seconds, found = fastest(
            f"{n} columns, {model}", option.repeats,
            lambda model=model: brightness_temperature(water, temperature, clay, dielectric=model, **canopy))
        if model == "mironov2009":
            print(f"    NumPy takes {reference / seconds:.1f} times as long; largest difference "
                  f"{np.abs(found - expected).max():.1e} K")
    profile = rng.uniform(0.05, 0.4, (len(CLM), option.layered))
    warmth = rng.uniform(280, 300, profile.shape)
    fastest(f"{option.layered} columns, layered", option.repeats,
            lambda: layered_ground(profile, warmth, CLM, clay[: option.layered])[0])


if __name__ == "__main__":
    main()
