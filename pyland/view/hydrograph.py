"""Hydrographs of a distributed run: what leaves over land and through the sides, with the rain above."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pyland.diagnose.records import read_file
from pyland.view import style

_LINES = (style.ANALYSIS, style.OPEN_LOOP, *style.PEERS)
_MOST = len(_LINES)  # lines in one figure
_SIDES = ("west", "east", "south", "north", "bottom", "top")
_SMALL = 0.01  # outflow below which litres are the better unit [m3 s-1]
_LITRES = 1000.0  # of a cubic metre
_HOUR = 3600.0  # [s]
_MILLIMETRES = 1000.0  # of a metre


def plot_hydrographs(balance: str | Path, path: str | Path, *, discharge: str | Path | None = None) -> Path:
    """Draw the discharge of the outlets, and what leaves through the sides of the domain.

    Parameters
    ----------
    balance : str or Path
        ``balance.nc`` of a distributed run.
    path : str or Path
        PNG file.
    discharge : str or Path, optional
        ``discharge.nc``, which runs with overland flow have. Of many outlets the first are drawn.

    Returns
    -------
    Path
        The figure.
    """
    plt = style.pyplot()
    water = read_file(balance)
    lines = [] if discharge is None else _over_land(read_file(discharge))
    lines += _through_sides(water, alone=not lines)
    scale, unit = 1.0, r"m$^3$ s$^{-1}$"
    if max(float(np.abs(flow).max()) for _, _, flow in lines) < _SMALL:
        scale, unit = _LITRES, r"L s$^{-1}$"
    lines = [(name, time, scale * flow) for name, time, flow in lines]
    figure, axis = plt.subplots(figsize=(style.WIDTH, 3.6))
    for place, (name, time, flow) in enumerate(lines[:_MOST]):
        axis.plot(time, flow, color=_LINES[place], label=name, linestyle="-" if place == 0 else "--")
    axis.set_ylabel(f"Outflow [{unit}]")
    lowest = min(float(flow.min()) for _, _, flow in lines)
    highest = max(float(flow.max()) for _, _, flow in lines)
    span = max(highest - min(lowest, 0.0), np.finfo(float).tiny)
    axis.set_ylim(min(lowest, 0.0), min(lowest, 0.0) + 1.45 * span)  # the rain hangs into the free third
    style.plain_dates(plt, axis)
    if lines:
        axis.legend(loc="best")
    _draw_rain(axis, water)
    return style.save(figure, path)


def _over_land(data: xr.Dataset) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Return name, middles of the steps and discharge [m3 s-1] of each outlet."""
    time, _ = _intervals(data)
    return [(f"over land, {name}", time, data["discharge"].isel(gauge=place).mean("member").values)
            for place, name in enumerate(data["gauge_name"].values)]


def _through_sides(water: xr.Dataset, alone: bool) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Return the same for the sides that water passed; without overland flow the runoff in place instead of it."""
    time, length = _intervals(water)
    terms = {f"through the {side}": -water[f"boundary_{side}"].values for side in _SIDES}
    if alone:
        terms = {"runoff": water["surface_runoff"].values, **terms}
    return [(name, time, volume / length) for name, volume in terms.items() if volume.any() or name == "runoff"]


def _intervals(data: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return middles of the records, and their lengths [s]."""
    bounds = data["time_bounds"].values.astype("datetime64[s]").astype(np.int64)
    return bounds.mean(axis=1).astype("datetime64[s]"), np.diff(bounds, axis=1)[:, 0]


def _draw_rain(axis: Any, water: xr.Dataset) -> None:
    """Hang the rain from the top of the figure."""
    bounds = water["time_bounds"].values.astype("datetime64[s]")
    _, length = _intervals(water)
    rain = _MILLIMETRES * water["precipitation"].values / float(water.attrs["domain_area"]) * _HOUR / length
    above = axis.twinx()
    above.stairs(rain, [*bounds[:, 0], bounds[-1, 1]], fill=True, color=style.PEERS[2], alpha=0.5)
    above.set_ylim(4.0 * max(float(rain.max()), np.finfo(float).tiny), 0.0)
    above.set_ylabel(r"Rain [mm h$^{-1}$]")
    above.grid(False)
    above.spines["right"].set_visible(True)
