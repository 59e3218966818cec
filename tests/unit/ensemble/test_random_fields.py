import math

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.ensemble.random_fields import RandomField


def grid(n=12, dx=1000.0, x0=0.0, y0=0.0):
    x, y = np.meshgrid(x0 + dx * np.arange(n), y0 + dx * np.arange(n))
    return x.ravel(), y.ravel(), np.arange(n * n)


def linear_map(field):
    """Weights (cell, node) of the field, assembled from its two passes."""
    dense = np.zeros((field.cell_id.size, field.node_count))
    for cell in range(field.cell_id.size):
        for k in range(8):
            pair = field._pair_of_cell[cell, k]
            for m in range(8):
                dense[cell, field._node_of_pair[pair, m]] += field._weight_y[cell, k] * field._weight_x[pair, m]
    return dense


@pytest.mark.parametrize("length", [3000.0, 777.0])
def test_covariance_is_the_stated_one(length):
    rng = np.random.default_rng(3)
    x, y = rng.uniform(-8e3, 8e3, (2, 60))
    field = RandomField(x, y, np.arange(60), length)
    weights = linear_map(field)
    distance2 = (x[:, None] - x) ** 2 + (y[:, None] - y) ** 2
    covariance = weights @ weights.T
    assert np.abs(np.diag(covariance) - 1).max() < 1e-14
    assert np.abs(covariance - np.exp(-0.5 * distance2 / length**2)).max() < 1.5e-3


def test_sampled_variance_and_correlation():
    x = np.array([0.0, 500.0, 1000.0, 2000.0])
    field = RandomField(x, np.zeros(4), np.arange(4), 1000.0)
    draws = np.concatenate([field.sample(1, "t", np.arange(250), step, 4).reshape(-1, 4) for step in range(20)])
    assert len(draws) == 20_000
    covariance = draws.T @ draws / len(draws)
    expected = np.exp(-0.5 * (x[:, None] - x) ** 2 / 1000.0**2)
    assert np.abs(covariance - expected).max() < 4 * math.sqrt(2 / len(draws)) + 1.5e-3


@pytest.mark.parametrize("length", [0.0, 300.0, 1000.0, 2.5e4])
def test_splitting_cells_and_members_changes_no_bit(length):
    x, y, cell_id = grid(x0=3.1e5, y0=-5.7e6)
    members = np.arange(8)
    whole = RandomField(x, y, cell_id, length).sample(5, "p", members, 17, 3)
    for ranks in (2, 5):
        for part in np.array_split(np.arange(cell_id.size), ranks):
            some = RandomField(x[part], y[part], cell_id[part], length).sample(5, "p", members[3:6], 17, 3)
            assert np.array_equal(some, whole[:, 3:6, part])
    one = RandomField(x[40:41], y[40:41], cell_id[40:41], length).sample(5, "p", [7], 17)
    assert np.array_equal(one[0, 0, 0], whole[0, 7, 40])


def test_white_noise_is_named_by_the_cell_beyond_32_bits():
    near = RandomField(np.zeros(2), np.zeros(2), np.array([1, 1 + 2**32]), 0.0).sample(1, "p", [0], 0)
    assert near[0, 0, 0] != near[0, 0, 1]


def test_far_apart_cells_need_few_nodes():
    field = RandomField(np.array([0.0, 5e6]), np.array([0.0, 3e6]), np.arange(2), 1000.0)
    assert field.node_count == 2 * 64
    assert field.sample(1, "p", [0], 0).shape == (1, 1, 2)


def test_no_cell_is_allowed():
    assert RandomField(np.zeros(0), np.zeros(0), np.zeros(0, int), 10.0).sample(1, "p", [0, 1], 0).shape == (1, 2, 0)


@pytest.mark.parametrize(
    "x, length, message",
    [([0.0, np.nan], 1.0, "finite"), ([0.0], 1.0, "one equal length"), ([0.0, 1.0], -1.0, "length_scale"),
     ([0.0, 1e9], 1e-3, "too short"), ([0.0, 1.0], np.inf, "length_scale")],
)
def test_wrong_arguments_are_refused(x, length, message):
    with pytest.raises(InputError, match=message):
        RandomField(x, [0.0, 0.0], [0, 1], length)
