"""Health of the assimilation: departures, consistency of errors, reduction of error against the open loop.

Departures after Desroziers et al. (2005), Q. J. R. Meteorol. Soc. 131, 3385-3396; spread and error after
Fortin et al. (2014), J. Hydrometeorol. 15, 1708-1713.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.diagnose.records import common_times, read_file

DEPTH_RANGES = ((0.0, 0.05), (0.05, 0.10), (0.10, 0.50), (0.0, 1.0))
"""Depth ranges of error reductions [m]; the third is what a surface sensor does not see."""


def departures(analysis_file: str | Path) -> dict[str, dict[str, float | int]]:
    """Sum up the departures of an analysis file, for each observation stream.

    Parameters
    ----------
    analysis_file : str or Path
        ``analysis.nc`` of a run.

    Returns
    -------
    dict
        Stream to ``n``, ``n_used``, ``innovation_mean`` and ``innovation_std`` (O-F), ``residual_mean`` and
        ``residual_std`` (O-A), ``expected_innovation_std`` (root mean of spread^2 + error^2), ``chi2`` (mean of
        (O-F)^2 / (spread^2 + error^2), 1 where errors are consistent), ``estimated_error`` (root mean of O-A times
        O-F, Desroziers et al. 2005; NaN if negative) and ``rejected``, counts by reason. All of used observations.
    """
    data = read_file(analysis_file)
    meanings = data["rejection"].attrs["flag_meanings"].split()
    streams = data["stream"].attrs["flag_meanings"].split()
    out: dict[str, dict[str, Any]] = {}
    for code, stream in enumerate(streams):
        mine = data["stream"].values == code
        used = mine & (data["used"].values == 1)
        codes = data["rejection"].values[mine]
        rejected = {meaning: int(np.count_nonzero(codes == n)) for n, meaning in enumerate(meanings) if n > 0}
        out[stream] = {
            "n": int(np.count_nonzero(mine)),
            "n_used": int(np.count_nonzero(used)),
            **_departure_statistics({name: data[name].values[used] for name in _DEPARTURE_VARIABLES}),
            "rejected": {meaning: count for meaning, count in rejected.items() if count},
        }
    return out


_DEPARTURE_VARIABLES = ("innovation", "residual", "prior_spread", "error")


def _departure_statistics(values: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Return the statistics of the departures of one stream."""
    names = ("innovation_mean", "innovation_std", "residual_mean", "residual_std", "expected_innovation_std", "chi2",
             "estimated_error")  # fmt: skip
    innovation, residual = values["innovation"], values["residual"]
    if len(innovation) == 0:
        return dict.fromkeys(names, float("nan"))
    expected = values["prior_spread"] ** 2 + values["error"] ** 2
    product = float(np.mean(residual * innovation))
    numbers = (
        innovation.mean(),
        innovation.std(),
        residual.mean(),
        residual.std(),
        np.sqrt(expected.mean()),
        np.mean(innovation**2 / expected),
        np.sqrt(product) if product >= 0.0 else np.nan,
    )
    return {name: float(number) for name, number in zip(names, numbers, strict=True)}


