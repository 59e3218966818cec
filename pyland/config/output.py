"""Section ``output``: what is written."""

from __future__ import annotations

from typing import Any

from pydantic import field_validator

from pyland.base.errors import InputError
from pyland.base.registry import variable
from pyland.base.text import shown
from pyland.config.ensemble import PARAMETER_NAMES
from pyland.config.fields import Section, key

STATISTICS = ("mean", "std", "min", "max", "median")
"""Statistics over members that history.nc can hold, beside percentiles p01 to p99."""

DEFAULT_VARIABLES = (
    "soil_water",
    "soil_temperature",
    "latent_heat_flux",
    "sensible_heat_flux",
    "ground_heat_flux",
    "net_radiation",
    "shortwave_up",
    "longwave_up",
    "evapotranspiration",
    "transpiration",
    "canopy_evaporation",
    "soil_evaporation",
    "infiltration",
    "surface_runoff",
    "subsurface_runoff",
    "gross_primary_production",
    "soil_water_total",
    "water_table_depth",
    "ground_temperature",
    "surface_water",
)


FLOW_VARIABLES = (
    "pressure_head",
    "saturation",
    "soil_water",
    "soil_water_total",
    "water_table_depth",
    "surface_water",
    "surface_water_depth",
    "surface_runoff",
    "overland_outflow",
    "precipitation",
)
"""Variables that the distributed subsurface computes without a land model (registry ids)."""

DEFAULT_FLOW_VARIABLES = ("pressure_head", "saturation", "soil_water", "water_table_depth", "surface_water_depth")
"""What it writes unless ``output.variables`` asks for others."""

DEFAULT_COUPLED_VARIABLES = (
    *(name for name in DEFAULT_VARIABLES if name != "subsurface_runoff"),
    "pressure_head",
    "saturation",
    "surface_water_depth",
    "overland_outflow",
)
"""What the land over the distributed subsurface writes unless ``output.variables`` asks for others."""

ONLY_FLOW_VARIABLES = ("saturation", "surface_water_depth", "overland_outflow")
"""Variables that columns do not compute."""

CARBON_VARIABLES = frozenset({
    "net_primary_production",
    "autotrophic_respiration",
    "heterotrophic_respiration",
    "net_ecosystem_exchange",
    "litterfall",
    "chlorophyll_fluorescence",
    "decomposition_factor",
    "vegetation_carbon",
    "litter_carbon",
    "soil_carbon",
    "carbon_balance_residual",
})
"""Variables that only ``land.carbon`` computes (registry ids)."""


class OutputSection(Section):
    """What is written and how often."""

    variables: list[str] = key(
        lambda: list(DEFAULT_VARIABLES),
        "variables of history.nc: registry ids or aliases; left as it is, mode distributed writes pressure_head, "
        "saturation, soil_water, water_table_depth and surface_water_depth, with a land model those beside this list",
        factory=True,
    )
    statistics: list[str] = key(
        lambda: ["mean", "std"],
        "statistics of the members in history.nc: mean, which must be among them, std, min, max, median and "
        "percentiles p01 to p99; of an ensemble of one member the mean alone is written",
        factory=True,
    )
    every: float = key(86400.0, "averaging interval of history.nc", unit="s", above=0)
    members: list[str] = key(list, "variables of members.nc, which keeps every member", factory=True)
    observation_members: bool = key(
        True,
        "keep in analysis.nc what every member predicts for each observation, 4 bytes each; scores that need all "
        "members are left out without it",
    )
    restart_every: float | None = key(
        2592000.0, "time between restart files; null writes only one at the end", unit="s", above=0
    )
    format: str = key("netcdf", "file format", choices=("netcdf",), later=("zarr",))

    @field_validator("variables", "members", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        if value is None:
            return []
        if not isinstance(value, list):
            raise ValueError(f"expected a list of variables, got {shown(value)}")
        result = []
        for name in value:
            try:
                entry = variable(str(name))
            except InputError as error:
                raise ValueError(str(error)) from None
            if entry.role == "parameter" and entry.id not in PARAMETER_NAMES:
                raise ValueError(f"expected variables that change in time, got the parameter '{name}'")
            result.append(entry.id)
        return list(dict.fromkeys(result))

    @field_validator("statistics", mode="before")
    @classmethod
    def _statistics(cls, value: Any) -> Any:
        if not isinstance(value, list):
            raise ValueError(f"expected a list of statistics, got {shown(value)}")
        for name in value:
            is_percentile = isinstance(name, str) and len(name) == 3 and name[0] == "p" and name[1:].isdigit()
            if name not in STATISTICS and not (is_percentile and name != "p00"):
                raise ValueError(f"expected some of {', '.join(STATISTICS)} and p01 to p99, got {shown(name)}")
        if "mean" not in value:
            raise ValueError("expected mean among the statistics: scores, maps and the balance need it")
        return ["mean", *dict.fromkeys(name for name in value if name != "mean")]
