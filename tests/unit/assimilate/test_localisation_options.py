"""Localisation beyond one radius: periods, depth, distances, radii and tapers of each observation, correlation."""

from __future__ import annotations

from time import process_time

import numpy as np
import pytest
from local_problems import problem

from pyland.assimilate import Distances, analyse, analyse_local, local_weights, localisation_weights
from pyland.assimilate.links import _check_errors
from pyland.base.errors import InputError

LOCAL = ("letkf", "lestkf", "lseik", "ldenkf", "lenkf", "lensrf", "leakf", "lrhf", "lnetf", "lknetf")
BY_REGRESSION = ("lenkf", "lensrf", "leakf", "lrhf")


def by_weights(E, Y, d, R, weight, **options):
    """One ETKF per state element with R over the weight (state, obs)."""
    A = E.copy()
    for k in range(E.shape[1]):
        near = weight[k] > 0
        if near.any():
            A[:, k] = analyse(E[:, [k]], Y[:, near], d[near], R[near] / weight[k, near], **options)[:, 0]
    return A


def separation(places, where, period):
    offset = places[:, None] - where[None]
    return np.linalg.norm(offset - np.rint(offset / period) * period, axis=2)


@pytest.mark.parametrize("radius", [3.0, 20.0, 49.0, 51.0, 80.0, 500.0])
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_periodic_axes(radius, ndim):
    """The nearest image of each observation, once, for radii below and above half the period."""
    E, Y, d, R, places, where = problem(ndim=ndim, seed=ndim)
    shifted = places + np.arange(len(places))[:, None] % 5 * 100.0 - 200.0  # outside of the first period
    weight = localisation_weights(separation(places, where, 100.0), radius)
    A = analyse_local(E, Y, d, R, shifted, where - 300.0, radius, period=[100.0] * ndim)
    np.testing.assert_allclose(A, by_weights(E, Y, d, R, weight), rtol=0, atol=1e-11)


