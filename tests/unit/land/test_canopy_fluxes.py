"""Exchange of a canopy and the ground below it: closure, limits, independence of lanes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyland.base.errors import InputError
from pyland.land.canopy_processes import canopy_fluxes, leaf_photosynthesis, stability_profiles

SIGMA = 5.67e-8
LATENT = 2.501e6


def saturation_humidity(t, pressure):
    e = 611.0 * np.exp(17.27 * (t - 273.15) / (t - 35.85))
    return 0.622 * e / (pressure - 0.378 * e)


def make(rng, n, *, extreme):
    """Random columns; their light, humidity and ground are consistent enough for the physics to make sense."""
    t = rng.uniform(213.15, 328.15, n) if extreme else rng.uniform(285.0, 305.0, n)
    pressure = rng.uniform(6e4, 1.05e5, n) if extreme else np.full(n, 1.0e5)
    e_sat = 611.0 * np.exp(17.27 * (t - 273.15) / (t - 35.85))
    deficit = rng.uniform(0, 8000, n) if extreme else rng.uniform(200, 2500, n)
    e = np.maximum(e_sat - deficit, 0.01 * e_sat)
    light = rng.uniform(0, 1300, n) * (rng.random(n) < 0.7) if extreme else rng.uniform(200, 900, n)
    leaf_area = rng.uniform(0, 10, n) if extreme else rng.uniform(0.5, 6, n)
    stem_area = rng.uniform(0, 1, n)
    total = leaf_area + stem_area
    extinction = 0.5 / rng.uniform(0.05, 1.0, n)
    share = leaf_area / np.maximum(total, 1e-9)
    sunlit = np.where(light > 0, (1 - np.exp(-np.minimum(extinction * total, 40))) / extinction * share, 0.0)
    canopy_top = np.where(rng.random(n) < 0.5, 0.5, 17.0)
    ground_t = t + (rng.uniform(-30, 30, n) if extreme else rng.uniform(-5, 8, n))
    wet = np.where(rng.random(n) < 0.4, rng.random(n), 0.0)
    spread = 20.0 if extreme else 2.0
    return {
        "weather": {
            "air_temperature": t, "specific_humidity": 0.622 * e / (pressure - 0.378 * e), "air_pressure": pressure,
            "wind_speed": rng.uniform(0, 40, n) * (rng.random(n) > 0.1) if extreme else rng.uniform(0.5, 8, n),
            "longwave_down": rng.uniform(0.5, 1.0, n) * SIGMA * t**4, "co2": rng.uniform(180e-6, 2000e-6, n),
            "reference_height": rng.uniform(2, 50, n)},
        "plant": {
            "fraction": np.ones(n), "leaf_area": leaf_area, "stem_area": stem_area, "canopy_top": canopy_top,
            "roughness_ratio": np.where(canopy_top < 1, 0.12, 0.055), "displacement_ratio": np.full(n, 0.67),
            "leaf_dimension": np.full(n, 0.04), "vcmax25_top": rng.uniform(20, 110, n),
            "is_c4": (rng.random(n) < 0.2) * 1.0, "stomatal_slope": rng.uniform(1.6, 6, n),
            "stomatal_intercept": np.full(n, 100.0), "growth_temperature": t,
            "daylength_factor": rng.uniform(0.1, 1, n),
            "water_stress": np.where(rng.random(n) < 0.1, 0.0, rng.random(n))},
        "ground": {
            "temperature": ground_t, "emissivity": np.full(n, 0.96), "roughness": np.full(n, 0.01),
            "humidity": saturation_humidity(np.clip(ground_t, 200, 330), 1e5) * rng.uniform(0.1, 1, n),
            "humidity_slope": rng.uniform(0, 2e-3, n), "resistance": rng.uniform(0, 2000, n)},
        "radiation": {
            "canopy_absorbed": 0.8 * light * (1 - np.exp(-0.6 * total)), "sunlit_leaf_area": sunlit,
            "shaded_leaf_area": np.maximum(leaf_area - sunlit, 0.0),
            "sunlit_par": 0.4 * light * np.minimum(extinction, 1),
            "shaded_par": 0.08 * light, "extinction": extinction, "canopy_emissivity": 1 - np.exp(-total)},
        "canopy": {
            "leaf_temperature": t + rng.uniform(-spread, spread, n), "canopy_water": 0.1 * total * wet**1.5,
            "wet_fraction": wet, "dry_fraction": (1 - wet) * share},
    }


def change(case, group, **values):
    return case | {group: case[group] | values}


def closure(case, got):
    return (case["radiation"]["canopy_absorbed"] - got["longwave_canopy"] - got["sensible_canopy"]
            - LATENT * (got["transpiration"] + got["canopy_evaporation"]))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), stomata=st.sampled_from(["medlyn", "ball_berry"]))
def test_energy_closes_and_nothing_breaks_in_extreme_weather(seed, stomata):
    case = make(np.random.default_rng(seed), 256, extreme=True)
    if stomata == "ball_berry":
        case = change(case, "plant", stomatal_slope=9.0, stomatal_intercept=10000.0)
    got = canopy_fluxes(**case, stomata=stomata)
    for values in got.values():
        assert np.all(np.isfinite(values))
    vegetated = case["plant"]["leaf_area"] + case["plant"]["stem_area"] >= 0.05
    assert np.max(np.abs(closure(case, got)[vegetated])) < 1e-9
    assert got["converged"].mean() > 0.97
    assert got["iterations"].max() <= 40
    up = got["longwave_up"] - case["weather"]["longwave_down"]
    np.testing.assert_allclose((got["longwave_canopy"] + got["longwave_ground"])[vegetated], up[vegetated], atol=1e-9)
    departure = got["leaf_temperature"] - case["weather"]["air_temperature"]
    assert np.all(departure[vegetated] >= -40.0) and np.all(departure[vegetated] <= 60.0)


def test_the_solution_does_not_depend_on_the_first_guess():
    case = make(np.random.default_rng(2), 500, extreme=False)
    first = canopy_fluxes(**case)
    assert first["converged"].mean() > 0.99
    for guess in (first["leaf_temperature"], case["weather"]["air_temperature"] + 20.0):
        other = canopy_fluxes(**change(case, "canopy", leaf_temperature=guess))
        good = first["converged"] & other["converged"]
        temperature = np.abs(first["leaf_temperature"] - other["leaf_temperature"])[good]
        sensible = np.abs(first["sensible_canopy"] - other["sensible_canopy"])[good]
        assert np.percentile(temperature, 99) < 0.02 and temperature.max() < 0.1
        assert np.percentile(sensible, 99) < 0.5 and sensible.max() < 5.0
        np.testing.assert_allclose(
            first["gross_photosynthesis"][good], other["gross_photosynthesis"][good], rtol=1e-2, atol=1e-3)


def test_fluxes_fit_the_published_network_of_conductances():
    """From u*, leaf temperature and the ground fluxes everything else follows (CLM Technical Note, section 5.3)."""
    case = make(np.random.default_rng(12), 400, extreme=False)
    case = change(case, "ground", resistance=0.0)
    case["plant"]["water_stress"][:] = np.random.default_rng(1).uniform(0.2, 1.0, 400)
    got = canopy_fluxes(**case)
    air, plant, soil, light = case["weather"], case["plant"], case["ground"], case["radiation"]
    ok = got["converged"]
    area = plant["leaf_area"] + plant["stem_area"]
    ustar, leaf_t = got["friction_velocity"], got["leaf_temperature"]
    pressure, q_air = air["air_pressure"], air["specific_humidity"]
    vapour = q_air * pressure / (0.622 + 0.378 * q_air)
    density = (pressure - 0.378 * vapour) / (287.042 * air["air_temperature"])
    theta = air["air_temperature"] + 0.0098 * air["reference_height"]

    # canopy air from the ground fluxes; heat of the leaves from it
    gap = np.exp(-area)
    to_ground = ustar * (0.4 / 0.13 * (0.01 * ustar / 1.5e-5) ** -0.45 * gap + 0.004 * (1 - gap))
    boundary = 0.01 * np.sqrt(ustar / 0.04)
    t_air = soil["temperature"] - got["sensible_ground"] / (density * 1004.64 * to_ground)
    q_canopy = soil["humidity"] - got["ground_evaporation"] / (density * to_ground)
    heat = density * 1004.64 * area * boundary * (leaf_t - t_air)
    assert np.percentile(np.abs(heat - got["sensible_canopy"])[ok], 98) < 1.0

    # sum of the fluxes against the surface layer above
    total_heat = got["sensible_canopy"] + got["sensible_ground"]
    vapour_flux = got["transpiration"] + got["canopy_evaporation"] + got["ground_evaporation"]
    cover = (1 - np.exp(-np.minimum(area, 2.0))) / (1 - np.exp(-2.0))
    rough = np.exp(cover * np.log(plant["canopy_top"] * plant["roughness_ratio"]) + (1 - cover) * np.log(0.01))
    height = air["reference_height"] + rough
    theta_v = theta * (1 + 0.61 * q_air)
    buoyancy = total_heat / (density * 1004.64) * (1 + 0.61 * q_air) + 0.61 * theta * vapour_flux / density
    zeta = np.clip(-height * 0.4 * 9.80616 * buoyancy / (theta_v * ustar**3), -100.0, 0.5)
    gust = np.cbrt(np.maximum(9.80616 * buoyancy * 1000.0 / theta_v, 0.0))
    momentum, scalar = stability_profiles(zeta, height, rough, rough)
    wind = np.sqrt(np.maximum(air["wind_speed"], 1.0) ** 2 + gust**2)
    assert np.percentile(np.abs(0.4 * wind / momentum / ustar - 1)[ok], 98) < 0.01
    to_air = 0.4 * ustar / scalar
    assert np.percentile(np.abs(density * 1004.64 * to_air * (t_air - theta) - total_heat)[ok], 98) < 3.0
    assert np.percentile(np.abs(density * to_air * (q_canopy - q_air) - vapour_flux)[ok] * LATENT, 98) < 3.0

    # assimilation and transpiration from the leaves
    beam = 0.3 + light["extinction"]
    lit = (1 - np.exp(-np.minimum(beam * plant["leaf_area"], 40.0))) / beam
    shade = (1 - np.exp(-0.3 * plant["leaf_area"])) / 0.3 - lit
    gross, transpiring = 0.0, 0.0
    for part, leaf_area, par in ((lit, light["sunlit_leaf_area"], light["sunlit_par"]),
                                 (shade, light["shaded_leaf_area"], light["shaded_par"])):
        leaf = leaf_photosynthesis({
            "leaf_temperature": leaf_t, "absorbed_light": par, "is_c4": plant["is_c4"],
            "vcmax25": plant["vcmax25_top"] * plant["daylength_factor"] * np.minimum(part / leaf_area, 1.0),
            "stomatal_slope": plant["stomatal_slope"], "stomatal_intercept": plant["stomatal_intercept"],
            "growth_temperature": plant["growth_temperature"], "water_stress": plant["water_stress"],
            "vapour_pressure": q_canopy * pressure / (0.622 + 0.378 * q_canopy), "boundary_resistance": 1 / boundary,
            "co2_pressure": air["co2"] * pressure, "air_pressure": pressure, "potential_temperature": theta})
        gross = gross + leaf_area * leaf["gross_assimilation"]
        transpiring = transpiring + leaf_area / (1 / boundary + leaf["stomatal_resistance"])
    assert np.percentile(np.abs(gross / got["gross_photosynthesis"] - 1)[ok], 98) < 0.01
    dry = case["canopy"]["dry_fraction"] * area / plant["leaf_area"]
    wanted = density * dry * transpiring * np.maximum(saturation_humidity(leaf_t, pressure) - q_canopy, 0.0)
    assert np.percentile(np.abs(wanted - got["transpiration"])[ok] * LATENT, 98) < 5.0


@pytest.mark.parametrize("lane", [0, 1, 17, 31, 40])
def test_a_column_does_not_depend_on_its_neighbours(lane):
    rng = np.random.default_rng(11)
    one = make(rng, 1, extreme=False)
    alone = canopy_fluxes(**one)
    for seed in range(3):
        crowd = make(np.random.default_rng(seed), 50, extreme=True)
        for group, members in one.items():
            for name, value in members.items():
                crowd[group][name][lane] = value[0]
        got = canopy_fluxes(**crowd)
        for name, value in alone.items():
            assert got[name][lane] == value[0], name


def test_ground_slopes_have_the_sign_that_keeps_the_soil_stable():
    case = make(np.random.default_rng(4), 200, extreme=False)
    got = canopy_fluxes(**case)
    assert np.all(got["sensible_ground_slope"] > 0)
    assert np.all(got["ground_evaporation_slope"] >= 0)
    np.testing.assert_allclose(
        got["longwave_ground_slope"], 4 * 0.96 * SIGMA * case["ground"]["temperature"] ** 3, rtol=1e-12)


def test_dry_and_wet_limits():
    case = make(np.random.default_rng(6), 200, extreme=False)
    case["plant"]["water_stress"][:] = 0.8
    dry = canopy_fluxes(**change(case, "canopy", canopy_water=0.0, wet_fraction=0.0, dry_fraction=0.9))
    assert np.all(dry["canopy_evaporation"] <= 0.0)
    assert np.all(dry["transpiration"] >= 0.0)
    soaked = canopy_fluxes(**change(case, "canopy", canopy_water=1.0, wet_fraction=1.0, dry_fraction=0.0))
    np.testing.assert_array_equal(soaked["transpiration"], 0.0)
    assert soaked["canopy_evaporation"].mean() > dry["transpiration"].mean()
    # little water: it all goes, and no more
    little = canopy_fluxes(**change(case, "canopy", canopy_water=1e-3, wet_fraction=1.0, dry_fraction=0.0))
    assert np.all(little["canopy_evaporation"] <= 1e-3 / 1800.0 * (1 + 1e-12))
    assert np.sum(little["canopy_evaporation"] > 0.999e-3 / 1800.0) > 100


def test_without_soil_water_leaves_do_not_transpire():
    case = make(np.random.default_rng(7), 64, extreme=False)
    got = canopy_fluxes(**change(case, "plant", water_stress=0.0))
    np.testing.assert_array_equal(got["transpiration"], 0.0)


def test_night_respires_and_dew_falls():
    case = make(np.random.default_rng(8), 64, extreme=False)
    case = change(case, "radiation", canopy_absorbed=0.0, sunlit_par=0.0, shaded_par=0.0)
    t = case["weather"]["air_temperature"]
    case = change(case, "weather", specific_humidity=saturation_humidity(t, 1e5), longwave_down=0.7 * SIGMA * t**4)
    case = change(case, "ground", temperature=t - 3.0, humidity=saturation_humidity(t - 3.0, 1e5))
    got = canopy_fluxes(**case)
    np.testing.assert_array_equal(got["gross_photosynthesis"], 0.0)
    assert np.all(got["leaf_respiration"][case["plant"]["water_stress"] > 0] > 0)
    assert np.all(got["canopy_evaporation"] < 0)
    assert np.all(got["leaf_temperature"] < t + 0.1)


def test_lanes_without_canopy_are_zero():
    case = make(np.random.default_rng(9), 64, extreme=False)
    case["plant"]["leaf_area"][:5] = 0.0
    case["plant"]["stem_area"][:5] = 0.04
    case["plant"]["fraction"][5:8] = 0.0
    got = canopy_fluxes(**case)
    for name, value in got.items():
        if name not in ("leaf_temperature", "converged"):
            np.testing.assert_array_equal(value[:8], 0.0)
    np.testing.assert_array_equal(got["leaf_temperature"][:8], case["canopy"]["leaf_temperature"][:8])


def test_stems_alone_exchange_heat():
    case = make(np.random.default_rng(10), 64, extreme=False)
    case = change(case, "plant", leaf_area=0.0, stem_area=0.7)
    case = change(case, "radiation", sunlit_leaf_area=0.0, shaded_leaf_area=0.0, canopy_emissivity=1 - np.exp(-0.7))
    case = change(case, "canopy", dry_fraction=0.0)
    got = canopy_fluxes(**case)
    assert np.max(np.abs(closure(case, got))) < 1e-9
    np.testing.assert_array_equal(got["gross_photosynthesis"], 0.0)
    np.testing.assert_array_equal(got["transpiration"], 0.0)


def test_bad_input_is_refused():
    case = make(np.random.default_rng(0), 3, extreme=False)
    with pytest.raises(InputError, match="dt"):
        canopy_fluxes(**case, dt=0.0)
    with pytest.raises(InputError, match="plant"):
        canopy_fluxes(**change(case, "plant", colour=3.0))
    case["weather"]["air_temperature"][1] = np.nan
    with pytest.raises(InputError, match="row 2"):
        canopy_fluxes(**case)
