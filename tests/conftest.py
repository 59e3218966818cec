"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from traps import trap_core

from pyland.base.logging import stop_logs
from pyland.core import runtime

ROOT = Path(__file__).resolve().parents[1]
_LEAKED = ("OMPI_", "PMIX_", "ORTE_", "OPAL_", "PRTE_")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder ``data`` of the development data set; skips where it is not at hand."""
    places = [Path(os.environ["PYLAND_SHARED"])] if "PYLAND_SHARED" in os.environ else []
    places.append(ROOT.parent / "shared")
    for place in places:
        if (place / "data").is_dir():
            return place / "data"
    pytest.skip("the development data set is not here: set PYLAND_SHARED to its folder or put it at ../shared")


@pytest.fixture(scope="session", autouse=True)
def traps() -> bool:
    """In a debug build (``-ffpe-trap`` among its flags), trap floating-point errors of the core."""
    return "-ffpe-trap" in runtime.build()["flags"] and trap_core()


@pytest.fixture(autouse=True)
def fresh_log():
    """Stop the logs that a command or a run within a test has started."""
    yield
    stop_logs()


@pytest.fixture
def clean_environment() -> dict[str, str]:
    """Environment for subprocesses, without what an initialised MPI leaks."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(_LEAKED)}
    env.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMP_NUM_THREADS="1", PYTHONSAFEPATH="1")
    if shutil.which("ssh") is None:
        env["OMPI_MCA_plm_rsh_agent"] = ""
    return env


@pytest.fixture
def pyland_command(clean_environment, tmp_path):
    """Return a function that runs the command line, or another script, and gives the finished process."""

    def run(
        *arguments: str, ranks: int = 1, timeout: float = 300.0, cwd: Path | None = None, script: Path | None = None
    ) -> subprocess.CompletedProcess:
        program = ["-m", "pyland"] if script is None else [str(script)]
        command = [sys.executable, *program, *map(str, arguments)]
        if ranks > 1:
            launcher = shutil.which("mpirun")
            if launcher is None:
                pytest.skip("mpirun is not installed")
            command = [launcher, "--oversubscribe", "--bind-to", "none", "-n", str(ranks), *command]
        # own session: on a timeout mpirun may ignore SIGTERM and leave its ranks behind
        with subprocess.Popen(
            command, env=clean_environment, cwd=cwd or tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True,
        ) as process:
            try:
                out, err = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    return run
