"""``pyland diagnose CASE irrigation``: water that observations see and the run without irrigation lacks."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from pyland.base.complete_files import written_aside
from pyland.base.errors import InputError
from pyland.base.text import one_of
from pyland.diagnose.analysis_file import ObservedEnsemble, read_observed_ensemble
from pyland.diagnose.irrigation import (
    NoiseFloor,
    irrigation_estimates,
    is_significant,
    noise_floor,
    propagated_noise,
    recovery,
    season_totals,
)
from pyland.diagnose.irrigation.noise import LEAST_CELLS
from pyland.diagnose.records import read_file
from pyland.driver.commands.diagnosis import DiagnosedRun, Diagnosis
from pyland.driver.commands.run_fields import RunFields, area_weights, read_fields
from pyland.output.diagnosed_fields import write_fields

WHY = "pyland diagnose CASE irrigation"

METHODS = ("inversion", "differences", "increments")
"""The estimates, in the order of the figures."""

MATCHED = ("mean_std", "cdf")
"""Scalings that give observations the distribution of the model: irrigation is taken for a bias."""

_TERMS = ("precipitation", "evapotranspiration", "surface_runoff", "subsurface_runoff", "analysis_increment")


def irrigation(run: DiagnosedRun) -> Diagnosis:
    """Estimate irrigation from a run that assimilates soil moisture, and its open loop without irrigation.

    Storage is observed down to ``diagnose.irrigation.depth``, and below that of the run; fluxes are those of the run.
    As the water of a run closes with its increments, the inversion is the sum of the increments but for what
    observations and analyses differ at the first and the last observation of a season.

    Parameters
    ----------
    run : DiagnosedRun
        A finished run with an open loop; ``diagnose.irrigation`` has the settings.

    Returns
    -------
    Diagnosis
        ``irrigation.nc``, ``irrigation.csv``, figure.

    Raises
    ------
    InputError
        If files or observations lack, or the observations were matched to the model.
    """
    settings = run.config.diagnose.irrigation
    observed = read_observed_ensemble(run.files.need("analysis.nc"))
    code = _stream(observed, settings.stream)
    warning = _refuse_matched(run, observed.streams[code])
    balance = read_fields(run, "balance.nc", _TERMS, WHY, also=("irrigation",))
    rainfed = read_fields(run, "open_loop/balance.nc", ("evapotranspiration",), WHY)
    history = read_fields(run, "history.nc", ("soil_water",), WHY)
    dry = read_fields(run, "open_loop/history.nc", ("soil_water",), WHY)
    if not all(np.array_equal(one.ends, balance.ends) for one in (rainfed, history, dry)):
        raise InputError(f"{run.files.run_dir}: {WHY} needs balance.nc and history.nc of the run and of its open loop "
                         "with the same records.")
    water = balance.data["irrigation"].values if "irrigation" in balance.data else None
    if water is not None and np.nansum(water) > 0.0:
        raise InputError(f"{run.files.run_dir}: the run itself irrigates; the estimates are what observations have "
                         "beyond a run without irrigation. Take surface.vegetation.patches.irrigation out.")
    layers = _storages(history, settings.depth), _storages(dry, settings.depth)
    seen = _seen(observed, code, balance, settings.depth)
    error = float(np.median(observed.values["error"][observed.of_stream(code)]))
    totals, running, labels = _seasons(balance, rainfed, seen, layers, settings)
    mask, weights = _mask(run, balance), area_weights(run, balance.shape)
    floors = {method: _floor(totals[method], mask, error, settings.depth) for method in METHODS}
    names = {"inversion": "inversion of the observed water balance", "increments": "sum of analysis increments",
             "differences": "observations less the run without irrigation"}
    dims = ("season", *balance.dims)
    output: dict[str, Any] = {}
    for method in METHODS:
        output[f"irrigation_{method}"] = (dims, totals[method], {
            "long_name": f"irrigation of a season, {names[method]}", "units": "kg m-2"})
        clear = is_significant(totals[method], floors[method], settings.significance)
        output[f"irrigation_{method}_is_significant"] = (dims, clear.astype(np.int8), {
            "long_name": f"whether {names[method]} is above its noise", "flag_values": np.array([0, 1], np.int8),
            "flag_meanings": "no yes"})
    if mask is not None:
        output["is_irrigated"] = (balance.dims, mask.astype(np.int8), {
            "long_name": "irrigated by the mask", "flag_values": np.array([0, 1], np.int8), "flag_meanings": "no yes"})
    written = [write_fields(
        run.folder / "irrigation.nc", balance.data, output, title="estimates of irrigation",
        coordinates={"season": (("season",), np.asarray(labels, np.int32), {
            "long_name": "year of the season", "units": "1"})})]
    gives_back = recovery(error, _revisit(seen))
    numbers = _numbers(totals, floors, mask, labels, settings, gives_back, error, warning, weights)
    written.append(_write_table(run, numbers))
    if run.with_figures:
        from pyland.view.irrigation_estimates import plot_irrigation

        chosen = np.ones(balance.shape, bool) if mask is None else mask
        means = {name: _mean(one, chosen, weights) for name, one in running.items()}
        written.append(plot_irrigation(balance.ends, means, {name: floors[name] for name in METHODS}, gives_back,
                                       run.folder / "irrigation.png"))
    return Diagnosis(numbers, _table(numbers), tuple(written))


def _stream(observed: ObservedEnsemble, name: str | None) -> int:
    """Return the code of the stream of soil moisture."""
    codes = [code for code, kind in enumerate(observed.types) if kind == "soil_moisture"]
    names = [observed.streams[code] for code in codes]
    if name is None and len(codes) == 1:
        return codes[0]
    if name in names:
        return codes[names.index(name)]
    if not codes:
        raise InputError("analysis.nc: the run assimilated no observations of type soil_moisture; irrigation is "
                         "estimated from those.")
    raise InputError(f"diagnose.irrigation.stream: expected {one_of(names)}, got {name or 'nothing'}.")


def _refuse_matched(run: DiagnosedRun, stream: str) -> str:
    """Refuse observations that were matched to the model; return a warning where the user accepts them."""
    entry = next((one for one in run.config.observations if one.name == stream), None)
    if entry is None or entry.scaling not in MATCHED:
        return ""
    words = (f"observations.{stream}.scaling: {entry.scaling} gives the observations the distribution of a model "
             "without irrigation, which takes irrigation out of them")
    if not run.config.diagnose.irrigation.accept_scaled:
        raise InputError(f"{words}. Run the case with scaling: none (or mean, from months without irrigation); or set "
                         "diagnose.irrigation.accept_scaled: true to see what is left.")
    return f"{words}; what is estimated here is a remainder."


def _storages(fields: RunFields, depth: float) -> tuple[np.ndarray, np.ndarray]:
    """Return soil water above and below a depth, (time, cells) [kg m-2]."""
    edges = fields.data["layer_bounds"].values
    thickness = np.diff(edges, axis=1)[:, 0]
    above = np.clip(np.minimum(edges[:, 1], depth) - edges[:, 0], 0.0, None)
    soil = fields.data["soil_water"].transpose("layer", "time", ...).values
    return tuple(1000.0 * np.tensordot(part, soil, axes=1) for part in (above, thickness - above))


def _seen(observed: ObservedEnsemble, code: int, fields: RunFields, depth: float) -> np.ndarray:
    """Return the observed storage of each record, (time, cells) [kg m-2]: mean of its observations, else NaN."""
    mine = np.flatnonzero(observed.of_stream(code) & np.isfinite(observed.values["value"]))
    place = _nearest(fields, observed.values["latitude"][mine], observed.values["longitude"][mine])
    times = np.asarray(observed.values["observation_time"][mine]).astype("datetime64[s]")
    record = np.searchsorted(fields.ends, times)
    inside = (record < len(fields.ends)) & (times > fields.starts[0])
    ncell = int(np.prod(fields.shape))
    row = record[inside] * ncell + place[inside]
    size = len(fields.ends) * ncell
    count = np.bincount(row, minlength=size)
    total = np.bincount(row, weights=observed.values["value"][mine][inside], minlength=size)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return (1000.0 * depth * mean).reshape(len(fields.ends), *fields.shape)


def _nearest(fields: RunFields, latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Return the number of the nearest cell of each place."""
    cells = [fields.data[name].values.ravel() for name in ("latitude", "longitude")]
    known = np.flatnonzero(np.isfinite(cells[0]) & np.isfinite(cells[1]))
    tree = cKDTree(_on_sphere(cells[0][known], cells[1][known]))
    return np.asarray(known[tree.query(_on_sphere(latitude, longitude))[1]])


