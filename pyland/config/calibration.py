"""Section ``calibrate``: which parameters are estimated from which observations, by which method."""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic import field_validator, model_validator

from pyland.base.text import one_of
from pyland.config.calibration_prior import PriorSection
from pyland.config.ensemble import PARAMETER_NAMES, PLANT_NAMES, TEXTURE_NAMES
from pyland.config.fields import Problem, Problems, Section, key
from pyland.config.localization import LocalizationSection
from pyland.config.other_names import meant_parameter
from pyland.config.surface import RETENTION_PARAMETERS

if TYPE_CHECKING:
    from pyland.config.case import CaseConfig

SAMPLERS = ("metropolis", "adaptive_metropolis", "dream", "de_mc", "stretch")
SMOOTHERS = ("esmda", "ies")
SCREENING = "morris"
METHODS = (*SAMPLERS, *SMOOTHERS, SCREENING)

OPTIONS = MappingProxyType({
    "generations": SAMPLERS, "burn_in": SAMPLERS, "delay": ("adaptive_metropolis",), "pairs": ("dream",),
    "crossovers": ("dream",), "snooker": ("dream", "de_mc"), "archive_every": ("dream", "de_mc"),
    "learning": ("dream",), "stretch": ("stretch",), "steps": (*SMOOTHERS, *SAMPLERS), "step_length": ("ies",),
    "start": SAMPLERS, "trajectories": (SCREENING,), "levels": (SCREENING,), "range": (SCREENING,),
})
"""Methods that have an option."""

KINDS = ("value", "factor", "shift")

LARGEST_SEED = 2**32 - 1


class PeriodSection(Section):
    """A part of the run."""

    start: datetime | None = key(None, "begin (UTC); null is time.start", kind="time")
    end: datetime | None = key(None, "end (UTC); null is time.end", kind="time")


class CalibratedSection(Section):
    """One parameter that is estimated."""

    kind: str = key(
        "value", "what the prior is of: the parameter itself, the same in all layers and patches; a factor on the "
        "field of the case; a shift of it", choices=KINDS)
    prior: PriorSection | None = key(None, "prior distribution; needed")
    length_scale: float | None = key(
        None, "null: one number for all cells; a length: a field with this correlation length, 0 for independent "
        "cells (esmda, ies)", unit="m", at_least=0)
    breaks: list[float] | None = key(
        None, "depths at which the number changes: one number, with the same prior, for the layers whose middle lies "
        "above the first, between two, and below the last; null: one for all layers", unit="m", kind="numbers", above=0)

    @model_validator(mode="after")
    def _check(self) -> CalibratedSection:
        problems: list[Problem] = []
        if self.prior is None:
            problems.append(("prior", "expected a prior, such as {distribution: uniform, low: 0.1, high: 0.5}, got "
                             "nothing", ("prior",)))
        breaks = self.breaks or []
        if any(below <= above for above, below in zip(breaks, breaks[1:], strict=False)):
            problems.append(("breaks", f"expected depths that increase downward, got {breaks}", ("breaks",)))
        if breaks and self.length_scale is not None:
            problems.append(("breaks", "expected none with length_scale", ("breaks", "length_scale")))
        if problems:
            raise Problems(problems)
        return self


