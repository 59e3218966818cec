"""Wells and probes assimilated into land over the distributed subsurface: closure, increments, restarts, messages."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr
from hillslopes import HILLSLOPE

from cases import TWIN, assert_same_run, changed, write_case
from pyland.base.errors import InputError
from pyland.config import load_case
from pyland.driver.commands.check import check_case
from pyland.driver.run import run_case

UPDATES = {"water": ["soil_water"], "head": ["pressure_head"], "mixed": ["soil_water", "pressure_head"]}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return a function that gives the run directory of the hillslope with a state vector."""
    done = {}

    def get(name):
        if name not in done:
            folder = write_case(tmp_path_factory.mktemp(name), HILLSLOPE, assimilation__update=UPDATES[name])
            run_case(load_case(folder))
            done[name] = folder / "run"
        return done[name]

    return get


@pytest.mark.parametrize("name", UPDATES)
def test_water_closes_with_its_increments(runs, name):
    scores = json.loads((runs(name) / "scores.json").read_text())
    water = scores["closure"]["water"]
    assert abs(water["increment"]) > 1.0 and water["water_residual_relative"] < 1e-8
    assert scores["closure"]["largest_step_energy_residual"] < 1e-6


@pytest.mark.parametrize("name", UPDATES)
def test_both_increments_and_both_streams_are_written(runs, name):
    with xr.open_dataset(runs(name) / "analysis.nc") as data:
        assert data["stream"].attrs["stream_units"] == "m, m3 m-3"
        assert data["stream"].attrs["stream_types"] == "groundwater soil_moisture"
        assert data["soil_water_increment"].attrs["units"] == "m3 m-3"
        assert data["pressure_head_increment"].attrs["units"] == "m"
        for field in ("soil_water_increment", "pressure_head_increment"):
            assert np.isfinite(data[field]).all() and np.abs(data[field]).max() > 1e-4
        wells = data["stream"].values == 0
        assert np.isnan(data["depth_top"].values[wells]).all() and (data["depth_top"].values[~wells] == 0.2).all()


def test_heads_below_the_table_change_with_the_mixed_vector_alone(runs):
    """Water of a saturated cell is the same in all members: it carries nothing of a well."""
    found = {}
    for name in UPDATES:
        with xr.open_dataset(runs(name) / "analysis.nc") as data:
            found[name] = float(np.abs(data["pressure_head_increment"].isel(layer=-1)).max())
    assert found["water"] < 1e-6 < 0.01 < min(found["head"], found["mixed"])


def test_wells_come_closer_to_what_was_read(runs):
    for name in ("head", "mixed"):
        scores = json.loads((runs(name) / "scores.json").read_text())["assimilation"]
        assert scores["departures"]["wells"]["residual_std"] < scores["departures"]["wells"]["innovation_std"]
        assert scores["error_reduction_water_table"]["reduction"] > 0.1
        assert set(scores["innovations"]) == {"n", "chi2"}
        assert "reduction" in scores["error_reduction_discharge"]["total"]


@pytest.mark.parametrize("stop", ["2020-05-01T12:00", "2020-05-02T03:00"], ids=["at an analysis", "between"])
def test_resumed_run_equals_an_uninterrupted_one(tmp_path, runs, stop):
    folder = write_case(tmp_path, HILLSLOPE)
    run_case(load_case(folder, [f"time.end={stop}"]))
    run_case(load_case(folder), resume=True)
    assert_same_run(runs("mixed"), folder / "run")


def test_wells_of_columns(tmp_path):
    """Ground water of the column mode: the table is where heads are 0, and water is what changes."""
    case = changed(TWIN, {
        "time.end": "2020-05-02", "subsurface.lower_boundary": "no_flow",
        "subsurface.initial": {"water_table_depth": 0.5},
        "observations": [{"name": "wells", "type": "groundwater", "error": 0.05, "every": "12 h",
                          "quality": {"max_innovation": None},
                          "twin": {"locations": [{"name": "one", "x": 0, "y": 500}]}}]})
    scores = run_case(load_case(write_case(tmp_path, case)))
    assert scores["assimilation"]["departures"]["wells"]["n_used"] == 2
    assert scores["closure"]["largest_step_water_residual"] < 1e-9
    with xr.open_dataset(tmp_path / "run" / "analysis.nc") as data:
        assert "pressure_head_increment" not in data and data["value"].attrs["units"] == "m"


def test_scaling_of_wells(tmp_path):
    case = changed(HILLSLOPE, {"observations": [HILLSLOPE["observations"][0] | {"scaling": "mean", "every": "2 h"}]})
    scores = run_case(load_case(write_case(tmp_path / "mean", case)))
    assert abs(scores["assimilation"]["departures"]["wells"]["innovation_mean"]) < 0.1
    without = changed(case, {"output.variables": ["soil_water"]})
    with pytest.raises(InputError, match="'wells': scaling needs water_table_depth in output.variables"):
        run_case(load_case(write_case(tmp_path / "without", without)))


@pytest.mark.parametrize("place", [{"x": 500, "y": 0}, {"latitude": 51.0, "longitude": 6.4}])
def test_a_well_outside_the_domain(tmp_path, place):
    case = changed(HILLSLOPE, {"observations.0.twin.locations": [{"name": "far", **place}]})
    config = load_case(write_case(tmp_path, case))
    message = "'wells': the location 'far' lies outside the domain"
    assert any(message in problem for problem in check_case(config, 1).problems)
    with pytest.raises(InputError, match=message):
        run_case(config)
    assert not (tmp_path / "run" / "history.nc").exists()


@pytest.mark.parametrize("options", [
    pytest.param({"assimilation.incremental": {"window": "3 h"}}, id="incremental"),
    pytest.param({"assimilation.filter": "letks", "assimilation.window": "12 h"}, id="smoother",
                 marks=pytest.mark.slow),
    pytest.param({"assimilation.inflation": {"adaptive": {}, "additive": {"soil_water": 0.002, "pressure_head": 0.01}}},
                 id="inflation", marks=pytest.mark.slow),
])
def test_options_with_the_mixed_vector(tmp_path, options):
    """Water closes with what enters later, and a resumed run has the same bits."""
    case = changed(HILLSLOPE, options | {"assimilation.open_loop": False})
    one, other = (write_case(tmp_path / name, case) for name in ("one", "other"))
    water = run_case(load_case(one))["closure"]["water"]
    assert abs(water["increment"]) > 0.5 and water["water_residual_relative"] < 1e-8
    run_case(load_case(other, ["time.end=2020-05-01T14:00"]))
    run_case(load_case(other), resume=True)
    assert_same_run(one / "run", other / "run")
    if "assimilation.window" in options:
        with xr.open_dataset(one / "run" / "smoothed.nc") as data:
            assert {"soil_water", "pressure_head", "pressure_head_std"} <= set(data.data_vars)
            assert np.isfinite(data["pressure_head"]).all() and data.sizes["time"] == 6
