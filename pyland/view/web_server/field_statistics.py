"""Maps of a statistic at one time: as the file has them, or computed from what it has.

=========== ==========================================================================================================
anomaly     mean at the time minus the mean of the record; where the record has three years or more, minus the mean
            of all records within 15 days of the same day of the year
percentile  share of the same records that are smaller, ties by half (mid-rank), times 100 [%]
increment   sum of the ensemble-mean increments of the analyses within the record's interval, its start included (an
            analysis at the end of an interval is booked in the next, as in ``balance.nc``)
pNN         where the file has no quantiles: mean + z_NN * standard deviation, kept within the physical bounds
=========== ==========================================================================================================
"""

from __future__ import annotations

from collections import OrderedDict
from statistics import NormalDist

import numpy as np

from pyland.base.errors import InputError
from pyland.view.web_server.kept_records import KeptRecords
from pyland.view.web_server.record_files import RecordFiles
from pyland.view.web_server.viewed_variables import ViewedVariable

STACK_LIMIT = 400 * 2**20
"""Largest record that is read whole for percentiles [bytes]: 365 maps of 424 x 412 cells are 243 MiB."""

SEASONAL_YEARS = 3
"""Years from which a record is compared with the same season of all years."""

HALF_WINDOW = 15
"""Days around the day of the year that make its season."""

_RECORDS_AT_ONCE = 32
_MOST_MEANS = 64


class FieldStatistics:
    """Statistics of the maps of a run.

    Parameters
    ----------
    records : RecordFiles
        Where the variables are.
    increments : RecordFiles or None
        Where the increments of analyses are.
    kept : KeptRecords
        Where whole records are kept, shared by all runs.
    """

    def __init__(self, records: RecordFiles, increments: RecordFiles | None, kept: KeptRecords) -> None:
        self._records, self._increments, self._kept = records, increments, kept
        self._means: OrderedDict[tuple[str, str, int | None, bytes], np.ndarray] = OrderedDict()

    def map(self, variable: ViewedVariable, statistic: str, layer: int, index: int) -> np.ndarray:
        """Return a statistic at one time.

        Parameters
        ----------
        variable : ViewedVariable
            What is asked for.
        statistic : str
            One of ``variable.statistics``.
        layer, index : int
            Layer (0 without layers) and record.

        Returns
        -------
        numpy.ndarray of float32, shape (y, x) or (site,)

        Raises
        ------
        InputError
            If the variable has no such statistic, layer or record.
        """
        where = self._layer(variable, layer)
        if statistic in variable.stored:
            return self._records.read_map(variable.stored[statistic], index, where)
        if statistic not in variable.derived:
            raise InputError(f"{variable.id} has no statistic '{statistic}'; it has {', '.join(variable.statistics)}.")
        if statistic == "increment":
            return self._increment(variable, where, index)
        mean = self._records.read_map(variable.id, index, where)
        if statistic in variable.normal:
            spread = self._records.read_map(variable.stored["std"], index, where)
            return normal_quantile(mean, spread, statistic, variable.valid_range)
        season = seasonal_records(self._records.times, index)
        if statistic == "anomaly":
            return mean - self._mean(variable.id, where, season)
        return mid_rank_percentile(self._stack(variable.id, where), mean, season)

    def note(self, statistic: str) -> str | None:
        """Return what a derived statistic compares with, in words; None for others."""
        if statistic not in ("anomaly", "percentile"):
            return None
        if is_seasonal(self._records.times):
            return f"records of this run within {HALF_WINDOW} days of the same day of the year, all years"
        return "all records of this run"

    # ---- inside ----------------------------------------------------------------------------------

    def _layer(self, variable: ViewedVariable, layer: int) -> int | None:
        if not 0 <= layer < variable.layer_count:
            raise InputError(f"{variable.id} has layers 0 to {variable.layer_count - 1}, got layer {layer}.")
        return None if variable.layers is None else layer

    def _increment(self, variable: ViewedVariable, layer: int | None, index: int) -> np.ndarray:
        """Return the sum of the increments within the interval of a record."""
        times, starts = self._records.times, self._records.time_starts
        if not 0 <= index < len(times):
            raise InputError(f"record {index} is not there; the run has records 0 to {len(times) - 1}.")
        start = starts[index] if not np.isnat(starts[index]) else times[max(index - 1, 0)]
        inside = np.flatnonzero((self._increments.times >= start) & (self._increments.times < times[index]))
        name = f"{variable.id}_increment"
        if inside.size == 0:
            return np.where(
                np.isfinite(self._records.read_map(variable.id, index, layer)), np.float32(0), np.float32("nan")
            )
        return sum(self._increments.read_map(name, int(one), layer) for one in inside)

    def _mean(self, name: str, layer: int | None, season: np.ndarray) -> np.ndarray:
        """Return the mean over records."""
        key = (self._records.version, name, layer, season.tobytes())
        if key in self._means:
            return self._means[key]
        if self._stack_size(name, layer) <= STACK_LIMIT:
            mean = self._stack(name, layer)[season].mean(axis=0, dtype=np.float64)
        else:
            mean = sum(self._records.read_map(name, int(one), layer).astype(np.float64) for one in season) / season.size
        self._means[key] = mean.astype(np.float32)
        while len(self._means) > _MOST_MEANS:
            self._means.popitem(last=False)
        return self._means[key]

    def _stack(self, name: str, layer: int | None) -> np.ndarray:
        """Return all records of a layer, (record, y, x) or (record, site)."""
        size = self._stack_size(name, layer)
        if size > STACK_LIMIT:
            raise InputError(
                f"{name}: its record takes {size / 2**20:.0f} MiB; percentiles of records of up to "
                f"{STACK_LIMIT / 2**20:.0f} MiB are computed on the way. Let `pyland diagnose` write those of this "
                "one: the page shows its file.")
        key = (str(self._records.paths[-1]), self._records.version, name, layer)
        return self._kept.get(key, lambda: self._read_stack(name, layer))

    def _stack_size(self, name: str, layer: int | None) -> int:
        return len(self._records.times) * self._records.read_map(name, 0, layer).nbytes

    def _read_stack(self, name: str, layer: int | None) -> np.ndarray:
        first = self._records.read_map(name, 0, layer)
        stack = np.empty((len(self._records.times), *first.shape), np.float32)
        whole = (slice(None), slice(None) if first.ndim == 2 else None)
        for low in range(0, len(stack), _RECORDS_AT_ONCE):
            high = min(low + _RECORDS_AT_ONCE, len(stack))
            stack[low:high] = self._records.read_block(name, layer, *whole, low, high)
        return stack


