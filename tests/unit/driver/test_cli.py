"""The command line: exit codes, sentences, no traceback; new and check."""

from __future__ import annotations

import json

import netCDF4
import numpy as np
import pytest

from cases import COUPLED, TWIN, write_case
from pyland.base.errors import ConvergenceError
from pyland.config import load_case
from pyland.driver import cli
from pyland.driver.commands.new import template_names


def station(path, **attributes):
    """Write two days of half-hourly weather at a station."""
    count = 96
    with netCDF4.Dataset(path, "w") as file:
        file.createDimension("time", count)
        time = file.createVariable("time", "f8", ("time",))
        time.units = "seconds since 2020-06-01"
        time[:] = np.arange(count) * 1800.0
        sun = np.maximum(np.sin(np.arange(count) / 48 * 2 * np.pi - np.pi / 2), 0)
        for name, units, value in (
            ("SWdown", "W m-2", 800 * sun),
            ("LWdown", "W m-2", 320.0),
            ("Tair", "K", 290 + 5 * sun),
            ("Qair", "kg kg-1", 0.008),
            ("PSurf", "Pa", 95000.0),
            ("Rainf", "kg m-2 s-1", 0.0),
            ("Snowf", "kg m-2 s-1", 0.0),
            ("Wind", "m s-1", 3.0),
        ):
            variable = file.createVariable(name, "f4", ("time",))
            variable.units = units
            variable[:] = value
        file.setncatts(
            {"time_convention": "UTC, start of averaging interval", "Conventions": "ALMA-like", "time_step_s": 1800}
            | attributes
        )
    return path


PLACE = {"site": "XX-Abc", "lat": 45.0, "lon": 5.0, "elev_m": 200.0, "utc_offset_h": 1}


def test_usage_errors_exit_2(command):
    for arguments in (["chek"], ["run"], ["run", "x", "--nope"], ["run", "x", "--members", "zero"]):
        code, _, err = command(*arguments)
        assert code == 2 and "Traceback" not in err and err.startswith("pyland: "), arguments


def test_help_lists_every_command(command):
    code, out, _ = command("--help")
    assert code == 0
    for name in (
        "new",
        "check",
        "run",
        "cycle",
        "calibrate",
        "merge",
        "diagnose",
        "plot",
        "view",
        "fetch",
        "vars",
        "schema",
        "info",
    ):
        assert f"\n  {name} " in out


def test_diagnose_prints_json_without_nan_or_a_table(command, tmp_path, monkeypatch):
    from pyland.driver.commands import diagnose

    group = {"departures": {"n": 1, "innovation_mean": float("nan"), "innovation_std": 0.1,
                            "expected_innovation_std": 0.1, "chi2": 1.0}, "spread_error": {"total_ratio": 1.0}}
    found = {"departures": {"wells": {"n": 1, "n_used": 1, "rejected": {}}},
             "observation_scores": {"all": {"wells": {"units": "m", "assimilated": group}}}}
    monkeypatch.setattr(diagnose, "diagnose", lambda *_, **__: dict(found))
    code, out, _ = command("diagnose", tmp_path, "assimilation")  # not a terminal
    assert code == 0 and command("diagnose", tmp_path, "assimilation", "--json")[1] == out
    strict = json.loads(out, parse_constant=pytest.fail)
    assert strict["observation_scores"]["all"]["wells"]["assimilated"]["departures"]["innovation_mean"] is None
    code, out, _ = command("diagnose", tmp_path, "assimilation", "--table")
    assert code == 0 and out.startswith("observations") and "wells: 1 of 1 used" in out
    code, _, err = command("diagnose", tmp_path, "skill", "--table")
    assert code == 2 and "leave --table out" in err


def test_configuration_errors_exit_2_with_all_lines(command, tmp_path):
    (tmp_path / "case.yaml").write_text("tiem: {}\nassimilation: {filter: kalman}\n")
    code, _, err = command("check", tmp_path)
    assert code == 2 and "case.yaml:1" in err and "case.yaml:2" in err and "Traceback" not in err
    assert command("run", tmp_path / "nowhere")[0] == 2


def test_numerics_exit_3_and_bugs_1(command, tmp_path, monkeypatch):
    from pyland.driver.commands import new

    def fail(error):
        def function(*_):
            raise error

        monkeypatch.setattr(new, "new_from_template", function)
        return command("new", tmp_path / "x")

    code, _, err = fail(ConvergenceError("[E201] column 3 did not converge"))
    assert code == 3 and "column 3" in err and "Traceback" not in err
    code, _, err = fail(ZeroDivisionError("oops"))
    assert code == 1 and "this is a bug in pyland" in err and "Traceback" in err
    assert fail(MemoryError())[0] == 3
    assert fail(KeyboardInterrupt())[0] == 130


