"""Irrigation: running sums of the estimates beside their noise, and what a twin finds with such observations."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pyland.diagnose.irrigation import NoiseFloor, Recovery
from pyland.view import style

LOOKS = {"inversion": ("inversion", style.ANALYSIS), "differences": ("observed less rain-fed", style.OPEN_LOOP),
         "increments": ("analysis increments", style.PEERS[0])}
"""Words and colours of the methods."""


def plot_irrigation(
    times: np.ndarray, running: Mapping[str, np.ndarray], floors: Mapping[str, NoiseFloor], twin: Recovery,
    path: str | Path,
) -> Path:
    """Draw running sums of the estimates and the recovery of a twin.

    Parameters
    ----------
    times : numpy.ndarray of datetime64, shape (time,)
        Ends of the records.
    running : mapping of str to numpy.ndarray, shape (time,)
        Mean running sum of each method over irrigated cells [kg m-2]; NaN out of season.
    floors : mapping of str to NoiseFloor
        Noise of each method.
    twin : Recovery
        What the twin finds with the errors of these observations.
    path : str or Path
        PNG file.

    Returns
    -------
    Path
        The figure.
    """
    plt = style.pyplot()
    figure, axes = plt.subplots(1, 2, figsize=(style.WIDTH, 3.8), width_ratios=(2.2, 1.0))
    noise = max(one.deviation for one in floors.values())
    axes[0].axhspan(-noise, noise, color="0.85", linewidth=0.0, label="± noise of a cell")
    for method, (words, colour) in LOOKS.items():
        axes[0].plot(times, running[method], color=colour, label=words)
    axes[0].axhline(0.0, color=style.TRUTH, linewidth=0.6)
    axes[0].set_ylabel(r"water of the season [kg m$^{-2}$]")
    axes[0].legend(loc="upper left", fontsize=9)
    style.plain_dates(plt, axes[0])
    names = [*LOOKS, "positive_only"]
    shares = [100.0 * getattr(twin, name) / twin.truth for name in names]
    spread = [100.0 * twin.spread[name] / twin.truth for name in names]
    colours = [colour for _, colour in LOOKS.values()] + ["0.6"]
    labels = ["inversion", "observed\nless rain-fed", "increments", "clipped\nbefore sum"]
    axes[1].barh(range(len(names)), shares, xerr=spread, color=colours, capsize=3)
    axes[1].set_yticks(range(len(names)), labels, fontsize=9)
    axes[1].invert_yaxis()
    axes[1].axvline(100.0, color=style.TRUTH, linewidth=1.0, linestyle="--")
    axes[1].set_xlabel("found in a twin [%]")
    axes[1].set_xlim(0.0, min(max(120.0, 1.1 * max(shares)), 400.0))
    return style.save(figure, path)
