"""Time series of one variable: mean and spread of one or several runs, at a cell or over the domain."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.diagnose.analysis_file import ASSIMILATED, read_observed_ensemble
from pyland.view import style
from pyland.view.shown_fields import (
    HORIZONTAL,
    Choice,
    at_cell,
    cell_of,
    field_of,
    layer_axis,
    layer_words,
    long_name,
    open_lazily,
    people_units,
)

COLOURS = (style.ANALYSIS, style.OPEN_LOOP, *style.PEERS)

QUANTILES = (("p05", "p95"), ("p25", "p75"))
"""Pairs of percentiles that are drawn as bands where a file has them."""

SPREAD_FACTOR = 1.96
"""Standard deviations that hold 95 % of a normal ensemble."""

OBSERVED_AS = {"soil_water": "soil_moisture", "snow_mass": "snow_water", "snow_depth": "snow_depth",
               "snow_cover_fraction": "snow_cover", "leaf_area_index": "lai", "water_table_depth": "groundwater"}
"""Types of observations that are those of a variable without an operator."""


def plot_series(
    runs: Mapping[str, str | Path],
    path: str | Path,
    choice: Choice,
    place: tuple[float, float] | None = None,
    observations: str | Path | None = None,
) -> Path:
    """Draw the series of a variable.

    Parameters
    ----------
    runs : mapping of str to path
        Histories by the name that the legend gives them.
    path : str or Path
        PNG file.
    choice : Choice
        Variable and layer; the statistic is the mean, with its spread as a band.
    place : (float, float), optional
        Latitude and longitude [degrees]; the nearest cell is shown. None: the mean over the cells, without spread.
    observations : str or Path, optional
        ``analysis.nc``, whose observations at the cell are shown where they are of the variable and the depth.

    Returns
    -------
    Path
        The figure.

    Raises
    ------
    InputError
        If a run does not hold what is asked for, or the place lies outside.
    """
    plt = style.pyplot()
    figure, axis = plt.subplots(figsize=(style.WIDTH, 3.6))
    title = ("", "", "")
    for (label, history), colour in zip(runs.items(), COLOURS, strict=False):
        with open_lazily(history) as data:
            title = _draw_run(axis, data, history, choice, place, label, colour)
            if place is not None and observations is not None and label == next(iter(runs)):
                _draw_observations(axis, data, observations, choice, cell_of(data, place)[0])
    axis.set_ylabel(f"[{title[1]}]")
    axis.set_title(title[0], loc="left")
    axis.set_title(title[2], loc="right", fontsize=9)
    axis.margins(x=0.01)
    style.widen_single_time(axis)
    style.plain_dates(plt, axis)
    style.legend_above(figure, [axis])
    return style.save(figure, path)


def _draw_run(
    axis: Any, data: xr.Dataset, where: str | Path, choice: Choice, place: tuple[float, float] | None, label: str,
    colour: str,
) -> tuple[str, str, str]:
    """Draw one run and return title, unit and what the bands are."""
    field = field_of(data, choice, where)
    units, time, words = field.attrs.get("units", ""), data["time"].values, layer_words(data, choice)
    if place is None:
        values, unit = people_units(_area_mean(field), units)
        axis.plot(time, values, style.line_of(time), color=colour, label=label)
        return f"{long_name(choice.variable)}{words}, mean over the cells", unit, ""
    cell, latitude, longitude = cell_of(data, place)
    mean, unit = people_units(at_cell(field, cell), units)
    axis.plot(time, mean, style.line_of(time), color=colour, label=label)
    bands = _bands(data, where, choice, cell)
    for low, high in bands:
        (low, _), (high, _) = people_units(low, units), people_units(high, units)
        axis.fill_between(time, low, high, color=colour, alpha=0.18, lw=0)
    about = ("", "band: 95 % of the members", "bands: 90 and 50 % of the members")[len(bands)]
    where = f"{latitude:.3f}° N, {longitude:.3f}° E".replace("-", "−")
    return f"{long_name(choice.variable)}{words}, {where}", unit, about


def _area_mean(field: xr.DataArray) -> np.ndarray:
    """Return the mean over active cells, (time,)."""
    return field.mean([d for d in field.dims if d in HORIZONTAL]).values


def _bands(data: xr.Dataset, where: str | Path, choice: Choice, cell: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return lower and upper edges of the bands of an ensemble: percentiles, or 95 % by the standard deviation."""
    def one(statistic: str) -> np.ndarray:
        return at_cell(field_of(data, Choice(choice.variable, statistic, choice.layer), where), cell)

    pairs = [pair for pair in QUANTILES if all(f"{choice.variable}_{name}" in data for name in pair)]
    if pairs:
        return [(one(low), one(high)) for low, high in pairs]
    if f"{choice.variable}_std" not in data:
        return []
    mean, spread = one("mean"), SPREAD_FACTOR * one("std")
    return [(mean - spread, mean + spread)]


def _draw_observations(axis: Any, data: xr.Dataset, path: str | Path, choice: Choice, cell: int) -> None:
    """Draw the observations of the variable and the depth whose place is the nearest to the cell that is shown."""
    wanted = OBSERVED_AS.get(choice.variable)
    if wanted is None or not Path(path).exists():
        return
    observed = read_observed_ensemble(path)
    mine = np.isin(observed.values["stream"], [code for code, kind in enumerate(observed.types) if kind == wanted])
    axis_name = layer_axis(data[choice.name])
    if axis_name is not None and f"{axis_name}_bounds" in data:
        top, bottom = data[f"{axis_name}_bounds"].values[(choice.layer or 1) - 1]
        mine &= (observed.values["depth_top"] <= bottom) & (observed.values["depth_bottom"] >= top)
    if not mine.any():
        return
    latitude, longitude = (float(data[name].values.ravel()[cell]) for name in ("latitude", "longitude"))
    distance = np.hypot(observed.values["latitude"] - latitude,
                        (observed.values["longitude"] - longitude) * np.cos(np.radians(latitude)))
    mine &= distance <= distance[mine].min() * (1.0 + 1e-6)
    used = observed.group(ASSIMILATED)
    for chosen, label, face in ((mine & used, "observed, used", "white"),
                                (mine & ~used, "observed, not used", "#BBBBBB")):
        if chosen.any():
            time, value, error = (observed.values[name][chosen] for name in ("observation_time", "value", "error"))
            axis.errorbar(time, value, error, fmt="o", ms=3.5, mfc=face, mec=style.OBSERVED, ecolor="#99999980",
                          elinewidth=0.8, label=label, zorder=5)


def check_place(text: str) -> tuple[float, float]:
    """Return latitude and longitude of ``LAT,LON``.

    Raises
    ------
    InputError
        If the text is none.
    """
    try:
        latitude, longitude = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--at {text}: expected latitude and longitude in degrees, such as 38.9,100.4.") from None
    if not -90.0 <= latitude <= 90.0:
        raise InputError(f"--at {text}: expected a latitude from -90 to 90 degrees first.")
    return latitude, longitude
