"""Observations: reading, checking, rescaling, operators, twin experiments, innovations."""

from pyland.observe.climatology import (
    CdfMatch,
    LinearMatch,
    cdf_match,
    read_climatology,
    rescale_table,
    tc_scaling,
    write_climatology,
)
from pyland.observe.groundwater import column_water_table
from pyland.observe.innovations import AnalysisInput, InnovationStatistics, assemble
from pyland.observe.measurement_files import error_of, read_measurements
from pyland.observe.merging import (
    CommonGrid,
    LstmMerge,
    LstmSettings,
    SpaceTimeCovariance,
    align_tables,
    compare_merged,
    extended_collocation,
    merge_bme,
    merge_lstm,
    merge_mean,
    merge_products,
    merge_tc,
    triple_collocation,
)
from pyland.observe.observation_files import read_observations, write_observations
from pyland.observe.observation_table import ObservationTable, join_tables, read_table, write_table
from pyland.observe.observations import ObservationSet, sets_between
from pyland.observe.operators import Operator, operator_for
from pyland.observe.quality import QualityRules, apply_quality, error_of_table, super_observations, thin
from pyland.observe.quantities import QUANTITIES, Quantity
from pyland.observe.readers import READERS, Reader, read_product, table_within
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
from pyland.observe.synthetic import make_observations
from pyland.observe.target_cells import TargetCells
from pyland.observe.thinning import is_kept
from pyland.observe.withholding import withhold

__all__ = [
    "QUANTITIES",
    "READERS",
    "AnalysisInput",
    "CdfMatch",
    "CommonGrid",
    "InnovationStatistics",
    "LinearMatch",
    "LstmMerge",
    "LstmSettings",
    "ObservationSet",
    "ObservationTable",
    "Operator",
    "QualityRules",
    "Quantity",
    "Reader",
    "SpaceTimeCovariance",
    "TargetCells",
    "align_tables",
    "apply_quality",
    "assemble",
    "cdf_match",
    "column_soil_moisture",
    "column_water_table",
    "combine_footprints",
    "compare_merged",
    "depth_weights",
    "error_of",
    "error_of_table",
    "extended_collocation",
    "footprint_average",
    "footprint_slots",
    "is_kept",
    "join_tables",
    "limit_to_porosity",
    "make_observations",
    "merge_bme",
    "merge_lstm",
    "merge_mean",
    "merge_products",
    "merge_tc",
    "observed_climatology",
    "operator_for",
    "read_climatology",
    "read_measurements",
    "read_observations",
    "read_product",
    "read_table",
    "rescale_mean",
    "rescale_mean_std",
    "rescale_sets",
    "rescale_table",
    "sets_between",
    "soil_moisture",
    "super_observations",
    "table_within",
    "tc_scaling",
    "thin",
    "triple_collocation",
    "withhold",
    "write_climatology",
    "write_observations",
    "write_table",
]
