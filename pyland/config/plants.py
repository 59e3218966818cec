"""Plant types that a case may name."""

from __future__ import annotations

from types import MappingProxyType

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
