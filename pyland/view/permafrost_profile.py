"""Profiles of frozen ground: yearly extremes and mean of temperature over depth, the trumpet curve of a borehole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pyland.view import style

MARGIN = 1.3
"""Shown depth over the depth of zero amplitude [1]."""

LEAST_DEPTH = 12.0
"""Least shown depth [m]."""

_ZERO_CELSIUS = 273.15  # [K]


def plot_permafrost_profiles(ground: Any, path: str | Path, freezing_point: float) -> Path:
    """Draw the profiles of the coldest, a middle and the warmest cell with permafrost, or of cells without.

    Parameters
    ----------
    ground : FrozenGround
        Results of ``pyland diagnose CASE permafrost``.
    path : str or Path
        PNG file.
    freezing_point : float
        [K].

    Returns
    -------
    Path
        The figure.
    """
    cells = chosen_cells(ground)
    figure, axes = style.panel_grid(len(cells), 4.4, is_narrow=True)
    depth, years = ground.years.depth, ground.years
    known = ground.zero_depth[np.isfinite(ground.zero_depth)]
    deepest = min(max(LEAST_DEPTH, MARGIN * float(known.max(initial=0.0))), depth[-1])
    for axis, cell in zip(axes.ravel(), cells, strict=False):
        low, mean, high = (one[..., cell].mean(axis=0) - _ZERO_CELSIUS
                           for one in (years.minimum, years.mean, years.maximum))
        axis.fill_betweenx(depth, low, high, color=style.ANALYSIS, alpha=0.18, lw=0, label="yearly range")
        axis.plot(mean, depth, color=style.ANALYSIS, label="mean")
        axis.axvline(freezing_point - _ZERO_CELSIUS, color=style.TRUTH, lw=0.8)
        alt, zero = ground.late(ground.state.active_layer)[cell], ground.zero_depth[cell]
        if np.isfinite(alt):
            axis.axhline(alt, color=style.OPEN_LOOP, ls="--", lw=1.2, label="active layer")
        if np.isfinite(zero):
            axis.axhline(zero, color=style.PEERS[0], ls=":", lw=1.6, label="zero amplitude")
        axis.set(xlabel="temperature [°C]", ylim=(deepest, 0.0), title=_title(ground, cell))
    axes[0, 0].set_ylabel("depth [m]")
    start, end = (str(one)[:10] for one in (years.start[0], years.end[-1]))
    figure.suptitle(f"Ground temperature, {years.nyear} years, {start} to {end}", x=0.01, ha="left", fontsize=11)
    handles = {label: handle for axis in axes.ravel()[: len(cells)]
               for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=len(handles))
    return style.save(figure, path)


def chosen_cells(ground: Any) -> list[int]:
    """Return up to three cells from the coldest to the warmest with permafrost; without any, of all cells."""
    magt = ground.magt[-1]
    known = np.flatnonzero(np.isfinite(magt) & ground.permafrost)
    if known.size == 0:
        known = np.flatnonzero(np.isfinite(magt))
    if known.size == 0:
        known, magt = np.arange(magt.size), ground.years.mean[-1, -1]
    order = known[np.argsort(magt[known], kind="stable")]
    return list(dict.fromkeys(int(order[place]) for place in (0, order.size // 2, -1)))


def _title(ground: Any, cell: int) -> str:
    """Say where a cell lies and what was found."""
    alt, magt = ground.late(ground.state.active_layer)[cell], ground.late(ground.magt)[cell]
    found = [f"ALT {alt:.2f} m"] if np.isfinite(alt) else ["no permafrost"]
    if np.isfinite(magt):
        found.append(f"MAGT {magt:.2f} °C".replace("-", "−"))
    return f"{ground.elevation[cell]:.0f} m, {ground.latitude[cell]:.2f}° N\n{', '.join(found)}"
