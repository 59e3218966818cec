"""How good past forecasts were: scores over the lead time, and maps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.diagnose.records import read_file
from pyland.view import style
from pyland.view.place_maps import draw_map, label_maps, panel_height

_DAY = 86400.0
_PANEL_WIDTH = 2.7  # of a map [inch]
_PANEL_SHAPES = (0.35, 1.4)  # height over width of a map
_PERSISTENCE, _CLIMATOLOGY = style.OPEN_LOOP, style.PEERS[0]

MAPS = (
    ("rmse", "YlOrRd"), ("bias", "RdBu"), ("correlation", "viridis"),
    ("spread_error", "PuOr"), ("skill_persistence", "RdBu"), ("skill_climatology", "RdBu"),
)
"""Scores that are drawn as maps, and their colours."""

TITLES = {"rmse": "RMSE", "bias": "mean error", "correlation": "correlation [1]",
          "spread_error": "spread over error [1]", "skill_persistence": "skill against persistence [1]",
          "skill_climatology": "skill against climatology [1]"}


def plot_hindcast_skill(source: str | Path, path: str | Path) -> Path:
    """Draw the scores over all places against the lead time.

    Parameters
    ----------
    source : str or Path
        File of `pyland.output.hindcast_scores.write_hindcast_maps`.
    path : str or Path
        PNG file.

    Returns
    -------
    Path
        The figure.

    Raises
    ------
    InputError
        If no forecast has been verified yet.
    """
    plt = style.pyplot()
    data = _read(source)
    days = data["lead"].values / _DAY
    unit = style.unit_sign(data.attrs["units_of_quantity"])
    figure, axes = plt.subplots(2, 2, figsize=(style.WIDTH, 6.2), sharex=True)
    marks = {"marker": "o", "ms": 4}

    def draw(axis: Any, name: str, label: str, **look: Any) -> None:
        values = data[f"{name}_all"].values
        if np.isfinite(values).any():
            axis.plot(days, values, label=label, **{**marks, **look})

    draw(axes[0, 0], "rmse", "forecast", color=style.ANALYSIS)
    draw(axes[0, 0], "spread", "spread", color=style.ANALYSIS, ls="--", mfc="white")
    draw(axes[0, 0], "rmse_persistence", "persistence", color=_PERSISTENCE)
    draw(axes[0, 0], "rmse_climatology", "climatology", color=_CLIMATOLOGY)
    axes[0, 0].set_ylim(bottom=0.0)
    axes[0, 0].set_ylabel(f"RMSE and spread [{unit}]")
    draw(axes[0, 1], "bias", "mean error", color=style.ANALYSIS)
    draw(axes[0, 1], "crps", "CRPS", color=style.PEERS[1])
    axes[0, 1].axhline(0.0, color=style.OBSERVED, lw=0.8)
    axes[0, 1].set_ylabel(f"error and CRPS [{unit}]")
    draw(axes[1, 0], "correlation", "correlation", color=style.ANALYSIS)
    draw(axes[1, 0], "anomaly_correlation", "of anomalies", color=style.ANALYSIS, ls="--", mfc="white")
    axes[1, 0].set_ylabel("correlation [1]")
    axes[1, 0].set_ylim(min(0.0, axes[1, 0].get_ylim()[0]), 1.02)
    for name, colour in (("persistence", _PERSISTENCE), ("climatology", _CLIMATOLOGY)):
        draw(axes[1, 1], f"skill_{name}", f"MSE, {name}", color=colour)
        draw(axes[1, 1], f"crps_skill_{name}", f"CRPS, {name}", color=colour, ls="--", mfc="white")
    axes[1, 1].axhline(0.0, color=style.OBSERVED, lw=0.8)
    axes[1, 1].set_ylabel("skill against [1]")
    for axis in axes.ravel():
        if axis.get_legend_handles_labels()[0]:
            axis.legend(fontsize=9, ncols=2, loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2)
    for axis in axes[1]:
        axis.set_xlabel("lead time [d]")
    count = int(np.nanmax(data["n"].values))
    figure.suptitle(f"Forecasts of {_words(data)}, verified {_dates(data)}, up to {count} at a place", fontsize=11)
    return style.save(figure, path)


def plot_hindcast_maps(source: str | Path, path: str | Path, *, lead: float | None = None) -> Path:
    """Draw maps of the scores at one lead time.

    Parameters
    ----------
    source, path
        As for :func:`plot_hindcast_skill`.
    lead : float, optional
        Lead time [s]; the nearest that there is, by default the longest.

    Returns
    -------
    Path
        The figure.

    Raises
    ------
    InputError
        If no forecast has been verified yet.
    """
    data = _read(source)
    leads = data["lead"].values
    row = leads.size - 1 if lead is None else int(np.argmin(np.abs(leads - lead)))
    data = data.isel(lead=row)
    is_map = "x" in data.dims
    if not is_map:
        data = data.rename(site="place")
    unit = style.unit_sign(data.attrs["units_of_quantity"])
    shown = [(name, colours) for name, colours in MAPS if np.isfinite(data[name].values).any()]
    extent, length = style.map_extent(data) if is_map else ([], "")
    shape = style.map_shape(extent, *_PANEL_SHAPES) if is_map else 1.0
    height = 0.4 + _PANEL_WIDTH * shape if is_map else panel_height(data)
    figure, axes = style.panel_grid(len(shown), height + 1.0)
    for axis, (name, colours) in zip(axes.ravel(), shown, strict=False):
        values = data[name].values
        looks = {"cmap": colours, **_limits(name, values)}
        drawn = (axis.imshow(values, origin="lower", extent=extent, interpolation="none", **looks) if is_map
                 else draw_map(axis, data, values, **looks))
        axis.set_title(TITLES[name] + (f" [{unit}]" if name in ("rmse", "bias") else ""))
        bar = figure.colorbar(drawn, ax=axis, shrink=0.85, aspect=24, orientation="horizontal",
                              extend="min" if name.startswith("skill") else "neither")
        bar.ax.locator_params(nbins=4)
    _label(axes, length) if is_map else label_maps(axes)
    figure.suptitle(f"Forecasts of {_words(data)}, {leads[row] / _DAY:g} days ahead, verified {_dates(data)}",
                    fontsize=11)
    return style.save(figure, path)


def _label(axes: np.ndarray, unit: str) -> None:
    """Label the rims of maps of a grid; cells without a value are grey."""
    for axis in axes.ravel():
        axis.grid(False)
        axis.set_facecolor("#DDDDDD")
        axis.set_xlabel(f"x [{unit}]")
        axis.locator_params(nbins=5)
    for axis in axes[:, 0]:
        axis.set_ylabel(f"y [{unit}]")
    for axis in axes[:, 1:].ravel():
        axis.set_yticklabels([])


def _read(source: str | Path) -> xr.Dataset:
    """Read the scores."""
    data = read_file(source, "no forecast has been judged yet", decode_timedelta=False)
    if data.sizes["lead"] == 0 or not (data["n"].values > 0).any():
        raise InputError(f"{source}: no forecast has been verified yet, there is nothing to draw.")
    return data


def _words(data: xr.Dataset) -> str:
    """Return the quantity in words: ``soil_water_0_5cm`` becomes 'soil water 0-5 cm'."""
    name = str(data.attrs["quantity"])
    front, _, back = name.rpartition("_")
    if back.endswith("cm") and "_" in front:
        front, _, top = front.rpartition("_")
        return f"{front.replace('_', ' ')} {top}–{back.removesuffix('cm')} cm"
    return name.replace("_", " ")


def _dates(data: xr.Dataset) -> str:
    """Return the period that was verified."""
    first, last = (str(data.attrs.get(name, ""))[:10] for name in ("time_coverage_start", "time_coverage_end"))
    return f"{first} to {last}"


def _limits(name: str, values: np.ndarray) -> dict[str, float]:
    """Return the range of the colours: even on both sides of what is neutral."""
    if name == "correlation":
        return {"vmin": min(0.0, float(np.nanmin(values))), "vmax": 1.0}
    if name.startswith("skill"):
        return {"vmin": -1.0, "vmax": 1.0}
    if name == "rmse":
        return {"vmin": 0.0, "vmax": float(np.nanmax(values))}
    middle = 1.0 if name == "spread_error" else 0.0
    reach = float(np.nanmax(np.abs(values - middle)))
    return {"vmin": middle - reach, "vmax": middle + reach}
