"""Skill against a station: native step and local days, and the same points for other models.

The rules are those of the reference scores of the other models, so that numbers can be laid side by side:
sub-daily points count when their quality flag is 0; a local day counts when 75 % of its points do, its observed value
is the mean over those points, its modelled value the mean over the whole day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.base.text import significant
from pyland.diagnose.scores import score
from pyland.diagnose.series import ALBEDO, Depths, Series, Station, read_history, read_station

DAY = 86400
"""Length of a day [s]."""

LEAST_LIGHT = 20.0
"""Least mean incoming shortwave of a day whose albedo is compared [W m-2]: an offset of a pyranometer of 2 W m-2 is a
tenth of it, and below it the sun stands so low that tilt and shade decide."""

DAILY_COVERAGE = 0.75
"""Least share of measured points of a day [1]; the share behind the published scores of the other models."""


@dataclass(frozen=True)
class Pairs:
    """Matched values of one variable; NaN where one of them is missing.

    Parameters
    ----------
    start : numpy.ndarray of datetime64[s], shape (point,)
        Start of the intervals, UTC for native points, local time for days.
    model, observed : numpy.ndarray, shape (point,)
        Values in ALMA units.
    """

    start: np.ndarray
    model: np.ndarray
    observed: np.ndarray


def native_pairs(model: Series, station: Station, name: str, period: tuple[Any, Any] = (None, None)) -> Pairs | None:
    """Match a model with observations at the native step.

    Returns
    -------
    Pairs or None
        None if the variable is not observed below a day, or the steps differ by more than a factor that divides.
        A model step that is a multiple of the observed one meets the mean of complete observations.
    """
    if name not in model.values or name not in station.native.values or model.step >= DAY:
        return None
    start, observed = _within(station.native.start, station.native.values[name], period)
    if model.step > station.native.step:
        start, observed = _coarsen(start, observed, station.native.step, model.step, model.start)
        return Pairs(start, _look_up(model.start, model.values[name], start), observed)
    if model.step < station.native.step:
        model_start, values = _coarsen(
            model.start, model.values[name], model.step, station.native.step, station.native.start
        )
        return Pairs(start, _look_up(model_start, values, start), observed)
    return Pairs(start, _look_up(model.start, model.values[name], start), observed)


def daily_pairs(
    model: Series,
    station: Station,
    name: str,
    period: tuple[Any, Any] = (None, None),
    *,
    coverage: float = DAILY_COVERAGE,
    model_coverage: float = 1.0,
) -> Pairs | None:
    """Match means over days.

    Days are local days of the station. If the model's own records are daily, they are the days (its output interval may
    begin at another hour).

    Parameters
    ----------
    coverage : float
        Least share of accepted observations in a day [1].
    model_coverage : float
        Least share of the day that the model covers [1].
    """
    if name == ALBEDO:
        return _albedo_pairs(model, station, period, coverage, model_coverage)
    if name not in model.values:
        return None
    observed_daily = station.daily is not None and name in station.daily.values
    if not observed_daily and name not in station.native.values:
        return None
    if model.step > DAY:
        return None
    offset = _day_offset(model, station)
    if observed_daily:
        start, observed = _within(station.daily.start, station.daily.values[name], period)
        days, observed = (start + offset).astype("datetime64[D]"), observed
    else:
        start, observed = _within(station.native.start, station.native.values[name], period)
        days, observed = _daily_means(start + offset, observed, coverage * DAY / station.native.step)
    model_days, modelled = _daily_means(model.start + offset, model.values[name], model_coverage * DAY / model.step)
    return Pairs(days.astype("datetime64[s]"), _look_up(model_days, modelled, days), observed)


def _day_offset(model: Series, station: Station) -> np.timedelta64:
    """Return what turns UTC into the time whose days are compared."""
    if model.step == DAY:  # the phase of the model's records is the phase of the days
        return -np.timedelta64(int(model.start[0].astype(np.int64)) % DAY, "s")
    return np.timedelta64(int(round(station.utc_offset * 3600)), "s")


def _albedo_pairs(
    model: Series, station: Station, period: tuple[Any, Any], coverage: float, model_coverage: float
) -> Pairs | None:
    """Match albedos of local days: reflected over incoming shortwave, on days with ``LEAST_LIGHT``.

    The incoming shortwave is that of the station for all: it drove the models. A daily albedo of the station goes
    before the ratio of its fluxes at the points where the reflected one was accepted.
    """
    native, light = station.native, station.light
    if light is None or "SWup" not in model.values or model.step >= DAY:
        return None
    offset = _day_offset(model, station)
    days, incoming = _daily_means(native.start + offset, light, DAY / native.step)
    bright = np.where(incoming >= LEAST_LIGHT, incoming, np.nan)
    if station.daily is not None and ALBEDO in station.daily.values:
        start, observed = _within(station.daily.start, station.daily.values[ALBEDO], period)
        wanted = (start + offset).astype("datetime64[D]")
    elif "SWup" in native.values:
        start, reflected = _within(native.start, native.values["SWup"], period)
        _, seen = _within(native.start, np.where(np.isfinite(native.values["SWup"]), light, np.nan), period)
        least = coverage * DAY / native.step
        wanted, observed = _daily_means(start + offset, reflected, least)
        observed = observed / _daily_means(start + offset, seen, least)[1]
    else:
        return None
    model_days, modelled = _daily_means(model.start + offset, model.values["SWup"], model_coverage * DAY / model.step)
    shine = _look_up(days, bright, wanted)
    observed = np.where(np.isfinite(shine), observed, np.nan)
    return Pairs(wanted.astype("datetime64[s]"), _look_up(model_days, modelled, wanted) / shine, observed)


def skill(
    model: Series,
    station: Station,
    names: Iterable[str] | None = None,
    period: tuple[Any, Any] = (None, None),
    *,
    coverage: float = DAILY_COVERAGE,
    model_coverage: float = 1.0,
) -> dict[str, dict[str, dict[str, float | int]]]:
    """Score a model against a station.

    Parameters
    ----------
    model : Series
        The model at the station.
    station : Station
        The observations.
    names : iterable of str, optional
        ALMA names; all common ones by default.
    period : tuple
        First and last instant [UTC], None for open ends; the last is excluded.
    coverage, model_coverage : float
        See :func:`daily_pairs`.

    Returns
    -------
    dict
        ``{"native" | "daily": {ALMA name: score}}``; variables without a common point are left out.
    """
    out: dict[str, dict[str, dict[str, float | int]]] = {"native": {}, "daily": {}}
    for name in names if names is not None else observed_names(station):
        pairs = {
            "native": native_pairs(model, station, name, period),
            "daily": daily_pairs(model, station, name, period, coverage=coverage, model_coverage=model_coverage),
        }
        for step, matched in pairs.items():
            if matched is not None:
                result = score(matched.model, matched.observed)
                if result["n"] > 0:
                    out[step][name] = result
    return out


def skill_of_run(
    history: str | Path,
    station_file: str | Path,
    period: tuple[Any, Any] = (None, None),
    *,
    cell: int = 0,
    depths: Depths | None = None,
) -> dict[str, dict[str, dict[str, float | int]]]:
    """Score a history file against a station file; see :func:`skill`."""
    station = read_station(station_file, depths)
    series = read_history(history, observed_names(station), cell=cell, depths=station.depths)
    return skill(series, station, period=period)


def observed_names(station: Station) -> list[str]:
    """Return the ALMA names that a station offers."""
    names = list(station.native.values)
    if station.daily is not None:
        names += [name for name in station.daily.values if name not in names]
    if "SWup" in station.native.values and station.light is not None and ALBEDO not in names:
        names.append(ALBEDO)
    return names


def peer_table(
    station: Station,
    models: Sequence[Series],
    names: Iterable[str] | None = None,
    period: tuple[Any, Any] = (None, None),
    *,
    step: str = "daily",
    coverage: float = DAILY_COVERAGE,
) -> list[dict[str, Any]]:
    """Score several models on identical points.

    Parameters
    ----------
    station : Station
        The observations.
    models : sequence of Series
        At least one; a variable is compared between the models that have it.
    names : iterable of str, optional
        ALMA names; all that the first model has by default.
    period : tuple
        First and last instant [UTC].
    step : str
        ``daily`` or ``native``.
    coverage : float
        See :func:`daily_pairs`.

    Returns
    -------
    list of dict
        One row per variable: ``variable``, ``n``, ``mean_obs``, ``std_obs``, in ``models`` label to score, and in
        ``left_out`` the labels of models that have the variable but no point in common with the observations.
    """
    if step not in ("daily", "native"):
        raise InputError(f"Unknown step '{step}' of a table of scores; expected 'daily' or 'native'.")
    rows = []
    for name in names if names is not None else [n for n in observed_names(station) if _has(models[0], n)]:
        matched: dict[str, Pairs] = {}
        left_out = []
        for model in models:
            found = (
                native_pairs(model, station, name, period)
                if step == "native"
                else daily_pairs(model, station, name, period, coverage=coverage)
            )
            if found is not None and np.isfinite(found.model + found.observed).any():
                matched[model.label] = found
            elif found is not None and np.isfinite(model.values["SWup" if name == ALBEDO else name]).any():
                left_out.append(model.label)
        if not matched:
            continue
        common = _common_points(matched)
        scores = {label: score(model, common[1]) for label, model in common[0].items()}
        first = next(iter(scores.values()))
        if first["n"] > 0:
            about = {key: first[key] for key in ("n", "mean_obs", "std_obs")}
            rows.append({"variable": name, **about, "models": scores, "left_out": left_out})
    return rows


def _has(model: Series, name: str) -> bool:
    """Tell whether a model has a variable, or what it is made of."""
    return name in model.values or (name == ALBEDO and "SWup" in model.values)


# ---- matching ------------------------------------------------------------------------------------


def _within(start: np.ndarray, values: np.ndarray, period: tuple[Any, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Cut a series to a period."""
    first, last = period
    kept = np.ones(len(start), dtype=bool)
    if first is not None:
        kept &= start >= np.datetime64(first)
    if last is not None:
        kept &= start < np.datetime64(last)
    return start[kept], values[kept]


