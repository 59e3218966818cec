"""The whole configuration of a case, and checks across sections."""

from __future__ import annotations

import math
from pathlib import Path

from pydantic import PrivateAttr, model_validator

from pyland.base.registry import variable
from pyland.config.assimilation import AssimilationSection
from pyland.config.calibration import CalibrateSection, calibration_problems
from pyland.config.cycle import CycleSection
from pyland.config.cycle_checks import cycle_problems
from pyland.config.diagnose import DiagnoseSection
from pyland.config.domain import DomainSection
from pyland.config.ensemble import EnsembleSection
from pyland.config.fields import Problem, Problems, Section, key
from pyland.config.filter_checks import filter_problems
from pyland.config.flow import flow_problems
from pyland.config.forcing import ForcingSection
from pyland.config.land import LandSection
from pyland.config.observation_checks import observation_problems
from pyland.config.observations import ObservationSection
from pyland.config.output import (
    CARBON_VARIABLES,
    DEFAULT_COUPLED_VARIABLES,
    DEFAULT_FLOW_VARIABLES,
    FLOW_VARIABLES,
    ONLY_FLOW_VARIABLES,
    OutputSection,
)
from pyland.config.parallel import ParallelSection
from pyland.config.parflow import parflow_problems
from pyland.config.rivers import RIVER_VARIABLES, RiversSection
from pyland.config.study import StudySection, study_problems
from pyland.config.subsurface import SubsurfaceSection
from pyland.config.surface import RETENTION_PARAMETERS, SurfaceSection
from pyland.config.time import CaseSection, TimeSection, whole_steps
from pyland.config.update import update_problems

CLM5_LAYERS = 20
"""Soil layers of ``domain.layers: clm5``."""


