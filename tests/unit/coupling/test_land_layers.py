"""Layers of the land over layers of the ground: overlap, parameters, water that goes up and down."""

from __future__ import annotations

import numpy as np
import pytest
from catchments import LAND, random_catchment
from columns import THICKNESS

from pyland.base.errors import InputError
from pyland.coupling.land_layers import map_to_land_layers, overlap_of_layers


@pytest.mark.parametrize("land", LAND.values(), ids=LAND)
def test_overlap_fills_the_layers_of_the_land(land):
    common = overlap_of_layers(land, THICKNESS)
    np.testing.assert_allclose(common.sum(axis=1), land, rtol=1e-12)
    assert np.all(common.sum(axis=0) <= THICKNESS * (1.0 + 1e-12))


def test_volumes_are_means_and_curves_those_of_the_thickest_piece():
    soil = {"porosity": np.array([[0.4], [0.5], [0.3]]), "retention_shape": np.array([[1.5], [2.5], [1.2]])}
    mapped = map_to_land_layers(soil, np.array([0.1, 0.3, 0.2]), np.array([0.2, 0.2, 0.4]))
    np.testing.assert_allclose(mapped["porosity"][:, 0], [0.4, (0.1 * 0.4 + 0.2 * 0.5) / 0.3, 0.3])
    np.testing.assert_array_equal(mapped["retention_shape"][:, 0], [1.5, 2.5, 1.2])


def test_land_below_the_ground_is_refused():
    with pytest.raises(InputError, match="soil layers of the land reach 3 m deep; expected at most the 2 m"):
        map_to_land_layers({"porosity": np.ones((2, 1))}, np.array([1.0, 2.0]), np.array([1.0, 1.0]))


@pytest.mark.parametrize("land", LAND)
def test_the_land_sees_the_water_of_the_ground(land):
    """Means over layers of the land are means over the ground, also with ice in a part of a cell."""
    rng = np.random.default_rng(4)
    model = random_catchment(rng, land=land)
    columns = model.columns
    common = overlap_of_layers(LAND[land], THICKNESS)
    depth = common.sum(axis=0) / THICKNESS  # of each cell that the land covers

    def check():
        ground = model.flux["soil_water"]
        seen = columns.state["soil_water"]
        whole = depth > 1.0 - 1e-9
        inside = np.flatnonzero(whole)
        reach = THICKNESS[inside].sum()
        within = np.cumsum(LAND[land]) <= reach * (1.0 + 1e-9)
        if np.isclose(LAND[land][within].sum(), reach):
            np.testing.assert_allclose(np.einsum("k,kmc->mc", LAND[land][within], seen[within]),
                                       np.einsum("k,kmc->mc", THICKNESS[inside], ground[inside]), rtol=1e-9)
        open_pores = columns.parameter["porosity"] - columns.state["soil_ice"]
        assert np.all(seen <= open_pores * (1.0 + 1e-9))

    check()
    water = columns.state["soil_water"][0].copy()
    ice = np.zeros_like(columns.state["soil_ice"])
    ice[0] = 0.6 * np.maximum(water - columns.parameter["residual_water"][0], 0.0)
    model.set_state({"soil_ice": ice})
    check()


def test_a_change_of_soil_water_is_booked():
    rng = np.random.default_rng(6)
    model = random_catchment(rng, land="finer")
    before = model.flow.balance
    wanted = model.flux["soil_water"] + 0.02
    added, clipped = model.change_soil_water(wanted)
    after = model.flow.balance
    booked = (after["increment"] - before["increment"]) / (200.0 * 200.0) * 1000.0
    np.testing.assert_allclose(added.sum(axis=1), booked, rtol=1e-9)
    assert clipped > 0  # saturated cells take no more
    porosity = model.flow.porosity.reshape(THICKNESS.size, 1, -1)
    dry = wanted < 0.98 * porosity
    np.testing.assert_allclose(model.flux["soil_water"][dry], wanted[dry], rtol=1e-6)
