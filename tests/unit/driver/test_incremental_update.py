"""Increments in parts: all of it enters, and a restart leaves nothing out."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.driver.analysis.incremental_update import IncrementalUpdate, part_weights


@pytest.mark.parametrize("kind", ["constant", "linear"])
@pytest.mark.parametrize("count", [1, 2, 5, 6, 48])
def test_parts_sum_to_one(kind, count):
    weights = part_weights(kind, count)
    assert weights.size == count and weights.sum() == pytest.approx(1.0, abs=1e-14) and (weights > 0).all()
    assert np.array_equal(weights, weights[::-1])
    if kind == "constant":
        assert np.ptp(weights) == 0.0


def test_linear_parts_rise_to_the_middle_and_fall():
    assert part_weights("linear", 4) == pytest.approx(np.array([1, 2, 2, 1]) / 6)
    assert part_weights("linear", 5) == pytest.approx(np.array([1, 2, 3, 2, 1]) / 9)


def test_all_of_an_increment_enters():
    increment = np.random.default_rng(1).standard_normal((3, 2, 4))
    waiting = IncrementalUpdate(part_weights("linear", 5))
    assert not waiting.is_waiting
    waiting.begin({"soil_water": increment})
    total = sum(waiting.part()["soil_water"] for _ in range(2))
    whole, plain = waiting.state()
    other = IncrementalUpdate(part_weights("linear", 5))
    other.restore(whole | plain)
    for one in (waiting, other):
        left = np.array(total)
        while one.is_waiting:
            left += one.part()["soil_water"]
        assert left == pytest.approx(increment, abs=1e-14)
        assert not one.state()[0]


def test_what_is_left_before_the_next_analysis():
    waiting = IncrementalUpdate(part_weights("constant", 4))
    waiting.begin({"soil_water": np.ones((1, 1, 1))})
    waiting.part()
    with pytest.raises(InputError, match="begins before the one before has ended"):
        waiting.begin({"soil_water": np.ones((1, 1, 1))})
    assert waiting.rest()["soil_water"] == pytest.approx(0.75) and not waiting.is_waiting and waiting.rest() == {}


@pytest.mark.parametrize(("kind", "count", "words"), [("hat", 3, "constant or linear"), ("linear", 0, "at least one")])
def test_bad_input(kind, count, words):
    with pytest.raises(InputError, match=words):
        part_weights(kind, count)