def test_periodic_in_one_axis_and_on_the_far_side():
    """An observation exactly half a period away is used once."""
    E, Y, d, R, _, _ = problem(nstate=4, nobs=1)
    places, where = np.array([[0.0, 0.0], [20.0, 0.0], [40.0, 7.0], [10.0, 0.0]]), np.array([[20.0, 0.0]])
    A = analyse_local(E, Y, d, R, places, where, 20.0, taper="none", period=[40.0, 0.0])
    distance = np.array([20.0, 0.0, np.hypot(20.0, 7.0), 10.0])
    np.testing.assert_allclose(A, by_weights(E, Y, d, R, (distance[:, None] <= 20.0) * 1.0), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(
        A, analyse_local(E, Y, d, R, places, where, 20.0, taper="none", period=[40.0, np.inf]))


def test_radius_and_taper_of_each_observation():
    E, Y, d, R, places, where = problem()
    rng = np.random.default_rng(3)
    radius, taper = rng.uniform(5.0, 60.0, 25), list(rng.choice(["none", "exponential", "gaspari_cohn"], 25))
    distance = np.linalg.norm(places[:, None] - where[None], axis=2)
    weight = np.stack([localisation_weights(distance[:, j], radius[j], taper[j]) for j in range(25)], axis=1)
    A = analyse_local(E, Y, d, R, places, where, radius, taper=taper)
    np.testing.assert_allclose(A, by_weights(E, Y, d, R, weight), rtol=0, atol=1e-11)


def test_anisotropy_is_a_scale_of_coordinates():
    E, Y, d, R, places, where = problem()
    scale = np.array([30.0, 10.0])
    weight = localisation_weights(np.linalg.norm((places[:, None] - where[None]) / scale, axis=2), 1.0)
    A = analyse_local(E, Y, d, R, places / scale, where / scale, 1.0)
    np.testing.assert_allclose(A, by_weights(E, Y, d, R, weight), rtol=0, atol=1e-11)


def test_two_and_one_dimensions():
    """The weight is the product of those over distance and depth; without a depth only the first counts."""
    E, Y, d, R, places, where = problem()
    rng = np.random.default_rng(2)
    depth, seen = rng.uniform(0.0, 3.0, 60), rng.uniform(0.0, 3.0, 25)
    seen[::4] = np.nan
    over_depth = np.where(np.isnan(seen), 1.0, localisation_weights(np.nan_to_num(np.abs(depth[:, None] - seen)), 1.5))
    weight = localisation_weights(np.linalg.norm(places[:, None] - where[None], axis=2), 50.0) * over_depth
    A = analyse_local(E, Y, d, R, places, where, 50.0, depth_state=depth, depth_obs=seen, depth_radius=1.5)
    np.testing.assert_allclose(A, by_weights(E, Y, d, R, weight), rtol=0, atol=1e-11)


@pytest.mark.parametrize("method", [name for name in LOCAL if name not in BY_REGRESSION])
def test_distances_instead_of_places(method):
    E, Y, d, R, places, where = problem()
    distance = np.linalg.norm(places[:, None] - where[None], axis=2)
    domain, obs = np.nonzero(distance <= 40.0)
    pairs = Distances(domain, obs, distance[domain, obs])
    A = analyse_local(E, Y, d, R, 60, None, 30.0, method, distances=pairs)
    B = analyse_local(E, Y, d, R, places, where, 30.0, method)
    np.testing.assert_allclose(A, B, rtol=0, atol=1e-10)


def test_adaptive_weights():
    E, Y, d, R, places, where = problem(nmember=40)
    E[:, ::3] = Y[:, :1] + 0.3 * E[:, ::3]  # some are correlated with the first observation
    a, b = E - E.mean(axis=0), Y - Y.mean(axis=0)
    r = np.abs((a / np.linalg.norm(a, axis=0)).T @ (b / np.linalg.norm(b, axis=0)))
    for adaptive, threshold in ((0.5, 0.5), ("auto", 3.0 / np.sqrt(40))):
        A = analyse_local(E, Y, d, R, places, where, np.inf, adaptive=adaptive)
        weight = np.where(r >= threshold, localisation_weights((1.0 - r) / (1.0 - threshold), 2.0), 0.0)
        np.testing.assert_allclose(A, by_weights(E, Y, d, R, weight), rtol=0, atol=1e-10)


def test_adaptive_weights_of_an_element_do_not_depend_on_its_domain():
    E, Y, d, R, _, where = problem(nmember=40)
    E[:, 0] = Y[:, 0]
    together = analyse_local(E, Y, d, R, np.zeros((1, 2)), where, 90.0, adaptive=0.4, domain_of_state=np.zeros(60, int))
    apart = analyse_local(E, Y, d, R, np.zeros((60, 2)), where, 90.0, adaptive=0.4)
    np.testing.assert_array_equal(together, apart)


def test_a_state_that_is_observed_follows_its_prediction_in_adaptive_serial_filters():
    E, Y, d, R, _, where = problem(nmember=20)
    A, result = analyse_local(
        Y, Y, d, R, where, where, 60.0, "lensrf", adaptive="auto", return_diagnostics=True)
    np.testing.assert_allclose(d - A.mean(axis=0), result.residual, rtol=0, atol=1e-13)
    last = analyse_local(Y[:, -1:], Y, d, R, where[-1:], where, 60.0, "lensrf", adaptive="auto")
    np.testing.assert_allclose(A[:, -1:], last, rtol=0, atol=1e-13)


@pytest.mark.parametrize("method", ["letkf", "lensrf", "lnetf"])
def test_radii_of_very_different_size(method):
    """Observations are searched by classes of radius: the same analysis as one by one."""
    E, Y, d, R, places, where = problem(nobs=40)
    radius = 10.0 ** np.random.default_rng(1).uniform(0.0, 5.0, 40)
    radius[7] = np.inf
    weights = [localisation_weights(np.linalg.norm(places - where[j], axis=1), radius[j]) for j in range(40)]
    weight = np.stack(weights, axis=1)
    A = analyse_local(E, Y, d, R, places, where, radius, method)
    if method == "letkf":
        np.testing.assert_allclose(A, by_weights(E, Y, d, R, weight), rtol=0, atol=1e-11)
    for k in range(0, 60, 7):
        near = weight[k] > 0
        if method == "lnetf":
            one = analyse(E[:, [k]], Y[:, near], d[near], R[near] / weight[k, near], "netf")
            np.testing.assert_allclose(A[:, [k]], one, rtol=0, atol=1e-10)


def test_adaptive_localisation_removes_chance():
    """Of a state that has nothing to do with the observations the spread stays where the filter would shrink it."""
    rng = np.random.default_rng(4)
    E, Y = rng.standard_normal((100, 500)), rng.standard_normal((100, 30))
    d, R = rng.standard_normal(30), np.full(30, 0.1)
    nowhere, there = np.zeros((500, 1)), np.zeros((30, 1))
    plain = analyse_local(E, Y, d, R, nowhere, there, np.inf)
    adaptive = analyse_local(E, Y, d, R, nowhere, there, np.inf, adaptive="auto")
    assert plain.std(axis=0).mean() < 0.9 * E.std(axis=0).mean()
    assert adaptive.std(axis=0).mean() > 0.99 * E.std(axis=0).mean()


@pytest.mark.parametrize("method", ["letkf", "ldenkf", "lnetf", "lknetf", "lseik"])
@pytest.mark.parametrize("nobs", [3, 25])
def test_correlated_errors(method, nobs):
    """Without a radius: the global filter with the full matrix."""
    E, Y, d, R, places, where = problem(nobs=nobs)
    group = np.arange(nobs) % 2
    length = np.where(group == 0, 40.0, 0.0)
    distance = np.linalg.norm(where[:, None] - where[None], axis=2)
    together = (group[:, None] == 0) & (group[None] == 0)
    correlation = np.where(together, np.exp(-distance / 40.0), np.eye(nobs))
    full = correlation * np.sqrt(R[:, None] * R[None])
    A = analyse_local(E, Y, d, R, places, where, np.inf, method, taper="none", error_group=group, error_length=length)
    np.testing.assert_allclose(A, analyse(E, Y, d, full, method=method[1:]), rtol=0, atol=1e-9)


@pytest.mark.parametrize("numbers", [[0, 2**32], [-5, 2**40], [7, 3]])
def test_groups_of_errors_may_have_any_number(numbers):
    """Two groups that differ by 2**32 are not one."""
    E, Y, d, R, places, where = problem()
    group = np.arange(25) % 2
    expected = analyse_local(E, Y, d, R, places, where, 60.0, error_group=group, error_length=40.0)
    together = analyse_local(E, Y, d, R, places, where, 60.0, error_group=np.zeros(25, int), error_length=40.0)
    assert np.abs(expected - together).max() > 1e-3
    A = analyse_local(E, Y, d, R, places, where, 60.0, error_group=np.array(numbers)[group], error_length=40.0)
    np.testing.assert_allclose(A, expected, rtol=0, atol=1e-12)


def test_many_groups_of_errors_are_checked_in_one_pass():
    """A loop over groups of 200 000 observations takes the product of both: half a minute of numpy, not a second."""
    group, length = np.arange(200000) // 2, np.repeat(np.arange(1.0, 100001.0), 2)
    began = process_time()
    numbers, lengths = _check_errors(group, length, 200000)
    assert process_time() - began < 1.0
    np.testing.assert_array_equal(numbers, group)
    np.testing.assert_array_equal(lengths, length)
    length[77] = 1.0
    with pytest.raises(InputError, match="group 38 has several"):
        _check_errors(group, length, 200000)


def test_correlated_errors_fade_with_the_weight():
    """R + diag((1/w - 1) R): an observation at the rim of its radius tells nothing of the error of another one."""
    E, Y, d, R, _, _ = problem(nstate=1, nobs=2)
    together = {"error_group": np.zeros(2, dtype=int), "error_length": 100.0}

    def at(x):
        return analyse_local(E, Y, d, R, [[0.0]], [[0.0], [x]], 10.0, **together)

    alone = analyse_local(E, Y[:, :1], d[:1], R[:1], [[0.0]], [[0.0]], 10.0)
    np.testing.assert_allclose(at(9.9999), alone, rtol=0, atol=1e-6)
    np.testing.assert_allclose(at(10.0001), alone, rtol=0, atol=1e-12)
    weight = localisation_weights([0.0, 4.0], 10.0)
    correlation = np.array([[1.0, np.exp(-0.04)], [np.exp(-0.04), 1.0]])
    full = correlation * np.sqrt(R[:, None] * R[None]) + np.diag((1.0 / weight - 1.0) * R)
    np.testing.assert_allclose(at(4.0), analyse(E, Y, d, full), rtol=0, atol=1e-12)


def test_duplicates_with_correlated_errors_are_refused():
    E, Y, d, R, places, where = problem(nobs=2)
    with pytest.raises(InputError, match="fully correlated"):
        analyse_local(E, Y, d, R, places, where[[0, 0]], np.inf, error_group=[0, 0], error_length=10.0)


@pytest.mark.parametrize("method", LOCAL)
def test_unobserved_domains(method):
    """As they were; inflated or turned where that is asked, with the same mean and covariance."""
    E, Y, d, R, places, where = problem()
    far = np.array([[1e4, 1e4]])
    state = np.concatenate([E, E[:, :1] + 1.0, 2.0 * E[:, 1:2]], axis=1)
    coords = np.concatenate([places, far, far])
    common = {"inflation": 1.3, "rng": 7}
    kept = analyse_local(state, Y, d, R, coords, where, 30.0, method, **common)
    np.testing.assert_array_equal(kept[:, -2:], state[:, -2:])
    wide = analyse_local(state, Y, d, R, coords, where, 30.0, method, inflate_unobserved=True, **common)
    np.testing.assert_allclose(wide[:, -2:].std(axis=0), 1.3 * state[:, -2:].std(axis=0), rtol=1e-12)
    near = (np.linalg.norm(places[:, None] - where[None], axis=2) < 30.0).any(axis=1)
    np.testing.assert_array_equal(wide[:, :-2][:, near], kept[:, :-2][:, near])
    turned = analyse_local(state, Y, d, R, coords, where, 30.0, method, rotation=True, **common)
    np.testing.assert_allclose(np.cov(turned[:, -2:].T), np.cov(state[:, -2:].T), rtol=0, atol=1e-12)
    assert not np.allclose(turned[:, -2:], state[:, -2:])


@pytest.mark.parametrize("method", LOCAL)
def test_any_share_of_the_domains_gives_the_same_bits(method):
    E, Y, d, R, places, where = problem()
    options = {"method": method, "inflation": 1.05, "relaxation": 0.3, "rotation": True}
    whole = analyse_local(E, Y, d, R, places, where, 40.0, rng=3, **options)
    parts = [analyse_local(E[:, part], Y, d, R, places[part], where, 40.0, rng=3, **options)
             for part in (slice(0, 7), slice(7, 8), slice(8, 60))]
    np.testing.assert_array_equal(whole, np.concatenate(parts, axis=1))
    np.testing.assert_array_equal(whole, analyse_local(E, Y, d, R, places, where, 40.0, rng=3, threads=3, **options))


@pytest.mark.parametrize("method", ["letkf", "ldenkf", "lnetf", "lknetf", "lseik"])
def test_weights_of_domains(method):
    E, Y, d, R, places, where = problem(nstate=8)
    W = local_weights(Y, d, R, places, where, 60.0, method, inflation=1.1)
    mean = E.mean(axis=0)
    expected = np.stack([mean[k] + (E[:, k] - mean[k]) @ W[k] for k in range(8)], axis=1)
    A = analyse_local(E, Y, d, R, places, where, 60.0, method, inflation=1.1)
    np.testing.assert_allclose(A, expected, rtol=0, atol=1e-12)


def test_weights_with_relaxation_to_perturbations_and_rotation():
    """Both are the same for every element of a domain."""
    E, Y, d, R, places, where = problem(nstate=8)
    options = {"inflation": 1.1, "relaxation": 0.4, "relaxation_to": "perturbations", "rotation": True, "rng": 3}
    W = local_weights(Y, d, R, places, where, 60.0, **options)
    mean = E.mean(axis=0)
    expected = np.stack([mean[k] + (E[:, k] - mean[k]) @ W[k] for k in range(8)], axis=1)
    np.testing.assert_allclose(analyse_local(E, Y, d, R, places, where, 60.0, **options), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("options, text", [
    ({"adaptive": "auto"}, "adaptive is not for local_weights: weights by correlation"),
    ({"relaxation": 0.4}, "relaxation is not for local_weights: relaxation to the spread"),
    ({"relaxation": 0.4, "relaxation_to": "spread"}, "relaxation is not for local_weights"),
    ({"domain_of_state": [0] * 8}, "domain_of_state is not for local_weights"),
    ({"return_diagnostics": True}, "return_diagnostics is not for local_weights"),
])
def test_what_has_no_weights_is_refused(options, text):
    """Unit vectors have correlations and spreads of their own: the matrix would be another one."""
    _, Y, d, R, places, where = problem(nstate=8)
    with pytest.raises(InputError, match=text):
        local_weights(Y, d, R, places, where, 60.0, **options)


def test_relaxation_to_perturbations():
    """Zhang et al. (2004), eq. 5, globally and locally; RTPS keeps the analysis mean as well."""
    E, Y, d, R, places, where = problem()
    for run in (lambda **options: analyse(E, Y, d, R, **options),
                lambda **options: analyse_local(E, Y, d, R, places, where, np.inf, **options)):
        plain = run(inflation=1.2)
        relaxed = run(inflation=1.2, relaxation=0.4, relaxation_to="perturbations")
        mean = plain.mean(axis=0)
        expected = mean + 0.6 * (plain - mean) + 0.4 * (E - E.mean(axis=0))
        np.testing.assert_allclose(relaxed, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("method", ["etkf", "seik", "ensrf", "netf", "knetf"])
@pytest.mark.parametrize("nobs", [8, 12])
def test_relaxation_comes_before_rotation(method, nobs):
    """Mixed anomalies have the covariance of those that are not mixed."""
    E, Y, d, R, _, _ = problem(nobs=nobs)
    options = {"relaxation": 0.5, "relaxation_to": "perturbations"}
    plain, turned = analyse(E, Y, d, R, method, **options), analyse(E, Y, d, R, method, rotation=True, rng=3, **options)
    np.testing.assert_allclose(np.cov(turned.T), np.cov(plain.T), rtol=0, atol=1e-11)
    assert not np.allclose(turned, plain)


@pytest.mark.parametrize("change, text", [
    ({"period": [100.0]}, "period must hold a length"),
    ({"period": [-1.0, 0.0]}, "period must hold a length"),
    ({"period": [1.0, 1.0], "metric": "haversine", "coords_state": np.zeros((60, 2)), "coords_obs": np.zeros((25, 2))},
     "period is for metric 'euclidean'"),
    ({"radius": np.ones(3)}, "radius must be a number above 0 or one for each observation"),
    ({"radius": np.full(25, -1.0)}, "radius must be a number above 0"),
    ({"taper": ["none"] * 3}, "one for each of 25 observations"),
    ({"taper": ["none"] * 24 + ["gauss"]}, "taper must be one of"),
    ({"depth_obs": np.zeros(25)}, "belong together"),
    ({"depth_obs": np.zeros(25), "depth_state": np.zeros(3), "depth_radius": 1.0}, "depth_state must have shape"),
    ({"depth_obs": np.zeros(25), "depth_state": np.zeros(60), "depth_radius": 0.0}, "depth_radius must lie in"),
    ({"distances": Distances(np.array([0]), np.array([0]), np.array([1.0]))}, "number of domains as coords_state"),
    ({"distances": Distances(np.array([60]), np.array([0]), np.array([1.0])), "coords_state": 60, "coords_obs": None},
     "distances.domain must lie in 0 to 59"),
    ({"adaptive": 1.0}, "adaptive must lie below 1"),
    ({"adaptive": "some"}, "adaptive must be one of auto"),
    ({"adaptive": 0.5, "method": "lenkf"}, "adaptive is not for localised covariances"),
    ({"error_group": np.zeros(25, int)}, "belong together"),
    ({"error_group": np.zeros(25, int), "error_length": np.arange(25.0)}, "same within a group"),
    ({"error_group": np.zeros(25, int), "error_length": 1.0, "method": "lensrf"}, "independent errors"),
    ({"method": "lenkf", "taper": "exponential"}, "taper must be gaspari_cohn"),
    ({"method": "lenkf", "localise": "both"}, "localise must be one of covariance, errors"),
    ({"localise": "errors"}, "method 'letkf' has no option localise: it belongs to lenkf"),
    ({"colour": 1}, "method 'letkf' has no option colour: no filter has it"),
    ({"relaxation_to": "mean"}, "relaxation_to must be one of"),
    ({"method": "lrhf", "bounds": (0.0, 1.0)}, "lies outside the bounds"),
    ({"method": "lrhf", "bounds": (1.0, 0.0)}, "lower one below the upper"),
    ({"method": "lrhf", "bounds": 3}, "bounds must be a pair"),
    ({"method": "lnetf", "likelihood": "cauchy"}, "likelihood must be one of"),
    ({"method": "lknetf", "hybrid_weight": 2.0}, "hybrid_weight must lie in"),
])
def test_bad_input_is_a_sentence(change, text):
    E, Y, d, R, places, where = problem()
    arguments = {"E": E, "Y": Y, "d": d, "R": R, "coords_state": places, "coords_obs": where, "radius": 10.0}
    with pytest.raises(InputError, match=text):
        analyse_local(**{**arguments, **change})
