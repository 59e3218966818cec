"""Section ``assimilation``: the filter."""

from __future__ import annotations

from pydantic import field_validator, model_validator

from pyland.config.fields import Problem, Problems, Section, key
from pyland.config.filter_options import FilterOptionsSection
from pyland.config.filters import FILTERS, LATER_FILTERS, SMOOTHERS, UNROTATED_FILTERS, is_local
from pyland.config.inflation import IncrementalSection, InflationSection
from pyland.config.localization import LocalizationSection
from pyland.config.update import UPDATES, ParameterUpdateSection, UpdateSection, read_parameters, read_updates


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
    update: list[UpdateSection] = key(
        lambda: [UpdateSection()],
        "states that the filter changes, as names or entries; soil_water and pressure_head together: heads where all "
        "members are saturated and water elsewhere; pressure_head with subsurface.mode: distributed",
        names=UPDATES,
        factory=True,
    )
    parameters: dict[str, ParameterUpdateSection] = key(
        dict, "parameters that the filter changes, by registry id, among those of ensemble.perturb.parameters",
        factory=True,
    )
    localization: LocalizationSection = key(LocalizationSection, "how far an observation reaches", factory=True)
    inflation: InflationSection = key(InflationSection, "countermeasures against too small a spread", factory=True)
    options: FilterOptionsSection = key(FilterOptionsSection, "options of single filters", factory=True)
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
        return read_updates(value)

    @field_validator("parameters", mode="before")
    @classmethod
    def _parameters(cls, value: object) -> object:
        return read_parameters(value)

    @model_validator(mode="after")
    def _check(self) -> AssimilationSection:
        if self.filter == "none":
            return self
        problems = [*self._check_window(), *self._check_inflation(), *self.options.problems(self.filter)]
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
        inflation, names = self.inflation, self.updated
        transformed = {entry.variable: entry.transform for entry in self.update if entry.transform != "none"}
        problems: list[Problem] = [
            (f"inflation.additive.{name}", f"expected states of update ({', '.join(names)}), got '{name}'",
             (f"inflation.additive.{name}", "update"))
            for name in inflation.additive
            if name not in names
        ]
        problems += [
            (f"inflation.additive.{name}", f"expected no noise for what has transform: {transformed[name]}",
             (f"inflation.additive.{name}", "update"))
            for name in inflation.additive
            if name in transformed
        ]
        if self.filter == "pf":
            problems += [
                (f"inflation.{name}", f"expected no {name} with filter: pf, which copies members as they are; use "
                 "options.jitter, inflation.adaptive or inflation.additive", (f"inflation.{name}", "filter"))
                for name in ("factor", "relaxation") if inflation.changes(name)
            ]
        intervals = [entry.every for entry in (*self.update, *self.parameters.values()) if entry.every is not None]
        if inflation.adaptive is not None and intervals:
            problems.append(("inflation.adaptive", f"expected no every in update and parameters with adaptive, which "
                             f"follows all variables at each analysis, got {intervals[0]:g} s",
                             ("inflation.adaptive", "update")))
        if inflation.unobserved and not is_local(self.filter):
            problems.append(("inflation.unobserved", f"expected no unobserved with filter: {self.filter}, which is "
                             "global: every cell is within reach", ("inflation.unobserved", "filter")))
        return problems

    @property
    def updated(self) -> tuple[str, ...]:
        """States that the filter changes, by registry id."""
        return tuple(entry.variable for entry in self.update)
