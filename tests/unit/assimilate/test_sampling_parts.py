"""Convergence against arviz, priors against scipy, the likelihood against its covariance, screening against SALib."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pyland.assimilate.sampling import (
    LognormalPrior,
    NormalPrior,
    QuantilePrior,
    UniformPrior,
    autocorrelation_time,
    bulk_size,
    convergence,
    log_likelihood,
    morris_effects,
    morris_trajectories,
    r_hat,
    tail_size,
)
from pyland.base.errors import InputError


def autoregressive(persistence=0.6, draws=500, chains=4, seed=5):
    """Draws (draw, chain) of variance 1, the last chain shifted by half a deviation."""
    noise = np.random.default_rng(seed).standard_normal((draws, chains))
    out = np.empty_like(noise)
    out[0] = noise[0]
    for place in range(1, draws):
        out[place] = persistence * out[place - 1] + np.sqrt(1.0 - persistence**2) * noise[place]
    out[:, -1] += 0.5
    return out


ARVIZ = {"r_hat": 1.0256777109212905, "bulk": 423.6646236517914, "tail": 870.6720178127911}
"""arviz 0.23.4 for `autoregressive()`."""


def test_convergence_is_that_of_arviz():
    draws = autoregressive()
    assert r_hat(draws) == pytest.approx(ARVIZ["r_hat"], rel=1e-9)
    assert bulk_size(draws) == pytest.approx(ARVIZ["bulk"], rel=1e-9)
    assert tail_size(draws) == pytest.approx(ARVIZ["tail"], rel=1e-9)
    judged = convergence(np.stack([draws, draws**3], axis=2))
    assert judged.bulk_size[1] == pytest.approx(judged.bulk_size[0], rel=1e-9)  # ranks do not know the cube


@pytest.mark.slow
def test_convergence_beside_arviz_itself():
    arviz = pytest.importorskip("arviz", reason="arviz is not installed (extra calibrate)")
    for seed in range(5):
        draws = autoregressive(0.2 * seed - 0.3, 100 + 13 * seed, 2 + seed, seed)
        given = draws.T
        assert r_hat(draws) == pytest.approx(float(arviz.rhat(given)), rel=1e-9)
        assert bulk_size(draws) == pytest.approx(float(arviz.ess(given, method="bulk")), rel=1e-9)
        assert tail_size(draws) == pytest.approx(float(arviz.ess(given, method="tail")), rel=1e-9)


@pytest.mark.parametrize("persistence", [0.0, 0.5, 0.9])
def test_autocorrelation_time_of_an_autoregressive_process(persistence):
    draws = autoregressive(persistence, 20000, 4)
    assert autocorrelation_time(draws) == pytest.approx((1.0 + persistence) / (1.0 - persistence), rel=0.1)


def test_chains_that_stand_still_are_told_apart():
    stuck = np.repeat(np.arange(4.0)[None], 50, axis=0)
    assert not r_hat(stuck) <= 1.01
    assert np.isnan(autocorrelation_time(stuck))
    with pytest.raises(InputError, match="at least 8"):
        r_hat(stuck[:5])


# ---- priors ----------------------------------------------------------------------------------------------

PRIORS = [
    (NormalPrior(2.0, 3.0), stats.norm(2.0, 3.0)),
    (NormalPrior(0.4, 0.1, 0.2, 0.5), stats.truncnorm(-2.0, 1.0, 0.4, 0.1)),
    (LognormalPrior(1e-6, 1.5), stats.lognorm(1.5, scale=1e-6)),
    (UniformPrior(-1.0, 4.0), stats.uniform(-1.0, 5.0)),
    (UniformPrior(1e-7, 1e-4, True), stats.loguniform(1e-7, 1e-4)),
]


@pytest.mark.parametrize("prior, known", PRIORS)
def test_prior_has_the_quantiles_of_its_distribution(prior, known):
    z = np.linspace(-4.0, 4.0, 41)
    values = prior.from_standard(z)
    np.testing.assert_allclose(values, known.ppf(stats.norm.cdf(z)), rtol=1e-9)
    np.testing.assert_allclose(prior.to_standard(values), z, atol=1e-6)
    assert prior.median == pytest.approx(known.median(), rel=1e-9)


def test_cut_log_normal_and_quantiles():
    cut = LognormalPrior(1.5, 0.3, 1.05, 3.0)
    values = cut.from_standard(np.random.default_rng(1).standard_normal(20000))
    assert values.min() >= 1.05 and values.max() <= 3.0
    np.testing.assert_allclose(cut.to_standard(cut.from_standard([-1.0, 2.0])), [-1.0, 2.0], rtol=1e-9)
    given = QuantilePrior(0.10, 0.18, 0.31)
    np.testing.assert_allclose(given.from_standard(stats.norm.ppf([0.05, 0.5, 0.95])), [0.10, 0.18, 0.31], rtol=1e-12)
    logarithm = QuantilePrior(1e-7, 1e-6, 3e-5, True)
    np.testing.assert_allclose(logarithm.from_standard(stats.norm.ppf([0.05, 0.5, 0.95])), [1e-7, 1e-6, 3e-5],
                               rtol=1e-12)
    np.testing.assert_allclose(logarithm.to_standard(logarithm.from_standard([-2.0, 0.3])), [-2.0, 0.3], rtol=1e-9)
    assert np.isnan(UniformPrior(0.0, 1.0).to_standard(1.5)) and np.isnan(cut.to_standard(-1.0))
    for wrong in (lambda: NormalPrior(0.0, 0.0), lambda: UniformPrior(2.0, 1.0), lambda: QuantilePrior(1, 1, 2),
                  lambda: LognormalPrior(-1.0, 1.0), lambda: NormalPrior(0.0, 1e-3, 5.0, 6.0)):
        with pytest.raises(InputError):
            wrong()


# ---- likelihood ------------------------------------------------------------------------------------------

def test_likelihood_with_memory_is_that_of_its_covariance():
    rng = np.random.default_rng(2)
    times = np.cumsum(rng.uniform(0.3, 4.0, 12)) * 86400.0
    residuals, sigma, memory = rng.standard_normal((5, 12)), rng.uniform(0.5, 2.0, 12), 2.5 * 86400.0
    distance = np.abs(times[:, None] - times)
    covariance = np.exp(-distance / memory) * np.outer(sigma, sigma)
    known = stats.multivariate_normal(np.zeros(12), covariance).logpdf(residuals)
    np.testing.assert_allclose(log_likelihood(residuals, sigma, times, memory), known, rtol=1e-10)
    known = stats.norm(0.0, sigma).logpdf(residuals).sum(axis=1)
    np.testing.assert_allclose(log_likelihood(residuals, sigma), known, rtol=1e-12)
    each = np.array([0.5, 1.0, 2.0, 3.0, 4.0])[:, None]
    np.testing.assert_allclose(log_likelihood(residuals, each), stats.norm(0.0, each).logpdf(residuals).sum(axis=1),
                               rtol=1e-12)
    residuals[2, 3] = np.nan
    assert log_likelihood(residuals, sigma)[2] == -np.inf
    with pytest.raises(InputError, match="times that ascend"):
        log_likelihood(residuals, sigma, times[::-1], memory)
    with pytest.raises(InputError, match="above 0"):
        log_likelihood(residuals, 0.0)


# ---- screening -------------------------------------------------------------------------------------------

def product(points):
    """Known by hand: linear, quadratic, an interaction, and nothing."""
    return 3.0 * points[..., 0] - 2.0 * points[..., 1] ** 2 + 4.0 * points[..., 2] * points[..., 0]


SALIB = {
    "mu": [5.666666666666667, -1.9999999999999998, 2.444444444444444, 0.0],
    "mu_star": [5.666666666666667, 1.9999999999999998, 2.444444444444444, 0.0],
    "sigma": [1.3926212476455824, 0.6963106238227916, 1.3731430681184995, 0.0],
}
"""SALib 1.6.0, morris.analyze with the trajectories of the test; effects per unit of the range."""


def test_effects_are_those_of_salib():
    points = morris_trajectories(12, 4, rng=9)
    found = morris_effects(points, product(points))
    for name, known in SALIB.items():
        np.testing.assert_allclose(getattr(found, name)[0], known, rtol=1e-9, atol=1e-12)


def test_effects_of_a_linear_model_are_its_coefficients():
    points = morris_trajectories(6, 3, levels=6, candidates=60, rng=1)
    weights = np.array([[1.0, -2.0, 0.0], [0.5, 4.0, -1.0]])
    found = morris_effects(points, points @ weights.T)
    np.testing.assert_allclose(found.mu, weights, atol=1e-12)
    np.testing.assert_allclose(found.mu_star, np.abs(weights), atol=1e-12)
    np.testing.assert_allclose(found.sigma, 0.0, atol=1e-12)


def test_trajectories_move_each_parameter_once_on_the_grid():
    points = morris_trajectories(400, 5, levels=4, rng=3)
    steps = np.diff(points, axis=1)
    assert ((np.abs(steps) > 1e-9).sum(axis=2) == 1).all() and ((np.abs(steps) > 1e-9).sum(axis=1) == 1).all()
    np.testing.assert_allclose(np.abs(steps).max(axis=2), 2.0 / 3.0, rtol=1e-12)
    levels, counts = np.unique(points[:, 0].round(9), return_counts=True)
    np.testing.assert_allclose(levels, np.arange(4) / 3.0, atol=1e-8)
    assert (np.abs(counts / counts.sum() - 0.25) < 0.04).all()
    assert (steps > 0).sum() == pytest.approx(1000, abs=120)
    assert points.min() >= 0.0 and points.max() <= 1.0 + 1e-12


def test_chosen_trajectories_lie_farther_apart():
    def spread(points):
        gaps = points[:, None, :, None] - points[None, :, None, :]
        return np.sqrt((gaps**2).sum(axis=-1)).sum()

    plain = morris_trajectories(6, 3, rng=4)
    assert spread(morris_trajectories(6, 3, candidates=80, rng=4)) > 1.05 * spread(plain)
    broken = product(plain)
    broken[0, 1] = np.nan
    assert np.isfinite(morris_effects(plain, broken).mu).all()
    with pytest.raises(InputError, match="finite outputs throughout"):
        morris_effects(plain, np.full(plain.shape[:2], np.nan))
    with pytest.raises(InputError, match="even number of levels"):
        morris_trajectories(6, 3, levels=5)
