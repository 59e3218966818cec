"""Cosmic-ray neutron sensing: COSMIC, hydrogen, corrections, conversions, weights of soil, calibration."""

from pyland.observe.neutrons.calibration import (
    Cores,
    FieldMean,
    Scale,
    cosmic_of_cores,
    field_mean,
    fit_scale,
    n0_response,
)
from pyland.observe.neutrons.conversion import n0_counts, n0_moisture, uts_counts, uts_moisture
from pyland.observe.neutrons.corrections import (
    absolute_humidity,
    biomass_factor,
    humidity_factor,
    incoming_factor,
    pressure_factor,
)
from pyland.observe.neutrons.cosmic import Neutrons, cosmic, site_parameters
from pyland.observe.neutrons.hydrogen import biomass_water, lattice_water, organic_water, water_above
from pyland.observe.neutrons.operator import crns_columns
from pyland.observe.neutrons.weighting import horizontal_weight, scaled_distance, sensing_depth, vertical_weight

__all__ = [
    "Cores",
    "FieldMean",
    "Neutrons",
    "Scale",
    "absolute_humidity",
    "biomass_factor",
    "biomass_water",
    "cosmic",
    "cosmic_of_cores",
    "crns_columns",
    "field_mean",
    "fit_scale",
    "horizontal_weight",
    "humidity_factor",
    "incoming_factor",
    "lattice_water",
    "n0_counts",
    "n0_moisture",
    "n0_response",
    "organic_water",
    "pressure_factor",
    "scaled_distance",
    "sensing_depth",
    "site_parameters",
    "uts_counts",
    "uts_moisture",
    "vertical_weight",
    "water_above",
]
