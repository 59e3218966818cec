"""Combination and division of snow layers, removal of traces, and all processes together."""

import numpy as np
import pytest
from hypothesis import given, settings
from random_snow import CI, LF, TF, assert_same, assert_sound, build, packs, random_packs, take

from pyland.land import (
    SnowPack,
    add_snowfall,
    adjust_snow_layers,
    compact_snow,
    fresh_snow_density,
    percolate_snow,
    remove_snow_trace,
    update_snow_cover,
)

LEAST = np.array([0.010, 0.015, 0.025, 0.055, 0.115, 0.235, 0.475, 0.955, 1.915, 3.835, 7.675, 15.355])
LOWEST = np.array([0.03, 0.07, 0.18, 0.41, 0.88, 1.83, 3.74, 7.57, 15.24, 30.59, 61.30])
ABOVE = np.array([0.02, 0.05, 0.11, 0.23, 0.47, 0.95, 1.91, 3.83, 7.67, 15.35, 30.71])
DT = 1800.0


def assert_within_limits(pack):
    nlayer = pack.ice.shape[0]
    for column, count in enumerate(pack.layer_count):
        thickness = pack.thickness[nlayer - count:, column]
        if pack.ice[:, column].sum() <= 1e-9:  # water alone is one layer, for percolation to take
            assert count <= 1
            continue
        if count > 1:
            assert (thickness >= LEAST[:count] * (1 - 1e-12)).all()
            assert (pack.ice[nlayer - count:, column] > 1e-9).all()
            assert (thickness[:-1] <= ABOVE[:count - 1] * (1 + 1e-12)).all()
        if 0 < count < nlayer:
            assert thickness[-1] <= LOWEST[count - 1] * (1 + 1e-12)


def assert_conserved(new, old):
    np.testing.assert_allclose(new.mass, old.mass, rtol=2e-15)
    scale = np.abs(CI * old.ice * (old.temperature - TF)).sum(0) + LF * old.liquid.sum(0) + 1e-12
    assert (np.abs(new.enthalpy - old.enthalpy) <= 4e-13 * scale + 2e-13 * CI * old.mass).all()


def test_layers_within_limits_stay_bit_for_bit():
    start = build([2.0, 5.0, 30.0], [0.02, 0.03, 0.1], temperature=[260.0, 265.0, 270.0], nlayer=5)
    assert_same(adjust_snow_layers(start), start)


def test_a_thin_surface_layer_joins_the_one_below():
    start = build([0.5, 5.0, 30.0], [0.005, 0.03, 0.1], temperature=[250.0, 265.0, 270.0], grain=[60.0, 200.0, 900.0],
                  nlayer=5)
    pack = adjust_snow_layers(start)
    # 0.035 m is too much for the surface: all but 0.02 m goes down, where 0.115 m are cut, 0.05 m and the rest
    assert pack.layer_count[0] == 3
    np.testing.assert_allclose(pack.thickness[2:, 0], [0.02, 0.05, 0.065], rtol=1e-12)
    assert pack.temperature[2, 0] == pytest.approx((0.5 * 250.0 + 5.0 * 265.0) / 5.5, rel=1e-12)
    assert pack.grain_radius[2, 0] == pytest.approx((0.5 * 60.0 + 5.0 * 200.0) / 5.5, rel=1e-12)
    assert pack.ice[2, 0] == pytest.approx(5.5 * 0.02 / 0.035, rel=1e-12)
    assert_conserved(pack, start)


def test_a_thin_middle_layer_joins_its_thinner_neighbour():
    start = build([2.0, 0.5, 8.0], [0.011, 0.005, 0.04], grain=[100.0, 300.0, 800.0], nlayer=5)
    pack = adjust_snow_layers(start)
    np.testing.assert_allclose(pack.ice[3:, 0], [2.5, 8.0], rtol=1e-14)
    start = build([2.0, 0.5, 8.0], [0.019, 0.005, 0.018], nlayer=5)
    np.testing.assert_allclose(adjust_snow_layers(start).ice[3:, 0], [2.0, 8.5], rtol=1e-14)


def test_a_thin_lowest_layer_joins_the_one_above():
    start = build([2.0, 6.0, 1.0], [0.015, 0.04, 0.002], nlayer=5)
    np.testing.assert_allclose(adjust_snow_layers(start).ice[3:, 0], [2.0, 7.0], rtol=1e-14)


