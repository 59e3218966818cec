"""Frozen ground year by year: active layer, ground temperature and the share of permafrost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pyland.view import style


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
    plt = style.pyplot()
    figure, axes = plt.subplots(1, 3, figsize=(style.WIDTH, 3.2), squeeze=True)
    middle = ground.years.start + (ground.years.end - ground.years.start) // 2
    stable = ground.state.permafrost.all(axis=0)
    for axis, values, words in ((axes[0], ground.state.active_layer, "active layer [m]"),
                                (axes[1], ground.magt, "temperature at zero\namplitude [°C]")):
        axis.set_ylabel(words)
        mine = values[:, stable]
        mine = mine[:, np.isfinite(mine).all(axis=0)]
        if mine.shape[1] == 0:
            axis.text(0.5, 0.5, "no cell with permafrost\nin all years", ha="center", transform=axis.transAxes)
            continue
        axis.fill_between(middle, *np.percentile(mine, [10, 90], axis=1), color=style.ANALYSIS, alpha=0.18, lw=0,
                          label="10 to 90 % of the cells")
        axis.plot(middle, mine.mean(axis=1), "o-", color=style.ANALYSIS, label="mean of the cells")
    share = 100.0 * (ground.state.permafrost * ground.area).sum(axis=1) / ground.area.sum()
    axes[2].plot(middle, share, "o-", color=style.OPEN_LOOP)
    axes[2].set(ylabel="area with permafrost [%]", ylim=(0.0, 105.0))
    for axis in axes:
        style.plain_dates(plt, axis)
    handles, labels = axes[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
    first, last = str(ground.years.start[0])[:10], str(ground.years.end[-1])[:10]
    figure.suptitle(f"{int(stable.sum())} cells with permafrost in all years, {first} to {last}", x=0.01, ha="left",
                    fontsize=11)
    return style.save(figure, path)
