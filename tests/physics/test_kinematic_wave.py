"""Kinematic wave against analytic solutions of a plane: rising limb, equilibrium, recession, and convergence.

Rain excess i on a plane of length L: q = alpha h^m with m = 5/3. Up to the time of concentration
t_c = (L i^(1-m) / alpha)^(1/m) the discharge at its foot is alpha (i t)^m, then i L (Henderson and Wooding 1964,
J. Geophys. Res. 69, 1531-1540; Chow, Maidment and Mays 1988, section 9.4). After rain of longer than t_c the recession
is given implicitly by L = q/i + m alpha^(1/m) q^((m-1)/m) (t - t_r).
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from pyland.subsurface import RiverNetwork, Rivers

LENGTH, SLOPE, MANNING, RAIN = 400.0, 0.01, 0.02, 2e-5  # [m, 1, s m-1/3, m s-1]
WIDTH = 1e5  # [m]; a plane: the sides do not matter
ALPHA, POWER = np.sqrt(SLOPE) / MANNING, 5.0 / 3.0
CONCENTRATION = (LENGTH * RAIN ** (1.0 - POWER) / ALPHA) ** (1.0 / POWER)


def hydrograph(count, steps, duration, rain_until):
    """Return times and discharge per width at the foot of the plane of ``count`` cells [s, m2 s-1]."""
    cell = LENGTH / count
    network = RiverNetwork(np.append(np.arange(1, count), -1), area=WIDTH * cell, length=cell, slope=SLOPE)
    rivers = Rivers(network, "kinematic", width=WIDTH, manning=MANNING, substep=1e9)
    dt = duration / steps
    flow = []
    for step in range(steps):
        rivers.advance(dt, 1000.0 * RAIN if (step + 0.5) * dt < rain_until else 0.0)
        flow.append(rivers.discharge[0, -1] / WIDTH)
    return dt * np.arange(1, steps + 1), np.array(flow)


def exact(time, rain_until):
    """Return the discharge per width at the foot of the plane [m2 s-1]."""
    if time <= rain_until:
        return ALPHA * (RAIN * min(time, CONCENTRATION)) ** POWER

    def excess(flow):
        passed = POWER * ALPHA ** (1.0 / POWER) * flow ** ((POWER - 1.0) / POWER) * (time - rain_until)
        return flow / RAIN + passed - LENGTH

    return brentq(excess, 0.0, RAIN * LENGTH)


def error(count, steps):
    """Return the mean error of rising limb, equilibrium and recession, relative to equilibrium."""
    times, flow = hydrograph(count, steps, 4.0 * CONCENTRATION, 2.0 * CONCENTRATION)
    truth = np.array([exact(time, 2.0 * CONCENTRATION) for time in times])
    return np.abs(flow - truth).mean() / (RAIN * LENGTH)


def test_rising_limb_and_equilibrium():
    times, flow = hydrograph(200, 800, 2.0 * CONCENTRATION, np.inf)
    rising = times < 0.7 * CONCENTRATION
    truth = ALPHA * (RAIN * times) ** POWER
    assert np.abs(flow - truth)[rising].max() < 0.01 * RAIN * LENGTH
    assert flow[-1] == pytest.approx(RAIN * LENGTH, rel=1e-3)
    assert (np.diff(flow) > -1e-15).all()


def test_recession_and_convergence():
    errors = [error(25, 100), error(50, 200), error(100, 400)]
    assert errors[2] < 0.01
    assert errors[0] / errors[1] > 1.6 and errors[1] / errors[2] > 1.6  # first order


def test_any_step_is_stable():
    """A step of a hundred times the time of concentration: all that rains runs off, nothing oscillates."""
    _, flow = hydrograph(100, 3, 300.0 * CONCENTRATION, np.inf)
    assert flow[0] < flow[1] <= RAIN * LENGTH * (1.0 + 1e-12)
    assert flow[-1] == pytest.approx(RAIN * LENGTH, rel=1e-4)
