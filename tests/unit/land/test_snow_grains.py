"""Growth of snow grains and ages of the snow surface: formulas by hand, step length, limits, independence of lanes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyland.base.errors import InputError
from pyland.land.snow_surface import SnowLayers, age_snow_surface, grow_snow_grains

DAY = 86400.0


def random_packs(rng, n, layers=5):
    """Packs of 0 to `layers` layers, bottom aligned, thin and deep, dry and wet."""
    count = rng.integers(0, layers + 1, n)
    present = np.arange(layers)[:, None] >= layers - count
    cover = 10 ** rng.uniform(-3, 0, n)
    thickness = 10 ** rng.uniform(-6, 0.7, (layers, n))
    ice = rng.uniform(10, 917, (layers, n)) * thickness * cover
    liquid = ice * np.where(rng.random((layers, n)) < 0.5, 0.0, rng.uniform(0, 2, (layers, n)))
    return {
        "snow": SnowLayers(
            ice=ice * present, liquid=liquid * present, thickness=thickness * present,
            temperature=np.where(present, rng.uniform(200, 273.15, (layers, n)), 273.15),
            grain_radius=rng.uniform(54.5, 1500, (layers, n))),
        "soil_temperature": rng.uniform(220, 300, n), "cover": cover, "air_pressure": rng.uniform(3e4, 1.1e5, n),
        "soil_distance": rng.uniform(0.0, 0.1, n),
        "refrozen": ice * present * np.where(rng.random((layers, n)) < 0.5, 0.0, rng.random((layers, n))),
    }, present


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
    got = grow_snow_grains(
        DAY, SnowLayers(ice=dz * 200, thickness=dz, temperature=t, grain_radius=80.0), 270.0, air_pressure=pressure)
    np.testing.assert_allclose(got[:, 0], expected, rtol=1e-12)
    assert 90 < got[0, 0] < 200


@pytest.mark.parametrize(("wetness", "rate"), [(0.03, 0.08), (0.09, 0.14), (0.3, 0.14)])
def test_wet_growth_by_hand(wetness, rate):
    cover, dz = 0.4, 0.1
    snow = SnowLayers(ice=300 * dz * cover, liquid=wetness * 1000 * dz * cover, thickness=dz, grain_radius=200.0)
    got = grow_snow_grains(3 * DAY, snow, 273.15, cover=cover)
    assert got[0, 0] == pytest.approx(0.5e6 * np.sqrt(4e-4**2 + 2 * 4e-12 * rate * 3 * DAY), rel=1e-12)


def test_a_long_step_is_many_short_ones():
    layers = {"ice": [[20.0], [50.0]], "liquid": [[0.0], [2.0]], "thickness": [[0.1], [0.15]],
              "temperature": [[262.0], [273.15]]}
    once = grow_snow_grains(10 * DAY, SnowLayers(**layers, grain_radius=60.0), 273.15)
    radius = np.full((2, 1), 60.0)
    for _ in range(240):
        radius = grow_snow_grains(DAY / 24, SnowLayers(**layers, grain_radius=radius), 273.15)
    np.testing.assert_allclose(radius, once, rtol=1e-12)


def test_no_gradient_no_growth_and_refrozen_liquid_is_coarse():
    snow = SnowLayers(ice=[18.0, 20.0], liquid=[2.0, 0.0], thickness=0.1, temperature=265.0, grain_radius=300.0)
    still = grow_snow_grains(DAY, SnowLayers(ice=20.0, thickness=0.1, temperature=265.0, grain_radius=300.0), 265.0)
    assert still[0, 0] == pytest.approx(300.0, rel=1e-14)
    plain = grow_snow_grains(1.0, snow, 265.0)
    frozen = grow_snow_grains(1.0, snow, 265.0, refrozen=[5.0, 0.0])
    assert frozen[0, 0] == pytest.approx(0.75 * plain[0, 0] + 0.25 * 1000, rel=1e-12)
    assert frozen[1, 0] == plain[1, 0]


def test_a_single_layer_feels_the_ground_and_steep_gradients_are_capped():
    snow = SnowLayers(ice=1.0, thickness=1e-5, temperature=240.0, grain_radius=60.0)
    got = grow_snow_grains(DAY, snow, 273.15, soil_distance=0.0)
    assert got[0, 0] == pytest.approx(0.5e6 * np.sqrt(1.2e-4**2 + 2 * 5e-7 * 1e-6 * DAY), rel=1e-12)
    assert grow_snow_grains(1e12, snow, 273.15)[0, 0] == 1500.0


def test_absent_layers_keep_their_radius_and_bounds_hold():
    case, present = random_packs(np.random.default_rng(4), 3000)
    for dt in (60.0, 1800.0, 1e9):
        got = grow_snow_grains(dt, **case)
        assert np.isfinite(got).all() and got.min() >= 54.5 and got.max() <= 1500.0
        assert np.array_equal(got[~present], case["snow"].grain_radius[~present])
    none = {**case, "refrozen": 0.0}
    assert (grow_snow_grains(1800.0, **none) >= case["snow"].grain_radius - 1e-9).all()


@settings(max_examples=60, deadline=None)
@given(st.floats(1e-6, 917.0), st.floats(0, 500), st.floats(1e-9, 8), st.floats(150, 273.15), st.floats(54.5, 1500),
       st.floats(150, 330), st.floats(1e-3, 1e7), st.floats(0, 1))
def test_extremes(ice, liquid, thickness, t, radius, soil, dt, refrozen):
    snow = SnowLayers(ice=ice, liquid=liquid, thickness=thickness, temperature=t, grain_radius=radius)
    got = grow_snow_grains(dt, snow, soil, refrozen=refrozen * ice)[0, 0]
    assert 54.5 <= got <= 1500.0


def test_a_column_does_not_depend_on_its_neighbours():
    case, _ = random_packs(np.random.default_rng(5), 77)
    together = grow_snow_grains(1800.0, **case)
    for i in (0, 31, 32, 76):
        snow = SnowLayers(**{key: values[:, i:i + 1] for key, values in vars(case["snow"]).items()})
        one = {key: np.atleast_1d(values[..., i]) for key, values in case.items() if key not in ("snow", "refrozen")}
        got = grow_snow_grains(1800.0, snow, refrozen=case["refrozen"][:, i:i + 1], **one)
        assert np.array_equal(got[:, 0], together[:, i])


def test_age_by_hand():
    snow = SnowLayers(ice=30.0, thickness=0.1)
    dt, t = 1800.0, 263.15
    r1 = np.exp(5000 * (1 / 273.15 - 1 / t))
    age = age_snow_surface(dt, snow, t, 0.5, 2.0)
    assert age[0] == pytest.approx((2.0 + 1e-6 * dt * (r1 + r1**10 + 0.3)) * 0.95, rel=1e-12)
    # at the melting point 2.3e-6 s-1; warm air does not count
    age = age_snow_surface(dt, snow, [273.15, 280.0], 0.0, 0.0)
    np.testing.assert_allclose(age, 2.3e-6 * dt, rtol=1e-12)


def test_age_ends_with_the_snow_and_with_new_snow():
    heavy, light, none = SnowLayers(ice=801.0, thickness=2.0), SnowLayers(ice=20.0, thickness=0.1), SnowLayers(ice=0.0)
    assert age_snow_surface(60.0, none, 270.0, 0.0, 3.0) == 0.0
    assert age_snow_surface(60.0, heavy, 270.0, 0.0, 3.0) == 0.0
    assert age_snow_surface(60.0, light, 270.0, 10.0, 3.0) == 0.0


def test_bad_input_is_named():
    with pytest.raises(InputError, match="needs a thickness"):
        grow_snow_grains(60.0, SnowLayers(ice=1.0), 270.0)
    with pytest.raises(InputError, match="must lie above those with snow"):
        grow_snow_grains(60.0, SnowLayers(ice=[1.0, 0.0], thickness=[0.1, 0.0]), 270.0)
    with pytest.raises(InputError, match="expected 1 to 12 layers, got 13"):
        grow_snow_grains(60.0, SnowLayers(ice=np.ones(13), thickness=0.1), 270.0)
    with pytest.raises(InputError, match="above 0 where there is snow"):
        grow_snow_grains(60.0, SnowLayers(ice=1.0, thickness=0.1), 270.0, cover=0.0)
    with pytest.raises(InputError, match="refrozen: expected shape"):
        grow_snow_grains(60.0, SnowLayers(ice=1.0, thickness=0.1), 270.0, refrozen=np.ones((2, 3)))
    with pytest.raises(InputError, match="time step must be a positive"):
        grow_snow_grains(0.0, SnowLayers(ice=1.0, thickness=0.1), 270.0)
    with pytest.raises(InputError, match="ages not negative"):
        age_snow_surface(60.0, SnowLayers(ice=1.0, thickness=0.1), 270.0, 0.0, -1.0)
