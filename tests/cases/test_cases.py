"""Every case runs and meets its expected scores: a short piece always, the whole case when slow tests are asked for."""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import yaml

from pyland.base.errors import InputError
from pyland.base.parallel import world
from pyland.config import load_case
from pyland.diagnose.peers import parse_depth_option
from pyland.diagnose.skill import skill_of_run
from pyland.domain.domain_file import read_domain
from pyland.driver.commands.calibrate import calibrate
from pyland.driver.commands.check import check_case
from pyland.driver.commands.diagnosis import diagnose_topic, topics
from pyland.driver.commands.study import compare
from pyland.driver.run import run_case
from pyland.driver.study.study_run import run_study

CASES = Path(__file__).resolve().parents[2] / "cases"
SHORT = {
    "01_first_run": ["time.end=2020-04-19", "domain.nx=5", "domain.ny=4", "ensemble.size=8"],
    "02_walnut_gulch": ["time.end=2004-05-12T07:00", "time.spinup.years=0", "ensemble.size=8",
                        "observations.0.scaling=none"],
    "03_changling": ["time.end=2008-01-03T16:00", "time.spinup.years=0"],
    "10_col_de_porte": ["time.start=2006-02-01", "time.end=2006-02-04", "time.spinup.years=0"],
    "11_reynolds_mountain": ["time.start=2006-01-01T07:00", "time.end=2006-01-04T07:00", "time.spinup.years=0"],
    "12_svartberget": ["time.end=2019-01-03T23:00", "time.spinup.years=1", "time.spinup.end=2019-01-01T23:00"],
    "13_bondville": ["time.end=2001-01-04T06:00", "time.spinup.years=0"],
    "14_north_carolina_loblolly": ["time.end=2009-01-04T05:00", "time.spinup.end=2005-01-02T05:00"],
    "15_tilted_v": ["time.end=2020-01-01T00:30"],
    "16_hillslope": ["time.end=2020-01-01T15:00"],
    "20_little_washita": ["time.end=1998-10-01T08:00"],
    "21_hillslope_da": ["time.end=2020-04-02T06:00", "ensemble.size=4"],
    "22_eurocordex": ["time.end=2018-05-02T02:00", "ensemble.size=2"],
    "30_nrw_study": ["time.end=2018-01-01T13:00", "ensemble.size=2", "study.experiment=null",
                     *(f"observations.{name}.scaling=none" for name in ("smap", "smos", "amsr2", "ascat"))],
    "43_calibration": ["time.end=2004-05-12T07:00", "time.spinup.years=0", "calibrate=null"],
    "31_crns_kansas": ["time.end=2021-10-05T06:00", "ensemble.size=8"],
    "40_heihe": ["time.end=2021-01-01T12:00", "time.spinup.years=0"],
    "42_permafrost": ["time.end=2010-10-03"],
}
"""Overrides that make a case short."""

WITHOUT_DATA = ("22_eurocordex",)
"""Cases on data that only a user can get; run.sh runs them on something else, by --set."""

JUDGED_PART = {"30_nrw_study": ["study.experiments=[joint]", "study.seeds=[2018]"]}
"""What of a long case is judged here: two of the nine runs of a study."""

REPLAYED = "41_realtime"
"""Case of a cycle, which is replayed by a script of its own."""

JUDGED = sorted(path.parent.name for path in CASES.glob("*/expected.yaml") if path.parent.name != REPLAYED)
"""Cases with scores that a run has to meet."""


@pytest.fixture(scope="session")
def kansas(shared_data, tmp_path_factory):
    """Return the folder of what the case of the neutron station reads, made by its script."""
    folder = tmp_path_factory.mktemp("kansas")
    subprocess.run([sys.executable, str(CASES / "31_crns_kansas" / "prepare.py"), str(folder)], check=True,
                   capture_output=True, env=os.environ | {"PYLAND_SHARED": str(shared_data.parent)})
    return folder


def test_calibration_of_the_neutron_station_is_what_its_case_has(kansas, open_case):
    found = json.loads((kansas / "calibration.json").read_text(encoding="utf-8"))
    operator = open_case("31_crns_kansas").observations[0].operator
    assert operator.n == pytest.approx(found["first detector"]["n"], abs=0.1)
    assert 2500 < found["both, without lattice water"]["n0"] / 1.048 < 2800  # crnpy, humidity of the day as reference
    assert 0.25 < found["both detectors"]["field_moisture"] < 0.30


