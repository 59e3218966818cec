"""How complete products are, before and after merging: over time, and as maps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pyland.view import style

_DAYS = 15
"""Intervals over which the shares of a long record are averaged."""

_LONG = 120  # intervals from which they are


def plot_completeness_series(source: str | Path, path: str | Path) -> Path:
    """Draw the share of places with a value over time, one line for each product and one for what was merged.

    Parameters
    ----------
    source : str or Path
        ``completeness.nc``.
    path : str or Path
        PNG file.

    Returns
    -------
    Path
        The figure.
    """
    plt = style.pyplot()
    with xr.open_dataset(source, engine="netcdf4") as data:
        names, times = [str(one) for one in data["series"].values], data["time"].values
        shares = 100.0 * data["count_by_time"].values / max(data["count_together"].size, 1)
    figure, axes = plt.subplots(figsize=(style.WIDTH, 3.2))
    is_long = times.size > _LONG
    for name, share, look in zip(names, shares, looks_of(names), strict=True):
        if is_long:
            share = np.convolve(share, np.ones(_DAYS) / _DAYS, mode="valid")
        inner = times[_DAYS // 2:times.size - _DAYS // 2] if is_long else times
        axes.plot(inner, share, label=name, **look)
    axes.set_ylim(0.0, 102.0)
    axes.set_ylabel("places with a value [%]" + (f"\nmean of {_DAYS} intervals" if is_long else ""))
    style.plain_dates(plt, axes)
    style.legend_above(figure, [axes])
    return style.save(figure, path)


def plot_completeness_maps(source: str | Path, path: str | Path) -> Path:
    """Draw the share of times with a value at each place, one map for each product and one for what was merged.

    Parameters
    ----------
    source : str or Path
        ``completeness.nc``.
    path : str or Path
        PNG file.

    Returns
    -------
    Path
        The figure.
    """
    with xr.open_dataset(source, engine="netcdf4") as data:
        data = data.load()
    names = [str(one) for one in data["series"].values]
    figure, axes = style.panel_grid(len(names), panel_height(data), is_narrow=True)
    shares = 100.0 * data["count_by_place"].values / max(data.sizes["time"], 1)
    for axis, name, share in zip(axes.ravel(), names, shares, strict=False):
        drawn = draw_map(axis, data, share, cmap="viridis", vmin=0.0, vmax=100.0)
        axis.set_title(f"{name}: {share.mean():.0f} %")
    label_maps(axes)
    figure.colorbar(drawn, ax=axes, shrink=0.8, label="times with a value [%]", aspect=30)
    return style.save(figure, path)


def looks_of(names: list[str]) -> list[dict[str, Any]]:
    """Return colour and width of the line of each series; what was merged is the strongest."""
    colours = (*style.PEERS, style.OPEN_LOOP, "#E69F00", "#F0E442")
    return [{"color": style.ANALYSIS, "linewidth": 2.4, "zorder": 3} if name == "merged"
            else {"color": colours[k % len(colours)], "linestyle": ("-", "--", ":")[k // len(colours) % 3]}
            for k, name in enumerate(names)]


def panel_height(data: xr.Dataset) -> float:
    """Return the height of a panel [inch] for the shape of the area on the ground."""
    latitude, longitude = data["latitude"].values, data["longitude"].values
    wide = max(float(np.ptp(longitude)) * np.cos(np.deg2rad(latitude.mean())), 1e-6 + float(np.ptp(latitude)) / 10.0)
    return float(np.clip(2.6 * np.ptp(latitude) / wide, 1.3, 4.0)) + 0.7


def draw_map(axis: Any, data: xr.Dataset, values: np.ndarray, **colours: Any) -> Any:
    """Draw values on their places: cells of a grid, or marks."""
    latitude, longitude = data["latitude"].values, data["longitude"].values
    axis.grid(False)
    axis.set_facecolor("#DDDDDD")  # places without a value
    axis.set_aspect(1.0 / np.cos(np.deg2rad(latitude.mean())), adjustable="datalim" if "place" in data.dims else "box")
    axis.locator_params(nbins=4)
    axis.ticklabel_format(useOffset=False)
    axis.tick_params(labelsize=9)
    if "place" in data.dims:
        axis.margins(0.06)
        size = 40.0 if latitude.size <= 400 else 8.0
        return axis.scatter(longitude, latitude, c=values, s=size, linewidths=0.2, edgecolors="#999999", **colours)
    return axis.pcolormesh(longitude, latitude, np.ma.masked_invalid(values), shading="nearest", rasterized=True,
                           **colours)


def label_maps(axes: np.ndarray) -> None:
    """Label the rims of panels."""
    for axis in axes[:, 0]:
        axis.set_ylabel("latitude [°N]")
    for axis in axes.ravel():
        if axis.get_visible():
            axis.set_xlabel("longitude [°E]")
    for axis in axes[:, 1:].ravel():
        axis.set_yticklabels([])
