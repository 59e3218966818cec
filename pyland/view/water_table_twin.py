"""Water table of a twin experiment: maps of truth, open loop and analysis, errors in time, and the hydrograph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.diagnose.records import read_file
from pyland.view import style

TABLE = "water_table_depth"
GROUNDWATER = "groundwater"

_PANEL_WIDTHS = (1.75, 3.5)  # of one map, in one row of four and in two rows of two [inch]
_TALLEST = 2.6  # height of a map in two rows [inch]
_WIDE = 1.25  # height by width up to which maps stand in two rows
_PANEL_SHAPES = (0.4, 2.0)  # least and largest height by width that a figure is made for
_LITRES = 1000.0  # of a cubic metre
_DECADES = 1000.0  # of the scale of the hydrograph
_RANGE = (5.0, 95.0)  # of the members of the hydrograph [percent]
_SETTLING = np.timedelta64(2, "D")  # after the start, the outflow of this time does not set the scale


def plot_water_table_twin(
    truth: str | Path,
    open_loop: str | Path,
    analysis: str | Path,
    path: str | Path,
    *,
    observations: str | Path | None = None,
    discharges: Sequence[str | Path] = (),
) -> Path:
    """Draw what assimilation did to the water table.

    Parameters
    ----------
    truth, open_loop, analysis : str or Path
        Histories on a grid with the same output times.
    path : str or Path
        PNG file.
    observations : str or Path, optional
        ``analysis.nc``; places of wells are drawn.
    discharges : sequence of path
        ``discharge.nc`` of truth, open loop and analysis; without them there is no hydrograph.

    Returns
    -------
    Path
        The figure.

    Raises
    ------
    InputError
        If a history has no water table.
    """
    plt = style.pyplot()
    runs = [read_file(name) for name in (truth, open_loop, analysis)]
    for name, data in zip((truth, open_loop, analysis), runs, strict=True):
        if TABLE not in data:
            raise InputError(f"{name}: nothing to draw; add {TABLE} to output.variables.")
    times = np.intersect1d(np.intersect1d(runs[0]["time"], runs[1]["time"]), runs[2]["time"])
    runs = [data.sel(time=times) for data in runs]
    extent, unit = style.map_extent(runs[0])
    shape = style.map_shape(extent, *_PANEL_SHAPES)
    rows = 2 if shape <= _WIDE else 1
    height = min(_PANEL_WIDTHS[1] * shape, _TALLEST) if rows == 2 else _PANEL_WIDTHS[0] * shape
    heights = [0.5 + rows * (0.7 + height), *([2.3] * (2 if discharges else 1))]
    figure = plt.figure(figsize=(style.WIDTH, sum(heights)))
    parts = figure.subfigures(len(heights), 1, height_ratios=heights)
    axes = parts[0].subplots(rows, 4 // rows, sharex=True, sharey=True).ravel()
    _draw_maps(parts[0], axes, [data[TABLE] for data in runs], extent, unit)
    _draw_wells(axes, runs[0], None if observations is None else read_file(observations))
    axis = parts[1].subplots()
    _draw_errors(axis, runs)
    style.plain_dates(plt, axis)
    if discharges:
        below = parts[2].subplots()
        _draw_hydrographs(below, [read_file(name) for name in discharges])
        below.set_xlim(axis.get_xlim())
        style.plain_dates(plt, below)
    return style.save(figure, path)


def _draw_maps(figure: Any, axes: Any, tables: list[xr.DataArray], extent: list[float], unit: str) -> None:
    """Draw the three maps of the last record, and the mean error that was removed."""
    last = [table.isel(time=-1).values for table in tables]
    low, high = (float(f([np.nanpercentile(one, p) for one in last])) for f, p in ((min, 1), (max, 99)))
    for axis, values, title in zip(axes, last, ("truth", "open loop", "analysis"), strict=False):
        image = axis.imshow(values, origin="lower", extent=extent, cmap="viridis", vmin=low, vmax=high, aspect="equal")
        axis.set_title(title)
        figure.colorbar(image, ax=axis, shrink=0.85, pad=0.03, aspect=14).set_label("depth [m]")
    true, before, after = tables
    removed = (np.abs(before - true).mean("time") - np.abs(after - true).mean("time")).values
    size = float(np.nanpercentile(np.abs(removed), 99))
    image = axes[3].imshow(removed, origin="lower", extent=extent, cmap="RdBu", vmin=-size, vmax=size, aspect="equal")
    axes[3].set_title("error removed")
    figure.colorbar(image, ax=axes[3], shrink=0.85, pad=0.03, aspect=14).set_label("[m]")
    for axis in axes:
        axis.grid(False)
        axis.set(xlabel=f"x [{unit}]", ylabel=f"y [{unit}]")
        axis.label_outer()
    day = str(true["time"].values[-1])[:10]
    figure.suptitle(f"Water table on {day} (o wells, x probes); error removed: mean over the run", fontsize=11)


def _draw_wells(axes: Any, grid: xr.Dataset, observations: xr.Dataset | None) -> None:
    """Mark where wells and soil moisture probes are; satellites see everything and get no mark."""
    if observations is None or "x" not in grid.coords:
        return
    longest = max(float(np.ptp(grid[name].values)) for name in ("x", "y"))
    _, unit = style.map_extent(grid)
    scale = {"m": 1.0, "km": 1000.0}.get(unit)
    if scale is None or longest == 0.0:
        return
    types = observations["stream"].attrs["stream_types"].split()
    for code, kind in enumerate(types):
        mine = observations["stream"].values == code
        is_well = kind == GROUNDWATER
        is_probe = not is_well and (observations["depth_top"].values == observations["depth_bottom"].values)[mine].all()
        if not mine.any() or not (is_well or is_probe):
            continue
        places = np.unique(np.stack([observations[name].values[mine] for name in ("latitude", "longitude")]), axis=1)
        distance = [np.hypot(grid["latitude"].values - lat, grid["longitude"].values - lon) for lat, lon in places.T]
        rows, columns = np.array([np.unravel_index(np.nanargmin(one), one.shape) for one in distance]).T
        x, y = grid["x"].values[columns] / scale, grid["y"].values[rows] / scale
        for axis in axes:
            axis.scatter(x, y, s=26, marker="o" if is_well else "x", c="none" if is_well else style.TRUTH,
                         edgecolors="white" if is_well else None, linewidths=1.4)


def _draw_errors(axis: Any, runs: list[xr.Dataset]) -> None:
    """Draw RMSE and mean spread of the water table over the cells."""
    true = runs[0][TABLE]
    cells = [d for d in true.dims if d != "time"]
    for label, colour, data in (("open loop", style.OPEN_LOOP, runs[1]), ("analysis", style.ANALYSIS, runs[2])):
        error = np.sqrt(((data[TABLE] - true) ** 2).mean(cells))
        axis.plot(data["time"], error, color=colour, label=f"error, {label}")
        if f"{TABLE}_std" in data:
            spread = np.sqrt((data[f"{TABLE}_std"] ** 2).mean(cells))
            axis.plot(data["time"], spread, color=colour, linestyle=":", label=f"spread, {label}")
    axis.set_ylabel("Water table [m]")
    axis.set_ylim(bottom=0.0)
    axis.margins(x=0.01)
    axis.legend(ncols=2)


def _draw_hydrographs(axis: Any, flows: list[xr.Dataset]) -> None:
    """Draw the discharge of the first outlet: the truth, and mean and range of the members of both ensembles."""
    highest = 0.0
    for label, colour, data in zip(("truth", "open loop", "analysis"), (style.TRUTH, style.OPEN_LOOP, style.ANALYSIS),
                                   flows, strict=True):
        flow = _LITRES * data["discharge"].isel(gauge=0)
        mean = flow.mean("member")
        is_truth = label == "truth"
        axis.plot(data["time"], mean, color=colour, label=label, zorder=3 if is_truth else 2,
                  linestyle="--" if is_truth else "-", linewidth=1.2)
        later = data["time"].values - data["time"].values[0] > _SETTLING
        if not is_truth:
            low, high = np.percentile(flow.transpose("member", "time").values, _RANGE, axis=0)
            axis.fill_between(data["time"].values, low, high, color=colour, alpha=0.2, linewidth=0.0)
            highest = max(highest, float(high[later].max(initial=0.0)))
        highest = max(highest, float(mean.values[later].max(initial=0.0)))
    axis.set_ylabel(r"Discharge [L s$^{-1}$]")
    if highest > 0.0:
        axis.set_yscale("log")  # storms and the flow between them
        axis.set_ylim(highest / _DECADES, 2.0 * highest)
        axis.yaxis.set_major_formatter("{x:g}")
    axis.set_title(f"mean and {_RANGE[0]:g}–{_RANGE[1]:g} % of the members", loc="left", fontsize=10)
    axis.legend(ncols=3, loc="lower right", bbox_to_anchor=(1.0, 1.0), borderpad=0.0)
