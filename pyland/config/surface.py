"""Section ``surface``: vegetation patches and soil."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import Any

from pydantic import field_validator, model_validator

from pyland.base.text import one_of, shown
from pyland.config.fields import Problem, Problems, Section, key
from pyland.config.parflow import ParflowVegetationSection, SoilIndicatorSection
from pyland.config.plants import PLANT_PARAMETERS, VEGETATION_TYPES, registry_numbers
from pyland.config.texture import TextureSection

MAXIMUM_PATCHES = 4
"""Patches of a column, bare ground included: they are a short inner index."""

FRACTION_TOLERANCE = 1e-9
"""How far decimal fractions such as 0.1 + 0.2 + 0.7 may miss 1 by rounding [1]."""

_VAN_GENUCHTEN = ("residual_water", "van_genuchten_alpha", "van_genuchten_n")
_CLAPP_HORNBERGER = ("clapp_hornberger_b", "air_entry_head")
RETENTION_PARAMETERS = MappingProxyType(
    {
        "van_genuchten": ("porosity", "saturated_conductivity", *_VAN_GENUCHTEN),
        "clapp_hornberger": ("porosity", "saturated_conductivity", *_CLAPP_HORNBERGER),
    }
)
"""Hydraulic parameters of each retention curve (registry ids)."""


OTHER_SURFACES = ("glacier", "lake", "urban", "wetland")
"""Surfaces beside soil; a key of the section gives the share of each, ``<name>_fraction`` of a domain file too."""

_DEFAULT_STEMS = 0.1
"""Stem area where leaf area is given and stem area is not [1]."""


class IrrigationSection(Section):
    """Irrigation of a patch; the water comes from outside the column."""

    method: str = key(
        "drip", "where the water goes: above the canopy or on the ground", choices=("sprinkler", "flood", "drip")
    )
    demand: str = key(
        "deficit",
        "what is applied: the deficit of the root zone, an amount every day, or amounts on days of the year",
        choices=("deficit", "amount", "calendar"),
    )
    target: str = key(
        "field_capacity", "soil water that a deficit is filled to", choices=("field_capacity", "saturation")
    )
    threshold: float = key(
        1.0,
        "share between wilting point and target below which a deficit is filled",
        unit="1",
        at_least=0,
        at_most=1,
    )
    depth: float = key(0.6, "soil that counts for a deficit", unit="m", above=0, at_most=5)
    start: float = key(
        21600.0, "local solar time at which an application begins", unit="s", at_least=0, below=86400
    )
    duration: float = key(14400.0, "length of an application", unit="s", above=0, at_most=86400)
    amount: float | list[float] | None = key(
        None,
        "water of an application per area of the patch; with a calendar a number or one per day of days",
        unit="kg m-2",
        kind="number_or_numbers",
        at_least=0,
        at_most=500,
    )
    days: list[float] | None = key(
        None, "days of the year of a calendar, 1 to 366", kind="numbers", unit="1", at_least=1, at_most=366
    )

    @model_validator(mode="after")
    def _check(self) -> IrrigationSection:
        problems: list[Problem] = []
        if self.demand == "deficit":
            problems += [
                (name, f"expected no {name} with demand: deficit", (name, "demand"))
                for name in ("amount", "days")
                if getattr(self, name) is not None
            ]
        elif self.amount is None:
            problems.append(("amount", f"expected an amount with demand: {self.demand}, got nothing", ("demand",)))
        if self.demand == "amount" and (isinstance(self.amount, list) or self.days is not None):
            problems.append(("amount", "expected one number, and no days, with demand: amount", ("amount", "demand")))
        if self.demand == "calendar":
            days = self.days or []
            if not days or any(day != round(day) for day in days) or len(set(days)) < len(days):
                problems.append(
                    ("days", f"expected whole days of the year, each once, got {shown(self.days)}", ("days",))
                )
            if isinstance(self.amount, list) and len(self.amount) != len(days):
                problems.append(
                    (
                        "amount",
                        f"expected {len(days)} numbers, one for each of days, got {len(self.amount)}",
                        ("amount", "days"),
                    )
                )
        if problems:
            raise Problems(problems)
        return self


class AreaFileSection(Section):
    """Leaf or stem area from a file."""

    file: str = key(
        "", "netCDF file: a climatology of 12 months or of 46 times 8 days, or a dated series", kind="path"
    )
    variable: str = key(
        "", "its variable (time), (time, cell) or (time, y, x); each cell takes the nearest", kind="text"
    )

    @model_validator(mode="after")
    def _check(self) -> AreaFileSection:
        missing = [name for name in ("file", "variable") if not getattr(self, name)]
        if missing:
            raise Problems([("", f"expected file and variable, got no {' and no '.join(missing)}", tuple(missing))])
        return self


class ShareFileSection(Section):
    """Share of a patch that differs from cell to cell."""

    file: str = key("", "netCDF file on the grid of the domain", kind="path")
    variable: str = key("", "its variable (y, x): share of the cell [1]", kind="text")

    @model_validator(mode="after")
    def _check(self) -> ShareFileSection:
        missing = [name for name in ("file", "variable") if not getattr(self, name)]
        if missing:
            raise Problems([("", f"expected file and variable, got no {' and no '.join(missing)}", tuple(missing))])
        return self


class PatchSection(Section):
    """A part of each cell with one plant type."""

    type: str = key("c3_grass", "plant type", choices=tuple(VEGETATION_TYPES))
    fraction: float | ShareFileSection = key(
        1.0, "share of the soil of a cell, or {file, variable} for one that differs from cell to cell; what is left of "
        "1 is bare ground", unit="1", kind="number_or_section", at_least=0,
        at_most=1,
    )
    leaf_area_index: float | list[float] | AreaFileSection | None = key(
        None,
        "one-sided leaf area per ground area of the patch; a number, 12 monthly means or {file, variable}; null is the "
        "monthly table of the plant type",
        unit="1",
        kind="numbers_or_section",
        at_least=0,
        at_most=15,
        length=12,
    )
    stem_area_index: float | list[float] | AreaFileSection | None = key(
        None,
        "stems and dead leaves per ground area; a number, 12 monthly means or {file, variable}; null is the table of "
        "the plant type if the leaf area is, too, else 0.1",
        unit="1",
        kind="numbers_or_section",
        at_least=0,
        at_most=5,
        length=12,
    )
    canopy_top: float | None = key(
        None, "height of the canopy; null takes that of the plant type", unit="m", above=0, at_most=120
    )
    canopy_bottom: float | None = key(
        None,
        "height of the lowest leaves; null takes that of the plant type, in proportion to canopy_top",
        unit="m",
        at_least=0,
        at_most=100,
    )
    irrigation: IrrigationSection | None = key(None, "irrigation of the patch; null: none")
    parameters: dict[str, float] = key(
        dict, "plant parameters that replace those of the type, by registry id", factory=True
    )

    @field_validator("parameters", mode="before")
    @classmethod
    def _parameters(cls, value: Any) -> Any:
        return registry_numbers(value, PLANT_PARAMETERS, several=False)

    @model_validator(mode="after")
    def _check(self) -> PatchSection:
        leaves = self.leaf_area_index
        if self.type == "bare_ground" and leaves not in (None, 0):
            raise Problems(
                [("leaf_area_index", f"expected 0 on bare_ground, got {shown(leaves)}", ("leaf_area_index", "type"))]
            )
        low, high = self.heights
        if low >= high:
            text = f"expected a height below the canopy top ({high:g} m), got {low:g} m"
            raise Problems([("canopy_bottom", text, ("canopy_bottom", "canopy_top"))])
        return self

    @property
    def heights(self) -> tuple[float, float]:
        """Return bottom and top of the canopy [m]; a plant of another height than its type keeps their ratio."""
        _, top, bottom = VEGETATION_TYPES[self.type]
        high = top if self.canopy_top is None else self.canopy_top
        return bottom * high / top if self.canopy_bottom is None else self.canopy_bottom, high

    def monthly(self, name: str) -> list[float] | None:
        """Return 12 monthly means [1] as the case gives them.

        Parameters
        ----------
        name : str
            ``leaf_area_index`` or ``stem_area_index``.

        Returns
        -------
        list of float or None
            None where the table of the plant type or a file says it; bare ground has none of either.
        """
        if self.type == "bare_ground":
            return [0.0] * 12
        value = getattr(self, name)
        if value is None and name == "stem_area_index" and self.leaf_area_index is not None:
            value = _DEFAULT_STEMS
        if value is None or isinstance(value, AreaFileSection):
            return None
        return list(value) if isinstance(value, list) else [value] * 12


class VegetationSection(Section):
    """Patches of each cell."""

    patches: list[PatchSection] = key(
        lambda: [PatchSection()], "parts of each cell, at most 4 with bare ground", factory=True
    )
    parflow: ParflowVegetationSection | None = key(
        None, "land cover, sand, clay and soil colour from the files of ParFlow-CLM instead of patches"
    )

    @model_validator(mode="after")
    def _check(self) -> VegetationSection:
        if self.parflow is not None and self.changes("patches"):
            text = "expected no patches beside parflow; its map has them"
            raise Problems([("patches", text, ("patches", "parflow"))])
        shares = [patch.fraction for patch in self.patches]
        total = math.fsum(one for one in shares if not isinstance(one, ShareFileSection))
        if total > 1 + FRACTION_TOLERANCE:
            raise Problems([("patches", f"expected fractions that sum to at most 1, got {total:.6g}", ("patches",))])
        leaves_bare = total < 1 - FRACTION_TOLERANCE and not self._has_bare
        count = len(self.patches) + (leaves_bare or self.has_maps)
        if count > MAXIMUM_PATCHES:
            raise Problems(
                [("patches", f"expected at most {MAXIMUM_PATCHES} patches with bare ground, got {count}", ("patches",))]
            )
        return self

    @property
    def has_maps(self) -> bool:
        """Whether a share comes from a file; bare ground is then a patch of its own, with what is left."""
        return any(isinstance(patch.fraction, ShareFileSection) for patch in self.patches)

    @property
    def _has_bare(self) -> bool:
        return any(patch.type == "bare_ground" for patch in self.patches)


class SoilSection(Section):
    """Soil below every patch of a cell."""

    texture: TextureSection = key(TextureSection, "composition of the soil", factory=True)
    pedotransfer: str = key("cosby", "hydraulic parameters from the texture", choices=("cosby", "rosetta"))
    file: str | None = key(
        None, "netCDF file on the grid of the domain with soil fields by registry id, (y, x) or (layer, y, x); they "
        "replace texture and parameters", kind="path",
    )
    indicator: SoilIndicatorSection | None = key(
        None, "hydraulic parameters by classes, as in ParFlow: the class of each cell and a table"
    )
    colour: int = key(15, "soil colour class of CLM, 1 light to 20 dark", kind="integer", at_least=1, at_most=20)
    parameters: dict[str, float | list[float]] = key(
        dict,
        "hydraulic parameters that replace those of the pedotransfer, by registry id; numbers or lists from the top",
        factory=True,
    )

    @field_validator("parameters", mode="before")
    @classmethod
    def _parameters(cls, value: Any) -> Any:
        return registry_numbers(value, tuple(dict.fromkeys(sum(RETENTION_PARAMETERS.values(), ()))), several=True)

    @model_validator(mode="after")
    def _check(self) -> SoilSection:
        if self.indicator is not None:
            given = [name for name in ("file", "parameters") if self.changes(name)]
            if given:
                raise Problems([(name, f"expected no {name} beside indicator; its table has the parameters",
                                 (name, "indicator")) for name in given])
        return self


class UrbanSlabSection(Section):
    """Bulk properties of built-up land; defaults of a European city (Wouters et al. 2016)."""

    albedo: float = key(0.081, "albedo", unit="1", at_least=0, at_most=1)
    emissivity: float = key(0.89, "longwave emissivity", unit="1", above=0, at_most=1)
    roughness: float = key(1.125, "momentum roughness length", unit="m", above=0, at_most=10)
    conductivity: float = key(1.53, "thermal conductivity", unit="W m-1 K-1", above=0, at_most=100)
    heat_capacity: float = key(2.5e6, "heat capacity by volume", unit="J m-3 K-1", above=0, at_most=1e8)
    water_store: float = key(1.31, "water that the ground holds", unit="kg m-2", above=0, at_most=100)


class SurfaceSection(Section):
    """What covers the ground and what it is made of."""

    vegetation: VegetationSection = key(VegetationSection, "plants", factory=True)
    soil: SoilSection = key(SoilSection, "soil", factory=True)
    glacier: float = key(
        0.0, "share of glacier; glacier_fraction of a domain file goes before it", unit="1", at_least=0, at_most=1
    )
    lake: float = key(
        0.0, "share of lake; lake_fraction of a domain file goes before it", unit="1", at_least=0, at_most=1
    )
    urban: float = key(
        0.0, "share of built-up land; urban_fraction of a domain file goes before it", unit="1", at_least=0, at_most=1
    )
    wetland: float = key(
        0.0, "share of wetland; wetland_fraction of a domain file goes before it", unit="1", at_least=0, at_most=1
    )
    lake_depth: float = key(
        10.0, "mean depth of lakes; lake_depth of a domain file goes before it", unit="m", at_least=0.2, at_most=2000
    )
    lake_extinction: float | None = key(
        None, "extinction of visible light in lakes; null is that of the depth", unit="m-1", above=0, at_most=50
    )
    urban_slab: UrbanSlabSection = key(UrbanSlabSection, "bulk properties of built-up land", factory=True)

    @property
    def area_files(self) -> list[str]:
        """Return the files of leaf and stem area, and of the shares of patches."""
        given = [one for patch in self.vegetation.patches
                 for one in (patch.leaf_area_index, patch.stem_area_index, patch.fraction)]
        return list(dict.fromkeys(one.file for one in given if isinstance(one, (AreaFileSection, ShareFileSection))))

    @model_validator(mode="after")
    def _check(self) -> SurfaceSection:
        total = math.fsum(getattr(self, name) for name in OTHER_SURFACES)
        if total > 1 + FRACTION_TOLERANCE:
            text = f"expected shares of {one_of(OTHER_SURFACES)} that sum to at most 1, got {total:.6g}"
            given = [name for name in OTHER_SURFACES if self.changes(name)]
            raise Problems([(given[0], text, OTHER_SURFACES)])
        if self.vegetation.parflow is not None:
            given = [f"soil.texture.{name}" for name in ("sand", "clay", "generate") if self.soil.texture.changes(name)]
            given += ["soil.colour"] if self.soil.changes("colour") else []
            if given:
                text = "expected none beside vegetation.parflow; its map has it"
                raise Problems([(name, text, (name, "vegetation.parflow")) for name in given])
        return self

    @property
    def parflow_files(self) -> list[str]:
        """Return the files of ParFlow-CLM that say what covers the ground and what it is made of."""
        sections = (self.vegetation.parflow, self.soil.indicator)
        names = (("map", "parameters"), ("file", "table"))
        return [str(getattr(section, name)) for section, pair in zip(sections, names, strict=True)
                if section is not None for name in pair]
