"""Cases whose filter changes more than water."""

from __future__ import annotations

from hillslopes import HILLSLOPE

from cases import TWIN, changed

FACTOR = {"kind": "multiply_lognormal", "std": 0.2}

WINTER = changed(TWIN, {
    "time.start": "2020-01-10", "time.end": "2020-01-12",
    "domain.latitude": 61.0, "forcing.generator": {"climate": "cold", "seed": 3},
    "land": {"initial": {"soil_temperature": 272.8}},
    "time.spinup": {"years": 1, "start": "2020-01-04", "end": "2020-01-10"},
    "ensemble.perturb.initial.soil_temperature": {"kind": "add_normal", "std": 0.8},
    "ensemble.perturb.parameters": {
        "saturated_conductivity": FACTOR | {"std": 0.5, "length_scale": "2 km"}, "porosity": FACTOR | {"std": 0.05},
        "van_genuchten_n": FACTOR | {"std": 0.05}, "vcmax25_top": FACTOR, "leaf_area_index": FACTOR},
    "observations.0.quality": {"max_innovation": None}, "observations.0.error": 0.01,
    "observations.0.depth": [0, "50 cm"],
    "assimilation.update": [
        {"variable": "soil_water", "transform": "logit"}, {"variable": "soil_temperature", "max_depth": "2 m"},
        {"variable": "snow_mass", "damping": 0.5}, {"variable": "canopy_snow", "transform": "anamorphosis"},
        "surface_water", "canopy_water", {"variable": "growth_temperature", "every": "24 h"}],
    "assimilation.parameters": {
        "saturated_conductivity": {}, "porosity": {"damping": 0.5}, "van_genuchten_n": {"layers": "separate"},
        "vcmax25_top": {"minimum": 1.0}, "leaf_area_index": {"every": "24 h"}},
    "output.variables": ["soil_water", "soil_ice", "snow_mass", "saturated_conductivity", "vcmax25_top",
                         "leaf_area_index"],
    "output.members": ["soil_water", "porosity"],
})
"""Two days of snow and frost; seven states and five parameters follow soil moisture."""

TEXTURE = changed(TWIN, {
    "time.end": "2020-05-02", "assimilation.open_loop": False,
    "ensemble.perturb.pedotransfer": True,
    "ensemble.perturb.parameters": {"sand": {"kind": "add_normal", "std": 12.0},
                                    "clay": {"kind": "add_normal", "std": 12.0}},
    "assimilation.parameters": {"sand": {}, "clay": {"damping": 0.5}},
    "output.variables": ["soil_water", "sand", "clay", "saturated_conductivity", "porosity"],
    "output.members": ["sand", "clay", "saturated_conductivity", "porosity"],
})
"""A day in which texture follows soil moisture, and hydraulic parameters follow texture."""

CONDUCTIVITY = changed(TWIN, {
    "time.start": "2020-04-01", "time.end": "2020-05-01", "ensemble.size": 20,
    "ensemble.perturb.initial": {},
    "ensemble.perturb.forcing": {"precipitation": {"std": 0.2}, "time_scale": "24 h"},
    "ensemble.perturb.parameters": {"saturated_conductivity": {"kind": "multiply_lognormal", "std": 1.5}},
    "observations": [
        {"name": f"probe_{place}", "type": "soil_moisture", "depth": depth, "error": 0.01, "every": "24 h",
         "twin": {"seed": 77}} for place, depth in enumerate(([0, 0.05], [0.2, 0.3], [0.6, 0.8]))],
    "assimilation": {"filter": "letkf", "update": ["soil_water"], "localization": {"radius": "500 m", "taper": "none"},
                     "parameters": {"saturated_conductivity": {"damping": 0.3}}},
    "output": {"every": "24 h", "variables": ["soil_water", "saturated_conductivity"],
               "members": ["saturated_conductivity"]},
})
"""A month in six columns whose conductivity at saturation is not known."""

GROUND = changed(HILLSLOPE, {
    "ensemble.perturb.parameters": {
        "saturated_conductivity": FACTOR | {"std": 1.0, "length_scale": "100 m"}, "vcmax25_top": FACTOR,
        "leaf_area_index": FACTOR},
    "ensemble.perturb.initial.soil_temperature": {"kind": "add_normal", "std": 1.0},
    "land.initial": {"soil_temperature": 272.5},
    "assimilation.update": ["soil_water", "pressure_head", "soil_temperature", "snow_mass", "canopy_water"],
    "assimilation.parameters": {"saturated_conductivity": {"damping": 0.3}, "vcmax25_top": {}, "leaf_area_index": {}},
    "output.variables": ["soil_water", "pressure_head", "saturated_conductivity", "water_table_depth"],
    "output.members": ["saturated_conductivity"],
})
"""Frost over a slope whose members have their own conductivity and plants, seen by wells and a probe."""
