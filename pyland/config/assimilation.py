"""Section ``assimilation``: the filter."""

from __future__ import annotations

from pydantic import field_validator, model_validator

from pyland.base.text import one_of, shown, suggestion
from pyland.config.fields import Problem, Problems, Section, key
from pyland.config.filters import FILTERS, LATER_FILTERS, SMOOTHERS, UNROTATED_FILTERS, is_local
from pyland.config.inflation import IncrementalSection, InflationSection
from pyland.config.localization import LocalizationSection

UPDATES = ("soil_water", "pressure_head")


class AssimilationSection(Section):
    """The filter and what it changes."""

    filter: str = key(
        "none", "assimilation method; enks, etks and letks are the smoothers of enkf, etkf and letkf", choices=FILTERS,
        later=LATER_FILTERS
    )
    every: float | None = key(
        None, "time between analyses; null analyses whenever there is an observation", unit="s", above=0
    )
    window: float | None = key(
        None, "time over which a smoother (enks, etks, letks) goes on updating its analysed states", unit="s", above=0
    )
    update: list[str] = key(
        lambda: ["soil_water"],
        "states that the filter changes: soil_water, pressure_head, or both: heads where all members are saturated and "
        "water elsewhere; pressure_head with subsurface.mode: distributed",
        factory=True,
    )
    localization: LocalizationSection = key(LocalizationSection, "how far an observation reaches", factory=True)
    inflation: InflationSection = key(InflationSection, "countermeasures against too small a spread", factory=True)
    damping: float = key(1.0, "share of the increment that is applied", unit="1", above=0, at_most=1)
    rotation: bool = key(
        False, "rotate the deviations of the members at random after an analysis, which keeps mean and covariance",
        kind="switch"
    )
    incremental: IncrementalSection | None = key(
        None, "add increments over the steps that follow an analysis; null adds them at once"
    )
    open_loop: bool = key(True, "run the same ensemble without assimilation for comparison", kind="switch")

    @field_validator("update", mode="before")
    @classmethod
    def _update(cls, value: object) -> object:
        names = value if isinstance(value, list) else []
        if not names:
            raise ValueError(f"expected a list of {one_of(UPDATES)}, got {shown(value)}")
        for name in names:
            if name not in UPDATES:
                raise ValueError(
                    f"expected a list of {one_of(UPDATES)}, got {shown(name)}{suggestion(str(name), UPDATES)}"
                )
        if len(set(names)) < len(names):
            raise ValueError(f"expected each state once, got {shown(value)}")
        return names

    @model_validator(mode="after")
    def _check(self) -> AssimilationSection:
        if self.filter == "none":
            return self
        problems = [*self._check_window(), *self._check_inflation()]
        if not is_local(self.filter) and self.changes("localization"):
            problems.append(
                (
                    "localization",
                    f"expected no localization with filter: {self.filter}, which is global; did you mean letkf?",
                    ("localization", "filter"),
                )
            )
        if self.rotation and self.filter in UNROTATED_FILTERS:
            problems.append(
                ("rotation", f"expected no rotation with filter: {self.filter}, which {UNROTATED_FILTERS[self.filter]}",
                 ("rotation", "filter"))
            )
        if problems:
            raise Problems(problems)
        return self

    def _check_window(self) -> list[Problem]:
        """Check that a smoother has a window and a filter none, and that increments of a smoother enter at once."""
        problems: list[Problem] = []
        if self.filter in SMOOTHERS and self.window is None:
            problems.append(("window", f"expected a window [s] with filter: {self.filter}, got nothing",
                             ("window", "filter")))
        if self.filter not in SMOOTHERS and self.window is not None:
            problems.append(("window", f"expected no window with filter: {self.filter}; it belongs to the smoothers "
                             f"{', '.join(SMOOTHERS)}", ("window", "filter")))
        if self.filter in SMOOTHERS and self.incremental is not None:
            problems.append(("incremental", f"expected no incremental with filter: {self.filter}, which goes on "
                             "updating its analysed states", ("incremental", "filter")))
        return problems

    def _check_inflation(self) -> list[Problem]:
        """Check that noise goes to what is updated, and that only a local filter knows of places out of reach."""
        inflation = self.inflation
        problems: list[Problem] = [
            (f"inflation.additive.{name}", f"expected states of update ({', '.join(self.update)}), got '{name}'",
             (f"inflation.additive.{name}", "update"))
            for name in inflation.additive
            if name not in self.update
        ]
        if inflation.unobserved and not is_local(self.filter):
            problems.append(("inflation.unobserved", f"expected no unobserved with filter: {self.filter}, which is "
                             "global: every cell is within reach", ("inflation.unobserved", "filter")))
        return problems
