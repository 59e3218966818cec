"""The fixed-lag smoother against the Rauch-Tung-Striebel smoother, explicit weights, and the filter it extends."""

from __future__ import annotations

import numpy as np
import pytest
from lorenz import SAKOV_2008, SAKOV_2012, Twin

from pyland.assimilate import LaggedSmoother, analyse, analyse_local, local_weights
from pyland.base.errors import InputError

NSTATE, NCYCLE = 3, 6


def linear_system(seed=1):
    """Matrices of a linear Gaussian system: model M, model error Q, observation H, its error R, prior, observations."""
    rng = np.random.default_rng(seed)
    M = 0.9 * np.linalg.qr(rng.standard_normal((NSTATE, NSTATE)))[0]
    L = rng.standard_normal((NSTATE, NSTATE))
    return {"M": M, "Q": 0.2 * np.eye(NSTATE), "H": rng.standard_normal((2, NSTATE)), "R": np.array([0.5, 0.8]),
            "mean": rng.standard_normal(NSTATE), "P": L @ L.T + np.eye(NSTATE), "d": rng.standard_normal((NCYCLE, 2))}


def rauch_tung_striebel(s):
    """Means and covariances at times 1..K given the observations at 1..K (Rauch et al. 1965)."""
    mean, P = s["mean"], s["P"]
    forecasts, analyses = [], []
    for d in s["d"]:
        mean, P = s["M"] @ mean, s["M"] @ P @ s["M"].T + s["Q"]
        forecasts.append((mean, P))
        K = P @ s["H"].T @ np.linalg.inv(s["H"] @ P @ s["H"].T + np.diag(s["R"]))
        mean, P = mean + K @ (d - s["H"] @ mean), P - K @ s["H"] @ P
        analyses.append((mean, P))
    smoothed = [analyses[-1]]
    for (mean, P), (ahead, Pahead) in zip(analyses[-2::-1], forecasts[:0:-1], strict=True):
        J = P @ s["M"].T @ np.linalg.inv(Pahead)
        next_mean, next_P = smoothed[0]
        smoothed.insert(0, (mean + J @ (next_mean - ahead), P + J @ (next_P - Pahead) @ J.T))
    return smoothed


def run(s, smoother, nmember, noise):
    """Cycle an ensemble; ``noise(time)`` returns standard normal numbers (member, state), time 0 for the prior."""
    E = s["mean"] + noise(0) @ np.linalg.cholesky(s["P"]).T
    for time, d in enumerate(s["d"], start=1):
        E = E @ s["M"].T + noise(time) @ np.linalg.cholesky(s["Q"]).T
        E = smoother.analyse(E, E @ s["H"].T, d, s["R"])
    return E


def test_exact_rauch_tung_striebel():
    """Noise whose sample covariance is exact, uncorrelated with all before: the ETKS is the RTS smoother."""
    s = linear_system()
    nmember = NSTATE * (NCYCLE + 1) + 5
    rng = np.random.default_rng(0)
    columns = np.column_stack([np.ones(nmember), rng.standard_normal((nmember, nmember - 1))])
    basis = np.linalg.qr(columns)[0][:, 1:] * np.sqrt(nmember - 1)
    smoother = LaggedSmoother(NCYCLE)
    run(s, smoother, nmember, lambda time: basis[:, NSTATE * time : NSTATE * (time + 1)])
    for age, (mean, P) in enumerate(rauch_tung_striebel(s)[::-1]):
        E = smoother.smoothed(age)
        np.testing.assert_allclose(E.mean(axis=0), mean, rtol=0, atol=1e-12)
        np.testing.assert_allclose(np.cov(E.T), P, rtol=0, atol=1e-12)


def test_perturbed_observations_converge_to_rauch_tung_striebel():
    """Errors fall with the square root of the members: 0.02 is four standard errors of a mean of variance 1."""
    s = linear_system()
    nmember = 40000
    rng = np.random.default_rng(3)
    smoother = LaggedSmoother(NCYCLE, "enkf", rng=4)
    run(s, smoother, nmember, lambda _: rng.standard_normal((nmember, NSTATE)))
    for age, (mean, P) in enumerate(rauch_tung_striebel(s)[::-1]):
        E = smoother.smoothed(age)
        np.testing.assert_allclose(E.mean(axis=0), mean, rtol=0, atol=0.02)
        np.testing.assert_allclose(np.cov(E.T), P, rtol=0, atol=0.03)


