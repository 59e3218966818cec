"""Box plots of the scores of stations: open loop and each experiment of a study."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pyland.view import style

PANELS = (("ubrmse", "ubRMSE"), ("r", "correlation R"), ("bias", "bias"))
"""Score and title of each panel."""


def plot_station_scores(scores: Mapping[str, Any], path: str | Path, *, title: str) -> Path:
    """Draw the scores of all stations and seeds.

    Parameters
    ----------
    scores : mapping
        Of one name of stations, as of `pyland.diagnose.study_scores.study_scores`.
    path : str or Path
        PNG file.
    title : str
        What the stations are called.

    Returns
    -------
    Path
        The figure.
    """
    plt = style.pyplot()
    runs = list(scores["scores"])
    figure, axes = plt.subplots(1, len(PANELS), figsize=(style.WIDTH, 2.2 + 0.28 * len(runs)), sharey=True)
    unit = style.unit_sign(scores["unit"])
    rows = np.arange(len(runs))[::-1]
    for axis, (name, words) in zip(axes, PANELS, strict=True):
        samples = [np.concatenate([np.asarray(seed[name], float) for seed in scores["scores"][run].values()])
                   for run in runs]
        samples = [one[np.isfinite(one)] for one in samples]
        boxes = axis.boxplot(samples, positions=rows, vert=False, widths=0.6, patch_artist=True, showmeans=True,
                             whis=(5, 95), medianprops={"color": style.TRUTH}, flierprops={"ms": 3},
                             meanprops={"marker": "D", "ms": 4, "mfc": "white", "mec": style.TRUTH})
        for place, box in enumerate(boxes["boxes"]):
            box.set(facecolor=style.OPEN_LOOP if place == 0 else style.ANALYSIS, alpha=0.55)
        axis.axvline(np.median(samples[0]) if samples[0].size else np.nan, color=style.OPEN_LOOP, lw=1, ls="--")
        if name == "bias":
            axis.axvline(0.0, color=style.OBSERVED, lw=0.8)
        axis.locator_params(axis="x", nbins=5)
        axis.set_xlabel(words if name == "r" else f"{words} [{unit}]")
        axis.set_yticks(rows, [run.replace("_", " ") for run in runs])
        axis.grid(visible=False, axis="y")
    count, seeds = len(scores["places"]), max(len(one) for one in scores["scores"].values())
    figure.suptitle(f"{title}: {count} stations, {seeds} seed{'s' if seeds > 1 else ''}. Box: quartiles; whiskers: 5 "
                    "to 95 %; diamond: mean; dashed: median of the open loop", fontsize=10)
    return style.save(figure, path)
