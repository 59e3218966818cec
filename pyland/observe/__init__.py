"""Observations: reading, checking, rescaling, operators, twin experiments, innovations."""

from pyland.observe.climatology import (
    CdfMatch,
    LinearMatch,
    cdf_match,
    cdf_of_sets,
    match_sets,
    observed_climatology,
    read_climatology,
    rescale_mean,
    rescale_mean_std,
    rescale_sets,
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
from pyland.observe.observations import ObservationSet, Setting, sets_between
from pyland.observe.operators import Operator, Scene, operator_for, scene_of
from pyland.observe.product_errors import ProductErrors
from pyland.observe.product_grid import grid_places
from pyland.observe.quality import QualityRules, apply_quality, error_of_table, super_observations, thin
from pyland.observe.quantities import QUANTITIES, Quantity
from pyland.observe.readers import READERS, Reader, read_product, table_within
from pyland.observe.soil_moisture import (
    column_soil_moisture,
    combine_footprints,
    depth_weights,
    footprint_average,
    footprint_slots,
    limit_to_porosity,
    soil_moisture,
)
from pyland.observe.surface_operators import (
    fluorescence,
    land_surface_temperature,
    snow_cover_niu_yang,
    two_source_temperature,
    vegetation_share,
)
from pyland.observe.synthetic import make_observations
from pyland.observe.table_sets import sets_from_table, table_of_sets
from pyland.observe.target_cells import TargetCells
from pyland.observe.thinning import is_kept
from pyland.observe.water_storage import storage_anomaly, water_storage
from pyland.observe.withholding import withhold

__all__ = [
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
    "ProductErrors",
    "QUANTITIES",
    "QualityRules",
    "Quantity",
    "READERS",
    "Reader",
    "Scene",
    "Setting",
    "SpaceTimeCovariance",
    "TargetCells",
    "align_tables",
    "apply_quality",
    "assemble",
    "cdf_match",
    "cdf_of_sets",
    "column_soil_moisture",
    "column_water_table",
    "combine_footprints",
    "compare_merged",
    "depth_weights",
    "error_of",
    "error_of_table",
    "extended_collocation",
    "fluorescence",
    "footprint_average",
    "footprint_slots",
    "grid_places",
    "is_kept",
    "join_tables",
    "land_surface_temperature",
    "limit_to_porosity",
    "make_observations",
    "match_sets",
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
    "scene_of",
    "sets_between",
    "sets_from_table",
    "snow_cover_niu_yang",
    "soil_moisture",
    "storage_anomaly",
    "super_observations",
    "table_of_sets",
    "table_within",
    "tc_scaling",
    "thin",
    "triple_collocation",
    "two_source_temperature",
    "vegetation_share",
    "water_storage",
    "withhold",
    "write_climatology",
    "write_observations",
    "write_table",
]