class CaseConfig(Section):
    """A case: one attribute per section of ``case.yaml``; immutable.

    Use :func:`pyland.config.load_case` to make one: it knows file names and line numbers.
    """

    case: CaseSection = key(CaseSection, "name and description", factory=True)
    time: TimeSection = key(TimeSection, "period and step", factory=True)
    domain: DomainSection = key(DomainSection, "cells and layers", factory=True)
    surface: SurfaceSection = key(SurfaceSection, "vegetation and soil", factory=True)
    forcing: ForcingSection = key(ForcingSection, "source of the weather", factory=True)
    land: LandSection = key(LandSection, "schemes of the land surface", factory=True)
    subsurface: SubsurfaceSection = key(SubsurfaceSection, "soil water", factory=True)
    rivers: RiversSection = key(RiversSection, "routing of runoff, gauges and lakes", factory=True)
    ensemble: EnsembleSection = key(EnsembleSection, "members and what makes them differ", factory=True)
    observations: list[ObservationSection] = key(list, "observations, one entry per kind", factory=True)
    assimilation: AssimilationSection = key(AssimilationSection, "filter", factory=True)
    study: StudySection | None = key(None, "experiments that are compared; null: the case is a single run")
    cycle: CycleSection | None = key(None, "the real-time loop of `pyland cycle`; null: the case has none")
    calibrate: CalibrateSection | None = key(None, "parameter estimation by `pyland calibrate`; null: none")
    diagnose: DiagnoseSection = key(DiagnoseSection, "what is asked of a finished run", factory=True)
    output: OutputSection = key(OutputSection, "what is written", factory=True)
    parallel: ParallelSection = key(ParallelSection, "ranks and threads", factory=True)

    _directory: Path = PrivateAttr(default_factory=Path.cwd)
    _lines: dict[str, str] = PrivateAttr(default_factory=dict)

    @property
    def directory(self) -> Path:
        """Folder of ``case.yaml``; relative paths start here."""
        return self._directory

    @property
    def run_directory(self) -> Path:
        """Folder of the results unless the user names another."""
        return self._directory / "run"

    def where(self, path: str) -> str:
        """Return ``"case.yaml:12: forcing.path"`` for messages; without the line where the key is not in a file."""
        place = self._lines.get(path)
        return f"{place}: {path}" if place else path

    @property
    def nlayer(self) -> int:
        """Number of soil layers."""
        return CLM5_LAYERS if isinstance(self.domain.layers, str) else len(self.domain.layers)

    @property
    def is_distributed(self) -> bool:
        """Whether water flows between cells, in the subsurface and over land."""
        return self.subsurface.mode == "distributed"

    @property
    def is_coupled(self) -> bool:
        """Whether the land model lies over water that flows between cells."""
        return self.is_distributed and self.land.model != "none"

    @property
    def is_lower_than_ground(self) -> bool:
        """Whether soil layers are given for the land that reach below the subsurface."""
        given, ground = self.land.soil_layers, self.domain.layers
        if given is None or isinstance(ground, str):
            return False
        return math.fsum(given) > math.fsum(ground) * (1.0 + 1e-9)

    @property
    def history_variables(self) -> tuple[str, ...]:
        """Variables of ``history.nc`` (registry ids): as given, or the defaults of the mode."""
        if self.is_distributed and not self.output.changes("variables"):
            return DEFAULT_COUPLED_VARIABLES if self.is_coupled else DEFAULT_FLOW_VARIABLES
        return tuple(self.output.variables)

    @model_validator(mode="after")
    def _check(self) -> CaseConfig:
        problems = [
            *self._check_place(),
            *self._check_layers(),
            *self._check_retention(),
            *self._check_carbon(),
            *self._check_filter(),
            *filter_problems(self),
            *observation_problems(self),
            *self._check_intervals(),
            *self._check_rivers(),
            *flow_problems(self),
            *parflow_problems(self),
            *self._check_flow_output(),
            *update_problems(self),
            *self._check_parameter_output(),
            *cycle_problems(self),
            *self._check_parameters_file(),
            *calibration_problems(self),
            *study_problems(self.study, [one.name for one in self.observations],
                            [one.type for one in self.observations],
                            [one.twin is not None for one in self.observations], self.assimilation.filter),
        ]
        if problems:
            raise Problems(problems)
        return self

    def _check_place(self) -> list[Problem]:
        """Period and place have defaults for generated weather only."""
        if self.forcing.format == "generator":
            return []
        is_schedule = self.forcing.format == "schedule"  # the times of its rain count from the start
        wanted = [("time", "end")] if is_schedule else [("time", "start"), ("time", "end")]
        if self.domain.type != "file" and not is_schedule:
            wanted += [("domain", name) for name in ("latitude", "longitude")]
        return [
            (
                f"{section}.{name}",
                f"expected a value with forcing.format: {self.forcing.format}, got nothing",
                (f"{section}.{name}", "forcing.format", "domain.type"),
            )
            for section, name in wanted
            if name not in getattr(self, section).model_fields_set
        ]

    def _check_layers(self) -> list[Problem]:
        texture, initial, soil = self.surface.soil.texture, self.subsurface.initial, self.surface.soil
        count = self.nlayer if texture.bottom is None else len(texture.bottom)
        what = "one for each of the soil layers" if texture.bottom is None else "one for each depth of texture.bottom"
        lists = [
            (f"surface.soil.texture.{name}", getattr(texture, name), count, what)
            for name in ("sand", "clay", "organic")
        ]
        lists += [(f"surface.soil.parameters.{name}", value, count, what) for name, value in soil.parameters.items()]
        lists += [
            (f"subsurface.initial.{name}", getattr(initial, name), self.nlayer, "one for each of the soil layers")
            for name in ("soil_water", "pressure_head")
        ]
        return [
            (
                path,
                f"expected {size} numbers, {words}, got {len(value)}",
                (path, "domain.layers", "surface.soil.texture.bottom"),
            )
            for path, value, size, words in lists
            if isinstance(value, list) and len(value) != size
        ]

    def _check_retention(self) -> list[Problem]:
        curve = self.subsurface.retention
        wrong = [name for name in self.surface.soil.parameters if name not in RETENTION_PARAMETERS[curve]]
        problems: list[Problem] = [
            (
                f"surface.soil.parameters.{name}",
                f"expected parameters of subsurface.retention: {curve} "
                f"({', '.join(RETENTION_PARAMETERS[curve])}), got '{name}'",
                (f"surface.soil.parameters.{name}", "subsurface.retention"),
            )
            for name in wrong
        ]
        return problems + [
            (
                f"ensemble.perturb.parameters.{name}",
                f"expected a parameter of subsurface.retention: {curve}, got '{name}'",
                (f"ensemble.perturb.parameters.{name}", "subsurface.retention"),
            )
            for name in self.ensemble.perturb.parameters
            if name in sum(RETENTION_PARAMETERS.values(), ()) and name not in RETENTION_PARAMETERS[curve]
        ]

    def _check_carbon(self) -> list[Problem]:
        """Pools in equilibrium need the mean of a spin-up, output needs what computes it."""
        land, irrigated = self.land, any(one.irrigation is not None for one in self.surface.vegetation.patches)
        absent = {name: "land.carbon: prescribed or evolving" for name in CARBON_VARIABLES if land.carbon == "none"}
        if not irrigated:
            absent["irrigation"] = "an irrigated patch"
        problems: list[Problem] = [
            (f"output.{key}", f"'{name}' needs {absent[name]}", (f"output.{key}", "land.carbon"))
            for key in ("variables", "members")
            for name in getattr(self.output, key)
            if name in absent
        ]
        if land.carbon == "none" or land.carbon_initial is not None or self.time.spinup.years > 0:
            return problems
        return [
            *problems,
            (
                "land.carbon",
                "expected time.spinup.years of at least 1 or land.carbon_initial with "
                f"carbon: {land.carbon}, got neither",
                ("land.carbon", "land.carbon_initial", "time.spinup.years"),
            )
        ]

    def _check_flow_output(self) -> list[Problem]:
        """Return the variables that this mode of the subsurface does not compute."""
        path, mode, names = "output.variables", "subsurface.mode", self.history_variables
        if self.is_coupled:
            return [(f"output.{one}", "'subsurface_runoff' needs subsurface.mode: column; here ground water flows "
                     "between cells, see overland_outflow and balance.nc", (f"output.{one}", mode))
                    for one in ("variables", "members") if "subsurface_runoff" in getattr(self.output, one)
                    and self.output.changes(one)]
        if self.is_distributed:
            return [(path, f"expected variables of the distributed subsurface ({', '.join(FLOW_VARIABLES)}), got "
                     f"'{name}'", (path, mode)) for name in names if name not in FLOW_VARIABLES]
        return [(f"output.{one}", f"'{name}' needs subsurface.mode: distributed", (f"output.{one}", mode))
                for one in ("variables", "members") for name in getattr(self.output, one)
                if name in ONLY_FLOW_VARIABLES]

    def _check_parameter_output(self) -> list[Problem]:
        """Parameters are written where members differ in them."""
        perturb = self.ensemble.perturb
        follow = RETENTION_PARAMETERS[self.subsurface.retention] if perturb.pedotransfer else ()
        known = {*perturb.parameters, *follow}
        return [(f"output.{one}", f"expected variables that change in time, or parameters under "
                 f"ensemble.perturb.parameters, got the parameter '{name}'", (f"output.{one}",))
                for one in ("variables", "members") for name in getattr(self.output, one)
                if variable(name).role == "parameter" and name not in known]

    def _check_parameters_file(self) -> list[Problem]:
        """Parameters of members from a file are those of columns."""
        if self.ensemble.parameters_file is None or not self.is_distributed:
            return []
        return [("ensemble.parameters_file", "expected none with subsurface.mode: distributed; use "
                 "ensemble.perturb.parameters", ("ensemble.parameters_file", "subsurface.mode"))]

    def _check_filter(self) -> list[Problem]:
        problems: list[Problem] = []
        keys = ("ensemble.size", "assimilation.filter")
        if self.assimilation.filter != "none":
            if self.ensemble.size < 2:
                problems.append(
                    (
                        "ensemble.size",
                        f"expected at least 2 members with assimilation.filter: "
                        f"{self.assimilation.filter}, got {self.ensemble.size}",
                        keys,
                    )
                )
            if not self.observations:
                problems.append(
                    (
                        "assimilation.filter",
                        "expected at least one entry of observations with a filter, got none",
                        ("observations", "assimilation.filter"),
                    )
                )
        names = [entry.name for entry in self.observations]
        problems += [
            (f"observations.{place}.name", f"expected a unique name, got '{name}' again", (f"observations.{place}",))
            for place, name in enumerate(names)
            if name in names[:place]
        ]
        bottom = None if isinstance(self.domain.layers, str) else math.fsum(self.domain.layers)
        for place, entry in enumerate(self.observations):
            if bottom is not None and entry.sensed[1] > bottom:
                problems.append(
                    (
                        f"observations.{place}.depth",
                        f"expected depths within the soil layers (to {bottom:g} m), got {entry.depth}",
                        (f"observations.{place}.depth", "domain.layers"),
                    )
                )
        return problems

    def _check_intervals(self) -> list[Problem]:
        step = self.time.step
        durations = [
            ("output.every", self.output.every),
            ("output.restart_every", self.output.restart_every),
            ("assimilation.every", self.assimilation.every),
        ]
        if self.assimilation.incremental is not None:
            durations.append(("assimilation.incremental.window", self.assimilation.incremental.window))
        durations += [(f"observations.{place}.every", entry.every) for place, entry in enumerate(self.observations)]
        durations += [(f"observations.{place}.twin.first", entry.twin.first)
                      for place, entry in enumerate(self.observations)
                      if entry.twin is not None and entry.twin.first > 0]
        return [
            (path, f"expected a whole number of steps of {step:g} s, got {value:g} s", (path, "time.step"))
            for path, value in durations
            if value is not None and not whole_steps(value, step)
        ]

    def _check_rivers(self) -> list[Problem]:
        """Rivers need a grid, and a routing step that fits the run."""
        rivers, problems = self.rivers, list[Problem]()
        if rivers.scheme == "none":
            return [
                (f"output.{name}", f"expected a rivers.scheme (linear or kinematic) with '{one}', got none",
                 (f"output.{name}", "rivers.scheme"))
                for name in ("variables", "members")
                for one in getattr(self.output, name)
                if one in RIVER_VARIABLES
            ]
        if self.domain.type == "site":
            problems.append(
                (
                    "rivers.scheme",
                    f"expected none with domain.type: site, got {rivers.scheme}; rivers need neighbours: use type grid "
                    "or file",
                    ("rivers.scheme", "domain.type"),
                )
            )
        step, model_step = self.river_step, self.time.step
        length = (self.time.end - self.time.start).total_seconds()
        wholes = [
            ("rivers.step", step, model_step, "time.step"),
            ("output.every", self.output.every, step, "rivers.step"),
            ("time.end", length, step, "rivers.step"),
        ]
        return problems + [
            (path, f"expected a whole number of {other}, {one:g} s, got {value:g} s", (path, other, "time.step"))
            for path, value, one, other in wholes
            if not whole_steps(value, one)
        ]

    @property
    def river_step(self) -> float:
        """Routing step [s]."""
        return self.rivers.step or self.time.step
