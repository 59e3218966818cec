"""Values of the options of readers: each is checked before a file is opened, by what its reader declares.

Options come from a command line or a YAML file, so that a word may stand where a number is needed. The kind is the
annotation of the reader's function; what numbers can be is said by the name, the same for all readers.
"""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from pathlib import Path

import numpy as np

from pyland.base.errors import InputError
from pyland.base.text import shown
from pyland.observe.readers.reader import Reader

_LEAST = {"sigma": (0.0, "above 0"), "relative_sigma": (None, "not negative"), "footprint": (None, "not negative")}
"""Number that must be exceeded (None: zero is allowed), and how a message says it; ``max_*`` and ``min_*`` are as
``footprint``."""


def checked_options(reader: Reader, options: Mapping[str, object]) -> dict[str, object]:
    """Return options with values that the reader can take; one word where a list is expected becomes a list of it.

    Parameters
    ----------
    reader : Reader
        Whose options they are; all names are its own.
    options : mapping of str to object
        Values by name.

    Raises
    ------
    InputError
        If a value is of the wrong kind, or a number cannot be.
    """
    kinds = reader.option_kinds
    return {name: _checked(f"{reader.name}: option '{name}'", name, kinds[name], value)
            for name, value in options.items()}


def is_text(kind: str) -> bool:
    """Return whether an option is text, so that 00003 on the command line is no number."""
    return kind in ("str", "str | None")


def _checked(where: str, name: str, kind: str, value: object) -> object:
    if value is None and ("None" in kind or kind == "object"):
        return None
    if is_text(kind):
        _expect(isinstance(value, str), where, "text, in quotes if it looks like a number", value)
    elif kind.removesuffix(" | None") == "bool":
        _expect(isinstance(value, bool | np.bool_), where, "true or false", value)
    elif kind.removesuffix(" | None") == "int":
        _expect(_is_integer(value) and value >= 0, where, "an integer that is not negative", value)
    elif kind.removesuffix(" | None") == "float":
        _expect(_is_number(value), where, "a number", value)
        _check_size(where, name, float(value))
    elif kind.startswith("tuple[float, float]"):
        spans = value.values() if isinstance(value, Mapping) and "Mapping" in kind else [value]
        for one in spans:
            _expect(_is_span(one), where, "[top, bottom] in m with 0 <= top <= bottom, for instance [0, 0.05]", value)
    elif "[str" in kind:
        value = (value,) if isinstance(value, str) else value
        _expect(isinstance(value, list | tuple) and all(isinstance(one, str) for one in value), where,
                "a list of words, for instance [G, M]", value)
    elif "[int" in kind:
        value = (value,) if _is_integer(value) else value
        _expect(isinstance(value, list | tuple) and all(map(_is_integer, value)), where,
                "a list of integers, for instance [0, 1]", value)
    elif "Path" in kind and "dict" not in kind:
        _expect(isinstance(value, str | Path), where, "a path", value)
    return value


def _check_size(where: str, name: str, value: float) -> None:
    limit = _LEAST.get(name) or (_LEAST["footprint"] if name.startswith(("max_", "min_")) else None)
    if limit is not None:
        _expect(value >= 0.0 if limit[0] is None else value > limit[0], where, f"a number {limit[1]}", value)


def _expect(is_so: bool, where: str, expected: str, value: object) -> None:
    if not is_so:
        got = value if isinstance(value, str) and value[:1].isdigit() else shown(value)
        raise InputError(f"{where}: expected {expected}, got {got}.")


def _is_integer(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and bool(np.isfinite(value))


def _is_span(value: object) -> bool:
    return (isinstance(value, list | tuple | np.ndarray) and len(value) == 2 and all(map(_is_number, value))
            and 0.0 <= value[0] <= value[1])
