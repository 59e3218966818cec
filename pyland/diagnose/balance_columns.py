"""Arithmetic of balance tables: from terms per area and volumes to the columns that people read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

STORES = ("soil", "ground_water", "snow", "surface", "canopy", "glacier")
"""Stores of ``balance.nc``, ``storage_change_<store>``."""

VOLUME = 1.0e9
"""Unit of volumes in tables [m3]."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    id : str
        Name in files.
    label : str
        Words above it.
    units : str
        Unit, empty for a name.
    digits : int
        Decimals in the text for people.
    """

    id: str
    label: str
    units: str
    digits: int = 1


WATER_COLUMNS = (
    Column("area_km2", "area", "km2"),
    Column("elevation_m", "elevation", "m", 0),
    Column("precipitation_mm", "P", "mm"),
    Column("precipitation_1e9m3", "P", "1e9 m3", 3),
    Column("rainfall_mm", "rain", "mm"),
    Column("snowfall_mm", "snow", "mm"),
    Column("irrigation_mm", "irrigation", "mm"),
    Column("et_mm", "ET", "mm"),
    Column("et_1e9m3", "ET", "1e9 m3", 3),
    Column("transpiration_fraction", "T/ET", "1", 2),
    Column("runoff_mm", "runoff", "mm"),
    Column("runoff_1e9m3", "runoff", "1e9 m3", 3),
    Column("runoff_coefficient", "R/P", "1", 2),
    Column("q_in_1e9m3", "Q in", "1e9 m3", 4),
    Column("q_out_1e9m3", "Q out", "1e9 m3", 4),
    Column("storage_change_mm", "dS", "mm"),
    *(Column(f"storage_change_{name}_mm", f"dS {name.replace('_', ' ')}", "mm") for name in STORES),
    Column("increment_mm", "increment", "mm"),
    Column("residual_mm", "residual", "mm", 6),
    Column("net_et_to_streamflow", "(ET-P)/Q", "1", 3),
    Column("et_to_streamflow", "ET/Q", "1", 3),
    Column("transpiration_mm", "transpiration", "mm"),
    Column("canopy_evaporation_mm", "canopy evaporation", "mm"),
    Column("soil_evaporation_mm", "soil evaporation", "mm"),
    Column("snow_sublimation_mm", "snow sublimation", "mm"),
    Column("open_water_evaporation_mm", "open water evaporation", "mm"),
    Column("boundary_inflow_mm", "inflow by the sides", "mm"),
    Column("lake_precipitation_1e9m3", "terminal lakes: P", "1e9 m3", 4),
    Column("lake_evaporation_1e9m3", "terminal lakes: E", "1e9 m3", 4),
    Column("lake_withheld_1e9m3", "terminal lakes: withheld runoff", "1e9 m3", 4),
    Column("lake_area_km2", "terminal lakes: area", "km2", 3),
    Column("lake_evaporation_mm", "terminal lakes: E", "mm"),
    Column("river_deficit_1e9m3", "negative runoff without water", "1e9 m3", 4),
    Column("river_storage_change_1e9m3", "dS rivers and lakes", "1e9 m3", 4),
    Column("river_residual_1e9m3", "residual of rivers", "1e9 m3", 6),
)
"""Columns of the water table; those of ``data/heihe`` in the development data are among the first."""

ENERGY_COLUMNS = (
    Column("area_km2", "area", "km2"),
    Column("elevation_m", "elevation", "m", 0),
    Column("net_radiation", "net radiation", "W m-2"),
    Column("latent_heat_flux", "latent", "W m-2"),
    Column("sensible_heat_flux", "sensible", "W m-2"),
    Column("ground_heat_flux", "ground", "W m-2"),
    Column("snow_heat_flux", "snow", "W m-2"),
    Column("bowen_ratio", "Bowen ratio", "1", 2),
    Column("analysis_heat_increment", "increment", "J m-2", 0),
    Column("energy_residual", "residual", "W m-2", 6),
)

CARBON_COLUMNS = (
    Column("area_km2", "area", "km2"),
    Column("elevation_m", "elevation", "m", 0),
    Column("net_primary_production_gc", "NPP", "gC m-2"),
    Column("heterotrophic_respiration_gc", "Rh", "gC m-2"),
    Column("net_ecosystem_exchange_gc", "NEE", "gC m-2"),
    Column("carbon_storage_change_gc", "dC", "gC m-2"),
    Column("carbon_residual_gc", "residual", "gC m-2", 6),
)

COLUMNS = MappingProxyType({"water": WATER_COLUMNS, "energy": ENERGY_COLUMNS, "carbon": CARBON_COLUMNS})
"""Columns of each kind of table."""


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part by whole; NaN where the whole is not positive."""
    part, whole = np.broadcast_arrays(np.asarray(part, dtype=float), np.asarray(whole, dtype=float))
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0.0)


