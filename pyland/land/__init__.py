"""Vegetation, surface energy and soil heat: the land columns alone, and each process as a function."""

from pyland.land.canopy_processes import (
    bare_ground_fluxes,
    canopy_fluxes,
    leaf_photosynthesis,
    root_distribution,
    stability_profiles,
    water_stress,
)
from pyland.land.lake_model import LakeModel, lake_layers, light_extinction
from pyland.land.land_model import LandModel
from pyland.land.plant_types import plant_parameters, plant_type_names, soil_colour_albedo
from pyland.land.soil_heat import (
    GroundHeatStep,
    SoilTemperatureStep,
    compute_soil_thermal_properties,
    step_ground_heat,
    step_soil_temperature,
)
from pyland.land.surface_processes import (
    CanopyLight,
    DerivedWeather,
    Interception,
    PatchRadiation,
    SoilSurface,
    compute_patch_radiation,
    compute_soil_albedo,
    compute_soil_surface,
    compute_two_stream,
    derive_weather,
    intercept_rain,
)

__all__ = [
    "CanopyLight",
    "DerivedWeather",
    "GroundHeatStep",
    "Interception",
    "LakeModel",
    "LandModel",
    "PatchRadiation",
    "SoilSurface",
    "SoilTemperatureStep",
    "bare_ground_fluxes",
    "canopy_fluxes",
    "compute_patch_radiation",
    "compute_soil_albedo",
    "compute_soil_surface",
    "compute_soil_thermal_properties",
    "compute_two_stream",
    "derive_weather",
    "intercept_rain",
    "lake_layers",
    "leaf_photosynthesis",
    "light_extinction",
    "plant_parameters",
    "plant_type_names",
    "root_distribution",
    "soil_colour_albedo",
    "stability_profiles",
    "step_ground_heat",
    "step_soil_temperature",
    "water_stress",
]
