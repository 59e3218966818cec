"""Take over a ParFlow run definition: settings of a distributed subsurface, time, rain and sources, and what was left.

The definition is read as ParFlow's tools write it (``.pfidb``, ``.yaml``, ``.json``). Every key is accounted for: used,
ignored with a reason, or refused. Guide with the table of keys: ``docs/guide/parflow.md``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pyland.base.errors import InputError
from pyland.subsurface.distributed import DistributedSubsurface
from pyland.subsurface.flow_boundaries import Boundary
from pyland.subsurface.parflow_forcing import SUBDIVISIONS, FaceSeries, ForcingReader, SourceSeries
from pyland.subsurface.parflow_geometry import RunGeometry, read_grid
from pyland.subsurface.parflow_keys import KeyNote, RunKeys, read_run_keys
from pyland.subsurface.parflow_soil import RunUnits, SoilReader, read_units


@dataclass(frozen=True)
class RunTiming:
    """When a run starts, ends, steps and writes.

    Attributes
    ----------
    start, end : float
        Time [s].
    dump_interval : float or None
        Time between outputs [s]; None if they are counted in steps.
    dump_steps : int or None
        Steps between outputs, of which the first is the first step; None if they are given as a time, or there are
        none.
    first_step : float
        First step [s].
    growth : float
        Factor from step to step [1].
    min_step, max_step : float
        Bounds of the steps [s].
    max_steps : int
        Number of steps at which the run ends if the end does not come before.
    first_output : int
        Number of the file with the initial state, and from which steps are counted.
    """

    start: float
    end: float
    dump_interval: float | None
    dump_steps: int | None
    first_step: float
    growth: float
    min_step: float
    max_step: float
    max_steps: int
    first_output: int


class RunStep(NamedTuple):
    """A step of a run: where it starts, how long it is [s], and the number of the file ParFlow writes after it."""

    start: float
    length: float
    output: int | None


@dataclass(frozen=True)
class ParflowRun:
    """A ParFlow run as pyland sees it.

    Attributes
    ----------
    source : Path
        The definition.
    length : float
        Its unit of length [m].
    full_shape : tuple of int
        Cells (layer, y, x) of ParFlow's grid.
    window : tuple of slice
        The box of it that holds the domain (layer from the top, y, x), which is pyland's grid.
    settings : dict
        Arguments of :class:`pyland.subsurface.DistributedSubsurface`, in SI units, layers from the top; conditions on
        the sides are those at the start.
    timing : RunTiming
        Start, end and steps.
    faces : tuple of FaceSeries
        Conditions and rain on the sides, through time.
    sources : tuple of SourceSeries
        Water put into cells, through time.
    resets : tuple of (float, float)
        After every step, heads of the topmost layer above the first number become the second [m].
    used : tuple of str
        Keys that were taken over.
    ignored, unsupported : tuple of KeyNote
        Keys that do not act on the flow, and keys that do and that pyland does not have.
    notes : tuple of str
        Where pyland and ParFlow differ for this run.
    """

    source: Path
    length: float
    full_shape: tuple[int, int, int]
    window: tuple[slice, slice, slice]
    settings: dict[str, Any]
    timing: RunTiming
    faces: tuple[FaceSeries, ...]
    sources: tuple[SourceSeries, ...]
    resets: tuple[tuple[float, float], ...]
    used: tuple[str, ...]
    ignored: tuple[KeyNote, ...]
    unsupported: tuple[KeyNote, ...]
    notes: tuple[str, ...] = field(default=())

    def build(self, **changes: Any) -> DistributedSubsurface:
        """Return the distributed subsurface of this run.

        Parameters
        ----------
        **changes
            Arguments that replace those of ``settings``, for instance ``members`` or ``tolerance``.

        Returns
        -------
        pyland.subsurface.DistributedSubsurface
            At its initial state.

        Raises
        ------
        InputError
            If the settings do not fit.
        """
        settings = dict(self.settings)
        settings["boundaries"] = {
            side: [Boundary(**condition) for condition in conditions]
            for side, conditions in settings["boundaries"].items()
        }
        return DistributedSubsurface(**(settings | changes))

    def rain(self, time: float) -> float | np.ndarray:
        """Return the rain on the surface just after a time.

        Parameters
        ----------
        time : float
            Time of the run [s].

        Returns
        -------
        float or numpy.ndarray, shape (y, x)
            Rain, evaporation negative [kg m-2 s-1].
        """
        total: float | np.ndarray = 0.0
        for series in self.faces:
            if series.kind == "rain":
                value = series.value(time)
                total = total + (value if series.where is None else np.where(series.where, value, 0.0))
        return total

    def source_at(self, time: float) -> np.ndarray | None:
        """Return what sources and wells put into cells just after a time [s]: (layer, y, x) [kg m-2 s-1], or None."""
        if not self.sources:
            return None
        return sum((series.value(time) for series in self.sources), np.zeros(1))

    def conditions(self, time: float) -> dict[str, list[dict[str, Any]]]:
        """Return the conditions on the sides just after a time [s]: kind, value and where of each."""
        found: dict[str, list[dict[str, Any]]] = {}
        for series in self.faces:
            if series.kind != "rain":
                condition = {"kind": series.kind, "value": series.value(time), "where": series.where}
                found.setdefault(series.side, []).append(condition)
        return found

    def apply(self, flow: DistributedSubsurface, time: float) -> None:
        """Give a distributed subsurface the conditions that hold just after a time [s]."""
        for side, conditions in self.conditions(time).items():
            for index, condition in enumerate(conditions):
                if condition["kind"] != "seepage":
                    flow.set_boundary(side, condition["value"], index)

    def end_step(self, flow: DistributedSubsurface) -> None:
        """Do what ParFlow does after a step: take ponds away where the definition says so."""
        top = flow.pressure[..., 0, :, :]
        for threshold, value in self.resets:
            top[top > threshold] = value
        if self.resets:  # on all ranks, whether their tiles have ponds or not
            flow.reconcile()

    def steps(self) -> Iterator[RunStep]:
        """Yield ParFlow's steps; they end where rain, wells and conditions change and where it writes, as there."""
        timing = self.timing
        cycles = {series.cycle for series in (*self.faces, *self.sources) if series.cycle is not None}
        time, step, output = timing.start, timing.first_step, timing.first_output
        for count in range(timing.first_output, timing.max_steps):  # ParFlow counts files and steps from there
            change = min((cycle.next_change(time) for cycle in cycles), default=math.inf)
            length = min(step, change - time)
            writes = timing.dump_steps is not None and count % timing.dump_steps == 0
            if timing.dump_interval is not None:
                due = timing.start + (output - timing.first_output + 1) * timing.dump_interval
                # steps add up with round-off: no step that is a sliver of another
                writes = due - time <= length * (1.0 + 1.0 / SUBDIVISIONS)
                length = due - time if writes else length
            length = min(length, timing.end - time)
            output += writes
            yield RunStep(time, length, output if writes else None)
            step = min(max(length * timing.growth, timing.min_step), timing.max_step)
            time += length
            if timing.end - time <= length / SUBDIVISIONS:
                return

    def report(self, *, all_keys: bool = True) -> str:
        """Return what was read, ignored and refused, as text.

        Parameters
        ----------
        all_keys : bool
            List ignored keys, each with the reason; False: only how many there are.
        """
        settings, timing = self.settings, self.timing
        shown = {
            "grid": f"{settings['nx']} x {settings['ny']} cells of {settings['dx']:g} m x {settings['dy']:g} m, "
            f"{len(settings['thickness'])} layers, {np.sum(settings['thickness']):g} m deep",
            "domain": _domain_text(settings.get("active")),
            "time": f"{timing.start:g} s to {timing.end:g} s, steps of {timing.first_step:g} s"
            + (f" growing by {timing.growth:g} to {timing.max_step:g} s" if timing.growth != 1.0 else ""),
            "overland": f"{settings['overland']}, terrain-following {'on' if settings['terrain_following'] else 'off'}",
        }
        for name, value in (*settings["soil"].items(), *((n, settings[n]) for n in _SHOWN if n in settings)):
            shown[name] = _range_text(value, _UNITS.get(name, ""))
        for series in self.faces:
            unit = _UNITS.get(series.kind, "")
            values = ", ".join(
                f"{name}: {_range_text(v, unit)}" for name, v in zip(series.cycle.names, series.values, strict=True)
            )
            shown[f"{series.side} ({series.patch})"] = f"{series.kind}, {values}"
        for threshold, value in self.resets:
            shown["surface"] = f"heads above {threshold:g} m become {value:g} m after every step"
        if self.sources:
            shown["sources"] = f"{len(self.sources)} (files, constant sources, wells)"
        width = max(map(len, shown))
        lines = [str(self.source), *(f"  {name:{width}s}  {text}" for name, text in shown.items())]
        lines.append(f"{len(self.used)} keys used")
        for title, items in (
            ("Differences to ParFlow", self.notes),
            ("Unsupported", self.unsupported),
            ("Ignored", self.ignored),
        ):
            brief = title == "Ignored" and not all_keys
            lines += [f"{title} ({len(items)})", *(f"  {item}" for item in items if not brief)]
        return "\n".join(lines)


