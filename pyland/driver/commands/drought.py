"""``pyland diagnose CASE drought``: SPI, SPEI and the self-calibrating Palmer index of a run."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyland.base.complete_files import written_aside
from pyland.base.errors import InputError
from pyland.diagnose.drought import model_fluxes, scpdsi, spei, spi
from pyland.diagnose.drought.standardised_index import LEAST_YEARS
from pyland.diagnose.drought_classes import drought_events
from pyland.driver.commands.diagnosis import DiagnosedRun, Diagnosis
from pyland.driver.commands.run_fields import (
    area_weights,
    common_months,
    month_bounds,
    monthly_potential,
    monthly_water,
)
from pyland.output.diagnosed_fields import cell_dimensions, write_fields

WHY = "pyland diagnose CASE drought"

_WATER = ("precipitation", "evapotranspiration", "surface_runoff", "subsurface_runoff", "storage_change")


def drought(run: DiagnosedRun) -> Diagnosis:
    """Compute drought indices of the months of a run.

    Precipitation is that of balance.nc, potential evapotranspiration comes from history.nc. With ``water: model`` the
    bucket of the Palmer index is replaced by evapotranspiration, runoff and change of storage of balance.nc.

    Parameters
    ----------
    run : DiagnosedRun
        A finished run; ``diagnose.drought`` has the settings.

    Returns
    -------
    Diagnosis
        ``drought.nc``, ``drought.csv`` (means over the area), figure.
    """
    settings = run.config.diagnose.drought
    with_model = settings.water == "model" and "scpdsi" in settings.indices
    months, water, like = monthly_water(run, _WATER if with_model else _WATER[:1], WHY)
    potential = None
    if set(settings.indices) - {"spi"}:
        other, demand = monthly_potential(run, settings.potential, settings.wind_height, WHY)
        months, (first, second) = common_months(months, other)
        water, potential = {name: one[first] for name, one in water.items()}, demand[second]
    calibration = None if settings.calibration is None else tuple(int(year) for year in settings.calibration)
    dims, scales = ("time", *cell_dimensions(like)), [int(scale) for scale in settings.scales]
    fields: dict[str, Any] = {}
    if "spi" in settings.indices:
        values = np.stack([spi(water["precipitation"], months, scale, distribution=settings.spi_distribution,
                               calibration=calibration, zeros=settings.spi_zeros) for scale in scales])
        fields["spi"] = (("scale", *dims), values, {
            "long_name": "standardised precipitation index", "units": "1", "distribution": settings.spi_distribution,
            "zeros": settings.spi_zeros})
    if "spei" in settings.indices and potential is not None:
        values = np.stack([spei(water["precipitation"], potential, months, scale, calibration=calibration,
                                distribution=settings.spei_distribution) for scale in scales])
        fields["spei"] = (("scale", *dims), values, {
            "long_name": "standardised precipitation evapotranspiration index", "units": "1",
            "distribution": settings.spei_distribution, "potential_evapotranspiration": settings.potential})
    if "scpdsi" in settings.indices and potential is not None:
        fields |= _palmer(settings, water, potential, months, calibration, dims)
    if not any(np.isfinite(values).any() for _, values, _ in fields.values()):
        raise InputError(f"{run.files.run_dir}: no cell has an index of its months {months[0]} to {months[-1]}; SPI "
                         f"and SPEI need {LEAST_YEARS} different sums of each calendar month. Give a longer run.")
    scale_axis = {"scale": (("scale",), np.asarray(scales, np.int16), {
        "long_name": "months that are added up", "units": "1"})}
    uses_scale = any(one[0][0] == "scale" for one in fields.values())
    written = [write_fields(run.folder / "drought.nc", like, fields, title="drought indices of months",
                            bounds=month_bounds(months), coordinates=scale_axis if uses_scale else None)]
    weights = area_weights(run, tuple(like["latitude"].shape)).ravel()
    series = _series(fields, scales, weights)
    with written_aside(run.folder / "drought.csv") as partial:
        rows = [",".join(("month", *series))]
        rows += [",".join((str(month), *(f"{one[k]:.6g}" for one in series.values())))
                 for k, month in enumerate(months)]
        partial.write_text("\n".join(rows) + "\n", encoding="utf-8")
    written.append(run.folder / "drought.csv")
    if run.with_figures:
        from pyland.view.drought_series import plot_drought_indices

        written.append(plot_drought_indices(written[0], run.folder / "drought.png", weights))
    numbers = {"months": [str(months[0]), str(months[-1])], "potential": settings.potential,
               "indices": {name: _numbers(one, months, settings.threshold, weights)
                           for name, one in _flat(fields, scales)}}
    return Diagnosis(numbers, _table(numbers), tuple(written))


def _palmer(
    settings: Any, water: dict[str, np.ndarray], potential: np.ndarray, months: np.ndarray,
    calibration: Any, dims: tuple[str, ...],
) -> dict[str, Any]:
    """Return the Palmer indices as variables of drought.nc."""
    count = len(months)
    if settings.water == "model":
        flat = {name: one.reshape(count, -1) for name, one in water.items()}
        fluxes = model_fluxes(
            potential.reshape(count, -1), flat["evapotranspiration"],
            flat["surface_runoff"] + flat["subsurface_runoff"], flat["storage_change"])
        found = scpdsi(water["precipitation"], potential, months, fluxes=fluxes, calibration=calibration,
                       dry_start=settings.dry_start)
    else:
        found = scpdsi(water["precipitation"], potential, months, capacity=settings.capacity, calibration=calibration,
                       dry_start=settings.dry_start)
    words = {"pdsi": "drought severity index", "phdi": "hydrological drought index",
             "pmdi": "modified drought index, without later months", "z": "moisture anomaly index"}
    about = {"units": "1", "water": settings.water, "potential_evapotranspiration": settings.potential}
    return {f"sc{name}": (dims, getattr(found, name), {
        "long_name": f"self-calibrating Palmer {word}", **about}) for name, word in words.items()}


def _flat(fields: dict[str, Any], scales: list[int]) -> list[tuple[str, np.ndarray]]:
    """Return each index as a name and an array (month, cells); those with scales one for each."""
    out = []
    for name, (dims, values, _) in fields.items():
        out += [(f"{name}_{scale}", values[k]) for k, scale in enumerate(scales)] if dims[0] == "scale" else [
            (name, values)]
    return out


def _series(fields: dict[str, Any], scales: list[int], weights: np.ndarray) -> dict[str, np.ndarray]:
    """Return the mean of each index over the area that has it, (month,); NaN without any."""
    return {name: _mean(values.reshape(len(values), -1), weights) for name, values in _flat(fields, scales)}


def _mean(cells: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return means over the cells, (month, cell), that have a value, by their area, (month,)."""
    known = np.isfinite(cells)
    area = known @ weights
    return (np.where(known, cells, 0.0) @ weights) / np.where(area > 0.0, area, np.nan)


