"""What a filter sees of a run, where masks forbid updates, and what is put back."""

from __future__ import annotations

import numpy as np
import pytest
from columns import random_columns

from pyland.base.cell_ranks import CellRanks
from pyland.base.parallel import Communicator
from pyland.driver.analysis.analysis_state import AnalysisState, UpdatedVariable, field_of
from pyland.driver.member_parameters import MemberParameters, parameter_of

NCELL, NMEMBER = 10, 4
START = np.datetime64("2020-01-01", "s")


@pytest.fixture
def model():
    """Return columns with frost in some members of some cells, snow in others, and water tables."""
    rng = np.random.default_rng(12)
    model = random_columns(rng, NCELL, NMEMBER)
    ice, heads = np.zeros((model.nlayer, NMEMBER, NCELL)), np.full((model.nlayer, NMEMBER, NCELL), -1.5)
    ice[1, 2, 3] = 0.05
    heads[5:, :, 6], heads[7:, 1, 8] = 0.2, 0.4
    snow = np.zeros((5, NMEMBER, NCELL))
    snow[-1, 3, 5] = 8.0
    temperature = np.full((model.thermal_thickness.size, NMEMBER, NCELL), 276.0)
    temperature[0, 1, 4] = 272.9
    temperature[1, 2, 3] = 272.0
    model.set_state({"soil_ice": ice, "pressure_head": heads, "soil_temperature": temperature, "snow_ice": snow,
                     "snow_layer_thickness": snow / 200.0, "snow_cover_fraction": np.minimum(snow[-1], 1.0)})
    model.core.fill_water()
    return model


def ranks():
    comm = Communicator()
    return CellRanks(comm, comm, NMEMBER, np.arange(NCELL))


def moved(model, *variables, time=START, shift=0.01, parameters=None):
    """Add a number to all rows; return the change and which elements of the variables moved, (layer, cell)."""
    state = AnalysisState(variables, START, parameters)
    fields = {name: np.array(field_of(name, model)) for name in state.needs(model)}
    joined = state.take(time, fields, model)
    change = state.put(joined, joined.values + shift, fields, model, ranks())
    return change, {one.name: (np.array(field_of(one.name, model)) != fields[one.name]).any(axis=-2)
                    for one in variables}


def test_frozen_layers_are_those_of_any_member(model):
    _, found = moved(model, UpdatedVariable("soil_water", mask=("frozen",)))
    expected = np.ones((model.nlayer, NCELL), dtype=bool)
    expected[1, 3] = expected[0, 4] = False
    expected &= ~(np.array(model.state["pressure_head"]) > 0.0).all(axis=1)  # full pores take no more
    assert np.array_equal(found["soil_water"], expected)


def test_snow_and_saturation(model):
    _, found = moved(model, UpdatedVariable("soil_temperature", mask=("snow", "saturated")))
    expected = np.ones((model.thermal_thickness.size, NCELL), dtype=bool)
    expected[:, 5] = False
    expected[5:model.nlayer, 6] = expected[7:model.nlayer, 8] = False
    assert np.array_equal(found["soil_temperature"], expected)


def test_layers_and_depths(model):
    depth = np.cumsum(model.thickness) - 0.5 * model.thickness
    _, found = moved(model, UpdatedVariable("soil_water", layers=3), shift=-0.001)
    assert found["soil_water"][:3].all() and not found["soil_water"][3:].any()
    _, found = moved(model, UpdatedVariable("soil_water", max_depth=float(depth[4])), shift=-0.001)
    assert found["soil_water"][:5].all() and not found["soil_water"][5:].any()


def test_variables_wait_for_their_interval(model):
    hour = np.timedelta64(1, "h")
    water, snow = UpdatedVariable("soil_water"), UpdatedVariable("snow_mass", every=7200.0)
    _, found = moved(model, water, snow, time=START + hour)
    assert found["soil_water"].any() and not found["snow_mass"].any()
    _, found = moved(model, water, snow, time=START + 2 * hour)
    assert found["soil_water"].any() and found["snow_mass"].all()
    state = AnalysisState([snow], START)
    assert state.take(START + hour, {"snow_mass": np.array(field_of("snow_mass", model))}, model) is None


