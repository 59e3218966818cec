"""Global filters against the analytic Kalman update, and their messages."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.assimilate import analyse
from pyland.base.errors import InputError, UnavailableError


def linear_problem(nmember, nobs, nstate=30, seed=0):
    rng = np.random.default_rng(seed)
    E = rng.standard_normal((nmember, nstate)) @ rng.standard_normal((nstate, nstate)) / np.sqrt(nstate) + 3.0
    H = rng.standard_normal((nstate, nobs)) / np.sqrt(nstate)
    return E, H, E @ H + 0.0, rng.standard_normal(nobs) + 3.0 * H.sum(axis=0), rng.uniform(0.3, 2.0, nobs)


def kalman(E, H, d, R):
    """Mean and covariance of the Kalman update with the ensemble covariance; R a matrix."""
    mean, X = E.mean(axis=0), E - E.mean(axis=0)
    P = X.T @ X / (len(E) - 1)
    K = np.linalg.solve(H.T @ P @ H + R, H.T @ P).T
    return mean + K @ (d - mean @ H), P - K @ H.T @ P, K


@pytest.mark.parametrize(
    "nmember, nobs", [(2, 1), (3, 2), (8, 3), (8, 7), (8, 8), (8, 9), (8, 50), (33, 32), (40, 200)])
def test_etkf_is_the_kalman_update(nmember, nobs):
    E, H, Y, d, R = linear_problem(nmember, nobs)
    mean, covariance, _ = kalman(E, H, d, np.diag(R))
    A = analyse(E, Y, d, R, method="etkf")
    X = A - A.mean(axis=0)
    np.testing.assert_allclose(A.mean(axis=0), mean, rtol=0, atol=1e-12)
    np.testing.assert_allclose(X.T @ X / (nmember - 1), covariance, rtol=0, atol=1e-12)


@pytest.mark.parametrize("nmember, nobs", [(8, 3), (8, 50), (33, 32)])
def test_etkf_root_is_symmetric(nmember, nobs):
    """Anomalies are the prior ones times the symmetric root (Hunt et al. 2007): the smallest change of members."""
    E, _, Y, d, R = linear_problem(nmember, nobs)
    S = (Y - Y.mean(axis=0)) / np.sqrt(R)
    values, U = np.linalg.eigh(np.eye(nmember) + S @ S.T / (nmember - 1))
    expected = (U / np.sqrt(values)) @ U.T @ (E - E.mean(axis=0))
    A = analyse(E, Y, d, R)
    np.testing.assert_allclose(A - A.mean(axis=0), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("nobs", [4, 30])
def test_full_covariance(nobs):
    E, H, Y, d, _ = linear_problem(10, nobs)
    rng = np.random.default_rng(5)
    L = np.tril(rng.standard_normal((nobs, nobs))) * 0.1 + np.eye(nobs)
    R = L @ L.T
    mean, covariance, _ = kalman(E, H, d, R)
    A = analyse(E, Y, d, R)
    np.testing.assert_allclose(A.mean(axis=0), mean, rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.cov(A.T), covariance, rtol=0, atol=1e-12)
    half = np.full(nobs, 0.5)
    np.testing.assert_allclose(analyse(E, Y, d, np.diag(half)), analyse(E, Y, d, half), rtol=0, atol=1e-12)


@pytest.mark.parametrize("nobs", [3, 60])
def test_enkf_members_are_kalman_updates_of_perturbed_observations(nobs):
    """The ensemble-space form equals the observation-space form member by member."""
    nmember = 12
    E, H, Y, d, R = linear_problem(nmember, nobs)
    draws = np.random.default_rng(7).standard_normal((nmember, nobs))
    perturbed = d + np.sqrt(R) * (draws - draws.mean(axis=0))
    K = kalman(E, H, d, np.diag(R))[2]
    expected = E + (perturbed - Y) @ K.T
    for rng in (np.random.default_rng(7), 7):
        np.testing.assert_allclose(analyse(E, Y, d, R, method="enkf", rng=rng), expected, rtol=0, atol=1e-12)


def test_enkf_converges_to_the_kalman_covariance():
    nmember = 20000
    rng = np.random.default_rng(3)
    E = rng.multivariate_normal([0.0, 0.0], [[1.0, 0.6], [0.6, 1.0]], size=nmember)
    A = analyse(E, E[:, :1], [1.0], [0.5], method="enkf", rng=4)
    _, covariance, _ = kalman(E, np.array([[1.0], [0.0]]), np.array([1.0]), np.array([[0.5]]))
    np.testing.assert_allclose(np.cov(A.T), covariance, atol=5.0 / np.sqrt(nmember))
    np.testing.assert_allclose(A.mean(axis=0), [1.0 / 1.5, 0.6 / 1.5], atol=5.0 / np.sqrt(nmember))


def test_inflation_scales_the_prior():
    E, H, Y, d, R = linear_problem(9, 5)
    mean, factor = E.mean(axis=0), 1.3
    blown = mean + factor * (E - mean)
    for method in ("etkf", "enkf"):
        np.testing.assert_allclose(analyse(E, Y, d, R, method=method, inflation=factor, rng=1),
                                   analyse(blown, blown @ H, d, R, method=method, rng=1), rtol=0, atol=1e-12)


@pytest.mark.parametrize("method", ["etkf", "enkf"])
@pytest.mark.parametrize("relaxation", [0.0, 0.4, 1.0])
def test_relaxation_to_prior_spread(method, relaxation):
    """Whitaker and Hamill (2012), eq. 2: spread = (1 - r) analysis + r prior; the mean does not change."""
    E, _, Y, d, R = linear_problem(9, 5)
    plain = analyse(E, Y, d, R, method=method, rng=2)
    relaxed = analyse(E, Y, d, R, method=method, rng=2, relaxation=relaxation)
    np.testing.assert_allclose(relaxed.mean(axis=0), plain.mean(axis=0), rtol=0, atol=1e-12)
    expected = (1 - relaxation) * plain.std(axis=0) + relaxation * E.std(axis=0)
    np.testing.assert_allclose(relaxed.std(axis=0), expected, rtol=1e-12)


def test_diagnostics():
    E, H, Y, d, R = linear_problem(12, 30)
    mean, covariance, K = kalman(E, H, d, np.diag(R))
    A, result = analyse(E, Y, d, R, return_diagnostics=True)
    innovation = d - E.mean(axis=0) @ H
    X = E - E.mean(axis=0)
    C = H.T @ X.T @ X @ H / 11 + np.diag(R)
    np.testing.assert_allclose(result.innovation, innovation, atol=1e-12)
    np.testing.assert_allclose(result.residual, d - mean @ H, atol=1e-12)
    np.testing.assert_allclose(result.spread_prior, Y.std(axis=0, ddof=1), atol=1e-12)
    np.testing.assert_allclose(result.spread_analysis, np.sqrt(np.diag(H.T @ covariance @ H)), atol=1e-12)
    assert result.chi2 == pytest.approx(innovation @ np.linalg.solve(C, innovation), rel=1e-10)
    assert result.degrees_of_freedom == pytest.approx(np.trace(H.T @ K), rel=1e-10)
    assert result.innovation_mean == pytest.approx(innovation.mean())
    np.testing.assert_array_equal(A, analyse(E, Y, d, R))


def test_no_observations_returns_a_copy():
    E = np.random.default_rng(0).standard_normal((4, 6))
    A, result = analyse(E, np.empty((4, 0)), [], [], inflation=1.5, return_diagnostics=True)
    np.testing.assert_array_equal(A, E)
    assert not np.shares_memory(A, E)
    assert result.chi2 == 0.0 and np.isnan(result.innovation_mean)


def test_inputs_stay_and_layout_does_not_matter():
    E, _, Y, d, R = linear_problem(6, 9)
    copies = [a.copy() for a in (E, Y, d, R)]
    A = analyse(E, Y, d, R)
    for a, b in zip((E, Y, d, R), copies, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(A, analyse(np.asfortranarray(E), np.asfortranarray(Y), list(d), tuple(R)))
    assert A.shape == E.shape and not np.shares_memory(A, E)


def test_a_known_filter_that_is_not_there():
    E, _, Y, d, R = linear_problem(4, 3)
    with pytest.raises(UnavailableError, match="available are.*enkf, etkf.*letkf"):
        analyse(E, Y, d, R, method="seek")


@pytest.mark.parametrize("name, place", [("3DEnVar", "variational"), ("enks", "LaggedSmoother"), ("esmda", "esmda")])
def test_methods_of_other_functions_are_named(name, place):
    E, _, Y, d, R = linear_problem(4, 3)
    with pytest.raises(InputError, match=f"belongs to pyland.assimilate.{place}"):
        analyse(E, Y, d, R, method=name)


@pytest.mark.parametrize("change, text", [
    ({"method": "kalman"}, "unknown method 'kalman'; available are"),
    ({"method": "letkf"}, "belongs to analyse_local"),
    ({"Y": np.ones((3, 3))}, r"Y must have shape \(member, obs\) = \(4, 3\)"),
    ({"d": np.ones(2)}, "Y must have shape"),
    ({"R": np.ones(2)}, "one error variance per observation"),
    ({"R": [1.0, 0.0, 1.0]}, "above 0.*observation 1"),
    ({"R": [1.0, -1.0, 1.0]}, "above 0"),
    ({"R": np.ones((3, 2))}, r"R must have shape"),
    ({"R": -np.eye(3)}, "positive definite"),
    ({"R": np.triu(np.ones((3, 3)))}, "symmetric"),
    ({"R": [1e-160, 1.0, 1.0]}, "too small"),
    ({"d": [np.nan, 1.0, 1.0]}, r"d \(obs\) holds nan at index \(0,\)"),
    ({"E": np.full((4, 2), np.inf)}, "E .* holds inf"),
    ({"E": np.ones((1, 2)), "Y": np.ones((1, 3))}, "at least 2 members"),
    ({"E": np.ones(3)}, "2 dimensions"),
    ({"E": "abc"}, "array of numbers"),
    ({"inflation": 0.0}, "inflation must lie in"),
    ({"inflation": "big"}, "inflation must be a number"),
    ({"relaxation": 1.1}, "relaxation must lie in"),
    ({"threads": 0}, "threads must be"),
    ({"method": "enkf", "rng": "seed"}, "rng must be"),
])
def test_bad_input_is_a_sentence(change, text):
    E, _, Y, d, R = linear_problem(4, 3)
    with pytest.raises(InputError, match=text):
        analyse(**{"E": E, "Y": Y, "d": d, "R": R, **change})
