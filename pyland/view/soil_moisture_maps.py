"""Maps of soil water: truth, open loop, analysis, and where the assimilation brought it closer to the truth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.diagnose.records import read_file
from pyland.view import style

DEPTHS = ((0.0, 0.05), (0.10, 0.50))
"""Depth ranges of the rows [m]: what a satellite sees, and what it does not."""

_PANEL_WIDTH = 1.6  # of one map [inch]
_PANEL_SHAPES = (0.5, 2.5)  # least and largest height by width that a figure is made for


def plot_soil_moisture_maps(
    truth: str | Path,
    open_loop: str | Path,
    analysis: str | Path,
    path: str | Path,
    *,
    time: Any = None,
    depths: Sequence[tuple[float, float]] = DEPTHS,
) -> Path:
    """Draw truth | open loop | analysis at one time, and the error removed over the whole run.

    Parameters
    ----------
    truth, open_loop, analysis : str or Path
        Histories with dimensions (time, layer, y, x) and the same output times.
    path : str or Path
        PNG file.
    time : datetime-like, optional
        Instant of the maps; by default that at which the open loop is farthest from the truth.
    depths : sequence of (float, float)
        Depth range of each row [m].

    Returns
    -------
    Path
        The figure.
    """
    plt = style.pyplot()
    true, before, after = (read_file(name) for name in (truth, open_loop, analysis))
    if "x" not in true.dims:
        raise InputError(f"{truth}: maps need a run on a grid; this one is a list of stations.")
    times = np.intersect1d(np.intersect1d(true["time"], before["time"]), after["time"])
    true, before, after = (data.sel(time=times) for data in (true, before, after))
    fields = [[style.depth_mean(data, "soil_water", *depth) for data in (true, before, after)] for depth in depths]
    shown = _time_of_maps(fields[-1]) if time is None else np.datetime64(time)
    extent, unit = style.map_extent(true)
    shape = style.map_shape(extent, *_PANEL_SHAPES)
    height = 1.1 + len(depths) * (0.2 + _PANEL_WIDTH * shape)
    figure, axes = plt.subplots(len(depths), 4, figsize=(style.WIDTH, height), squeeze=False)
    for row, (maps, depth) in enumerate(zip(fields, depths, strict=True)):
        _draw_row(figure, axes[row], maps, shown, extent)
        axes[row, 0].set_ylabel(f"{style.depth_label(*depth)}\ny [{unit}]")
    for place, title in enumerate(("truth", "open loop", "analysis", "error removed")):
        axes[0, place].set_title(title)
    for place in range(4):
        axes[-1, place].set_xlabel(f"x [{unit}]")
    figure.suptitle(f"Soil water on {str(shown)[:10]}; error removed: mean over the run, blue is closer to the truth",
                    fontsize=12)
    return style.save(figure, path)


def _draw_row(figure: Any, axes: Any, maps: list[xr.DataArray], shown: np.datetime64, extent: list[float]) -> None:
    """Draw one depth range."""
    at_time = [field.sel(time=shown, method="nearest").values for field in maps]
    low, high = (float(f([np.nanpercentile(m, p) for m in at_time])) for f, p in ((min, 1), (max, 99)))
    for place, values in enumerate(at_time):
        image = axes[place].imshow(
            values, origin="lower", extent=extent, cmap="viridis_r", vmin=low, vmax=high, aspect="equal"
        )
    bar = figure.colorbar(image, ax=axes[:3], shrink=0.8, pad=0.01, aspect=16)
    bar.set_label(style.SOIL_WATER_UNIT)
    true, before, after = maps
    removed = (np.abs(before - true).mean("time") - np.abs(after - true).mean("time")).values
    size = float(np.nanpercentile(np.abs(removed), 99))
    image = axes[3].imshow(removed, origin="lower", extent=extent, cmap="RdBu", vmin=-size, vmax=size, aspect="equal")
    bar = figure.colorbar(image, ax=axes[3], shrink=0.8, pad=0.03, aspect=16)
    bar.set_label(style.SOIL_WATER_UNIT)
    bar.ax.locator_params(nbins=5)
    for place, axis in enumerate(axes):
        axis.grid(False)
        if place:
            axis.set_yticklabels([])


def _time_of_maps(fields: list[xr.DataArray]) -> np.datetime64:
    """Return the time at which the open loop is farthest from the truth."""
    true, before, _ = fields
    error = ((before - true) ** 2).mean([d for d in true.dims if d != "time"])
    return true["time"].values[int(np.nanargmax(error.values))]
