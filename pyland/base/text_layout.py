"""What the columns of a text file are, declared once: a named layout, a mapping or a YAML file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.base.text import suggestion
from pyland.base.text_columns import TextColumns, parse_times, read_text_columns
from pyland.base.units import convert


@dataclass(frozen=True)
class Column:
    """One or several columns of a file that hold a quantity.

    Attributes
    ----------
    names : tuple of str
        Columns; several are sensors of one quantity, as the tubes of a neutron probe.
    unit : str or None
        Their unit; None: the file says it.
    """

    names: tuple[str, ...]
    unit: str | None = None


@dataclass(frozen=True)
class TextLayout:
    """Layout of a text file.

    Attributes
    ----------
    time : tuple of str
        Columns of the time, joined by a blank.
    columns : mapping of str to Column
        Columns by quantity.
    delimiter, header, names, units_line, first, comment
        See `read_text_columns`.
    time_pattern : str or None
        Layout of the times, see `parse_times`; None: ISO 8601.
    missing : tuple of float
        Numbers that stand for no value.
    """

    time: tuple[str, ...]
    columns: Mapping[str, Column] = field(default_factory=dict)
    delimiter: str = ","
    header: int | None = 1
    names: tuple[str, ...] = ()
    units_line: int | None = None
    first: int | None = None
    comment: str | None = None
    time_pattern: str | None = None
    missing: tuple[float, ...] = ()

    @classmethod
    def of(cls, given: object, presets: Mapping[str, TextLayout], quantities: Iterable[str]) -> TextLayout:
        """Return the layout that a user means.

        Parameters
        ----------
        given : str, Path, mapping or TextLayout
            Name of a preset, a YAML file, or a mapping with the names of the attributes; with the key ``like`` it
            changes a preset. ``columns`` has a name, ``[name, unit]`` or ``{names: [...], unit: ...}`` by quantity.
        presets : mapping of str to TextLayout
            Layouts with a name.
        quantities : iterable of str
            Quantities that there may be.

        Raises
        ------
        InputError
            If a name, key or quantity is unknown, or something needed is not said.
        """
        if isinstance(given, cls):
            return given
        if isinstance(given, str) and given in presets:
            return presets[given]
        if isinstance(given, str | Path):
            given = _from_file(Path(given), presets)
        if not isinstance(given, Mapping):
            raise InputError(f"layout: expected the name of a layout ({', '.join(presets)}), a YAML file or a mapping, "
                             f"got {given!r}.")
        settings = dict(given)
        like = settings.pop("like", None)
        if like is not None and like not in presets:
            raise InputError(f"layout.like: there is no layout '{like}'; available: {', '.join(presets)}.")
        known = [one.name for one in fields(cls)]
        for key in settings:
            if key not in known:
                raise InputError(f"layout: unknown key '{key}'{suggestion(key, known) or '.'} Known are like, "
                                 f"{', '.join(known)}.")
        if "columns" in settings:
            settings["columns"] = {**(presets[like].columns if like else {}),
                                   **_columns(settings["columns"], list(quantities))}
        for key in ("time", "names", "missing"):
            if key in settings:
                one = settings[key]
                settings[key] = tuple(one) if isinstance(one, list | tuple) else (one,)
        if like is not None:
            return replace(presets[like], **settings)
        if "time" not in settings or not settings.get("columns"):
            raise InputError("layout: say in which column the time stands (time: NAME) and what the others are "
                             "(columns: {QUANTITY: NAME}).")
        return cls(**settings)

    def read(self, path: str | Path) -> TextColumns:
        """Return the columns of a file of this layout, as text; see `read_text_columns`."""
        return read_text_columns(path, delimiter=self.delimiter, header=self.header, names=self.names or None,
                                 units_line=self.units_line, first=self.first, comment=self.comment)

    def times(self, table: TextColumns, utc_offset: float | None = None) -> np.ndarray:
        """Return the times in UTC, datetime64[s], shape (row,); ``utc_offset`` as in `parse_times`."""
        texts = table.texts(self.time[0])
        for name in self.time[1:]:
            texts = np.char.add(np.char.add(texts, " "), table.texts(name))
        return parse_times(texts, self.time_pattern, utc_offset, f"{table.path}: column '{' '.join(self.time)}'",
                           table.lines)

    def has(self, table: TextColumns, quantity: str) -> bool:
        """Tell whether a quantity is declared and its columns are in the file."""
        return quantity in self.columns and all(name in table.cells for name in self.columns[quantity].names)

    def unit_of(self, table: TextColumns, quantity: str, name: str) -> str:
        """Return the unit of a column.

        Raises
        ------
        InputError
            If neither the layout nor the file says it.
        """
        unit = self.columns[quantity].unit or table.units.get(name)
        if unit is None:
            raise InputError(f"{table.path}: the unit of column '{name}' is not known; give it in the layout: "
                             f"{quantity}: [{name}, UNIT].")
        return unit

    def values(self, table: TextColumns, quantity: str, unit: str) -> np.ndarray:
        """Return a quantity of one column in a unit, shape (row,); NaN where missing.

        Raises
        ------
        InputError
            If it is not there, its unit is unknown or of another kind, or a cell is no number.
        """
        name = self.columns[quantity].names[0]
        values = table.numbers(name, self.missing)
        return convert(values, self.unit_of(table, quantity, name), unit, f"{table.path}: column '{name}'")


def _from_file(path: Path, presets: Mapping[str, TextLayout]) -> Any:
    import yaml

    if not path.is_file():
        raise InputError(f"layout: '{path}' is neither the name of a layout ({', '.join(presets)}) nor a YAML file.")
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise InputError(f"{path}: is no YAML file ({error}).") from None


def _columns(given: object, quantities: list[str]) -> dict[str, Column]:
    if not isinstance(given, Mapping):
        raise InputError(f"layout.columns: expected QUANTITY: NAME for each quantity, got {given!r}.")
    found = {}
    for quantity, one in given.items():
        if quantity not in quantities:
            hint = suggestion(str(quantity), quantities) or "."
            raise InputError(f"layout.columns: unknown quantity '{quantity}'{hint} Known are {', '.join(quantities)}.")
        if isinstance(one, Column):
            found[quantity] = one
        elif isinstance(one, Mapping) and set(one) <= {"names", "name", "unit"} and ({"names", "name"} & set(one)):
            names = one.get("names", one.get("name"))
            found[quantity] = Column((names,) if isinstance(names, str) else tuple(names), one.get("unit"))
        elif isinstance(one, list | tuple) and len(one) == 2:
            found[quantity] = Column((str(one[0]),), str(one[1]))
        elif isinstance(one, str):
            found[quantity] = Column((one,))
        else:
            raise InputError(f"layout.columns.{quantity}: expected NAME, [NAME, UNIT] or {{names: [...], unit: UNIT}}, "
                             f"got {one!r}.")
    return found
