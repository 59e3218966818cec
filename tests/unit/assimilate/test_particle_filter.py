"""Particle filter against Bayes' rule, Kalman, PDAF and DAPPER."""

from __future__ import annotations

import numpy as np
import pytest
from lorenz import SAKOV_2012

from pyland.assimilate import ParticleFilter, analyse, particle_analysis, resample
from pyland.assimilate.particle_filter import RESAMPLINGS
from pyland.base.errors import InputError


def draw(nmember, nobs, nstate=5, seed=0):
    rng = np.random.default_rng(seed)
    E = rng.standard_normal((nmember, nstate))
    return E, E @ rng.standard_normal((nstate, nobs)), rng.standard_normal(nobs), rng.uniform(2.0, 6.0, nobs)


def bayes(prior, Y, d, R):
    logs = -0.5 * ((d - Y) ** 2 / R).sum(axis=1)
    weights = prior * np.exp(logs - logs.max())
    return weights / weights.sum()


# ---- resampling ---------------------------------------------------------------------------------


@pytest.mark.parametrize("resampling", RESAMPLINGS)
def test_expected_copies_are_those_of_the_weights(resampling):
    weights = np.array([0.0, 0.02, 0.5, 0.0, 0.23, 0.25, 0.0])
    n, rng, rounds = weights.size, np.random.default_rng(3), 4000
    copies = np.array([np.bincount(resample(weights, rng, resampling), minlength=n) for _ in range(rounds)])
    assert (copies.sum(axis=1) == n).all()
    np.testing.assert_allclose(copies.mean(axis=0), n * weights, atol=5.0 * np.sqrt(n / 4.0 / rounds))
    assert (copies[:, weights == 0.0] == 0).all()
    if resampling == "systematic":  # never off by one or more
        assert np.abs(copies - n * weights).max() < 1.0
    if resampling == "residual":  # whole parts are certain
        assert (copies >= np.floor(n * weights)).all()
    assert copies[:, 2].var() <= n * 0.25 * 1.2  # no worse than multinomial


@pytest.mark.parametrize("resampling", RESAMPLINGS)
def test_certain_cases(resampling):
    one = np.zeros(6)
    one[4] = 1.0
    np.testing.assert_array_equal(resample(one, 1, resampling), np.full(6, 4))
    if resampling != "multinomial":
        np.testing.assert_array_equal(resample(np.ones(6), 1, resampling), np.arange(6))
    tiny = resample([1e-320, 1.0, 1e-320], 5, resampling)
    np.testing.assert_array_equal(tiny, [1, 1, 1])


# ---- weights ------------------------------------------------------------------------------------


def test_weights_are_carried_by_bayes_rule():
    E, Y, d, R = draw(9, 4)
    particles = ParticleFilter(9, threshold=0.0)
    expected = np.full(9, 1.0 / 9.0)
    for shift in (0.0, 0.5, -0.3):
        expected = bayes(expected, Y, d + shift, R)
        A = particles.analyse(E, Y, d + shift, R, rng=1)
        np.testing.assert_array_equal(A, E)
        np.testing.assert_allclose(particles.weights, expected, rtol=1e-11, atol=1e-15)
    np.testing.assert_allclose(particles.mean(E), expected @ E, rtol=0, atol=1e-13)
    assert particles.effective_size == pytest.approx(1.0 / (expected**2).sum())
    assert not particles.resampled


def test_laplace_weights():
    E, Y, d, R = draw(9, 4)
    particles = ParticleFilter(9, threshold=0.0, likelihood="laplace")
    particles.analyse(E, Y, d, R)
    logs = -np.sqrt(2.0) * np.abs((d - Y) / np.sqrt(R)).sum(axis=1)
    expected = np.exp(logs - logs.max())
    np.testing.assert_allclose(particles.weights, expected / expected.sum(), rtol=1e-12)


def test_threshold():
    E, Y, d, R = draw(20, 4)
    size = 1.0 / (bayes(np.full(20, 0.05), Y, d, R) ** 2).sum()
    for threshold, resampled in ((size / 20.0 * 0.99, False), (size / 20.0 * 1.01, True), (1.0, True), (0.0, False)):
        particles = ParticleFilter(20, threshold=threshold)
        particles.analyse(E, Y, d, R, rng=1)
        assert particles.resampled == resampled
        assert (particles.weights == 0.05).all() == resampled


