"""What microwave sensors see of the land: brightness temperature at L-band, backscatter at C-band."""

from pyland.observe.microwave.atmosphere import atmosphere
from pyland.observe.microwave.backscatter import (
    C_BAND,
    RADAR_POLARISATIONS,
    decibel,
    linear,
    linear_soil,
    oh_1992,
    oh_2004,
    water_cloud,
)
from pyland.observe.microwave.calibration import EmissionCalibration, calibrate_emission
from pyland.observe.microwave.dielectric import (
    DIELECTRICS,
    FROZEN,
    L_BAND,
    smooth_reflectivity,
    soil_permittivity,
)
from pyland.observe.microwave.freeze_thaw import (
    change_detection,
    is_frozen,
    seasonal_reference,
    thaw_share,
    wet_snow,
)
from pyland.observe.microwave.incidence import IncidenceSlope, fit_incidence_slope
from pyland.observe.microwave.layered import layered_ground, layered_weights, profile_weights, thin_layers
from pyland.observe.microwave.operator import (
    BACKSCATTER_SETTINGS,
    EMISSION_SETTINGS,
    FLAG_SETTINGS,
    backscatter_columns,
    brightness_temperature_columns,
    surface_flags,
)
from pyland.observe.microwave.tau_omega import (
    EFFECTIVE,
    POLARISATIONS,
    brightness_above,
    brightness_temperature,
    optical_depth,
    vegetation_water,
)

__all__ = [
    "BACKSCATTER_SETTINGS",
    "C_BAND",
    "DIELECTRICS",
    "EFFECTIVE",
    "EMISSION_SETTINGS",
    "EmissionCalibration",
    "FLAG_SETTINGS",
    "FROZEN",
    "IncidenceSlope",
    "L_BAND",
    "POLARISATIONS",
    "RADAR_POLARISATIONS",
    "atmosphere",
    "backscatter_columns",
    "brightness_above",
    "brightness_temperature",
    "brightness_temperature_columns",
    "calibrate_emission",
    "change_detection",
    "decibel",
    "fit_incidence_slope",
    "is_frozen",
    "layered_ground",
    "layered_weights",
    "linear",
    "linear_soil",
    "oh_1992",
    "oh_2004",
    "optical_depth",
    "profile_weights",
    "seasonal_reference",
    "smooth_reflectivity",
    "soil_permittivity",
    "surface_flags",
    "thaw_share",
    "thin_layers",
    "vegetation_water",
    "water_cloud",
    "wet_snow",
]
