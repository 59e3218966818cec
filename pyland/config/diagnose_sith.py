"""Section ``diagnose.sith``: a light model of evapotranspiration beside a run."""

from __future__ import annotations

from pyland.config.fields import Section, key

SITH_PLANTS = ("evergreen_needleleaf_forest", "evergreen_broadleaf_forest", "deciduous_needleleaf_forest",
               "deciduous_broadleaf_forest", "mixed_forest", "closed_shrubland", "open_shrubland", "woody_savanna",
               "savanna", "grassland", "cropland", "wetland", "auto")
"""Plants of the model; auto is that of the largest vegetated patch of a cell."""


class SithSection(Section):
    """SiTHv2-like model: ``pyland diagnose CASE sith``."""

    plant: str = key("auto", "plant of all cells; auto is that of the largest vegetated patch of each cell",
                     choices=SITH_PLANTS)
    water_table_depth: float | None = key(
        None, "water table at the start; null is that of the run where it has one (no_flow or water_table below) and "
        "writes it, else 10 m", unit="m",
        at_least=0, at_most=1000,
    )
    optimum_temperature: float | None = key(
        None, "optimum air temperature of the plants; null: the mean of the thirty days on which leaf area times net "
        "radiation is largest", unit="K", above=273.15, at_most=320,
    )
    spinup: int = key(1, "how many times the days of the run are run before", kind="integer", at_least=0, at_most=100)
