"""Maps of a distributed run: where the water table lies, and where water stands on the land."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.diagnose.records import read_file
from pyland.view import style

VARIABLES = ("water_table_depth", "surface_water_depth")
"""Variables that the figure shows, each if the history has it."""

_SHAPES = (0.4, 1.6)  # least and largest height by width of a map at scale; others are stretched
_MILLIMETRES = 1000.0  # of a metre
_LEAST_POND = 1e-3  # end of the scale where there is no surface water [mm]
_DECADES = 1e3  # of the scale of surface water: films on slopes and water in channels in one map
_ROUND_OFF = 1e-5  # of depths in single precision
_NO_TABLE = "0.85"  # grey of columns that are saturated nowhere
_BAR = (1.03, 0.0, 0.05, 1.0)  # colour bar beside a map, as high as it: left, bottom, width, height in its axes


def plot_flow_maps(history: str | Path, path: str | Path) -> Path:
    """Draw the depth of the water table at the first and the last record, and the surface water at its largest.

    Parameters
    ----------
    history : str or Path
        History of a run on a grid.
    path : str or Path
        PNG file.

    Returns
    -------
    Path
        The figure.

    Raises
    ------
    InputError
        If the history has none of the variables.
    """
    plt = style.pyplot()
    from matplotlib.colors import ListedColormap, Normalize

    data = read_file(history)
    panels = _panels(data)
    if not panels:
        raise InputError(f"{history}: nothing to draw; add {' or '.join(VARIABLES)} to output.variables.")
    extent, unit = style.map_extent(data)
    shape = (extent[3] - extent[2]) / (extent[1] - extent[0])
    aspect = "equal" if _SHAPES[0] <= shape <= _SHAPES[1] else "auto"
    height = 1.1 + (style.WIDTH - 1.0 - 0.9 * min(len(panels), 2)) / len(panels) * float(np.clip(shape, *_SHAPES))
    figure, axes = plt.subplots(1, len(panels), figsize=(style.WIDTH, height), squeeze=False, sharey=True)
    base = float(data["layer_bounds"].max()) if "layer_bounds" in data else np.inf
    deepest = (1.0 - _ROUND_OFF) * base
    tables = [place for place, panel in enumerate(panels) if panel[2] == VARIABLES[0]]
    depths = np.concatenate([np.empty(0), *(panels[place][0].ravel() for place in tables)])
    dry, depths = bool((depths >= deepest).any()), depths[depths < deepest]
    span = (depths.min(), depths.max()) if depths.size else (0.0, 1.0)
    for place, (axis, (field, title, name, colours)) in enumerate(zip(axes[0], panels, strict=True)):
        is_table = name == VARIABLES[0]
        scale = Normalize(*span) if is_table else _pond_scale(field)
        if is_table:
            axis.imshow(np.where(field >= deepest, 1.0, np.nan), origin="lower", extent=extent, aspect=aspect,
                        cmap=ListedColormap([_NO_TABLE]))
            field = np.where(field >= deepest, np.nan, field)
        image = axis.imshow(field, origin="lower", extent=extent, aspect=aspect, cmap=colours, norm=scale)
        axis.grid(False)
        if not is_table or place == tables[-1]:  # maps of the water table share a scale
            bar = figure.colorbar(image, cax=axis.inset_axes(_BAR))
            bar.ax.grid(False)
            bar.set_label(f"m (grey: > {base:.3g})" if is_table and dry else "m" if is_table else "mm")
            if not is_table:
                bar.ax.yaxis.set_major_formatter("{x:g}")
        axis.set_xlabel(f"x [{unit}]")
        axis.set_title(title)
    axes[0, 0].set_ylabel(f"y [{unit}]")
    return style.save(figure, path)


def _panels(data: xr.Dataset) -> list[tuple[np.ndarray, str, str, str]]:
    """Return field, title, variable and colours of each map."""
    out = []
    if VARIABLES[0] in data:
        table = data[VARIABLES[0]]
        for place in dict.fromkeys((0, table.sizes["time"] - 1)):
            when = style.moment(data, place)
            out.append((table.isel(time=place).values, f"water table depth\n{when}", VARIABLES[0], "viridis"))
    if VARIABLES[1] in data:
        pond = data[VARIABLES[1]]
        total = pond.sum([d for d in pond.dims if d != "time"]).values
        place = int(np.nanargmax(total))
        out.append((_MILLIMETRES * pond.isel(time=place).values, f"surface water, largest\n{style.moment(data, place)}",
                    VARIABLES[1], "Blues"))
    return out


def _pond_scale(field: np.ndarray) -> Any:
    """Return a logarithmic scale up to the deepest water [mm]; shallower water has the palest colour."""
    from matplotlib.colors import LogNorm

    highest = max(float(np.nanmax(field)), _LEAST_POND)
    return LogNorm(highest / _DECADES, highest, clip=True)
