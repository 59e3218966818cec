"""What merging made: maps of value, error and shares of the products, and the mean over all places in time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pyland.diagnose.records import open_file
from pyland.view import style
from pyland.view.place_maps import draw_map, label_maps, panel_height
from pyland.view.product_completeness import looks_of


def plot_merged_maps(source: str | Path, path: str | Path) -> Path:
    """Draw the means over time of value and error, and of the share of each product.

    Parameters
    ----------
    source : str or Path
        File of a merge.
    path : str or Path
        PNG file.

    Returns
    -------
    Path
        The figure.
    """
    with open_file(source) as data:
        kind = data.attrs["observation_type"]
        names = [str(one) for one in data["product"].values]
        has = data[kind].notnull()
        value, sigma = data[kind].mean("time").values, data[f"{kind}_sigma"].mean("time").values
        weights = data["weight"].where(has).mean("time").values
        unit = style.unit_sign(data[kind].attrs["units"])
        figure, axes = style.panel_grid(2 + len(names), panel_height(data) + 1.0)
        panels = [(f"value [{unit}]", value, {"cmap": "YlGnBu"}), (f"error [{unit}]", sigma, {"cmap": "magma_r"})]
        panels += [(f"share of {name} [1]", one, {"cmap": "viridis", "vmin": 0.0, "vmax": 1.0})
                   for name, one in zip(names, weights, strict=True)]
        for axis, (title, values, colours) in zip(axes.ravel(), panels, strict=False):
            drawn = draw_map(axis, data, values, **colours)
            axis.set_title(title)
            figure.colorbar(drawn, ax=axis, shrink=0.85, aspect=24, orientation="horizontal").ax.locator_params(nbins=4)
    label_maps(axes)
    return style.save(figure, path)


def plot_merged_series(source: str | Path, path: str | Path) -> Path:
    """Draw the mean over all places with its error, and the shares of the products, over time.

    Parameters and result as for :func:`plot_merged_maps`.
    """
    plt = style.pyplot()
    with open_file(source) as data:
        kind = data.attrs["observation_type"]
        names, times = [str(one) for one in data["product"].values], data["time"].values
        places = [one for one in data[kind].dims if one != "time"]
        value, sigma = data[kind].mean(places).values, data[f"{kind}_sigma"].mean(places).values
        weights = data["weight"].where(data[kind].notnull()).mean(places).values
        unit = style.unit_sign(data[kind].attrs["units"])
    figure, axes = plt.subplots(2, 1, figsize=(style.WIDTH, 5.0), sharex=True, height_ratios=(2, 1))
    axes[0].fill_between(times, value - sigma, value + sigma, color=style.ANALYSIS, alpha=0.2, linewidth=0,
                         label="± error of a value")
    axes[0].plot(times, value, color=style.ANALYSIS, label="mean of all places with a value")
    axes[0].set_ylabel(f"{kind.replace('_', ' ')} [{unit}]")
    for name, one, look in zip(names, weights, looks_of(names), strict=True):
        axes[1].plot(times, one, label=name, **{**look, "linewidth": 1.0})
    axes[1].set_ylim(0.0, max(1.0, float(np.nanmax(weights, initial=1.0))) * 1.02)
    axes[1].set_ylabel("share [1]")
    style.plain_dates(plt, axes[1])
    style.legend_above(figure, axes)
    return style.save(figure, path)