def error_reduction(
    truth_file: str | Path,
    open_loop_file: str | Path,
    analysis_history_file: str | Path,
    *,
    variable: str = "soil_water",
    ranges: Sequence[tuple[float, float]] = DEPTH_RANGES,
) -> dict[str, dict[str, float]]:
    """Compare the errors of open loop and analysis against a known truth.

    Parameters
    ----------
    truth_file, open_loop_file, analysis_history_file : str or Path
        Histories of the truth, of the ensemble without and with assimilation, with the same output times.
    variable : str
        Identifier of a variable with layers.
    ranges : sequence of (float, float)
        Depth ranges [m]; what lies below the last is one more.

    Returns
    -------
    dict
        Depth range, such as ``0.1-0.5 m``, to ``rmse_open_loop`` and ``rmse_analysis`` [unit of the variable],
        ``reduction`` (1 - ratio of the two) [1], and ``spread_error_ratio_open_loop`` and ``..._analysis`` [1].
        RMSE of ensemble means over cells and times; layer values are averaged over the range first.

    Raises
    ------
    InputError
        If the files do not share output times.
    """
    truth, open_loop, analysis = (read_file(path) for path in (truth_file, open_loop_file, analysis_history_file))
    truth, open_loop, analysis = common_times(truth, open_loop, analysis)
    out = {}
    base = float(truth[f"{_layer_axis(truth, variable)}_bounds"].values.max())
    below = ((ranges[-1][1], base),) if base > ranges[-1][1] else ()
    for top, bottom in (*ranges, *below):
        weights = _overlap(truth, variable, top, bottom)
        if weights is None:
            continue
        true = _average(truth[variable], weights)
        row = _reduction(true, *(
            (_average(data[variable], weights),
             _average(data[f"{variable}_std"], weights) if f"{variable}_std" in data else None)
            for data in (open_loop, analysis)))
        out[f"{top:g}-{bottom:g} m"] = row
    return out


def map_error_reduction(
    truth_file: str | Path, open_loop_file: str | Path, analysis_history_file: str | Path, variable: str
) -> dict[str, float] | None:
    """Compare the errors of open loop and analysis of a variable without layers, such as the depth of the water table.

    Returns
    -------
    dict or None
        As one entry of :func:`error_reduction`; None where a history lacks the variable.

    Raises
    ------
    InputError
        If the files do not share output times.
    """
    truth, open_loop, analysis = common_times(*map(read_file, (truth_file, open_loop_file, analysis_history_file)))
    if any(variable not in data for data in (truth, open_loop, analysis)):
        return None
    return _reduction(truth[variable].values, *(
        (data[variable].values, data[f"{variable}_std"].values if f"{variable}_std" in data else None)
        for data in (open_loop, analysis)))


def discharge_error_reduction(
    truth_file: str | Path, open_loop_file: str | Path, discharge_file: str | Path, analysis_file: str | Path
) -> dict[str, dict[str, float]]:
    """Compare the errors of the ensemble-mean discharge of open loop and analysis, for each outlet.

    Steps count from the first analysis on: before it both are the same.

    Parameters
    ----------
    truth_file, open_loop_file, discharge_file : str or Path
        ``discharge.nc`` of the truth, of the ensemble without and with assimilation.
    analysis_file : str or Path
        ``analysis.nc``.

    Returns
    -------
    dict
        Outlet to an entry as of :func:`error_reduction` [m3 s-1].

    Raises
    ------
    InputError
        If the files do not share times.
    """
    truth, open_loop, analysis = common_times(*map(read_file, (truth_file, open_loop_file, discharge_file)))
    later = np.flatnonzero(truth["time"].values > read_file(analysis_file)["analysis_time"].values.min())
    truth, open_loop, analysis = (data.isel(time=later) for data in (truth, open_loop, analysis))
    out = {}
    for place, name in enumerate(truth["gauge_name"].values):
        true, before, after = (data["discharge"].isel(gauge=place) for data in (truth, open_loop, analysis))
        out[str(name)] = _reduction(true.mean("member").values, *(
            (flow.mean("member").values, flow.std("member", ddof=1).values) for flow in (before, after)))
    return out


def _reduction(
    true: np.ndarray, open_loop: tuple[np.ndarray, np.ndarray | None], analysis: tuple[np.ndarray, np.ndarray | None]
) -> dict[str, float]:
    """Return errors of two ensembles, mean and spread each, and how much smaller those of the second are.

    Ratios to an error of 0, that of a stream which is dry in all runs, are NaN.
    """
    row: dict[str, float] = {}
    for name, (mean, spread) in (("open_loop", open_loop), ("analysis", analysis)):
        row[f"rmse_{name}"] = float(np.sqrt(np.nanmean((mean - true) ** 2)))
        if spread is not None:
            row[f"spread_error_ratio_{name}"] = _ratio(float(np.sqrt(np.nanmean(spread**2))), row[f"rmse_{name}"])
    row["reduction"] = 1.0 - _ratio(row["rmse_analysis"], row["rmse_open_loop"])
    return row


