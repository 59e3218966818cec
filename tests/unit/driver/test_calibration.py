"""Calibration of small twins: the model call, restarts, what posterior and best draw are worth, and the files."""

from __future__ import annotations

import json

import netCDF4
import numpy as np
import pytest

from pyland.base.errors import InputError, UnavailableError
from pyland.base.parallel import world
from pyland.config import load_case
from pyland.driver.calibration.estimation import STATE
from pyland.driver.calibration.problem import CalibrationProblem
from pyland.driver.commands.calibrate import calibrate
from pyland.driver.run import observe_truth, run_case

TRUE_POROSITY, TRUE_SHAPE = 0.45, 1.5


def site(**calibration):
    """A wet week in June; the truth has its own porosity and retention curve, which the case gives."""
    section = {
        "method": "adaptive_metropolis", "members": 12, "generations": 48, "seed": 3, "delay": 10,
        "start": "esmda",
        "predicted_members": 6,
        "parameters": {
            "porosity": {"prior": {"distribution": "uniform", "low": 0.3, "high": 0.6}},
            "van_genuchten_n": {"prior": {"distribution": "lognormal", "median": 1.35, "std": 0.15, "low": 1.1}},
        },
        "observations": [{"name": "top", "entry": "probe"}],
        "train": {"end": "2020-06-05"}, "test": {"start": "2020-06-05"},
        **calibration,
    }
    return {
        "case": {"name": "twin"},
        "time": {"start": "2020-06-01", "end": "2020-06-08"},
        "domain": {"type": "site", "latitude": 48.0, "longitude": 8.0, "layers": [0.05, 0.1, 0.2, 0.4],
                   "bedrock_layers": 1},
        "surface": {"soil": {"parameters": {"porosity": TRUE_POROSITY, "van_genuchten_n": TRUE_SHAPE}}},
        "forcing": {"format": "generator", "generator": {"climate": "temperate", "seed": 5}},
        "subsurface": {"initial": {"saturation": 0.5}},
        "observations": [{"name": "probe", "depth": [0, 0.05], "error": 0.01, "every": "6 h", "twin": {"seed": 11}}],
        "output": {"every": "6 h", "variables": ["soil_water"]},
        "calibrate": section,
    }


def load(content, folder):
    return load_case(content, directory=folder)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("calibration")
    config = load(site(), folder)
    text, files = calibrate(config, world(), output=folder / "out")
    return config, folder / "out", text, files


@pytest.fixture(scope="module")
def problem(finished):
    config, folder, _, _ = finished
    return CalibrationProblem(config, world(), observe_truth(config, folder), 5)


def test_call_repeats_itself_and_members_do_not_know_each_other(problem):
    standard = problem.draw(5, "test")
    first = problem.predict(standard)[0]
    np.testing.assert_array_equal(problem.predict(standard)[0], first)
    np.testing.assert_array_equal(problem.predict(standard[::-1])[0], first[::-1])
    np.testing.assert_array_equal(problem.predict(np.concatenate([standard, standard[:2]]))[0][5:], first[:2])
    assert np.ptp(first[:, -1]) > 0.01


def test_true_parameters_predict_the_truth(problem):
    """What is left is the noise of the observations, 0.01 m3 m-3."""
    priors = {block.name: block.prior for block in problem.parameters.blocks}
    truth = np.array([[float(priors["porosity"].to_standard(TRUE_POROSITY)),
                       float(priors["van_genuchten_n"].to_standard(TRUE_SHAPE))]])
    np.testing.assert_allclose(problem.values(truth)[0], [TRUE_POROSITY, TRUE_SHAPE], rtol=1e-9)
    residual = problem.residuals(problem.predict(truth))[0][0]
    assert 0.005 < residual.std() < 0.016 and abs(residual.mean()) < 0.01


def test_impossible_members_predict_nothing(problem):
    """A porosity below what the registry allows is none; the others run."""
    fields = problem.parameters.fields(problem.draw(5, "test"))
    fields["porosity"][:, 2] = 0.005
    assert problem.parameters.are_possible(fields).tolist() == [True, True, False, True, True]


