"""The local filter: tapers, limits, domains, search, messages."""

from __future__ import annotations

import numpy as np
import pytest
from local_problems import problem

from pyland.assimilate import analyse, analyse_local, local_weights, localisation_weights
from pyland.base.errors import InputError

EARTH_RADIUS = 6.37122e6


def brute_force(E, Y, d, R, distance, radius, taper):
    """One ETKF per state element with R / weight."""
    A = E.copy()
    for k in range(E.shape[1]):
        weight = np.where(distance[k] <= radius, localisation_weights(distance[k], radius, taper), 0.0)
        near = weight > 0
        if near.any():
            A[:, k] = analyse(E[:, [k]], Y[:, near], d[near], R[near] / weight[near])[:, 0]
    return A


def test_gaspari_cohn_values():
    """Gaspari and Cohn (1999), eq. 4.10: 1 at 0, 5/24 at half the support, 0 at the support, smooth and monotonic."""
    s = np.array([0.0, 5.0, 10.0, 11.0])
    np.testing.assert_allclose(localisation_weights(s, 10.0), [1.0, 5.0 / 24.0, 0.0, 0.0], atol=1e-15)
    fine = np.linspace(0.0, 10.0, 1001)
    assert (np.diff(localisation_weights(fine, 10.0)) <= 0).all()
    np.testing.assert_allclose(localisation_weights([0.0, 5.0, 10.0, 10.1], 10.0, "exponential"),
                               [1.0, np.exp(-0.5), np.exp(-1.0), 0.0])
    np.testing.assert_array_equal(localisation_weights([[0.0, 10.0], [10.1, 5.0]], 10.0, "none"), [[1, 1], [0, 1]])
    np.testing.assert_array_equal(localisation_weights([0.0, 1e9], np.inf), [1.0, 1.0])


@pytest.mark.parametrize("nobs", [1, 5, 9, 10, 11, 40])
@pytest.mark.parametrize("taper", ["gaspari_cohn", "none", "exponential"])
def test_infinite_radius_is_the_etkf(nobs, taper):
    E, Y, d, R, places, where = problem(nobs=nobs)
    A = analyse_local(E, Y, d, R, places, where, np.inf, taper=taper, inflation=1.1, relaxation=0.3)
    np.testing.assert_allclose(A, analyse(E, Y, d, R, inflation=1.1, relaxation=0.3), rtol=0, atol=1e-10)


@pytest.mark.parametrize("taper", ["gaspari_cohn", "none", "exponential"])
def test_single_observation_gain(taper):
    """Mean increment: covariance / (variance + R/w) times the innovation, with the weight w of the distance."""
    E, Y, d, R, places, _ = problem(nobs=1)
    where, radius = np.array([[50.0, 50.0]]), 40.0
    A = analyse_local(E, Y, d, R, places, where, radius, taper=taper)
    weight = localisation_weights(np.linalg.norm(places - where, axis=1), radius, taper)
    y = Y[:, 0] - Y[:, 0].mean()
    covariance = (E - E.mean(axis=0)).T @ y / 9.0
    with np.errstate(divide="ignore"):
        gain = covariance / (y @ y / 9.0 + R[0] / weight)
    np.testing.assert_allclose((A - E).mean(axis=0), gain * (d[0] - Y.mean()), rtol=0, atol=1e-13)
    assert (A[:, weight == 0] == E[:, weight == 0]).all() and (weight == 0).any()


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("radius", [0.5, 7.0, 33.3, 99.0, 300.0])
def test_equals_brute_force(ndim, radius):
    E, Y, d, R, places, where = problem(ndim=ndim)
    distance = np.linalg.norm(places[:, None] - where[None], axis=2)
    A = analyse_local(E, Y, d, R, places, where, radius)
    np.testing.assert_allclose(A, brute_force(E, Y, d, R, distance, radius, "gaspari_cohn"), rtol=0, atol=1e-12)


def test_search_on_a_lattice_keeps_the_border():
    """Hard cut-off with distances exactly on the radius, domains inside and outside the box of the observations."""
    axis = np.arange(0.0, 60.0, 2.0)
    places = np.array([(x, y) for x in np.arange(-30.0, 90.0, 5.0) for y in np.arange(-30.0, 90.0, 5.0)])
    where = np.array([(x, y) for x in axis for y in axis])
    rng = np.random.default_rng(0)
    E, Y = rng.standard_normal((5, len(places))), rng.standard_normal((5, len(where)))
    d, R = rng.standard_normal(len(where)), np.ones(len(where))
    distance = np.linalg.norm(places[:, None] - where[None], axis=2)
    for radius in (5.0, 10.0, 20.0):
        A = analyse_local(E, Y, d, R, places, where, radius, taper="none")
        np.testing.assert_allclose(A, brute_force(E, Y, d, R, distance, radius, "none"), rtol=0, atol=1e-12)


@pytest.mark.parametrize("radius", [3e5, 3e6, 1.5e7, 2.1e7])
def test_great_circle(radius):
    """Poles and the date line are ordinary places."""
    rng = np.random.default_rng(2)
    n = 40
    places = np.column_stack([np.degrees(np.arcsin(rng.uniform(-1, 1, n))), rng.uniform(-180, 360, n)])
    where = np.vstack([places[:15] + 0.5 * rng.standard_normal((15, 2)), [[89.9, 10.0], [-90.0, 0.0], [0.0, 180.0]]])
    where[:, 0] = where[:, 0].clip(-90, 90)
    a, b = np.radians(places)[:, None], np.radians(where)[None]
    h = np.sin((a - b)[..., 0] / 2) ** 2 + np.cos(a[..., 0]) * np.cos(b[..., 0]) * np.sin((a - b)[..., 1] / 2) ** 2
    distance = 2 * EARTH_RADIUS * np.arcsin(np.sqrt(h))
    E, Y = rng.standard_normal((6, n)), rng.standard_normal((6, len(where)))
    d, R = rng.standard_normal(len(where)), np.ones(len(where))
    A = analyse_local(E, Y, d, R, places, where, radius, metric="haversine")
    np.testing.assert_allclose(A, brute_force(E, Y, d, R, distance, radius, "gaspari_cohn"), rtol=0, atol=1e-7)


