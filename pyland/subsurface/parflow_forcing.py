"""What drives a ParFlow run in time: cycles, boundary conditions, rain, sources and wells, in SI units.

ParFlow gives a flux as its component along the axis: on upper faces, what comes in is negative (rain on the top too),
on lower faces positive. pyland counts what comes in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pyland.base.errors import InputError
from pyland.base.units import WATER_DENSITY
from pyland.subsurface.parflow_geometry import Elevation, RunGeometry
from pyland.subsurface.parflow_keys import RunKeys
from pyland.subsurface.parflow_soil import RunUnits

OVERLAND = {
    "OverlandFlow": "kinematic_cells",
    "OverlandFlowPFB": "kinematic_cells",
    "OverlandKinematic": "kinematic",
    "OverlandDiffusive": "diffusive",
    "SeepageFace": "none",
}
"""Types of the upper patch that take rain, and pyland's overland flow."""

_TYPES = ("FluxConst", "FluxVolumetric", "FluxFile", "PressureFile", "DirEquilRefPatch", "DirEquilPLinear", *OVERLAND)
SUBDIVISIONS = 1000
"""Parts of the base unit to which ParFlow rounds times before it counts intervals (time_cycle_data.c)."""


@dataclass(frozen=True)
class Cycle:
    """Intervals of time that follow each other, once, some times or for ever.

    Attributes
    ----------
    names : tuple of str
        Intervals.
    lengths : tuple of int
        Their lengths, in base units.
    repeat : int
        How often; negative: for ever. After the last one, the last interval goes on.
    base : float
        Base unit [s].
    start : float
        Start of the run [s].
    """

    names: tuple[str, ...]
    lengths: tuple[int, ...]
    repeat: int
    base: float
    start: float

    def interval(self, time: float) -> int:
        """Return the number of the interval in force just after a time [s]."""
        return self._position(time)[0]

    def next_change(self, time: float) -> float:
        """Return when the next interval begins [s]; infinity if none does."""
        _, ticks, left = self._position(time)
        if len(self.names) == 1 or left is None:
            return math.inf
        return self.start + self.base * (ticks + left)

    def _position(self, time: float) -> tuple[int, int, int | None]:
        """Return the interval, the whole base units since the start, and those left of the interval (None: no end)."""
        ticks = round((time - self.start) / self.base * SUBDIVISIONS) // SUBDIVISIONS
        if self.repeat >= 0 and time >= self.repeat * sum(self.lengths) * self.base:
            return len(self.names) - 1, ticks, None
        within = ticks % sum(self.lengths)
        ends = np.cumsum(self.lengths)
        number = int(np.searchsorted(ends, within, "right"))
        return number, ticks, int(ends[number]) - within


@dataclass(frozen=True)
class FaceSeries:
    """A condition on a side of the grid, with a value for each interval of a cycle.

    Attributes
    ----------
    side : str
        ``west``, ``east``, ``south``, ``north``, ``bottom`` or ``top``.
    kind : str
        ``flux`` [m s-1 into the domain], ``head`` [m], ``seepage``, or ``rain`` [kg m-2 s-1].
    cycle : Cycle
        When which value holds.
    values : tuple of float or numpy.ndarray
        One for each interval; arrays over the side.
    where : numpy.ndarray of bool or None
        Cells of the side; None: all.
    patch : str
        Name in the definition.
    """

    side: str
    kind: str
    cycle: Cycle
    values: tuple[float | np.ndarray, ...]
    where: np.ndarray | None
    patch: str

    def value(self, time: float) -> float | np.ndarray:
        """Return the value just after a time [s]."""
        return self.values[self.cycle.interval(time)]

    @property
    def acts(self) -> bool:
        """False for no flux and no rain, which need no condition; a closed top does, pyland's is open to the sky."""
        closed_top = self.kind == "flux" and self.side == "top"
        return self.kind in ("head", "seepage") or closed_top or any(np.any(value) for value in self.values)


@dataclass(frozen=True)
class SourceSeries:
    """Water put into cells: a field and a factor for each interval.

    Attributes
    ----------
    field : numpy.ndarray, shape (layer, y, x)
        Source for a factor of one [kg m-2 s-1].
    cycle : Cycle or None
        When which factor holds; None: always the first.
    factors : tuple of float
        One for each interval.
    """

    field: np.ndarray
    cycle: Cycle | None
    factors: tuple[float, ...]

    def value(self, time: float) -> np.ndarray:
        """Return the source just after a time [s], in kg m-2 s-1."""
        return self.field * self.factors[0 if self.cycle is None else self.cycle.interval(time)]


