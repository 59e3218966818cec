"""Properties that hold for any ensemble."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pyland.assimilate import analyse, analyse_local

sizes = st.tuples(st.integers(2, 12), st.integers(1, 9), st.integers(1, 20), st.integers(0, 10**6))
quick = settings(max_examples=40, deadline=None)


def draw(size):
    nmember, nstate, nobs, seed = size
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((nmember, nstate)), rng.standard_normal((nmember, nobs)), rng.standard_normal(nobs),
            rng.uniform(0.1, 3.0, nobs), rng)


def both(E, Y, d, R, **options):
    """Global and local analysis; all observations at the place of the state."""
    zeros = np.zeros((E.shape[1], 2)), np.zeros((Y.shape[1], 2))
    return analyse(E, Y, d, R, **options), analyse_local(E, Y, d, R, *zeros, 1.0, **options)


@quick
@given(sizes)
def test_analysis_spread_never_grows(size):
    E, Y, d, R, _ = draw(size)
    for A in both(E, Y, d, R):
        assert np.isfinite(A).all()
        assert (A.std(axis=0) <= E.std(axis=0) * (1 + 1e-12) + 1e-14).all()


@quick
@given(sizes)
def test_order_of_observations_and_members(size):
    E, Y, d, R, rng = draw(size)
    p, q = rng.permutation(len(d)), rng.permutation(len(E))
    for A, B, C in zip(both(E, Y, d, R), both(E, Y[:, p], d[p], R[p]), both(E[q], Y[q], d, R), strict=True):
        np.testing.assert_allclose(B, A, rtol=0, atol=1e-11)
        np.testing.assert_allclose(C, A[q], rtol=0, atol=1e-11)


@quick
@given(sizes)
def test_duplicate_observations_count_as_one_with_half_the_variance(size):
    E, Y, d, R, _ = draw(size)
    twice = np.hstack([Y, Y]), np.hstack([d, d]), np.hstack([R, R])
    for A, B in zip(both(E, *twice), both(E, Y, d, R / 2), strict=True):
        np.testing.assert_allclose(A, B, rtol=0, atol=1e-10)


@quick
@given(sizes)
def test_huge_error_changes_nothing(size):
    E, Y, d, R, _ = draw(size)
    for scale in (1e30, 1e200, 1e300):
        for A in both(E, Y, d, R * scale):
            np.testing.assert_allclose(A, E, rtol=0, atol=1e-13)


@quick
@given(sizes, st.floats(1e-16, 1e-8))
def test_tiny_error_pulls_to_the_observation(size, scale):
    nmember, _, _, seed = size
    rng = np.random.default_rng(seed)
    E = rng.standard_normal((nmember, 1))
    for method in ("etkf", "enkf"):
        A = analyse(E, E, [0.3], [scale * E.var()], method=method, rng=1)
        np.testing.assert_allclose(A, 0.3, atol=1e-3)


@quick
@given(sizes)
def test_extreme_error_stays_finite(size):
    E, Y, d, R, rng = draw(size)
    for variances in (R * 1e-100, R * 10.0 ** rng.integers(-60, 60, len(R))):
        for A in both(E, Y, d, variances):
            assert np.isfinite(A).all()


@quick
@given(sizes)
def test_no_spread_no_change(size):
    E, Y, d, R, _ = draw(size)
    flat = np.repeat(E[:1], len(E), axis=0)
    for A in both(flat, Y, d, R, inflation=1.2, relaxation=0.5):
        np.testing.assert_array_equal(A, flat)
    for A in both(E, np.repeat(Y[:1], len(E), axis=0), d, R):
        np.testing.assert_allclose(A, E, rtol=0, atol=1e-13)


@quick
@given(sizes)
def test_affine_change_of_units(size):
    """Kelvin to Celsius or metres to millimetres in state or observation: the same analysis."""
    E, Y, d, R, _ = draw(size)
    for A, B in zip(both(E, Y, d, R), both(1e3 * E + 273.0, -10.0 * Y + 4.0, -10.0 * d + 4.0, 100.0 * R), strict=True):
        np.testing.assert_allclose((B - 273.0) / 1e3, A, rtol=0, atol=1e-11)
