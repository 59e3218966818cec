"""The land columns alone, over prescribed soil water."""

import doctest

import numpy as np
import pytest

from pyland.base.errors import InputError, StateError
from pyland.core.runtime import set_threads
from pyland.coupling import ColumnModel
from pyland.land import LandModel, land_model, plant_parameters

DT = 1800.0
NOON = {
    "air_temperature": 293.0, "specific_humidity": 0.008, "surface_pressure": 1.0e5, "wind_speed": 3.0,
    "shortwave_down": 700.0, "longwave_down": 330.0, "rain": 0.0, "snowfall": 0.0, "cosine_zenith": 0.8,
    "daylength_factor": 1.0, "co2": 4.0e-4,
}


def day(step: int) -> dict[str, float]:
    """Half an hour of a day with a shower at noon and some snowfall."""
    hour = step / 2.0
    sun = max(0.0, np.sin((hour - 6.0) / 12.0 * np.pi))
    return NOON | {
        "air_temperature": 288.0 + 6.0 * np.sin((hour - 9.0) / 12.0 * np.pi), "shortwave_down": 800.0 * sun,
        "cosine_zenith": 0.9 * sun, "rain": 2.0e-3 if 24 <= step < 28 else 0.0,
        "snowfall": 1.0e-5 if step == 4 else 0.0}


def test_the_example_runs():
    assert doctest.testmod(land_model).failed == 0


def test_energy_and_water_close_and_soil_water_stays():
    model = LandModel(["c3_grass", "c4_grass"], fraction=[0.7, 0.3], ncolumn=3, sand=[20.0, 50.0, 80.0], clay=10.0)
    model.set_soil_water(0.25)
    water, head = model.state["soil_water"].copy(), model.state["pressure_head"].copy()
    share = model.parameter["patch_fraction"]
    for step in range(48):
        before = (share * (model.state["canopy_water"] + model.state["canopy_snow"])).sum(axis=0)
        snow = (model.state["snow_ice"] + model.state["snow_liquid"]).sum(axis=0)
        forcing = day(step)
        model.advance(forcing, leaf_area=[2.0, 1.0], stem_area=0.2, dt=DT)
        flux = model.flux
        change = (share * (model.state["canopy_water"] + model.state["canopy_snow"])).sum(axis=0) - before
        supply = forcing["rain"] + forcing["snowfall"] - flux["canopy_evaporation"] - flux["throughfall"]
        assert np.allclose(change, DT * supply, atol=1e-12)
        evaporated = flux["evapotranspiration"] - flux["transpiration"] - flux["canopy_evaporation"]
        assert np.allclose(DT * flux["infiltration"] + flux["snow_mass"] - snow,
                           DT * (flux["throughfall"] - evaporated), rtol=1e-12, atol=1e-12)
        assert (np.abs(flux["water_balance_residual"]) < 1e-10).all()
        assert (np.abs(flux["energy_balance_residual"]) < 1e-9).all()
        assert not flux["surface_runoff"].any() and not flux["subsurface_runoff"].any()
    assert np.array_equal(water, model.state["soil_water"]) and np.array_equal(head, model.state["pressure_head"])
    assert not model.state["surface_water"].any()


def test_same_column_as_the_whole_model_while_water_is_no_limit():
    land = LandModel(["c3_grass"], ncolumn=2, sand=[30.0, 60.0], clay=15.0)
    land.set_soil_water(0.3)
    skip = {"thickness"}
    whole = ColumnModel(
        land.layers.thickness, land.layers.bedrock_thickness,
        {name: field for name, field in land.parameter.items() if name not in skip}, ncell=2)
    whole.set_state({"soil_water": land.state["soil_water"], "soil_temperature": land.state["soil_temperature"],
                     "leaf_temperature": land.state["leaf_temperature"],
                     "growth_temperature": land.state["growth_temperature"][None]})
    land.advance(NOON, 2.0, 0.2, DT)
    weather = {name: np.full(2, value) for name, value in NOON.items()}
    whole.advance(weather, np.full((1, 2), 2.0), np.full((1, 2), 0.2), DT)
    for name in ("latent_heat_flux", "sensible_heat_flux", "net_radiation", "transpiration"):
        # the whole model hands back what the soil could not give: round-off of the shares here
        assert np.allclose(land.flux[name], whole.flux[name][0], rtol=1e-11, atol=1e-13), name
    assert np.array_equal(land.state["soil_temperature"], whole.state["soil_temperature"][:, 0])


