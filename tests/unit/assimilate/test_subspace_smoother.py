"""IES against the EnKF and ETKF of a linear problem and the minimum of a nonlinear one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from pyland.assimilate import analyse, ies
from pyland.base.errors import InputError, StateError


def linear_problem(nmember=12, nstate=20, nobs=4, seed=0):
    rng = np.random.default_rng(seed)
    E = rng.standard_normal((nmember, nstate)) + 1.0
    H = rng.standard_normal((nstate, nobs)) / np.sqrt(nstate)
    return E, H, rng.standard_normal(nobs), rng.uniform(0.3, 1.0, nobs)


@pytest.mark.parametrize("nmember, nstate, nobs", [(12, 20, 4), (6, 20, 15), (12, 3, 5), (2, 4, 3)])
@pytest.mark.parametrize("variant, method", [("perturbed", "enkf"), ("sqrt", "etkf")])
@pytest.mark.parametrize("full", [False, True])
def test_linear_model_takes_one_step_to_the_filter(nmember, nstate, nobs, variant, method, full):
    E, H, d, R = linear_problem(nmember, nstate, nobs)
    if full:
        L = np.tril(np.random.default_rng(1).standard_normal((nobs, nobs))) * 0.2 + np.diag(np.sqrt(R))
        R = L @ L.T
    expected = analyse(E, E @ H, d, R, method, rng=9)
    result = ies(lambda E: E @ H, E, d, R, variant=variant, rng=9)
    assert result.converged and result.iterations == 2 and "converged after 2 runs" in result.message
    np.testing.assert_allclose(result.ensemble, expected, rtol=0, atol=1e-10)
    one = ies(lambda E: E @ H, E, d, R, variant=variant, rng=9, steps=1)
    np.testing.assert_allclose(one.ensemble, expected, rtol=0, atol=1e-10)
    assert not one.converged and "ended at its bound of 1" in one.message


@pytest.mark.parametrize("variant, method", [("perturbed", "enkf"), ("sqrt", "etkf")])
def test_short_steps_come_to_the_same_end(variant, method):
    """With step length 1/2 the distance halves in every step: 2^-40 of it is left after 40."""
    E, H, d, R = linear_problem()
    result = ies(lambda E: E @ H, E, d, R, variant=variant, rng=2, step_length=0.5, steps=40, tolerance=0.0)
    np.testing.assert_allclose(result.ensemble, analyse(E, E @ H, d, R, method, rng=2), rtol=0, atol=1e-9)
    assert result.iterations == 40
    listed = ies(lambda E: E @ H, E, d, R, variant=variant, rng=2, step_length=[0.2, 0.6, 1.0], steps=4)
    np.testing.assert_allclose(listed.ensemble, analyse(E, E @ H, d, R, method, rng=2), rtol=0, atol=1e-9)


@pytest.mark.parametrize("variant", ["sqrt", "perturbed"])
def test_a_share_of_a_step_is_not_convergence(variant):
    """Steps of 1 % of the way are shorter than the tolerance from the first on, and the minimum is far."""
    E, H, d, R = linear_problem()
    options = {"variant": variant, "rng": 2, "tolerance": 0.05}
    full = ies(lambda E: E @ H, E, d, R, steps=1, **options)
    short = ies(lambda E: E @ H, E, d, R, step_length=0.01, steps=5, **options)
    assert not short.converged and short.iterations == 5 and "ended at its bound of 5" in short.message
    halves = ies(lambda E: E @ H, E, d, R, step_length=0.5, steps=40, **options)
    moved = np.abs(full.ensemble.mean(axis=0) - E.mean(axis=0)).max()
    assert halves.converged
    assert np.abs(halves.ensemble.mean(axis=0) - full.ensemble.mean(axis=0)).max() < 0.05 < 0.1 < moved


def test_mean_is_the_minimum_of_the_cost_function():
    """A monotone model, more states than the observations; oracle: SciPy on J in the space of the ensemble.

    The sensitivity of an ensemble is that over its spread, so the prior is tight and the observations are worth little.
    """
    rng = np.random.default_rng(5)
    X = 0.02 * rng.standard_normal((8, 30))
    E = X - X.mean(axis=0) + rng.standard_normal(30)
    A = rng.standard_normal((30, 6)) / 3.0

    def forward(E):
        return np.sinh(E @ A)

    d, R = forward(E[:1])[0] + 0.05, np.full(6, 0.02**2)
    anomalies = E - E.mean(axis=0)

    def cost(w):
        return 3.5 * w @ w + 0.5 * ((d - forward((E.mean(axis=0) + w @ anomalies)[np.newaxis])[0]) ** 2 / R).sum()

    best = minimize(cost, np.zeros(8), method="BFGS", options={"gtol": 1e-9}).x
    result = ies(forward, E, d, R, variant="sqrt", tolerance=1e-8, steps=50)
    spread = E.std(axis=0, ddof=1)
    off = np.abs(result.ensemble.mean(axis=0) - E.mean(axis=0) - best @ anomalies) / spread
    moved = np.abs(best @ anomalies) / spread
    assert result.converged and off.max() < 0.01 < 0.5 < moved.max()


def test_backtracking_saves_a_step_that_overshoots():
    """tanh seen in its steep part from its flat one: full steps run away."""
    E = np.random.default_rng(0).normal(3.0, 0.5, (40, 1))
    d, R = [0.0], [1e-4]
    with_it = ies(np.tanh, E, d, R, variant="sqrt", steps=60, backtracking=True)
    without = ies(np.tanh, E, d, R, variant="sqrt", steps=60)
    assert abs(with_it.ensemble.mean()) < 0.1
    assert not abs(without.ensemble.mean()) < 0.1


@pytest.mark.parametrize("variant, method", [("perturbed", "enkf"), ("sqrt", "etkf")])
def test_states_that_are_constant_or_twice_there(variant, method):
    E, H, d, R = linear_problem(12, 5, 4)
    E[:, 1], E[:, 3] = 2.0, E[:, 0]
    result = ies(lambda E: E @ H, E, d, R, variant=variant, rng=1)
    np.testing.assert_allclose(result.ensemble, analyse(E, E @ H, d, R, method, rng=1), rtol=0, atol=1e-10)
    flat = np.ones((12, 5))
    np.testing.assert_array_equal(ies(lambda E: E @ H, flat, d, R, variant=variant, rng=1).ensemble, flat)


@pytest.mark.parametrize("full", [False, True])
def test_curvature_is_not_sensitivity(full):
    """One parameter, nine members, a parabola: the gain is that of the regression line, not of all the scatter."""
    rng = np.random.default_rng(6)
    E = rng.standard_normal((9, 1))
    if full:
        E = np.hstack([E, np.ones((9, 20))])  # constants do not explain it either
    x, y = E[:, 0], E[:, 0] + 2.0 * E[:, 0] ** 2
    slope, variance = np.cov(x, y)[0, 1] / x.var(ddof=1), x.var(ddof=1)
    expected = x.mean() + variance * slope / (slope**2 * variance + 0.5) * (3.0 - y.mean())
    result = ies(lambda E: E[:, :1] + 2.0 * E[:, :1] ** 2, E, [3.0], [0.5], variant="sqrt", steps=1)
    assert result.ensemble[:, 0].mean() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("variant", ["sqrt", "perturbed"])
def test_observations_that_say_nothing_end_the_iteration_at_once(variant):
    E, H, d, R = linear_problem()
    result = ies(lambda E: E @ H, E, d, 1e12 * R, variant=variant, rng=1)
    assert result.converged and result.iterations == 1
    np.testing.assert_allclose(result.ensemble, E, rtol=0, atol=1e-4)


def test_no_observations():
    E, *_ = linear_problem()
    result = ies(lambda E: np.zeros((len(E), 0)), E, [], [])
    np.testing.assert_allclose(result.ensemble, E, rtol=0, atol=1e-14)
    assert result.converged and result.iterations == 0


def test_members_that_fail_leave_and_the_rest_runs_again():
    E, H, d, R = linear_problem()
    runs = []

    def forward(E):
        Y = E @ H
        if len(runs) == 1:
            Y[[0, 7]] = np.inf
        runs.append(len(E))
        return Y

    result = ies(forward, E, d, R, variant="sqrt")
    rest = E[result.members]
    assert runs[:3] == [12, 12, 10] and "2 of 12 members failed" in result.message
    assert result.members.tolist() == [1, 2, 3, 4, 5, 6, 8, 9, 10, 11]
    np.testing.assert_allclose(result.ensemble, analyse(rest, rest @ H, d, R), rtol=0, atol=1e-10)
    with pytest.raises(StateError, match="12 of 12 members have failed"):
        ies(lambda E: np.full((12, 4), np.nan), E, d, R)


@pytest.mark.parametrize("options, text", [
    ({"steps": 0}, "number of iterations"), ({"variant": "exact"}, "variant must be one of"),
    ({"step_length": 0.0}, "step_length must lie"), ({"step_length": []}, "empty list"),
    ({"tolerance": -1.0}, "tolerance must lie"), ({"failure_limit": 2.0}, "failure_limit must lie"),
    ({"rng": "seed"}, "rng must be")])
def test_messages(options, text):
    E, H, d, R = linear_problem()
    with pytest.raises(InputError, match=text):
        ies(lambda E: E @ H, E, d, R, **options)
