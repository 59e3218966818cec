"""Brightness temperature of homogeneous ground: published numbers, limits, and the model in complex numbers."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.observe.microwave import (
    brightness_above,
    brightness_temperature,
    optical_depth,
    smooth_reflectivity,
    soil_permittivity,
    vegetation_water,
)

WATER = np.array([0.05, 0.10, 0.20, 0.30, 0.40])
CANOPY = {"optical_depth": 0.24, "albedo": 0.05, "roughness": 0.15}


def test_bare_ground_reproduces_the_reference_table():
    found = brightness_temperature(WATER, 293.15, 0.20)
    assert found[0] == pytest.approx([246.79, 226.15, 186.24, 157.58, 136.34], abs=0.006)
    assert found[1] == pytest.approx([279.91, 268.89, 240.20, 214.12, 192.03], abs=0.006)


def test_vegetated_ground_reproduces_the_reference_table():
    found = brightness_temperature(WATER, 293.15, 0.20, **CANOPY)
    assert found[0] == pytest.approx([266.10, 255.82, 235.92, 221.64, 211.06], abs=0.006)
    assert found[1] == pytest.approx([282.61, 277.12, 262.82, 249.82, 238.81], abs=0.006)


@pytest.mark.parametrize(("depth", "expected"), [(0.0, -3.07), (0.24, -1.67), (0.5, -0.87), (1.0, -0.26)])
def test_sensitivity_to_soil_moisture(depth, expected):
    low, high = brightness_temperature(
        np.array([0.195, 0.205]), 293.15, 0.20, polarisation="h", **{**CANOPY, "optical_depth": depth})
    assert high - low == pytest.approx(expected, abs=0.006)


def test_all_terms_written_anew():
    """Every argument its own random number; the equations in complex arithmetic."""
    rng = np.random.default_rng(11)
    n = 300
    water, clay, sand = rng.uniform(0, 0.45, n), rng.uniform(0, 0.6, n), rng.uniform(0, 0.4, n)
    surface, deep, leaf = (rng.uniform(275, 310, n) for _ in range(3))
    angle, tau_h, tau_v, omega = (rng.uniform(a, b, n) for a, b in ((5, 60), (0, 1), (0, 1), (0, 0.2)))
    h_dry, h_wet, q, power_h, power_v = (rng.uniform(a, b, n) for a, b in (
        (0.3, 1), (0, 0.3), (0, 0.3), (-1, 2), (-1, 2)))
    lake, lake_temperature, sky = rng.uniform(0, 0.3, n), rng.uniform(275, 300, n), rng.uniform(0, 10, n)
    found = brightness_temperature(
        water, surface, clay, angle=angle, effective="wigneron", sand=sand, deep_temperature=deep,
        canopy_temperature=leaf, optical_depth=tau_h, optical_depth_v=tau_v, albedo=omega, roughness=h_dry,
        roughness_wet=h_wet, dry=0.1, wet=0.35, mixing=q, power_h=power_h, power_v=power_v, open_water=lake,
        water_temperature=lake_temperature, sky=sky)
    eps = soil_permittivity(water, clay, sand=sand, temperature=surface)
    pond = soil_permittivity(1.0, 0.0, porosity=1.0, bulk_density=1.0, dielectric="refractive",
                             temperature=lake_temperature)
    c = np.cos(np.radians(angle))

    def fresnel(e):
        root = np.sqrt(e - 1 + c * c)
        return np.abs((c - root) / (c + root)) ** 2, np.abs((e * c - root) / (e * c + root)) ** 2

    smooth, mirror = fresnel(eps), fresnel(pond)
    h = np.interp(water, [0.1, 0.35], [0, 1]) * (h_wet - h_dry) + h_dry
    effective = deep + np.minimum(water / 0.3, 1) ** 0.3 * (surface - deep)
    for p, (tau, power) in enumerate(((tau_h, power_h), (tau_v, power_v))):
        r = ((1 - q) * smooth[p] + q * smooth[1 - p]) * np.exp(-h * c**power)
        g = np.exp(-tau / c)
        land = effective * (1 - r) * g + leaf * (1 - omega) * (1 - g) * (1 + r * g) + sky * r * g**2
        lakes = lake_temperature * (1 - mirror[p]) + sky * mirror[p]
        assert found[p] == pytest.approx((1 - lake) * land + lake * lakes, rel=1e-12)


def test_limits():
    warm = {"soil_moisture": 0.25, "soil_temperature": 290.0, "clay": 0.2}
    blackbody = brightness_temperature(**warm, roughness=10.0, power_h=0.0, power_v=0.0)
    assert blackbody == pytest.approx(290.0, rel=2e-5)
    opaque = brightness_temperature(**warm, optical_depth=50.0, albedo=0.1, canopy_temperature=300.0)
    assert opaque == pytest.approx(270.0, rel=1e-9)
    # nothing in between and a sky as warm as the ground: no contrast
    assert brightness_temperature(**warm, sky=290.0) == pytest.approx(290.0)
    nadir = brightness_temperature(**warm, angle=0.0)
    assert nadir[0] == pytest.approx(nadir[1], rel=1e-13)
    assert brightness_temperature(**warm, mixing=0.5, roughness=0.3)[0] == pytest.approx(
        brightness_temperature(**warm, mixing=0.5, roughness=0.3)[1])


def test_effective_temperature():
    options = {"soil_temperature": 300.0, "clay": 0.2, "deep_temperature": 280.0, "polarisation": "v"}
    emissivity = brightness_temperature(0.15, 1.0 * 300, 0.2, polarisation="v") / 300
    expected = {"surface": 300.0, "wigneron": 280 + 20 * (0.15 / 0.3) ** 0.3, "choudhury": 280 + 20 * 0.246}
    for name, temperature in expected.items():
        assert brightness_temperature(0.15, effective=name, **options) / emissivity == pytest.approx(temperature)
    wet = brightness_temperature(0.4, effective="wigneron", **options)
    assert wet == pytest.approx(brightness_temperature(0.4, effective="surface", **options))
    c_band = {**options, "frequency": 5.4e9, "effective": "choudhury"}
    ratio = brightness_temperature(0.15, **c_band) / brightness_temperature(0.15, **{**c_band, "effective": "surface"})
    assert ratio * 300 == pytest.approx(280 + 20 * 0.667)
    dry = brightness_temperature(0.0, effective="wigneron", **options)
    assert dry == pytest.approx(280.0 * (1 - smooth_reflectivity(soil_permittivity(0.0, 0.2), 40.0)[1]), rel=1e-9)


def test_open_water_is_cold():
    land = brightness_temperature(0.15, 290.0, 0.2, **CANOPY)
    lake = brightness_temperature(0.15, 290.0, 0.2, **CANOPY, open_water=1.0)
    pond = soil_permittivity(1.0, 0.0, porosity=1.0, bulk_density=1.0, dielectric="refractive", temperature=290.0)
    assert lake == pytest.approx(290.0 * (1 - smooth_reflectivity(pond, 40.0)))
    tenth = brightness_temperature(0.15, 290.0, 0.2, **CANOPY, open_water=0.1)
    assert tenth == pytest.approx(0.9 * land + 0.1 * lake)
    assert 10 < (land - tenth)[0] < 20


def test_frozen_ground_is_warm_to_a_radiometer():
    """Freezing a wet soil raises its brightness by tens of kelvin, although it is colder."""
    thawed = brightness_temperature(0.3, 274.0, 0.2, polarisation="h")
    for frozen in ("practical", "mironov2017"):
        cold = brightness_temperature(0.03, 270.0, 0.2, ice=0.27, frozen=frozen, polarisation="h")
        assert 40 < cold - thawed < 70


def test_ground_of_known_reflectivity_is_the_same_model():
    water, temperature = np.linspace(0.02, 0.4, 70).reshape(7, 10), 288.0
    smooth = smooth_reflectivity(soil_permittivity(water, 0.2), 35.0)
    options = {"angle": 35.0, **CANOPY, "roughness_wet": 0.05, "sky": 3.0, "open_water": 0.02}
    ground = np.full((2, 7, 10), temperature)
    above = brightness_above(smooth, ground, water, 291.0, water_temperature=temperature, **options)
    assert above == pytest.approx(
        brightness_temperature(water, temperature, 0.2, canopy_temperature=291.0, **options), rel=1e-13)
    with pytest.raises(InputError, match="unknown tau"):
        brightness_above(smooth, ground, water, 291.0, tau=0.1)


def test_a_column_does_not_depend_on_its_neighbours():
    rng = np.random.default_rng(2)
    water = rng.uniform(0.02, 0.4, 1000)
    together = brightness_temperature(water, 290.0, 0.2, **CANOPY)
    apart = np.concatenate([brightness_temperature(part, 290.0, 0.2, **CANOPY)
                            for part in np.split(water, [1, 8, 39, 500])], axis=1)
    assert np.array_equal(together, apart)


def test_vegetation():
    assert optical_depth(vegetation_water(np.array([0.0, 3.2]), 0.5), 0.15) == pytest.approx([0.0, 0.24])
    with pytest.raises(InputError, match="must not be negative"):
        optical_depth(-1.0, 0.1)


@pytest.mark.parametrize(("change", "words"), [
    ({"polarisation": "hh"}, "polarisation: expected one of h, v"),
    ({"effective": "mean"}, "effective: expected one of surface"),
    ({"angle": 89.0}, "angle of column 1 .* between 0.* and 85"),
    ({"albedo": -0.1}, "albedo of column 1"),
    ({"dry": 0.3, "wet": 0.3}, "wet must be above dry"),
    ({"dry": np.array([0.1, 0.5]), "wet": 0.4}, "wet must be above dry"),
    ({"open_water": np.array([0.0, 1.5])}, "open_water of column 2"),
])
def test_wrong_arguments_are_named(change, words):
    with pytest.raises(InputError, match=words):
        brightness_temperature(0.2, 290.0, 0.2, **change)


def test_gaps_stay_gaps():
    found = brightness_temperature(np.array([0.1, np.nan, 0.3]), 290.0, 0.2)
    assert np.isnan(found[:, 1]).all() and np.isfinite(found[:, [0, 2]]).all()