@pytest.fixture
def open_case(request, monkeypatch):
    """Return a function that loads a case with overrides, and skips if its data are not here."""

    def load(name, overrides=()):
        text = (CASES / name / "case.yaml").read_text(encoding="utf-8")
        if "PYLAND_SHARED" in text:
            monkeypatch.setenv("PYLAND_SHARED", str(request.getfixturevalue("shared_data").parent))
        if "PYLAND_KANSAS" in text:
            monkeypatch.setenv("PYLAND_KANSAS", str(request.getfixturevalue("kansas")))
        if '"data:' in text:
            monkeypatch.setenv("PYLAND_DATA", str(request.getfixturevalue("shared_data")))
        return load_case(CASES / name, overrides)

    return load


def value_at(scores, path):
    for key in path:
        scores = scores[key]
    return scores


def depth_options(name):
    """Return the depths that run.sh gives to variables whose name does not say them."""
    words = (CASES / name / "run.sh").read_text(encoding="utf-8").split()
    return dict(parse_depth_option(after) for word, after in zip(words, words[1:], strict=False) if word == "--depth")


def replacements(name):
    """Return what run.sh puts in the place of data that nobody else has."""
    if name not in WITHOUT_DATA:
        return []
    words = shlex.split((CASES / name / "run.sh").read_text(encoding="utf-8"), comments=True)
    return [after for word, after in zip(words, words[1:], strict=False) if word == "--set"]


@pytest.mark.parametrize("name", sorted(SHORT))
def test_short_piece_closes_its_balances(name, open_case, tmp_path):
    scores = run_case(open_case(name, [*replacements(name), *SHORT[name]]), output=tmp_path / "run")
    closed = scores["closure"]
    if "largest_interval_water_residual" in closed:  # the distributed subsurface, to the tolerance of its solver
        assert closed["largest_interval_water_residual"] < 1e-5
    else:
        assert closed["largest_step_water_residual"] < 1e-9
        assert closed["largest_step_energy_residual"] < 1e-6
    for file in ("history.nc", "balance.nc", "scores.json", "case.yaml"):
        assert (tmp_path / "run" / file).exists(), file


@pytest.mark.slow
@pytest.mark.parametrize("name", JUDGED)
def test_whole_case_meets_its_expected_scores(name, open_case, tmp_path):
    config = open_case(name, [*replacements(name), *JUDGED_PART.get(name, ())])
    if config.calibrate is not None:
        calibrate(config, world(), output=tmp_path / "run", figures=False)
        scores = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    elif config.study is None:
        run_case(config, output=tmp_path / "run")
        scores = json.loads((tmp_path / "run" / "scores.json").read_text(encoding="utf-8"))
    else:
        compare(config, run_study(config, output=tmp_path / "run"), figures=False)
        scores = json.loads((tmp_path / "run" / "study.json").read_text(encoding="utf-8"))
    options = depth_options(name)
    if options:
        scores["skill"] = skill_of_run(tmp_path / "run" / "history.nc", config.forcing.path, depths=options)
    expected = yaml.safe_load((CASES / name / "expected.yaml").read_text(encoding="utf-8"))
    for topic in {entry["path"][0] for entry in expected} & set(topics()):
        scores[topic] = diagnose_topic(CASES / name, topic, output=tmp_path / "run", with_figures=False).numbers
    for entry in expected:
        found = value_at(scores, entry["path"])
        place = ".".join(entry["path"])
        assert found >= entry.get("at_least", -float("inf")), f"{place} is {found}"
        assert found <= entry.get("at_most", float("inf")), f"{place} is {found}"


@pytest.mark.slow
def test_replayed_cycle_meets_its_expected_scores(tmp_path):
    shutil.copytree(CASES / REPLAYED, tmp_path / "case", ignore=shutil.ignore_patterns("archive", "incoming", "cycle"))
    for script in (["deliver.py", "make"], ["replay.py"]):
        subprocess.run([sys.executable, *script], cwd=tmp_path / "case", check=True, capture_output=True)
    found = json.loads((tmp_path / "case" / "cycle" / "replay.json").read_text(encoding="utf-8"))
    for entry in yaml.safe_load((CASES / REPLAYED / "expected.yaml").read_text(encoding="utf-8")):
        score, place = value_at(found, entry["path"]), ".".join(entry["path"])
        assert entry.get("at_least", -float("inf")) <= score <= entry.get("at_most", float("inf")), (place, score)


