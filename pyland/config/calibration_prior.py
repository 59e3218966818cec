"""Key ``prior`` of a calibrated parameter."""

from __future__ import annotations

from types import MappingProxyType

from pydantic import model_validator

from pyland.config.fields import Problem, Problems, Section, key

NEEDED = MappingProxyType({
    "normal": ("mean", "std"),
    "lognormal": ("median", "std"),
    "uniform": ("low", "high"),
    "log_uniform": ("low", "high"),
    "quantiles": ("q05", "q50", "q95"),
    "rosetta": (),
})
"""Keys that a distribution needs."""

ALLOWED = MappingProxyType({
    "normal": ("low", "high"), "lognormal": ("low", "high"), "quantiles": ("logarithm",),
    "rosetta": ("bulk_density", "widened"),
})
"""Further keys that it takes."""


class PriorSection(Section):
    """Distribution of a parameter before the observations; numbers in its unit, without one for a factor."""

    distribution: str = key(
        "uniform", "normal, cut at low and high; lognormal, with `std` of the natural logarithm; uniform; log_uniform; "
        "quantiles, two halves of normal distributions, as SoilGrids gives them; rosetta: mean and uncertainty of "
        "Rosetta 3 for the texture of the case", choices=tuple(NEEDED))
    mean: float | None = key(None, "mean (normal)", unit="unit of the parameter")
    median: float | None = key(None, "median (lognormal)", unit="unit of the parameter", above=0)
    std: float | None = key(None, "standard deviation, of the logarithm with lognormal", unit="unit of the parameter",
                            above=0)
    low: float | None = key(None, "lower bound", unit="unit of the parameter")
    high: float | None = key(None, "upper bound", unit="unit of the parameter")
    q05: float | None = key(None, "5 % quantile (quantiles)", unit="unit of the parameter")
    q50: float | None = key(None, "median (quantiles)", unit="unit of the parameter")
    q95: float | None = key(None, "95 % quantile (quantiles)", unit="unit of the parameter")
    logarithm: bool = key(False, "the halves are of the logarithm (quantiles)", kind="switch")
    bulk_density: float | None = key(
        None, "bulk density for Rosetta; null: texture alone (rosetta)", unit="g cm-3", above=0.1, at_most=2.6)
    widened: float = key(
        1.0, "factor on the standard deviation of Rosetta, which is that of its mean and not of single soils (rosetta)",
        unit="1", above=0, at_most=100)

    @model_validator(mode="after")
    def _check(self) -> PriorSection:
        kind, problems = self.distribution, list[Problem]()
        problems += [(name, f"expected a number with distribution: {kind}, got nothing", (name, "distribution"))
                     for name in NEEDED[kind] if getattr(self, name) is None]
        known = {"distribution", *NEEDED[kind], *ALLOWED.get(kind, ())}
        problems += [(name, f"expected no {name} with distribution: {kind}", (name, "distribution"))
                     for name in type(self).model_fields if name not in known and self.changes(name)]
        if None not in (self.low, self.high) and self.low >= self.high:
            problems.append(("high", f"expected a number above low ({self.low:g}), got {self.high:g}", ("high", "low")))
        if kind == "log_uniform" and self.low is not None and self.low <= 0:
            problems.append(("low", f"expected a number above 0 with log_uniform, got {self.low:g}", ("low",)))
        given = (self.q05, self.q50, self.q95)
        if None not in given and not given[0] < given[1] < given[2]:
            problems.append(("q50", f"expected q05 < q50 < q95, got {', '.join(f'{one:g}' for one in given)}",
                             ("q05", "q50", "q95")))
        if kind == "quantiles" and self.logarithm and self.q05 is not None and self.q05 <= 0:
            problems.append(("q05", f"expected a number above 0 with logarithm: true, got {self.q05:g}", ("q05",)))
        if problems:
            raise Problems(problems)
        return self


__all__ = ["PriorSection"]
