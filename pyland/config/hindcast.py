"""Sub-section ``cycle.hindcast``: how good forecasts of past cycles were."""

from __future__ import annotations

from pydantic import model_validator

from pyland.base.errors import InputError
from pyland.base.registry import variable
from pyland.config.fields import Problem, Problems, Section, key


class HindcastQuantity(Section):
    """A quantity whose forecasts are judged."""

    variable: str = key("soil_water", "variable of `pyland vars`", kind="text")
    depth: list[float] | None = key(
        None, "top and bottom that layers are averaged over; null for a variable without layers", unit="m",
        kind="numbers", at_least=0, length=2)

    @model_validator(mode="after")
    def _check(self) -> HindcastQuantity:
        problems: list[Problem] = []
        try:
            variable(self.variable)
        except InputError as error:
            problems.append(("variable", str(error), ("variable",)))
        if self.depth is not None and not self.depth[1] > self.depth[0]:
            problems.append(("depth", f"expected [top, bottom] with bottom below top, got {self.depth}", ("depth",)))
        if problems:
            raise Problems(problems)
        return self

    @property
    def name(self) -> str:
        """Name in files: the variable, with its depth in centimetres."""
        if self.depth is None:
            return self.variable
        return f"{self.variable}_{100.0 * self.depth[0]:g}_{100.0 * self.depth[1]:g}cm"


class HindcastSection(Section):
    """Skill of past forecasts against later analyses, by lead time."""

    quantities: list[HindcastQuantity] = key(list, "quantities; none: no skill is kept", factory=True)
    open: float = key(
        864000.0, "time after which a verified forecast is final; until then a cycle that is run again replaces it",
        unit="s", at_least=0)
    least: int = key(
        10, "pairs of forecast and analysis at a cell from which a correlation is told", kind="integer", at_least=3)

    @model_validator(mode="after")
    def _check(self) -> HindcastSection:
        names = [one.name for one in self.quantities]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise Problems([("quantities", f"expected different quantities, got '{twice[0]}' more than once",
                             ("quantities",))])
        return self
