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
    """Return the water terms of the run: amounts per area and interval [kg m-2], in the order of the file."""
    out = []
    for name, dimensions in run.balance.map_variables().items():
        about = run.balance.attributes(name)
        if about.get("units") == "kg m-2" and "sum" in str(about.get("cell_methods", "")) and "time" in dimensions:
            out.append({"id": name, "label": str(about.get("long_name", name)), "units": "kg m-2"})
    return out


def balance_of_cells(
    run: ViewedRun, cells: np.ndarray, name: str, period: tuple[np.datetime64 | None, np.datetime64 | None]
) -> dict[str, Any]:
    """Return the balance of some cells.

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
        ``columns`` and one row [kg m-2, mean over the area]; number of cells, area [m2], period.

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
    rows, columns = (slice(int(one.min()), int(one.max()) + 1) for one in np.nonzero(area))
    weight = area[rows, columns] / area.sum()
    terms = balance_terms(run)
    values = []
    is_list = run.grid.kind == "sites"
    for term in terms:
        total = 0.0
        for low in range(chosen[0], chosen[-1] + 1, _AT_ONCE):
            block = run.balance.read_block(term["id"], None, *((columns, None) if is_list else (rows, columns)), low,
                                           min(low + _AT_ONCE, chosen[-1] + 1))
            total += float((np.nan_to_num(block.reshape(block.shape[0], *weight.shape).astype(float)) * weight).sum())
        values.append(total)
    times, starts = run.balance.times, run.balance.time_starts
    span = [str(starts[chosen[0]]), str(times[chosen[-1]])]
    return {
        "columns": [{"id": "zone", "label": "zone", "units": ""}, *terms],
        "rows": [[name, *(float(f"{one:.7g}") for one in values)]], "cells": int((area > 0).sum()),
        "area": float(area.sum()), "period": [f"{one}Z" for one in span],
    }


def records_within(run: ViewedRun, period: tuple[np.datetime64 | None, np.datetime64 | None]) -> np.ndarray:
    """Return the numbers of the records of the balance whose intervals lie within a period; they follow each other."""
    first, last = period
    inside = np.ones(len(run.balance.times), bool)
    if first is not None:
        inside &= run.balance.time_starts >= first
    if last is not None:
        inside &= run.balance.times <= last
    if not inside.any():
        times = run.balance.times
        there = f"{times[0]} to {times[-1]}" if len(times) else "none"
        raise InputError(f"no record of the balance lies between {first} and {last}; there are {there}.")
    return np.flatnonzero(inside)


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
    """Return the cells whose centres lie in polygons (holes are left out), bool of shape (y, x)."""
    latitude, longitude = run.grid.latitude, run.grid.longitude
    inside = np.zeros(latitude.shape, bool)
    for rings in polygons:
        part = np.zeros(latitude.shape, bool)
        for ring in rings:
            part ^= _within_ring(latitude, longitude, ring)
        inside |= part
    return inside


def _within_ring(latitude: np.ndarray, longitude: np.ndarray, ring: np.ndarray) -> np.ndarray:
    """Return which places lie in a ring, by the parity of the edges that a line to the east crosses."""
    east = (ring[:, 0] - longitude.mean() + 180.0) % 360.0 - 180.0 + longitude.mean()
    inside = np.zeros(latitude.shape, bool)
    for number in range(len(ring)):
        (x0, y0), (x1, y1) = (east[number], ring[number, 1]), (east[number - 1], ring[number - 1, 1])
        if y0 == y1:
            continue
        crosses = (y0 > latitude) != (y1 > latitude)
        inside ^= crosses & (longitude < x0 + (latitude - y0) * (x1 - x0) / (y1 - y0))
    return inside
