"""Twin experiments with the models of Lorenz (1963, 1996), in the settings of the tables of DAPPER."""

from __future__ import annotations

import numpy as np


def lorenz63(x):
    a, b, c = np.moveaxis(x, -1, 0)
    return np.stack([10.0 * (b - a), 28.0 * a - b - a * c, a * b - 8.0 / 3.0 * c], axis=-1)


def lorenz96(x):
    return (np.roll(x, -1, -1) - np.roll(x, 2, -1)) * np.roll(x, 1, -1) - x + 8.0


def runge_kutta(tendency, x, dt):
    k1 = tendency(x)
    k2 = tendency(x + 0.5 * dt * k1)
    k3 = tendency(x + 0.5 * dt * k2)
    k4 = tendency(x + dt * k3)
    return x + dt / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)


class Twin:
    """A truth on the attractor, its observations of all variables, and an ensemble around it.

    Parameters
    ----------
    model : {"lorenz63", "lorenz96"}
        Time step 0.01 and 0.05; 3 and 40 variables.
    every : int
        Time steps between observations.
    variance : float
        Error variance of the observations.
    seed : int
        Of truth, ensemble and observations.
    """

    def __init__(self, model, every, variance, seed):
        self.rng = np.random.default_rng(seed)
        self.tendency, self.dt = {"lorenz63": (lorenz63, 0.01), "lorenz96": (lorenz96, 0.05)}[model]
        self.every, self.variance = every, variance
        start = np.array([1.509, -1.531, 25.46]) if model == "lorenz63" else np.eye(1, 40)[0]
        x = start + np.sqrt(0.001) * self.rng.standard_normal(len(start))
        for _ in range(2000):
            x = runge_kutta(self.tendency, x, self.dt)
        self.truths = [x]

    def ensemble(self, nmember):
        return self.truths[0] + self.rng.standard_normal((nmember, len(self.truths[0])))

    def step(self, E, time=None):
        """Bring an ensemble (or a state) from one time of observation to the next."""
        for _ in range(self.every):
            E = runge_kutta(self.tendency, E, self.dt)
        return E

    def observe(self):
        """Advance the truth; return observations and their error variances."""
        self.truths.append(self.step(self.truths[-1]))
        truth = self.truths[-1]
        return truth + np.sqrt(self.variance) * self.rng.standard_normal(len(truth)), np.full(len(truth), self.variance)

    def error(self, E, time):
        """Root mean square error of the ensemble mean at a time of observation."""
        return np.sqrt(np.mean((E.mean(axis=0) - self.truths[time]) ** 2))
