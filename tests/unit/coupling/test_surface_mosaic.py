"""Cells of several surfaces: area means of columns that run on their own, closed balances, complete state."""

from __future__ import annotations

import numpy as np
import pytest
from columns import Weather, random_areas, random_columns

from pyland.base.errors import InputError
from pyland.coupling import LakeColumns, SurfaceMosaic, SurfacePart

NCELL, NMEMBER = 9, 2
CELLS = np.array([1, 4, 8])
FRACTION = np.array([0.25, 1.0, 0.6])


def soil():
    return random_columns(np.random.default_rng(4), NCELL, NMEMBER, npatch=2)


def lakes():
    return LakeColumns(np.array([3.0, 20.0, 0.5]), NMEMBER, latitude=np.array([50.0, -3.0, 80.0]),
                       reference_height=np.full(3, 12.0), temperature=np.array([277.0, 300.0, 270.0]))


def mosaic():
    return SurfaceMosaic(soil(), [SurfacePart("lake", CELLS, FRACTION, lakes())])


def march(model, hours=30):
    """Advance and yield the weather of each step."""
    sky, areas = Weather(np.random.default_rng(5), NCELL), random_areas(np.random.default_rng(6), 2, NCELL)
    for hour in range(hours):
        now = sky.step(hour + 0.5)
        model.advance(now, *areas, 3600.0)
        yield now


def test_fluxes_are_area_means_of_separate_runs():
    whole, ground, water = mosaic(), soil(), lakes()
    steps = zip(march(whole), march(ground), strict=True)
    share = np.zeros(NCELL)
    share[CELLS] = FRACTION
    for now, _ in steps:
        water.advance({name: field[CELLS] for name, field in now.items()}, None, None, 3600.0)
        for name in ("latent_heat_flux", "evapotranspiration", "net_radiation", "surface_runoff", "land_water",
                     "transpiration", "ground_temperature"):
            other = np.zeros((NMEMBER, NCELL))
            if name in water.flux:
                other[:, CELLS] = water.flux[name]
            mean = (1.0 - share) * ground.flux[name] + share * other
            assert np.allclose(whole.flux[name], mean, rtol=1e-14, atol=0.0), name
    for name in ground.state:
        assert np.array_equal(whole.state[name], ground.state[name])
    for name in water.state:
        assert np.array_equal(whole.state[name][..., CELLS], water.state[name])
        assert np.isnan(np.delete(whole.state[name], CELLS, axis=-1)).all()
    assert np.array_equal(whole.flux["water_table_depth"], ground.flux["water_table_depth"])
    assert np.array_equal(whole.flux["lake_ice_thickness"][:, CELLS], water.flux["lake_ice_thickness"])
    assert whole.flux["radiative_temperature"] == pytest.approx((whole.flux["longwave_up"] / 5.67e-8) ** 0.25)


def test_water_and_energy_of_cells_close():
    model = mosaic()
    before = model.land_water()
    for now in march(model):
        flux = model.flux
        after = model.land_water()
        water = after - before - 3600.0 * (now["rain"] + now["snowfall"] - flux["evapotranspiration"]
                                           - flux["surface_runoff"] - flux["subsurface_runoff"])
        energy = (flux["net_radiation"] - flux["latent_heat_flux"] - flux["sensible_heat_flux"]
                  - flux["ground_heat_flux"])
        assert np.abs(water).max() < 1e-9 and np.abs(energy).max() < 1e-6
        before = after


def test_state_is_complete():
    first = mosaic()
    list(march(first, 10))
    second = mosaic()
    second.set_state({name: field.copy() for name, field in first.state.items()})
    for one, other in zip(march(first), march(second), strict=True):
        assert one.keys() == other.keys()
    for group in ("state", "flux"):
        for name, field in getattr(first, group).items():
            assert np.array_equal(field, getattr(second, group)[name], equal_nan=True), name


def test_an_analysis_changes_the_water_of_the_soil_share():
    model = mosaic()
    list(march(model, 2))
    before = model.land_water()
    increment, _ = model.change_soil_water(model.state["soil_water"] * 0.9)
    assert model.land_water() - before == pytest.approx(increment, rel=1e-9, abs=1e-10)
    assert (increment[:, 4] == 0.0).all() and (increment[:, 0] < 0.0).all()


def test_a_rank_without_lakes_has_their_variables():
    lake = LakeColumns(np.array([10.0]), NMEMBER, latitude=np.zeros(1), reference_height=np.full(1, 10.0),
                       temperature=np.full(1, 280.0))
    model, ground = SurfaceMosaic(soil(), [SurfacePart("lake", np.array([0]), np.array([0.0]), lake)]), soil()
    list(march(model, 3)), list(march(ground, 3))
    water = model.state["lake_temperature"]
    assert np.isnan(water).all() and water.shape == (10, NMEMBER, NCELL)
    assert np.array_equal(model.flux["latent_heat_flux"], ground.flux["latent_heat_flux"])
    model.set_state({name: field.copy() for name, field in model.state.items()})
    list(march(model, 1))


@pytest.mark.parametrize(("fraction", "words"), [
    ([0.2, 1.2, 0.0], "between 0 and 1"), ([0.2, np.nan, 0.0], "between 0 and 1"),
    ([0.2, 0.1], "one fraction for each cell")])
def test_wrong_fractions(fraction, words):
    with pytest.raises(InputError, match=words):
        SurfaceMosaic(soil(), [SurfacePart("lake", CELLS, np.array(fraction), lakes())])


def test_fractions_of_a_cell_fit():
    parts = [SurfacePart(name, CELLS, FRACTION, lakes()) for name in ("lake", "pond")]
    with pytest.raises(InputError, match="cell 4 cover 2 of it"):
        SurfaceMosaic(soil(), parts)


def test_errors_name_the_surface():
    model = mosaic()
    model.parts[0].columns.state["lake_temperature"][0, 1, 2] = np.nan
    with pytest.raises(Exception, match="lake_temperature.*cell 2, member 1.*lake"):
        list(march(model, 1))
