"""Section ``forcing``: where the weather comes from."""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType
from typing import Any

from pydantic import field_validator, model_validator

from pyland.base.registry import is_variable, variable, variables
from pyland.base.text import one_of, shown, suggestion
from pyland.config.fields import Problem, Problems, Section, key
from pyland.config.flow import time_problems

CLIMATES = ("temperate", "continental", "semi_arid", "mediterranean", "cold", "tropical", "plateau")
"""Climates of the weather generator."""

GRIDDED = ("era5", "era5-land", "cosmo-rea6", "cmfd")
"""Formats of gridded products."""

MORE_NAMES = ("dewpoint_temperature", "relative_humidity", "eastward_wind", "northward_wind", "shortwave_direct",
              "shortwave_diffuse", "longwave_net", "ground_temperature", "snowfall_grid_scale", "snowfall_convective")
"""Quantities of gridded products that fields of the weather are made of, beside the fields themselves."""

_FILES = MappingProxyType({"alma": "a netCDF file", "nldas-pfb": "a folder or text file",
                           **dict.fromkeys(GRIDDED, "a folder, file or pattern of netCDF files")})
_BELONGS = MappingProxyType({
    "path": ("alma", "nldas-pfb", *GRIDDED),
    "variables": ("alma", *GRIDDED),
    "prefix": ("nldas-pfb",),
    "first_record": ("nldas-pfb",),
    "record_start": ("nldas-pfb",),
})
"""Keys of formats that read files."""


def names_in_file(value: Any) -> dict[str, str]:
    """Return names of variables in a file by registry id, as a file of a case gives them.

    Raises
    ------
    ValueError
        If there is no such quantity, or a name is no text.
    """
    known = [*(item.id for item in variables("forcing")), *MORE_NAMES]
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"expected a mapping of registry ids to names in the file, got {shown(value)}")
    result = {}
    for name, other in value.items():
        entry = variable(name).id if is_variable(name) else name
        if entry not in known:
            raise ValueError(f"expected one of {one_of(known)}, got '{name}'{suggestion(str(name), known)}")
        if not isinstance(other, str):
            raise ValueError(f"{name}: expected a name of the file, got {shown(other)}")
        result[entry] = other
    return result


class GeneratorSection(Section):
    """Seeded weather generator."""

    climate: str = key("temperate", "climate of the generated weather", choices=CLIMATES)
    seed: int = key(1, "seed of the weather", kind="integer", at_least=0)
    annual_precipitation: float | list[float] | None = key(
        None, "mean precipitation of a year, a number or one for each of precipitation_elevation; null is that of the "
        "climate", unit="kg m-2", kind="number_or_numbers", at_least=0, at_most=12000,
    )
    precipitation_elevation: list[float] | None = key(
        None, "ascending elevations that a list of annual_precipitation belongs to; linear between, constant beyond",
        unit="m", kind="numbers", at_least=-500, at_most=9000,
    )

    @model_validator(mode="after")
    def _check(self) -> GeneratorSection:
        amounts, heights = self.annual_precipitation, self.precipitation_elevation
        names = ("precipitation_elevation", "annual_precipitation")
        if isinstance(amounts, list) != (heights is not None):
            raise Problems([(names[0], "expected precipitation_elevation with a list of annual_precipitation, and only "
                             "with it", names)])
        if isinstance(amounts, list) and heights is not None and (
                len(amounts) != len(heights) or any(low >= high for low, high in zip(heights, heights[1:],
                                                                                     strict=False))):
            raise Problems([(names[0], f"expected {len(amounts)} ascending elevations, one for each amount, got "
                             f"{shown(heights)}", names)])
        return self


class RainSection(Section):
    """Rain up to a time."""

    until: float | None = key(
        None, "end of the entry after time.start; null: to the end of the run", unit="s", above=0
    )
    rate: float = key(0.0, "rain, everywhere the same", unit="kg m-2 s-1", at_least=0, at_most=0.2)


