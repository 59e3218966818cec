"""Promised against found departures, and assumed against estimated errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pyland.diagnose.analysis_file import ASSIMILATED, INDEPENDENT, ObservedEnsemble
from pyland.diagnose.departures import desroziers
from pyland.diagnose.spread import spread_skill
from pyland.view import style

GROUPS = {ASSIMILATED: (style.ANALYSIS, "o"), INDEPENDENT: (style.PEERS[0], "s")}

SAMPLING_FACTOR = 1.96
"""Standard deviations of a root mean square, its value by sqrt(2 n), that hold 95 % of samples of n normal numbers."""


def plot_spread_against_error(data: ObservedEnsemble, path: str | Path) -> Path:
    """Draw the size of O-F that spread and error promise against that found, in bins of equal counts, per stream.

    Bars hold 95 % of what sampling alone gives.

    Parameters
    ----------
    data : ObservedEnsemble
        Observations of a run.
    path : str or Path
        PNG file.

    Returns
    -------
    Path
        The figure.
    """
    shown = sorted({code for group in GROUPS for code in style.judged_streams(data, group)})
    figure, axes = style.panel_grid(len(shown), 3.6, is_narrow=True)
    for axis, code in zip(axes.ravel(), shown, strict=False):
        sizes: list[float] = []
        for group, (colour, mark) in GROUPS.items():
            mine = data.of_stream(code) & data.group(group)
            if not mine.any():
                continue
            values = data.chosen(mine)
            found = spread_skill(values["innovation"], values["prior_spread"], values["error"], data.members)
            noise = SAMPLING_FACTOR * np.array(found["found"]) / np.sqrt(2.0 * np.array(found["count"]))
            axis.errorbar(found["expected"], found["found"], noise, fmt=mark, ms=4, lw=1.0, color=colour, label=group)
            sizes += [*found["expected"], *(found["found"] - noise), *(found["found"] + noise)]
        _square(axis, min(sizes), max(sizes))
        axis.set_title(data.streams[code].replace("_", " "), loc="left")
        axis.set_xlabel(f"expected O–F [{style.stream_unit(data, code)}]")
    for axis in axes[:, 0]:
        axis.set_ylabel("found O–F, root mean square")
    style.legend_above(figure, axes[0, :1])
    return style.save(figure, path)


def _square(axis: Any, least: float, largest: float) -> None:
    """Give both axes one range, from 0 unless all lies far from it, and draw the line of a reliable ensemble."""
    high = 1.08 * largest if largest > 0.0 else 1.0
    low = max(least - 0.3 * (largest - least), 0.0) if least > 0.5 * largest else 0.0
    axis.plot([low, high], [low, high], color=style.TRUTH, lw=0.9, zorder=1, label="reliable")
    axis.set(xlim=(low, high), ylim=(low, high))
    axis.set_aspect("equal")
    axis.locator_params(nbins=5)


def plot_assumed_errors(data: ObservedEnsemble, path: str | Path) -> Path:
    """Draw assumed errors beside those that the departures suggest (Desroziers et al. 2005), per stream.

    Parameters
    ----------
    data : ObservedEnsemble
        Observations of a run; streams with assimilated observations are shown.
    path : str or Path
        PNG file.

    Returns
    -------
    Path
        The figure.
    """
    shown = style.judged_streams(data, ASSIMILATED)
    figure, axes = style.panel_grid(len(shown), 3.3, is_narrow=True)
    for axis, code in zip(axes.ravel(), shown, strict=False):
        values = data.chosen(data.of_stream(code) & data.group(ASSIMILATED))
        found = desroziers(values["innovation"], values["residual"], values["prior_spread"], values["error"])
        _draw_bars(axis, found)
        axis.set_title(data.streams[code].replace("_", " "), loc="left")
        axis.set_ylabel(f"standard deviation [{style.stream_unit(data, code)}]")
    style.legend_above(figure, axes[0, :1])
    return style.save(figure, path)


def _draw_bars(axis: Any, found: dict[str, float | int]) -> None:
    """Draw assumed and estimated standard deviations; an estimate below 0 has no bar but a word."""
    assumed = [found["assumed_observation_error"], found["assumed_forecast_spread"]]
    estimated = [found["observation_error"], found["forecast_spread"]]
    ratios = [found["observation_ratio"], found["forecast_ratio"]]
    place = np.arange(2)
    axis.bar(place - 0.19, assumed, width=0.36, color=style.OPEN_LOOP, label="assumed")
    bars = axis.bar(place + 0.19, np.nan_to_num(estimated), width=0.36, color=style.ANALYSIS, label="estimated")
    words = [f"×{np.sqrt(ratio):.2f}" if ratio >= 0.0 else "below 0" for ratio in ratios]
    axis.bar_label(bars, labels=words, padding=2, fontsize=9)
    axis.set(xticks=place, xticklabels=["observation\nerror", "forecast\nspread"])
    axis.grid(axis="x", visible=False)
    axis.set_ylim(0.0, 1.18 * float(np.nanmax([*assumed, *estimated])))
