"""Observations: reading, checking, rescaling, operators, twin experiments, innovations."""

from pyland.observe.groundwater import column_water_table
from pyland.observe.innovations import AnalysisInput, InnovationStatistics, assemble
from pyland.observe.measurement_files import error_of, read_measurements
from pyland.observe.observation_files import read_observations, write_observations
from pyland.observe.observation_table import ObservationTable, join_tables, read_table, write_table
from pyland.observe.observations import ObservationSet, Setting, sets_between
from pyland.observe.operators import Operator, Scene, operator_for, scene_of
from pyland.observe.product_errors import ProductErrors
from pyland.observe.product_grid import grid_places
from pyland.observe.quantities import QUANTITIES, Quantity
from pyland.observe.scaling import observed_climatology, rescale_mean, rescale_mean_std, rescale_sets
from pyland.observe.set_tables import table_of_sets
from pyland.observe.soil_moisture import (
    column_soil_moisture,
    combine_footprints,
    depth_weights,
    footprint_average,
    footprint_slots,
    limit_to_porosity,
    soil_moisture,
)
from pyland.observe.synthetic import make_observations
from pyland.observe.target_cells import TargetCells
from pyland.observe.thinning import is_kept
from pyland.observe.withholding import withhold

__all__ = [
    "AnalysisInput",
    "InnovationStatistics",
    "QUANTITIES",
    "ObservationSet",
    "ObservationTable",
    "Operator",
    "ProductErrors",
    "Quantity",
    "Scene",
    "Setting",
    "TargetCells",
    "assemble",
    "column_soil_moisture",
    "column_water_table",
    "combine_footprints",
    "depth_weights",
    "error_of",
    "footprint_average",
    "footprint_slots",
    "grid_places",
    "is_kept",
    "join_tables",
    "limit_to_porosity",
    "make_observations",
    "observed_climatology",
    "operator_for",
    "read_measurements",
    "read_observations",
    "read_table",
    "rescale_mean",
    "rescale_mean_std",
    "rescale_sets",
    "scene_of",
    "sets_between",
    "soil_moisture",
    "table_of_sets",
    "withhold",
    "write_observations",
    "write_table",
]
