"""Maps of states: one colour for each class, with its name, on the cells of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from pyland.view import style

NOTHING = "#E6E6E6"
"""Colour of cells without a state."""


def draw_states(axis: Any, data: xr.Dataset, codes: np.ndarray, colours: Mapping[int, str]) -> None:
    """Draw codes of states on a map (y, x), or as points on stations.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    data : xarray.Dataset
        File with the coordinates of the cells.
    codes : numpy.ndarray of int, shape (y, x) or (site,)
    colours : mapping of int to str
        Colour of each code; others get `NOTHING`.
    """
    plt = style.pyplot()
    order = sorted(colours)
    place = np.searchsorted(order, codes)
    known = np.isin(codes, order)
    levels = np.where(known, np.clip(place, 0, len(order) - 1) + 1, 0)
    palette = plt.matplotlib.colors.ListedColormap([NOTHING, *(colours[code] for code in order)])
    options = {"cmap": palette, "vmin": -0.5, "vmax": len(order) + 0.5}
    if codes.ndim == 2:
        extent, unit = style.map_extent(data)
        axis.imshow(levels, origin="lower", extent=extent, interpolation="nearest", aspect="equal", **options)
        label(axis, unit)
    else:
        axis.scatter(data["longitude"].values, data["latitude"].values, c=levels, s=40, edgecolor="k", linewidth=0.4,
                     **options)
        axis.set_xlabel("longitude [°E]")
        axis.set_ylabel("latitude [°N]")


def draw_values(axis: Any, data: xr.Dataset, values: np.ndarray, **options: Any) -> Any:
    """Draw values on a map (y, x), or as points on stations; returns what a colour bar needs."""
    if values.ndim == 2:
        extent, unit = style.map_extent(data)
        drawn = axis.imshow(values, origin="lower", extent=extent, interpolation="nearest", aspect="equal", **options)
        label(axis, unit)
        return drawn
    drawn = axis.scatter(data["longitude"].values, data["latitude"].values, c=values, s=40, edgecolor="k",
                         linewidth=0.4, **options)
    axis.set_xlabel("longitude [°E]")
    axis.set_ylabel("latitude [°N]")
    return drawn


def label(axis: Any, unit: str) -> None:
    """Label the axes of a map and take its grid away."""
    axis.grid(False)
    axis.set_xlabel("x [cells]" if unit == "cells" else f"x [{unit}]")
    axis.set_ylabel("y [cells]" if unit == "cells" else f"y [{unit}]")


def legend_of_states(figure: Any, colours: Mapping[int, str], names: Sequence[str], **options: Any) -> None:
    """Explain the colours of states below a figure."""
    patch = style.pyplot().matplotlib.patches.Patch
    handles = [patch(facecolor=colour, edgecolor="0.5", linewidth=0.5) for colour in colours.values()]
    figure.legend(handles, names, ncols=len(handles), loc="outside lower center", **options)
