"""Climatologies of products and references, and rescaling by them."""

from pyland.observe.climatology.cdf_matching import PERCENTILES, CdfMatch, cdf_match
from pyland.observe.climatology.climatology_files import read_climatology, write_climatology
from pyland.observe.climatology.linear_matching import LinearMatch, tc_scaling
from pyland.observe.climatology.seasonal_windows import SeasonalWindows
from pyland.observe.climatology.table_rescaling import rescale_table

__all__ = [
    "PERCENTILES", "CdfMatch", "LinearMatch", "SeasonalWindows", "cdf_match", "read_climatology", "rescale_table",
    "tc_scaling", "write_climatology",
]  # fmt: skip
