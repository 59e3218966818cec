"""The command that shows runs in a browser: a part of the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pyland.base.errors import InputError
from pyland.base.parallel import world
from pyland.driver.commands.view import DEFAULT_PORT

LANGUAGES = ("en", "de", "zh")


def view(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="CASE|RUN|CYCLE...",
            help="Cases, run directories or cycles, finished or still going on.",
            show_default=False,
        ),
    ],
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65535, help=f"Port; default {DEFAULT_PORT}, a free one if it is taken."),
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser.")] = True,
    language: Annotated[
        str | None,
        typer.Option("--language", metavar="zh|en|de", help="Language of the page; default is the browser's."),
    ] = None,
    tiles: Annotated[
        str | None,
        typer.Option("--tiles", metavar="URL", help="Base map, with {Z}, {X} and {Y}; without it nothing is fetched."),
    ] = None,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="DIR", help="Write a static site instead of serving.")
    ] = None,
    variables: Annotated[
        list[str] | None,
        typer.Option(
            "--variable",
            metavar="NAME",
            help="Variable of the static site; may be given several times. All without it.",
        ),
    ] = None,
    statistics: Annotated[
        list[str] | None,
        typer.Option(
            "--statistic",
            metavar="NAME",
            help="Statistic of the static site; may be given several times. All without it.",
        ),
    ] = None,
    every: Annotated[int | None, typer.Option("--every", min=1, help="Every k-th time of the static site.")] = None,
    limit: Annotated[
        float | None, typer.Option("--limit", metavar="MB", min=0, help="Largest static site; default 2000.")
    ] = None,
) -> None:
    """Show runs as maps and series in a browser of this machine, or write them as a static site."""
    from pyland.driver.commands import view as command

    if world().size > 1:
        raise InputError(f"pyland view: expected one rank, got {world().size}; start it without mpirun.")
    if language is not None and language not in LANGUAGES:
        raise InputError(f"--language {language}: expected one of {', '.join(LANGUAGES)}.")
    if export is not None:
        if port is not None:
            raise InputError("--port belongs to the server; --export writes files. Leave it out.")
        report = command.export_site(sources, export, language=language, tiles=tiles, variables=variables or (),
                                     statistics=statistics or (), every=every or 1, limit=limit)
        typer.echo(report)
        return
    given = {"--variable": variables, "--statistic": statistics, "--every": every, "--limit": limit}
    for name, value in given.items():
        if value:
            raise InputError(f"{name} belongs to --export DIR; the server has everything. Leave it out.")
    command.view(sources, port=DEFAULT_PORT if port is None else port, with_browser=browser, language=language,
                 tiles=tiles, say=typer.echo)