class TargetSection(Section):
    """Observations that the parameters are fitted to."""

    name: str = key("observed", "name in tables and figures; unique", kind="text")
    station: str | None = key(
        None, "variable of a station file by its ALMA name, such as SoilMoist_5cm or Qle; its means of local days "
        "count", kind="text")
    file: str | None = key(None, "station file; null is that of forcing.path with format: alma", kind="path")
    depth: list[float] | None = key(
        None, "top and bottom of a station variable whose name does not say it, twice the same depth for a point",
        unit="m", kind="numbers", at_least=0, length=2)
    entry: str | None = key(None, "entry of `observations` by its name, instead of a station variable", kind="text")
    error: float | None = key(
        None, "standard deviation of observation and model error, in the unit of the variable; null, for an entry: "
        "that of the entry", unit="unit of the variable", above=0)
    estimated: bool = key(
        False, "estimate the error, too; its prior is log-normal with median `error` (samplers)", kind="switch")
    error_spread: float = key(
        0.5, "standard deviation of the logarithm of an estimated error", unit="1", above=0, at_most=5)
    memory: float = key(
        0.0, "time after which the correlation of errors has fallen to 1/e; 0: independent; not with localization",
        unit="s", at_least=0)
    bias: str = key(
        "none", "none: what the model is off in the mean counts; removed: residuals count without their mean over the "
        "training period, in the skill as well", choices=("none", "removed"))

    @model_validator(mode="after")
    def _check(self) -> TargetSection:
        problems: list[Problem] = []
        if (self.station is None) == (self.entry is None):
            got = "nothing" if self.station is None else "both"
            problems.append(("station", f"expected either station or entry, got {got}", ("station", "entry")))
        if self.entry is not None:
            problems += [(name, f"expected no {name} with entry; it belongs to station", (name, "entry"))
                         for name in ("file", "depth") if getattr(self, name) is not None]
            if self.memory > 0:
                problems.append(("memory", "expected 0 with entry: its observations are of several places",
                                 ("memory", "entry")))
        if self.error is None and (self.station is not None or self.estimated):
            problems.append(("error", "expected a standard deviation with station or estimated, got nothing",
                             ("error", "station", "estimated")))
        if self.depth is not None and self.depth[1] < self.depth[0]:
            problems.append(("depth", f"expected [top, bottom] with bottom below top, got {self.depth}", ("depth",)))
        if problems:
            raise Problems(problems)
        return self


