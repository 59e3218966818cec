"""Distances along rivers against Dijkstra's search, and what each direction reaches."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from pyland.assimilate.distances import Distances
from pyland.assimilate.river_distances import DIRECTIONS, RiverForest, river_distances
from pyland.base.errors import InputError


def forest(count, seed):
    """Return a random forest: a node drains to one with a lower number, or ends; numbers are then shuffled."""
    rng = np.random.default_rng(seed)
    down = np.array([-1] + [rng.integers(-1 if rng.random() < 0.1 else 0, k) for k in range(1, count)])
    number = rng.permutation(count)
    downstream = np.empty(count, int)
    downstream[number] = np.where(down >= 0, number[down], rng.choice([-1, -2], count))
    return downstream, rng.uniform(500.0, 3000.0, count)


def searched(downstream, length, direction):
    """Return the distance (observation node, node) by Dijkstra on the matrix of edges."""
    size = downstream.size
    flows = np.flatnonzero(downstream >= 0)
    down = csr_array((length[flows], (flows, downstream[flows])), shape=(size, size))
    if direction == "network":
        return dijkstra(down, directed=False)
    below, above = dijkstra(down), dijkstra(down.T.tocsr())
    return {"downstream": below, "upstream": above, "both": np.minimum(below, above)}[direction]


@pytest.mark.parametrize("direction", ["both", "upstream", "downstream", "network"])
@pytest.mark.parametrize("radius", [4000.0, np.inf])
def test_against_dijkstra(direction, radius):
    downstream, length = forest(300, seed=1)
    rng = np.random.default_rng(2)
    domains = rng.integers(0, 300, 500)  # some nodes have several domains, some none
    gauges = rng.integers(0, 300, 25)
    pairs = river_distances(downstream, length, domains, gauges, radius, direction)
    expected = searched(downstream, length, direction)[gauges[None, :], domains[:, None]]
    domain, obs = np.nonzero(np.isfinite(expected) & (expected <= radius))
    np.testing.assert_array_equal(pairs.domain, domain)
    np.testing.assert_array_equal(pairs.obs, obs)
    np.testing.assert_allclose(pairs.distance, expected[domain, obs], rtol=1e-13)
    assert pairs.size > gauges.size


def test_directions_at_a_confluence():
    """Nodes 0 and 1 join in 2, which drains to 3: the other tributary is part of the network, not of the flow."""
    reached = {
        name: river_distances([2, 2, 3, -1], [1.0, 2.0, 4.0, 0.0], range(4), [0], 10.0, name).domain.tolist()
        for name in ("both", "upstream", "downstream", "network")
    }
    assert reached == {"both": [0, 2, 3], "upstream": [0], "downstream": [0, 2, 3], "network": [0, 1, 2, 3]}
    pairs = river_distances([2, 2, 3, -1], [1.0, 2.0, 4.0, np.nan], range(4), [0], 3.0, "network")
    assert pairs.distance.tolist() == [0.0, 3.0, 1.0]  # the radius is included; the length at the end is not read


def test_order_of_observations_and_share_of_domains():
    downstream, length = forest(100, seed=3)
    gauges = np.array([7, 42, 42, 90])
    whole = river_distances(downstream, length, np.arange(100), gauges, 6000.0)
    part = river_distances(downstream, length, np.arange(40, 100), gauges, 6000.0)
    mine = whole.domain >= 40
    np.testing.assert_array_equal(part.domain + 40, whole.domain[mine])
    np.testing.assert_array_equal(part.distance, whole.distance[mine])


def test_long_river_is_linear():
    """A river of 200 000 nodes: the search must not take a row per node."""
    size = 200_000
    downstream = np.arange(size) + 1
    downstream[-1] = -1
    pairs = river_distances(downstream, 100.0, np.arange(size), np.arange(0, size, 1000), 2000.0)
    assert pairs.size == 200 * 41 - 20  # the first gauge has nothing above


def test_one_forest_serves_several_searches():
    downstream, length = forest(80, seed=9)
    rivers = RiverForest(downstream, length)
    for direction in DIRECTIONS:
        for radius in (2000.0, np.inf):
            once = river_distances(downstream, length, np.arange(80), [3, 60], radius, direction)
            again = rivers.distances(np.arange(80), [3, 60], radius, direction)
            np.testing.assert_array_equal([once.domain, once.obs], [again.domain, again.obs])
            np.testing.assert_array_equal(once.distance, again.distance)


def test_pairs_of_places_are_those_of_the_domains_there():
    """Places 7 and 2 have two domains and one, place 5 has none."""
    found = Distances.at_places(np.array([7, 2, 7]), np.array([5, 7, 2, 7]), np.array([0, 1, 1, 0]), np.arange(4.0))
    assert [found.domain.tolist(), found.obs.tolist(), found.distance.tolist()] == [
        [0, 0, 1, 2, 2], [0, 1, 1, 0, 1], [3.0, 1.0, 2.0, 3.0, 1.0]]


def test_empty():
    assert river_distances([-1], 1.0, [0], np.empty(0, int), 1.0).size == 0


@pytest.mark.parametrize("change, text", [
    ({"downstream": [1, 0, -1]}, "cycle"),
    ({"downstream": [1, 5, -1]}, "name nodes 0 to 2"),
    ({"downstream": [0.5, 1, 2]}, "whole number"),
    ({"length": [1.0, -1.0, 1.0]}, "at least 0"),
    ({"length": [1.0, 1.0]}, "shape"),
    ({"domain_nodes": [3]}, "domain_nodes must lie"),
    ({"observation_nodes": [-1]}, "observation_nodes must lie"),
    ({"radius": 0.0}, "radius"),
    ({"direction": "upstrem"}, "did you mean 'upstream'"),
])
def test_bad_input(change, text):
    good = {"downstream": [1, 2, -1], "length": 1.0, "domain_nodes": [0], "observation_nodes": [2], "radius": 1.0}
    with pytest.raises(InputError, match=text):
        river_distances(**{**good, **change})


@pytest.mark.parametrize("arrays, text", [
    (([0, 0], [1, 0], [1.0, 1.0]), "in the order"),
    (([0, 0], [1, 1], [1.0, 1.0]), "each pair once"),
    (([0, 1], [1, 1], [1.0, -1.0]), "at least 0"),
    (([0], [1, 1], [1.0, 1.0]), "one length"),
    (([-1], [1], [1.0]), "start at 0"),
    (([0.5], [1], [1.0]), "whole numbers"),
])
def test_bad_distances(arrays, text):
    with pytest.raises(InputError, match=text):
        Distances(*map(np.array, arrays))