def test_restart_has_the_same_bits():
    E, Y, d, R = draw(12, 4)
    whole, part = ParticleFilter(12, threshold=0.3, jitter=1.0), ParticleFilter(12, threshold=0.3, jitter=1.0)
    A = whole.analyse(E, Y, d, 3.0 * R, rng=1)
    state = whole.state()
    assert not whole.resampled
    A = whole.analyse(A, Y, d + 1.0, R, rng=2)
    part.restore(state)
    state["weights"][:] = 0.0  # a copy was taken
    B = part.analyse(E, Y, d + 1.0, R, rng=2)
    np.testing.assert_array_equal(A, B)
    np.testing.assert_array_equal(whole.weights, part.weights)


def test_bounded_likelihood():
    """R is inflated until the likelihood leaves a share of the members."""
    E, Y, d, R = draw(40, 10)
    particles = ParticleFilter(40, threshold=0.0, least_effective=0.4)
    particles.analyse(E, Y, d + 50.0, 0.01 * R)
    assert particles.effective_size == pytest.approx(16.0, rel=1e-9)
    assert np.argmax(particles.weights) == np.argmax(bayes(np.full(40, 0.025), Y, d + 50.0, R * 1e4))


def test_members_far_from_the_observations():
    E, Y, d, R = draw(8, 3)
    for distance in (1e3, 1e10, 1e60):
        particles = ParticleFilter(8, threshold=0.0)
        particles.analyse(E, Y, d + distance, R)
        assert np.isfinite(particles.weights).all() and particles.weights.sum() == pytest.approx(1.0)
        A = particle_analysis(E, Y, d + distance, R, jitter=1.0, rng=1)
        assert np.isfinite(A).all() and (A.std(axis=0) > 0.0).all()
    flat = np.repeat(Y[:1], 8, axis=0)
    np.testing.assert_array_equal(particle_analysis(E, flat, d, R, rng=1), E)


def test_weights_that_vanish_leave_the_next_best():
    """A member that lost its weight stays without; the rest share what is left, however unlikely they are."""
    E, Y, _, _ = draw(4, 1)
    Y = np.array([[0.0], [1.0], [2.0], [3.0]])
    particles = ParticleFilter(4, threshold=0.0)
    particles.analyse(E, Y, [0.0], [1e-6])
    np.testing.assert_array_equal(particles.weights, [1.0, 0.0, 0.0, 0.0])
    particles.analyse(E, Y, [3.0], [1e-6])
    np.testing.assert_array_equal(particles.weights, [1.0, 0.0, 0.0, 0.0])


# ---- analysis -----------------------------------------------------------------------------------


def test_large_ensemble_is_kalman():
    nmember = 200_000
    rng = np.random.default_rng(1)
    E = rng.multivariate_normal([0.0, 1.0], [[1.0, 0.6], [0.6, 1.0]], size=nmember)
    A = particle_analysis(E, E[:, :1], [0.8], [0.5], rng=2)
    gain = np.array([1.0, 0.6]) / 1.5
    np.testing.assert_allclose(A.mean(axis=0), np.array([0.0, 1.0]) + 0.8 * gain, atol=0.01)
    covariance = np.array([[1.0, 0.6], [0.6, 1.0]]) - np.outer(gain, [1.0, 0.6])
    np.testing.assert_allclose(np.cov(A.T), covariance, atol=0.01)


@pytest.mark.parametrize("resampling", RESAMPLINGS)
def test_any_share_of_the_state_has_the_same_bits(resampling):
    E, Y, d, R = draw(11, 6, nstate=17)
    options = {"jitter": 1.5, "resampling": resampling}
    whole = particle_analysis(E, Y, d, R, rng=4, **options)
    for cut in (1, 2, 8, 16):
        parts = [particle_analysis(E[:, share], Y, d, R, rng=4, **options) for share in (slice(cut), slice(cut, None))]
        np.testing.assert_array_equal(np.hstack(parts), whole)
    np.testing.assert_array_equal(
        particle_analysis(np.asfortranarray(E), Y, d, R, rng=np.random.default_rng(4), **options), whole)


