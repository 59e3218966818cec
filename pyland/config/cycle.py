"""Section ``cycle``: the real-time loop, what it waits for and what it does without."""

from __future__ import annotations

import re
from typing import Any

from pydantic import field_validator, model_validator

from pyland.config.alarms import PERCENTILE, AlarmsSection
from pyland.config.catalogue import CatalogueSection
from pyland.config.fields import Problem, Problems, Section, key
from pyland.config.forcing import GRIDDED, GeneratorSection, names_in_file
from pyland.config.hindcast import HindcastSection
from pyland.config.pruning import PruningSection

FILE_FORMATS = ("alma", *GRIDDED)
"""Formats of weather files that cycles read."""

MEMBER = re.compile(r"\{member(?::0?\d+d)?\}")
"""Stands for the number of a member in a pattern of forecast files."""

_DIRECTIVES = frozenset("YmdHj")
_LATENCY = "usual time from the end of a cycle to the arrival of its files, for the latency board"


def pattern_problems(where: str, pattern: str | None, with_members: bool = False) -> list[Problem]:
    """Return what is wrong with the placeholders of a file pattern.

    Parameters
    ----------
    where : str
        Key of the pattern.
    pattern : str or None
        The pattern.
    with_members : bool
        Whether ``{member}`` is allowed.
    """
    if pattern is None:
        return []
    problems: list[Problem] = []
    wrong = sorted({one for one in re.findall(r"%(.?)", pattern) if one not in _DIRECTIVES})
    if wrong:
        problems.append((where, f"expected times as %Y, %m, %d, %H or %j, got '%{wrong[0]}'", (where,)))
    braces = re.findall(r"\{[^}]*\}?", MEMBER.sub("", pattern) if with_members else pattern)
    if braces:
        what = "{member} or {member:02d}" if with_members else "no braces"
        problems.append((where, f"expected {what}, got '{braces[0]}'", (where,)))
    if with_members and len(MEMBER.findall(pattern)) > 1:
        problems.append((where, "expected {member} once, got it again", (where,)))
    return problems


class StreamSection(Section):
    """One stream of weather; streams stand in the order of preference."""

    name: str = key("final", "name of the stream in products and messages; unique", kind="text")
    source: str = key(
        "files", "files; forecast: that of an earlier cycle (cycle.forecast), of an ensemble its first member; "
        "generator: weather of a climate, which is always there", choices=("files", "forecast", "generator"))
    path: str | None = key(
        None, "pattern of the files, with times of the cycle as %Y%m%d%H and wildcards; null is forcing.path",
        kind="path")
    format: str | None = key(None, "format of the files; null is forcing.format", choices=FILE_FORMATS)
    variables: dict[str, str] | None = key(
        None, "names in the files, as forcing.variables; null is forcing.variables")
    latency: float = key(0.0, _LATENCY, unit="s", at_least=0)
    patience: float = key(
        0.0, "how long after the end of a cycle this stream is waited for before the next one is taken", unit="s",
        at_least=0)
    generator: GeneratorSection = key(GeneratorSection, "settings of source generator", factory=True)

    @field_validator("variables", mode="before")
    @classmethod
    def _variables(cls, value: Any) -> Any:
        return None if value is None else names_in_file(value)

    @model_validator(mode="after")
    def _check(self) -> StreamSection:
        problems = pattern_problems("path", self.path)
        problems += [(name, f"expected no {name} with source: {self.source}; it belongs to source: files",
                      (name, "source"))
                     for name in ("path", "format", "variables") if self.source != "files" and self.changes(name)]
        if self.source != "generator" and self.changes("generator"):
            problems.append(("generator", f"expected no generator with source: {self.source}",
                             ("generator", "source")))
        if problems:
            raise Problems(problems)
        return self


class ObservationStreamSection(Section):
    """One stream of files of an entry of ``observations``; those of an entry stand in the order of preference."""

    entry: str = key("observation", "name of the entry of observations", kind="text")
    name: str = key("final", "name of the stream in products and messages; unique within the entry", kind="text")
    path: str | None = key(
        None, "pattern of the files, with times of the cycle as %Y%m%d%H and wildcards; null is observations.file",
        kind="path")
    files: int = key(1, "files of a cycle that are waited for; with fewer, the cycle runs when the patience has ended",
                     kind="integer", at_least=1)
    latency: float = key(0.0, _LATENCY, unit="s", at_least=0)
    patience: float = key(
        0.0, "how long after the end of a cycle this stream is waited for before the next one is taken, or the cycle "
        "runs without", unit="s", at_least=0)

    @model_validator(mode="after")
    def _check(self) -> ObservationStreamSection:
        problems = pattern_problems("path", self.path)
        if problems:
            raise Problems(problems)
        return self