def test_layers_share_a_domain():
    E, Y, d, R, places, where = problem(nstate=30)
    layered = np.random.default_rng(3).standard_normal((10, 20 * 30))
    owner = np.tile(np.arange(30), 20)  # layer by layer
    A = analyse_local(layered, Y, d, R, places, where, 30.0, domain_of_state=owner, inflation=1.05, relaxation=0.2)
    for layer in range(20):
        part = slice(30 * layer, 30 * (layer + 1))
        single = analyse_local(layered[:, part], Y, d, R, places, where, 30.0, inflation=1.05, relaxation=0.2)
        np.testing.assert_array_equal(A[:, part], single)


def test_untouched_without_observations_near():
    E, Y, d, R, places, where = problem()
    A = analyse_local(E, Y, d, R, places + 1000.0, where, 50.0, inflation=1.5)
    np.testing.assert_array_equal(A, E)
    np.testing.assert_array_equal(
        analyse_local(E, np.empty((10, 0)), [], [], places, np.empty((0, 2)), 50.0, inflation=1.5), E)


@pytest.mark.parametrize("inflation", [1.0, 1.2])
def test_weights_reproduce_the_analysis(inflation):
    E, Y, d, R, places, where = problem()
    W = local_weights(Y, d, R, places, where, 40.0, inflation=inflation)
    mean = E.mean(axis=0)
    expected = mean + np.einsum("ks,skj->js", E - mean, W)
    A = analyse_local(E, Y, d, R, places, where, 40.0, inflation=inflation)
    assert W.shape == (60, 10, 10)
    np.testing.assert_allclose(A, expected, rtol=0, atol=1e-12)


def test_diagnostics_with_infinite_radius():
    E, Y, d, R, places, where = problem()
    result = analyse_local(E, Y, d, R, places, where, np.inf, relaxation=0.5, return_diagnostics=True)[1]
    expected = analyse(E, Y, d, R, relaxation=0.5, return_diagnostics=True)[1]
    for name in ("innovation", "residual", "spread_prior", "spread_analysis"):
        np.testing.assert_allclose(getattr(result, name), getattr(expected, name), atol=1e-12)
    assert result.degrees_of_freedom == pytest.approx(expected.degrees_of_freedom, rel=1e-10)
    assert result.chi2 == pytest.approx((result.innovation**2 / (Y.var(axis=0, ddof=1) + R)).sum())


def test_one_dimensional_coordinates_as_lists():
    E, Y, d, R, places, where = problem(ndim=1)
    np.testing.assert_array_equal(analyse_local(E, Y, d, R, places[:, 0], where[:, 0], 20.0),
                                  analyse_local(E, Y, d, R, places, where, 20.0))


@pytest.mark.parametrize("change, text", [
    ({"radius": 0.0}, "radius must lie in"),
    ({"radius": -1.0}, "radius must lie in"),
    ({"radius": np.nan}, "radius must lie in"),
    ({"method": "etkf"}, "belongs to analyse"),
    ({"method": "best"}, "unknown method"),
    ({"taper": "gauss"}, "taper must be one of none, exponential, gaspari_cohn"),
    ({"metric": "manhattan"}, "metric must be one of"),
    ({"R": np.eye(25)}, "use analyse for a full matrix"),
    ({"coords_state": np.ones((3, 2))}, "one row per element"),
    ({"coords_state": np.ones((60, 3))}, "same 1 to 3 coordinates"),
    ({"coords_obs": np.ones((4, 2))}, "one row per observation"),
    ({"coords_obs": np.full((25, 2), np.nan)}, "holds nan"),
    ({"metric": "haversine"}, "latitude"),
    ({"domain_of_state": np.zeros(5, dtype=int)}, "one whole number per state element"),
    ({"domain_of_state": np.zeros(60)}, "one whole number per state element"),
    ({"domain_of_state": np.full(60, 60)}, "must lie in 0 to 59"),
])
def test_bad_input_is_a_sentence(change, text):
    E, Y, d, R, places, where = problem()
    arguments = {"E": E, "Y": Y, "d": d, "R": R, "coords_state": places, "coords_obs": where, "radius": 10.0}
    with pytest.raises(InputError, match=text):
        analyse_local(**{**arguments, **change})


def test_negative_distance():
    with pytest.raises(InputError, match="at least 0"):
        localisation_weights([-1.0], 10.0)


@pytest.mark.parametrize("nobs", [4, 9, 30])
def test_poles_and_eigenvalues_agree(nobs):
    """Below, between and beyond the condition numbers that the rational inverse root covers: the same analysis."""
    E, Y, d, R, places, where = problem(nobs=nobs)
    for scale in 10.0 ** np.arange(-6.0, 5.0, 0.5):
        A = analyse_local(E, Y, d, scale * R, places, where, np.inf)
        np.testing.assert_allclose(A, analyse(E, Y, d, scale * R), rtol=0, atol=1e-15 / min(scale, 1.0) + 3e-13)
