"""Maps of mean soil moisture: the truth, each product as it is, and each run of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.diagnose.records import read_file
from pyland.observe import read_observations
from pyland.view import style

_ACROSS = 4  # maps in a row
_SCALE = 1000.0  # of the axes [m]


def plot_mean_maps(
    runs: Mapping[str, Path],
    observations: str | Path,
    products: Sequence[str],
    path: str | Path,
    *,
    truth: str | Path | None = None,
    start: np.datetime64 | None = None,
    depth: tuple[float, float] = (0.0, 0.05),
) -> Path:
    """Draw mean soil moisture as one map each.

    Parameters
    ----------
    runs : mapping of str to Path
        Run folders with ``history.nc`` by name.
    observations : str or Path
        ``observations.nc`` of the seed.
    products : sequence of str
        Products of it to draw, means of what each place has.
    path : str or Path
        PNG file.
    truth : str or Path, optional
        History of the truth.
    start : datetime64, optional
        Times before are left out (UTC).
    depth : (float, float)
        Depth range of the runs [m].

    Returns
    -------
    Path
        The figure.

    Raises
    ------
    InputError
        If the runs have no map.
    """
    plt = style.pyplot()
    histories = {name: folder / "history.nc" for name, folder in runs.items()}
    files = ({} if truth is None else {"truth": Path(truth)}) | histories
    panels: list[tuple[str, Any]] = []
    span = ""
    for name, file in files.items():
        data = read_file(file)
        if "x" not in data.dims:
            raise InputError(f"{file}: maps need a run on a grid; this one is a list of stations.")
        if start is not None:
            data = data.isel(time=data["time_bounds"].values[:, 0] >= start)
        times = data["time_bounds"].values
        span = f"{str(times[0, 0])[:10]} to {str(times[-1, 1])[:10]}"
        panels.append((name.replace("_", " "), (style.depth_mean(data, "soil_water", *depth).mean("time").values,
                                                style.map_extent(data)[0])))
    count = len(panels)
    sets = [one for one in read_observations(observations) if start is None or one.time > start]
    panels[int(truth is not None):int(truth is not None)] = [
        (f"product {name}", _mean_of_places([one for one in sets if one.name == name])) for name in products]
    low, high = _range(panels)
    rows = -(-len(panels) // _ACROSS)
    figure, axes = plt.subplots(rows, _ACROSS, figsize=(style.WIDTH, 0.7 + 2.25 * rows), squeeze=False, sharex=True,
                                sharey=True)
    extent = panels[-1][1][1]
    for place, axis in enumerate(axes.ravel()):
        if place >= len(panels):
            axis.set_visible(False)
            continue
        title, content = panels[place]
        image = _draw(axis, content, low, high)
        axis.set(title=title, aspect="equal", xlim=extent[:2], ylim=extent[2:])
        axis.grid(False)
        if place % _ACROSS == 0:
            axis.set_ylabel("y [km]")
        if place + _ACROSS >= len(panels):
            axis.set_xlabel("x [km]")
            axis.tick_params(labelbottom=True)
    bar = figure.colorbar(image, ax=axes, shrink=0.7, pad=0.01, aspect=30)
    bar.set_label(f"soil water, {style.depth_label(*depth)} [{style.SOIL_WATER_UNIT}]")
    figure.suptitle(f"Means of {span}: {count} of the model, {len(products)} products as they are", fontsize=12)
    return style.save(figure, path)


def _mean_of_places(sets: list[Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return coordinates [km] and mean value of each place."""
    x, y, values, place, used = (
        np.concatenate([getattr(one, name) for one in sets]) for name in ("x", "y", "values", "location", "used"))
    known, first, index = np.unique(place[used], return_index=True, return_inverse=True)
    means = np.bincount(index.ravel(), weights=values[used], minlength=known.size) / np.bincount(
        index.ravel(), minlength=known.size)
    return x[used][first] / _SCALE, y[used][first] / _SCALE, means


def _range(panels: list[tuple[str, Any]]) -> tuple[float, float]:
    """Return the range of colours: what 98 % of all values lie in."""
    values = np.concatenate([np.ravel(content[0] if len(content) == 2 else content[2]) for _, content in panels])
    values = values[np.isfinite(values)]
    return float(np.percentile(values, 1)), float(np.percentile(values, 99))


def _draw(axis: Any, content: Any, low: float, high: float) -> Any:
    """Draw a map of cells, or the squares of the places of a product."""
    if len(content) == 2:
        values, extent = content
        return axis.imshow(values, origin="lower", extent=extent, cmap="viridis_r", vmin=low, vmax=high)
    x, y, values = content
    across, up = np.unique(np.round(x, 3)), np.unique(np.round(y, 3))
    if across.size < 2 or up.size < 2 or across.size * up.size > 4 * x.size:  # scattered places
        return axis.scatter(x, y, c=values, cmap="viridis_r", vmin=low, vmax=high, s=18)
    field = np.full((up.size, across.size), np.nan)
    field[np.searchsorted(up, np.round(y, 3)), np.searchsorted(across, np.round(x, 3))] = values
    half = 0.5 * np.array([np.diff(across).min(), np.diff(up).min()])
    extent = [across[0] - half[0], across[-1] + half[0], up[0] - half[1], up[-1] + half[1]]
    return axis.imshow(field, origin="lower", extent=extent, cmap="viridis_r", vmin=low, vmax=high)
