"""Turn what pydantic finds into sentences with file, line and key."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from pyland.base.text import nearest, one_of, shown
from pyland.config.fields import Problems, Section
from pyland.config.other_names import KEYS
from pyland.config.yaml_lines import KeyPath

_KINDS = {
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "list_type": "a list",
    "string_type": "a text",
    "float_type": "a number",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "none_required": "nothing",
}


_SURE = 0.8
"""Least similarity (difflib) of a key of another section that is suggested."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes
    ----------
    path : tuple
        Key path in the data.
    text : str
        Sentence without file, line and key.
    depends : tuple of tuple
        Key paths that the finding is about.
    is_extra : bool
        Whether the key does not exist in the schema.
    """

    path: KeyPath
    text: str
    depends: tuple[KeyPath, ...]
    is_extra: bool = False


def findings(error: ValidationError, root: type[Section], data: Any) -> list[Finding]:
    """Return all findings of one validation."""
    result: list[Finding] = []
    for item in error.errors(include_url=False):
        path = _in_data(item["loc"], data)
        cause = item.get("ctx", {}).get("error")
        if isinstance(cause, Problems):
            for relative, text, depends in cause.problems:
                result.append(
                    Finding((*path, *_split(relative)), text, tuple((*path, *_split(name)) for name in depends))
                )
        elif item["type"] == "extra_forbidden":
            result.append(Finding(path, _unknown_key(path, root), (path,), is_extra=True))
        elif cause is not None:
            result.append(Finding(path, str(cause), (path,)))
        elif item["type"] in _KINDS and len(path) < len(item["loc"]) and isinstance(item["input"], dict):
            continue  # the scalar alternative of a union; its section alternative reports the keys
        elif item["type"] in _KINDS:
            such_as = _example(_section_at(root, path)) if item["type"].startswith("model") else ""
            result.append(
                Finding(path, f"expected {_KINDS[item['type']]}{such_as}, got {shown(item['input'])}", (path,)))
        else:
            result.append(
                Finding(path, f"{item['msg'][0].lower()}{item['msg'][1:]}, got {shown(item['input'])}", (path,))
            )
    # a union reports once per alternative: keep the first of each key
    unique: dict[tuple[KeyPath, bool], Finding] = {}
    kept = []
    for finding in result:
        same = (finding.path, len(finding.depends) == 1 and finding.depends[0] == finding.path)
        if same[1] and same in unique:
            continue
        unique.setdefault(same, finding)
        kept.append(finding)
    return kept


def _example(section: type[Section] | None) -> str:
    """Return the first number of a section as an example, `` such as {factor: 1.05}``."""
    return "" if section is None or section.example is None else f" such as {section.example}"


def _split(path: str) -> KeyPath:
    return tuple(int(part) if part.isdigit() else part for part in path.split(".")) if path else ()


def _in_data(location: tuple[str | int, ...], data: Any) -> KeyPath:
    """Return the part of a pydantic location that exists in the data; tags of unions do not."""
    path: list[str | int] = []
    here = data
    for part in location:
        in_list = isinstance(here, list) and isinstance(part, int) and part < len(here)
        if in_list or (isinstance(here, dict) and part in here):
            here = here[part]
        else:
            continue
        path.append(part)
    return tuple(path)


def section_of(annotation: Any) -> type[Section] | None:
    """Return the section class inside ``Section``, ``Section | None``, ``list[Section]`` or ``dict[str, Section]``."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    if typing.get_origin(annotation) in (list, dict, tuple, types.UnionType, typing.Union):
        for argument in typing.get_args(annotation):
            found = section_of(argument)
            if found is not None:
                return found
    return None


def _section_at(root: type[Section], path: KeyPath) -> type[Section] | None:
    here: type[Section] | None = root
    for part in path:
        if here is None:
            return None
        if isinstance(part, str) and part in here.model_fields:
            here = section_of(here.model_fields[part].annotation)
    return here


def all_keys(root: type[Section], prefix: str = "") -> dict[str, list[str]]:
    """Return the key paths of the schema by the name of their last key."""
    result: dict[str, list[str]] = {}
    for name, field in root.model_fields.items():
        result.setdefault(name, []).append(prefix + name)
        inner = section_of(field.annotation)
        if inner is not None:
            for key_name, paths in all_keys(inner, f"{prefix}{name}.").items():
                result.setdefault(key_name, []).extend(paths)
    return result


def _hint(name: str, here: Sequence[str], elsewhere: Mapping[str, Sequence[str]]) -> str:
    """Return what a key that is not there was probably meant to be; nothing rather than a far guess."""
    found = nearest(name, here)
    if found is None and name.lower() in KEYS and _is_of_a_case(elsewhere):
        return f"; pyland has it as {KEYS[name.lower()]}"
    if found is None and name in elsewhere:
        found = elsewhere[name][0]
    if found is None:
        other = nearest(name, elsewhere)
        near = other is not None and difflib.SequenceMatcher(None, name.lower(), other.lower()).ratio() >= _SURE
        found = elsewhere[other][0] if near else None
    return f"; did you mean '{found}'?" if found else ""


def _is_of_a_case(keys: Mapping[str, Sequence[str]]) -> bool:
    return "assimilation" in keys


def _unknown_key(path: KeyPath, root: type[Section]) -> str:
    name = str(path[-1])
    section = _section_at(root, path[:-1])
    here = list(section.model_fields) if section is not None else []
    hint = _hint(name, here, all_keys(root))
    return (
        f"expected one of the keys {one_of(here)}, got the unknown key '{name}'{hint}"
        if here
        else f"unknown key '{name}'{hint}"
    )
