"""Several ranks: the same bits as one, one message on errors, never a hang."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys

import netCDF4
import numpy as np
import pytest

from cases import assert_same_run, write_case

pytestmark = pytest.mark.mpi
PATIENCE = 120.0  # [s]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Run directory of the small twin on one rank."""
    from pyland.config import load_case
    from pyland.driver.run import run_case

    folder = write_case(tmp_path_factory.mktemp("alone"))
    run_case(load_case(folder))
    return folder / "run"


@pytest.mark.parametrize("ranks", [pytest.param(2, marks=pytest.mark.slow), 3])
def test_any_number_of_ranks_gives_the_same_bits(pyland_command, tmp_path, alone, ranks):
    folder = write_case(tmp_path / "case")
    done = pyland_command("run", folder, ranks=ranks, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert_same_run(alone, folder / "run")
    assert json.loads((folder / "run" / "scores.json").read_text())["timing"]["ranks"] == ranks


@pytest.mark.slow
def test_resume_on_another_number_of_ranks(pyland_command, tmp_path, alone):
    folder = write_case(tmp_path / "case")
    for ranks, arguments in ((3, ["--until", "2020-05-01T20:00"]), (2, ["--resume"])):
        done = pyland_command("run", folder, *arguments, ranks=ranks, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
    assert_same_run(alone, folder / "run")


@pytest.mark.parametrize("method", ["enkf", pytest.param("etkf", marks=pytest.mark.slow)])
def test_global_filters_on_two_ranks(pyland_command, tmp_path, method):
    runs = []
    for ranks in (1, 2):
        folder = write_case(tmp_path / str(ranks), assimilation__filter=method, assimilation__localization=None,
                            time__end="2020-05-02")
        done = pyland_command("run", folder, ranks=ranks, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        runs.append(folder / "run")
    assert_same_run(*runs)


def test_more_ranks_than_cells(pyland_command, tmp_path):
    folder = write_case(tmp_path / "case", domain__nx=1, domain__ny=2, ensemble__size=2)
    done = pyland_command("run", folder, ranks=5, timeout=PATIENCE)
    assert done.returncode == 2
    assert done.stderr.count("5 rank(s) for 2 cell(s) and 2 member(s)") == 1 and "Use 4 rank(s)" in done.stderr
    assert "Traceback" not in done.stderr and not (folder / "run").exists()


@pytest.mark.parametrize("rank", [0, 1])
def test_an_error_on_one_rank_ends_all(clean_environment, tmp_path, rank):
    """Columns of one rank fail in the middle of the run, while the other waits for them."""
    folder, script = write_case(tmp_path / "case"), tmp_path / "failing.py"
    script.write_text(
        "import sys\n"
        "from pyland.base.errors import ConvergenceError\n"
        "from pyland.base.parallel import world\n"
        "from pyland.coupling import ColumnModel\n"
        "from pyland.driver.cli import run_command\n"
        "advance, count = ColumnModel.advance, iter(range(60))\n"
        "def failing(self, *arguments):\n"
        f"    if world().rank == {rank} and next(count, None) is None:\n"
        "        raise ConvergenceError('[E200] soil water did not converge in cell 1, member 2')\n"
        "    advance(self, *arguments)\n"
        "ColumnModel.advance = failing\n"
        f"sys.exit(run_command(['run', {str(folder)!r}]))\n"
    )
    code, said = run_script(script, clean_environment, tmp_path)
    assert code == 3, said
    assert said.count("did not converge in cell 1, member 2") == 1 and "Traceback" not in said, said
    assert not (folder / "run" / "scores.json").exists() and not (folder / "run" / "history.nc").exists()


def test_a_missing_file_is_reported_once(pyland_command, tmp_path):
    folder = write_case(tmp_path / "case", forcing={"format": "alma", "path": str(tmp_path / "nowhere.nc")})
    done = pyland_command("run", folder, ranks=2, timeout=PATIENCE)
    assert done.returncode == 2 and done.stderr.count("nowhere.nc") == 1 and "Traceback" not in done.stderr


def test_a_killed_rank_ends_the_others_and_the_run_resumes(pyland_command, clean_environment, tmp_path, alone):
    folder = write_case(tmp_path / "case")
    code = (
        "import os, signal, sys\n"
        "from pyland.base.parallel import world\n"
        "from pyland.config import load_case\n"
        "from pyland.driver.run import run_case\n"
        "def progress(done, text):\n"
        "    if world().rank == 1 and text.startswith('assimilation') and done > 0.6:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        f"run_case(load_case({str(folder)!r}), progress=progress)\n"
    )
    script = tmp_path / "killed.py"
    script.write_text(code)
    code, said = run_script(script, clean_environment, tmp_path)
    assert code != 0, said
    assert not (folder / "run" / "scores.json").exists() and not (folder / "run" / "history.nc").exists()
    done = pyland_command("run", folder, "--resume", ranks=2, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert_same_run(alone, folder / "run")


def run_script(script, environment, folder):
    """Run a Python script on two ranks and return its exit code and what it said; a hang is a failure."""
    launcher = shutil.which("mpirun")
    if launcher is None:
        pytest.skip("mpirun is not installed")
    command = [launcher, "--oversubscribe", "--bind-to", "none", "-n", "2", sys.executable, str(script)]
    with subprocess.Popen(command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, start_new_session=True) as process:
        try:
            said, _ = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return process.returncode, said


def test_restart_files_do_not_depend_on_ranks(alone):
    latest = sorted((alone / "restart").glob("*.nc"))[-1]
    with netCDF4.Dataset(latest) as data:
        assert data["model:soil_water"].shape == (6, 4, 6)
        assert np.isfinite(np.asarray(data["model:soil_water"][...])).all()