def draws(nmember=7, nstate=4, nobs=5, seed=2):
    rng = np.random.default_rng(seed)
    return [(rng.standard_normal((nmember, nstate)), rng.standard_normal((nmember, nobs)), rng.standard_normal(nobs),
             rng.uniform(0.3, 2.0, nobs)) for _ in range(4)]


def etkf_weights(Y, d, R):
    """Weights (member, member) that take prior members to analysed ones; numpy, members in rows."""
    n = len(Y)
    S = (Y - Y.mean(axis=0)) / np.sqrt(R)
    values, U = np.linalg.eigh(S @ S.T + (n - 1) * np.eye(n))
    w = U / values @ U.T @ S @ ((d - Y.mean(axis=0)) / np.sqrt(R))
    T = U * np.sqrt((n - 1) / values) @ U.T
    return np.full((n, n), 1 / n) + (w + T) @ (np.eye(n) - 1 / n)


@pytest.mark.parametrize("inflation, relaxation", [(1.0, 0.0), (1.3, 0.0), (1.2, 0.4), (1.0, 0.5)])
def test_past_states_take_the_transform_of_inflated_predictions(inflation, relaxation):
    smoother = LaggedSmoother(2, inflation=inflation, relaxation=relaxation)
    expected = []
    for E, Y, d, R in draws():
        A = smoother.analyse(E, Y, d, R)
        filtered = analyse(E, Y, d, R, inflation=inflation, relaxation=relaxation)
        np.testing.assert_array_equal(A, filtered)
        W = etkf_weights(Y.mean(axis=0) + inflation * (Y - Y.mean(axis=0)), d, R)
        expected = [filtered, *(W @ one for one in expected)][:3]
        for age, one in enumerate(expected):
            np.testing.assert_allclose(smoother.smoothed(age), one, rtol=0, atol=1e-12)
    assert len(smoother) == 3


@pytest.mark.parametrize("method", ["letkf", "lensrf", "lnetf"])
def test_adaptive_weights_of_the_present_are_those_of_the_filter(method):
    """Past states are in the same call and the same domains; their correlations do not touch the present one."""
    options = {"coords_state": np.arange(2.0), "domain_of_state": [0, 0, 1, 1], "coords_obs": np.linspace(0, 1, 5),
               "radius": 3.0, "adaptive": 0.3}
    smoother = LaggedSmoother(2, method, rng=1, **options)
    for E, Y, d, R in draws():
        expected = analyse_local(E, Y, d, R, method=method, **options)
        np.testing.assert_array_equal(smoother.analyse(E, Y, d, R), expected)


@pytest.mark.parametrize("inflation", [1.0, 1.25])
def test_local_smoother(inflation):
    """Two layers share a domain; the third of three domains sees nothing and keeps its past, without inflation."""
    places, where = np.array([0.0, 3.0, 50.0]), np.array([0.5, 1.0, 2.0, 4.0, 5.0])
    owner = np.array([0, 2, 1, 0])
    options = {"coords_state": places, "coords_obs": where, "radius": 6.0, "domain_of_state": owner}
    smoother = LaggedSmoother(3, "letkf", inflation=inflation, **options)
    past = None
    for E, Y, d, R in draws():
        A = smoother.analyse(E, Y, d, R)
        np.testing.assert_array_equal(A, analyse_local(E, Y, d, R, inflation=inflation, **options))
        if past is not None:
            W = local_weights(Y, d, R, places, where, 6.0, inflation=inflation) / inflation
            mean, X = past.mean(axis=0), past - past.mean(axis=0)
            expected = np.stack([mean[i] + X[:, i] @ W[owner[i]] for i in range(4)], axis=1)
            expected[:, 1] = past[:, 1]
            np.testing.assert_allclose(smoother.smoothed(1), expected, rtol=0, atol=1e-12)
        past = A


def test_perturbations_are_those_of_the_filter():
    """The past sees the same perturbed observations as the present, also where it takes a call of its own."""
    for inflation in (1.0, 1.2):
        smoother = LaggedSmoother(1, "enkf", rng=8, inflation=inflation)
        rng = np.random.default_rng(8)
        (E, *first), (_, Y, d, R), *_ = draws()
        A = smoother.analyse(E, *first)
        np.testing.assert_array_equal(A, analyse(E, *first, "enkf", rng=rng, inflation=inflation))
        # a state that is the past once more, with the spread inflation makes of it: what is done to both is the same
        deflated = A.mean(axis=0) + (A - A.mean(axis=0)) / inflation
        B = smoother.analyse(deflated, Y, d, R)
        np.testing.assert_array_equal(B, analyse(deflated, Y, d, R, "enkf", rng=rng, inflation=inflation))
        np.testing.assert_allclose(smoother.smoothed(1), B, rtol=0, atol=1e-12)


