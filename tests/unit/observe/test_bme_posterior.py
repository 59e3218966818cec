"""Posterior of hard, Gaussian soft and interval data against quadrature of Bayes' formula, scipy and closed forms."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm, truncnorm

from pyland.base.errors import InputError
from pyland.observe.merging.bme_covariance import SpaceTimeCovariance
from pyland.observe.merging.bme_posterior import condition, target_posterior, truncated_moments

MEAN = 0.25
COVARIANCE = SpaceTimeCovariance((0.002, 0.001), (50e3, 400e3), (10.0, 60.0), 1e-4)
PLACES = np.array([0.0, 30e3, 55e3, 20e3])  # two hard data, one soft datum, the target [m]
DAYS = np.array([0.0, 3.0, 1.0, 1.0])
HARD = np.array([0.31, 0.27])


def _prior():
    return COVARIANCE(np.abs(PLACES[:, None] - PLACES), np.abs(DAYS[:, None] - DAYS))


def _by_quadrature(soft_density, lower, upper):
    """Integrate Bayes' formula over the soft datum, and over the target, in the joint density as it stands."""
    full = np.linalg.inv(_prior())

    node, weight = np.polynomial.legendre.leggauss(160)
    soft, soft_weight = lower + 0.5 * (upper - lower) * (node + 1), 0.5 * (upper - lower) * weight
    target = MEAN + 0.5 * node  # 0.25 +- 0.5: nine prior standard deviations
    hard = (np.full((160, 160), one) for one in HARD)
    away = np.stack([*hard, *np.meshgrid(soft, target, indexing="ij")]) - MEAN
    density = np.exp(-0.5 * np.einsum("ist,ij,jst->st", away, full, away, optimize=True))
    density *= (soft_density(soft) * soft_weight)[:, None] * weight
    density /= density.sum()
    first = (density * target).sum()
    return first, np.sqrt((density * (target - first) ** 2).sum())


def _conditioned(data, points, values, variance):
    prior = _prior()
    return condition(np.array(values)[None] - MEAN, np.array(variance)[None], prior[np.ix_(data, data)][None],
                     prior[np.ix_(data, points)][None], prior[np.ix_(points, points)][None])


def test_gaussian_soft_data_are_kriging_with_error_variances_to_1e_8():
    given = _conditioned([0, 1, 2], [3], [*HARD, 0.14], [0.0, 0.0, 0.04**2])
    first, spread = _by_quadrature(lambda x: norm.pdf(x, 0.14, 0.04), -0.3, 0.6)
    assert given.mean[0, 0] + MEAN == pytest.approx(first, abs=1e-8)
    assert np.sqrt(given.covariance[0, 0, 0]) == pytest.approx(spread, abs=1e-8)


def test_one_interval_agrees_with_quadrature_to_1e_8():
    given = _conditioned([0, 1], [2, 3], HARD, [0.0, 0.0])
    mean, variance, error = target_posterior(given, np.array([[0.10 - MEAN]]), np.array([[0.18 - MEAN]]))
    first, spread = _by_quadrature(np.ones_like, 0.10, 0.18)
    assert mean[0] + MEAN == pytest.approx(first, abs=1e-8)
    assert np.sqrt(variance[0]) == pytest.approx(spread, abs=1e-8)
    assert error[0] == 0.0


@pytest.mark.parametrize(("low", "high"), [(-1.0, 0.5), (2.0, 3.0), (-np.inf, -4.0), (5.0, np.inf), (30.0, 31.0),
                                           (0.0, 1e-3), (-np.inf, np.inf), (7.0, 7.001), (-45.0, -40.0)])
def test_moments_of_one_interval(low, high):
    found = truncated_moments(np.zeros((1, 1)), np.ones((1, 1, 1)), np.array([[low]]), np.array([[high]]))
    # scipy's own moments lose their digits in the tails, hence quadrature relative to the bound nearer to zero
    top = min(abs(low), abs(high)) if low * high > 0 else 0.0
    near, far = (low, high) if abs(low) < abs(high) else (high, low)
    if low * high > 0:
        width = min(abs(far - near), 60.0 / top)
        mass, one, two = (quad(lambda x, k=k: x**k * np.exp(-top * x - 0.5 * x**2), 0, width, epsabs=0, epsrel=1e-12,
                               limit=200)[0] for k in range(3))
        mean, variance = np.sign(near) * (top + one / mass), two / mass - (one / mass) ** 2
    else:
        mean, variance = truncnorm.stats(low, high, moments="mv") if high - low > 0.01 else ((low + high) / 2,
                                                                                            (high - low) ** 2 / 12)
    assert found.mean[0, 0] == pytest.approx(float(mean), rel=1e-7, abs=1e-9)
    assert found.covariance[0, 0, 0] == pytest.approx(float(variance), rel=1e-6)


