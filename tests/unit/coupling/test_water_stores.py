"""Water by store and evaporation by its ways: nothing is counted twice, nothing is left out."""

from __future__ import annotations

import numpy as np
import pytest
from columns import Weather, random_areas, random_columns

from pyland.coupling import LakeColumns, SurfaceMosaic, SurfacePart, glacier_columns
from pyland.coupling.water_stores import EVAPORATION_PARTS, WATER_STORES, saturated_depth

NCELL, NMEMBER = 9, 2
THICKNESS = np.array([0.02, 0.04, 0.06, 0.12, 0.2, 0.4, 0.8])


def soil(**options):
    return random_columns(np.random.default_rng(4), NCELL, NMEMBER, npatch=2, **options)


def march(model, hours=30, snow_free=False):
    sky = Weather(np.random.default_rng(5), NCELL, snow_free=snow_free)
    areas = random_areas(np.random.default_rng(6), 2, NCELL)
    for hour in range(hours):
        now = sky.step(hour + 0.5)
        model.advance(now, *areas, 3600.0)
        yield now


def mosaic():
    lakes = LakeColumns(np.array([3.0, 20.0]), NMEMBER, latitude=np.array([50.0, -3.0]),
                        reference_height=np.full(2, 12.0), temperature=np.array([270.0, 300.0]))
    ice = glacier_columns(THICKNESS, np.array([273.15, 250.0]), np.full(2, 12.0), NMEMBER)
    return SurfaceMosaic(soil(), [SurfacePart("lake", np.array([1, 4]), np.array([0.25, 1.0]), lakes),
                                  SurfacePart("glacier", np.array([0, 8]), np.array([0.5, 0.3]), ice)])


@pytest.mark.parametrize("make", [soil, mosaic])
def test_stores_and_parts_add_up(make):
    model = make()
    for _ in march(model):
        whole = model.land_water()
        stores, parts = model.water_stores(), model.evaporation_parts()
        assert tuple(stores) == WATER_STORES and tuple(parts) == EVAPORATION_PARTS
        assert sum(stores.values()) == pytest.approx(whole, rel=1e-13, abs=1e-10)
        assert sum(parts.values()) == pytest.approx(model.flux["evapotranspiration"], rel=1e-12, abs=1e-18)
        assert all(stores[name].min() >= 0.0 for name in ("ground_water", "snow", "surface", "canopy"))
    assert stores["snow"].max() > 0.0 and stores["canopy"].max() > 0.0


def test_each_surface_evaporates_by_its_own_way():
    model = mosaic()
    list(march(model, 20))
    parts = model.evaporation_parts()
    lake = parts["open_water_evaporation"]
    assert (lake[:, [1, 4]] != 0.0).all() and (np.delete(lake, [1, 4], axis=1) == 0.0).all()
    assert np.abs(parts["transpiration"][:, 4]).max() == 0.0  # all lake
    stores = model.water_stores()
    assert (stores["glacier"][:, [0, 8]] > 1000.0 * 0.3).all() and (stores["glacier"][:, 1:8] == 0.0).all()


def test_snow_on_the_ground_sublimates_what_the_core_says():
    """Without leaves all sublimation is that of snow on the ground."""
    model = soil()
    bare, sky = np.zeros((2, NCELL)), Weather(np.random.default_rng(5), NCELL, snow_free=False)
    for hour in range(40):
        model.advance(sky.step(hour + 0.5), bare, bare, 3600.0)
        ground = model.evaporation_parts()["snow_sublimation"]
        assert ground == pytest.approx(model.flux["sublimation"], rel=1e-9, abs=1e-17)
    assert np.abs(ground).max() > 0.0


def test_the_water_table_is_that_of_the_core():
    model = soil()
    for _ in march(model, 5):
        found = saturated_depth(model.thickness, model.state["pressure_head"])
        assert found == pytest.approx(model.flux["water_table_depth"], rel=1e-12, abs=1e-12)


def test_water_tables_of_known_heads():
    thickness = np.array([0.5, 0.5, 1.0])
    middle = np.array([0.25, 0.75, 1.5])
    heads = np.stack([middle - 1.0, middle - 0.1, middle - 3.0, np.array([1.0, -1.0, 0.5]), middle], axis=1)
    assert saturated_depth(thickness, heads) == pytest.approx([1.0, 0.1, 2.0, 1.25, 0.0])


def test_ground_water_is_what_lies_below_the_table():
    model = soil()
    depth = np.cumsum(model.thickness) - 0.5 * model.thickness
    model.set_state({"pressure_head": np.broadcast_to(
        (depth - 0.5 * depth[-1])[:, None, None], model.state["pressure_head"].shape)})
    model.land_water()
    stores, pores = model.water_stores(), model.parameter["porosity"]
    bottom = np.cumsum(model.thickness)
    below = np.clip(bottom - 0.5 * depth[-1], 0.0, model.thickness)
    full = 1000.0 * (pores * below[:, None, None]).sum(axis=0)
    assert (stores["ground_water"] <= full * (1 + 1e-12)).all()
    assert stores["ground_water"] == pytest.approx(full, rel=0.1)
    model.set_state({"pressure_head": np.full(model.state["pressure_head"].shape, -3.0)})
    model.land_water()
    assert (model.water_stores()["ground_water"] == 0.0).all()
