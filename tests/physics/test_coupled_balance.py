"""Land over the distributed subsurface: water and energy close whatever the layers, the weather and the land."""

from __future__ import annotations

import numpy as np
import pytest
from catchments import LAND, random_catchment
from columns import Weather, random_areas

STEP = 1800.0
AREA = 200.0 * 200.0


def stored(model):
    """Return all water, (member,) [m3]."""
    balance = model.flow.balance
    on_land = model.water_above().sum(axis=1) * AREA / 1000.0
    return balance["storage_subsurface"] + balance["storage_surface"] + on_land


def run(model, rng, steps, snow_free):
    """Advance under extreme weather; return water that came less water that went, and the largest volume of both."""
    weather = Weather(rng, model.ncell, snow_free=snow_free)
    areas = random_areas(rng, model.npatch, model.ncell)
    net, turnover = np.zeros(model.nmember), np.zeros(model.nmember)
    for index in range(steps):
        now = weather.step(index * STEP / 3600.0)
        model.advance(now, *areas, STEP)
        came = (now["rain"] + now["snowfall"]).sum() * STEP * AREA / 1000.0
        went = model.flux["evapotranspiration"].sum(axis=1) * STEP * AREA / 1000.0
        left = model.outflow["discharge"].reshape(model.nmember, -1).sum(axis=1) * STEP
        ran_off = model.outflow["surface_runoff"].reshape(model.nmember, -1).sum(axis=1) * STEP * AREA / 1000.0
        net += came - went - left - ran_off
        turnover += came + np.abs(went) + left + ran_off
        assert model.flux["transpiration"].min() > -1e-15  # ice takes no water that roots would have to give back
    return net, turnover


@pytest.mark.parametrize("snow_free", [True, False])
@pytest.mark.parametrize("land", LAND)
def test_water_of_land_and_ground_closes(land, snow_free):
    """Five days of extremes; with frost, ice takes part of the pores of cells that the layers of the land share."""
    rng = np.random.default_rng(11 + snow_free)
    model = random_catchment(rng, land=land)
    before = stored(model)
    net, turnover = run(model, rng, 240, snow_free)
    assert np.abs(stored(model) - before - net).max() < 1e-10 * turnover.min()
    assert np.abs(model.flux["water_balance_residual"]).max() < 1e-9
    assert np.abs(model.flux["energy_balance_residual"]).max() < 1e-6
    if not snow_free:
        assert model.flux["soil_ice"].max() > 0.05


@pytest.mark.parametrize("options", [
    {"overland": "none"}, {"overland": "diffusive"}, {"overland": "kinematic_cells"}, {"iterations": 3},
])
def test_water_closes_with_every_kind_of_overland_flow_and_in_iterated_steps(options):
    rng = np.random.default_rng(5)
    model = random_catchment(rng, **options)
    before = stored(model)
    net, turnover = run(model, rng, 96, snow_free=False)
    assert np.abs(stored(model) - before - net).max() < 1e-10 * turnover.min()


def test_water_closes_where_cells_are_missing():
    rng = np.random.default_rng(8)
    active = rng.random((5, 6)) < 0.7
    model = random_catchment(rng, active=active)
    before = stored(model)
    net, turnover = run(model, rng, 96, snow_free=True)
    assert np.abs(stored(model) - before - net).max() < 1e-10 * turnover.min()
