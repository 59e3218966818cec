"""A run that is killed at any moment resumes and ends with the bits of an uninterrupted one."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest
from launched_ranks import ranks_of

from cases import COUPLED, TWIN, assert_same_run, changed, differences, write_case

OUTPUT = {"output__restart_every": "3 h"}
PATIENCE = 120.0  # [s]


def start(folder, environment, *arguments, ranks=1):
    command = [sys.executable, "-m", "pyland", "run", str(folder), *arguments]
    if ranks > 1:
        launcher = shutil.which("mpirun")
        if launcher is None:
            pytest.skip("mpirun is not installed")
        command = [launcher, "--oversubscribe", "--bind-to", "none", "-n", str(ranks), *command]
    return subprocess.Popen(command, env=environment, cwd=folder.parent, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def kill(process, chance):
    """Kill the process; of several ranks one by chance, which ends the others, or all with their launcher."""
    ranks = ranks_of(process)
    victims = [chance.choice(ranks)] if ranks and chance.random() < 0.5 else [process.pid, *ranks]
    for victim in victims:
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)


def run_whole(folder, case):
    """Return the run directory without a kill and how long the run took [s]."""
    from pyland.config import load_case
    from pyland.driver.run import run_case

    write_case(folder, case, **OUTPUT)
    began = time.monotonic()
    run_case(load_case(folder))
    return folder / "run", time.monotonic() - began


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run_whole(tmp_path_factory.mktemp("whole"), TWIN)


@pytest.fixture(scope="module")
def whole_coupled(tmp_path_factory):
    return run_whole(tmp_path_factory.mktemp("coupled"), COUPLED)


def kill_and_resume(folder, environment, whole, seed, kills, *split, ranks=1, case=TWIN):
    """Kill a run ``kills`` times after a random while, look at what is left, and let it end."""
    reference, duration = whole
    chance = random.Random(seed)
    write_case(folder, case, **OUTPUT)
    run = folder / "run"
    for count in range(kills):
        process = start(folder, environment, *split, *(["--resume"] if run.exists() else []), ranks=ranks)
        began = time.monotonic()
        # count from the first sign of the run itself: the start of Python takes as long as a stage
        while process.poll() is None and not (run / "pyland.log").exists() and time.monotonic() - began < PATIENCE:
            time.sleep(0.02)
        time.sleep(chance.uniform(0.0, 1.2 * duration))
        kill(process, chance)
        process.communicate(timeout=PATIENCE)
        if process.returncode == 0 or (run / "scores.json").exists():  # the last file: killed at the exit
            break
        for name in ("truth.nc", "observations.nc", "open_loop/history.nc", "history.nc"):
            if (run / name).exists():  # what has its final name is complete
                assert not differences(reference / name, run / name), f"kill {count}"
    process = start(folder, environment, *split, "--resume", ranks=ranks)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    assert_same_run(reference, run)
    hidden = [path.name for path in run.rglob(".*")]
    assert not hidden and not (run / "segments").exists() and not (run / "truth").exists()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_kill_at_a_random_moment(tmp_path, clean_environment, whole, seed):
    kill_and_resume(tmp_path / "case", clean_environment, whole, seed, kills=1)


def test_kill_land_over_the_distributed_subsurface(tmp_path, clean_environment, whole_coupled):
    kill_and_resume(tmp_path / "case", clean_environment, whole_coupled, 5, 2, case=COUPLED)


SMOOTHER = changed(TWIN, {"assimilation.filter": "letks", "assimilation.window": "18 h", "observations.0.every": "6 h",
                          "assimilation.open_loop": False})


@pytest.fixture(scope="module")
def whole_smoother(tmp_path_factory):
    return run_whole(tmp_path_factory.mktemp("smoother"), SMOOTHER)


@pytest.mark.parametrize("seed", [6, pytest.param(7, marks=pytest.mark.slow)])
def test_kill_a_smoother(tmp_path, clean_environment, whole_smoother, seed):
    kill_and_resume(tmp_path / "case", clean_environment, whole_smoother, seed, 2, case=SMOOTHER)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(30, 40))
def test_kill_land_over_the_distributed_subsurface_again(tmp_path, clean_environment, whole_coupled, seed):
    kill_and_resume(tmp_path / "case", clean_environment, whole_coupled, seed, 2, case=COUPLED)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 30))
def test_kill_again_and_again(tmp_path, clean_environment, whole, seed):
    kill_and_resume(tmp_path / "case", clean_environment, whole, seed, kills=3)


SPLITS = (["--set", "parallel.tiles=2"], ["--set", "parallel.member_groups=2"])


@pytest.mark.mpi
def test_kill_two_ranks(tmp_path, clean_environment, whole):
    kill_and_resume(tmp_path / "case", clean_environment, whole, 4, 3, *SPLITS[1], ranks=2)


@pytest.mark.slow
@pytest.mark.mpi
@pytest.mark.parametrize("seed", range(40, 60))
def test_kill_two_ranks_again_and_again(tmp_path, clean_environment, whole, seed):
    kill_and_resume(tmp_path / "case", clean_environment, whole, seed, 1, *SPLITS[seed % 2], ranks=2)
