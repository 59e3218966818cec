"""Keys for the files of ParFlow-CLM: its land cover, and soil classes by indicator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import field_validator, model_validator

from pyland.base.text import one_of, shown, suggestion
from pyland.config.fields import Problem, Problems, Section, key
from pyland.config.plants import PLANT_PARAMETERS, VEGETATION_TYPES, registry_numbers

if TYPE_CHECKING:
    from pyland.config.case import CaseConfig

CLASSES = 18
"""Classes of land cover of ParFlow-CLM: 17 of IGBP and bare soil."""


class ParflowVegetationSection(Section):
    """Land cover of ParFlow-CLM instead of patches: a cell has those of its classes that cover most."""

    map: str | None = key(
        None, "drv_vegm.dat: shares of the classes, sand, clay and soil colour of every cell", kind="path"
    )
    parameters: str | None = key(None, "drv_vegp.dat: parameters of the classes", kind="path")
    types: dict[int, str] = key(
        dict, "plant types of classes by number, where they are not those of docs/guide/vegetation.md", factory=True
    )
    photosynthesis: str = key(
        "types", "photosynthesis and stomata of the plant types, or the one plant that ParFlow-CLM has in its code for "
        "all classes; that needs land.stomata: ball_berry", choices=("types", "parflow_clm"),
    )
    plant_parameters: dict[str, float] = key(
        dict, "plant parameters of all classes that replace those of types and files, by registry id", factory=True
    )
    ground_temperature: float | list[float] | None = key(
        None,
        "temperature of the rooted ground that leaf area follows between lai0 and lai, a number or 12 monthly means; "
        "null is the largest leaf area, that of 298 K and above",
        unit="K",
        kind="number_or_numbers",
        at_least=200,
        at_most=340,
        length=12,
    )

    @field_validator("types", mode="before")
    @classmethod
    def _types(cls, value: Any) -> Any:
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise ValueError(f"expected a mapping of class numbers to plant types, got {shown(value)}")
        out = {}
        for number, name in value.items():
            if not str(number).isdigit() or not 1 <= int(number) <= CLASSES:
                raise ValueError(f"expected class numbers of 1 to {CLASSES}, got {shown(number)}")
            if name not in VEGETATION_TYPES:
                known = tuple(VEGETATION_TYPES)
                raise ValueError(f"{number}: expected one of {one_of(known)}, got {shown(name)}"
                                 f"{suggestion(str(name), known)}")
            out[int(number)] = name
        return out

    @field_validator("plant_parameters", mode="before")
    @classmethod
    def _plant_parameters(cls, value: Any) -> Any:
        return registry_numbers(value, PLANT_PARAMETERS, several=False)

    @model_validator(mode="after")
    def _check(self) -> ParflowVegetationSection:
        missing = [name for name in ("map", "parameters") if getattr(self, name) is None]
        if missing:
            raise Problems([("", f"expected map and parameters, got no {' and no '.join(missing)}", tuple(missing))])
        return self


def parflow_problems(config: CaseConfig) -> list[Problem]:
    """Return what does not go together with the plants of ParFlow-CLM."""
    section, names = config.surface.vegetation.parflow, ("surface.vegetation.parflow.photosynthesis", "land.stomata")
    if section is None or section.photosynthesis == "types" or config.land.stomata == "ball_berry":
        return []
    return [(names[1], f"expected ball_berry with photosynthesis: {section.photosynthesis}, got {config.land.stomata}",
             names)]


class SoilIndicatorSection(Section):
    """Hydraulic parameters of soil classes: a file with the class of each cell, and a table."""

    file: str | None = key(
        None, "PFB or netCDF file with the number of the class, (layer, y, x) as domain.layers, or (y, x)", kind="path"
    )
    variable: str = key("indicator", "name of the variable in a netCDF file", kind="text")
    table: str | None = key(
        None, "CSV file with a line per class, see docs/guide/parflow.md", kind="path"
    )

    @model_validator(mode="after")
    def _check(self) -> SoilIndicatorSection:
        missing = [name for name in ("file", "table") if getattr(self, name) is None]
        if missing:
            raise Problems([("", f"expected file and table, got no {' and no '.join(missing)}", tuple(missing))])
        if str(self.file).lower().endswith(".pfb") and self.changes("variable"):
            raise Problems([("variable", "expected no variable: a PFB file has one field", ("variable", "file"))])
        return self
