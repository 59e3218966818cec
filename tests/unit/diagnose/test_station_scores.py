"""Scores of stations and of studies, against numpy series by series."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.diagnose.station_scores import LEAST_TIMES, StationSeries, on_common_times, station_scores
from pyland.diagnose.study_scores import comma_separated, markdown, summarise

START = np.datetime64("2018-01-01T12", "s")


def series(observed, analysed, places=None, days=None):
    """Return a series of (place, time) arrays, places mixed as in a file."""
    observed, analysed = np.asarray(observed, float), np.asarray(analysed, float)
    nplace, ntime = observed.shape
    days = np.arange(ntime) if days is None else np.asarray(days)
    return StationSeries(
        np.repeat(START + days * np.timedelta64(86400, "s"), nplace), np.tile(np.arange(nplace), ntime),
        observed.T.ravel(), analysed.T.ravel(), np.zeros(observed.size), np.full(nplace, 51.0), np.full(nplace, 7.0),
        np.arange(nplace) if places is None else np.asarray(places), "m3 m-3")


def test_scores_are_those_of_numpy():
    random = np.random.default_rng(5)
    observed = random.random((3, 40))
    analysed = 0.5 * observed + 0.2 * random.random((3, 40)) + np.array([[0.1], [0.0], [-0.3]])
    found, difference = station_scores(series(observed, analysed)), analysed - observed
    assert found["bias"] == pytest.approx(difference.mean(axis=1), rel=1e-12)
    assert found["ubrmse"] == pytest.approx(difference.std(axis=1), rel=1e-12)
    assert found["rmse"] == pytest.approx(np.sqrt((difference**2).mean(axis=1)), rel=1e-12)
    assert found["r"] == pytest.approx([np.corrcoef(a, b)[0, 1] for a, b in zip(observed, analysed, strict=True)])
    assert (found["n"] == 40).all()


def test_short_and_constant_series_have_no_score():
    short = station_scores(series(np.ones((1, LEAST_TIMES - 1)), np.ones((1, LEAST_TIMES - 1))))
    assert np.isnan([short[name][0] for name in ("ubrmse", "r", "bias")]).all()
    flat = station_scores(series(np.ones((1, 20)), np.linspace(0, 1, 20)[None]))
    assert np.isnan(flat["r"][0]) and flat["bias"][0] == pytest.approx(-0.5)


def test_runs_are_judged_on_what_all_of_them_have():
    values = np.arange(24.0).reshape(2, 12)
    late = series(values[:, 2:], values[:, 2:] + 1, days=range(2, 12))
    common = on_common_times({"a": series(values, values), "b": late})
    assert common["a"].time.size == common["b"].time.size == 20
    assert np.array_equal(common["a"].observed, common["b"].observed)
    assert common["a"].time.min() == START + np.timedelta64(2, "D")


def run_scores(ubrmse, r, bias):
    return {"ubrmse": np.array(ubrmse), "r": np.array(r), "bias": np.array(bias), "rmse": np.hypot(ubrmse, bias),
            "n": np.full(len(ubrmse), 100.0)}


SCORES = {
    "open_loop": {1: run_scores([0.05, 0.07], [0.8, 0.7], [0.02, -0.02]),
                  2: run_scores([0.06, 0.04], [0.6, 0.8], [0, 0])},
    "joint": {1: run_scores([0.04, 0.05], [0.9, 0.8], [0.01, -0.01]),
              2: run_scores([0.04, 0.04], [0.7, 0.9], [0, 0])},
}


def test_changes_are_paired_and_have_their_uncertainty():
    """Open loop 0.06 and 0.05 per seed, joint 0.045 and 0.04: -25 % and -20 %."""
    found = summarise(SCORES, "open_loop")["joint"]
    change = found["change"]["ubrmse"]
    assert found["ubrmse"] == pytest.approx(0.0425)
    assert change["value"] == pytest.approx(-0.225)
    assert change["std_over_seeds"] == pytest.approx(0.05 / np.sqrt(2))
    stations = np.array([[-0.01 / 0.06, -0.02 / 0.06], [-0.02 / 0.05, 0.0]]).mean(axis=0)
    assert change["standard_error_over_stations"] == pytest.approx(stations.std(ddof=1) / np.sqrt(2))
    assert found["change"]["r"]["value"] == pytest.approx(0.1)
    assert found["change"]["absolute_bias"]["value"] == pytest.approx(-0.005)
    one = summarise({run: {1: seeds[1]} for run, seeds in SCORES.items()}, "open_loop")["joint"]
    assert one["change"]["ubrmse"]["std_over_seeds"] is None


def test_tables_say_what_was_found():
    study = {"seeds": [1, 2], "field": {}, "stations": {"crns": {
        "unit": "m3 m-3", "places": ["one", "two"], "latitude": [51, 52], "longitude": [7, 8], "scores": SCORES,
        "summary": summarise(SCORES, "open_loop")}}}
    assert "| joint | 0.0425 | -22.5 ± 3.5 % | 0.825 | +0.100 ± 0.000 |" in markdown(study)
    rows = comma_separated(study).splitlines()
    assert len(rows) == 1 + 2 * 2 * 2
    assert rows[1] == "crns,one,51.0000,7.0000,open_loop,1,0.05,0.8,0.02,0.0538516,100"
