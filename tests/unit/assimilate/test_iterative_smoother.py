"""The iterative ensemble Kalman smoother: linear problems, restarts, and the tables of Lorenz systems."""

from __future__ import annotations

import numpy as np
import pytest
from lorenz import SAKOV_2012, SAKOV_2012_RARE, Twin

from pyland.assimilate import IterativeSmoother, analyse
from pyland.base.errors import InputError

NMEMBER, NSTATE, NOBS = 9, 12, 4


def linear(seed=0):
    rng = np.random.default_rng(seed)
    M = np.linalg.qr(rng.standard_normal((NSTATE, NSTATE)))[0]
    H = rng.standard_normal((NSTATE, NOBS)) / np.sqrt(NSTATE)
    return rng.standard_normal((NMEMBER, NSTATE)), M, H, rng.standard_normal((5, NOBS)), rng.uniform(0.3, 1.0, NOBS)


@pytest.mark.parametrize("method, variant", [("transform", "sqrt"), ("bundle", "sqrt"), ("transform", "perturbed")])
@pytest.mark.parametrize("lag", [0, 1, 3])
def test_linear_model_is_the_filter_and_smoother(method, variant, lag):
    """Without iterations to do: the ETKF (EnKF) at the end of the window, its transform at the start."""
    E, M, H, d, R = linear()
    smoother = IterativeSmoother(
        lambda E, t: E @ M, lambda E, t: E @ H, E, lag, method, variant=variant, rng=3, tolerance=1e-6)
    name = {"sqrt": "etkf", "perturbed": "enkf"}[variant]
    rng = np.random.default_rng(3)
    states = [E]
    for time in range(1, 6):
        states.append(states[-1] @ M)
        joined = np.hstack(states)
        joined = analyse(joined, states[-1] @ H, d[time - 1], R, name, rng=rng)
        states = np.split(joined, time + 1, axis=1)
        result = smoother.assimilate(d[time - 1], R)
        assert (result.start, result.time) == (max(0, time - lag), time)
        assert result.converged and result.iterations == 2
        np.testing.assert_allclose(result.analysis, states[-1], rtol=0, atol=1e-8)
        np.testing.assert_allclose(result.smoothed, states[result.start], rtol=0, atol=1e-8)


def test_inflation_and_rotation_of_the_next_window():
    E, M, H, d, R = linear()
    smoother = IterativeSmoother(
        lambda E, t: E @ M, lambda E, t: E @ H, E, inflation=1.3, rotation=True, rng=1)
    result = smoother.assimilate(d[0], R)
    np.testing.assert_allclose(result.analysis, analyse(E @ M, E @ M @ H, d[0], R), rtol=0, atol=1e-10)
    after, before = smoother.ensemble, result.smoothed
    np.testing.assert_allclose(after.mean(axis=0), before.mean(axis=0), rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.cov(after.T), 1.69 * np.cov(before.T), rtol=0, atol=1e-12)
    assert np.abs(after - after.mean(axis=0) - 1.3 * (before - before.mean(axis=0))).max() > 0.1


def test_restart_continues_with_the_same_bits():
    def make(seed):
        twin = Twin(SAKOV_2012, 1)
        E = twin.ensemble(10)
        return twin, IterativeSmoother(
            twin.step, lambda E, t: E, E, 2, inflation=1.02, rotation=True, rng=np.random.default_rng(seed))

    twin, whole = make(4)
    observations = [twin.observe() for _ in range(8)]
    results = [whole.assimilate(*one).analysis for one in observations]
    _, first = make(4)
    for one in observations[:4]:
        first.assimilate(*one)
    _, second = make(99)
    second.restore(first.state())
    for one, expected in zip(observations[4:], results[4:], strict=True):
        np.testing.assert_array_equal(second.assimilate(*one).analysis, expected)


def test_no_observations_is_a_forecast():
    E, M, H, d, R = linear()
    smoother = IterativeSmoother(lambda E, t: E @ M, lambda E, t: E @ H, E, inflation=1.5)
    result = smoother.assimilate([], [])
    np.testing.assert_allclose(result.analysis, E @ M, rtol=0, atol=1e-14)
    result = smoother.assimilate(d[1], R)
    np.testing.assert_allclose(result.analysis, analyse(E @ M @ M, E @ M @ M @ H, d[1], R), rtol=0, atol=1e-10)


def test_iterations_are_bounded_and_say_so():
    twin = Twin(SAKOV_2012, 1)
    runs = []

    def step(E, time):
        runs.append(time)
        return twin.step(E)

    smoother = IterativeSmoother(step, lambda E, t: E, twin.ensemble(10), iterations=3, tolerance=0.0)
    result = smoother.assimilate(*twin.observe())
    assert len(runs) == 3 and not result.converged and "ended at its bound of 3 runs" in result.message


@pytest.mark.parametrize("options, text", [
    ({"lag": -1}, "lag must be"), ({"method": "line"}, "method must be one of"),
    ({"method": "bundle", "variant": "perturbed"}, "has no bundle"), ({"iterations": 0}, "number of iterations"),
    ({"inflation": 0.0}, "inflation must lie"), ({"bundle_width": 0.0}, "bundle_width must lie"),
    ({"E": np.zeros((1, 3))}, "at least 2 members")])
def test_messages(options, text):
    E, M, H, d, R = linear()
    with pytest.raises(InputError, match=text):
        IterativeSmoother(lambda E, t: E, lambda E, t: E, **{"E": E, **options})


def test_messages_of_a_restart_and_a_model():
    E, M, H, d, R = linear()
    smoother = IterativeSmoother(lambda E, t: E[:3], lambda E, t: E @ H, E)
    with pytest.raises(InputError, match="step must return 9 members; got 3 at time 1"):
        smoother.assimilate(d[0], R)
    with pytest.raises(InputError, match="from 0 to 2 is not one of lag 1"):
        smoother.restore({**smoother.state(), "time": 2})


def cycle(twin, nmember, ncycle, **options):
    """Return the mean error of the analysis and of the smoothed start of the window."""
    smoother = IterativeSmoother(
        twin.step, lambda E, t: E, twin.ensemble(nmember), rotation=True, rng=twin.rng, **options)
    errors = []
    for time in range(1, ncycle + 1):
        result = smoother.assimilate(*twin.observe())
        if time > twin.setting.burn_in:
            errors.append((twin.error(result.analysis, time), twin.error(result.smoothed, result.start)))
    return np.mean(errors, axis=0)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["transform", "bundle"])
def test_lorenz63(method):
    """iEnKS N=10, inflation 1.02, rotated, lag 1: 0.31 (Sakov et al. 2012, table 1)."""
    scores = [cycle(Twin(SAKOV_2012, seed), 10, 5000, method=method, inflation=1.02)[0] for seed in (1, 2, 3)]
    assert np.median(scores) < 0.33


@pytest.mark.slow
def test_lorenz96_with_rare_observations():
    """iEnKS N=25, inflation 1.2, rotated, lag 1, every 12 steps: 0.46 (Sakov et al. 2012, table 3; 10 iterations).

    1500 cycles instead of 5000: one of them costs 120 model steps of the ensemble. Windows that do not converge decide
    the score: 19 runs gave 0.46 to 0.57, mean 0.50, so that three seeds cannot tell 0.46 within 0.02. The bound is the
    mean and two standard deviations of a median of three runs (0.025).
    """
    scores = [cycle(Twin(SAKOV_2012_RARE, seed), 25, 1500, inflation=1.2, step_length=[0.5, 0.5, 0.75, 1.0])[0]
              for seed in (1, 2, 3)]
    assert np.median(scores) < 0.56