def _ratio(value: float, error: float) -> float:
    return value / error if error > 0.0 else float("nan")


def error_profile(
    truth_file: str | Path, open_loop_file: str | Path, analysis_history_file: str | Path, variable: str = "soil_water"
) -> dict[str, np.ndarray]:
    """Return errors per layer and per time.

    Returns
    -------
    dict
        ``depth`` (layer,), the middles of layers, and ``bounds`` (layer, 2) [m]; ``open_loop`` and ``analysis``
        (layer,), RMSE over cells and times; ``time`` (time,); ``open_loop_in_time`` and ``analysis_in_time`` (time,
        layer), RMSE over cells [unit of the variable].
    """
    truth, open_loop, analysis = common_times(*map(read_file, (truth_file, open_loop_file, analysis_history_file)))
    axis = _layer_axis(truth, variable)
    out = {"depth": truth[axis].values, "bounds": truth[f"{axis}_bounds"].values, "time": truth["time"].values}
    cells = [d for d in truth[variable].dims if d not in ("time", axis)]
    for name, data in (("open_loop", open_loop), ("analysis", analysis)):
        square = (data[variable] - truth[variable]) ** 2
        out[name] = np.sqrt(square.mean(["time", *cells])).values
        out[f"{name}_in_time"] = np.sqrt(square.mean(cells)).transpose("time", axis).values
    return out


def skill_change(open_loop: Mapping[str, Any], analysis: Mapping[str, Any]) -> dict[str, dict[str, dict[str, float]]]:
    """Compare two results of :func:`pyland.diagnose.skill.skill`.

    Returns
    -------
    dict
        ``{"native" | "daily": {ALMA name: {rmse_open_loop, rmse_analysis, reduction, ...}}}``; ``reduction`` is
        1 - ratio of the RMSE [1], and ``unbiased_reduction`` the same for the RMSE without the bias.
    """
    out: dict[str, dict[str, dict[str, float]]] = {}
    for step in ("native", "daily"):
        out[step] = {}
        for name in analysis.get(step, {}):
            before, after = open_loop.get(step, {}).get(name), analysis[step][name]
            if before is None:
                continue
            unbiased = [np.sqrt(max(row["rmse"] ** 2 - row["bias"] ** 2, 0.0)) for row in (before, after)]
            out[step][name] = {
                "rmse_open_loop": before["rmse"],
                "rmse_analysis": after["rmse"],
                "reduction": 1.0 - after["rmse"] / before["rmse"] if before["rmse"] > 0.0 else float("nan"),
                "unbiased_reduction": 1.0 - unbiased[1] / unbiased[0] if unbiased[0] > 0.0 else float("nan"),
                "r_open_loop": before["r"],
                "r_analysis": after["r"],
            }
    return out


def _layer_axis(data: xr.Dataset, variable: str) -> str:
    """Name the vertical axis of a variable."""
    if variable not in data:
        raise InputError(f"The history does not hold '{variable}'; add it to output.variables.")
    axes = [str(d) for d in data[variable].dims if d != "time" and f"{d}_bounds" in data]
    if not axes:
        raise InputError(f"'{variable}' has no layers.")
    return axes[0]


def _overlap(data: xr.Dataset, variable: str, top: float, bottom: float) -> xr.DataArray | None:
    """Return the weights of the layers in a depth range, or None if the profile does not reach it."""
    axis = _layer_axis(data, variable)
    bounds = data[f"{axis}_bounds"].values
    overlap = np.clip(np.minimum(bounds[:, 1], bottom) - np.maximum(bounds[:, 0], top), 0.0, None)
    if overlap.sum() <= 0.0:
        return None
    return xr.DataArray(overlap / overlap.sum(), dims=axis)


def _average(values: xr.DataArray, weights: xr.DataArray) -> np.ndarray:
    """Average layers with weights that sum to one; NaN where a cell is not active."""
    return (values * weights).sum(weights.dims[0], skipna=False).transpose("time", ...).values
