"""Small YAML files of their own, such as ``analysis.yaml``: read, changed by the command line, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from pyland.base.errors import ConfigError
from pyland.base.text import library_words, shown
from pyland.config.fields import Section
from pyland.config.messages import findings
from pyland.config.yaml_lines import Document, read_yaml

Settings = TypeVar("Settings", bound=Section)


def load_settings(
    model: type[Settings], name: str, path: str | Path | None, changes: Mapping[str, Any] | None, directory: Path
) -> Settings:
    """Load a file of settings.

    Parameters
    ----------
    model : type of Section
        What the file may hold.
    name : str
        What findings about the whole file are called.
    path : str or Path or None
        The file; without it, all values are the defaults.
    changes : mapping of str to object or None
        Values by key path that replace those of the file (command line).
    directory : Path
        Folder that relative paths start from.

    Returns
    -------
    Section
        All values, checked.

    Raises
    ------
    ConfigError
        If the file cannot be read or anything in it is wrong; one line per error, with file and line.
    """
    document, label = Document({}), "command line"
    if path is not None:
        label = str(path)
        try:
            document = read_yaml(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"{label}: the file cannot be read ({library_words(error)}). Check the path.") from None
        except UnicodeDecodeError:
            raise ConfigError(f"{label}: expected a YAML file in UTF-8, got a file that is no text.") from None
    if document.problems:
        raise ConfigError("\n".join(f"{label}:{line}: {text}" for line, text in document.problems))
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        raise ConfigError(f"{label}:1: expected a mapping of keys such as method, got {shown(data)}")
    for key_path, value in (changes or {}).items():
        _change(data, key_path, value)
    try:
        return model.model_validate(data, context={"directory": directory})
    except ValidationError as error:
        found = findings(error, model, data)
    texts = []
    for one in found:
        line = next((document.lines[place] for place in (one.path, *one.depends)
                     if place in document.lines and ".".join(map(str, place)) not in (changes or {})), None)
        where = f"{label}:{line}" if line is not None else label
        if line is None and ".".join(map(str, one.path)) in (changes or {}):
            where = "command line"
        texts.append(f"{where}: {'.'.join(map(str, one.path)) or name}: {one.text}")
    raise ConfigError("\n".join(texts))


def _change(data: dict[str, Any], key_path: str, value: Any) -> None:
    """Set a value by its key path; numbers are places in a list."""
    *sections, last = key_path.split(".")
    here: Any = data
    for number, section in enumerate([*sections, last]):
        if isinstance(here, list) and not (section.isdigit() and int(section) < len(here)):
            raise ConfigError(f"command line: {key_path}: expected a number below {len(here)} for an entry of the "
                              f"list, got '{section}'")
        if number == len(sections):
            break
        if not isinstance(here, list) and not isinstance(here.get(section), (dict, list)):
            here[section] = {}
        here = here[int(section) if isinstance(here, list) else section]
    here[int(last) if isinstance(here, list) else last] = value


def parse_changes(texts: Sequence[str]) -> dict[str, Any]:
    """Return values by key path from texts such as ``tc.least_count=200``.

    Raises
    ------
    ConfigError
        If one is not ``KEY.PATH=VALUE``.
    """
    changes = {}
    for text in texts:
        name, sign, value = text.partition("=")
        try:
            changes[name.strip()] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ConfigError(f"--set {text}: the value is not YAML ({error}).") from None
        if not sign or not name.strip():
            raise ConfigError(f"--set {text}: expected KEY.PATH=VALUE, such as tc.least_count=200.")
    return changes


__all__ = ["load_settings", "parse_changes"]
