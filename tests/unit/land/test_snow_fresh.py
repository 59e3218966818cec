"""New snow: density, grains, the first layer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_snow import TF, assert_same, assert_sound, build, packs, random_packs, take

from pyland.base.errors import InputError
from pyland.land import SnowPack, add_snowfall, fresh_snow_density, update_snow_cover

DT = 1800.0


def test_density_by_temperature():
    calm = 266.861 * 0.5**8.8
    celsius = np.array([5.0, 2.0, 0.0, -10.0, -15.0, -30.0, -57.55, -80.0])
    expected = [50 + 1.7 * 17**1.5, 50 + 1.7 * 17**1.5, 50 + 1.7 * 15**1.5, 50 + 1.7 * 5**1.5, 50.0,
                3.833 * 30 - 0.0333 * 900, 110.299, 110.299]
    np.testing.assert_allclose(fresh_snow_density(TF + celsius), np.array(expected) + calm, rtol=3e-4)
    np.testing.assert_allclose(fresh_snow_density(TF + celsius, 20.0, scheme="clm45"), expected[:5] + [50.0] * 3,
                               rtol=1e-12)


def test_density_is_continuous_in_temperature():
    for scheme in ("clm5", "clm45"):
        density = fresh_snow_density(np.linspace(200.0, 280.0, 80_001), scheme=scheme)
        assert np.abs(np.diff(density)).max() < 0.02  # 10.5 kg m-3 K-1 at most, and 0.01 at -15 degC


def test_wind_packs_new_snow():
    still, storm = fresh_snow_density(263.15, [0.0, 10.0])
    assert storm - still == pytest.approx(266.861 * (((1 + np.tanh(2.0)) / 2) ** 8.8 - 0.5**8.8), rel=1e-12)


def test_first_snow_makes_the_lowest_layer():
    pack = add_snowfall(SnowPack.without_snow(5, 3), DT, [1e-4, 1e-4, 0.0], [263.15, 275.15, 263.15], 100.0)
    assert pack.layer_count.tolist() == [1, 1, 0]
    np.testing.assert_allclose(pack.ice[-1], [0.18, 0.18, 0.0], rtol=1e-14)
    assert pack.temperature[-1].tolist() == [263.15, TF, TF]
    np.testing.assert_allclose(pack.grain_radius[-1, :2], [54.5 + 150.0 * 20 / 30, 204.5], rtol=1e-12)
    np.testing.assert_allclose((pack.thickness * pack.cover)[-1, :2], 0.0018, rtol=1e-14)
    assert_sound(pack)


def test_grain_radius_of_new_snow():
    radii = (add_snowfall(SnowPack.without_snow(1, 1), DT, 1e-4, t, 100.0).grain_radius[0, 0]
             for t in (243.15, 220.0, 280.0))
    assert list(radii) == pytest.approx([54.5, 54.5, 204.5], rel=1e-14)


def test_snow_joins_the_surface_layer_over_the_covered_part():
    start = build([5.0, 40.0], [0.05, 0.2], temperature=[260.0, 268.0], grain=[400.0, 800.0], cover=0.5, nlayer=5)
    pack = add_snowfall(start, DT, 1e-3, 258.15, 80.0)
    assert pack.ice[3, 0] == pytest.approx(6.8) and pack.ice[4, 0] == 40.0
    assert pack.thickness[3, 0] == pytest.approx(0.05 + 1.8 / (80.0 * 0.5))
    assert pack.temperature[3, 0] == 260.0
    assert pack.grain_radius[3, 0] == pytest.approx((5.0 * 400.0 + 1.8 * (54.5 + 75.0)) / 6.8)


@settings(max_examples=60, deadline=None)
@given(packs(), st.one_of(st.just(0.0), st.floats(1e-12, 0.1)), st.floats(200.0, 275.0), st.floats(50.0, 450.0))
def test_mass_is_conserved_and_the_rest_untouched(start, rate, temperature, density):
    pack = add_snowfall(start, DT, rate, temperature, density)
    np.testing.assert_allclose(pack.mass, start.mass + DT * rate, rtol=1e-14)
    np.testing.assert_array_equal(pack.liquid, start.liquid)
    np.testing.assert_array_equal(pack.temperature, start.temperature)
    added = (pack.depth - start.depth) * pack.cover
    np.testing.assert_allclose(added, DT * rate / density, rtol=1e-9, atol=1e-14 * start.depth[0])
    assert_sound(pack)


def test_columns_do_not_see_each_other():
    start = random_packs(3, 5, 64)
    rng = np.random.default_rng(4)
    weather = np.where(rng.random(64) < 0.5, 0.0, 1e-4), rng.uniform(230, 276, 64), rng.uniform(50, 300, 64)
    together = add_snowfall(start, DT, *weather)
    for columns in (slice(0, 1), slice(13, 46), slice(31, 64), slice(5, 6)):
        alone = add_snowfall(take(start, columns), DT, *(value[columns] for value in weather))
        assert_same(take(together, columns), alone)
    wind = rng.uniform(0, 30, 64)
    np.testing.assert_array_equal(fresh_snow_density(weather[1], wind)[13:46],
                                  fresh_snow_density(weather[1][13:46], wind[13:46]))


def test_no_snowfall_changes_no_bit():
    start = random_packs(5, 12, 50)
    assert_same(add_snowfall(start, DT, 0.0, 260.0, 100.0), start)


def test_a_single_flake_lies_one_grain_thick():
    pack = add_snowfall(SnowPack.without_snow(5, 1), DT, 1e-6 / DT, 263.15, 100.0)
    pack = update_snow_cover(pack, 1e-6)
    assert pack.layer_count[0] == 1 and pack.depth[0] == pytest.approx(1e-4)


def test_bad_input_is_named():
    pack = SnowPack.without_snow(5, 2)
    with pytest.raises(InputError, match="choose one of clm45, clm5"):
        fresh_snow_density(260.0, scheme="clm6")
    with pytest.raises(InputError, match="between 1 and 917"):
        add_snowfall(pack, DT, 1e-4, 260.0, 0.0)
    with pytest.raises(InputError, match="per column"):
        add_snowfall(pack, DT, [1e-4] * 3, 260.0, 100.0)
    with pytest.raises(InputError, match="positive number of seconds"):
        add_snowfall(pack, 0.0, 1e-4, 260.0, 100.0)
    with pytest.raises(InputError, match="cover must lie"):
        build([1.0], [0.01], cover=0.0)
    with pytest.raises(InputError, match="more ice than 917"):
        build([10.0], [0.01])
