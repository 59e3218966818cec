"""Transforms of bounded variables: there and back, bounds after any update, and the normal scores of a sample."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest, norm

from pyland.assimilate import (
    GaussianAnamorphosis,
    IdentityTransform,
    LogitTransform,
    LogTransform,
    TransformedVector,
    analyse,
)
from pyland.assimilate import anamorphosis as room
from pyland.base.errors import InputError

quick = settings(max_examples=60, deadline=None)
scores = st.floats(-1e300, 1e300)
seeds = st.integers(0, 10**6)


@quick
@given(st.floats(-1e3, 1e3), st.lists(st.floats(1e-12, 1e12), min_size=1, max_size=8))
def test_log_there_and_back(lower, above):
    transform, x = LogTransform(lower), lower + np.array(above)
    x = x[x > lower]
    np.testing.assert_allclose(transform.inverse(transform.forward(x)), x, rtol=1e-12, atol=0)


@quick
@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8))
def test_logit_there_and_back(lower, width, shares):
    upper = lower + width
    transform, x = LogitTransform(lower, upper), lower + width * np.array(shares)
    x = x[(x > lower) & (x < upper)]
    size = max(abs(lower), abs(upper))
    np.testing.assert_allclose(transform.inverse(transform.forward(x)), x, rtol=0, atol=1e-14 * size)


@quick
@given(st.lists(scores, min_size=1, max_size=8), st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
def test_no_score_leaves_the_bounds_and_all_can_go_on(z, lower, width):
    """Also what no float can hold: the result lies inside and has a finite score again."""
    for transform, upper in ((LogTransform(lower), np.inf), (LogitTransform(lower, lower + width), lower + width)):
        x = transform.inverse(z)
        assert ((x > lower) & (x < upper)).all()
        assert np.isfinite(transform.forward(x)).all()


def sample_with_ties(seed, shape=(20, 3)):
    """Snow: some elements have many members without any, one has none at all."""
    rng = np.random.default_rng(seed)
    values = np.maximum(rng.gamma(1.5, 20.0, shape) - rng.uniform(0.0, 40.0, shape[1:]), 0.0)
    values[..., 0] = 0.0 if seed % 3 == 0 else values[..., 0]
    return values


@quick
@given(seeds)
def test_anamorphosis_there_and_back(seed):
    sample = sample_with_ties(seed)
    transform = GaussianAnamorphosis(sample, lower=0.0, upper=500.0)
    x = np.concatenate([sample, np.random.default_rng(seed).uniform(0.0, 500.0, (30, 3)), np.full((1, 3), 500.0)])
    np.testing.assert_allclose(transform.inverse(transform.forward(x)), x, rtol=0, atol=1e-10)
    np.testing.assert_array_equal(transform.inverse(transform.forward(sample)) == 0.0, sample == 0.0)


@quick
@given(seeds, st.lists(scores, min_size=1, max_size=6))
def test_anamorphosis_is_monotone_and_bounded(seed, z):
    transform = GaussianAnamorphosis(np.minimum(sample_with_ties(seed), 200.0), lower=0.0, upper=200.0)
    z = np.sort(np.concatenate([z, np.linspace(-4.0, 4.0, 50)]))
    with np.errstate(over="ignore"):
        x = transform.inverse(np.repeat(z[:, np.newaxis], 3, axis=1))
    assert (x >= 0.0).all() and (x <= 200.0).all() and (np.diff(x, axis=0) >= 0.0).all()
    up = np.repeat(np.linspace(0.0, 200.0, 101)[:, np.newaxis], 3, axis=1)
    assert (np.diff(transform.forward(up), axis=0) > 0.0).all()


@quick
@given(seeds)
def test_an_update_of_scores_keeps_the_bounds(seed):
    rng = np.random.default_rng(seed)
    E = sample_with_ties(seed)
    transform = GaussianAnamorphosis(E, lower=0.0)
    Z = transform.forward(E)
    A = transform.inverse(analyse(Z, Z[:, 1:2] + 0.1 * rng.standard_normal((20, 1)), [rng.normal(0, 5)], [0.1]))
    assert np.isfinite(A).all() and (A >= 0.0).all()


@pytest.mark.parametrize("count", [2, 3, 7, 8, 9, 64, 100])
def test_places_in_a_sample_are_those_of_numpy(count):
    """Element by element, with ties, and values at, below and above all of the sample."""
    rng = np.random.default_rng(count)
    sample = np.sort(rng.integers(0, 9, (count, 30)), axis=0).astype(float)
    values = rng.integers(-4, 24, (50, 30)) / 2.0
    expected = np.stack([np.searchsorted(sample[:, k], values[:, k]) for k in range(30)], axis=1)
    np.testing.assert_array_equal(room._count_below(sample, values), expected)


def test_scores_of_a_sample_are_those_of_its_ranks():
    sample = np.random.default_rng(0).lognormal(0.0, 2.0, (9, 2))
    expected = norm.ppf((np.argsort(np.argsort(sample, axis=0), axis=0) + 0.5) / 9)
    np.testing.assert_allclose(GaussianAnamorphosis(sample).forward(sample), expected, rtol=0, atol=1e-14)


def test_ties_have_the_score_of_their_middle_and_all_its_range():
    """Six of ten without snow: probability 0.6, scores of 0.3; every score up to that of rank 6 gives none."""
    transform = GaussianAnamorphosis([0.0] * 6 + [5.0, 9.0, 9.0, 20.0], lower=0.0)
    assert transform.forward(0.0) == pytest.approx(norm.ppf(0.3), abs=1e-14)
    assert transform.forward(9.0) == pytest.approx(norm.ppf(0.8), abs=1e-14)
    np.testing.assert_array_equal(transform.inverse([-9.0, norm.ppf(0.3), norm.ppf(0.55)]), 0.0)
    assert 0.0 < transform.inverse(norm.ppf(0.56)) < 5.0
    np.testing.assert_allclose(transform.inverse(norm.ppf([0.75, 0.8, 0.85])), 9.0, rtol=1e-14)


def test_normal_scores_reproduce_the_sample():
    """Normal numbers through the inverse have the distribution of the reference."""
    rng = np.random.default_rng(1)
    transform = GaussianAnamorphosis(rng.gamma(2.0, 3.0, 4000), lower=0.0)
    assert kstest(transform.inverse(rng.standard_normal(20000)), "gamma", (2.0, 0.0, 3.0)).statistic < 0.03


def test_tails_go_on_with_the_mean_slope_to_the_bounds():
    transform = GaussianAnamorphosis([1.0, 4.0, 5.0], lower=0.0, upper=6.0)
    top = norm.ppf(2.5 / 3)
    slope = 4.0 / (2 * top)
    assert transform.inverse(top + 0.1) == pytest.approx(5.0 + 0.1 * slope)
    assert transform.forward(0.5) == pytest.approx(-top - 0.5 / slope)
    np.testing.assert_array_equal(transform.inverse([-50.0, 50.0]), [0.0, 6.0])


def test_a_sample_without_spread():
    transform = GaussianAnamorphosis(np.zeros(5), lower=0.0)
    np.testing.assert_array_equal(transform.forward([0.0]), [0.0])
    np.testing.assert_allclose(transform.inverse(transform.forward([0.0, 3.0])), [0.0, 3.0])
    E = np.column_stack([np.zeros(5), np.arange(5.0)])
    vector = GaussianAnamorphosis(E, lower=0.0)
    Z = vector.forward(E)
    np.testing.assert_array_equal(vector.inverse(analyse(Z, Z[:, 1:], [1.0], [0.5]))[:, 0], 0.0)


def test_shapes():
    sample = np.random.default_rng(0).uniform(0, 1, (8, 2, 3))
    transform = GaussianAnamorphosis(sample)
    assert transform.forward(sample[:4]).shape == (4, 2, 3)
    for i, j in np.ndindex(2, 3):
        np.testing.assert_array_equal(
            transform.forward(sample)[:, i, j], GaussianAnamorphosis(sample[:, i, j]).forward(sample[:, i, j]))
    with pytest.raises(InputError, match=r"shape \(any, 2, 3\)"):
        transform.forward(sample[:, :, 0])


def test_a_vector_of_several_variables():
    """Conductivity, saturation, snow and temperature; none leaves its bounds in an analysis that pulls hard."""
    rng = np.random.default_rng(2)
    E = np.column_stack([rng.lognormal(-12, 2, (30, 2)), rng.uniform(0.05, 0.95, (30, 3)),
                         sample_with_ties(2, (30, 2)), rng.normal(280, 3, 30)])
    vector = TransformedVector([
        (slice(0, 2), LogTransform()), (np.array([2, 3, 4]), LogitTransform(0.0, 1.0)),
        (slice(5, 7), GaussianAnamorphosis(E[:, 5:7], lower=0.0)), (slice(7, 8), IdentityTransform())])
    Z = vector.forward(E)
    np.testing.assert_allclose(vector.inverse(Z), E, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(Z[:, 0], np.log(E[:, 0]))
    np.testing.assert_array_equal(Z[:, 7], E[:, 7])
    A = vector.inverse(analyse(Z, Z[:, [3, 6]], [30.0, -30.0], [0.01, 0.01]))
    assert (A[:, :2] > 0).all() and ((A[:, 2:5] > 0) & (A[:, 2:5] < 1)).all() and (A[:, 5:7] >= 0).all()
    assert A[:, 6].max() == 0.0 and A[:, 3].min() > 0.99


def test_messages():
    with pytest.raises(InputError, match=r"above 0; got .*0.0.* at index \(1,\)"):
        LogTransform().forward([1.0, 0.0])
    with pytest.raises(InputError, match="between 0 and 1"):
        LogitTransform(0.0, 1.0).forward(1.0)
    with pytest.raises(InputError, match="lower must be below upper"):
        LogitTransform(1.0, 1.0)
    with pytest.raises(InputError, match="must be finite"):
        LogTransform(np.inf)
    with pytest.raises(InputError, match="reference must lie within"):
        GaussianAnamorphosis([-1.0, 2.0], lower=0.0)
    with pytest.raises(InputError, match="at least 2 values"):
        GaussianAnamorphosis([[1.0, 2.0]])
    with pytest.raises(InputError, match="values must lie within"):
        GaussianAnamorphosis([1.0, 2.0], lower=0.0).forward(-1.0)
    with pytest.raises(InputError, match="x holds nan at index"):
        IdentityTransform().forward([np.nan])
    one = (slice(0, 2), LogTransform())
    with pytest.raises(InputError, match="element 1 is in more than one part"):
        TransformedVector([one, (slice(1, 3), LogTransform())]).forward(np.ones((2, 3)))
    with pytest.raises(InputError, match="does not fit a state of 3"):
        TransformedVector([(np.array([5]), LogTransform())]).forward(np.ones((2, 3)))
    with pytest.raises(InputError, match="part 0 of the transforms: values must lie above 0"):
        TransformedVector([one]).forward(-np.ones((2, 3)))
    with pytest.raises(InputError, match="must have 2 dimensions"):
        TransformedVector([one]).forward(np.ones(3))