class ForecastSection(Section):
    """Forecast from the analysis at the end of a cycle."""

    lead: float = key(0.0, "length of the forecast; 0 for none", unit="s", at_least=0)
    source: str = key(
        "files", "weather of the forecast: files, or the generator for weather of a climate",
        choices=("files", "generator"))
    path: str | None = key(
        None, "pattern of the files, with the time at which the forecast begins as %Y%m%d%H, wildcards, and {member} "
        "where each member of an ensemble has files of its own", kind="path")
    format: str | None = key(None, "format of the files; null is forcing.format", choices=FILE_FORMATS)
    variables: dict[str, str] | None = key(
        None, "names in the files, as forcing.variables; null is forcing.variables")
    members: int = key(
        1, "members of the weather that are waited for; with fewer, the forecast runs when the patience has ended",
        kind="integer", at_least=1)
    latency: float = key(0.0, _LATENCY, unit="s", at_least=0)
    patience: float = key(
        0.0, "how long after the end of a cycle its weather forecast is waited for before an older one is taken",
        unit="s", at_least=0)
    oldest: float = key(
        0.0, "age at the end of a cycle up to which an older weather forecast stands in, if it reaches over the lead; "
        "without any the cycle has no forecast", unit="s", at_least=0)
    generator: GeneratorSection = key(GeneratorSection, "settings of source generator", factory=True)

    @field_validator("variables", mode="before")
    @classmethod
    def _variables(cls, value: Any) -> Any:
        return None if value is None else names_in_file(value)

    @model_validator(mode="after")
    def _check(self) -> ForecastSection:
        problems = pattern_problems("path", self.path, with_members=True)
        problems += [(name, f"expected no {name} with source: generator", (name, "source"))
                     for name in ("path", "format", "variables", "members", "latency", "patience", "oldest")
                     if self.source == "generator" and self.changes(name)]
        if self.source == "files" and self.changes("generator"):
            problems.append(("generator", "expected no generator with source: files", ("generator", "source")))
        if self.source == "files" and self.lead > 0 and self.path is None:
            problems.append(("path", "expected a pattern of files with a lead, or source: generator, got nothing",
                             ("path", "lead")))
        if self.members > 1 and self.path is not None and MEMBER.search(self.path) is None:
            problems.append(("members", f"expected {{member}} in the path with {self.members} members, got "
                             f"{self.path}", ("members", "path")))
        if problems:
            raise Problems(problems)
        return self

    @property
    def has_members(self) -> bool:
        """Whether each member of the weather has files of its own."""
        return self.path is not None and MEMBER.search(self.path) is not None


class CycleSection(Section):
    """The real-time loop of `pyland cycle`: from time.start to time.end, cycle by cycle as inputs arrive."""

    interval: float = key(86400.0, "length of a cycle", unit="s", above=0)
    initial: str | None = key(
        None, "restart to begin with, of a `pyland run` of this case with the same time.start; null begins at "
        "time.start", kind="path")
    redo: int = key(
        0, "newest cycles that are run again when better inputs arrive for them; 0 for none", kind="integer",
        at_least=0, at_most=366)
    weather: list[StreamSection] = key(
        lambda: [StreamSection()], "streams of weather in the order of preference", factory=True)
    observations: list[ObservationStreamSection] = key(
        list, "streams of observations; an entry without one has the files of observations.file", factory=True)
    forecast: ForecastSection = key(ForecastSection, "forecast after each analysis", factory=True)
    climatology: str | None = key(
        None, "climatology of a long run (`pyland diagnose CASE percentiles`), for alarms on percentiles and as a "
        "reference of the skill; null for none", kind="path")
    alarms: AlarmsSection = key(AlarmsSection, "alarms on analyses and forecasts", factory=True)
    catalogue: CatalogueSection = key(CatalogueSection, "catalogue of the products", factory=True)
    hindcast: HindcastSection = key(HindcastSection, "skill of the forecasts of past cycles", factory=True)
    keep: PruningSection = key(PruningSection, "products that stay", factory=True)

    def observation_streams(self, entry: str) -> list[ObservationStreamSection]:
        """Return the streams of an entry of ``observations``, in the order of preference."""
        return [one for one in self.observations if one.entry == entry] or [ObservationStreamSection(entry=entry)]

    @model_validator(mode="after")
    def _check(self) -> CycleSection:
        problems: list[Problem] = []
        if not self.weather:
            problems.append(("weather", "expected at least one stream, got none", ("weather",)))
        if self.climatology is None and any(one.statistic == PERCENTILE for one in self.alarms.rules):
            problems.append(("climatology", f"expected a climatology with alarms on percentiles (statistic: "
                             f"{PERCENTILE}), got nothing", ("climatology", "alarms.rules")))
        if self.hindcast.quantities and self.forecast.lead <= 0:
            problems.append(("hindcast.quantities", "expected a forecast (cycle.forecast.lead) whose skill is kept, got"
                             " none", ("hindcast.quantities", "forecast.lead")))
        if self.hindcast.quantities and self.hindcast.open < self.redo * self.interval:
            problems.append(("hindcast.open", f"expected at least redo cycles ({self.redo * self.interval:g} s), whose "
                             f"pairs may be replaced, got {self.hindcast.open:g} s",
                             ("hindcast.open", "redo", "interval")))
        if self.keep.cycles is not None and self.keep.cycles <= self.redo:
            problems.append(("keep.cycles", f"expected more than the {self.redo} cycles that may be run again, got "
                             f"{self.keep.cycles}", ("keep.cycles", "redo")))
        names = [one.name for one in self.weather]
        problems += [(f"weather.{place}.name", f"expected a unique name, got '{name}' again", (f"weather.{place}",))
                     for place, name in enumerate(names) if name in names[:place]]
        problems += [(f"weather.{place + 1}", f"expected no stream after '{one.name}', whose weather is always there",
                      (f"weather.{place + 1}",))
                     for place, one in enumerate(self.weather[:-1]) if one.source == "generator"]
        for place, one in enumerate(self.weather):
            if one.source == "forecast" and (self.forecast.lead <= 0 or self.forecast.source != "files"):
                problems.append((f"weather.{place}.source", "expected a forecast with files (cycle.forecast), got none",
                                 (f"weather.{place}.source", "forecast.lead")))
        pairs = [(one.entry, one.name) for one in self.observations]
        problems += [(f"observations.{place}.name", f"expected a name that is unique within '{pair[0]}', got "
                      f"'{pair[1]}' again", (f"observations.{place}",))
                     for place, pair in enumerate(pairs) if pair in pairs[:place]]
        if problems:
            raise Problems(problems)
        return self
