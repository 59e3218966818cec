"""Zones of a run as its case names them: covers, bands, basins, or a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.config.diagnose_balance import BalanceSection
from pyland.diagnose.zones import (
    Zones,
    band_edges,
    basin_zones,
    domain_zone,
    elevation_zones,
    land_cover_zones,
    map_zones,
    polygon_zones,
)


def zones_of_case(section: BalanceSection, domain: xr.Dataset) -> list[Zones]:
    """Return the zones that a case asks for.

    Parameters
    ----------
    section : BalanceSection
        ``diagnose.balance``.
    domain : xarray.Dataset
        ``domain.nc`` of the run.

    Raises
    ------
    InputError
        If the run has no such zones, or the file of zones cannot be read or does not fit.
    """
    found: dict[str, Zones] = {}
    out = []
    for name in section.zones:
        parts = name.split("/")
        for part in parts:
            if part not in found:
                found[part] = _zones(part, section, domain)
        out.append(found[parts[0]] if len(parts) == 1 else found[parts[1]].within(found[parts[0]]))
    return out


def _zones(name: str, section: BalanceSection, domain: xr.Dataset) -> Zones:
    if name == "elevation":
        bands = section.elevation_bands
        return elevation_zones(domain, bands if isinstance(bands, list) else band_edges(domain, bands))
    if name == "file":
        return read_zones(str(section.file), domain, section.variable, section.name_property)
    return {"domain": domain_zone, "land_cover": land_cover_zones, "basin": basin_zones}[name](domain)


def read_zones(path: str | Path, domain: xr.Dataset, variable: str = "zone", name_property: str = "name") -> Zones:
    """Read zones from a file.

    Parameters
    ----------
    path : path
        NetCDF with a map of whole numbers on the grid of the run (``flag_values`` and ``flag_meanings`` name them), or
        GeoJSON with polygons (RFC 7946: longitude and latitude in degrees, WGS 84).
    domain : xarray.Dataset
        ``domain.nc`` of the run.
    variable : str
        Variable of the map.
    name_property : str
        Property of a feature that names its zone; features of one name are one zone.

    Raises
    ------
    InputError
        If the file is missing, damaged, or does not fit the run.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: there is no such file of zones; name one in diagnose.balance.file, or "
                         "for alarms in cycle.alarms.zones.")
    try:
        if path.suffix.lower() in (".json", ".geojson"):
            return polygon_zones(domain, read_polygons(path, name_property))
        return _map(path, domain, variable)
    except InputError as error:
        raise InputError(str(error) if str(error).startswith(str(path)) else f"{path}: {error}") from None


def read_polygons(path: Path, name_property: str = "name") -> dict[str, list[list[np.ndarray]]]:
    """Return the polygons of a GeoJSON file by name: rings (vertex, 2) of longitude and latitude [degrees]."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: the file cannot be read as GeoJSON ({error}).") from None
    features = content.get("features", [content]) if isinstance(content, dict) else None
    if not features:
        raise InputError(f"{path}: expected a GeoJSON feature collection with polygons, got none.")
    out: dict[str, list[list[np.ndarray]]] = {}
    for place, feature in enumerate(features, start=1):
        name = str((feature.get("properties") or {}).get(name_property) or f"zone {place}")
        out.setdefault(name, []).extend(polygons_of(feature, f"{path}: feature '{name}'"))
    return out


def polygons_of(feature: dict[str, Any], where: str = "GeoJSON") -> list[list[np.ndarray]]:
    """Return the polygons of a GeoJSON feature or geometry, each a list of rings, the outer one first.

    Raises
    ------
    InputError
        If it is no polygon.
    """
    geometry = feature.get("geometry", feature) or {}
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind not in ("Polygon", "MultiPolygon") or not coordinates:
        raise InputError(f"{where}: expected a Polygon or MultiPolygon, got {kind or 'nothing'}.")
    try:
        return [[np.asarray([point[:2] for point in ring], dtype=float) for ring in polygon]
                for polygon in ([coordinates] if kind == "Polygon" else coordinates)]
    except (TypeError, ValueError, IndexError) as error:
        raise InputError(f"{where}: its coordinates are no rings of numbers ({error}).") from None


def _map(path: Path, domain: xr.Dataset, variable: str) -> Zones:
    """Return the zones of a map."""
    try:
        with netCDF4.Dataset(path) as data:
            if variable not in data.variables:
                raise InputError(f"{path}: expected a variable '{variable}' (diagnose.balance.variable); the file has "
                                 f"{', '.join(data.variables)}.")
            source = data[variable]
            codes = np.ma.filled(np.ma.asarray(source[...], dtype=float), np.nan)
            names = None
            if "flag_meanings" in source.ncattrs():
                words = str(source.getncattr("flag_meanings")).split()
                values = np.atleast_1d(source.getncattr("flag_values")) if "flag_values" in source.ncattrs() else (
                    np.arange(len(words)))
                names = {int(code): word for code, word in zip(values, words, strict=True)}
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: the file of zones cannot be read ({error}).") from None
    return map_zones(domain, codes, names)