class ForcingSection(Section):
    """Source of the weather."""

    format: str = key(
        "generator",
        "kind of source; era5 to cmfd are gridded products, nldas-pfb forcing files of ParFlow-CLM; schedule is rain "
        "by a table, without weather (land.model: none)",
        choices=("alma", *GRIDDED, "nldas-pfb", "generator", "schedule"),
    )
    path: str | None = key(
        None, "netCDF file (format alma); folder, file or pattern such as era5/*.nc (gridded products); folder of PFB "
        "files or text file of one place (nldas-pfb)", kind="path"
    )
    prefix: str | None = key(
        None, "what the names of PFB files begin with, NLDAS in NLDAS.Temp.000001_to_000024.pfb; null is the only one "
        "in the folder", kind="text"
    )
    first_record: int = key(
        1, "number of the hourly record of nldas-pfb that the run begins with (ParFlow's IstepStart)", kind="integer",
        at_least=1,
    )
    record_start: datetime | None = key(
        None, "start of the hour of first_record; null is time.start (UTC)", kind="time"
    )
    variables: dict[str, str] = key(
        dict,
        "names in the file by registry id, where they are not the ALMA names or those of the product",
        factory=True,
    )
    regridding: str = key(
        "bilinear",
        "from the points of a gridded product to the cells; conservative keeps the amount of precipitation",
        choices=("bilinear", "conservative", "nearest"),
    )
    lapse_rate: float | None = key(
        None,
        "decrease of temperature with height from the place of the source to that of a cell; null is "
        "no correction of a file and 0.0065 for the generator",
        unit="K m-1",
        at_least=-0.02,
        at_most=0.02,
    )
    height: float | None = key(
        None,
        "height above ground that the weather is valid for; null is that of the file (alma), else 10 m; gridded "
        "products bring their wind to another one",
        unit="m",
        above=0,
        at_most=500,
    )
    precipitation_phase: str = key(
        "given",
        "rain or snow: given is that of the file, and ramp where it has the total alone; ramp of the air temperature "
        "and wet_bulb (Wang et al. 2019) split the total in any case",
        choices=("given", "ramp", "wet_bulb"),
    )
    all_snow_below: float = key(
        273.15, "air temperature of the ramp up to which all precipitation is snow", unit="K", at_least=250, at_most=290
    )
    all_rain_above: float = key(
        275.15, "air temperature of the ramp from which all precipitation is rain", unit="K", at_least=250, at_most=290
    )
    generator: GeneratorSection = key(GeneratorSection, "settings of format generator", factory=True)
    rain: list[RainSection] = key(
        list, "rain of format schedule, constant up to each time; none after the last", factory=True
    )
    evaporation: float = key(
        0.0, "evaporation of format schedule, as long as there is water", unit="kg m-2 s-1", at_least=0, at_most=0.01
    )

    @field_validator("variables", mode="before")
    @classmethod
    def _variables(cls, value: Any) -> Any:
        return names_in_file(value)

    @model_validator(mode="after")
    def _check(self) -> ForcingSection:
        problems = time_problems("rain", self.rain)
        if self.format != "schedule":
            problems += [
                (name, f"expected no {name} with forcing.format: {self.format}; did you mean format: schedule?",
                 (name, "format"))
                for name in ("rain", "evaporation")
                if self.changes(name)
            ]
        if self.format in _FILES and self.path is None:
            problems.append(
                ("path", f"expected {_FILES[self.format]} with forcing.format: {self.format}, got nothing",
                 ("path", "format"))
            )
        problems += [
            (
                name,
                f"expected no {name} with forcing.format: {self.format}; did you mean format: {formats[0]}?",
                (name, "format"),
            )
            for name, formats in _BELONGS.items()
            if self.changes(name) and self.format not in formats
        ]
        if self.format == "nldas-pfb" and self.lapse_rate is not None:
            problems.append(
                ("lapse_rate", "expected no lapse_rate with forcing.format: nldas-pfb; its files do not say at which "
                 "elevation they are", ("lapse_rate", "format"))
            )
        if self.format not in GRIDDED and self.changes("regridding"):
            problems.append(
                ("regridding", f"expected no regridding with forcing.format: {self.format}; it belongs to gridded "
                 f"products ({', '.join(GRIDDED)})", ("regridding", "format"))
            )
        if self.format == "alma" and (more := [name for name in self.variables if name in MORE_NAMES]):
            problems.append(
                ("variables", f"expected no {', '.join(more)} with forcing.format: alma; it belongs to gridded "
                 f"products ({', '.join(GRIDDED)})", ("variables", "format"))
            )
        if self.format != "generator" and self.changes("generator"):
            problems.append(
                ("generator", f"expected no generator with forcing.format: {self.format}", ("generator", "format"))
            )
        problems += self._phase_problems()
        if problems:
            raise Problems(problems)
        return self

    def _phase_problems(self) -> list[Problem]:
        """Return what is wrong with the ends of the ramp."""
        ends = ("all_snow_below", "all_rain_above")
        if self.precipitation_phase == "wet_bulb":
            return [
                (
                    name,
                    f"expected no {name} with precipitation_phase: wet_bulb; it belongs to ramp",
                    (name, "precipitation_phase"),
                )
                for name in ends
                if self.changes(name)
            ]
        if self.all_snow_below >= self.all_rain_above:
            return [
                (
                    "all_rain_above",
                    f"expected a temperature above all_snow_below ({self.all_snow_below:g} K), got "
                    f"{self.all_rain_above:g} K",
                    ends,
                )
            ]
        return []
