"""Traces and joint distributions of the parameters that a sampler has drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from pyland.base.errors import InputError
from pyland.view.style import ANALYSIS, OPEN_LOOP, WIDTH, pyplot, save

LARGEST_CORNER = 15
"""Parameters that a corner plot can show legibly."""

SHOWN_CHAINS = 32
"""Chains that a trace shows."""

SHARES = (0.1, 0.5, 0.9)
"""Shares of the draws that contours of a corner enclose [1]."""

BINS = 30

WIDE = 30.0
"""Ratio of the 95 to the 5 % quantile of a prior from which the logarithm is shown [1]."""


def read_draws(path: str | Path) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, dict[str, str]]]:
    """Read ``chain.nc``.

    Returns
    -------
    draws : dict of str to dict of str to numpy.ndarray, shape (chain, draw)
        By group (``posterior``, ``warmup_posterior``, ``prior``) and parameter.
    about : dict of str to dict of str to str
        ``units``, ``kind`` and ``label`` by parameter.

    Raises
    ------
    InputError
        If it is no such file.
    """
    try:
        with netCDF4.Dataset(path) as data:
            groups = {name: {key: np.array(field[:], dtype=float) for key, field in data[name].variables.items()
                             if key not in ("chain", "draw")} for name in ("posterior", "warmup_posterior", "prior")}
            about = {key: {"units": field.units, "kind": field.kind, "label": field.label}
                     for key, field in data["posterior"].variables.items() if key not in ("chain", "draw")}
    except (OSError, IndexError, AttributeError) as error:
        raise InputError(f"{path}: no file of chains that can be read ({error}); `pyland calibrate` writes it.") from (
            error)
    return groups, about


def plot_traces(path: str | Path, target: str | Path) -> Path:
    """Draw every parameter against the generation, the burn-in in grey, beside its distribution and the prior.

    Parameters
    ----------
    path : path
        ``chain.nc``.
    target : path
        PNG file.
    """
    groups, about = read_draws(path)
    plt, names = pyplot(), list(about)
    figure, axes = plt.subplots(len(names), 2, figsize=(WIDTH, 1.25 * len(names) + 0.8), squeeze=False,
                                width_ratios=[3, 1], sharey="row")
    for (trace, side), name in zip(axes, names, strict=True):
        early, kept = groups["warmup_posterior"][name], groups["posterior"][name]
        first = early.shape[1]
        trace.plot(np.arange(first), early[:SHOWN_CHAINS].T, color="0.7", linewidth=0.5)
        trace.plot(np.arange(first, first + kept.shape[1]), kept[:SHOWN_CHAINS].T, color=ANALYSIS, linewidth=0.4,
                   alpha=0.6)
        trace.set_ylabel(_label(about[name]), rotation=0, ha="right", va="center", fontsize=9)
        low, high = np.quantile(groups["prior"][name], (0.005, 0.995))
        low, high = min(low, kept.min()), max(high, kept.max())
        edges = np.linspace(low, high, 2 * BINS)
        if is_wide(groups["prior"][name]):
            edges = np.geomspace(low, high, 2 * BINS)
            trace.set_yscale("log")
        for values, colour, words in ((groups["prior"][name], OPEN_LOOP, "prior"), (kept, ANALYSIS, "posterior")):
            side.hist(values.ravel(), edges, weights=np.full(values.size, 1.0 / values.size), orientation="horizontal",
                      histtype="stepfilled", alpha=0.5, color=colour, label=words)
        side.set_xticks([])
        side.grid(False)
    axes[-1, 0].set_xlabel("generation (grey: burn-in)")
    for trace, _ in axes[:-1]:
        trace.set_xticklabels([])
    axes[-1, 1].set_xlabel("share of draws")
    figure.legend(*axes[0, 1].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    return save(figure, target)


def is_wide(prior: np.ndarray) -> bool:
    """Tell whether a parameter is better shown by its logarithm: its prior spans orders of magnitude."""
    low, high = np.quantile(prior, (0.05, 0.95))
    return bool(prior.min() > 0.0 and high > WIDE * low)


def plot_corner(path: str | Path, target: str | Path) -> Path:
    """Draw the distributions of parameters and of their pairs, with contours around 10, 50 and 90 % of the draws.

    Of more than ``LARGEST_CORNER`` parameters the first are shown.

    Parameters
    ----------
    path : path
        ``chain.nc``.
    target : path
        PNG file.
    """
    groups, about = read_draws(path)
    plt, names = pyplot(), list(about)[:LARGEST_CORNER]
    kept = {name: groups["posterior"][name].ravel() for name in names}
    for name, values in kept.items():
        if is_wide(groups["prior"][name]):
            kept[name], about[name] = np.log10(values), {**about[name], "kind": "log10"}
    size = len(names)
    side = max(WIDTH, 1.35 * size)
    figure, axes = plt.subplots(size, size, figsize=(side, side), squeeze=False)
    for row, below in enumerate(names):
        for column, left in enumerate(names):
            axis = axes[row, column]
            if column > row:
                axis.set_visible(False)
                continue
            axis.grid(False)
            if row == column:
                axis.hist(kept[below], BINS, color=ANALYSIS, alpha=0.7)
                axis.set_yticks([])
            else:
                _pair(axis, kept[left], kept[below])
            _mark(axis, row == size - 1, column == 0 and row > 0, _label(about[left]), _label(about[below]))
    return save(figure, target)


def _pair(axis: Any, x: np.ndarray, y: np.ndarray) -> None:
    """Draw the density of two parameters."""
    counts, x_edges, y_edges = np.histogram2d(x, y, BINS)
    smooth = np.eye(BINS) / 2 + (np.eye(BINS, k=1) + np.eye(BINS, k=-1)) / 4  # binomial weights of neighbours
    counts = smooth @ smooth @ counts @ smooth @ smooth
    ordered = np.sort(counts.ravel())[::-1]
    total = np.cumsum(ordered) / ordered.sum()
    levels = sorted({float(ordered[np.searchsorted(total, share)]) for share in SHARES})
    middles = [0.5 * (edges[1:] + edges[:-1]) for edges in (x_edges, y_edges)]
    axis.pcolormesh(x_edges, y_edges, np.where(counts > 0.1, counts, np.nan).T, cmap="Blues", rasterized=True)
    if len(levels) > 1 or levels[0] > 0:
        axis.contour(*middles, counts.T, [one for one in levels if one > 0], colors="0.2", linewidths=0.6)


def _mark(axis: Any, is_lowest: bool, is_first: bool, below: str, left: str) -> None:
    """Label the outer panels."""
    axis.tick_params(labelsize=7)
    axis.locator_params(nbins=3)
    if is_lowest:
        axis.set_xlabel(below, fontsize=8)
        axis.tick_params(axis="x", labelrotation=45)
    else:
        axis.set_xticklabels([])
    if is_first:
        axis.set_ylabel(left, fontsize=8)
    elif axis.get_yticks().size:
        axis.set_yticklabels([])


def _label(about: dict[str, str]) -> str:
    """Return words of at most two lines and the unit of a parameter."""
    words = about["label"].replace("_", " ").replace(":", " ")
    middle = len(words) // 2
    breaks = [place for place, one in enumerate(words) if one == " "]
    if len(words) > 12 and breaks:
        cut = min(breaks, key=lambda place: abs(place - middle))
        words = words[:cut] + "\n" + words[cut + 1:]
    if about["kind"] in ("factor", "shift"):
        words += f"\n({about['kind']})"
    if about["kind"] == "log10":
        words = f"log10 of\n{words}"
    return words + ("" if about["units"] == "1" else f"\n[{about['units']}]")


__all__ = ["plot_corner", "plot_traces", "read_draws"]
