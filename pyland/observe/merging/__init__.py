"""Merging of products of one quantity: on a common grid, by weights that follow from their errors."""

from pyland.observe.merging.anomalies import anomalies_of, seasonal_climatology
from pyland.observe.merging.bme import merge_bme
from pyland.observe.merging.bme_covariance import SpaceTimeCovariance, empirical_covariance, fit_covariance
from pyland.observe.merging.collocation import Collocation, extended_collocation, triple_collocation
from pyland.observe.merging.common_grid import CommonGrid, align_table, align_tables, times_between
from pyland.observe.merging.completeness import Completeness, completeness_of
from pyland.observe.merging.error_weighted_merge import merge_tc, optimal_weights
from pyland.observe.merging.learning_files import read_predictor, stations_at_places
from pyland.observe.merging.lstm import LstmMerge, merge_lstm
from pyland.observe.merging.lstm_splits import TrainingSplit, split_values, station_folds, time_blocks
from pyland.observe.merging.lstm_training import LstmSettings, TrainingRecord
from pyland.observe.merging.merge_methods import MERGE_METHODS, MergeMethod, merge_products
from pyland.observe.merging.merge_skill import MergeSkill, compare_merged
from pyland.observe.merging.merged import MergeContext, Merged
from pyland.observe.merging.weighted_merge import merge_mean

__all__ = [
    "Collocation", "CommonGrid", "Completeness", "LstmMerge", "LstmSettings", "MERGE_METHODS", "MergeContext",
    "MergeMethod", "MergeSkill", "Merged", "SpaceTimeCovariance", "TrainingRecord", "TrainingSplit", "align_table",
    "align_tables", "anomalies_of", "compare_merged", "completeness_of", "empirical_covariance",
    "extended_collocation", "fit_covariance", "merge_bme", "merge_lstm", "merge_mean", "merge_products", "merge_tc",
    "optimal_weights", "read_predictor", "seasonal_climatology", "split_values", "station_folds",
    "stations_at_places", "time_blocks", "times_between", "triple_collocation",
]  # fmt: skip
