"""Albedo of snow and absorption in it: published values, ranges, order, sums, independence of lanes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snow_packs import make_pack, one_column, random_packs

from pyland.base.errors import InputError
from pyland.land import compute_grain_albedo, compute_snow_absorption, compute_snow_albedo

WEIGHTS = np.array([0.71, 0.21, 0.08])
MU_DIFFUSE = 2.0 / 3.0  # where the beam sees what diffuse light sees


def deep(radius, columns=1, age=0.0):
    return make_pack(300.0, thickness=1.0, grain_radius=radius, columns=columns, age=age)


def test_bands_by_hand():
    # d = 0.2 mm: sqrt(d) = 0.0141421; d = 1.28 mm: sqrt(d) = 0.0357771; d = 3 mm: bounds of the second and third band
    got = compute_grain_albedo([100.0, 640.0, 1500.0])
    np.testing.assert_allclose(got[:, 0], [0.92, 0.6822108, 0.4923280], atol=1e-6)
    np.testing.assert_allclose(got[:, 1], [0.9034722, 0.3490326, 0.1673059], atol=1e-6)
    np.testing.assert_allclose(got[:, 2], [0.8734609, 0.3, 0.1269572], atol=1e-6)


def test_dust_by_hand():
    # 0.2 in 60 days at Col de Porte; half of it and more, and half more at most
    clean = compute_grain_albedo(640.0)[0, 0]
    days, pressure = [30.0, 30.0, 30.0, 365.0], [87000.0, 20000.0, 200000.0, 87000.0]
    got = compute_grain_albedo(640.0, days, pressure)
    np.testing.assert_allclose(got[0], [clean - 0.1, clean - 0.05, clean - 0.15, 0.6], atol=1e-12)
    assert (got[1:] == compute_grain_albedo(640.0)[1:]).all()


def test_known_ranges():
    # broadband: new cold snow 0.82 to 0.88, old melting snow 0.5 to 0.65
    new = WEIGHTS @ compute_grain_albedo(np.linspace(54.5, 140.0, 30))
    assert new.min() > 0.82 and new.max() < 0.88
    old = WEIGHTS @ compute_grain_albedo([1000.0, 1500.0, 1000.0, 1500.0], [30.0, 30.0, 60.0, 60.0])
    assert old.min() > 0.5 and old.max() < 0.65
    new = 0.5 * np.sum(compute_snow_albedo(deep(100.0), MU_DIFFUSE, scheme="age")[1])
    old = 0.5 * np.sum(compute_snow_albedo(deep(100.0, age=10.0), MU_DIFFUSE, scheme="age")[1])
    assert new == pytest.approx(0.80) and 0.5 < old < 0.65


def test_two_bands_keep_the_broadband_albedo():
    radius = np.array([60.0, 200.0, 500.0, 1200.0])
    direct, diffuse = compute_snow_albedo(deep(radius[None], 4), MU_DIFFUSE, surface_age=10.0, air_pressure=9e4)
    broad = WEIGHTS @ compute_grain_albedo(radius, 10.0, 9e4)
    np.testing.assert_allclose(diffuse.mean(axis=0), broad, atol=1e-12)
    np.testing.assert_allclose(direct, diffuse, atol=1e-12)
    np.testing.assert_allclose(diffuse[0], compute_grain_albedo(radius, 10.0, 9e4)[0], atol=1e-12)


def test_order_in_grain_age_and_sun():
    radius = np.linspace(54.5, 1500, 300)
    bands = compute_grain_albedo(radius)
    assert (np.diff(WEIGHTS @ bands) < 0).all() and (np.diff(bands[:2], axis=1) <= 0).all()
    assert np.diff(bands[2]).max() < 1e-4  # the third band has its minimum at 2.18 mm and ends at 2.3 mm
    for scheme in ("grains", "age"):
        direct, diffuse = compute_snow_albedo(deep(200.0, 300), np.linspace(0, 1, 300), scheme=scheme)
        assert (np.diff(direct, axis=1) <= 1e-15).all() and (np.diff(direct[:, :100], axis=1) < 0).all()
        assert (np.diff(diffuse, axis=1) == 0).all()
        older = np.linspace(0, 100, 300)
        _, diffuse = compute_snow_albedo(deep(200.0, 300, older), 0.5, scheme=scheme, surface_age=older)
        assert (np.diff(diffuse, axis=1) <= 0).all() and (diffuse[:, -1] < diffuse[:, 0]).all()


def test_beam_by_hand():
    # near infrared of 0.2 mm grains at mu = 0.25: u = 3/7 (1 + 0.5)
    u = 9.0 / 14.0
    bands = compute_grain_albedo(100.0)[:, 0]
    direct, _ = compute_snow_albedo(deep(100.0), 0.25)
    assert direct[0, 0] == pytest.approx(bands[0]**u, abs=1e-12)
    assert direct[1, 0] == pytest.approx(np.array([0.42, 0.42, 0.16]) @ bands**u, abs=1e-12)
    night, _ = compute_snow_albedo(deep(100.0), -0.3)
    horizon, _ = compute_snow_albedo(deep(100.0), 0.0)
    assert (night == horizon).all()


def test_age_scheme_by_hand():
    direct, diffuse = compute_snow_albedo(deep(100.0, 3, 1.0), [0.1, 0.5, 0.9], scheme="age")
    np.testing.assert_allclose(diffuse[:, 0], [0.95 * 0.9, 0.65 * 0.75], rtol=1e-14)
    gain = 0.4 * (1.5 / 1.4 - 0.5)
    np.testing.assert_allclose(direct[:, 0], diffuse[:, 0] + gain * (1 - diffuse[:, 0]), rtol=1e-14)
    np.testing.assert_allclose(direct[:, 1:], diffuse[:, 1:], rtol=1e-14)


def test_layers_are_weighted_by_the_top_three_centimetres():
    # 1 cm of new snow on old: 0.8/2 of the albedo; 2.5 cm: 0.8 + 0.2/2
    for depth, weight in ((0.01, 0.4), (0.02, 0.8), (0.025, 0.9), (0.03, 1.0), (0.2, 1.0)):
        pack = make_pack([100 * depth, 100 * depth, 300.0], thickness=[depth / 2, depth / 2, 1.0],
                         grain_radius=[80.0, 80.0, 900.0])
        _, diffuse = compute_snow_albedo(pack, 0.5)
        new, old = compute_grain_albedo([80.0, 900.0]).T
        mixed = weight * new + (1 - weight) * old
        assert diffuse[0, 0] == pytest.approx(mixed[0], abs=1e-9)
        assert diffuse[1, 0] == pytest.approx(np.array([0.42, 0.42, 0.16]) @ mixed, abs=1e-9)


def test_soil_shines_through_thin_snow_only():
    depth = np.array([[0.0, 1e-5, 0.01, 0.03, 0.1, 0.5]])
    pack = make_pack(150 * depth, thickness=depth, grain_radius=100.0)
    _, diffuse = compute_snow_albedo(pack, 0.5, soil_albedo=(0.1, 0.2))
    assert (np.diff(diffuse, axis=1) > 0).all()
    np.testing.assert_allclose(diffuse[:, 0], [0.1, 0.2], atol=1e-15)
    _, dark = compute_snow_albedo(pack, 0.5, soil_albedo=(0.0, 0.0))
    np.testing.assert_allclose(dark[:, -1], diffuse[:, -1], atol=1e-6)
    # two passes of 40 m-1 through 1 cm
    assert diffuse[0, 2] == pytest.approx(0.92 + np.exp(-0.8) * (0.1 - 0.92), abs=1e-12)


def test_absorption_by_hand():
    # visible light alone: 40 m-1 for coarse snow of 300 kg m-3
    pack = make_pack([30.0, 90.0], thickness=[0.1, 0.3], grain_radius=800.0)
    layers, ground = compute_snow_absorption(pack, 100.0, 0.0)
    np.testing.assert_allclose(layers[:, 0], 100 * np.array([1 - np.exp(-4), np.exp(-4) - np.exp(-16)]), rtol=1e-12)
    assert ground[0] == pytest.approx(100 * np.exp(-16), rel=1e-12)
    # fine snow of the same density where half of the ground is covered: 0.00192 rho/sqrt(d)
    half = make_pack([15.0, 45.0], thickness=[0.1, 0.3], grain_radius=50.0, cover=0.5)
    beta = 0.00192 * 300 / np.sqrt(2 * 54.5e-6)
    layers, _ = compute_snow_absorption(half, 100.0, 0.0)
    assert layers[0, 0] == pytest.approx(100 * (1 - np.exp(-0.1 * beta)), rel=1e-12)
    # near infrared is split by what each band absorbs; the third stays on top
    share = np.array([0.42, 0.42, 0.16]) * (1 - compute_grain_albedo(800.0)[:, 0])
    share /= share.sum()
    layers, ground = compute_snow_absorption(pack, 0.0, 100.0)
    second = max(100.0, 0.01098 * 300 / np.sqrt(1.6e-3))
    top = share @ np.array([1 - np.exp(-4), 1 - np.exp(-0.1 * second), 1.0])
    assert layers[0, 0] == pytest.approx(100 * top, rel=1e-12)


def test_absorption_adds_up_and_stays_in_the_pack():
    rng = np.random.default_rng(3)
    pack, present = random_packs(rng, 20_000)
    vis, nir = rng.uniform(0, 500, (2, 20_000)) * (rng.random((2, 20_000)) < 0.8)
    layers, ground = compute_snow_absorption(pack, vis, nir)
    assert (layers >= 0).all() and (ground >= 0).all() and (layers[~present] == 0).all()
    assert np.abs(layers.sum(axis=0) + ground - vis - nir).max() < 1e-12
    bare = ~present.any(axis=0)
    assert bare.any() and (ground[bare] == (vis + nir)[bare]).all()


def test_albedo_stays_in_bounds():
    rng = np.random.default_rng(6)
    pack, _ = random_packs(rng, 20_000)
    surroundings = {"air_pressure": rng.uniform(3e4, 1.1e5, 20_000), "surface_age": rng.uniform(0, 400, 20_000),
                    "soil_albedo": rng.uniform(0, 0.9, (2, 20_000))}
    for scheme in ("grains", "age"):
        for albedo in compute_snow_albedo(pack, rng.uniform(-1, 1, 20_000), scheme=scheme, **surroundings):
            assert np.isfinite(albedo).all() and albedo.min() >= 0.0 and albedo.max() <= 1.0


@settings(max_examples=60, deadline=None)
@given(st.floats(1e-3, 917.0), st.floats(0, 500), st.floats(1e-9, 8), st.floats(1, 5000), st.floats(1e-6, 1),
       st.floats(-1, 1), st.floats(0, 1e5), st.floats(0, 1400))
def test_extremes(density, liquid, thickness, radius, cover, mu, age, light):
    pack = make_pack(density * thickness * cover, liquid=liquid, thickness=thickness, grain_radius=radius, age=age,
                     cover=cover)
    for scheme in ("grains", "age"):
        for albedo in compute_snow_albedo(pack, mu, scheme=scheme, surface_age=age):
            assert (albedo >= 0.1 - 1e-12).all() and (albedo <= 1.0).all()
    layers, ground = compute_snow_absorption(pack, light, light)
    assert layers.sum() + ground[0] == pytest.approx(2 * light, rel=1e-14, abs=1e-300)


def test_a_column_does_not_depend_on_its_neighbours():
    rng = np.random.default_rng(8)
    n = 77
    pack, _ = random_packs(rng, n)
    mu, days, vis, nir = rng.uniform(-1, 1, n), rng.uniform(0, 90, n), rng.uniform(0, 300, n), rng.uniform(0, 300, n)
    direct, diffuse = compute_snow_albedo(pack, mu, surface_age=days)
    layers, ground = compute_snow_absorption(pack, vis, nir)
    for i in (0, 31, 32, 76):
        part = one_column(pack, i)
        got = compute_snow_albedo(part, mu[i], surface_age=days[i])
        assert np.array_equal(got[0][:, 0], direct[:, i]) and np.array_equal(got[1][:, 0], diffuse[:, i])
        got = compute_snow_absorption(part, vis[i], nir[i])
        assert np.array_equal(got[0][:, 0], layers[:, i]) and got[1][0] == ground[i]


def test_bad_input_is_named():
    with pytest.raises(InputError, match="unknown scheme 'dust'"):
        compute_snow_albedo(deep(100.0), 0.5, scheme="dust")
    with pytest.raises(InputError, match="visible and a near-infrared soil albedo"):
        compute_snow_albedo(deep(100.0), 0.5, soil_albedo=0.2)
    with pytest.raises(InputError, match="must not be negative"):
        compute_snow_absorption(deep(100.0), -1.0, 0.0)
    with pytest.raises(InputError, match="not finite"):
        compute_snow_absorption(deep(100.0), np.nan, 0.0)
    with pytest.raises(InputError, match="radius .um. and pressure"):
        compute_grain_albedo(0.0)


def test_the_boundary_names_an_unknown_scheme():
    from pyland.core import snow_surface as core

    with pytest.raises(InputError, match="no scheme of this number"):
        core.reflect(7, np.ones((5, 3)), np.ones((7, 3)))
