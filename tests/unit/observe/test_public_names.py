"""Operators that users call as ``pyland.observe.NAME``: they are there, and give published numbers."""

import numpy as np
import pytest

import pyland.observe
from pyland.observe import brightness_temperature, cosmic, merge_tc, triple_collocation


def test_every_public_name_is_there():
    assert [name for name in pyland.observe.__all__ if not hasattr(pyland.observe, name)] == []


def test_neutrons_of_a_uniform_soil():
    found = cosmic([[0.2]], [3.0], 1402.0, n=348.33, lattice_water=0.0753, alpha=0.2392421548,
                   soil_length=1078.2204562, angles="half_degree")
    assert found.counts == pytest.approx(1253.88, abs=0.1)


def test_radiation_of_bare_ground():
    found = brightness_temperature(0.2, 293.15, 0.20, angle=40.0)
    assert found == pytest.approx([186.24, 240.20], abs=0.01)


def test_errors_of_three_products_and_their_merge():
    random = np.random.default_rng(7)
    truth = 0.25 + 0.08 * random.standard_normal(20000)
    products = np.stack([truth + error * random.standard_normal(truth.size) for error in (0.03, 0.045, 0.06)])
    found = triple_collocation(*products)
    assert np.ravel(found.error_std) == pytest.approx([0.03, 0.045, 0.06], rel=0.05)
    merged = merge_tc(products)
    assert np.std(merged.value[:, 0] - truth) == pytest.approx(np.nanmean(merged.sigma), rel=0.05)
    assert np.std(merged.value[:, 0] - truth) < 0.025
