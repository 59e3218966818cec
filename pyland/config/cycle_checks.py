"""What a real-time cycle asks of the other sections of a case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyland.config.cycle import FILE_FORMATS
from pyland.config.fields import Problem
from pyland.config.filters import SMOOTHERS
from pyland.config.time import whole_steps

if TYPE_CHECKING:
    from pyland.config.case import CaseConfig

GENERATED = "generator"


def cycle_problems(config: CaseConfig) -> list[Problem]:
    """Return what keeps a case from being cycled, with the keys; nothing without section ``cycle``."""
    if config.cycle is None:
        return []
    return [*_kind_problems(config), *_interval_problems(config), *_weather_problems(config),
            *_observation_problems(config)]


def _kind_problems(config: CaseConfig) -> list[Problem]:
    """Check the kind of run: one ensemble of columns with land, filtered forward."""
    problems: list[Problem] = []
    cycle, spinup, assimilation = config.cycle, config.time.spinup, config.assimilation
    if config.study is not None:
        problems.append(("cycle", "expected no study with a cycle; a cycle is one run", ("cycle", "study")))
    if config.land.model == "none":
        problems.append(("cycle", "expected a land model with a cycle, got land.model: none, which has no weather",
                         ("cycle", "land.model")))
    if assimilation.filter in SMOOTHERS:
        problems.append(("assimilation.filter", f"expected a filter with a cycle, got the smoother "
                         f"{assimilation.filter}, whose states go on changing after their cycle",
                         ("assimilation.filter", "cycle")))
    if spinup.years > 0 and cycle.initial is None and config.forcing.format != GENERATED:
        problems.append(("time.spinup.years", "expected no spin-up with a cycle, which reads the weather of one cycle "
                         "only; spin up with `pyland run` and give its restart as cycle.initial",
                         ("time.spinup.years", "cycle.initial")))
    return problems


def _interval_problems(config: CaseConfig) -> list[Problem]:
    """Check that records, analyses and observation times do not lie across two cycles."""
    cycle, output = config.cycle, config.output.every
    wholes = [("cycle.interval", cycle.interval, "time.step", config.time.step),
              ("cycle.interval", cycle.interval, "output.every", output)]
    if config.assimilation.every is not None:
        wholes.append(("cycle.interval", cycle.interval, "assimilation.every", config.assimilation.every))
    wholes += [("cycle.interval", cycle.interval, f"observations.{place}.every", entry.every)
               for place, entry in enumerate(config.observations) if entry.every is not None]
    if cycle.forecast.lead > 0:
        wholes += [("cycle.forecast.lead", cycle.forecast.lead, "output.every", output)]
    return [(path, f"expected a whole number of {other} ({each:g} s), got {value:g} s", (path, other))
            for path, value, other, each in wholes if not whole_steps(value, each)]


def _weather_problems(config: CaseConfig) -> list[Problem]:
    """Check that each stream of files has files of a format that can be read piece by piece."""
    cycle, forcing, problems = config.cycle, config.forcing, list[Problem]()
    streams = [(f"cycle.weather.{place}", one) for place, one in enumerate(cycle.weather) if one.source == "files"]
    if cycle.forecast.lead > 0 and cycle.forecast.source == "files":
        streams.append(("cycle.forecast", cycle.forecast))
    for where, one in streams:
        form = one.format or forcing.format
        if form not in FILE_FORMATS:
            problems.append((f"{where}.format", f"expected a format of weather files ({', '.join(FILE_FORMATS)}), got "
                             f"{form} of forcing.format", (f"{where}.format", "forcing.format")))
        elif one.path is None and forcing.path is None:
            problems.append((f"{where}.path", "expected a pattern of files here or in forcing.path, got nothing",
                             (f"{where}.path", "forcing.path")))
    return problems


def _observation_problems(config: CaseConfig) -> list[Problem]:
    """Check that each entry can be read cycle by cycle, without a run over all of the period."""
    problems: list[Problem] = []
    names = [entry.name for entry in config.observations]
    problems += [(f"cycle.observations.{place}.entry", f"expected the name of an entry of observations "
                  f"({', '.join(names) or 'there is none'}), got '{one.entry}'", (f"cycle.observations.{place}",))
                 for place, one in enumerate(config.cycle.observations) if one.entry not in names]
    for place, entry in enumerate(config.observations):
        path = f"observations.{place}"
        if entry.twin is not None:
            problems.append((f"{path}.twin", "expected a file with a cycle, got twin, which needs a truth over all of "
                             "the period", (f"{path}.twin", "cycle")))
        if entry.scaling != "none" and entry.climatology is None:
            problems.append((f"{path}.climatology", f"expected a climatology of an earlier period with scaling: "
                             f"{entry.scaling} and a cycle, which knows no later values, got nothing",
                             (f"{path}.climatology", f"{path}.scaling", "cycle")))
        if entry.withheld > 0:
            problems.append((f"{path}.withheld", "expected no withheld with a cycle, which sees one time after the "
                             "other; give observations that judge an entry of their own, with assimilate: false",
                             (f"{path}.withheld", "cycle")))
        if "baseline_start" in entry.settings:
            problems.append((f"{path}.type", f"expected observations that need no baseline of an open loop with a "
                             f"cycle, got type: {entry.type}", (f"{path}.type", "cycle")))
    return problems