def test_transpiration_follows_prescribed_water():
    model = LandModel(["c3_grass"], ncolumn=2)
    residual, porosity = model.parameter["residual_water"][0, 0], model.parameter["porosity"][0, 0]
    wetness = residual + np.array([0.03, 0.8]) * (porosity - residual)
    model.set_soil_water(np.repeat(wetness[None], 20, axis=0))
    model.set_temperature(295.0)
    model.advance(NOON, 2.0, 0.2, DT)
    assert model.flux["transpiration"][1] > 1.2 * model.flux["transpiration"][0]
    assert model.flux["water_stress"][1] == pytest.approx(1.0)
    assert model.flux["soil_evaporation"][1] > model.flux["soil_evaporation"][0]


def test_bits_do_not_depend_on_place_threads_or_number_of_columns():
    rng = np.random.default_rng(3)
    sand, warmth = rng.uniform(10.0, 80.0, 100), rng.uniform(280.0, 300.0, 100)

    def run(columns: slice) -> np.ndarray:
        model = LandModel(["c3_grass"], ncolumn=sand[columns].size, sand=sand[columns], clay=10.0)
        model.set_temperature(warmth[columns])
        for step in (2, 20, 24):
            model.advance(day(step) | {"air_temperature": warmth[columns]}, 2.0, 0.2, DT)
        return np.concatenate([model.flux["latent_heat_flux"][None], model.state["soil_temperature"]])

    everything = run(slice(None))
    for columns in (slice(0, 1), slice(17, 60), slice(99, 100)):
        assert np.array_equal(everything[:, columns], run(columns))
    set_threads(2)
    try:
        assert np.array_equal(everything, run(slice(None)))
    finally:
        set_threads(1)


def test_plants_may_be_changed_parameters_and_bare_ground():
    shady = plant_parameters("c3_grass", vcmax25_top=20.0)
    model = LandModel([shady, "c3_grass", "c3_grass"], fraction=np.full((3, 1), 1 / 3))
    model.advance(NOON, [2.0, 2.0, 0.0], [0.2, 0.2, 0.0], DT)
    assert model.state["leaf_temperature"][0, 0] > model.state["leaf_temperature"][1, 0]
    assert model.parameter["vcmax25_top"][0, 0] == 20.0


@pytest.mark.parametrize(("arguments", "word"), [
    ({"plants": "c3_grass"}, "list"),
    ({"plants": ["c3_gras"]}, "c3_gras"),
    ({"plants": [{"vcmax25_top": 60.0}]}, "lacks"),
    ({"plants": ["c3_grass"], "sand": [1.0, 2.0]}, "sand has shape"),
    ({"plants": ["c3_grass"], "stomata": "jarvis"}, "jarvis"),
    ({"plants": ["c3_grass"], "fraction": [0.5]}, "patch_fraction"),
    ({"plants": ["c3_grass"], "parameters": {"porosty": 0.4}}, "porosty"),
])
def test_wrong_arguments_are_named(arguments, word):
    with pytest.raises(InputError, match=word):
        LandModel(**arguments)


def test_wrong_values_are_named():
    model = LandModel(["c3_grass"])
    before = model.state["soil_water"].copy()
    with pytest.raises(InputError, match="layer 0, column 0 is 0.7"):
        model.set_soil_water(0.7)
    assert np.array_equal(before, model.state["soil_water"])
    with pytest.raises(InputError, match="173.15"):
        model.set_temperature(20.0)
    with pytest.raises(InputError, match="air_temp"):
        model.advance({"air_temp": 290.0}, 1.0, 0.1, DT)
    with pytest.raises(InputError, match="time step"):
        model.advance(NOON, 1.0, 0.1, 0.0)
    with pytest.raises(StateError, match="column 1"):
        model.advance(NOON | {"rain": np.nan}, 1.0, 0.1, DT)
