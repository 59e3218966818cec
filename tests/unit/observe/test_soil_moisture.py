import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyland.base.errors import InputError
from pyland.observe import (
    column_soil_moisture,
    combine_footprints,
    depth_weights,
    footprint_average,
    footprint_slots,
    limit_to_porosity,
    soil_moisture,
)


class Ranks:
    """Plays the ranks of a run one after the other: collects what each sends, then answers with all."""

    def __init__(self, parts):
        self.parts = parts

    def allgather(self, value):
        return self.parts


def test_depth_weights_by_hand():
    thickness = [0.02, 0.04, 0.06, 0.08]
    assert depth_weights(thickness, 0.0, 0.05) == pytest.approx([0.4, 0.6, 0, 0])
    assert depth_weights(thickness, 0.05, 0.15) == pytest.approx([0, 0.1, 0.6, 0.3])
    assert depth_weights(thickness, 0.02, 0.06) == pytest.approx([0, 1, 0, 0])


def test_probe_interpolates_between_layer_centres():
    thickness = [0.02, 0.04, 0.06]  # centres 0.01, 0.04, 0.09
    assert depth_weights(thickness, 0.05, 0.05) == pytest.approx([0, 0.8, 0.2])
    assert depth_weights(thickness, 0.0, 0.0) == pytest.approx([1, 0, 0])
    assert depth_weights(thickness, 0.01, 0.01) == pytest.approx([1, 0, 0])
    assert depth_weights(thickness, 0.09, 0.09) == pytest.approx([0, 0, 1])
    assert depth_weights(thickness, 0.12, 0.12) == pytest.approx([0, 0, 1])
    assert depth_weights([0.5], 0.4, 0.4) == pytest.approx([1])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.005, 1.0), min_size=1, max_size=8), st.floats(0, 1), st.floats(0, 1))
def test_weights_sum_to_one_and_are_not_negative(thickness, a, b):
    depth = sum(thickness)
    top, bottom = sorted((a * depth, b * depth))
    if 0 < bottom - top < 1e-12:
        bottom = top
    weight = depth_weights(thickness, top, bottom)
    assert weight.sum() == pytest.approx(1.0, abs=1e-12) and (weight >= 0).all()


def test_thickness_may_differ_between_cells():
    water = np.array([[0.1, 0.1], [0.3, 0.3]]).reshape(2, 1, 2)
    thickness = np.array([[0.05, 0.1], [0.05, 0.1]])
    assert soil_moisture(water, thickness, 0.0, 0.1)[0] == pytest.approx([0.2, 0.1])


def test_footprint_mean_by_hand():
    water = np.zeros((1, 2, 3))
    water[0, 0], water[0, 1] = (0.1, 0.2, 0.4), (0.3, 0.3, 0.0)
    weights = [[0.5, 0.5, 0.0], [0.0, 0.25, 0.75]]
    assert soil_moisture(water, [0.1], 0.0, 0.1, weights) == pytest.approx(np.array([[0.15, 0.35], [0.3, 0.075]]))


@pytest.mark.parametrize("ranks", [1, 2, 3, 7])
def test_split_over_ranks_changes_no_bit(ranks):
    rng = np.random.default_rng(1)
    columns = rng.uniform(0.05, 0.4, (5, 30))
    dense = rng.uniform(size=(12, 30)) * (rng.uniform(size=(12, 30)) < 0.3)
    dense[dense.sum(axis=1) == 0, 0] = 1.0
    dense /= dense.sum(axis=1, keepdims=True)
    cells, weights = footprint_slots(dense)
    whole = footprint_average(columns, cells, weights)
    assert whole == pytest.approx(columns @ dense.T)
    needed = np.unique(cells[cells >= 0])
    parts = []
    for part in reversed(np.array_split(np.arange(30), ranks)):
        mine = part[np.isin(part, needed)]
        parts.append((mine, columns[:, mine]))
    part = np.arange(30)
    result = combine_footprints(columns[:, part], part, cells, weights, Ranks(parts))
    assert np.array_equal(result, whole)


def test_combine_with_the_serial_communicator_and_missing_cells():
    from pyland.base.parallel import Communicator

    columns, cell_id = np.array([[0.1, 0.3]]), np.array([4, 9])
    cells, weights = np.array([[4, 9], [9, -1]]), np.array([[0.5, 0.5], [1.0, 0.0]])
    assert combine_footprints(columns, cell_id, cells, weights, Communicator())[0] == pytest.approx([0.2, 0.3])
    with pytest.raises(InputError, match="cell 9 is owned by no rank"):
        combine_footprints(columns[:, :1], cell_id[:1], cells, weights, Communicator())


def test_limits_of_the_soil():
    limited, changed = limit_to_porosity([0.01, 0.2, 0.6, np.nan], 0.05, np.array([0.4, 0.4, 0.45, 0.4]))
    assert limited[:3] == pytest.approx([0.05, 0.2, 0.45]) and np.isnan(limited[3])
    assert changed.tolist() == [True, False, True, False]


@pytest.mark.parametrize(
    "thickness, top, bottom, message",
    [([0.1, 0.1], 0.0, 0.3, "below the soil column"), ([0.1], 0.05, 0.01, "top <= bottom"),
     ([0.1, -0.1], 0.0, 0.1, "positive"), ([0.1], np.nan, 0.1, "top <= bottom")],
)
def test_wrong_windows_are_refused(thickness, top, bottom, message):
    with pytest.raises(InputError, match=message):
        depth_weights(thickness, top, bottom)


def test_wrong_shapes_and_weights_are_refused():
    with pytest.raises(InputError, match="shape"):
        column_soil_moisture(np.zeros((2, 3)), [0.1, 0.1], 0.0, 0.1)
    with pytest.raises(InputError, match="cell_weights"):
        soil_moisture(np.zeros((1, 1, 2)), [0.1], 0.0, 0.1, [[1.0]])
    with pytest.raises(InputError, match="sum to 1"):
        soil_moisture(np.zeros((1, 1, 2)), [0.1], 0.0, 0.1, [[0.5, 0.2]])
    with pytest.raises(InputError, match="does not exist"):
        footprint_average(np.zeros((1, 2)), np.array([[5]]), np.array([[1.0]]))
