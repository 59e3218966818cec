"""Departures, estimates of errors, memory of innovations, budgets: linear problems with known answers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pyland.base.errors import InputError
from pyland.diagnose import (
    degrees_of_freedom_for_signal,
    departure_statistics,
    desroziers,
    effective_sample_size,
    ensemble_moments,
    innovation_autocorrelation,
    likelihood_weights,
    observed_degrees_of_freedom,
    reliability_budget,
    spread_error,
    spread_skill,
)


def scalar_analyses(n=200_000, forecast=0.8, observation=0.5, assumed_forecast=None, assumed_observation=None, seed=1):
    """O-F and O-A of scalar analyses with true and assumed standard deviations."""
    rng = np.random.default_rng(seed)
    b, r = assumed_forecast or forecast, assumed_observation or observation
    innovation = observation * rng.standard_normal(n) - forecast * rng.standard_normal(n)
    return innovation, innovation * r**2 / (b**2 + r**2), np.full(n, b), np.full(n, r)


def test_departures_by_hand():
    found = departure_statistics([3.0, -1.0], [1.0, -1.0], [2.0, 0.0], [0.0, 1.0])
    assert found["n"] == 2 and found["innovation_mean"] == 1.0 and found["innovation_std"] == 2.0
    assert found["innovation_rmse"] == pytest.approx(np.sqrt(5.0)) and found["residual_rmse"] == 1.0
    assert found["expected_innovation_std"] == pytest.approx(np.sqrt(2.5))
    assert found["chi2"] == pytest.approx((9 / 4 + 1) / 2)
    assert departure_statistics([], [], [], [])["n"] == 0


def test_desroziers_recovers_the_errors():
    found = desroziers(*scalar_analyses())
    assert found["observation_error"] == pytest.approx(0.5, rel=0.01)
    assert found["forecast_spread"] == pytest.approx(0.8, rel=0.01)
    assert found["analysis_variance"] == pytest.approx(0.8**2 * 0.5**2 / (0.8**2 + 0.5**2), rel=0.02)
    assert found["observation_ratio"] == pytest.approx(1.0, abs=0.02)
    assert found["forecast_ratio"] == pytest.approx(1.0, abs=0.02)


def test_desroziers_shares_the_innovations_by_the_gain_that_was_used():
    """A wrong common factor is found; a wrong ratio is not, but both ratios tell that the sum is wrong."""
    halved = desroziers(*scalar_analyses(assumed_forecast=0.4, assumed_observation=0.25))
    assert halved["observation_ratio"] == pytest.approx(4.0, rel=0.02)
    assert halved["forecast_ratio"] == pytest.approx(4.0, rel=0.02)


def test_desroziers_of_a_field_recovers_r_and_hbh():
    """Ten places with correlated errors of the forecast, an optimal gain: the diagonals in the mean."""
    rng = np.random.default_rng(3)
    distance = np.abs(np.subtract.outer(np.arange(10), np.arange(10)))
    covariance, noise = 0.64 * np.exp(-distance / 3.0), 0.25 * np.eye(10)
    gain = covariance @ np.linalg.inv(covariance + noise)
    d = rng.multivariate_normal(np.zeros(10), covariance + noise, 20_000)
    after = d - d @ gain.T
    found = desroziers(d.ravel(), after.ravel(), np.full(d.size, 0.8), np.full(d.size, 0.5))
    assert found["observation_variance"] == pytest.approx(0.25, rel=0.02)
    assert found["forecast_variance"] == pytest.approx(0.64, rel=0.02)
    posterior = covariance - gain @ covariance
    assert found["analysis_variance"] == pytest.approx(np.diag(posterior).mean(), rel=0.03)


def test_a_bias_is_taken_out_unless_asked_for():
    innovation, residual, spread, error = scalar_analyses()
    share = residual[0] / innovation[0]
    shifted = innovation + 2.0, residual + 2.0 * share, spread, error
    assert desroziers(*shifted)["observation_error"] == pytest.approx(0.5, rel=0.01)
    plain = desroziers(*shifted, without_bias=False)["observation_variance"]
    assert plain == pytest.approx(0.25 + 4.0 * share, rel=0.02)


def test_a_negative_estimate_has_no_root():
    found = desroziers([1.0, -1.0], [-1.0, 1.0], [1.0, 1.0], [1.0, 1.0])
    assert found["observation_variance"] == -1.0 and np.isnan(found["observation_error"])
    assert np.isnan(desroziers([1.0, -1.0], [0.0, 0.0], [0.0, 0.0], [1.0, 1.0])["forecast_ratio"])


def test_memory_of_innovations():
    """A first-order process of 0.6 at each of 50 places, and white noise."""
    rng = np.random.default_rng(4)
    steps, places = 400, 50
    series = np.zeros((steps, places))
    for k in range(1, steps):
        series[k] = 0.6 * series[k - 1] + rng.standard_normal(places)
    step, place = np.meshgrid(np.arange(steps), np.arange(places), indexing="ij")
    found = innovation_autocorrelation(series.ravel(), step.ravel(), place.ravel(), lags=3)
    assert found["correlation"] == pytest.approx([0.6, 0.36, 0.216], abs=0.03)
    assert found["pairs"] == [(steps - k) * places for k in (1, 2, 3)]
    white = innovation_autocorrelation(rng.standard_normal(steps * places), step.ravel(), place.ravel(), lags=3)
    assert np.abs(white["correlation"]).max() < 1.7 * white["white_limit"][0]  # 3.3 standard deviations
    assert white["white_limit"][0] == pytest.approx(1.96 / np.sqrt(399 * 50))


def test_memory_with_gaps_and_any_order_by_hand():
    """One place at the steps 0, 1, 3 and another at 0, 2; pairs (0,1) at lag 1, (1,3) and (0,2) at lag 2."""
    values, step, place = [1.0, 2.0, 6.0, 1.0, 3.0], [10, 11, 13, 10, 12], [7, 7, 7, 2, 2]
    found = innovation_autocorrelation(values, step, place, lags=3)
    a, b = np.array([-2.0, -1.0, 3.0]), np.array([-1.0, 1.0])
    two = (a[1] * a[2] + b[0] * b[1]) / np.sqrt((a[1] ** 2 + b[0] ** 2) * (a[2] ** 2 + b[1] ** 2))
    assert found["correlation"] == pytest.approx([1.0, two, -1.0]) and found["pairs"] == [1, 2, 1]
    order = [3, 0, 4, 2, 1]
    again = innovation_autocorrelation(*(np.array(one)[order] for one in (values, step, place)), lags=3)
    assert again["correlation"] == pytest.approx(found["correlation"])
    assert innovation_autocorrelation([np.nan], [1], [1])["pairs"] == [0] * 5
    with pytest.raises(InputError, match="lags of 1 or more, got 0"):
        innovation_autocorrelation([1.0], [1], [1], lags=0)


def reliable(steps=300, places=40, members=10, spread=0.7, error=0.4, seed=5):
    """Observations of a truth that is exchangeable with the members."""
    rng = np.random.default_rng(seed)
    ensemble = spread * rng.standard_normal((members, steps * places))
    observed = spread * rng.standard_normal(steps * places) + error * rng.standard_normal(steps * places)
    step, place = (one.ravel() for one in np.meshgrid(np.arange(steps), np.arange(places), indexing="ij"))
    return observed - ensemble.mean(axis=0), ensemble.std(axis=0, ddof=1), np.full(step.size, error), step, place


def test_the_budget_of_a_reliable_ensemble_closes():
    d, s, sigma, step, place = reliable()
    found = reliability_budget(d, s, sigma, 10, step, place)
    assert abs(found["residual"]) < 3.3 * found["residual_error"] < 0.1 * found["departure_squared"]
    assert found["ensemble_variance"] == pytest.approx(1.1 * 0.49, rel=0.03)
    assert found["observation_variance"] == pytest.approx(0.16)
    terms = ("bias_squared", "ensemble_variance", "observation_variance", "residual")
    assert found["departure_squared"] == pytest.approx(sum(found[name] for name in terms))
    narrow = reliability_budget(d, 0.5 * s, sigma, 10, step, place)
    assert narrow["residual"] == pytest.approx(0.75 * 1.1 * 0.49, rel=0.1)
    assert narrow["residual"] > 10.0 * narrow["residual_error"]


def test_the_budget_takes_the_bias_of_each_place():
    d, s, sigma, step, place = reliable()
    shift = np.where(place % 2 == 0, 1.0, -1.0)
    found = reliability_budget(d + shift, s, sigma, 10, step, place)
    plain = reliability_budget(d, s, sigma, 10, step, place)
    assert found["bias_squared"] == pytest.approx(1.0, abs=0.02)
    assert found["residual"] == pytest.approx(plain["residual"], abs=1e-12)


def test_the_budget_by_hand():
    found = reliability_budget([1.0, 3.0, 9.0], [1.0, 1.0, 5.0], [0.0, 2.0, 1.0], 2, [0, 1, 0], [4, 4, 8])
    assert found["n"] == 2 and found["places"] == 1  # the other place was seen once
    assert found["departure_squared"] == 2.0 * 5.0 and found["bias_squared"] == 2.0 * 4.0
    assert found["ensemble_variance"] == 1.5 and found["observation_variance"] == 2.0
    assert found["residual"] == pytest.approx(10.0 - 8.0 - 1.5 - 2.0) and np.isnan(found["residual_error"])
    assert reliability_budget([], [], [], 2, [], [])["n"] == 0


def test_the_uncertainty_of_the_residual_knows_of_memory():
    """Means of 200 series of a first-order process scatter as the estimate of one says."""
    rng = np.random.default_rng(6)
    steps, errors, means = 400, [], []
    for _ in range(200):
        d = np.zeros(steps)
        for k in range(1, steps):
            d[k] = 0.7 * d[k - 1] + rng.standard_normal()
        found = reliability_budget(d, np.ones(steps), np.zeros(steps), None, np.arange(steps), np.zeros(steps))
        errors.append(found["residual_error"])
        means.append(found["residual"])
    assert np.mean(errors) == pytest.approx(np.std(means), rel=0.25)


def test_spread_and_error_of_a_reliable_ensemble():
    d, s, sigma, *_ = reliable(steps=1000)
    found = spread_error(d, s, sigma, 10)
    assert found["ratio"] == pytest.approx(1.0, abs=0.03) and found["total_ratio"] == pytest.approx(1.0, abs=0.02)
    assert found["spread"] == pytest.approx(np.sqrt(1.1) * 0.7, rel=0.02)
    assert spread_error(d, 0.5 * s, sigma, 10)["ratio"] == pytest.approx(0.5, abs=0.02)
    assert np.isnan(spread_error(0.01 * d, s, sigma, 10)["ratio"])
    assert spread_error(d, s, sigma, None)["spread"] == pytest.approx(np.sqrt(np.mean(s**2)))
    with pytest.raises(InputError, match="at least 2 members, got 1"):
        spread_error(d, s, sigma, 1)


def test_an_ensemble_that_knows_when_it_is_uncertain():
    rng = np.random.default_rng(7)
    spread = rng.uniform(0.2, 2.0, 50_000)
    found = spread_skill(spread * rng.standard_normal(spread.size), spread, np.zeros(spread.size), None, bins=8)
    assert found["found"] == pytest.approx(found["expected"], rel=0.05)
    assert found["slope"] == pytest.approx(1.0, abs=0.05) and found["intercept"] == pytest.approx(0.0, abs=0.05)
    assert sum(found["count"]) == spread.size and max(found["count"]) - min(found["count"]) <= 1
    blind = spread_skill(rng.standard_normal(spread.size), spread, np.zeros(spread.size), None)
    assert blind["slope"] == pytest.approx(0.0, abs=0.05)


def test_equal_promises_share_a_bin():
    """A flat ensemble promises the same everywhere: bins may not sort the observations by what was found."""
    found = spread_skill(np.linspace(-1.0, 1.0, 60), np.zeros(60), np.ones(60), 5)
    assert found["count"] == [60] and np.isnan(found["slope"])
    mixed = spread_skill(np.arange(6.0), [0.0, 0.0, 0.0, 1.0, 2.0, 3.0], np.ones(6), None, bins=3)
    assert sum(mixed["count"]) == 6 and mixed["count"][0] == 3
    assert mixed["found"][0] == pytest.approx(np.sqrt(5 / 3))
    with pytest.raises(InputError, match="at least 2 bins"):
        spread_skill([1.0], [1.0], [1.0], 5, bins=1)


def test_degrees_of_freedom_of_a_linear_analysis():
    """An ensemble whose covariance is that of the problem: tr(H K), from its posterior and from departures."""
    rng = np.random.default_rng(8)
    distance = np.abs(np.subtract.outer(np.arange(6), np.arange(6)))
    covariance, noise = np.exp(-distance / 2.0), 0.3 * np.eye(6)
    gain = covariance @ np.linalg.inv(covariance + noise)
    posterior = np.sqrt(np.diag(covariance - gain @ covariance))
    error = np.sqrt(np.diag(noise))
    assert degrees_of_freedom_for_signal(posterior, error) == pytest.approx(np.trace(gain))
    d = rng.multivariate_normal(np.zeros(6), covariance + noise, 50_000)
    after = d - d @ gain.T
    seen = observed_degrees_of_freedom(d.ravel(), after.ravel(), np.tile(error, len(d))) / len(d)
    assert seen == pytest.approx(np.trace(gain), rel=0.02)
    with pytest.raises(InputError, match="above 0"):
        degrees_of_freedom_for_signal([1.0], [0.0])


def test_effective_sample_size():
    assert effective_sample_size(np.full(20, 0.05)) == pytest.approx(20.0)
    assert effective_sample_size([0.0, 7.0, 0.0]) == 1.0
    assert effective_sample_size([2.0, 1.0, 1.0]) == pytest.approx(16.0 / 6.0)
    assert effective_sample_size([1e-200, 1e-200]) == pytest.approx(2.0)
    for wrong in ([], [0.0], [-1.0, 2.0], [np.nan]):
        with pytest.raises(InputError, match="not all 0"):
            effective_sample_size(wrong)


def test_likelihood_weights_are_those_of_normal_errors():
    members, observed = np.array([[0.0, 1.0], [1.0, 1.0], [4.0, 9.0]]), np.array([0.5, 2.0])
    density = stats.norm.pdf(observed, members, [0.5, 2.0]).prod(axis=1)
    assert likelihood_weights(members, observed, [0.5, 2.0]) == pytest.approx(density / density.sum())
    far = likelihood_weights(members, observed, 1e-3)  # all densities underflow
    assert far.sum() == pytest.approx(1.0) and effective_sample_size(far) >= 1.0
    assert likelihood_weights(members[:, :0], [], 1.0) == pytest.approx([1 / 3] * 3)
    with pytest.raises(InputError, match="not finite"):
        likelihood_weights(members, [np.nan, 1.0], 1.0)


def test_moments():
    rng = np.random.default_rng(9)
    values = rng.gamma(2.0, 1.0, (12, 7))
    found = ensemble_moments(values)
    assert found["mean"] == pytest.approx(values.mean(0)) and found["spread"] == pytest.approx(values.std(0, ddof=1))
    assert found["skewness"] == pytest.approx(stats.skew(values))
    assert found["kurtosis"] == pytest.approx(stats.kurtosis(values))
    mixed = ensemble_moments(rng.permuted(values, axis=0))
    assert all(np.array_equal(found[name], mixed[name]) for name in found)
    assert np.allclose(ensemble_moments(values.T, axis=1)["skewness"], found["skewness"])
    many = ensemble_moments(rng.standard_normal((20, 100_000)))
    assert many["kurtosis"].mean() == pytest.approx(-6.0 / 21.0, abs=0.02)
    flat = ensemble_moments(np.full((3, 2), 0.1))
    assert np.isnan(flat["skewness"]).all() and (flat["spread"] < 1e-15).all()
    with pytest.raises(InputError, match="at least 2 members"):
        ensemble_moments(values[:1])
