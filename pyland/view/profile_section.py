"""Profiles in time: a variable over depth at one cell, from the surface down."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.view import style
from pyland.view.shown_fields import (
    Choice,
    at_cell,
    cell_of,
    colours_of,
    field_of,
    layer_axis,
    long_name,
    open_lazily,
    people_units,
)

LARGE_RATIO = 50.0
"""Ratio of the deepest to the first layer bottom from which depth is drawn on a root scale."""


def plot_profile(
    history: str | Path, path: str | Path, choice: Choice, place: tuple[float, float] | None = None
) -> Path:
    """Draw a variable with layers over time and depth; of temperatures the line of 0 °C too.

    Parameters
    ----------
    history : str or Path
        ``history.nc``.
    path : str or Path
        PNG file.
    choice : Choice
        Variable and statistic.
    place : (float, float), optional
        Latitude and longitude [degrees]; the nearest cell is shown. None: the cell nearest to the middle.

    Returns
    -------
    Path
        The figure.

    Raises
    ------
    InputError
        If the variable has no layers of depth.
    """
    plt = style.pyplot()
    with open_lazily(history) as data:
        field_of(data, choice, history)  # says what is missing
        field = data[choice.name]
        axis_name = layer_axis(field)
        if axis_name is None or f"{axis_name}_bounds" not in data:
            raise InputError(f"{history}: '{choice.variable}' has no layers of depth; a profile needs soil_water, "
                             "soil_temperature or another variable with layers.")
        cell, latitude, longitude = cell_of(data, place)
        values, unit = people_units(at_cell(field.transpose("time", axis_name, ...), cell),
                                    field.attrs.get("units", ""), choice.statistic)
        bounds, edges = data[f"{axis_name}_bounds"].values, _time_edges(data)
    depth = np.append(bounds[:, 0], bounds[-1, 1])
    figure, axis = plt.subplots(figsize=(style.WIDTH, 3.6))
    low, high = (float(one) for one in np.nanpercentile(values, [1, 99]))
    colours = {"cmap": colours_of(choice.variable, choice.statistic), "vmin": low, "vmax": high}
    is_temperature = unit == "°C"
    if is_temperature and low < 0.0 < high:
        size = max(-low, high)
        colours = {"cmap": "RdBu_r", "vmin": -size, "vmax": size}
    image = axis.pcolormesh(edges, depth, values.T, rasterized=True, **colours)
    if is_temperature and values.min() < 0.0 < values.max():
        middle = edges[:-1] + (edges[1:] - edges[:-1]) / 2
        lines = axis.contour(middle, bounds.mean(axis=1), values.T, levels=[0.0], colors="k", linewidths=1.0)
        axis.clabel(lines, fmt="0 °C", fontsize=9)
    if depth[-1] > LARGE_RATIO * depth[1]:
        axis.set_yscale("function", functions=(np.sqrt, np.square))
    axis.set_ylim(depth[-1], 0.0)
    axis.set_ylabel("depth [m]")
    axis.grid(False)
    statistic = "" if choice.statistic == "mean" else f", {choice.statistic}"
    axis.set_title(f"{long_name(choice.variable)}{statistic}, {latitude:.3f}° N, {longitude:.3f}° E".replace("-", "−"),
                   loc="left")
    figure.colorbar(image, ax=axis, pad=0.01, aspect=24, extend="both").set_label(unit)
    style.plain_dates(plt, axis)
    return style.save(figure, path)


def _time_edges(data: xr.Dataset) -> np.ndarray:
    """Return the edges of the records."""
    bounds = data["time_bounds"].values
    return np.append(bounds[:, 0], bounds[-1, 1])
