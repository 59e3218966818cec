"""Cycled filters on Lorenz-96 in the setting of Sakov and Oke (2008); expected scores as reproduced with DAPPER.

ETKF N=28, inflation 1.02, rotated: 0.18. LETKF N=10, Gaspari-Cohn, inflation 1.04: 0.20.
"""

from __future__ import annotations

import numpy as np
import pytest

from pyland.assimilate import analyse, analyse_local

NX, FORCING, DT = 40, 8.0, 0.05


def tendency(x):
    return (np.roll(x, -1, -1) - np.roll(x, 2, -1)) * np.roll(x, 1, -1) - x + FORCING


def step(x):
    """Fourth-order Runge-Kutta."""
    k1 = tendency(x)
    k2 = tendency(x + 0.5 * DT * k1)
    k3 = tendency(x + 0.5 * DT * k2)
    k4 = tendency(x + DT * k3)
    return x + DT / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)


def rotate(E, rng):
    """Random rotation of the anomalies that keeps the mean."""
    n = len(E)
    basis = np.linalg.qr(np.column_stack([np.ones(n), rng.standard_normal((n, n - 1))]))[0][:, 1:]
    turn = np.linalg.qr(rng.standard_normal((n - 1, n - 1)))[0]
    mean = E.mean(axis=0)
    return mean + basis @ turn @ basis.T @ (E - mean)


def cycle(update, nmember, seed, ncycle):
    rng = np.random.default_rng(seed)
    truth = np.eye(1, NX)[0] + np.sqrt(0.001) * rng.standard_normal(NX)
    for _ in range(500):
        truth = step(truth)
    E = truth + rng.standard_normal((nmember, NX))
    errors = []
    for _ in range(ncycle):
        truth, E = step(truth), step(E)
        E = update(E, truth + rng.standard_normal(NX))
        errors.append(np.sqrt(np.mean((E.mean(axis=0) - truth) ** 2)))
        E = rotate(E, rng)
    return np.mean(errors[400:])


@pytest.mark.slow
def test_etkf():
    def update(E, y):
        return analyse(E, E, y, np.ones(NX), method="etkf", inflation=1.02)

    assert np.median([cycle(update, 28, seed, 5000) for seed in (1, 2, 3)]) == pytest.approx(0.18, abs=0.02)


@pytest.mark.slow
def test_letkf():
    """A ring is a circle in the plane: chords stand for distances along it.

    DAPPER's loc_rad 6 is a support of 2*1.82*6 cells.
    """
    angle = 2.0 * np.pi * np.arange(NX) / NX
    circle = NX / (2.0 * np.pi) * np.column_stack([np.cos(angle), np.sin(angle)])
    along = 21.84  # cells
    radius = 2.0 * NX / (2.0 * np.pi) * np.sin(min(along / NX, 0.5) * np.pi)

    def update(E, y):
        return analyse_local(E, E, y, np.ones(NX), circle, circle, radius, inflation=1.04)

    assert np.median([cycle(update, 10, seed, 5000) for seed in (1, 2, 3)]) == pytest.approx(0.20, abs=0.02)


@pytest.mark.slow
def test_enkf():
    def make(seed):
        rng = np.random.default_rng(100 + seed)
        return lambda E, y: analyse(E, E, y, np.ones(NX), method="enkf", inflation=1.06, rng=rng)

    assert np.median([cycle(make(seed), 40, seed, 5000) for seed in (1, 2, 3)]) == pytest.approx(0.22, abs=0.02)
