"""Mass balance of glaciers: seasons and years as bars, and the balance over height."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pyland.diagnose.glacier import BalanceYears, area_balance, equilibrium_line
from pyland.view import style

WINTER, SUMMER = "#56B4E9", "#D55E00"
_LARGEST_MARKER = 120.0  # [points squared]


def plot_glacier_balance(years: BalanceYears, elevation: np.ndarray, area: np.ndarray, path: str | Path) -> Path:
    """Draw the balance of glaciers.

    Parameters
    ----------
    years : BalanceYears
        Balances of the cells.
    elevation, area : numpy.ndarray, shape (cell,)
        Height [m] and glacier area [m2] of the cells.
    path : str or Path
        PNG file.

    Returns
    -------
    Path
        The figure: means over all glaciers by season and year, and the mean of the whole years of each cell over its
        height, with the equilibrium line; markers by glacier area.
    """
    plt = style.pyplot()
    figure, (left, right) = plt.subplots(1, 2, figsize=(style.WIDTH, 3.8))
    place = np.arange(len(years.labels))
    for values, colour, name, shift in ((years.winter, WINTER, "winter", -0.2), (years.summer, SUMMER, "summer", 0.2)):
        left.bar(place + shift, area_balance(values, area), width=0.38, color=colour, label=name)
    left.plot(place, area_balance(years.annual, area), "D", color=style.TRUTH, label="year", markersize=6)
    left.axhline(0.0, color=style.TRUTH, linewidth=0.8)
    step = max(int(np.ceil(len(place) / 10)), 1)
    left.set_xticks(place[::step], years.labels[::step], rotation=30 if len(place) > 4 else 0)
    left.set_ylabel("Specific balance [m w.e.]")
    left.set_xlabel(f"Mass-balance year (first day: {years.start[0]})")
    style.legend_above(figure, [left])
    whole = np.isfinite(years.annual).all(axis=1)
    if whole.any():
        mean = years.annual[whole].mean(axis=0)
        right.scatter(mean, elevation, s=_LARGEST_MARKER * area / area.max(), color=style.ANALYSIS, alpha=0.7)
        altitude, _ = equilibrium_line(mean, elevation, area)
        low, high = float(elevation.min()), float(elevation.max())
        if np.isfinite(altitude) and low - (high - low) <= altitude <= high + (high - low):
            right.axhline(float(altitude), color=style.OPEN_LOOP, linestyle="--",
                          label=f"equilibrium line, {float(altitude):.0f} m")
            right.legend(loc="best")
        names = [label for label, one in zip(years.labels, whole, strict=True) if one]
        right.set_title(f"mean of {names[0]}" + (f" to {names[-1]}" if len(names) > 1 else ""))
    else:
        right.text(0.5, 0.5, "no whole year", ha="center", va="center", transform=right.transAxes)
    right.axvline(0.0, color=style.TRUTH, linewidth=0.8)
    right.set_xlabel("Annual balance [m w.e.]")
    right.set_ylabel("Elevation [m]")
    return style.save(figure, path)


__all__ = ["plot_glacier_balance"]