def test_several_intervals_agree_with_quadrature_within_the_stated_error():
    covariance = np.array([[1.0, 0.6], [0.6, 1.0]])
    lower, upper = np.array([0.5, -np.inf]), np.array([2.0, -0.2])
    node, weight = np.polynomial.legendre.leggauss(200)
    x = 1.25 + 0.75 * node
    y = -4.1 + 3.9 * node  # -8 to -0.2
    inverse = np.linalg.inv(covariance)
    exponent = inverse[0, 0] * x[:, None] ** 2 + 2 * inverse[0, 1] * x[:, None] * y + inverse[1, 1] * y**2
    density = np.exp(-0.5 * exponent) * weight[:, None] * weight
    density /= density.sum()
    exact = np.array([(density * x[:, None]).sum(), (density * y).sum()])
    found = truncated_moments(np.zeros((1, 2)), covariance[None], lower[None], upper[None], seed=3)
    assert (found.error[0] < 4e-3).all()
    assert (np.abs(found.mean[0] - exact) < 4 * found.error[0] + 1e-6).all()
    assert found.covariance[0, 0, 1] == pytest.approx(
        (density * (x[:, None] - exact[0]) * (y - exact[1])).sum(), abs=2e-3)


def test_sampling_is_that_of_the_seed_and_of_each_target_alone():
    covariance = np.array([[[1.0, 0.5, 0.2], [0.5, 1.0, 0.1], [0.2, 0.1, 1.0]]] * 3)
    mean = np.array([[0.0, 0.1, 0.2], [0.5, -0.5, 0.0], [2.0, 1.0, -1.0]])
    lower, upper = mean * 0 - 0.3, mean * 0 + 0.4
    together = truncated_moments(mean, covariance, lower, upper, seed=5)
    alone = truncated_moments(mean[2:], covariance[2:], lower[2:], upper[2:], seed=5)
    other = truncated_moments(mean, covariance, lower, upper, seed=6)
    np.testing.assert_array_equal(together.mean[2:], alone.mean)
    assert not np.array_equal(together.mean, other.mean)
    np.testing.assert_allclose(together.mean, other.mean, atol=6 * together.error.max())


def test_intervals_that_are_far_away_or_say_nothing():
    covariance = np.array([[[1.0, 0.3], [0.3, 1.0]]])
    free = truncated_moments(np.zeros((1, 2)), covariance, np.full((1, 2), -np.inf), np.full((1, 2), np.inf))
    assert (np.abs(free.mean) < 4 * free.error).all() and (free.error < 5e-3).all()
    np.testing.assert_allclose(free.covariance, covariance, atol=3e-2)
    far = truncated_moments(np.zeros((1, 2)), covariance, np.array([[60.0, 60.0]]), np.array([[61.0, 61.0]]))
    assert (far.mean > 60.0).all() and (far.mean < 60.1).all()


def test_empty_slots_change_nothing():
    few = _conditioned([0, 1], [3], HARD, [0.0, 1e-4])
    more = _conditioned([0, 1, 2], [3], [*HARD, np.nan], [0.0, 1e-4, np.nan])
    np.testing.assert_allclose(more.mean, few.mean, rtol=1e-14)
    np.testing.assert_allclose(more.covariance, few.covariance, rtol=1e-13)
    assert more.weights[0, 0, 2] == 0.0


def test_hard_datum_at_the_target_is_returned():
    given = _conditioned([0, 1, 3], [3], [*HARD, 0.2], [1e-4, 1e-4, 0.0])
    assert given.mean[0, 0] + MEAN == pytest.approx(0.2, abs=1e-14)
    assert given.covariance[0, 0, 0] == pytest.approx(0.0, abs=1e-16)


def test_contradicting_or_reversed_bounds_are_refused():
    with pytest.raises(InputError, match="singular"):
        _conditioned([0, 0], [3], HARD, [0.0, 0.0])
    with pytest.raises(InputError, match="lower bound"):
        truncated_moments(np.zeros((1, 1)), np.ones((1, 1, 1)), np.ones((1, 1)), np.zeros((1, 1)))


def test_numbers_of_the_reference():
    """Shared observations.md: soft N(0.14, 0.04) gives 0.2370683 +- 0.04819, soft U[0.10, 0.18] 0.2270 +- 0.0473.

    The hard data behind them are not given. Soft datum and target given these have five moments; with a mean of 0.30
    and a standard deviation of 0.06 of the soft datum three are left, fitted to four numbers, the last of which is a
    check.
    """
    soft_mean, soft_variance, slope, target_mean, rest = 0.30, 0.06**2, 0.33322, 0.273985, 0.0022
    prior = np.array([[soft_variance, slope * soft_variance],
                      [slope * soft_variance, rest + slope**2 * soft_variance]])[None]
    gaussian = condition(np.array([[0.14 - soft_mean]]), np.array([[0.04**2]]), prior[:, :1, :1], prior[:, :1, 1:],
                         prior[:, 1:, 1:])
    assert target_mean + gaussian.mean[0, 0] == pytest.approx(0.2370683, abs=2e-5)
    assert np.sqrt(gaussian.covariance[0, 0, 0]) == pytest.approx(0.04819, abs=2e-5)
    free = condition(np.full((1, 1), np.nan), np.full((1, 1), np.nan), prior[:, :1, :1], prior[:, :1, :], prior)
    mean, variance, _ = target_posterior(free, np.array([[0.10 - soft_mean]]), np.array([[0.18 - soft_mean]]))
    assert target_mean + mean[0] == pytest.approx(0.2270, abs=6e-5)
    assert np.sqrt(variance[0]) == pytest.approx(0.0473, abs=6e-5)
