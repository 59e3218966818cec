"""Lakes: energy and water close in any weather, convection keeps heat, ice grows as Stefan says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyland.base.errors import InputError, StateError
from pyland.core import runtime
from pyland.forcing.moist_air import saturation_pressure
from pyland.land import LakeModel, lake_layers, light_extinction

FREEZING = 273.15
CALM = {"air_temperature": 285.0, "specific_humidity": 0.006, "surface_pressure": 1e5, "wind_speed": 3.0,
        "shortwave_down": 0.0, "longwave_down": 320.0, "rain": 0.0, "snowfall": 0.0, "cosine_zenith": 0.0}


def weather(rng, count):
    """Draw the weather of one step between its extremes: -60 to 55 degC, 300 mm per hour, polar night, no wind."""
    temperature = rng.uniform(213.15, 328.15, count)
    pressure = rng.uniform(50e3, 105e3, count)
    vapour = rng.uniform(0.02, 1.0, count) * saturation_pressure(temperature)
    sun = rng.choice([0.0, 0.05, 1.0], count)
    falls = rng.random(count) < 0.3
    return {
        "air_temperature": temperature, "specific_humidity": 0.622 * vapour / (pressure - 0.378 * vapour),
        "surface_pressure": pressure, "wind_speed": rng.choice([0.0, 1.0, 10.0, 40.0], count),
        "shortwave_down": 1100.0 * sun * rng.random(count), "cosine_zenith": sun,
        "longwave_down": rng.uniform(0.5, 1.0, count) * 5.67e-8 * temperature**4,
        "rain": falls * (temperature > FREEZING) * rng.choice([1e-4, 300.0 / 3600.0], count),
        "snowfall": falls * (temperature < 275.0) * rng.choice([1e-4, 1e-2], count),
    }


def random_lakes(rng, count):
    """Return lakes from puddle to deep, warm, cold, frozen, with and without snow."""
    lakes = LakeModel(10.0 ** rng.uniform(-0.7, 2.3, count), latitude=rng.uniform(-90.0, 90.0, count))
    warmth = rng.uniform(243.15, 305.0, (10, count))
    ice = (warmth < FREEZING).astype(float)
    mixed = rng.random((10, count)) < 0.2
    warmth[mixed], ice[mixed] = FREEZING, rng.random(int(mixed.sum()))
    lakes.set_state({"lake_temperature": warmth, "lake_ice_fraction": ice, "lake_surface_temperature": warmth[0],
                     "lake_snow": (ice[0] > 0) * rng.choice([0.0, 1e-6, 30.0, 900.0], count)})
    return lakes


@given(seed=st.integers(0, 10**6), dt=st.sampled_from([60.0, 900.0, 1800.0, 3600.0]))
@settings(max_examples=15, deadline=None)
def test_energy_and_water_close_in_extreme_weather(seed, dt):
    rng = np.random.default_rng(seed)
    lakes = random_lakes(rng, 70)
    for _ in range(20):
        before, snow = lakes.enthalpy().sum(axis=0), lakes.state["lake_snow"].copy()
        now = weather(rng, 70)
        lakes.advance(now, dt)
        flux = lakes.flux
        assert all(np.isfinite(field).all() for group in (lakes.state, flux) for field in group.values())
        gain = (lakes.enthalpy().sum(axis=0) - before) / dt + 3.337e5 * flux["snow_melt"]
        net = now["shortwave_down"] + now["longwave_down"] - flux["shortwave_up"] - flux["longwave_up"]
        energy = net - flux["sensible_heat_flux"] - flux["latent_heat_flux"] - gain
        water = lakes.state["lake_snow"] - snow - dt * (
            now["rain"] + now["snowfall"] - flux["evapotranspiration"] - flux["surface_runoff"])
        # enthalpies of a lake of 200 m have rounding errors of 1e-5 J m-2
        assert np.abs(energy).max() < max(1e-6, 6e-5 / dt) and np.abs(water).max() < 1e-9
        assert (lakes.state["lake_temperature"] > 180.0).all() and (lakes.state["lake_temperature"] < 350.0).all()
        assert (lakes.state["lake_snow"] >= 0.0).all()


def dew_point(vapour):
    """Invert the saturation pressure over water by bisection [K]."""
    low, high = np.full(vapour.shape, 150.0), np.full(vapour.shape, 340.0)
    for _ in range(50):
        middle = 0.5 * (low + high)
        is_below = saturation_pressure(middle) < vapour
        low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
    return low


@given(seed=st.integers(0, 10**6), dt=st.sampled_from([60.0, 900.0, 1800.0, 3600.0]))
@settings(max_examples=15, deadline=None)
def test_no_layer_leaves_the_range_of_layers_and_skin(seed, dt):
    """Heat flows from warm to cold; the skin lies between the layers and its balance with air and radiation alone."""
    rng = np.random.default_rng(seed)
    lakes = random_lakes(rng, 70)
    for _ in range(20):
        before, snow = lakes.state["lake_temperature"].copy(), lakes.state["lake_snow"].copy()
        now = weather(rng, 70)
        lakes.advance(now, dt)
        layers, skin, absorbed = lakes.state["lake_temperature"], lakes.state["lake_surface_temperature"], (
            now["shortwave_down"] - lakes.flux["shortwave_up"])
        # light warms the layers themselves: at most the thinnest of them, with the heat capacity of ice
        sunny = dt * absorbed / (1000.0 * 2117.27 * lakes.parameter["lake_layer_thickness"].min(axis=0))
        assert (layers.max(axis=0) <= np.maximum(before.max(axis=0), skin) + sunny + 1e-9).all()
        # snow that sinks cools water to the freezing point
        sinking = np.where(snow + now["snowfall"] > 0.0, FREEZING, np.inf)
        assert (layers.min(axis=0) >= np.minimum(np.minimum(before.min(axis=0), skin), sinking) - 1e-9).all()
        # in balance the skin is not warmer than the warmest of air, sky with sun, layers (frost: freezing point)
        air = now["air_temperature"] + 9.8e-3 * 10.0
        sky = ((absorbed / 0.97 + now["longwave_down"]) / 5.67e-8) ** 0.25
        night = (now["longwave_down"] / 5.67e-8) ** 0.25
        vapour = now["specific_humidity"] * now["surface_pressure"] / (0.622 + 0.378 * now["specific_humidity"])
        warmest = np.max([air, sky, before.max(axis=0) + sunny, np.full(70, FREEZING)], axis=0)
        coldest = np.min([air, night, before.min(axis=0), dew_point(vapour)], axis=0)
        assert (skin <= warmest + 0.01).all()
        assert (skin >= coldest - 0.01).all()


def test_ice_that_does_not_last_takes_no_more_heat_than_it_melts_with():
    """A millimetre of ice on warm water in a storm: wind mixes the lake, which ends between air and water."""
    lakes = LakeModel(49.735)
    below = np.r_[np.full(4, 286.66147991), 286.66064238, 286.65967968, 286.6593963, 286.65933462, 286.65932436]
    lakes.set_state({"lake_temperature": np.r_[FREEZING, below][:, None], "lake_surface_temperature": 286.5495291542,
                     "lake_ice_fraction": np.r_[0.0104283, np.zeros(9)][:, None]})
    before = lakes.enthalpy().sum()
    lakes.advance({**CALM, "air_temperature": 300.35885, "specific_humidity": 0.01411, "surface_pressure": 98725.97986,
                   "wind_speed": 40.0, "longwave_down": 287.52896, "rain": 0.08333}, 1800.0)
    warmth, flux = lakes.state["lake_temperature"][:, 0], lakes.flux
    heat = flux["net_radiation"] - flux["sensible_heat_flux"] - flux["latent_heat_flux"]
    assert heat[0] == pytest.approx((lakes.enthalpy().sum() - before) / 1800.0, abs=1e-5)
    assert (lakes.state["lake_ice_fraction"] == 0.0).all()
    assert warmth.min() > 286.6 and warmth.max() < 286.7
    assert 286.6 < lakes.state["lake_surface_temperature"][0] < 288.0


def test_polar_summer_and_winter_of_a_deep_lake_stay_bounded():
    lakes = LakeModel([0.3, 5.0, 80.0], latitude=70.0)
    for hour in range(24 * 120):
        cold = hour % 2400 < 1200
        lakes.advance({**CALM, "air_temperature": 228.0 if cold else 300.0, "wind_speed": 0.0 if cold else 8.0,
                       "specific_humidity": 1e-5 if cold else 0.01, "longwave_down": 130.0 if cold else 380.0,
                       "shortwave_down": 0.0 if cold else 400.0, "cosine_zenith": 0.0 if cold else 0.5}, 3600.0)
    assert (lakes.state["lake_temperature"] < 310.0).all() and (lakes.state["lake_temperature"] > 220.0).all()


def density_departure(lakes):
    """Distance from the temperature of densest water: grows upward in a stable lake."""
    return np.abs(lakes.state["lake_temperature"] - 277.0)


@pytest.mark.parametrize("profile", [np.linspace(276.0, 300.0, 10), np.linspace(290.0, 274.0, 10),
                                     np.array([275, 281, 276, 290, 274, 277, 283, 279, 285, 274.5])])
def test_overturning_keeps_heat_and_ends_stable(profile):
    lakes = LakeModel(40.0)
    lakes.set_state({"lake_temperature": profile[:, None], "lake_surface_temperature": profile[0]})
    before = lakes.enthalpy().sum()
    dt = 1e-3  # nothing flows in so short a step
    lakes.advance(CALM, dt)
    assert lakes.enthalpy().sum() - before == pytest.approx(dt * lakes.flux["ground_heat_flux"][0], abs=1e-4)
    assert (np.diff(density_departure(lakes)[:, 0]) <= 1e-10).all()


def test_ice_floats_up():
    lakes = LakeModel(20.0)
    ice, warmth = np.zeros(10), np.full(10, 276.0)
    ice[7], warmth[7], ice[2], warmth[2] = 1.0, 270.0, 0.4, FREEZING
    lakes.set_state({"lake_temperature": warmth[:, None], "lake_ice_fraction": ice[:, None],
                     "lake_surface_temperature": 276.0})
    before = lakes.enthalpy().sum()
    lakes.advance(CALM, 1e-3)
    ice = lakes.state["lake_ice_fraction"][:, 0]
    assert lakes.enthalpy().sum() - before == pytest.approx(1e-3 * lakes.flux["ground_heat_flux"][0], abs=1e-4)
    assert (np.diff(ice) <= 0.0).all() and ice.sum() > 0.0
    assert ((ice > 0.0) & (ice < 1.0)).sum() <= 1


def test_ice_grows_as_stefan_says():
    """Thickness sqrt(2 k sum(dT dt)/(rho L)), less the heat capacity of the ice: St/6 of it (Neumann's solution)."""
    lakes = LakeModel([2.0, 10.0, 50.0], latitude=60.0)
    lakes.set_state({"lake_temperature": FREEZING, "lake_surface_temperature": FREEZING})
    frost = np.zeros(3)
    for _ in range(60 * 48):
        lakes.advance({**CALM, "air_temperature": 253.15, "specific_humidity": 1e-4, "longwave_down": 160.0}, 1800.0)
        frost += 1800.0 * (FREEZING - lakes.state["lake_surface_temperature"])
    stefan = np.sqrt(2.0 * 2.29 * frost / (917.0 * 3.337e5))
    ratio = lakes.flux["lake_ice_thickness"] / stefan
    number = 2117.27 * 22.0 / 3.337e5
    assert ratio == pytest.approx(1.0 - number / 6.0, abs=0.01)
    assert (lakes.state["lake_temperature"][-1] == FREEZING)[1:].all()


def test_snow_slows_the_growth_of_ice_and_sinks_where_there_is_none():
    lakes = LakeModel([10.0, 10.0])
    lakes.set_state({"lake_temperature": FREEZING, "lake_surface_temperature": FREEZING})
    for hour in range(24 * 40):
        lakes.advance({**CALM, "air_temperature": 260.0, "specific_humidity": 1e-4, "longwave_down": 180.0,
                       "snowfall": np.array([0.0, 2e-5 if hour > 240 else 0.0])}, 3600.0)
    assert lakes.state["lake_snow"][0] == 0.0 and lakes.state["lake_snow"][1] > 10.0
    assert lakes.flux["lake_ice_thickness"][1] < 0.9 * lakes.flux["lake_ice_thickness"][0]
    open_water = LakeModel(10.0)
    open_water.advance({**CALM, "snowfall": 1e-3}, 1800.0)
    assert open_water.state["lake_snow"][0] == 0.0 and open_water.flux["snow_melt"][0] == pytest.approx(1e-3)


def test_ice_does_not_carry_more_snow_than_floats():
    lakes = LakeModel(5.0)
    lakes.set_state({"lake_temperature": FREEZING, "lake_ice_fraction": np.r_[0.5, np.zeros(9)][:, None],
                     "lake_snow": 100.0, "lake_surface_temperature": 270.0})
    lakes.advance({**CALM, "air_temperature": 268.0, "specific_humidity": 2e-3, "longwave_down": 240.0}, 1800.0)
    ice = 1000.0 * (lakes.state["lake_ice_fraction"] * lakes.parameter["lake_layer_thickness"]).sum()
    assert lakes.state["lake_snow"][0] <= ice * (1000.0 / 917.0 - 1.0) + 1e-9
    assert ice > 130.0  # the snow that sank is ice now


def test_summer_stratifies_and_autumn_mixes():
    lakes = LakeModel(30.0, latitude=50.0)
    lakes.set_temperature(279.0)
    summer = {**CALM, "air_temperature": 295.0, "specific_humidity": 0.01, "longwave_down": 370.0,
              "shortwave_down": 250.0, "cosine_zenith": 0.5}
    for _ in range(24 * 60):
        lakes.advance(summer, 3600.0)
    top, bottom = lakes.state["lake_temperature"][[0, -1], 0]
    assert top > 288.0 and bottom < 282.0
    for _ in range(24 * 60):
        lakes.advance({**CALM, "air_temperature": 280.0, "specific_humidity": 0.005, "longwave_down": 280.0}, 3600.0)
    profile = lakes.state["lake_temperature"][:, 0]
    assert np.ptp(profile) < 1.0


@pytest.mark.parametrize("depth", [0.2, 1.0, 1.001, 10.0, 50.0, 1600.0])
def test_layers_add_up_to_the_depth(depth):
    layers = lake_layers(depth)[:, 0]
    assert layers.sum() == pytest.approx(depth, rel=1e-12) and (layers > 0.0).all()
    if depth == 50.0:
        assert layers == pytest.approx([0.1, 1, 2, 3, 4, 5, 7, 7, 10.45, 10.45])
    assert light_extinction(10.0) == pytest.approx(0.449, abs=1e-3)


def test_a_lake_does_not_know_its_neighbours_or_threads():
    def march(lakes, cells):
        rng = np.random.default_rng(8)
        for _ in range(12):
            now = weather(rng, 70)
            lakes.advance({name: field[cells] for name, field in now.items()}, 1800.0)
        return {name: field.copy() for group in (lakes.state, lakes.flux) for name, field in group.items()}

    def taken(cells):
        whole = random_lakes(np.random.default_rng(7), 70)
        part = LakeModel(10.0, ncolumn=len(cells))
        part.set_parameters({name: field[..., cells] for name, field in whole.parameter.items()})
        part.set_state({name: field[..., cells] for name, field in whole.state.items()})
        return part

    everyone = np.arange(70)
    crowd = march(taken(everyone), everyone)
    for cells in (np.array([0]), np.array([40]), everyone[::-1]):
        alone = march(taken(cells), cells)
        assert all(np.array_equal(field, crowd[name][..., cells]) for name, field in alone.items())
    before = runtime.threads()
    try:
        runtime.set_threads(2)
        many = march(taken(everyone), everyone)
    finally:
        runtime.set_threads(before)
    assert all(np.array_equal(field, crowd[name]) for name, field in many.items())


@pytest.mark.parametrize(("attempt", "words"), [
    (lambda: LakeModel(0.0), "depths above 0"),
    (lambda: LakeModel(5.0, latitude=91.0), "latitude"),
    (lambda: LakeModel(5.0).set_state({"lake_ice": 0.0}), "no field 'lake_ice'"),
    (lambda: LakeModel(5.0).set_state({"lake_temperature": np.zeros(3)}), r"shape \(3,\)"),
    (lambda: LakeModel(5.0).set_temperature(20.0), "between 173.15 and 373.15"),
    (lambda: LakeModel(5.0).advance(CALM, 0.0), "time step"),
])
def test_bad_input_is_told(attempt, words):
    with pytest.raises(InputError, match=words):
        attempt()


def test_impossible_state_is_told():
    lakes = LakeModel([5.0, 6.0])
    lakes.state["lake_temperature"][3, 1] = np.nan
    with pytest.raises(StateError, match="lake_temperature.*column 2"):
        lakes.advance(CALM, 1800.0)
    with pytest.raises(StateError, match="wind_speed"):
        LakeModel(5.0).advance({**CALM, "wind_speed": np.nan}, 1800.0)
