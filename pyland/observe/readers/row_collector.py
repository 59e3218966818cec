"""Rows of many files on their way into one table: what cannot be a row is left out, and counted by its reason."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pyland.base.errors import InputError
from pyland.base.observation_reasons import BAD_ERROR, OUT_OF_RANGE, USED
from pyland.observe.observation_table import COLUMNS, ObservationTable
from pyland.observe.quantities import quantity_of
from pyland.observe.readers.selection import Selection


class RowCollector:
    """Collects rows of one type of observation.

    Parameters
    ----------
    observation_type : str
        One of `QUANTITIES`.
    selection : Selection
        Period and box.

    Attributes
    ----------
    left_out : Counter
        How many cells, nodes or records are no rows: ``outside_bounds`` and ``no_value`` (a product on a grid covers
        the oceans), ``no_time``, ``no_place``, ``outside_period``.
    """

    def __init__(self, observation_type: str, selection: Selection) -> None:
        self.type, self.selection = observation_type, selection
        self.left_out: Counter[str] = Counter()
        self._parts: list[dict[str, np.ndarray]] = []
        self._extra: list[dict[str, np.ndarray]] = []

    def add(
        self, path: Path, *, value: np.ndarray, time: np.ndarray, latitude: np.ndarray, longitude: np.ndarray,
        location: np.ndarray, sigma: np.ndarray | float = np.nan, flag: np.ndarray | int = USED,
        extra: Mapping[str, np.ndarray | float | str] | None = None, **columns: np.ndarray | float,
    ) -> None:
        """Add records of a file; those without value, time or place, or outside period and box, are only counted.

        Parameters
        ----------
        path : Path
            The file, for messages.
        value, time, latitude, longitude, location : ndarray, shape (record,)
            See `ObservationTable`; in its units.
        sigma, flag : ndarray or number
            Errors and reasons of quality; rows without a positive error are marked ``error_not_positive``, impossible
            values ``value_out_of_range``.
        extra : mapping of str to ndarray, number or str, optional
            Further columns; the same for all files.
        **columns : ndarray or number
            Other columns of the table, for instance ``incidence_angle``.

        Raises
        ------
        InputError
            If all values are impossible, which a wrong unit makes.
        """
        value = np.asarray(value, float)
        shape = value.shape
        reasons = (("no_value", ~np.isfinite(value)), ("no_time", np.isnat(time)),
                   ("no_place", ~(np.isfinite(latitude) & np.isfinite(longitude) & (np.abs(latitude) <= 90.0))))
        kept = np.ones(shape, bool)
        for word, lacking in reasons:
            self._leave_out(word, kept & lacking)
            kept &= ~lacking
        for word, inside in (("outside_bounds", self.selection.in_bounds(latitude, longitude)),
                             ("outside_period", self.selection.in_period(time))):
            self._leave_out(word, kept & ~inside)
            kept &= inside
        quantity = quantity_of(self.type)
        lowest, highest = quantity.valid_range
        impossible = np.isfinite(value) & ((value < lowest) | (value > highest))
        if impossible.any() and impossible.sum() == np.isfinite(value).sum():
            raise InputError(f"{path}: all {int(impossible.sum())} values of {self.type} lie outside {lowest:g}.."
                             f"{highest:g} {quantity.unit}, the first is {value[impossible][0]:.6g}. The unit is "
                             f"probably wrong ({quantity.hint}).")
        sigma = np.broadcast_to(np.asarray(sigma, float), shape)
        flag = np.array(np.broadcast_to(np.asarray(flag, np.int8), shape))
        flag[(flag == USED) & ~(np.isfinite(sigma) & (sigma > 0.0))] = BAD_ERROR
        flag[impossible] = OUT_OF_RANGE
        given = {"value": value, "sigma": sigma, "flag": flag, "time": time, "latitude": latitude,
                 "longitude": longitude, "location": location, **columns}
        self._parts.append({name: np.broadcast_to(one, shape)[kept] for name, one in given.items()})
        self._extra.append({name: np.broadcast_to(one, shape)[kept] for name, one in (extra or {}).items()})

    def outside_bounds(self, count: int) -> None:
        """Count cells outside the box that were not even read."""
        if count:
            self.left_out["outside_bounds"] += int(count)

    def no_value(self, count: int) -> None:
        """Count cells without a value that were not made records."""
        if count:
            self.left_out["no_value"] += int(count)

    def table(self, product: str, *, provenance: Mapping[str, str] | None = None,
              extra_units: Mapping[str, str] | None = None, **columns: float) -> ObservationTable:
        """Return the table of all rows in the order of time and place, without a row if there was none.

        Parameters
        ----------
        product : str
            Its name.
        provenance : mapping of str to str, optional
            What is known of the product, for instance its version.
        extra_units : mapping of str to str, optional
            Units of further columns.
        **columns : number
            Columns with one value for all rows, for instance ``footprint``, ``top``, ``bottom``.
        """
        empty = {"time": np.zeros(0, "datetime64[s]")}
        names = self._parts[0] if self._parts else ["value", "time", "latitude", "longitude"]
        joined = {name: np.concatenate([part[name] for part in self._parts]) if self._parts
                  else empty.get(name, np.zeros(0)) for name in names}
        extra = {name: np.concatenate([part[name] for part in self._extra]) for name in
                 (self._extra[0] if self._extra else ())}
        unknown = set(columns) - set(COLUMNS)
        if unknown:
            raise InputError(f"{product}: '{sorted(unknown)[0]}' is no column of a table; columns: "
                             f"{', '.join(COLUMNS)}.")
        return ObservationTable(
            product, self.type, **{**columns, **joined}, extra=extra,
            extra_units={name: unit for name, unit in (extra_units or {}).items() if name in extra},
            provenance={**self.selection.text(), **(provenance or {}), "left_out": json.dumps(self.left_out)},
        ).sorted()

    def _leave_out(self, word: str, rows: np.ndarray) -> None:
        count = int(rows.sum())
        if count:
            self.left_out[word] += count
