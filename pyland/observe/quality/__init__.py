"""Quality of observations: rules, blocks, errors."""

from pyland.observe.quality.error_files import read_errors, write_errors
from pyland.observe.quality.error_models import (
    ClassError,
    CollocationError,
    ConstantError,
    ErrorModel,
    ErrorOrElse,
    ProductError,
    RelativeError,
    error_of_table,
)
from pyland.observe.quality.rules import QualityRules, apply_quality, is_duplicate, with_rain_before
from pyland.observe.quality.series_checks import (
    apply_series_checks,
    find_breaks,
    find_low_plateaus,
    find_spikes,
)
from pyland.observe.quality.super_observations import blocks_of, super_observations, thin

__all__ = [
    "ClassError", "CollocationError", "ConstantError", "ErrorModel", "ErrorOrElse", "ProductError", "QualityRules",
    "RelativeError", "apply_quality", "apply_series_checks", "blocks_of", "error_of_table", "find_breaks",
    "find_low_plateaus", "find_spikes", "is_duplicate", "read_errors", "super_observations", "thin",
    "with_rain_before", "write_errors",
]  # fmt: skip
