"""Serial filters, the rank histogram filter and localised covariances against NumPy and against Bayes."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.assimilate import analyse, analyse_local, localisation_weights
from pyland.base.errors import InputError


def problem(nmember=12, nstate=30, nobs=17, seed=1):
    rng = np.random.default_rng(seed)
    places, where = rng.uniform(0.0, 100.0, (nstate, 2)), rng.uniform(0.0, 100.0, (nobs, 2))
    E = rng.standard_normal((nmember, nstate))
    H = rng.standard_normal((nstate, nobs)) / np.sqrt(nstate)
    return E, E @ H, rng.standard_normal(nobs), rng.uniform(0.2, 2.0, nobs), places, where


def serial(E, Y, d, R, weight_state, weight_obs):
    """EnSRF of Whitaker and Hamill (2002), observation by observation, on the joint vector of state and predictions."""
    Z, n = np.concatenate([E, Y], axis=1), len(E)
    nstate = E.shape[1]
    for j in range(len(d)):
        mean, y = Z.mean(axis=0), Z[:, nstate + j]
        anomalies, own = Z - mean, y - y.mean()
        variance = own @ own / (n - 1)
        gain = anomalies.T @ own / (n - 1) / (variance + R[j])
        gain *= np.concatenate([weight_state[:, j], weight_obs[:, j]])
        alpha = 1.0 / (1.0 + np.sqrt(R[j] / (variance + R[j])))
        Z = mean + gain * (d[j] - y.mean()) + anomalies - alpha * np.outer(own, gain)
    return Z[:, :nstate]


@pytest.mark.parametrize("method", ["lensrf", "leakf"])
@pytest.mark.parametrize("radius", [15.0, 60.0, np.inf])
def test_localised_serial_filter(method, radius):
    E, Y, d, R, places, where = problem()
    near = localisation_weights(np.linalg.norm(places[:, None] - where[None], axis=2), radius)
    among = localisation_weights(np.linalg.norm(where[:, None] - where[None], axis=2), radius)
    A = analyse_local(E, Y, d, R, places, where, radius, method)
    np.testing.assert_allclose(A, serial(E, Y, d, R, near, among), rtol=0, atol=1e-12)


def test_serial_filter_over_depth():
    E, Y, d, R, places, where = problem()
    rng = np.random.default_rng(5)
    depth, seen = rng.uniform(0.0, 2.0, 30), rng.uniform(0.0, 2.0, 17)
    seen[3] = np.nan

    def product(a, za, b, zb):
        over = np.nan_to_num(np.abs(za[:, None] - zb[None]))
        return localisation_weights(np.linalg.norm(a[:, None] - b[None], axis=2), 60.0) * np.where(
            np.isnan(za[:, None] - zb[None]), 1.0, localisation_weights(over, 1.0))

    A = analyse_local(E, Y, d, R, places, where, 60.0, "lensrf", depth_state=depth, depth_obs=seen, depth_radius=1.0)
    expected = serial(E, Y, d, R, product(places, depth, where, seen), product(where, seen, where, seen))
    np.testing.assert_allclose(A, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("nmember, nobs", [(12, 5), (6, 17), (2, 3)])
def test_global_serial_filter_has_the_moments_of_the_etkf(nmember, nobs):
    E, Y, d, R, _, _ = problem(nmember=nmember, nobs=nobs)
    A, B = analyse(E, Y, d, R, method="ensrf", inflation=1.1), analyse(E, Y, d, R, method="etkf", inflation=1.1)
    np.testing.assert_allclose(A.mean(axis=0), B.mean(axis=0), rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.cov(A.T), np.cov(B.T), rtol=0, atol=1e-12)


def test_serial_filter_with_correlated_errors():
    """Observations are made independent first, by a matrix of their own."""
    E, Y, d, _, _, _ = problem()
    L = np.tril(np.random.default_rng(2).standard_normal((17, 17))) + 3.0 * np.eye(17)
    A, B = analyse(E, Y, d, L @ L.T, method="eakf"), analyse(E, Y, d, L @ L.T, method="etkf")
    np.testing.assert_allclose(A.mean(axis=0), B.mean(axis=0), rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.cov(A.T), np.cov(B.T), rtol=0, atol=1e-12)


@pytest.mark.parametrize("radius", [20.0, 60.0])
def test_localised_covariances(radius):
    """K = (w o PH^T)(w o HPH^T + R)^-1 for the perturbations of the seed."""
    E, Y, d, R, places, where = problem()
    near = localisation_weights(np.linalg.norm(places[:, None] - where[None], axis=2), radius)
    among = localisation_weights(np.linalg.norm(where[:, None] - where[None], axis=2), radius)
    noise = np.random.default_rng(9).standard_normal(Y.shape)
    noise -= noise.mean(axis=0)
    x, y = E - E.mean(axis=0), Y - Y.mean(axis=0)
    gain = (near * (x.T @ y) / 11.0) @ np.linalg.inv(among * (y.T @ y) / 11.0 + np.diag(R))
    expected = E + (d + noise * np.sqrt(R) - Y) @ gain.T
    A = analyse_local(E, Y, d, R, places, where, radius, "lenkf", rng=9)
    np.testing.assert_allclose(A, expected, rtol=0, atol=1e-8)


def test_localised_covariances_without_radius_are_the_enkf():
    E, Y, d, R, places, where = problem()
    A = analyse_local(E, Y, d, R, places, where, np.inf, "lenkf", rng=9)
    np.testing.assert_allclose(A, analyse(E, Y, d, R, method="enkf", rng=9), rtol=0, atol=1e-8)
    B = analyse_local(E, Y, d, R, places, where, np.inf, "lenkf", localise="errors", rng=9)
    np.testing.assert_allclose(B, analyse(E, Y, d, R, method="enkf", rng=9), rtol=0, atol=1e-10)


def scalar(values, observed, error, bounds=None):
    """Rank histogram update of a directly observed scalar."""
    E = np.asarray(values, float)[:, None]
    return analyse(E, E, [observed], [error**2], method="rhf", bounds=bounds)[:, 0]


def test_rank_histogram_of_a_normal_ensemble_is_the_kalman_update():
    rng = np.random.default_rng(1)
    E = rng.standard_normal(20000)
    for observed, error in ((0.5, 1.0), (2.0, 0.5), (-1.0, 3.0)):
        A = scalar(E, observed, error)
        variance = 1.0 / (1.0 + error**-2)
        assert A.mean() == pytest.approx(variance * observed / error**2, abs=0.03)
        assert A.var() == pytest.approx(variance, rel=0.05)


def test_rank_histogram_of_two_modes():
    """Bayes: of two clusters the one that the observation speaks for keeps the members; a Kalman filter mixes them."""
    rng = np.random.default_rng(2)
    E = np.concatenate([rng.normal(-3.0, 0.3, 500), rng.normal(3.0, 0.3, 500)])
    A = scalar(E, 3.0, 1.0)
    assert (A > 1.5).mean() > 0.99
    assert ((A > -2.0) & (A < 2.0)).mean() < 0.01


def test_rank_histogram_quantiles_of_a_gamma_ensemble():
    """Posterior quantiles of a bounded skewed prior by quadrature."""
    rng = np.random.default_rng(3)
    E = rng.gamma(2.0, 1.0, 5000)
    A = np.sort(scalar(E, 0.5, 0.7, bounds=(0.0, np.inf)))
    x = np.linspace(0.0, 15.0, 20001)
    density = x * np.exp(-x) * np.exp(-0.5 * ((x - 0.5) / 0.7) ** 2)
    cumulative = np.cumsum(density) / density.sum()
    for share in (0.05, 0.25, 0.5, 0.75, 0.95):
        assert A[int(share * 5000)] == pytest.approx(x[np.searchsorted(cumulative, share)], abs=0.03)
    assert A.min() >= -1e-12


@pytest.mark.parametrize("observed", [-1e3, -2.0, 0.5, 3.0, 1e3])
@pytest.mark.parametrize("error", [1e-3, 0.1, 10.0])
@pytest.mark.parametrize("bounds", [None, (0.0, 1.0), (0.0, np.inf)])
def test_rank_histogram_keeps_order_bounds_and_numbers(observed, error, bounds):
    E = np.random.default_rng(4).uniform(0.0, 1.0, 24)
    E[3:7], E[10] = 0.0, 1.0  # ties, and members on the bounds
    A = scalar(E, observed, error, bounds)
    assert np.isfinite(A).all()
    assert (np.diff(A[np.argsort(E, kind="stable")]) >= -1e-9).all()  # rounding of the regression onto the state
    if bounds is not None:
        assert A.min() >= bounds[0] - 1e-9 and A.max() <= bounds[1] + 1e-9
    if bounds is None and abs(observed) < 10.0 and error < 0.5:
        assert abs(A.mean() - observed) < abs(E.mean() - observed) + 1e-12


def test_rank_histogram_goes_far():
    """An observation far outside: the tail is a normal one times the likelihood, as a Kalman update would go."""
    E = np.random.default_rng(5).standard_normal(40)
    A = scalar(E, 50.0, 1.0)
    assert 15.0 < A.mean() < 40.0


def test_rank_histogram_refuses_a_matrix():
    E, Y, d, _, _, _ = problem()
    with pytest.raises(InputError, match="list of variances"):
        analyse(E, Y, d, np.eye(17), method="rhf")
