"""Single steps from the edge of what winter may bring: no column breaks, and every balance closes."""

from __future__ import annotations

import numpy as np
from columns import random_columns
from hypothesis import given, settings
from hypothesis import strategies as st

from pyland.forcing.moist_air import saturation_pressure

TF = 273.15
STEPS = 3
NCELL = 24
COLDEST, HOTTEST = 213.15, 328.15  # of the air [K]
GRAIN = 1e-2  # one grain of new snow on all ground: snow lies no thinner [kg m-2]
JUMP = 40.0  # largest difference between air and ground [K]
DAMPEST = 5.6e3  # vapour pressure at a dew point of 35 degC, the highest that was measured [Pa]


class Draw:
    """Values per cell from a range, one in two from its ends or other given values."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def between(self, low, high, *edges):
        edge = self.rng.choice([low, high, *edges], NCELL)
        return np.where(self.rng.random(NCELL) < 0.5, edge, self.rng.uniform(low, high, NCELL))


def draw_weather(draw):
    """Return weather in which nearly anything may come together."""
    sky = {
        "air_temperature": draw.between(COLDEST, HOTTEST, TF),
        "surface_pressure": draw.between(55e3, 105e3),
        "wind_speed": draw.between(0.0, 40.0),
        "longwave_down": draw.between(60.0, 600.0),
        "cosine_zenith": draw.between(0.0, 1.0),
        "daylength_factor": np.full(NCELL, 0.5),
        "co2": np.full(NCELL, 4e-4),
    }
    air = sky["air_temperature"]
    sky["rain"] = draw.between(0.0, 300.0 / 3600.0, 1e-6) * (air > TF - 5.0)
    sky["snowfall"] = draw.between(0.0, 50.0 / 3600.0, 1e-9) * (air < TF + 5.0)
    vapour = draw.between(0.01, 1.0) * np.minimum(saturation_pressure(air), DAMPEST)
    sky["specific_humidity"] = 0.622 * vapour / (sky["surface_pressure"] - 0.378 * vapour)
    sky["shortwave_down"] = np.where(sky["cosine_zenith"] > 0.0, draw.between(0.0, 1100.0), 0.0)
    return sky


def draw_ground(draw, air):
    """Return what `build` needs: snow of 1e-6 to 3000 kg m-2, soil from dry to full, from frozen to warm."""
    return {
        "ground": np.clip(draw.between(COLDEST, 320.0, TF, TF - 1e-9, TF - 0.1), air - JUMP, air + JUMP),
        "saturation": draw.between(0.0, 1.0),
        "frozen": draw.between(0.0, 1.0),
        "mass": draw.between(0.0, 3000.0, 1e-6, 1e-3, 1.0),
        "wet": draw.between(0.0, 1.0),
        "density": draw.between(50.0, 900.0),
        "cover": draw.between(1e-4, 1.0),
    }


def build(layers, ground, seed):
    """Return columns of random soil in the drawn state under snow in equal layers."""
    model = random_columns(np.random.default_rng(seed), NCELL, npatch=1, snow_layers=layers)
    porosity, residual = model.parameter["porosity"][:, 0], model.parameter["residual_water"][:, 0]
    water = residual + (0.002 + 0.998 * ground["saturation"]) * (porosity - residual)
    ice = np.where(ground["ground"] < TF, ground["frozen"], 0.0) * np.maximum(water - residual, 0.0) * 0.98
    has = ground["mass"] >= 1e-6
    mass = np.where(has, ground["mass"], 0.0)
    thin = mass < 100.0  # one layer; thicker packs have all, near enough to the limits that the model keeps
    share = np.where(thin, np.where(np.arange(layers)[:, None] < layers - 1, 0.0, mass), mass / layers)
    cover = np.where(has, np.clip(ground["cover"], 1e-4, ground["mass"] / GRAIN), 0.0)
    model.set_state({
        "soil_temperature": np.repeat(ground["ground"][None], model.thermal_thickness.size, axis=0),
        "leaf_temperature": np.clip(ground["ground"], 230.0, 320.0)[None],
        "soil_ice": ice,
        "soil_water": water - ice,
        "snow_ice": share,
        "snow_liquid": np.where(ground["ground"] >= TF, 0.03 * ground["wet"] * share, 0.0),
        "snow_layer_thickness": share / (ground["density"] * np.where(has, cover, 1.0)),
        "snow_temperature": np.where(share > 0.0, np.minimum(ground["ground"], TF), TF),
        "snow_grain_radius": np.full((layers, NCELL), 200.0),
        "snow_cover_fraction": cover,
        "snow_mass_maximum": np.where(has, ground["mass"], 0.0),
    })
    return model


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), layers=st.sampled_from([5, 12]),
       dt=st.sampled_from([60.0, 900.0, 3600.0, 10800.0]))
def test_any_step_is_sound(seed, layers, dt):
    draw = Draw(seed)
    sky = draw_weather(draw)
    model = build(layers, draw_ground(draw, sky["air_temperature"]), seed)
    leaf, stem = draw.between(0.0, 10.0), draw.between(0.0, 2.0)
    for step in range(STEPS):
        model.advance(sky, leaf[None], stem[None], dt)
        assert_sound(model, step)


def assert_sound(model, step):
    for name, field in {**model.state, **model.flux}.items():
        assert np.isfinite(field).all(), f"{name} after step {step}"
    state, flux = model.state, model.flux
    assert np.abs(flux["energy_balance_residual"]).max() < 1e-6
    assert np.abs(flux["water_balance_residual"]).max() < 1e-9
    pores = state["soil_water"] + state["soil_ice"]
    assert (state["soil_ice"] >= 0.0).all() and (pores <= model.parameter["porosity"] * (1.0 + 1e-14)).all()
    assert (state["snow_temperature"] <= TF).all() and (state["snow_cover_fraction"] <= 1.0).all()
    for name in ("snow_ice", "snow_liquid", "snow_layer_thickness", "canopy_snow", "canopy_water", "surface_water"):
        assert (state[name] >= 0.0).all(), name
    for name in ("soil_temperature", "snow_temperature", "leaf_temperature"):
        assert state[name].min() > 150.0 and state[name].max() < 400.0, (name, state[name].min(), state[name].max())


@settings(max_examples=10, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_column_does_not_depend_on_its_neighbours(seed):
    """Bit for bit: snow, ice or a jump of temperature in another column of the chunk change no rounding."""
    draw = Draw(seed)
    sky = draw_weather(draw)
    crowd = build(5, draw_ground(draw, sky["air_temperature"]), seed)
    leaf, stem = draw.between(0.0, 10.0), draw.between(0.0, 2.0)
    chosen = slice(seed % NCELL, seed % NCELL + 1)
    alone = random_columns(np.random.default_rng(seed), 1, npatch=1, snow_layers=5)
    alone.set_parameters({name: field[..., chosen] for name, field in crowd.parameter.items()})
    alone.set_state({name: field[..., chosen] for name, field in crowd.state.items()})
    for _ in range(STEPS):
        crowd.advance(sky, leaf[None], stem[None], 1800.0)
        there = {name: field[chosen] for name, field in sky.items()}
        alone.advance(there, leaf[None, chosen], stem[None, chosen], 1800.0)
        for name, field in {**crowd.state, **crowd.flux}.items():
            one = {**alone.state, **alone.flux}[name]
            np.testing.assert_array_equal(one, field[..., chosen], err_msg=name)
