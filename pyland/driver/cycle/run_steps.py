"""Analysis and forecast of a cycle: runs that go on from a restart; what a killed call left is taken up."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from pyland.base.logging import stop_file_log
from pyland.base.parallel import Communicator
from pyland.config import CaseConfig
from pyland.driver.continuation import Continuation
from pyland.driver.run import Progress, run_case
from pyland.output.restart import restart_path

SCORES = "scores.json"
"""Written last by a run: with it, a run is complete."""


def run_once(
    config: CaseConfig, continuation: Continuation, folder: Path, comm: Communicator, progress: Progress
) -> None:
    """Run to the end, from the last restart in the folder if an earlier call was killed; collective.

    Parameters
    ----------
    config : CaseConfig
        The run.
    continuation : Continuation
        Where it goes on.
    folder : Path
        Run directory.
    comm : Communicator
        Ranks.
    progress : callable
        Shows progress.
    """
    if comm.broadcast((folder / SCORES).exists()):
        return
    has_restart = any((folder / "restart").glob("*.nc")) if comm.is_root else False
    if comm.is_root and not has_restart:
        shutil.rmtree(folder, ignore_errors=True)
    run_case(config, resume=comm.broadcast(has_restart), output=folder, comm=comm, continuation=continuation,
             progress=progress)
    stop_file_log()
    comm.barrier()


def final_restart(folder: Path, end: np.datetime64) -> Path:
    """Return the restart that a run ended with."""
    return restart_path(folder, end)
