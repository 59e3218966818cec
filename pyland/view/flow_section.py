"""Section of a distributed run whose cells form a line: water in a hillslope at the start, wettest and at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.diagnose.records import read_file
from pyland.view import style

WATER_TABLE = "water_table_depth"
_SHADES = {"saturation": "share of the pores with water", "soil_water": f"soil water [{style.SOIL_WATER_UNIT}]"}
"""Variables that can be shaded, the first that the history has: what the colour bar says."""

_PANEL_HEIGHT = 2.1  # [inch]


def is_section(history: str | Path) -> bool:
    """Tell whether the cells of a history form a line."""
    sizes = read_file(history).sizes
    return min(sizes.get("x", 0), sizes.get("y", 0)) == 1 < max(sizes["x"], sizes["y"])


def plot_flow_section(history: str | Path, path: str | Path) -> Path:
    """Draw the water in the ground over depth and distance, with the water table: first, wettest and last record.

    Parameters
    ----------
    history : str or Path
        History of a run on a grid of one row or column of cells.
    path : str or Path
        PNG file.

    Returns
    -------
    Path
        The figure.

    Raises
    ------
    InputError
        If the history has neither a variable over layers nor the water table.
    """
    plt = style.pyplot()
    data = read_file(history)
    shaded = next((name for name in _SHADES if name in data), None)
    if shaded is None and WATER_TABLE not in data:
        raise InputError(f"{history}: nothing to draw; add {' or '.join((*_SHADES, WATER_TABLE))} to output.variables.")
    along = "x" if data.sizes["x"] > 1 else "y"
    edges = _edges(data, along)
    names = {0: "first", data.sizes["time"] - 1: "last"}
    names[_wettest(data, shaded)] = "wettest"
    records = sorted(names)
    figure, axes = plt.subplots(len(records), 1, figsize=(style.WIDTH, 0.6 + _PANEL_HEIGHT * len(records)), sharex=True,
                                squeeze=False)
    for axis, record in zip(axes[:, 0], records, strict=True):
        one = data.isel(time=record)
        if shaded is not None:
            image = _shade(axis, one, shaded, edges, float(data[shaded].min()), float(data[shaded].max()))
        if WATER_TABLE in data:
            axis.stairs(one[WATER_TABLE].values.ravel(), edges, color=style.TRUTH, baseline=None, linewidth=1.6,
                        label="water table")
        axis.set_ylim(float(data["layer_bounds"].max()), 0.0)
        axis.set_ylabel("Depth [m]")
        axis.set_title(f"{names[record]}, {style.moment(data, record)}")
    if shaded is not None:
        bar = figure.colorbar(image, ax=axes, pad=0.01, aspect=40)
        bar.set_label(_SHADES[shaded])
        bar.ax.grid(False)
    if WATER_TABLE in data:
        axes[0, 0].legend(loc="lower right", frameon=True)
    axes[-1, 0].set_xlabel(f"{along} [m]")
    return style.save(figure, path)


def _wettest(data: xr.Dataset, shaded: str | None) -> int:
    """Return the record with the most water, or the highest water table."""
    field = -data[WATER_TABLE] if shaded is None else data[shaded]
    if "layer" in field.dims:
        field = field * xr.DataArray(np.diff(data["layer_bounds"].values, axis=1)[:, 0], dims="layer")
    return int(np.nanargmax(field.sum([one for one in field.dims if one != "time"]).values))


def _shade(axis: Any, one: xr.Dataset, name: str, edges: np.ndarray, low: float, high: float) -> Any:
    """Shade a variable over depth and distance, and return what a colour bar needs."""
    bounds = one["layer_bounds"].values
    depths = np.append(bounds[:, 0], bounds[-1, 1])
    field = one[name].values.reshape(depths.size - 1, edges.size - 1)
    image = axis.pcolormesh(edges, depths, field, cmap="Blues", vmin=low, vmax=high)
    axis.grid(False)
    return image


def _edges(data: xr.Dataset, along: str) -> np.ndarray:
    """Return the edges of the cells along the line [m]; their numbers without coordinates."""
    if along not in data.coords:
        return np.arange(data.sizes[along] + 1.0)
    middle = data[along].values
    half = (middle[1] - middle[0]) / 2.0
    return np.append(middle - half, middle[-1] + half)
