"""Drought indices of months: the mean over the area, with the range of cells, and the share of cells in drought."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pyland.diagnose.records import open_file
from pyland.view import style

WET, DRY = "#0072B2", "#D55E00"
"""Colours above and below 0."""

TITLES = {"spi": "SPI", "spei": "SPEI", "scpdsi": "scPDSI", "scpmdi": "scPMDI (no later months)"}
"""Indices that are drawn."""


def plot_drought_indices(source: str | Path, path: str | Path, weights: np.ndarray | None = None) -> Path:
    """Draw the indices of drought.nc over time.

    Parameters
    ----------
    source : str or Path
        ``drought.nc``.
    path : str or Path
        PNG file.
    weights : numpy.ndarray, shape of the cells, optional
        Areas of the cells, for the mean; alike without them.

    Returns
    -------
    Path
        The figure: SPI and SPEI of the shortest and the longest scale, and the Palmer index.
    """
    plt = style.pyplot()
    with open_file(source) as data:
        times = data["time"].values - np.timedelta64(15, "D")  # stamped with the end: steps stand in the month
        panels: list[tuple[str, np.ndarray]] = []
        for name, title in TITLES.items():
            if name not in data:
                continue
            values = data[name].values
            if "scale" in data[name].dims:
                scales = data["scale"].values
                for place in sorted({0, len(scales) - 1}):
                    words = f"{title} of {int(scales[place])} month" + ("s" if scales[place] > 1 else "")
                    panels.append((words, values[place].reshape(len(times), -1)))
            else:
                panels.append((title, values.reshape(len(times), -1)))
    figure, axes = plt.subplots(len(panels), 1, figsize=(style.WIDTH, 1.0 + 1.45 * len(panels)), sharex=True,
                                squeeze=False)
    for axis, (title, values) in zip(axes[:, 0], panels, strict=True):
        _draw(axis, times, values, title, np.ones(values.shape[1]) if weights is None else weights.ravel())
        axis.set_xlim(times[0], times[-1])
    if any(values.shape[1] > 1 for _, values in panels):
        style.legend_above(figure, axes[:1, 0])
    style.plain_dates(plt, axes[-1, 0])
    return style.save(figure, path)


def _draw(axis: Any, times: np.ndarray, values: np.ndarray, title: str, weights: np.ndarray) -> None:
    """Draw a panel: the mean as filled steps, and the range of nine of ten cells."""
    area = np.isfinite(values) @ weights
    known = area > 0.0
    mean, low, high = (np.full(len(times), np.nan) for _ in range(3))
    mean[known] = np.nan_to_num(values[known]) @ weights / area[known]
    axis.fill_between(times, np.nan_to_num(np.minimum(mean, 0.0)), color=DRY, step="mid", linewidth=0.0,
                      label="mean over the area, dry")
    axis.fill_between(times, np.nan_to_num(np.maximum(mean, 0.0)), color=WET, step="mid", linewidth=0.0,
                      label="wet")
    if values.shape[1] > 1:
        low[known], high[known] = np.nanpercentile(values[known], [5.0, 95.0], axis=1)
        axis.fill_between(times, low, high, color="0.5", alpha=0.3, linewidth=0.0, label="range of 90 % of the cells")
    axis.axhline(0.0, color=style.TRUTH, linewidth=0.6)
    if not known.any():
        axis.text(0.5, 0.5, "no cell has it: the series is too short or has no wet and dry spells", ha="center",
                  va="center", transform=axis.transAxes, fontsize=9)
    axis.set_ylabel("index [1]")
    axis.set_title(title, loc="left", fontsize=10)
