"""Estimated parameters against those of a known truth.

What is positive and uncertain by factors, such as a hydraulic conductivity, is judged by its decimal logarithm: else
one cell of high conductivity would be all of the error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pyland.diagnose.records import common_times, read_file

NORMAL_RANGE = 1.96
"""Standard deviations that hold 95 % of a normal distribution; one that wide around a positive mean reaches below 0."""

_LEAST_CELLS = 3  # of a correlation in space; two cells always have one of 1 or -1


@dataclass(frozen=True)
class ParameterTwin:
    """A parameter of truth and ensemble, on the scale on which it is judged.

    Attributes
    ----------
    name, units : str
        Identifier and unit of the parameter.
    is_log : bool
        Values are decimal logarithms; else they are in ``units``.
    time : numpy.ndarray, shape (time,)
        Ends of the records [UTC].
    true, mean, spread : numpy.ndarray, shape (time, layer, ...)
        Truth, mean and standard deviation of the members of the run; cells behind the layer, those that are not active
        are NaN. A parameter without layers has one.
    start_mean, start_spread : numpy.ndarray, shape (layer, ...)
        The same of the open loop in its first record; without an open loop, of the run itself.
    dims : tuple of str
        Names of the axes of cells.
    """

    name: str
    units: str
    is_log: bool
    time: np.ndarray
    true: np.ndarray
    mean: np.ndarray
    spread: np.ndarray
    start_mean: np.ndarray
    start_spread: np.ndarray
    dims: tuple[str, ...]

    @property
    def error(self) -> np.ndarray:
        """RMSE of the ensemble mean over cells and layers, shape (time,)."""
        return np.array([_size(one) for one in self.mean - self.true])

    @property
    def mean_spread(self) -> np.ndarray:
        """Root mean square of the spread over cells and layers, shape (time,)."""
        return np.array([_size(one) for one in self.spread])

    @property
    def unit_of_errors(self) -> str:
        """Unit of errors and spreads; those of a decimal logarithm are decades."""
        return "decades" if self.is_log else self.units


def parameter_twin(
    truth_file: str | Path, history_file: str | Path, name: str, open_loop_file: str | Path | None = None
) -> ParameterTwin | None:
    """Read a parameter of truth and ensemble.

    Logarithms are judged where truth and ensemble are positive and the spread of the start, or that of the truth over
    its cells, is so wide that a normal distribution would reach below 0. Mean and spread of the logarithms are then
    those of a lognormal distribution of the mean and spread in the file.

    Parameters
    ----------
    truth_file, history_file : str or Path
        Histories of the truth and of the ensemble with assimilation.
    name : str
        Identifier of the parameter.
    open_loop_file : str or Path, optional
        History of the ensemble without assimilation: the parameter before any observation. Without it, that is the
        first record of the ensemble, which analyses within the first interval have changed.

    Returns
    -------
    ParameterTwin or None
        None where a history does not hold the parameter or its spread.

    Raises
    ------
    InputError
        If a file is missing, or the files share no output time.
    """
    truth, history = common_times(read_file(truth_file), read_file(history_file))
    if name not in truth or not _holds(history, name):
        return None
    before = read_file(open_loop_file) if open_loop_file is not None else history
    before = before if _holds(before, name) else history
    dims = tuple(str(one) for one in history[name].dims if one in ("y", "x", "site"))
    true, mean, spread = (_ordered(one, dims) for one in (truth[name], history[name], history[f"{name}_std"]))
    first = [_ordered(before[one].isel(time=[0]), dims)[0] for one in (name, f"{name}_std")]
    is_log = _is_wide(true, mean, *first)
    if is_log:
        true = np.log10(true)
        mean, spread = _logarithms(mean, spread)
        first = list(_logarithms(*first))
    return ParameterTwin(
        name, history[name].attrs.get("units", "1"), is_log, history["time"].values, true, mean, spread, *first, dims)


def parameter_errors(
    truth_file: str | Path,
    history_file: str | Path,
    names: Sequence[str],
    open_loop_file: str | Path | None = None,
) -> dict[str, dict[str, Any]]:
    """Judge estimated parameters by those of the truth, at the start and at the end of a run.

    Parameters
    ----------
    truth_file, history_file, open_loop_file : str or Path
        As of :func:`parameter_twin`.
    names : sequence of str
        Identifiers of the parameters.

    Returns
    -------
    dict
        Parameter to ``scale`` (``log10`` or ``linear``), ``units`` of the errors, ``rmse_start``, ``rmse_end`` over
        cells and layers, ``reduction`` (1 - ratio of the two) [1], ``correlation_start`` and ``..._end`` with the truth
        over the cells (the mean of each layer taken out; NaN for fewer than three cells or a constant field) [1], and
        ``spread_error_ratio_start`` and ``..._end`` [1]; or ``not_judged``, a sentence, where the files lack it.

    Raises
    ------
    InputError
        As :func:`parameter_twin`.
    """
    out: dict[str, dict[str, Any]] = {}
    for name in names:
        twin = parameter_twin(truth_file, history_file, name, open_loop_file)
        if twin is None:
            out[name] = {"not_judged": f"truth.nc or history.nc does not hold it; add {name} to output.variables"}
            continue
        row: dict[str, Any] = {"scale": "log10" if twin.is_log else "linear", "units": twin.unit_of_errors}
        moments = (
            ("start", twin.start_mean, twin.start_spread, twin.true[0]),
            ("end", twin.mean[-1], twin.spread[-1], twin.true[-1]))
        for moment, mean, _, true in moments:
            row[f"rmse_{moment}"] = _size(mean - true)
        row["reduction"] = 1.0 - _ratio(row["rmse_end"], row["rmse_start"])
        for moment, mean, _, true in moments:
            row[f"correlation_{moment}"] = correlation_in_space(mean, true)
        for moment, _, spread, _ in moments:
            row[f"spread_error_ratio_{moment}"] = _ratio(_size(spread), row[f"rmse_{moment}"])
        out[name] = row
    return out


def correlation_in_space(one: np.ndarray, other: np.ndarray) -> float:
    """Return the correlation of two fields over their cells, the mean of each layer taken out.

    Parameters
    ----------
    one, other : numpy.ndarray, shape (layer, ...)
        NaN where a cell is not active.

    Returns
    -------
    float
        Pearson's correlation [1]; NaN for a layer of fewer than three cells, or if a field does not vary.
    """
    fields = [np.reshape(field, (len(field), -1)) for field in (one, other)]
    both = np.isfinite(fields[0]) & np.isfinite(fields[1])
    layers = np.flatnonzero(both.sum(axis=1) >= _LEAST_CELLS)
    parts = [[_anomaly(field[layer, both[layer]]) for layer in layers] for field in fields]
    sizes = [sum(float(np.sum(layer**2)) for layer in part) for part in parts]
    if min(sizes) == 0.0:
        return float("nan")
    return sum(float(np.sum(a * b)) for a, b in zip(*parts, strict=True)) / float(np.sqrt(sizes[0] * sizes[1]))


def _anomaly(values: np.ndarray) -> np.ndarray:
    """Return what deviates from the mean; exactly 0 where all are equal."""
    return values - values.mean() if np.ptp(values) > 0.0 else np.zeros_like(values)


def _holds(history: xr.Dataset, name: str) -> bool:
    return name in history and f"{name}_std" in history


def _ordered(values: xr.DataArray, dims: tuple[str, ...]) -> np.ndarray:
    """Return values as (time, layer, cells ...) in double precision."""
    others = [one for one in values.dims if one not in ("time", *dims)]
    array = values.transpose("time", *others, *dims).values.astype(np.float64)
    return array.reshape(array.shape[0], -1, *array.shape[1 + len(others) :])


def _is_wide(true: np.ndarray, mean: np.ndarray, start_mean: np.ndarray, start_spread: np.ndarray) -> bool:
    """Tell whether a positive parameter varies so much that its logarithm is what is known of it."""
    if not all(np.nanmin(one) > 0.0 for one in (true, mean, start_mean)):
        return False
    widths = (_size(start_spread) / np.nanmean(start_mean), np.nanstd(true[0]) / np.nanmean(true[0]))
    return bool(NORMAL_RANGE * max(widths) > 1.0)


def _logarithms(mean: np.ndarray, spread: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and spread of the decimal logarithm of a lognormal distribution."""
    variance = np.log1p((spread / mean) ** 2)
    return (np.log(mean) - variance / 2.0) / np.log(10.0), np.sqrt(variance) / np.log(10.0)


def _size(values: np.ndarray) -> float:
    return float(np.sqrt(np.nanmean(values**2)))


def _ratio(value: float, error: float) -> float:
    return value / error if error > 0.0 else float("nan")
