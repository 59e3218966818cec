"""Land degradation: trends of productivity beside those of moisture, and efficiency of the use of rain."""

from pyland.diagnose.degradation.moisture_response import (
    DegradationRule,
    DegradationTable,
    degradation_state,
    moisture_responded,
    read_degradation_table,
)
from pyland.diagnose.degradation.rain_use_efficiency import (
    RainUseEfficiency,
    condition_state,
    rain_use_efficiency,
    relative_efficiency,
)
from pyland.diagnose.degradation.trends import Trend, mann_kendall, moving_mean, sen_slope
from pyland.diagnose.degradation.vegetation_change import VegetationChange, vegetation_change

__all__ = [
    "DegradationRule",
    "DegradationTable",
    "RainUseEfficiency",
    "Trend",
    "VegetationChange",
    "condition_state",
    "degradation_state",
    "mann_kendall",
    "moisture_responded",
    "moving_mean",
    "rain_use_efficiency",
    "read_degradation_table",
    "relative_efficiency",
    "sen_slope",
    "vegetation_change",
]
