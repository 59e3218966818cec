"""Columns after an analysis: water and heat are what the increments say, and the next steps close."""

from __future__ import annotations

import numpy as np
import pytest
from columns import Weather, random_areas, random_columns

from pyland.base.errors import InputError
from pyland.coupling import LakeColumns, SurfaceMosaic, SurfacePart
from pyland.coupling.analysed_heat import freezing_curve
from pyland.coupling.analysed_snow import snow_mass

FREEZING, FUSION, WATER, ICE = 273.15, 3.337e5, 4188.0, 2117.27
NCELL, NMEMBER = 30, 3


def frozen_columns(seed=5, steps=120, **options):
    """Return columns after days of weather from -60 to 55 degC, snow, frost and rain among them, and how to go on."""
    rng = np.random.default_rng(seed)
    model = random_columns(rng, NCELL, NMEMBER, **options)
    model.set_state({"soil_temperature": np.array(model.state["soil_temperature"]) - 18.0})  # 258 to 288 K
    weather, areas = Weather(rng, NCELL, snow_free=False), random_areas(rng, model.npatch, NCELL)
    for hour in range(steps):
        model.advance(weather.step(float(hour)), *areas, 3600.0)

    def go_on(count=24):
        for hour in range(steps, steps + count):
            model.advance(weather.step(float(hour)), *areas, 3600.0)
            assert np.abs(model.flux["water_balance_residual"]).max() < 1e-9
            assert np.abs(model.flux["energy_balance_residual"]).max() < 1e-6

    return model, go_on


def capacity_of_solids(model):
    """Heat capacity of soil layers without water: the slope of the heat of dry soil [J m-2 K-1]."""
    state = {name: np.array(view) for name, view in model.state.items()}
    slopes = np.zeros((model.nlayer, model.nmember, model.ncell))
    nothing = np.zeros_like(slopes)
    model.state["soil_water"][...], model.state["soil_ice"][...] = nothing, nothing
    for layer in range(model.nlayer):
        before = model.land_heat()
        model.state["soil_temperature"][layer] += 1.0
        slopes[layer] = model.land_heat() - before
    for name, view in state.items():
        model.state[name][...] = view
    return slopes


def test_the_analysed_temperature_is_heat_and_ice_has_its_latent_heat():
    model, go_on = frozen_columns()
    rng = np.random.default_rng(1)
    solids, n = capacity_of_solids(model), model.nlayer
    mass = 1000.0 * model.thickness[:, None, None]
    temperature, water, ice = (np.array(model.state[name]) for name in ("soil_temperature", "soil_water", "soil_ice"))
    assert (ice > 0.01).sum() > 50 and (ice == 0.0).sum() > 50
    shift = rng.normal(0.0, 4.0, temperature.shape)
    shift[:, 0] = 0.0
    capacity = solids + mass * (WATER * water + ICE * ice)
    heat = model.land_heat()
    added, clipped = model.change_soil_temperature(temperature + shift)
    assert clipped == 0
    now, new_water, new_ice = (np.array(model.state[name]) for name in ("soil_temperature", "soil_water", "soil_ice"))
    # the first member does not move, to the last bit
    for old, new in ((temperature, now), (water, new_water), (ice, new_ice)):
        assert np.array_equal(old[:, 0], new[:, 0])
    assert new_water + new_ice == pytest.approx(water + ice, abs=1e-15)
    rock = (model.thermal_thickness[n:, None, None] * 2e6 * shift[n:]).sum(axis=0)
    expected = (capacity * shift[:n]).sum(axis=0) + rock
    assert model.land_heat() - heat == pytest.approx(expected, rel=1e-10, abs=1e-3)
    assert np.abs(added).max() < 1e-3
    # far from ice it is the temperature of the analysis; where there is ice it is on the freezing curve
    warm = (ice == 0.0) & (temperature[:n] + shift[:n] > FREEZING)
    assert np.array_equal(now[:n][warm], (temperature + shift)[:n][warm])
    film, scale, power = (one.reshape(ice.shape) for one in freezing_curve(model))
    some = (new_ice > 1e-6) & (shift[:n] != 0.0)
    assert some.sum() > 30 and (now[:n][some] < FREEZING).all()
    curve = film[some] + scale[some] * (FREEZING - now[:n][some]) ** -power[some]
    assert (mass * new_water)[some] == pytest.approx(np.minimum(curve, (mass * (water + ice))[some]), rel=1e-6)
    # soil with much ice does not pass the freezing point by an increment smaller than its latent heat
    small = (ice * mass * FUSION > 1.5 * capacity * np.abs(shift[:n])) & (shift[:n] > 0.0)
    assert small.any() and (now[:n][small] <= FREEZING).all()
    go_on()


def test_temperatures_beyond_the_range_are_cut_and_counted():
    model, _ = frozen_columns(steps=1)
    wanted = np.array(model.state["soil_temperature"])
    wanted[0, 1], wanted[-1, 2] = 400.0, 100.0
    _, clipped = model.change_soil_temperature(wanted)
    assert clipped == 2 * NCELL
    assert model.state["soil_temperature"][-1, 2] == pytest.approx(180.0)


