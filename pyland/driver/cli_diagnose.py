"""The commands that look at a finished run: a part of the command line."""

from __future__ import annotations

import json
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from pyland.base.errors import InputError, UnavailableError
from pyland.driver.commands.diagnosis import asks_for_stations, diagnose_topic, topics

JUDGEMENTS = ("skill", "assimilation")
"""What can be asked of every run; see ``pyland.driver.commands.diagnose``."""

Case = Annotated[Path, typer.Argument(metavar="CASE", help="Case folder, or its case.yaml.", show_default=False)]
Output = Annotated[Path | None, typer.Option("--output", metavar="DIR", help="Run directory; default is CASE/run.")]


def diagnose(
    case: Case,
    what: Annotated[str, typer.Argument(help=f"One of {', '.join((*JUDGEMENTS, *topics()))}.")] = "skill",
    output: Output = None,
    period: Annotated[
        tuple[str, str] | None,
        typer.Option("--period", metavar="FROM TO", help="First and last instant that count (UTC); default is all.")
    ] = None,
    peers: Annotated[
        list[Path] | None,
        typer.Option(
            "--peer",
            metavar="FILE.nc",
            help="Output of another model to compare with; may be given several times. Without it, those in a folder "
            "'peers' beside the folder of the station file.",
        ),
    ] = None,
    depths: Annotated[
        list[str] | None,
        typer.Option(
            "--depth",
            metavar="NAME=12-20cm",
            help="Depth of an observed soil variable whose name does not say it; may be given several times.",
        ),
    ] = None,
    regions: Annotated[
        list[str] | None,
        typer.Option(
            "--region",
            metavar="NAME=SOUTH,NORTH,WEST,EAST",
            help="Box [degrees] over which an assimilation is judged too; may be given several times.",
        ),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="diagnose.TOPIC.KEY=VALUE",
                     help="Replace a value of section diagnose of the case; may be given several times."),
    ] = None,
    figures: Annotated[bool, typer.Option("--figures/--no-figures", help="Draw figures, which needs matplotlib.")
                       ] = True,
    as_json: Annotated[
        bool | None,
        typer.Option(
            "--json/--table",
            help="Print all numbers as JSON, or a short table. Without either: the table on a terminal, JSON "
            "elsewhere.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Judge a finished run."""
    from pyland.diagnose.assimilation_table import assimilation_table
    from pyland.diagnose.peers import parse_depth_option
    from pyland.diagnose.regions import parse_region
    from pyland.driver.commands.diagnose import diagnose as judge
    from pyland.output.atomic import plain

    span = (None, None) if period is None else _period(*period)
    if what == "skill" and asks_for_stations(case, output, overrides or []):
        what = "stations"
    if what in topics():
        if peers or depths or regions:
            raise InputError(f"--peer and --depth belong to 'skill', --region to 'assimilation'; '{what}' has none. "
                             "Leave them out.")
        found = diagnose_topic(case, what, output=output, period=span, overrides=overrides or [],
                               with_figures=figures)
        if as_json is False or (as_json is None and sys.stdout.isatty()):
            typer.echo(found.text)
            typer.echo("\n".join(map(str, found.files)))
        else:
            typer.echo(json.dumps(plain(found.numbers), indent=2, allow_nan=False))
        return
    if what not in JUDGEMENTS:
        known_topics = (*JUDGEMENTS, *topics())
        near = get_close_matches(what, known_topics, n=1)
        raise InputError(f"pyland diagnose: unknown topic '{what}'; expected one of {', '.join(known_topics)}"
                         + (f"; did you mean '{near[0]}'?" if near else "."))
    if overrides:
        raise InputError(f"--set: '{what}' reads nothing from section diagnose; leave --set out.")
    if as_json is False and what == "skill":
        raise InputError("--table: 'skill' prints JSON, and its tables below; leave --table out.")
    known, boxes = dict(parse_depth_option(text) for text in depths or []), [parse_region(one) for one in regions or []]
    result = judge(case, what, output=output, peers=peers, period=span, depths=known, regions=boxes)
    result.pop("peers", None)  # the tables say it for people, the files for programs
    tables, files = result.pop("tables", None), result.pop("files", [])
    if what == "assimilation" and (as_json is False or (as_json is None and sys.stdout.isatty())):
        typer.echo(assimilation_table(result))
        return
    typer.echo(json.dumps(plain(result), indent=2, allow_nan=False))
    if tables is not None:
        typer.echo(tables)
        typer.echo("\n".join(files))


def plot(
    case: Case,
    kind: Annotated[
        str | None,
        typer.Argument(help="maps, series, profile or increments of a variable; without it, all figures that the run "
                       "allows.", show_default=False),
    ] = None,
    variable: Annotated[
        str | None, typer.Option("--variable", metavar="NAME", help="Variable, see pyland vars.")
    ] = None,
    statistic: Annotated[
        str | None, typer.Option("--statistic", metavar="NAME", help="mean, std, p05 and others of the file.")
    ] = None,
    layer: Annotated[int | None, typer.Option("--layer", min=1, help="Layer from the top.")] = None,
    times: Annotated[
        list[str] | None, typer.Option("--time", metavar="DATE", help="Instant of a map (UTC); may be given often.")
    ] = None,
    place: Annotated[
        str | None, typer.Option("--at", metavar="LAT,LON", help="Place of a series or profile [degrees].")
    ] = None,
    compare: Annotated[
        list[Path] | None,
        typer.Option("--compare", metavar="CASE", help="Another run of a series; may be given often.")
    ] = None,
    output: Output = None,
    folder: Annotated[Path | None, typer.Option("--folder", metavar="DIR", help="Where the figures go.")] = None,
) -> None:
    """Draw PNG figures of a finished run."""
    try:
        from pyland.driver.commands.plot import plot as draw
        from pyland.driver.commands.plot_choice import Wanted, plot_choice
    except ImportError as error:
        if (error.name or "").split(".")[0] != "matplotlib":
            raise
        raise UnavailableError("pyland plot needs matplotlib; install it with: pip install 'pyland[plot]'") from None

    wanted = Wanted(variable, statistic, layer, tuple(times or ()), place, tuple(compare or ()))
    if kind is not None:
        typer.echo(str(plot_choice(case, kind, wanted, output=output, folder=folder)))
        return
    if wanted != Wanted():
        raise InputError("pyland plot: options of a variable belong to a figure; name it: pyland plot CASE maps "
                         "--variable ..., or series, profile, increments.")
    for file in draw(case, output=output, folder=folder):
        typer.echo(str(file))


def _period(first: str, last: str) -> tuple[np.datetime64, np.datetime64]:
    """Return the two instants of ``--period``."""
    try:
        span = np.datetime64(first, "s"), np.datetime64(last, "s")
    except ValueError as error:
        raise InputError(
            f"--period {first} {last}: expected two instants such as 2020-01-01 2021-01-01 ({error}).") from None
    if not span[0] < span[1]:
        raise InputError(f"--period {first} {last}: expected the first instant before the last.")
    return span
