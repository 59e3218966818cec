"""Key ``localization``: how far an observation reaches, for all of them and for each type of its own."""

from __future__ import annotations

from typing import ClassVar

from pydantic import model_validator

from pyland.config.fields import Problem, Problems, Section, key

TAPERS = ("gaspari_cohn", "exponential", "none")
"""Decrease of a weight with distance."""

METRICS = ("euclidean", "river")
"""Distances."""

DIRECTIONS = ("both", "upstream", "downstream", "network")
"""Which cells a gauge reaches along rivers."""


class LocalizationSection(Section):
    """How far an observation reaches."""

    example: ClassVar[str | None] = "{radius: 20 km}"

    radius: float | None = key(None, "distance beyond which observations have no weight", unit="m", above=0)
    taper: str = key("gaspari_cohn", "decrease of the weight with distance", choices=TAPERS)
    depth: float | None = key(
        None, "difference of depth beyond which observations have no weight; null: an observation reaches all layers "
        "of a column alike", unit="m", above=0)
    metric: str = key(
        "euclidean", "distance: in the plane of the domain, or along the rivers between a gauge (type: discharge) and "
        "the cells", choices=METRICS)
    direction: str = key(
        "both", "with metric: river, the cells that a gauge reaches: upstream, whose water passes it; downstream, "
        "which its water passes; both of them; network, also those of tributaries that join further down",
        choices=DIRECTIONS)
    adaptive: str = key(
        "none", "correlation: weights also by the sample correlation of state and predicted observation, none below "
        "the threshold", choices=("none", "correlation"))
    threshold: float | None = key(
        None, "correlation that counts as chance; null is 3 over the root of the ensemble size", unit="1", above=0,
        below=1)

    @model_validator(mode="after")
    def _check(self) -> LocalizationSection:
        problems: list[Problem] = []
        if self.threshold is not None and self.adaptive == "none":
            problems.append(("threshold", "expected adaptive: correlation with threshold, got none",
                             ("threshold", "adaptive")))
        if problems:
            raise Problems(problems)
        return self


class TypeLocalizationSection(Section):
    """How far an observation of one entry reaches; keys that are not given are those of ``assimilation``."""

    radius: float | None = key(None, "distance beyond which it has no weight", unit="m", above=0)
    taper: str | None = key(None, "decrease of the weight with distance", choices=TAPERS)
    depth: float | None = key(None, "difference of depth beyond which it has no weight", unit="m", above=0)
    metric: str | None = key(
        None, "distance: in the plane of the domain, or along the rivers (type: discharge)", choices=METRICS)
    direction: str | None = key(
        None, "with metric: river, the cells that a gauge reaches", choices=DIRECTIONS)
