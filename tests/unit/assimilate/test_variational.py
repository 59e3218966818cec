"""Variational analyses against the best linear unbiased estimate, the ETKF, and a direct minimisation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from pyland.assimilate import analyse, analyse_local, static_modes, variational
from pyland.base.errors import ConvergenceError, InputError

MINIMISERS = ("L-BFGS-B", "CG")


def problem(nmember=10, nstate=12, nobs=5, seed=0, full=False):
    rng = np.random.default_rng(seed)
    E = rng.standard_normal((nmember, nstate)) + 2.0
    H = rng.standard_normal((nstate, nobs)) / np.sqrt(nstate)
    L = rng.standard_normal((nstate, nstate)) / np.sqrt(nstate)
    R = rng.uniform(0.3, 1.0, nobs)
    return E, H, rng.standard_normal(nobs) + 1.0, np.diag(R) + 0.1 if full else R, L @ L.T


def best_linear_unbiased(mean, B, H, d, R):
    R = np.diag(R) if R.ndim == 1 else R
    return mean + B @ H @ np.linalg.solve(H.T @ B @ H + R, d - mean @ H)


@pytest.mark.parametrize("minimiser", MINIMISERS)
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("operator", [False, True])
def test_3dvar_is_the_best_linear_unbiased_estimate(minimiser, full, operator):
    E, H, d, R, B = problem(full=full)
    L = static_modes(B)
    how = {"observe": lambda x: x @ H} if operator else {"static_predicted": L @ H}
    A = variational(E, E @ H, d, R, "3dvar", static=L, minimiser=minimiser, tolerance=1e-10, **how)
    np.testing.assert_allclose(A.mean(axis=0), best_linear_unbiased(E.mean(axis=0), B, H, d, R), rtol=0, atol=1e-8)
    np.testing.assert_allclose(A - A.mean(axis=0), E - E.mean(axis=0), rtol=0, atol=1e-12)


def test_3dvar_of_one_state():
    E, H, d, R, B = problem()
    L = static_modes(B)
    A = variational(E[:1], E[:1] @ H, d, R, "3dvar", static=L, static_predicted=L @ H)
    np.testing.assert_allclose(A[0], best_linear_unbiased(E[0], B, H, d, R), rtol=0, atol=1e-5)


@pytest.mark.parametrize("minimiser", MINIMISERS)
@pytest.mark.parametrize("nobs, full", [(5, False), (5, True), (30, False)])
def test_3denvar_is_the_etkf(minimiser, nobs, full):
    E, H, d, R, _ = problem(nobs=nobs, full=full)
    A, diagnostics = variational(
        E, E @ H, d, R, minimiser=minimiser, tolerance=1e-10, return_diagnostics=True)
    np.testing.assert_allclose(A, analyse(E, E @ H, d, R), rtol=0, atol=1e-8)
    assert diagnostics.gradient <= 1e-10 and diagnostics.iterations > 0
    loose = variational(E, E @ H, d, R, minimiser=minimiser, tolerance=1e-3)
    np.testing.assert_allclose(loose, A, rtol=0, atol=1e-2)


def test_cost_is_half_the_chi_square():
    """At the minimum 2J = d^T (HBH^T + R)^-1 d."""
    E, H, d, R, _ = problem()
    _, diagnostics = variational(E, E @ H, d, R, tolerance=1e-10, return_diagnostics=True)
    _, expected = analyse(E, E @ H, d, R, return_diagnostics=True)
    assert 2 * (diagnostics.cost_background + diagnostics.cost_observations) == pytest.approx(expected.chi2, rel=1e-8)


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_hybrid_has_the_weighted_covariance(weight):
    E, H, d, R, B = problem()
    L = static_modes(B)
    A = variational(
        E, E @ H, d, R, "hybrid3dvar", static=L, static_predicted=L @ H, weight=weight, tolerance=1e-10)
    mixed = weight * np.cov(E.T) + (1.0 - weight) * B
    np.testing.assert_allclose(A.mean(axis=0), best_linear_unbiased(E.mean(axis=0), mixed, H, d, R), rtol=0, atol=1e-8)
    expected = analyse(E, E @ H, d, R)
    np.testing.assert_allclose(A - A.mean(axis=0), expected - expected.mean(axis=0), rtol=0, atol=1e-12)


@pytest.mark.parametrize("minimiser", MINIMISERS)
def test_outer_loops_reach_the_minimum_of_a_nonlinear_problem(minimiser):
    E, H, _, _, B = problem()
    L = static_modes(B)
    mean = E.mean(axis=0)

    def observe(x):
        return np.sinh(0.5 * x @ H)

    d, R = observe(mean[np.newaxis])[0] + 1.0, np.full(5, 0.01)

    def cost(v):
        return 0.5 * v @ v + 0.5 * ((d - observe((mean + v @ L)[np.newaxis])[0]) ** 2 / R).sum()

    best = mean + minimize(cost, np.zeros(len(L)), method="BFGS", options={"gtol": 1e-6}).x @ L
    A, diagnostics = variational(
        E, None, d, R, "3dvar", static=L, observe=observe, outer=12, minimiser=minimiser, tolerance=1e-8,
        return_diagnostics=True)
    np.testing.assert_allclose(A.mean(axis=0), best, rtol=0, atol=1e-6)
    assert len(diagnostics.outer_steps) == 12 and diagnostics.outer_steps[-1] < 1e-6 < diagnostics.outer_steps[0]
    once = variational(E, None, d, R, "3dvar", static=L, observe=observe)
    assert np.abs(once.mean(axis=0) - best).max() > 0.05


def test_ensemble_by_a_local_filter():
    E, H, d, R, _ = problem()
    places = {"coords_state": np.arange(12.0), "coords_obs": 2.0 * np.arange(5.0), "radius": 4.0, "inflation": 1.1}
    A = variational(E, E @ H, d, R, ensemble_method="letkf", ensemble_options=places, tolerance=1e-10)
    local = analyse_local(E, E @ H, d, R, **places)
    np.testing.assert_allclose(A - A.mean(axis=0), local - local.mean(axis=0), rtol=0, atol=1e-12)
    np.testing.assert_allclose(A.mean(axis=0), analyse(E, E @ H, d, R).mean(axis=0), rtol=0, atol=1e-8)


def test_static_modes_of_a_sample_and_of_its_covariance():
    sample = np.random.default_rng(1).standard_normal((6, 9)) * np.arange(1, 10)
    L = static_modes(sample=sample)
    assert len(L) == 5
    np.testing.assert_allclose(L.T @ L, np.cov(sample.T), rtol=0, atol=1e-12 * 81)
    M = static_modes(np.cov(sample.T), count=5)
    np.testing.assert_allclose(M.T @ M, np.cov(sample.T), rtol=0, atol=1e-12 * 81)
    first = static_modes(sample=sample, count=2)
    np.testing.assert_array_equal(first, L[:2])
    assert (np.diff(np.linalg.norm(L, axis=1)) <= 0).all()


def test_no_observations():
    E, *_ = problem()
    np.testing.assert_allclose(variational(E, np.zeros((10, 0)), [], []), E, rtol=0, atol=1e-14)


def test_too_few_iterations_is_an_error():
    E, H, d, R, _ = problem()
    for minimiser in MINIMISERS:
        with pytest.raises(ConvergenceError, match=f"{minimiser} ended after 1 iterations .bound 1."):
            variational(E, E @ H, d, R, minimiser=minimiser, iterations=1, tolerance=1e-10)


@pytest.mark.parametrize("options, text", [
    ({"method": "4dvar"}, "unknown method '4dvar'"), ({"minimiser": "newton"}, "minimiser must be one of"),
    ({"outer": 2}, "needs observe"), ({"method": "3dvar"}, "needs static, modes"),
    ({"static": np.ones((1, 12))}, "has no static covariance"),
    ({"method": "hybrid3dvar", "static": np.ones((1, 12))}, "need static_predicted"),
    ({"method": "hybrid3dvar", "static": np.ones((1, 3))}, "12 state elements per mode"),
    ({"method": "hybrid3dvar", "static": np.ones((1, 12)), "static_predicted": np.ones((2, 5))}, r"shape \(1, 5\)"),
    ({"method": "hybrid3dvar", "weight": 2.0}, "weight must lie"), ({"iterations": 0}, "iterations must be"),
    ({"method": "3dvar", "static": np.ones((1, 12)), "static_predicted": np.ones((1, 5)),
      "ensemble_options": {"inflation": 1.1}}, "belong to a filter")])
def test_messages(options, text):
    E, H, d, R, _ = problem()
    with pytest.raises(InputError, match=text):
        variational(E, E @ H, d, R, **options)


def test_messages_of_static_modes():
    with pytest.raises(InputError, match="either a covariance or a sample"):
        static_modes()
    with pytest.raises(InputError, match="no negative eigenvalue"):
        static_modes(np.diag([1.0, -1.0]))
    with pytest.raises(InputError, match="count must be 1 to 2"):
        static_modes(np.eye(2), count=3)
