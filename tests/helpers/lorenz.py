"""Lorenz's models and twin experiments with them, in the settings of DAPPER (../shared/data/dapper/README.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np


def lorenz96(x: np.ndarray, forcing: float = 8.0) -> np.ndarray:
    """Tendency of the model of Lorenz (1996) on a ring, last axis."""
    return (np.roll(x, -1, -1) - np.roll(x, 2, -1)) * np.roll(x, 1, -1) - x + forcing


def lorenz63(x: np.ndarray) -> np.ndarray:
    """Tendency of the model of Lorenz (1963), last axis."""
    a, b, c = x[..., 0], x[..., 1], x[..., 2]
    return np.stack([10.0 * (b - a), a * (28.0 - c) - b, a * b - 8.0 / 3.0 * c], axis=-1)


def runge_kutta(tendency: Callable[[np.ndarray], np.ndarray], x: np.ndarray, dt: float, steps: int) -> np.ndarray:
    """Fourth-order Runge-Kutta steps."""
    for _ in range(steps):
        k1 = tendency(x)
        k2 = tendency(x + 0.5 * dt * k1)
        k3 = tendency(x + 0.5 * dt * k2)
        k4 = tendency(x + dt * k3)
        x = x + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return x


@dataclass(frozen=True)
class Setting:
    """A model that is observed directly, everywhere.

    Attributes
    ----------
    tendency : callable
        Of states (..., nx).
    dt, steps : float, int
        Step, and steps between observations.
    variance : float
        Of the observation errors.
    start : numpy.ndarray, shape (nx,)
        Initial state, before noise of the variance ``spread``.
    spread : float
    burn_in : int
        Analyses that do not count.
    """

    tendency: Callable[[np.ndarray], np.ndarray]
    dt: float
    steps: int
    variance: float
    start: np.ndarray
    spread: float
    burn_in: int

    def forecast(self, x: np.ndarray) -> np.ndarray:
        """Advance states to the next observation."""
        return runge_kutta(self.tendency, x, self.dt, self.steps)

    def near_start(self, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        """Draw states around the initial one, shape (*shape, nx)."""
        return self.start + np.sqrt(self.spread) * rng.standard_normal((*shape, self.start.size))

    def run(self, update: Callable[..., np.ndarray], nmember: int, seed: int, ncycle: int = 5000) -> float:
        """Return the mean over analyses of the RMSE of the ensemble mean; ``update(E, d, R, rng)``."""
        twin, errors = Twin(self, seed, spin_up=0), []
        E = self.near_start((nmember,), twin.rng)
        for time in range(1, ncycle + self.burn_in + 1):
            E = update(self.forecast(E), *twin.observe(), twin.rng)
            errors.append(twin.error(E, time))
        return float(np.mean(errors[self.burn_in:]))


class Twin:
    """A truth and its observations.

    Parameters
    ----------
    setting : Setting
    seed : int
        Of truth, ensemble and observations.
    spin_up : int
        Steps from the start to the first truth, which then lies on the attractor.
    """

    def __init__(self, setting: Setting, seed: int, spin_up: int = 2000) -> None:
        self.setting, self.rng = setting, np.random.default_rng(seed)
        x = setting.near_start((), self.rng)
        self.truths = [runge_kutta(setting.tendency, x, setting.dt, spin_up)]

    def ensemble(self, nmember: int) -> np.ndarray:
        """Draw members around the first truth, with variance 1."""
        return self.truths[0] + self.rng.standard_normal((nmember, self.truths[0].size))

    def step(self, E: np.ndarray, time: int | None = None) -> np.ndarray:
        """Bring an ensemble from one time of observation to the next; the model is the same at all times."""
        return self.setting.forecast(E)

    def observe(self) -> tuple[np.ndarray, np.ndarray]:
        """Advance the truth; return observations and their error variances."""
        truth = self.setting.forecast(self.truths[-1])
        self.truths.append(truth)
        return (truth + np.sqrt(self.setting.variance) * self.rng.standard_normal(truth.size),
                np.full(truth.size, self.setting.variance))

    def error(self, E: np.ndarray, time: int) -> float:
        """Root mean square error of the ensemble mean at a time of observation."""
        return np.sqrt(np.mean((E.mean(axis=0) - self.truths[time]) ** 2))


SAKOV_2008 = Setting(lorenz96, 0.05, 1, 1.0, np.eye(1, 40)[0], 0.001, 400)
"""Lorenz-96 with 40 variables, all observed at every step (Sakov and Oke 2008)."""

SAKOV_2012 = Setting(lorenz63, 0.01, 25, 2.0, np.array([1.509, -1.531, 25.46]), 2.0, 64)
"""Lorenz-63, all observed every 25 steps (Sakov et al. 2012)."""

SAKOV_2012_RARE = replace(SAKOV_2008, steps=12, burn_in=33)
"""Lorenz-96, all observed every 12 steps (Sakov et al. 2012)."""
