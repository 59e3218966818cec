"""The real-time cycle: a part of the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from pyland.base.errors import InputError
from pyland.base.parallel import world
from pyland.driver.cli_progress import Progress

Case = Annotated[Path, typer.Argument(metavar="CASE", help="Case folder, or its case.yaml.", show_default=False)]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY.PATH=VALUE", help="Replace a value of case.yaml; may be given several times."),
]


def cycle(
    case: Case,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="Run no cycle that ends later (UTC).")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Run one cycle at most.")] = False,
    now: Annotated[
        str | None,
        typer.Option("--now", metavar="DATE", help="Replay: as if it were this time (UTC); files that were written "
                     "later have not arrived yet.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="DIR", help="Folder of the cycle; default is CASE/cycle.")
    ] = None,
    status: Annotated[
        bool, typer.Option("--status", help="Show what is done and waited for; run nothing.")
    ] = False,
    overrides: Overrides = None,
) -> None:
    """Run every cycle whose inputs have arrived; safe to kill and to call again."""
    from pyland.config import load_case
    from pyland.driver.cycle import run_cycles
    from pyland.driver.cycle.status import status_text

    config, ranks = load_case(case, overrides or []), world()
    moments = _moment("--until", until), _moment("--now", now)
    if status:
        given = {"--until": until, "--now": now, "--once": once}
        for name in (one for one, value in given.items() if value):
            raise InputError(f"pyland cycle --status shows what the last call found; {name} changes nothing of it. "
                             "Leave it out.")
        if ranks.is_root:
            typer.echo(status_text(config, output))
        return
    with Progress(ranks) as progress:
        report = run_cycles(config, output=output, until=moments[0], now=moments[1], once=once, progress=progress)
    if ranks.is_root:
        for name in report.published:
            typer.echo(name)


def _moment(option: str, text: str | None) -> np.datetime64 | None:
    """Return a time of the command line, UTC."""
    if text is None:
        return None
    try:
        moment = np.datetime64(text.removesuffix("Z"), "s")
    except ValueError:
        moment = np.datetime64("NaT")
    if np.isnat(moment):
        raise InputError(f"pyland cycle {option}: expected a date and time such as 2020-04-15 or 2020-04-15T12:00 (UTC)"
                         f", got '{text}'.")
    return moment
