"""The mixed state vector: what it holds where, the way back, and the range of heads."""

import numpy as np
import pytest

from pyland.assimilate import StateVector, limit_heads
from pyland.base.errors import InputError

THICKNESS = np.array([0.2, 0.4, 1.0])


@pytest.fixture
def fields():
    rng = np.random.default_rng(3)
    heads = rng.normal(0.3, 1.0, (3, 4, 5))
    heads[2] = np.abs(heads[2])
    return {"soil_water": rng.uniform(0.1, 0.4, heads.shape), "pressure_head": heads}


def test_heads_where_all_members_are_saturated_and_water_elsewhere(fields):
    vector = StateVector.join(["soil_water", "pressure_head"], fields)
    saturated = (fields["pressure_head"] >= 0.0).all(axis=1)
    assert np.array_equal(vector.is_head[:, 0], saturated) and saturated[2].all() and not saturated.all()
    for layer, cell in np.ndindex(3, 5):
        source = fields["pressure_head" if saturated[layer, cell] else "soil_water"]
        assert np.array_equal(vector.values[layer, :, cell], source[layer, :, cell])


@pytest.mark.parametrize("update", [["soil_water"], ["pressure_head"], ["pressure_head", "soil_water"]])
def test_there_and_back(fields, update):
    states = {name: fields[name] for name in update}
    vector = StateVector.join(update, states)
    back = vector.put(states)
    assert back.keys() == states.keys()
    assert all(np.array_equal(back[name], states[name]) for name in update)
    moved = StateVector(vector.values + 1.0, vector.is_head).put(states)
    changes = [moved[name] - states[name] for name in update]
    assert np.allclose(sum(changes), 1.0) and all(set(np.unique(one.round(12))) <= {0.0, 1.0} for one in changes)


def test_what_a_vector_cannot_hold(fields):
    with pytest.raises(InputError, match="expected one or both of soil_water, pressure_head"):
        StateVector.join(["soil_temperature"], fields)


def test_heads_stay_between_a_table_at_the_surface_and_one_at_the_base():
    prior = np.zeros((3, 2, 1))
    limited, count = limit_heads(np.array([-9.0, 9.0])[None, :, None] + prior, prior, THICKNESS)
    centre = np.array([0.1, 0.4, 1.1])
    assert limited[:, 0, 0] == pytest.approx(centre - 1.6) and limited[:, 1, 0] == pytest.approx(centre)
    assert count == 6


def test_suctions_stay_within_the_members_and_ponds_within_their_own():
    """The first member has been dried by roots, the second stands under water."""
    prior = np.repeat(np.array([-30.0, 0.9])[None, :, None], 3, axis=0)
    limited, count = limit_heads(prior - 10.0, prior, THICKNESS)
    assert limited[:, 0, 0].tolist() == [-30.0, -30.0, -30.0] and limited[:, 1, 0] == pytest.approx([-9.1, -9.1, -9.1])
    assert count == 3
    limited, count = limit_heads(prior + 40.0, prior, THICKNESS)
    assert limited[:, 0, 0] == pytest.approx([0.1, 0.4, 1.1]) and limited[:, 1, 0] == pytest.approx([0.9, 0.9, 1.1])
    assert count == 6 and limit_heads(prior, prior, THICKNESS)[1] == 0
