"""A light model of evapotranspiration after SiTHv2 (Zhu et al. 2019; Zhang et al. 2022, 2024), to compare a run with.

Daily steps, three layers and ground water, all cells at once; it closes its water balance. Equations and what differs
from the public code: docs/theory/sith.md.
"""

from pyland.diagnose.sith.model import WEATHER, SithDay, advance_day, run_sith
from pyland.diagnose.sith.parameters import (
    PLANTS,
    SOILS,
    SithPlants,
    SithSoil,
    plants_by_name,
    root_shares,
    soil_by_name,
)
from pyland.diagnose.sith.water import SithState, state_from_moisture

__all__ = [
    "PLANTS",
    "SOILS",
    "WEATHER",
    "SithDay",
    "SithPlants",
    "SithSoil",
    "SithState",
    "advance_day",
    "plants_by_name",
    "root_shares",
    "run_sith",
    "soil_by_name",
    "state_from_moisture",
]