class ForcingReader:
    """Reads conditions and sources of a run.

    Parameters
    ----------
    keys : RunKeys
        The definition.
    geometry : RunGeometry
        Its regions.
    units : RunUnits
        Its units.
    elevation : Elevation
        Real heights of its layers.
    """

    def __init__(self, keys: RunKeys, geometry: RunGeometry, units: RunUnits, elevation: Elevation) -> None:
        self.keys = keys
        self.geometry = geometry
        self.grid = geometry.grid
        self.units = units
        self.elevation = elevation
        self.overland = "none"

    def cycle(self, name: str) -> Cycle:
        """Return a cycle by name; InputError if a key is missing or a length is not positive."""
        keys = self.keys
        names = keys.names(f"Cycle.{name}.Names")
        if not names:
            raise InputError(f"{keys.source}: there is no cycle '{name}' (Cycle.{name}.Names).")
        lengths = [keys.integer(f"Cycle.{name}.{interval}.Length") for interval in names]
        if min(lengths) < 1:
            raise InputError(f"{keys.source}: Cycle.{name}: expected lengths of at least 1 base unit, got {lengths}.")
        base = keys.number("TimingInfo.BaseUnit") * self.units.time
        if base <= 0.0:
            raise keys.wrong("TimingInfo.BaseUnit", "a positive number")
        start = keys.number("TimingInfo.StartTime", 0.0) * self.units.time
        return Cycle(tuple(names), tuple(lengths), keys.integer(f"Cycle.{name}.Repeat", -1), base, start)

    def boundaries(self, domain: str) -> list[FaceSeries]:
        """Return the conditions on all patches of the domain."""
        keys = self.keys
        found, uppers = [], {}
        places = self.geometry.patches(domain)
        for patch in keys.names("BCPressure.PatchNames"):
            if patch not in places:
                raise InputError(
                    f"{keys.source}: BCPressure.PatchNames: '{patch}' is no patch of '{domain}', which has "
                    f"{', '.join(places)}."
                )
            kind = keys.choice(f"Patch.{patch}.BCPressure.Type", _TYPES)
            if keys.flag(f"Patch.{patch}.BCPressure.Seepage"):
                keys.refuse(
                    f"Patch.{patch}.BCPressure.Seepage",
                    "pyland has no lakes and sinks within overland flow (taken as land)",
                )
            for side, where in places[patch]:
                series = self._series(patch, kind, side, where)
                if series is None:
                    continue
                if side == "top":
                    uppers[patch] = kind if kind in OVERLAND else "none"
                found.append(series)
        self._set_overland(uppers)
        return [series for series in found if series.acts]

    def _set_overland(self, uppers: dict[str, str]) -> None:
        """Decide on overland flow by the patches of the top."""
        keys = self.keys
        kinds = {OVERLAND.get(kind, "closed") for kind in uppers.values()}
        if len(kinds) > 1:
            raise InputError(
                f"{keys.source}: the patches of the top have types that pyland cannot have side by side: "
                f"{', '.join(f'{patch}: {kind}' for patch, kind in uppers.items())}; give all of them one kind."
            )
        self.overland = (kinds - {"closed"} or {"none"}).pop()
        types = set(uppers.values())
        if keys.integer("OverlandFlowDiffusive", 0) and types & {"OverlandFlow", "OverlandFlowPFB"}:
            self.overland = "diffusive"
        if keys.integer("OverlandFlowSpinUp", 0) and self.overland != "none":
            self.overland = "none"
            keys.note("OverlandFlowSpinUp: no overland flow, ponded water leaves at once.")
        if "SeepageFace" in types:
            keys.note(
                "SeepageFace on the top: in pyland ponded water leaves at once; in ParFlow its depth leaves per unit "
                "of time."
            )
        for key in (
            "OverlandSpinupDampP1",
            "OverlandSpinupDampP2",
            "OverlandFlowSpinUpDampP1",
            "OverlandFlowSpinUpDampP2",
        ):
            if keys.number(key, 0.0) != 0.0:
                keys.refuse(key, "pyland does not damp ponds (without that: not damped)")

    def _series(self, patch: str, kind: str, side: str, where: np.ndarray | None) -> FaceSeries | None:
        """Return the condition of one patch on one side; None for walls within the grid, which must be closed."""
        keys = self.keys
        cycle = self.cycle(str(keys.need(f"Patch.{patch}.BCPressure.Cycle")))
        values = tuple(self._value(patch, kind, name, side, where) for name in cycle.names)
        if side == "inside":
            if kind != "FluxConst" or any(values):
                raise InputError(
                    f"{keys.source}: patch '{patch}' lies within the grid (cells beyond it do not exist); there pyland "
                    f"has closed walls only (FluxConst 0), got {kind}. Shrink the grid to the domain."
                )
            return None
        if kind in OVERLAND and side != "top":
            if kind != "SeepageFace":
                raise keys.wrong(f"Patch.{patch}.BCPressure.Type", f"no overland flow on the {side}")
            return FaceSeries(side, "seepage", cycle, (0.0,) * len(values), where, patch)
        if kind in OVERLAND:
            rain = tuple(WATER_DENSITY * value for value in values)
            return FaceSeries(side, "rain", cycle, rain, where, patch)
        name = "flux" if kind.startswith("Flux") else "head"
        return FaceSeries(side, name, cycle, values, where, patch)

    def _value(self, patch: str, kind: str, interval: str, side: str, where: np.ndarray | None) -> float | np.ndarray:
        """Return the value of one interval: a flux inwards [m s-1] or a head [m]."""
        keys, units = self.keys, self.units
        at = f"Patch.{patch}.BCPressure.{interval}"
        inward = -1.0 if side in ("east", "north", "top") else 1.0
        flux = inward * units.speed / units.density
        if kind == "DirEquilRefPatch":
            solid = str(keys.need(f"Patch.{patch}.BCPressure.RefGeom"))
            reference = self.geometry.reference(
                solid, str(keys.need(f"Patch.{patch}.BCPressure.RefPatch")), self.elevation
            )
            along = self.grid.at_face(np.broadcast_to(reference, self.grid.shape), side)
            head = units.length * (keys.number(f"{at}.Value") - (self._heights(side) - along))
            # cells beyond the domain have no reference and no condition
            return np.where(np.isfinite(head), head, 0.0)
        if kind == "DirEquilPLinear":
            return units.length * (self._along_line(at, side) - self._heights(side))
        if kind in ("PressureFile", "FluxFile", "OverlandFlowPFB"):
            layers = 1 if kind == "OverlandFlowPFB" else None
            field = self.geometry.field_file(f"{at}.FileName", layers=layers)
            if not np.isfinite(self.grid.at_face(field, side)).all():
                raise InputError(f"{keys.file(f'{at}.FileName')}: holds values that are no numbers on the {side} side.")
            return self.grid.at_face(field, side) * (units.length if kind == "PressureFile" else flux)
        value = keys.number(f"{at}.Value")
        if kind == "FluxVolumetric":
            return float(flux * value / self._area(side, where))
        return float(flux * value) if value else 0.0

    def _heights(self, side: str) -> np.ndarray:
        """Return the heights at which a condition on a side is given, (layer, 1) or (1, 1)."""
        if side == "top":
            return self.elevation.top[:1, None]
        return self.elevation.bottom[-1:, None] if side == "bottom" else self.elevation.centre[:, None]

    def _along_line(self, at: str, side: str) -> np.ndarray:
        """Return the pressure at height 0 that ParFlow interpolates along a line, over a side."""
        keys, grid = self.keys, self.grid
        ends = np.array([[keys.number(f"{at}.{axis}{end}") for axis in "XY"] for end in ("Lower", "Upper")])
        count = keys.integer(f"{at}.NumPoints")
        places = np.array([keys.number(f"{at}.{point}.Location") for point in range(count)])
        heads = np.array([keys.number(f"{at}.{point}.Value") for point in range(count)])
        length = np.hypot(*(ends[1] - ends[0]))
        if count < 2 or length == 0.0 or not (np.diff(places) > 0.0).all():
            raise InputError(f"{keys.source}: {at}: expected a line with at least two points in ascending order.")
        corner = {"west": grid.lower[0], "east": grid.lower[0] + grid.spacing[0] * grid.shape[2]}
        rim = {"south": grid.lower[1], "north": grid.lower[1] + grid.spacing[1] * grid.shape[1]}
        x = np.full(grid.shape[1], corner[side]) if side in corner else grid.x
        y = np.full(grid.shape[2], rim[side]) if side in rim else grid.y
        if side in ("bottom", "top"):
            y = y[:, None]
        share = (
            (x - ends[0, 0]) * (ends[1, 0] - ends[0, 0]) + (y - ends[0, 1]) * (ends[1, 1] - ends[0, 1])
        ) / length**2
        piece = np.clip(np.searchsorted(places, share, "right"), 1, count - 1)  # the end pieces go on beyond the line
        slope = (heads[piece] - heads[piece - 1]) / (places[piece] - places[piece - 1])
        return np.broadcast_to(heads[piece - 1] + slope * (share - places[piece - 1]), grid.face_shape(side))

    def _area(self, side: str, where: np.ndarray | None) -> float:
        """Return the area of a patch, in the unit of the definition squared."""
        dx, dy, _ = self.grid.spacing
        cells = np.ones(self.grid.face_shape(side), bool) if where is None else where
        if side in ("bottom", "top"):
            return cells.sum() * dx * dy
        return float((cells * self.elevation.thickness[:, None]).sum()) * (dy if side in ("west", "east") else dx)

    def sources(self) -> list[SourceSeries]:
        """Return what is put into cells: files, constant sources and wells."""
        keys, units = self.keys, self.units
        per_time = WATER_DENSITY * units.length * self.elevation.thickness[:, None, None] / units.time / units.density
        found = []
        if keys.flag("Solver.EvapTransFile"):
            found.append(SourceSeries(self.geometry.field_file("Solver.EvapTrans.FileName") * per_time, None, (1.0,)))
        if keys.flag("Solver.EvapTransFileTransient"):
            keys.refuse(
                "Solver.EvapTransFileTransient",
                "a file per step: read each with read_pfb(..., flip=True) as the source of a step",
            )
        phase = keys.names("Phase.Names")[0]
        kind = f"PhaseSources.{phase}.Type"
        if keys.get(kind, "Constant") != "Constant":
            keys.refuse(kind, "pyland has no predefined functions (without that: no source)")
        else:
            names = keys.names(f"PhaseSources.{phase}.GeomNames")
            rates = [keys.number(f"PhaseSources.{phase}.Geom.{name}.Value") for name in names]
            if any(rates):
                field = np.nan_to_num(self.geometry.overlay(names, rates, f"PhaseSources.{phase}.GeomNames"))
                found.append(SourceSeries(field * per_time, None, (1.0,)))
        for name in keys.names("Wells.Names"):
            well = self._well(name, phase, per_time)
            if well is not None:
                found.append(well)
        return found

    def _well(self, name: str, phase: str, per_time: np.ndarray) -> SourceSeries | None:
        """Return the source of an upright well that pumps a given amount; others are refused."""
        keys, grid = self.keys, self.grid
        at = f"Wells.{name}"
        for key, wanted in (("InputType", "Vertical"), ("Type", "Flux"), ("Method", "Standard")):
            if keys.need(f"{at}.{key}") != wanted:
                keys.refuse(f"{at}.{key}", f"pyland reads wells with {wanted} only (without that: no well)")
                return None
        sign = {"Injection": 1.0, "Extraction": -1.0}[keys.choice(f"{at}.Action", ("Injection", "Extraction"))]
        true_heights = keys.flag("Wells.CorrectForVarDz")
        ends = [keys.number(f"{at}.{end}") for end in ("ZLower", "ZUpper")]
        if true_heights:
            layers = (self.elevation.top > ends[0]) & (self.elevation.bottom <= ends[1])
        else:
            low, high = (_nearest((end - grid.lower[2]) / grid.spacing[2] - 0.5) for end in ends)
            upward = np.arange(grid.shape[0])[::-1]
            layers = (upward >= low) & (upward <= high)
        i, j = (
            _nearest((keys.number(f"{at}.{axis}") - grid.lower[number]) / grid.spacing[number] - 0.5)
            for number, axis in enumerate("XY")
        )
        if not (0 <= i < grid.shape[2] and 0 <= j < grid.shape[1] and layers.any()):
            raise InputError(f"{keys.source}: the well '{name}' lies outside the grid (X, Y, ZLower, ZUpper).")
        depth = self.elevation.thickness[layers].sum() if true_heights else layers.sum() * grid.spacing[2]
        cycle = self.cycle(str(keys.need(f"{at}.Cycle")))
        rates = tuple(sign * keys.number(f"{at}.{interval}.Flux.{phase}.Value") for interval in cycle.names)
        field = np.zeros(grid.shape)
        field[layers, j, i] = 1.0 / (depth * grid.spacing[0] * grid.spacing[1])
        return SourceSeries(field * per_time, cycle, rates)


def _nearest(number: float) -> int:
    """Round to the nearest integer, halves away from zero, as ParFlow finds the cell of a well."""
    return int(math.copysign(math.floor(abs(number) + 0.5), number))
