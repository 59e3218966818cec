"""Estimated parameters beside those of the truth: maps, cell against cell, and errors in time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.diagnose.parameters import ParameterTwin, correlation_in_space, parameter_twin
from pyland.diagnose.records import read_file
from pyland.view import style

_PANEL_WIDTH = 1.9  # of one map [inch]
_PANEL_SHAPES = (0.45, 1.8)  # least and largest height by width that a figure is made for
_TIME_HEIGHT = 2.2  # of the panel of errors in time [inch]
_MANY_CELLS = 400  # from which single cells get no bar of their spread


def plot_parameters(
    truth: str | Path,
    analysis: str | Path,
    names: Sequence[str],
    path: str | Path,
    *,
    open_loop: str | Path | None = None,
) -> Path:
    """Draw each estimated parameter: truth, start and end, estimate against truth, and error and spread in time.

    Parameters
    ----------
    truth, analysis : str or Path
        Histories with the same output times.
    names : sequence of str
        Identifiers of the parameters; those that a history lacks are left out.
    path : str or Path
        PNG file.
    open_loop : str or Path, optional
        History of the ensemble without assimilation, for the start.

    Returns
    -------
    Path
        The figure.

    Raises
    ------
    InputError
        If the histories hold none of the parameters.
    """
    plt = style.pyplot()
    twins = [one for one in (parameter_twin(truth, analysis, name, open_loop) for name in names) if one is not None]
    if not twins:
        raise InputError(f"{analysis}: nothing to draw; add {', '.join(names)} to output.variables.")
    grid = read_file(truth)
    is_map = twins[0].dims == ("y", "x")
    extent, unit = style.map_extent(grid) if is_map else ([], "")
    shape = style.map_shape(extent, *_PANEL_SHAPES) if is_map else 1.0
    above = max(1.75 + _PANEL_WIDTH * shape, 3.0)
    heights = [height for _ in twins for height in ((above, _TIME_HEIGHT) if is_map else (above,))]
    figure = plt.figure(figsize=(style.WIDTH, sum(heights)))
    parts = np.atleast_1d(figure.subfigures(len(heights), 1, height_ratios=heights))
    for place, twin in enumerate(twins):
        if is_map:
            upper, lower = parts[2 * place], parts[2 * place + 1]
            axes = upper.subplots(1, 4, width_ratios=[1.0, 1.0, 1.0, 1.15])
            _draw_maps(upper, axes[:3], twin, extent, unit)
            scatter, time = axes[3], lower.subplots()
        else:
            upper = parts[place]
            scatter, time = upper.subplots(1, 2, width_ratios=[1.0, 2.0])
        upper.suptitle(_title(twin, grid), x=0.01, ha="left", fontsize=12)
        _draw_cells(scatter, twin)
        _draw_time(time, twin)
        style.plain_dates(plt, time)
    return style.save(figure, path)


def _title(twin: ParameterTwin, grid: xr.Dataset) -> str:
    """Name the parameter, its unit and, where layers differ, the one that is shown."""
    words = grid[twin.name].attrs.get("long_name", twin.name.replace("_", " "))
    unit = style.unit_sign(twin.units)
    of = f"decimal logarithm of {words} in {unit}" if twin.is_log else f"{words} [{unit}]"
    is_same = np.array_equal(twin.true, np.broadcast_to(twin.true[:, :1], twin.true.shape), equal_nan=True)
    return of[0].upper() + of[1:] + ("" if is_same else ", uppermost layer")


def _draw_maps(figure: Any, axes: Any, twin: ParameterTwin, extent: list[float], unit: str) -> None:
    """Draw the uppermost layer of truth, start and end."""
    fields = (twin.true[-1, 0], twin.start_mean[0], twin.mean[-1, 0])
    low, high = (float(f([np.nanpercentile(one, p) for one in fields])) for f, p in ((min, 1), (max, 99)))
    for axis, values, title in zip(axes, fields, ("truth", "at the start", "at the end"), strict=True):
        image = axis.imshow(values, origin="lower", extent=extent, cmap="viridis", vmin=low, vmax=high, aspect="equal")
        axis.set_title(title)
        axis.set_xlabel(f"x [{unit}]")
        axis.grid(False)
    for axis in axes[1:]:
        axis.set_yticklabels([])
    axes[0].set_ylabel(f"y [{unit}]")
    figure.colorbar(image, ax=list(axes), location="bottom", shrink=0.6, aspect=30, pad=0.04)


def _draw_cells(axis: Any, twin: ParameterTwin) -> None:
    """Draw estimates of the cells against the truth."""
    moments = (
        ("start", style.OPEN_LOOP, twin.start_mean[0], twin.true[0, 0]),
        ("end", style.ANALYSIS, twin.mean[-1, 0], twin.true[-1, 0]))
    for label, colour, mean, true in moments:
        r = correlation_in_space(mean[None], true[None])
        axis.plot(true.ravel(), mean.ravel(), "o", ms=3.0, color=colour, alpha=0.8, mew=0,
                  label=label if np.isnan(r) else f"{label}, r = {r:.2f}".replace("-", "−"))
    if twin.mean[-1, 0].size <= _MANY_CELLS:
        axis.errorbar(twin.true[-1, 0].ravel(), twin.mean[-1, 0].ravel(), twin.spread[-1, 0].ravel(), fmt="none",
                      ecolor=style.ANALYSIS, elinewidth=0.6, alpha=0.3)
    values = np.concatenate([one.ravel() for _, _, mean, true in moments for one in (mean, true)])
    room = 0.06 * max(float(np.nanmax(values) - np.nanmin(values)), np.finfo(np.float32).tiny)
    limits = (float(np.nanmin(values)) - room, float(np.nanmax(values)) + room)
    axis.plot(limits, limits, color=style.TRUTH, lw=0.8)
    axis.set(xlim=limits, ylim=limits, xlabel="truth", ylabel="estimate", aspect="equal")
    axis.locator_params(nbins=4)
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), handlelength=0.8, borderpad=0.0, labelspacing=0.2)


def _draw_time(axis: Any, twin: ParameterTwin) -> None:
    """Draw error and spread over all cells and layers, those of the start as lines across."""
    axis.plot(twin.time, twin.error, color=style.ANALYSIS, label="error")
    axis.plot(twin.time, twin.mean_spread, ":", color=style.ANALYSIS, label="spread")
    start_error = np.sqrt(np.nanmean((twin.start_mean - twin.true[0]) ** 2))
    start_spread = np.sqrt(np.nanmean(twin.start_spread**2))
    axis.axhline(start_error, color=style.OPEN_LOOP, label="error at the start")
    axis.axhline(start_spread, color=style.OPEN_LOOP, linestyle=":", label="spread at the start")
    axis.set_ylabel(f"RMS [{style.unit_sign(twin.unit_of_errors)}]")
    axis.set_ylim(bottom=0.0)
    axis.margins(x=0.01)
    across = 4 if twin.dims == ("y", "x") else 2  # the panel of stations is narrower
    axis.legend(ncols=across, loc="lower right", bbox_to_anchor=(1.0, 1.0), borderpad=0.0)
