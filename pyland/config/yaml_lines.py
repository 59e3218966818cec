"""Read YAML with the line of every key, and find duplicate keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

KeyPath = tuple[str | int, ...]


@dataclass
class Document:
    """A YAML file in memory.

    Attributes
    ----------
    data : object
        The content.
    lines : dict
        Line (from 1) of every key and list item.
    problems : list of (int, str)
        Line and sentence of what the loader found wrong.
    """

    data: Any
    lines: dict[KeyPath, int] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)


def read_yaml(text: str) -> Document:
    """Parse a text; what is wrong comes back in ``problems``, not as an exception."""
    document = Document(data=None)
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is not None:
            document.data = _construct(loader, node, (), document, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(str(part) for part in (error.context, error.problem) if part)
        line = mark.line + 1 if mark else 1
        has_braces = any("${" in row for row in text.splitlines()[max(line - 2, 0) : line])
        hint = '; within braces write "${NAME}/file" in quotes' if has_braces else ""
        document.problems.append((line, f"this is not valid YAML: {what}{hint}"))
    except yaml.YAMLError as error:
        document.problems.append((1, f"this is not valid YAML: {' '.join(str(error).split())}"))
    except ValueError as error:
        # a date such as 2020-02-30 or a number that YAML takes for one
        document.problems.append((_line_of(text, str(error)), f"a value cannot be read: {error}"))
    finally:
        loader.dispose()
    return document


def _line_of(text: str, message: str) -> int:
    """Return the first line whose value does not construct alone; 1 if none is found."""
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            yaml.safe_load(line.split(":", 1)[-1])
        except ValueError as error:
            if str(error) == message:
                return number
        except yaml.YAMLError:
            continue
    return 1


def _construct(
    loader: yaml.SafeLoader, node: yaml.Node, path: KeyPath, document: Document, parents: tuple[int, ...]
) -> Any:
    document.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_object(node)
    if id(node) in parents:
        document.problems.append((node.start_mark.line + 1, "an alias refers to itself"))
        return None
    parents = (*parents, id(node))
    if isinstance(node, yaml.SequenceNode):
        return [_construct(loader, item, (*path, place), document, parents) for place, item in enumerate(node.value)]
    return _construct_mapping(loader, node, path, document, parents)


def _construct_mapping(
    loader: yaml.SafeLoader, node: yaml.MappingNode, path: KeyPath, document: Document, parents: tuple[int, ...]
) -> dict[str, Any]:
    first: dict[str, int] = {}
    for key_node, _ in node.value:
        name, line = str(key_node.value), key_node.start_mark.line + 1
        if name in first and name != "<<":
            where = ".".join(map(str, (*path, name)))
            document.problems.append((line, f"{where}: the key is given twice, first in line {first[name]}"))
        first.setdefault(name, line)
    loader.flatten_mapping(node)
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            document.problems.append((key_node.start_mark.line + 1, "a key must be a word"))
            continue
        name = str(key_node.value)
        document.lines[(*path, name)] = key_node.start_mark.line + 1
        result[name] = _construct(loader, value_node, (*path, name), document, parents)
    return result
