"""Files by patterns with times: ``incoming/final_%Y%m%d*.nc``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from pyland.config.cycle import MEMBER

UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload")
"""Endings that programs give to files which they are still writing."""

HOUR = np.timedelta64(3600, "s")


@dataclass(frozen=True)
class FoundFile:
    """A file that has arrived.

    Attributes
    ----------
    path : Path
        Where it lies.
    size : int
        [byte].
    changed : int
        When it was written [ns since 1970], which counts as its arrival.
    claimed : numpy.datetime64 or None
        First time that its name stands for, UTC; None where the pattern has no time.
    """

    path: Path
    size: int
    changed: int
    claimed: np.datetime64 | None

    @cached_property
    def arrived(self) -> str:
        """Time of arrival, UTC."""
        return str(np.datetime64(self.changed // 10**9, "s"))


def time_text(pattern: str, moment: np.datetime64) -> str:
    """Put a time into a pattern; wildcards and ``{member}`` stay."""
    return moment.astype("datetime64[s]").item().strftime(pattern) if "%" in pattern else pattern


def found_files(
    pattern: str, moments: np.ndarray, until: np.datetime64 | None = None
) -> list[FoundFile]:
    """Return the files that a pattern names for some times, in the order of their times and names.

    Parameters
    ----------
    pattern : str
        Pattern with times and wildcards; ``{member}`` must be filled in.
    moments : numpy.ndarray of datetime64, shape (time,)
        Times in order, UTC. A file stands for the first of them that gives its name.
    until : numpy.datetime64, optional
        Files that were written later have not arrived yet, UTC.
    """
    found: dict[Path, FoundFile] = {}
    texts: dict[str, np.datetime64 | None] = {}
    for moment in moments if "%" in pattern else moments[:1]:
        texts.setdefault(time_text(pattern, moment), moment if "%" in pattern else None)
    for text, claimed in texts.items():
        for path in _matches(text):
            if path in found or path.name.startswith(".") or path.suffix in UNFINISHED or not path.is_file():
                continue
            about = path.stat()
            if until is not None and about.st_mtime_ns > _nanoseconds(until):
                continue
            found[path] = FoundFile(path, about.st_size, about.st_mtime_ns, claimed)
    return list(found.values())


def found_members(pattern: str, moment: np.datetime64) -> list[int]:
    """Return the numbers for which a pattern with ``{member}`` has files at a time."""
    text = time_text(pattern, moment)
    place = MEMBER.search(text)
    before, after = text[:place.start()], text[place.end():]
    shape = re.compile(f"{_expression(before)}(\\d+){_expression(after)}")
    matches = (shape.fullmatch(str(path)) for path in _matches(f"{before}*{after}"))
    return sorted({int(one[1]) for one in matches if one is not None})


def member_pattern(pattern: str, member: int) -> str:
    """Put the number of a member into a pattern."""
    return MEMBER.sub(lambda place: place[0].format(member=member), pattern)


def hours_between(first: np.datetime64, last: np.datetime64) -> np.ndarray:
    """Return all hours from ``first`` to before ``last``, and ``first`` itself, UTC."""
    return np.arange(first, last, HOUR).astype("datetime64[s]")


def _matches(text: str) -> list[Path]:
    """Return what a pattern with wildcards names, in the order of names."""
    place = Path(text)
    return sorted(Path(place.anchor or ".").glob(str(place.relative_to(place.anchor))))


def _expression(text: str) -> str:
    """Turn the wildcards of a pattern into a regular expression."""
    return re.escape(text).replace(r"\*\*", ".*").replace(r"\*", "[^/]*").replace(r"\?", "[^/]")


def _nanoseconds(moment: np.datetime64) -> int:
    """Return the end of a second as nanoseconds since 1970."""
    return (int(moment.astype("datetime64[s]").astype(np.int64)) + 1) * 10**9 - 1