_UNITS = {
    "saturated_conductivity": "m s-1", "saturated_conductivity_x": "m s-1", "saturated_conductivity_y": "m s-1",
    "van_genuchten_alpha": "m-1", "specific_storage": "m-1", "manning": "s m-1/3", "pressure_head": "m",
    "rain": "kg m-2 s-1", "flux": "m s-1", "head": "m", "hydrostatic": "m",
}
"""Units of what a report shows, by parameter and by kind of condition; the others have none."""

_SHOWN = ("slope_x", "slope_y", "manning", "pressure_head", "barrier_x", "barrier_y", "barrier_z")


def read_parflow_run(path: str | Path, *, length: str = "m", time: str = "h", strict: bool = True) -> ParflowRun:
    """Read a ParFlow run definition.

    Parameters
    ----------
    path : str or Path
        ``.pfidb``, ``.yaml`` or ``.json``. Files that it names are looked for in its folder.
    length, time : str
        Units of the definition: ParFlow has none, only lengths and times that fit together.
    strict : bool
        True: a key that acts on the flow and that pyland does not have is an error. False: it is left out and listed in
        ``unsupported``, with what pyland does instead.

    Returns
    -------
    ParflowRun
        Settings, time, rain and sources in SI units, and what was left.

    Raises
    ------
    InputError
        If the definition or a file of it is wrong, has no counterpart in pyland, or with ``strict`` a key has none.

    Examples
    --------
    >>> from pyland.subsurface import read_parflow_run
    >>> run = read_parflow_run("LW_Test.pfidb", length="m", time="h")    # doctest: +SKIP
    >>> print(run.report())                                              # doctest: +SKIP
    >>> flow = run.build()                                               # doctest: +SKIP
    >>> for step in run.steps():                                         # doctest: +SKIP
    ...     run.apply(flow, step.start)
    ...     flow.advance(step.length, source=run.source_at(step.start), rain=run.rain(step.start))
    ...     run.end_step(flow)
    """
    keys = read_run_keys(path)
    units = read_units(keys, length, time)
    _check_solver(keys)
    grid = read_grid(keys)
    geometry = RunGeometry(keys, grid)
    elevation = geometry.elevation()
    domain = str(keys.need("Domain.GeomName"))
    mask = geometry.mask(domain)
    if not mask.any():
        raise InputError(f"{keys.source}: no cell lies in the domain '{domain}'; compare its corners with the grid.")
    if not mask.all():
        grid = grid.around(mask)
        elevation, geometry, mask = elevation.part(grid.window[0]), RunGeometry(keys, grid), mask[grid.window]
    active = None if mask.all() else mask
    forcing = ForcingReader(keys, geometry, units, elevation)
    faces = forcing.boundaries(domain)
    _check_surface(keys, mask, faces)
    soil = SoilReader(keys, geometry, units, active)
    timing = _read_timing(keys, units)
    resets = tuple(_read_resets(keys, units))
    settings: dict[str, Any] = {
        "thickness": elevation.thickness * units.length,
        "soil": soil.soil(),
        "nx": grid.shape[2],
        "ny": grid.shape[1],
        "dx": grid.spacing[0] * units.length,
        "dy": grid.spacing[1] * units.length,
        "retention": "van_genuchten",
        "overland": forcing.overland,
        **soil.terrain(),
        **soil.barriers(),
        "pressure_head": soil.pressure_head(elevation),
    }
    if active is not None:
        settings["active"] = active
    # a pyland step is cut where it does not converge; a definition may have steps that are shorter than its least one
    settings["min_step"] = min(_MIN_STEP, timing.min_step)
    if forcing.overland != "none":
        kind = {"kinematic": "OverlandKinematic", "diffusive": "OverlandDiffusive"}.get(forcing.overland)
        settings["slope_floor"] = keys.number(f"Solver.{kind}.Epsilon", _SLOPE_FLOOR) if kind else _NO_FLOOR
        if np.any(np.asarray(settings.get("manning", 0.0)) <= 0.0):
            raise InputError(f"{keys.source}: Mannings: overland flow needs positive roughness in every cell.")
    else:
        settings["ponding_depth"] = 0.0
        settings.pop("manning", None)
    sources = tuple(forcing.sources())
    left = list(keys.left())
    refused = [*keys.refused, *(note for note, known in left if not known)]
    if strict and refused:
        text = "\n  ".join(map(str, refused))
        raise InputError(
            f"{keys.source}: pyland does not have these keys that act on the flow, or may ({len(refused)}):\n  {text}"
            "\nChange the definition, or read it with strict=False (command line: --lenient) and do without them."
        )
    run = ParflowRun(
        source=keys.source,
        length=units.length,
        full_shape=grid.full_shape,
        window=grid.window,
        settings=settings,
        timing=timing,
        faces=tuple(faces),
        sources=sources,
        resets=resets,
        used=tuple(keys.used()),
        ignored=tuple(note for note, known in left if known),
        unsupported=tuple(refused),
        notes=tuple(keys.notes),
    )
    settings["boundaries"] = run.conditions(timing.start)
    return run


