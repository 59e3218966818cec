"""``pyland parflow land``: the control file of ParFlow-CLM becomes sections that load and run."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from pyland.base.parallel import Communicator
from pyland.config import load_case
from pyland.driver import cli
from pyland.driver.commands.check import check_case
from pyland.driver.plant_fields import double_exponential_roots, plant_fields
from pyland.driver.run import run_case
from pyland.driver.setup import prepare

PLANTS = {"lai": [2.0, 0.0], "lai0": [0.5, 0.0], "sai": [4.0, 0.0], "z0m": [0.03, 0.01], "displa": [0.3, 0.0],
          "roota": [1.0, 0.0], "rootb": [2.5, 0.0]}
CONTROL = """! comment
vclass         2        Vegetation Classification Scheme
vegtf          drv_vegm.dat       Vegetation Tile Specification File
vegpf          drv_vegp.dat
metf1d         met.txt
clm_ic         2
syr  1999
smo  01
sda  15
shr  05
eyr  1999
emo  01
eda  15
ehr  08
t_ini          280.
h2osno_ini     3.
forc_hgt_u     10.0
forc_hgt_t     2.0
qflx_tran_vegmx-9999.0
rootfr         -9999.0
zlnd           0.01
zsno           0.0024
ssi            0.04
"""


@pytest.fixture
def folder(tmp_path):
    """Write the files of a run with 2 x 1 cells; classes 10 (grass) and 18 (bare)."""
    rows = {name: [grass] * 17 + [bare] for name, (grass, bare) in PLANTS.items()}
    lines = [f"{name}\n{' '.join(map(str, row))}\n" for name, row in rows.items()]
    (tmp_path / "drv_vegp.dat").write_text("".join(lines))
    shares = [[int(kind == wanted) for kind in range(1, 19)] for wanted in (10, 18)]
    (tmp_path / "drv_vegm.dat").write_text("x y\nindex\n" + "".join(
        f"{x} 1 40.{x} -100 0.5 0.2 4 {' '.join(map(str, share))}\n" for x, share in enumerate(shares, start=1)))
    (tmp_path / "drv_clmin.dat").write_text(CONTROL)
    hours = [[200.0, 300.0, 1e-4, 281.0, 3.0, 0.0, 9.6e4, 0.004]] * 4
    np.savetxt(tmp_path / "met.txt", hours)
    return tmp_path


@pytest.fixture
def command(capsys):
    def run(*arguments):
        code = cli.run_command(["parflow", "land", *map(str, arguments)])
        out = capsys.readouterr()
        return code, out.out, out.err

    return run


def case_of(text, **changes):
    return load_case({**yaml.safe_load(text), **changes})


def test_sections_are_those_of_the_files_and_run(folder, command, tmp_path):
    code, out, err = command(folder)
    assert code == 0, err
    for words in ("# h2osno_ini 3 is not taken over", "# forc_hgt_t 2 is not taken over"):
        assert words in out
    assert "rootfr" not in out and "qflx_tran_vegmx" not in out
    config = case_of(out)
    assert (config.domain.nx, config.domain.ny, config.domain.latitude) == (2, 1, pytest.approx(40.15))
    assert config.time.start.isoformat() == "1999-01-15T05:00:00" and config.time.nstep == 6
    assert (config.land.soil_roughness, config.land.initial.soil_temperature) == (0.01, 280.0)
    assert (config.land.snow.roughness, config.land.snow.holding, config.forcing.height) == (0.0024, 0.04, 10.0)
    report = check_case(config)
    assert report.problems == [] and "10 grasslands 50 % as c3_grass" in report.facts["land cover"]
    scores = run_case(config, output=tmp_path / "run")
    assert scores["closure"]["largest_step_water_residual"] < 1e-9
    assert scores["closure"]["largest_step_energy_residual"] < 1e-6
    attributes = (tmp_path / "run" / "case.yaml").read_text()
    assert "drv_vegm.dat" in attributes


def test_plants_of_the_cells_reach_the_core(folder, command):
    config = case_of(command(folder)[1])
    setup = prepare(config, Communicator())
    fields = plant_fields(setup.surface, setup.layers, "medlyn")
    assert fields["patch_fraction"].tolist() == [[1.0, 1.0]]
    np.testing.assert_allclose(fields["roughness_ratio"][0, 0] * fields["canopy_top"][0, 0], 0.03)
    edges = setup.layers.interface_depth
    np.testing.assert_allclose(fields["root_fraction"][:, 0], double_exponential_roots(1.0, 2.5, edges))
    np.testing.assert_allclose(fields["root_fraction"].sum(axis=0), 1.0)
    assert (setup.surface.soil_colour == 15).all()
    assert setup.initial_temperature.tolist() == [280.0, 280.0]


def test_double_exponential_roots():
    """Zeng (2001): grass with a = 10.74 and b = 2.608 m-1 has 99 % of its roots above 1.5 m."""
    edges = np.array([0.0, 0.1, 1.5, 100.0])
    share = double_exponential_roots(10.74, 2.608, edges)
    assert share.sum() == pytest.approx(1.0, abs=1e-15) and share[:2].sum() == pytest.approx(0.99, abs=0.001)


def test_without_weather_beside_it_the_folder_is_left_open(folder, command):
    (folder / "met.txt").unlink()
    code, out, _ = command(folder / "drv_clmin.dat")
    assert code == 0 and "path: FOLDER" in out and "Solver.CLM.MetFilePath" in out


def test_restart_files_of_parflow_are_named(folder, command):
    (folder / "drv_clmin.dat").write_text(CONTROL.replace("clm_ic         2", "clm_ic         1"))
    assert "restart file of its own" in command(folder)[1]


@pytest.mark.parametrize(("old", "new", "words"), [
    ("vclass         2", "vclass         1", "expected vclass 2"),
    ("vegtf ", "vegtx ", "expected the name of a file in vegtf"),
    ("drv_vegp.dat", "none.dat", "none.dat: the file cannot be read"),
    ("t_ini          280.", "t_ini          warm", "expected a number for t_ini, got 'warm'"),
    ("smo  01", "smo  13", "no date"),
])
def test_wrong_files(folder, command, old, new, words):
    (folder / "drv_clmin.dat").write_text(CONTROL.replace(old, new))
    code, out, err = command(folder)
    assert code == 2 and words in err and out == ""


def test_empty_folder(command, tmp_path):
    code, _, err = command(tmp_path)
    assert code == 2 and "drv_clmin.dat: the file cannot be read" in err