def test_snow_is_scaled_made_and_removed():
    model, go_on = frozen_columns()
    state = {name: np.array(view) for name, view in model.state.items()}
    before = snow_mass(model.state)
    assert (before > 1.0).sum() > 10 and (before == 0.0).sum() > 10
    wanted = np.where(before > 0.0, 1.7 * before, 12.0)
    wanted[:, 1::3] = 0.0
    wanted[:, 2::3] = before[:, 2::3]
    water = model.land_water()
    heat = model.land_heat()
    added, clipped = model.change_snow_mass(wanted)
    assert clipped == 0 and snow_mass(model.state) == pytest.approx(wanted, rel=1e-13)
    assert added == pytest.approx(wanted - before, abs=1e-9) and model.land_water() - water == pytest.approx(added)
    assert model.flux["snow_mass"] == pytest.approx(wanted, rel=1e-13)
    for name in (name for name in state if name.startswith("snow_")):
        gone, kept = model.state[name][..., 1::3], model.state[name][..., 2::3]
        empty = {"snow_temperature": FREEZING, "snow_grain_radius": 54.5}.get(name, 0.0)
        assert (gone == empty).all()
        assert np.array_equal(kept, state[name][..., 2::3])
    # heat of what joined and left: that of its ice, below that of water
    ice_before, ice = state["snow_ice"], model.state["snow_ice"]
    cold = [one * (ICE * (temp - FREEZING) - FUSION) for one, temp in (
        (ice, model.state["snow_temperature"]), (ice_before, state["snow_temperature"]))]
    assert model.land_heat() - heat == pytest.approx((cold[0] - cold[1]).sum(axis=0), rel=1e-9, abs=1e-2)
    # a pack keeps its density and its cover
    scaled = np.zeros(before.shape, dtype=bool)
    scaled[:, ::3] = before[:, ::3] > 0.0

    def density(fields):
        volume = fields["snow_layer_thickness"].sum(axis=0) * fields["snow_cover_fraction"]
        return np.divide(fields["snow_ice"].sum(axis=0) + fields["snow_liquid"].sum(axis=0), volume,
                         where=volume > 0.0, out=np.zeros_like(volume))

    dry = scaled & (state["snow_liquid"].sum(axis=0) == 0.0)
    assert density(model.state)[dry] == pytest.approx(density(state)[dry], rel=1e-9) and dry.sum() > 3
    assert np.array_equal(model.state["snow_cover_fraction"][scaled], state["snow_cover_fraction"][scaled])
    fresh = (before == 0.0) & (wanted > 0.0)
    assert fresh.any() and (model.state["snow_cover_fraction"][fresh] > 0.3).all()
    assert density(model.state)[fresh].min() > 40.0 and density(model.state)[fresh].max() < 450.0
    go_on()


def test_negative_snow_is_none_and_counted():
    model, _ = frozen_columns()
    _, clipped = model.change_snow_mass(np.full((NMEMBER, NCELL), -3.0))
    assert clipped == NMEMBER * NCELL and not snow_mass(model.state).any()


@pytest.mark.parametrize("name", ["surface_water", "canopy_water", "canopy_snow", "growth_temperature"])
def test_stores(name):
    model, go_on = frozen_columns(steps=24)
    before = np.array(model.state[name])
    wanted = before + np.random.default_rng(2).normal(0.0, 0.3, before.shape)
    water = model.land_water()
    added, clipped = model.change_store(name, wanted)
    assert clipped == np.count_nonzero(wanted < 0.0)
    change = np.array(model.state[name]) - before
    if name == "growth_temperature":
        change *= 0.0
    elif change.ndim == 3:
        change = (change * model.parameter["patch_fraction"]).sum(axis=0)
    assert added == pytest.approx(change, abs=1e-9) and model.land_water() == pytest.approx(water + change)
    go_on()
    with pytest.raises(InputError, match="cannot replace 'soil_ice'"):
        model.change_store("soil_ice", wanted)