class CalibrateSection(Section):
    """Parameters, observations and method of ``pyland calibrate``; without effect on ``pyland run``."""

    method: str = key(
        "dream", "sampler of few parameters (metropolis, adaptive_metropolis, dream, de_mc, stretch), ensemble "
        "smoother of fields (esmda, ies), or screening (morris)", choices=METHODS)
    parameters: dict[str, CalibratedSection] = key(
        dict, "parameters by registry id; texture brings its hydraulic parameters along; leaf_area_index: a factor on "
        "the leaf area of all patches", factory=True)
    observations: list[TargetSection] = key(list, "what they are fitted to", factory=True)
    train: PeriodSection = key(PeriodSection, "observations that are used", factory=True)
    test: PeriodSection | None = key(None, "observations that are withheld and judge the result; null: none")
    members: int = key(
        32, "chains of a sampler or members of a smoother, columns of one model call", kind="integer", at_least=2,
        at_most=100000)
    generations: int = key(
        200, "moves of each chain (samplers)", kind="integer", at_least=16, at_most=10_000_000)
    burn_in: float = key(0.5, "share of the generations that is left out of the result (samplers)", unit="1",
                         at_least=0, at_most=0.9)
    seed: int = key(1, "seed of all draws", kind="integer", at_least=0, at_most=LARGEST_SEED)
    spinup: str = key(
        "each", "each: time.spinup with the parameters of every member; once: with those of the case, whose heads and "
        "temperatures all members start from", choices=("each", "once"))
    predicted_members: int = key(
        32, "draws of prior and posterior that run through both periods and are written for `pyland run`",
        kind="integer", at_least=2, at_most=10000)
    start: str = key(
        "prior", "where chains start: at draws of the prior, or at members of an ensemble smoother of `steps` "
        "analyses, whose covariance is that of the first proposals (samplers)", choices=("prior", "esmda"))
    delay: int = key(50, "generations with the first proposal (adaptive_metropolis)", kind="integer", at_least=2)
    pairs: int = key(3, "largest number of pairs of a jump (dream)", kind="integer", at_least=1, at_most=10)
    crossovers: int = key(3, "number of crossover probabilities (dream)", kind="integer", at_least=1, at_most=20)
    snooker: float = key(0.1, "share of snooker jumps (dream, de_mc)", unit="1", at_least=0, at_most=1)
    archive_every: int = key(
        10, "generations between additions to the archive of past states (dream, de_mc)", kind="integer", at_least=1)
    learning: int = key(
        500, "generations over which crossover probabilities learn (dream)", kind="integer", at_least=0)
    stretch: float = key(2.0, "largest stretch of a move (stretch)", unit="1", above=1, at_most=10)
    steps: int = key(
        4, "analyses (esmda, and start: esmda), or largest number of runs (ies)", kind="integer", at_least=1,
        at_most=100)
    step_length: float = key(0.5, "share of a Gauss-Newton step (ies)", unit="1", above=0, at_most=1)
    trajectories: int = key(10, "trajectories (morris)", kind="integer", at_least=2, at_most=10000)
    levels: int = key(4, "levels of the grid, even (morris)", kind="integer", at_least=2, at_most=100)
    range: list[float] = key(
        lambda: [0.05, 0.95], "quantiles of the priors between which parameters are moved (morris)", unit="1",
        kind="numbers", above=0, below=1, length=2, factory=True)
    localization: LocalizationSection = key(
        LocalizationSection, "how far an observation reaches (esmda, fields)", factory=True)

    @field_validator("parameters", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        for name in value if isinstance(value, dict) else ():
            if name not in PARAMETER_NAMES:
                raise ValueError(f"expected one of {one_of(PARAMETER_NAMES)}, got '{name}'"
                                 f"{meant_parameter(str(name), PARAMETER_NAMES)}")
        return value

    @model_validator(mode="after")
    def _check(self) -> CalibrateSection:
        problems: list[Problem] = []
        if not self.parameters:
            problems.append(("parameters", "expected at least one parameter, got none", ("parameters",)))
        if not self.observations:
            problems.append(("observations", "expected at least one kind of observations, got none",
                             ("observations",)))
        names = [one.name for one in self.observations]
        problems += [(f"observations.{place}.name", f"expected a unique name, got '{name}' again",
                      (f"observations.{place}",)) for place, name in enumerate(names) if name in names[:place]]
        problems += [
            (name, f"expected none with method: {self.method}; it belongs to {one_of(methods)}", (name, "method"))
            for name, methods in OPTIONS.items() if self.method not in methods and self.changes(name)]
        problems += self._check_method()
        if problems:
            raise Problems(problems)
        return self

    def _check_method(self) -> list[Problem]:
        """Return what does not fit the method."""
        problems: list[Problem] = []
        fields = [name for name, one in self.parameters.items() if one.length_scale is not None]
        if fields and self.method not in SMOOTHERS:
            problems.append((f"parameters.{fields[0]}.length_scale", f"expected null with method: {self.method}; "
                             f"fields are for {one_of(SMOOTHERS)}", (f"parameters.{fields[0]}", "method")))
        is_local = self.localization.radius is not None or self.localization.adaptive != "none"
        if is_local and (self.method != "esmda" or len(fields) < len(self.parameters)):
            problems.append(("localization", "expected none but with method: esmda and a length_scale for every "
                             "parameter; a number for all cells has no place", ("localization", "method")))
        if self.localization.metric == "river" or self.localization.depth is not None:
            problems.append(("localization", "expected radius and taper, or adaptive; rivers and depths are for "
                             "assimilation.localization", ("localization",)))
        for place, one in enumerate(self.observations):
            path = f"observations.{place}"
            if self.method not in SAMPLERS and one.estimated:
                problems.append((f"{path}.estimated", f"expected false with method: {self.method}; errors are "
                                 f"estimated by {one_of(SAMPLERS)}", (path, "method")))
            if one.memory > 0 and (is_local or self.method == SCREENING):
                problems.append((f"{path}.memory", f"expected 0 with {'localization' if is_local else 'morris'}",
                                 (path, "method", "localization")))
        size = sum(1 + len(one.breaks or ()) for one in self.parameters.values())
        size += sum(one.estimated for one in self.observations)
        if self.method == "stretch" and (self.members % 2 or self.members < 2 * size):
            problems.append(("members", f"expected an even number of at least {2 * size}, twice the parameters, with "
                             f"method: stretch, got {self.members}", ("members", "method")))
        if self.method in SAMPLERS and self.start == "prior" and self.changes("steps"):
            problems.append(("steps", "expected none with start: prior", ("steps", "start")))
        if self.range[1] <= self.range[0]:
            problems.append(("range", f"expected two quantiles that ascend, got {self.range}", ("range",)))
        if self.levels % 2:
            problems.append(("levels", f"expected an even number, got {self.levels}", ("levels",)))
        return problems


def calibration_problems(config: CaseConfig) -> list[Problem]:
    """Return what of section ``calibrate`` does not fit the rest of the case."""
    section = config.calibrate
    if section is None:
        return []
    problems: list[Problem] = []
    if config.is_distributed:
        problems.append(("calibrate", "expected subsurface.mode: column; parameters of the distributed subsurface are "
                         "estimated by assimilation.parameters", ("calibrate", "subsurface.mode")))
    if config.land.carbon != "none":
        problems.append(("calibrate", f"expected land.carbon: none, got {config.land.carbon}; a calibration does not "
                         "balance carbon pools", ("calibrate", "land.carbon")))
    curve = config.subsurface.retention
    hydraulic = RETENTION_PARAMETERS[curve]
    for name, one in section.parameters.items():
        path = f"calibrate.parameters.{name}"
        if name not in (*hydraulic, *TEXTURE_NAMES, *PLANT_NAMES):
            problems.append((path, f"expected a parameter of subsurface.retention: {curve}, got '{name}'",
                             (path, "subsurface.retention")))
        if name == "leaf_area_index" and one.kind != "factor":
            problems.append((f"{path}.kind", f"expected factor with leaf_area_index, got {one.kind}",
                             (f"{path}.kind",)))
        if name in PLANT_NAMES and one.breaks is not None:
            problems.append((f"{path}.breaks", f"expected none with '{name}', which has no layers",
                             (f"{path}.breaks",)))
        if one.prior.distribution == "rosetta" and (one.kind != "value" or name not in
                                                    RETENTION_PARAMETERS["van_genuchten"]):
            problems.append((f"{path}.prior", "expected kind: value and a van Genuchten parameter with distribution: "
                             f"rosetta, got {one.kind} of '{name}'", (path,)))
    both = [name for name in section.parameters if name in hydraulic], [
        name for name in section.parameters if name in TEXTURE_NAMES]
    if all(both):
        problems.append(("calibrate.parameters", f"expected either texture or hydraulic parameters, got {both[1][0]} "
                         f"and {both[0][0]}; the latter would follow the former", ("calibrate.parameters",)))
    entries = {one.name: one for one in config.observations}
    for place, one in enumerate(section.observations):
        path = f"calibrate.observations.{place}"
        if one.entry is not None and one.entry not in entries:
            known = one_of(tuple(entries)) if entries else "none"
            problems.append((f"{path}.entry", f"expected the name of an entry of observations ({known}), got "
                             f"'{one.entry}'", (path, "observations")))
        elif one.entry is not None and (entries[one.entry].scaling != "none" or entries[one.entry].type == "discharge"):
            problems.append((f"{path}.entry", f"expected an entry with scaling: none and no discharge, got "
                             f"'{one.entry}'; rescaled observations say nothing of parameters", (path, "observations")))
        elif one.station is not None and one.file is None and config.forcing.format != "alma":
            problems.append((f"{path}.file", "expected a station file, got nothing; forcing.format is "
                             f"{config.forcing.format}", (path, "forcing.format")))
    return problems + _period_problems(config)


def _period_problems(config: CaseConfig) -> list[Problem]:
    """Return periods that do not lie within the run."""
    section, problems = config.calibrate, list[Problem]()
    for name in ("train", "test"):
        period = getattr(section, name)
        if period is None:
            continue
        first, last = period.start or config.time.start, period.end or config.time.end
        if not config.time.start <= first < last <= config.time.end:
            problems.append((f"calibrate.{name}", f"expected a period within the run, {config.time.start.isoformat()} "
                             f"to {config.time.end.isoformat()}, got {first.isoformat()} to {last.isoformat()}",
                             (f"calibrate.{name}", "time")))
    if section.test is not None:
        (first, last), (begin, end) = (
            (one.start or config.time.start, one.end or config.time.end) for one in (section.train, section.test))
        if begin < last and first < end:
            problems.append(("calibrate.test", "expected a period that shares no time with calibrate.train "
                             f"({first.isoformat()} to {last.isoformat()}), whose observations are used, got "
                             f"{begin.isoformat()} to {end.isoformat()}", ("calibrate.test", "calibrate.train")))
    return problems


__all__ = ["METHODS", "SAMPLERS", "SCREENING", "SMOOTHERS", "CalibrateSection", "CalibratedSection", "PeriodSection",
           "TargetSection", "calibration_problems"]
