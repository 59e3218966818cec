"""Distributed subsurface: what it takes, what it refuses and in which words, shapes, live views, members."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.base.errors import ConvergenceError, InputError, StateError
from pyland.subsurface import Boundary, DistributedSubsurface, Subsurface

LOAM = {"porosity": 0.4, "residual_water": 0.05, "saturated_conductivity": 1e-6, "van_genuchten_alpha": 2.0,
        "van_genuchten_n": 2.0, "specific_storage": 1e-4}
THICKNESS = (0.1, 0.2, 0.3)
HOUR = 3600.0


def build(soil: object = None, thickness: object = THICKNESS, **options) -> DistributedSubsurface:
    """Three columns from west to east, two from south to north, three layers."""
    settings = {"nx": 3, "ny": 2, "dx": 5.0, "dy": 5.0} | options
    if not {"pressure_head", "water_table_depth"} & set(options):
        settings["pressure_head"] = -1.0
    return DistributedSubsurface(thickness, LOAM if soil is None else soil, **settings)


@pytest.mark.parametrize(("options", "words"), [
    ({"mode": "column"}, "mode.*distributed.*'column'"),
    ({"nx": 0}, "nx.*at least 1, got 0"),
    ({"ny": 2.5}, "ny.*whole number.*2.5"),
    ({"nx": "3"}, "nx.*whole number.*'3'"),
    ({"dx": 0.0}, r"dx and dy.*positive \[m\], got 0"),
    ({"dy": np.nan}, "dy.*NaN"),
    ({"members": 0}, "members.*at least 1"),
    ({"members": 1.5}, "members.*whole number"),
    ({"comm": 3}, "comm.*Communicator, got int"),
    ({"retention": "brooks"}, "retention.*van_genuchten.*'brooks'"),
    ({"overland": "wave"}, "overland.*kinematic.*'wave'"),
    ({"overland": "kinematic", "ponding_depth": 0.1}, "ponding_depth.*overland 'none'"),
    ({"overland_slope_x": np.zeros((2, 4))}, "overland_slope_x.*set overland"),
    ({"overland": "kinematic", "overland_slope_x": np.zeros((2, 4))}, "overland_slope_y.*x and in y"),
    ({"overland": "kinematic", "overland_slope_x": np.zeros((2, 3)), "overland_slope_y": np.zeros((3, 3))},
     r"overland_slope_x.*\(2, 4\).*got \(2, 3\)"),
    ({"overland": "kinematic_cells", "overland_slope_x": np.zeros((2, 4)), "overland_slope_y": np.zeros((3, 3))},
     "kinematic_cells.*columns"),
    ({"ponding_depth": -0.1}, "ponding_depth.*0 m or more, got -0.1"),
    ({"overland": "diffusive", "manning": 0.0}, "manning.*positive.*got 0"),
    ({"overland": "diffusive", "manning": np.ones(3)}, r"manning.*\(2, 3\).*got shape \(3,\)"),
    ({"slope_x": np.zeros(3)}, r"slope_x.*\(y, x\).*\(3,\)"),
    ({"slope_y": np.inf}, "slope_y.*NaN or infinity"),
    ({"slope_floor": 0.0}, "slope_floor.*positive"),
    ({"tolerance": 0.0}, r"tolerance.*positive number \[m\], got 0"),
    ({"tolerance": np.nan}, "tolerance.*NaN"),
    ({"tolerance": [1e-9, 1e-8]}, r"tolerance.*one number, got shape \(2,\)"),
    ({"tolerance": "fine"}, "tolerance.*number.*'fine'"),
    ({"max_iterations": 0}, "max_iterations.*at least 1"),
    ({"min_step": -1.0}, r"min_step.*\[s\], got -1"),
    ({"min_step": 10.0, "max_step": 1.0}, "max_step.*at least min_step, 10.0 s, got 1.0 s"),
    ({"air_entry": -0.1}, "air_entry.*0 m or more"),
    ({"air_dry_head": 1.0}, "air_dry_head.*got 1 m"),
    ({"air_dry_head": -1e9}, "air_dry_head.*-1e.06"),
    ({"active": np.ones((2, 3))}, "active.*booleans.*float64"),
    ({"active": np.ones((3, 2), bool)}, r"active.*\(2, 3\).*got bool of shape \(3, 2\)"),
    ({"active": np.zeros((2, 3), bool)}, "active: no cell"),
    ({"barrier_x": -1.0}, "barrier_x.*not be negative, got -1"),
    ({"barrier_z": np.ones((2, 3))}, r"barrier_z.*\(3, 2, 3\)"),
    ({"pressure_head": -1.0, "water_table_depth": 1.0}, "exactly one"),
    ({"pressure_head": None}, "exactly one"),
    ({"pressure_head": 2e4}, "-1e.06 to 10000 m, got 20000"),
    ({"water_table_depth": 1e7}, "heads of -1e.06"),
    ({"pressure_head": np.full((3, 2), -1.0)}, r"pressure_head.*3 values.*got shape \(3, 2\)"),
    ({"water_table_depth": np.ones(3)}, r"water_table_depth.*\(y, x\)"),
    ({"boundaries": [Boundary("no_flow")]}, "boundaries.*mapping"),
    ({"boundaries": {"above": Boundary("no_flow")}}, "sides west.*'above'"),
    ({"boundaries": {"bottom": "free_drainage"}}, r"boundaries.bottom.*Boundary.*'free_drainage'"),
    ({"boundaries": {"west": Boundary("free_drainage")}}, r"boundaries.west\[0\].*bottom"),
    ({"boundaries": {"bottom": Boundary("seepage")}}, r"boundaries.bottom\[0\].*free_drainage"),
    ({"boundaries": {"bottom": Boundary("head", np.ones(3))}}, r"boundaries.bottom\[0\].*\(2, 3\) \(y, x\)"),
    ({"boundaries": {"west": Boundary("head", np.ones((2, 3)))}}, r"boundaries.west\[0\].*\(3, 2\) \(layer, y\)"),
    ({"boundaries": {"north": [Boundary("no_flow", where=np.ones((3, 2), bool))]}}, r"north\[0\].where.*\(layer, x\)"),
    ({"boundaries": {"top": Boundary("no_flow")}, "overland": "kinematic"}, "boundaries.top.*open surface"),
])
def test_refused_with_a_sentence(options, words):
    with pytest.raises(InputError, match=words):
        build(**options)


@pytest.mark.parametrize(("change", "words"), [
    ({"van_genuchten_m": 0.5}, "unknown.*van_genuchten_m"),
    ({"porosity": 1.2}, "porosity.*exceed 1.*1.2"),
    ({"porosity": "dense"}, "porosity.*numbers, got 'dense'"),
    ({"porosity": [[0.4, 0.4], [0.4]]}, "porosity.*numbers"),
    ({"porosity": np.full((2, 3), 0.4)}, r"porosity.*\(3, 2, 3\).*\(2, 3\)"),
    ({"residual_water": 0.4}, "residual_water.*less than porosity"),
    ({"van_genuchten_alpha": -1.0}, "van_genuchten_alpha.*more than 0.*got -1"),
    ({"van_genuchten_n": 1.0}, "van_genuchten_n.*more than 1.*got 1"),
    ({"van_genuchten_n": 20.0}, r"van Genuchten n.*\(1, 15\]"),
    ({"specific_storage": 0.0}, "specific_storage.*got 0"),
    ({"saturated_conductivity": 0.0}, "saturated_conductivity_x.*positive"),
    ({"saturated_conductivity_y": -1.0}, "saturated_conductivity_y.*got -1"),
    ({"saturated_conductivity": np.nan}, "saturated_conductivity.*NaN"),
])
def test_soil_is_refused_by_name(change, words):
    with pytest.raises(InputError, match=words):
        build(LOAM | change)


def test_soil_that_is_no_soil():
    with pytest.raises(InputError, match="missing.*saturated_conductivity"):
        build({"porosity": 0.4})
    with pytest.raises(InputError, match="soil: expected a mapping"):
        build([0.4])


@pytest.mark.parametrize(("thickness", "words"), [
    ([], "thickness.*layer"), (0.1, r"thickness.*\(layer,\), got \(\)"), ([0.1, 0.0], "thicker than 0 m, got 0"),
    ([0.1, np.nan], "thickness.*NaN"), (["thin"], "thickness.*thin"),
])
def test_thickness_is_refused(thickness, words):
    with pytest.raises(InputError, match=words):
        build(thickness=thickness)


@pytest.mark.parametrize(("arguments", "words"), [
    (("robin",), "expected one of no_flow.*'robin'"),
    (("head",), r"'head' needs a value.*\[m\]"),
    (("hydrostatic",), "'hydrostatic' needs a value"),
    (("flux",), r"'flux' needs a value.*\[m s-1\]"),
    (("seepage", 0.5), "'seepage' takes no value, got 0.5"),
    (("head", "high"), "value.*number.*'high'"),
    (("head", np.nan), "value.*NaN"),
    (("head", 1.0, np.array([0, 2])), "where.*booleans.*int"),
])
def test_conditions_are_refused(arguments, words):
    with pytest.raises(InputError, match=words):
        Boundary(*arguments)


def test_conditions_keep_their_own_copy():
    """An array that the caller goes on using does not change a condition behind his back."""
    head = np.full((3, 2), 1.0)
    flow = build(pressure_head=1.0, boundaries={"west": Boundary("head", head), "east": Boundary("head", 1.0),
                                                "top": Boundary("no_flow")})
    twin = build(pressure_head=1.0, boundaries={"west": Boundary("head", 1.0), "east": Boundary("head", 1.0),
                                                "top": Boundary("no_flow")})
    head[...] = 9.0
    flow.set_boundary("east", 1.0)
    assert flow.advance(HOUR)["boundary"] == twin.advance(HOUR)["boundary"]


def test_one_value_per_layer_means_layers_on_a_square_side_too():
    """``where`` and ``value`` of (layer,) at a side of as many layers as rows."""
    options = {"nx": 2, "ny": 3, "pressure_head": -1.0}
    upper = np.array([True, False, False])
    flow = build(**options, boundaries={"west": Boundary("flux", 1e-7, where=upper)})
    assert flow.advance(HOUR)["boundary"]["west"] == pytest.approx(1e-7 * 0.1 * 15.0)
    flow = build(**options, boundaries={"west": Boundary("flux", np.array([1e-7, 0.0, 0.0]))})
    assert flow.advance(HOUR)["boundary"]["west"] == pytest.approx(1e-7 * 0.1 * 15.0)


def test_the_first_condition_takes_a_face():
    """Of conditions that overlap the first holds; the last without ``where`` has the rest."""
    left = np.zeros((2, 3), bool)
    left[:, :2] = True
    flow = build(boundaries={"bottom": [Boundary("flux", 1e-8, where=left), Boundary("flux", 2e-8, where=~left | left),
                                        Boundary("flux", 5e-8)]})
    assert flow.advance(HOUR)["boundary"]["bottom"] == pytest.approx(25.0 * (4 * 1e-8 + 2 * 2e-8))


@pytest.mark.parametrize("members", [1, 3])
def test_shapes(members):
    """A member axis comes before, if there are members."""
    flow = build(members=members, boundaries={"bottom": Boundary("free_drainage"), "west": Boundary("no_flow")})
    before = (members,) if members > 1 else ()
    assert flow.pressure.shape == (*before, 3, 2, 3) and (flow.nlayer, flow.nmember) == (3, members)
    assert flow.tile == (slice(0, 2), slice(0, 3)) and dict(flow.outflow) == {}
    out = flow.advance(HOUR, rain=1e-4, source=-1e-8)
    for name, shape in (("source", (3, 2, 3)), ("rain", (2, 3)), ("discharge", (2, 3)), ("surface_runoff", (2, 3))):
        assert out[name].shape == (*before, *shape), name
    for name in ("steps", "newton_iterations", "krylov_iterations"):
        assert isinstance(out[name], int) and out[name] >= members
    assert np.shape(out["boundary"]["bottom"]) == before and set(out["boundary"]) == {"bottom", "west"}
    for name in ("soil_water", "saturation"):
        assert getattr(flow, name).shape == (*before, 3, 2, 3), name
    for name in ("surface_water", "water_table_depth"):
        assert getattr(flow, name).shape == (*before, 2, 3), name
    assert set(flow.outflow) == {"discharge", "surface_runoff", "boundary"}
    balance = flow.balance
    assert set(balance) == {"rain", "source", "discharge", "surface_runoff", "increment", "boundary_bottom",
                            "boundary_west", "storage_subsurface", "storage_surface", "residual"}
    assert all(np.shape(value) == before for value in balance.values())


@pytest.mark.parametrize(("field", "words"), [
    ({"rain": np.zeros(3)}, r"rain.*\(2, 3\) \(y, x\), or with 3 members.*got shape \(3,\)"),
    ({"rain": np.zeros((2, 2, 3))}, "rain.*3 members"),
    ({"rain": np.nan}, "rain.*NaN"),
    ({"rain": "heavy"}, "rain.*'heavy'"),
    ({"source": np.zeros((2, 3))}, r"source.*\(3, 2, 3\)"),
    ({"source": np.zeros(4)}, r"source.*\(3,\).*got shape \(4,\)"),
    ({"source": np.full(3, np.inf)}, "source.*infinity"),
    ({"dt": 0.0}, "dt.*positive.*got 0"),
    ({"dt": "day"}, "dt.*'day'"),
])
def test_what_comes_in_is_refused_and_nothing_moves(field, words):
    """Three members in two rows of three columns: an array that could be taken in two ways is not taken."""
    flow = build(members=3)
    with pytest.raises(InputError, match=words):
        flow.advance(**({"dt": HOUR} | field))
    np.testing.assert_array_equal(flow.pressure, -1.0)
    assert np.all(flow.balance["residual"] == 0.0)


def test_shapes_of_what_comes_in():
    """A number, per layer, per cell, and each per member."""
    flow = build(members=2)
    rain = 1e-5 * np.arange(12.0).reshape(2, 2, 3)
    np.testing.assert_allclose(flow.advance(60.0, rain=rain)["rain"], rain, rtol=1e-14)
    np.testing.assert_allclose(flow.advance(60.0, rain=rain[1])["rain"], np.stack([rain[1]] * 2), rtol=1e-14)
    layers = np.array([[1e-6, 2e-6, 3e-6], [4e-6, 5e-6, 6e-6]])
    met = flow.advance(60.0, source=layers)["source"]
    np.testing.assert_allclose(met, np.broadcast_to(layers[:, :, None, None], (2, 3, 2, 3)), rtol=1e-14)
    met = flow.advance(60.0, source=layers[0])["source"]
    np.testing.assert_allclose(met, np.broadcast_to(layers[0][:, None, None], (2, 3, 2, 3)), rtol=1e-14)
    cells = 1e-6 * np.arange(18.0).reshape(3, 2, 3)
    np.testing.assert_allclose(flow.advance(60.0, source=cells)["source"][1], cells, rtol=1e-14)


@pytest.mark.parametrize("members", [1, 2])
def test_pressure_is_a_live_view(members):
    """What is written is what runs, and what runs is seen; a change is booked."""
    flow = build(members=members)
    view = flow.pressure
    assert not view.flags.owndata
    view[...] = -0.5
    flow.reconcile()
    assert np.all(np.asarray(flow.balance["increment"]) > 0.0)
    flow.advance(HOUR, rain=1e-3)
    assert flow.pressure is view and not np.any(view == -0.5)
    assert np.all(np.abs(flow.balance["residual"]) < 1e-12)
    kept = view.copy()
    del flow
    np.testing.assert_array_equal(view, kept, err_msg="the view keeps the memory")


def test_heads_that_are_no_numbers():
    """Refused with their place; the balance and all members stay."""
    flow = build(members=2)
    flow.pressure[1, 2, 1, 0] = np.nan
    for action in (flow.reconcile, lambda: flow.advance(HOUR, rain=1e-3)):
        with pytest.raises(StateError, match="member 1.*layer 2, y 1, x 0"):
            action()
    np.testing.assert_array_equal(flow.pressure[0], -1.0)
    flow.pressure[1, 2, 1, 0] = -1.0
    assert np.all(flow.balance["increment"] == 0.0) and np.all(np.abs(flow.balance["residual"]) < 1e-15)


def test_a_member_that_fails_leaves_all_as_they_were():
    """The message names the member; one iteration is not enough for a storm on dry ground."""
    flow = build(members=2, max_iterations=1, min_step=HOUR)
    rain = np.zeros((2, 2, 3))
    rain[1] = 0.01
    flow.pressure[0] = np.cumsum(THICKNESS)[:, None, None] - 0.5 * np.array(THICKNESS)[:, None, None] - 1.0
    flow.reconcile()
    before = flow.pressure.copy()
    with pytest.raises(ConvergenceError, match="member 1: .*did not converge in 1 iterations.*in layer 1, y"):
        flow.advance(HOUR, rain=rain)
    np.testing.assert_array_equal(flow.pressure, before)
    assert np.all(np.abs(flow.balance["residual"]) < 1e-14)


def test_a_run_goes_on_after_a_failure():
    """The next period gives the bits of a run that never failed."""
    flow, twin = build(), build()
    flow.fields.set_options(**flow._options | {"max_iterations": 1, "min_step": HOUR})
    with pytest.raises(ConvergenceError):
        flow.advance(HOUR, rain=0.01)
    flow.fields.set_options(**flow._options)
    flow.advance(HOUR, rain=1e-3)
    twin.advance(HOUR, rain=1e-3)
    np.testing.assert_array_equal(flow.pressure, twin.pressure)


def test_set_boundary_refuses_what_is_not_there_and_keeps_what_is():
    flow = build(boundaries={"west": [Boundary("head", 1.0), Boundary("no_flow")], "bottom": Boundary("free_drainage")})
    for arguments, words in (
        (("east", 1.0), r"no condition east\[0\]; there are: west\[0\], west\[1\], bottom\[0\]"),
        (("west", 1.0, 2), r"no condition west\[2\]"), (("west", 1.0, -1), "index.*at least 0"),
        (("west", 1.0, 0.5), "index.*whole"), (("west", np.ones(4)), r"west\[0\].*\(3, 2\)"),
        (("west", np.nan), "NaN"), (("west", None), "'head' needs a value"),
        (("bottom", 1.0), "'free_drainage' takes no value"),
    ):
        with pytest.raises(InputError, match=words):
            flow.set_boundary(*arguments)
    twin = build(boundaries={"west": Boundary("head", 1.0), "bottom": Boundary("free_drainage")})
    assert flow.advance(HOUR)["boundary"] == twin.advance(HOUR)["boundary"]


def test_set_boundary_holds_from_the_next_period_on():
    """The same as a run that had the value from the start; nothing of the old one is left."""
    flow = build(boundaries={"bottom": Boundary("head", 0.2)})
    flow.set_boundary("bottom", np.full((2, 3), 0.7))
    twin = build(boundaries={"bottom": Boundary("head", 0.7)})
    flow.advance(HOUR)
    twin.advance(HOUR)
    np.testing.assert_array_equal(flow.pressure, twin.pressure)


@pytest.mark.parametrize(("arguments", "words"), [
    ({"first_step": 0.0}, "first_step.*positive, got 0"), ({"tolerance": -1.0}, "tolerance.*got.*-1"),
    ({"max_steps": 0}, "max_steps.*at least 1"), ({"recharge": np.zeros(3)}, "rain.*got shape"),
])
def test_spin_up_refuses(arguments, words):
    flow = build()
    with pytest.raises(InputError, match=words):
        flow.spin_up(**({"recharge": 1e-6} | arguments))
    np.testing.assert_array_equal(flow.pressure, -1.0)


def test_spin_up_without_a_way_out_says_what_to_do():
    """A closed box fills for ever; ``max_step`` is back afterwards."""
    flow = build(max_step=600.0, ponding_depth=100.0)
    with pytest.raises(ConvergenceError, match="after 3 steps and .* s heads still change by .* m.*max_steps.*leave"):
        flow.spin_up(1e-5, max_steps=3)
    assert flow.advance(HOUR)["steps"] == 6


def test_spin_up_reports_and_closes():
    flow = build(boundaries={"bottom": Boundary("head", 0.5)}, members=2)
    report = flow.spin_up(1e-5)
    assert set(report) == {"steps", "newton_iterations", "krylov_iterations", "change", "time"}
    assert report["change"] <= 1e-6 and report["time"] > 10 * 365.25 * 86400.0
    out = flow.advance(HOUR, rain=1e-5)
    np.testing.assert_allclose(out["boundary"]["bottom"], -1e-5 / 1000.0 * 150.0, rtol=1e-4)
    np.testing.assert_array_equal(flow.pressure[0], flow.pressure[1])


def test_modes():
    """``Subsurface(mode="distributed")`` makes a distributed one of the same arguments."""
    options = {"nx": 3, "ny": 2, "dx": 5.0, "dy": 5.0, "water_table_depth": 1.0}
    flow = Subsurface(THICKNESS, LOAM, mode="distributed", **options)
    assert type(flow) is DistributedSubsurface
    twin = DistributedSubsurface(THICKNESS, LOAM, **options)
    flow.advance(HOUR, rain=1e-3)
    twin.advance(HOUR, rain=1e-3)
    np.testing.assert_array_equal(flow.pressure, twin.pressure)
    assert type(Subsurface(THICKNESS, LOAM, water_table_depth=1.0)) is Subsurface
    with pytest.raises(InputError, match="'column' or 'distributed', got 'both'"):
        Subsurface(THICKNESS, LOAM, mode="both", water_table_depth=1.0)


def test_water_table_does_not_look_into_cells_that_do_not_exist():
    """Columns that end on rock: their lowest cell decides, whatever head the rock has."""
    active = np.ones((3, 2, 3), bool)
    active[2] = False
    active[:, 0, 0] = False
    flow = build(active=active, pressure_head=np.array([-3.0, -2.0, 0.25]))
    np.testing.assert_array_equal(flow.water_table_depth[1], sum(THICKNESS))
    assert np.isnan(flow.water_table_depth[0, 0])
    flow.pressure[1] = 0.05
    np.testing.assert_allclose(flow.water_table_depth[1], 0.2 - 0.05)


def test_ice_where_there_is_no_cell_does_not_matter():
    """A fill value outside the domain."""
    active = np.ones((2, 3), bool)
    active[0, 0] = False
    ice = np.where(active, 0.05, 1e20) * np.ones((3, 1, 1))
    flow, twin = build(active=active), build(active=active)
    flow.set_ice(ice)
    twin.set_ice(0.05)
    for one in (flow, twin):
        one.advance(HOUR, rain=1e-3)
    np.testing.assert_array_equal(flow.pressure[:, active], twin.pressure[:, active])


@pytest.mark.parametrize(("ice", "words"), [
    (-0.1, "ice.*not be negative"), (0.36, "ice.*less than porosity"), (np.nan, "ice.*NaN"),
    (np.zeros((2, 3)), r"ice.*\(3, 2, 3\)"),
])
def test_ice_is_refused_and_nothing_changes(ice, words):
    flow = build()
    with pytest.raises(InputError, match=words):
        flow.set_ice(ice)
    twin = build()
    flow.advance(HOUR, rain=1e-3)
    twin.advance(HOUR, rain=1e-3)
    np.testing.assert_array_equal(flow.pressure, twin.pressure)


def test_members_keep_to_themselves():
    """Each has the bits of a run of its own, in any order of rain; looking at one does not touch the others."""
    rain = np.array([0.0, 5e-3, -1e-4])[:, None, None] * np.ones((1, 2, 3))
    flow = build(members=3, overland="diffusive", slope_x=-0.01)
    alone = [build(overland="diffusive", slope_x=-0.01) for _ in range(3)]
    for _ in range(4):
        flow.advance(HOUR, rain=rain)
        for member, one in enumerate(alone):
            one.advance(HOUR, rain=rain[member])
        assert flow.soil_water.shape == (3, 3, 2, 3)
    for member, one in enumerate(alone):
        np.testing.assert_array_equal(flow.pressure[member], one.pressure)
        np.testing.assert_array_equal(flow.soil_water[member], one.soil_water)


def test_grids_larger_than_a_stack():
    """Fields of 700 x 700 columns are 4 MB each: those of flow over land lie on the heap."""
    for overland in ("diffusive", "kinematic"):
        flow = DistributedSubsurface([0.2], LOAM, nx=700, ny=700, dx=50.0, dy=50.0, overland=overland, slope_x=-0.01,
                                     pressure_head=0.01, tolerance=1e-6)
        assert flow.advance(10.0, rain=1e-3)["steps"] == 1


def test_it_is_not_pickled():
    import pickle

    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(build())
