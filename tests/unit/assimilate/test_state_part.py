"""Variables of a state vector: rows, masks, damping, transforms and bounds, and the way back."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.assimilate.state_part import JoinedState, StatePart
from pyland.base.errors import InputError

LAYERS, MEMBERS, CELLS = 4, 6, 3
EVERYWHERE = np.ones((LAYERS, 1, CELLS), dtype=bool)


@pytest.fixture
def values():
    return np.random.default_rng(4).uniform(0.1, 0.4, (LAYERS, MEMBERS, CELLS))


@pytest.mark.parametrize("transform", ["none", "log", "logit", "anamorphosis"])
def test_what_the_filter_leaves_keeps_its_bits(values, transform):
    part = StatePart("soil_water", values, EVERYWHERE, transform, lower=0.0, upper=0.5)
    back, clipped = part.back(part.rows(part.forward()))
    assert np.array_equal(back, values) and clipped == 0


@pytest.mark.parametrize(("transform", "expected"), [
    ("none", lambda x, shift: x + shift),
    ("log", lambda x, shift: x * np.exp(shift)),
    ("logit", lambda x, shift: 0.5 / (1.0 + (0.5 - x) / x * np.exp(-shift))),
])
def test_damping_acts_after_the_transform(values, transform, expected):
    shift = np.random.default_rng(5).normal(0.0, 0.01, values.shape)
    part = StatePart("soil_water", values, EVERYWHERE, transform, damping=0.25, lower=0.0, upper=0.5)
    back, clipped = part.back(part.forward() + 4.0 * shift)
    assert back == pytest.approx(expected(values, shift), rel=1e-12) and clipped == 0


def test_where_nothing_is_updated_bits_stay_and_values_may_be_anything(values):
    values[0] = 0.0  # has no logarithm
    is_updated = EVERYWHERE.copy()
    is_updated[0], is_updated[1, 0, 2] = False, False
    part = StatePart("soil_water", values, is_updated, "log", upper=0.35)
    assert (part.forward()[0] == 0.0).all()
    back, clipped = part.back(part.forward() + 5.0)
    assert np.array_equal(back[0], values[0]) and np.array_equal(back[1, :, 2], values[1, :, 2])
    assert (back[2:] == 0.35).all() and clipped == MEMBERS * (LAYERS * CELLS - CELLS - 1)


def test_values_without_a_transform_are_named(values):
    values[2, 1, 0] = 0.0
    with pytest.raises(InputError, match="log of soil_water"):
        StatePart("soil_water", values, EVERYWHERE, "log").forward()
    with pytest.raises(InputError, match="has the transform 'cube'"):
        StatePart("soil_water", values, EVERYWHERE, "cube").forward()


def test_shared_layers_get_one_increment(values):
    part = StatePart("saturated_conductivity", values, EVERYWHERE, "log", is_shared=True)
    rows = part.rows(part.forward())
    assert rows.shape == (1, MEMBERS, CELLS) and rows[0] == pytest.approx(np.log(values).mean(axis=0))
    factor = np.random.default_rng(6).uniform(0.5, 2.0, (1, MEMBERS, CELLS))
    back, _ = part.back(rows + np.log(factor))
    assert back / values == pytest.approx(np.broadcast_to(factor, values.shape))


def test_rows_of_all_parts_and_the_way_back(values):
    snow = StatePart("snow_mass", 10.0 * values[:1], EVERYWHERE[:1], damping=0.5)
    water = StatePart("soil_water", values, EVERYWHERE, depth=np.array([0.1, 0.2, 0.4, 0.8]))
    conductivity = StatePart("saturated_conductivity", values, EVERYWHERE, "log", is_shared=True)
    state = JoinedState.join([water, snow, conductivity])
    assert state.values.shape == (LAYERS + 2, MEMBERS, CELLS) and state.start == (0, LAYERS, LAYERS + 1)
    assert state.depth[:-1].tolist() == [0.1, 0.2, 0.4, 0.8, 0.0] and np.isnan(state.depth[-1])
    assert state.is_updated.shape == (LAYERS + 2, CELLS) and state.is_updated.all()
    back = state.back(state.values + 0.01)
    assert back["soil_water"][0] == pytest.approx(values + 0.01)
    assert back["snow_mass"][0] == pytest.approx(10.0 * values[:1] + 0.005)
    assert back["saturated_conductivity"][0] == pytest.approx(values * np.exp(0.01))
    with pytest.raises(InputError, match="at least one variable"):
        JoinedState.join([])


def test_rows_say_where_they_are_updated(values):
    is_updated = EVERYWHERE.copy()
    is_updated[2:, :, 0], is_updated[:, :, 2] = False, False
    water, shared = (StatePart(name, values, is_updated, is_shared=name != "soil_water")
                     for name in ("soil_water", "porosity"))
    found = JoinedState.join([water, shared]).is_updated
    assert np.array_equal(found[:LAYERS], is_updated[:, 0]) and found[LAYERS].tolist() == [True, True, False]


def test_water_and_heads_share_rows(values):
    heads = values - 0.25
    is_head = (heads >= 0.0).all(axis=1, keepdims=True)
    is_head[-1] = True
    water, head = (StatePart(name, field, EVERYWHERE).only(where) for name, field, where in (
        ("soil_water", values, ~is_head), ("pressure_head", heads, is_head)))
    state = JoinedState.join([water, head], (("soil_water", "pressure_head"),))
    assert np.array_equal(state.values, np.where(is_head, heads, values))
    assert state.is_updated.all()
    back = state.back(state.values + 1.0)
    assert back["soil_water"][0] == pytest.approx(np.where(is_head, values, values + 1.0))
    assert back["pressure_head"][0] == pytest.approx(np.where(is_head, heads + 1.0, heads))
    with pytest.raises(InputError, match="update the same place"):
        JoinedState.join([water, StatePart("pressure_head", heads, EVERYWHERE)], (("soil_water", "pressure_head"),))
