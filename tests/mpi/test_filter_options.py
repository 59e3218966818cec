"""Increments in parts, a smoother's window, adaptive factors and noise: the same bits for any split of ranks."""

from __future__ import annotations

import pytest
from hillslopes import HILLSLOPE

from cases import TWIN, arrays, assert_same_run, changed, write_case
from pyland.config import load_case
from pyland.driver.run import run_case

pytestmark = pytest.mark.mpi
PATIENCE = 120.0  # [s]

SHORT = {"time.end": "2020-05-02", "output.restart_every": "10 h", "assimilation.open_loop": False,
         "observations.0.every": "6 h"}
CASES = {
    "incremental": changed(TWIN, SHORT | {"assimilation.incremental": {"window": "5 h", "weights": "linear"}}),
    "smoother": changed(TWIN, SHORT | {"assimilation.filter": "letks", "assimilation.window": "12 h",
                                       "assimilation.inflation": {"factor": 1.05}}),
    "inflation": changed(TWIN, SHORT | {
        "assimilation.inflation": {"adaptive": {}, "additive": {"soil_water": 0.003}}, "observations.0.withheld": 0.2,
        "observations.0.thinning": "1200 m", "observations.0.footprint": "2 km"}),
}


@pytest.mark.parametrize(("name", "groups", "tiles"), [
    ("incremental", 1, 2), ("smoother", 2, 1), ("inflation", 1, 2),
    *(pytest.param(*one, marks=pytest.mark.slow)
      for one in (("incremental", 2, 1), ("smoother", 1, 2), ("inflation", 2, 1))),
])
def test_two_ranks(run_split, tmp_path, alone, name, groups, tiles):
    assert_same_run(alone(name), run_split(write_case(tmp_path, CASES[name]), groups, tiles))


@pytest.mark.parametrize("name", [
    "smoother", *(pytest.param(name, marks=pytest.mark.slow) for name in ("incremental", "inflation"))])
def test_a_restart_of_another_split(run_split, tmp_path, alone, name):
    folder = write_case(tmp_path, CASES[name])
    run_split(folder, 1, 2, "--until", "2020-05-01T15:00")
    assert_same_run(alone(name), run_split(folder, 2, 1, "--resume"))


@pytest.mark.slow
def test_increments_over_the_distributed_subsurface(run_split, tmp_path):
    """Member groups keep the bits: heads and water enter in parts on every rank at the same step."""
    case = changed(HILLSLOPE, {"assimilation.incremental": {"window": "3 h"}, "time.end": "2020-05-01T18:00",
                               "assimilation.open_loop": False})
    whole = write_case(tmp_path / "whole", case)
    run_case(load_case(whole))
    split = run_split(write_case(tmp_path / "split", case), 2, 1)
    assert_same_run(whole / "run", split)
    assert abs(arrays(split / "balance.nc")["increment"]).max() > 0.0
