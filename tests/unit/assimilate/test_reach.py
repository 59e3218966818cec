"""Which observations reach a domain: against distances computed one by one."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.assimilate import Distances, localisation_weights
from pyland.assimilate.reach import Reach
from pyland.base.errors import InputError


def dense(reach):
    """Return the weights of all pairs, (domain, obs), from the chunks."""
    out = np.zeros((len(reach.domains), len(reach.observations)))
    for one in reach.pairs():
        domain = np.repeat(np.arange(one.domains.start, one.domains.stop), np.diff(one.start))
        assert (out[domain, one.observation] == 0.0).all()
        out[domain, one.observation] = one.weight
    return out


def brute(domains, observations, radius, taper):
    distance = np.sqrt(((domains[:, None] - observations[None]) ** 2).sum(axis=2))
    return np.stack([localisation_weights(distance[:, k], radius[k], taper[k]) for k in range(len(radius))], axis=1)


def test_weights_are_those_of_all_distances():
    rng = np.random.default_rng(3)
    domains, observations = rng.uniform(0, 10, (400, 2)), rng.uniform(0, 10, (90, 2))
    radius, taper = rng.uniform(0.5, 4.0, 90), rng.choice(["gaspari_cohn", "exponential", "none"], 90)
    expected = brute(domains, observations, radius, taper)
    reach = Reach(domains, observations, radius, list(taper))
    assert dense(reach) == pytest.approx(expected, abs=1e-14)
    assert np.array_equal(reach.is_reached(), expected.any(axis=1))


def test_depths():
    """A probe at 0.3 m reaches the layer at 0.5 m with the weight of 0.2 m, a well reaches every depth."""
    reach = Reach(np.zeros((3, 1)), np.zeros((2, 1)), 1.0, "none", np.array([0.1, 0.5, 2.0]), np.array([0.3, np.nan]),
                  np.array([1.0, 1.0]))
    expected = localisation_weights(np.array([0.2, 0.2, 1.7]), 1.0)
    assert dense(reach)[:, 0] == pytest.approx(expected) and (dense(reach)[:, 1] == 1.0).all()


def test_without_a_radius_all_reach_all():
    reach = Reach(np.arange(200.0), np.arange(3.0), np.inf)
    assert (dense(reach) == 1.0).all() and reach.is_reached().all()
    assert not Reach(np.arange(4.0), np.zeros((0, 1)), 2.0).is_reached().any()


def test_distances_of_pairs():
    """Given pairs take the place of coordinates, whatever the chunks are, also with depths and infinite radii."""
    rng = np.random.default_rng(5)
    ndomain, count = 3000, 40
    domain, observation = np.nonzero(rng.random((ndomain, count)) < 0.3)
    far = rng.uniform(0.0, 3.0, domain.size)
    radius, taper = np.append(rng.uniform(0.5, 4.0, count - 1), np.inf), ["exponential"] * count
    depth, seen = rng.uniform(0.0, 2.0, ndomain), rng.uniform(0.0, 2.0, count)
    expected = np.zeros((ndomain, count))
    expected[domain, observation] = np.where(far <= radius[observation], np.exp(-far / radius[observation]), 0.0)
    expected *= localisation_weights(np.abs(depth[:, None] - seen), 1.0)
    reach = Reach(np.zeros((ndomain, 2)), np.zeros((count, 2)), radius, taper, depth, seen, 1.0,
                  distances=Distances.in_order(domain, observation, far))
    assert len(list(reach.pairs())) > 1 and dense(reach) == pytest.approx(expected, abs=1e-14)
    none = Distances(*(np.zeros(0, int),) * 2, np.zeros(0))
    assert not Reach(np.zeros((4, 1)), np.zeros((2, 1)), 1.0, distances=none).is_reached().any()
    with pytest.raises(InputError, match="domains below 2 and observations below 3"):
        Reach(np.zeros(2), np.zeros(3), 1.0, distances=Distances(np.array([0]), np.array([3]), np.array([1.0])))


@pytest.mark.parametrize(("arguments", "words"), [
    ((np.zeros((2, 2)), np.zeros((3, 1)), 1.0), "the same coordinates per row"),
    ((np.zeros(2), np.zeros(3), np.ones(2)), "one for each of the 3 observations"),
    ((np.zeros(2), np.zeros(3), 0.0), "radius must be a number above 0"),
    ((np.zeros(2), np.zeros(3), 1.0, ["none"]), "taper must be a word or one for each of the 3"),
    ((np.zeros(2), np.zeros(3), 1.0, "none", np.zeros(1), np.zeros(3), 1.0), "depth_radius needs a depth"),
])
def test_bad_input(arguments, words):
    with pytest.raises(InputError, match=words):
        Reach(*arguments)