@pytest.mark.parametrize("template", template_names())
def test_templates_run_as_they_are(command, tmp_path, template):
    code, out, _ = command("new", tmp_path / "case", "--template", template)
    assert code == 0 and "case.yaml" in out
    code, out, err = command("check", tmp_path / "case")
    assert code == 0, err
    assert "The case can run." in out and "memory" in out


def test_new_refuses_a_folder_with_files_and_unknown_templates(command, tmp_path):
    (tmp_path / "file").write_text("mine")
    code, _, err = command("new", tmp_path)
    assert code == 2 and "new or empty folder" in err
    code, _, err = command("new", tmp_path / "x", "--template", "first_rnu")
    assert code == 2 and "did you mean 'first_run'?" in err and not (tmp_path / "x").exists()


def test_new_from_a_silent_station_states_defaults(command, tmp_path):
    file = station(tmp_path / "a.nc", **PLACE)
    assert command("new", tmp_path / "case", "--site", file)[0] == 0
    text = (tmp_path / "case" / "case.yaml").read_text()
    assert text.count("# default: ") >= 5
    config = load_case(tmp_path / "case")
    assert config.domain.latitude == 45.0 and config.domain.elevation == 200.0
    assert config.forcing.height == 10.0 and config.time.end64 == np.datetime64("2020-06-03", "s")
    code, _, err = command("check", tmp_path / "case")
    assert code == 0, err


def test_new_from_a_talking_station(command, tmp_path):
    file = station(
        tmp_path / "a.nc",
        **PLACE,
        pft_clm=14,
        canopy_top_m=0.4,
        z_meas_m=6.5,
        veg='so-called "grass"',
        LAI_note="0.2-0.4 dry",
        soil_note="67% sand 16% clay",
    )
    assert command("new", tmp_path / "case", "--site", file)[0] == 0
    config = load_case(tmp_path / "case")
    (patch,) = config.surface.vegetation.patches
    assert (
        patch.type == "c4_grass"
        and patch.canopy_top == 0.4
        and patch.monthly("leaf_area_index")[0] == pytest.approx(0.3)
    )
    assert config.surface.soil.texture.sand == 67.0 and config.forcing.height == 6.5
    assert config.case.description == 'so-called "grass"'


def test_new_from_a_station_without_place(command, tmp_path):
    code, _, err = command("new", tmp_path / "case", "--site", station(tmp_path / "a.nc"))
    assert code == 2 and "lat and lon" in err and not (tmp_path / "case").exists()


def test_new_from_every_station(command, tmp_path, shared_data):
    for file in sorted((shared_data / "sites").glob("*.nc")):
        case = tmp_path / file.stem
        assert command("new", case, "--site", file)[0] == 0
        code, _, err = command("check", case)
        assert code == 0, err


def test_check_reports_all_problems(command, tmp_path):
    file = station(tmp_path / "a.nc", **PLACE)
    (tmp_path / "case.yaml").write_text(f"""
time: {{start: 2020-06-01, end: 2020-07-01}}
domain: {{latitude: 45, longitude: 5}}
forcing: {{format: alma, path: {file}, height: 10}}
observations:
  - {{name: a, file: nowhere.nc, variable: x}}
  - {{name: b, file: {file}, variable: SoilMoist}}
  - {{name: c, twin: {{}}, every: 1 day, depth: [8, 9]}}
""")
    code, out, err = command("check", tmp_path)
    assert code == 2 and "The case can run" not in out
    assert "covers" in err and "nowhere.nc" in err and "no variable 'SoilMoist'" in err and "to 8.6 m" in err
    assert "the case has 4 problems" in err


def test_vars_and_schema(command):
    code, out, _ = command("vars", "latent")
    assert code == 0 and "surface_upward_latent_heat_flux" in out
    assert command("vars", "--role", "nothing")[0] == 2
    code, out, _ = command("schema")
    assert code == 0 and json.loads(out)["properties"]["time"]
    assert command("schema", "--markdown")[1].startswith("# case.yaml")


def test_info(command):
    code, out, _ = command("info")
    assert code == 0
    for title in ("pyland", "compiler", "flags", "MPI", "threads", "columns per chunk"):
        assert f"\n{title}" in f"\n{out}"


def test_program_as_a_process(pyland_command, tmp_path):
    done = pyland_command("check", str(tmp_path))
    assert done.returncode == 2 and "Traceback" not in done.stderr and "holds no case.yaml" in done.stderr


