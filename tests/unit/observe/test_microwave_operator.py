"""Operators of microwave sensors on fields of the model."""

from types import SimpleNamespace

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.base.observation_reasons import FROZEN, OPEN_WATER, SNOW, USED
from pyland.observe import column_soil_moisture
from pyland.observe.microwave import (
    C_BAND,
    atmosphere,
    backscatter_columns,
    brightness_temperature,
    brightness_temperature_columns,
    decibel,
    oh_1992,
    oh_2004,
    soil_permittivity,
    surface_flags,
    water_cloud,
)

THICKNESS = np.array([0.02, 0.04, 0.06, 0.08, 0.3, 0.5])


@pytest.fixture
def fields():
    rng = np.random.default_rng(7)
    shape = (6, 3, 4)
    return {
        "soil_water": rng.uniform(0.08, 0.35, shape), "soil_ice": np.zeros(shape),
        "soil_temperature": np.sort(rng.uniform(280, 300, (8, 3, 4)), axis=0)[::-1],
        "leaf_temperature": rng.uniform(285, 295, (3, 4)), "leaf_area_index": rng.uniform(0, 4, (3, 4)),
        "snow_mass": np.zeros((3, 4)),
    }


def scene(**settings):
    static = {"clay": np.array([5.0, 15.0, 25.0, 40.0]), "sand": np.array([60.0, 50.0, 40.0, 20.0]),
              "porosity": np.array([0.40, 0.42, 0.45, 0.50])}
    return SimpleNamespace(thickness=THICKNESS, top=0.0, bottom=0.05, settings=settings, static=static, time=None)


def test_brightness_temperature_columns(fields):
    found = brightness_temperature_columns(fields, scene(polarisation="V", incidence_angle=35.0))
    surface = {name: column_soil_moisture(fields[name][:6], THICKNESS, 0.0, 0.05)
               for name in ("soil_water", "soil_temperature")}
    deep = column_soil_moisture(fields["soil_temperature"][:6], THICKNESS, 0.5, 1.0)
    expected = brightness_temperature(
        surface["soil_water"], surface["soil_temperature"], scene().static["clay"] / 100, angle=35.0, polarisation="v",
        effective="wigneron", sand=scene().static["sand"] / 100, porosity=scene().static["porosity"],
        deep_temperature=deep, canopy_temperature=fields["leaf_temperature"],
        optical_depth=0.15 * 0.5 * fields["leaf_area_index"], albedo=0.05, roughness=0.15)
    assert found.shape == (3, 4) and found == pytest.approx(expected, rel=1e-13)


def test_static_maps_win_over_settings(fields):
    calibrated = scene(roughness=0.9, vegetation_b=0.3)
    calibrated.static.update(roughness=np.array([0.1, 0.2, 0.3, 0.4]), vegetation_b=np.full(4, 0.12))
    found = brightness_temperature_columns(fields, calibrated)
    for cell in range(4):
        alone = brightness_temperature_columns(fields, scene(roughness=[0.1, 0.2, 0.3, 0.4][cell], vegetation_b=0.12))
        assert found[:, cell] == pytest.approx(alone[:, cell], rel=1e-14)


@pytest.mark.parametrize("settings", [{}, {"ground": "layered"}, {"atmosphere": "pellarin2003"}])
def test_what_patches_radiate_is_averaged_and_not_their_leaves(fields, settings):
    share, area, warm = [0.25, 0.6, 0.15], [4.0, 0.0, 1.0], [290.0, np.nan, 300.0]
    fields = {**fields, "air_temperature": np.full((3, 4), 288.0)}

    def seen(patch=None):
        one, more = scene(**settings), dict(fields)
        one.static["elevation"] = np.array([0.0, 100.0, 200.0, 300.0])
        for name, values in (("leaf_area_index", area), ("leaf_temperature", warm)):
            whole = np.stack([np.full((3, 4), value) for value in values])
            more[name] = whole if patch is None else whole[patch]
        if patch is None:
            one.static["patch_fraction"] = np.tile(np.array(share)[:, None], 4)
        return brightness_temperature_columns(more, one)

    alone = [seen(patch) for patch in range(3)]
    assert np.isfinite(alone).all() and np.ptp(alone, axis=0).min() > 10.0
    assert seen() == pytest.approx(np.einsum("p,pmc->mc", share, alone), rel=1e-13)
    wet_h = brightness_temperature_columns(
        {**fields, "leaf_area_index": np.full((3, 4), np.dot(share, area))}, scene(**settings | {"atmosphere": "none"}))
    assert (wet_h - seen()).max() > 1.0 or settings.get("atmosphere")  # leaves that are averaged hide too much ground


