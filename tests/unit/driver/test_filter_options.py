"""Options of filter, observations, increments and smoother in small twin experiments."""

from __future__ import annotations

import json

import netCDF4
import numpy as np
import pytest
import xarray as xr
from updated_cases import WINTER

from cases import TWIN, assert_same_run, changed, write_case
from pyland.base.errors import InputError
from pyland.config import load_case
from pyland.driver.run import run_case
from pyland.output.open_output import open_output

THICKNESS = np.array(TWIN["domain"]["layers"])
WATER = 1000.0  # [kg m-3]

CASES = {
    "incremental": {"assimilation.incremental": {"window": "6 h"}, "output.every": "1 h"},
    "smoother": {"assimilation.filter": "letks", "assimilation.window": "1 day", "time.end": "2020-05-04",
                 "ensemble.size": 12, "output.every": "1 h"},
    "options": {
        "assimilation.inflation": {"adaptive": {"initial": 1.2}, "additive": {"soil_water": 0.004}},
        "observations.0.relative_error": 0.1, "observations.0.thinning": "1200 m", "observations.0.withheld": 0.2,
        "observations.0.e_folding_depth": "3 cm", "observations.0.footprint": "1.5 km",
        "observations.0.footprint_weights": "gaussian", "observations.0.twin.coverage": 1.0,
    },
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return a function that gives the run directory of a case."""
    done = {}

    def get(name):
        if name not in done:
            folder = write_case(tmp_path_factory.mktemp(name), changed(TWIN, CASES[name]))
            run_case(load_case(folder))
            done[name] = folder / "run"
        return done[name]

    return get


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("stop", [
    pytest.param("2020-05-01T15:00", id="between"),
    pytest.param("2020-05-02T12:00", id="at an analysis", marks=pytest.mark.slow),
])
def test_resumed_run_equals_an_uninterrupted_one(tmp_path, runs, name, stop):
    folder = write_case(tmp_path, changed(TWIN, CASES[name]))
    run_case(load_case(folder, [f"time.end={stop}"]))
    run_case(load_case(folder), resume=True)
    assert_same_run(runs(name), folder / "run")


def test_increments_enter_in_equal_parts_over_the_window(runs):
    """Water that an analysis asks for is booked in the six hours after it, and the balance closes."""
    with xr.open_dataset(runs("incremental") / "balance.nc") as balance, xr.open_dataset(
            runs("incremental") / "analysis.nc") as analysis:
        booked = balance["analysis_increment"]
        assert float(np.abs(balance["water_residual"]).max()) < 1e-9
        increments = analysis["soil_water_increment"]
        asked = (increments * xr.DataArray(THICKNESS, dims="layer")).sum("layer") * WATER
        hours = booked["time"].values
        for time, wanted in zip(analysis["analysis_time"].values[:-1], asked.values[:-1], strict=True):
            inside = (hours > time) & (hours <= time + np.timedelta64(6, "h"))
            parts = booked.values[inside]
            assert len(parts) == 6 and np.abs(wanted).max() > 0.05
            assert parts == pytest.approx(np.broadcast_to(wanted / 6, parts.shape), abs=1e-6)
        first = analysis["analysis_time"].values[0]
        assert (booked.values[hours <= first] == 0.0).all()
    scores = json.loads((runs("incremental") / "scores.json").read_text())
    assert scores["closure"]["largest_step_water_residual"] < 1e-9


def test_what_is_left_enters_before_the_next_analysis(tmp_path):
    """Observations come more often than the window lasts: the rest is added at once, and nothing is lost."""
    case = changed(TWIN, {"assimilation.incremental": {"window": "9 h", "weights": "linear"}, "time.end": "2020-05-02",
                          "observations.0.every": "6 h", "output.every": "1 h"})
    scores = run_case(load_case(write_case(tmp_path, case)))
    with xr.open_dataset(tmp_path / "run" / "balance.nc") as balance, xr.open_dataset(
            tmp_path / "run" / "analysis.nc") as analysis:
        asked = (analysis["soil_water_increment"] * xr.DataArray(THICKNESS, dims="layer")).sum("layer") * WATER
        booked = balance["analysis_increment"]
        weights, left = np.array([1, 2, 3, 4, 5, 4])[:, None, None] / 25, 0.0  # of nine parts six enter in six hours
        for number in range(3):
            first = analysis["analysis_time"].values[number]
            inside = (booked["time"].values > first) & (booked["time"].values <= first + np.timedelta64(6, "h"))
            parts = booked.values[inside]
            expected = weights * asked.values[number]
            expected[0] += left
            assert parts == pytest.approx(expected, abs=1e-6)
            left = 6 / 25 * asked.values[number]
        assert float(np.abs(balance["water_residual"]).max()) < 1e-9
    assert scores["closure"]["largest_step_water_residual"] < 1e-9


def test_smoothed_states_are_those_of_the_analyses_and_better(runs):
    run = runs("smoother")
    smoothed = open_output(run, "smoothed")
    with xr.open_dataset(run / "analysis.nc") as analysis, xr.open_dataset(run / "truth.nc") as truth:
        assert np.array_equal(smoothed["time"].values, analysis["analysis_time"].values)
        assert set(smoothed.data_vars) == {"soil_water", "soil_water_std"}
        assert smoothed["soil_water"].attrs["cell_methods"].startswith("time: point")
        assert np.isfinite(smoothed["soil_water"]).all() and float(smoothed["soil_water_std"].min()) >= 0.0
        history = open_output(run)
        times = smoothed["time"].values[:-1]
        after = times + np.timedelta64(1, "h")  # the mean of the hour that follows an analysis is close to it
        spread = history["soil_water_std"].sel(time=after)
        assert float(smoothed["soil_water_std"].sel(time=times).mean()) < 0.95 * float(spread.mean())
        errors = [float(np.sqrt(((one.values - truth["soil_water"].sel(time=after).values) ** 2).mean()))
                  for one in (smoothed["soil_water"].sel(time=times), history["soil_water"].sel(time=after))]
        assert errors[0] < errors[1]
    smoothed.close()


def test_the_last_smoothed_state_is_the_analysis(tmp_path):
    """Nothing follows the last analysis: its record is the state of the restart at the same time."""
    case = changed(TWIN, {"assimilation.filter": "etks", "assimilation.window": "12 h", "time.end": "2020-05-02",
                          "assimilation.localization": None})
    run_case(load_case(write_case(tmp_path, case)))
    with netCDF4.Dataset(tmp_path / "run" / "restart" / "20200502T0000.nc") as restart:
        water = np.array(restart["model:soil_water"][...])
    with xr.open_dataset(tmp_path / "run" / "smoothed.nc") as smoothed:
        last = smoothed["soil_water"].isel(time=-1).values
    assert last.reshape(last.shape[0], -1) == pytest.approx(water.mean(axis=1), abs=1e-7)


def test_without_a_smoother_there_is_nothing_to_open(runs):
    with pytest.raises(InputError, match=r"neither smoothed.nc nor segments"):
        open_output(runs("incremental"), "smoothed")
    with pytest.raises(InputError, match="expected kind history or smoothed"):
        open_output(runs("incremental"), "members")


def test_reasons_and_errors_of_the_observations(runs):
    with xr.open_dataset(runs("options") / "analysis.nc") as data:
        words = data["rejection"].attrs["flag_meanings"].split()
        reasons = np.array(words)[data["rejection"].values.astype(int)]
        assert set(reasons) >= {"used", "thinned", "withheld"}
        assert data["error"].values == pytest.approx(np.maximum(0.02, 0.1 * data["value"].values))
        assert (data["error"].values > 0.02).any()
        rows = reasons.reshape(-1, 6) == "withheld"  # all six places at each time
        assert rows.sum() == len(rows) and (rows == rows[0]).all()
        assert (data["used"].values == (reasons == "used")).all()
        assert np.isfinite(data["posterior_mean"].values).all()


def test_factors_of_adaptive_inflation_are_in_the_restart(runs):
    newest = sorted((runs("options") / "restart").glob("*.nc"))[-1]
    with netCDF4.Dataset(newest) as restart:
        factor = np.array(restart["inflation:factor"][...])
    assert factor.shape == (THICKNESS.size, 6) and (factor >= 1.0).all() and np.ptp(factor) > 0.0


def test_a_place_to_choose_from(tmp_path):
    case = changed(TWIN, {"time.end": "2020-05-01T12:00", "observations.0.withheld": 0.5,
                          "observations.0.twin.locations": [{"name": "one", "x": 0, "y": 500}]})
    with pytest.raises(InputError, match="at least two places or times to choose from"):
        run_case(load_case(write_case(tmp_path, case)))


@pytest.mark.parametrize("options", [
    {"assimilation.incremental": {"window": "4 h"}},
    {"assimilation.filter": "letks", "assimilation.window": "1 day"},
    {"assimilation.inflation": {"adaptive": {"initial": 1.1}, "additive": {"soil_temperature": 0.02}},
     "assimilation.update.6": "growth_temperature", "assimilation.parameters.leaf_area_index": {}},
], ids=["incremental", "smoother", "inflation"])
def test_options_with_all_that_can_be_updated(tmp_path, options):
    """Soil heat, snow, stores and parameters: balances close with what enters later, and a resumed run has its bits."""
    states, changes = [*WINTER["assimilation"]["update"]], dict(options)
    if "assimilation.update.6" in changes:
        states[6] = changes.pop("assimilation.update.6")
    case = changed(WINTER, changes | {"assimilation.update": states, "assimilation.open_loop": False,
                                      "time.spinup.start": "2020-01-09"})
    one, other = (write_case(tmp_path / name, case) for name in ("one", "other"))
    closed = run_case(load_case(one))["closure"]
    assert closed["largest_step_water_residual"] < 1e-9 and closed["largest_step_energy_residual"] < 1e-6
    with xr.open_dataset(one / "run" / "balance.nc") as balance:
        assert float(np.abs(balance["water_residual"]).max()) < 1e-9
        assert float(np.abs(balance["analysis_heat_increment"]).max()) > 1e3
    run_case(load_case(other, ["time.end=2020-01-11T02:00"]))
    run_case(load_case(other), resume=True)
    assert_same_run(one / "run", other / "run")
    if "assimilation.window" in options:
        with xr.open_dataset(one / "run" / "smoothed.nc") as smoothed:
            names = [*(state if isinstance(state, str) else state["variable"] for state in states),
                     *WINTER["assimilation"]["parameters"]]
            assert set(names) <= set(smoothed.data_vars) and np.isfinite(smoothed["vcmax25_top"]).all()
            assert smoothed["soil_temperature"].dims[1] == "thermal_layer"


@pytest.mark.parametrize(("limit", "is_said"), [(1e-6, True), (3.0, False)])
def test_a_run_says_that_nothing_was_assimilated(tmp_path, limit, is_said):
    """Every innovation is beyond a limit of a millionth of a standard deviation."""
    case = changed(TWIN, {"observations.0.quality": {"max_innovation": limit}, "assimilation.open_loop": False})
    run_case(load_case(write_case(tmp_path, case)))
    log = (tmp_path / "run" / "pyland.log").read_text()
    count = json.loads((tmp_path / "run" / "scores.json").read_text())["assimilation"]["departures"]["satellite"]["n"]
    words = f"'satellite': none of {count} was assimilated ({count} innovation_too_large)"
    assert (words in log) is is_said and ("was assimilated" in log) is is_said


def test_a_radius_below_the_cells_is_doubted(tmp_path):
    """Cells of 1 km and a radius of 15 m: the run goes on, and its log says so once."""
    case = changed(TWIN, {"assimilation.localization": {"radius": 15.0}, "time.end": "2020-05-01T12:00",
                          "assimilation.open_loop": False})
    run_case(load_case(write_case(tmp_path, case)))
    log = (tmp_path / "run" / "pyland.log").read_text()
    assert log.count("localization.radius [m] 15 is less than half of the distance between cells, 1000:") == 1
