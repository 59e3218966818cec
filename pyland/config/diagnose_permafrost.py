"""Section ``diagnose.permafrost``: frozen ground of a run, and models that learn it from the landscape."""

from __future__ import annotations

from pydantic import model_validator

from pyland.config.fields import Problem, Problems, Section, key

PREDICTORS = ("elevation", "latitude", "longitude", "air_temperature", "precipitation", "snow_depth",
              "leaf_area_index", "sand", "clay", "organic")
"""What learned models may predict from."""

LEARNED_MODELS = ("gam", "svr", "random_forest", "xgboost")
"""Learned models: a generalised additive model, support vectors, a random forest, boosted trees."""


class LearningSection(Section):
    """Models that learn ground temperature and active layer from the landscape."""

    samples: str = key(
        "boreholes", "what they learn from: the boreholes of diagnose.permafrost.boreholes, or cells of the run itself",
        choices=("boreholes", "run"),
    )
    models: list[str] = key(
        lambda: list(LEARNED_MODELS), "models of the ensemble: gam, svr, random_forest, xgboost", factory=True
    )
    predictors: list[str] = key(
        lambda: ["elevation", "air_temperature", "precipitation", "snow_depth", "leaf_area_index", "sand", "organic"],
        "fields that they predict from: " + ", ".join(PREDICTORS), factory=True,
    )
    repeats: int = key(100, "how many times samples are split and all models are fitted", kind="integer", at_least=2,
                       at_most=10000)
    test_share: float = key(0.1, "share of the samples that a split withholds", unit="1", above=0, at_most=0.5)
    split: str = key(
        "random", "what is withheld together: single samples (random) or all samples of a square (blocks), which tests "
        "places far from those learned from", choices=("random", "blocks"),
    )
    block_size: float = key(100e3, "side of the squares", unit="m", above=0)
    seed: int = key(1, "seed of splits and models", kind="integer", at_least=0, at_most=2**31 - 1)

    @model_validator(mode="after")
    def _check(self) -> LearningSection:
        problems: list[Problem] = []
        for name, known in (("models", LEARNED_MODELS), ("predictors", PREDICTORS)):
            given = getattr(self, name)
            unknown = [one for one in given if one not in known]
            if unknown or not given or len(set(given)) != len(given):
                problems.append((name, f"expected one or more of {', '.join(known)}, each once; got "
                                 f"{', '.join(given) or 'none'}", (name,)))
        if self.split == "random" and self.changes("block_size"):
            problems.append(("block_size", "expected no block_size with split: random; did you mean split: blocks?",
                             ("block_size", "split")))
        if problems:
            raise Problems(problems)
        return self


class PermafrostSection(Section):
    """Frozen ground: ``pyland diagnose CASE permafrost``."""

    freezing_point: float = key(
        273.15, "temperature below which ground counts as frozen; lower where salt or fine pores keep water liquid",
        unit="K", at_least=263.15, at_most=273.15,
    )
    amplitude_limit: float = key(
        0.1, "yearly amplitude of temperature below which there is none: the depth of zero amplitude",
        unit="delta_degC", at_least=0.001, at_most=2,
    )
    class_limits: list[float] = key(
        lambda: [-5.0, -3.0, -1.5, -0.5], "mean annual ground temperatures that part the thermal classes very stable, "
        "stable, semi-stable, transitional and unstable (Ran et al. 2021)", unit="degC", kind="numbers", at_least=-50,
        at_most=5, length=4, factory=True,
    )
    elevation_band: float = key(
        200.0, "height of the bands of elevation for which shares of permafrost are summed up", unit="m", above=0
    )
    boreholes: str | None = key(
        None, "CSV file of boreholes to compare with: latitude, longitude, magt [degC] and/or alt [m], and if known "
        "name and elevation [m]", kind="path",
    )
    learning: LearningSection | None = key(None, "models that learn from the landscape, for comparison; extra ml")

    @model_validator(mode="after")
    def _check(self) -> PermafrostSection:
        problems: list[Problem] = []
        if any(upper >= lower for upper, lower in zip(self.class_limits, self.class_limits[1:], strict=False)):
            problems.append(("class_limits", f"expected temperatures that increase, got {self.class_limits}",
                             ("class_limits",)))
        if self.learning is not None and self.learning.samples == "boreholes" and self.boreholes is None:
            problems.append(("learning.samples", "expected a file in diagnose.permafrost.boreholes, or samples: run",
                             ("learning.samples", "boreholes")))
        if problems:
            raise Problems(problems)
        return self