def test_jitter_moves_copies_by_the_kernel():
    """Noise on copies has the weighted covariance times the squared bandwidth; single members stay."""
    nmember, rounds = 6, 6000
    E, Y, d, R = draw(nmember, 2, nstate=3)
    w = bayes(np.full(nmember, 1.0 / nmember), Y, d, R)
    mean = w @ E
    C = (E - mean).T @ (w[:, None] * (E - mean)) / (1.0 - (w**2).sum())
    rng, moves = np.random.default_rng(0), []
    for _ in range(rounds):
        state = rng.bit_generator.state
        plain = particle_analysis(E, Y, d, R, rng=rng)
        rng.bit_generator.state = state
        jittered = particle_analysis(E, Y, d, R, rng=rng, jitter=2.0, dimension=3)
        copies = (plain[:, None] == plain[None]).all(axis=2).sum(axis=1) > 1
        np.testing.assert_array_equal(jittered[~copies], plain[~copies])
        moves.append((jittered - plain)[copies])
    moves = np.vstack(moves)
    bandwidth = 2.0 * nmember ** (-1.0 / 7.0)
    np.testing.assert_allclose(moves.mean(axis=0), 0.0, atol=5.0 * bandwidth * np.sqrt(C.max() / len(moves)))
    np.testing.assert_allclose(moves.T @ moves / len(moves) / bandwidth**2, C, atol=0.06 * np.abs(C).max())


def test_jitter_of_a_single_survivor_has_the_covariance_of_the_prior():
    """One member with all the weight has no covariance: copies spread like the members did before."""
    nmember, rounds = 5, 3000
    E, Y, _, R = draw(nmember, 2, nstate=2)
    rng = np.random.default_rng(0)
    moves = np.vstack([
        particle_analysis(E, Y, Y[2], 1e-6 * R, rng=rng, jitter=1.0, dimension=2) - E[2] for _ in range(rounds)])
    scale = nmember ** (-2.0 / 6.0)
    np.testing.assert_allclose(moves.T @ moves / len(moves) / scale, np.cov(E.T), atol=0.06 * np.cov(E.T).max())


@pytest.mark.parametrize("jitter", [0.0, 1.0])
def test_each_analysis_takes_numbers_of_its_own(jitter):
    """A generator goes on from call to call, by as much as `particle_analysis` takes, with diagnostics or without."""
    E, Y, d, R = draw(40, 3, nstate=5)
    one, other = np.random.default_rng(4), np.random.default_rng(4)
    first = analyse(E, Y, d, R, "pf", rng=one, jitter=jitter)
    expected = particle_analysis(E, Y, d, R, rng=other, jitter=jitter, dimension=5)
    np.testing.assert_array_equal(first, expected)
    assert one.bit_generator.state == other.bit_generator.state
    second, _ = analyse(E, Y, d, R, "pf", rng=one, jitter=jitter, return_diagnostics=True)
    np.testing.assert_array_equal(second, particle_analysis(E, Y, d, R, rng=other, jitter=jitter, dimension=5))
    assert one.bit_generator.state == other.bit_generator.state
    assert not np.array_equal(first, second)


def test_order_of_observations():
    E, Y, d, R = draw(10, 7)
    p = np.random.default_rng(1).permutation(7)
    A = particle_analysis(E, Y, d, R, rng=3, jitter=1.0)
    np.testing.assert_allclose(particle_analysis(E, Y[:, p], d[p], R[p], rng=3, jitter=1.0), A, atol=1e-12)


def test_order_of_members_without_chance():
    """One member takes all: it is the same one wherever it stands."""
    E, Y, d, R = draw(10, 7)
    q = np.random.default_rng(1).permutation(10)
    d, R = Y[3], 1e-8 * R
    np.testing.assert_array_equal(particle_analysis(E, Y, d, R, rng=3), np.repeat(E[3:4], 10, axis=0))
    np.testing.assert_array_equal(particle_analysis(E[q], Y[q], d, R, rng=3), np.repeat(E[3:4], 10, axis=0))


def test_no_observations_returns_a_copy():
    E = np.random.default_rng(0).standard_normal((4, 6))
    A = particle_analysis(E, np.empty((4, 0)), [], [], jitter=1.0, rng=1)
    np.testing.assert_array_equal(A, E)
    assert not np.shares_memory(A, E)
    particles = ParticleFilter(4, threshold=1.0)
    np.testing.assert_array_equal(particles.analyse(E, np.empty((4, 0)), [], []), E)
    assert not particles.resampled


