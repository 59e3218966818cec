"""Maps of departures: where the ensemble is biased, and where it is too sure of itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pyland.diagnose.analysis_file import ASSIMILATED, ObservedEnsemble
from pyland.view import style

LEAST_PLACES = 4
"""Places from which a map is drawn."""

_LEAST_RANGE = 0.25  # of the ratio around 1
_SMALL_MAP = 400  # places above which marks are drawn as dots
_PANEL_SHAPES = (0.5, 1.6)  # least and largest height by width that a figure is made for


def has_map(data: ObservedEnsemble) -> bool:
    """Tell whether assimilated observations lie in at least ``LEAST_PLACES`` places of two dimensions."""
    return bool(_mapped_streams(data))


def _mapped_streams(data: ObservedEnsemble) -> list[int]:
    """Return the streams whose places span a map."""
    out = []
    for code in style.judged_streams(data, ASSIMILATED):
        mine = data.of_stream(code) & data.group(ASSIMILATED)
        axes = [data.values[name][mine] for name in ("latitude", "longitude")]
        places = np.unique(np.stack(axes), axis=1)
        if places.shape[1] >= LEAST_PLACES and all(np.nanmax(one) > np.nanmin(one) for one in axes):
            out.append(code)
    return out


def plot_departure_maps(data: ObservedEnsemble, path: str | Path) -> Path:
    """Draw mean O-F, its standard deviation and its ratio to what is expected at each place, per stream.

    Parameters
    ----------
    data : ObservedEnsemble
        Observations of a run; streams with places that span a map are shown.
    path : str or Path
        PNG file.

    Returns
    -------
    Path
        The figure.
    """
    plt = style.pyplot()
    shown = _mapped_streams(data)
    shapes = [np.clip(_shape(data, code), *_PANEL_SHAPES) for code in shown]
    figure, axes = plt.subplots(
        len(shown), 3, figsize=(style.WIDTH, 0.3 + sum(0.9 + 2.2 * one for one in shapes)), squeeze=False)
    for row, code in enumerate(shown):
        maps = _maps(data, code)
        unit = style.stream_unit(data, code)
        largest = float(np.max(np.abs(maps["mean"]))) or 1.0
        farthest = max(float(np.max(np.abs(maps["ratio"] - 1.0))), _LEAST_RANGE)
        panels = (
            ("mean", f"mean O–F [{unit}]", {"cmap": "RdBu", "vmin": -largest, "vmax": largest}),
            ("std", f"std of O–F [{unit}]", {"cmap": "viridis_r"}),
            ("ratio", "found / expected O–F", {"cmap": "PuOr_r", "vmin": 1.0 - farthest, "vmax": 1.0 + farthest}),
        )
        for axis, (name, title, colours) in zip(axes[row], panels, strict=True):
            mark = 14.0 if maps["mean"].size > _SMALL_MAP else 40.0
            drawn = axis.scatter(
                maps["longitude"], maps["latitude"], c=maps[name], s=mark, edgecolors="#999999",
                linewidths=0.3, **colours)
            bar = figure.colorbar(drawn, ax=axis, shrink=0.85, pad=0.02, aspect=18)
            bar.ax.locator_params(nbins=5)
            axis.set_title(title)
            axis.locator_params(nbins=4)
            axis.ticklabel_format(useOffset=False)
            axis.tick_params(labelsize=9)
            axis.set_xlabel("longitude [°E]")
            axis.margins(0.06)
            axis.set_aspect(1.0 / np.cos(np.radians(maps["latitude"].mean())), adjustable="datalim")
        axes[row, 0].set_ylabel(f"{data.streams[code].replace('_', ' ')}\nlatitude [°N]")
        for axis in axes[row, 1:]:
            axis.set_yticklabels([])
    return style.save(figure, path)


def _shape(data: ObservedEnsemble, code: int) -> float:
    """Return height by width of the map of a stream on the ground."""
    mine = data.of_stream(code) & data.group(ASSIMILATED)
    latitude, longitude = data.values["latitude"][mine], data.values["longitude"][mine]
    width = np.ptp(longitude) * np.cos(np.radians(latitude.mean()))
    return float(np.ptp(latitude) / width)


def _maps(data: ObservedEnsemble, code: int) -> dict[str, np.ndarray]:
    """Return coordinates and statistics of the places of a stream."""
    values = data.chosen(data.of_stream(code) & data.group(ASSIMILATED))
    place = np.unique(np.stack([values["latitude"], values["longitude"]]), axis=1, return_inverse=True)[1].ravel()
    count = np.bincount(place)

    def mean(one: np.ndarray) -> np.ndarray:
        return np.bincount(place, one) / count

    before = values["innovation"]
    centre, square = mean(before), mean(before**2)
    expected = mean(values["prior_spread"] ** 2 + values["error"] ** 2)
    return {
        "latitude": mean(values["latitude"]),
        "longitude": mean(values["longitude"]),
        "mean": centre,
        "std": np.sqrt(np.maximum(square - centre**2, 0.0)),
        "ratio": np.sqrt(square / expected),
    }
