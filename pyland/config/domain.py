"""Section ``domain``: where the cells are and how deep the ground is."""

from __future__ import annotations

from pydantic import model_validator

from pyland.config.fields import Problem, Problems, Section, key


class GeneratedElevationSection(Section):
    """A smooth seeded random relief."""

    base: float = key(300.0, "lowest elevation", unit="m", at_least=-500, at_most=9000)
    relief: float = key(200.0, "highest minus lowest elevation", unit="m", at_least=0, at_most=9000)
    length: float | None = key(None, "width of hills and valleys; null is a third of the domain", unit="m", above=0)
    seed: int = key(1, "seed of the random field", kind="integer", at_least=0)


class ElevationSection(Section):
    """Elevation of the cells that is not one number: random, or from a file."""

    generate: GeneratedElevationSection | None = key(None, "a smooth seeded random relief")
    file: str | None = key(None, "netCDF file with the elevation on the grid of the domain", kind="path")
    variable: str = key("elevation", "name of the variable (y, x) [m] in the file", kind="text")

    @model_validator(mode="after")
    def _check(self) -> ElevationSection:
        if (self.generate is None) == (self.file is None):
            got = "neither" if self.file is None else "both"
            raise Problems([("", f"expected either generate or file, got {got}", ("generate", "file"))])
        if self.file is None and self.changes("variable"):
            raise Problems([("variable", "expected no variable: it belongs to elevation.file", ("variable", "file"))])
        return self


class SlopesSection(Section):
    """Slopes of the land, positive where it rises to the east (x) or to the north (y).

    The value of a cell is that of its face to the east (x) or to the north (y).
    """

    x: float | None = key(None, "slope to the east of all cells", unit="1", at_least=-10, at_most=10)
    y: float | None = key(None, "slope to the north of all cells", unit="1", at_least=-10, at_most=10)
    file: str | None = key(
        None, "netCDF file on the grid of the domain, or a PFB file of ParFlow with slopes to the east", kind="path"
    )
    file_y: str | None = key(None, "PFB file with slopes to the north", kind="path")
    variable_x: str = key("slope_x", "name of the slope to the east (y, x) in the file", kind="text")
    variable_y: str = key("slope_y", "name of the slope to the north (y, x) in the file", kind="text")
    least: float = key(
        1e-4, "slope on flats and in filled depressions, along the way out; slopes from the elevation", unit="1",
        above=0, at_most=1,
    )

    @property
    def is_from_elevation(self) -> bool:
        """Whether neither numbers nor a file are given."""
        return self.x is None and self.y is None and self.file is None

    @property
    def is_pfb(self) -> bool:
        """Whether the file is one of ParFlow."""
        return self.file is not None and self.file.lower().endswith(".pfb")

    @model_validator(mode="after")
    def _check(self) -> SlopesSection:
        problems: list[Problem] = []
        numbers = [name for name in ("x", "y") if getattr(self, name) is not None]
        if self.file is not None:
            problems += [(name, f"expected no {name} beside file", (name, "file")) for name in numbers]
        names = [name for name in ("variable_x", "variable_y") if self.changes(name)]
        if self.file is None or self.is_pfb:
            problems += [(name, f"expected no {name} without a netCDF file", (name, "file")) for name in names]
        if self.is_pfb and self.file_y is None:
            problems.append(("file_y", "expected a PFB file with the slopes to the north, got nothing",
                             ("file_y", "file")))
        if self.file_y is not None and not self.is_pfb:
            problems.append(("file_y", "expected no file_y: a netCDF file holds both slopes", ("file_y", "file")))
        if not self.is_from_elevation and self.changes("least"):
            problems.append(("least", "expected no least: it belongs to slopes from the elevation",
                             ("least", "x", "y", "file")))
        if problems:
            raise Problems(problems)
        return self


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
        "height above sea level; a number, {generate: {...}} or {file: ..., variable: ...}",
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
    slopes: SlopesSection | None = key(
        None, "slopes of the land, given or from a file; null: from the elevation; subsurface.mode: distributed"
    )
    file: str | None = key(
        None, "netCDF file with latitude, longitude, elevation, mask and soil fields; type file only", kind="path"
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
                    f"expected a number [m] with domain.type: {self.type}, got a mapping",
                    ("elevation", "type"),
                )
            )
        if problems:
            raise Problems(problems)
        return self
