"""Section ``rivers``: routing of runoff, gauges and terminal lakes."""

from __future__ import annotations

from pydantic import model_validator

from pyland.config.fields import Problem, Problems, Section, key

RIVER_VARIABLES = ("discharge", "river_storage", "lake_volume", "lake_area", "lake_evaporation")
"""Output variables that need rivers."""


class PlaceSection(Section):
    """A place on the grid, by latitude and longitude or by x and y."""

    name: str = key("", "name in messages and output; unique", kind="text")
    latitude: float | None = key(None, "latitude", unit="degree", at_least=-90, at_most=90)
    longitude: float | None = key(None, "longitude, positive east", unit="degree", at_least=-180, at_most=360)
    x: float | None = key(None, "east of the middle of the domain; instead of longitude", unit="m")
    y: float | None = key(None, "north of the middle of the domain; instead of latitude", unit="m")

    @model_validator(mode="after")
    def _check_place(self) -> PlaceSection:
        keys = ("latitude", "longitude", "x", "y")
        given = [name for name in keys if getattr(self, name) is not None]
        problems: list[Problem] = []
        if given not in (["latitude", "longitude"], ["x", "y"]):
            got = " and ".join(given) or "nothing"
            problems.append(("", f"expected latitude and longitude, or x and y, got {got}", keys))
        if not self.name:
            problems.append(("name", "expected a name, got nothing", ("name",)))
        if problems:
            raise Problems(problems)
        return self


class GaugeSection(PlaceSection):
    """A gauge: where discharge is written at every routing step."""

    snap: float = key(
        0.0,
        "the cell with the largest upstream area within this distance is taken; 0 is the cell of the place",
        unit="m",
        at_least=0,
    )


class HypsometrySection(Section):
    """Area of a lake: reference_area * (volume / reference_volume) ** exponent."""

    reference_area: float | None = key(
        None, "area at the reference volume; null: the lake has the area of its cell", unit="m2", above=0
    )
    reference_volume: float | None = key(None, "volume at the reference area", unit="m3", above=0)
    exponent: float = key(
        0.667, "power of the volume: 0.667 for a cone, 0.5 for a trough, 0 for vertical shores", unit="1",
        at_least=0, at_most=1,
    )

    @model_validator(mode="after")
    def _check_pair(self) -> HypsometrySection:
        if (self.reference_area is None) != (self.reference_volume is None):
            missing = "reference_area" if self.reference_area is None else "reference_volume"
            both = ("reference_area", "reference_volume")
            raise Problems([(missing, "expected reference_area and reference_volume together, got one of them", both)])
        return self


class LakeSection(PlaceSection, HypsometrySection):
    """A lake whose place is given; directions from elevation make its cell a sink."""

    exponent: float | None = key(
        None, "power of the volume; null is lakes.exponent", unit="1", at_least=0, at_most=1
    )
    initial_volume: float = key(0.0, "volume at the start", unit="m3", at_least=0)
    spill_volume: float | None = key(
        None, "volume above which the lake spills over its rim; null: it never does", unit="m3", above=0
    )


class LakesSection(HypsometrySection):
    """Terminal lakes of endorheic basins, at all sinks of the network."""

    evaporation: str = key(
        "priestley_taylor", "evaporation of open water", choices=("priestley_taylor", "penman", "none")
    )
    at: list[LakeSection] = key(list, "lakes that differ from the others, or lie where there is no sink", factory=True)

    @model_validator(mode="after")
    def _check_exponent(self) -> LakesSection:
        """Refuse an exponent of a lake of fixed area."""
        if self.reference_area is not None:
            return self
        entries = [("exponent", self), *((f"at.{place}.exponent", entry) for place, entry in enumerate(self.at))]
        problems = [
            (path, "expected reference_area and reference_volume with an exponent, got none", (path, "reference_area"))
            for path, entry in entries
            if entry.changes("exponent") and entry.reference_area is None
        ]
        if problems:
            raise Problems(problems)
        return self


