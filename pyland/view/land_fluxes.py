"""Land over the distributed subsurface: fluxes of the domain in time, and soil water where and when it changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.diagnose.records import read_file
from pyland.view import style

FLUXES = {
    "net_radiation": "net radiation",
    "latent_heat_flux": "latent heat",
    "sensible_heat_flux": "sensible heat",
    "ground_heat_flux": "ground heat",
}
"""Variables of the upper panel, each if the history has it, and what they are called."""

WATER = "soil_water"

_COLOURS = (style.PEERS[0], style.OPEN_LOOP, style.ANALYSIS, style.PEERS[1])
_LAYERS = 4  # of which the mean over the domain is drawn


def has_land_fluxes(history: str | Path) -> bool:
    """Tell whether a history has any of the fluxes."""
    return any(name in read_file(history) for name in FLUXES)


def plot_land_fluxes(history: str | Path, path: str | Path) -> Path:
    """Draw heat fluxes of the domain, the water of its upper layers, and maps of the top layer at both ends.

    Parameters
    ----------
    history : str or Path
        History of a run on a grid.
    path : str or Path
        PNG file.

    Returns
    -------
    Path
        The figure.

    Raises
    ------
    InputError
        If the history has none of the fluxes.
    """
    plt = style.pyplot()
    data = read_file(history)
    names = [name for name in FLUXES if name in data]
    if not names:
        raise InputError(f"{history}: nothing to draw; add {' or '.join(FLUXES)} to output.variables.")
    has_water = WATER in data
    figure = plt.figure(figsize=(style.WIDTH, 6.2 if has_water else 2.6))
    parts = figure.subfigures(2 if has_water else 1, 1, height_ratios=(1.0, 1.25) if has_water else None, squeeze=False)
    axis = parts[0, 0].subplots()
    for name, colour in zip(FLUXES, _COLOURS, strict=True):
        if name in names:
            axis.plot(_middles(data), _domain_mean(data[name]), color=colour, label=FLUXES[name])
    axis.set_ylabel(r"W m$^{-2}$")
    axis.set_title("heat fluxes, mean of the domain")
    axis.legend(ncols=len(names), loc="upper center", bbox_to_anchor=(0.5, -0.12))
    style.plain_dates(plt, axis)
    if has_water:
        _draw_water(plt, parts[1, 0], data)
    return style.save(figure, path)


def _draw_water(plt: Any, figure: Any, data: xr.Dataset) -> None:
    """Draw the upper layers in time, and the top layer as maps at the first and the last record."""
    left, first, last = figure.subplots(1, 3, gridspec_kw={"width_ratios": (1.5, 1.0, 1.0)})
    depths = data["layer_bounds"].values if "layer_bounds" in data else None
    for layer in range(min(_LAYERS, data[WATER].sizes["layer"])):
        label = "" if depths is None else f"{depths[layer, 0]:g} to {depths[layer, 1]:g} m"
        series = _domain_mean(data[WATER].isel(layer=layer))
        left.plot(_middles(data), series - series[0], color=_COLOURS[layer], label=label)
    left.set_title("soil water since the start")
    left.set_ylabel(style.SOIL_WATER_UNIT)
    left.legend()
    style.plain_dates(plt, left)
    top = data[WATER].isel(layer=0)
    extent, unit = style.map_extent(data)
    low, high = (float(np.nanpercentile(top, share)) for share in (1, 99))
    for axis, place in ((first, 0), (last, -1)):
        image = axis.imshow(top.isel(time=place).values, origin="lower", extent=extent, cmap="YlGnBu", vmin=low,
                            vmax=high, aspect="auto")
        axis.set_title(f"top layer\n{style.moment(data, place)}")
        axis.set_xlabel(f"x [{unit}]")
        axis.grid(False)
    last.set_yticklabels([])
    bar = figure.colorbar(image, ax=(first, last), aspect=25)
    bar.set_label(style.SOIL_WATER_UNIT)


def _domain_mean(field: xr.DataArray) -> np.ndarray:
    """Return the mean over the cells of each record."""
    return field.mean([name for name in field.dims if name != "time"]).values


def _middles(data: xr.Dataset) -> np.ndarray:
    """Return the middles of the records."""
    bounds = data["time_bounds"].values.astype("datetime64[s]").astype(np.int64)
    return bounds.mean(axis=1).astype("datetime64[s]")