def _numbers(values: np.ndarray, months: np.ndarray, threshold: float, weights: np.ndarray) -> dict[str, Any]:
    """Return last, driest and share of drought of an index, by area."""
    cells = values.reshape(len(values), -1)
    known = np.isfinite(cells)
    mean = _mean(cells, weights)
    if not np.isfinite(mean).any():
        return {"cells": 0}
    driest = int(np.nanargmin(mean))
    events = drought_events(cells, threshold)
    with np.errstate(invalid="ignore"):
        dry = float(((cells <= threshold) @ weights).sum() / (known @ weights).sum())
    return {"cells": int(known.any(axis=0).sum()), "last": float(mean[-1]) if np.isfinite(mean[-1]) else None,
            "driest": {"month": str(months[driest]), "mean": float(mean[driest])},
            "share_in_drought": dry, "events": len(events.cell),
            "longest_months": int(events.duration.max(initial=0))}


def _table(numbers: dict[str, Any]) -> str:
    """Return the short table."""
    lines = [f"months {numbers['months'][0]} to {numbers['months'][1]}, potential evapotranspiration by "
             f"{numbers['potential'].replace('_', ' ')}",
             f"{'index':<10} {'cells':>6} {'last':>7} {'driest month':>14} {'mean':>7} {'in drought':>11} "
             f"{'longest':>8}"]
    for name, one in numbers["indices"].items():
        if not one["cells"]:
            lines.append(f"{name:<10} {0:>6}       - no cell has it")
            continue
        last = "-" if one["last"] is None else f"{one['last']:.2f}"
        lines.append(f"{name:<10} {one['cells']:>6} {last:>7} {one['driest']['month']:>14} "
                     f"{one['driest']['mean']:>7.2f} {100 * one['share_in_drought']:>10.1f}% "
                     f"{one['longest_months']:>6} mo")
    return "\n".join(lines)
