"""Water balance of some cells over a period, as means over their area."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pyland.base.errors import InputError

if TYPE_CHECKING:
    from pyland.view.web_server.viewed_run import ViewedRun

MOST_CORNERS = 20_000
"""Most corners of a polygon."""

_AT_ONCE = 64


def balance_terms(run: ViewedRun) -> list[dict[str, Any]]:
    """Return the water terms of ``balance.nc`` per area and interval [kg m-2], as far as the file has them."""
    from pyland.diagnose.balance_table import WATER_TERMS

    there = run.balance.map_variables()
    return [{"id": name, "label": str(run.balance.attributes(name).get("long_name", name)), "units": "kg m-2"}
            for name in WATER_TERMS if name in there]


def balance_of_cells(
    run: ViewedRun, cells: np.ndarray, name: str, period: tuple[np.datetime64 | None, np.datetime64 | None]
) -> dict[str, Any]:
    """Return the water balance of some cells, with the columns of ``pyland diagnose CASE balance``.

    Parameters
    ----------
    run : ViewedRun
        Run with a balance per cell.
    cells : numpy.ndarray of bool, shape (y, x)
        Cells that count.
    name : str
        Of the zone.
    period : tuple of numpy.datetime64 or None
        Records whose intervals lie within it count.

    Returns
    -------
    dict
        ``columns`` that have a value, and one row; number of cells, area [m2], period.

    Raises
    ------
    InputError
        If the run has no such balance, or no cell or no record counts.
    """
    if not run.has_balance:
        raise InputError(f"{run.title}: no water balance per cell; runs of columns have one in balance.nc.")
    area = np.where(cells, run.domain.area, 0.0)
    if not area.any():
        raise InputError("no modelled cell lies within the zone.")
    chosen = records_within(run, period)
    values = _with_rivers(run, area, name, period) if _has_rivers(run) else _of_columns(run, area, chosen)
    from pyland.diagnose.balance_columns import COLUMNS

    shown = [
        (one, float(values[one.id])) for one in COLUMNS["water"] if one.id in values and np.isfinite(values[one.id])
    ]
    span = (run.balance.time_starts[chosen[0]], run.balance.times[chosen[-1]])
    return {
        "columns": [{"id": "zone", "label": "zone", "units": ""},
                    *({"id": one.id, "label": one.label, "units": one.units} for one, _ in shown)],
        "rows": [[name, *(float(f"{value:.7g}") for _, value in shown)]], "cells": int((area > 0).sum()),
        "area": float(area.sum()), "period": [f"{one}Z" for one in span],
    }


def _of_columns(run: ViewedRun, area: np.ndarray, chosen: np.ndarray) -> dict[str, float]:
    """Return the columns of a zone without rivers; only the rectangle around its cells is read."""
    from pyland.diagnose.balance_columns import water_columns

    rows, columns = (slice(int(one.min()), int(one.max()) + 1) for one in np.nonzero(area))
    weight = area[rows, columns] / area.sum()
    place = (columns, None) if run.grid.kind == "sites" else (rows, columns)
    depth = {}
    for term in balance_terms(run):
        total = 0.0
        for low in range(chosen[0], chosen[-1] + 1, _AT_ONCE):
            high = min(low + _AT_ONCE, chosen[-1] + 1)
            block = run.balance.read_block(term["id"], None, *place, low, high, np.float64)
            block = block.reshape(block.shape[0], *weight.shape)
            total += float((np.where(weight > 0.0, block, 0.0) * weight).sum())
        depth[term["id"]] = np.array([total])
    found = {name: one[0] for name, one in water_columns(depth, np.array([area.sum()])).items()}
    found["area_km2"] = area.sum() / 1.0e6
    height = run.domain.fields.get("elevation")
    if height is not None:
        found["elevation_m"] = float((np.where(area > 0.0, height, 0.0) * area).sum() / area.sum())
    return found


def _has_rivers(run: ViewedRun) -> bool:
    return run.balance.has("river_outflow") and "downstream_cell" in run.domain.fields and len(run.balance.paths) == 1


def _with_rivers(
    run: ViewedRun, area: np.ndarray, name: str, period: tuple[np.datetime64 | None, np.datetime64 | None]
) -> dict[str, float]:
    """Return the columns of a zone with what rivers bring and take: the whole file is read."""
    import xarray as xr

    from pyland.base.netcdf_access import NETCDF_ACCESS
    from pyland.diagnose.balance_table import balance_table
    from pyland.diagnose.zones import OUTSIDE, Zones
    from pyland.output.domain_fields import read_domain_fields

    with NETCDF_ACCESS, xr.open_dataset(run.balance.paths[0]) as balance:
        domain = read_domain_fields(run.folder)
        zones = Zones("view", (name,), np.where(area > 0, 0, OUTSIDE), np.where(area > 0, area, np.nan))
        table = balance_table(balance, domain, zones, period)
    return {column: float(values[0, 0]) for column, values in table.values.items()}


def records_within(run: ViewedRun, period: tuple[np.datetime64 | None, np.datetime64 | None]) -> np.ndarray:
    """Return the numbers of the records of the balance whose intervals lie within a period; they follow each other."""
    from pyland.diagnose.records import records_of_period

    bounds = np.stack([run.balance.time_starts, run.balance.times], axis=1)
    return np.flatnonzero(records_of_period(bounds, period, "balance.nc"))


def read_period(given: Mapping[str, Any]) -> tuple[np.datetime64 | None, np.datetime64 | None]:
    """Return the period of a request, ``from`` and ``to``; None is open.

    Raises
    ------
    InputError
        If one is no instant.
    """
    out = []
    for name in ("from", "to"):
        text = given.get(name)
        try:
            out.append(None if text in (None, "") else np.datetime64(str(text).removesuffix("Z"), "s"))
        except ValueError:
            raise InputError(f"{name}: expected an instant such as 2020-01-31T00:00Z, got '{text}'.") from None
    return out[0], out[1]


def polygon_of(body: Any) -> list[list[np.ndarray]]:
    """Return the rings of the polygons of a request: GeoJSON Polygon or MultiPolygon, or a Feature with one.

    Raises
    ------
    InputError
        If it is none, or has too many corners.
    """
    geometry = body.get("polygon") if isinstance(body, dict) else None
    if isinstance(geometry, dict) and geometry.get("type") == "Feature":
        geometry = geometry.get("geometry")
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    parts = {"Polygon": lambda: [geometry["coordinates"]], "MultiPolygon": lambda: geometry["coordinates"]}.get(kind)
    if parts is None:
        raise InputError("polygon: expected a GeoJSON Polygon or MultiPolygon, or a Feature with one.")
    try:
        rings = [[np.array([corner[:2] for corner in ring], float).reshape(-1, 2) for ring in part] for part in parts()]
    except (KeyError, TypeError, ValueError, IndexError):
        raise InputError("polygon: expected rings of corners [longitude, latitude] in degrees.") from None
    corners = sum(len(ring) for part in rings for ring in part)
    if not 0 < corners <= MOST_CORNERS or any(
        len(ring) < 3 or not np.isfinite(ring).all() for part in rings for ring in part
    ):
        raise InputError(
            f"polygon: expected rings of three or more corners, {MOST_CORNERS} at most in all; got {corners}."
        )
    return rings


def polygon_cells(run: ViewedRun, polygons: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """Return the cells whose centres lie in polygons (an outer ring, then holes), bool of shape (y, x)."""
    from pyland.diagnose.zones import cells_in_polygon

    latitude, longitude = run.grid.latitude, run.grid.longitude
    inside = np.zeros(latitude.shape, bool)
    for outer, *holes in polygons:
        part = cells_in_polygon(latitude, longitude, outer)
        for hole in holes:
            part &= ~cells_in_polygon(latitude, longitude, hole)
        inside |= part
    return inside
