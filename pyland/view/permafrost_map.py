"""Frozen ground in space: maps of a grid, or a section against elevation where cells form no map."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pyland.diagnose.permafrost.classes import THERMAL_CLASSES
from pyland.view import style

LEAST_SIDE = 4
"""Rows and columns from which a grid is drawn as a map."""

CLASS_COLOURS = ("#D9D9D9", "#08306B", "#2171B5", "#6BAED6", "#FDAE61", "#D73027")
"""No permafrost, and thermal classes from the coldest: a diverging scale that colour-blind readers tell apart."""


SHORT_NAMES = ("none", "very\nstable", "stable", "semi-\nstable", "transi-\ntional", "un-\nstable")
"""Names of the classes that fit below a colour bar."""


def plot_permafrost_map(ground: Any, domain: Any, path: str | Path) -> Path:
    """Draw active layer, ground temperature and thermal classes.

    Parameters
    ----------
    ground : FrozenGround
        Results of ``pyland diagnose CASE permafrost``.
    domain : Domain
        All cells.
    path : str or Path
        PNG file.

    Returns
    -------
    Path
        The figure.
    """
    if domain.is_grid and min(domain.nx, domain.ny) >= LEAST_SIDE:
        return _maps(ground, domain, path)
    return _section(ground, path)


def _maps(ground: Any, domain: Any, path: str | Path) -> Path:
    """Draw three maps."""
    from matplotlib.colors import BoundaryNorm, ListedColormap, TwoSlopeNorm

    extent, unit = _extent(domain)
    figure, axes = style.pyplot().subplots(1, 3, figsize=(style.WIDTH, 3.9), squeeze=True)
    alt, magt = ground.late(ground.state.active_layer), ground.late(ground.magt)
    reach = float(np.nanmax(np.abs(magt))) if np.isfinite(magt).any() else 1.0
    panels = ((alt, "active layer [m]", {"cmap": "viridis", "vmin": 0.0}),
              (magt, "ground temperature at\nzero amplitude [°C]",
               {"cmap": "RdBu_r", "norm": TwoSlopeNorm(0.0, -max(reach, 0.1), max(reach, 0.1))}),
              (np.where(ground.thermal_class < 0, np.nan, ground.thermal_class), "thermal class",
               {"cmap": ListedColormap(CLASS_COLOURS), "norm": BoundaryNorm(np.arange(-0.5, 6.0), 6)}))
    for axis, (values, words, options) in zip(axes, panels, strict=True):
        image = axis.imshow(domain.to_grid(values), origin="lower", extent=extent, interpolation="nearest", **options)
        bar = figure.colorbar(image, ax=axis, location="bottom", shrink=0.9, label=words)
        if words == "thermal class":
            bar.set_ticks(range(6), labels=SHORT_NAMES, fontsize=7.5)
        axis.set_xlabel(f"x [{unit}]")
        axis.grid(visible=False)
    axes[0].set_ylabel(f"y [{unit}]")
    figure.suptitle(_period(ground), x=0.01, ha="left", fontsize=11)
    return style.save(figure, path)


def _extent(domain: Any) -> tuple[list[float], str]:
    """Return the edges of the map and their unit."""
    x, y = (np.nanmean(domain.to_grid(values), axis=axis) for values, axis in ((domain.x, 0), (domain.y, 1)))
    return style.map_extent(xr.Dataset(coords={"x": x, "y": y}))


def _section(ground: Any, path: str | Path) -> Path:
    """Draw what is found against elevation."""
    figure, (left, right) = style.pyplot().subplots(1, 2, figsize=(style.WIDTH, 3.9), sharey=True, squeeze=True)
    alt, magt = ground.late(ground.state.active_layer), ground.late(ground.magt)
    for number in range(len(CLASS_COLOURS)):
        mine = ground.thermal_class == number
        if not mine.any():
            continue
        name = "no permafrost" if number == 0 else THERMAL_CLASSES[number - 1].replace("_", " ")
        look = {"s": 34, "color": CLASS_COLOURS[number], "edgecolors": style.TRUTH, "linewidths": 0.5}
        left.scatter(alt[mine], ground.elevation[mine], **look)
        right.scatter(magt[mine], ground.elevation[mine], label=name, **look)
    right.axvline(0.0, color=style.TRUTH, lw=0.8)
    left.set(xlabel="active layer [m]", ylabel="elevation [m]", title="thickness of the active layer")
    left.set_xlim(left=0.0)
    right.set(xlabel="temperature [°C]", title="mean annual ground temperature at zero amplitude")
    figure.suptitle(_period(ground), x=0.01, ha="left", fontsize=11)
    figure.legend(loc="outside lower center", ncols=6, columnspacing=1.0, handletextpad=0.3)
    return style.save(figure, path)


def _period(ground: Any) -> str:
    """Say what period the mean of the last years is of."""
    first = ground.years.start[-min(2, ground.years.nyear)]
    return f"Permafrost, mean of {str(first)[:10]} to {str(ground.years.end[-1])[:10]}"