def test_posterior_covers_the_truth_and_is_narrower_than_the_prior(finished):
    _, folder, text, _ = finished
    summary = json.loads((folder / "summary.json").read_text())
    for name, truth in (("porosity", TRUE_POROSITY), ("van_genuchten_n", TRUE_SHAPE)):
        found = summary["parameters"][name]
        assert abs(found["mean"] - truth) < 3.0 * found["std"], name
        assert found["std"] < 0.6 * found["prior_std"], name
    skill = summary["skill"]["top"]
    for period in ("train", "test"):
        assert skill[period]["posterior"]["rmse"] < 2.0 * 0.01
        assert skill[period]["posterior"]["rmse"] < 0.7 * skill[period]["prior"]["rmse"]
        assert skill[period]["best"]["r"] > 0.9
    assert 0.1 < summary["acceptance"] < 0.7 and summary["failed_runs"] == 0
    assert "| porosity [m3 m-3] |" in text and "| top [m3 m-3] | test" in text


def test_files_hold_what_they_say(finished):
    _, folder, _, files = finished
    assert all(path.exists() for path in files)
    assert {path.name for path in files} >= {"summary.json", "summary.csv", "chain.nc", "posterior.nc", "best.nc",
                                             "best.yaml", "predicted.nc", "trace.png", "corner.png", "predictions.png"}
    with netCDF4.Dataset(folder / "chain.nc") as data:
        assert data["posterior"]["porosity"].shape == (12, 24) and data["posterior"]["porosity"].units == "m3 m-3"
        assert data["warmup_posterior"]["porosity"].shape == (12, 24)
        density = data["sample_stats"]["lp"][:]
        assert np.isfinite(density).all()
    with netCDF4.Dataset(folder / "posterior.nc") as data:
        assert data["porosity"].dimensions == ("layer", "member", "cell") and data["porosity"].shape == (4, 6, 1)


@pytest.mark.slow
def test_arviz_reads_the_chains(finished):
    arviz = pytest.importorskip("arviz", reason="arviz is not installed (extra calibrate)")
    _, folder, _, _ = finished
    found = arviz.from_netcdf(folder / "chain.nc")
    summary = json.loads((folder / "summary.json").read_text())["parameters"]["porosity"]
    assert float(arviz.rhat(found.posterior["porosity"].values)) == pytest.approx(summary["r_hat"], rel=1e-9)
    assert float(found.posterior["porosity"].mean()) == pytest.approx(summary["mean"], rel=1e-9)


def test_best_case_and_posterior_run(finished, tmp_path):
    """The best draw, run as a case, predicts what the calibration says of it; members take their rows."""
    config, folder, _, _ = finished
    run_case(load_case(folder / "best.yaml"), output=tmp_path / "best")
    with netCDF4.Dataset(tmp_path / "best" / "history.nc") as run, netCDF4.Dataset(folder / "best.nc") as best:
        water = run["soil_water"][:]
        residual = float(best["porosity"][0, 0, 0])
        assert 0.0 < water.max() <= residual + 1e-9
    members = load_case(config, [f"ensemble.parameters_file={folder / 'posterior.nc'}", "ensemble.size=4",
                                 "time.end=2020-06-02", "output.members=[soil_water]", "calibrate=null"])
    run_case(members, output=tmp_path / "members")
    with netCDF4.Dataset(tmp_path / "members" / "members.nc") as run:
        assert np.ptp(run["soil_water"][-1, 0].ravel()) > 0.0
    with pytest.raises(InputError, match="expected at least 9"):
        run_case(load_case(members, ["ensemble.size=9"]), output=tmp_path / "more")
    with pytest.raises(InputError, match="which ensemble.perturb.parameters perturbs as well"):
        run_case(load_case(members, ["ensemble.perturb.parameters={porosity: {std: 0.1}}"]), output=tmp_path / "twice")


class Stopped(Exception):
    """The process ends here."""


@pytest.mark.parametrize("method, stop", [
    ("dream", 3), pytest.param("esmda", 2, marks=pytest.mark.slow), pytest.param("stretch", 2, marks=pytest.mark.slow),
    pytest.param("morris", 1, marks=pytest.mark.slow)])