def test_depths_of_the_rows(model):
    """Parameters of the soil lie in its layers; what layers share, and plants, belong to no depth; snow lies on top."""
    middle = np.cumsum(model.thickness) - 0.5 * model.thickness
    shared, separate = (UpdatedVariable(name, is_parameter=True, is_shared=name == "porosity")
                        for name in ("porosity", "saturated_conductivity"))
    leaves = UpdatedVariable("vcmax25_top", is_parameter=True)
    variables = [UpdatedVariable("snow_mass"), UpdatedVariable("soil_water"), shared, separate, leaves]
    state = AnalysisState(variables, START)
    depth = state.take(START, {name: np.array(field_of(name, model)) for name in state.needs(model)}, model).depth
    n = model.nlayer
    assert depth[0] == 0.0 and np.array_equal(depth[1:n + 1], middle) and np.isnan(depth[n + 1])
    assert np.array_equal(depth[n + 2:2 * n + 2], middle) and np.isnan(depth[2 * n + 2:]).all()
    assert depth.size == 2 * n + 2 + model.npatch
    found = state.depths(model)
    assert np.isnan(found["porosity"]).all() and np.array_equal(found["saturated_conductivity"], middle)


def test_water_and_heat_that_are_added_are_what_the_land_gains(model):
    names = ("saturated_conductivity", "porosity")
    variables = [UpdatedVariable(name, minimum=0.0) for name in ("snow_mass", "canopy_water", "surface_water")]
    variables += [UpdatedVariable("soil_water", "logit"), UpdatedVariable("soil_temperature")]
    variables += [UpdatedVariable(name, "log", is_parameter=True, is_shared=True) for name in names]
    water, heat = model.land_water(), model.land_heat()
    old = np.array(parameter_of("porosity", model))
    change, found = moved(model, *variables, shift=-0.02, parameters=MemberParameters(names))
    assert model.land_water() - water == pytest.approx(change.water, abs=1e-9)
    assert model.land_heat() - heat == pytest.approx(change.heat, abs=1e-3)
    assert np.abs(change.water).max() > 1.0 and np.abs(change.heat).max() > 1e4
    assert parameter_of("porosity", model) == pytest.approx(old * np.exp(-0.02))
    assert all(where.any() for name, where in found.items() if name not in ("canopy_water", "surface_water"))
    # 0.02 less than nothing: three stores of all members, but the one with snow
    npatch = model.npatch
    assert change.clipped["canopy_water"] == npatch * NMEMBER * NCELL
    assert change.clipped["snow_mass"] == NMEMBER * NCELL - 1
    assert (model.state["soil_water"] <= model.parameter["porosity"] - model.state["soil_ice"]).all()


def test_logit_keeps_water_within_the_pores_of_its_member(model):
    factor = np.linspace(0.9, 1.0, NMEMBER)[:, None]
    model.change_parameters({"porosity": np.array(model.parameter["porosity"]) * factor})
    change, _ = moved(model, UpdatedVariable("soil_water", "logit"), shift=3.0)
    low, high = model.pores()
    assert (model.state["soil_water"] > low).all() and (model.state["soil_water"] <= high).all()
    assert change.clipped["soil_water"] > 0


def test_parts_of_increments_add_up_to_the_whole(model):
    """Added in two halves, an analysis is what it is at once; heat and water are those of both."""
    names = ("saturated_conductivity",)
    variables = [UpdatedVariable("soil_water", layers=4), UpdatedVariable("snow_mass", minimum=0.0),
                 UpdatedVariable("saturated_conductivity", "log", is_parameter=True, is_shared=True)]
    state = AnalysisState(variables, START, MemberParameters(names))
    fields = {name: np.array(field_of(name, model)) for name in state.needs(model)}
    joined = state.take(START, fields, model)
    new, clipped = state.analysed(joined, joined.values - 0.005, fields, model)
    assert clipped == {"soil_water": 0, "snow_mass": NMEMBER * NCELL - 1, "saturated_conductivity": 0}
    water, heat = model.land_water(), model.land_heat()
    half = {name: 0.5 * (values - fields[name]) for name, values in new.items()}
    parts = [state.add(half, model) for _ in range(2)]
    for name, values in new.items():
        assert field_of(name, model) == pytest.approx(values, rel=1e-12, abs=1e-15)
    assert model.land_water() - water == pytest.approx(sum(one.water for one in parts), abs=1e-9)
    assert model.land_heat() - heat == pytest.approx(sum(one.heat for one in parts), abs=1e-3)
