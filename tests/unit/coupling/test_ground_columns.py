"""Glaciers and sealed ground: closed balances in any weather, mass balance, runoff, and what stays as it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyland.base.errors import InputError
from pyland.coupling import ColumnModel, UrbanSlab, glacier_columns, urban_columns
from pyland.forcing.moist_air import saturation_pressure

THICKNESS = np.array([0.02, 0.04, 0.06, 0.12, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4])
FREEZING = 273.15


def weather(temperature, sun=0.0, rain=0.0, snow=0.0, wind=4.0, humidity=0.7, sky=0.8, count=1):
    warmth = np.full(count, 1.0) * temperature
    vapour = humidity * saturation_pressure(warmth)
    return {"air_temperature": warmth, "specific_humidity": 0.622 * vapour / (7e4 - 0.378 * vapour),
            "surface_pressure": np.full(count, 7e4), "wind_speed": np.full(count, 1.0) * wind,
            "shortwave_down": np.full(count, 1.0) * sun, "longwave_down": sky * 5.67e-8 * warmth**4,
            "rain": np.full(count, 1.0) * rain, "snowfall": np.full(count, 1.0) * snow,
            "cosine_zenith": np.full(count, 0.5) * (np.asarray(sun) > 0), "daylength_factor": np.ones(count),
            "co2": np.full(count, 4e-4)}


def bare(count):
    return np.zeros((1, count)), np.zeros((1, count))


def glacier(temperature, count=1):
    return glacier_columns(THICKNESS, np.full(count, temperature), np.full(count, 10.0), 1)


def city(temperature, count=1, **slab):
    return urban_columns(THICKNESS, np.full(count, temperature), np.full(count, 20.0), 1, UrbanSlab(**slab))


@given(seed=st.integers(0, 10**6), dt=st.sampled_from([300.0, 1800.0, 3600.0]))
@settings(max_examples=8, deadline=None)
def test_water_and_energy_close_in_extreme_weather(seed, dt):
    rng = np.random.default_rng(seed)
    count = 40
    for columns in (glacier(260.0, count), city(290.0, count)):
        for _ in range(12):
            before = columns.land_water()
            warmth = rng.uniform(213.15, 328.15, count)
            falls = rng.random(count) < 0.4
            rain = falls * (warmth > FREEZING) * rng.choice([1e-4, 0.08], count)
            now = weather(warmth, rng.choice([0.0, 1000.0], count), rain, falls * (warmth < FREEZING) * 1e-3,
                          rng.choice([0.0, 3.0, 30.0], count), rng.uniform(0.05, 1.0, count),
                          rng.uniform(0.5, 1.0, count), count)
            columns.advance(now, *bare(count), dt)
            flux = columns.flux
            assert all(np.isfinite(field).all() for group in (columns.state, flux) for field in group.values())
            water = columns.land_water() - before - dt * (
                now["rain"] + now["snowfall"] - flux["evapotranspiration"] - flux["surface_runoff"])
            assert np.abs(water).max() < 1e-9
            assert np.abs(flux["energy_balance_residual"]).max() < 1e-6


def test_a_warm_glacier_melts_as_its_energy_says():
    """At the melting point all energy that is left melts ice, which runs off."""
    columns = glacier(FREEZING)
    total = {"heat": 0.0, "runoff": 0.0}
    for hour in range(48):
        columns.advance(weather(280.0, 600.0 if 6 < hour % 24 < 18 else 50.0, sky=0.9), *bare(1), 3600.0)
        total["heat"] += 3600.0 * columns.flux["ground_heat_flux"][0, 0]
        total["runoff"] += 3600.0 * columns.flux["surface_runoff"][0, 0]
    assert total["runoff"] == pytest.approx(total["heat"] / 3.337e5, rel=2e-3)
    assert total["runoff"] > 20.0
    assert (columns.state["glacier_temperature"] <= FREEZING).all()
    sublimated = columns.state["glacier_ice"][0, 0] + total["runoff"]
    assert abs(sublimated) < 1.0


def test_mass_balance_is_what_the_glacier_gained():
    columns = glacier(268.0)
    before, gained = columns.land_water(), 0.0
    for hour in range(60):
        columns.advance(weather(275.0, 300.0 * (hour % 2), rain=1e-5, humidity=0.4), *bare(1), 3600.0)
        gained += 3600.0 * columns.flux["glacier_mass_balance"][0, 0]
    assert columns.land_water()[0, 0] - before[0, 0] == pytest.approx(gained, abs=1e-8)


def test_bare_ice_has_its_albedo_and_sublimates_with_its_heat():
    columns = glacier(255.0)
    columns.advance(weather(255.0, 400.0, humidity=0.2, wind=10.0), *bare(1), 600.0)
    assert columns.flux["shortwave_up"][0, 0] == pytest.approx(0.4 * 400.0)
    heat = columns.flux["latent_heat_flux"] / columns.flux["evapotranspiration"]
    assert heat[0, 0] == pytest.approx(2.501e6 + 3.337e5)


def test_a_periodic_surface_temperature_decays_in_ice():
    """A cold glacier under a daily cycle: damping depth sqrt(2 k/(c omega)) of ice."""
    thickness = np.full(60, 0.05)
    columns = glacier_columns(thickness, np.array([255.0]), np.array([10.0]), 1)
    seen = []
    for step in range(10 * 96):
        warmth = 255.0 + 5.0 * np.sin(2.0 * np.pi * step / 96)
        columns.advance(weather(warmth, wind=30.0, humidity=0.9, sky=1.0), *bare(1), 900.0)
        if step >= 9 * 96:
            seen.append(columns.state["glacier_temperature"][:, 0, 0].copy())
    amplitude = np.ptp(seen, axis=0)
    ratio = np.log(amplitude[2] / amplitude[12]) / 0.5
    depth = np.sqrt(2.0 * 2.29 / (917.0 * 2117.27) / (2.0 * np.pi / 86400.0))
    assert 1.0 / ratio == pytest.approx(depth, rel=0.02)


def test_sealed_ground_sheds_what_it_cannot_hold_and_dries():
    columns = city(293.0)
    columns.advance(weather(290.0, rain=1e-2, humidity=0.95), *bare(1), 1800.0)
    assert columns.state["urban_surface_water"][0, 0] == pytest.approx(1.31)
    assert columns.flux["surface_runoff"][0, 0] * 1800.0 == pytest.approx(18.0 - 1.31, abs=0.05)
    for _ in range(96):
        columns.advance(weather(295.0, 300.0, humidity=0.3), *bare(1), 1800.0)
    assert columns.state["urban_surface_water"][0, 0] < 1e-3
    assert columns.flux["latent_heat_flux"][0, 0] == pytest.approx(0.0, abs=0.5)
    assert columns.flux["shortwave_up"][0, 0] == pytest.approx(0.081 * 300.0)


def test_a_slab_conducts_as_told():
    count, thickness = 1, np.full(40, 0.05)
    depths = []
    for conductivity in (0.5, 2.0):
        columns = urban_columns(thickness, np.full(count, 290.0), np.full(count, 20.0), 1,
                                UrbanSlab(conductivity=conductivity, roughness=0.05))
        seen = []
        for step in range(8 * 48):
            now = weather(290.0 + 5.0 * np.sin(2.0 * np.pi * step / 48), wind=20.0, humidity=0.0, sky=1.0)
            columns.advance(now, *bare(1), 1800.0)
            if step >= 7 * 48:
                seen.append(columns.state["urban_temperature"][:, 0, 0].copy())
        amplitude = np.ptp(seen, axis=0)
        depths.append(0.2 / np.log(amplitude[1] / amplitude[5]))
    assert depths[1] / depths[0] == pytest.approx(2.0, rel=0.05)
    assert depths[1] == pytest.approx(np.sqrt(2.0 * 2.0 / 2.5e6 / (2.0 * np.pi / 86400.0)), rel=0.05)


@pytest.mark.parametrize(("options", "words"), [
    ({"surface_kind": "sea"}, "surface_kind is 'sea'"),
    ({"surface_kind": "glacier"}, "slab_conductivity above 0"),
    ({"surface_kind": "urban", "slab_conductivity": 1.0}, "slab_heat_capacity above 0"),
])
def test_impossible_grounds_are_told(options, words):
    with pytest.raises(InputError, match=words):
        ColumnModel(THICKNESS, np.empty(0), {}, ncell=1, **options)


def test_snow_beyond_the_cap_becomes_ice():
    columns = glacier(250.0)
    before = columns.land_water()
    for _ in range(60):
        columns.advance(weather(255.0, snow=5.0 / 900.0), *bare(1), 3600.0)
    assert columns.flux["snow_mass"][0, 0] == pytest.approx(1000.0, abs=1.0)
    assert 150.0 < columns.state["glacier_ice"][0, 0] < 250.0
    gained = columns.state["glacier_ice"] + columns.flux["snow_mass"]
    assert columns.land_water() - before == pytest.approx(gained, abs=1e-6)
