"""``pyland diagnose CASE degradation``: trends of productivity and moisture, and the efficiency of the use of rain."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyland.base.complete_files import written_aside
from pyland.base.errors import InputError
from pyland.diagnose.degradation import (
    condition_state,
    degradation_state,
    mann_kendall,
    moisture_responded,
    moving_mean,
    rain_use_efficiency,
    read_degradation_table,
    relative_efficiency,
    vegetation_change,
)
from pyland.diagnose.degradation.rain_use_efficiency import LEAST_CELLS, STATES
from pyland.diagnose.degradation.vegetation_change import LEAST_YEARS
from pyland.diagnose.drought.monthly import MONTHS
from pyland.driver.commands.diagnosis import DiagnosedRun, Diagnosis
from pyland.driver.commands.run_fields import (
    area_weights,
    common_months,
    monthly_potential,
    monthly_water,
    read_fields,
)
from pyland.output.diagnosed_fields import cell_dimensions, write_fields

WHY = "pyland diagnose CASE degradation"

LEAST_TREND_YEARS = 4
"""Years, after the moving mean, below which no trend can be significant."""


def degradation(run: DiagnosedRun) -> Diagnosis:
    """Judge the state of the land of a run.

    Parameters
    ----------
    run : DiagnosedRun
        A finished run of several years; ``diagnose.degradation`` has the settings.

    Returns
    -------
    Diagnosis
        ``degradation.nc``, ``degradation.csv`` (shares of the area by state), figure.

    Raises
    ------
    InputError
        If the run lacks a variable or has too few whole years.
    """
    settings = run.config.diagnose.degradation
    table = read_degradation_table(settings.table)
    months, water, like = monthly_water(run, ("precipitation",), WHY)
    other, demand = monthly_potential(run, settings.potential, settings.wind_height, WHY)
    fields = read_fields(run, "history.nc", (settings.productivity, *(
        ("leaf_area_index",) if settings.vegetation == "leaf_area_index" else ())), WHY)
    third, productivity = fields.monthly(fields.amounts(settings.productivity))
    months, (first, second, last) = common_months(months, other, third)
    rain, demand, productivity = water["precipitation"][first], demand[second], productivity[last]
    plants = _leaf_area(fields)[last] if settings.vegetation == "leaf_area_index" else productivity
    calendar = months.astype(np.int64) % MONTHS
    begin = int((-calendar[0]) % MONTHS)
    count = (len(months) - begin) // MONTHS
    years = (months[begin::MONTHS][:count]).astype("datetime64[Y]").astype(int) + 1970
    if count - settings.smoothing + 1 < LEAST_TREND_YEARS:
        raise InputError(f"{run.files.run_dir}: {count} whole calendar years with a moving mean of "
                         f"{settings.smoothing} leave too few for a trend ({LEAST_TREND_YEARS}); give a longer run, or "
                         "diagnose.degradation.smoothing: 1.")

    def yearly(values: np.ndarray) -> np.ndarray:
        return values[begin:begin + count * MONTHS].reshape(count, MONTHS, *values.shape[1:]).sum(axis=1)

    npp, fallen, wanted = yearly(productivity), yearly(rain), yearly(demand)
    moisture = moving_mean(fallen, settings.smoothing) / np.where(
        (smooth := moving_mean(wanted, settings.smoothing)) > 0.0, smooth, np.nan)
    smoothed = moving_mean(npp, settings.smoothing)
    options = {"times": years[settings.smoothing - 1:], "level": settings.level, "correlation": settings.correlation,
               "window": settings.smoothing}
    trends = {"npp": mann_kendall(smoothed, **options), "moisture": mann_kendall(moisture, **options),
              "mnpp": mann_kendall(moisture_responded(smoothed, moisture), **options)}
    known = np.all([np.isfinite(one.p_value) for one in trends.values()], axis=0)
    state = degradation_state(trends["npp"].direction, trends["mnpp"].direction, trends["moisture"].direction,
                              table=table, known=known)
    dims = cell_dimensions(like)
    output = {"degradation_state": (dims, state, _flags("state of the land by trends of productivity and moisture",
                                                        table.states))}
    units = {"npp": "kg m-2 year-2", "mnpp": "kg m-2 year-2", "moisture": "year-1"}
    words = {"npp": settings.productivity.replace("_", " "), "mnpp": "productivity per moisture",
             "moisture": "precipitation over potential evapotranspiration"}
    for name, trend in trends.items():
        output[f"{name}_slope"] = (dims, trend.slope, {
            "long_name": f"median slope of {words[name]}", "units": units[name]})
        output[f"{name}_p_value"] = (dims, trend.p_value, {
            "long_name": f"probability of such a trend of {words[name]} by chance", "units": "1"})
        output[f"{name}_direction"] = (dims, np.where(known, trend.direction, 0).astype(np.int8), {
            "long_name": f"trend of {words[name]}", "flag_values": np.array([-1, 0, 1], np.int8),
            "flag_meanings": "falling none rising"})
    use, condition = _rain_use(settings, plants, rain, demand, months, dims)
    output |= use
    if count >= LEAST_YEARS:
        change = vegetation_change(npp, wanted / np.where(fallen > 0.0, fallen, np.nan), years)
        for name, what in (("by_time", "time at the same aridity"), ("by_aridity", "aridity at the same time")):
            output[f"change_{name}"] = (dims, getattr(change, name), {
                "long_name": f"standardised change of {words['npp']} with {what}, 0 where it is not significant",
                "units": "1"})
    written = [write_fields(run.folder / "degradation.nc", like, output,
                            title=f"state of the land, {years[0]} to {years[-1]}")]
    weights = area_weights(run, state.shape)
    shares = _shares(state, table.states, weights)
    numbers: dict[str, Any] = {
        "years": [int(years[0]), int(years[-1])], "smoothing": settings.smoothing, "cells": int(known.sum()),
        "states": shares, "trends": {name: {
            "rising": _share(trend.direction[known] > 0, weights[known]),
            "falling": _share(trend.direction[known] < 0, weights[known]),
            "median_slope": float(np.nanmedian(trend.slope)) if np.isfinite(trend.slope).any() else None}
            for name, trend in trends.items()}}
    numbers["rain_use"] = None if condition is None else _shares(condition, STATES, weights)
    rows = ["table,state,share", *(f"trends,{name},{share:.6g}" for name, share in shares.items()),
            *(f"rain_use,{name},{share:.6g}" for name, share in (numbers["rain_use"] or {}).items())]
    with written_aside(run.folder / "degradation.csv") as partial:
        partial.write_text("\n".join(rows) + "\n", encoding="utf-8")
    written.append(run.folder / "degradation.csv")
    if run.with_figures:
        from pyland.view.degradation_maps import plot_degradation

        written.append(plot_degradation(written[0], run.folder / "degradation.png"))
    return Diagnosis(numbers, _table(numbers), tuple(written))


def _leaf_area(fields: Any) -> np.ndarray:
    """Return the mean leaf area of months, (month, cells); the mean over patches."""
    area = fields.values("leaf_area_index")
    area = area.mean(axis=1) if area.ndim == 2 + len(fields.dims) else area
    months, sums = fields.monthly(area * fields.seconds.reshape(-1, *[1] * (area.ndim - 1)))
    length = ((months + 1).astype("datetime64[s]") - months.astype("datetime64[s]")) / np.timedelta64(1, "s")
    return np.asarray(sums / length.reshape(-1, *[1] * (area.ndim - 1)))


def _rain_use(
    settings: Any, plants: np.ndarray, rain: np.ndarray, demand: np.ndarray, months: np.ndarray, dims: tuple[str, ...]
) -> tuple[dict[str, Any], np.ndarray | None]:
    """Return variables of the efficiency of the use of rain, and the condition; without boundaries in few cells."""
    use = rain_use_efficiency(plants, rain, demand, months, first_month=settings.first_month)
    output = {f"rain_use_efficiency_{name}": (dims, getattr(use, name), {
        "long_name": f"{word} of {settings.vegetation.replace('_', ' ')} over rain",
        "units": "m2 kg-1" if settings.vegetation == "leaf_area_index" else "1"})
        for name, word in (("mean", "mean of years"), ("largest", "largest, by the rain of six months,"))}
    enough = all(((one > 0.0) & np.isfinite(one)).sum() >= LEAST_CELLS for one in (use.mean, use.largest))
    if not enough:
        return output, None
    relative = [relative_efficiency(one, dry, degree=settings.degree) for one, dry in (
        (use.mean, use.mean_aridity), (use.largest, use.largest_aridity))]
    for name, values in zip(("mean", "largest"), relative, strict=True):
        output[f"relative_rain_use_{name}"] = (dims, values, {
            "long_name": f"{name} rain-use efficiency relative to what cells of the same aridity reach", "units": "1"})
    condition = condition_state(*relative, threshold=settings.threshold)
    output["rain_use_condition"] = (dims, condition, _flags("condition by relative rain-use efficiency", STATES))
    return output, condition


def _flags(words: str, states: Any) -> dict[str, Any]:
    """Return the attributes of a variable of states; 0 is unknown."""
    return {"long_name": words, "flag_values": np.array([0, *states], np.int8),
            "flag_meanings": " ".join(("unknown", *states.values()))}


def _shares(codes: np.ndarray, states: Any, weights: np.ndarray) -> dict[str, float]:
    """Return the share of each state of the area that has one."""
    total = float(weights[codes != 0].sum()) or 1.0
    return {name: float(weights[codes == code].sum() / total) for code, name in states.items()}


def _share(mask: np.ndarray, weights: np.ndarray) -> float:
    """Return the share of the area where something is so, 0 of none."""
    return float(weights[mask].sum() / total) if (total := weights.sum()) > 0.0 else 0.0


def _table(numbers: dict[str, Any]) -> str:
    """Return the short table."""
    lines = [f"{numbers['years'][0]} to {numbers['years'][1]}, moving means of {numbers['smoothing']} years, "
             f"{numbers['cells']} cells", f"{'state':<16} {'area':>7}"]
    lines += [f"{name:<16} {100 * share:6.1f}%" for name, share in numbers["states"].items()]
    lines += [f"{'trend':<16} {'rising':>7} {'falling':>8}"]
    lines += [f"{name:<16} {100 * one['rising']:6.1f}% {100 * one['falling']:7.1f}%"
              for name, one in numbers["trends"].items()]
    if numbers["rain_use"] is None:
        lines.append(f"rain use: boundaries need {LEAST_CELLS} cells")
    else:
        lines += [f"{'use of rain':<16} {'area':>7}"]
        lines += [f"{name:<16} {100 * share:6.1f}%" for name, share in numbers["rain_use"].items()]
    return "\n".join(lines)
