"""Litter and soil carbon: decay by hand, balance of every step, equilibrium."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyland.base.errors import InputError
from pyland.land.carbon import (
    compute_decomposition_factor,
    compute_pool_respiration,
    find_equilibrium_pools,
    step_soil_carbon,
)

YEAR = 365.0 * 86400.0
RATES = np.array([18.5, 4.9, 4.9, 7.3, 0.2, 0.0045]) / YEAR
METRES = 1e6 / (1000.0 * 9.80616)  # of water per MPa
THICKNESS = np.array([0.02, 0.04, 0.06, 0.08, 0.12, 0.5])


def respired_shares(sand):
    return np.array([0.55, 0.5, 0.5, 0.85 - 0.0068 * (100.0 - sand), 0.55, 0.55])


def control(temperature, head):
    return compute_decomposition_factor(THICKNESS[:, None], np.full((6, 1), temperature), np.full((6, 1), head))[0]


def test_temperature_factor():
    assert control(298.15, -0.1) == pytest.approx(1.0, rel=1e-14)
    assert control(288.15, -0.1) == pytest.approx(1.0 / 1.5, rel=1e-13)
    assert control(308.15, 2.0) == pytest.approx(1.5, rel=1e-13)


def test_moisture_factor():
    assert control(298.15, -1.0 * METRES) == pytest.approx(np.log(10.0) / np.log(5000.0), rel=1e-13)
    assert control(298.15, -0.002 * METRES) == pytest.approx(1.0, rel=1e-13)
    assert control(298.15, -10.0 * METRES) == pytest.approx(0.0, abs=1e-15)
    assert control(298.15, -1e6) == 0.0


def test_frost_leaves_little_liquid():
    cold = 272.15
    suction = 3.337e5 * (cold - 273.15) / (9.80616 * cold)
    wanted = np.log(-10.0 * METRES / suction) / np.log(5000.0) * 1.5 ** ((cold - 298.15) / 10.0)
    assert control(cold, -0.1) == pytest.approx(wanted, rel=1e-12)
    assert control(250.0, -0.1) == 0.0


def test_only_the_top_counts_by_thickness():
    temperature = np.array([308.15, 308.15, 298.15, 298.15, 298.15, 200.0])[:, None]
    share = 0.06 / 0.29
    factor = compute_decomposition_factor(THICKNESS[:, None], temperature, np.full((6, 1), -0.1))[0]
    assert factor == pytest.approx(share * 1.5 + (1.0 - share), rel=1e-12)


def test_respiration_of_fixed_pools():
    pools = np.array([[0.1], [0.2], [0.3], [0.4], [5.0], [8.0]])
    wanted = 0.7 * (RATES * respired_shares(40.0) * pools[:, 0]).sum()
    assert compute_pool_respiration(pools, 0.7, 40.0)[0] == pytest.approx(wanted, rel=1e-14)


def test_one_step_against_the_linear_system():
    dt, sand, factor, fall = 86400.0, 55.0, 0.8, 2e-8
    pools = np.array([0.1, 0.2, 0.3, 0.4, 5.0, 8.0])
    active = respired_shares(sand)[3]
    move = np.zeros((6, 6))  # share of the decay of a column's pool that reaches a row's pool
    move[3, 0], move[3, 1], move[4, 2] = 0.45, 0.5, 0.5
    move[4, 3], move[5, 3] = (1.0 - active) * (1.0 - 0.004 / (1.0 - active)), 0.004
    move[3, 4], move[5, 4], move[3, 5] = 0.45 * 0.42 / 0.45, 0.45 * 0.03 / 0.45, 0.45
    system = np.eye(6) - dt * factor * (move - np.eye(6)) * RATES
    fallen = dt * fall * np.array([0.25, 0.5, 0.25, 0.0, 0.0, 0.0])
    wanted = np.linalg.solve(system, pools + fallen)
    new, respired = step_soil_carbon(dt, pools[:, None], fall, factor, sand)
    np.testing.assert_allclose(new[:, 0], wanted, rtol=1e-13)
    assert respired[0] == pytest.approx(factor * (respired_shares(sand) * RATES * wanted).sum(), rel=1e-12)


POOL = st.floats(0.0, 200.0)


@settings(max_examples=300)
@given(dt=st.floats(1.0, 86400.0), sand=st.floats(0.0, 100.0), factor=st.floats(0.0, 5.0), fall=st.floats(0.0, 1e-6),
       pools=st.tuples(POOL, POOL, POOL, POOL, POOL, POOL))
def test_every_step_closes(dt, sand, factor, fall, pools):
    before = np.array(pools)[:, None]
    after, respired = step_soil_carbon(dt, before, fall, factor, sand)
    assert (after >= 0.0).all() and respired[0] >= 0.0
    residual = (after - before).sum() - dt * (fall - respired[0])
    assert abs(residual) < 1e-15 * max(1.0, before.sum()) + 1e-16


@settings(max_examples=200)
@given(sand=st.floats(0.0, 100.0), factor=st.floats(0.01, 3.0), fall=st.floats(0.0, 1e-7))
def test_equilibrium_stays_and_respires_what_falls(sand, factor, fall):
    pools = find_equilibrium_pools(fall, factor, sand)
    assert compute_pool_respiration(pools, factor, sand)[0] == pytest.approx(fall, rel=1e-12, abs=1e-30)
    new, respired = step_soil_carbon(1800.0, pools, fall, factor, sand)
    np.testing.assert_allclose(new, pools, rtol=1e-13, atol=1e-30)
    assert respired[0] == pytest.approx(fall, rel=1e-9, abs=1e-30)


def test_pools_go_to_the_equilibrium():
    fall, factor, sand = 1.5e-8, 0.6, 40.0
    goal = find_equilibrium_pools(fall, factor, sand)
    pools = goal * np.array([[0.0], [3.0], [0.5], [2.0], [1.2], [1.0]])
    for _ in range(60 * 365):
        pools, _ = step_soil_carbon(86400.0, pools, fall, factor, sand)
    np.testing.assert_allclose(pools[:4], goal[:4], rtol=0.01)
    np.testing.assert_allclose(pools[4:], goal[4:], rtol=0.02)


def test_ever_frozen_soil_gets_finite_pools():
    assert np.isfinite(find_equilibrium_pools(1e-8, 0.0, 40.0)).all()


def test_a_lane_depends_on_its_own_data_only():
    rng = np.random.default_rng(5)
    n = 77
    pools, fall = rng.uniform(0, 5, (6, n)), rng.uniform(0, 1e-7, n)
    factor, sand = rng.random(n), rng.uniform(0, 100, n)
    temperature, head = rng.uniform(250, 310, (6, n)), -(10.0 ** rng.uniform(-2, 4, (6, n)))
    thickness = np.repeat(THICKNESS[:, None], n, axis=1)
    whole, respired = step_soil_carbon(1800.0, pools, fall, factor, sand)
    controls = compute_decomposition_factor(thickness, temperature, head)
    goals = find_equilibrium_pools(fall, factor, sand)
    for k in range(0, n, 5):
        one = slice(k, k + 1)
        alone, breath = step_soil_carbon(1800.0, pools[:, one], fall[one], factor[one], sand[one])
        assert (alone[:, 0] == whole[:, k]).all() and breath[0] == respired[k]
        assert compute_decomposition_factor(thickness[:, one], temperature[:, one], head[:, one])[0] == controls[k]
        assert (find_equilibrium_pools(fall[one], factor[one], sand[one])[:, 0] == goals[:, k]).all()


def test_bad_input_is_named():
    with pytest.raises(InputError, match="pools: expected shape"):
        step_soil_carbon(1800.0, np.ones((5, 1)), 1e-8, 1.0, 40.0)
    with pytest.raises(InputError, match="time step must be a positive"):
        step_soil_carbon(0.0, np.ones((6, 1)), 1e-8, 1.0, 40.0)
