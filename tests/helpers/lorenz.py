"""Lorenz's models and twin experiments with them, in the settings of DAPPER (../shared/data/dapper/README.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
class Twin:
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
        Initial state of truth and ensemble, before noise of the variance ``spread``.
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

    def run(self, update: Callable[..., np.ndarray], nmember: int, seed: int, ncycle: int = 5000) -> float:
        """Return the mean over analyses of the RMSE of the ensemble mean; ``update(E, d, R, rng)``."""
        rng = np.random.default_rng(seed)
        nx = self.start.size
        truth = self.start + np.sqrt(self.spread) * rng.standard_normal(nx)
        E = self.start + np.sqrt(self.spread) * rng.standard_normal((nmember, nx))
        R, errors = np.full(nx, self.variance), []
        for _ in range(ncycle + self.burn_in):
            truth, E = self.forecast(truth), self.forecast(E)
            E = update(E, truth + np.sqrt(self.variance) * rng.standard_normal(nx), R, rng)
            errors.append(np.sqrt(np.mean((E.mean(axis=0) - truth) ** 2)))
        return float(np.mean(errors[self.burn_in:]))


SAKOV_2008 = Twin(lorenz96, 0.05, 1, 1.0, np.eye(1, 40)[0], 0.001, 400)
"""Lorenz-96 with 40 variables, all observed at every step (Sakov and Oke 2008)."""

SAKOV_2012 = Twin(lorenz63, 0.01, 25, 2.0, np.array([1.509, -1.531, 25.46]), 2.0, 64)
"""Lorenz-63, all observed every 25 steps (Sakov et al. 2012)."""
