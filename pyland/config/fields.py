"""One-line declaration of a configuration key: default, unit, bounds, description; and how its value is read.

Every section derives from :class:`Section`. A key is declared as ``dx: float = key(1000.0, "cell width", unit="m",
above=0)``; the same facts check the value, convert its unit, and appear in the JSON schema.
"""

from __future__ import annotations

import math
import os
import re
import typing
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from pyland.base.data_folder import MIRROR_VARIABLE, PREFIX, data_folder, find_data
from pyland.base.errors import InputError
from pyland.base.text import one_of, shown, suggestion
from pyland.base.units import convert

_QUANTITY = re.compile(r"^\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*$")
_REFERENCE = re.compile(r"\$\{(?P<braced>\w+)(?::-(?P<otherwise>[^{}]*))?\}|\$(?P<plain>\w+)")

Problem = tuple[str, str, tuple[str, ...]]
"""A failed check across keys: key path relative to the section, sentence, keys that it depends on."""


class Problems(ValueError):
    """Several failed checks of one section."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(text for _, text, _ in problems))
        self.problems = list(problems)


def key(
    default: Any,
    description: str,
    *,
    unit: str | None = None,
    kind: str | None = None,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
    choices: Iterable[str] | None = None,
    later: Iterable[str] = (),
    also: Iterable[str] = (),
    length: int | None = None,
    names: Iterable[str] = (),
    factory: bool = False,
) -> Any:
    """Declare a key.

    Parameters
    ----------
    default : object
        Value when the key is absent; a callable that makes it if ``factory``.
    description : str
        One line for the schema and the reference page.
    unit : str, optional
        Makes it a number with this unit (``"1"`` for a pure number).
    kind : str, optional
        ``number`` (implied by ``unit``), ``integer``, ``switch``, ``text``, ``time``, ``path``, ``numbers`` (a list),
        ``number_or_numbers``, ``number_or_section``, ``numbers_or_section`` (also a single number), or nothing for
        nested sections.
    above, at_least, below, at_most : float, optional
        Bounds [unit].
    choices, later : iterable of str
        Words that are available, and documented words that this version does not have.
    also : iterable of str
        Words accepted in place of a number, for instance ``auto``.
    length : int, optional
        Number of items of a list.
    names : iterable of str
        Words that may stand for an entry of a list of sections.
    factory : bool
        Whether ``default`` is a factory.
    """
    if kind is None and unit is not None:
        kind = "number"
    if kind is None and choices is not None:
        kind = "choice"
    extra = {
        "kind": kind,
        "unit": unit,
        "exclusiveMinimum": above,
        "minimum": at_least,
        "exclusiveMaximum": below,
        "maximum": at_most,
        "choices": None if choices is None else list(choices),
        "later": list(later) or None,
        "also": list(also) or None,
        "length": length,
        "names": list(names) or None,
    }
    extra = {name: value for name, value in extra.items() if value is not None}
    if factory:
        return Field(default_factory=default, description=description, json_schema_extra=extra)
    return Field(default=default, description=description, json_schema_extra=extra)


def facts(field: FieldInfo) -> dict[str, Any]:
    """Return what :func:`key` declared."""
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


class Section(BaseModel):
    """Base of all sections: unknown keys are errors, values are read by the facts of their key."""

    example: ClassVar[str | None] = None
    """How the section is written, for one who gives a number instead."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, validate_default=False)

    @field_validator("*", mode="before")
    @classmethod
    def _read(cls, value: Any, info: ValidationInfo) -> Any:
        field = cls.model_fields[info.field_name]
        if value is None:
            if type(None) in typing.get_args(field.annotation) or field.annotation is type(None):
                return None
            if not facts(field).get("kind"):
                # an empty section of the file: `output:` with nothing below
                if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
                    return {}
                return [] if str(field.annotation).startswith(("list", "tuple")) else {}
            raise ValueError(f"expected {expected(facts(field))}, got nothing")
        return read_value(value, facts(field), info.context or {})

    def changes(self, name: str) -> bool:
        """Tell whether a key is given with another value than its default."""
        field = type(self).model_fields[name]
        default = field.get_default(call_default_factory=True, validated_data={})
        return name in self.model_fields_set and getattr(self, name) != default


def expected(fact: dict[str, Any]) -> str:
    """Say in words what a key takes."""
    kind = fact.get("kind")
    if kind == "choice":
        return f"one of {one_of(fact['choices'])}"
    unit = "" if fact.get("unit") in (None, "1") else f" [{fact['unit']}]"
    name = {
        "number": "a number",
        "integer": "a whole number",
        "switch": "true or false",
        "text": "a text",
        "time": "a date and time such as 2020-04-15 or 2020-04-15T12:00 (UTC)",
        "path": "a path",
        "numbers": "a list of numbers",
        "number_or_numbers": "a number or a list of numbers",
        "number_or_section": "a number or a mapping",
        "numbers_or_section": "a number, a list of numbers or {file: ..., variable: ...}",
    }.get(kind or "", "a mapping")
    bounds = []
    if "exclusiveMinimum" in fact:
        bounds.append(f"above {fact['exclusiveMinimum']:g}")
    if "minimum" in fact:
        bounds.append(f"at least {fact['minimum']:g}")
    if "exclusiveMaximum" in fact:
        bounds.append(f"below {fact['exclusiveMaximum']:g}")
    if "maximum" in fact:
        bounds.append(f"at most {fact['maximum']:g}")
    if "length" in fact:
        name = name.replace("list of numbers", f"list of {fact['length']} numbers")
    words = f", or {one_of(fact['also'])}" if "also" in fact else ""
    return name + unit + (" " + " and ".join(bounds) if bounds else "") + words


