"""How much of the error the assimilation removed, over depth and time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pyland.diagnose.assimilation import error_profile, error_reduction
from pyland.view import style

SHOWN_DEPTH = 2.0
"""Deepest middle of a layer that is shown [m]."""

LEAST_PERCENT = 10.0
"""Least range of the bars [percent]; smaller ones look as small as they are."""


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
    left.locator_params(axis="x", nbins=3)
    left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2, columnspacing=1.0, handlelength=1.5)
    percent = [100.0 * row["reduction"] for row in ranges.values()]
    names = [style.depth_label(*map(float, key.removesuffix(" m").split("-"))) for key in ranges]
    colours = [style.ANALYSIS if value >= 0.0 else style.OPEN_LOOP for value in percent]
    middle.barh(range(len(names)), percent, color=colours, height=0.6)
    for place, value in enumerate(percent):  # beside the bar, on the side where no label of the axis stands
        words = f"{round(value)} %".replace("-", "−")
        middle.annotate(words, (max(value, 0.0), place), (3, 0), textcoords="offset points", va="center")
    middle.axvline(0.0, color=style.TRUTH, lw=0.8)
    middle.set(yticks=range(len(names)), yticklabels=names, xlabel="RMSE removed [%]", title="by depth range")
    middle.invert_yaxis()
    low, high = min(0.0, *percent), max(0.0, *percent)
    room = max(high - low, LEAST_PERCENT)
    middle.set_xlim(low - 0.05 * room if low < 0.0 else 0.0, high + 0.55 * room)
    middle.grid(axis="y", visible=False)
    limit = profile["bounds"][shown].max() * 100.0
    right.set(ylabel=f"RMSE [{style.SOIL_WATER_UNIT}]", title=f"in time, all layers to {limit:.3g} cm")
    right.set_ylim(bottom=0.0)
    right.margins(x=0.01)
    style.plain_dates(plt, right)
    return style.save(figure, path)
