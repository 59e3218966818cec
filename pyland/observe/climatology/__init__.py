"""Climatologies of products and references, and rescaling by them."""

from pyland.observe.climatology.cdf_matching import PERCENTILES, CdfMatch, cdf_match
from pyland.observe.climatology.climatology_files import read_climatology, write_climatology
from pyland.observe.climatology.linear_matching import LinearMatch, tc_scaling
from pyland.observe.climatology.seasonal_windows import SeasonalWindows
from pyland.observe.climatology.set_matching import cdf_of_sets, match_sets
from pyland.observe.climatology.set_scaling import observed_climatology, rescale_mean, rescale_mean_std, rescale_sets
from pyland.observe.climatology.table_rescaling import rescale_table

__all__ = [
    "PERCENTILES", "CdfMatch", "LinearMatch", "SeasonalWindows", "cdf_match", "cdf_of_sets", "match_sets",
    "observed_climatology", "read_climatology", "rescale_mean", "rescale_mean_std", "rescale_sets", "rescale_table",
    "tc_scaling", "write_climatology",
]  # fmt: skip
