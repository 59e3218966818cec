"""JSON schema of ``case.yaml`` with units, and the reference page made from it."""

from __future__ import annotations

import json
from typing import Any

from pydantic.fields import FieldInfo

from pyland.base.text import one_of
from pyland.config.case import CaseConfig
from pyland.config.fields import Section, facts
from pyland.config.messages import section_of


def json_schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12): every key with type, default, unit, bounds and description."""
    definitions: dict[str, Any] = {}
    schema = _object(CaseConfig, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "pyland/case.yaml",
        "title": "case.yaml of pyland",
        **schema,
        "$defs": definitions,
    }


def _object(section: type[Section], definitions: dict[str, Any]) -> dict[str, Any]:
    properties = {name: _property(field, definitions) for name, field in section.model_fields.items()}
    return {
        "type": "object",
        "description": _first_line(section),
        "additionalProperties": False,
        "properties": properties,
    }


def _first_line(section: type[Section]) -> str:
    return (section.__doc__ or "").strip().splitlines()[0]


def _property(field: FieldInfo, definitions: dict[str, Any]) -> dict[str, Any]:
    fact = facts(field)
    result: dict[str, Any] = {"description": field.description, "default": default_of(field)}
    result["unit"] = fact.get("unit", "none")
    inner = section_of(field.annotation)
    if inner is not None:
        if inner.__name__ not in definitions:
            definitions[inner.__name__] = {}
            definitions[inner.__name__].update(_object(inner, definitions))
        reference: dict[str, Any] = {"$ref": f"#/$defs/{inner.__name__}"}
        text = str(field.annotation)
        if text.startswith("list["):
            words = {"type": "string", "enum": fact.get("names")}
            return result | {"type": "array", "items": {"anyOf": [reference, words]} if "names" in fact else reference}
        if text.startswith("dict["):
            return result | {"type": "object", "additionalProperties": reference}
        options = [reference]
        if fact.get("kind") == "number_or_section":
            options += _scalar(fact | {"kind": "number"})
        if fact.get("kind") == "numbers_or_section":
            options += _plain(field, fact | {"kind": "number_or_numbers"})
        if default_of(field) is None:
            options.append({"type": "null"})
        return result | ({"anyOf": options} if len(options) > 1 else reference)
    options = _plain(field, fact)
    if field.default is None and {"type": "null"} not in options:
        options.append({"type": "null"})
    result |= options[0] if len(options) == 1 else {"anyOf": options}
    if "later" in fact:
        result["notAvailableYet"] = fact["later"]
    return result


def _plain(field: FieldInfo, fact: dict[str, Any]) -> list[dict[str, Any]]:
    kind = fact.get("kind")
    if kind in ("number", "integer"):
        options = _scalar(fact)
    elif kind in ("numbers", "number_or_numbers"):
        items = _scalar(fact | {"kind": "number"})
        options = [{"type": "array", "items": items[0] if len(items) == 1 else {"anyOf": items}, "minItems": 1}]
        if "length" in fact:
            options[0] |= {"minItems": fact["length"], "maxItems": fact["length"]}
        if kind == "number_or_numbers":
            options = items + options
    elif kind == "choice":
        options = [{"type": "string", "enum": fact["choices"]}]
    elif kind == "switch":
        options = [{"type": "boolean"}]
    elif kind == "time":
        options = [{"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]}]
    elif kind in ("text", "path"):
        options = [{"type": "string"}]
    else:
        options = _by_annotation(field)
    if "also" in fact:
        options.append({"type": "string", "enum": fact["also"]})
    return options


def _scalar(fact: dict[str, Any]) -> list[dict[str, Any]]:
    bounds = {
        name: fact[name] for name in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum") if name in fact
    }
    number = {"type": "integer" if fact["kind"] == "integer" else "number", **bounds}
    if fact["kind"] == "integer" or fact.get("unit") in (None, "1"):
        return [number]
    pattern = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*\S.*$"
    return [
        number,
        {"type": "string", "pattern": pattern, "description": f"a number with a unit that converts to {fact['unit']}"},
    ]


def _by_annotation(field: FieldInfo) -> list[dict[str, Any]]:
    text = str(field.annotation)
    if text.startswith("list[str"):
        return [{"type": "array", "items": {"type": "string"}}]
    if text.startswith("list[list[float]]"):
        return [{"type": "array", "items": {"type": "array", "items": {"type": "number"}}}]
    if text.startswith("dict[str, str"):
        return [{"type": "object", "additionalProperties": {"type": "string"}}]
    if text.startswith("dict[str, float"):
        value: list[dict[str, Any]] = [{"type": "number"}, {"type": "string"}]
        if "list" in text:
            value.append({"type": "array", "items": {"anyOf": [{"type": "number"}, {"type": "string"}]}})
        return [{"type": "object", "additionalProperties": {"anyOf": value}}]
    return [{"type": "null"}]


def default_of(field: FieldInfo) -> Any:
    """Return the default of a key as JSON."""
    value = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, Section):
        return value.model_dump(mode="json")
    if isinstance(value, list):
        return [item.model_dump(mode="json") if isinstance(item, Section) else item for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def markdown() -> str:
    """Return the reference page of ``case.yaml``."""
    lines = [
        "# case.yaml",
        "",
        "Made by `pyland schema --markdown`; do not edit. Every key may be left out. A number may carry a unit (5 cm,",
        "30 min); without one it is in the unit of the table. Times are UTC. Paths start at the folder of `case.yaml`;",
        "`${NAME}` is replaced by the environment variable, `${NAME:-default}` by the default where it is not set.",
        "",
    ]
    for name, field in CaseConfig.model_fields.items():
        inner = section_of(field.annotation)
        assert inner is not None
        lines += [
            f"## {name}",
            "",
            f"{_first_line(inner)}{' A list of entries:' if str(field.annotation).startswith('list') else ''}",
            "",
            "| key | default | unit | values | what |",
            "|---|---|---|---|---|",
            *_rows(inner, ""),
            "",
        ]
    return "\n".join(lines)


def _rows(section: type[Section], prefix: str) -> list[str]:
    rows = []
    for name, field in section.model_fields.items():
        inner = section_of(field.annotation)
        text = str(field.annotation)
        label = prefix + name
        fact = facts(field)
        if (
            inner is not None
            and fact.get("kind") is None
            and default_of(field) is not None
            and not text.startswith("dict[")
        ):
            rows += _rows(inner, label + ("[]." if text.startswith("list[") else "."))
            continue
        default = json.dumps(default_of(field))
        unit = fact.get("unit", "")
        short = default if len(default) < 60 else "..."
        rows.append(f"| `{label}` | `{short}` | {unit} | {_values(fact)} | {field.description} |")
        if inner is not None:
            rows += _rows(
                inner,
                f"{label}.<name>."
                if text.startswith("dict[")
                else f"{label}."
                if fact.get("kind") is None
                else f"{label}.",
            )
    return rows


def _values(fact: dict[str, Any]) -> str:
    parts = []
    if "choices" in fact:
        parts.append(one_of(fact["choices"]))
    if "later" in fact:
        parts.append(f"not yet: {', '.join(fact['later'])}")
    low = (
        f"> {fact['exclusiveMinimum']:g}"
        if "exclusiveMinimum" in fact
        else f">= {fact['minimum']:g}"
        if "minimum" in fact
        else ""
    )
    high = (
        f"< {fact['exclusiveMaximum']:g}"
        if "exclusiveMaximum" in fact
        else f"<= {fact['maximum']:g}"
        if "maximum" in fact
        else ""
    )
    parts += [text for text in (low, high) if text]
    if "also" in fact:
        parts.append(f"or {one_of(fact['also'])}")
    return ", ".join(parts)
