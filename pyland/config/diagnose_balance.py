"""Section ``diagnose.balance``: zones and periods of balance tables."""

from __future__ import annotations

from typing import Any

from pydantic import field_validator, model_validator

from pyland.base.text import one_of, shown, suggestion
from pyland.config.fields import Problems, Section, key

ZONES = ("domain", "land_cover", "elevation", "basin", "file")
"""What parts a domain into zones."""

EVERY = ("period", "mean_year", "year", "season", "month")
"""Periods of the rows of a table."""


class BalanceSection(Section):
    """Tables of ``pyland diagnose CASE balance``."""

    zones: list[str] = key(
        lambda: ["domain", "land_cover"],
        "one table for each: domain, land_cover, elevation, basin (needs rivers), file, or one within another, such as "
        "basin/land_cover",
        factory=True,
    )
    every: list[str] = key(
        lambda: ["period"], "rows for each of: period (all of it), mean_year, year, season, month", factory=True)
    elevation_bands: float | list[float] = key(
        500.0, "height of the bands, or their edges", unit="m", kind="number_or_numbers")
    file: str | None = key(
        None, "zones of your own: a map (netCDF on the grid of the domain) or polygons (GeoJSON, degrees)", kind="path")
    variable: str = key("zone", "variable (y, x) of the map; flag_values and flag_meanings name its zones", kind="text")
    name_property: str = key("name", "property of a GeoJSON feature that names its zone", kind="text")

    @field_validator("zones", mode="before")
    @classmethod
    def _zones(cls, value: Any) -> Any:
        return _words(value, ZONES, parts=2)

    @field_validator("every", mode="before")
    @classmethod
    def _every(cls, value: Any) -> Any:
        return _words(value, EVERY, parts=1)

    @model_validator(mode="after")
    def _check(self) -> BalanceSection:
        asks = any("file" in one.split("/") for one in self.zones)
        problems = []
        if asks and self.file is None:
            problems.append(("file", "expected a file with zones: file, got nothing", ("zones", "file")))
        if self.file is not None and not asks:
            problems.append(("file", "expected 'file' among the zones with a file of zones", ("file", "zones")))
        bands = self.elevation_bands
        if isinstance(bands, list):
            if len(bands) < 2 or any(low >= high for low, high in zip(bands, bands[1:], strict=False)):
                problems.append(("elevation_bands", f"expected two or more ascending edges, got {shown(bands)}",
                                 ("elevation_bands",)))
        elif bands <= 0.0:
            problems.append(("elevation_bands", f"expected a height above 0, got {bands:g}", ("elevation_bands",)))
        if problems:
            raise Problems(problems)
        return self


def _words(value: Any, known: tuple[str, ...], parts: int) -> list[str]:
    """Return a list of words, or of words within words."""
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not value:
        raise ValueError(f"expected a list of {one_of(known)}, got {shown(value)}")
    for one in value:
        pieces = str(one).split("/")
        if len(pieces) > parts or len(set(pieces)) < len(pieces):
            raise ValueError(f"expected {one_of(known)}" + (", or one within another such as file/land_cover"
                                                            if parts > 1 else "") + f", got {shown(one)}")
        for piece in pieces:
            if piece not in known:
                raise ValueError(f"expected {one_of(known)}, got {shown(piece)}{suggestion(piece, known)}")
    return list(dict.fromkeys(map(str, value)))