def _look_up(times: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return values at the wanted times, NaN where there is none; ``times`` ascend."""
    out = np.full(len(wanted), np.nan)
    if len(times):
        place = np.minimum(np.searchsorted(times, wanted), len(times) - 1)
        hit = times[place] == wanted
        out[hit] = values[place[hit]]
    return out


def _daily_means(local: np.ndarray, values: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Return days and means of their finite values; NaN for days with fewer values than ``least``."""
    days, place = np.unique(local.astype("datetime64[D]"), return_inverse=True)
    finite = np.isfinite(values)
    count = np.bincount(place[finite], minlength=len(days))
    total = np.bincount(place[finite], weights=values[finite], minlength=len(days))
    enough = (count >= least) & (count > 0)
    means = np.full(len(days), np.nan)
    means[enough] = total[enough] / count[enough]
    return days, means


def _coarsen(
    start: np.ndarray, values: np.ndarray, fine: float, coarse: float, phase_of: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return means over longer intervals with the phase of another series; NaN where a point is missing."""
    ratio = coarse / fine
    if ratio != round(ratio):
        raise InputError(f"Scores need steps that divide each other; got {fine:g} s and {coarse:g} s.")
    origin = int(phase_of[0].astype(np.int64)) % int(coarse)
    number = (start.astype(np.int64) - origin) // int(coarse)
    blocks, place, count = np.unique(number, return_inverse=True, return_counts=True)
    means = np.bincount(place, weights=values) / count
    means[count < ratio] = np.nan
    return (blocks * int(coarse) + origin).astype("datetime64[s]"), means


def _common_points(matched: Mapping[str, Pairs]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Cut all models to the points that all of them and the observations have."""
    series = list(matched.values())
    start = series[0].start
    for pairs in series[1:]:
        start = np.intersect1d(start, pairs.start)
    models = {label: _look_up(pairs.start, pairs.model, start) for label, pairs in matched.items()}
    observed = np.array(_look_up(series[0].start, series[0].observed, start))
    for values in models.values():
        observed[~np.isfinite(values)] = np.nan
    return models, observed


def score_text(found: Mapping[str, Any] | None) -> str:
    """Return the cell of one model in a table: RMSE / bias / r, a dash where it has none."""
    if found is None:
        return "–"
    bias = significant(found["bias"], 2, sign=True)
    return f"{significant(found['rmse'], 3)} / {bias} / {found['r']:.2f}"


def observed_text(row: Mapping[str, Any]) -> str:
    """Return the cell of what was observed: mean ± standard deviation (number of points)."""
    return f"{significant(row['mean_obs'], 3)} ± {significant(row['std_obs'], 2)} ({row['n']})"
