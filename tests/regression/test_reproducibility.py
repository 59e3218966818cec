"""Results do not depend on restarts, threads, lanes, neighbours or the order of members: bit for bit."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from columns import Weather, random_areas, random_columns

from cases import TWIN, assert_same_run, changed, write_case
from pyland.config import load_case
from pyland.core import runtime
from pyland.driver.run import run_case


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Run directory of the twin without interruption."""
    folder = write_case(tmp_path_factory.mktemp("whole"))
    run_case(load_case(folder))
    return folder / "run"


@pytest.mark.parametrize("stop", ["2020-05-01T12:00", "2020-05-01T20:00", "2020-05-02T05:00"],
                         ids=["at an analysis", "at a restart amid an interval", "at neither"])
def test_resumed_run_equals_an_uninterrupted_one(tmp_path, whole, stop):
    folder = write_case(tmp_path)
    run_case(load_case(folder, [f"time.end={stop}"]))
    run_case(load_case(folder), resume=True)
    assert_same_run(whole, folder / "run")


class Stop(Exception):
    """Stands for a kill."""


@pytest.mark.parametrize("stage", ["truth", "open loop", "assimilation"])
@pytest.mark.parametrize("steps", [1, 11, 30, 41])
def test_interrupted_run_equals_an_uninterrupted_one(tmp_path, whole, stage, steps):
    """Stop in every stage: before the first restart, between restarts amid an output interval, near the end."""
    folder, seen = write_case(tmp_path), []

    def progress(done, text):
        if text.startswith(stage):
            seen.append(done)
            if len(seen) == steps:
                raise Stop

    with pytest.raises(Stop):
        run_case(load_case(folder), progress=progress)
    assert not (folder / "run" / "scores.json").exists() and not (folder / "run" / "history.nc").exists()
    run_case(load_case(folder), resume=True)
    assert_same_run(whole, folder / "run")


def test_interrupted_twice(tmp_path, whole):
    folder = write_case(tmp_path)
    for count in (15, 18):
        left = iter(range(count))

        def progress(done, text, left=left):
            if text.startswith("assimilation") and next(left, None) is None:
                raise Stop

        with pytest.raises(Stop):
            run_case(load_case(folder), resume=count == 18, progress=progress)
    run_case(load_case(folder), resume=True)
    assert_same_run(whole, folder / "run")


def test_resuming_a_finished_run_changes_nothing(tmp_path, whole):
    folder = write_case(tmp_path)
    run_case(load_case(folder))
    run_case(load_case(folder), resume=True)
    assert_same_run(whole, folder / "run")


def test_running_again_gives_the_same(tmp_path, whole):
    folder = write_case(tmp_path)
    for _ in range(2):
        run_case(load_case(folder))
    assert_same_run(whole, folder / "run")


@pytest.mark.parametrize("method", ["enkf", "etkf"])
def test_global_filters_resume_too(tmp_path, method):
    case = changed(TWIN, {"assimilation.filter": method, "assimilation.localization": None})
    runs = []
    for name in ("whole", "parts"):
        folder, count = write_case(tmp_path / name, case), iter(range(20))

        def progress(done, text, count=count):
            if text.startswith("assimilation") and next(count, None) is None:
                raise Stop

        if name == "parts":
            with pytest.raises(Stop):
                run_case(load_case(folder), progress=progress)
        run_case(load_case(folder), resume=name == "parts")
        runs.append(folder / "run")
    assert_same_run(*runs)


def march(model, cells, members=slice(None), hours=16, count=80):
    """Advance under weather of all climates, drawn for ``count`` cells; return the state of those of the model."""
    sky, leaf = Weather(np.random.default_rng(3), count, snow_free=False), np.random.default_rng(4)
    spread = np.random.default_rng(9).uniform(0.9, 1.1, (4, count))
    areas = [field[:, cells] for field in random_areas(leaf, model.npatch, count)]
    for hour in range(hours):
        weather = {name: field[cells] for name, field in sky.step(hour + 6.5).items()}
        weather["shortwave_down"] = weather["shortwave_down"] * spread[members][:, cells]
        model.advance(weather, *areas, 3600.0)
    return {name: field.copy() for group in (model.state, model.flux) for name, field in group.items()}


def taken(cells, members=slice(None), count=80):
    """Return columns of some cells and members of one large random set."""
    whole = random_columns(np.random.default_rng(2), count, 4, npatch=2)
    cells = np.arange(count)[cells]
    members = np.arange(4)[members]
    part = random_columns(np.random.default_rng(2), len(cells), len(members), npatch=2)
    for target, source in ((part.parameter, whole.parameter), (part.state, whole.state)):
        values = {name: field[..., members, :][..., cells] for name, field in source.items()}
        (part.set_parameters if target is part.parameter else part.set_state)(values)
    return part


@pytest.fixture(scope="module")
def crowd():
    out = march(taken(slice(None)), slice(None))
    for name in ("snow_mass", "soil_ice", "canopy_snow"):
        assert out[name].max() > 0.0, f"the weather leaves no {name}"
    return out


@pytest.mark.parametrize("cells", [[0], [31], [37], [79], list(range(5, 70)), list(range(79, -1, -1))],
                         ids=["first", "last lane", "second chunk", "last", "shifted", "reversed"])
def test_a_column_does_not_know_its_neighbours(crowd, cells):
    alone = march(taken(cells), cells)
    for name, field in alone.items():
        assert np.array_equal(field, crowd[name][..., cells]), name


def test_members_do_not_know_their_order(crowd):
    order = [2, 0, 3, 1]
    shuffled = march(taken(slice(None), order), slice(None), order)
    for name, field in shuffled.items():
        assert np.array_equal(field, crowd[name][..., order, :]), name


def test_threads_do_not_matter(crowd):
    before = runtime.threads()
    try:
        runtime.set_threads(2)
        assert runtime.threads() == 2
        many = march(taken(slice(None)), slice(None))
    finally:
        runtime.set_threads(before)
    for name, field in many.items():
        assert np.array_equal(field, crowd[name]), name


def test_a_whole_run_with_two_threads(tmp_path, whole):
    folder = write_case(tmp_path, parallel__threads=2)
    subprocess.run([sys.executable, "-m", "pyland", "run", folder], check=True, timeout=120, cwd=tmp_path,
                   capture_output=True)
    assert_same_run(whole, folder / "run")


def test_resumed_in_winter(tmp_path):
    """A restart under snow and frost: layers that are half there, dust, frozen soil, snow on leaves."""
    case = changed(TWIN, {
        "time.start": "2020-01-12", "time.end": "2020-01-14", "domain.latitude": 55.0,
        "forcing.generator.climate": "continental", "land.initial.soil_temperature": 272.0,
        "observations": [], "assimilation": None, "ensemble.size": 2,
        "output.members": ["soil_water", "soil_ice", "snow_mass"],
        "output.variables": ["snow_mass", "snow_depth", "soil_ice"],
    })
    runs = []
    for name, stops in (("whole", ()), ("parts", ("2020-01-12T07:00", "2020-01-13T11:00"))):
        folder = write_case(tmp_path / name, case)
        for stop in stops:
            run_case(load_case(folder, [f"time.end={stop}"]), resume=stop != stops[0])
        run_case(load_case(folder), resume=bool(stops))
        runs.append(folder / "run")
    assert_same_run(*runs)
