"""The command line ``pyland``; only this file and its parts (``cli_*.py``) know typer and rich.

Exit codes: 0 done, 2 the user's input is wrong, 3 the numerics failed, 1 a bug.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from pyland.base.errors import InputError, PylandError, StateError
from pyland.base.logging import get_logger, has_terminal_log, start_terminal_log
from pyland.base.parallel import world
from pyland.driver.cli_calibrate import calibrate
from pyland.driver.cli_cycle import cycle
from pyland.driver.cli_diagnose import diagnose, plot
from pyland.driver.cli_parflow import parflow
from pyland.driver.cli_products import analyse, merge, observe
from pyland.driver.cli_progress import Progress
from pyland.driver.cli_view import view

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""

TERMINATED = 143
"""Exit code after SIGTERM (time limit of a job, scancel), as shells have it."""

_PEERS_PATIENCE = 1.0
"""How long other ranks wait before they end a failed run [s], so that the root's message comes first and once."""

_PEERS_SPREAD = 2.0
"""Longest wait beyond that, of the last rank [s]: where several fail at once, the first to speak ends the others."""

_END_PATIENCE = 10.0
"""How long a rank that fails waits for the end that another has announced [s], before it ends the run itself."""

_GO_ON = {
    "run": "`pyland run CASE --resume` goes on from the last restart file",
    "study": "`pyland study CASE` goes on with the experiments that are not finished",
    "calibrate": "`pyland calibrate CASE --resume` goes on from the last model call",
    "cycle": "`pyland cycle CASE` goes on where it was",
}
"""Commands that go on after an interruption, and how."""

app = typer.Typer(
    name="pyland",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="An ensemble land data assimilation system.",
)
app.add_typer(parflow, name="parflow")

Case = Annotated[Path, typer.Argument(metavar="CASE", help="Case folder, or its case.yaml.", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY.PATH=VALUE", help="Replace a value of case.yaml; may be given several times."),
]
Output = Annotated[Path | None, typer.Option("--output", metavar="DIR", help="Run directory; default is CASE/run.")]


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show debug messages, and tracebacks of errors.")] = False,
) -> None:
    """Take options that belong to every command."""
    ranks = world()
    start_terminal_log(ranks.rank, ranks.size, debug)


@app.command()
def new(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="New or empty folder.", show_default=False)],
    template: Annotated[
        str | None, typer.Option("--template", metavar="NAME", help="Template; first_run if no --site.")
    ] = None,
    site: Annotated[Path | None, typer.Option("--site", metavar="FILE.nc", help="ALMA-like station file.")] = None,
    station: Annotated[
        Path | None, typer.Option("--station", metavar="RECORD", help="Text record of a station's logger.")
    ] = None,
    options: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Option of --station, such as latitude, height, utc_offset."),
    ] = None,
) -> None:
    """Write a case directory that runs as it is."""
    from pyland.driver.commands.new import new_from_site, new_from_template
    from pyland.driver.commands.station_case import new_from_station

    if sum(one is not None for one in (template, site, station)) > 1:
        raise InputError("pyland new: expected one of --template, --site and --station, got several.")
    if options and station is None:
        raise InputError("pyland new: --set belongs to --station; without it there is nothing to set.")
    if station is not None:
        file = new_from_station(directory, station, options or [])
    elif site is not None:
        file = new_from_site(directory, site)
    else:
        file = new_from_template(directory, template or "first_run")
    typer.echo(f"{file}: written. Next: pyland check {directory}")


@app.command()
def check(
    case: Case,
    planned: Annotated[
        int | None, typer.Option("--ranks", min=1, help="Ranks to plan for; default is those of mpirun.")
    ] = None,
    overrides: Overrides = None,
) -> None:
    """Check all that can be known without running; all errors at once."""
    from pyland.config import load_case
    from pyland.driver.commands.check import check_case

    ranks = world()
    report = check_case(load_case(case, overrides or []), planned or ranks.size)
    if ranks.is_root:
        for title, text in report.facts.items():
            typer.echo(f"{title:9s} {text}")
    report.raise_problems()
    if ranks.is_root:
        typer.echo("The case can run.")


