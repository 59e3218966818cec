"""Time series of soil water: open loop and analysis with their spread, against the truth or a probe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pyland.base.errors import InputError
from pyland.diagnose.records import read_file
from pyland.diagnose.series import at_depth, parse_depth, read_station
from pyland.view import style

SPREAD_FACTOR = 1.96
"""Standard deviations that hold 95 % of a normal ensemble."""


def plot_soil_water_series(
    analysis: str | Path,
    path: str | Path,
    *,
    open_loop: str | Path | None = None,
    truth: str | Path | None = None,
    station: str | Path | None = None,
    observations: str | Path | None = None,
    depths: Sequence[tuple[float, float]] = ((0.0, 0.05), (0.10, 0.50)),
    probes: Sequence[str] = ("SoilMoist_5cm", "SoilMoist_15cm"),
    cell: int | None = None,
) -> Path:
    """Draw soil water of one cell at two or more depths.

    Parameters
    ----------
    analysis : str or Path
        History of the run (``history.nc``).
    path : str or Path
        PNG file.
    open_loop, truth : str or Path, optional
        Histories of the open loop and of the truth.
    station : str or Path, optional
        ALMA-like station file; its probes replace ``depths``.
    observations : str or Path, optional
        ``analysis.nc``; assimilated values are drawn in the panel that contains their depth.
    depths : sequence of (float, float)
        Depth ranges of the panels [m], without a station.
    probes : sequence of str
        ALMA names of the panels, with a station.
    cell : int, optional
        Place in the flattened map; by default the observed cell nearest to the middle of the map, or the active one.

    Returns
    -------
    Path
        The figure.
    """
    plt = style.pyplot()
    runs = [("open loop", style.OPEN_LOOP, open_loop), ("analysis", style.ANALYSIS, analysis)]
    if open_loop is None and observations is None:
        runs = [("pyland", style.ANALYSIS, analysis)]
    histories = [(label, colour, read_file(name)) for label, colour, name in runs if name is not None]
    chosen = _shown_cell(histories[-1][2], observations) if cell is None else cell
    reference = _references(truth, station, probes, depths, chosen)
    if not reference:
        raise InputError(f"{station}: none of the probes {list(probes)} is in the station file.")
    figure, axes = plt.subplots(
        len(reference), 1, figsize=(style.WIDTH, 0.8 + 2.2 * len(reference)), sharex=True, squeeze=False
    )
    assimilated = _assimilated(observations, histories[-1][2], chosen)
    for axis, (title, top, bottom, known) in zip(axes[:, 0], reference, strict=True):
        for label, colour, history in histories:
            _draw_ensemble(axis, history, chosen, top, bottom, label, colour)
        if known is not None:
            axis.plot(known[0], known[1], color=style.TRUTH, lw=1.3, label="truth" if truth else "probe", zorder=4)
        _draw_observations(axis, assimilated, top, bottom)
        axis.set_title(title, loc="left")
        axis.set_ylabel(f"soil water [{style.SOIL_WATER_UNIT}]")
        axis.margins(x=0.01)
    style.legend_above(figure, axes[:, 0])
    if _cell_count(histories[-1][2]) > 1:
        figure.suptitle(_place_of(histories[-1][2], chosen), x=0.01, ha="left", fontsize=11)
    first = histories[-1][2]["time"].values
    style.span_of_times(axes[0, 0], first)
    style.plain_dates(plt, axes[-1, 0])
    return style.save(figure, path)


def _references(
    truth: str | Path | None,
    station: str | Path | None,
    probes: Sequence[str],
    depths: Sequence[tuple[float, float]],
    cell: int,
) -> list[tuple[str, float, float, tuple[np.ndarray, np.ndarray] | None]]:
    """Return title, depth range and known series of each panel."""
    if station is not None:
        observed = read_station(station).native
        out = []
        for name in probes:
            depth = parse_depth(name)
            if depth is not None and name in observed.values:
                days, means = _daily(observed.start, observed.values[name])
                out.append((f"{depth[1] * 100:g} cm", depth[1], depth[2], (days, means)))
        return out
    if truth is None:
        return [(style.depth_label(*depth), *depth, None) for depth in depths]
    true = read_file(truth)
    return [
        (style.depth_label(*depth), *depth, (true["time"].values, _series(true, "soil_water", cell, *depth)))
        for depth in depths
    ]


def _draw_ensemble(
    axis: Any, history: xr.Dataset, cell: int, top: float, bottom: float, label: str, colour: str
) -> None:
    """Draw an ensemble mean and its 95 % range; records shorter than a day as daily means."""
    time = history["time"].values
    mean = _series(history, "soil_water", cell, top, bottom)
    is_short = len(time) > 1 and time[1] - time[0] < np.timedelta64(1, "D")
    days, daily_mean = _daily(_starts(history), mean)
    if "soil_water_std" in history:
        spread = SPREAD_FACTOR * _series(history, "soil_water_std", cell, top, bottom)
        spread = _daily(_starts(history), spread)[1] if is_short else spread
    if is_short:
        time, mean = days, daily_mean
    if "soil_water_std" in history:
        axis.fill_between(time, np.maximum(mean - spread, 0.0), mean + spread, color=colour, alpha=0.2, lw=0)
    axis.plot(time, mean, style.line_of(time), color=colour, label=label)


def _draw_observations(axis: Any, assimilated: xr.Dataset | None, top: float, bottom: float) -> None:
    """Draw the assimilated observations of the panel's depth: the middle of one range lies in the other."""
    if assimilated is None:
        return
    upper, lower = assimilated["depth_top"] - _MILLIMETRE, assimilated["depth_bottom"] + _MILLIMETRE
    sensed, shown = (upper + lower) / 2.0, (top + bottom) / 2.0
    inside = ((upper <= shown) & (lower >= shown)) | ((sensed >= top - _MILLIMETRE) & (sensed <= bottom + _MILLIMETRE))
    chosen = assimilated.isel(observation=np.flatnonzero(inside & (assimilated["used"] == 1)))
    if chosen.sizes["observation"]:
        depths = np.unique(np.stack([chosen["depth_top"].values, chosen["depth_bottom"].values]), axis=1).T
        if len(depths) > 1 or np.abs(depths[0] - (top, bottom)).max() > _MILLIMETRE:
            words = ", ".join(_sensor(*depth) for depth in depths)
            axis.set_title(f"observations: {words}", loc="right", fontsize=10)
        axis.errorbar(
            chosen["observation_time"].values, chosen["value"].values, chosen["error"].values, fmt="o", ms=3.5,
            mfc="white", mec=style.OBSERVED, ecolor="#99999980", elinewidth=0.8, label="assimilated", zorder=5,
        )  # fmt: skip


