"""Frozen ground year by year: active layer, ground temperature and the share of permafrost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pyland.view import style

MOST_LABELS = 3
"""Labels of a time axis at most."""


def plot_permafrost_years(ground: Any, path: str | Path) -> Path:
    """Draw one point per year, with the range over the cells that have permafrost in all years.

    Parameters
    ----------
    ground : FrozenGround
        Results of ``pyland diagnose CASE permafrost``.
    path : str or Path
        PNG file.

    Returns
    -------
    Path
        The figure.
    """
    figure, axes = style.pyplot().subplots(1, 3, figsize=(style.WIDTH, 3.2), squeeze=True)
    year = np.arange(ground.years.nyear)
    stable = ground.state.permafrost.all(axis=0)
    for axis, values, words in ((axes[0], ground.state.active_layer, "active layer [m]"),
                                (axes[1], ground.magt, "temperature at zero\namplitude [°C]")):
        axis.set_ylabel(words)
        mine = values[:, stable]
        mine = mine[:, np.isfinite(mine).all(axis=0)]
        if mine.shape[1] == 0:
            axis.text(0.5, 0.5, "no cell with permafrost\nin all years", ha="center", transform=axis.transAxes)
            continue
        axis.fill_between(year, *np.percentile(mine, [10, 90], axis=1), color=style.ANALYSIS, alpha=0.18, lw=0,
                          label="10 to 90 % of the cells")
        axis.plot(year, mine.mean(axis=1), "o-", color=style.ANALYSIS, label="mean of the cells")
    share = 100.0 * (ground.state.permafrost * ground.area).sum(axis=1) / ground.area.sum()
    axes[2].plot(year, share, "o-", color=style.OPEN_LOOP)
    axes[2].set(ylabel="area with permafrost [%]", ylim=(0.0, 105.0))
    shown = year[:: -(-year.size // MOST_LABELS)]
    for axis in axes:
        axis.set_xticks(shown, [_label(ground.years.start[one], ground.years.end[one]) for one in shown])
        axis.set_xlabel("year")
    handles, labels = axes[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
    first, last = str(ground.years.start[0])[:10], str(ground.years.end[-1])[:10]
    figure.suptitle(f"{int(stable.sum())} cells with permafrost in all years, {first} to {last}", x=0.01, ha="left",
                    fontsize=11)
    return style.save(figure, path)


def _label(start: np.datetime64, end: np.datetime64) -> str:
    """Name a year: 2011, or 2010/11 where it does not begin in January."""
    first, last = str(start)[:4], str(end)[:4]
    return first if str(start)[5:10] == "01-01" else f"{first}/{last[2:]}"
