"""Snow-covered share of the ground."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_snow import assert_same, assert_sound, build, packs, random_packs, take

from pyland.base.errors import InputError
from pyland.land import SnowPack, add_snowfall, update_snow_cover

DT = 1800.0


def shrink(pack, share):
    """Melt away all but a share of the mass at constant density."""
    return SnowPack(pack.ice * share, pack.liquid * share, pack.thickness * share, pack.temperature,
                    pack.grain_radius, pack.age, pack.cover, pack.mass_maximum)


@pytest.mark.parametrize(("density", "depth", "exponent"), [(100.0, 0.02, 1.0), (300.0, 0.1, 1.0), (250.0, 0.05, 1.6)])
def test_niu_yang(density, depth, exponent):
    pack = update_snow_cover(build([density * depth], [depth]), scheme="niu_yang", exponent=exponent)
    expected = np.tanh(depth / (2.5 * 0.01 * (density / 100.0) ** exponent))
    assert pack.cover[0] == pytest.approx(expected, rel=1e-12)
    assert pack.thickness[0, 0] * pack.cover[0] == pytest.approx(depth, rel=1e-14)


def test_snowfall_covers_bare_ground():
    one = update_snow_cover(add_snowfall(SnowPack.without_snow(5, 1), DT, 4.0 / DT, 263.15, 100.0), 4.0)
    assert one.cover[0] == pytest.approx(np.tanh(0.4), rel=1e-12)
    many = SnowPack.without_snow(5, 1)
    for _ in range(100):
        many = update_snow_cover(add_snowfall(many, DT, 0.04 / DT, 263.15, 100.0), 0.04)
    assert many.cover[0] == pytest.approx(1 - (1 - np.tanh(0.004)) ** 100, rel=1e-8)


@pytest.mark.parametrize("topography", [0.0, 50.0, 800.0])
def test_melt_follows_the_curve_of_depletion(topography):
    pack = update_snow_cover(build([200.0], [0.8], mass_maximum=200.0), topography=topography)
    assert pack.cover[0] == 1.0
    for left in (0.75, 0.4, 0.1, 0.01):
        spread = update_snow_cover(shrink(pack, left), topography=topography)
        shape = 200.0 / max(10.0, topography)
        expected = 1 - (np.arccos(2 * left - 1) / np.pi) ** shape
        assert spread.cover[0] == pytest.approx(max(expected, 1e-4), rel=1e-10)
        assert spread.mass_maximum[0] == 200.0


@pytest.mark.parametrize("topography", [0.0, 300.0, 2000.0])
def test_snow_on_melting_snow_moves_the_curve(topography):
    """After snowfall the curve of melt passes through the mass and the cover that were reached."""
    pack = update_snow_cover(build([20.0], [0.1], mass_maximum=150.0), topography=topography)
    f = pack.cover[0]
    pack = update_snow_cover(add_snowfall(pack, DT, 2.0 / DT, 263.15, 100.0), 2.0, topography)
    assert pack.cover[0] == pytest.approx(f + np.tanh(0.2) * (1 - f), rel=1e-12)
    again = update_snow_cover(pack, 0.0, topography)
    assert again.cover[0] == pytest.approx(pack.cover[0], rel=1e-9)


def test_snow_that_outlasts_summers_covers_all_ground():
    pack = update_snow_cover(build([6000.0], [12.0], mass_maximum=9000.0), topography=1000.0)
    assert pack.cover[0] == 1.0 and pack.mass_maximum[0] == 6000.0


@settings(max_examples=60, deadline=None)
@given(packs(), st.sampled_from(["niu_yang", "swenson_lawrence"]), st.floats(0.0, 5000.0),
       st.one_of(st.just(0.0), st.floats(1e-9, 100.0)), st.floats(0.0, 1e4))
def test_cover_only_spreads_the_pack(start, scheme, topography, fallen, peak):
    start = SnowPack(start.ice, start.liquid, start.thickness, start.temperature, start.grain_radius, 0.0,
                     start.cover, peak)
    fallen = min(fallen, float(start.mass[0]))
    pack = update_snow_cover(start, fallen, topography, scheme=scheme)
    np.testing.assert_array_equal(pack.ice, start.ice)
    np.testing.assert_array_equal(pack.liquid, start.liquid)
    np.testing.assert_allclose(pack.thickness * pack.cover, start.thickness * start.cover, rtol=1e-14)
    assert np.isfinite(pack.mass_maximum).all()
    assert_sound(pack)


@pytest.mark.parametrize("scheme", ["niu_yang", "swenson_lawrence"])
def test_columns_do_not_see_each_other(scheme):
    start = random_packs(8, 12, 64)
    rng = np.random.default_rng(9)
    fallen, topography = np.minimum(start.mass, rng.uniform(0, 5, 64)), rng.uniform(0, 900, 64)
    together = update_snow_cover(start, fallen, topography, scheme=scheme)
    for columns in (slice(0, 1), slice(13, 46), slice(31, 64), slice(5, 6)):
        alone = update_snow_cover(take(start, columns), fallen[columns], topography[columns], scheme=scheme)
        assert_same(take(together, columns), alone)


def test_bad_input_is_named():
    pack = SnowPack.without_snow(5, 1)
    with pytest.raises(InputError, match="choose one of niu_yang, swenson_lawrence"):
        update_snow_cover(pack, scheme="full")
    with pytest.raises(InputError, match=r"\(0, 1\] m"):
        update_snow_cover(pack, scheme="niu_yang", roughness=0.0)
