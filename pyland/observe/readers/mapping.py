"""What a YAML mapping says of a gridded product: which variable is what, in which unit, where and when.

A mapping is checked in full before a file is opened; an unknown key is refused with the keys that there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pyland.base.errors import InputError
from pyland.base.observation_reasons import REASONS
from pyland.base.text import library_words, shown, suggestion
from pyland.observe.quantities import QUANTITIES

_FOLDER = "mappings"
_ALTERNATIVES = ("constrained-float", "float", "Numbers")
"""How pydantic names the forms that a number or a variable may have."""

_SAID = {"extra_forbidden": "there is no such key", "missing": "this key is missing", "tuple_type": "expected a list",
         "model_type": "expected a section with keys, such as {variable: NAME}"}
_CODES = {word: code for code, word in REASONS.items()}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Numbers(_Section):
    """A variable as numbers: ``(number in the file, unpacked) * scale + offset``, then cut to ``limits``."""

    variable: str
    scale: float = 1.0
    offset: float = 0.0
    fill: tuple[float, ...] = ()
    """Numbers, as they stand in the file, that mean no value, beside those that the file declares."""
    range: tuple[float, float] | None = None
    """Numbers, as they stand in the file, that are values; what lies outside is no value (codes of cloud, water)."""
    limits: tuple[float, float] | None = None
    """Values are cut to this range after scaling [unit]."""
    unpack: bool = True
    """Whether scale_factor and add_offset of the file are applied."""
    unit: str | None = None
    """Unit after scaling; without it that of the file."""


class Flag(_Section):
    """A quality flag: a value is used if the flag is one of ``accepted``, or ``flag & bits`` is one of ``equal``."""

    variable: str
    accepted: tuple[int, ...] | None = None
    bits: int | None = None
    equal: tuple[int, ...] = (0,)
    reason: str = "rejected_by_quality_flag"

    @model_validator(mode="after")
    def _one_of_two(self) -> Flag:
        if (self.accepted is None) == (self.bits is None):
            raise ValueError("give either accepted (values) or bits (a mask) with equal (values)")
        if self.reason not in _CODES or self.reason == "used":
            raise ValueError(f"reason must be one of {', '.join(word for word in _CODES if word != 'used')}")
        return self

    @property
    def code(self) -> int:
        """Code of the reason."""
        return _CODES[self.reason]


class Clock(_Section):
    """A variable with the time within the day of a file."""

    variable: str
    unit: Literal["hours", "minutes", "seconds"] = "hours"
    scale: float = 1.0
    fill: tuple[float, ...] = ()
    unpack: bool = True
    is_local_solar: bool = False
    """Local solar time; UTC is longitude / 15 degrees hours earlier."""


class Time(_Section):
    """When: exactly one of variable, attribute and file_name, and a clock within the day if there is one."""

    variable: str | None = None
    """Coordinate with a unit like ``days since 1970-01-01``; its dimension is the first of the values."""
    attribute: str | None = None
    format: str = "%Y-%m-%dT%H:%M:%S"
    """Pattern of ``strptime`` of the attribute."""
    file_name: str | None = None
    """Pattern of ``strptime`` of the file name; ``*`` stands for anything."""
    clock: Clock | None = None
    hours: float = 0.0
    """Added to the time [h], for instance 12 for daily means; local solar time if ``is_local_solar``."""
    is_local_solar: bool = False

    @model_validator(mode="after")
    def _one_of_three(self) -> Time:
        if sum(one is not None for one in (self.variable, self.attribute, self.file_name)) != 1:
            raise ValueError("give exactly one of variable, attribute and file_name")
        return self


class Place(_Section):
    """Where: latitude and longitude, an EASE-Grid 2.0, map coordinates, or a tile of the MODIS sinusoidal grid."""

    latitude: str | None = None
    longitude: str | None = None
    ease_grid: Literal[36, 25, 9, 3] | None = None
    row: str | None = None
    column: str | None = None
    """Variables with rows and columns of the EASE grid, for parts of it; without them the file holds all of it."""
    x: str | None = None
    y: str | None = None
    projection: Literal["sinusoidal", "ease"] | None = None
    modis_tile: bool = False
    """Rows and columns of the tile ``hXXvYY`` that the file name says."""

    @model_validator(mode="after")
    def _one_way(self) -> Place:
        ways = {"latitude and longitude": (self.latitude, self.longitude),
                "x, y and projection": (self.x, self.y, self.projection)}
        given = [name for name, keys in ways.items() if any(key is not None for key in keys)]
        given += ["ease_grid"] * (self.ease_grid is not None) + ["modis_tile"] * self.modis_tile
        if len(given) != 1:
            raise ValueError("give exactly one of: latitude and longitude; x, y and projection; ease_grid; modis_tile")
        for name, keys in ways.items():
            if name in given and any(key is None for key in keys):
                raise ValueError(f"{name} belong together")
        if (self.row is None) != (self.column is None) or (self.row is not None and self.ease_grid is None):
            raise ValueError("row and column belong together, and to ease_grid")
        return self


class ProductMapping(_Section):
    """A gridded product; see docs/guide/observation_products.md."""

    product: str
    type: str
    value: Numbers
    sigma: Annotated[float, Field(gt=0)] | Numbers
    relative_sigma: Annotated[float, Field(ge=0)] = 0.0
    """Error as a share of the value [1]; ``sigma`` is its floor."""
    time: Time
    place: Place
    flags: tuple[Flag, ...] = ()
    footprint: Annotated[float, Field(ge=0)] = 0.0
    depth: tuple[float, float] | None = None
    incidence_angle: float | Numbers | None = None
    columns: dict[str, Numbers] = {}
    """Further columns, for instance ``open_water``; their unit is that of the mapping or of the file."""
    version_attribute: str | None = None

    @model_validator(mode="after")
    def _known_type(self) -> ProductMapping:
        if self.type not in QUANTITIES:
            raise ValueError(f"type must be one of {', '.join(QUANTITIES)}")
        return self


def shipped_mappings() -> list[str]:
    """Return the names of the mappings that come with pyland."""
    folder = resources.files("pyland.observe").joinpath(_FOLDER)
    return sorted(one.name.removesuffix(".yaml") for one in folder.iterdir() if one.name.endswith(".yaml"))


def load_mapping(given: str | Path | Mapping[str, object] | None) -> ProductMapping:
    """Return a checked mapping.

    Parameters
    ----------
    given : str, Path or mapping
        Name of one that comes with pyland, a YAML file, or its content.

    Returns
    -------
    ProductMapping

    Raises
    ------
    InputError
        If there is none, or a key or value of it is wrong; all that is wrong at once.
    """
    if given is None:
        raise InputError(f"mapped: give the option mapping: a YAML file, or one of {', '.join(shipped_mappings())}.")
    if isinstance(given, Mapping):
        return _checked(dict(given), "mapping")
    path = Path(str(given)).expanduser()
    if str(given) in shipped_mappings():
        text, where = resources.files("pyland.observe").joinpath(_FOLDER, f"{given}.yaml").read_text(), str(given)
    elif path.is_file():
        text, where = path.read_text(), str(path)
    else:
        raise InputError(f"mapped: there is no mapping file {given}, and no mapping of that name; there are "
                         f"{', '.join(shipped_mappings())}.")
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"{where}: is no YAML ({library_words(error)}).") from error
    if not isinstance(content, dict):
        raise InputError(f"{where}: expected keys such as product, type, value, time, place; got "
                         f"{shown(content)}.")
    return _checked(content, where)


def _checked(content: dict[str, object], where: str) -> ProductMapping:
    try:
        return ProductMapping.model_validate(content)
    except ValidationError as error:
        lines = []
        for one in error.errors():
            parts = [str(part) for part in one["loc"] if part not in _ALTERNATIVES]
            key = ".".join(parts) or "mapping"
            got = "" if one["type"] == "missing" or isinstance(one["input"], dict) else f", got {shown(one['input'])}"
            said = _SAID.get(one["type"]) or one["msg"].removeprefix("Value error, ").replace("Input should be",
                                                                                              "expected")
            if one["type"] == "extra_forbidden":
                got = suggestion(parts[-1], _keys_at(parts[:-1]))
            line = f"{where}: {key}: {said}{got}"
            if line not in lines:
                lines.append(line)
        raise InputError("\n".join(lines)) from None


def _keys_at(place: list[str]) -> list[str]:
    """Return the keys of the mapping, or of the section that a place names."""
    model = {"": ProductMapping, "value": Numbers, "sigma": Numbers, "incidence_angle": Numbers, "columns": Numbers,
             "time": Time, "place": Place, "flags": Flag}.get(place[0] if place else "")
    model = Clock if place == ["time", "clock"] else model
    return [] if model is None else list(model.model_fields)
