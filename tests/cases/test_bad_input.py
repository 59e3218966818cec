"""Wrong input through the command line: a sentence, exit code 2, and no output that looks complete."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import netCDF4
import numpy as np
import pytest
import yaml
from station_cases import PROBE, site_case, write_station

from cases import TWIN, changed, write_case
from pyland.driver import cli

HOURS = 96
COMPLETE = ("history.nc", "members.nc", "balance.nc", "analysis.nc", "scores.json")


@pytest.fixture
def pyland(capsys):
    """Return a function that runs the command line in this process: as the program does, without starting Python."""

    def run(*arguments: object) -> SimpleNamespace:
        code = cli.run_command([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return SimpleNamespace(returncode=code, stdout=said.out, stderr=said.err)

    return run


@pytest.fixture
def station(tmp_path) -> Path:
    """Write four days of half-hourly weather and return the file."""
    return write_station(tmp_path / "station.nc", HOURS)


@pytest.fixture
def site(station) -> dict:
    """Return a case of the station with four members."""
    return site_case(station)


def edit(file: Path, name: str, change) -> None:
    with netCDF4.Dataset(file, "a") as data:
        change(data[name])


def put(index, value):
    def change(variable):
        variable[index] = value

    return change


def attribute(name, value):
    return lambda variable: variable.setncattr(name, value)


def refuse(done, folder: Path, words: list[str], code: int = 2) -> None:
    """Assert exit code, words, no traceback, and nothing that looks complete."""
    assert done.returncode == code, done.stderr
    missing = [word for word in words if word not in done.stderr]
    assert not missing, f"{missing} not in: {done.stderr}"
    assert "Traceback" not in done.stderr and "bug in pyland" not in done.stderr
    left = [path.name for path in folder.rglob("*") if path.name in COMPLETE]
    assert not left, left


def test_the_site_itself_runs(pyland_command, tmp_path, site, station):
    site |= {"observations": [PROBE | {"file": str(station)}], "assimilation": {"filter": "etkf"}}
    done = pyland_command("run", write_case(tmp_path / "case", site))
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "case" / "run" / "scores.json").read_text())["assimilation"]


@pytest.mark.parametrize(("path", "value", "words"), [
    ("assimilation.filtre", "letkf", ["case.yaml:", "assimilation.filtre", "did you mean 'filter'?"]),
    ("assimilation.filter", "kalman", ["case.yaml:", "assimilation.filter", "letkf", "'kalman'"]),
    ("time.step", "30 K", ["case.yaml:", "time.step", "30 K"]),
    ("domain.elevation", "200 degC", ["case.yaml:", "domain.elevation", "degC"]),
    ("time.end", "2020-05-31", ["time.end", "after"]),
    ("domain.latitude", 145.0, ["domain.latitude", "145"]),
    ("surface.soil.texture.sand", 120, ["sand", "120"]),
    ("ensemble.size", 2.5, ["ensemble.size", "2.5"]),
    ("output.variables", ["latent_heat"], ["output.variables", "latent_heat"]),
    ("forcing.path", "nowhere.nc", ["nowhere.nc"]),
    ("domain.layers", [0.1, -0.1], ["domain.layers", "-0.1"]),
])
def test_wrong_configuration(pyland, tmp_path, site, path, value, words):
    folder = write_case(tmp_path / "case", changed(site, {path: value}))
    refuse(pyland("run", folder), folder, words)
    assert not (folder / "run").exists()


def test_all_problems_at_once(pyland, tmp_path, site):
    folder = write_case(tmp_path / "case", changed(site, {"tiem": {}, "ensemble.size": 0, "time.step": "1 m"}))
    refuse(pyland("run", folder), folder, ["tiem", "ensemble.size", "time.step"])


@pytest.mark.parametrize(("name", "change", "words"), [
    ("Tair", attribute("units", "m s-1"), ["station.nc", "Tair", "m s-1", "K"]),
    ("Tair", put(slice(40, 44), np.nan), ["station.nc", "Tair", "2020-06-01"]),
    ("SWdown", put(50, -300.0), ["station.nc", "SWdown", "-300"]),
    ("Qair", put(slice(None), 8.0), ["station.nc", "Qair", "8"]),
    ("Wind", put(7, 400.0), ["station.nc", "Wind", "400"]),
    ("time", put(slice(60, None), np.arange(60, 2 * HOURS) * 1800.0 + 7200.0), ["station.nc", "time"]),
], ids=["wrong unit", "gap", "negative radiation", "out of range", "impossible wind", "gap in time"])
def test_wrong_forcing(pyland, tmp_path, site, station, name, change, words):
    edit(station, name, change)
    folder = write_case(tmp_path / "case", site)
    refuse(pyland("run", folder), folder, words)


def test_missing_variable(pyland, tmp_path, site, station):
    with netCDF4.Dataset(station, "a") as data:
        data.renameVariable("LWdown", "Longwave")
    folder = write_case(tmp_path / "case", site)
    refuse(pyland("run", folder), folder, ["station.nc", "LWdown"])


def test_wrong_shape(pyland, tmp_path, site, station):
    with netCDF4.Dataset(station, "a") as data:
        data.renameVariable("PSurf", "old")
        data.createDimension("z", 3)
        data.createVariable("PSurf", "f8", ("z",)).units = "Pa"
        data["PSurf"][:] = 95000.0
    folder = write_case(tmp_path / "case", site)
    refuse(pyland("run", folder), folder, ["station.nc", "PSurf"])


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.95])
def test_truncated_forcing(pyland, tmp_path, site, station, share):
    os.truncate(station, int(station.stat().st_size * share))
    folder = write_case(tmp_path / "case", site)
    refuse(pyland("run", folder), folder, ["station.nc"])


def test_forcing_too_short(pyland, tmp_path, site):
    folder = write_case(tmp_path / "case", changed(site, {"time.end": "2020-07-01"}))
    refuse(pyland("run", folder), folder, ["station.nc", "2020-06-05", "2020-07-01"])


@pytest.mark.parametrize(("changes", "words"), [
    ({"file": "nowhere.nc"}, ["probe", "nowhere.nc"]),
    ({"variable": "Soil"}, ["probe", "'Soil'", "SoilMoist"]),
    ({"depth": [0, 9.0]}, ["case.yaml:", "observations.0.depth", "soil layers", "9"]),
    ({"error": -0.1}, ["error", "-0.1"]),
])
def test_wrong_observations(pyland, tmp_path, site, station, changes, words):
    case = site | {"observations": [PROBE | {"file": str(station)} | changes], "assimilation": {"filter": "etkf"}}
    folder = write_case(tmp_path / "case", case)
    refuse(pyland("run", folder), folder, words)


def test_observation_outside_the_domain(pyland, tmp_path, site, station):
    far = tmp_path / "far.nc"
    shutil.copy(station, far)
    with netCDF4.Dataset(far, "a") as data:
        data.setncatts({"lat": 10.0, "lon": 100.0})
    case = site | {"observations": [PROBE | {"file": str(far)}], "assimilation": {"filter": "etkf"}}
    folder = write_case(tmp_path / "case", case)
    refuse(pyland("run", folder), folder, ["far.nc", "outside"])


def test_observations_out_of_the_period(pyland, tmp_path, site, station):
    edit(station, "SoilMoist", put(slice(0, 100), np.nan))
    case = changed(site | {"observations": [PROBE | {"file": str(station)}], "assimilation": {"filter": "etkf"}},
                   {"time.end": "2020-06-02"})
    folder = write_case(tmp_path / "case", case)
    refuse(pyland("run", folder), folder, ["probe", "station.nc"])


def test_output_that_cannot_be_written(pyland, tmp_path, site):
    folder = write_case(tmp_path / "case", site)
    (tmp_path / "file").write_text("no folder")
    done = pyland("run", folder, "--output", tmp_path / "file" / "run")
    refuse(done, folder, [str(tmp_path / "file")])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_output_without_permission(pyland, tmp_path, site):
    folder = write_case(tmp_path / "case", site)
    folder.chmod(0o500)
    refuse(pyland("run", folder), folder, [str(folder)])


def test_damaged_restarts(pyland, tmp_path, site):
    """One damaged restart is skipped with a warning; if all are, or the case changed, the run says so and stops."""
    folder = write_case(tmp_path / "case", site)
    assert pyland("run", folder, "--until", "2020-06-03").returncode == 0
    files = sorted((folder / "run" / "restart").glob("*.nc"))
    other = yaml.safe_load((folder / "case.yaml").read_text())
    write_case(folder, changed(other, {"subsurface.ponding_depth": 0.02}))
    done = pyland("run", folder, "--resume")
    assert done.returncode == 2 and "another configuration" in done.stderr and "without --resume" in done.stderr
    write_case(folder, other)
    os.truncate(files[-1], files[-1].stat().st_size // 2)
    done = pyland("run", folder, "--resume")
    assert done.returncode == 0 and files[-1].name in done.stderr and "damaged" in done.stderr, done.stderr
    for file in (folder / "run" / "restart").glob("*.nc"):
        os.truncate(file, 1000)
    done = pyland("run", folder, "--resume")
    assert done.returncode == 2 and "none of the" in done.stderr and "Traceback" not in done.stderr


def test_numerics_that_fail_exit_3_and_keep_the_last_restart(pyland, tmp_path):
    """A stricter solver fails on the way; the restart before it is whole, and the run resumes from it."""
    folder = write_case(tmp_path / "case", changed(TWIN, {"observations": None, "assimilation": None}),
                        time__end="2020-05-11", forcing__generator__climate="tropical", output__restart_every="12 h",
                        subsurface__solver={"max_iterations": 4, "min_step": 1800})
    done = pyland("run", folder)
    refuse(done, folder, ["did not converge", "cell", "member"], code=3)
    before = sorted((folder / "run" / "restart").glob("*.nc"))
    again = pyland("run", folder, "--resume")
    refuse(again, folder, ["did not converge"], code=3)
    if before:
        assert "damaged" not in again.stderr and "resumed at" in again.stderr
