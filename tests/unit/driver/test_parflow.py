"""The commands ``pyland parflow``: what they print and write, exit codes, fields between PFB and netCDF."""

from __future__ import annotations

import netCDF4
import numpy as np
import pytest
from parflow_definitions import box, storm, write_pfidb

from pyland.driver import cli
from pyland.subsurface import read_pfb, write_pfb


@pytest.fixture
def command(capsys):
    def run(*arguments):
        code = cli.run_command(["parflow", *map(str, arguments)])
        out = capsys.readouterr()
        return code, out.out, out.err

    return run


@pytest.fixture
def storm_run(tmp_path):
    """Write a definition with rain and overland flow."""
    keys = box(TopoSlopesX__Type="Constant", TopoSlopesX__GeomNames="domain", TopoSlopesX__Geom__domain__Value=-0.02,
               **{"Solver.TerrainFollowingGrid": True})
    return write_pfidb(tmp_path / "storm.pfidb", keys | storm("OverlandKinematic", 0.05, 1, 1))


def test_info_reports_what_is_read(command, storm_run):
    code, out, _ = command("info", storm_run)
    assert code == 0
    for text in ("4 x 3 cells", "kinematic", "keys used", "Ignored"):
        assert text in out
    assert "ResidualTol" not in out and "ResidualTol" in command("info", storm_run, "--report")[1]


def test_info_exits_2_where_keys_have_no_counterpart(command, tmp_path):
    file = write_pfidb(tmp_path / "run.pfidb", box(**{"Solver.LSM": "CLM"}))
    code, out, err = command("info", file)
    assert code == 2 and "Solver.LSM" in out and "--lenient" in err
    assert command("info", file, "--lenient")[0] == 0


@pytest.mark.parametrize(("name", "words"), [("none.pfidb", "no such file"), ("run.tcl", "expected a ParFlow run")])
def test_wrong_file_exits_2(command, tmp_path, name, words):
    code, _, err = command("info", tmp_path / name)
    assert code == 2 and words in err and "Traceback" not in err


def test_run_writes_states_steps_and_balance(command, storm_run, tmp_path):
    code, out, err = command("run", storm_run, "--output", tmp_path / "out.nc")
    assert code == 0, err
    assert "written (2 steps" in out and "ParFlow [m]" not in out
    with netCDF4.Dataset(tmp_path / "out.nc") as file:
        assert file["pressure_head"].shape == (3, 5, 3, 4)
        np.testing.assert_array_equal(file["time"][:], [0.0, 3600.0, 7200.0])
        np.testing.assert_array_equal(file["parflow_file"][:], [0, 1, 2])
        np.testing.assert_allclose(file["layer"][:], [0.25, 0.75, 1.25, 1.75, 2.25])
        rain = 0.05 * 4 * 3 * 200.0
        assert file.balance_rain == pytest.approx(rain)
        assert abs(file.balance_residual) < 1e-6 * rain
        assert np.sum(file["discharge"][:] * 3600.0) == pytest.approx(file.balance_discharge)
    assert not list(tmp_path.glob(".*partial"))


def test_run_compares_with_the_files_beside_the_definition(command, storm_run, tmp_path):
    assert command("run", storm_run, "--output", tmp_path / "first.nc")[0] == 0
    with netCDF4.Dataset(tmp_path / "first.nc") as file:
        states = file["pressure_head"][:]
    states[2, 0, 1, 3] += 1e-3  # the top layer of a cell
    for number in (0, 1, 2):
        write_pfb(tmp_path / f"storm.out.press.{number:05d}.pfb", states[number], flip=True)
    code, out, _ = command("run", storm_run, "--output", tmp_path / "second.nc")
    assert code == 0
    lines = [line.split() for line in out.splitlines() if line.startswith("0000")]
    assert [line[0] for line in lines] == ["000000", "000001", "000002"]
    assert float(lines[1][2]) == 0.0 and float(lines[2][2]) == pytest.approx(1e-3, rel=1e-2)
    with netCDF4.Dataset(tmp_path / "second.nc") as file:
        np.testing.assert_allclose(file["largest_difference"][:], [0.0, 0.0, 1e-3], atol=1e-12)
    (tmp_path / "empty").mkdir()
    code, _, err = command("run", storm_run, "--reference", tmp_path / "empty", "--output", tmp_path / "third.nc")
    assert code == 2 and "storm.out.press" in err