def to_volume(depth: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Return the volume [1e9 m3] of a depth of water [mm] on an area [m2]."""
    return np.asarray(depth) * np.asarray(area) * 1.0e-3 / VOLUME


def area_mean(depth: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Return the mean of depths, (..., zone), over all zones, by their area, (zone,)."""
    return np.asarray(depth) @ np.asarray(area) / np.sum(area)


def water_columns(
    depth: Mapping[str, np.ndarray], area: np.ndarray, volume: Mapping[str, np.ndarray] | None = None
) -> dict[str, np.ndarray]:
    """Return the columns of the water table.

    Parameters
    ----------
    depth : mapping of str to numpy.ndarray, shape (..., zone)
        Terms of ``balance.nc`` per area of the zone [mm]; some may be missing, and what follows from them is NaN.
    area : numpy.ndarray, shape (zone,)
        [m2]
    volume : mapping of str to numpy.ndarray, shape (..., zone), optional
        Terms of rivers [m3]: ``inflow``, ``outflow`` over the border of the zone, ``streamflow``, the inflow that ET is
        compared with, ``lake_precipitation``, ``lake_evaporation``, ``lake_withheld_runoff``, ``river_deficit``,
        ``storage_change``, ``residual``, and ``lake_area`` [m2].

    Returns
    -------
    dict of str to numpy.ndarray, shape (..., zone)
        By the id of ``WATER_COLUMNS``, but for area and elevation.
    """
    nothing = np.full(np.shape(next(iter(depth.values()))), np.nan)

    def get(name: str) -> np.ndarray:
        return np.asarray(depth.get(name, nothing), dtype=float)

    rain, snow, evaporated = get("rainfall"), get("snowfall"), get("evapotranspiration")
    fallen = get("precipitation") if "precipitation" in depth else rain + snow
    runoff = get("runoff") if "runoff" in depth else get("surface_runoff") + get("subsurface_runoff")
    irrigation, increment, inflow = (np.asarray(depth.get(name, np.zeros_like(nothing)), dtype=float)
                                     for name in ("irrigation", "analysis_increment", "boundary_inflow"))
    change = get("storage_change")
    out = {
        "precipitation_mm": fallen, "precipitation_1e9m3": to_volume(fallen, area),
        "rainfall_mm": rain, "snowfall_mm": snow, "irrigation_mm": irrigation,
        "et_mm": evaporated, "et_1e9m3": to_volume(evaporated, area),
        "transpiration_fraction": ratio(get("transpiration"), evaporated),
        "runoff_mm": runoff, "runoff_1e9m3": to_volume(runoff, area), "runoff_coefficient": ratio(runoff, fallen),
        "storage_change_mm": change,
        **{f"storage_change_{name}_mm": get(f"storage_change_{name}") for name in STORES},
        "increment_mm": increment,
        "residual_mm": fallen + irrigation + inflow - evaporated - runoff + increment - change,
        **{f"{name}_mm": get(name) for name in ("transpiration", "canopy_evaporation", "soil_evaporation",
                                                "snow_sublimation", "open_water_evaporation")},
    }
    if "boundary_inflow" in depth:
        out["boundary_inflow_mm"] = inflow
    return out | ({} if volume is None else river_columns(out, volume))


def river_columns(columns: Mapping[str, np.ndarray], volume: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the columns of rivers and terminal lakes; see `water_columns`."""
    names = {"q_in": "inflow", "q_out": "outflow", "lake_precipitation": "lake_precipitation",
             "lake_evaporation": "lake_evaporation", "lake_withheld": "lake_withheld_runoff",
             "river_deficit": "river_deficit", "river_storage_change": "storage_change", "river_residual": "residual"}
    out = {f"{name}_1e9m3": np.asarray(volume[term]) / VOLUME for name, term in names.items() if term in volume}
    if "streamflow" in volume:
        flow = np.asarray(volume["streamflow"]) / VOLUME
        out["net_et_to_streamflow"] = ratio(columns["et_1e9m3"] - columns["precipitation_1e9m3"], flow)
        out["et_to_streamflow"] = ratio(columns["et_1e9m3"], flow)
    if "lake_area" in volume:
        out["lake_area_km2"] = np.asarray(volume["lake_area"]) / 1.0e6
        out["lake_evaporation_mm"] = 1000.0 * ratio(volume["lake_evaporation"], volume["lake_area"])
    return out


__all__ = ["COLUMNS", "Column", "area_mean", "ratio", "river_columns", "to_volume", "water_columns"]