@pytest.mark.mpi
def test_an_error_ends_all_ranks(pyland_command, tmp_path):
    done = pyland_command("check", str(tmp_path), ranks=2, timeout=60)
    assert done.returncode == 2
    assert done.stderr.count("holds no case.yaml") == 1


def test_tiles_must_be_the_ranks(command, tmp_path):
    assert command("new", tmp_path / "case")[0] == 0
    for name in ("check", "run"):
        code, _, err = command(name, tmp_path / "case", "--set", "parallel.tiles=3")
        assert code == 2 and "1 rank(s) for 400 cell(s) and 32 member(s) with parallel.tiles: 3" in err
        assert "Use 3 rank(s)" in err
    assert not (tmp_path / "case" / "run").exists()


@pytest.mark.parametrize(("case", "split"), [
    (TWIN, "4 = 1 member group(s) x 4 tile(s); at most 4 member(s) x 2 cell(s)"),
    (COUPLED, "4 = 2 member group(s) x 2 tile(s); at most 2 member(s) x 10")])
def test_check_plans_ranks(command, tmp_path, case, split):
    folder = write_case(tmp_path / "case", case)
    code, out, _ = command("check", folder, "--ranks", 4)
    assert code == 0 and split in out
    code, out, _ = command("check", folder, "--ranks", 4, "--set", "parallel.member_groups=2")
    assert code == 0 and "4 = 2 member group(s) x 2 tile(s)" in out


def test_new_from_a_field_of_maize_without_leaf_area(command, tmp_path):
    file = station(tmp_path / "a.nc", **PLACE, pft_clm=15, veg="no-till maize (C4)")
    assert command("new", tmp_path / "case", "--site", file)[0] == 0
    (patch,) = load_case(tmp_path / "case").surface.vegetation.patches
    assert patch.type == "corn_temperate"
    assert patch.leaf_area_index is None and patch.stem_area_index is None  # the table of the plant type


def test_a_run_that_was_killed_is_to_be_resumed(tmp_path, command):
    """Results are missing, restarts are there."""
    restart = tmp_path / "case" / "run" / "open_loop" / "restart"
    restart.mkdir(parents=True)
    _, _, before = command("diagnose", tmp_path / "case", "balance")
    (restart / "20200501T1000.nc").write_bytes(b"")
    code, _, after = command("diagnose", tmp_path / "case", "balance")
    assert code == 2 and "run the case first" in before and "--resume" not in before
    assert f"pyland run {tmp_path / 'case'} --resume" in after and "run the case first" not in after


def test_a_run_that_has_ended_is_not_to_be_resumed(tmp_path, command):
    """Scores are the last file of a run: what is missing beside them will not come."""
    restart = tmp_path / "case" / "run" / "restart"
    restart.mkdir(parents=True)
    (restart / "20200501T0000.nc").write_bytes(b"")
    (restart.parent / "scores.json").write_text("{}", encoding="utf-8")
    code, _, err = command("diagnose", tmp_path / "case", "assimilation")
    assert code == 2 and "without this file, which a run that assimilates" in err and "--resume" not in err


def test_a_misspelled_topic_gets_all_topics(command, tmp_path):
    code, _, err = command("diagnose", tmp_path, "permafrots")
    assert code == 2 and "drought" in err and "did you mean 'permafrost'?" in err


def test_no_period_is_ignored(command, tmp_path):
    code, _, err = command("diagnose", tmp_path, "assimilation", "--period", "2020-01-01", "2020-02-01")
    assert code == 2 and "--period" in err and "has no period" in err


@pytest.mark.parametrize(("name", "words"), [
    ("run", "pyland run CASE --resume"), ("calibrate", "pyland calibrate CASE --resume"),
    ("diagnose", "give the command again")])
def test_an_interrupted_command_says_how_it_goes_on(command, monkeypatch, tmp_path, name, words):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "app", interrupt)
    code, _, err = command(name, tmp_path)
    assert code == 130 and words in err


def test_an_export_has_no_port(command, tmp_path):
    code, _, err = command("view", tmp_path, "--export", tmp_path / "site", "--port", 9000)
    assert code == 2 and "--port belongs to the server" in err and not (tmp_path / "site").exists()


def test_the_folder_of_a_run_without_results_is_told_as_such(command, tmp_path):
    (tmp_path / "pyland.log").write_text("", encoding="utf-8")  # the first file of a run
    code, _, err = command("diagnose", tmp_path, "assimilation")
    assert code == 2 and f"{tmp_path / 'analysis.nc'}: no such file" in err
