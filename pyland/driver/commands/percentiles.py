"""``pyland diagnose CASE percentiles``: percentiles, anomalies and drought classes of a run."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyland.base.complete_files import written_aside
from pyland.base.errors import InputError
from pyland.base.registry import variable
from pyland.diagnose.climatology_file import DEPTH_ATTRIBUTE, read_climatology, write_climatologies
from pyland.diagnose.drought_classes import (
    CLASS_WORDS,
    CLASSES,
    UNKNOWN,
    area_in_drought,
    drought_class,
    drought_events,
)
from pyland.diagnose.percentiles import Climatology, anomaly, percentile_of, standardised_anomaly
from pyland.driver.commands.diagnosis import DiagnosedRun, Diagnosis
from pyland.driver.commands.run_fields import RunFields, cell_area, read_fields
from pyland.output.diagnosed_fields import cell_coordinates, kept_attributes, write_fields

SHOWN_EVENTS = 5
"""Longest droughts in the numbers of the command; the CSV has all."""


def percentiles(run: DiagnosedRun) -> Diagnosis:
    """Judge variables of history.nc by what is usual on the day of the year.

    Parameters
    ----------
    run : DiagnosedRun
        A finished run; ``diagnose.percentiles`` has the settings.

    Returns
    -------
    Diagnosis
        ``percentiles.nc``, ``drought_area.csv``, ``drought_events.csv``, figures; ``climatology.nc`` where it was made.

    Raises
    ------
    InputError
        If the run is too short for a climatology and none is given, or lacks a variable.
    """
    settings = run.config.diagnose.percentiles
    fields = read_fields(run, "history.nc", settings.variables, "pyland diagnose CASE percentiles")
    top, bottom = settings.depth
    series = {name: fields.depth_mean(name, top, bottom) for name in settings.variables}
    usual, made = _climatologies(run, fields, series)
    found: dict[str, Any] = {}
    sizes = cell_area(run, fields.shape)
    output: dict[str, Any] = {} if sizes is None else {"cell_area": (fields.dims, sizes, {
        "standard_name": "cell_area", "long_name": "area of the cell", "units": "m2"})}
    dims = ("time", *fields.dims)
    lines_area, lines_events = ["time,variable," + ",".join(CLASSES)], [
        "variable,cell,first,last,records,severity_percent_records,lowest_percentile"]
    for name, values in series.items():
        rank = percentile_of(values, usual[name], fields.middles)
        codes = drought_class(rank)
        words = variable(name).long_name + _depth_words(fields, name, top, bottom)
        output |= _fields_of(name, dims, rank, codes, values, usual[name], fields, words)
        area = area_in_drought(codes, sizes)
        events = drought_events(rank, settings.threshold, least_duration=settings.least_duration,
                                merge_gap=settings.merge_gap)
        lines_area += [f"{str(end)},{name}," + ",".join(f"{share:.6g}" for share in row)
                       for end, row in zip(fields.ends, area, strict=True)]
        lines_events += [
            f"{name},{cell},{fields.starts[first]},{fields.ends[last]},{count},{severity:.6g},{lowest:.4g}"
            for cell, first, last, count, severity, lowest in zip(*vars(events).values(), strict=True)]
        found[name] = _numbers(rank, codes, area, events, fields)
    written = [write_fields(run.folder / "percentiles.nc", fields.data, output,
                            title="percentiles, anomalies and drought classes", bounds=(fields.starts, fields.ends))]
    for file, lines in (("drought_area.csv", lines_area), ("drought_events.csv", lines_events)):
        with written_aside(run.folder / file) as partial:
            partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
        written.append(run.folder / file)
    written += made
    if run.with_figures:
        from pyland.view.drought_percentiles import plot_percentiles

        written += [plot_percentiles(written[0], name, run.folder / f"percentiles_{name}.png")
                    for name in settings.variables]
    period = next(iter(usual.values())).period
    numbers = {"climatology": {"from": period[0], "to": period[1], "is_of_this_run": bool(made)}, "variables": found}
    return Diagnosis(numbers, _table(numbers), tuple(written))


def _climatologies(
    run: DiagnosedRun, fields: RunFields, series: dict[str, np.ndarray]
) -> tuple[dict[str, Climatology], list[Any]]:
    """Read the climatologies, or make those of the run and write them."""
    settings = run.config.diagnose.percentiles
    if settings.climatology is not None:
        usual = {name: read_climatology(settings.climatology, name) for name in series}
        for name, one in usual.items():
            if one.cell_shape != fields.shape:
                raise InputError(
                    f"diagnose.percentiles.climatology: {settings.climatology} has cells of shape {one.cell_shape} for "
                    f"'{name}', the run {fields.shape}; give one of a run on the same grid.")
        return usual, []
    try:
        usual = {name: Climatology.build(
            fields.middles, values, half_width=settings.half_width, least_years=settings.least_years,
            step=settings.step, method=settings.quantiles) for name, values in series.items()}
    except InputError as error:
        raise InputError(f"{error} Or name that of a long run: diagnose.percentiles.climatology.") from None
    path = run.folder / "climatology.nc"
    coordinates = {name: (one.dims, one.values, one.attrs) for name, one in cell_coordinates(fields.data).items()}
    write_climatologies(path, usual, fields.dims, coordinates=coordinates,
                        units={name: variable(name).units for name in usual},
                        attributes={**kept_attributes(fields.data),
                                    DEPTH_ATTRIBUTE: np.asarray(run.config.diagnose.percentiles.depth, float)})
    return usual, [path]


def _depth_words(fields: RunFields, name: str, top: float, bottom: float) -> str:
    """Return the depth that was averaged, as the end of a long name."""
    return "" if fields.data[name].ndim == 1 + len(fields.dims) else f" from {top:g} to {bottom:g} m"


def _fields_of(
    name: str, dims: tuple[str, ...], rank: np.ndarray, codes: np.ndarray, values: np.ndarray, usual: Climatology,
    fields: RunFields, words: str,
) -> dict[str, Any]:
    """Return the variables of percentiles.nc."""
    about = f"days within {usual.half_width} days of the day of the year, {usual.period[0]} to {usual.period[1]}"
    return {
        f"{name}_percentile": (dims, rank, {
            "long_name": f"percentile of {words}", "units": "percent", "comment": about,
            "valid_range": np.array([0, 100], np.float32)}),
        f"{name}_anomaly": (dims, anomaly(values, usual, fields.middles), {
            "long_name": f"anomaly of {words}", "units": variable(name).units, "comment": about}),
        f"{name}_standardised_anomaly": (dims, standardised_anomaly(values, usual, fields.middles), {
            "long_name": f"standardised anomaly of {words}", "units": "1", "comment": about}),
        f"{name}_drought_class": (dims, codes, {
            "long_name": f"drought class of {words}",
            "flag_values": np.arange(UNKNOWN, len(CLASSES) + 1, dtype=np.int8),
            "flag_meanings": "unknown none " + " ".join(CLASSES),
            "comment": "percentile at or below " + ", ".join(f"{one} {bound:g} ({CLASS_WORDS[one]})"
                                                             for one, bound in CLASSES.items())}),
    }


def _numbers(
    rank: np.ndarray, codes: np.ndarray, area: np.ndarray, events: Any, fields: RunFields
) -> dict[str, Any]:
    """Return the numbers of a variable."""
    known = np.isfinite(rank)
    longest = np.argsort(-events.duration, kind="stable")[:SHOWN_EVENTS]
    worst = int(np.nanargmax(area.sum(axis=1))) if np.isfinite(area).any() else 0
    return {
        "cells_with_a_climatology": int(known.any(axis=0).sum()),
        "mean_percentile": float(rank[known].mean()) if known.any() else None,
        "last": {"end": fields.ends[-1], "mean_percentile": float(np.nanmean(rank[-1])) if known[-1].any() else None,
                 "area": dict(zip(CLASSES, map(float, area[-1]), strict=True))},
        "driest": {"end": fields.ends[worst], "area": dict(zip(CLASSES, map(float, area[worst]), strict=True))},
        "share_of_records": {name: float(((codes >= number) & known).sum() / max(known.sum(), 1))
                             for number, name in enumerate(CLASSES, start=1)},
        "events": {"count": len(events.cell), "longest": [
            {"cell": int(events.cell[k]), "first": fields.starts[events.first[k]], "last": fields.ends[events.last[k]],
             "records": int(events.duration[k]), "severity": float(events.severity[k])} for k in longest]},
    }


def _table(numbers: dict[str, Any]) -> str:
    """Return the short table."""
    lines = [f"climatology {numbers['climatology']['from']} to {numbers['climatology']['to']}"
             + (", of this run" if numbers["climatology"]["is_of_this_run"] else ""),
             f"{'variable':<28} {'when':<20} " + " ".join(f"{one:>6}" for one in CLASSES) + "  area in or below [%]"]
    for name, one in numbers["variables"].items():
        for word in ("last", "driest"):
            shares = " ".join(f"{100.0 * share:6.1f}" for share in one[word]["area"].values())
            lines.append(f"{name if word == 'last' else '':<28} {str(one[word]['end'])[:16]:<20} {shares}  {word}")
        lines.append(f"{'':<28} {one['events']['count']} droughts")
    return "\n".join(lines)
