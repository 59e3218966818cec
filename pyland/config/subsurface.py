"""Section ``subsurface``: soil water."""

from __future__ import annotations

from pydantic import model_validator

from pyland.config.fields import Problem, Problems, Section, key

INITIAL_KEYS = ("saturation", "soil_water", "water_table_depth", "pressure_head")


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

    @model_validator(mode="after")
    def _check(self) -> SubsurfaceInitialSection:
        given = [name for name in INITIAL_KEYS if getattr(self, name) is not None]
        if len(given) > 1:
            raise Problems(
                [(given[1], f"expected one of {', '.join(INITIAL_KEYS)}, got {' and '.join(given)}", tuple(given))]
            )
        return self

    @property
    def chosen(self) -> tuple[str, float | list[float]]:
        """Name and value of the key that is given; saturation 0.5 if none is."""
        for name in INITIAL_KEYS:
            value = getattr(self, name)
            if value is not None:
                return name, value
        return "saturation", 0.5


class SolverSection(Section):
    """Newton iteration and sub-steps of Richards' equation."""

    tolerance: float = key(
        1e-7,
        "error of the water balance of a layer before the last linear solve of a sub-step; water closes to round-off",
        unit="m", above=0, at_most=1e-5,
    )
    max_iterations: int = key(
        15, "Newton iterations before the sub-step is cut", kind="integer", at_least=3, at_most=200
    )
    min_step: float = key(1e-3, "shortest sub-step before the run stops", unit="s", above=0, at_most=3600)


class SubsurfaceSection(Section):
    """Flow of water in the soil."""

    mode: str = key(
        "column",
        "each column on its own, or lateral flow in three dimensions",
        choices=("column",),
        later=("distributed",),
    )
    retention: str = key("van_genuchten", "retention curve", choices=("van_genuchten", "clapp_hornberger"))
    lower_boundary: str = key(
        "free_drainage", "what happens below the lowest soil layer", choices=("free_drainage", "no_flow", "water_table")
    )
    water_table_depth: float | None = key(
        None, "depth of the fixed water table; lower_boundary: water_table only", unit="m", at_least=0
    )
    overland: str = key(
        "none", "flow of ponded water between cells", choices=("none",), later=("kinematic", "diffusive")
    )
    ponding_depth: float = key(
        0.01, "water that stays on the surface before it runs off", unit="m", at_least=0, at_most=10
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

    @model_validator(mode="after")
    def _check(self) -> SubsurfaceSection:
        problems: list[Problem] = []
        keys = ("water_table_depth", "lower_boundary")
        if self.lower_boundary == "water_table" and self.water_table_depth is None:
            problems.append((keys[0], "expected a depth [m] with lower_boundary: water_table, got nothing", keys))
        if self.lower_boundary != "water_table" and self.water_table_depth is not None:
            problems.append(
                (
                    keys[0],
                    f"expected no depth with lower_boundary: {self.lower_boundary}; it belongs to "
                    "lower_boundary: water_table (or to subsurface.initial)",
                    keys,
                )
            )
        if problems:
            raise Problems(problems)
        return self
