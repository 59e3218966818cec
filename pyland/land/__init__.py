"""Vegetation, surface energy and soil heat: the land columns alone, and each process as a function."""

from pyland.land.canopy_processes import (
    bare_ground_fluxes,
    canopy_fluxes,
    leaf_photosynthesis,
    root_distribution,
    stability_profiles,
    water_stress,
)
from pyland.land.carbon import (
    PlantRespiration,
    compute_decomposition_factor,
    compute_pool_respiration,
    compute_tissue_nitrogen,
    find_equilibrium_pools,
    plant_respiration,
    step_soil_carbon,
)
from pyland.land.irrigation import Irrigation, PatchIrrigation, irrigate_soil, irrigation_hours
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
    "Irrigation",
    "LandModel",
    "PatchIrrigation",
    "PatchRadiation",
    "PlantRespiration",
    "SoilSurface",
    "SoilTemperatureStep",
    "bare_ground_fluxes",
    "canopy_fluxes",
    "compute_decomposition_factor",
    "compute_patch_radiation",
    "compute_pool_respiration",
    "compute_soil_albedo",
    "compute_soil_surface",
    "compute_soil_thermal_properties",
    "compute_tissue_nitrogen",
    "compute_two_stream",
    "derive_weather",
    "find_equilibrium_pools",
    "intercept_rain",
    "irrigate_soil",
    "irrigation_hours",
    "leaf_photosynthesis",
    "plant_parameters",
    "plant_respiration",
    "plant_type_names",
    "root_distribution",
    "soil_colour_albedo",
    "stability_profiles",
    "step_ground_heat",
    "step_soil_carbon",
    "step_soil_temperature",
    "water_stress",
]
