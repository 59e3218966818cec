"""Words for messages and tables: nearest names, lists, values as the user wrote them, rounded numbers."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

_SIMILARITY = 0.6
"""Least similarity of a suggestion, the default of difflib."""
_LONGEST_VALUE = 60
"""Characters of a value that a message repeats."""


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that ``name`` was probably meant to be, or None."""
    choices = [str(candidate) for candidate in candidates]
    by_lower = {choice.lower(): choice for choice in reversed(choices)}
    found = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=_SIMILARITY)
    return by_lower[found[0]] if found else None


def suggestion(name: str, candidates: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` or an empty string."""
    found = nearest(name, candidates)
    return f"; did you mean '{found}'?" if found else ""


def one_of(names: Iterable[str]) -> str:
    """Return ``"a, b or c"``."""
    words = [str(name) for name in names]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def shown(value: object) -> str:
    """Return a value as a message shows it: strings in quotes, long ones cut."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return (
            f"a mapping with the keys {', '.join(map(str, value))}"
            if 0 < len(value) < 6
            else f"a mapping of {len(value)} keys"
        )
    text = f"'{value}'" if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 3] + "..."


def aligned_columns(rows: Sequence[Sequence[str]], named: int = 1) -> list[str]:
    """Return rows as lines with columns of equal width; the first ``named`` to the left, the others to the right."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) if k < named else cell.rjust(width)
                      for k, (cell, width) in enumerate(zip(row, widths, strict=True))).rstrip() for row in rows]


def library_words(error: Exception) -> str:
    """Return what a library said of a file, without the number of the error and the path, in one line."""
    words = getattr(error, "strerror", None) or str(error)
    return " ".join(str(words).split())


def significant(number: float, digits: int, *, sign: bool = False) -> str:
    """Return `number` with so many significant digits and no exponent below a million: 253.4 with 2 is ``250``."""
    return f"{float(f'{number:.{digits - 1}e}'):{'+' if sign else ''}.6g}"