_SLOPE_FLOOR = 1e-5
"""ParFlow's default of Solver.OverlandKinematic.Epsilon and Solver.OverlandDiffusive.Epsilon [1]."""

_NO_FLOOR = 1e-30
"""Least slope where ParFlow has none, OverlandFlow: below any slope of a terrain [1]."""


_MIN_STEP = 1.0
"""Default of ``min_step`` of the distributed subsurface [s]."""

_MAX_STEPS = 1_000_000
"""ParFlow's default of Solver.MaxIter."""


def _check_solver(keys: RunKeys) -> None:
    """Refuse parts of ParFlow that act on the flow and that pyland does not have."""
    if keys.get("Solver") != "Richards":
        raise keys.wrong("Solver", "Richards (without the key ParFlow takes Impes)")
    if str(keys.get("Solver.LSM", "none")).casefold() != "none":
        keys.refuse(
            "Solver.LSM", "rain, evaporation and roots come from ParFlow's land model; pyland's own takes its place"
        )
    for key, what in (("Reservoirs.Names", "reservoirs"), ("InternalBC.Names", "conditions within the domain")):
        if keys.names(key):
            keys.refuse(key, f"pyland has no {what} below ground (without that: none)")


def _check_surface(keys: RunKeys, mask: np.ndarray, faces: list[FaceSeries]) -> None:
    """Refuse water at a surface that is not that of the topmost layer: pyland's layers follow the ground."""
    below = mask.any(axis=0) & ~mask[0]
    wet = [face.patch for face in faces if face.side == "top" and (face.kind != "flux" or np.any(face.values))]
    if below.any() and wet:
        raise InputError(
            f"{keys.source}: in {below.sum()} columns the surface lies below the topmost layer of the domain, and the "
            f"patch '{wet[0]}' on it takes or gives water; pyland's layers follow the ground. Use a terrain-following "
            "grid."
        )


