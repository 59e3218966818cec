"""Samplers against distributions that are known, against each other on a retention curve, and against a restart."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.assimilate.sampling import SAMPLERS, Chains, autocorrelation_time, build_sampler, convergence, sample
from pyland.assimilate.sampling.chains import reflect
from pyland.base.errors import InputError, StateError

MEAN = np.array([1.0, -2.0, 3.0])
COVARIANCE = np.array([[2.0, 1.2, 0.0], [1.2, 1.5, -0.3], [0.0, -0.3, 0.5]])
PRECISION = np.linalg.inv(COVARIANCE)


def gaussian(points):
    apart = points - MEAN
    return -0.5 * np.einsum("ni,ij,nj->n", apart, PRECISION, apart)


def scattered(count=20, size=3, seed=0):
    return np.random.default_rng(seed).normal(0.0, 3.0, (count, size))


@pytest.mark.parametrize("method", SAMPLERS)
def test_sampler_finds_a_normal_distribution(method):
    options = {"covariance": 1.9 * COVARIANCE} if method == "metropolis" else {}
    chains = sample(gaussian, scattered(), 1200, method=method, seed=3, **options)
    draws = chains.after(300)
    judged = convergence(draws)
    assert judged.r_hat.max() < 1.08  # twenty short chains; walkers of the stretch move are not independent
    flat = draws.reshape(-1, 3)
    deviation = np.sqrt(np.diag(COVARIANCE))
    tolerance = 4.0 / np.sqrt(judged.bulk_size)  # four standard errors
    assert (np.abs(flat.mean(axis=0) - MEAN) < tolerance * deviation).all()
    scale = np.outer(deviation, deviation)
    assert np.abs((np.cov(flat.T) - COVARIANCE) / scale).max() < 8.0 / np.sqrt(judged.bulk_size.min())
    assert 0.1 < chains.acceptance.mean() < 0.8


@pytest.mark.parametrize("method", SAMPLERS)
def test_bounds_hold_a_uniform_distribution(method):
    """Mean 1/2 and variance 1/12 in a box: reflection and rejection at the bounds leave no trace."""
    start = np.random.default_rng(2).uniform(0.0, 1.0, (20, 2))
    calls = []

    def flat(points):
        calls.append(points)
        return np.zeros(len(points))

    draws = sample(flat, start, 800, method=method, seed=1, low=np.zeros(2), high=np.ones(2)).after(100).reshape(-1, 2)
    assert all(((one >= 0.0) & (one <= 1.0)).all() for one in calls)
    np.testing.assert_allclose(draws.mean(axis=0), 0.5, atol=0.03)
    np.testing.assert_allclose(draws.var(axis=0), 1.0 / 12.0, atol=0.006)


def test_scale_of_the_adapted_proposal_stays_bounded():
    """Between bounds every move on a flat density is accepted; a scale without a bound lost all digits at 1e23."""
    start = np.random.default_rng(3).uniform(0.0, 1.0, (40, 2))
    chains = sample(lambda points: np.zeros(len(points)), start, 2500, method="adaptive_metropolis", seed=5,
                    low=np.zeros(2), high=np.ones(2))
    assert abs(float(chains.walkers.memory["log_scale"])) <= 4.0
    late = chains.after(2000).reshape(-1, 2)
    shares = np.histogram(late[:, 0], [0.0, 0.01, 0.05, 0.5, 0.95, 0.99, 1.0])[0] / len(late)
    np.testing.assert_allclose(shares, [0.01, 0.04, 0.45, 0.45, 0.04, 0.01], atol=0.02)


def test_dream_weighs_two_modes():
    """Two normal modes, ten deviations apart, a third and two thirds of the mass (Vrugt et al. 2009, case 2)."""
    def density(points):
        near = [np.log(share) - 0.5 * ((points - place) ** 2).sum(axis=1) for share, place in ((1 / 3, -5), (2 / 3, 5))]
        return np.logaddexp(*near)

    start = np.random.default_rng(1).normal(0.0, 6.0, (20, 2))
    draws = sample(density, start, 1500, method="dream", seed=5).after(300)
    assert (draws[..., 0] > 0.0).mean() == pytest.approx(2 / 3, abs=0.05)


@pytest.mark.parametrize("method", SAMPLERS)
def test_restart_after_any_generation_has_the_bits_of_one_piece(method):
    start, kept = scattered(), []
    whole = sample(gaussian, start, 60, method=method, seed=7, after_each=kept.append)
    assert len(kept) == 60
    for stop in (1, 33, 59):
        state = {name: np.array(values) for name, values in kept[stop - 1].state().items()}
        again = sample(gaussian, start, 60, method=method, seed=7, resumed=Chains.from_state(state))
        np.testing.assert_array_equal(again.draws, whole.draws)
        np.testing.assert_array_equal(again.log_densities, whole.log_densities)
        for name, values in whole.state().items():
            np.testing.assert_array_equal(again.state()[name], values)
    other = sample(gaussian, start, 60, method=method, seed=8)
    assert (other.draws != whole.draws).any()


def test_failed_points_are_rejected_and_impossible_starts_are_told():
    def half(points):
        return np.where(points[:, 0] > 0.0, -0.5 * (points**2).sum(axis=1), np.nan)

    start = np.abs(scattered(10, 2))
    draws = sample(half, start, 300, method="stretch", seed=1).draws
    assert (draws[..., 0] > 0.0).all()
    with pytest.raises(StateError, match="chain 0 starts where the density is zero"):
        sample(half, -start, 10)
    with pytest.raises(StateError, match=r"got \+inf"):
        sample(lambda points: np.full(len(points), np.inf), start, 10)
    with pytest.raises(InputError, match="expected 10 numbers for 10 points"):
        sample(lambda points: np.zeros(3), start, 10)
    with pytest.raises(InputError, match="expected options stretch, low, high, got 'pairs'"):
        build_sampler("stretch", start, pairs=2)
    with pytest.raises(InputError, match="symmetric, positive definite"):
        build_sampler("metropolis", start, covariance=[[1.0, 2.0], [2.0, 1.0]])
    with pytest.raises(InputError, match="even number of chains"):
        sample(half, start[:3], 5, method="stretch")
    with pytest.raises(InputError, match="resumed chains: expected 10 chains"):
        sample(half, start, 5, resumed=sample(half, start[:9], 3))


def test_reflection_folds_as_often_as_needed():
    low, high = np.array([0.0, -np.inf, 1.0]), np.array([1.0, 2.0, np.inf])
    points = np.array([[-0.25, 2.5, 0.0], [2.25, -7.0, 5.0], [-3.1, 3.0, 0.9]])
    np.testing.assert_allclose(reflect(points, low, high), [[0.25, 1.5, 2.0], [0.25, -7.0, 5.0], [0.9, 1.0, 1.1]])


# ---- a retention curve with four parameters ------------------------------------------------------------

HEADS = np.geomspace(1.0, 15000.0, 24)
"""Suction [cm]."""

SIGMA = 0.01
"""Error of the water content [m3 m-3]."""

TRUTH = np.array([0.10, 0.42, -1.85, -0.22])
"""Residual and saturated water [m3 m-3], log10 alpha [cm-1], log10(n - 1) [1]."""

LOW, HIGH = np.array([0.0, 0.3, -4.0, -1.5]), np.array([0.25, 0.6, 0.0, 0.7])

POSTERIOR_MEAN = np.array([0.08605, 0.42315, -1.81949, -0.2756])
POSTERIOR_STD = np.array([0.01219, 0.00396, 0.05796, 0.05808])
"""By emcee 3.1.6: 32 walkers, 20000 steps, 2000 of them burn-in; to 2 % of a standard deviation."""


def retention(points):
    residual, full, log_alpha, log_n = (points[:, place, None] for place in range(4))
    n = 1.0 + 10.0**log_n
    return residual + (full - residual) * (1.0 + (10.0**log_alpha * HEADS) ** n) ** (1.0 / n - 1.0)


WATER = retention(TRUTH[None])[0] + SIGMA * np.random.default_rng(11).standard_normal(HEADS.size)


def retention_density(points):
    inside = ((points >= LOW) & (points <= HIGH)).all(axis=1)
    safe = np.clip(points, LOW, HIGH)
    return np.where(inside, -0.5 * ((WATER - retention(safe)) ** 2).sum(axis=1) / SIGMA**2, -np.inf)


FIRST_PROPOSAL = np.array([0.01, 0.01, 0.1, 0.1]) ** 2
"""Variances of a proposal that a user would guess: a hundredth and a tenth of the units."""


@pytest.fixture(scope="module")
def retention_runs():
    start = TRUTH + 0.2 * np.sqrt(FIRST_PROPOSAL) * np.random.default_rng(3).standard_normal((8, 4))
    return {
        "metropolis": sample(retention_density, start, 4000, method="metropolis", seed=1, covariance=FIRST_PROPOSAL),
        "adaptive_metropolis": sample(retention_density, start, 3000, method="adaptive_metropolis", seed=1,
                                      covariance=FIRST_PROPOSAL, delay=100, low=LOW, high=HIGH),
        "dream": sample(retention_density, start, 2500, method="dream", seed=1, low=LOW, high=HIGH,
                        archive=np.random.default_rng(4).uniform(LOW, HIGH, (40, 4))),
    }


def test_adaptation_mixes_three_times_better(retention_runs):
    """observations.md, section 4: 44 to 209 against 14 to 17 generations."""
    times = {}
    for name in ("metropolis", "adaptive_metropolis"):
        draws = retention_runs[name].after(1000)
        times[name] = np.array([autocorrelation_time(draws[..., place]) for place in range(4)])
    assert (times["adaptive_metropolis"] < 22.0).all()
    assert times["metropolis"].max() > 3.0 * times["adaptive_metropolis"].max()
    assert times["metropolis"].mean() > 3.0 * times["adaptive_metropolis"].mean()
    assert 0.2 < retention_runs["adaptive_metropolis"].acceptance.mean() < 0.4


@pytest.mark.parametrize("name", ["adaptive_metropolis", "dream"])
def test_retention_posterior_is_that_of_emcee(retention_runs, name):
    kept = retention_runs[name].after(1000)
    draws, error = kept.reshape(-1, 4), 4.0 / np.sqrt(convergence(kept).bulk_size)
    assert (np.abs(draws.mean(axis=0) - POSTERIOR_MEAN) < error * POSTERIOR_STD).all() and error.max() < 0.4
    assert (np.abs(draws.std(axis=0) / POSTERIOR_STD - 1.0) < error).all()
    assert (np.abs(draws.mean(axis=0) - TRUTH) < 3.0 * draws.std(axis=0)).all()


@pytest.mark.slow
def test_emcee_finds_the_frozen_posterior():
    emcee = pytest.importorskip("emcee", reason="emcee is not installed (extra crosscheck)")
    start = TRUTH + 0.2 * np.sqrt(FIRST_PROPOSAL) * np.random.default_rng(3).standard_normal((32, 4))
    sampler = emcee.EnsembleSampler(32, 4, retention_density, vectorize=True)
    sampler.run_mcmc(emcee.State(start, random_state=np.random.mtrand.RandomState(1).get_state()), 3000)
    draws = sampler.get_chain(discard=500, flat=True)
    assert (np.abs(draws.mean(axis=0) - POSTERIOR_MEAN) < 0.15 * POSTERIOR_STD).all()


def test_intervals_cover_the_truth_as_often_as_they_say():
    """Fifty small problems: a growth rate with a log-normal prior, five observations; 90 % intervals."""
    rng, inside = np.random.default_rng(8), []
    times = np.arange(1.0, 6.0)
    for problem in range(50):
        truth = rng.standard_normal(2)
        noise = 0.3 * rng.standard_normal(times.size)

        def predict(points):
            return np.exp(0.3 * points[:, :1]) + 0.5 * points[:, 1:] * times / 5.0

        observed = predict(truth[None])[0] + noise

        def density(points, observed=observed, predict=predict):
            return -0.5 * ((observed - predict(points)) ** 2).sum(axis=1) / 0.09 - 0.5 * (points**2).sum(axis=1)

        start = rng.standard_normal((24, 2))
        draws = sample(density, start, 150, method="adaptive_metropolis", seed=problem, delay=20).after(50)
        draws = draws.reshape(-1, 2)
        low, high = np.quantile(draws, (0.05, 0.95), axis=0)
        inside += list((truth > low) & (truth < high))
    assert 0.81 < np.mean(inside) < 0.99  # 100 draws of 0.9: three standard deviations of 0.03