def test_patches_need_their_shares(fields):
    bare = {**fields, "leaf_area_index": np.zeros((3, 4)), "leaf_temperature": np.full((3, 4), np.nan)}
    assert np.isfinite(brightness_temperature_columns(bare, scene())).all()
    patched = {**fields, "leaf_area_index": np.ones((2, 3, 4)), "leaf_temperature": np.full((2, 3, 4), 290.0)}
    with pytest.raises(InputError, match="give the static field patch_fraction"):
        brightness_temperature_columns(patched, scene())
    odd = scene()
    odd.static["patch_fraction"] = np.ones((3, 4)) / 3.0
    with pytest.raises(InputError, match="leaves have 2 patches, patch_fraction has 3"):
        brightness_temperature_columns(patched, odd)
    unseen = scene()
    unseen.static["patch_fraction"] = np.array([[1.0] * 4, [0.0] * 4])
    patched["leaf_area_index"][1] = np.nan  # a patch that is not there
    plain = {**fields, "leaf_area_index": np.ones((3, 4)), "leaf_temperature": np.full((3, 4), 290.0)}
    assert brightness_temperature_columns(patched, unseen) == pytest.approx(
        brightness_temperature_columns(plain, scene()), rel=1e-14)


def test_backscatter_of_patches_is_averaged_as_power(fields):
    cloud = {"volume": 0.1, "attenuation": 0.2}
    area = np.stack([np.full((3, 4), 5.0), np.zeros((3, 4))])
    mosaic = scene(**cloud)
    mosaic.static["patch_fraction"] = np.array([[0.3] * 4, [0.7] * 4])
    alone = [10.0 ** (0.1 * backscatter_columns({**fields, "leaf_area_index": one}, scene(**cloud))) for one in area]
    found = backscatter_columns({**fields, "leaf_area_index": area}, mosaic)
    assert found == pytest.approx(10.0 * np.log10(0.3 * alone[0] + 0.7 * alone[1]), rel=1e-12)


def test_texture_of_layers_is_that_of_the_window(fields):
    layered = scene()
    layered.static["clay"] = np.stack([np.full(4, value) for value in (10.0, 30.0, 99.0, 99.0, 99.0, 99.0)])
    uniform = scene()
    uniform.static["clay"] = np.full(4, 0.4 * 10.0 + 0.6 * 30.0)
    assert brightness_temperature_columns(fields, layered) == pytest.approx(
        brightness_temperature_columns(fields, uniform), rel=1e-14)


def test_layered_ground_in_the_operator(fields):
    flat = {**fields, "soil_water": np.full((6, 3, 4), 0.22), "soil_temperature": np.full((8, 3, 4), 288.0)}
    assert brightness_temperature_columns(flat, scene(ground="layered")) == pytest.approx(
        brightness_temperature_columns(flat, scene()), rel=1e-9)
    dry_skin = {**flat, "soil_water": np.stack([np.full((3, 4), v) for v in (0.05, 0.30, 0.3, 0.3, 0.3, 0.3)])}
    difference = brightness_temperature_columns(dry_skin, scene(ground="layered")) - brightness_temperature_columns(
        dry_skin, scene())
    assert (difference > 10.0).all()  # the homogeneous ground does not know that the water is below


def test_top_of_the_atmosphere(fields):
    """Pellarin et al. (2003) by hand: 0.0068 at nadir at 290 K and sea level; 2.3 K up and 5.0 K down at 40 degrees."""
    passed, upward, downward = atmosphere(np.array([0.0, 3000.0]), 290.0, 40.0)
    assert -np.log(passed[0]) * np.cos(np.radians(40.0)) == pytest.approx(np.exp(-3.9262 - 0.00369 * 290.0))
    assert upward[0] == pytest.approx(2.29, abs=0.01) and downward[0] == pytest.approx(4.97, abs=0.01)
    assert upward[1] / upward[0] == pytest.approx(np.exp(-0.2211 * 3), rel=0.01)
    above = {**fields, "air_temperature": np.full((3, 4), 290.0)}
    high = scene(atmosphere="pellarin2003")
    high.static["elevation"] = np.zeros(4)
    expected = brightness_temperature_columns(fields, scene(sky_temperature=float(downward[0]))) * passed[0] + upward[0]
    assert brightness_temperature_columns(above, high) == pytest.approx(expected, rel=1e-12)
    with pytest.raises(InputError, match="air_temperature"):
        brightness_temperature_columns(fields, high)
    with pytest.raises(InputError, match="that of L-band"):
        atmosphere(0.0, 290.0, 40.0, frequency=6.9e9)
    with pytest.raises(InputError, match="in K"):
        atmosphere(0.0, 17.0, 40.0)