def test_the_last_layer_is_never_too_thin():
    start = build([1e-6], [1e-8], temperature=240.0, nlayer=5)
    assert_same(adjust_snow_layers(start), start)
    thin = adjust_snow_layers(build([1e-3, 2e-3], [1e-5, 2e-5], temperature=[240.0, 250.0], nlayer=5))
    assert thin.layer_count[0] == 1 and thin.ice[-1, 0] == pytest.approx(3e-3, rel=1e-15)


def test_a_thick_single_layer_becomes_two_equal_ones():
    pack = adjust_snow_layers(build([5.0], [0.04], liquid=0.2, nlayer=5))
    np.testing.assert_allclose(pack.ice[3:, 0], [2.5, 2.5], rtol=1e-14)
    np.testing.assert_allclose(pack.thickness[3:, 0], [0.02, 0.02], rtol=1e-14)
    assert (pack.temperature[3:, 0] == TF).all() and (pack.liquid[3:, 0] == 0.1).all()


def test_division_follows_the_gradient_of_temperature():
    start = build([2.0, 8.0], [0.02, 0.08], temperature=[250.0, 260.0], nlayer=5)
    pack = adjust_snow_layers(start)
    gradient = 10.0 / 0.05
    np.testing.assert_allclose(pack.temperature[2:, 0], [250.0, 260.0 - 0.02 * gradient, 260.0 + 0.02 * gradient],
                               rtol=1e-12)
    assert_conserved(pack, start)
    warm = adjust_snow_layers(build([2.0, 8.0], [0.02, 0.08], temperature=[250.0, 272.0], nlayer=5))
    np.testing.assert_array_equal(warm.temperature[3:, 0], [272.0, 272.0])


def test_eight_metres_fill_all_layers():
    for nlayer in (1, 2, 5, 12):
        pack = adjust_snow_layers(build([2400.0], [8.0], temperature=260.0, nlayer=nlayer))
        assert_within_limits(pack)
        assert pack.layer_count[0] == min(nlayer, 8)
        assert pack.depth[0] == pytest.approx(8.0, rel=1e-14)
        np.testing.assert_allclose(pack.ice / pack.thickness.clip(1e-300), np.where(pack.ice > 0, 300.0, 0.0),
                                   rtol=1e-10)


def test_water_in_cold_snow_freezes_when_layers_join():
    # 0.5 kg m-2 at -20 degC can freeze 0.0634 of the 0.3 kg m-2
    start = build([0.5, 0.5], [0.005, 0.005], liquid=[0.0, 0.3], temperature=[253.15, TF], nlayer=5)
    pack = adjust_snow_layers(start)
    frozen = 0.5 * CI * 20.0 / LF
    assert pack.liquid[-1, 0] == pytest.approx(0.3 - frozen, rel=1e-12) and pack.temperature[-1, 0] == TF
    assert_conserved(pack, start)
    start = build([0.5, 0.5], [0.005, 0.005], liquid=[0.0, 0.02], temperature=[253.15, TF], nlayer=5)
    pack = adjust_snow_layers(start)
    assert pack.liquid[-1, 0] == 0.0 and pack.temperature[-1, 0] < TF
    assert_conserved(pack, start)


@settings(max_examples=200, deadline=None)
@given(packs())
def test_limits_hold_and_all_is_conserved(start):
    pack = adjust_snow_layers(start)
    assert_sound(pack)
    assert_within_limits(pack)
    assert_conserved(pack, start)
    grain = (start.grain_radius * (start.ice + start.liquid)).sum(0)
    np.testing.assert_allclose((pack.grain_radius * (pack.ice + pack.liquid)).sum(0), grain, rtol=1e-12)
    frozen = pack.ice.sum(0) - start.ice.sum(0)
    assert (frozen >= -1e-15 * start.mass).all()
    depth = np.where(start.ice > 1e-9, start.thickness, 0.0).sum(0)  # water without ice enters pores
    assert (pack.depth >= depth * (1 - 1e-14)).all()
    assert (pack.ice <= 917.0 * pack.thickness * pack.cover * (1 + 1e-12)).all()


