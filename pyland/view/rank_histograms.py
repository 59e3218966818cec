"""Rank histograms of observations among the members."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pyland.diagnose.analysis_file import ASSIMILATED, INDEPENDENT, ObservedEnsemble
from pyland.diagnose.rank_histogram import flatness, rank_counts
from pyland.view import style

SAMPLING_FACTOR = 1.96
"""Standard deviations of the count of a bin that hold 95 % of flat histograms."""

COLOURS = {ASSIMILATED: style.ANALYSIS, INDEPENDENT: style.PEERS[0]}


def has_ranks(data: ObservedEnsemble) -> bool:
    """Tell whether the file holds ranks; those of earlier versions do not."""
    return "prior_rank" in data.values and data.members is not None


def plot_rank_histograms(data: ObservedEnsemble, path: str | Path) -> Path:
    """Draw the ranks of observations before the analysis, per stream and group.

    Parameters
    ----------
    data : ObservedEnsemble
        Observations of a run, with ranks.
    path : str or Path
        PNG file.

    Returns
    -------
    Path
        The figure.
    """
    panels = [(code, group) for group in COLOURS for code in style.judged_streams(data, group)]
    panels.sort()
    figure, axes = style.panel_grid(len(panels), 3.3)
    for axis, (code, group) in zip(axes.ravel(), panels, strict=False):
        ranks = data.values["prior_rank"][data.of_stream(code) & data.group(group)]
        _draw(axis, rank_counts(ranks, data.members), COLOURS[group])
        axis.set_title(f"{data.streams[code].replace('_', ' ')}, {group}", loc="left")
        axis.set(xlabel="members below the observation", xlim=(-0.6, data.members + 0.6))
    for axis in axes[:, 0]:
        axis.set_ylabel("share of observations [%]")
    return style.save(figure, path)


def _draw(axis: Any, counts: np.ndarray, colour: str) -> None:
    """Draw one histogram, and the range of flat ones of as many independent observations."""
    total, bins = counts.sum(), counts.size
    share, level = 100.0 * counts / max(total, 1), 100.0 / bins
    noise = SAMPLING_FACTOR * 100.0 * np.sqrt((1.0 - 1.0 / bins) / bins / max(total, 1))
    axis.bar(np.arange(bins), share, width=0.9, color=colour)
    limits = max(level - noise, 0.0), level + noise
    axis.axhspan(*limits, color=style.OBSERVED, alpha=0.18, lw=0, zorder=0.5)  # behind the bars, edges before them
    for edge in limits:
        axis.axhline(edge, color=style.OBSERVED, lw=0.8, ls=":", zorder=3)
    axis.axhline(level, color=style.TRUTH, lw=1.0, zorder=4)
    axis.set_axisbelow(True)
    axis.grid(axis="x", visible=False)
    axis.set_ylim(0.0, 1.42 * max(share.max(), level + noise))  # room for the numbers above the bars
    test = flatness(counts)
    chance = "" if np.isnan(test["p_value"]) else f", p = {test['p_value']:.2g}"
    slope, convexity = (f"{round(test[name], 1) + 0.0:+.1f}".replace("-", "−") for name in ("slope", "convexity"))
    words = f"n = {total}, χ²/dof = {test['delta']:.2g}{chance}\nslope {slope}, convexity {convexity}"
    axis.text(0.03, 0.97, words, transform=axis.transAxes, va="top", fontsize=9)
