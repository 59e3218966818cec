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

LARGEST_ERROR = MappingProxyType({
    "soil_moisture": 1.0, "groundwater": 100.0, "crns": 1e5, "brightness_temperature": 100.0, "backscatter": 20.0,
    "lst": 50.0, "snow_cover": 1.0, "snow_water": 2000.0, "snow_depth": 20.0, "lai": 10.0, "sif": 20.0, "tws": 2000.0,
    "discharge": 1e6,
})
"""Largest error that is not taken for a mistake [unit of the type]."""

WITH_OWN_ERROR = ("soil_moisture", "groundwater")
"""Types for which the default of `error` stands."""

MICROWAVE = ("brightness_temperature", "backscatter")
"""Types that see water of the surface only where it is not frozen and no snow lies."""

_ALIKE = ("incidence_angle", "polarisation", "frequency", "dielectric", "frozen", "leaf_water")
_EMISSION = ("ground", "effective_temperature", "roughness", "roughness_wet", "roughness_dry_below",
             "roughness_wet_above", "roughness_power_h", "roughness_power_v", "polarisation_mixing", "albedo",
             "vegetation_b", "optical_depth", "open_water", "sky_temperature", "atmosphere")
_RADAR = ("soil", "rms_height", "soil_dry", "soil_slope", "volume", "attenuation", "vegetation")

