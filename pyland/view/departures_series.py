"""Departures through time, with the range that spread and errors promise."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pyland.diagnose.analysis_file import ASSIMILATED, ObservedEnsemble
from pyland.view import style

SPREAD_FACTOR = 1.96
"""Standard deviations that hold 95 % of a normal departure."""


def plot_departures(data: ObservedEnsemble, path: str | Path) -> Path:
    """Draw mean O-F and O-A of each analysis, their root mean square, and what spread and error promise.

    Parameters
    ----------
    data : ObservedEnsemble
        Observations of a run; one row per stream with assimilated observations.
    path : str or Path
        PNG file.

    Returns
    -------
    Path
        The figure.
    """
    plt = style.pyplot()
    shown = style.judged_streams(data, ASSIMILATED)
    figure, axes = plt.subplots(
        len(shown), 2, figsize=(style.WIDTH, 1.0 + 2.3 * len(shown)), sharex=True, squeeze=False)
    for row, code in enumerate(shown):
        series = _series(data.chosen(data.of_stream(code) & data.group(ASSIMILATED)))
        left, right = axes[row]
        _draw_means(left, series)
        _draw_sizes(right, series)
        title = data.streams[code].replace("_", " ")
        left.set(ylabel=f"departure [{style.stream_unit(data, code)}]")
        left.set_title(f"{title}: mean of each analysis", loc="left")
        right.set_title("root mean square", loc="left")
        right.set_ylim(bottom=0.0)
    style.legend_above(figure, axes[0])
    for axis in axes[-1]:
        style.plain_dates(plt, axis)
        axis.margins(x=0.02)
    return style.save(figure, path)


def _series(values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return means and root mean squares over the observations of each analysis."""
    times, step = np.unique(values["observation_time"], return_inverse=True)
    count = np.bincount(step)

    def mean(one: np.ndarray) -> np.ndarray:
        return np.bincount(step, one) / count

    before, after = values["innovation"], values["residual"]
    expected = values["prior_spread"] ** 2 + values["error"] ** 2
    return {
        "time": times,
        "before": mean(before),
        "after": mean(after),
        "before_size": np.sqrt(mean(before**2)),
        "after_size": np.sqrt(mean(after**2)),
        "expected": np.sqrt(mean(expected)),
        "band": SPREAD_FACTOR * np.sqrt(mean(expected)),
    }


def _draw_means(axis: Any, series: Mapping[str, np.ndarray]) -> None:
    """Draw the means within the band of a single observation."""
    axis.fill_between(
        series["time"], -series["band"], series["band"], color=style.OPEN_LOOP, alpha=0.15, lw=0,
        label="95 % of single O–F")
    axis.axhline(0.0, color=style.TRUTH, lw=0.8)
    marker = "o" if series["time"].size < 80 else ""
    axis.plot(series["time"], series["before"], marker=marker, ms=2.5, lw=1.1, color=style.OPEN_LOOP, label="O–F")
    axis.plot(series["time"], series["after"], marker=marker, ms=2.5, lw=1.1, color=style.ANALYSIS, label="O–A")


def _draw_sizes(axis: Any, series: Mapping[str, np.ndarray]) -> None:
    """Draw root mean squares beside the promised one."""
    axis.plot(series["time"], series["before_size"], lw=1.1, color=style.OPEN_LOOP, label="O–F")
    axis.plot(series["time"], series["after_size"], lw=1.1, color=style.ANALYSIS, label="O–A")
    axis.plot(series["time"], series["expected"], "--", lw=1.3, color=style.TRUTH, label="expected of O–F")