class DirectionsSection(Section):
    """Drainage directions: of steepest descent, or from a file."""

    file: str | None = key(None, "netCDF file on the grid of the domain; null takes the elevation", kind="path")
    variable: str = key("flow_direction", "name of the variable (y, x) in the file", kind="text")
    convention: str = key(
        "esri",
        "codes: esri (1 E, 2 SE, 4 S, ... 128 NE; 0 outlet, -1 or 255 sink; also MERIT and HydroSHEDS), parflow "
        "(1 S, 2 W, 3 N, 4 E, 0 pit) or pcraster (number pad, 5 pit)",
        choices=("esri", "parflow", "pcraster"),
    )
    fill_depth: float | None = key(
        None,
        "depressions of the elevation up to this depth are filled, deeper ones end in a lake; null fills all",
        unit="m",
        at_least=0,
    )

    @model_validator(mode="after")
    def _check(self) -> DirectionsSection:
        if self.file is None:
            wrong = [name for name in ("variable", "convention") if self.changes(name)]
            what = "belongs to directions.file, which is not given"
        else:
            wrong = [name for name in ("fill_depth",) if self.changes(name)]
            what = "belongs to directions from elevation; the file says which cells are sinks"
        if wrong:
            raise Problems([(name, f"expected no {name}: it {what}", (name, "file")) for name in wrong])
        return self


class WidthSection(Section):
    """Width of channels: scale * (upstream area / 1 km2) ** exponent, or from a file."""

    scale: float = key(1.0, "width at 1 km2 of upstream area", unit="m", above=0, at_most=1000)
    exponent: float = key(0.5, "power of the upstream area", unit="1", at_least=0, at_most=1)
    file: str | None = key(None, "netCDF file on the grid of the domain; null takes the law", kind="path")
    variable: str = key("river_width", "name of the variable (y, x) [m] in the file", kind="text")

    @model_validator(mode="after")
    def _check(self) -> WidthSection:
        names, what = (("variable",), "belongs to width.file, which is not given")
        if self.file is not None:
            names, what = (("scale", "exponent"), "has no effect with width.file")
        problems = [(name, f"expected no {name}: it {what}", (name, "file")) for name in names if self.changes(name)]
        if problems:
            raise Problems(problems)
        return self


class RiversSection(Section):
    """Routing of surface and subsurface runoff to gauges and terminal lakes."""

    scheme: str = key(
        "none",
        "linear: reservoirs with a travel time; kinematic: kinematic wave in rectangular channels; none: no rivers",
        choices=("none", "linear", "kinematic"),
    )
    step: float | None = key(
        None, "routing step, a whole number of time.step; null is time.step", unit="s", above=0, at_most=86400
    )
    substep: float = key(
        900.0, "longest sub-step; any is stable, short ones resolve waves", unit="s", above=0, at_most=86400
    )
    directions: DirectionsSection = key(DirectionsSection, "where cells drain to", factory=True)
    velocity: float = key(0.35, "velocity of water; scheme linear", unit="m s-1", above=0, at_most=20)
    manning: float = key(0.03, "Manning's roughness; scheme kinematic", unit="s m-1/3", above=0, at_most=1)
    width: WidthSection = key(WidthSection, "width of channels; scheme kinematic", factory=True)
    smallest_slope: float = key(
        1e-4, "slope of channels on flats; scheme kinematic", unit="1", above=0, at_most=1
    )
    gauges: list[GaugeSection] = key(list, "where discharge is written", factory=True)
    lakes: LakesSection = key(LakesSection, "terminal lakes", factory=True)

    @model_validator(mode="after")
    def _check(self) -> RiversSection:
        problems: list[Problem] = []
        for path, entries in (("gauges", self.gauges), ("lakes.at", self.lakes.at)):
            names = [entry.name for entry in entries]
            problems += [
                (f"{path}.{place}.name", f"expected a unique name, got '{name}' again", (f"{path}.{place}",))
                for place, name in enumerate(names)
                if name in names[:place]
            ]
        foreign = {"linear": ("manning", "width", "smallest_slope"), "kinematic": ("velocity",)}.get(self.scheme, ())
        problems += [
            (name, f"expected no {name} with rivers.scheme: {self.scheme}; it has no effect there", (name, "scheme"))
            for name in foreign
            if self.changes(name)
        ]
        if self.scheme == "none":
            problems += [
                (name, f"expected a rivers.scheme (linear or kinematic) with {name}, got none", (name, "scheme"))
                for name in type(self).model_fields
                if name != "scheme" and self.changes(name)
            ]
        if problems:
            raise Problems(problems)
        return self
