"""``pyland submit``: a job script for a case, printed or handed to the scheduler."""

from __future__ import annotations

import math
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pyland.base.errors import InputError, PylandError, UnavailableError
from pyland.config import CaseConfig
from pyland.domain import build_domain
from pyland.driver.commands.check import check_case
from pyland.driver.rank_layout import choose_split

SCHEDULERS = {"slurm": "sbatch", "pbs": "qsub"}
"""Names of schedulers, and the commands that take a script from standard input."""

PROGRAM_MEMORY = 250 * 2**20
"""What Python, libraries and MPI take on a rank [byte]; 140 MiB were measured without MPI."""

WORKING_SHARE = 1.5
"""Memory of a rank over the estimate of its state, for weather of members, records and restarts [1]; 1.4 was measured
with 40000 columns."""

STEP_OF_MEMORY = 100 * 2**20
"""Memory is asked for in steps of this [byte]."""


@dataclass(frozen=True)
class Job:
    """What a job asks of the scheduler.

    Attributes
    ----------
    scheduler : str
        One of ``SCHEDULERS``.
    nodes, ranks, threads : int
        Nodes, ranks on all of them, and threads of each rank [1].
    time : str
        Time limit, ``HH:MM:SS``.
    memory : int
        Memory of a node [byte].
    split : str
        How the ranks share the case, for the reader of the script.
    account, partition : str or None
        Who pays, and where it runs (partition or queue).
    """

    scheduler: str
    nodes: int
    ranks: int
    threads: int
    time: str
    memory: int
    split: str
    account: str | None = None
    partition: str | None = None

    @property
    def ranks_per_node(self) -> int:
        """Ranks on the node that has most [1]."""
        return -(-self.ranks // self.nodes)


def plan_job(
    config: CaseConfig,
    scheduler: str = "slurm",
    *,
    nodes: int = 1,
    ranks: int | None = None,
    threads: int | None = None,
    time: str = "01:00:00",
    account: str | None = None,
    partition: str | None = None,
) -> Job:
    """Check a case for a number of ranks and say what it asks of a scheduler.

    Parameters
    ----------
    config : CaseConfig
        The case.
    scheduler : str
        One of ``SCHEDULERS``.
    nodes, ranks, threads : int, optional
        As in `Job`; by default ``parallel.threads`` or one thread, and as many ranks as the cores of this machine times
        nodes allow, if the case can be split so.
    time : str
        Time limit, ``HH:MM:SS``.
    account, partition : str, optional
        As in `Job`.

    Raises
    ------
    InputError, ConfigError
        If an argument is impossible, or the case cannot run so; with all problems.
    """
    if scheduler not in SCHEDULERS:
        raise InputError(f"--scheduler: expected one of {', '.join(SCHEDULERS)}, got '{scheduler}'.")
    if not re.fullmatch(r"\d+:[0-5]\d:[0-5]\d", time):
        raise InputError(f"--time: expected HH:MM:SS, got '{time}'.")
    if threads is None:
        threads = config.parallel.threads if isinstance(config.parallel.threads, int) else 1
    if ranks is None:
        ranks = _largest_fit(config, max(nodes * (os.cpu_count() or 1) // threads, 1))
    if ranks < nodes:
        raise InputError(f"--nodes: expected at most one for each of {ranks} rank(s), got {nodes}.")
    report = check_case(config, ranks, is_here=False)
    report.raise_problems()
    each = PROGRAM_MEMORY + WORKING_SHARE * report.memory
    memory = math.ceil((each * -(-ranks // nodes) + report.restart) / STEP_OF_MEMORY) * STEP_OF_MEMORY
    split = report.facts.get("ranks") or report.facts.get("tiles") or f"{ranks} rank(s)"
    return Job(scheduler, nodes, ranks, threads, time, memory, split, account, partition)


def job_script(case: Path, config: CaseConfig, job: Job, overrides: tuple[str, ...] = ()) -> str:
    """Return the script of a job.

    Parameters
    ----------
    case : Path
        The case as the user names it; a relative path starts where the job is submitted.
    config : CaseConfig
        The case.
    job : Job
        What it asks for.
    overrides : tuple of str
        ``KEY.PATH=VALUE`` of ``--set``.
    """
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", config.case.name)
    head = _slurm(name, job) if job.scheduler == "slurm" else _pbs(name, job)
    launcher = "srun --cpu-bind=cores --kill-on-bad-exit=1" if job.scheduler == "slurm" else _mpirun(job)
    options = [f"--set={one}" for one in overrides]
    if config.parallel.threads not in ("auto", job.threads):
        options.append(f"--threads={job.threads}")  # else the case would win
    command = shlex.join(["pyland", "run", str(case), "--resume", *options])
    return "\n".join([
        "#!/bin/bash",
        *head,
        "",
        f"# pyland, case {config.case.name}: {job.split}.",
        "# --resume goes on from the last restart, or starts where there is none: submit this script again, or a chain",
        "# of it, until the run has ended. To start anew, remove the run directory first (docs/guide/clusters.md).",
        "set -eu",
        f"export OMP_NUM_THREADS={job.threads} OMP_PLACES=cores OMP_PROC_BIND=close",
        f"{launcher} {command}",
        "",
    ])


def submit_job(script: str, scheduler: str) -> str:
    """Hand a script to the scheduler and return what it answers.

    Raises
    ------
    UnavailableError
        If its command is not here.
    InputError
        If it refuses the job.
    """
    program = SCHEDULERS[scheduler]
    if shutil.which(program) is None:
        raise UnavailableError(
            f"pyland submit: there is no `{program}` on this machine; run it where jobs are submitted, choose another "
            f"--scheduler ({', '.join(SCHEDULERS)}), or write the script with --print.")
    done = subprocess.run([program], input=script, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise InputError(f"pyland submit: {program} refuses the job: {(done.stderr or done.stdout).strip()}")
    return done.stdout.strip()


def _slurm(name: str, job: Job) -> list[str]:
    """Return the head of a Slurm script."""
    asked = {
        "job-name": name, "nodes": job.nodes, "ntasks": job.ranks, "ntasks-per-node": job.ranks_per_node,
        "cpus-per-task": job.threads, "mem": f"{job.memory // 2**20}M", "time": job.time, "output": f"{name}.%j.log",
        "account": job.account, "partition": job.partition,
    }
    return [f"#SBATCH --{key}={value}" for key, value in asked.items() if value is not None]


def _pbs(name: str, job: Job) -> list[str]:
    """Return the head of a PBS script."""
    each = job.ranks_per_node
    asked = [
        f"-N {name[:15]}",
        f"-l select={job.nodes}:ncpus={each * job.threads}:mpiprocs={each}:ompthreads={job.threads}"
        f":mem={job.memory // 2**20}mb",
        f"-l walltime={job.time}", "-j oe",
        *([f"-A {job.account}"] if job.account else []), *([f"-q {job.partition}"] if job.partition else []),
    ]
    return [*(f"#PBS {one}" for one in asked), 'cd "$PBS_O_WORKDIR"']


def _mpirun(job: Job) -> str:
    """Return the launcher of Open MPI, with the cores of each rank."""
    return f"mpirun -n {job.ranks} --map-by ppr:{job.ranks_per_node}:node:PE={job.threads} --bind-to core"


def _largest_fit(config: CaseConfig, limit: int) -> int:
    """Return the largest number of ranks up to a limit that the case can be split into."""
    section, ncell = config.parallel, build_domain(config.domain).ncell
    nmember = 1 if config.is_distributed and not config.is_coupled else config.ensemble.size
    for ranks in range(limit, 0, -1):
        try:
            choose_split(ranks, ncell, nmember, section.member_groups, section.tiles)
        except PylandError:
            continue
        return ranks
    raise InputError(
        f"parallel: expected member_groups and tiles for at most {limit} rank(s), the cores of this machine; give "
        "--ranks.")
