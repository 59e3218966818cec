"""Weather split, absorbed shortwave and light of sunlit and shaded leaves."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.land.plant_types import plant_parameters
from pyland.land.surface_processes import compute_patch_radiation, compute_two_stream, derive_weather


def random_patches(n=20_000, seed=4):
    rng = np.random.default_rng(seed)
    leaf, stem = rng.uniform(0, 8, n), rng.uniform(0, 2, n)
    leaf[::9], stem[::9] = 0.02, 0.01
    return leaf, stem, rng.uniform(0.02, 0.6, (2, n)), rng.uniform(0, 1300, n), rng.uniform(-0.3, 1, n)


@pytest.mark.parametrize("plant", [1, 4, 7, 13, 15])
def test_shortwave_closes_and_light_is_conserved(plant):
    leaf, stem, ground, down, mu = random_patches()
    optics = plant_parameters(plant)
    r = compute_patch_radiation(leaf, stem, optics, ground, down, mu)
    assert np.abs(r.canopy_absorbed + r.ground_absorbed + r.reflected - down).max() < 1e-10
    bare = leaf + stem < 0.05
    assert (r.canopy_absorbed[bare] == 0).all() and (r.canopy_emissivity[bare] == 0).all()
    np.testing.assert_allclose((r.sunlit_leaf_area + r.shaded_leaf_area)[~bare], leaf[~bare], rtol=1e-13)
    # light of the leaves = visible light absorbed by the canopy times the leaves' share
    weather = derive_weather(288.0, 0.005, 1e5, down, mu)
    light = compute_two_stream(leaf, stem, optics, ground, mu)
    visible = light.absorbed_direct[0] * weather.shortwave_direct[0] \
        + light.absorbed_diffuse[0] * weather.shortwave_diffuse[0]
    leaves = r.sunlit_par * r.sunlit_leaf_area + r.shaded_par * r.shaded_leaf_area
    expected = np.where(bare, 0.0, visible * leaf / np.maximum(leaf + stem, 0.05))
    np.testing.assert_allclose(leaves, expected, atol=1e-9)
    day = (mu > 0.05) & ~bare
    assert (r.sunlit_par[day] >= r.shaded_par[day]).all()


def test_bare_ground_reflects_its_albedo():
    r = compute_patch_radiation(0.0, 0.0, plant_parameters(13), [0.2, 0.4], 500.0, 0.5)
    assert r.reflected[0] == pytest.approx(0.3 * 500.0, rel=1e-14)
    assert r.ground_absorbed[0] == pytest.approx(0.7 * 500.0, rel=1e-14)
    assert r.sunlit_leaf_area[0] == r.shaded_leaf_area[0] == 0.0


def test_night_has_no_sunlit_leaves_and_twilight_is_diffuse():
    r = compute_patch_radiation(3.0, 0.5, plant_parameters(7), [0.1, 0.2], [0.0, 8.0], [-0.4, -0.01])
    assert (r.sunlit_leaf_area == 0).all() and (r.sunlit_par == 0).all()
    np.testing.assert_allclose(r.shaded_leaf_area, 3.0, rtol=1e-14)
    assert r.canopy_absorbed[0] == 0.0 and r.shaded_par[1] > 0.0
    assert r.canopy_absorbed[1] + r.ground_absorbed[1] + r.reflected[1] == pytest.approx(8.0, abs=1e-13)


def test_albedo_of_grass_and_forest_is_plausible():
    grass = compute_patch_radiation(3.0, 0.3, plant_parameters(13), [0.1, 0.2], 600.0, 0.7)
    forest = compute_patch_radiation(4.5, 1.0, plant_parameters(1), [0.1, 0.2], 600.0, 0.7)
    assert 0.12 < grass.reflected[0] / 600 < 0.25  # CLM's newer grass leaves are dark
    assert 0.06 < forest.reflected[0] / 600 < 0.12  # conifers under a high sun: 0.07 to 0.09 (Betts and Ball 1997)


def test_weather_values():
    w = derive_weather(300.0, 0.01, 1.0e5, 800.0, 0.8, 30.0)
    e = 0.01 * 1e5 / (0.622 + 0.378 * 0.01)
    assert w.vapour_pressure[0] == pytest.approx(e, rel=1e-14)
    virtual = 300.0 / (1 - 0.378 * e / 1e5)
    assert w.air_density[0] == pytest.approx(1e5 / (287.042 * virtual), rel=1e-13)
    assert w.potential_temperature[0] == pytest.approx(300.294, abs=1e-10)
    x = 400.0
    vis = 0.17639 + 0.00380 * x - 9.0039e-6 * x**2 + 8.1351e-9 * x**3
    assert w.shortwave_direct[0, 0] == pytest.approx(vis * x, rel=1e-13)
    assert w.shortwave_direct.sum() + w.shortwave_diffuse.sum() == pytest.approx(800.0, rel=1e-14)


def test_direct_share_stays_within_bounds():
    down = np.linspace(0, 1500, 400)
    w = derive_weather(290.0, 0.005, 1e5, down, 0.9)
    assert (w.shortwave_direct <= 0.99 * 0.5 * down + 1e-9).all() and (w.shortwave_diffuse >= 0).all()
    night = derive_weather(290.0, 0.005, 1e5, down, 0.0)
    assert (night.shortwave_direct == 0).all()


def test_bad_input_is_named():
    with pytest.raises(InputError, match="shortwave not negative"):
        derive_weather(290.0, 0.005, 1e5, -1.0, 0.5)
    with pytest.raises(InputError, match="differ in length"):
        compute_patch_radiation([1.0, 2.0], 0.1, plant_parameters(1), [0.1, 0.2], [1.0, 2.0, 3.0], 0.5)
