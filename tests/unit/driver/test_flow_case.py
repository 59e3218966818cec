"""Cases of the distributed subsurface: what a run leaves, what acts on it, how it resumes."""

from __future__ import annotations

import json
import re
import shutil

import netCDF4
import numpy as np
import pytest
import xarray as xr

import pyland
from cases import FLOW, assert_same_run, changed, write_case
from pyland.base.errors import ConvergenceError, InputError, UnavailableError
from pyland.config import load_case
from pyland.driver.commands.check import check_case
from pyland.driver.run import run_case
from pyland.subsurface import write_pfb

AREA = 24 * 600.0  # [m2]
HOUR = 3600.0


def run(tmp_path, changes=None, name="run"):
    """Run the small hill with changes; return scores and run directory."""
    folder = tmp_path / name
    return run_case(load_case(changed(FLOW, changes or {})), output=folder), folder


def opened(folder, name):
    with xr.open_dataset(folder / name) as data:
        return data.load()


def grid_file(path, **fields):
    """Write fields (..., y, x) of the small hill; the dimension before them is the layer."""
    with netCDF4.Dataset(path, "w") as file:
        for name, size in (("layer", 4), ("y", 4), ("x", 6)):
            file.createDimension(name, size)
        for name, (values, units) in fields.items():
            values = np.asarray(values, float)
            variable = file.createVariable(name, "f8", ("layer", "y", "x")[-values.ndim :])
            variable.units = units
            variable[:] = values
    return str(path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Run directory of the small hill, to its end."""
    folder = write_case(tmp_path_factory.mktemp("whole"), FLOW)
    run_case(load_case(folder))
    return folder / "run"


# ---- what a run leaves ---------------------------------------------------------------------------------


def test_files_variables_and_units(whole):
    history = opened(whole, "history.nc")
    assert history.attrs["Conventions"] == "CF-1.11" and "commit" in history.attrs
    layered = {"pressure_head": "m", "saturation": "1", "soil_water": "m3 m-3"}
    flat = {"water_table_depth": "m", "surface_water_depth": "m"}
    for name, units in (layered | flat).items():
        assert history[name].attrs["units"] == units and history[name].attrs["cell_methods"] == "time: mean"
        assert history[name].dims == (("time", "layer", "y", "x") if name in layered else ("time", "y", "x"))
    assert history.sizes["time"] == 4 and np.array_equal(history["x"], 20.0 * np.arange(6) - 50.0)
    assert np.array_equal(history["layer_bounds"][:, 1], np.cumsum([0.05, 0.15, 0.3, 0.5]))
    assert history["surface_water_depth"].max() > 1e-4 and history["saturation"].max() <= 1.0
    np.testing.assert_allclose(history["soil_water"], 0.4 * history["saturation"], rtol=1e-6)
    assert {"history.nc", "balance.nc", "discharge.nc", "scores.json", "case.yaml", "pyland.log"} <= {
        path.name for path in whole.iterdir()}


def test_water_of_the_domain_closes(whole):
    balance, discharge = opened(whole, "balance.nc"), opened(whole, "discharge.nc")
    total = balance.drop_vars("time_bounds").sum()
    assert total["precipitation"] == pytest.approx(0.06 * AREA, rel=1e-12)
    assert abs(balance["residual"]).max() < 1e-8 * AREA  # the tolerance of 24 steps of 1e-9 m
    assert total["boundary_east"] < 0.0 < total["discharge"]
    change = balance["storage_subsurface"] + balance["storage_surface"]
    np.testing.assert_allclose(change.diff("time"), balance["storage_change"][1:], rtol=1e-9)
    assert discharge["gauge_name"].values.tolist() == ["total", "south east"]
    assert discharge["discharge"].attrs["units"] == "m3 s-1"
    assert "over land" in discharge["discharge"].attrs["long_name"]  # no river
    volume = 1200.0 * discharge["discharge"].sel(member=0).sum("time")
    assert volume[0] == pytest.approx(float(total["discharge"]), rel=1e-12) and 0.0 < volume[1] < volume[0]
    scores = json.loads((whole / "scores.json").read_text())
    assert scores["hydrograph"]["total"]["volume"] == pytest.approx(float(volume[0]))
    assert scores["closure"]["water"]["water_residual_relative"] < 1e-8
    assert scores["timing"]["newton_iterations"] >= scores["timing"]["solver_steps"] >= 24


def test_discharge_is_that_of_the_rim(tmp_path):
    _, folder = run(tmp_path, {"output.variables": ["overland_outflow", "surface_runoff", "precipitation"]})
    history, discharge = opened(folder, "history.nc"), opened(folder, "discharge.nc")
    outflow = history["overland_outflow"]
    assert float(outflow[:, 1:-1, 1:-1].max()) == 0.0 and float(history["surface_runoff"].max()) == 0.0
    mean = discharge["discharge"][:, 0, 0].values.reshape(4, 6).mean(axis=1)
    np.testing.assert_allclose(outflow.sum(["y", "x"]), mean, rtol=1e-6)
    near = np.hypot(*np.meshgrid(history["x"] - 50.0, history["y"] + 45.0)) <= 31.0
    assert near.sum() == 3  # the cell of the place, and one beside it each way
    mean = discharge["discharge"][:, 0, 1].values.reshape(4, 6).mean(axis=1)
    np.testing.assert_allclose(outflow.values[:, near].sum(axis=1), mean, rtol=1e-6)


# ---- what acts -----------------------------------------------------------------------------------------


def test_a_boundary_that_changes_in_time(tmp_path):
    series = [{"until": "2 h", "value": "1 mm/h"}, {"until": "3 h", "value": "-2 mm/h"}, {"value": 0}]
    _, folder = run(tmp_path, {"subsurface.boundaries": {"east": {"kind": "flux", "series": series}},
                               "forcing.rain": [], "output.every": "20 min"})
    inflow = opened(folder, "balance.nc")["boundary_east"].values
    expected = np.repeat([1e-3, -2e-3, 0.0], [6, 3, 15]) / 3.0 * 120.0 * 1.0  # width and depth of the face [m]
    np.testing.assert_allclose(inflow, expected, atol=1e-12)


def test_steady_state_before_the_start(tmp_path):
    """Under the recharge of the spin-up nothing changes: what comes in leaves."""
    scores, folder = run(tmp_path, {
        "subsurface.boundaries": {"east": {"kind": "seepage"}}, "subsurface.spinup": {"recharge": "2 mm/day"},
        "forcing.rain": [{"rate": "2 mm/day"}], "subsurface.outlets": []})
    balance, history = opened(folder, "balance.nc"), opened(folder, "history.nc")
    left = (balance["discharge"] - balance["boundary_east"]).values
    np.testing.assert_allclose(left, 2e-3 / 12.0 * AREA, rtol=1e-4)
    assert abs(history["pressure_head"].diff("time")).max() < 1e-5
    assert abs(scores["closure"]["water"]["storage_change"]) < 1e-4 * left.sum()


def test_weather_that_is_repeated_before_the_start(tmp_path):
    """Rain of the generator; sides have their first value in the days before the start."""
    changes = {"forcing": {"format": "generator", "generator": {"climate": "temperate", "seed": 3}},
               "time": {"start": "2020-05-03", "end": "2020-05-11", "step": "1 h"}, "output": {"every": "1 day"}}
    _, once = run(tmp_path, changes, "once")
    spun = changes | {"time.spinup": {"years": 2, "start": "2020-05-01", "end": "2020-05-03"}}
    _, twice = run(tmp_path, spun, "twice")
    rain = [opened(one, "balance.nc")["precipitation"].values for one in (once, twice)]
    assert rain[0].sum() > 0.0 and np.array_equal(*rain)
    heads = [opened(one, "history.nc")["pressure_head"][0].values for one in (once, twice)]
    assert not np.array_equal(*heads) and np.abs(heads[1]).max() < 2.0
    assert abs(opened(twice, "balance.nc")["residual"]).max() < 1e-8 * AREA


def test_a_plain_drains_where_it_is_asked_to(tmp_path):
    """Level land keeps its water; with `least` it falls along the way out."""
    level = {"domain.slopes": None, "subsurface.boundaries": {}, "subsurface.outlets": [],
             "forcing.rain.0.rate": "60 mm/h"}
    _, pond = run(tmp_path, level, "pond")
    _, drained = run(tmp_path, level | {"domain.slopes": {"least": 0.01}}, "drained")
    left = [float(opened(one, "balance.nc")["discharge"].sum()) for one in (pond, drained)]
    assert left[0] == 0.0 and left[1] > 0.05 * AREA


def test_soil_slopes_roughness_and_heads_from_files(tmp_path):
    """A file with the numbers of the case gives the same run, bit for bit; another file another one."""
    names = {"porosity": (0.4, "m3 m-3"), "residual_water": (0.08, "m3 m-3"), "van_genuchten_alpha": (2.0, "m-1"),
             "van_genuchten_n": (2.0, "1"), "saturated_conductivity": (1e-5, "m s-1")}
    soil = {name: (np.full((4, 4, 6), value), units) for name, (value, units) in names.items()}
    depth = np.array([0.025, 0.125, 0.35, 0.75])[:, None, None] * np.ones((4, 4, 6))
    path = grid_file(tmp_path / "grid.nc", **soil, slope_x=(np.full((4, 6), -0.05), "1"),
                     slope_y=(np.full((4, 6), 0.02), "1"), manning=(np.full((4, 6), 0.05), "s m-1/3"),
                     pressure_head=(depth - 0.3, "m"))
    files = {"surface.soil": {"file": path}, "domain.slopes": {"file": path}, "subsurface.manning": {"file": path},
             "subsurface.initial": {"file": path}}
    _, plain = run(tmp_path)
    _, read = run(tmp_path, files, "read")
    for name in ("history.nc", "discharge.nc", "balance.nc"):
        one, other = opened(plain, name), opened(read, name)
        for variable in one.data_vars:
            np.testing.assert_array_equal(one[variable], other[variable])
    rough = grid_file(tmp_path / "rough.nc", manning=(np.full((4, 6), 0.5), "s m-1/3"))
    _, slow = run(tmp_path, files | {"subsurface.manning": {"file": rough}}, "rough")
    first = [float(opened(one, "balance.nc")["discharge"][0]) for one in (plain, slow)]
    assert first[1] < 0.8 * first[0]
    for key, wrong in (("surface.soil", {"file": str(tmp_path / "rough.nc")}),
                       ("domain.slopes", {"file": str(tmp_path / "rough.nc")}),
                       ("subsurface.initial", {"file": str(tmp_path / "nowhere.nc")})):
        with pytest.raises(InputError, match="rough.nc|nowhere.nc"):
            run(tmp_path, {key: wrong}, "wrong")


def test_slopes_from_pfb_files(tmp_path):
    """Two PFB files, cut into pieces, give the run of the same slopes in netCDF; what does not fit is named."""
    rng = np.random.default_rng(5)
    slope_x, slope_y = rng.uniform(-0.1, -0.01, (4, 6)), rng.uniform(0.01, 0.1, (4, 6))
    path = grid_file(tmp_path / "grid.nc", slope_x=(slope_x, "1"), slope_y=(slope_y, "1"))
    names = {"file": str(tmp_path / "slope_x.pfb"), "file_y": str(tmp_path / "slope_y.pfb")}
    for name, field in zip(names.values(), (slope_x, slope_y), strict=True):
        write_pfb(name, field[None], subgrids=(3, 2, 1))
    _, read = run(tmp_path, {"domain.slopes": {"file": path}}, "netcdf")
    _, other = run(tmp_path, {"domain.slopes": names}, "pfb")
    for name in ("history.nc", "discharge.nc", "balance.nc"):
        assert opened(read, name).identical(opened(other, name).assign_attrs(opened(read, name).attrs))
    wide, deep, missing, disguised = (str(tmp_path / f"{name}.pfb") for name in ("wide", "deep", "missing", "netcdf"))
    shutil.copy(path, disguised)
    write_pfb(wide, np.zeros((1, 6, 4)))
    write_pfb(deep, np.zeros((3, 4, 6)))
    write_pfb(missing, np.where(np.arange(6) == 2, -9999.0, slope_x))
    for wrong, why in ((wide, "expected 6 x 4 x 1 cells .x, y, z. as in the domain, got 4 x 6 x 1"),
                       (deep, "got 6 x 4 x 3"), (missing, "slope_y is up to 9999 in a modelled cell"),
                       (str(tmp_path / "nowhere.pfb"), "there is no such file"), (disguised, "this is no PFB file")):
        problems = check_case(load_case(changed(FLOW, {"domain.slopes": names | {"file_y": wrong}}))).problems
        assert len(problems) == 1 and re.search(why, problems[0]) and problems[0].startswith("domain.slopes: ")


def test_heads_from_a_pfb_file(tmp_path):
    """ParFlow's bottom layer is the last one here."""
    depth = np.array([0.025, 0.125, 0.35, 0.75])[:, None, None] * np.ones((4, 4, 6))
    write_pfb(tmp_path / "press.pfb", depth - 0.3, flip=True)
    _, plain = run(tmp_path)
    _, read = run(tmp_path, {"subsurface.initial": {"file": str(tmp_path / "press.pfb")}}, "read")
    one, other = (opened(folder, "history.nc")["pressure_head"] for folder in (plain, read))
    np.testing.assert_array_equal(one, other)


def test_the_history_of_a_run_is_a_start_for_another(tmp_path, whole):
    heads = opened(whole, "history.nc")["pressure_head"][-1].values
    config = load_case(changed(FLOW, {"subsurface.initial": {"file": str(whole / "history.nc")}}))
    from pyland.base.parallel import Communicator
    from pyland.driver.distributed.flow_setup import prepare_flow

    np.testing.assert_array_equal(prepare_flow(config, Communicator()).initial["pressure_head"], heads)


@pytest.mark.parametrize(("initial", "expected"), [
    ({"saturation": 0.5}, 0.6),  # of the pores above the residual water, as in columns
    ({"soil_water": 0.24}, 0.6), ({"pressure_head": [0.1, 0.2, 0.3, 0.4]}, 1.0)])
def test_initial_states(tmp_path, initial, expected):
    _, folder = run(tmp_path, {"subsurface.initial": initial, "forcing.rain": [], "subsurface.boundaries": {},
                               "domain.slopes": {"x": 0, "y": 0}, "time.end": "2020-01-01T00:20",
                               "output.every": "20 min", "subsurface.terrain_following": False})
    found = opened(folder, "history.nc")["saturation"][0].mean(["y", "x"]).values
    assert np.dot(found, [0.05, 0.15, 0.3, 0.5]) == pytest.approx(expected, abs=2e-3)  # water moved, none left


def test_cells_outside_of_the_mask(tmp_path):
    mask = np.ones((4, 6))
    mask[0, :3] = mask[3, 5] = 0
    path = grid_file(tmp_path / "mask.nc", mask=(mask, "1"))
    _, folder = run(tmp_path, {"domain.mask": path, "subsurface.outlets": []})
    history, balance = opened(folder, "history.nc"), opened(folder, "balance.nc")
    assert np.array_equal(np.isfinite(history["water_table_depth"][0]), mask == 1)
    assert float(balance["precipitation"].sum()) == pytest.approx(0.06 * 600.0 * 20)
    assert abs(balance["residual"]).max() < 1e-8 * AREA


def test_slopes_from_the_elevation(tmp_path):
    z = 10.0 - 0.05 * 20.0 * np.arange(6) + 0.02 * 30.0 * np.arange(4)[:, None]
    path = grid_file(tmp_path / "relief.nc", elevation=(z, "m"))
    changes = {"domain.slopes": None, "domain.elevation": {"file": path}}
    _, folder = run(tmp_path, changes)
    _, plain = run(tmp_path, name="plain")
    np.testing.assert_allclose(opened(folder, "discharge.nc")["discharge"], opened(plain, "discharge.nc")["discharge"],
                               rtol=1e-6, atol=1e-9)


def test_without_overland_flow_water_runs_off_in_place(tmp_path):
    _, folder = run(tmp_path, {"subsurface.overland": "none", "subsurface.manning": None, "subsurface.outlets": None,
                               "subsurface.ponding_depth": "2 mm", "output.variables": ["surface_water"]})
    balance, history = opened(folder, "balance.nc"), opened(folder, "history.nc")
    assert not (folder / "discharge.nc").exists() and float(balance["discharge"].sum()) == 0.0
    assert float(balance["surface_runoff"].sum()) > 0.1 * float(balance["precipitation"].sum())
    assert 1.0 < float(history["surface_water"].max()) <= 2.0 + 1e-6
    assert abs(balance["residual"]).max() < 1e-8 * AREA


def test_evaporation_takes_what_there_is(tmp_path):
    _, folder = run(tmp_path, {"forcing.rain": [], "forcing.evaporation": "1 mm/h", "subsurface.boundaries": {}})
    balance = opened(folder, "balance.nc")
    assert 0.0 < float(balance["evaporation"].sum()) <= 8e-3 * AREA * (1 + 1e-9)
    assert float(balance["precipitation"].sum()) == 0.0 and abs(balance["residual"]).max() < 1e-8 * AREA


def test_the_lower_boundary_and_its_long_form_are_the_same(tmp_path):
    short, _ = run(tmp_path, {"subsurface.lower_boundary": "water_table", "subsurface.water_table_depth": 0.7})
    long, _ = run(tmp_path, {"subsurface.boundaries.bottom": {"kind": "hydrostatic", "value": 0.7}}, "long")
    assert short["closure"]["water"] == long["closure"]["water"] and short["closure"]["water"]["boundary_bottom"] < 0.0


# ---- restarts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stop", ["2020-01-01T03:00", "2020-01-01T03:20"])
def test_a_resumed_run_is_the_same_to_the_bit(tmp_path, whole, stop):
    folder = write_case(tmp_path / "case", FLOW)
    run_case(load_case(folder, [f"time.end={stop}"]))
    run_case(load_case(folder), resume=True)
    assert_same_run(whole, folder / "run")


def test_a_later_end_after_a_spin_up(tmp_path):
    spun = {"subsurface.spinup": {"recharge": "1 mm/day"}}
    _, once = run(tmp_path, spun, "once")
    run(tmp_path, spun | {"time.end": "2020-01-01T05:00"}, "twice")
    run_case(load_case(changed(FLOW, spun)), resume=True, output=tmp_path / "twice")
    assert_same_run(once, tmp_path / "twice")


# ---- check ---------------------------------------------------------------------------------------------


def test_check_describes_the_domain():
    report = check_case(load_case(FLOW))
    assert not report.problems
    assert report.facts["grid"].startswith("6 x 4 cells of 20 x 30 m, 4 layers to 1 m, 96 cells")
    assert report.facts["sides"] == "east hydrostatic" and report.facts["outlet south east"] == "3 cells of the rim"
    assert check_case(load_case(FLOW), 4).facts["tiles"] == "2 x 2 rectangles of cells on 4 ranks"


def test_check_names_everything_that_is_wrong(tmp_path):
    short = grid_file(tmp_path / "other.nc", slope_x=(np.full((4, 6), np.nan), "1"), slope_y=(np.zeros((4, 6)), "1"))
    report = check_case(load_case(changed(FLOW, {"domain.slopes": {"file": short}})))
    assert any("slope_x is missing in a modelled cell" in one for one in report.problems)
    other = grid_file(tmp_path / "rough.nc", manning=(np.full((4, 6), 5e-6), "h m-1/3"))
    problems = check_case(load_case(changed(FLOW, {
        "domain.slopes": {"file": short}, "subsurface.manning": {"file": other},
        "subsurface.initial": {"file": str(tmp_path / "nowhere.nc")}}))).problems
    assert [one.partition(": ")[0] for one in problems] == ["domain.slopes", "subsurface.manning", "subsurface.initial"]
    assert "values in h m-1/3 times 3600" in problems[1]
    write_pfb(tmp_path / "rough.pfb", np.full((1, 4, 6), 0.05))
    (problem,) = check_case(load_case(changed(FLOW, {
        "subsurface.manning": {"file": str(tmp_path / "rough.pfb")}}))).problems
    assert problem.startswith("subsurface.manning: ") and "convert it with: pyland parflow netcdf rough.pfb" in problem
    inner = {"subsurface.outlets": [{"name": "inside", "x": 300, "y": 0}]}
    problems = check_case(load_case(changed(FLOW, inner))).problems
    assert any("'inside'; water leaves at the rim" in one for one in problems)
    problems = check_case(load_case(FLOW), 7).problems
    assert any("7 ranks cannot share 6 x 4 columns" in one for one in problems)


@pytest.mark.parametrize(("slopes", "leaves"), [
    ({"x": -0.05, "y": 0.02}, ", leaves where the rim falls outwards: 4 faces in the east, 6 faces in the south"),
    ({"x": 0.05, "y": 0}, ", leaves where the rim falls outwards: 4 faces in the west"),
    ({"x": 0, "y": 0}, "; no face of the rim falls outwards: water stays on the land")])
def test_check_says_where_water_leaves_over_land(slopes, leaves):
    assert check_case(load_case(changed(FLOW, {"domain.slopes": slopes}))).facts["overland"] == f"kinematic{leaves}"


def test_level_land_is_said_before_the_run(tmp_path, caplog):
    run(tmp_path, {"domain.slopes": {"x": 0, "y": 0}, "time.end": "2020-01-01T00:20", "output.every": "20 min"})
    assert "domain.slopes: no face of the rim falls outwards; water stays on the land" in caplog.text


def test_a_spin_up_without_a_solution_says_so(tmp_path):
    asked = {"subsurface.boundaries": {"bottom": {"kind": "flux", "value": "-50 mm/day"}},
             "subsurface.spinup": {"recharge": "1 mm/day"}}
    with pytest.raises(ConvergenceError, match="in the spin-up to a steady state; sides must be able to give"):
        run(tmp_path, asked)


def test_a_spin_up_needs_a_way_out():
    closed = {"domain.slopes": {"x": 0, "y": 0}, "subsurface.boundaries": {}, "subsurface.outlets": [],
              "subsurface.spinup": {"recharge": "1 mm/day"}}
    problems = check_case(load_case(changed(FLOW, closed))).problems
    assert len(problems) == 1 and problems[0].startswith("subsurface.spinup.recharge: expected a way out")
    for way in ({"domain.slopes": {"x": 0, "y": 0.1}}, {"subsurface.boundaries": {"north": {"kind": "seepage"}}},
                {"subsurface.overland": "none", "subsurface.manning": None}, {"subsurface.spinup": {"recharge": 0}}):
        assert not check_case(load_case(changed(FLOW, closed | way))).problems


def test_a_distributed_case_in_python(tmp_path):
    case = pyland.Case(FLOW)
    assert case.run(output=tmp_path / "run").scores["closure"]["water"]["discharge"] > 0.0
    with pytest.raises(UnavailableError, match="needs a land model"):
        case.model()
