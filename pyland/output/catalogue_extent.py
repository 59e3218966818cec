"""Where and when products are, as a catalogue writes it: boxes and polygons of GeoJSON, times of RFC 3339."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from pyland.base.errors import InputError

Box = list[float]
"""West, south, east, north [degrees]; west above east goes across the date line (RFC 7946, section 5.2)."""


def box_of_places(latitude: np.ndarray, longitude: np.ndarray) -> Box:
    """Return the smallest box around places.

    Parameters
    ----------
    latitude, longitude : numpy.ndarray
        Places [degrees north, degrees east]; those that are not finite do not count.

    Returns
    -------
    list of float
        West and east from -180 to 180. On the circle of longitudes the widest gap between places stays outside.

    Raises
    ------
    InputError
        If there is no place.
    """
    north, east = np.ravel(np.asarray(latitude, float)), np.ravel(np.asarray(longitude, float))
    known = np.isfinite(north) & np.isfinite(east)
    if not known.any():
        raise InputError("Catalogue: expected at least one place with latitude and longitude, got none.")
    circle = np.unique(np.mod(east[known], 360.0))
    gaps = np.diff(circle, append=circle[0] + 360.0)
    widest = int(np.argmax(gaps))
    ends = circle[(widest + 1) % circle.size], circle[widest]
    west, east_end = (float(np.where(one > 180.0, one - 360.0, one)) for one in ends)
    return [west, float(north[known].min()), east_end, float(north[known].max())]


def joined_box(boxes: Iterable[Box]) -> Box:
    """Return a box around boxes; from -180 to 180 where one of them goes across the date line."""
    sides = np.array(list(boxes), float)
    south, north = float(sides[:, 1].min()), float(sides[:, 3].max())
    if (sides[:, 0] > sides[:, 2]).any():
        same = (sides == sides[0]).all()
        return sides[0].tolist() if same else [-180.0, south, 180.0, north]
    return [float(sides[:, 0].min()), south, float(sides[:, 2].max()), north]


def geometry_of(box: Box) -> dict[str, Any]:
    """Return a box as a geometry of GeoJSON: a point, a polygon, or two where it goes across the date line."""
    west, south, east, north = box
    if west == east and south == north:
        return {"type": "Point", "coordinates": [west, south]}
    if west > east:
        return {"type": "MultiPolygon",
                "coordinates": [[_ring(west, south, 180.0, north)], [_ring(-180.0, south, east, north)]]}
    return {"type": "Polygon", "coordinates": [_ring(west, south, east, north)]}


def _ring(west: float, south: float, east: float, north: float) -> list[list[float]]:
    """Return the corners of a box against the clock, the first again at the end (RFC 7946, section 3.1.6)."""
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def utc_text(moment: Any) -> str:
    """Return a time [UTC] as RFC 3339 has it: ``2020-06-01T00:00:00Z``."""
    return f"{np.datetime64(moment, 's')}Z"


def duration_words(seconds: float) -> str:
    """Return a duration [s] as ISO 8601 has it: ``P10D``, ``PT6H``, ``P1DT12H``."""
    days, rest = divmod(round(seconds), 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    clock = "".join(f"{count}{unit}" for count, unit in ((hours, "H"), (minutes, "M"), (left, "S")) if count)
    return "P" + (f"{days}D" if days else "") + (f"T{clock}" if clock else "") if days or clock else "PT0S"
