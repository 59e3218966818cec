"""Merging of products of one quantity: on a common grid, by weights that follow from their errors."""

from pyland.observe.merging.anomalies import anomalies_of, seasonal_climatology
from pyland.observe.merging.collocation import Collocation, extended_collocation, triple_collocation
from pyland.observe.merging.common_grid import CommonGrid, align_table, align_tables, times_between
from pyland.observe.merging.completeness import Completeness, completeness_of
from pyland.observe.merging.error_weighted_merge import merge_tc, optimal_weights
from pyland.observe.merging.merge_methods import MERGE_METHODS, MergeMethod, merge_products
from pyland.observe.merging.merged import MergeContext, Merged
from pyland.observe.merging.weighted_merge import merge_mean

__all__ = [
    "MERGE_METHODS", "Collocation", "CommonGrid", "Completeness", "MergeContext", "MergeMethod", "Merged",
    "align_table", "align_tables", "anomalies_of", "completeness_of", "extended_collocation", "merge_mean",
    "merge_products", "merge_tc", "optimal_weights", "seasonal_climatology", "times_between", "triple_collocation",
]  # fmt: skip