def test_run_ends_earlier(command, storm_run, tmp_path):
    assert command("run", storm_run, "--until", 5400, "--output", tmp_path / "out.nc")[0] == 0
    with netCDF4.Dataset(tmp_path / "out.nc") as file:
        np.testing.assert_array_equal(file["time"][:], [0.0, 3600.0, 5400.0])
        assert file["parflow_file"][:].tolist() == [0, 1, -1]


def test_other_grid_of_an_output_is_an_error(command, storm_run, tmp_path):
    write_pfb(tmp_path / "storm.out.press.00000.pfb", np.zeros((2, 3, 4)))
    code, _, err = command("run", storm_run, "--output", tmp_path / "out.nc")
    assert code == 2 and "expected the grid of storm.pfidb" in err
    assert not (tmp_path / "out.nc").exists()


def test_fields_go_to_netcdf_and_back(command, tmp_path):
    values = np.random.default_rng(1).normal(size=(5, 3, 4))
    for number in (1, 2):
        write_pfb(tmp_path / f"r.out.press.0000{number}.pfb", number * values, lower=(1.0, 2.0, 3.0),
                  spacing=(10.0, 20.0, 0.5))
    files = sorted(tmp_path.glob("r.out.press.*.pfb"))
    code, out, _ = command("netcdf", *files, "--output", tmp_path / "r.nc", "--units", "m")
    assert code == 0 and "press, 2 files" in out
    with netCDF4.Dataset(tmp_path / "r.nc") as file:
        assert file["press"].units == "m" and file["press"].dimensions == ("time", "layer", "y", "x")
        np.testing.assert_array_equal(file["press"][0], values[::-1])  # layer 0 is the top
        np.testing.assert_allclose(file["x"][:], [6.0, 16.0, 26.0, 36.0])
    assert command("pfb", tmp_path / "r.nc", "press", "--output", tmp_path / "b.pfb")[0] == 2  # which time?
    assert command("pfb", tmp_path / "r.nc", "press", "--record", 1, "--output", tmp_path / "b.pfb")[0] == 0
    assert (tmp_path / "b.pfb").read_bytes() == files[1].read_bytes()
    assert (tmp_path / "b.pfb.dist").read_text() == "0\n"


def test_records_of_time_keep_their_order(command, tmp_path):
    values = np.arange(24.0).reshape(2, 3, 4)
    write_pfb(tmp_path / "rain.pfb", values)
    assert command("netcdf", tmp_path / "rain.pfb", "--keep-order", "--output", tmp_path / "rain.nc")[0] == 0
    with netCDF4.Dataset(tmp_path / "rain.nc") as file:
        assert file["rain"].dimensions == ("record", "y", "x")
        np.testing.assert_array_equal(file["rain"][:], values)
    code, _, _ = command("pfb", tmp_path / "rain.nc", "rain", "--topology", 2, 1, 1, "--output", tmp_path / "b.pfb")
    assert code == 0
    np.testing.assert_array_equal(read_pfb(tmp_path / "b.pfb"), values)


def test_missing_values_need_a_number(command, tmp_path):
    with netCDF4.Dataset(tmp_path / "f.nc", "w") as file:
        for name, size in (("y", 2), ("x", 3)):
            file.createDimension(name, size)
        file.createVariable("slope", "f8", ("y", "x"))[:] = np.ma.masked_equal([[1.0, 2.0, 3.0], [4.0, 5.0, 9.0]], 9.0)
    code, _, err = command("pfb", tmp_path / "f.nc", "slope", "--output", tmp_path / "f.pfb")
    assert code == 2 and "--fill" in err
    assert command("pfb", tmp_path / "f.nc", "slope", "--fill", 0, "--output", tmp_path / "f.pfb")[0] == 0
    assert read_pfb(tmp_path / "f.pfb")[0, 1].tolist() == [4.0, 5.0, 0.0]
    code, _, err = command("pfb", tmp_path / "f.nc", "nope", "--output", tmp_path / "f.pfb")
    assert code == 2 and "slope" in err


def test_files_of_two_grids_are_an_error(command, tmp_path):
    write_pfb(tmp_path / "a.pfb", np.zeros((1, 2, 2)))
    write_pfb(tmp_path / "b.pfb", np.zeros((1, 2, 3)))
    code, _, err = command("netcdf", tmp_path / "a.pfb", tmp_path / "b.pfb", "--output", tmp_path / "c.nc")
    assert code == 2 and "expected the grid of" in err and not (tmp_path / "c.nc").exists()