def test_real_study_is_the_case_with_files():
    """Same domain, ensemble, filter and experiments; other weather, soils and observations."""
    made, real = (load_case(CASES / "30_nrw_study" / name) for name in ("case.yaml", "real.yaml"))
    assert all(one.file is not None and one.twin is None for one in real.observations)
    assert [one.name for one in real.observations] == made.study.products + ["crns"]
    for section in ("time", "ensemble", "assimilation", "subsurface", "output"):
        assert getattr(made, section) == getattr(real, section), section
    assert (made.study.products, made.study.experiments) == (real.study.products, real.study.experiments)
    assert real.forcing.format == "era5" and not real.study.truth


@pytest.mark.parametrize(("template", "name"), [("first_run", "01_first_run"), ("hillslope", "16_hillslope")])
def test_template_is_the_case(template, name):
    file = Path(__file__).resolve().parents[2] / "pyland" / "driver" / "templates" / template / "case.yaml"
    assert file.read_text(encoding="utf-8") == (CASES / name / "case.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(path.parent.name for path in CASES.glob("*/case.yaml")))
def test_case_is_complete_and_can_run(name, open_case):
    config = open_case(name, replacements(name))
    for file in ("README.md", "run.sh"):
        assert (CASES / name / file).exists(), file
    assert check_case(config, 1).problems == []


def test_plan_of_a_continent_without_its_weather(open_case):
    config = open_case("22_eurocordex", ["domain.file=coarse.nc"])
    report = check_case(config, 1024)
    assert report.facts["ranks"].startswith("1024 = 1 member group(s) x 1024 tile(s)")
    assert "core-hours" in report.facts["cost"] and "the root gathers" in report.facts["memory"]
    assert [problem.split(": ")[1] for problem in report.problems] == ["forcing", "observations.0"]


def test_coarse_domain_is_that_of_its_script(tmp_path):
    script = CASES / "22_eurocordex" / "make_domain.py"
    subprocess.run([sys.executable, str(script), str(tmp_path / "made.nc"), "--every", "8"], check=True,
                   capture_output=True)
    with netCDF4.Dataset(tmp_path / "made.nc") as made, netCDF4.Dataset(CASES / "22_eurocordex" / "coarse.nc") as kept:
        assert set(made.variables) == set(kept.variables)
        for name, field in made.variables.items():
            np.testing.assert_allclose(field[:], kept[name][:], rtol=1e-6, atol=1e-3, err_msg=name)
        # the corners of EUR-11 that CORDEX publishes lie half a coarse cell farther out
        assert kept["latitude"][:].min() > 21.98 and kept["latitude"][:].max() < 72.6


def write_fixed_fields(folder, script, shift=0.0):
    """Write land share, elevation and soil on EUR-11, its points moved by some degrees."""
    latitude, longitude = script.geographic(*script.rotated_axes(1))
    share = np.where(longitude > 10.0, 80.0, 20.0)
    for file, fields in {
        "sftlf.nc": {"sftlf": share, "lat": latitude + shift, "lon": longitude}, "orog.nc": {"orog": 10.0 * latitude},
        "soil.nc": {"sand": 40.0 + latitude / 10.0, "clay": np.stack([0.1 * share, 0.2 * share])},
    }.items():
        with netCDF4.Dataset(folder / file, "w") as data:
            for name, size in (("depth", 2), ("rlat", 412), ("rlon", 424)):
                data.createDimension(name, size)
            for name, field in fields.items():
                data.createVariable(name, "f8", ("depth", "rlat", "rlon")[-field.ndim:])[:] = field
    return [f"--{name}={folder / name}.nc" for name in ("sftlf", "orog", "soil")]


def test_domain_of_given_fields(tmp_path, monkeypatch):
    script = load_script(CASES / "22_eurocordex" / "make_domain.py")
    options = write_fixed_fields(tmp_path, script)
    monkeypatch.setattr(sys, "argv", ["make_domain.py", str(tmp_path / "domain.nc"), "--every", "16", *options])
    script.main()
    domain = read_domain(tmp_path / "domain.nc")
    assert (domain.longitude > 10.0).all() and domain.fields["clay"].shape == (2, domain.ncell)
    np.testing.assert_allclose(domain.elevation, 10.0 * domain.latitude, atol=0.01)
    np.testing.assert_allclose(domain.fields["clay"][1], 16.0, atol=0.01)
    write_fixed_fields(tmp_path, script, shift=0.1)
    with pytest.raises(InputError, match="its points are not those of EUR-11"):
        script.main()


def load_script(path):
    """Return a script as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
