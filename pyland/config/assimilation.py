"""Section ``assimilation``: the filter."""

from __future__ import annotations

from pydantic import field_validator, model_validator

from pyland.config.fields import Problem, Problems, Section, key
from pyland.config.update import UPDATES, ParameterUpdateSection, UpdateSection, read_parameters, read_updates

FILTERS = ("none", "enkf", "etkf", "letkf")
LATER_FILTERS = ("ensrf", "estkf", "lestkf", "lenkf", "pf", "netf", "lnetf", "lknetf", "enks")
LOCAL_FILTERS = ("letkf",)


class LocalizationSection(Section):
    """How far an observation reaches."""

    radius: float | None = key(None, "distance beyond which observations have no weight", unit="m", above=0)
    taper: str = key(
        "gaspari_cohn", "decrease of the weight with distance", choices=("gaspari_cohn", "exponential", "none")
    )


class InflationSection(Section):
    """Countermeasures against too small a spread."""

    factor: float = key(
        1.0,
        "factor of the deviations of the members from their mean before the analysis",
        unit="1",
        at_least=1,
        at_most=10,
    )
    relaxation: float = key(
        0.0, "share of the forecast spread that is given back after the analysis", unit="1", at_least=0, at_most=1
    )


class AssimilationSection(Section):
    """The filter and what it changes."""

    filter: str = key("none", "assimilation method", choices=FILTERS, later=LATER_FILTERS)
    every: float | None = key(
        None, "time between analyses; null analyses whenever there is an observation", unit="s", above=0
    )
    window: None = key(None, "time window of a smoother; not available in this version")
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
    damping: float = key(1.0, "share of the increment that is applied", unit="1", above=0, at_most=1)
    open_loop: bool = key(True, "run the same ensemble without assimilation for comparison", kind="switch")

    @field_validator("window", mode="before")
    @classmethod
    def _window(cls, value: object) -> None:
        if value is not None:
            raise ValueError("a window is not available in this version (it belongs to smoothers); remove the key")

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
        problems: list[Problem] = []
        if self.filter in LOCAL_FILTERS and self.localization.radius is None:
            problems.append(
                (
                    "localization.radius",
                    f"expected a radius [m] with filter: {self.filter}, got nothing",
                    ("localization", "filter"),
                )
            )
        if self.filter not in (*LOCAL_FILTERS, "none") and self.changes("localization"):
            problems.append(
                (
                    "localization",
                    f"expected no localization with filter: {self.filter}, which is global; did you mean letkf?",
                    ("localization", "filter"),
                )
            )
        if problems:
            raise Problems(problems)
        return self

    @property
    def updated(self) -> tuple[str, ...]:
        """States that the filter changes, by registry id."""
        return tuple(entry.variable for entry in self.update)
