"""The commands ``pyland parflow ...``: a part of the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pyland.base.errors import InputError
from pyland.base.parallel import world
from pyland.driver.cli_progress import Progress

parflow = typer.Typer(no_args_is_help=True, help="Read and run ParFlow definitions, and convert its files.")
Definition = Annotated[
    Path, typer.Argument(metavar="RUN", help="ParFlow run: .pfidb, .yaml or .json.", show_default=False)
]
LengthUnit = Annotated[str, typer.Option("--length", metavar="UNIT", help="Unit of length of the run.")]
TimeUnit = Annotated[str, typer.Option("--time", metavar="UNIT", help="Unit of time of the run.")]
Lenient = Annotated[
    bool, typer.Option("--lenient", help="Do without keys that act on the flow and that pyland does not have.")
]
KeepOrder = Annotated[
    bool, typer.Option("--keep-order", help="Do not turn layers over (files whose layers are records of time).")
]


@parflow.command("info")
def parflow_info(
    definition: Definition,
    length: LengthUnit = "m",
    time_unit: TimeUnit = "h",
    report: Annotated[bool, typer.Option("--report", help="List every key that is ignored, and why.")] = False,
    lenient: Lenient = False,
) -> None:
    """Show what pyland takes over from a ParFlow run."""
    from pyland.driver.commands.parflow import parflow_report

    text, missing = parflow_report(definition, length, time_unit, report)
    if world().is_root:
        typer.echo(text)
    if missing and not lenient:
        raise InputError(
            f"{definition}: keys that act on the flow, or may, are not in pyland ({len(missing)}, Unsupported above); "
            "change them, or do without them with --lenient."
        )


@parflow.command("run")
def parflow_run(
    definition: Definition,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE.nc", help="Default is RUN.pyland.nc in this folder.")
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option("--reference", metavar="DIR", help="Folder of ParFlow's own outputs; default that of RUN."),
    ] = None,
    until: Annotated[float | None, typer.Option("--until", metavar="SECONDS", help="End earlier.")] = None,
    tolerance: Annotated[
        float | None, typer.Option("--tolerance", metavar="METRES", help="Largest error of a cell after a step.")
    ] = None,
    length: LengthUnit = "m",
    time_unit: TimeUnit = "h",
    lenient: Lenient = False,
) -> None:
    """Run a ParFlow definition in pyland, and compare with ParFlow's own outputs where there are any."""
    from pyland.driver.commands.parflow import run_parflow

    if world().size > 1:
        raise InputError(f"pyland parflow run: expected one rank, got {world().size}; use OMP_NUM_THREADS for threads.")
    changes = {} if tolerance is None else {"tolerance": tolerance}
    with Progress(world()) as progress:
        result = run_parflow(definition, output, length=length, time=time_unit, strict=not lenient, reference=reference,
                             until=until, progress=progress, **changes)
    typer.echo(result.text())


@parflow.command("land")
def parflow_land(
    path: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder with drv_clmin.dat, or that file.", show_default=False)
    ],
) -> None:
    """Print the sections of case.yaml that the land files of ParFlow-CLM (drv_*.dat) amount to."""
    from pyland.driver.commands.parflow_land import land_sections

    if world().is_root:
        typer.echo(land_sections(path), nl=False)


@parflow.command("netcdf")
def parflow_netcdf(
    sources: Annotated[list[Path], typer.Argument(metavar="FILE.pfb...", show_default=False)],
    output: Annotated[Path, typer.Option("--output", metavar="FILE.nc", help="File to write.", show_default=False)],
    name: Annotated[str | None, typer.Option("--name", help="Name of the variable; default by the file.")] = None,
    units: Annotated[str | None, typer.Option("--units", help="Unit to note down.")] = None,
    keep_order: KeepOrder = False,
) -> None:
    """Convert PFB files to netCDF; several become a time series."""
    from pyland.driver.commands.pfb_files import pfb_to_netcdf

    typer.echo(pfb_to_netcdf(sources, output, name=name, units=units, keep_order=keep_order))


@parflow.command("pfb")
def parflow_pfb(
    source: Annotated[Path, typer.Argument(metavar="FILE.nc", show_default=False)],
    name: Annotated[str, typer.Argument(metavar="VARIABLE", show_default=False)],
    output: Annotated[Path, typer.Option("--output", metavar="FILE.pfb", help="File to write.", show_default=False)],
    record: Annotated[int | None, typer.Option("--record", help="Which time, from 0; -1 is the last.")] = None,
    fill: Annotated[float | None, typer.Option("--fill", help="Number for cells without a value.")] = None,
    topology: Annotated[
        tuple[int, int, int], typer.Option("--topology", metavar="P Q R", help="Pieces along x, y, z.")
    ] = (1, 1, 1),
    keep_order: KeepOrder = False,
) -> None:
    """Convert a variable of a netCDF file to PFB, with its .dist file."""
    from pyland.driver.commands.pfb_files import netcdf_to_pfb

    typer.echo(
        netcdf_to_pfb(source, name, output, record=record, fill=fill, topology=topology, keep_order=keep_order)
    )
