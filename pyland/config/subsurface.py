"""Section ``subsurface``: soil water."""

from __future__ import annotations

from types import MappingProxyType

from pydantic import model_validator

from pyland.config.fields import Problem, Problems, Section, key
from pyland.config.flow import (
    LEAST_MANNING,
    BoundariesSection,
    FieldFileSection,
    FlowSpinupSection,
    OutletSection,
)

INITIAL_KEYS = ("saturation", "soil_water", "water_table_depth", "pressure_head", "file")

SOLVER_DEFAULTS = MappingProxyType({
    "column": MappingProxyType({"tolerance": 1e-7, "max_iterations": 15, "min_step": 1e-3}),
    "distributed": MappingProxyType(
        {"tolerance": 1e-9, "max_iterations": 40, "min_step": 1.0, "max_step": float("inf")}),
})
"""Keys of the solver of each mode with their values where the case gives none."""


class SubsurfaceInitialSection(Section):
    """Initial soil water: exactly one key."""

    saturation: float | None = key(
        None, "share of the pores that is filled; 0.5 if no key is given", unit="1", at_least=0, at_most=1
    )
    soil_water: float | list[float] | None = key(
        None, "water content; a number or one per layer", unit="m3 m-3", kind="number_or_numbers", at_least=0, at_most=1
    )
    water_table_depth: float | None = key(None, "hydrostatic above and below this depth", unit="m", at_least=0)
    pressure_head: float | list[float] | None = key(
        None, "pressure head; a number or one per layer", unit="m", kind="number_or_numbers", at_least=-1e5, at_most=1e3
    )
    file: str | None = key(
        None,
        "netCDF file with pressure_head (layer, y, x) or water_table_depth (y, x) [m], of a series the last, or PFB "
        "file of ParFlow with pressure heads [m]; mode distributed",
        kind="path",
    )

    @model_validator(mode="after")
    def _check(self) -> SubsurfaceInitialSection:
        given = [name for name in INITIAL_KEYS if getattr(self, name) is not None]
        if len(given) > 1:
            raise Problems(
                [(given[1], f"expected one of {', '.join(INITIAL_KEYS)}, got {' and '.join(given)}", tuple(given))]
            )
        return self

    @property
    def chosen(self) -> tuple[str, float | list[float] | str]:
        """Name and value of the key that is given; saturation 0.5 if none is."""
        for name in INITIAL_KEYS:
            value = getattr(self, name)
            if value is not None:
                return name, value
        return "saturation", 0.5


class SolverSection(Section):
    """Newton iteration and sub-steps of Richards' equation."""

    tolerance: float | None = key(
        None,
        "error of the water balance of a layer before the last linear solve of a sub-step (column, 1e-7 if null; water "
        "closes to round-off), or largest error of a cell after a step (distributed, 1e-9 if null)",
        unit="m", above=0, at_most=1e-5,
    )
    max_iterations: int | None = key(
        None, "Newton iterations before the sub-step is cut; null is 15 (column) or 40 (distributed)", kind="integer",
        at_least=3, at_most=200,
    )
    min_step: float | None = key(
        None, "shortest sub-step before the run stops; null is 0.001 (column) or 1 (distributed)", unit="s", above=0,
        at_most=3600,
    )
    max_step: float | None = key(
        None, "longest sub-step; null is time.step; mode distributed only", unit="s", above=0
    )

    def value(self, name: str, mode: str) -> float:
        """Return a key as given, or what the mode takes instead."""
        given = getattr(self, name)
        return SOLVER_DEFAULTS[mode][name] if given is None else given


class SubsurfaceSection(Section):
    """Flow of water in the soil."""

    mode: str = key(
        "column",
        "each column on its own, or flow in three dimensions and over land (distributed)",
        choices=("column", "distributed"),
    )
    retention: str = key("van_genuchten", "retention curve", choices=("van_genuchten", "clapp_hornberger"))
    lower_boundary: str | None = key(
        None,
        "what happens below the lowest soil layer; null is free_drainage (column) or no_flow (distributed)",
        choices=("free_drainage", "no_flow", "water_table"),
    )
    water_table_depth: float | None = key(
        None, "depth of the fixed water table; lower_boundary: water_table only", unit="m", at_least=0
    )
    boundaries: BoundariesSection = key(BoundariesSection, "sides of the domain; mode distributed", factory=True)
    overland: str = key(
        "none",
        "flow of ponded water between cells, in mode distributed: kinematic or diffusive wave with one slope per face, "
        "kinematic_cells with slopes of cells, upstream (ParFlow's OverlandFlow); none: it runs off in place",
        choices=("none", "kinematic", "kinematic_cells", "diffusive"),
    )
    manning: float | FieldFileSection = key(
        0.03, "Manning's roughness of the land; a number or {file: ..., variable: ...}; with overland flow",
        unit="s m-1/3", kind="number_or_section", at_least=LEAST_MANNING, at_most=10,
    )
    slope_floor: float = key(1e-5, "least slope of overland flow", unit="1", above=0, at_most=0.1)
    outlets: list[OutletSection] = key(
        list, "places at the rim whose discharge is written, beside the total; with overland flow", factory=True
    )
    anisotropy: float = key(
        1.0, "horizontal over vertical conductivity; mode distributed", unit="1", above=0, at_most=1e6
    )
    terrain_following: bool = key(
        True, "layers follow the slope of the land, which drives lateral flow; mode distributed", kind="switch"
    )
    spinup: FlowSpinupSection | None = key(
        None, "begin with the steady state under a recharge; null: with the initial state; mode distributed"
    )
    coupling_iterations: int = key(
        1, "passes of a land step: 1 couples explicitly, more let surface and roots see the mean of the water at the "
        "start of the step and at the end that the last pass found; mode distributed", kind="integer", at_least=1,
        at_most=10,
    )
    ponding_depth: float = key(
        0.01, "water that stays on the surface before it runs off; overland none", unit="m", at_least=0, at_most=10
    )
    specific_storage: float = key(
        1e-4,
        "compressibility of saturated soil; that of water alone gives 1e-6",
        unit="m-1",
        at_least=1e-6,
        at_most=0.1,
    )
    initial: SubsurfaceInitialSection = key(SubsurfaceInitialSection, "initial soil water", factory=True)
    solver: SolverSection = key(SolverSection, "solver of Richards' equation", factory=True)

    @property
    def bottom(self) -> str:
        """What happens below the lowest layer, by ``lower_boundary`` or the default of the mode."""
        return self.lower_boundary or ("free_drainage" if self.mode == "column" else "no_flow")

    def solver_value(self, name: str) -> float:
        """Return a key of the solver as given, or what the mode takes instead."""
        return self.solver.value(name, self.mode)

    @model_validator(mode="after")
    def _check(self) -> SubsurfaceSection:
        problems: list[Problem] = []
        names = [entry.name for entry in self.outlets]
        problems += [
            (f"outlets.{place}.name", f"expected a unique name other than total, got '{name}'", (f"outlets.{place}",))
            for place, name in enumerate(names)
            if name in ("total", *names[:place])
        ]
        keys = ("water_table_depth", "lower_boundary")
        if self.lower_boundary == "water_table" and self.water_table_depth is None:
            problems.append((keys[0], "expected a depth [m] with lower_boundary: water_table, got nothing", keys))
        if self.lower_boundary != "water_table" and self.water_table_depth is not None:
            problems.append(
                (
                    keys[0],
                    f"expected no depth with lower_boundary: {self.bottom}; it belongs to "
                    "lower_boundary: water_table (or to subsurface.initial)",
                    keys,
                )
            )
        if problems:
            raise Problems(problems)
        return self