def test_pdaf(shared_data):
    """PDAF's offline case leaves one member; so does this (12s0: RMSE 0.7071, spread 0)."""
    folder = shared_data / "pdaf_verification"
    if not folder.is_dir():
        pytest.skip(f"{folder} not found")

    def field(name):
        return np.loadtxt(folder / "inputs_offline_18x36" / name).ravel(order="F")

    E, obs = np.array([field(f"ens_{k}.txt") for k in range(1, 9)]), field("obs.txt")
    used = np.flatnonzero(obs > -998.0)
    reference = np.load(folder / "offline_reference.npz")
    expected = [reference[f"offline_2D_ftype12s0/ens_{k:02d}_ana"].ravel(order="F") for k in range(1, 9)]
    A = particle_analysis(E, E[:, used], obs[used], np.full(used.size, 0.25), rng=1)
    np.testing.assert_allclose(A, expected, rtol=0, atol=1e-12)


# ---- Lorenz-63 ----------------------------------------------------------------------------------


def lorenz63(nmember, threshold, jitter, ncycle, seeds=(1, 2, 3)):
    """Median over seeds of the mean RMSE in the setting of Sakov et al. (2012); all seeds are advanced together."""
    generators = [np.random.default_rng(seed) for seed in seeds]
    truth = np.stack([SAKOV_2012.near_start((), g) for g in generators])
    E = np.stack([SAKOV_2012.near_start((nmember,), g) for g in generators])
    filters = [ParticleFilter(nmember, threshold=threshold, jitter=jitter, dimension=3) for _ in seeds]
    errors = []
    for _ in range(ncycle):
        both = SAKOV_2012.forecast(np.concatenate([truth[:, None], E], axis=1))
        truth, E = both[:, 0], both[:, 1:]
        errors.append([])
        for k, (g, particles) in enumerate(zip(generators, filters, strict=True)):
            d = truth[k] + np.sqrt(2.0) * g.standard_normal(3)
            E[k] = particles.analyse(E[k], E[k], d, np.full(3, 2.0), rng=g)
            errors[-1].append(np.sqrt(np.mean((particles.mean(E[k]) - truth[k]) ** 2)))
    return np.median(np.mean(errors[SAKOV_2012.burn_in:], axis=0))


def test_lorenz63_short():
    assert lorenz63(100, 0.3, 2.4, 300, seeds=(1,)) < 0.8


@pytest.mark.slow
@pytest.mark.parametrize("nmember, threshold, jitter, expected", [(100, 0.3, 2.4, 0.38), (800, 0.2, 0.9, 0.28)])
def test_lorenz63(nmember, threshold, jitter, expected):
    """DAPPER's PartFilt: N=100, reg=2.4, NER=0.3: 0.38; N=800, reg=0.9, NER=0.2: 0.28; or better."""
    assert lorenz63(nmember, threshold, jitter, 5000) < expected + 0.02


# ---- messages -----------------------------------------------------------------------------------


@pytest.mark.parametrize("change, text", [
    ({"jitter": -1.0}, "jitter must lie in"),
    ({"resampling": "best"}, "resampling must be one of systematic, residual, multinomial"),
    ({"dimension": 0}, "dimension must be a whole number"),
    ({"likelihood": "cauchy"}, "likelihood must be one of gaussian, laplace"),
    ({"least_effective": 2.0}, "least_effective must lie in"),
    ({"rng": "seed"}, "rng must be"),
    ({"Y": np.ones((4, 2))}, "Y must have shape"),
    ({"R": [1.0, -1.0, 1.0]}, "above 0"),
])
def test_bad_input_is_a_sentence(change, text):
    E, Y, d, R = draw(4, 3)
    with pytest.raises(InputError, match=text):
        particle_analysis(**{"E": E, "Y": Y, "d": d, "R": R, **change})


def test_bad_filter_is_a_sentence():
    with pytest.raises(InputError, match="nmember must be a whole number"):
        ParticleFilter(1)
    with pytest.raises(InputError, match="threshold must lie in"):
        ParticleFilter(4, threshold=1.5)
    particles = ParticleFilter(4)
    E, Y, d, R = draw(5, 3)
    with pytest.raises(InputError, match="4 members of this filter"):
        particles.analyse(E, Y, d, R)
    with pytest.raises(InputError, match="4 members of this filter"):
        particles.mean(E)
    for state, text in (({}, "must hold 'weights'"), ({"weights": np.ones(5) / 5}, r"must have shape \(4,\)"),
                        ({"weights": np.ones(4)}, "sum to 1"), ({"weights": [2.0, -1.0, 0.0, 0.0]}, "at least 0")):
        with pytest.raises(InputError, match=text):
            particles.restore(state)
    with pytest.raises(InputError, match="one of them above 0"):
        resample([0.0, 0.0], 1)
