"""One error on any rank ends all ranks: one message, the exit code of the error, no rank that waits for ever."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from launched_ranks import ranks_of
from station_cases import site_case, write_station

from cases import TWIN, changed, write_case

pytestmark = pytest.mark.mpi
PATIENCE = 60.0  # [s]

CASE = changed(TWIN, {"observations": None, "assimilation": None, "time.end": "2020-05-02"})

FAILING = """
import sys, time
import numpy as np
from pyland.base.errors import ConvergenceError, InputError
from pyland.base.parallel import world
from pyland.coupling import ColumnModel
from pyland.driver.cli import main
from pyland.driver.integration import Integration

failing, comm = {ranks}, world()
error = {error}
place, method = {place}
original, left = getattr(place, method), iter(range(5))

def fail(self, *arguments):
    if comm.rank in failing and next(left, None) is None:
        raise error
    return original(self, *arguments)

setattr(place, method, fail)
sys.argv = ["pyland", "run", {folder!r}]
main()
"""


def start(script, environment, ranks):
    """Start a Python script on some ranks."""
    launcher = shutil.which("mpirun")
    if launcher is None:
        pytest.skip("mpirun is not installed")
    command = [launcher, "--oversubscribe", "--bind-to", "none", "-n", str(ranks), sys.executable, str(script)]
    return subprocess.Popen(command, env=environment, cwd=script.parent, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)


def end_of(process):
    """Return exit code and what was said; a hang is a failure."""
    try:
        said, _ = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode, said


STEP, GATHER = "(ColumnModel, 'advance')", "(Integration, '_gather')"


@pytest.mark.parametrize(("ranks", "failing", "error", "place", "code"), [
    (2, [0], "InputError('station.nc: the file is gone')", STEP, 2),
    (2, [1], "KeyError('a bug')", STEP, 1),
    (2, [1], "MemoryError()", STEP, 3),
    (2, [1], "KeyboardInterrupt()", STEP, 130),
    (2, [1], "InputError('in the midst of a restart')", GATHER, 2),
    (3, [1, 2], "ConvergenceError('[E200] two ranks at once')", STEP, 3),
])
def test_one_error_ends_all(clean_environment, tmp_path, ranks, failing, error, place, code):
    folder, script = write_case(tmp_path / "case", CASE, output__restart_every="1 h"), tmp_path / "failing.py"
    script.write_text(FAILING.format(ranks=failing, error=error, place=place, folder=str(folder)))
    found, said = end_of(start(script, clean_environment, ranks))
    assert found == code, said
    assert said.count("pyland: ") == 1 and "Traceback" not in said, said
    assert not (folder / "run" / "scores.json").exists()


def test_sigterm_ends_all_with_one_message(clean_environment, tmp_path):
    """Schedulers send it to all ranks; mpirun, if it gets it itself, gives them a second only."""
    folder, script = write_case(tmp_path / "case", CASE, time__end="2021-05-01"), tmp_path / "long.py"
    script.write_text(f"import sys\nfrom pyland.driver.cli import main\nsys.argv = ['pyland', 'run', {str(folder)!r}]\n"
                      "main()\n")
    process = start(script, clean_environment, 2)
    began = time.monotonic()
    while not (folder / "run" / "pyland.log").exists() and time.monotonic() - began < PATIENCE:
        time.sleep(0.05)
    time.sleep(0.5)
    for rank in ranks_of(process):
        os.kill(rank, signal.SIGTERM)
    code, said = end_of(process)
    assert code == 143 and said.count("ended by SIGTERM") == 1 and "Traceback" not in said, said


def test_an_exception_in_a_script_of_the_user_ends_all(clean_environment, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from pyland.base.parallel import world\n"
        "comm = world()\n"
        "if comm.rank == 1:\n"
        "    raise ValueError('of the script')\n"
        "comm.barrier()\n"
    )
    code, said = end_of(start(script, clean_environment, 2))
    assert code == 1 and said.count("ValueError: of the script") == 1, said


def test_weather_that_only_one_rank_reads(clean_environment, tmp_path):
    """Two member groups share the weather of a station, which the first reads and loses."""
    folder, script = tmp_path / "case", tmp_path / "vanishing.py"
    station = write_station(tmp_path / "station.nc")
    write_case(folder, changed(site_case(station), {"land.initial.soil_temperature": 288.0}))
    script.write_text(
        "import os, sys\n"
        "from pyland.base.parallel import world\n"
        "from pyland.driver.cli import main\n"
        "from pyland.forcing import alma\n"
        "alma._WINDOW_MEMORY = 4000\n"
        "read = alma.AlmaForcing.interval_means\n"
        "def read_or_vanish(self, index):\n"
        "    assert world().rank == 0, 'another rank reads'\n"
        "    if index == 60:\n"
        f"        os.unlink({str(station)!r})\n"
        "    return read(self, index)\n"
        "alma.AlmaForcing.interval_means = read_or_vanish\n"
        f"sys.argv = ['pyland', 'run', {str(folder)!r}]\n"
        "main()\n"
    )
    code, said = end_of(start(script, clean_environment, 2))
    assert code == 2 and said.count("no such file") == 1 and "Traceback" not in said, said
