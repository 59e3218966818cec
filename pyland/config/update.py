"""What an analysis changes: entries of ``assimilation.update`` and ``assimilation.parameters``."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic import field_validator, model_validator

from pyland.base.text import one_of, shown, suggestion
from pyland.config.ensemble import PARAMETER_NAMES, PLANT_NAMES, TEXTURE_NAMES
from pyland.config.fields import Problem, Problems, Section, key
from pyland.config.other_names import meant_parameter
from pyland.config.time import whole_steps

if TYPE_CHECKING:
    from pyland.config.case import CaseConfig

LAYERED = ("soil_water", "pressure_head", "soil_temperature")
"""States on layers of the ground."""

UPDATES = (*LAYERED, "snow_mass", "surface_water", "canopy_water", "canopy_snow", "growth_temperature")
"""States that an analysis can change so that water, heat and all that follows from them stay consistent."""

REFUSED = MappingProxyType({
    **dict.fromkeys(("soil_ice", "soil_ice_total"), "it follows from heat and water; update soil_temperature"),
    **dict.fromkeys(("snow_ice", "snow_liquid", "snow_layer_thickness", "snow_depth", "snow_cover_fraction",
                     "snow_temperature", "snow_grain_radius", "snow_age", "snow_dust_age", "snow_mass_maximum"),
                    "layers of snow are not the same in all members; update snow_mass, which scales them"),
    **dict.fromkeys(("saturation", "soil_water_total"), "it follows from soil_water; update soil_water"),
    **dict.fromkeys(("water_table_depth", "surface_water_depth"),
                    "it follows from pressure heads; update pressure_head, with subsurface.mode: distributed"),
    **dict.fromkeys(("leaf_temperature", "ground_temperature", "radiative_temperature"),
                    "it is found anew in each step and has no memory; update soil_temperature"),
    **dict.fromkeys(("plant_carbon", "carbon_pools", "vegetation_carbon", "litter_carbon", "soil_carbon"),
                    "the balance of carbon has no term for what an analysis adds"),
    **dict.fromkeys(("lake_temperature", "lake_ice_fraction", "lake_snow", "lake_surface_temperature",
                     "glacier_temperature", "glacier_ice", "urban_temperature", "wetland_soil_water",
                     "wetland_soil_temperature"), "only the soil of a cell can be updated"),
    **dict.fromkeys(PARAMETER_NAMES, "it is a parameter; name it under assimilation.parameters"),
})
"""Why other variables are not updated, by registry id."""

TRANSFORMS = ("none", "log", "logit", "anamorphosis")
MASKS = ("frozen", "snow", "saturated")
POSITIVE = ("soil_water", "growth_temperature", "soil_temperature")
"""States that are never 0, so that they have a logarithm."""

WITHOUT_LOGARITHM = (*TEXTURE_NAMES, "residual_water", "air_entry_head")
"""Parameters that may be 0 or negative."""


class UpdateSection(Section):
    """One state that the filter changes."""

    variable: str = key("soil_water", f"state by registry id: {one_of(UPDATES)}; an entry may be the name alone",
                        kind="text")
    transform: str = key(
        "none", "of the values before the filter, undone after it; logit lies between residual water and pores for "
        "soil_water, else between minimum and maximum", choices=TRANSFORMS)
    damping: float | None = key(
        None, "share of the increment that is applied; null takes assimilation.damping", unit="1", above=0, at_most=1)
    minimum: float | None = key(None, "lower bound of analysed values; null is that of the model", unit="1")
    maximum: float | None = key(None, "upper bound of analysed values; null is that of the model", unit="1")
    layers: int | None = key(None, "layers that are updated, from the top; null for all", kind="integer", at_least=1)
    max_depth: float | None = key(
        None, "update the layers whose middle is not deeper; null for all", unit="m", above=0)
    mask: list[str] = key(
        list, "where nothing is updated: frozen (layers with ice or below freezing in any member), snow (cells with "
        "snow in any member), saturated (layers saturated in any member)", factory=True)
    every: float | None = key(
        None, "time between updates, counted from the start; null updates at each analysis", unit="s", above=0)

    @field_validator("variable", mode="after")
    @classmethod
    def _known(cls, value: str) -> str:
        if value in REFUSED:
            raise ValueError(f"'{value}' cannot be updated: {REFUSED[value]}")
        if value not in UPDATES:
            raise ValueError(f"expected one of {one_of(UPDATES)}, got {shown(value)}{suggestion(value, UPDATES)}")
        return value

    @field_validator("mask", mode="before")
    @classmethod
    def _masks(cls, value: Any) -> Any:
        return _words(value, MASKS)

    @model_validator(mode="after")
    def _check(self) -> UpdateSection:
        name, problems = self.variable, list[Problem]()
        if name not in LAYERED:
            given = [one for one in ("layers", "max_depth") if getattr(self, one) is not None]
            given += ["mask"] * bool({"frozen", "saturated"} & set(self.mask))
            problems += [(one, f"expected none with {name}, which has no layers of the ground", (one, "variable"))
                         for one in given]
        if self.layers is not None and self.max_depth is not None:
            problems.append(("max_depth", "expected layers or max_depth, got both", ("layers", "max_depth")))
        if name == "snow_mass" and "snow" in self.mask:
            problems.append(("mask", "expected no snow with snow_mass, of which nothing would be left to update",
                             ("mask", "variable")))
        if self.transform == "log" and name not in POSITIVE:
            problems.append(("transform", f"expected none or anamorphosis with {name}, which may be 0 or negative, got "
                             "log", ("transform", "variable")))
        if self.transform == "logit" and name != "soil_water" and None in (self.minimum, self.maximum):
            problems.append(("transform", f"expected minimum and maximum with transform: logit of {name}",
                             ("transform", "minimum", "maximum")))
        if self.transform == "logit" and name == "soil_water" and (self.minimum, self.maximum) != (None, None):
            problems.append(("minimum", "expected no bounds with transform: logit of soil_water, which lies between "
                             "residual water and pores", ("transform", "minimum", "maximum")))
        problems += _order(self.minimum, self.maximum)
        if problems:
            raise Problems(problems)
        return self


class ParameterUpdateSection(Section):
    """One parameter that the filter changes."""

    transform: str | None = key(
        None, "as for states; logit between minimum and maximum; null is log where ensemble.perturb multiplies what is "
        "always positive, else none", choices=TRANSFORMS)
    damping: float | None = key(
        None, "share of the increment that is applied; null takes assimilation.damping", unit="1", above=0, at_most=1)
    minimum: float | None = key(None, "lower bound; null is that of ensemble.perturb, or of the variable", unit="1")
    maximum: float | None = key(None, "upper bound; null is that of ensemble.perturb, or of the variable", unit="1")
    layers: str = key(
        "shared", "whether all layers (or patches) of a cell get one increment, as ensemble.perturb gives them one "
        "number, or each its own", choices=("shared", "separate"))
    every: float | None = key(
        None, "time between updates, counted from the start; null updates at each analysis", unit="s", above=0)

    @model_validator(mode="after")
    def _check(self) -> ParameterUpdateSection:
        problems = _order(self.minimum, self.maximum)
        if self.transform == "logit" and None in (self.minimum, self.maximum):
            problems.append(("transform", "expected minimum and maximum with transform: logit",
                             ("transform", "minimum", "maximum")))
        if self.transform == "anamorphosis" and self.layers == "shared":
            problems.append(("transform", "expected layers: separate with transform: anamorphosis; layers have no "
                             "score in common", ("transform", "layers")))
        if problems:
            raise Problems(problems)
        return self


def read_updates(value: object) -> object:
    """Return ``assimilation.update`` as entries: a name alone is an entry with defaults.

    Raises
    ------
    ValueError
        If it is no list, an entry is neither name nor mapping, or a state comes twice.
    """
    entries = value if isinstance(value, list) else []
    if not entries:
        raise ValueError(f"expected a list of {one_of(UPDATES)}, or of entries with variable: one of them, got "
                         f"{shown(value)}")
    result, seen = [], set()
    for entry in entries:
        name = entry.get("variable") if isinstance(entry, dict) else getattr(entry, "variable", entry)
        if not isinstance(entry, (str, dict, UpdateSection)) or name is None:
            raise ValueError(f"expected a list of {one_of(UPDATES)}, or of entries with variable: one of them, got "
                             f"{shown(entry)}")
        if name in seen:
            raise ValueError(f"expected each state once, got '{name}' again")
        seen.add(name)
        result.append({"variable": entry} if isinstance(entry, str) else entry)
    return result


def read_parameters(value: object) -> object:
    """Return ``assimilation.parameters`` if it names parameters that an ensemble can perturb.

    Raises
    ------
    ValueError
        If a name is unknown.
    """
    for name in value if isinstance(value, dict) else ():
        if name not in PARAMETER_NAMES:
            raise ValueError(f"expected one of {one_of(PARAMETER_NAMES)}, got '{name}'"
                             f"{meant_parameter(str(name), PARAMETER_NAMES)}")
    return value


def update_problems(config: CaseConfig) -> list[Problem]:
    """Return what does not fit between what is updated and the rest of the case."""
    section, filtered = config.assimilation, "assimilation"
    names = section.updated
    problems: list[Problem] = []
    if "pressure_head" in names and not config.is_distributed:
        problems.append((f"{filtered}.update", "expected soil_water alone with subsurface.mode: column; pressure_head "
                         "belongs to mode: distributed", (f"{filtered}.update", "subsurface.mode")))
    if "surface_water" in names and config.is_distributed:
        problems.append((f"{filtered}.update", "expected no surface_water with subsurface.mode: distributed, where it "
                         "is the pressure head of the top layer", (f"{filtered}.update", "subsurface.mode")))
    if {"soil_water", "pressure_head"} <= set(names):
        both = [one for one in section.update if one.variable in LAYERED[:2]]
        if both[0].every != both[1].every:
            problems.append((f"{filtered}.update", "expected the same every for soil_water and pressure_head, which "
                             "are one vector", (f"{filtered}.update",)))
    for place, entry in enumerate(section.update):
        path = f"{filtered}.update.{place}"
        if entry.layers is not None and entry.layers > config.nlayer:
            problems.append((f"{path}.layers", f"expected at most {config.nlayer}, the soil layers, got {entry.layers}",
                             (f"{path}.layers", "domain.layers")))
        if config.is_distributed and entry.variable == "soil_temperature" and {"frozen", "saturated"} & set(entry.mask):
            problems.append((f"{path}.mask", "expected no frozen or saturated with soil_temperature and "
                             "subsurface.mode: distributed, where ice and water have other layers than heat",
                             (f"{path}.mask", "subsurface.mode")))
        problems += _interval(config, path, entry.every)
    for name, entry in section.parameters.items():
        problems += _interval(config, f"{filtered}.parameters.{name}", entry.every)
        problems += _parameter_problems(config, name, entry)
    return problems


def _interval(config: CaseConfig, path: str, every: float | None) -> list[Problem]:
    """Return what is wrong with an update interval: analyses must fall on it."""
    step = config.assimilation.every or config.time.step
    if every is None or whole_steps(every, step):
        return []
    return [(f"{path}.every", f"expected a whole number of assimilation.every (else of steps), {step:g} s, got "
             f"{every:g} s", (f"{path}.every", "assimilation.every", "time.step"))]


def _parameter_problems(config: CaseConfig, name: str, entry: ParameterUpdateSection) -> list[Problem]:
    """Return why a parameter cannot be updated."""
    path, perturb = f"assimilation.parameters.{name}", config.ensemble.perturb
    perturbed = f"ensemble.perturb.parameters.{name}"
    noise = perturb.parameters.get(name)
    problems: list[Problem] = []
    if noise is None or noise.std == 0.0:
        problems.append((path, f"expected a parameter in which members differ: give {perturbed} with std above 0",
                         (path, perturbed)))
        return problems
    of_members = ("saturated_conductivity", *PLANT_NAMES)
    if config.is_distributed and name not in of_members:
        problems.append((path, f"expected one of {one_of(of_members)} with subsurface.mode: distributed, got '{name}'; "
                         "members share all else of the ground", (path, "subsurface.mode")))
    if name in TEXTURE_NAMES and not perturb.pedotransfer and not config.is_distributed:
        problems.append((path, "expected ensemble.perturb.pedotransfer: true with texture, so that hydraulic "
                         "parameters follow it from the start", (path, "ensemble.perturb.pedotransfer")))
    if entry.layers == "separate" and name == "leaf_area_index":
        problems.append((f"{path}.layers", "expected shared with leaf_area_index, which has one factor per cell",
                         (f"{path}.layers",)))
    if entry.transform == "log" and name in WITHOUT_LOGARITHM:
        problems.append((f"{path}.transform", f"expected none, logit or anamorphosis with {name}, which may be 0 or "
                         "negative, got log", (f"{path}.transform",)))
    return problems


def transform_of(config: CaseConfig, name: str) -> str:
    """Return the transform of a parameter: as given, or log where its noise is a factor and it is always positive."""
    given = config.assimilation.parameters[name].transform
    if given is not None:
        return given
    is_factor = config.ensemble.perturb.parameters[name].kind == "multiply_lognormal"
    return "log" if is_factor and name not in WITHOUT_LOGARITHM else "none"


def _words(value: Any, known: tuple[str, ...]) -> Any:
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, (list, tuple)) or not set(map(str, words)) <= set(known):
        raise ValueError(f"expected a list of {one_of(known)}, got {shown(value)}")
    return list(dict.fromkeys(words))


def _order(low: float | None, high: float | None) -> list[Problem]:
    if low is None or high is None or low < high:
        return []
    return [("maximum", f"expected a number above minimum ({low:g}), got {high:g}", ("minimum", "maximum"))]
