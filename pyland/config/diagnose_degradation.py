"""Section ``diagnose.degradation``: trends of productivity, and efficiency of the use of rain."""

from __future__ import annotations

from pyland.config.fields import Section, key


class DegradationSection(Section):
    """Settings of ``pyland diagnose CASE degradation``."""

    productivity: str = key(
        "net_primary_production", "variable of history.nc whose yearly sums are compared with moisture",
        choices=("net_primary_production", "gross_primary_production"))
    vegetation: str = key(
        "productivity", "variable of the efficiency of the use of rain: the productivity, or leaf area",
        choices=("productivity", "leaf_area_index"))
    smoothing: int = key(3, "years of the moving mean of productivity and moisture; 1 is none", kind="integer",
                         at_least=1, at_most=10)
    level: float = key(0.05, "level of significance of trends", unit="1", above=0, below=1)
    correlation: str = key(
        "hamed_rao", "values of years in the test of Mann and Kendall; that moving means share years is reckoned with "
        "in both",
        choices=("independent", "hamed_rao"))
    table: str | None = key(None, "YAML table of states by trends; null is that of the package", kind="path")
    first_month: int = key(10, "calendar month with which a hydrological year begins", kind="integer", at_least=1,
                           at_most=12)
    degree: int = key(1, "of the boundaries of efficiency over aridity", kind="integer", at_least=1, at_most=2)
    threshold: float = key(0.5, "relative efficiency from which on it is high", unit="1", above=0, below=1)
    potential: str = key(
        "priestley_taylor", "potential evapotranspiration, as of diagnose.drought",
        choices=("priestley_taylor", "penman_monteith"))
    wind_height: float = key(10.0, "height of the wind speed, for penman_monteith", unit="m", at_least=0.5)
