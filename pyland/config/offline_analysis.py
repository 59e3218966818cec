"""File ``analysis.yaml`` of ``pyland analyse``: method, localisation, and what each type of observation sees."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import field_validator, model_validator

from pyland.base.text import shown
from pyland.config.fields import Problem, Problems, Section, key
from pyland.config.filter_options import FilterOptionsSection
from pyland.config.filters import GLOBAL_FILTERS, LOCAL_FILTERS, OPTIONS
from pyland.config.localization import TAPERS
from pyland.config.settings_file import load_settings

SENSORS = ("nearest", "linear", "uniform", "gaussian", "hamming")
_ONE_BY_ONE = ("rhf", "lensrf", "leakf", "lrhf")  # ensrf and eakf make correlated errors independent first
_OF_LOCAL = ("adaptive", "inflate_unobserved", "depth_taper")

_ELSEWHERE = MappingProxyType({
    **dict.fromkeys(("method", "inflation", "relaxation", "seed", "threads", "member", "variables"),
                    "belongs one level up, beside options"),
    **dict.fromkeys(("radius", "taper", "depth_radius"), "belongs to localisation, beside options"),
    "rng": "is `seed`, one level up",
    "forget": "is `inflation` = 1/sqrt(forget), one level up",
    "period": "is `period_y` and `period_x` of localisation",
    **dict.fromkeys(("error_group", "error_length"), "is `correlation_length` of an entry of observations"),
    **dict.fromkeys(("metric", "coords_state", "coords_obs", "domain_of_state", "depth_state", "depth_obs"),
                    "follows from the files"),
    "distances": "is for arrays only (pyland.assimilate.analyse_local)",
    "return_diagnostics": "is for arrays only; the result has the departures of all observations",
})
"""Where arguments of filters are found that are no options, and why."""


class LocalisationSection(Section):
    """How far observations act, for local methods; lengths in m with latitude and longitude, else in the unit of x."""

    radius: float | None = key(None, "support radius: no weight beyond", unit="1", above=0)
    taper: str = key("gaspari_cohn", "weight with distance", choices=TAPERS)
    depth_radius: float | None = key(None, "support radius over depth; null for none", unit="m", above=0)
    period_y: float = key(0.0, "length of a periodic y axis; 0 for none", unit="1", at_least=0)
    period_x: float = key(0.0, "length of a periodic x axis; 0 for none", unit="1", at_least=0)


class ThinningSection(Section):
    """How dense observations are made fewer."""

    method: str = key(
        "mean", "mean of a grid cell, best of a grid cell, or a least distance", choices=("mean", "best", "distance")
    )
    size: float | None = key(None, "side of the cells, or the least distance", unit="1", above=0)

    @model_validator(mode="after")
    def _check_size(self) -> ThinningSection:
        if self.size is None:
            raise Problems([("size", "expected a number above 0, got nothing", ("method",))])
        return self


class ObservedSection(Section):
    """One type of observations: the rows of the file whose type has this name."""

    type: str = key("observation", "name of the type in the file", kind="text")
    variable: str | None = key(None, "variable of the ensemble that is seen; default by the file", kind="text")
    units: str | None = key(
        None, "unit of the values, where the file has none or a wrong one; errors without one of their own are in it",
        kind="text"
    )
    sensor: str = key(
        "nearest",
        "the cell around the place, interpolation, or the mean of a footprint with equal, Gaussian or Hamming weights",
        choices=SENSORS,
    )
    width: float | None = key(
        None,
        "diameter of a uniform footprint, half-power width of a Gaussian, width of a Hamming window",
        unit="1",
        above=0,
    )
    top: float | None = key(None, "top of the depth range that is seen", unit="m", at_least=0)
    bottom: float | None = key(None, "bottom of the depth range that is seen", unit="m", at_least=0)
    fading_depth: float | None = key(None, "depth at which the signal has faded to 1/e", unit="m", above=0)
    layer_weights: list[float] | None = key(None, "weight of each layer", unit="1", kind="numbers")
    error: float | None = key(None, "standard deviation of the errors, instead of that of the file", unit="1", above=0)
    relative_error: float | None = key(
        None, "error as a share of the value, not below `error`", unit="1", above=0
    )
    valid_range: list[float] | None = key(None, "lowest and highest possible value", unit="1", kind="numbers", length=2)
    accepted: list[float] = key(
        lambda: [0.0], "values of the quality flag that are used", unit="1", kind="numbers", factory=True
    )
    max_innovation: float | None = key(
        None, "reject where O-F exceeds this many standard deviations; null for never", unit="1", above=0
    )
    correlation_length: float | None = key(
        None, "errors within the type are correlated as exp(-distance/length)", unit="1", above=0
    )
    radius: float | None = key(None, "support radius; default that of localisation", unit="1", above=0)
    taper: str | None = key(None, "weight with distance; default that of localisation", choices=TAPERS)
    depth_radius: float | None = key(None, "support radius over depth; default as above", unit="m", above=0)
    thinning: ThinningSection | None = key(None, "how dense observations are made fewer")
    withheld_share: float = key(0.0, "share of the places that is kept for diagnosis", unit="1", at_least=0, at_most=1)
    seed: int = key(1, "seed of that choice", kind="integer", at_least=0, at_most=2**32 - 1)
    assimilate: bool = key(True, "false compares only", kind="switch")

    @model_validator(mode="after")
    def _check_sensor(self) -> ObservedSection:
        problems: list[Problem] = []
        has_footprint = self.sensor in ("uniform", "gaussian", "hamming")
        if has_footprint != (self.width is not None):
            what = "a width" if has_footprint else "no width"
            text = f"expected {what} with sensor '{self.sensor}', got {shown(self.width)}"
            problems.append(("width", text, ("sensor",)))
        if (self.top is None) != (self.bottom is None):
            problems.append(("top", "expected both top and bottom, got one of them", ("bottom",)))
        elif self.top is not None and self.bottom is not None and self.bottom < self.top:
            problems.append(("bottom", f"expected a depth below top {self.top:g} m, got {self.bottom:g} m", ("top",)))
        depths = [name for name in ("top", "fading_depth", "layer_weights") if getattr(self, name) is not None]
        if len(depths) > 1:
            text = f"expected one way to weight depths, got {' and '.join(depths)}"
            problems.append((depths[1], text, tuple(depths)))
        if self.relative_error is not None and self.error is None:
            problems.append(("relative_error", "expected also `error`, the smallest error, got nothing", ("error",)))
        if self.valid_range is not None and self.valid_range[0] > self.valid_range[1]:
            problems.append(("valid_range", f"expected [lowest, highest], got {self.valid_range}", ("valid_range",)))
        if problems:
            raise Problems(problems)
        return self


class MethodOptionsSection(FilterOptionsSection):
    """Further options of the method: those that many filters have, and those of single ones."""

    relaxation_to: str | None = key(
        None, "what relaxation gives back: the prior spread (default) or perturbations",
        choices=("spread", "perturbations"))
    rotation: bool | None = key(
        None, "rotate the analysis anomalies at random, which keeps mean and covariance", kind="switch")
    adaptive: float | str | None = key(
        None, "local methods: weights also by the sample correlation, none below this; auto: 3 over the root of the "
        "ensemble size", unit="1", above=0, below=1, also=("auto",))
    inflate_unobserved: bool | None = key(
        None, "local methods: inflate also where no observation is within the radius", kind="switch")
    depth_taper: str | None = key(None, "local methods: weight over depth; default gaspari_cohn", choices=TAPERS)
    bounds: list[float] | None = key(
        None, "rhf, lrhf: lowest and highest possible value of what is observed, in the unit of its variable",
        unit="1", kind="numbers", length=2)

    def unfit(self, settings: AnalysisSettings) -> list[Problem]:
        """Return what the method and the other keys cannot take; nothing of a method that is not known."""
        method = settings.method.lower()
        if method not in (*GLOBAL_FILTERS, *LOCAL_FILTERS):
            return []
        common = ("relaxation_to", "rotation", *(_OF_LOCAL if method in LOCAL_FILTERS else ()))
        own = (*common, *OPTIONS.get(method, ()))
        problems: list[Problem] = []

        def refuse(name: str, text: str) -> None:
            problems.append((f"options.{name}", text, (f"options.{name}",)))

        for name in self.given():
            if name in own:
                continue
            owners = [one for one, names in OPTIONS.items() if name in names] or ["local methods"]
            refuse(name, f"expected one of the options of method '{method}' ({', '.join(own)}), got {name}, which "
                   f"belongs to {', '.join(owners)}")
        if self.relaxation_to is not None and settings.relaxation == 0.0:
            refuse("relaxation_to", "expected a relaxation above 0 with relaxation_to, got none")
        if self.inflate_unobserved and settings.inflation == 1.0:
            refuse("inflate_unobserved", "expected an inflation other than 1 with inflate_unobserved, got 1")
        radii = [settings.localisation.depth_radius, *(one.depth_radius for one in settings.observations)]
        if self.depth_taper is not None and not any(radii):
            refuse("depth_taper", "expected a depth_radius with depth_taper, got none")
        if self.bounds is not None and not self.bounds[0] < self.bounds[1]:
            refuse("bounds", f"expected [lowest, highest], got {self.bounds}")
        if self.dimension is not None and not self.jitter:
            refuse("dimension", f"expected a jitter above 0 with dimension, got dimension {self.dimension}")
        return problems


class AnalysisSettings(Section):
    """All of ``analysis.yaml``."""

    method: str = key("letkf", "filter, as in pyland.assimilate", kind="text")
    inflation: float = key(1.0, "factor on the prior anomalies", unit="1", above=0, at_most=100)
    relaxation: float = key(0.0, "relaxation to the prior spread (RTPS)", unit="1", at_least=0, at_most=1)
    options: MethodOptionsSection = key(MethodOptionsSection, "further options of the method", factory=True)
    seed: int = key(1, "seed of methods that draw random numbers", kind="integer", at_least=0, at_most=2**32 - 1)
    threads: int | None = key(None, "OpenMP threads; the result does not depend on it", kind="integer", at_least=1)
    member: str = key("member", "name of the dimension of members", kind="text")
    variables: list[str] | None = key(None, "variables that are updated; default all with members on the grid")
    bounds: dict[str, list[float]] = key(
        dict, "lowest and highest value of a variable; what an analysis leaves beyond is set to the bound", factory=True
    )
    localisation: LocalisationSection = key(LocalisationSection, "how far observations act", factory=True)
    observations: list[ObservedSection] = key(
        list, "types of observations; none: all types of the file as the defaults say", factory=True
    )

    @field_validator("options", mode="before")
    @classmethod
    def _options(cls, value: Any) -> Any:
        if isinstance(value, dict):
            problems = [
                (str(name), f"'{name}' {_ELSEWHERE[name]}", (str(name),))
                for name in value
                if name in _ELSEWHERE and name not in MethodOptionsSection.model_fields
            ]
            if problems:
                raise Problems(problems)
        return value

    @model_validator(mode="after")
    def _check_together(self) -> AnalysisSettings:
        problems: list[Problem] = []
        for name, pair in self.bounds.items():
            if len(pair) != 2 or not pair[0] < pair[1]:
                problems.append((f"bounds.{name}", f"expected [lowest, highest], got {pair}", (f"bounds.{name}",)))
        types = [one.type for one in self.observations]
        for number, name in enumerate(types):
            if name in types[:number]:
                where = f"observations.{number}"
                problems.append((f"{where}.type", f"expected a type of its own, got '{name}' again", (where,)))
        problems += self.options.unfit(self)
        by_regression = self.method.lower() in (*_ONE_BY_ONE, "lenkf") and self.options.localise != "errors"
        problems += [
            (f"observations.{number}.correlation_length", f"expected none with method '{self.method}', which takes "
             f"observations with independent errors, got {one.correlation_length:g}",
             (f"observations.{number}.correlation_length",))
            for number, one in enumerate(self.observations)
            if one.correlation_length is not None and by_regression
        ]
        if problems:
            raise Problems(problems)
        return self


def load_analysis_settings(
    path: str | Path | None = None, changes: Mapping[str, Any] | None = None
) -> AnalysisSettings:
    """Load ``analysis.yaml``.

    Parameters
    ----------
    path : str or Path, optional
        The file; without it, all values are the defaults.
    changes : mapping of str to object, optional
        Values by key path, such as ``{"localisation.radius": 5.0}``, that replace those of the file (command line).

    Returns
    -------
    AnalysisSettings
        All values, checked.

    Raises
    ------
    ConfigError
        If the file cannot be read or anything in it is wrong; one line per error, with file and line.
    """
    return load_settings(AnalysisSettings, "analysis", path, changes, Path.cwd())


__all__ = [
    "AnalysisSettings", "LocalisationSection", "MethodOptionsSection", "ObservedSection", "ThinningSection",
    "load_analysis_settings",
]  # fmt: skip