def test_the_jitter_of_particles_is_that_of_the_present():
    """The bandwidth follows from the size of a state, not from how many states are drawn together."""
    smoother = LaggedSmoother(3, "pf", rng=8, jitter=1.0)
    rng = np.random.default_rng(8)
    for E, Y, d, R in draws():
        A = smoother.analyse(E, Y, d, R)
        np.testing.assert_array_equal(A, analyse(E, Y, d, R, "pf", rng=rng, jitter=1.0))


@pytest.mark.parametrize("method", ["letkf", "lensrf"])
def test_the_present_with_weights_by_correlation_is_that_of_the_filter(method):
    """Past states have the weights of their own correlations, one element at a time."""
    places, where = np.array([0.0, 3.0, 5.0]), np.array([0.5, 1.0, 2.0, 4.0, 5.0])
    options = {"coords_state": places, "coords_obs": where, "radius": 60.0, "domain_of_state": np.array([0, 2, 1, 0]),
               "adaptive": 0.3}
    smoother = LaggedSmoother(3, method, **options)
    past = None
    for E, Y, d, R in draws(nmember=20):
        A = smoother.analyse(E, Y, d, R)
        np.testing.assert_array_equal(A, analyse_local(E, Y, d, R, method=method, **options))
        if past is not None:
            expected = analyse_local(past, Y, d, R, method=method, **options)
            np.testing.assert_array_equal(smoother.smoothed(1), expected)
        past = A


@pytest.mark.parametrize("inflation, relaxation", [(1.6, 0.0), (1.0, 0.5)])
@pytest.mark.parametrize("bounds", [(0.0, 1.0), (np.zeros(5), np.linspace(1.0, 2.0, 5))])
def test_inflated_predictions_stay_within_the_bounds(bounds, inflation, relaxation):
    """Wetness near 0 and 1: inflation takes some members beyond, where the filter has them on the bound."""
    rng = np.random.default_rng(2)
    cycles = [(rng.standard_normal((7, 4)), rng.beta(0.3, 0.3, (7, 5)), rng.uniform(0.2, 0.8, 5), np.full(5, 0.05))
              for _ in range(3)]
    smoother = LaggedSmoother(1, "rhf", inflation=inflation, relaxation=relaxation, bounds=bounds)
    past = None
    for E, Y, d, R in cycles:
        A = smoother.analyse(E, Y, d, R)
        np.testing.assert_array_equal(
            A, analyse(E, Y, d, R, "rhf", inflation=inflation, relaxation=relaxation, bounds=bounds))
        inflated = Y.mean(axis=0) + inflation * (Y - Y.mean(axis=0))
        if inflation > 1.0:
            assert ((inflated < bounds[0]) | (inflated > bounds[1])).any()
        if past is not None:
            expected = analyse(past, np.clip(inflated, *bounds), d, R, "rhf", bounds=bounds)
            np.testing.assert_allclose(smoother.smoothed(1), expected, rtol=0, atol=1e-12)
        past = A


def test_restart_continues_with_the_same_bits():
    cycles = draws()
    whole, first = (LaggedSmoother(2, "enkf", rng=5) for _ in range(2))
    for one in cycles:
        whole.analyse(*one)
    for one in cycles[:2]:
        first.analyse(*one)
    second = LaggedSmoother(2, "enkf", rng=99)
    second.restore(first.state())
    for one in cycles[2:]:
        second.analyse(*one)
    for age in range(3):
        np.testing.assert_array_equal(second.smoothed(age), whole.smoothed(age))


def test_no_observation_and_no_lag():
    (E, Y, d, R), *_ = draws()
    smoother = LaggedSmoother(1)
    smoother.analyse(E, Y, d, R)
    before = smoother.smoothed(0)
    np.testing.assert_array_equal(smoother.analyse(E, np.zeros((7, 0)), [], []), E)
    np.testing.assert_array_equal(smoother.smoothed(1), before)
    alone = LaggedSmoother(0)
    alone.analyse(E, Y, d, R)
    alone.analyse(E, Y, d, R)
    assert len(alone) == 1


