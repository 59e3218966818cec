"""Load a case: YAML, overrides, schema, all errors at once."""

from __future__ import annotations

import copy
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from pyland.base.errors import ConfigError
from pyland.base.text import one_of, shown
from pyland.config.case import CaseConfig
from pyland.config.fields import facts
from pyland.config.messages import Finding, findings, section_of
from pyland.config.yaml_lines import Document, KeyPath, read_yaml

CASE_FILE = "case.yaml"

WITHOUT_EFFECT = ("parallel", "diagnose", "calibrate", "cycle")
"""Sections that change no result of a run."""


def load_case(
    source: str | os.PathLike[str] | Mapping[str, Any] | CaseConfig,
    overrides: Sequence[str] = (),
    directory: str | os.PathLike[str] | None = None,
) -> CaseConfig:
    """Load and check the configuration of a case.

    Parameters
    ----------
    source : path, mapping or CaseConfig
        A directory with ``case.yaml``, the file itself, or its content as a mapping.
    overrides : sequence of str
        ``key.path=value`` pairs; values are YAML. Entries of a list are addressed by number or by their ``name``.
    directory : path, optional
        Where relative paths of a mapping start; default is the working directory.

    Returns
    -------
    CaseConfig
        All values read, converted to the stated units, and checked against each other; paths are absolute.

    Raises
    ------
    ConfigError
        If anything is wrong. The message has one line per error: ``file:line: key.path: expected ..., got ...``.
    """
    if isinstance(source, CaseConfig):
        if not overrides:
            return source
        directory = source.directory
        source = source.model_dump(mode="json", exclude_unset=True)
    if isinstance(source, Mapping):
        document, label = Document(copy.deepcopy(dict(source))), ""
        folder = Path(directory) if directory is not None else Path.cwd()
    else:
        path = _case_file(Path(source))
        label, folder = _shown_path(path), path.resolve().parent
        document = _read(path, label)
    lines = {key_path: f"{label}:{line}" for key_path, line in document.lines.items()} if label else {}
    broken = [f"{label}:{line}: {text}" for line, text in document.problems]
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        if not broken:
            broken.append(f"{label}:1: expected a mapping of sections such as time and domain, got {shown(data)}")
        raise ConfigError(_message(broken))
    # a syntax error leaves nothing to check; duplicate keys do
    if broken and document.data is None:
        raise ConfigError(_message(broken))
    for text in overrides:
        _override(data, text, lines)
    config, found = _validate(data, {"directory": folder.resolve()})
    texts = broken + [_place(finding, lines, label) for finding in _in_order(found, document.lines)]
    if texts or config is None:
        raise ConfigError(_message(texts))
    config._directory = folder.resolve()
    config._lines = {".".join(map(str, key_path)): place for key_path, place in lines.items() if key_path}
    return config


def dump_case(config: CaseConfig) -> str:
    """Return the whole configuration, defaults included, as YAML that loads to the same case.

    Only ``depth`` of an observation stays out where it is not given: its absence says something, that a product or
    neutrons go by their own, and with other types it would be refused.
    """
    data = config.model_dump(mode="json")
    for entry, dumped in zip(config.observations, data["observations"], strict=True):
        if "depth" not in entry.model_fields_set:
            del dumped["depth"]
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=120)


def config_hash(config: CaseConfig) -> str:
    """Return the SHA-256 of all values but those of ``WITHOUT_EFFECT``, which change no result of a run.

    Of paths only the file name counts, so that a case may move.
    """
    data = _portable(config, config.model_dump(mode="json"))
    for name in WITHOUT_EFFECT:
        del data[name]
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode("utf-8")).hexdigest()


def _portable(section: Any, data: dict[str, Any]) -> dict[str, Any]:
    result = {}
    for name, value in data.items():
        field = type(section).model_fields[name]
        inner = getattr(section, name)
        if facts(field).get("kind") == "path" and value is not None:
            value = Path(value).name
        elif section_of(field.annotation) is not None and inner is not None:
            if isinstance(inner, list) and all(hasattr(type(one), "model_fields") for one in inner):
                value = [_portable(one, dumped) for one, dumped in zip(inner, value, strict=True)]
            elif hasattr(type(inner), "model_fields"):
                value = _portable(inner, value)
        result[name] = value
    return result


def _case_file(path: Path) -> Path:
    file = path / CASE_FILE if path.is_dir() else path
    if not file.is_file():
        what = f"the folder holds no {CASE_FILE}" if path.is_dir() else "there is no such file or folder"
        raise ConfigError(f"{path}: {what}. Expected a case folder or its {CASE_FILE}; `pyland new DIR` makes one.")
    return file


