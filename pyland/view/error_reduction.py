"""How much of the error the assimilation removed, over depth and time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pyland.diagnose.assimilation import error_profile, error_reduction
from pyland.view import style

SHOWN_DEPTH = 2.0
"""Deepest layer shown [m]."""


def plot_error_reduction(truth: str | Path, open_loop: str | Path, analysis: str | Path, path: str | Path) -> Path:
    """Draw the RMSE of soil water of open loop and analysis: over depth, and in time for two depth ranges.

    Parameters
    ----------
    truth, open_loop, analysis : str or Path
        Histories with the same output times.
    path : str or Path
        PNG file.

    Returns
    -------
    Path
        The figure.
    """
    plt = style.pyplot()
    profile = error_profile(truth, open_loop, analysis)
    ranges = {key: row for key, row in error_reduction(truth, open_loop, analysis).items() if key != "0-1 m"}
    figure, (left, middle, right) = plt.subplots(
        1, 3, figsize=(style.WIDTH, 3.9), width_ratios=[1.0, 0.9, 1.4], squeeze=True
    )
    shown = profile["depth"] <= SHOWN_DEPTH
    depth = profile["depth"][shown] * 100.0
    for name, colour, label in (("open_loop", style.OPEN_LOOP, "open loop"), ("analysis", style.ANALYSIS, "analysis")):
        left.plot(profile[name][shown], depth, "o-", ms=3.5, color=colour, label=label)
        series = np.sqrt(np.mean(profile[f"{name}_in_time"][:, shown] ** 2, axis=1))
        right.plot(profile["time"], series, color=colour, label=label)
    left.invert_yaxis()
    left.set(xlabel=f"RMSE [{style.SOIL_WATER_UNIT}]", ylabel="depth [cm]", title="over depth")
    left.set_xlim(left=0.0)
    left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2, columnspacing=1.0, handlelength=1.5)
    percent = [100.0 * row["reduction"] for row in ranges.values()]
    names = [style.depth_label(*map(float, key.removesuffix(" m").split("-"))) for key in ranges]
    colours = [style.ANALYSIS if value >= 0.0 else style.OPEN_LOOP for value in percent]
    bars = middle.barh(range(len(names)), percent, color=colours, height=0.6)
    middle.bar_label(bars, fmt="%.0f %%", padding=3)
    middle.set(yticks=range(len(names)), yticklabels=names, xlabel="RMSE removed [%]", title="by depth range")
    middle.invert_yaxis()
    middle.set_xlim(min(0.0, min(percent) * 1.35), max(max(percent) * 1.5, 10.0))
    middle.grid(axis="y", visible=False)
    limit = min(SHOWN_DEPTH * 100.0, depth.max())
    right.set(ylabel=f"RMSE [{style.SOIL_WATER_UNIT}]", title=f"in time, all layers to {limit:.0f} cm")
    right.set_ylim(bottom=0.0)
    right.margins(x=0.01)
    style.plain_dates(plt, right)
    return style.save(figure, path)
