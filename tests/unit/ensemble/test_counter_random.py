import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyland.base.errors import InputError
from pyland.ensemble.counter_random import philox4x32, standard_normal


@pytest.mark.parametrize(
    "counter, key, expected",
    [  # known answers of the Random123 distribution (kat_vectors, philox4x32 10 rounds)
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        ((0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0),
         (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)),
    ],
)
def test_philox_gives_the_published_numbers(counter, key, expected):
    words = philox4x32(tuple(np.uint64(word) for word in counter), key)
    assert tuple(int(word) for word in words) == expected


def test_moments_and_tails_are_those_of_a_normal_variable():
    z = standard_normal(7, "test", 0, 3, np.arange(250_000)).ravel()
    assert abs(z.mean()) < 4 / math.sqrt(z.size)
    assert abs(z.var() - 1) < 4 * math.sqrt(2 / z.size)
    assert abs((z**3).mean()) < 4 * math.sqrt(15 / z.size)
    assert abs((z**4).mean() - 3) < 4 * math.sqrt(96 / z.size)
    for cut in (1.0, 2.0, 3.0):
        tail = math.erfc(cut / math.sqrt(2))
        assert abs((np.abs(z) > cut).mean() - tail) < 4 * math.sqrt(tail / z.size)


def test_channels_members_steps_nodes_purposes_and_seeds_are_independent():
    node = np.arange(20_000)
    reference = standard_normal(1, "a", 0, 0, node)
    others = [*reference[1:], standard_normal(2, "a", 0, 0, node)[0], standard_normal(1, "b", 0, 0, node)[0],
              standard_normal(1, "a", 1, 0, node)[0], standard_normal(1, "a", 0, 1, node)[0],
              standard_normal(1, "a", 0, 0, node, 1)[0], np.roll(reference[0], 1)]
    for other in others:
        assert abs(np.corrcoef(reference[0], other)[0, 1]) < 4 / math.sqrt(node.size)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=40), st.integers(0, 10**6), st.data())
def test_a_number_depends_on_its_indices_only(nodes, step, data):
    all_at_once = standard_normal(11, "x", np.arange(5)[:, None], step, np.array(nodes))
    pick = data.draw(st.integers(0, len(nodes) - 1))
    member = data.draw(st.integers(0, 4))
    alone = standard_normal(11, "x", member, step, nodes[pick], channels=2)
    assert alone.shape == (2,)
    assert np.array_equal(alone, all_at_once[:2, member, pick])


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, True, "1"])
def test_a_wrong_seed_is_refused(seed):
    with pytest.raises(InputError, match="ensemble.seed"):
        standard_normal(seed, "x", 0, 0, 0)


def test_channels_are_one_to_four():
    with pytest.raises(InputError, match="channels"):
        standard_normal(1, "x", 0, 0, 0, channels=5)
