"""Plant types that a case may name, and parameters that replace theirs."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import Any

from pyland.base.registry import variable
from pyland.base.text import one_of, shown, suggestion
from pyland.config.fields import read_value

VEGETATION_TYPES = MappingProxyType(
    {
        # name: (number in CLM, height of canopy top and bottom [m]: CLM4.5 Technical Note, table 2.2; corn as crops)
        "bare_ground": (0, 0.5, 0.01),
        "needle_evergreen_temperate": (1, 17.0, 8.5),
        "needle_evergreen_boreal": (2, 17.0, 8.5),
        "needle_deciduous_boreal": (3, 14.0, 7.0),
        "broadleaf_evergreen_tropical": (4, 35.0, 1.0),
        "broadleaf_evergreen_temperate": (5, 35.0, 1.0),
        "broadleaf_deciduous_tropical": (6, 18.0, 10.0),
        "broadleaf_deciduous_temperate": (7, 20.0, 11.5),
        "broadleaf_deciduous_boreal": (8, 20.0, 11.5),
        "broadleaf_evergreen_shrub_temperate": (9, 0.5, 0.1),
        "broadleaf_deciduous_shrub_temperate": (10, 0.5, 0.1),
        "broadleaf_deciduous_shrub_boreal": (11, 0.5, 0.1),
        "c3_arctic_grass": (12, 0.5, 0.01),
        "c3_grass": (13, 0.5, 0.01),
        "c4_grass": (14, 0.5, 0.01),
        "c3_crop": (15, 0.5, 0.01),
        "c3_irrigated_crop": (16, 0.5, 0.01),
        "corn_temperate": (17, 0.5, 0.01),
    }
)
"""Plant types. Bare ground has heights only so that formulas stay defined where no leaf is."""

PLANT_PARAMETERS = (
    "vcmax25_top",
    "medlyn_slope",
    "medlyn_intercept",
    "ball_berry_slope",
    "ball_berry_intercept",
    "psi_open",
    "psi_closed",
    "root_beta",
    "leaf_angle",
    "leaf_reflectance_vis",
    "leaf_reflectance_nir",
    "leaf_transmittance_vis",
    "leaf_transmittance_nir",
    "stem_reflectance_vis",
    "stem_reflectance_nir",
    "stem_transmittance_vis",
    "stem_transmittance_nir",
    "roughness_ratio",
    "displacement_ratio",
    "leaf_dimension",
    "specific_leaf_area",
    "root_leaf_ratio",
    "live_wood_share",
    "plant_turnover",
)
"""Plant parameters that a patch may replace (registry ids)."""


def registry_numbers(value: Any, names: tuple[str, ...], several: bool) -> Any:
    """Read ``{registry id: number}`` with unit and range of the registry."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"expected a mapping of {one_of(names)}, got {shown(value)}")
    result = {}
    for name, number in value.items():
        if name not in names:
            raise ValueError(f"expected one of {one_of(names)}, got '{name}'{suggestion(str(name), names)}")
        entry = variable(name)
        low, high = entry.valid_range or (-math.inf, math.inf)
        fact = {
            "kind": "number_or_numbers" if several else "number",
            "unit": entry.units,
            "minimum": low,
            "maximum": high,
        }
        try:
            result[name] = read_value(number, fact, {})
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return result
