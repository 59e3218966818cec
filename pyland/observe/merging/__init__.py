"""Merging of products of one quantity: on a common grid, by weights that follow from their errors."""

from pyland.observe.merging.merge_methods import MERGE_METHODS, MergeMethod, merge_products
from pyland.observe.merging.merged import MergeContext, Merged
from pyland.observe.merging.weighted_merge import merge_mean

__all__ = ["MERGE_METHODS", "MergeContext", "MergeMethod", "Merged", "merge_mean", "merge_products"]
