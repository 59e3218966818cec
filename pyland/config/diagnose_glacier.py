"""Section ``diagnose.glacier``: mass balance of glaciers."""

from __future__ import annotations

from pydantic import model_validator

from pyland.config.fields import Problems, Section, key


class DegreeDaySection(Section):
    """A degree-day model beside the energy balance of the run."""

    snow: float = key(4.5, "melt of snow per day and kelvin above freezing", unit="kg m-2", above=0, at_most=30)
    ice: float = key(8.0, "melt of ice per day and kelvin above freezing", unit="kg m-2", above=0, at_most=50)


class GlacierSection(Section):
    """Mass balance of glaciers."""

    first_month: int = key(
        10, "month on whose first day a mass-balance year begins; 4 in the south", kind="integer", at_least=1,
        at_most=12)
    summer_month: int = key(
        5, "month on whose first day its summer begins; 11 in the south", kind="integer", at_least=1, at_most=12)
    band: float = key(100.0, "height of the bands", unit="m", above=0, at_most=5000)
    published: str | None = key(
        None, "CSV file with balances to compare with: name, period, balance [m w.e. per year], latitude, longitude",
        kind="path")
    distance: float = key(
        50e3, "farthest glacier cell that a published balance is compared with", unit="m", above=0)
    degree_day: DegreeDaySection | None = key(
        None, "compare with a degree-day model; needs air_temperature and snowfall among output.variables")

    @model_validator(mode="after")
    def _check(self) -> GlacierSection:
        if self.first_month == self.summer_month:
            raise Problems([("summer_month", f"expected another month than first_month, got {self.summer_month}",
                             ("first_month", "summer_month"))])
        return self
