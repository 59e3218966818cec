"""Record of past forecasts: pairs of forecast and what came, as sums by lead time and place, in one small file.

A cycle whose analysis verifies the forecasts of earlier cycles gives their pairs to the record. Recent pairs stay
apart, so that a cycle that is run again (a superseding input, a kill before the cycle was complete) replaces its own
and counts once. Pairs that are final are added to the sums, in the order of time; the forecasts themselves are then not
needed any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyland.base.complete_files import written_aside
from pyland.base.errors import InputError
from pyland.base.netcdf_access import NETCDF_ACCESS
from pyland.diagnose.ensemble_scores import crps
from pyland.diagnose.hindcast_sums import PAIR_FIELDS, SCORES, SUMS, pair_sums, scores_of

FORMAT = "pyland hindcast record 1"
_SECOND = np.timedelta64(1, "s")
_EPOCH = np.datetime64("1970-01-01", "s")

Array = NDArray[Any]


@dataclass(frozen=True)
class Forecast:
    """What a cycle predicted for the time that is verified.

    Attributes
    ----------
    cycle : datetime or datetime64
        Time of its analysis [UTC].
    members : array_like, shape (member, place)
        The forecast at that time [unit of the quantity].
    start : array_like, shape (place,), optional
        What was known at the start, of which persistence is made: the analysis of the cycle, or the last observation.
    """

    cycle: Any
    members: ArrayLike
    start: ArrayLike | None = None


@dataclass
class _Quantity:
    """Sums and open pairs of one quantity."""

    origin: Array
    sums: dict[int, dict[str, Array]] = field(default_factory=dict)  # by lead [s]
    pairs: dict[tuple[int, int], dict[str, Array]] = field(default_factory=dict)  # by valid time and cycle [s]
    closed: int | None = None  # pairs before this time are final [s]
    period: tuple[int, int] | None = None  # first and last time with a pair [s]


class HindcastRecord:
    """Pairs and sums of all quantities."""

    def __init__(self) -> None:
        self._quantities: dict[str, _Quantity] = {}

    @property
    def quantities(self) -> tuple[str, ...]:
        """Names of the quantities."""
        return tuple(self._quantities)

    def verify(
        self,
        quantity: str,
        valid: Any,
        verifying: ArrayLike,
        forecasts: Sequence[Forecast],
        *,
        climatology: ArrayLike | None = None,
        error: ArrayLike | None = None,
    ) -> None:
        """Compare the forecasts of earlier cycles with what came.

        Parameters
        ----------
        quantity : str
            Name of the quantity; analyses and observations that verify the same variable are two quantities.
        valid : datetime or datetime64
            Time of the comparison [UTC].
        verifying : array_like, shape (place,)
            What came [unit of the quantity]; NaN where nothing did.
        forecasts : sequence of Forecast
            All forecasts of earlier cycles that reach this time. They take the place of all pairs of this time that are
            there already.
        climatology : array_like, shape (place,), optional
            What is usual on this day.
        error : array_like, shape (place,), optional
            Standard deviation of the error of ``verifying``; the spread of the members does not hold it. None: 0.

        Raises
        ------
        InputError
            If shapes do not fit, a forecast starts at or after ``valid``, or pairs of this time are final already.
        """
        came = np.asarray(verifying, float)
        if came.ndim != 1:
            raise InputError(f"Hindcast of '{quantity}': expected verifying values (place,), got {came.shape}.")
        record = self._quantities.setdefault(quantity, _Quantity(np.full(came.size, np.nan)))
        if record.origin.size != came.size:
            raise InputError(f"Hindcast of '{quantity}': expected {record.origin.size} places as before, got "
                             f"{came.size}; remove the record to begin with other places.")
        moment = _seconds(valid)
        if record.closed is not None and moment < record.closed:
            raise InputError(
                f"Hindcast of '{quantity}': pairs before {_time(record.closed)} are final and would count twice, got "
                f"{_time(moment)}; make cycle.hindcast.open as long as cycles may be run again.")
        pairs = {}
        for forecast in forecasts:
            cycle = _seconds(forecast.cycle)
            if cycle >= moment:
                raise InputError(f"Hindcast of '{quantity}': expected forecasts from before {_time(moment)}, got one "
                                 f"of {_time(cycle)}.")
            pairs[moment, cycle] = _pair(quantity, forecast, came, record.origin, climatology, error)
        record.origin = np.where(np.isnan(record.origin), came, record.origin)
        for key in [key for key in record.pairs if key[0] == moment]:
            del record.pairs[key]
        record.pairs |= pairs
        if pairs:
            first, last = record.period or (moment, moment)
            record.period = min(first, moment), max(last, moment)

    def close(self, before: Any) -> None:
        """Make pairs of times before ``before`` [UTC] final: they go into the sums and are forgotten."""
        bound = _seconds(before)
        for record in self._quantities.values():
            for key in sorted(key for key in record.pairs if key[0] < bound):
                _add(record.sums, key[0] - key[1], pair_sums(record.pairs.pop(key)))
            record.closed = max(bound, record.closed) if record.closed is not None else bound

    def leads(self, quantity: str) -> np.ndarray:
        """Return the lead times of a quantity, ascending, shape (lead,) [s]."""
        return np.array(sorted(self._totals(quantity)), float)

    def period(self, quantity: str) -> tuple[np.datetime64, np.datetime64] | None:
        """Return the first and last time [UTC] at which forecasts of a quantity were verified; None if never."""
        period = self._of(quantity).period
        return None if period is None else (np.datetime64(period[0], "s"), np.datetime64(period[1], "s"))

    def _of(self, quantity: str) -> _Quantity:
        """Return a quantity; InputError if it is not there."""
        if quantity not in self._quantities:
            raise InputError(f"Hindcast: there is no quantity '{quantity}'; the record has "
                             f"{', '.join(self._quantities) or 'none'}.")
        return self._quantities[quantity]

    def scores(self, quantity: str, *, least: int = 3) -> dict[str, np.ndarray]:
        """Return the scores of each lead time and place, final and open pairs together.

        Parameters
        ----------
        quantity : str
            Its name.
        least : int
            Fewest pairs of a correlation.

        Returns
        -------
        dict of str to numpy.ndarray, shape (lead, place)
            `pyland.diagnose.hindcast_sums.SCORES`.
        """
        return scores_of(self._stacked(quantity), least)

    def table(self, quantity: str, area: ArrayLike | None = None, *, least: int = 3) -> list[dict[str, float]]:
        """Return the scores over all places.

        Parameters
        ----------
        quantity : str
            Its name.
        area : array_like, shape (place,), optional
            Weights of the places, such as their areas [m2]; equal without it.
        least : int
            Fewest pairs of a correlation at a place.

        Returns
        -------
        list of dict
            One row per lead time: ``lead`` [s] and `SCORES`. Squares, CRPS and products are added over the places
            before the score is made of them; the correlation is the mean over places. ``n`` is the sum over places.

        Raises
        ------
        InputError
            If the weights do not fit.
        """
        sums = self._stacked(quantity)
        places = sums["n"].shape[1]
        weight = np.ones(places) if area is None else np.asarray(area, float)
        if weight.shape != (places,) or not (weight >= 0.0).all():
            raise InputError(f"Hindcast of '{quantity}': expected a weight of 0 or more for each of {places} places, "
                             f"got an array of shape {weight.shape}.")
        pooled = scores_of({name: values @ weight for name, values in sums.items()}, 0)
        each = scores_of(sums, least)["correlation"]
        known = np.where(np.isfinite(each), weight, 0.0)
        total = known.sum(axis=1)
        pooled["correlation"] = np.where(
            total > 0.0, (np.nan_to_num(each) * known).sum(axis=1) / np.where(total > 0.0, total, 1.0), np.nan)
        pooled["n"] = sums["n"].sum(axis=1)
        return [{"lead": float(lead)} | {name: float(pooled[name][row]) for name in SCORES}
                for row, lead in enumerate(self.leads(quantity))]

    def write(self, path: str | Path) -> Path:
        """Write the record; the file is replaced as a whole. The same pairs give the same file."""
        path = Path(path)
        with written_aside(path) as partial, NETCDF_ACCESS, netCDF4.Dataset(partial, "w") as file:
            file.setncattr("title", "skill of past forecasts: sums by lead time, and pairs that are not final")
            file.setncattr("format_name", FORMAT)
            for name, record in self._quantities.items():
                _write_quantity(file.createGroup(name), record)
        return path

    @classmethod
    def read(cls, path: str | Path) -> HindcastRecord:
        """Read a record; of no file: an empty one.

        Raises
        ------
        InputError
            If the file is no record.
        """
        path = Path(path)
        out = cls()
        if not path.exists():
            return out
        try:
            with NETCDF_ACCESS, netCDF4.Dataset(path) as file:
                if file.getncattr("format_name") != FORMAT:
                    raise KeyError(f"format {file.getncattr('format_name')}")
                file.set_auto_mask(False)
                out._quantities = {name: _read_quantity(group) for name, group in file.groups.items()}
        except (OSError, RuntimeError, AttributeError, KeyError, IndexError) as error:
            raise InputError(f"{path}: expected a record of forecasts ({FORMAT}), and it is not one ({error}). Remove "
                             "it to begin anew.") from error
        return out

    def _totals(self, quantity: str) -> dict[int, dict[str, Array]]:
        """Return final sums and open pairs together by lead [s]."""
        record = self._of(quantity)
        out = {lead: dict(sums) for lead, sums in record.sums.items()}
        for moment, cycle in sorted(record.pairs):
            _add(out, moment - cycle, pair_sums(record.pairs[moment, cycle]))
        return out

    def _stacked(self, quantity: str) -> dict[str, Array]:
        """Return the sums as arrays (lead, place)."""
        totals = self._totals(quantity)
        if not totals:
            return {name: np.zeros((0, self._of(quantity).origin.size)) for name in SUMS}
        return {name: np.stack([totals[lead][name] for lead in sorted(totals)]) for name in SUMS}


def _pair(quantity: str, forecast: Forecast, came: Array, origin: Array, climatology: ArrayLike | None,
          error: ArrayLike | None) -> dict[str, Array]:
    """Return what is kept of a pair; differences are taken before they are rounded to single precision."""
    members = np.asarray(forecast.members, float)
    if members.ndim != 2 or members.shape[1] != came.size or members.shape[0] == 0:
        raise InputError(f"Hindcast of '{quantity}': expected members (member, {came.size}), got {members.shape}.")
    count = members.shape[0]
    ordered = np.sort(members, axis=0)  # sums do not depend on the order of members
    variance = ordered.var(axis=0, ddof=1) * (1.0 + 1.0 / count) if count > 1 else np.zeros(came.size)
    out = {
        "error": ordered.mean(axis=0) - came,
        "variance": variance,
        "crps": crps(members, came),
        "noise": _like(quantity, "error", error, came, 0.0) ** 2,
        "anomaly": came - np.where(np.isnan(origin), came, origin),
        "persistence_error": _like(quantity, "start", forecast.start, came, np.nan) - came,
        "climatology_error": _like(quantity, "climatology", climatology, came, np.nan) - came,
    }
    return {name: out[name].astype(np.float32) for name in PAIR_FIELDS}


def _like(quantity: str, name: str, values: ArrayLike | None, came: Array, otherwise: float) -> Array:
    """Return values of all places."""
    if values is None:
        return np.full(came.shape, otherwise)
    out = np.asarray(values, float)
    if out.shape != came.shape:
        raise InputError(f"Hindcast of '{quantity}': expected '{name}' at {came.size} places, got {out.shape}.")
    return out


def _add(sums: dict[int, dict[str, Array]], lead: int, more: Mapping[str, Array]) -> None:
    """Add a pair to the sums of its lead."""
    present = sums.get(lead)
    sums[lead] = dict(more) if present is None else {name: present[name] + more[name] for name in SUMS}


def _seconds(moment: Any) -> int:
    return int((np.datetime64(moment, "s") - _EPOCH) / _SECOND)


def _time(seconds: int) -> str:
    return str(_EPOCH + np.timedelta64(seconds, "s"))


def _write_quantity(group: netCDF4.Group, record: _Quantity) -> None:
    """Write one quantity as a group."""
    if record.closed is not None:
        group.setncattr("closed_before", _time(record.closed))
    if record.period is not None:
        group.setncattr("first_valid", _time(record.period[0]))
        group.setncattr("last_valid", _time(record.period[1]))
    leads, keys = sorted(record.sums), sorted(record.pairs)
    sizes = {"place": record.origin.size, "lead": len(leads), "pair": len(keys)}
    for name, size in sizes.items():
        group.createDimension(name, size or None)

    def write(name: str, kind: str, dims: tuple[str, ...], values: Array) -> None:
        made = group.createVariable(name, kind, dims, zlib=len(dims) > 1, complevel=1)
        if values.size:
            made[:] = values

    write("origin", "f8", ("place",), record.origin)
    write("lead", "i8", ("lead",), np.array(leads, np.int64))
    write("valid", "i8", ("pair",), np.array([key[0] for key in keys], np.int64))
    write("cycle", "i8", ("pair",), np.array([key[1] for key in keys], np.int64))
    for kind, name, names, dim, parts in (
        ("f8", "sums", SUMS, "lead", [record.sums[lead] for lead in leads]),
        ("f4", "pairs", PAIR_FIELDS, "pair", [record.pairs[key] for key in keys]),
    ):
        group.createDimension(f"{name}_kept", len(names))
        write(name, kind, (f"{name}_kept", dim, "place"), np.array([[one[part] for one in parts] for part in names]))
        group[name].setncattr("kept", " ".join(names))


def _read_quantity(group: netCDF4.Group) -> _Quantity:
    """Read one quantity."""
    closed, first, last = (
        _seconds(group.getncattr(name)) if name in group.ncattrs() else None
        for name in ("closed_before", "first_valid", "last_valid"))
    leads = [int(one) for one in group["lead"][:]]
    keys = [(int(valid), int(cycle)) for valid, cycle in zip(group["valid"][:], group["cycle"][:], strict=True)]
    sums, pairs = (dict(zip(group[name].getncattr("kept").split(), group[name][:], strict=True))
                   for name in ("sums", "pairs"))
    return _Quantity(
        group["origin"][:],
        {lead: {name: sums[name][row] for name in SUMS} for row, lead in enumerate(leads)},
        {key: {name: pairs[name][row] for name in PAIR_FIELDS} for row, key in enumerate(keys)},
        closed,
        None if first is None or last is None else (first, last))
