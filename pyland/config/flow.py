"""Keys of the distributed subsurface: sides, outlets, steady spin-up; and what does not go together with it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic import model_validator

from pyland.base.text import one_of
from pyland.config.ensemble import PLANT_NAMES, TEXTURE_NAMES
from pyland.config.fields import Problem, Problems, Section, key, read_value
from pyland.config.rivers import PlaceSection

if TYPE_CHECKING:
    from pyland.config.case import CaseConfig

BOUNDARY_UNITS = MappingProxyType({"head": "m", "hydrostatic": "m", "flux": "m s-1"})
"""Unit of the value of each kind of boundary that has one."""

SIDES = ("west", "east", "south", "north", "bottom")
"""Sides of the domain; water comes and goes at the top by rain, ponding and overland flow."""

LEAST_MANNING = 1.0e-4
"""Smallest roughness [s m-1/3], a fiftieth of that of glass; what ParFlow holds in h m-1/3 lies far below."""

_ONLY = MappingProxyType({"free_drainage": ("bottom",), "seepage": SIDES[:4]})
_EARLIER = "expected a time after the entry before ({:g} s), got {:g} s"


def time_problems(path: str, entries: list[Any]) -> list[Problem]:
    """Return what is wrong with the times of a list of ``{until, ...}``: they increase; only the last may be open."""
    problems: list[Problem] = []
    before = 0.0
    for place, entry in enumerate(entries):
        where = f"{path}.{place}.until"
        if entry.until is None:
            if place < len(entries) - 1:
                problems.append((where, "expected a time; only the last entry goes on to the end", (path,)))
        elif entry.until <= before:
            earlier = f"{path}.{place - 1}.until" if place else where
            problems.append((where, _EARLIER.format(before, entry.until), (where, earlier)))
        before = entry.until or before
    return problems


class BoundaryValueSection(Section):
    """Value of a boundary up to a time."""

    until: float | None = key(
        None, "end of the entry after time.start; null: to the end of the run", unit="s", above=0
    )
    value: float | None = key(None, "value as in the entry of the side", unit="m or m s-1")


class BoundarySection(Section):
    """What happens at one side of the domain."""

    kind: str = key(
        "no_flow",
        "no_flow; head: pressure head at the face; hydrostatic: water table outside; flux: into the domain; "
        "free_drainage (bottom); seepage (sides): water leaves where the head is positive",
        choices=("no_flow", "head", "hydrostatic", "flux", "free_drainage", "seepage"),
    )
    value: float | None = key(
        None,
        "pressure head or depth of the water table below the surface [m], or flux into the domain [m s-1]",
        unit="m or m s-1",
    )
    series: list[BoundaryValueSection] = key(
        list, "values that change in time instead, constant up to each time; the last one stays", factory=True
    )

    @model_validator(mode="before")
    @classmethod
    def _convert(cls, data: Any) -> Any:
        """Convert values to the unit of the kind, which a key alone does not know."""
        unit = BOUNDARY_UNITS.get(str(data.get("kind"))) if isinstance(data, dict) else None
        if unit is None:
            return data
        fact, problems, data = {"kind": "number", "unit": unit}, list[Problem](), dict(data)
        places = [("value", data)]
        if isinstance(data.get("series"), list):
            data["series"] = [dict(one) if isinstance(one, dict) else one for one in data["series"]]
            places += [(f"series.{n}.value", one) for n, one in enumerate(data["series"]) if isinstance(one, dict)]
        for path, place in places:
            if isinstance(place.get("value"), str):
                try:
                    place["value"] = read_value(place["value"], fact, {})
                except ValueError as error:
                    problems.append((path, str(error), (path,)))
        if problems:
            raise Problems(problems)
        return data

    @model_validator(mode="after")
    def _check(self) -> BoundarySection:
        problems = time_problems("series", self.series)
        if self.kind in BOUNDARY_UNITS:
            unit = BOUNDARY_UNITS[self.kind]
            if self.value is None and not self.series:
                problems.append(
                    ("value", f"expected a value [{unit}] or a series with kind: {self.kind}",
                     ("value", "kind", "series"))
                )
            if self.value is not None and self.series:
                problems.append(("series", "expected either value or series, got both", ("value", "series")))
            problems += [
                (f"series.{place}.value", f"expected a number [{unit}], got nothing", ("series",))
                for place, one in enumerate(self.series)
                if one.value is None
            ]
        elif self.value is not None or self.series:
            name = "series" if self.series else "value"
            problems.append((name, f"expected no {name} with kind: {self.kind}; it has none", (name, "kind")))
        if problems:
            raise Problems(problems)
        return self


class BoundariesSection(Section):
    """Sides of the domain; a side without an entry lets no water through."""

    west: BoundarySection | None = key(None, "side at the smallest x")
    east: BoundarySection | None = key(None, "side at the largest x")
    south: BoundarySection | None = key(None, "side at the smallest y")
    north: BoundarySection | None = key(None, "side at the largest y")
    bottom: BoundarySection | None = key(None, "lower side; lower_boundary is its short form")

    @model_validator(mode="after")
    def _check(self) -> BoundariesSection:
        given = {side: getattr(self, side) for side in SIDES if getattr(self, side) is not None}
        problems = [
            (f"{side}.kind", f"expected {one.kind} at {one_of(_ONLY[one.kind])} only, got it at {side}",
             (f"{side}.kind",))
            for side, one in given.items()
            if side not in _ONLY.get(one.kind, SIDES)
        ]
        if problems:
            raise Problems(problems)
        return self


class OutletSection(PlaceSection):
    """A place at the rim where the water that leaves over land is written."""

    radius: float = key(
        0.0, "cells of the rim within this distance count together; 0 is the nearest cell of the rim", unit="m",
        at_least=0,
    )


class FlowSpinupSection(Section):
    """Steady state before the start, under a constant recharge."""

    recharge: float = key(
        0.0, "water that reaches the surface, rain less evaporation", unit="kg m-2 s-1", at_least=-0.01, at_most=0.1
    )


class FieldFileSection(Section):
    """A variable of a netCDF file on the grid of the domain, instead of one number."""

    file: str | None = key(None, "netCDF file on the grid of the domain", kind="path")
    variable: str | None = key(None, "name of the variable (y, x) in the file; null is the name of the key")

    @model_validator(mode="after")
    def _check(self) -> FieldFileSection:
        if self.file is None:
            raise Problems([("file", "expected a netCDF file, got nothing", ("file",))])
        return self


def flow_problems(config: CaseConfig) -> list[Problem]:
    """Return what does not go together with the mode of the subsurface; a key that has no effect is an error."""
    if config.subsurface.mode == "distributed":
        return [*_conflicts(config), *_idle(config)]
    return _distributed_only(config)


def _distributed_only(config: CaseConfig) -> list[Problem]:
    """Return the keys that only the distributed mode has."""
    mode, problems = "subsurface.mode", list[Problem]()
    found = [f"subsurface.{name}" for name in ("overland", "manning", "anisotropy", "terrain_following", "slope_floor",
                                               "boundaries", "outlets", "spinup", "coupling_iterations")
             if config.subsurface.changes(name)]
    if config.subsurface.initial.file is not None:
        found.append("subsurface.initial.file")
    if config.subsurface.solver.max_step is not None:
        found.append("subsurface.solver.max_step")
    if config.domain.slopes is not None:
        found.append("domain.slopes")
    if config.land.soil_layers is not None:
        found.append("land.soil_layers")
    if "pressure_head" in config.ensemble.perturb.initial:
        found.append("ensemble.perturb.initial.pressure_head")
    problems += [
        (path, f"expected no {path.rpartition('.')[2]} with subsurface.mode: column; it belongs to mode: distributed",
         (path, mode))
        for path in found
    ]
    if config.land.model == "none":
        problems.append(("land.model", "expected clm with subsurface.mode: column; none belongs to mode: distributed",
                         ("land.model", mode)))
    if config.forcing.format == "schedule":
        problems.append(("forcing.format", "expected weather with subsurface.mode: column, got schedule, which has "
                         "water only; it belongs to mode: distributed with land.model: none", ("forcing.format", mode)))
    return problems


def _conflicts(config: CaseConfig) -> list[Problem]:
    """Return what the distributed mode cannot do, or cannot do yet."""
    below, mode = config.subsurface, "subsurface.mode"
    found: list[tuple[bool, str, str]] = [
        (config.domain.type == "site", "domain.type",
         "expected grid or file with subsurface.mode: distributed, got site"),
        (config.rivers.scheme != "none", "rivers.scheme",
         "expected none with subsurface.mode: distributed; water runs over land by subsurface.overland"),
        (below.boundaries.bottom is not None and below.lower_boundary is not None, "subsurface.boundaries.bottom",
         "expected either subsurface.lower_boundary or boundaries.bottom, got both"),
        (config.forcing.format == "schedule" and config.time.spinup.years > 0, "time.spinup.years",
         "expected 0 with forcing.format: schedule, which is not repeated; use subsurface.spinup for a steady state"),
    ]
    found += _conflicts_with_land(config) if config.is_coupled else _conflicts_without_land(config)
    return [(path, text, (path, mode)) for wrong, path, text in found if wrong]


def _conflicts_without_land(config: CaseConfig) -> list[tuple[bool, str, str]]:
    """Return what rain on the subsurface alone cannot do: condition, key, sentence."""
    why = "with land.model: none, which has one member; give land.model: clm"
    return [
        (config.ensemble.size > 1, "ensemble.size", f"expected 1 {why}, got {config.ensemble.size}"),
        (config.assimilation.filter != "none", "assimilation.filter", f"expected none {why}"),
        (bool(config.observations), "observations", f"expected none {why}"),
    ]


def _conflicts_with_land(config: CaseConfig) -> list[tuple[bool, str, str]]:
    """Return what the land above the distributed subsurface cannot do: condition, key, sentence."""
    surface, mode = config.surface, "with subsurface.mode: distributed"
    found = [
        (config.forcing.format == "schedule", "forcing.format",
         "expected weather with land.model: clm, got schedule, which has water only"),
        (len(config.land.soil_layers or config.domain.layers) < 2,
         "domain.layers" if config.land.soil_layers is None else "land.soil_layers",
         "expected two layers at least with land.model: clm, got one"),
        (config.is_lower_than_ground, "land.soil_layers",
         "expected layers that reach no deeper than domain.layers; the subsurface owns the water"),
    ]
    found.append((config.land.initial.file is not None, "land.initial.file",
                  f"expected no file {mode}; give land.initial.soil_temperature and subsurface.initial"))
    found += [(getattr(surface, name) != 0, f"surface.{name}",
               f"expected 0 {mode}; only soil lies over it in this version")
              for name in ("glacier", "lake", "urban", "wetland")]
    found += [(True, f"ensemble.perturb.parameters.{name}",
               f"expected texture ({', '.join(TEXTURE_NAMES)}), saturated_conductivity or plants "
               f"({', '.join(PLANT_NAMES)}) {mode}, got '{name}'; members share all else of the ground")
              for name in config.ensemble.perturb.parameters
              if name not in (*TEXTURE_NAMES, "saturated_conductivity", *PLANT_NAMES)]
    found += [(config.ensemble.perturb.pedotransfer, "ensemble.perturb.pedotransfer",
               f"expected false {mode}; members share the ground")]
    return found


def _idle(config: CaseConfig) -> list[Problem]:
    """Return the keys that have no effect without a land model, or with this kind of overland flow."""
    below, idle = config.subsurface, {} if config.is_coupled else _idle_without_land(config)
    if below.overland == "none":
        why = "it has no effect with overland: none"
        idle |= {f"subsurface.{name}": why for name in ("manning", "slope_floor", "outlets") if below.changes(name)}
        if not below.terrain_following and config.domain.slopes is not None:
            idle["domain.slopes"] = "slopes have no effect with overland: none and terrain_following: false"
    elif below.changes("ponding_depth"):
        idle["subsurface.ponding_depth"] = f"water does not wait for a depth with overland: {below.overland}"
    return [(path, f"expected no {path.rpartition('.')[2]}: {reason}", (path, "subsurface.mode", "land.model"))
            for path, reason in idle.items()]


def _idle_without_land(config: CaseConfig) -> dict[str, str]:
    """Return the keys that have no effect without a land model, and why."""
    why = "without a land model (land.model: none) it has no effect"
    idle = {f"land.{name}": why for name in type(config.land).model_fields
            if name != "model" and config.land.changes(name)}
    idle |= {f"surface.{name}": why for name in type(config.surface).model_fields
             if name != "soil" and config.surface.changes(name)}
    idle |= {f"surface.soil.{name}": why for name in ("colour",) if config.surface.soil.changes(name)}
    idle |= {f"forcing.{name}": why for name in ("lapse_rate", "height", "precipitation_phase", "all_snow_below",
                                                 "all_rain_above") if config.forcing.changes(name)}
    idle |= {f"domain.{name}": why for name in ("bedrock_layers", "bedrock_thickness") if config.domain.changes(name)}
    idle |= {f"subsurface.{name}": why for name in ("coupling_iterations",) if config.subsurface.changes(name)}
    if config.ensemble.changes("perturb"):
        idle["ensemble.perturb"] = "there is one member with land.model: none"
    if config.output.members:
        idle["output.members"] = "there is one member with land.model: none"
    return idle
