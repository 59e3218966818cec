"""Increments: what the analyses changed, where and when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.view import style
from pyland.view.shown_fields import HORIZONTAL, Choice, layer_axis, layer_words, long_name, open_lazily, people_units

_SHAPES = (0.4, 1.2)  # least and largest height by width of a map


def has_increments(analysis: str | Path) -> bool:
    """Tell whether a file has increments of soil water over at least one analysis."""
    with open_lazily(analysis) as data:
        return "soil_water_increment" in data and data.sizes.get("analysis", 0) > 0


def plot_increments(analysis: str | Path, path: str | Path, choice: Choice) -> Path:
    """Draw mean and root mean square of the increments of a layer as maps, and their size and mean in time.

    Parameters
    ----------
    analysis : str or Path
        ``analysis.nc``.
    path : str or Path
        PNG file.
    choice : Choice
        Variable and layer.

    Returns
    -------
    Path
        The figure.

    Raises
    ------
    InputError
        If the file has no increments of the variable.
    """
    plt = style.pyplot()
    name = f"{choice.variable}_increment"
    with open_lazily(analysis) as data:
        if name not in data:
            there = (str(one).removesuffix("_increment") for one in data if str(one).endswith("_increment"))
            raise InputError(
                f"{analysis}: no increments of '{choice.variable}'; it has those of {', '.join(sorted(there))}.")
        shown = Choice(choice.variable, "increment", choice.layer)
        field = data[name]
        axis_name = layer_axis(field)
        layer = 1 if choice.layer is None else choice.layer
        if axis_name is not None:
            if not 1 <= layer <= field.sizes[axis_name]:
                raise InputError(
                    f"{analysis}: '{choice.variable}' has {field.sizes[axis_name]} layers, got --layer {layer}.")
            field = field.isel({axis_name: layer - 1})
        values, unit = people_units(field.values, field.attrs.get("units", ""), "increment")
        time, words, is_map = data["analysis_time"].values, layer_words(data, shown), "x" in field.dims
        extent, length = style.map_extent(data) if is_map else ([], "")
    cells = tuple(range(1, 1 + sum(d in HORIZONTAL for d in field.dims)))
    mean, size = np.nanmean(values, axis=cells), np.sqrt(np.nanmean(values**2, axis=cells))
    height = 2.4
    if is_map:
        shape = style.map_shape(extent, *_SHAPES)
        figure = plt.figure(figsize=(style.WIDTH, 1.0 + 3.6 * shape + height))
        maps, below = figure.subfigures(2, 1, height_ratios=[0.7 + 3.6 * shape, height])
        _draw_maps(maps, values, extent, length, unit)
    else:
        figure = plt.figure(figsize=(style.WIDTH, height + 0.6))
        below = figure
    axis = below.subplots()
    axis.axhline(0.0, color="#888888", lw=0.8)
    axis.plot(time, size, color=style.OPEN_LOOP, marker="o", ms=2.5, label="root mean square over the cells")
    axis.plot(time, mean, color=style.ANALYSIS, marker="o", ms=2.5, label="mean over the cells")
    axis.set_ylabel(f"increment [{unit}]")
    axis.legend(loc="upper right", ncols=2)
    axis.margins(x=0.01, y=0.2)
    style.plain_dates(plt, axis)
    figure.suptitle(f"Increments of {long_name(choice.variable)[:1].lower()}{long_name(choice.variable)[1:]}{words}, "
                    f"{len(time)} analyses, {str(time[0])[:10]} to {str(time[-1])[:10]}", fontsize=12)
    return style.save(figure, path)


def _draw_maps(figure: Any, values: np.ndarray, extent: list[float], length: str, unit: str) -> None:
    """Draw mean and root mean square over the analyses."""
    axes = figure.subplots(1, 2)
    seen = np.isfinite(values).any(axis=0)
    filled = np.where(np.isfinite(values), values, 0.0)
    count = np.maximum(np.isfinite(values).sum(axis=0), 1)
    mean = np.where(seen, filled.sum(axis=0) / count, np.nan)
    size = np.where(seen, np.sqrt((filled**2).sum(axis=0) / count), np.nan)
    largest = float(np.nanpercentile(np.abs(mean), 99)) or 1.0
    panels = ((mean, "mean of the analyses", {"cmap": "RdBu", "vmin": -largest, "vmax": largest}),
              (size, "root mean square", {"cmap": "magma_r", "vmin": 0.0}))
    for axis, (one, title, colours) in zip(axes, panels, strict=True):
        image = axis.imshow(one, origin="lower", extent=extent, aspect="equal", **colours)
        axis.set_title(title)
        axis.set_xlabel(f"x [{length}]")
        axis.grid(False)
        bar = figure.colorbar(image, ax=axis, shrink=0.85, pad=0.02, aspect=18)
        bar.set_label(unit)
        bar.ax.locator_params(nbins=5)
    axes[0].set_ylabel(f"y [{length}]")
    axes[1].set_yticklabels([])