def _read_resets(keys: RunKeys, units: RunUnits) -> Iterator[tuple[float, float]]:
    """Yield threshold and new value of surface pressure after a step [m]."""
    if keys.flag("Solver.Spinup"):
        yield 0.0, 0.0
    if keys.flag("Solver.ResetSurfacePressure"):
        threshold = keys.number("Solver.ResetSurfacePressure.ThresholdPressure", 0.0)
        yield threshold * units.length, keys.number("Solver.ResetSurfacePressure.ResetPressure", 0.0) * units.length


def _read_timing(keys: RunKeys, units: RunUnits) -> RunTiming:
    """Read ``TimingInfo`` and ``TimeStep``."""
    start, end = keys.number("TimingInfo.StartTime", 0.0), keys.number("TimingInfo.StopTime")
    dump = keys.number("TimingInfo.DumpInterval", -1.0)
    if end <= start:
        raise keys.wrong("TimingInfo.StopTime", f"a time after the start {start:g}")
    if keys.choice("TimeStep.Type", ("Constant", "Growth")) == "Constant":
        step = keys.number("TimeStep.Value")
        first, growth, low, high = step, 1.0, step, step
    else:
        first, growth = keys.number("TimeStep.InitialStep"), keys.number("TimeStep.GrowthFactor")
        low, high = keys.number("TimeStep.MinStep"), keys.number("TimeStep.MaxStep")
    if not min(first, low, high) > 0.0 or growth <= 0.0:
        raise InputError(
            f"{keys.source}: TimeStep: expected positive steps and growth, got {first}, {low}, {high}, {growth}."
        )
    return RunTiming(
        start=start * units.time,
        end=end * units.time,
        dump_interval=dump * units.time if dump > 0.0 else None,
        dump_steps=None if dump >= 0.0 else max(int(-dump), 1),
        first_step=first * units.time,
        growth=growth,
        min_step=low * units.time,
        max_step=high * units.time,
        max_steps=keys.integer("Solver.MaxIter", _MAX_STEPS),
        first_output=max(keys.integer("TimingInfo.StartCount", 0), 0),
    )


def _domain_text(active: np.ndarray | None) -> str:
    return "all cells" if active is None else f"{active.sum()} of {active.size} cells"


def _range_text(value: float | np.ndarray, unit: str) -> str:
    low, high = np.min(value), np.max(value)
    unit = f" {unit}" if unit else ""
    return f"{low:.6g}{unit}" if low == high else f"{low:.6g} to {high:.6g}{unit}, shape {np.shape(value)}"
