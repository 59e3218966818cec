"""Skill at stations on the map of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyland.view import style

MOST_VARIABLES = 6
"""Variables of one figure, those with the most stations."""

_PREFERRED = ("daily", "record", "native")


def plot_station_map(
    rows: Sequence[Mapping[str, Any]], latitude: np.ndarray, longitude: np.ndarray, path: str | Path, least: int,
    days: str,
) -> Path:
    """Draw bias and correlation of stations where they are.

    Parameters
    ----------
    rows : sequence of mapping
        From `pyland.diagnose.many_stations.station_row`.
    latitude, longitude : numpy.ndarray
        Cells of the run [degrees].
    path : str or Path
        PNG file.
    least : int
        Fewest points of a station that is drawn filled; others are open circles.
    days : str
        Days that were compared.

    Returns
    -------
    Path
        The figure: a row for each variable, bias to the left, correlation to the right.
    """
    plt = style.pyplot()
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for variable in dict.fromkeys(row["variable"] for row in rows):
        steps = {row["step"] for row in rows if row["variable"] == variable}
        step = next(one for one in _PREFERRED if one in steps)
        groups[variable] = [row for row in rows if row["variable"] == variable and row["step"] == step]
    chosen = sorted(groups, key=lambda name: -len(groups[name]))[:MOST_VARIABLES]
    figure, axes = plt.subplots(len(chosen), 2, figsize=(style.WIDTH, 2.9 * len(chosen) + 0.4), squeeze=False)
    east, north = longitude[np.isfinite(longitude)], latitude[np.isfinite(latitude)]
    for (left, right), variable in zip(axes, chosen, strict=True):
        members = groups[variable]
        unit = style.unit_sign(members[0]["units"])
        bias = np.array([row["bias"] for row in members])
        largest = max(float(np.nanmax(np.abs(bias), initial=0.0)), np.finfo(float).tiny)
        for axis, name, limits, palette in ((left, "bias", (-largest, largest), "RdBu_r"),
                                            (right, "r", (0.0, 1.0), "viridis")):
            axis.plot(east, north, ".", color="0.75", markersize=2, zorder=0)
            values = np.array([row[name] for row in members])
            filled = np.array([row["n"] >= least for row in members]) & np.isfinite(values)
            place = np.array([(row["longitude"], row["latitude"]) for row in members])
            axis.scatter(*place[~filled].T, facecolors="none", edgecolors="0.3", s=40)
            drawn = axis.scatter(*place[filled].T, c=values[filled], cmap=palette, vmin=limits[0], vmax=limits[1], s=55,
                                 edgecolors="0.2", linewidths=0.5)
            figure.colorbar(drawn, ax=axis, label=f"Bias [{unit}]" if name == "bias" else "Correlation")
            axis.set_title(f"{variable} ({members[0]['step']})")
            axis.set_ylabel("Latitude [°N]")
    figure.suptitle(f"Run against stations, {days}")
    for axis in axes[-1]:
        axis.set_xlabel("Longitude [°E]")
    return style.save(figure, path)


__all__ = ["plot_station_map"]
