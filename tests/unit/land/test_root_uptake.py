"""Water stress, shares of the layers in uptake, and root distribution."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.land.canopy_processes import root_distribution, water_stress

DEPTHS = np.array([0.0, 0.02, 0.06, 0.12, 0.2, 0.4, 1.0, 2.0])


def test_root_distribution_follows_jackson():
    got = root_distribution(0.943, DEPTHS)
    want = 0.943 ** (100 * DEPTHS[:-1]) - 0.943 ** (100 * DEPTHS[1:])
    np.testing.assert_allclose(got, want / want.sum(), rtol=1e-12)
    assert got.sum() == pytest.approx(1.0, rel=1e-14)


def test_stress_is_linear_between_open_and_closed():
    roots = np.ones((1, 5))
    head = np.array([[-1.0, -74.0, -100.0, -275.0, -400.0]])
    stress, share = water_stress(roots, head, np.full((1, 5), 290.0), -74.0, -275.0)
    np.testing.assert_allclose(stress, [1.0, 1.0, 175.0 / 201.0, 0.0, 0.0], rtol=1e-14)
    np.testing.assert_array_equal(share.sum(axis=0), [1.0, 1.0, 1.0, 0.0, 0.0])


def test_shares_sum_to_one_and_follow_the_wet_layers():
    rng = np.random.default_rng(1)
    n = 70
    roots = np.repeat(root_distribution(0.96, DEPTHS)[:, None], n, axis=1)
    head = -(10 ** rng.uniform(-1, 3.5, (7, n)))
    temperature = rng.uniform(268.0, 300.0, (7, n))
    stress, share = water_stress(roots, head, temperature, -66.0, -255.0)
    weight = np.clip((255.0 + head) / (255.0 - 66.0), 0.0, 1.0) * (temperature > 271.15) * roots
    np.testing.assert_allclose(stress, np.minimum(weight.sum(axis=0), 1.0), rtol=1e-12)
    np.testing.assert_allclose(share.sum(axis=0), (stress > 0) * 1.0, rtol=1e-14)
    np.testing.assert_allclose(share * weight.sum(axis=0), weight, rtol=1e-12, atol=1e-300)


def test_frozen_soil_delivers_nothing():
    stress, share = water_stress([[0.5], [0.5]], [[-1.0], [-1.0]], [[271.0], [272.0]], -66.0, -255.0)
    assert stress[0] == pytest.approx(0.5)
    np.testing.assert_array_equal(share[:, 0], [0.0, 1.0])
    stress, share = water_stress([[0.5], [0.5]], [[-1.0], [-1.0]], [[260.0], [270.0]], -66.0, -255.0)
    assert stress[0] == 0.0
    np.testing.assert_array_equal(share, 0.0)


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="psi_open"):
        water_stress([[1.0]], [[-1.0]], [[290.0]], -300.0, -255.0)
    with pytest.raises(InputError, match="pressure_head"):
        water_stress(np.ones((2, 3)), np.ones((3, 2)), np.ones((2, 3)), -66.0, -255.0)
    with pytest.raises(InputError, match="beta"):
        root_distribution(1.2, DEPTHS)
    with pytest.raises(InputError, match="increase"):
        root_distribution(0.9, DEPTHS[::-1])
