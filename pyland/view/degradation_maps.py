"""State of the land: maps of the states by trends and by the use of rain, and the trends behind them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xarray as xr

from pyland.diagnose.records import read_file
from pyland.view import state_maps, style

STATE_COLOURS = ("#D55E00", "#F0E442", "#009E73", "#56B4E9", "#CC79A7")
"""Colours of the states, in the order of their codes."""


def plot_degradation(source: str | Path, path: str | Path) -> Path:
    """Draw degradation.nc.

    Parameters
    ----------
    source : str or Path
        ``degradation.nc``.
    path : str or Path
        PNG file.

    Returns
    -------
    Path
        The figure.
    """
    data = read_file(source)
    states = [name for name in ("degradation_state", "rain_use_condition") if name in data]
    slopes = ["npp_slope", "moisture_slope"]
    plt = style.pyplot()
    figure, axes = plt.subplots(2, 2, figsize=(style.WIDTH, 7.6)) if len(states) == 2 else style.panel_grid(3, 3.6)
    panels = list(axes.ravel())
    titles = {"degradation_state": "state by trends", "rain_use_condition": "use of rain"}
    for axis, name in zip(panels, states, strict=False):
        codes, colours, names = _legend(data[name])
        state_maps.draw_states(axis, data, codes, colours)
        axis.set_title(titles[name])
        patch = plt.matplotlib.patches.Patch
        axis.legend([patch(facecolor=colour) for colour in colours.values()], names, fontsize=9, ncols=2,
                    loc="upper center", bbox_to_anchor=(0.5, -0.2), handlelength=1.2, columnspacing=0.8)
    for axis, name in zip(panels[len(states):], slopes, strict=False):
        values = data[name].values
        bound = float(np.nanpercentile(np.abs(values), 98)) if np.isfinite(values).any() else 1.0
        bound = bound if bound > 0.0 else 1.0
        drawn = state_maps.draw_values(axis, data, values, cmap="BrBG", vmin=-bound, vmax=bound)
        unit = style.unit_sign(data[name].attrs["units"])
        title = {"npp_slope": "trend of productivity", "moisture_slope": "trend of P/PET"}[name]
        axis.set_title(title)
        bar = figure.colorbar(drawn, ax=axis, orientation="horizontal", shrink=0.9, aspect=24, label=f"[{unit}]")
        bar.ax.locator_params(nbins=4)
        bar.formatter.set_powerlimits((-2, 3))
    title = str(data.attrs["title"])
    figure.suptitle(title[:1].upper() + title[1:])
    return style.save(figure, path)


def _legend(variable: xr.DataArray) -> tuple[np.ndarray, dict[int, str], list[str]]:
    """Return codes, colours by code and names of the states of a variable."""
    values = [int(one) for one in variable.attrs["flag_values"]]
    words = variable.attrs["flag_meanings"].split()
    known = [(value, word) for value, word in zip(values, words, strict=True) if value != 0]
    colours = {value: STATE_COLOURS[k % len(STATE_COLOURS)] for k, (value, _) in enumerate(known)}
    return variable.values.astype(int), colours, [word for _, word in known]
