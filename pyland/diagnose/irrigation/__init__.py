"""Irrigation water use: three estimates beside each other, their noise, and how much of it they can find."""

from pyland.diagnose.irrigation.estimates import (
    IrrigationEstimates,
    from_differences,
    from_increments,
    from_inversion,
    irrigation_estimates,
    season_totals,
)
from pyland.diagnose.irrigation.noise import NoiseFloor, is_significant, noise_floor, propagated_noise
from pyland.diagnose.irrigation.recovery_twin import BucketTwin, Recovery, recovery, recovery_curve

__all__ = [
    "BucketTwin",
    "IrrigationEstimates",
    "NoiseFloor",
    "Recovery",
    "from_differences",
    "from_increments",
    "from_inversion",
    "irrigation_estimates",
    "is_significant",
    "noise_floor",
    "propagated_noise",
    "recovery",
    "recovery_curve",
    "season_totals",
]
