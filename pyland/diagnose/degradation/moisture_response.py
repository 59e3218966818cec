"""Productivity per moisture (MNPP), and the state of the land by a table of trends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import ArrayLike, NDArray

from pyland.base.errors import InputError
from pyland.base.text import one_of

DIRECTIONS = {"up": 1, "none": 0, "down": -1}
"""Words of the table and directions of a trend."""

TRENDS = ("npp", "mnpp", "moisture")
"""Trends that a rule may name."""

UNKNOWN = 0
"""Code of a cell without trends."""

TABLE_FILE = "degradation_table.yaml"

Array = NDArray[Any]


@dataclass(frozen=True)
class DegradationRule:
    """A row of the table: directions that it asks for, and the code of its state."""

    directions: Mapping[str, int]
    code: int


@dataclass(frozen=True)
class DegradationTable:
    """Rules in the order in which they are tried, and names of the states by code."""

    states: Mapping[int, str]
    rules: tuple[DegradationRule, ...]


def moisture_responded(productivity: ArrayLike, moisture: ArrayLike) -> Array:
    """Return productivity per moisture, NPP / (100 MI) [unit of the productivity]; NaN without moisture.

    Parameters
    ----------
    productivity : array_like, shape (year, ...)
        Net primary productivity, such as kg m-2 a-1.
    moisture : array_like, same shape
        Moisture index, here precipitation over potential evapotranspiration [1].
    """
    index = np.asarray(moisture, float)
    return np.asarray(productivity, float) / (100.0 * np.where(index > 0.0, index, np.nan))


def read_degradation_table(path: str | Path | None = None) -> DegradationTable:
    """Read the table of a file, or that of the package.

    Raises
    ------
    InputError
        If it is missing or not such a table, or leaves a combination of trends without a state.
    """
    try:
        source = files(__package__).joinpath(TABLE_FILE) if path is None else Path(path)
        content = yaml.safe_load(source.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise InputError(f"{path}: cannot be read as a table of degradation ({error}).") from error
    where = str(path or TABLE_FILE)
    if not isinstance(content, dict) or not isinstance(content.get("states"), dict) or not isinstance(
            content.get("rules"), list):
        raise InputError(f"{where}: expected 'states' (number: name) and 'rules' (a list), see {TABLE_FILE} of pyland.")
    states = {int(code): str(name) for code, name in content["states"].items()}
    if UNKNOWN in states or min(states) < 0 or max(states) > 127:
        raise InputError(f"{where}: expected codes of states from 1 to 127, got {sorted(states)}.")
    codes = {name: code for code, name in states.items()}
    rules = tuple(_rule(row, codes, f"{where}: rule {number}") for number, row in enumerate(content["rules"], 1))
    table = DegradationTable(states, rules)
    grid = np.array(np.meshgrid(*[[1, 0, -1]] * 3, indexing="ij")).reshape(3, -1)
    without = np.flatnonzero(degradation_state(*grid, table=table) == UNKNOWN)
    if without.size:
        words = {value: word for word, value in DIRECTIONS.items()}
        first = ", ".join(f"{name} {words[int(grid[k, without[0]])]}" for k, name in enumerate(TRENDS))
        raise InputError(f"{where}: no rule fits {without.size} combinations of trends, such as {first}; add one.")
    return table


def _rule(row: Any, codes: Mapping[str, int], where: str) -> DegradationRule:
    """Read a row of the table."""
    if not isinstance(row, dict) or row.get("state") not in codes:
        raise InputError(f"{where}: expected a mapping with a state, {one_of(codes)}, got {row}.")
    asked = {str(name): word for name, word in row.items() if name != "state"}
    for name, word in asked.items():
        if name not in TRENDS or word not in DIRECTIONS:
            raise InputError(f"{where}: expected {one_of(TRENDS)} with {one_of(DIRECTIONS)}, got {name}: {word}.")
    return DegradationRule({name: DIRECTIONS[word] for name, word in asked.items()}, codes[row["state"]])


def degradation_state(
    npp: ArrayLike, mnpp: ArrayLike, moisture: ArrayLike, *, table: DegradationTable | None = None,
    known: ArrayLike | None = None,
) -> NDArray[np.int8]:
    """Return the code of the state of each cell.

    Parameters
    ----------
    npp, mnpp, moisture : array_like of int, shape (...)
        Directions of the three trends: 1, 0 or -1.
    table : DegradationTable, optional
        That of the package without it.
    known : array_like of bool, shape (...), optional
        Where there are trends; 0 elsewhere.
    """
    rules = (table or read_degradation_table()).rules
    trends = dict(zip(TRENDS, (np.asarray(one) for one in (npp, mnpp, moisture)), strict=True))
    out = np.zeros(np.broadcast(*trends.values()).shape, np.int8)
    for rule in rules:
        fits = out == UNKNOWN
        for name, direction in rule.directions.items():
            fits = fits & (trends[name] == direction)
        out = np.where(fits, np.int8(rule.code), out)
    return out if known is None else np.where(known, out, np.int8(UNKNOWN))
