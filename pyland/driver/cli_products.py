"""The commands that work on files of observations and ensembles, without a case: a part of the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pyland.base.errors import InputError
from pyland.base.parallel import world


def analyse(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="ENSEMBLE.nc... OBS.nc",
            help="File with all members, or one file per member (also 'ens_*.nc'), and the observations.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT.nc", help="File to write.", show_default=False)
    ],
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE.yaml", help="Method, localisation, observation types.")
    ] = None,
    method: Annotated[str | None, typer.Option("--method", metavar="NAME", help="Filter; default letkf.")] = None,
    radius: Annotated[
        float | None, typer.Option("--radius", help="Support radius of the localisation [m, or unit of x and y].")
    ] = None,
    taper: Annotated[
        str | None, typer.Option("--taper", metavar="NAME", help="gaspari_cohn, exponential or none.")
    ] = None,
    inflation: Annotated[float | None, typer.Option("--inflation", help="Factor on the prior anomalies.")] = None,
    relaxation: Annotated[float | None, typer.Option("--relaxation", help="Relaxation to the prior spread.")] = None,
    variables: Annotated[
        list[str] | None, typer.Option("--variable", metavar="NAME", help="Variable to update; may be given often.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed of methods that draw random numbers.")] = None,
    threads: Annotated[int | None, typer.Option("--threads", min=1, help="Threads.")] = None,
) -> None:
    """Analyse an ensemble in netCDF files by observations in a file; needs no case and no model."""
    from pyland.driver.commands.analyse import analyse_files

    if world().size > 1:
        raise InputError(f"pyland analyse: expected one rank, got {world().size}; use --threads for threads.")
    if len(sources) < 2:
        raise InputError("pyland analyse: expected ENSEMBLE.nc and OBS.nc, got one file.")
    given = {"method": method, "localisation.radius": radius, "localisation.taper": taper, "inflation": inflation,
             "relaxation": relaxation, "variables": variables, "seed": seed, "threads": threads}
    changes = {name: value for name, value in given.items() if value is not None and value != []}
    typer.echo(analyse_files(sources[:-1], sources[-1], output, config=config, changes=changes))


def observe(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="PATHS...", help="Files of a product, or patterns in quotes.",
                                         show_default=False)
    ] = None,
    reader: Annotated[str | None, typer.Option("--reader", metavar="NAME", help="Reader; see --list.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="TABLE.nc", help="Table to write, netCDF or .zarr.")
    ] = None,
    options: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="OPTION=VALUE", help="Option of the reader; may be given several times."),
    ] = None,
    period: Annotated[
        tuple[str, str] | None, typer.Option("--period", metavar="START END", help="Start <= time < end (UTC).")
    ] = None,
    bounds: Annotated[
        tuple[float, float, float, float] | None,
        typer.Option("--bounds", metavar="SOUTH NORTH WEST EAST", help="Box [degrees]."),
    ] = None,
    product: Annotated[str | None, typer.Option("--product", metavar="TEXT", help="Name of it in the table.")] = None,
    show_readers: Annotated[bool, typer.Option("--list", help="List readers and their options.")] = False,
) -> None:
    """Read files of a satellite product or of stations into a table of observations."""
    from pyland.driver.commands.observe import list_readers
    from pyland.driver.commands.observe import observe as make_table

    if show_readers:
        typer.echo("\n".join(list_readers()))
        return
    for what, given in (("PATHS", paths), ("--reader NAME", reader), ("--output TABLE.nc", output)):
        if not given:
            raise InputError(f"pyland observe: expected {what}, got none. `pyland observe --list` shows the readers.")
    if world().is_root:
        typer.echo(make_table(paths, reader, output, product=product, options=options or [], period=period,
                              bounds=bounds))


def merge(
    config: Annotated[
        Path, typer.Argument(metavar="CONFIG.yaml", help="Products, grid, period, method and outputs.",
                             show_default=False)
    ],
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY.PATH=VALUE", help="Replace a value of the file; may be given often."),
    ] = None,
) -> None:
    """Merge products of one quantity into one, with errors; needs no case and no model."""
    from pyland.config.settings_file import parse_changes
    from pyland.driver.commands.merge import merge_files

    if world().size > 1:
        raise InputError(f"pyland merge: expected one rank, got {world().size}.")
    typer.echo(merge_files(config, parse_changes(overrides or [])))
