"""Regions by name: boxes of latitude and longitude over which scores are summed up."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pyland.base.errors import InputError

WHOLE = "all"
"""Name of the whole domain, which is always there."""

_FORMAT = "expected NAME=SOUTH,NORTH,WEST,EAST in degrees, such as foothills=38.2,38.9,99.5,100.5"


@dataclass(frozen=True)
class Region:
    """A box of latitude and longitude.

    Parameters
    ----------
    name : str
        Letters, digits, ``_`` and ``-``; not ``all``.
    south, north : float
        Bounds [degrees north], both within.
    west, east : float
        Bounds [degrees east], both within, from -180 to 360; a box whose east is below its west goes across the date
        line.

    Raises
    ------
    InputError
        If the name or a bound is wrong.
    """

    name: str
    south: float
    north: float
    west: float
    east: float

    def __post_init__(self) -> None:
        """Check the bounds."""
        if not re.fullmatch(r"[\w-]+", self.name) or self.name == WHOLE:
            raise InputError(
                f"Region '{self.name}': expected a name of letters, digits, _ and -, other than '{WHOLE}', which is "
                "the whole domain."
            )
        if not -90.0 <= self.south <= self.north <= 90.0:
            raise InputError(
                f"Region '{self.name}': expected -90 <= south <= north <= 90, got {self.south:g} and {self.north:g}."
            )
        if not all(-180.0 <= one <= 360.0 for one in (self.west, self.east)):
            raise InputError(
                f"Region '{self.name}': expected west and east from -180 to 360, got {self.west:g} and {self.east:g}."
            )

    def contains(self, latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
        """Return which places lie within, of the shape of the coordinates [degrees]; not those that are NaN."""
        width = self.east - self.west if self.east >= self.west else self.east - self.west + 360.0
        return (latitude >= self.south) & (latitude <= self.north) & (np.mod(longitude - self.west, 360.0) <= width)


def parse_region(text: str) -> Region:
    """Read a region from ``NAME=SOUTH,NORTH,WEST,EAST``.

    Raises
    ------
    InputError
        If the text or a bound is wrong.
    """
    name, found, bounds = text.partition("=")
    try:
        south, north, west, east = (float(one) for one in bounds.split(","))
    except ValueError:
        raise InputError(f"--region {text}: {_FORMAT}.") from None
    if not found:
        raise InputError(f"--region {text}: {_FORMAT}.")
    return Region(name.strip(), south, north, west, east)


def check_names(regions: Iterable[Region]) -> list[Region]:
    """Return regions as a list; InputError if two have one name."""
    out = list(regions)
    names = [one.name for one in out]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"Regions: expected unique names, got {', '.join(twice)} more than once.")
    return out