_MILLIMETRE = 1.0e-3  # depth ranges of sensors and panels are compared to this precision [m]


def _assimilated(path: str | Path | None, history: xr.Dataset, cell: int) -> xr.Dataset | None:
    """Return the soil-water observations that lie nearest to a cell."""
    if path is None or not Path(path).exists():
        return None
    data = read_file(path)
    types = data["stream"].attrs["stream_types"].split()
    wanted = np.isin(data["stream"].values, [n for n, kind in enumerate(types) if kind == "soil_moisture"])
    latitude, longitude = (history[name].values.ravel() for name in ("latitude", "longitude"))
    distance = np.hypot(
        data["latitude"].values - latitude[cell],
        (data["longitude"].values - longitude[cell]) * np.cos(np.deg2rad(latitude[cell])),
    )
    if not wanted.any():
        return None
    nearest = distance <= distance[wanted].min() * (1.0 + 1e-6)
    return data.isel(observation=np.flatnonzero(wanted & nearest))


def _series(history: xr.Dataset, variable: str, cell: int, top: float, bottom: float) -> np.ndarray:
    """Return a variable of one cell at a depth or over a depth range."""
    values = history[variable]
    axis = next(str(d) for d in values.dims if d != "time" and f"{d}_bounds" in history)
    horizontal = [d for d in values.dims if d in ("y", "x", "site")]
    profile = values.transpose("time", axis, *horizontal).values
    profile = profile.reshape(*profile.shape[:2], -1)[:, :, cell]
    return at_depth(profile, history[f"{axis}_bounds"].values, top, bottom)


def _sensor(top: float, bottom: float) -> str:
    """Return the depth or the depth range of a sensor."""
    return f"{top * 100:g} cm" if top == bottom else style.depth_label(top, bottom)


def _cell_count(history: xr.Dataset) -> int:
    """Return the number of places of a history."""
    return int(np.prod([size for name, size in history["soil_water"].sizes.items() if name in ("y", "x", "site")]))


def _place_of(history: xr.Dataset, cell: int) -> str:
    """Say which cell is drawn."""
    latitude, longitude = (float(history[name].values.ravel()[cell]) for name in ("latitude", "longitude"))
    return f"One cell, at {latitude:.3f}° N, {longitude:.3f}° E".replace("-", "−")


def _starts(history: xr.Dataset) -> np.ndarray:
    """Return the start of the records."""
    return history["time_bounds"].values[:, 0]


def _shown_cell(history: xr.Dataset, observations: str | Path | None) -> int:
    """Return the cell nearest to the middle of the map where soil moisture was observed, or that is active."""
    middle = _middle_cell(history)
    nearest = _assimilated(observations, history, middle)
    if nearest is None:
        return middle
    latitude, longitude = (history[name].values.ravel() for name in ("latitude", "longitude"))
    place = (float(nearest[name][0]) for name in ("latitude", "longitude"))
    return int(np.nanargmin(np.hypot(latitude - next(place), longitude - next(place))))


def _middle_cell(history: xr.Dataset) -> int:
    """Return the active cell nearest to the middle of the map."""
    values = history["soil_water"]
    first = values.isel({d: 0 for d in values.dims if d not in ("y", "x", "site")}).values
    places = np.argwhere(np.isfinite(first))
    middle = (np.array(first.shape) - 1) / 2.0
    nearest = places[np.argmin(((places - middle) ** 2).sum(axis=1))]
    return int(np.ravel_multi_index(tuple(nearest), first.shape))


def _daily(start: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return daily means [UTC days] of a series with gaps, stamped at noon."""
    days, place = np.unique(start.astype("datetime64[D]"), return_inverse=True)
    finite = np.isfinite(values)
    count = np.bincount(place[finite], minlength=len(days))
    total = np.bincount(place[finite], weights=values[finite], minlength=len(days))
    means = np.full(len(days), np.nan)
    means[count > 0] = total[count > 0] / count[count > 0]
    return days.astype("datetime64[h]") + np.timedelta64(12, "h"), means