DEFAULTS: Mapping[str, Mapping[str, Any]] = MappingProxyType({
    "brightness_temperature": dict.fromkeys((*_ALIKE, *_EMISSION)),
    "backscatter": dict.fromkeys((*_ALIKE, *_RADAR)),
    "crns": {"n": None, "alpha": None, "soil_length": None, "relation": "shuttleworth2013", "bulk_density": None,
             "lattice_water": None, "lattice_relation": "mhm", "organic_water": None, "biomass_water": 0.0,
             "extent": 3.0, "angles": "exact"},
    "lst": {"method": "model", "emissivity": 1.0, "incidence_angle": 0.0},
    "snow_cover": {"method": "model", "ground_roughness": 0.01, "fresh_density": 100.0, "melt_exponent": 1.6,
                   "range": [0.05, 0.95]},
    "sif": {"sif_yield": 2.434e7},
    "discharge": {"snap": 0.0},
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
    n: float | None = key(
        None, "crns: N of COSMIC for the probe, found by calibration (docs/guide/crns.md); needed", unit="h-1", above=0)
    alpha: float | None = key(
        None, "crns: neutrons made by soil relative to water; null is that of its bulk density", unit="1", above=0)
    soil_length: float | None = key(
        None, "crns: mass of soil that a fast neutron passes, L3; null is that of its bulk density", unit="kg m-2",
        above=0)
    relation: str | None = key(
        None, "crns: alpha and L3 from bulk density; null is shuttleworth2013", choices=("shuttleworth2013", "mhm"))
    bulk_density: float | None = key(
        None, "crns: dry bulk density; null is that of the soil by its porosity", unit="kg m-3", above=0)
    lattice_water: float | None = key(
        None, "crns: water bound in minerals; null is that of clay", unit="m3 m-3", at_least=0, at_most=1)
    lattice_relation: str | None = key(
        None, "crns: lattice water from clay; null is mhm", choices=("mhm", "avery2016"))
    organic_water: float | None = key(
        None, "crns: hydrogen of organic matter as water; null is that of the soil", unit="m3 m-3", at_least=0,
        at_most=1)
    biomass_water: float | None = key(
        None, "crns: water equivalent of plants, beside the water on leaves; null is 0", unit="kg m-2", at_least=0)
    extent: float | None = key(None, "crns: depth to which neutrons are counted; null is 3 m", unit="m", above=0)
    angles: str | None = key(
        None, "crns: integral over the ways of neutrons, or the sum of the original code, to which N may belong; null "
        "is exact", choices=("exact", "half_degree"))
    emissivity: float | None = key(
        None, "lst with method: model: emissivity with which the product was made; null is 1", unit="1", above=0,
        at_most=1)
    incidence_angle: float | None = key(
        None, "angle from the zenith at which the sensor looks, where the product does not say it; null is 40 degrees, "
        "0 for lst with method: two_source", unit="degree", at_least=0, below=90)
    polarisation: str | None = key(
        None, "brightness_temperature: H or V, null is H; backscatter: VV, HH or VH, null is VV; that of a product "
        "goes before", choices=("H", "V", "VV", "HH", "VH"))
    frequency: float | None = key(
        None, "of microwaves; null is 1.41 GHz for brightness_temperature, 5.255 GHz for backscatter", unit="Hz",
        at_least=3e8, at_most=2e10)
    dielectric: str | None = key(
        None, "microwaves: permittivity of moist soil; null is mironov2009", choices=(
            "mironov2009", "mironov2013", "wang_schmugge1980", "dobson1985", "peplinski1995", "refractive"))
    frozen: str | None = key(
        None, "microwaves: permittivity of frozen soil; null is practical", choices=("none", "practical",
                                                                                    "mironov2017"))
    leaf_water: float | None = key(
        None, "microwaves: water of leaves per leaf area; null is 0.5", unit="kg m-2", at_least=0)
    ground: str | None = key(
        None, "brightness_temperature: soil of one permittivity, or the waves of its layers; null is homogeneous",
        choices=("homogeneous", "layered"))
    effective_temperature: str | None = key(
        None, "brightness_temperature: temperature with which soil emits; null is wigneron",
        choices=("surface", "wigneron", "choudhury"))
    roughness: float | None = key(
        None, "brightness_temperature: h of dry ground; null is 0.15", unit="1", at_least=0, at_most=5)
    roughness_wet: float | None = key(
        None, "brightness_temperature: h of wet ground; null is that of dry", unit="1", at_least=0, at_most=5)
    roughness_dry_below: float | None = key(
        None, "brightness_temperature: water content below which ground is dry to h; null is 0.05", unit="m3 m-3",
        at_least=0, at_most=1)
    roughness_wet_above: float | None = key(
        None, "brightness_temperature: water content above which it is wet; null is 0.45", unit="m3 m-3", at_least=0,
        at_most=1)
    roughness_power_h: float | None = key(
        None, "brightness_temperature: power of the cosine of the angle with h, H; null is 2", unit="1", at_least=-5,
        at_most=5)
    roughness_power_v: float | None = key(
        None, "brightness_temperature: the same, V; null is 2", unit="1", at_least=-5, at_most=5)
    polarisation_mixing: float | None = key(
        None, "brightness_temperature: Q; null is 0", unit="1", at_least=0, at_most=1)
    albedo: float | None = key(
        None, "brightness_temperature: single-scattering albedo of vegetation; null is 0.05", unit="1", at_least=0,
        below=1)
    vegetation_b: float | None = key(
        None, "brightness_temperature: optical depth per water of vegetation, b; null is 0.15", unit="m2 kg-1",
        at_least=0)
    optical_depth: float | None = key(
        None, "brightness_temperature: optical depth of vegetation at nadir instead of that of its leaves", unit="1",
        at_least=0)
    open_water: float | None = key(
        None, "brightness_temperature: share of open water; null is 0", unit="1", at_least=0, at_most=1)
    sky_temperature: float | None = key(
        None, "brightness_temperature: of the sky; null is 0 K", unit="K", at_least=0)
    atmosphere: str | None = key(
        None, "brightness_temperature: at the ground, or through the atmosphere of Pellarin et al. (2003) where a "
        "product keeps it; null is none", choices=("none", "pellarin2003"))
    soil: str | None = key(
        None, "backscatter: model of bare soil; null is oh1992", choices=("oh1992", "oh2004", "linear"))
    rms_height: float | None = key(
        None, "backscatter: roughness of the ground; null is 1 cm", unit="m", above=0, at_most=0.2)
    soil_dry: float | None = key(
        None, "backscatter with soil: linear: of dry soil", unit="dB", at_least=-60, at_most=10)
    soil_slope: float | None = key(
        None, "backscatter with soil: linear: more for 1 m3 m-3 of water, in dB", unit="1", at_least=0, at_most=200)
    volume: float | None = key(
        None, "backscatter: A of the water cloud; null with attenuation: no vegetation", unit="1", at_least=0)
    attenuation: float | None = key(None, "backscatter: B of the water cloud", unit="1", at_least=0)
    vegetation: str | None = key(
        None, "backscatter: what the water cloud holds; null is leaf_area_index",
        choices=("leaf_area_index", "vegetation_water"))
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
    snap: float | None = key(
        None, "discharge: a gauge sees the cell with the largest upstream area within this distance; null is 0, its "
        "own cell", unit="m", at_least=0)
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
        if observation_type == "crns":
            found += self._crns_problems(options)
        if observation_type in MICROWAVE:
            found += self._microwave_problems(observation_type, options)
        method = options.get("method")
        if method is not None and method not in METHODS[observation_type]:
            found.append(("operator.method", f"expected {' or '.join(METHODS[observation_type])} with type: "
                          f"{observation_type}, got {method}", ("operator.method", "type")))
        for one in sorted(given):
            need, value = _NEEDS.get(one, (None, None))
            if need in options and options[need] != value:
                found.append((f"operator.{one}", f"expected {need}: {value} with {one}, got {options[need]}",
                              (f"operator.{one}", f"operator.{need}")))
        if "range" in options and not options["range"][0] < options["range"][1]:
            found.append(("operator.range", f"expected [least, largest], got {options['range']}", ("operator.range",)))
        return found + self._baseline_problems()

    @staticmethod
    def _crns_problems(options: Mapping[str, Any]) -> list[Problem]:
        """Return what is wrong with the options of crns."""
        found = list[Problem]()
        if "n" not in options:
            found.append(("operator.n", "expected N of COSMIC for the probe with type: crns, got nothing; find it by "
                          "calibration, see docs/guide/crns.md", ("operator", "type")))
        if "lattice_water" in options and options["lattice_relation"] != "mhm":
            found.append(("operator.lattice_relation", "expected lattice_water or lattice_relation, got both",
                          ("operator.lattice_water", "operator.lattice_relation")))
        return found

    @staticmethod
    def _microwave_problems(observation_type: str, options: Mapping[str, Any]) -> list[Problem]:
        """Return what is wrong with the options of a microwave sensor."""
        found = list[Problem]()
        known = ("H", "V") if observation_type == "brightness_temperature" else ("VV", "HH", "VH")
        if options.get("polarisation", known[0]) not in known:
            found.append(("operator.polarisation", f"expected {' or '.join(known)} with type: {observation_type}, got "
                          f"{options['polarisation']}", ("operator.polarisation", "type")))
        if ("volume" in options) != ("attenuation" in options):
            found.append(("operator.attenuation", "expected volume and attenuation, A and B of the water cloud, "
                          "together", ("operator.volume", "operator.attenuation")))
        linear = options.get("soil") == "linear"
        found += [(f"operator.{one}", f"expected {'a number' if linear else 'none'} with soil: "
                   f"{options.get('soil', 'oh1992')}", (f"operator.{one}", "operator.soil"))
                  for one in ("soil_dry", "soil_slope") if (one in options) != linear]
        if options.get("atmosphere", "none") != "none" and "sky_temperature" in options:
            found.append(("operator.sky_temperature", "expected no sky_temperature with atmosphere, which gives it",
                          ("operator.sky_temperature", "operator.atmosphere")))
        if "optical_depth" in options:
            found += [(f"operator.{one}", f"expected no {one} with optical_depth, which stands for it",
                       (f"operator.{one}", "operator.optical_depth"))
                      for one in ("vegetation_b", "leaf_water") if one in options]
        return found

    def _baseline_problems(self) -> list[Problem]:
        """Return what is wrong with the baseline of tws."""
        found = list[Problem]()
        ends = (self.baseline_start, self.baseline_end)
        if (ends[0] is None) != (ends[1] is None):
            found.append(("operator.baseline_end", "expected baseline_start and baseline_end together",
                          ("operator.baseline_start", "operator.baseline_end")))
        elif ends[0] is not None and not ends[0] < ends[1]:
            found.append(("operator.baseline_end", f"expected a time after baseline_start ({ends[0]}), got {ends[1]}",
                          ("operator.baseline_start", "operator.baseline_end")))
        return found