def _on_sphere(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Return points of the unit sphere, (place, 3)."""
    north, east = np.deg2rad(latitude), np.deg2rad(longitude)
    return np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=1)


def _seasons(
    balance: RunFields, rainfed: RunFields, seen: np.ndarray, layers: Any, settings: Any
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], list[int]]:
    """Return totals (season, cells), running sums (time, cells; NaN out of season) and the years of the seasons."""
    first, last = (int(month) for month in settings.season)
    months = balance.middles.astype("datetime64[M]").astype(int) % 12 + 1
    years = balance.middles.astype("datetime64[Y]").astype(int) + 1970
    (_, below), dry = layers
    away = balance.values("surface_runoff") + balance.values("subsurface_runoff")
    # with water that the run keeps below, its balance holds over the whole column
    storage = seen + below
    totals: dict[str, list[np.ndarray]] = {method: [] for method in METHODS}
    running = {method: np.full(seen.shape, np.nan) for method in METHODS}
    labels = []
    for year in np.unique(years):
        rows = np.flatnonzero((years == year) & (months >= first) & (months <= last))
        if len(rows) < 2:
            continue
        rest = rows[1:]  # states are known at the ends of records: the first gives the start
        found = irrigation_estimates(
            storage[rows], balance.values("precipitation")[rest], balance.values("evapotranspiration")[rest],
            away[rest], balance.values("analysis_increment")[rest], (dry[0] + dry[1])[rows],
            rainfed.values("evapotranspiration")[rest])
        labels.append(int(year))
        for method in METHODS:
            sums = getattr(found, method)
            running[method][rest] = sums
            totals[method].append(season_totals(sums, settings.statistic))
    if not labels:
        raise InputError(f"diagnose.irrigation.season: the run from {balance.starts[0]} to {balance.ends[-1]} has no "
                         f"two records within the months {first} to {last}.")
    return {method: np.stack(one) for method, one in totals.items()}, running, labels


def _mask(run: DiagnosedRun, balance: RunFields) -> np.ndarray | None:
    """Return which cells are irrigated, by the file of the mask; None without one."""
    settings = run.config.diagnose.irrigation
    if settings.mask is None:
        return None
    data = read_file(settings.mask, "name a netCDF file with irrigated shares")
    if settings.mask_variable not in data or data[settings.mask_variable].shape != balance.shape:
        got = data[settings.mask_variable].shape if settings.mask_variable in data else one_of(map(str, data.data_vars))
        raise InputError(f"diagnose.irrigation.mask: {settings.mask}: expected the variable '{settings.mask_variable}' "
                         f"of shape {balance.shape}, got {got}.")
    return np.asarray(data[settings.mask_variable].values >= settings.least_share)


def _floor(totals: np.ndarray, mask: np.ndarray | None, error: float, depth: float) -> NoiseFloor:
    """Return the noise of a method, from cells that are not irrigated, or from the errors of the observations."""
    if mask is not None:
        spread = np.broadcast_to(mask, totals.shape)
        if (~spread & np.isfinite(totals)).sum() >= LEAST_CELLS:
            return noise_floor(totals, spread)
    return NoiseFloor(0.0, float(propagated_noise(error, depth)), 0)


def _revisit(seen: np.ndarray) -> int:
    """Return the mean number of records between two observations of a cell that has some."""
    known = np.isfinite(seen).sum(axis=0)
    return max(1, round(len(seen) / known[known > 0].mean())) if (known > 0).any() else 1


def _mean(values: np.ndarray, chosen: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the mean over chosen cells that have a value, by their area, (time,) or (season,); NaN without any."""
    part, size = values[:, chosen], weights[chosen]
    known = np.isfinite(part)
    area = known @ size
    return (np.where(known, part, 0.0) @ size) / np.where(area > 0.0, area, np.nan)


def _numbers(
    totals: dict[str, np.ndarray], floors: dict[str, NoiseFloor], mask: np.ndarray | None, labels: list[int],
    settings: Any, gives_back: Any, error: float, warning: str, weights: np.ndarray,
) -> dict[str, Any]:
    """Return the numbers of the command; means are those of the area."""
    chosen = np.ones(totals["inversion"].shape[1:], bool) if mask is None else mask
    methods = {}
    for method, values in totals.items():
        part = values[:, chosen]
        known = np.isfinite(part)
        clear = is_significant(part, floors[method], settings.significance) & known
        means = _mean(values, chosen, weights)
        methods[method] = {
            "seasons": {str(year): float(mean) if np.isfinite(mean) else None
                        for year, mean in zip(labels, means, strict=True)},
            "cells": int(known.any(axis=0).sum()), "share_significant": float(clear.sum() / max(known.sum(), 1)),
            "noise": vars(floors[method]),
            "twin_recovery": gives_back.share(method)}
    return {"methods": methods, "statistic": settings.statistic, "season": [int(month) for month in settings.season],
            "observation_error": error, "irrigated_cells": int(chosen.sum()), "warning": warning}


def _write_table(run: DiagnosedRun, numbers: dict[str, Any]) -> Any:
    """Write irrigation.csv."""
    rows = ["method,season,mean_kg_m-2,noise_mean,noise_deviation,share_significant,twin_recovery"]
    for method, one in numbers["methods"].items():
        rows += [f"{method},{year},{'' if value is None else f'{value:.6g}'},{one['noise']['mean']:.6g},"
                 f"{one['noise']['deviation']:.6g},{one['share_significant']:.6g},{one['twin_recovery']:.4g}"
                 for year, value in one["seasons"].items()]
    with written_aside(run.folder / "irrigation.csv") as partial:
        partial.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return run.folder / "irrigation.csv"


def _table(numbers: dict[str, Any]) -> str:
    """Return the short table."""
    lines = [f"irrigation [kg m-2] of months {numbers['season'][0]} to {numbers['season'][1]}, mean of "
             f"{numbers['irrigated_cells']} cells",
             f"{'method':<12} {'season':>7} {'mean':>8} {'noise':>16} {'significant':>12} {'a twin finds':>13}"]
    for method, one in numbers["methods"].items():
        noise = f"{one['noise']['mean']:.0f} ± {one['noise']['deviation']:.0f}"
        for year, value in one["seasons"].items():
            shown = "-" if value is None else f"{value:.1f}"
            lines.append(f"{method:<12} {year:>7} {shown:>8} {noise:>16} {100 * one['share_significant']:>11.0f}% "
                         f"{100 * one['twin_recovery']:>12.0f}%")
    if numbers["warning"]:
        lines.append(numbers["warning"])
    return "\n".join(lines)
