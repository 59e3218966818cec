"""Maps by latitude and longitude: cells of a grid, or marks at places."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr


def panel_height(data: xr.Dataset) -> float:
    """Return the height of a panel [inch] for the shape of the area on the ground."""
    latitude, longitude = data["latitude"].values, data["longitude"].values
    wide = max(float(np.ptp(longitude)) * np.cos(np.deg2rad(latitude.mean())), 1e-6 + float(np.ptp(latitude)) / 10.0)
    return float(np.clip(2.6 * np.ptp(latitude) / wide, 1.3, 4.0)) + 0.7


def draw_map(axis: Any, data: xr.Dataset, values: np.ndarray, **colours: Any) -> Any:
    """Draw values on their places: cells of a grid, or marks."""
    latitude, longitude = data["latitude"].values, data["longitude"].values
    axis.grid(False)
    axis.set_facecolor("#DDDDDD")  # places without a value
    axis.set_aspect(1.0 / np.cos(np.deg2rad(latitude.mean())), adjustable="datalim" if "place" in data.dims else "box")
    axis.locator_params(nbins=4)
    axis.ticklabel_format(useOffset=False)
    axis.tick_params(labelsize=9)
    if "place" in data.dims:
        axis.margins(0.06)
        size = 40.0 if latitude.size <= 400 else 8.0
        return axis.scatter(longitude, latitude, c=values, s=size, linewidths=0.2, edgecolors="#999999", **colours)
    return axis.pcolormesh(longitude, latitude, np.ma.masked_invalid(values), shading="nearest", rasterized=True,
                           **colours)


def label_maps(axes: np.ndarray) -> None:
    """Label the rims of panels."""
    for axis in axes[:, 0]:
        axis.set_ylabel("latitude [°N]")
    for axis in axes.ravel():
        if axis.get_visible():
            axis.set_xlabel("longitude [°E]")
    for axis in axes[:, 1:].ravel():
        axis.set_yticklabels([])
