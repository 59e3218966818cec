"""Evapotranspiration of a light model beside that of a run, with its transpired share and soil water."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from pyland.view import style

SMOOTHING = 7
"""Days of the running mean of daily fluxes."""


def plot_sith(table: str | Path, path: str | Path) -> Path:
    """Draw daily means over the area.

    Parameters
    ----------
    table : str or Path
        ``daily.csv`` of ``pyland diagnose CASE sith``.
    path : str or Path
        PNG file.

    Returns
    -------
    Path
        The figure.
    """
    plt = style.pyplot()
    with Path(table).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    days = np.array([row["date"] for row in rows], dtype="datetime64[D]")
    data = {name: np.array([float(row[name] or "nan") for row in rows]) for name in rows[0] if name != "date"}
    figure, axes = plt.subplots(3, 1, figsize=(style.WIDTH, 7.2), sharex=True, squeeze=True)
    sources = (("run", style.ANALYSIS, "run"), ("sith", style.OPEN_LOOP, "SiTHv2-like model"))
    for name, colour, label in sources:
        axes[0].plot(days, _smooth(data[f"{name}_evapotranspiration"]), color=colour, label=label)
        axes[1].plot(days, _smooth(data[f"{name}_transpiration"]), color=colour)
        axes[2].plot(days, data[f"{name}_moisture_5_150cm"], color=colour)
        axes[2].plot(days, data[f"{name}_moisture_0_5cm"], color=colour, lw=0.7, alpha=0.6)
    mean = f"{min(SMOOTHING, days.size)}-day mean"
    axes[0].set(ylabel="mm d$^{-1}$", title=f"evapotranspiration, {mean}")
    axes[1].set(ylabel="mm d$^{-1}$", title=f"transpiration, {mean}")
    axes[2].set(ylabel=style.SOIL_WATER_UNIT, title="soil water, 5–150 cm (thin: 0–5 cm)")
    for axis in axes:
        axis.margins(x=0.01)
        axis.set_ylim(bottom=min(0.0, axis.get_ylim()[0]) if axis is not axes[2] else None)
    style.plain_dates(plt, axes[2])
    style.legend_above(figure, axes[:1])
    return style.save(figure, path)


def _smooth(values: np.ndarray) -> np.ndarray:
    """Return the running mean of a week; at the ends over the days that are there."""
    width = np.ones(min(SMOOTHING, values.size))
    return np.convolve(values, width, mode="same") / np.convolve(np.ones(values.size), width, mode="same")
