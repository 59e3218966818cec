"""Keys ``assimilation.inflation`` and ``assimilation.incremental``: spread, and how increments enter the state."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import field_validator, model_validator

from pyland.base.registry import is_variable, variable
from pyland.base.text import shown
from pyland.config.fields import Problem, Problems, Section, key, read_value


class AdaptiveInflationSection(Section):
    """Inflation that observations estimate for each element of the state (Anderson 2009; El Gharamti 2018).

    All numbers are those of the factor of the variance.
    """

    initial: float = key(1.0, "factor of the variance at the start", unit="1", above=0, at_most=100)
    std: float = key(0.6, "standard deviation of the factor at the start", unit="1", above=0, at_most=10)
    smallest_std: float = key(0.6, "standard deviation below which it is not taken to be known", unit="1", above=0,
                              at_most=10)
    lower: float = key(1.0, "smallest factor", unit="1", above=0, at_most=100)
    upper: float = key(50.0, "largest factor", unit="1", above=0, at_most=1000)
    damping: float = key(
        0.9, "share of the factor minus 1 that is kept from one analysis to the next", unit="1", above=0, at_most=1)
    prior: str = key(
        "inverse_gamma", "distribution of the factor before the observations", choices=("inverse_gamma", "gaussian"))

    @model_validator(mode="after")
    def _check(self) -> AdaptiveInflationSection:
        problems: list[Problem] = []
        if self.lower >= self.upper:
            problems.append(("upper", f"expected a number above lower ({self.lower:g}), got {self.upper:g}",
                             ("upper", "lower")))
        elif not self.lower <= self.initial <= self.upper:
            problems.append(("initial", f"expected a number from lower ({self.lower:g}) to upper ({self.upper:g}), got "
                             f"{self.initial:g}", ("initial", "lower", "upper")))
        if self.smallest_std > self.std:
            problems.append(("smallest_std", f"expected at most std ({self.std:g}), got {self.smallest_std:g}",
                             ("smallest_std", "std")))
        if problems:
            raise Problems(problems)
        return self


class InflationSection(Section):
    """Countermeasures against too small a spread."""

    example: ClassVar[str | None] = "{factor: 1.05}"

    factor: float = key(
        1.0,
        "factor of the deviations of the members from their mean before the analysis",
        unit="1",
        at_least=1,
        at_most=10,
    )
    relaxation: float = key(
        0.0, "share of what the forecast had that is given back after the analysis", unit="1", at_least=0, at_most=1
    )
    relaxation_to: str = key(
        "spread", "what relaxation gives back: the spread of the forecast (RTPS), or the perturbations of its members "
        "(RTPP)", choices=("spread", "perturbations")
    )
    adaptive: AdaptiveInflationSection | None = key(None, "a factor that the observations estimate")
    additive: dict[str, float] = key(
        dict, "standard deviation of noise that is added to an updated state after an analysis, in its unit",
        factory=True)
    unobserved: bool = key(False, "inflate also where no observation is within reach", kind="switch")

    @field_validator("additive", mode="before")
    @classmethod
    def _additive(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError(f"expected a mapping of states to standard deviations, got {shown(value)}")
        for name in value:
            if not is_variable(str(name)):
                raise ValueError(f"expected names of states, got '{name}'")
        return {name: read_value(std, {"kind": "number", "unit": variable(name).units, "exclusiveMinimum": 0}, {})
                for name, std in value.items()}

    @model_validator(mode="after")
    def _check(self) -> InflationSection:
        problems: list[Problem] = []
        if self.relaxation == 0.0 and self.changes("relaxation_to"):
            problems.append(("relaxation_to", "expected a relaxation above 0 with relaxation_to, got none",
                             ("relaxation_to", "relaxation")))
        if self.adaptive is not None and self.factor != 1.0:
            problems.append(("factor", f"expected no factor beside adaptive, which estimates it, got {self.factor:g}",
                             ("factor", "adaptive")))
        if self.adaptive is not None and self.relaxation > 0.0:
            problems.append(("relaxation", "expected no relaxation beside adaptive, which has inflated the forecast "
                             f"that would be given back, got {self.relaxation:g}; take one of them",
                             ("relaxation", "adaptive")))
        if self.unobserved and self.factor == 1.0 and self.adaptive is None and not self.additive:
            problems.append(("unobserved", "expected a factor above 1, adaptive or additive with unobserved, got none",
                             ("unobserved",)))
        if problems:
            raise Problems(problems)
        return self


class IncrementalSection(Section):
    """Incremental analysis update: increments enter over the steps that follow the analysis (Bloom et al. 1996)."""

    window: float = key(21600.0, "time over which the increment of an analysis enters", unit="s", above=0)
    weights: str = key(
        "constant", "equal parts, or parts that rise and fall linearly with the largest in the middle",
        choices=("constant", "linear"))
