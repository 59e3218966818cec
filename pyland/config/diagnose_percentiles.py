"""Section ``diagnose.percentiles``: how usual the values of a run are."""

from __future__ import annotations

from typing import Any

from pydantic import field_validator, model_validator

from pyland.base.errors import InputError
from pyland.base.registry import variable
from pyland.base.text import shown
from pyland.config.fields import Problem, Problems, Section, key


class PercentilesSection(Section):
    """Settings of ``pyland diagnose CASE percentiles``."""

    variables: list[str] = key(
        lambda: ["soil_water"], "variables of history.nc: registry ids or aliases", factory=True)
    depth: list[float] = key(
        lambda: [0.0, 1.0], "top and bottom of the mean of variables with layers; one that ends above takes all below "
        "the top", unit="m", kind="numbers", at_least=0, length=2, factory=True)
    climatology: str | None = key(
        None, "climatology.nc of a long run (written by this command); null takes one of the run itself", kind="path")
    half_width: int = key(15, "days on either side of a day of the year that count for it", kind="integer", at_least=0,
                          at_most=182)
    least_years: int = key(20, "years that a climatology needs", kind="integer", at_least=2)
    step: int = key(5, "days between the days of the year whose quantiles are kept", kind="integer", at_least=1,
                    at_most=30)
    quantiles: str = key(
        "empirical", "between ordered values, or smooth ones of Harrell and Davis (1982)",
        choices=("empirical", "harrell_davis"))
    threshold: float = key(20.0, "percentile at or below which a drought is an event", unit="%", above=0, below=100)
    least_duration: int = key(30, "records of the shortest event that is told", kind="integer", at_least=1)
    merge_gap: int = key(5, "records between two events that are one", kind="integer", at_least=0)

    @field_validator("variables", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        if not isinstance(value, list) or not value:
            raise ValueError(f"expected a list of variables, got {shown(value)}")
        try:
            return list(dict.fromkeys(variable(str(name)).id for name in value))
        except InputError as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="after")
    def _check(self) -> PercentilesSection:
        problems: list[Problem] = []
        if not self.depth[0] < self.depth[1]:
            problems.append(("depth", f"expected the top above the bottom, got {self.depth}", ("depth",)))
        if self.climatology is not None:
            problems += [(name, "expected none with climatology: the file says it", (name, "climatology"))
                         for name in ("half_width", "least_years", "step", "quantiles") if self.changes(name)]
        if problems:
            raise Problems(problems)
        return self
