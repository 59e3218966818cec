"""The command ``pyland calibrate``: a part of the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pyland.base.parallel import world
from pyland.driver.cli_progress import Progress


def calibrate(
    case: Annotated[Path, typer.Argument(metavar="CASE", help="Case folder, or its case.yaml.", show_default=False)],
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last model call, also with more generations.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", metavar="DIR", help="Folder of the results; default is "
                                  "CASE/run/calibrate.")
    ] = None,
    figures: Annotated[
        bool, typer.Option("--figures/--no-figures", help="Draw figures, which needs matplotlib.")
    ] = True,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY.PATH=VALUE", help="Replace a value of case.yaml; may be given several "
                     "times."),
    ] = None,
) -> None:
    """Estimate parameters of a case from observations, or screen them; see section calibrate of case.yaml."""
    from pyland.config import load_case
    from pyland.driver.commands.calibrate import calibrate as estimate

    config = load_case(case, overrides or [])
    with Progress(world()) as progress:
        text, files = estimate(config, world(), resume=resume, output=output, progress=progress, figures=figures)
    typer.echo(text)
    typer.echo("\n".join(map(str, files)))
