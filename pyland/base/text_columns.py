"""Columns of numbers, words and times in delimited text files: loggers, stations, networks."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pyland.base.errors import InputError
from pyland.base.text import suggestion

MISSING_WORDS = ("", "nan", "NaN", "NAN", "na", "NA", "n/a", "N/A", "null", "NULL", "None", "-")
"""What an empty cell is written as."""

_OFFSET = re.compile(r"(Z|[+-]\d\d:?\d\d)$")
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?)?")
_FIELDS = {"%Y": r"(?P<Y>\d{4})", "%m": r"(?P<m>\d{1,2})", "%d": r"(?P<d>\d{1,2})", "%H": r"(?P<H>\d{1,2})",
           "%M": r"(?P<M>\d{1,2})", "%S": r"(?P<S>\d{1,2})"}  # fmt: skip
_DAY = 86400  # [s]
_LARGEST_OFFSET = 14.0  # hours that a local time is ahead of UTC, Kiritimati; 12 behind [h]


@dataclass(frozen=True)
class TextColumns:
    """Columns of a text file, as text.

    Attributes
    ----------
    path : Path
        The file.
    cells : dict of str to ndarray of str, shape (row,)
        Texts of each column, without blanks at their ends.
    units : dict of str to str
        Units of columns where a line of the file states them.
    lines : ndarray of int, shape (row,)
        Number of the line of each row, from 1.
    """

    path: Path
    cells: dict[str, np.ndarray]
    units: dict[str, str] = field(default_factory=dict)
    lines: np.ndarray = field(default_factory=lambda: np.zeros(0, int))

    @property
    def size(self) -> int:
        """Number of rows."""
        return self.lines.size

    def texts(self, name: str) -> np.ndarray:
        """Return the texts of a column, shape (row,).

        Raises
        ------
        InputError
            If there is no such column; the message names the nearest one and all there are.
        """
        if name not in self.cells:
            raise InputError(f"{self.path}: there is no column '{name}'{suggestion(name, list(self.cells)) or '.'} The "
                             f"columns are {', '.join(self.cells)}.")
        return self.cells[name]

    def numbers(self, name: str, missing: Iterable[float] = ()) -> np.ndarray:
        """Return a column as numbers, shape (row,); NaN where a cell is empty or one of ``missing``.

        Raises
        ------
        InputError
            If there is no such column, or a cell is neither empty nor a number; the message names the line.
        """
        texts = self.texts(name)
        empty = np.isin(texts, MISSING_WORDS)
        filled = np.where(empty, "nan", texts)
        try:
            values = filled.astype(float)
        except ValueError:
            row = next(row for row, text in enumerate(filled) if not _is_number(text))
            raise InputError(f"{self.path}, line {self.lines[row]}: column '{name}' must hold numbers, got "
                             f"'{texts[row]}'. Say how a missing value is written, or name another column.") from None
        values[np.isin(values, np.asarray(list(missing), float))] = np.nan
        return values

    def times(self, name: str, pattern: str | None = None, utc_offset: float | None = None) -> np.ndarray:
        """Return a column of times in UTC, datetime64[s], shape (row,); see `parse_times`."""
        return parse_times(self.texts(name), pattern, utc_offset, f"{self.path}: column '{name}'", self.lines)


def read_text_columns(
    path: str | Path, *, delimiter: str = ",", header: int | None = 1, names: Iterable[str] | None = None,
    units_line: int | None = None, first: int | None = None, comment: str | None = None,
) -> TextColumns:
    """Read a delimited text file.

    Parameters
    ----------
    path : str or Path
        The file, UTF-8 or Latin-1.
    delimiter : str
        What stands between cells; a blank: any number of blanks.
    header : int or None
        Number of the line with the names of the columns, from 1, comments counted; None: there is none.
    names : iterable of str, optional
        Names of the columns where there is no header.
    units_line : int, optional
        Number of the line with the units.
    first : int, optional
        Number of the first line of data; by default the one after the header.
    comment : str, optional
        Lines that begin so are left out.

    Returns
    -------
    TextColumns
        Columns by name.

    Raises
    ------
    InputError
        If the file is missing or empty, a name appears twice, or a line has another number of cells than the header: a
        truncated line.
    """
    path = Path(path)
    lines = _lines(path)
    if header is not None and len(lines) < header:
        raise InputError(f"{path}: the names of the columns are expected in line {header}, but the file has "
                         f"{len(lines)} lines.")
    if header is not None:
        names = [cell.strip() for cell in _split(lines[header - 1 : header], delimiter)[0]]
    names = list(names or ())
    if not names:
        raise InputError(f"{path}: without a header the names of the columns must be given, from left to right.")
    double = [name for at, name in enumerate(names) if name in names[:at]]
    if double:
        raise InputError(f"{path}: the column '{double[0]}' appears twice.")
    units = {}
    if units_line is not None:
        texts = [cell.strip() for cell in _split(lines[units_line - 1 : units_line], delimiter)[0]]
        units = {name: text for name, text in zip(names, texts, strict=False) if text}
    start = first if first is not None else (header or 0) + 1
    kept = [(number, line) for number, line in enumerate(lines[start - 1 :], start)
            if line.strip() and not (comment and line.startswith(comment))]
    if not kept:
        raise InputError(f"{path}: has no line of data from line {start} on.")
    rows = _split([line for _, line in kept], delimiter)
    width = len(names)
    for (number, _), row in zip(kept, rows, strict=True):
        if len(row) != width:
            raise InputError(
                f"{path}, line {number}: {width} cells are expected ({', '.join(names[:4])}, ...), got {len(row)}. The "
                "line may be truncated; correct or remove it."
            )
    cells = {name: np.char.strip(np.array(column)) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    return TextColumns(path, cells, units, np.array([number for number, _ in kept]))


def parse_times(
    texts: np.ndarray, pattern: str | None = None, utc_offset: float | None = None, where: str = "times",
    lines: np.ndarray | None = None,
) -> np.ndarray:
    """Return times in UTC, datetime64[s], shape (row,).

    Parameters
    ----------
    texts : ndarray of str, shape (row,)
        Times as a file has them; with their own offsets (``Z``, ``+01:00``) or all without.
    pattern : str, optional
        Their layout with %Y %m %d %H %M %S, for instance ``"%m/%d/%Y %H:%M"``; by default ISO 8601.
    utc_offset : float, optional
        Local standard time of the file minus UTC [h], 0 by default; refused where the texts have offsets.
    where : str
        What they are, for messages.
    lines : ndarray of int, optional
        Number of the line of each row, for messages.

    Raises
    ------
    InputError
        If a text is no time, some texts have offsets and others not, or ``utc_offset`` contradicts them.
    """
    texts = np.char.strip(np.asarray(texts, dtype=str))
    lines = np.arange(1, texts.size + 1) if lines is None else lines
    if utc_offset is not None and not -12.0 <= utc_offset <= _LARGEST_OFFSET:
        raise InputError(f"{where}: utc_offset must lie between -12 and 14 h (local standard time minus UTC), got "
                         f"{utc_offset:g}.")
    if pattern is not None:
        stamps = _by_pattern(texts, pattern, where, lines)
        return stamps - _seconds(utc_offset or 0.0)
    found = [_OFFSET.search(text[10:]) for text in texts.tolist()]
    own = np.array([match is not None for match in found])
    if own.any() and not own.all():
        row = int(np.argmin(own)) if own[0] else int(np.argmax(own))
        raise InputError(
            f"{where}: some times have an offset from UTC and others have none, the first that differs is "
            f"'{texts[row]}' in line {lines[row]}. Mixed time zones cannot be told apart; write all of one kind."
        )
    shift: np.ndarray | np.timedelta64 = _seconds(utc_offset or 0.0)
    if own.any():
        words = np.array([match[1] for match in found])
        known = {word: _offset_hours(word) for word in np.unique(words).tolist()}
        if utc_offset is not None and set(known.values()) != {utc_offset}:
            raise InputError(f"{where}: the times say their offset from UTC ({', '.join(known)}), and utc_offset is "
                             f"{utc_offset:g} h. Leave utc_offset out.")
        shift = np.array([round(known[word] * 3600.0) for word in words.tolist()]).astype("timedelta64[s]")
        texts = np.array([text[: len(text) - len(match[1])] for text, match in zip(texts.tolist(), found, strict=True)])
    wrong = next((row for row, text in enumerate(texts.tolist()) if not _ISO.fullmatch(text)), None)
    if wrong is not None:
        raise InputError(f"{where}, line {lines[wrong]}: '{texts[wrong]}' is no time of the form 2020-01-31 "
                         "12:00:00. State the layout of the times (for instance '%d.%m.%Y %H:%M').")
    try:
        return texts.astype("datetime64[s]") - shift
    except ValueError:  # a month or day that no calendar has
        row = next(row for row, text in enumerate(texts.tolist()) if not _is_time(text))
        raise InputError(f"{where}, line {lines[row]}: '{texts[row]}' is no time.") from None


def _by_pattern(texts: np.ndarray, pattern: str, where: str, lines: np.ndarray) -> np.ndarray:
    """Return times of a stated layout, as they stand."""
    if "%Y" not in pattern:
        raise InputError(f"{where}: the layout of times '{pattern}' has no year %Y.")
    expression = re.escape(pattern).replace(r"\%", "%")
    packed = re.search(r"%[YmdHMS]%[YmdHMS]", pattern) is not None
    for name, group in _FIELDS.items():
        expression = expression.replace(name, group.replace("{1,2}", "{2}") if packed else group)
    if "%" in expression:
        raise InputError(f"{where}: the layout of times '{pattern}' may hold {', '.join(_FIELDS)} alone.")
    compiled = re.compile(expression)
    matches = [compiled.fullmatch(text) for text in texts.tolist()]
    if None in matches:
        row = matches.index(None)
        raise InputError(f"{where}, line {lines[row]}: '{texts[row]}' is no time of the layout '{pattern}'.")
    parts = np.array([match.groups() for match in matches], dtype=np.int64)
    part = {name: parts[:, at - 1] for name, at in compiled.groupindex.items()}
    one, zero = np.ones(texts.size, np.int64), np.zeros(texts.size, np.int64)
    month, day = part.get("m", one), part.get("d", one)
    hour, minute, second = (part.get(name, zero) for name in "HMS")
    first = (part["Y"] - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (month - 1)
    date = first.astype("datetime64[D]") + (day - 1)
    seconds = 3600 * hour + 60 * minute + second
    real = (month >= 1) & (month <= 12) & (date.astype("datetime64[M]") == first) & (day >= 1)
    real &= (seconds <= _DAY) & (minute <= 59) & (second <= 60)  # 24:00 is the end of a day
    if not real.all():
        row = int(np.argmin(real))
        raise InputError(f"{where}, line {lines[row]}: '{texts[row]}' is no time in the layout '{pattern}'.")
    return date.astype("datetime64[s]") + seconds.astype("timedelta64[s]")


def _offset_hours(word: str) -> float:
    if word == "Z":
        return 0.0
    digits = word[1:].replace(":", "")
    return (1.0 if word[0] == "+" else -1.0) * (int(digits[:2]) + int(digits[2:]) / 60.0)


def _seconds(hours: float) -> np.timedelta64:
    return np.timedelta64(round(hours * 3600.0), "s")


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        raise InputError(f"{path}: no such file.")
    content = path.read_bytes()
    if b"\0" in content:
        raise InputError(f"{path}: is not a text file; it may be compressed, or damaged.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")  # degree signs of loggers; every byte is a character of it
    lines = text.splitlines()
    if not lines:
        raise InputError(f"{path}: is empty.")
    return lines


def _split(lines: list[str], delimiter: str) -> list[list[str]]:
    if delimiter == " ":
        return [line.split() for line in lines]
    return list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))


def _is_time(text: str) -> bool:
    try:
        np.datetime64(text, "s")
    except ValueError:
        return False
    return True


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
