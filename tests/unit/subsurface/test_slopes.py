"""Slopes from an elevation: every drop of water finds the way out, over the four neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyland.subsurface.slopes import slopes_from_elevation


def ways(slope_x, slope_y, mask):
    """Return for each cell the cells that it gives water to, by the rules of overland flow; None is the outside."""
    ny, nx = mask.shape
    out = {}
    for y, x in zip(*np.nonzero(mask), strict=True):
        west = x - 1 if x > 0 and mask[y, x - 1] else x  # a face to the outside has the slope of the cell inside
        south = y - 1 if y > 0 and mask[y - 1, x] else y
        sides = [(slope_x[y, x] < 0, y, x + 1), (slope_y[y, x] < 0, y + 1, x),
                 (slope_x[y, west] > 0, y, x - 1), (slope_y[south, x] > 0, y - 1, x)]
        to = []
        for falls, j, i in sides:
            if falls:
                inside = 0 <= j < ny and 0 <= i < nx and mask[j, i]
                to.append((j, i) if inside else None)
        out[y, x] = to
    return out


@settings(max_examples=60, deadline=None)
@given(ny=st.integers(1, 7), nx=st.integers(1, 7), seed=st.integers(0, 2**31), heights=st.integers(1, 9),
       share=st.sampled_from([1.0, 0.8]))
def test_water_leaves_from_everywhere(ny, nx, seed, heights, share):
    rng = np.random.default_rng(seed)
    elevation = rng.integers(0, heights, (ny, nx)).astype(float)
    mask = rng.random((ny, nx)) < share
    mask[rng.integers(ny), rng.integers(nx)] = True
    to = ways(*slopes_from_elevation(elevation, 10.0, 20.0, mask), mask)
    wet = {cell for cell, targets in to.items() if None in targets}
    while True:
        more = {cell for cell, targets in to.items() if cell not in wet and any(one in wet for one in targets)}
        if not more:
            break
        wet |= more
    assert wet == set(to)


def test_a_plane_keeps_its_slopes():
    x, y = np.meshgrid(10.0 * np.arange(5), 20.0 * np.arange(4))
    slope_x, slope_y = slopes_from_elevation(100.0 - 0.03 * x + 0.01 * y, 10.0, 20.0)
    np.testing.assert_allclose(slope_x, -0.03, rtol=1e-10)
    np.testing.assert_allclose(slope_y, 0.01, rtol=1e-10)


def test_a_pit_is_filled_and_flats_fall_by_the_least_slope():
    elevation = np.full((5, 5), 10.0)
    elevation[2, 2] = 3.0
    slope_x, slope_y = slopes_from_elevation(elevation, 10.0, 10.0, least=1e-3)
    falls = np.abs(np.concatenate([slope_x.ravel(), slope_y.ravel()]))
    assert set(np.round(falls[falls > 0.0], 12)) == {1e-3}


@pytest.mark.parametrize("turned", [False, True])
def test_a_single_line_of_cells(turned):
    elevation = np.array([[3.0, 2.0, 1.5, 1.4]])
    if turned:
        across, along = slopes_from_elevation(elevation.T, 10.0, 10.0)
    else:
        along, across = slopes_from_elevation(elevation, 10.0, 10.0)
    np.testing.assert_allclose(along.ravel(), [-0.1, -0.05, -0.01, -0.01])
    assert (across == 0.0).all()
