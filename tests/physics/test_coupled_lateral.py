"""Water that runs on from uphill infiltrates, stands, evaporates and leaves: what columns alone cannot do."""

from __future__ import annotations

import numpy as np
import pytest
from catchments import random_catchment
from columns import random_areas
from summer import HOUR, summer_weather

WEST = slice(0, 6)  # cells uphill, which get the rain


def slope_of(overland, **options):
    """Return a slope of twelve cells of one soil that falls to the east, its areas of leaves, and no plants."""
    rng = np.random.default_rng(2)
    model = random_catchment(rng, nx=12, ny=1, nmember=1, overland=overland, steepest=0.0, size=50.0,
                             slope_x=-0.05, slope_y=0.0, is_uniform=True, **options)
    areas = random_areas(rng, 2, model.ncell)
    warmth = np.full((model.columns.thermal_thickness.size, 1, model.ncell), 296.0)
    model.set_state({"pressure_head": np.full((9, 1, model.ncell), -3.0), "soil_temperature": warmth})
    return model, tuple(0.0 * one for one in areas)


def storm_and_sun(overland):
    """Three hours of rain on the upper half, then two dry days; return the model and sums over the lower half."""
    model, areas = slope_of(overland)
    before = model.flux["soil_water_total"][0].copy()
    evaporated, left, soaked = 0.0, 0.0, None
    for hour in range(51):
        weather = summer_weather(hour * HOUR, HOUR, model.ncell)
        if hour < 3:
            weather["rain"][WEST] = 60.0 / HOUR
        model.advance(weather, *areas, HOUR)
        evaporated += model.flux["evapotranspiration"][0, 6:].sum() * HOUR
        left += model.flux["overland_outflow"].sum() * HOUR
        if hour == 3:
            soaked = (model.flux["soil_water_total"][0] + model.flux["surface_water"][0] - before)[6:]
    return soaked, evaporated, left


def test_run_on_wets_the_land_below_and_evaporates_there():
    soaked, evaporated, left = storm_and_sun("kinematic")
    dry, less, nothing = storm_and_sun("none")
    assert nothing == 0.0 and left > 1.0  # [m3]
    assert soaked.min() > 1.0 > np.abs(dry).max()  # [kg m-2]
    assert evaporated > 1.2 * less


def test_a_pond_evaporates_as_much_as_the_air_takes():
    """Water that stands on full ground gives all that is asked for; the pond falls by that and by what sinks in."""
    model, areas = slope_of("none", ponding_depth=0.1)
    heads = np.cumsum(np.r_[0.01, np.full(8, 0.0)])[:, None, None] * np.ones((9, 1, 12))
    depth = model.flow.thickness.cumsum() - 0.5 * model.flow.thickness
    model.set_state({"pressure_head": heads + (depth - depth[0])[:, None, None]})
    noon = summer_weather(12 * HOUR, HOUR, model.ncell)
    before = model.flux["surface_water"][0].copy()
    model.advance(noon, *areas, HOUR)
    assert model.flux["soil_evaporation"].min() * HOUR > 0.1
    assert np.all(model.flux["surface_water"] > 0.0)
    given = model.flux["soil_evaporation"][0] + model.flux["infiltration"][0]
    np.testing.assert_allclose((before - model.flux["surface_water"][0]) / HOUR, given, rtol=1e-6)


def test_soil_that_is_air_dry_gives_nothing_and_the_heat_warms_the_air():
    model, areas = slope_of("kinematic")
    model.set_state({"pressure_head": np.full((9, 1, 12), -9.9e4)})
    for hour in range(8, 16):
        model.advance(summer_weather(hour * HOUR, HOUR, model.ncell), *areas, HOUR)
    assert model.flux["soil_evaporation"].max() * 24.0 * HOUR < 0.3
    assert model.flux["sensible_heat_flux"].min() > 50.0
    assert np.abs(model.flux["energy_balance_residual"]).max() < 1e-6
    assert model.flow.pressure.min() == pytest.approx(-1e5, rel=0.05)
