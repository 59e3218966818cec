"""How complete products are, before and after merging: over time, and as maps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pyland.diagnose.records import open_file, read_file
from pyland.view import style
from pyland.view.place_maps import draw_map, label_maps, panel_height

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
    with open_file(source) as data:
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

    Parameters and result as for :func:`plot_completeness_series`.
    """
    data = read_file(source)
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