@app.command()
def run(
    case: Case,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last restart file.")] = False,
    members: Annotated[int | None, typer.Option("--members", min=1, help="Number of members.")] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="End earlier than time.end (UTC).")
    ] = None,
    output: Output = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Threads per rank.")] = None,
    overrides: Overrides = None,
) -> None:
    """Run a case."""
    from pyland.config import load_case
    from pyland.driver.inputs import check_tiles
    from pyland.driver.run import run_case
    from pyland.driver.study.study_run import run_study

    changes = list(overrides or [])
    if members is not None:
        changes.append(f"ensemble.size={members}")
    if threads is not None:
        changes.append(f"parallel.threads={threads}")
    if until is not None:
        changes.append(f"time.end={until}")
    config = load_case(case, changes)
    if config.is_distributed:
        check_tiles(config, world().size)
    with Progress(world()) as progress:
        if config.study is not None and config.study.experiment is not None:
            run_study(config, only=[config.study.experiment], output=output, progress=progress)
            return
        run_case(config, resume=resume, output=output, progress=progress)


@app.command()
def study(
    case: Case,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="NAME", help="Experiment to run, as in study.experiments; may be given several "
                     "times. Tables and figures show all that are finished."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="DIR", help="Folder of the study; default is CASE/study.")
    ] = None,
    figures: Annotated[
        bool, typer.Option("--figures/--no-figures", help="Draw figures, which needs matplotlib.")
    ] = True,
    overrides: Overrides = None,
) -> None:
    """Run the experiments of a case that are not finished, and compare them."""
    from pyland.config import load_case
    from pyland.driver.commands.study import study as compare_experiments
    from pyland.driver.inputs import check_tiles

    config = load_case(case, overrides or [])
    if config.is_distributed:
        check_tiles(config, world().size)
    with Progress(world()) as progress:
        tables, files = compare_experiments(config, only=only or (), output=output, progress=progress, comm=world(),
                                            figures=figures)
    if world().is_root:
        typer.echo(tables)
        typer.echo("\n".join(map(str, files)))


for product_command in (analyse, observe, merge):
    app.command()(product_command)


@app.command()
def submit(
    case: Case,
    show: Annotated[bool, typer.Option("--print", help="Print the job script instead of submitting it.")] = False,
    scheduler: Annotated[str, typer.Option("--scheduler", metavar="NAME", help="slurm or pbs.")] = "slurm",
    nodes: Annotated[int, typer.Option("--nodes", min=1, help="Nodes.")] = 1,
    ranks: Annotated[
        int | None, typer.Option("--ranks", min=1, help="Ranks on all nodes; default by the cores of this machine.")
    ] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Threads per rank; default 1.")] = None,
    limit: Annotated[str, typer.Option("--time", metavar="HH:MM:SS", help="Time limit.")] = "01:00:00",
    account: Annotated[str | None, typer.Option("--account", metavar="A", help="Account that pays.")] = None,
    partition: Annotated[str | None, typer.Option("--partition", metavar="P", help="Partition or queue.")] = None,
    overrides: Overrides = None,
) -> None:
    """Write a job script for a case and submit it; the case is checked first."""
    from pyland.config import load_case
    from pyland.driver.commands.submit import job_script, plan_job, submit_job

    config = load_case(case, overrides or [])
    job = plan_job(config, scheduler, nodes=nodes, ranks=ranks, threads=threads, time=limit, account=account,
                   partition=partition)
    script = job_script(case, config, job, tuple(overrides or []))
    typer.echo(script if show else submit_job(script, scheduler), nl=not show)


for judging_command in (diagnose, plot, view, calibrate, cycle):
    app.command()(judging_command)


@app.command(name="vars")
def list_variables(
    pattern: Annotated[str | None, typer.Argument(help="Show rows with this text only.")] = None,
    role: Annotated[str | None, typer.Option("--role", help="forcing, state, flux or parameter.")] = None,
) -> None:
    """List the registry of variables."""
    from rich.console import Console
    from rich.table import Table

    from pyland.driver.commands.vars import HEADER, variable_rows

    rows = variable_rows(role, pattern)
    if not sys.stdout.isatty():
        for row in (HEADER, *rows):
            typer.echo("\t".join(row))
        return
    table = Table(*HEADER)
    for row in rows:
        table.add_row(*row)
    Console().print(table)


