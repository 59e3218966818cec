"""Frozen ground from simulated temperature: active layer, temperature at zero amplitude, zones; models that learn it.

Plain functions of arrays, over all cells at once; `pyland diagnose CASE permafrost` glues them to a run.
"""

from pyland.diagnose.permafrost.annual_profiles import AnnualProfiles, annual_profiles
from pyland.diagnose.permafrost.classes import area_shares, lower_limit, thermal_class, zone_of_share
from pyland.diagnose.permafrost.degree_days import DegreeDays, degree_days, n_factor
from pyland.diagnose.permafrost.isotherms import PermafrostYears, permafrost_years
from pyland.diagnose.permafrost.zero_amplitude import amplitude, ground_temperature, zero_amplitude_depth

__all__ = [
    "AnnualProfiles",
    "DegreeDays",
    "PermafrostYears",
    "amplitude",
    "annual_profiles",
    "area_shares",
    "degree_days",
    "ground_temperature",
    "lower_limit",
    "n_factor",
    "permafrost_years",
    "thermal_class",
    "zero_amplitude_depth",
    "zone_of_share",
]
