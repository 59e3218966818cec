"""From the record of a place to rows of a table: flags by range, stable identities of places, parts joined and cut."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from pyland.base.errors import InputError
from pyland.base.observation_reasons import MISSING, OUT_OF_RANGE, USED
from pyland.observe.observation_table import ObservationTable, join_tables
from pyland.observe.quantities import quantity_of
from pyland.observe.readers.own_table import table_within


def place_number(*words: str) -> int:
    """Return the identity of a place from its name, the same in every file and run.

    A number stands for itself, other names for 48 bits of the SHA-256 of their words: two of a million places share
    one with a probability of 0.002.
    """
    text = "/".join(word.strip() for word in words)
    if text.isdecimal() and len(text) < 16:
        return int(text)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")


def range_flags(values: np.ndarray, observation_type: str, where: str) -> np.ndarray:
    """Return flags of values (obs,): missing, impossible or used.

    Raises
    ------
    InputError
        If there is no value at all, or none that can be: a wrong unit.
    """
    quantity = quantity_of(observation_type)
    missing = ~np.isfinite(values)
    if missing.all():
        raise InputError(f"{where}: has no value, {values.size} of {values.size} are missing. Check how missing values "
                         "are written, and the period of the file.")
    lowest, highest = quantity.valid_range
    with np.errstate(invalid="ignore"):
        impossible = ~missing & ((values < lowest) | (values > highest))
    if impossible.sum() == (~missing).sum():
        raise InputError(
            f"{where}: all values lie outside {lowest:g}..{highest:g} {quantity.unit}, the first is "
            f"{values[impossible][0]:.6g}. The unit is probably wrong ({', '.join(quantity.factors)} are known; "
            f"{quantity.hint})."
        )
    return np.where(missing, MISSING, np.where(impossible, OUT_OF_RANGE, USED)).astype(np.int8)


def in_unit(values: np.ndarray, unit: str | None, observation_type: str, where: str) -> np.ndarray:
    """Return values (obs,) in the unit of a type.

    Raises
    ------
    InputError
        If the unit is missing or not one that the type knows.
    """
    quantity = quantity_of(observation_type)
    if unit is None or unit.strip() not in quantity.factors:
        raise InputError(f"{where}: the unit must be one of {', '.join(quantity.factors)}, got {unit!r} "
                         f"({quantity.hint}).")
    return values * quantity.factors[unit.strip()]


def checked_place(latitude: float | None, longitude: float | None, where: str) -> tuple[float, float]:
    """Return latitude and longitude [degrees].

    Raises
    ------
    InputError
        If one is missing or cannot be.
    """
    if latitude is None or longitude is None or not (np.isfinite(latitude) and np.isfinite(longitude)):
        raise InputError(f"{where}: has no place. Give the options latitude and longitude [degrees].")
    if abs(latitude) > 90.0 or not -180.0 <= longitude <= 360.0:
        raise InputError(f"{where}: the place must lie within -90..90 and -180..360 degrees, got latitude "
                         f"{latitude:g}, longitude {longitude:g}. Degrees and minutes, or a map projection, need "
                         "conversion.")
    return float(latitude), float(longitude)


def joined_rows(parts: Sequence[ObservationTable], period: object, bounds: object,
                left_out: Mapping[str, int] | None = None, sigma: float | None = None,
                relative_sigma: float = 0.0) -> ObservationTable:
    """Return the rows of all parts within period and bounds, in the order of time and place.

    Parameters
    ----------
    parts : sequence of ObservationTable
        Of one product and type, at least one.
    period, bounds : optional
        See `Selection`.
    left_out : mapping of str to int, optional
        What else was not made a row, by a word for why.
    sigma : float, optional
        Error of rows that have none [unit of the type]; without it their error stays unknown (NaN).
    relative_sigma : float
        Share of the value that is added to ``sigma`` as an independent error [1].

    Raises
    ------
    InputError
        If an error is not positive.
    """
    counts = Counter(left_out or {})
    kept = []
    for part in parts:  # cut before they are joined: a network is larger than what is asked of it
        inside = table_within(part, period=period, bounds=bounds)
        counts.update(json.loads(inside.provenance.pop("left_out")))
        kept.append(inside)
    table = join_tables(kept)
    table.provenance["left_out"] = json.dumps({word: count for word, count in counts.items() if count})
    if sigma is not None and not (np.isfinite(sigma) and sigma > 0.0) or not relative_sigma >= 0.0:
        raise InputError(f"{table.product}: sigma must be above 0 {quantity_of(table.type).unit}, relative_sigma not "
                         f"negative, got {sigma} and {relative_sigma}.")
    if relative_sigma > 0.0 and sigma is None:
        raise InputError(f"{table.product}: relative_sigma needs sigma as well [{quantity_of(table.type).unit}], the "
                         "error of small values.")
    if sigma is not None:
        given = np.hypot(sigma, relative_sigma * np.abs(table.value))
        table.sigma = np.where(np.isfinite(table.sigma) | ~np.isfinite(table.value), table.sigma, given)
    return table


def without_repeats(times: np.ndarray, where: str, lines: np.ndarray) -> np.ndarray:
    """Return which records (row,) do not repeat the time of the one before.

    Raises
    ------
    InputError
        If times run backward.
    """
    steps = np.diff(times).astype(np.int64)
    if (steps < 0).any():
        row = int(np.argmax(steps < 0)) + 1
        raise InputError(
            f"{where}, line {lines[row]}: time runs backward, {times[row]} UTC follows {times[row - 1]} UTC; "
            f"{int((steps < 0).sum())} lines do. Sort the file; a clock that is set back in autumn shows summer time: "
            "bring the file to standard time."
        )
    return np.r_[True, steps > 0]
