"""Section ``diagnose.irrigation``: water that observations see and a run without irrigation lacks."""

from __future__ import annotations

from pydantic import model_validator

from pyland.config.fields import Problem, Problems, Section, key


class IrrigationUseSection(Section):
    """Settings of ``pyland diagnose CASE irrigation``."""

    stream: str | None = key(
        None, "name of the observations of soil moisture; null takes the only ones", kind="text")
    depth: float = key(0.1, "depth of soil whose water the observations stand for", unit="m", above=0)
    season: list[float] = key(lambda: [4, 9], "first and last calendar month of irrigation, of each year",
                              kind="numbers", at_least=1, at_most=12, length=2, factory=True)
    statistic: str = key(
        "end", "irrigation of a season: the running sum at its end, or its largest value, which noise raises",
        choices=("end", "largest"))
    mask: str | None = key(
        None, "netCDF file on the grid of the run with irrigated shares; cells without give the noise floor; null "
        "takes the floor from the errors of the observations", kind="path")
    mask_variable: str = key("irrigated_fraction", "variable of the mask", kind="text")
    least_share: float = key(0.5, "irrigated share from which on a cell is irrigated", unit="1", above=0, at_most=1)
    significance: float = key(
        2.0, "standard deviations of the noise beyond which irrigation is told", unit="1", above=0)
    accept_scaled: bool = key(
        False, "estimate from observations that were matched to the model, which takes irrigation out of them",
        kind="switch")

    @model_validator(mode="after")
    def _check(self) -> IrrigationUseSection:
        problems: list[Problem] = []
        if any(month != int(month) for month in self.season) or self.season[0] > self.season[1]:
            problems.append(("season", f"expected two calendar months in their order, got {self.season}", ("season",)))
        if self.mask is None:
            problems += [(name, "expected none without mask", (name, "mask"))
                         for name in ("mask_variable", "least_share") if self.changes(name)]
        if problems:
            raise Problems(problems)
        return self
