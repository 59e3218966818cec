"""Section ``diagnose.skill``: skill of a gridded run at many stations."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationInfo, field_validator

from pyland.base.text import shown
from pyland.config.fields import Section, key, read_value


class SkillSection(Section):
    """Stations beside a gridded run; without any, a run is compared with the station that drove it."""

    stations: list[str] = key(
        list, "station files: ALMA-like netCDF or observation tables of pyland; * and ? stand for parts of names",
        factory=True)
    distance: float | None = key(
        None, "farthest cell that a station is compared with; null is the half diagonal of a cell", unit="m", above=0)
    least: int = key(10, "fewest points of a station that counts in medians", kind="integer", at_least=1)
    variables: list[str] = key(list, "ALMA names, or types of tables, to compare; empty is all", factory=True)

    @field_validator("stations", mode="before")
    @classmethod
    def _stations(cls, value: Any, info: ValidationInfo) -> Any:
        if value is None:
            return []
        if not isinstance(value, list):
            raise ValueError(f"expected a list of files, got {shown(value)}")
        return [read_value(one, {"kind": "path"}, info.context or {}) for one in value]

    @field_validator("variables", mode="before")
    @classmethod
    def _variables(cls, value: Any) -> Any:
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise ValueError(f"expected a list of names, got {shown(value)}")
        return value