def test_restart_after_a_kill_gives_the_same_result(method, stop, tmp_path):
    plain = {"generations": 200, "delay": 50, "start": "prior"}
    options = {"dream": {"generations": 16, "delay": 50}, "stretch": {**plain, "generations": 16},
               "esmda": {**plain, "steps": 3}, "morris": {**plain, "trajectories": 6}}[method]
    section = site(method=method, train={"end": "2020-06-02"}, test=None, **options)
    section["time"]["end"] = "2020-06-02"
    config, calls = load(section, tmp_path), []

    def show(done, text):
        calls.append(text)
        if len(calls) == stop:
            raise Stopped

    whole = calibrate(config, world(), output=tmp_path / "whole", figures=False)[0]
    with pytest.raises(Stopped):
        calibrate(config, world(), output=tmp_path / "parts", progress=show, figures=False)
    again = calibrate(config, world(), output=tmp_path / "parts", resume=True, figures=False)[0]
    assert again == whole
    one, two = (np.load(tmp_path / name / STATE) for name in ("whole", "parts"))
    assert set(one.files) == set(two.files) and len(one.files) > 3
    for name in one.files:
        np.testing.assert_array_equal(one[name], two[name], err_msg=name)
    other = load_case(config, ["calibrate.seed=9"])
    with pytest.raises(InputError, match="belongs to a calibration with other settings"):
        calibrate(other, world(), output=tmp_path / "parts", resume=True, figures=False)


def field(**changes):
    """A grid whose truth has a smooth field of conductivity that the case does not know."""
    content = site(
        method="esmda", start="prior", generations=200, delay=50, members=20, predicted_members=20, train={},
        test=None, steps=4,
        parameters={"saturated_conductivity": {"kind": "factor", "length_scale": 3000.0, "prior": {
            "distribution": "lognormal", "median": 1.0, "std": 1.0}}},
        localization={"radius": 4000.0}, **changes)
    content["time"]["end"] = "2020-06-05"
    content["domain"] = {"type": "grid", "latitude": 48.0, "longitude": 8.0, "nx": 5, "ny": 4, "dx": 1000.0,
                         "dy": 1000.0, "layers": [0.05, 0.1, 0.2, 0.4], "bedrock_layers": 1}
    content["ensemble"] = {"perturb": {"parameters": {"saturated_conductivity": {"std": 1.3, "length_scale": 3000.0}}}}
    content["output"]["variables"] = ["soil_water", "saturated_conductivity"]
    return content


@pytest.mark.slow
def test_smoother_recovers_a_field_of_conductivity(tmp_path):
    config = load(field(), tmp_path)
    calibrate(config, world(), output=tmp_path / "out", figures=False)
    with netCDF4.Dataset(tmp_path / "out" / "truth.nc") as data:
        truth = np.log(data["saturated_conductivity"][0, 0].filled(np.nan).ravel())
    fields = {}
    for name in ("prior", "posterior"):
        with netCDF4.Dataset(tmp_path / "out" / f"{name}.nc") as data:
            fields[name] = np.log(data["saturated_conductivity"][0])
    error = {name: np.sqrt(((values.mean(axis=0) - truth) ** 2).mean()) for name, values in fields.items()}
    spread = {name: values.std(axis=0).mean() for name, values in fields.items()}
    assert error["posterior"] < 0.6 * error["prior"], error
    assert spread["posterior"] < 0.7 * spread["prior"], spread
    assert np.corrcoef(fields["posterior"].mean(axis=0), truth)[0, 1] > 0.6
    misfits = json.loads((tmp_path / "out" / "summary.json").read_text())["misfits"]
    assert misfits[-1] < 1.6 < misfits[0]


@pytest.mark.slow
def test_screening_ranks_what_matters(tmp_path):
    section = site(method="morris", start="prior", generations=200, delay=50, trajectories=6, test=None)
    text, files = calibrate(load(section, tmp_path), world(), output=tmp_path / "out")
    effects = json.loads((tmp_path / "out" / "summary.json").read_text())["effects"]
    mean = {row["name"]: row["mu_star"] for row in effects if row["output"] == "mean of top"}
    assert mean["porosity"] > mean["van_genuchten_n"] > 0.0
    assert (tmp_path / "out" / "morris.png") in files and "rmse of top" in text


def test_cases_that_cannot_be_calibrated_are_told(tmp_path):
    without = site()
    del without["calibrate"]
    with pytest.raises(InputError, match="expected a section calibrate"):
        calibrate(load(without, tmp_path), world(), output=tmp_path / "out")

    class Ranks:
        size = 2

    with pytest.raises(UnavailableError, match="runs in one process, got 2 ranks"):
        calibrate(load(site(), tmp_path), Ranks(), output=tmp_path / "out")