@pytest.mark.parametrize("retention", ["van_genuchten", "clapp_hornberger"])
def test_water_stays_within_new_pores_and_heads_follow(retention):
    model, go_on = frozen_columns(retention=retention)
    rng = np.random.default_rng(3)
    state = {name: np.array(view) for name, view in model.state.items()}
    old = {name: np.array(view) for name, view in model.parameter.items()}
    factor = np.exp(rng.normal(0.0, 0.15, (NMEMBER, NCELL)))
    factor[:, ::4] = 1.0
    new = {"porosity": np.clip(old["porosity"] * factor, 0.05, 0.9),
           "saturated_conductivity": old["saturated_conductivity"] * factor**5,
           "retention_scale": old["retention_scale"] * factor**3,
           "retention_shape": np.where(factor == 1.0, old["retention_shape"],
                                       1.0 + (old["retention_shape"] - 1.0) * factor)}
    water = model.land_water()
    added, _ = model.change_parameters(new)
    assert model.land_water() - water == pytest.approx(added, abs=1e-9)
    now = model.state
    room = model.parameter["porosity"] - now["soil_ice"]
    assert (now["soil_water"] <= room).all() and np.array_equal(now["soil_ice"], state["soil_ice"])
    full = (state["pressure_head"] >= 0.0) & (factor != 1.0)
    assert full.sum() > 20 and np.array_equal(now["soil_water"][full], room[full])
    assert now["pressure_head"][full] == pytest.approx(state["pressure_head"][full])
    held = state["soil_water"]
    dry = ~full & (held < old["porosity"] - state["soil_ice"]) & (held < 0.6 * room) & (
        held > model.parameter["residual_water"] + 0.1)
    assert dry.sum() > 50 and np.array_equal(now["soil_water"][dry], state["soil_water"][dry])
    same = np.broadcast_to(factor == 1.0, now["soil_water"].shape)
    assert np.array_equal(now["pressure_head"][same], state["pressure_head"][same])
    # heads belong to the water: filling from them gives it back
    heads, kept = np.array(now["pressure_head"]), np.array(now["soil_water"])
    model.set_state({"pressure_head": heads})
    assert now["soil_water"] == pytest.approx(kept, abs=1e-9)
    assert model.parameter["saturated_conductivity"] == pytest.approx(new["saturated_conductivity"])
    go_on()


def test_pores_leave_room_for_ice():
    model, go_on = frozen_columns()
    ice = np.array(model.state["soil_ice"])
    _, clipped = model.change_parameters({"porosity": np.full_like(ice, 0.12)})
    assert clipped == np.count_nonzero(ice > 0.99 * (0.12 - model.parameter["residual_water"])) > 0
    assert (model.state["soil_water"] + ice <= model.parameter["porosity"] + 1e-15).all()
    go_on()


def test_leaves_are_those_of_the_member():
    model, go_on = frozen_columns(steps=1)
    model.change_parameters({"leaf_area_factor": np.array([0.5, 1.0, 1.5])[:, None] * np.ones(NCELL)})
    go_on(1)
    leaves = model.forcing["leaf_area_index"]
    assert np.array_equal(leaves[:, 0], 0.5 * leaves[:, 1]) and leaves.max() > 4.0
    assert np.array_equal(leaves[:, 2], np.minimum(1.5 * leaves[:, 1], 15.0))


def test_heat_of_a_run_is_what_came_through_the_surface_and_what_analyses_added():
    """Without snow, and with soil water that stays in its layers, nothing else brings heat."""
    rng = np.random.default_rng(8)
    model = random_columns(rng, NCELL, NMEMBER)
    model.core.prescribe_water(True)
    model.set_state({"soil_temperature": np.array(model.state["soil_temperature"]) - 16.0})
    weather, areas = Weather(rng, NCELL), random_areas(rng, model.npatch, NCELL)
    start, gained = model.land_heat(), np.zeros((NMEMBER, NCELL))
    for hour in range(36):
        model.advance(weather.step(float(hour)), *areas, 3600.0)
        gained += 3600.0 * model.flux["ground_heat_flux"]
        if hour % 12 == 5:
            before = model.land_heat()
            temperature = np.array(model.state["soil_temperature"])
            model.change_soil_temperature(temperature + rng.normal(0.0, 2.0, temperature.shape))
            model.change_soil_water(np.array(model.state["soil_water"]) + 0.02)
            model.change_parameters({"porosity": 0.97 * np.array(model.parameter["porosity"])})
            gained += model.land_heat() - before
    assert model.state["soil_ice"].max() > 0.05 and np.abs(model.land_heat() - start).max() > 1e7
    assert model.land_heat() - start == pytest.approx(gained, abs=1e-9 * np.abs(start).max())


def test_a_mosaic_counts_the_share_of_the_soil():
    model, _ = frozen_columns(steps=24)
    lakes = LakeColumns(np.full(NCELL, 5.0), NMEMBER, latitude=np.full(NCELL, 50.0),
                        reference_height=np.full(NCELL, 40.0), temperature=np.full(NCELL, 280.0))
    share = np.linspace(0.0, 0.9, NCELL)
    mosaic = SurfaceMosaic(model, [SurfacePart("lake", np.arange(NCELL), share, lakes)])
    water, heat = mosaic.land_water(), mosaic.land_heat()
    mass = snow_mass(model.state)
    added, _ = mosaic.change_snow_mass(mass + 3.0)
    assert added == pytest.approx((1.0 - share) * 3.0 * np.ones((NMEMBER, 1)), abs=1e-9)
    assert mosaic.land_water() - water == pytest.approx(added, abs=1e-9)
    temperature = np.array(model.state["soil_temperature"]) + 1.0
    more, _ = mosaic.change_soil_temperature(temperature)
    assert mosaic.land_water() - water == pytest.approx(added + more, abs=1e-9)
    assert mosaic.land_heat() - heat == pytest.approx((1.0 - share) * (model.land_heat() - heat / (1.0 - share)))
