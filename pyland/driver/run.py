"""Run a case."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pyland.base.errors import InputError
from pyland.base.logging import get_logger, start_file_log
from pyland.base.parallel import Communicator, world
from pyland.config import CaseConfig
from pyland.config.load import dump_case
from pyland.core import runtime
from pyland.driver.case_run import CaseRun, Progress
from pyland.driver.continuation import Continuation
from pyland.driver.distributed.coupled_case import CoupledCaseRun
from pyland.driver.distributed.flow_case import FlowCaseRun
from pyland.driver.rivers.given_stages import GivenStages
from pyland.observe import ObservationSet
from pyland.output.atomic import complete_file

RESULTS = ("scores.json", "history.nc", "members.nc", "analysis.nc", "smoothed.nc", "balance.nc", "discharge.nc",
           "domain.nc", "truth.nc", "observations.nc")
"""Files of an earlier run that a new one removes first, so that a failure leaves nothing that looks complete."""

_log = get_logger("run")


def run_case(
    config: CaseConfig,
    *,
    resume: bool = False,
    output: str | Path | None = None,
    progress: Progress | None = None,
    comm: Communicator | None = None,
    given: GivenStages | None = None,
    continuation: Continuation | None = None,
) -> dict[str, Any]:
    """Run a case to its end.

    Parameters
    ----------
    config : CaseConfig
        The case, from :func:`pyland.config.load_case`.
    resume : bool
        Go on from the last restart file instead of starting anew.
    output : path, optional
        Run directory; ``run`` below the case by default.
    progress : callable, optional
        Called with the share that is done [1] and a text.
    comm : Communicator, optional
        Ranks; those the process was launched with by default.
    given : GivenStages, optional
        Truth, observations and open loop of another run, which this one then takes instead of computing its own.
    continuation : Continuation, optional
        The run goes on from the restart of another, with inputs and files of its own.

    Returns
    -------
    dict
        What ``scores.json`` holds, on the root; empty on other ranks.

    Raises
    ------
    PylandError
        See ``pyland.base.errors``: the input is wrong, or the numerics failed.
    """
    if config.study is not None and config.study.experiment is not None:
        raise InputError(
            f"{config.case.name}: expected a single run, got a study, whose stations must not be assimilated. Use "
            "`pyland run` or `pyland study` (pyland.driver.study.study_run.run_study), or set study.experiment to null "
            "to run the case as it is.")
    comm = comm or world()
    run_dir = Path(output) if output is not None else config.run_directory
    set_threads(config, comm)
    run = kind_of_run(config)(
        config, run_dir, comm, resume, progress or (lambda done, text: None), given, continuation)
    if comm.is_root:
        run_dir.mkdir(parents=True, exist_ok=True)
        if not resume:
            for name in RESULTS:
                (run_dir / name).unlink(missing_ok=True)
        with complete_file(run_dir / "case.yaml") as partial:
            partial.write_text(dump_case(config), encoding="utf-8")
    comm.barrier()
    start_file_log(run_dir / "pyland.log", comm.rank, comm.size, append=resume)
    _log.info("%s: %d cells, %d members, %d ranks x %d threads, results in %s", config.case.name, run.setup.whole.ncell,
              config.ensemble.size, comm.size, runtime.threads(), run_dir)
    scores = run.execute()
    _log.info("done in %.1f s: %s", run.timing["wall_seconds"], run_dir)
    return scores


def observe_truth(
    config: CaseConfig, output: str | Path, *, progress: Progress | None = None, comm: Communicator | None = None
) -> list[ObservationSet]:
    """Run the truth of a case alone and observe it, unless ``output`` has both already; collective.

    Parameters
    ----------
    config : CaseConfig
        The case, with twin observations.
    output : path
        Where ``truth.nc`` and ``observations.nc`` go.
    progress : callable, optional
        As for `run_case`.
    comm : Communicator, optional
        Ranks; those the process was launched with by default.

    Returns
    -------
    list of ObservationSet
        The observations, on every rank.
    """
    comm, run_dir = comm or world(), Path(output)
    set_threads(config, comm)
    run = kind_of_run(config)(config, run_dir, comm, True, progress or (lambda done, text: None))
    if comm.is_root:
        run_dir.mkdir(parents=True, exist_ok=True)
    comm.barrier()
    start_file_log(run_dir / "pyland.log", comm.rank, comm.size, append=True)
    return run.observe_truth()


def kind_of_run(config: CaseConfig) -> type[CaseRun]:
    """Return what runs a case: columns, the distributed subsurface, or land over it."""
    if config.is_coupled:
        return CoupledCaseRun
    return FlowCaseRun if config.is_distributed else CaseRun


def set_threads(config: CaseConfig, comm: Communicator) -> None:
    """Set the threads of this rank: as configured, else OMP_NUM_THREADS, else the cores shared by the ranks."""
    wanted = config.parallel.threads
    if isinstance(wanted, int):
        runtime.set_threads(wanted)
    elif "OMP_NUM_THREADS" not in os.environ:
        runtime.set_threads(max(len(os.sched_getaffinity(0)) // comm.size, 1))
