"""Rotations that keep the mean, and the Omega of the SEIK filter."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.assimilate import random_rotation, seik_omega
from pyland.base.errors import InputError


@pytest.mark.parametrize("nmember", [2, 3, 10, 41])
def test_random_rotation(nmember):
    turn = random_rotation(nmember, 3)
    np.testing.assert_allclose(turn @ turn.T, np.eye(nmember), atol=1e-14)
    np.testing.assert_allclose(turn.sum(axis=0), 1.0, atol=1e-14)
    np.testing.assert_allclose(turn.sum(axis=1), 1.0, atol=1e-14)
    np.testing.assert_array_equal(turn, random_rotation(nmember, np.random.default_rng(3)))
    for omega in (seik_omega(nmember), seik_omega(nmember, 3)):
        np.testing.assert_allclose(omega.T @ omega, np.eye(nmember - 1), atol=1e-14)
        np.testing.assert_allclose(omega.sum(axis=0), 0.0, atol=1e-14)


def test_random_rotation_is_uniform():
    """Haar measure across the mean: entries have mean 1/n and variance (1 - 1/n)^2/(n-1)."""
    n, count = 4, 4000
    rng = np.random.default_rng(0)
    turns = np.array([random_rotation(n, rng) for _ in range(count)])
    noise = 5.0 / np.sqrt(count)
    np.testing.assert_allclose(turns.mean(axis=0), 1.0 / n, atol=noise)
    np.testing.assert_allclose(((turns - 1.0 / n) ** 2).mean(axis=0), (1.0 - 1.0 / n) ** 2 / (n - 1), atol=noise)
    inner = np.trace(turns, axis1=1, axis2=2) - 1.0  # trace of a Haar matrix of order 3: mean 0, variance 1
    assert inner.mean() == pytest.approx(0.0, abs=noise) and inner.var() == pytest.approx(1.0, abs=2.0 * noise)
    assert np.mean(np.linalg.det(turns) > 0.0) == pytest.approx(0.5, abs=noise)


@pytest.mark.parametrize("draw_one", [random_rotation, seik_omega])
def test_bad_rotation_is_a_sentence(draw_one):
    for nmember in (1, 2.5, True, "four"):
        with pytest.raises(InputError, match="nmember must be a whole number"):
            draw_one(nmember, 1)
    with pytest.raises(InputError, match="rng must be"):
        draw_one(4, "seed")
