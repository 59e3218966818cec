"""Section ``domain``: where the cells are and how deep the ground is."""

from __future__ import annotations

from typing import Any

from pydantic import field_validator, model_validator

from pyland.config.fields import Problem, Problems, Section, key


class GeneratedElevationSection(Section):
    """A smooth seeded random relief."""

    base: float = key(300.0, "lowest elevation", unit="m", at_least=-500, at_most=9000)
    relief: float = key(200.0, "highest minus lowest elevation", unit="m", at_least=0, at_most=9000)
    length: float | None = key(None, "width of hills and valleys; null is a third of the domain", unit="m", above=0)
    seed: int = key(1, "seed of the random field", kind="integer", at_least=0)


class ElevationSection(Section):
    """Elevation of the cells that is not one number."""

    generate: GeneratedElevationSection = key(GeneratedElevationSection, "a smooth seeded random relief", factory=True)


class DomainSection(Section):
    """Cells and layers."""

    type: str = key(
        "site", "one place, a regular grid around it, or the cells of a netCDF file", choices=("site", "grid", "file")
    )
    latitude: float = key(
        43.3, "latitude of the site or of the centre of the grid", unit="degree", at_least=-90, at_most=90
    )
    longitude: float = key(
        3.0,
        "longitude of the site or of the centre of the grid, positive east",
        unit="degree",
        at_least=-180,
        at_most=360,
    )
    elevation: float | ElevationSection = key(
        0.0,
        "height above sea level; a number or {generate: {...}}",
        unit="m",
        kind="number_or_section",
        at_least=-500,
        at_most=9000,
    )
    nx: int = key(1, "cells from west to east", kind="integer", at_least=1)
    ny: int = key(1, "cells from south to north", kind="integer", at_least=1)
    dx: float = key(1000.0, "width of a cell from west to east", unit="m", above=0)
    dy: float = key(1000.0, "width of a cell from south to north", unit="m", above=0)
    layers: str | list[float] = key(
        "clm5",
        "thickness of the soil layers from the top; clm5 is 20 layers to 8.6 m",
        unit="m",
        kind="numbers",
        above=0,
        also=("clm5",),
    )
    bedrock_layers: int = key(
        5,
        "layers of rock below the soil that hold heat but no water; thickness of CLM5",
        kind="integer",
        at_least=0,
        at_most=5,
    )
    bedrock_thickness: list[float] | None = key(
        None,
        "thickness of the layers of rock instead, from the top; null takes the first bedrock_layers of CLM5",
        unit="m",
        kind="numbers",
        above=0,
    )
    mask: str | None = key(
        None, "netCDF file with a variable mask(y, x), 1 for cells that are modelled; grid only", kind="path"
    )
    slopes: None = key(None, "surface slopes; not available in this version (they need subsurface.mode: distributed)")
    file: str | None = key(
        None, "netCDF file with latitude, longitude, elevation, mask and soil fields; type file only", kind="path"
    )

    @field_validator("slopes", mode="before")
    @classmethod
    def _slopes(cls, value: Any) -> None:
        if value is not None:
            raise ValueError(
                "slopes are not available in this version: they belong to subsurface.mode: distributed; remove the key"
            )

    @model_validator(mode="after")
    def _check(self) -> DomainSection:
        problems: list[Problem] = []
        if self.type != "grid":
            problems += [
                (name, f"expected no {name} with domain.type: {self.type}; it belongs to type: grid", (name, "type"))
                for name in ("dx", "dy", "mask")
                if self.changes(name)
            ]
            problems += [
                (
                    name,
                    f"expected 1 with domain.type: {self.type}, got {getattr(self, name)}; did you mean type: grid?",
                    (name, "type"),
                )
                for name in ("nx", "ny")
                if getattr(self, name) != 1
            ]
        if self.type == "file":
            if self.file is None:
                problems.append(
                    ("file", "expected a netCDF file with domain.type: file, got nothing", ("file", "type"))
                )
            problems += [
                (name, f"expected no {name} with domain.type: file; it is read from the file", (name, "type"))
                for name in ("latitude", "longitude", "elevation")
                if self.changes(name)
            ]
        elif self.file is not None:
            problems.append(
                ("file", f"expected no file with domain.type: {self.type}; did you mean type: file?", ("file", "type"))
            )
        if self.bedrock_thickness is not None and self.changes("bedrock_layers"):
            problems.append(
                (
                    "bedrock_thickness",
                    "expected no bedrock_thickness beside bedrock_layers; the list says how many there are",
                    ("bedrock_layers", "bedrock_thickness"),
                )
            )
        if isinstance(self.elevation, ElevationSection) and self.type != "grid":
            problems.append(
                (
                    "elevation",
                    f"expected a number [m] with domain.type: {self.type}, got generate",
                    ("elevation", "type"),
                )
            )
        if problems:
            raise Problems(problems)
        return self
