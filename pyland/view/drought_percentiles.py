"""Drought classes: the area in each over time, and maps of the driest and the last record."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pyland.diagnose.drought_classes import CLASS_WORDS, CLASSES, area_in_drought
from pyland.diagnose.records import open_file
from pyland.view import state_maps, style

# sequential from yellow to dark red, told apart by brightness alone; 0 is no drought
COLOURS = {0: "#F7F7F7", 1: "#FFFF8C", 2: "#FCD37F", 3: "#FFAA00", 4: "#E60000", 5: "#730000"}
"""Colours of the classes, those of the U.S. Drought Monitor."""


def plot_percentiles(source: str | Path, variable: str, path: str | Path) -> Path:
    """Draw drought classes of a variable of percentiles.nc.

    Parameters
    ----------
    source : str or Path
        ``percentiles.nc``.
    variable : str
        Identifier, such as ``soil_water``.
    path : str or Path
        PNG file.

    Returns
    -------
    Path
        The figure. A single cell has its percentile in place of the area.
    """
    plt = style.pyplot()
    with open_file(source) as data:
        rank = data[f"{variable}_percentile"].load()
        codes = data[f"{variable}_drought_class"].load().values
        times = data["time"].values
        cell_area = data["cell_area"].values if "cell_area" in data else None
        words = str(rank.attrs["long_name"]).removeprefix("percentile of ")
        coordinates = data.drop_vars(list(data.data_vars)).load()
    ncell = int(np.prod(codes.shape[1:]))
    has_map = ncell > 1
    figure = plt.figure(figsize=(style.WIDTH, 6.6 if has_map else 3.4))
    grid = figure.add_gridspec(2 if has_map else 1, 2, height_ratios=(1.0, 1.5) if has_map else (1.0,))
    axis = figure.add_subplot(grid[0, :])
    if has_map:
        area = area_in_drought(codes, cell_area)
        driest = int(np.nanargmax(area.sum(axis=1))) if np.isfinite(area).any() else 0
        for number, name in enumerate(CLASSES, start=1):
            axis.fill_between(times, 0.0, 100.0 * area[:, number - 1], color=COLOURS[number], linewidth=0.0, label=name)
        axis.set_ylim(0.0, 100.0)
        axis.set_ylabel("area in a class or worse [%]" if codes.ndim == 3 else "stations [%]", fontsize=10)
        axis.axvline(times[driest], color=style.TRUTH, linewidth=0.8, linestyle="--")
        for column, (row, word) in enumerate(((driest, "driest"), (len(times) - 1, "last"))):
            panel = figure.add_subplot(grid[1, column])
            state_maps.draw_states(panel, coordinates, codes[row], COLOURS)
            panel.set_title(f"{word}: {str(times[row])[:10]}")
    else:
        for number, bound in enumerate(CLASSES.values(), start=1):
            axis.axhspan(0.0, bound, color=COLOURS[number], linewidth=0.0)
        axis.plot(times, rank.values.reshape(len(times)), color=style.ANALYSIS, linewidth=1.2)
        axis.set_ylim(0.0, 100.0)
        axis.set_ylabel("percentile [%]")
    axis.set_title(words)
    style.span_of_times(axis, times)
    style.plain_dates(plt, axis)
    names = ["no drought" if code == 0 else f"{one} {CLASS_WORDS[one]}" for code, one in zip(
        COLOURS, ("", *CLASSES), strict=True)]
    state_maps.legend_of_states(figure, COLOURS, names, fontsize=8.5, columnspacing=1.0, handlelength=1.4)
    return style.save(figure, path)
