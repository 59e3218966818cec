"""Columns of land and soil water: setting fields, errors that name the place, changes by an analysis."""

from __future__ import annotations

import copy
import gc
import pickle

import numpy as np
import pytest
from columns import BEDROCK, THICKNESS, Weather, random_areas, random_columns

from pyland.base.errors import InputError, StateError
from pyland.coupling import ColumnModel

NCELL, NMEMBER = 5, 3


@pytest.fixture
def model():
    return random_columns(np.random.default_rng(4), NCELL, NMEMBER, npatch=2)


@pytest.fixture
def sky():
    return Weather(np.random.default_rng(5), NCELL)


def advance(model, weather, dt=1800.0):
    model.advance(weather, *random_areas(np.random.default_rng(6), model.npatch, model.ncell), dt)


def test_fields_have_the_shapes_of_members_and_cells(model):
    nlayer, nthermal = THICKNESS.size, THICKNESS.size + BEDROCK.size
    assert model.state["soil_water"].shape == (nlayer, NMEMBER, NCELL)
    assert model.state["soil_temperature"].shape == (nthermal, NMEMBER, NCELL)
    assert model.state["canopy_water"].shape == (2, NMEMBER, NCELL)
    assert model.state["surface_water"].shape == (NMEMBER, NCELL)
    assert model.parameter["root_fraction"].shape == (2 * nlayer, NMEMBER, NCELL)
    assert model.flux["latent_heat_flux"].shape == (NMEMBER, NCELL)
    assert model.land_water().shape == (NMEMBER, NCELL)
    assert 500.0 < model.bytes_per_column < 20e3


def test_one_patch_keeps_its_axis():
    model = random_columns(np.random.default_rng(4), 3, npatch=1)
    assert model.state["leaf_temperature"].shape == (1, 1, 3)


def test_values_reach_every_member_or_one(model):
    model.set_parameters({"reference_height": np.arange(20.0, 20.0 + NCELL)})
    assert np.array_equal(model.parameter["reference_height"], np.tile(np.arange(20.0, 20.0 + NCELL), (NMEMBER, 1)))
    each = np.random.default_rng(1).uniform(280, 290, (NMEMBER, NCELL))
    model.set_state({"growth_temperature": each})
    assert np.array_equal(model.state["growth_temperature"], each)
    profile = np.linspace(280, 290, model.thermal_thickness.size)[:, None] + np.arange(NCELL)
    model.set_state({"soil_temperature": profile})
    assert np.array_equal(model.state["soil_temperature"][:, 2], profile)


def test_views_are_live_and_outlive_the_model(model, sky):
    water, flux = model.state["soil_water"], model.flux["evapotranspiration"]
    before = water.copy()
    advance(model, sky.step(12.5))
    assert not np.array_equal(water, before) and flux.any()
    kept = water.copy()
    del model
    gc.collect()
    assert np.array_equal(water, kept)


def test_groups_cannot_be_rebound(model):
    with pytest.raises(TypeError):
        model.state["soil_water"] = np.zeros(3)


def test_no_pickling_and_no_copies(model):
    for attempt in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="save its state arrays"):
            attempt(model)


def test_heads_follow_water_and_water_follows_heads(model):
    heads = np.full((THICKNESS.size, NCELL), -1.5)
    model.set_state({"pressure_head": heads})
    wet = model.state["soil_water"].copy()
    model.set_state({"soil_water": wet[:, 0]})
    assert np.allclose(model.state["pressure_head"], -1.5, rtol=1e-9)


def test_both_given_are_taken_as_they_are(model):
    state = {name: model.state[name].copy() for name in ("soil_water", "pressure_head")}
    model.set_state(state)
    assert all(np.array_equal(model.state[name], state[name]) for name in state)


@pytest.mark.parametrize(("call", "name", "value", "words"), [
    ("set_state", "soil_wetness", 0.3, ["no field 'soil_wetness'", "soil_water"]),
    ("set_parameters", "porosty", 0.3, ["no field 'porosty'", "porosity"]),
    ("set_state", "soil_water", np.zeros((3, NCELL)), ["'soil_water'", "(3, 5)", "(9, 3, 5)"]),
    ("set_state", "surface_water", np.zeros(NCELL + 1), ["'surface_water'", "(6,)", "(3, 5)"]),
])
def test_wrong_names_and_shapes(model, call, name, value, words):
    with pytest.raises(InputError) as error:
        getattr(model, call)({name: value})
    assert all(word in str(error.value) for word in words)


@pytest.mark.parametrize(("name", "value", "words"), [
    ("psi_open", -400.0, ["psi_open", "above psi_closed"]),
    ("residual_water", 0.7, ["porosity", "between residual_water and 1"]),
    ("porosity", np.nan, ["porosity"]),
    ("retention_shape", 0.9, ["retention_shape", "above 1"]),
    ("saturated_conductivity", 0.0, ["saturated_conductivity", "above 0"]),
    ("specific_storage", 0.0, ["specific_storage", "1e-6"]),
    ("patch_fraction", 0.3, ["patch_fraction", "sum of 1"]),
    ("reference_height", -1.0, ["reference_height"]),
    ("thickness", 0.0, ["thickness"]),
])
def test_impossible_parameters_name_cell_and_member(model, name, value, words):
    values = model.parameter[name].copy()
    values[..., 1, 2] = value
    with pytest.raises(InputError) as error:
        model.set_parameters({name: values})
    assert all(word in str(error.value) for word in [*words, "cell 2", "member 1"]), error.value


def test_no_step_with_rejected_parameters(model, sky):
    with pytest.raises(InputError):
        model.set_parameters({"psi_open": np.full((2, NCELL), -1e4)})
    with pytest.raises(InputError, match="prepare"):
        advance(model, sky.step(0.0))


