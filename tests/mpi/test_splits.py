"""Any split of ranks into member groups and tiles gives the bits of one rank, and reads the restarts of another."""

from __future__ import annotations

import json

import pytest
from station_cases import PROBE, site_case, write_station

from cases import TWIN, assert_same_run, changed, write_case

pytestmark = pytest.mark.mpi
PATIENCE = 120.0  # [s]

SHORT = {"time.end": "2020-05-02", "output.restart_every": "10 h"}
CASES = {
    "twin": changed(TWIN, SHORT),
    "global filter": changed(TWIN, SHORT | {"assimilation.filter": "enkf", "assimilation.localization": None}),
    "control": changed(TWIN, SHORT | {"ensemble.control": True, "assimilation.open_loop": None}),
    "rivers": changed(TWIN, SHORT | {
        "observations": None, "assimilation": None, "subsurface.initial.saturation": 0.9,
        "domain.nx": 4, "domain.ny": 4,
        "rivers": {"scheme": "kinematic", "step": "2 h", "directions": {"fill_depth": "5 m"},
                   "gauges": [{"name": "mouth", "x": 0, "y": 0, "snap": "10 km"}],
                   "lakes": {"reference_area": "0.1 km2", "reference_volume": "1e5 m3", "evaporation": "penman", "at": [
                       {"name": "pond", "x": 0, "y": "1 km", "initial_volume": 2e4}]}},
        "output.every": "6 h", "output.restart_every": "7 h", "output.members": ["discharge"],
        "output.variables": ["discharge", "lake_volume", "soil_water"],
        "output.statistics": ["mean", "std", "median", "p05"],
        "time.spinup": {"years": 1, "start": "2020-05-01", "end": "2020-05-02"}}),
    "surfaces": changed(TWIN, SHORT | {
        "surface.lake": 0.4, "surface.lake_depth": "6 m", "surface.glacier": 0.1, "surface.urban": 0.15,
        "surface.wetland": 0.05, "time.start": "2020-01-10", "time.end": "2020-01-11",
        "output.variables": ["soil_water", "lake_temperature", "glacier_temperature", "urban_temperature"]}),
}


@pytest.mark.parametrize(("groups", "tiles"), [
    pytest.param(1, 2, marks=pytest.mark.slow), (2, 1), (2, 2), pytest.param(4, 1, marks=pytest.mark.slow)])
def test_a_twin_experiment(run_split, tmp_path, alone, groups, tiles):
    run = run_split(write_case(tmp_path / "case", CASES["twin"]), groups, tiles)
    assert_same_run(alone("twin"), run)
    timing = json.loads((run / "scores.json").read_text())["timing"]
    assert (timing["member_groups"], timing["tiles"]) == (groups, tiles)


@pytest.mark.parametrize("name", [name for name in CASES if name != "twin"])
def test_other_cases(run_split, tmp_path, alone, name):
    """Uneven groups: four members on three ranks, or two by two."""
    groups, tiles = (2, 2) if name in ("rivers", "control") else (3, 1)
    assert_same_run(alone(name), run_split(write_case(tmp_path / "case", CASES[name]), groups, tiles))


@pytest.mark.parametrize("later", [(1, 1), pytest.param((4, 1), marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ["twin", pytest.param("rivers", marks=pytest.mark.slow)])
def test_a_restart_of_another_split(run_split, tmp_path, alone, name, later):
    folder = write_case(tmp_path / "case", CASES[name])
    run_split(folder, 2, 2, "--until", "2020-05-01T18:00")
    assert_same_run(alone(name), run_split(folder, *later, "--resume"))


@pytest.mark.slow
def test_a_station_with_eight_members(pyland_command, tmp_path):
    """One cell: all ranks are member groups without being told; one of them reads the weather for all."""
    station = write_station(tmp_path / "station.nc")
    case = changed(site_case(station), {
        "ensemble.size": 8, "time.end": "2020-06-02", "output.every": "6 h", "output.members": ["soil_water"],
        "observations": [PROBE | {"file": str(station)}], "assimilation": {"filter": "etkf", "update": ["soil_water"]}})
    runs = []
    for ranks in (1, 2, 4):
        folder = write_case(tmp_path / str(ranks), case)
        done = pyland_command("run", folder, ranks=ranks, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        runs.append(folder / "run")
    assert_same_run(runs[0], runs[1])
    assert_same_run(runs[0], runs[2])
    assert json.loads((runs[2] / "scores.json").read_text())["timing"]["member_groups"] == 4