@pytest.mark.parametrize("inflation", [1.0, 1.3])
@pytest.mark.parametrize("local", [False, True])
def test_without_observations_members_of_present_and_past_stay_together(inflation, local):
    """A rotation turns both: what is correlated stays correlated. Inflation of all domains is for the present."""
    (E, Y, d, R), *_ = draws()
    options = {"coords_state": np.zeros(4), "coords_obs": np.zeros(5), "radius": 1.0, "inflate_unobserved": True}
    smoother = LaggedSmoother(
        1, "letkf" if local else "etkf", rng=3, inflation=inflation, rotation=True, **(options if local else {}))
    A = smoother.analyse(E, Y, d, R)
    nothing = {"coords_obs": np.zeros(0)} if local else {}
    B = smoother.analyse(A, np.zeros((7, 0)), [], [], **nothing)
    assert np.abs(B - A).max() > 0.1
    factor = inflation if local else 1.0
    np.testing.assert_allclose(B, B.mean(axis=0) + factor * (smoother.smoothed(1) - A.mean(axis=0)), rtol=0, atol=1e-12)
    np.testing.assert_allclose(np.cov(smoother.smoothed(1).T), np.cov(A.T), rtol=0, atol=1e-12)


def test_diagnostics_pass_through():
    smoother = LaggedSmoother(1, inflation=1.1, return_diagnostics=True)
    for one in draws()[:2]:
        _, diagnostics = smoother.analyse(*one)
        assert diagnostics.residual.shape == (5,)


def test_messages():
    (E, Y, d, R), *_ = draws()
    with pytest.raises(InputError, match="lag must be a whole number"):
        LaggedSmoother(-1)
    smoother = LaggedSmoother(1)
    with pytest.raises(InputError, match="holds the states of 0 analyses"):
        smoother.smoothed(0)
    smoother.analyse(E, Y, d, R)
    with pytest.raises(InputError, match="members and state must stay the same"):
        smoother.analyse(E[:, :2], Y, d, R)
    with pytest.raises(InputError, match="rng belongs to the smoother"):
        smoother.analyse(E, Y, d, R, rng=1)
    with pytest.raises(InputError, match="at most 1 ages for lag 0"):
        LaggedSmoother(0).restore({**smoother.state(), "states": np.zeros((2, 7, 4))})
    with pytest.raises(InputError, match="belongs to analyse_local"):
        LaggedSmoother(1, "letkf").analyse(E, Y, d, R)


def cycle(setting, nmember, inflation, lag, seed, ncycle=5000):
    twin = Twin(setting, seed)
    E = twin.ensemble(nmember)
    smoother = LaggedSmoother(lag, "enkf", inflation=inflation, rng=twin.rng)
    errors = []
    for time in range(1, ncycle + 1):
        E = twin.step(E)
        d, R = twin.observe()
        E = smoother.analyse(E, E, d, R)
        if time > 400:
            errors.append((twin.error(E, time), twin.error(smoother.smoothed(lag), time - lag)))
    return np.mean(errors, axis=0)


@pytest.mark.slow
def test_lorenz96():
    """EnKF N=40, inflation 1.06: 0.22 (Sakov and Oke 2008); the smoother below it at every seed."""
    scores = np.array([cycle(SAKOV_2008, 40, 1.06, 10, seed) for seed in (1, 2, 3)])
    assert np.median(scores[:, 0]) == pytest.approx(0.22, abs=0.02)
    assert (scores[:, 1] < 0.75 * scores[:, 0]).all()


@pytest.mark.slow
def test_lorenz63():
    """EnKF N=100, inflation 1.01: 0.56 (Sakov et al. 2012); the smoother below it at every seed."""
    scores = np.array([cycle(SAKOV_2012, 100, 1.01, 3, seed) for seed in (1, 2, 3)])
    assert np.median(scores[:, 0]) < 0.58
    assert (scores[:, 1] < 0.75 * scores[:, 0]).all()


@pytest.mark.parametrize(("method", "words"), [
    ("etks", "give the filter, 'etkf'"), ("LETKS", "give the filter, 'letkf'"), ("etkff", "unknown method 'etkff'"),
    ("3dvar", "belongs to pyland.assimilate.variational"),
])
def test_what_is_no_filter_is_refused_at_once(method, words):
    with pytest.raises(InputError, match=words):
        LaggedSmoother(3, method)
