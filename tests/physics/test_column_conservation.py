"""The coupled columns conserve water and energy under any weather, in any soil, with every scheme."""

from __future__ import annotations

import numpy as np
import pytest
from columns import Weather, random_areas, random_columns

ENERGY_LIMIT = 1e-6  # [W m-2]
WATER_LIMIT = 1e-9  # [kg m-2 per step]
STEP = 1800.0

SCHEMES = [
    # stomata, soil evaporation, retention, pedotransfer, lower boundary: every pair of choices occurs
    ("medlyn", "dry_surface_layer", "van_genuchten", "cosby", "free_drainage"),
    ("medlyn", "beta", "clapp_hornberger", "cosby", "no_flow"),
    ("ball_berry", "dry_surface_layer", "clapp_hornberger", "cosby", "water_table"),
    ("ball_berry", "beta", "van_genuchten", "rosetta", "free_drainage"),
    ("medlyn", "dry_surface_layer", "van_genuchten", "rosetta", "no_flow"),
    ("ball_berry", "beta", "van_genuchten", "cosby", "water_table"),
    ("medlyn", "beta", "van_genuchten", "rosetta", "water_table"),
    ("ball_berry", "dry_surface_layer", "clapp_hornberger", "rosetta", "free_drainage"),
]


def columns(rng, scheme, ncell, **options):
    stomata, evaporation, retention, pedotransfer, boundary = scheme
    depth = {"water_table_depth": 1.2} if boundary == "water_table" else {}
    return random_columns(rng, ncell, stomata=stomata, soil_evaporation=evaporation, retention=retention,
                          pedotransfer=pedotransfer, lower_boundary=boundary, **depth, **options)


def assert_sound(model, where, coldest=230.0):
    for group in (model.state, model.flux):
        for name, field in group.items():
            assert np.isfinite(field).all(), f"{name} is not finite {where}"
    energy = np.abs(model.flux["energy_balance_residual"]).max()
    water = np.abs(model.flux["water_balance_residual"]).max()
    assert energy < ENERGY_LIMIT and water < WATER_LIMIT, f"residuals {energy:.1e} W m-2, {water:.1e} kg m-2 {where}"
    soil = model.state["soil_water"]
    assert (soil >= model.parameter["residual_water"]).all(), f"drier than residual {where}"
    ice = model.state["soil_ice"]
    assert (ice >= 0.0).all() and (soil + ice <= model.parameter["porosity"] * (1 + 1e-14)).all(), f"too wet {where}"
    for name in ("snow_ice", "snow_liquid", "snow_layer_thickness", "canopy_snow", "snow_cover_fraction"):
        assert (model.state[name] >= 0.0).all(), f"{name} below 0 {where}"
    assert model.state["snow_temperature"].max() <= 273.15 and model.state["snow_cover_fraction"].max() <= 1.0, where
    assert (model.state["surface_water"] >= 0.0).all() and (model.state["canopy_water"] >= 0.0).all(), where
    for name in ("soil_temperature", "leaf_temperature"):
        assert model.state[name].min() > coldest and model.state[name].max() < 370.0, (
            f"{name} {model.state[name].min():.1f} to {model.state[name].max():.1f} K {where}")
    return energy, water


@pytest.mark.parametrize("scheme", SCHEMES, ids="-".join)
def test_extreme_weather(scheme):
    rng = np.random.default_rng(SCHEMES.index(scheme))
    ncell, days = 160, 2
    model = columns(rng, scheme, ncell)
    sky = Weather(rng, ncell)
    areas = random_areas(rng, model.npatch, ncell)
    for index in range(int(days * 86400 / STEP)):
        if index % 24 == 0:
            areas = random_areas(rng, model.npatch, ncell)
        weather = sky.step((index + 0.5) * STEP / 3600.0)
        model.advance(weather, *areas, STEP)
        assert_sound(model, f"after step {index}")


