"""Growth of snow grains and ages of the snow surface: formulas by hand, step length, limits, independence of lanes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snow_packs import make_pack, one_column, random_packs

from pyland.base.errors import InputError
from pyland.land import age_snow_surface, grow_snow_grains

DAY = 86400.0


def random_case(rng, n):
    """Random packs with their surroundings."""
    pack, present = random_packs(rng, n)
    return pack, {
        "soil_temperature": rng.uniform(220, 300, n), "air_pressure": rng.uniform(3e4, 1.1e5, n),
        "soil_distance": rng.uniform(0.0, 0.1, n),
        "refrozen": pack.ice * np.where(rng.random(pack.ice.shape) < 0.5, 0.0, rng.random(pack.ice.shape))}, present


def grow(pack, dt, *args, **surroundings):
    return grow_snow_grains(pack, dt, *args, **surroundings).grain_radius


def vapour_coefficient(t, pressure):
    """Diffusivity times the slope of saturation over ice, Jordan (1991), eqs. 20 and 21."""
    scale = (2.501e6 + 3.337e5) / 461.504
    slope = 613.6 / 461.504 / t**2 * (scale / t - 1) * np.exp(scale * (1 / 273.15 - 1 / t))
    return 9.2e-5 * 1e5 / pressure * (t / 273.15) ** 6 * slope


def test_dry_growth_by_hand():
    t, dz, pressure = np.array([258.0, 263.0]), np.array([0.05, 0.20]), 9e4
    k = vapour_coefficient(t, pressure)
    upper = 5.0 / (0.025 / k[0] + 0.10 / k[1])
    lower = 7.0 / (0.10 / k[1] + 0.01 / k[1])
    flux = np.array([upper, 0.5 * (upper + lower)])
    assert (flux < 1e-6).all() and flux.min() > 1e-8
    expected = 0.5e6 * np.sqrt((2e-6 * 80) ** 2 + 2 * 5e-7 * flux * DAY)
    pack = make_pack(dz * 200, thickness=dz, temperature=t, grain_radius=80.0)
    got = grow(pack, DAY, 270.0, air_pressure=pressure)
    np.testing.assert_allclose(got[:, 0], expected, rtol=1e-12)
    assert 90 < got[0, 0] < 200


@pytest.mark.parametrize(("wetness", "rate"), [(0.03, 0.08), (0.09, 0.14), (0.3, 0.14)])
def test_wet_growth_by_hand(wetness, rate):
    cover, dz = 0.4, 0.1
    ice, liquid = 300 * dz * cover, wetness * 1000 * dz * cover
    pack = make_pack(ice, liquid=liquid, thickness=dz, grain_radius=200.0, cover=cover)
    got = grow(pack, 3 * DAY, 273.15)
    assert got[0, 0] == pytest.approx(0.5e6 * np.sqrt(4e-4**2 + 2 * 4e-12 * rate * 3 * DAY), rel=1e-12)


def test_a_long_step_is_many_short_ones():
    pack = make_pack([20.0, 50.0], liquid=[0.0, 2.0], thickness=[0.1, 0.15], temperature=[262.0, 273.15],
                     grain_radius=60.0)
    once = grow(pack, 10 * DAY, 273.15)
    for _ in range(240):
        pack = grow_snow_grains(pack, DAY / 24, 273.15)
    np.testing.assert_allclose(pack.grain_radius, once, rtol=1e-12)


def test_no_gradient_no_growth_and_refrozen_liquid_is_coarse():
    still = make_pack(20.0, thickness=0.1, temperature=265.0, grain_radius=300.0)
    assert grow(still, DAY, 265.0)[0, 0] == pytest.approx(300.0, rel=1e-14)
    pack = make_pack([18.0, 20.0], liquid=[2.0, 0.0], thickness=0.1, temperature=265.0, grain_radius=300.0)
    plain, frozen = grow(pack, 1.0, 265.0), grow(pack, 1.0, 265.0, refrozen=[[5.0], [0.0]])
    assert frozen[0, 0] == pytest.approx(0.75 * plain[0, 0] + 0.25 * 1000, rel=1e-12)
    assert frozen[1, 0] == plain[1, 0]


def test_a_single_layer_feels_the_ground_and_steep_gradients_are_capped():
    pack = make_pack(1e-3, thickness=1e-5, temperature=240.0, grain_radius=60.0)
    got = grow(pack, DAY, 273.15, soil_distance=0.0)
    assert got[0, 0] == pytest.approx(0.5e6 * np.sqrt(1.2e-4**2 + 2 * 5e-7 * 1e-6 * DAY), rel=1e-12)
    assert grow(pack, 1e12, 273.15)[0, 0] == 1500.0


def test_absent_layers_keep_their_radius_and_bounds_hold():
    pack, surroundings, present = random_case(np.random.default_rng(4), 3000)
    for dt in (60.0, 1800.0, 1e9):
        got = grow(pack, dt, **surroundings)
        assert np.isfinite(got).all() and got.min() >= 54.5 and got.max() <= 1500.0
        assert np.array_equal(got[~present], pack.grain_radius[~present])
    assert (grow(pack, 1800.0, **{**surroundings, "refrozen": 0.0}) >= pack.grain_radius - 1e-9).all()


@settings(max_examples=60, deadline=None)
@given(st.floats(1e-3, 917.0), st.floats(0, 500), st.floats(1e-9, 8), st.floats(150, 273.15), st.floats(54.5, 1500),
       st.floats(150, 330), st.floats(1e-3, 1e7), st.floats(0, 1))
def test_extremes(density, liquid, thickness, t, radius, soil, dt, refrozen):
    ice = density * thickness
    pack = make_pack(ice, liquid=liquid, thickness=thickness, temperature=t, grain_radius=radius)
    got = grow(pack, dt, soil, refrozen=refrozen * ice)[0, 0]
    assert 54.5 <= got <= 1500.0


def test_a_column_does_not_depend_on_its_neighbours():
    pack, surroundings, _ = random_case(np.random.default_rng(5), 77)
    together = grow(pack, 1800.0, **surroundings)
    for i in (0, 31, 32, 76):
        own = {key: values[..., i:i + 1] for key, values in surroundings.items()}
        assert np.array_equal(grow(one_column(pack, i), 1800.0, **own)[:, 0], together[:, i])


def test_age_by_hand():
    dt, t = 1800.0, 263.15
    r1 = np.exp(5000 * (1 / 273.15 - 1 / t))
    pack = age_snow_surface(make_pack(30.0, thickness=0.1, age=2.0), dt, t, 0.5)
    assert pack.age[0] == pytest.approx((2.0 + 1e-6 * dt * (r1 + r1**10 + 0.3)) * 0.95, rel=1e-12)
    # at the melting point 2.3e-6 s-1; warm air does not count
    pack = age_snow_surface(make_pack(30.0, thickness=0.1, columns=2), dt, [273.15, 280.0], 0.0)
    np.testing.assert_allclose(pack.age, 2.3e-6 * dt, rtol=1e-12)


def test_age_ends_with_the_snow_and_with_new_snow():
    assert age_snow_surface(make_pack(0.0, age=3.0), 60.0, 270.0, 0.0).age[0] == 0.0
    assert age_snow_surface(make_pack(801.0, thickness=2.0, age=3.0), 60.0, 270.0, 0.0).age[0] == 0.0
    assert age_snow_surface(make_pack(20.0, thickness=0.1, age=3.0), 60.0, 270.0, 10.0).age[0] == 0.0


def test_bad_input_is_named():
    pack = make_pack(1.0, thickness=0.1)
    with pytest.raises(InputError, match="needs a thickness"):
        grow(make_pack(0.0, liquid=1.0), 60.0, 270.0)
    with pytest.raises(InputError, match="must lie above those with snow"):
        grow(make_pack([1.0, 0.0], thickness=[0.1, 0.0]), 60.0, 270.0)
    with pytest.raises(InputError, match="the pack has 1 columns, the other arguments 2"):
        grow(pack, 60.0, [270.0, 271.0])
    with pytest.raises(InputError, match="refrozen: expected shape"):
        grow(pack, 60.0, 270.0, refrozen=np.ones((2, 3)))
    with pytest.raises(InputError, match="time step must be a positive"):
        grow(pack, 0.0, 270.0)
    with pytest.raises(InputError, match="new snow not negative"):
        age_snow_surface(pack, 60.0, 270.0, -1.0)


def test_the_boundary_names_too_many_layers():
    from pyland.core import snow_surface as core

    with pytest.raises(InputError, match="expected 1 to 12 layers, got 13"):
        core.grow(60.0, np.ones((65, 1)), np.ones((4, 1)), np.ones((13, 1)))