@settings(max_examples=100, deadline=None)
@given(packs(wet=False))
def test_dry_packs_keep_their_ice(start):
    pack = adjust_snow_layers(start)
    np.testing.assert_allclose(pack.ice.sum(0), start.ice.sum(0), rtol=1e-15)
    assert (pack.liquid == 0.0).all()
    depth = np.where(start.ice > 1e-9, start.thickness, 0.0).sum(0)  # less ice makes no layer
    assert (pack.depth >= depth * (1 - 1e-14)).all() and (pack.depth <= start.depth * (1 + 1e-12)).all()


@pytest.mark.parametrize("nlayer", [1, 3, 5, 12])
def test_many_packs(nlayer):
    start, *_ = remove_snow_trace(random_packs(nlayer, nlayer, 20_000))
    pack = adjust_snow_layers(start)
    assert_sound(pack)
    assert_within_limits(pack)
    assert_conserved(pack, start)
    again = adjust_snow_layers(pack)
    np.testing.assert_allclose(again.ice, pack.ice, rtol=1e-12)


def test_traces_are_handed_back():
    start = build([4e-7, 3e-7], [1e-8, 1e-8], liquid=[0.0, 1e-7], temperature=[250.0, TF], cover=0.3, age=0.4, nlayer=5,
                  mass_maximum=7.0)
    pack, ice, liquid, heat = remove_snow_trace(start)
    assert_same(pack, SnowPack.without_snow(5, 1))
    assert (ice[0], liquid[0]) == (pytest.approx(7e-7), 1e-7)
    assert heat[0] == pytest.approx(start.enthalpy[0], rel=1e-13)
    kept = build([1e-6], [1e-8], nlayer=5)
    pack, ice, liquid, heat = remove_snow_trace(kept)
    assert_same(pack, kept)
    assert (ice[0], liquid[0], heat[0]) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("nlayer", [5, 12])
def test_columns_do_not_see_each_other(nlayer):
    start = random_packs(31, nlayer, 64)
    together = adjust_snow_layers(start)
    cleaned = remove_snow_trace(start)
    for columns in (slice(0, 1), slice(13, 46), slice(31, 64), slice(5, 6)):
        assert_same(take(together, columns), adjust_snow_layers(take(start, columns)))
        alone = remove_snow_trace(take(start, columns))
        assert_same(take(cleaned[0], columns), alone[0])
        for a, b in zip(cleaned[1:], alone[1:], strict=True):
            np.testing.assert_array_equal(a[columns], b)


@pytest.mark.parametrize("cover", ["niu_yang", "swenson_lawrence"])
@pytest.mark.parametrize("nlayer", [5, 12])
def test_a_stormy_season_closes(cover, nlayer):
    """Snow and rain of all strengths for 300 steps: water closes each step, the pack stays sound."""
    rng = np.random.default_rng(nlayer)
    n = 96
    pack = SnowPack.without_snow(nlayer, n)
    topography = rng.uniform(0, 1000, n)
    for _ in range(300):
        air = rng.uniform(230.0, 276.0, n)
        snowfall = np.where(rng.random(n) < 0.3, 10 ** rng.uniform(-10, -1.5, n), 0.0)
        rain = np.where(rng.random(n) < 0.1, 10 ** rng.uniform(-8, -1.1, n), 0.0)
        wind = rng.uniform(0, 25, n)
        start = pack
        pack = add_snowfall(pack, DT, snowfall, air, fresh_snow_density(air, wind))
        pack, ice, liquid, _ = remove_snow_trace(pack)
        pack = update_snow_cover(pack, DT * snowfall, topography, scheme=cover)
        pack = compact_snow(pack, DT, wind, wind_drift=True)
        pack, outflow = percolate_snow(pack, DT, rain)
        pack = adjust_snow_layers(pack)
        lost = ice + liquid
        residual = start.mass + DT * (snowfall + rain - outflow) - lost - pack.mass
        assert np.abs(residual / np.maximum(1.0, pack.mass + DT * outflow)).max() < 1e-13
        assert_sound(pack)
        assert_within_limits(pack)
        density = pack.mass / np.maximum(pack.depth * pack.cover, 1e-300)
        assert (density[pack.mass > 0.0] >= 45.0).all() and (density <= 1000.0 * (1 + 1e-9)).all()
    assert pack.mass.max() > 300.0