@pytest.mark.parametrize("options", [
    {"stomata": "jarvis"}, {"soil_evaporation": "none"}, {"water_stress": "none"}, {"retention": "gardener"},
    {"lower_boundary": "open"}])
def test_unknown_schemes(options):
    (key, value), = options.items()
    with pytest.raises(InputError, match=f"{key} is '{value}'; expected one of"):
        ColumnModel(THICKNESS, BEDROCK, {}, ncell=1, **options)


@pytest.mark.parametrize("sizes", [{"ncell": 0}, {"ncell": 1, "npatch": 0}, {"ncell": 1, "nmember": 0}])
def test_impossible_sizes(sizes):
    with pytest.raises(InputError, match="at least one column"):
        ColumnModel(THICKNESS, BEDROCK, {}, **sizes)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_forcing_that_is_not_finite_names_cell_and_member(model, sky, bad):
    weather = sky.step(3.0)
    weather["wind_speed"] = np.tile(weather["wind_speed"], (NMEMBER, 1))
    weather["wind_speed"][2, 3] = bad
    before = {name: field.copy() for name, field in model.state.items()}
    with pytest.raises(StateError, match=r"forcing 'wind_speed' is not a finite number in cell 3, member 2"):
        advance(model, weather)
    assert all(np.array_equal(model.state[name], before[name]) for name in before)


@pytest.mark.parametrize(
    "name", ["soil_temperature", "soil_water", "canopy_water", "leaf_temperature", "growth_temperature"])
def test_a_broken_state_stops_the_step_and_names_the_place(model, sky, name):
    state = model.state[name].copy()
    state[..., 1, 4] = np.nan
    model.state[name][...] = state
    with pytest.raises(StateError, match=f"state '{name}' is not a finite number in cell 4, member 1"):
        advance(model, sky.step(12.0))


@pytest.mark.parametrize("dt", [0.0, -1.0, 86401.0, np.nan])
def test_impossible_steps(model, sky, dt):
    with pytest.raises(InputError, match="time step"):
        advance(model, sky.step(0.0), dt)


def test_an_analysis_is_booked_exactly_and_stays_in_range(model):
    rng = np.random.default_rng(7)
    before, water, heads = (model.land_water(), model.state["soil_water"].copy(), model.state["pressure_head"].copy())
    wanted = water + rng.normal(0.0, 0.2, water.shape)
    increment, clipped = model.change_soil_water(wanted)
    assert np.allclose(model.land_water() - before, increment, rtol=0, atol=1e-10)
    after = model.state["soil_water"]
    assert clipped == np.count_nonzero(after != wanted) > 0
    assert (after <= model.parameter["porosity"]).all() and (after >= model.parameter["residual_water"]).all()
    in_range = after == wanted
    assert in_range.any()
    expected = 1000.0 * ((after - water) * THICKNESS[:, None, None]).sum(axis=0)
    plain = (heads <= 0.0).all(axis=0)  # elsewhere water under pressure comes on top
    assert plain.any() and np.allclose(increment[plain], expected[plain], atol=1e-9)


def freeze(model, share=0.6):
    """Turn a share of the water above the residual into ice."""
    water, residual = model.state["soil_water"].copy(), model.parameter["residual_water"]
    ice = share * (water - residual)
    model.set_state({"soil_ice": ice, "soil_water": water - ice,
                     "soil_temperature": np.full_like(model.state["soil_temperature"], 270.0)})
    return ice


def test_an_analysis_leaves_ice_its_pores(model, sky):
    ice = freeze(model)
    increment, clipped = model.change_soil_water(np.full_like(ice, 0.9))
    assert clipped == ice.size and (increment > 0.0).all()
    assert np.array_equal(model.state["soil_ice"], ice)
    held = model.state["soil_water"] + ice
    assert np.allclose(held, model.parameter["porosity"], rtol=0, atol=1e-15) and held.max() < 0.9
    advance(model, sky.step(12.5))
    assert (model.state["soil_water"] + model.state["soil_ice"] <= model.parameter["porosity"] * (1 + 1e-14)).all()


def test_ice_that_is_set_alone_changes_heads(model):
    head, pores = model.state["pressure_head"].copy(), model.parameter["porosity"] - model.state["soil_water"]
    model.set_state({"soil_ice": 0.9 * pores})
    dry = head < -1.0
    assert dry.any() and (model.state["pressure_head"][dry] > head[dry]).all()


def test_no_change_is_no_change(model):
    state = {name: field.copy() for name, field in model.state.items()}
    increment, clipped = model.change_soil_water(model.state["soil_water"].copy())
    assert clipped == 0 and np.abs(increment).max() < 1e-10
    for name, field in state.items():
        assert np.allclose(model.state[name], field, rtol=1e-8), name


def test_an_analysis_that_is_not_finite_is_an_error(model):
    water = model.state["soil_water"].copy()
    water[1, 1, 3] = np.nan
    with pytest.raises(StateError, match="cell 3, member 1"):
        model.change_soil_water(water)


@pytest.mark.parametrize("retention", ["van_genuchten", "clapp_hornberger"])
def test_the_model_goes_on_after_the_hardest_analyses(retention):
    """Everything dry, everything saturated: the next steps still converge and close."""
    for amount in (-1.0, 1.0):
        model = random_columns(np.random.default_rng(11), 32, npatch=2, retention=retention)
        sky = Weather(np.random.default_rng(12), 32)
        for hour in range(4):
            model.change_soil_water(model.state["soil_water"] + amount)
            model.advance(sky.step(hour + 0.5), *random_areas(np.random.default_rng(6), 2, 32), 3600.0)