def read_value(value: Any, fact: dict[str, Any], context: dict[str, Any]) -> Any:
    """Turn a value of the file into what the model holds.

    Raises
    ------
    ValueError
        With a sentence ``expected ..., got ...``.
    """
    kind = fact.get("kind")
    if kind is None or (kind in ("number_or_section", "numbers_or_section") and isinstance(value, (dict, BaseModel))):
        return value
    if isinstance(value, str) and value in fact.get("also", ()):
        return value
    if kind in ("number", "number_or_section"):
        return _number(value, fact)
    if kind in ("numbers", "number_or_numbers", "numbers_or_section"):
        return _numbers(value, fact)
    return _READERS[kind](value, fact, context)


def _number(value: Any, fact: dict[str, Any], item: str = "") -> float:
    got = f", got {shown(value)}{item}"
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(f"expected {expected(fact)}{got}")
    if isinstance(value, str):
        match = _QUANTITY.match(value)
        if match is None:
            hint = suggestion(value, fact.get("also", ()))
            raise ValueError(f"expected {expected(fact)}{got}{hint}")
        number, unit = float(match[1]), match[2]
        if unit:
            target = fact.get("unit") or "1"
            try:
                # a converted decimal such as 5 cm should be 0.05 and not its neighbour
                number = float(f"{convert(number, unit, target):.15g}")
            except InputError:
                what = "without a unit" if target == "1" else f"with a unit that converts to {target}"
                raise ValueError(f"expected {expected(fact)} {what}{got}") from None
    else:
        number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"expected {expected(fact)}{got}")
    inside = (
        number > fact.get("exclusiveMinimum", -math.inf)
        and number >= fact.get("minimum", -math.inf)
        and number < fact.get("exclusiveMaximum", math.inf)
        and number <= fact.get("maximum", math.inf)
    )
    if not inside:
        raise ValueError(f"expected {expected(fact)}{got}")
    return number


def _numbers(value: Any, fact: dict[str, Any]) -> float | list[float]:
    one = {name: entry for name, entry in fact.items() if name != "length"}
    if not isinstance(value, (list, tuple)):
        if fact["kind"] == "numbers":
            hint = suggestion(value, fact.get("also", ())) if isinstance(value, str) else ""
            raise ValueError(f"expected {expected(fact)}, got {shown(value)}{hint}")
        return _number(value, fact)
    if not value or len(value) != fact.get("length", len(value)):
        raise ValueError(f"expected {expected(fact)}, got a list of {len(value)}")
    one["kind"] = "number"
    return [_number(item, one, f" as item {place}") for place, item in enumerate(value, start=1)]


def _integer(value: Any, fact: dict[str, Any], context: dict[str, Any]) -> int:
    number = _number(value, fact | {"unit": "1"})
    if number != int(number):
        raise ValueError(f"expected {expected(fact)}, got {shown(value)}")
    return int(number)


def _switch(value: Any, fact: dict[str, Any], context: dict[str, Any]) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"expected {expected(fact)}, got {shown(value)}")
    return value


def _text(value: Any, fact: dict[str, Any], context: dict[str, Any]) -> str:
    if isinstance(value, (dict, list, bool)):
        raise ValueError(f"expected {expected(fact)}, got {shown(value)}")
    return str(value)


def _choice(value: Any, fact: dict[str, Any], context: dict[str, Any]) -> str:
    # YAML reads a bare `no` or `off` as false; `none` stays a word
    if value in fact["choices"] and isinstance(value, str):
        return value
    if isinstance(value, str) and value in fact.get("later", ()):
        raise ValueError(f"'{value}' is not available in this version; available: {one_of(fact['choices'])}")
    hint = suggestion(value, [*fact["choices"], *fact.get("later", ())]) if isinstance(value, str) else ""
    raise ValueError(f"expected {expected(fact)}, got {shown(value)}{hint}")


def _time(value: Any, fact: dict[str, Any], context: dict[str, Any]) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise ValueError(f"expected {expected(fact)}, got {shown(value)}") from None
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day)
    else:
        raise ValueError(f"expected {expected(fact)}, got {shown(value)}")
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    if moment.microsecond:
        raise ValueError(f"expected a time in whole seconds, got {shown(str(value))}")
    return moment


def _path(value: Any, fact: dict[str, Any], context: dict[str, Any]) -> str:
    """Return an absolute path, relative to the case directory; ``~``, ``${NAME}`` and ``${NAME:-default}`` expanded.

    ``data:NAME/FILE`` is a file of a data set that ``pyland fetch NAME`` brings.
    """
    if not isinstance(value, str) or not value:
        raise ValueError(f"expected {expected(fact)}, got {shown(value)}")

    def replace(match: re.Match[str]) -> str:
        name = match["braced"] or match["plain"]
        if not os.environ.get(name):
            if match["otherwise"] is not None:
                return str(match["otherwise"])
            raise ValueError(
                f"'{value}' needs the environment variable {name}, which is not set; "
                f"set it, for instance `export {name}=/path/to/data`"
            )
        return os.environ[name]

    expanded = _REFERENCE.sub(replace, value)
    if expanded.startswith(PREFIX):
        name = expanded.removeprefix(PREFIX)
        found = find_data(name)
        if found is None:
            raise ValueError(
                f"'{value}' is neither in the data folder {data_folder()} nor in a folder named by {MIRROR_VARIABLE}; "
                f"get it with: pyland fetch {name.partition('/')[0]}"
            )
        return str(found.absolute())
    path = Path(expanded).expanduser()
    return os.path.normpath(Path(context.get("directory") or Path.cwd()) / path)


_READERS = MappingProxyType(
    {"integer": _integer, "switch": _switch, "text": _text, "choice": _choice, "time": _time, "path": _path}
)