def is_seasonal(times: np.ndarray) -> bool:
    """Tell whether a record is long enough to compare seasons."""
    year = np.timedelta64(round(365.2425 * 86400), "s")
    return len(times) > 1 and times[-1] - times[0] >= (SEASONAL_YEARS * year) - np.timedelta64(2, "D")


def seasonal_records(times: np.ndarray, index: int) -> np.ndarray:
    """Return the records that one is compared with: all, or those of its season, shape (record,)."""
    if not is_seasonal(times):
        return np.arange(len(times))
    days = (times.astype("datetime64[D]") - times.astype("datetime64[Y]")).astype(int)
    apart = np.abs(days - days[index])
    return np.flatnonzero(np.minimum(apart, 365 - np.minimum(apart, 365)) <= HALF_WINDOW)


def mid_rank_percentile(stack: np.ndarray, values: np.ndarray, records: np.ndarray) -> np.ndarray:
    """Return the mid-rank of values among records.

    Parameters
    ----------
    stack : numpy.ndarray, shape (record, ...)
        All records.
    values : numpy.ndarray, shape (...)
        Values to rank.
    records : numpy.ndarray of int
        Records that count.

    Returns
    -------
    numpy.ndarray of float32, shape (...)
        [%]; NaN where the value or all records are.
    """
    below, equal, known = (np.zeros(values.shape, np.int32) for _ in range(3))
    for one in records:
        record = stack[one]
        below += record < values
        equal += record == values
        known += np.isfinite(record)
    share = (100.0 * (below + 0.5 * equal) / np.maximum(known, 1)).astype(np.float32)
    return np.where((known > 0) & np.isfinite(values), share, np.float32("nan"))


def normal_quantile(
    mean: np.ndarray, spread: np.ndarray, statistic: str, valid_range: tuple[float, float] | None
) -> np.ndarray:
    """Return the quantile ``pNN`` of a normal distribution [unit of the mean], within physical bounds."""
    value = mean + np.float32(NormalDist().inv_cdf(int(statistic[1:]) / 100.0)) * spread
    return value if valid_range is None else np.clip(value, *np.float32(valid_range))
