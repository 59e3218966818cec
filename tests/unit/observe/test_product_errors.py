"""Errors, gaps and grids of synthetic products, against the numbers that were asked for."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.observe import ProductErrors, TargetCells, grid_places, make_observations, table_of_sets
from pyland.observe.target_cells import EARTH_RADIUS

COUNT = 4000
PLACES = np.random.default_rng(3).uniform(-5e5, 5e5, (2, COUNT))


def cells(count=15, size=2.0e4):
    """Return a square of cells around 51.3 N, 7.2 E."""
    axis = size * (np.arange(count) - 0.5 * (count - 1))
    x, y = (values.ravel() for values in np.meshgrid(axis, axis))
    latitude = 51.3 + np.rad2deg(y / EARTH_RADIUS)
    return TargetCells(latitude, 7.2 + np.rad2deg(x / EARTH_RADIUS) / np.cos(np.deg2rad(latitude)), x, y, size)


def test_errors_of_nothing_change_no_bit():
    truth = np.random.default_rng(1).random(50)
    errors = ProductErrors()
    shift = errors.shift("smap", 1, *PLACES[:, :50])
    assert np.array_equal(errors.distorted(truth, shift, None), truth)
    assert errors.noise(0.04, None) == 0.04 and not errors.needs_leaves


def test_factor_shift_and_leaves_add_up():
    errors = ProductErrors(gain=0.8, bias=0.05, noise_per_leaf_area=0.01, bias_per_leaf_area=-0.02)
    leaves, truth = np.array([0.0, 2.0, 5.0]), np.array([0.1, 0.2, 0.3])
    shift = errors.shift("smap", 1, np.zeros(3), np.zeros(3))
    assert errors.needs_leaves
    assert errors.distorted(truth, shift, leaves) == pytest.approx([0.13, 0.17, 0.19])
    assert errors.noise(0.03, leaves) == pytest.approx([0.03, 0.05, 0.08])


@pytest.mark.parametrize("length", [None, 2.0e4])
def test_shifts_of_places_last_and_have_the_spread_that_was_asked_for(length):
    errors = ProductErrors(bias=0.02, bias_std=0.03, bias_length=length)
    shift = errors.shift("smap", 7, *PLACES)
    assert shift.mean() == pytest.approx(0.02, abs=0.004)  # 0.03 / sqrt of at least 100 independent places, once more
    assert shift.std() == pytest.approx(0.03, rel=0.08)
    assert np.array_equal(shift, errors.shift("smap", 7, *PLACES))
    assert abs(np.corrcoef(shift, errors.shift("ascat", 7, *PLACES))[0, 1]) < 0.1


def test_noise_of_one_time_is_correlated_over_its_length():
    """Two lines of places, 10 km apart, under a correlation exp(-(r/L)^2) with L = 20 km: exp(-1/4) = 0.779."""
    y = np.zeros(COUNT)
    x = np.linspace(0.0, 4.0e7, COUNT)
    made = [make_observations(np.full(COUNT, 0.5), np.datetime64("2018-06-01"), x, y + shift, name="smap", error=0.01,
                              seed=4, noise_length=2.0e4).values - 0.5 for shift in (0.0, 1.0e4)]
    assert np.corrcoef(*made)[0, 1] == pytest.approx(np.exp(-0.25), abs=0.05)
    assert made[0].std() == pytest.approx(0.01, rel=0.08)
    later = make_observations(np.full(COUNT, 0.5), np.datetime64("2018-06-02"), x, y, name="smap", error=0.01, seed=4,
                              noise_length=2.0e4).values - 0.5
    assert abs(np.corrcoef(made[0], later)[0, 1]) < 0.1


def test_gaps_take_their_share_and_leave_the_rest_as_it_was():
    options = {"name": "smap", "error": 0.01, "seed": 4, "fraction": 0.5}
    time = np.datetime64("2018-06-01")
    whole = make_observations(np.full(COUNT, 0.3), time, *PLACES, **options)
    holed = make_observations(np.full(COUNT, 0.3), time, *PLACES, **options, gaps=0.25)
    assert holed.size / whole.size == pytest.approx(0.75, abs=0.04)  # three standard deviations of 2000 draws
    there = np.isin(whole.location, holed.location)
    assert np.array_equal(whole.values[there], holed.values)
    with pytest.raises(InputError, match="0 <= gaps < 1"):
        make_observations(np.full(COUNT, 0.3), time, *PLACES, **options, gaps=1.0)


@pytest.mark.parametrize(("spacing", "count"), [(2.5e4, 12), (3.6e4, 8), (2.0e4, 15), (9.0e5, 1)])
def test_grid_of_a_product_is_centred_and_as_large_as_fits(spacing, count):
    x, y, cell = grid_places(cells(), spacing)
    assert x.size == count**2 and np.unique(x).size == count
    assert x.mean() == pytest.approx(0, abs=1e-6) and y.mean() == pytest.approx(0, abs=1e-6)
    if count > 1:
        assert np.diff(np.unique(x)) == pytest.approx(spacing)
    target = cells()
    assert (np.abs(target.x[cell] - x) <= 1.0e4 + 1e-3).all()
    with pytest.raises(InputError, match="spacing of a product must be positive"):
        grid_places(target, 0.0)


def test_places_over_cells_that_are_not_modelled_are_left_out():
    whole = cells(4)
    land = np.flatnonzero(whole.x < 0)
    part = TargetCells(whole.latitude[land], whole.longitude[land], whole.x[land], whole.y[land], 2.0e4)
    corner = TargetCells(whole.latitude[1:], whole.longitude[1:], whole.x[1:], whole.y[1:], 2.0e4)
    assert grid_places(part, 2.0e4)[0].size == 8
    assert grid_places(corner, 2.0e4)[0].size == 15


def test_table_of_sets_finds_its_places_again():
    target = cells()
    x, y, cell = grid_places(target, 2.5e4)
    made = [make_observations(np.full(x.size, 0.3), np.datetime64(day), x, y, name="smap", error=0.04, seed=2,
                              cells=cell[:, None], weights=np.ones((x.size, 1)), fraction=0.5, depth=(0.0, 0.02))
            for day in ("2018-06-02", "2018-06-01")]
    table = table_of_sets(made, target, product="SMAP", footprint=3.6e4)
    assert table.product == "SMAP" and table.size == sum(one.size for one in made)
    assert (np.diff(table.time) >= np.timedelta64(0, "s")).all() and set(table.bottom) == {0.02}
    _, found_x, found_y, inside = target.locate(table.latitude, table.longitude)
    assert inside.all()
    assert found_x == pytest.approx(x[table.location], abs=1.0)
    assert found_y == pytest.approx(y[table.location], abs=1.0)
