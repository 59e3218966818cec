"""Localisation by correlation against a loop over state elements."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from pyland.assimilate import analyse, analyse_correlated
from pyland.assimilate import correlation_localisation as room
from pyland.base.errors import InputError


def problem(nmember=20, nstate=15, nobs=8, seed=0):
    rng = np.random.default_rng(seed)
    E = rng.standard_normal((nmember, nstate))
    Y = E[:, :nobs] + 0.5 * rng.standard_normal((nmember, nobs))
    return E, Y, rng.standard_normal(nobs), rng.uniform(0.3, 1.0, nobs)


def correlations(E, Y):
    return np.corrcoef(E.T, Y.T)[: E.shape[1], E.shape[1] :]


def test_significant_is_three_deviations(monkeypatch):
    E, Y, *_ = problem()
    expected = np.abs(correlations(E, Y)) > 3.0 / np.sqrt(20)
    assert 0 < expected.sum() < expected.size
    np.testing.assert_array_equal(room.significant(E, Y), expected)
    monkeypatch.setattr(room, "BLOCK", 24)  # three elements at once
    np.testing.assert_array_equal(room.significant(E, Y), expected)
    E[:, 3] = 1.7
    assert not room.significant(E, Y)[3].any()


@pytest.mark.parametrize("full", [False, True])
def test_deterministic_equals_one_analysis_per_element(full):
    E, Y, d, R = problem()
    if full:
        R = np.diag(R) + 0.1
    A = analyse_correlated(E, Y, d, R, "etkf", threshold=0.3, inflation=1.1)
    for i, row in enumerate(np.abs(correlations(E, Y)) > 0.3):
        part = R[np.ix_(row, row)] if full else R[row]
        expected = analyse(E[:, [i]], Y[:, row], d[row], part, inflation=1.1) if row.any() else E[:, [i]]
        np.testing.assert_allclose(A[:, [i]], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("full", [False, True])
def test_without_threshold_it_is_the_filter(full):
    """The same generator gives the same perturbations as in the filter."""
    E, Y, d, R = problem()
    if full:
        R = np.diag(R) + 0.1
    A = analyse_correlated(E, Y, d, R, "enkf", threshold=0.0, rng=3)
    np.testing.assert_allclose(A, analyse(E, Y, d, R, "enkf", rng=3), rtol=0, atol=1e-12)


@pytest.mark.parametrize("full", [False, True])
def test_perturbed_observations_are_one_set_for_all(full):
    """The Kalman gain of each element and its observations; perturbations drawn once for all observations."""
    E, Y, d, R = problem()
    R = np.diag(R) + 0.1 if full else np.diag(R)
    draws = np.random.default_rng(3).standard_normal(Y.shape)
    errors = (draws - draws.mean(axis=0)) @ np.linalg.cholesky(R).T
    A = analyse_correlated(E, Y, d, R if full else np.diag(R), "enkf", threshold=0.3, rng=3)
    joint = np.cov(np.hstack([E, Y]).T)
    for i, row in enumerate(np.abs(correlations(E, Y)) > 0.3):
        chosen = np.flatnonzero(row)
        seen = 15 + chosen
        gain = np.linalg.solve(joint[np.ix_(seen, seen)] + R[np.ix_(chosen, chosen)], joint[seen, i])
        expected = E[:, i] + (d + errors - Y)[:, chosen] @ gain
        np.testing.assert_allclose(A[:, i], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("method, options", [("etkf", {"rotation": True}), ("pf", {"jitter": 1.0}), ("enkf", {})])
def test_each_analysis_takes_numbers_of_its_own(method, options):
    """A generator goes on from call to call; a seed gives the same analysis again."""
    E, Y, d, R = problem()
    rng = np.random.default_rng(3)
    first, second = (analyse_correlated(E, Y, d, R, method, threshold=0.3, rng=rng, **options) for _ in range(2))
    assert np.abs(first - second).max() > 1e-3
    again = analyse_correlated(E, Y, d, R, method, threshold=0.3, rng=3, **options)
    np.testing.assert_array_equal(again, first)


@pytest.mark.parametrize("method, options", [("etkf", {"rotation": True}), ("pf", {"jitter": 1.0, "dimension": 15}),
                                             ("enkf", {})])
def test_blocks_and_shares_of_the_state_have_the_same_bits(method, options, monkeypatch):
    """Sets are known for one block at a time; no block, and no share of a rank, changes what an element gets."""
    E, Y, d, R = problem()
    whole = analyse_correlated(E, Y, d, R, method, threshold=0.3, rng=3, **options)
    monkeypatch.setattr(room, "BLOCK", 24)  # three elements at once
    blocks = analyse_correlated(E, Y, d, R, method, threshold=0.3, rng=3, **options)
    np.testing.assert_allclose(blocks, whole, rtol=0, atol=1e-14)
    shares = [analyse_correlated(E[:, part], Y, d, R, method, threshold=0.3, rng=3, **options)
              for part in (slice(0, 6), slice(6, 15))]
    np.testing.assert_allclose(np.hstack(shares), whole, rtol=0, atol=1e-14)


def test_memory_does_not_grow_with_elements_times_observations(monkeypatch):
    """40 000 elements and 2000 observations are 80 MB of flags; a block of them is 2**16 numbers."""
    rng = np.random.default_rng(0)
    E, Y = np.asfortranarray(rng.standard_normal((6, 40000))), rng.standard_normal((6, 2000))
    E[:, 17] = Y[:, 5]
    monkeypatch.setattr(room, "BLOCK", 2**16)
    tracemalloc.start()
    A = analyse_correlated(E, Y, np.zeros(2000), np.ones(2000), "etkf", threshold=0.99999)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.flatnonzero((A != E).any(axis=0)).tolist() == [17]
    assert peak < 20e6  # the analysis has 1.9 MB


def test_messages():
    E, Y, d, R = problem()
    with pytest.raises(InputError, match="has no option inflation"):
        analyse_correlated(E, Y, d, R, inflation=1.1)
    with pytest.raises(InputError, match="threshold of correlation must"):
        analyse_correlated(E, Y, d, R, threshold=1.5)
    with pytest.raises(InputError, match="or 'auto'"):
        analyse_correlated(E, Y, d, R, threshold="some")
    with pytest.raises(InputError, match="same members"):
        room.significant(E, Y[:3])
