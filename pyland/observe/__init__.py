"""Observations: reading, checking, rescaling, operators, twin experiments, innovations."""

from pyland.observe.innovations import AnalysisInput, InnovationStatistics, assemble
from pyland.observe.observation_files import read_observations, write_observations
from pyland.observe.observations import ObservationSet, sets_between
from pyland.observe.operators import operator_for
from pyland.observe.scaling import observed_climatology, rescale_mean, rescale_mean_std, rescale_sets
from pyland.observe.soil_moisture import (
    column_soil_moisture,
    combine_footprints,
    depth_weights,
    footprint_average,
    footprint_slots,
    limit_to_porosity,
    soil_moisture,
)
from pyland.observe.soil_moisture_files import read_soil_moisture
from pyland.observe.synthetic import make_observations
from pyland.observe.target_cells import TargetCells

__all__ = [
    "AnalysisInput",
    "InnovationStatistics",
    "ObservationSet",
    "TargetCells",
    "assemble",
    "column_soil_moisture",
    "combine_footprints",
    "depth_weights",
    "footprint_average",
    "footprint_slots",
    "limit_to_porosity",
    "make_observations",
    "observed_climatology",
    "operator_for",
    "read_observations",
    "read_soil_moisture",
    "rescale_mean",
    "rescale_mean_std",
    "rescale_sets",
    "sets_between",
    "soil_moisture",
    "write_observations",
]
