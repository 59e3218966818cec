"""Water balances as bars: what came in above the line, where it went below it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pyland.diagnose.balance_columns import STORES
from pyland.diagnose.balance_table import BalanceTable
from pyland.view import style

GAINS = (("rainfall_mm", "rain", "#56B4E9"), ("snowfall_mm", "snowfall", "#C6DBEF"),
         ("irrigation_mm", "irrigation", "#0072B2"), ("boundary_inflow_mm", "inflow by the sides", "#08306B"))
LOSSES = (("transpiration_mm", "transpiration", "#009E73"), ("canopy_evaporation_mm", "canopy evaporation", "#A6D96A"),
          ("soil_evaporation_mm", "soil evaporation", "#E6AB02"),
          ("snow_sublimation_mm", "snow sublimation", "#BCBDDC"),
          ("open_water_evaporation_mm", "open water evaporation", "#41B6C4"), ("runoff_mm", "runoff", "#08519C"))
STORE_COLOURS = dict(zip(STORES, ("#8C510A", "#542788", "#969696", "#35978F", "#66A61E", "#BABABA"), strict=True))
INCREMENT = ("increment_mm", "analysis increment", style.OPEN_LOOP)

MOST_ZONES = 12
"""Zones of one figure; of more, the largest are drawn."""

_WITHOUT_PARTS = (("precipitation_mm", "precipitation", "#56B4E9"), ("et_mm", "evapotranspiration", "#009E73"),
                  ("storage_change_mm", "storage", "#8C510A"))
_LEAST = 1e-3  # a term that nowhere has this share of the largest bar gets no entry in the legend [1]


def plot_balance_bars(table: BalanceTable, path: str | Path) -> Path:
    """Draw the water table of zones.

    Parameters
    ----------
    table : BalanceTable
        Of kind ``water``. One period: a bar for each zone. More: a panel for each zone, a bar for each period.
    path : str or Path
        PNG file.

    Returns
    -------
    Path
        The figure. Bars above the line are water that came, or left a store; below it water that left, or went into
        a store. Both are equally long where the balance closes.
    """
    plt = style.pyplot()
    chosen = np.sort(np.argsort(-table.zones.area, kind="stable")[:MOST_ZONES])
    terms = _terms(table)
    largest = max(float(np.abs(values).max()) for _, _, values in terms)
    terms = [one for one in terms if np.abs(one[2]).max() >= _LEAST * largest]
    if len(table.periods.labels) == 1:
        bars = [(table.zones.names[z].replace("_", " "), [values[0, z] for _, _, values in terms]) for z in chosen]
        figure, axis = plt.subplots(figsize=(style.WIDTH, 1.2 + 0.42 * max(len(bars), 3)))
        _horizontal(axis, bars, terms)
        axes = [axis]
    else:
        figure, grid = style.panel_grid(len(chosen), 2.6)
        axes = list(np.ravel(grid)[: len(chosen)])
        for axis, z in zip(axes, chosen, strict=True):
            _vertical(axis, table, z, terms)
    handles, labels = axes[0].get_legend_handles_labels()
    start, end = str(table.periods.start.min())[:10], str(table.periods.end.max())[:10]
    unit = "mm per year" if table.every == "mean_year" else "mm"
    figure.suptitle(f"Water by {table.zones.name.replace('_', ' ')}, {start} to {end} [{unit}]")
    figure.legend(handles, labels, loc="outside right center", frameon=False)
    return style.save(figure, path)


def _terms(table: BalanceTable) -> list[tuple[str, str, np.ndarray]]:
    """Return name, colour and bars, (period, zone), of all terms; losses and water that goes into stores negative."""
    known = {name: np.asarray(values) for name, values in table.values.items() if np.isfinite(values).all()}
    out = [(label, colour, known[name]) for name, label, colour in GAINS if name in known]
    if "rainfall_mm" not in known:
        out.insert(0, (*_WITHOUT_PARTS[0][1:], known["precipitation_mm"]))
    out += [(label, colour, -known[name]) for name, label, colour in LOSSES if name in known]
    if "transpiration_mm" not in known:
        out.append((*_WITHOUT_PARTS[1][1:], -known["et_mm"]))
    stores = [(f"{name.replace('_', ' ')} storage", STORE_COLOURS[name], -known[f"storage_change_{name}_mm"])
              for name in STORES if f"storage_change_{name}_mm" in known]
    out += stores or [(*_WITHOUT_PARTS[2][1:], -known["storage_change_mm"])]
    return [*out, (INCREMENT[1], INCREMENT[2], known[INCREMENT[0]])]


def _stacked(values: np.ndarray) -> np.ndarray:
    """Return where each term begins: positive ones upwards from 0, negative ones downwards."""
    start = np.zeros_like(values)
    for sign in (1.0, -1.0):
        part = np.where(sign * values > 0.0, values, 0.0)
        start += np.where(sign * values > 0.0, np.cumsum(part, axis=0) - part, 0.0)
    return start


def _horizontal(axis: Any, bars: list[tuple[str, list[float]]], terms: list[tuple[str, str, np.ndarray]]) -> None:
    values = np.array([heights for _, heights in bars]).T
    place = np.arange(len(bars))
    for (label, colour, _), length, start in zip(terms, values, _stacked(values), strict=True):
        axis.barh(place, length, left=start, color=colour, label=label, height=0.7)
    axis.set_yticks(place, [name for name, _ in bars])
    axis.invert_yaxis()
    axis.axvline(0.0, color=style.TRUTH, linewidth=0.8)
    axis.set_xlabel("goes out or into stores    |    comes in or out of stores")
    axis.grid(visible=False, axis="y")


def _vertical(axis: Any, table: BalanceTable, zone: int, terms: list[tuple[str, str, np.ndarray]]) -> None:
    values = np.array([bars[:, zone] for _, _, bars in terms])
    place = np.arange(values.shape[1])
    for (label, colour, _), length, start in zip(terms, values, _stacked(values), strict=True):
        axis.bar(place, length, bottom=start, color=colour, label=label, width=0.8)
    step = max(int(np.ceil(len(place) / 8)), 1)
    axis.set_xticks(place[::step], [table.periods.labels[k] for k in place[::step]], rotation=30, ha="right")
    axis.axhline(0.0, color=style.TRUTH, linewidth=0.8)
    axis.set_title(f"{table.zones.names[zone].replace('_', ' ')}, {table.zones.area[zone] / 1e6:.4g} km²",
                   fontsize="medium")
    axis.grid(visible=False, axis="x")


__all__ = ["plot_balance_bars"]
