"""A small study: its runs are those that a case alone would give, and what is finished is not run again."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cases import TWIN, arrays, changed, write_case
from pyland.base.errors import InputError
from pyland.config import load_case
from pyland.config.study import OPEN_LOOP
from pyland.driver.cli import run_command
from pyland.driver.commands.study import compare
from pyland.driver.run import observe_truth, run_case
from pyland.driver.study.study_plan import with_seed
from pyland.driver.study.study_run import is_finished, run_study
from pyland.observe import read_table

PRODUCTS = [
    {"name": "smap", "depth": [0, 0.05], "error": 0.02, "every": "6 h", "footprint": "2 km",
     "twin": {"seed": 77, "errors": {"bias": 0.02, "noise_per_leaf_area": 0.005}}},
    {"name": "ascat", "depth": [0, 0.02], "error": 0.03, "every": "6 h",
     "twin": {"seed": 78, "first": "3 h", "gaps": 0.2, "spacing": "1 km"}},
    {"name": "probe", "depth": [0, 0.3], "e_folding_depth": 0.1, "error": 0.01, "every": "2 h",
     "twin": {"seed": 79, "locations": [{"name": "west", "x": -1000, "y": 500},
                                        {"name": "east", "x": 1000, "y": -500}]}},
]
STUDY = {
    "products": ["smap", "ascat"], "stations": ["probe"], "experiments": ["joint", "smap", "merged"],
    "merging": {"methods": ["mean"], "spacing": "1 km", "radius": "1 km", "footprint": 0, "every": "12 h",
                "scaling": "none"},
    "truth": {"ensemble.perturb.forcing.shortwave.std": 0.6},
}
CASE = changed(TWIN, {"time.end": "2020-05-02", "observations": PRODUCTS, "study": STUDY, "output.members": [],
                      "output.variables": ["soil_water", "precipitation"]})


class Interrupted(Exception):
    """The test ends a run."""


def test_runs_share_a_truth_that_the_ensemble_does_not_know(tmp_path):
    config = load_case(CASE)
    with pytest.raises(InputError, match="expected a single run, got a study"):
        run_case(config, output=tmp_path / "never")
    folders = run_study(config, output=tmp_path / "study")
    assert folders.finished(5) == (OPEN_LOOP, "joint", "smap", "merged_mean")
    found = {name: json.loads((folders.run(5, name) / "scores.json").read_text())["assimilation"]
             for name in folders.runs}
    expected = {OPEN_LOOP: (), "joint": ("smap", "ascat"), "smap": ("smap",), "merged_mean": ("merged",)}
    for name, used in expected.items():
        one = found[name]["departures"]
        assert {stream for stream in one if one[stream]["n_used"] > 0} == set(used), name
        assert one["probe"]["n"] == 24, name
    assert "0-0.05 m" in found["joint"]["error_reduction"]
    merged = read_table(folders.run(5, "merged_mean") / "merged.nc")
    assert merged.type == "soil_moisture" and np.unique(merged.time).size == 2
    truths = [arrays(folders.run(5, name) / "truth.nc")["soil_water"] for name in ("joint", "smap")]
    observe_truth(load_case(changed(CASE, {"study": None})), tmp_path / "other")
    assert np.array_equal(truths[0], truths[1])
    assert not np.array_equal(truths[0], arrays(tmp_path / "other" / "truth.nc")["soil_water"])


@pytest.mark.slow
def test_joint_experiment_is_the_plain_twin_experiment(tmp_path):
    """Without a truth of its own, a study gives the bits of a case that computes truth and open loop itself."""
    config = load_case(changed(CASE, {"study.truth": {}, "study.experiments": ["joint"]}))
    folders = run_study(config, output=tmp_path / "study")
    run_case(load_case(changed(CASE, {"study": None, "observations.2.assimilate": False})), output=tmp_path / "alone")
    for file in ("history.nc", "truth.nc", "open_loop/history.nc"):
        alone = arrays(tmp_path / "alone" / file)
        for name, values in arrays(folders.run(5, "joint") / file).items():
            assert np.array_equal(values, alone[name], equal_nan=values.dtype.kind == "f"), (file, name)


@pytest.mark.slow
def test_a_kill_loses_the_run_in_progress_at_most(tmp_path):
    config = load_case(changed(CASE, {"study.experiments": ["separate"], "output.restart_every": "6 h"}))

    def fail(done, text):
        if "ascat: assimilation" in text and done > 0.4:
            raise Interrupted

    def at_once(done, text):
        if "smap: assimilation" in text:
            raise Interrupted

    with pytest.raises(Interrupted):
        run_study(config, output=tmp_path, progress=fail)
    folders = run_study(config, only=["smap"], output=tmp_path)
    assert is_finished(folders.run(5, "smap")) and not is_finished(folders.run(5, "ascat"))
    seen: list[str] = []
    run_study(config, output=tmp_path, progress=lambda done, text: seen.append(text))
    assert is_finished(folders.run(5, "ascat"))
    assert seen and all("ascat" in text for text in seen)
    # from the last restart, with the bits of a run that nobody ended
    whole = run_study(config, only=["ascat"], output=tmp_path / "whole")
    expected = arrays(whole.run(5, "ascat") / "history.nc")
    for name, values in arrays(folders.run(5, "ascat") / "history.nc").items():
        assert np.array_equal(values, expected[name], equal_nan=values.dtype.kind == "f"), name
    # nothing is left to do, until something changes
    seen.clear()
    run_study(config, output=tmp_path, progress=lambda done, text: seen.append(text))
    assert not seen
    other = load_case(changed(CASE, {"study.experiments": ["smap"], "observations.0.error": 0.03,
                                     "output.restart_every": "6 h"}))
    with pytest.raises(Interrupted):
        run_study(other, output=tmp_path, progress=at_once)
    assert not list((folders.run(5, "smap") / "restart").glob("*.nc"))  # the restarts of the case before are gone
    run_study(other, output=tmp_path, progress=lambda done, text: seen.append(text))
    assert any("smap" in text for text in seen) and is_finished(folders.run(5, "smap"))


@pytest.mark.slow
def test_a_study_of_files_is_that_of_the_tables_it_reads(tmp_path):
    """The tables that a twin study leaves are the files of another, which sees the same and gains the same."""
    twin = load_case(changed(CASE, {"study.experiments": ["joint", "merged"]}))
    tables = run_study(twin, output=tmp_path / "twin").truth(5)
    entries = [{name: value for name, value in one.items() if name not in ("twin", "every")}
               | {"file": str(tables / f"observed_{one['name']}.nc"), "reader": "table"} for one in PRODUCTS]
    case = changed(CASE, {"study.truth": None, "study.experiments": ["joint", "merged"], "observations": entries})
    folders = run_study(load_case(case), output=tmp_path / "files")
    for name in ("joint", "merged_mean"):
        before, after = (arrays(tmp_path / kind / "seed_5" / name / "history.nc")["soil_water"]
                         for kind in ("twin", "files"))
        assert after == pytest.approx(before, abs=1e-6), name
    assert not (folders.run(5, "joint") / "truth.nc").exists()
    compare(load_case(case), folders, figures=False)


@pytest.mark.parametrize(("arguments", "words"), [
    (["--only", "jiont"], "unknown experiment 'jiont'; expected one of open_loop, separate, joint"),
    (["--set", "study=null"], "expected a section `study`"),
])
def test_wrong_commands_are_sentences(tmp_path, capsys, arguments, words):
    write_case(tmp_path, CASE)
    assert run_command(["study", str(tmp_path), *arguments]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "study").exists()


def test_seeds_move_together_and_apart():
    config = load_case(CASE)
    moved = with_seed(config, 12)
    assert moved.ensemble.seed == 12
    assert [one.twin.seed for one in moved.observations] == [84, 85, 86]


def test_finished_runs_are_not_run_again(tmp_path):
    config = load_case(changed(CASE, {"study.experiments": ["joint"]}))
    seen: list[str] = []
    folders = run_study(config, only=["ascat"], output=tmp_path, progress=lambda done, text: seen.append(text))
    assert folders.finished(5) == (OPEN_LOOP, "ascat") and any("truth" in text for text in seen)
    seen.clear()
    run_study(config, only=["ascat"], output=tmp_path, progress=lambda done, text: seen.append(text))
    assert not seen


@pytest.mark.slow
def test_comparison_of_two_seeds(tmp_path):
    pytest.importorskip("matplotlib")
    config = load_case(changed(CASE, {"study.experiments": ["smap"], "study.seeds": [5, 6]}))
    folders = run_study(config, output=tmp_path)
    tables, files = compare(config, folders)
    found = json.loads((tmp_path / "study.json").read_text())["stations"]["probe"]
    assert found["places"] == ["west", "east"]
    assert set(found["scores"]["smap"]) == {"5", "6"}
    assert found["summary"]["smap"]["change"]["ubrmse"]["std_over_seeds"] is not None
    assert "| open loop |" in tables and "| smap |" in tables
    assert {one.name for one in files} >= {"study.md", "study.csv", "scores_probe.png", "mean_maps.png",
                                           "series_probe.png"}
    assert all(one.stat().st_size > 0 for one in files)