def _shown_path(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _read(path: Path, label: str) -> Document:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{label}: the file cannot be read as UTF-8 text ({error}).") from None
    return read_yaml(text)


def _override(data: dict[str, Any], text: str, lines: dict[KeyPath, str]) -> None:
    """Put one ``key.path=value`` into the data."""
    name, sign, value = text.partition("=")
    parts = name.strip().split(".")
    if not sign or not all(parts):
        raise ConfigError(f"--set {text}: expected key.path=value, for instance --set time.step='15 min'.")
    try:
        new = yaml.safe_load(value)
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"--set {text}: the value is not valid YAML: {' '.join(str(error).split())}") from None
    here: Any = data
    path: list[str | int] = []
    for place, part in enumerate(parts):
        step: str | int = part
        if isinstance(here, list):
            step = _entry(here, part, text)
        elif not isinstance(here, dict):
            raise ConfigError(f"--set {text}: '{'.'.join(map(str, path))}' is {shown(here)}, which has no keys.")
        path.append(step)
        if place == len(parts) - 1:
            here[step] = new
        else:
            if isinstance(here, dict) and here.get(step) is None:
                here[step] = {}
            here = here[step]
    for key_path in [key_path for key_path in lines if key_path[: len(path)] == tuple(path)]:
        del lines[key_path]
    lines[tuple(path)] = f"--set {text}"


def _entry(entries: list[Any], part: str, text: str) -> int:
    names = [str(entry.get("name", "")) if isinstance(entry, dict) else "" for entry in entries]
    if part in names:
        return names.index(part)
    if part.isdigit() and int(part) < len(entries):
        return int(part)
    known = [name or str(place) for place, name in enumerate(names)]
    raise ConfigError(f"--set {text}: there is no entry '{part}'; there are {one_of(known) if known else 'none'}.")


_LOOKS = 3
"""Times that the rest of a wrong case is checked again, without wrong keys and then without those they contradict."""


def _validate(data: dict[str, Any], context: dict[str, Any]) -> tuple[CaseConfig | None, list[Finding]]:
    """Validate; where keys are wrong, check the rest again without them, so that checks across keys are made too.

    A section whose own keys contradict each other hides what is wrong in the section around it: so there are further
    looks, without those keys.
    """
    try:
        return CaseConfig.model_validate(data, context=context), []
    except ValidationError as error:
        found = findings(error, CaseConfig, data)
    seen = list(found)
    for look in range(_LOOKS):
        removed = _wrong_alone(seen) if look == 0 else _wrong_together(seen)
        rest = copy.deepcopy(data)
        # from the back, so that numbers of list entries stay right
        for path in sorted(
            removed,
            key=lambda one: [(isinstance(part, str), part if isinstance(part, int) else 0, str(part)) for part in one],
            reverse=True,
        ):
            _remove(rest, path)
        try:
            CaseConfig.model_validate(rest, context=context)
        except ValidationError as error:
            known = {(finding.path, finding.text) for finding in seen}
            new = [one for one in findings(error, CaseConfig, rest) if (one.path, one.text) not in known]
            seen += new
            found += [one for one in new
                      if not any(_related(path, about) for path in removed for about in one.depends)]
        else:
            break
    return None, found


def _wrong_alone(found: Sequence[Finding]) -> list[KeyPath]:
    """Return the keys that are wrong whatever the others are."""
    return [finding.path for finding in found if len(finding.depends) == 1]


def _wrong_together(found: Sequence[Finding]) -> list[KeyPath]:
    """Return all keys that a finding is about."""
    return list(dict.fromkeys(path for finding in found for path in (finding.path, *finding.depends) if path))


def _related(one: KeyPath, other: KeyPath) -> bool:
    size = min(len(one), len(other))
    return one[:size] == other[:size]


def _remove(data: Any, path: KeyPath) -> None:
    here = data
    for part in path[:-1]:
        try:
            here = here[part]
        except (KeyError, IndexError, TypeError):
            return
    if isinstance(here, dict):
        here.pop(path[-1], None)


def _in_order(found: list[Finding], lines: Mapping[KeyPath, int]) -> list[Finding]:
    return sorted(found, key=lambda finding: _line(finding, lines, 0))


def _line(finding: Finding, lines: Mapping[KeyPath, Any], default: Any) -> Any:
    """Return the entry of a key or, where the file lacks it, of a key that it depends on or of its section."""
    for path in (finding.path, *finding.depends):
        if path in lines:
            return lines[path]
    for size in range(len(finding.path), -1, -1):
        if finding.path[:size] in lines:
            return lines[finding.path[:size]]
    return default


def _place(finding: Finding, lines: Mapping[KeyPath, str], label: str) -> str:
    where = _line(finding, lines, label)
    name = ".".join(map(str, finding.path)) or "case"
    return f"{where}: {name}: {finding.text}" if where else f"{name}: {finding.text}"


def _message(texts: Sequence[str]) -> str:
    if len(texts) == 1:
        return texts[0]
    return f"the case has {len(texts)} errors:\n" + "\n".join(texts)
