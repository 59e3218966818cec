"""What holds for every filter by name: the Kalman limit, hard ensembles, order of members and observations, shares."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.assimilate import FILTERS, analyse, analyse_local
from pyland.base.errors import InputError

NAMES = [name for name, one in FILTERS.items() if one.family != "variational"]
LINEAR = [name for name in NAMES if FILTERS[name].kernel in ("etkf", "estkf", "enkf", "denkf", "seik", "ensrf", "eakf")]
SQUARE_ROOT = [name for name in LINEAR if FILTERS[name].kernel in ("etkf", "estkf", "seik", "ensrf", "eakf")]
NEVER_WIDER = [name for name in LINEAR if FILTERS[name].kernel != "enkf"]
"""Spread cannot grow; noise of the EnKF and weights of nonlinear filters can widen single elements."""


def run(name, E, Y, d, R, **options):
    """Run a global filter, or a local one with all observations at the place of the state."""
    options = {"rng": 5, **options}
    if FILTERS[name].is_local:
        return analyse_local(E, Y, d, R, np.zeros((E.shape[1], 2)), np.zeros((len(d), 2)), np.inf, name, **options)
    return analyse(E, Y, d, R, name, **options)


def draw(nmember, nstate, nobs, seed=0):
    rng = np.random.default_rng(seed)
    H = rng.standard_normal((nstate, nobs)) / np.sqrt(nstate)
    E = rng.standard_normal((nmember, nstate)) + 1.0
    return E, E @ H, H.sum(axis=0) + rng.standard_normal(nobs), rng.uniform(0.3, 3.0, nobs), H


def kalman(E, H, d, R):
    """Mean and covariance by the formulas of the Kalman filter with the covariance of the ensemble."""
    mean, P = E.mean(axis=0), np.cov(E.T)
    gain = P @ H @ np.linalg.inv(H.T @ P @ H + np.diag(R))
    return mean + gain @ (d - mean @ H), P - gain @ H.T @ P


@pytest.mark.parametrize("name", LINEAR)
@pytest.mark.parametrize("nmember, nobs", [(2, 1), (9, 4), (9, 9), (9, 30), (40, 7)])
def test_mean_of_the_kalman_filter(name, nmember, nobs):
    E, Y, d, R, H = draw(nmember, 12, nobs)
    np.testing.assert_allclose(run(name, E, Y, d, R).mean(axis=0), kalman(E, H, d, R)[0], rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", SQUARE_ROOT)
@pytest.mark.parametrize("nmember, nobs", [(2, 1), (9, 4), (9, 9), (9, 30), (40, 7)])
def test_covariance_of_the_kalman_filter(name, nmember, nobs):
    E, Y, d, R, H = draw(nmember, 12, nobs)
    for rotation in (False, True):
        A = run(name, E, Y, d, R, rotation=rotation)
        np.testing.assert_allclose(np.cov(A.T), kalman(E, H, d, R)[1], rtol=0, atol=1e-11)


@pytest.mark.parametrize("name", [*NAMES])
def test_large_ensembles_of_a_normal_distribution_agree(name):
    """All filters estimate the same posterior of a normal prior with linear observations."""
    n = 400 if FILTERS[name].is_local or FILTERS[name].family == "weights" else 3000
    E, Y, d, R, H = draw(n, 3, 2, seed=1)
    R = R + 1.0
    A, (mean, covariance) = run(name, E, Y, d, R), kalman(E, H, d, R)
    bound = 6.0 / np.sqrt(n)
    np.testing.assert_allclose(A.mean(axis=0), mean, rtol=0, atol=bound)
    if FILTERS[name].kernel != "denkf":  # its covariance has an excess of K H P H^T K^T/4
        np.testing.assert_allclose(np.cov(A.T), covariance, rtol=0, atol=2.0 * bound)


def hard_problems():
    """Ensembles and observations that break formulas."""
    rng = np.random.default_rng(3)
    E, Y, d, R, _ = draw(6, 5, 8)
    yield "two members", *draw(2, 5, 8)[:4]
    yield "no spread", np.repeat(E[:1], 6, axis=0), np.repeat(Y[:1], 6, axis=0), d, R
    yield "no spread in what is observed", E, np.repeat(Y[:1], 6, axis=0), d, R
    yield "duplicates", E, np.repeat(Y[:, :1], 8, axis=1), np.repeat(d[:1], 8), np.repeat(R[:1], 8)
    yield "disagreement", E, np.repeat(Y[:, :1], 8, axis=1), np.array([50.0, -50.0] * 4), R
    yield "tiny errors", E, Y, d, R * 1e-12
    yield "huge errors", E, Y, d, R * 1e12
    yield "errors of all sizes", E, Y, d, R * 10.0 ** rng.integers(-8, 9, 8)
    yield "far away", E, Y, d + 1e4, R
    yield "tiny numbers", E * 1e-100, Y * 1e-100, d * 1e-100, R * 1e-200
    yield "one member apart", np.vstack([E[:5], E[5:] + 1e6]), np.vstack([Y[:5], Y[5:] + 1e6]), d, R
    yield "one observation", E, Y[:, :1], d[:1], R[:1]


PROBLEMS = {label: arrays for label, *arrays in hard_problems()}


@pytest.mark.parametrize("label", PROBLEMS)
@pytest.mark.parametrize("name", NAMES)
def test_hard_problems(name, label):
    """Finite members and, for filters without noise and weights, a spread that does not grow."""
    E, Y, d, R = PROBLEMS[label]
    A = run(name, E, Y, d, R)
    assert A.shape == E.shape and np.isfinite(A).all()
    if name in NEVER_WIDER:
        assert (A.std(axis=0) <= E.std(axis=0) * (1.0 + 1e-9) + 1e-14 * np.abs(E).max()).all()


@pytest.mark.parametrize("name", [name for name in NAMES if FILTERS[name].is_deterministic])
def test_order_of_members(name):
    """Members that change places change places in the analysis; of the SEIK mean and covariance stay."""
    E, Y, d, R, _ = draw(9, 6, 7)
    order = np.random.default_rng(1).permutation(9)
    A, B = run(name, E, Y, d, R), run(name, E[order], Y[order], d, R)
    if FILTERS[name].kernel == "seik":
        np.testing.assert_allclose(np.cov(B.T), np.cov(A.T), rtol=0, atol=1e-11)
    else:
        np.testing.assert_allclose(B, A[order], rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", [one for one in NAMES if FILTERS[one].is_deterministic])
def test_order_of_observations(name):
    """Serial filters: mean and covariance, globally; where regression is localised the order matters a little."""
    E, Y, d, R, _ = draw(9, 6, 7)
    order = np.random.default_rng(1).permutation(7)
    A, B = run(name, E, Y, d, R), run(name, E, Y[:, order], d[order], R[order])
    if FILTERS[name].kernel == "rhf":
        np.testing.assert_allclose(B.mean(axis=0), A.mean(axis=0), rtol=0, atol=0.3 * E.std())
    elif FILTERS[name].family == "serial":
        np.testing.assert_allclose(B.mean(axis=0), A.mean(axis=0), rtol=0, atol=1e-11)
        np.testing.assert_allclose(np.cov(B.T), np.cov(A.T), rtol=0, atol=1e-11)
    else:
        np.testing.assert_allclose(B, A, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", NAMES)
def test_shares_and_threads_give_the_same_bits(name):
    E, Y, d, R, _ = draw(9, 150, 12)
    options = {} if name == "pf" else {"inflation": 1.05, "relaxation": 0.2, "rotation": True}
    whole = run(name, E, Y, d, R, **options)
    parts = [run(name, E[:, part], Y, d, R, **options) for part in (slice(0, 1), slice(1, 64), slice(64, 150))]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
    np.testing.assert_array_equal(run(name, E, Y, d, R, threads=3, **options), whole)


@pytest.mark.parametrize("name", NAMES)
def test_a_state_and_its_prediction_agree(name):
    """A state element that is what is observed has the analysis that diagnostics give the observation."""
    E, _, d, R, _ = draw(9, 5, 5)
    A = run(name, E, E, d, R)
    _, result = (analyse_local(E, E, d, R, np.zeros((5, 2)), np.zeros((5, 2)), np.inf, name, rng=5,
                               return_diagnostics=True) if FILTERS[name].is_local
                 else analyse(E, E, d, R, name, rng=5, return_diagnostics=True))
    np.testing.assert_allclose(d - A.mean(axis=0), result.residual, rtol=0, atol=1e-12)
    np.testing.assert_allclose(A.std(axis=0, ddof=1), result.spread_analysis, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_without_observations_nothing_happens(name):
    E = np.random.default_rng(0).standard_normal((4, 6))
    np.testing.assert_array_equal(run(name, E, np.empty((4, 0)), [], []), E)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "pf"])
def test_without_observations_what_is_asked_happens(name):
    """Rotation mixes members, with their mean and covariance; inflation is for local filters that are asked."""
    E = np.random.default_rng(0).standard_normal((4, 6))

    def analysed(**options):
        return run(name, E, np.empty((4, 0)), [], [], inflation=1.5, relaxation=0.3, **options)

    np.testing.assert_array_equal(analysed(), E)
    turned = analysed(rotation=True)
    np.testing.assert_allclose(turned.mean(axis=0), E.mean(axis=0), rtol=0, atol=1e-14)
    np.testing.assert_allclose(np.cov(turned.T), np.cov(E.T), rtol=0, atol=1e-14)
    assert np.abs(turned - E).max() > 0.1
    parts = [run(name, E[:, part], np.empty((4, 0)), [], [], rotation=True) for part in (slice(1), slice(1, 6))]
    np.testing.assert_array_equal(np.hstack(parts), turned)
    if FILTERS[name].is_local:
        wide = analysed(inflate_unobserved=True)
        np.testing.assert_allclose(wide, E.mean(axis=0) + 1.5 * (E - E.mean(axis=0)), rtol=0, atol=1e-14)


@pytest.mark.parametrize(("options", "words"), [
    ({"radius": 4.0}, r"radius: it belongs to the local methods, use analyse_local\(..., method='letkf'\)"),
    ({"forget": 0.9}, r"forget: it is inflation = 1/sqrt\(forget\)"),
    ({"locweight": 2}, "locweight: it is taper='none'"),
    ({"taper": "none"}, "taper: it belongs to the local methods"),
    ({"nonsense": 1}, "no filter has it"),
])
def test_options_of_other_functions_and_systems_are_answered_with_their_place(options, words):
    E = np.random.default_rng(0).standard_normal((4, 3))
    with pytest.raises(InputError, match=words):
        analyse(E, E, np.zeros(3), np.ones(3), "etkf", **options)