def test_flags_leave_values(fields):
    cold = {name: field.copy() for name, field in fields.items()}
    cold["soil_temperature"][:, 0, 0] = 270.0
    cold["soil_ice"][0, 1, 1] = 0.02
    cold["snow_mass"][:, 2] = 5.0
    cold["snow_mass"][0, 0] = 5.0
    wet = scene(frozen_below=273.15)
    wet.static["open_water"] = np.array([0.0, 0.0, 0.2, 0.2])
    flags = surface_flags(cold, wet)
    expected = np.array([[FROZEN, USED, SNOW, OPEN_WATER], [USED, FROZEN, SNOW, OPEN_WATER],
                         [USED, USED, SNOW, OPEN_WATER]])
    assert np.array_equal(flags, expected)
    assert np.isfinite(brightness_temperature_columns(cold, wet)).all()
    bare = {name: fields[name] for name in ("soil_water", "soil_temperature")}
    assert (surface_flags(bare, scene()) == USED).all()


def test_backscatter_columns(fields):
    water = column_soil_moisture(fields["soil_water"], THICKNESS, 0.0, 0.05)
    found = backscatter_columns(fields, scene(soil="oh2004", polarisation="vh", volume=0.05, attenuation=0.1))
    soil = decibel(oh_2004(water, 0.01, 40.0)[2])
    assert found == pytest.approx(water_cloud(soil, 40.0, fields["leaf_area_index"], 0.05, 0.1))
    heavy = scene(soil="oh2004", polarisation="vh", volume=0.05, attenuation=0.1, vegetation="vegetation_water")
    assert backscatter_columns(fields, heavy) == pytest.approx(
        water_cloud(soil, 40.0, 0.5 * fields["leaf_area_index"], 0.05, 0.1))
    bare = {name: fields[name] for name in ("soil_water", "soil_temperature")}
    linear = backscatter_columns(bare, scene(soil="linear", soil_dry=-14.0, soil_slope=20.0))
    assert linear == pytest.approx(-14 + 20 * water)
    eps = soil_permittivity(water, scene().static["clay"] / 100, frequency=C_BAND)
    assert backscatter_columns(bare, scene(polarisation="hh")) == pytest.approx(decibel(oh_1992(eps, 0.01, 40.0)[1]))


def test_a_cell_does_not_depend_on_the_others(fields):
    whole = brightness_temperature_columns(fields, scene())
    for cell in range(4):
        alone = scene()
        alone.static = {name: field[cell : cell + 1] for name, field in alone.static.items()}
        part = brightness_temperature_columns({n: f[..., cell : cell + 1] for n, f in fields.items()}, alone)
        assert np.array_equal(part[:, 0], whole[:, cell])


@pytest.mark.parametrize(("settings", "words"), [
    ({"rougness": 0.1}, "unknown settings rougness"),
    ({"polarisation": "x"}, "polarisation: expected one of h, v"),
    ({"ground": "rough"}, "ground must be one of homogeneous, layered"),
    ({"dielectric": "topp"}, "dielectric: expected one of"),
])
def test_wrong_settings_are_named(fields, settings, words):
    with pytest.raises(InputError, match=words):
        brightness_temperature_columns(fields, scene(**settings))


def test_missing_fields_are_named(fields):
    with pytest.raises(InputError, match="soil_water is missing"):
        brightness_temperature_columns({"soil_temperature": fields["soil_temperature"]}, scene(optical_depth=0.0))
    with pytest.raises(InputError, match="leaf_area_index is missing"):
        brightness_temperature_columns({n: fields[n] for n in ("soil_water", "soil_temperature")}, scene())
    clayless = scene(optical_depth=0.0)
    del clayless.static["clay"]
    with pytest.raises(InputError, match=r"clay \[%\] is missing"):
        brightness_temperature_columns(fields, clayless)
    with pytest.raises(InputError, match="at least 6 layers"):
        brightness_temperature_columns({**fields, "soil_water": fields["soil_water"][:3]}, scene())
    with pytest.raises(InputError, match="both of the settings volume"):
        backscatter_columns(fields, scene(volume=0.1))
    with pytest.raises(InputError, match="soil_dry"):
        backscatter_columns(fields, scene(soil="linear"))
