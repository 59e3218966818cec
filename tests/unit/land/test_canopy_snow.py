"""Snow on plants, plants under snow, and light in a canopy with snow on its leaves."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyland.base.errors import InputError
from pyland.land.plant_types import plant_parameters
from pyland.land.snow_surface import expose_canopy, intercept_snow
from pyland.land.surface_processes import compute_two_stream

DT = 1800.0


def test_values():
    r = intercept_snow(DT, 1.5, 0.5, 1e-3, 272.15, 3.0, 0.5)
    caught = 1 - np.exp(-1.0)
    store = (0.5 + DT * caught * 1e-3) / (1 + DT * (3.0 / 1.56e5 + 2.0 / 1.87e5))
    assert r.canopy_snow[0] == pytest.approx(store, rel=1e-14)
    assert r.throughfall[0] == pytest.approx(1e-3 - (store - 0.5) / DT, rel=1e-12)
    assert r.snow_share[0] == pytest.approx((store / 12) ** 0.15, rel=1e-12)
    assert r.vapour_share[0] == pytest.approx((store / 12) ** (2 / 3), rel=1e-12)
    assert r.wet_fraction[0] == pytest.approx(r.vapour_share[0], rel=1e-14)
    assert r.dry_fraction[0] == pytest.approx((1 - r.vapour_share[0]) * 0.75, rel=1e-14)


def test_cold_still_air_unloads_nothing_and_a_full_canopy_sheds():
    r = intercept_snow(DT, 2.0, 0.0, 0.0, 260.0, 0.0, 5.0)
    assert r.canopy_snow[0] == 5.0 and r.throughfall[0] == 0.0
    r = intercept_snow(DT, 2.0, 0.0, 1e-2, 260.0, 0.0, 12.0)
    assert r.canopy_snow[0] == 12.0 and r.throughfall[0] == pytest.approx(1e-2, rel=1e-12)
    assert r.snow_share[0] == r.vapour_share[0] == r.wet_fraction[0] == 1.0 and r.dry_fraction[0] == 0.0


def test_wind_and_warmth_empty_the_canopy_with_their_times():
    # 5 m s-1: 1/e in 8.7 h; 2 K above -3 degC: in 26 h
    store = 5.0
    for _ in range(1040):
        store = intercept_snow(30.0, 2.0, 0.0, 0.0, 260.0, 5.0, store).canopy_snow[0]
    assert store == pytest.approx(5.0 * np.exp(-1040 * 30 * 5.0 / 1.56e5), rel=1e-3)
    assert intercept_snow(1e9, 2.0, 0.0, 0.0, 280.0, 20.0, 5.0).canopy_snow[0] < 1e-3


def test_rain_and_snow_share_the_leaves():
    r = intercept_snow(DT, 2.0, 0.0, 0.0, 260.0, 0.0, 12 * 0.125, rain_share=0.5)
    assert r.vapour_share[0] == pytest.approx(0.25, rel=1e-12)
    assert r.wet_fraction[0] == pytest.approx(1 - 0.75 * 0.5, rel=1e-12)
    assert r.dry_fraction[0] == pytest.approx(0.75 * 0.5, rel=1e-12)


def test_a_canopy_that_lost_its_leaves_drops_all():
    r = intercept_snow(DT, 0.02, 0.02, 1e-4, 260.0, 0.0, 3.0, rain_share=0.0)
    assert r.canopy_snow[0] == 0.0 and r.throughfall[0] == pytest.approx(1e-4 + 3.0 / DT, rel=1e-14)
    assert r.snow_share[0] == r.vapour_share[0] == r.dry_fraction[0] == 0.0


@settings(max_examples=100, deadline=None)
@given(st.floats(0, 10), st.floats(0, 3), st.floats(0, 0.1), st.floats(210, 320), st.floats(0, 60), st.floats(0, 80),
       st.floats(1, 1e5), st.floats(0, 1))
def test_water_closes_and_shares_stay_in_bounds(leaf, stem, snowfall, t, wind, start, dt, rain):
    r = intercept_snow(dt, leaf, stem, snowfall, t, wind, start, rain_share=rain)
    total = start + dt * snowfall
    assert abs(total - r.canopy_snow[0] - dt * r.throughfall[0]) <= 1e-14 * max(total, 1.0)
    assert 0.0 <= r.canopy_snow[0] <= 6 * (leaf + stem) * (1 + 1e-15)
    assert r.throughfall[0] >= 0.0
    for share in (r.snow_share, r.vapour_share, r.wet_fraction, r.dry_fraction):
        assert 0.0 <= share[0] <= 1.0
    assert r.snow_share[0] >= r.vapour_share[0]


def test_a_canopy_does_not_depend_on_its_neighbours():
    rng = np.random.default_rng(2)
    n = 77
    args = [rng.uniform(0, 5, n), rng.uniform(0, 1, n), rng.uniform(0, 1e-3, n), rng.uniform(250, 280, n),
            rng.uniform(0, 10, n), 10 ** rng.uniform(-30, 1, n)]
    together = intercept_snow(DT, *args)
    for i in (0, 31, 32, 76):
        one = intercept_snow(DT, *(values[i] for values in args))
        for name in vars(one):
            assert getattr(one, name)[0] == getattr(together, name)[i], name


def test_snow_buries_plants():
    # a shrub's crown between 0.1 and 0.5 m; its snow covers 80 % of the ground
    depth = [0.0, 0.1, 0.2, 0.5, 2.0]
    leaf, stem = expose_canopy(2.0, 0.5, depth, canopy_top=0.5, canopy_bottom=0.1, snow_cover=0.8)
    np.testing.assert_allclose(leaf, 2.0 * (1 - 0.8 * np.array([0, 0, 0.25, 1, 1])), rtol=1e-12)
    np.testing.assert_allclose(stem, leaf / 4, rtol=1e-12)
    # grass is gone below 0.2 m, whatever its height
    leaf, _ = expose_canopy(2.0, 0.5, depth, canopy_top=0.5, canopy_bottom=0.3, is_low=1.0)
    np.testing.assert_allclose(leaf, 2.0 * np.array([1, 0.5, 0, 0, 0]), atol=1e-15)
    # a tree stands above it; a crown without depth is under snow or not
    assert expose_canopy(5.0, 1.0, 2.0, canopy_top=20.0, canopy_bottom=3.0) == (5.0, 1.0)
    assert expose_canopy(5.0, 1.0, [0.5, 0.6], canopy_top=0.5, canopy_bottom=0.5)[0].tolist() == [5.0, 0.0]


def test_light_in_a_snowy_canopy_closes():
    rng = np.random.default_rng(1)
    n = 50_000
    optics = {"leaf_angle": rng.uniform(-0.5, 0.7, n)}
    for part in ("leaf", "stem"):
        for band in ("vis", "nir"):
            scattered, forward = rng.uniform(0, 0.99, n), rng.uniform(0, 0.8, n)
            optics[f"{part}_reflectance_{band}"] = scattered * (1 - forward)
            optics[f"{part}_transmittance_{band}"] = scattered * forward
    leaf, stem, mu = 10 ** rng.uniform(-3, 1.4, n), rng.uniform(0, 2, n), 10 ** rng.uniform(-4, 0, n)
    ground = rng.uniform(0, 0.95, (2, n))
    share = rng.random(n)
    share[::9], share[1::9] = 0.0, 1.0
    r = compute_two_stream(leaf, stem, optics, ground, mu, snow_share=share)
    direct = r.albedo_direct + r.absorbed_direct + (1 - ground) * (r.transmitted_direct + r.beam_transmission)
    diffuse = r.albedo_diffuse + r.absorbed_diffuse + (1 - ground) * r.transmitted_diffuse
    assert np.abs(direct - 1).max() < 1e-12 and np.abs(diffuse - 1).max() < 1e-12
    assert r.sunlit_direct.min() >= 0 and (r.sunlit_direct <= r.absorbed_direct).all()
    plain = compute_two_stream(leaf, stem, optics, ground, mu)
    for name in vars(plain):
        assert np.array_equal(getattr(plain, name)[..., ::9], getattr(r, name)[..., ::9]), name


def test_a_canopy_under_snow_scatters_as_snow():
    # all leaves white: omega 0.8 and 0.4, half of it up; albedo of a deep canopy c/(b + sqrt(b**2 - c**2))
    r = compute_two_stream(60.0, 0.0, plant_parameters("needle_evergreen_boreal"), [0.2, 0.2], 0.5, snow_share=1.0)
    for band, omega in enumerate((0.8, 0.4)):
        b, c = 1 - omega / 2, omega / 2
        assert r.albedo_diffuse[band, 0] == pytest.approx(c / (b + np.sqrt(b * b - c * c)), rel=1e-10)
    share = np.linspace(0, 1, 50)
    r = compute_two_stream(3.0, 0.5, plant_parameters("needle_evergreen_boreal"), [0.2, 0.2], 0.5, snow_share=share)
    assert (np.diff(r.albedo_direct[0]) > 0).all() and (np.diff(r.albedo_diffuse[0]) > 0).all()


def test_bad_input_is_named():
    with pytest.raises(InputError, match="must not be negative"):
        intercept_snow(DT, 1.0, 0.0, -1e-5, 260.0, 1.0, 0.0)
    with pytest.raises(InputError, match="time step must be a positive"):
        intercept_snow(0.0, 1.0, 0.0, 1e-5, 260.0, 1.0, 0.0)
    with pytest.raises(InputError, match="snow cover in"):
        expose_canopy(1.0, 0.0, 0.2, canopy_top=1.0, snow_cover=1.5)
    with pytest.raises(InputError, match="share of leaves under snow"):
        compute_two_stream(1.0, 0.0, plant_parameters(7), [0.2, 0.2], 0.5, snow_share=1.1)