@app.command()
def schema(
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the reference page instead.")] = False,
) -> None:
    """Print the JSON schema of case.yaml."""
    from pyland.driver.commands.schema import schema_text

    typer.echo(schema_text(markdown))


@app.command()
def fetch(
    name: Annotated[str | None, typer.Argument(help="Data set; without it, a list of what there is.")] = None,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="Folder instead of the data folder of the user.")
    ] = None,
) -> None:
    """Bring public data into the data folder, with checksums; PYLAND_DATA may name a mirror."""
    from pyland.driver.commands.fetch import fetch_data, list_data

    if world().is_root:
        for line in list_data() if name is None else fetch_data(name, to):
            typer.echo(line)


@app.command()
def info() -> None:
    """Print versions, compiler, flags, MPI and threads."""
    from pyland.driver.commands.info import collect_info

    found = collect_info()
    if world().is_root:
        width = max(map(len, found))
        for title, text in found.items():
            typer.echo(f"{title:{width}s}  {text}")


class Terminated(BaseException):
    """The process got SIGTERM."""


def run_command(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; errors become sentences on standard error."""
    debug = "--debug" in arguments
    log = get_logger("pyland")
    try:
        result = app(args=list(arguments), prog_name="pyland", standalone_mode=False)
        if result == INTERRUPTED:  # typer takes Ctrl-C for an end like others, but other ranks wait for this one
            raise KeyboardInterrupt
        return result if isinstance(result, int) else 0
    except PylandError as error:
        return _report(log, str(error), error.exit_code, debug)
    except MemoryError:
        return _report(log, "memory ran out; use more ranks, fewer members or fewer cells", StateError.exit_code, debug)
    except (KeyboardInterrupt, typer.Abort):
        return _report(log, f"interrupted; {_how_to_go_on(arguments)}", INTERRUPTED, debug)
    except Terminated:
        return _report(log, f"ended by SIGTERM; {_how_to_go_on(arguments)}", TERMINATED, debug)
    except BrokenPipeError:
        # the reader of a pipe went away, for instance `pyland vars | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        text = f"{what}. The system refused to read or write there; look at path, permissions and free space."
        return _report(log, text, InputError.exit_code, debug)
    except Exception as error:
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):
            # typer's own usage errors: unknown option, missing argument
            return _report(
                log, f"{error.format_message()} (`pyland --help` shows the usage)", InputError.exit_code, debug
            )
        text = f"this is a bug in pyland, please report it with `pyland info`: {type(error).__name__}: {error}"
        return _report(log, text, PylandError.exit_code, debug or not _logs_to_file(log))


def _how_to_go_on(arguments: Sequence[str]) -> str:
    """Say what to do after a command that was ended from outside."""
    name = next((one for one in arguments if not one.startswith("-")), "")
    return _GO_ON.get(name, "files with their final names are complete; give the command again")


def _report(log: logging.Logger, text: str, code: int, with_traceback: bool) -> int:
    """Log an error and, on several ranks, end all of them."""
    if signal.getsignal(signal.SIGTERM) is _terminate:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # MPI sends it when another rank has said why and ends the run
    if not has_terminal_log():
        start_terminal_log()
    ranks = world()
    if not ranks.is_root:
        time.sleep(_PEERS_PATIENCE + _PEERS_SPREAD * ranks.rank / ranks.size)
    if ranks.is_ending():
        time.sleep(_END_PATIENCE)
        ranks.abort(code)
    ranks.announce_end()
    if _logs_to_file(log):
        log.debug("traceback of the error below", exc_info=True)
    if with_traceback:
        print(traceback.format_exc(), file=sys.stderr, end="")
    log.error("pyland: %s", text)
    ranks.abort(code)
    return code


def _logs_to_file(log: logging.Logger) -> bool:
    return any(isinstance(handler, logging.FileHandler) for handler in log.handlers)


def _terminate(number: int, frame: object) -> None:
    """End the command with a message."""
    raise Terminated


def main() -> None:
    """Entry point of the program ``pyland``."""
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(run_command(sys.argv[1:]))
