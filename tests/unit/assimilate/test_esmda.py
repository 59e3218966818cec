"""ES-MDA against the Kalman update of a linear problem, its factors, its localisation, and members that fail."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.assimilate import analyse, analyse_correlated, analyse_local, esmda, geometric_alphas, ies
from pyland.base.errors import InputError, StateError


def linear_problem(nmember=12, nstate=6, nobs=4, seed=0):
    rng = np.random.default_rng(seed)
    E = rng.standard_normal((nmember, nstate)) @ rng.standard_normal((nstate, nstate)) + 1.0
    H = rng.standard_normal((nstate, nobs)) / np.sqrt(nstate)
    return E, H, rng.standard_normal(nobs), rng.uniform(0.3, 1.0, nobs)


def kalman(E, H, d, R):
    mean, P = E.mean(axis=0), np.cov(E.T)
    K = np.linalg.solve(H.T @ P @ H + R, H.T @ P).T
    return mean + K @ (d - mean @ H), P - K @ H.T @ P


@pytest.mark.parametrize(
    "alphas", [1, 4, [9.333, 7.0, 4.0, 2.0], [1.5, 3.0], geometric_alphas(6, 0.3), "auto"], ids=str)
@pytest.mark.parametrize("nmember, nobs", [(12, 4), (5, 9)])
@pytest.mark.parametrize("full", [False, True])
def test_deterministic_is_the_kalman_update_for_any_factors(alphas, nmember, nobs, full):
    E, H, d, R = linear_problem(nmember, 6, nobs)
    if full:
        L = np.tril(np.random.default_rng(1).standard_normal((nobs, nobs))) * 0.2 + np.diag(np.sqrt(R))
        R = L @ L.T
    result = esmda(lambda E: E @ H, E, d, R, alphas=alphas, method="etkf")
    mean, P = kalman(E, H, d, R if full else np.diag(R))
    assert sum(1.0 / np.array(result.alphas)) == pytest.approx(1.0, abs=1e-14)
    np.testing.assert_allclose(result.ensemble.mean(axis=0), mean, rtol=0, atol=1e-10)
    np.testing.assert_allclose(np.cov(result.ensemble.T), P, rtol=0, atol=1e-10)


def test_perturbed_observations_converge_to_the_kalman_update():
    """The error falls with the square root of the members; 40000 of them: 0.005 of a variance of order 1."""
    nmember = 40000
    E, H, d, R = linear_problem(nmember)
    result = esmda(lambda E: E @ H, E, d, R, alphas=[8.0, 4.0, 8.0 / 3.0, 4.0], rng=1)
    mean, P = kalman(E, H, d, np.diag(R))
    scale = np.sqrt(np.diag(P))
    assert np.abs((result.ensemble.mean(axis=0) - mean) / scale).max() < 0.02
    assert np.abs((np.cov(result.ensemble.T) - P) / np.outer(scale, scale)).max() < 0.04


def test_one_step_is_the_filter():
    E, H, d, R = linear_problem()
    result = esmda(lambda E: E @ H, E, d, R, alphas=1, rng=7)
    np.testing.assert_array_equal(result.ensemble, analyse(E, E @ H, d, R, "enkf", rng=np.random.default_rng(7)))


def test_auto_takes_the_factors_of_iglesias_and_yang():
    """Factors written out for the misfits of each step; small steps first, the rest at the end."""
    E, H, _, R = linear_problem(30)
    d = np.full(4, 8.0)
    seen = []

    def forward(E):
        seen.append(0.5 * ((d - E @ H) ** 2 / R).sum(axis=1))
        return E @ H

    result = esmda(forward, E, d, R, alphas="auto", method="etkf", run_analysis=True)
    done = 0.0
    for alpha, loss in zip(result.alphas, seen, strict=False):
        share = min(max(len(d) / (2 * loss.mean()), np.sqrt(len(d) / (2 * loss.var(ddof=1)))), 1.0 - done)
        assert 1.0 / alpha == pytest.approx(share, rel=1e-9)
        done += share
    assert done == pytest.approx(1.0) and len(result.alphas) > 2
    assert len(result.misfits) == len(result.alphas) + 1
    np.testing.assert_allclose(result.misfits, [2 * loss.mean() / 4 for loss in seen], rtol=1e-12)


def test_auto_ends_at_its_bound():
    E, H, _, R = linear_problem(30)
    result = esmda(lambda E: E @ H, E, np.full(4, 1e4), R, alphas="auto", method="etkf", steps_limit=3)
    assert len(result.alphas) == 3 and sum(1 / np.array(result.alphas)) == pytest.approx(1.0)
    assert "ended at its bound of 3 steps" in result.message
    close = esmda(lambda E: E @ H, E, (E @ H).mean(axis=0), R + 1e3, alphas="auto", method="etkf")
    assert close.alphas == (1.0,) and "bound" not in close.message


def test_many_small_steps_fit_a_nonlinear_model():
    """A saturating model seen in its flat part: one step overshoots, four do not."""
    rng = np.random.default_rng(3)
    E = rng.normal(-1.0, 1.0, (200, 1))
    d = [np.exp(1.5)]
    errors = [abs(esmda(np.exp, E, d, [0.01], alphas=n, method="etkf").ensemble.mean() - 1.5) for n in (1, 4, 16)]
    assert errors[2] < errors[1] < errors[0] and errors[2] < 0.05


def test_localisation_by_distance_is_that_of_the_local_filter():
    E, H, d, R = linear_problem()
    options = {"coords_state": np.arange(6.0), "coords_obs": np.arange(4.0) + 0.5, "radius": 3.0}
    result = esmda(lambda E: E @ H, E, d, R, alphas=[3.0, 1.5], method="letkf", **options)
    one = analyse_local(E, E @ H, d, 3.0 * R, **options)
    np.testing.assert_allclose(result.ensemble, analyse_local(one, one @ H, d, 1.5 * R, **options), rtol=0, atol=1e-12)


@pytest.mark.parametrize("method", ["enkf", "etkf"])
def test_localisation_by_correlation_keeps_what_is_not_seen(method):
    """40 unobserved, independent parameters lose spread by chance correlations, but not with the threshold."""
    rng = np.random.default_rng(4)
    E = rng.standard_normal((50, 41))

    def forward(E):
        return np.repeat(E[:, :1], 10, axis=1)

    results = [esmda(forward, E, np.zeros(10), np.full(10, 0.1), method=method, adaptive=one, rng=5)
               for one in (None, "auto")]
    spreads = [result.ensemble.std(axis=0) for result in results]
    prior = E.std(axis=0)
    assert (spreads[1][1:] / prior[1:]).mean() > 0.995 > (spreads[0][1:] / prior[1:]).mean()
    np.testing.assert_allclose(spreads[1][0], spreads[0][0], rtol=0.3)


def test_localisation_by_correlation_is_that_of_the_local_filter():
    """Without places all observations are everywhere; a matrix R, or a filter without local version, counts 0 or 1."""
    E, H, d, R = linear_problem()
    found = esmda(lambda E: E @ H, E, d, R, alphas=1, method="estkf", adaptive=0.4, inflation=1.1)
    expected = analyse_local(E, E @ H, d, R, np.zeros(6), np.zeros(4), np.inf, "lestkf", taper="none", adaptive=0.4,
                             inflation=1.1)
    np.testing.assert_array_equal(found.ensemble, expected)
    for method, error in (("etkf", np.diag(R) + 0.1), ("pf", R)):
        found = esmda(lambda E: E @ H, E, d, error, alphas=1, method=method, adaptive=0.4, rng=2)
        expected = analyse_correlated(E, E @ H, d, error, method, threshold=0.4, rng=np.random.default_rng(2))
        np.testing.assert_array_equal(found.ensemble, expected)


def test_members_that_fail_are_left_out_and_counted():
    E, H, d, R = linear_problem()
    runs = []

    def forward(E):
        Y = E @ H
        if len(runs) == 1:
            Y[[2, 5]] = np.nan
        runs.append(len(E))
        return Y

    result = esmda(forward, E, d, R, alphas=2, method="etkf")
    assert runs == [12, 12] and result.members.tolist() == [0, 1, 3, 4, 6, 7, 8, 9, 10, 11]
    assert "2 of 12 members failed" in result.message
    first = analyse(E, E @ H, d, 2 * R)[result.members]
    np.testing.assert_allclose(result.ensemble, analyse(first, first @ H, d, 2 * R), rtol=0, atol=1e-12)


def test_too_many_failures():
    E, H, d, R = linear_problem()

    def forward(E):
        return np.where(np.arange(len(E))[:, np.newaxis] < 3, np.nan, E @ H)

    with pytest.raises(StateError, match="3 of 12 members have failed"):
        esmda(forward, E, d, R, failure_limit=0.2)
    assert len(esmda(forward, E, d, R, alphas=1, failure_limit=0.25).ensemble) == 9


def test_no_observations():
    E, *_ = linear_problem()
    result = esmda(lambda E: np.zeros((len(E), 0)), E, [], [])
    np.testing.assert_array_equal(result.ensemble, E)


@pytest.mark.parametrize("alphas, text", [
    (0, "whole number of at least 1"), ("fast", "or 'auto'"), ([2.0, 3.0], r"sum to 0.833333.*\[1.6667, 2.5\]"),
    ([2.0, -2.0], "above 0"), (2.5, "whole number"), ([], "at least one")])
def test_factors_that_do_not_fit(alphas, text):
    E, H, d, R = linear_problem()
    with pytest.raises(InputError, match=text):
        esmda(lambda E: E @ H, E, d, R, alphas=alphas)


def test_messages():
    E, H, d, R = linear_problem()
    with pytest.raises(InputError, match="forward must return"):
        esmda(lambda E: d, E, d, R)
    with pytest.raises(InputError, match="misfits of every step"):
        esmda(lambda E: E @ H, E, d, R, return_diagnostics=True)
    with pytest.raises(InputError, match="ratio must lie in"):
        geometric_alphas(3, 0.0)
    with pytest.raises(InputError, match="steps_limit"):
        esmda(lambda E: E @ H, E, d, R, steps_limit=0)


@pytest.mark.parametrize("run", [esmda, ies])
def test_predictions_that_do_not_fit_are_told_from_members_that_fail(run):
    E, H, d, R = linear_problem()
    with pytest.raises(InputError, match=r"shape \(12, 4\); got \(4, 12\), which is transposed"):
        run(lambda E: (E @ H).T, E, d, R)
    with pytest.raises(InputError, match=r"shape \(12, 4\); got \(12, 3\)$"):
        run(lambda E: (E @ H)[:, :3], E, d, R)
    with pytest.raises(InputError, match=r"forward must be a function that runs the model.*got ndarray"):
        run(E @ H, E, d, R)