@pytest.mark.parametrize("scheme", SCHEMES, ids="-".join)
def test_extreme_weather_with_snow_and_frost(scheme):
    """-60 to 55 degC, 50 mm/h of snow, still air, polar night, 8 m of snow that stays or goes."""
    rng = np.random.default_rng(50 + SCHEMES.index(scheme))
    ncell, days = 160, 3
    model = columns(rng, scheme, ncell)
    sky = Weather(rng, ncell, snow_free=False)
    areas = random_areas(rng, model.npatch, ncell)
    for index in range(int(days * 86400 / STEP)):
        if index % 24 == 0:
            areas = random_areas(rng, model.npatch, ncell)
        model.advance(sky.step((index + 0.5) * STEP / 3600.0), *areas, STEP)
        assert_sound(model, f"after step {index}", coldest=170.0)


@pytest.mark.parametrize("layers", [1, 5, 12])
@pytest.mark.parametrize("snow", [
    {"albedo": "age", "cover": "niu_yang", "fresh_density": "clm45", "conductivity": "jordan"},
    {"overburden": "vionnet", "percolation": "kinematic", "wind_drift": True, "conductivity": "calonne"},
    {"overburden": "clm5", "holding": 0.0, "dust_darkening": 0.01, "roughness": 0.0005, "emissivity": 1.0},
], ids=["age", "kinematic", "clm5"])
def test_extreme_weather_with_every_snow_scheme(snow, layers):
    rng = np.random.default_rng(layers)
    ncell = 64
    model = columns(rng, SCHEMES[0], ncell, snow=snow, snow_layers=layers)
    model.set_parameters({"topography_deviation": rng.choice([0.0, 30.0, 400.0], ncell)})
    sky = Weather(rng, ncell, snow_free=False)
    for index in range(48):
        if index % 24 == 0:
            areas = random_areas(rng, model.npatch, ncell)
        model.advance(sky.step((index + 0.5) * STEP / 3600.0), *areas, STEP)
        assert_sound(model, f"after step {index}", coldest=170.0)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES, ids="-".join)
def test_extreme_weather_for_a_month(scheme):
    rng = np.random.default_rng(100 + SCHEMES.index(scheme))
    ncell = 320
    model = columns(rng, scheme, ncell)
    sky = Weather(rng, ncell)
    for index in range(int(30 * 86400 / STEP)):
        if index % 48 == 0:
            areas = random_areas(rng, model.npatch, ncell)
        model.advance(sky.step((index + 0.5) * STEP / 3600.0), *areas, STEP)
        assert_sound(model, f"after step {index}")


@pytest.mark.parametrize("dt", [60.0, 600.0, 3600.0, 10800.0])
def test_any_time_step(dt):
    rng = np.random.default_rng(int(dt))
    model = columns(rng, SCHEMES[0], 64)
    sky = Weather(rng, 64)
    areas = random_areas(rng, model.npatch, 64)
    for index in range(16):
        model.advance(sky.step((index + 0.5) * dt / 3600.0), *areas, dt)
        assert_sound(model, f"after step {index} of {dt} s")


def test_balances_do_not_drift():
    """Storage after months equals what went in and out: residuals of steps do not add up."""
    rng = np.random.default_rng(8)
    ncell, steps = 32, 2400
    model = columns(rng, SCHEMES[0], ncell, npatch=2)
    sky = Weather(rng, ncell)
    areas = random_areas(rng, model.npatch, ncell)
    before, through = model.land_water(), 0.0
    turned = 0.0
    for index in range(steps):
        weather = sky.step(index + 0.5)
        model.advance(weather, *areas, 3600.0)
        flux = model.flux
        out = flux["evapotranspiration"] + flux["surface_runoff"] + flux["subsurface_runoff"]
        through = through + 3600.0 * (weather["rain"] - out)
        turned = turned + 3600.0 * weather["rain"]
    drift = np.abs(model.land_water() - before - through)
    assert drift.max() < 1e-8, f"{drift.max():.1e} kg m-2 after {steps} steps and {turned.max():.0f} kg m-2 of rain"
