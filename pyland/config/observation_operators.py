"""Key ``operator`` of an entry of ``observations``: how the sensor looks at the model."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from pyland.config.fields import Problem, Section, key

UNITS = MappingProxyType({
    "soil_moisture": "m3 m-3", "groundwater": "m", "crns": "h-1", "brightness_temperature": "K", "backscatter": "dB",
    "lst": "K", "snow_cover": "1", "snow_water": "kg m-2", "snow_depth": "m", "lai": "1",
    "sif": "W m-2 um-1 sr-1", "tws": "kg m-2", "discharge": "m3 s-1",
})
"""Unit of each type of observation."""

AVAILABLE = ("soil_moisture", "groundwater", "lst", "snow_cover", "snow_water", "snow_depth", "lai", "sif", "tws",
             "discharge")
"""Types with an operator."""

LATER = tuple(one for one in UNITS if one not in AVAILABLE)

LARGEST_ERROR = MappingProxyType({
    "soil_moisture": 1.0, "groundwater": 100.0, "crns": 1e5, "brightness_temperature": 100.0, "backscatter": 20.0,
    "lst": 50.0, "snow_cover": 1.0, "snow_water": 2000.0, "snow_depth": 20.0, "lai": 10.0, "sif": 20.0, "tws": 2000.0,
    "discharge": 1e6,
})
"""Largest error that is not taken for a mistake [unit of the type]."""

WITH_OWN_ERROR = ("soil_moisture", "groundwater")
"""Types for which the default of `error` stands."""

DEFAULTS: Mapping[str, Mapping[str, Any]] = MappingProxyType({
    "lst": {"method": "model", "emissivity": 1.0, "incidence_angle": 0.0},
    "snow_cover": {"method": "model", "ground_roughness": 0.01, "fresh_density": 100.0, "melt_exponent": 1.6,
                   "range": [0.05, 0.95]},
    "sif": {"sif_yield": 2.434e7},
    "tws": {"baseline_start": None, "baseline_end": None},
})
"""Options of each type and their defaults; None: see the key."""

METHODS = MappingProxyType({"lst": ("model", "two_source"), "snow_cover": ("model", "niu_yang")})

_NEEDS = MappingProxyType({
    "emissivity": ("method", "model"), "incidence_angle": ("method", "two_source"),
    "ground_roughness": ("method", "niu_yang"), "fresh_density": ("method", "niu_yang"),
    "melt_exponent": ("method", "niu_yang"),
})
"""Value of another option that an option of lst or snow_cover needs to have a meaning."""


class OperatorSection(Section):
    """How the sensor looks; each type of observation has its own keys."""

    method: str | None = key(
        None, "lst: radiative temperature of the model, or two_source, leaves and ground side by side; snow_cover: "
        "that of the model, or niu_yang from depth and density; null is model",
        choices=("model", "two_source", "niu_yang"))
    emissivity: float | None = key(
        None, "lst with method: model: emissivity with which the product was made; null is 1", unit="1", above=0,
        at_most=1)
    incidence_angle: float | None = key(
        None, "lst with method: two_source: angle from the zenith at which the sensor looks; null is 0", unit="degree",
        at_least=0, below=90)
    ground_roughness: float | None = key(
        None, "snow_cover with method: niu_yang: roughness length of the ground; null is 0.01 m", unit="m", above=0)
    fresh_density: float | None = key(
        None, "snow_cover with method: niu_yang: density of new snow; null is 100 kg m-3", unit="kg m-3", above=0)
    melt_exponent: float | None = key(
        None, "snow_cover with method: niu_yang: how cover falls with density; null is 1.6", unit="1", above=0)
    range: list[float] | None = key(
        None, "snow_cover: used where observation and ensemble mean lie between these; null is [0.05, 0.95]", unit="1",
        kind="numbers", length=2, at_least=0, at_most=1)
    sif_yield: float | None = key(
        None, "sif: fluorescence per gross primary production; null is 2.434e7, at 740 nm (Guanter et al. 2014)",
        unit="W m-2 um-1 sr-1 / (kg m-2 s-1)", above=0)
    baseline_start: datetime | None = key(
        None, "tws: start of the period whose mean in the open loop is taken off, that of the product", kind="time")
    baseline_end: datetime | None = key(None, "tws: its end", kind="time")

    def settings(self, observation_type: str) -> dict[str, Any]:
        """Return the options of an operator by name, with defaults; those of null are left out."""
        out = {}
        for name, default in DEFAULTS.get(observation_type, {}).items():
            given = getattr(self, name)
            value = default if given is None else given
            if value is not None:
                out[name] = value.isoformat() if isinstance(value, datetime) else value
        return out

    def problems(self, observation_type: str) -> list[Problem]:
        """Return which keys do not belong to a type, or to the method, and which lack another."""
        known, found = DEFAULTS.get(observation_type, {}), list[Problem]()
        given = [one for one in self.model_fields_set if getattr(self, one) is not None]
        for one in sorted(given):
            if one not in known:
                owners = [kind for kind, options in DEFAULTS.items() if one in options]
                found.append((f"operator.{one}", f"expected no {one} with type: {observation_type}; it belongs to "
                              f"{', '.join(owners)}", (f"operator.{one}", "type")))
        if found:
            return found
        options = self.settings(observation_type)
        method = options.get("method")
        if method is not None and method not in METHODS[observation_type]:
            found.append(("operator.method", f"expected {' or '.join(METHODS[observation_type])} with type: "
                          f"{observation_type}, got {method}", ("operator.method", "type")))
        for one in sorted(given):
            need, value = _NEEDS.get(one, (None, None))
            if need is not None and options[need] != value:
                found.append((f"operator.{one}", f"expected {need}: {value} with {one}, got {options[need]}",
                              (f"operator.{one}", f"operator.{need}")))
        if "range" in options and not options["range"][0] < options["range"][1]:
            found.append(("operator.range", f"expected [least, largest], got {options['range']}", ("operator.range",)))
        ends = (self.baseline_start, self.baseline_end)
        if (ends[0] is None) != (ends[1] is None):
            found.append(("operator.baseline_end", "expected baseline_start and baseline_end together",
                          ("operator.baseline_start", "operator.baseline_end")))
        elif ends[0] is not None and not ends[0] < ends[1]:
            found.append(("operator.baseline_end", f"expected a time after baseline_start ({ends[0]}), got {ends[1]}",
                          ("operator.baseline_start", "operator.baseline_end")))
        return found
