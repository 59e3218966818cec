"""``pyland parflow info | run``: what pyland takes over from a ParFlow run, and that run in pyland."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.driver.commands.parflow_record import ParflowRecord
from pyland.subsurface import ParflowRun, read_parflow_run
from pyland.subsurface.parflow_output import parflow_pressure, pressure_difference


def parflow_report(path: Path, length: str, time: str, all_keys: bool) -> tuple[str, list[str]]:
    """Return what was read and left as text, and the keys that pyland does not have.

    Parameters
    ----------
    path : Path
        The definition.
    length, time : str
        Its units.
    all_keys : bool
        List ignored keys too, each with the reason.

    Returns
    -------
    tuple of (str, list of str)
        The report, and one line for each key that acts on the flow and that pyland does not have.

    Raises
    ------
    InputError
        If the definition or a file of it is wrong, or has no counterpart in pyland at all.
    """
    run = read_parflow_run(path, length=length, time=time, strict=False)
    return run.report(all_keys=all_keys), list(map(str, run.unsupported))


@dataclass(frozen=True)
class ParflowResult:
    """What a run of a ParFlow definition came to.

    Attributes
    ----------
    file : Path
        The netCDF file written.
    steps, newton_iterations : int
        Steps that were solved, and Newton iterations in all.
    balance : dict of str to float
        Water of the run [m3].
    differences : list of tuple
        Number of ParFlow's file, time [s] and :class:`PressureDifference` for every file found.
    pressure : numpy.ndarray, shape (layer, y, x)
        Pressure head at the end [m].
    """

    file: Path
    steps: int
    newton_iterations: int
    balance: dict[str, float]
    differences: list[tuple]
    pressure: np.ndarray

    def text(self) -> str:
        """Return a table of the differences, and the water balance."""
        lines = [f"{self.file}: written ({self.steps} steps, {self.newton_iterations} Newton iterations)"]
        if self.differences:
            lines.append("pressure head against ParFlow [m]")
            lines.append(f"{'file':>6s} {'time [s]':>12s} {'largest':>10s} {'rms':>10s} {'mean':>14s} {'ParFlow':>14s}")
        for number, time, found in self.differences:
            lines.append(
                f"{number:06d} {time:12.6g} {found.largest:10.3g} {found.rms:10.3g} {found.mean:14.8g} "
                f"{found.mean_parflow:14.8g}"
            )
        lines.append("water [m3]: " + ", ".join(f"{name} {value:.6g}" for name, value in self.balance.items()))
        return "\n".join(lines)


def run_parflow(
    path: Path,
    output: Path | None = None,
    *,
    length: str = "m",
    time: str = "h",
    strict: bool = True,
    reference: Path | None = None,
    until: float | None = None,
    progress: Callable[[float, str], None] | None = None,
    **changes: Any,
) -> ParflowResult:
    """Run a ParFlow definition in pyland and compare it with the files that ParFlow wrote.

    Parameters
    ----------
    path : Path
        The definition.
    output : Path, optional
        NetCDF file to write; default ``NAME.pyland.nc`` in the current folder.
    length, time : str
        Units of the definition.
    strict : bool
        Refuse keys that act on the flow and that pyland does not have.
    reference : Path, optional
        Folder with ParFlow's outputs; default the one of the definition, where files may be missing.
    until : float, optional
        End of the run, if before that of the definition [s].
    progress : callable, optional
        Gets the share that is done and where the run is.
    **changes
        Arguments of :class:`pyland.subsurface.DistributedSubsurface` that replace those of the definition.

    Returns
    -------
    ParflowResult
        Iterations, balance and differences.

    Raises
    ------
    InputError
        If the definition cannot be taken over, or ``reference`` has none of the files.
    ConvergenceError
        If a step cannot be solved.
    """
    run = read_parflow_run(path, length=length, time=time, strict=strict)
    if reference is not None and not any(reference.glob(f"{run.source.stem}.out.press.*.pfb")):
        raise InputError(f"{reference}: there are no files {run.source.stem}.out.press.NNNNN.pfb of ParFlow.")
    flow = run.build(**changes)
    file = output or Path(f"{run.source.stem}.pyland.nc")
    timing, steps, newton = run.timing, 0, 0
    end = timing.end if until is None else min(until, timing.end)
    if end <= timing.start:
        raise InputError(f"{run.source}: the run starts at {timing.start:g} s; expected a later end, got {end:g} s.")
    differences: list[tuple] = []
    with ParflowRecord(file, run) as record:

        def write(now: float, number: int | None) -> None:
            record.write_state(flow, now, number)
            found = _difference(run, flow.pressure, number, reference)
            if found is not None:
                differences.append((number, now, found))
                record.write_difference(found)

        write(timing.start, timing.first_output)
        now, number = timing.start, None
        for step in run.steps():
            if step.start >= end:
                break
            seconds = min(step.length, end - step.start)
            now, number = step.start + seconds, step.output if seconds == step.length else None
            run.apply(flow, step.start)
            out = flow.advance(seconds, source=run.source_at(step.start), rain=run.rain(step.start))
            run.end_step(flow)
            steps, newton = steps + int(out["steps"]), newton + int(out["newton_iterations"])
            record.write_step(now, out)
            if number is not None:
                write(now, number)
            if progress is not None:
                progress((now - timing.start) / (end - timing.start), f"{now:g} s")
        if number is None:
            write(now, None)
        balance = {name: float(value) for name, value in flow.balance.items()}
        record.write_balance(balance)
    return ParflowResult(file, steps, newton, balance, differences, np.array(flow.pressure))


def _difference(run: ParflowRun, pressure: np.ndarray, number: int | None, reference: Path | None) -> Any:
    """Compare with ParFlow's file of a number; None if there is none."""
    parflow = None if number is None else parflow_pressure(run, number, reference)
    return None if parflow is None else pressure_difference(pressure, parflow, run.settings.get("active"))
