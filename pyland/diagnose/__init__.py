"""Judge a run: skill against observations, closure of the balances, health of the assimilation.

Scores of an ensemble are functions of plain arrays, predictions of shape ``(member, obs)`` and observations ``(obs,)``;
those here need no run.
"""

from pyland.diagnose.alarms import Alarm, AlarmField, AlarmPlaces, evaluate_alarms, quantile_weights
from pyland.diagnose.balance_table import BalanceTable, balance_table
from pyland.diagnose.climatology_file import read_climatology, write_climatologies
from pyland.diagnose.degradation import mann_kendall, rain_use_efficiency, sen_slope
from pyland.diagnose.departures import departure_statistics, desroziers
from pyland.diagnose.drought import scpdsi, spei, spi
from pyland.diagnose.drought_classes import area_in_drought, drought_class, drought_events
from pyland.diagnose.ensemble_scores import (
    CrpsDecomposition,
    crps,
    crps_decomposition,
    crps_fair,
    crps_normal,
)
from pyland.diagnose.glacier import balance_years, degree_day_balance, equilibrium_line
from pyland.diagnose.hindcast import Forecast, HindcastRecord
from pyland.diagnose.information import (
    degrees_of_freedom_for_signal,
    effective_sample_size,
    likelihood_weights,
    observed_degrees_of_freedom,
)
from pyland.diagnose.innovation_series import innovation_autocorrelation
from pyland.diagnose.irrigation import irrigation_estimates
from pyland.diagnose.moments import ensemble_moments
from pyland.diagnose.percentiles import Climatology, anomaly, day_of_year, percentile_of, standardised_anomaly
from pyland.diagnose.permafrost import annual_profiles, permafrost_years, thermal_class, zero_amplitude_depth
from pyland.diagnose.rank_histogram import add_observation_error, flatness, observation_ranks, rank_counts
from pyland.diagnose.regions import Region, parse_region
from pyland.diagnose.reliability import reliability_budget
from pyland.diagnose.sith import run_sith
from pyland.diagnose.spread import spread_error, spread_skill
from pyland.diagnose.zones import Zones, cells_in_polygon

__all__ = [
    "Alarm",
    "AlarmField",
    "AlarmPlaces",
    "BalanceTable",
    "Climatology",
    "CrpsDecomposition",
    "Forecast",
    "HindcastRecord",
    "Region",
    "Zones",
    "add_observation_error",
    "annual_profiles",
    "anomaly",
    "area_in_drought",
    "balance_table",
    "balance_years",
    "cells_in_polygon",
    "crps",
    "crps_decomposition",
    "crps_fair",
    "crps_normal",
    "day_of_year",
    "degree_day_balance",
    "degrees_of_freedom_for_signal",
    "departure_statistics",
    "desroziers",
    "drought_class",
    "drought_events",
    "effective_sample_size",
    "ensemble_moments",
    "equilibrium_line",
    "evaluate_alarms",
    "flatness",
    "innovation_autocorrelation",
    "irrigation_estimates",
    "likelihood_weights",
    "mann_kendall",
    "observation_ranks",
    "observed_degrees_of_freedom",
    "parse_region",
    "percentile_of",
    "permafrost_years",
    "quantile_weights",
    "rain_use_efficiency",
    "rank_counts",
    "rank_counts",
    "read_climatology",
    "read_climatology",
    "reliability_budget",
    "reliability_budget",
    "run_sith",
    "scpdsi",
    "sen_slope",
    "spei",
    "spi",
    "spread_error",
    "spread_skill",
    "standardised_anomaly",
    "thermal_class",
    "write_climatologies",
    "zero_amplitude_depth",
]
