"""Scores of a run: what is written at an analysis, judged by stream, region and group; files of earlier versions."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from cases import TWIN, write_case
from pyland.base.errors import InputError
from pyland.base.observation_reasons import WITHHELD
from pyland.config import load_case
from pyland.diagnose import crps_fair, parse_region, rank_counts
from pyland.diagnose.analysis_file import read_observed_ensemble
from pyland.diagnose.observation_scores import observation_scores
from pyland.driver.analysis.departure_records import observation_record
from pyland.driver.commands.diagnose import diagnose
from pyland.driver.commands.plot import plot
from pyland.driver.run import run_case
from pyland.observe import ObservationSet
from pyland.output.analysis import AnalysisWriter
from pyland.output.grid import OutputGrid

START = np.datetime64("2020-05-01T00:00", "s")
DAY = np.timedelta64(1, "D")
MEMBERS, CELLS, STEPS = 8, 12, 60
NEW = ("place", "prior_rank", "prior_crps", "prior_crps_fair", "posterior_crps", "posterior_crps_fair",
       "prior_skewness", "prior_kurtosis", "prior_members", "degrees_of_freedom", "effective_sample_size")


def outcome(step, rng, is_withheld):
    """One analysis of a truth that is exchangeable with the members; scalar Kalman updates cell by cell."""
    truth = rng.standard_normal(CELLS)
    prior = rng.standard_normal((MEMBERS, CELLS))
    error = 0.5
    observed = truth + error * rng.standard_normal(CELLS)
    gain = np.where(is_withheld, 0.0, 1.0 / (1.0 + error**2))  # of the true variances: few members know theirs badly
    mean = prior.mean(axis=0)
    posterior = mean + gain * (observed - mean) + np.sqrt(1.0 - gain) * (prior - mean)
    flags = np.where(is_withheld, WITHHELD, 0)
    cells = np.arange(CELLS)
    sets = [ObservationSet("wells", "groundwater", START + step * DAY, observed, np.full(CELLS, error**2), cells,
                           cells, cells[:, None], np.ones((CELLS, 1)), np.nan, np.nan, flags=flags)]
    return SimpleNamespace(sets=sets, prior=prior, posterior=posterior)


def write(folder, members=MEMBERS, shuffled=False):
    """Write an analysis file of 60 analyses of 12 wells, four of them withheld."""
    rng = np.random.default_rng(5)
    grid = OutputGrid(50.0 + 0.01 * np.arange(CELLS), np.full(CELLS, 6.0), {"layer": np.ones(2)})
    streams = {"probes": {"type": "soil_moisture", "units": "m3 m-3"}, "wells": {"type": "groundwater", "units": "m"}}
    writer = AnalysisWriter(folder, grid, streams, [], {"ensemble_members": MEMBERS}, members=members)
    writer.start()
    for step in range(STEPS):
        one = outcome(step, rng, np.arange(CELLS) % 3 == 0)
        if shuffled:
            order = np.random.default_rng(step).permutation(MEMBERS)
            one.prior, one.posterior = one.prior[order], one.posterior[order]
        writer.add(START + step * DAY, observation_record(one, list(streams), grid), {})
    writer.flush("end")
    return writer.finish()


@pytest.fixture(scope="module")
def analysis(tmp_path_factory):
    return write(tmp_path_factory.mktemp("wells"))


@pytest.fixture(scope="module")
def earlier(analysis, tmp_path_factory):
    """The same file as an earlier version wrote it."""
    path = tmp_path_factory.mktemp("earlier") / "analysis.nc"
    with xr.open_dataset(analysis) as data:
        old = data.drop_vars(NEW).load()
    del old.attrs["ensemble_members"]
    old.to_netcdf(path)
    return path


def test_independent_observations_are_judged_apart(analysis):
    found = observation_scores(analysis)["all"]
    assert set(found) == {"probes", "wells"} and set(found["probes"]) == {"type", "units"}
    seen, kept = found["wells"]["assimilated"], found["wells"]["independent"]
    assert (seen["departures"]["n"], kept["departures"]["n"]) == (STEPS * 8, STEPS * 4)
    assert seen["departures"]["residual_std"] < 0.7 * seen["departures"]["innovation_std"]
    assert kept["departures"]["residual_std"] == pytest.approx(kept["departures"]["innovation_std"])
    for name in ("desroziers", "degrees_of_freedom", "effective_sample_size"):
        assert name in seen and name not in kept
    for scores in (seen, kept):
        assert scores["rank_histogram"]["n"] == scores["departures"]["n"]
        assert scores["rank_histogram"]["p_value"] > 0.001 and len(scores["rank_histogram"]["counts"]) == MEMBERS + 1
        assert scores["spread_error"]["ratio"] == pytest.approx(1.0, abs=0.15)
    assert seen["desroziers"]["observation_ratio"] == pytest.approx(1.0, abs=0.25)
    assert seen["crps"]["posterior"] < 0.8 * seen["crps"]["prior"]
    assert kept["crps"]["posterior"] == pytest.approx(kept["crps"]["prior"], rel=1e-6)


def test_numbers_of_the_file_are_those_of_the_arrays(analysis):
    data = read_observed_ensemble(analysis)
    assert data.members == MEMBERS and data.types[1] == "groundwater" and data.units[1] == "m"
    assert np.unique(data.values["place"]).tolist() == list(range(CELLS))
    seen = observation_scores(analysis)["all"]["wells"]["assimilated"]
    mine = data.group("assimilated")
    counts = rank_counts(data.values["prior_rank"][mine], MEMBERS)
    assert seen["rank_histogram"]["counts"] == counts.tolist()
    plain = crps_fair(data.values["prior_members"][mine].T, data.values["value"][mine]).mean()
    assert seen["crps"]["prior_fair"] == pytest.approx(plain, rel=0.1)  # noise of the observation on the members
    assert seen["crps"]["prior"] == pytest.approx(seen["crps"]["decomposition"]["crps"], rel=0.1)  # other draws of it
    by_analysis = data.by_stream["degrees_of_freedom"]
    assert np.isnan(by_analysis[:, 0]).all() and by_analysis.shape == (STEPS, 2)
    assert np.nansum(by_analysis) == pytest.approx(seen["degrees_of_freedom"]["ensemble"], rel=1e-5)
    assert seen["degrees_of_freedom"]["ensemble"] == pytest.approx(seen["degrees_of_freedom"]["departures"], rel=0.2)
    assert 1.0 <= seen["effective_sample_size"]["least"] <= seen["effective_sample_size"]["mean"] <= MEMBERS


def test_members_may_come_in_any_order(analysis, tmp_path):
    mixed = write(tmp_path, shuffled=True)
    with xr.open_dataset(analysis) as first, xr.open_dataset(mixed) as second:
        for name in ("prior_rank", "prior_crps", "posterior_crps_fair", "prior_skewness"):
            assert np.array_equal(first[name], second[name])


def test_noise_is_that_of_a_name_and_a_time():
    """What else is observed at an analysis changes no rank; another name or time does."""
    rng = np.random.default_rng(2)
    grid = OutputGrid(50.0 + 0.01 * np.arange(CELLS), np.full(CELLS, 6.0), {"layer": np.ones(2)})
    one = outcome(0, rng, np.zeros(CELLS, bool))
    other = replace(one.sets[0], name="wells_2")
    both = SimpleNamespace(
        sets=[other, one.sets[0]], prior=np.tile(one.prior, 2), posterior=np.tile(one.posterior, 2))
    alone = observation_record(one, ["wells"], grid).ensemble.prior_rank
    joined = observation_record(both, ["wells", "wells_2"], grid).ensemble.prior_rank
    assert np.array_equal(joined[CELLS:], alone) and not np.array_equal(joined[:CELLS], alone)
    one.sets[0].time = np.datetime64("1950-01-01", "s")  # before the epoch of the keys
    assert not np.array_equal(observation_record(one, ["wells"], grid).ensemble.prior_rank, alone)


def test_regions_are_judged_beside_the_whole(analysis):
    found = observation_scores(analysis, [parse_region("south=49.99,50.045,5,7"), parse_region("sea=0,1,0,1")])
    assert list(found) == ["all", "south", "sea"]
    south = found["south"]["wells"]
    assert south["assimilated"]["departures"]["n"] == 3 * STEPS  # cells 1, 2 and 4 of 0 to 4
    assert south["independent"]["departures"]["n"] == 2 * STEPS
    assert "assimilated" not in found["sea"]["wells"]


def test_files_of_earlier_versions_give_what_they_can(analysis, earlier, tmp_path):
    old = observation_scores(earlier)["all"]["wells"]["assimilated"]
    new = observation_scores(analysis)["all"]["wells"]["assimilated"]
    for name in ("departures", "autocorrelation", "desroziers", "degrees_of_freedom"):
        assert old[name] == new[name]
    assert set(old["crps"]) == {"normal"} and "rank_histogram" not in old and "moments" not in old
    assert old["spread_error"]["spread"] == pytest.approx(new["spread_error"]["spread"] / np.sqrt(9 / 8))


def test_without_members_there_is_no_decomposition(tmp_path):
    seen = observation_scores(write(tmp_path, members=0))["all"]["wells"]["assimilated"]
    assert "decomposition" not in seen["crps"] and {"prior", "prior_fair", "posterior"} <= set(seen["crps"])
    assert seen["rank_histogram"]["n"] == STEPS * 8


def test_other_files_are_refused(tmp_path):
    xr.Dataset({"value": ("observation", [1.0])}).to_netcdf(tmp_path / "other.nc")
    with pytest.raises(InputError, match="lacks innovation.*is it the analysis.nc of a run"):
        observation_scores(tmp_path / "other.nc")
    with pytest.raises(InputError, match="no such file"):
        observation_scores(tmp_path / "none.nc")


def test_figures_of_both_groups_and_of_an_earlier_file(analysis, earlier, tmp_path):
    ends = START + np.arange(1, 3) * DAY
    history = xr.Dataset(
        {"soil_water": (("time", "layer", "site"), np.full((2, 2, 1), 0.2)),
         "layer_bounds": (("layer", "bound"), [[0.0, 0.5], [0.5, 1.0]]),
         "time_bounds": (("time", "bound"), np.stack([ends - DAY, ends], axis=1)),
         "latitude": ("site", [50.0]), "longitude": ("site", [6.0])}, {"time": ends})
    names = {"departures.png", "spread_against_error.png", "assumed_errors.png"}
    for file, more in ((analysis, {"rank_histograms.png"}), (earlier, set())):
        folder = tmp_path / file.parent.name
        folder.mkdir()
        history.to_netcdf(folder / "history.nc")
        (folder / "analysis.nc").write_bytes(file.read_bytes())
        drawn = {path.name for path in plot(folder)}
        assert drawn - {"soil_moisture_series.png"} == names | more  # all wells lie on one line: no map


def test_a_twin_run_from_end_to_end(tmp_path):
    """Scores of the run and of the command, with a region, and figures."""
    folder = write_case(tmp_path / "case", TWIN)
    run_case(load_case(folder))
    scores = json.loads((folder / "run" / "scores.json").read_text())["assimilation"]["observation_scores"]
    seen = scores["all"]["satellite"]["assimilated"]
    assert seen["rank_histogram"]["n"] == seen["departures"]["n"] > 10
    assert seen["departures"]["residual_rmse"] < seen["departures"]["innovation_rmse"]
    assert seen["crps"]["posterior"] < seen["crps"]["prior"] and seen["crps"]["decomposition"]["n"] > 10
    half = diagnose(folder, "assimilation", regions=[parse_region("east=40,45,3,4")])["observation_scores"]["east"]
    assert 0 < half["satellite"]["assimilated"]["departures"]["n"] < seen["departures"]["n"]
    with pytest.raises(InputError, match="--region belongs to 'assimilation'"):
        diagnose(folder, "balance", regions=[parse_region("east=40,45,3,4")])
    assert {"departures.png", "rank_histograms.png", "departure_maps.png"} <= {path.name for path in plot(folder)}
