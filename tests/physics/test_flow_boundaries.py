"""Every kind of boundary of distributed flow against its flux in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from flow_cases import assert_water_closes

from pyland.base.errors import InputError
from pyland.subsurface import Boundary, DistributedSubsurface

SAND = {"porosity": 0.4, "residual_water": 0.05, "saturated_conductivity": 1e-4, "van_genuchten_alpha": 2.0,
        "van_genuchten_n": 2.0, "specific_storage": 1e-4}
LID = Boundary("no_flow")
YEAR = 3.15e7
THICKNESS = np.array([0.5, 1.0, 1.5])
FACE_DEPTH = (np.cumsum(THICKNESS) - 0.5 * THICKNESS)[:, None]


def confined(sides: dict, soil: dict = SAND, **options) -> DistributedSubsurface:
    """Saturated ground under a lid, 6 x 4 cells."""
    settings = {"nx": 6, "ny": 4, "dx": 10.0, "dy": 5.0, "pressure_head": 5.0} | options
    return DistributedSubsurface(THICKNESS, soil, boundaries={"top": LID} | sides, **settings)


def settle(flow: DistributedSubsurface) -> dict:
    """Steady state of a confined flow, and the last step."""
    for _ in range(3):
        out = flow.advance(YEAR)
    return out


@pytest.mark.parametrize(("low", "high", "length", "width"),
                         [("west", "east", 60.0, 20.0), ("south", "north", 20.0, 60.0)])
def test_head_at_the_sides_drives_darcy_flow(low, high, length, width):
    """K (H1 - H2) / L times the area, exactly: the saturated problem is linear."""
    shape = (3, 4 if low == "west" else 6)
    flow = confined({low: Boundary("head", np.broadcast_to(6.0 + FACE_DEPTH, shape)),
                     high: Boundary("head", np.broadcast_to(4.0 + FACE_DEPTH, shape))})
    out = settle(flow)
    expected = 1e-4 * 2.0 / length * 3.0 * width
    assert out["boundary"][low] == pytest.approx(expected, rel=1e-7)
    assert out["boundary"][high] == pytest.approx(-expected, rel=1e-7)
    line = flow.pressure[0, 0] if low == "west" else flow.pressure[0, :, 0]
    size = length / line.size
    place = (np.arange(line.size) + 0.5) * size
    np.testing.assert_allclose(line, 6.25 - 2.0 * place / length, atol=1e-7)
    assert_water_closes(flow)


def test_conductivities_in_series_and_along_axes():
    """Harmonic mean of cells one behind the other, K of its own along x, and a barrier on one face."""
    conductivity = np.where(np.arange(6) < 3, 1e-4, 4e-6) * np.ones((3, 4, 1))
    soil = SAND | {"saturated_conductivity_x": conductivity, "saturated_conductivity_y": 1e-9}
    sides = {"west": Boundary("head", np.broadcast_to(6.0 + FACE_DEPTH, (3, 4))),
             "east": Boundary("head", np.broadcast_to(4.0 + FACE_DEPTH, (3, 4)))}
    resistance = 30.0 / 1e-4 + 30.0 / 4e-6
    assert settle(confined(sides, soil))["boundary"]["west"] == pytest.approx(2.0 / resistance * 60.0, rel=1e-7)
    barrier = np.ones((3, 4, 6))
    barrier[:, :, 2] = 0.01  # the face between both soils
    face = 5.0 / 1e-4 + 5.0 / 4e-6
    out = settle(confined(sides, soil, barrier_x=barrier))
    assert out["boundary"]["west"] == pytest.approx(2.0 / (resistance + 99.0 * face) * 60.0, rel=1e-7)


def test_vertical_flow_through_layers_in_series():
    """Head above and below: (h_top - h_bottom + L) over the sum of the resistances of the layers."""
    soil = SAND | {"saturated_conductivity": np.array([1e-4, 1e-6, 1e-5])}
    flow = DistributedSubsurface(THICKNESS, soil, nx=2, ny=2, dx=10.0, dy=5.0, pressure_head=2.0,
                                 boundaries={"top": Boundary("head", 1.0), "bottom": Boundary("head", 2.5)})
    expected = (1.0 - 2.5 + 3.0) / (0.5 / 1e-4 + 1.0 / 1e-6 + 1.5 / 1e-5) * 200.0
    out = settle(flow)
    assert out["boundary"]["top"] == pytest.approx(expected, rel=1e-7)
    assert out["boundary"]["bottom"] == pytest.approx(-expected, rel=1e-7)


@pytest.mark.parametrize(("side", "area"), [("west", 60.0), ("north", 180.0), ("bottom", 1200.0)])
def test_flux_is_what_comes_in(side, area):
    """A given flux enters to round-off, into dry ground as well."""
    flow = DistributedSubsurface(THICKNESS, SAND, nx=6, ny=4, dx=10.0, dy=5.0, pressure_head=-2.0,
                                 boundaries={side: Boundary("flux", 1e-7)})
    before = flow.balance["storage_subsurface"]
    for _ in range(24):
        out = flow.advance(3600.0)
        assert out["boundary"][side] == pytest.approx(1e-7 * area, rel=1e-12)
    gained = flow.balance["storage_subsurface"] - before
    assert gained == pytest.approx(1e-7 * area * 86400.0, rel=1e-6)
    assert flow.balance[f"boundary_{side}"] == pytest.approx(1e-7 * area * 86400.0, rel=1e-12)
    assert_water_closes(flow)


def relative_permeability(head: np.ndarray) -> np.ndarray:
    """Of SAND [1]."""
    effective = (1.0 + (2.0 * np.maximum(-head, 0.0)) ** 2) ** -0.5
    return np.sqrt(effective) * (1.0 - (1.0 - effective**2) ** 0.5) ** 2


def test_free_drainage_leaves_with_unit_gradient():
    """K kr of the lowest layer at the end of the step (backward Euler)."""
    flow = DistributedSubsurface(THICKNESS, SAND, nx=3, ny=2, dx=10.0, dy=5.0, pressure_head=-0.8,
                                 boundaries={"bottom": Boundary("free_drainage")})
    for _ in range(10):
        out = flow.advance(600.0)
        assert out["steps"] == 1
        expected = -1e-4 * relative_permeability(flow.pressure[-1]).sum() * 50.0
        assert out["boundary"]["bottom"] == pytest.approx(expected, rel=1e-5)
    assert_water_closes(flow)


def test_seepage_lets_water_out_where_it_stands_and_never_in():
    """Outflow K p / (dx/2) of cells with p > 0, nothing through dry ones, and an end at the lowest face."""
    flow = DistributedSubsurface(np.full(8, 0.25), SAND, nx=5, ny=2, dx=2.0, dy=5.0, water_table_depth=0.6,
                                 boundaries={"east": Boundary("seepage")})
    for _ in range(5):
        out = flow.advance(900.0)
        assert out["steps"] == 1
        at_face = flow.pressure[:, :, -1]
        expected = -(1e-4 * np.maximum(at_face, 0.0) / 1.0 * 0.25 * 5.0).sum()
        assert out["boundary"]["east"] == pytest.approx(expected, rel=1e-5)
    assert (at_face < 0.0).any() and (at_face > 0.0).any()
    for _ in range(60):
        assert flow.advance(86400.0)["boundary"]["east"] <= 0.0
    assert flow.pressure[:, :, -1].max() < 0.05
    assert_water_closes(flow)


def test_hydrostatic_side_holds_its_water_table():
    """At rest with the same table; a lower one draws water, and inside the table goes down to it."""
    flow = DistributedSubsurface(np.full(10, 0.3), SAND, nx=6, ny=2, dx=2.0, dy=5.0, water_table_depth=1.0,
                                 boundaries={"west": Boundary("hydrostatic", 1.0)})
    first = flow.pressure.copy()
    for _ in range(5):
        out = flow.advance(3600.0)
    assert np.abs(flow.pressure - first).max() < 1e-10 and abs(out["boundary"]["west"]) < 1e-10
    flow.set_boundary("west", 2.0)
    assert flow.advance(3600.0)["boundary"]["west"] < 0.0
    for _ in range(60):
        flow.advance(86400.0)
    np.testing.assert_allclose(flow.water_table_depth, 2.0, atol=0.02)
    assert_water_closes(flow)


def test_values_change_in_time_and_patches_add_up():
    """Two patches of one side, one of them changed between steps: Darcy's flow follows at once."""
    upper = np.zeros((3, 4), bool)
    upper[:1] = True
    head = np.broadcast_to(5.0 + FACE_DEPTH, (3, 4))
    flow = confined({"west": [Boundary("head", head, where=~upper), Boundary("flux", 2e-6, where=upper)],
                     "east": Boundary("head", head)})
    settle(flow)
    through = flow.advance(YEAR)["boundary"]
    assert through["east"] == pytest.approx(-through["west"], rel=1e-7)
    flow.set_boundary("west", 0.0, index=1)
    flow.set_boundary("west", head + 1.0)
    flow.set_boundary("east", head - 1.0)
    settle(flow)
    moved = flow.advance(YEAR)["boundary"]
    # the upper layer is closed in the west: what flows is less than through the whole face, more than through the rest
    whole = 1e-4 * 2.0 / 60.0 * 60.0
    assert 2.5 / 3.0 * whole * 0.99 < moved["west"] < whole
    assert moved["east"] == pytest.approx(-moved["west"], rel=1e-7)


def test_only_the_masked_part_of_a_face_is_open():
    """A drain under one cell takes from it; the others go on draining through it."""
    where = np.zeros((4, 6), bool)
    where[1, 2] = True
    flow = DistributedSubsurface(THICKNESS, SAND, nx=6, ny=4, dx=10.0, dy=5.0, pressure_head=-0.5,
                                 boundaries={"bottom": Boundary("free_drainage", where=where)})
    out = flow.advance(600.0)
    assert out["steps"] == 1
    expected = -1e-4 * relative_permeability(flow.pressure[-1, 1, 2]) * 50.0
    assert out["boundary"]["bottom"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("boundaries", [{"west": Boundary("free_drainage")}, {"above": Boundary("no_flow")}])
def test_boundaries_that_make_no_sense_are_refused(boundaries):
    with pytest.raises(InputError):
        confined(boundaries)


def test_a_kind_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="robin"):
        confined({"west": Boundary("robin")})


def test_masks_of_another_face_are_refused():
    with pytest.raises(InputError):
        confined({"west": Boundary("no_flow", where=np.ones((4, 6), bool))})
