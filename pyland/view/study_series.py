"""Series of stations of a study: what they observed, open loop and experiments, and the rain that fell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyland.diagnose.records import read_file
from pyland.diagnose.station_scores import StationSeries, station_series
from pyland.view import style

SHOWN_STATIONS = 3
"""Stations of a figure: those with the least, the median and the largest ubRMSE of the open loop."""

LONGEST_STEP = 3
"""Usual steps of a series over which its line goes on."""

_DAY = 86400.0  # [s]


def plot_station_series(
    runs: Mapping[str, Path],
    stations: str,
    path: str | Path,
    *,
    start: np.datetime64 | None = None,
    names: Sequence[str] = (),
) -> Path:
    """Draw the series of some stations.

    Parameters
    ----------
    runs : mapping of str to Path
        Run folders by name, the open loop first.
    stations : str
        Name of the observations.
    path : str or Path
        PNG file.
    start : datetime64, optional
        Times before are left out (UTC).
    names : sequence of str
        Words for the stations.

    Returns
    -------
    Path
        The figure. Bars of precipitation need ``precipitation`` in ``output.variables``.
    """
    plt = style.pyplot()
    series = {name: station_series(folder / "analysis.nc", [stations], start)[stations]
              for name, folder in runs.items()}
    first = next(iter(series.values()))
    chosen = _chosen(first)
    rain = _rain(next(iter(runs.values())) / "history.nc", first, start)
    figure, axes = plt.subplots(len(chosen), 1, figsize=(style.WIDTH, 0.9 + 2.3 * len(chosen)), sharex=True,
                                squeeze=False)
    unit = style.unit_sign(first.unit)
    colours = (style.OPEN_LOOP, style.ANALYSIS, *style.PEERS)
    for axis, place in zip(axes[:, 0], chosen, strict=True):
        for (name, one), colour in zip(series.items(), colours, strict=False):
            mine = one.place == place
            axis.plot(*_with_gaps(one.time[mine], one.analysed[mine]), color=colour, lw=1.3,
                      label=name.replace("_", " "))
        mine = first.place == place
        axis.plot(first.time[mine], first.observed[mine], "o", ms=2.2, mfc="none", mec=style.OBSERVED, mew=0.6,
                  label="station", zorder=4)
        axis.set_title(_title(first, place, names), loc="left")
        axis.set_ylabel(f"{stations} [{unit}]")
        axis.margins(x=0.01)
        if rain is not None:
            _draw_rain(axis, *rain, place)
    style.legend_above(figure, axes[:, 0])
    style.plain_dates(plt, axes[-1, 0])
    return style.save(figure, path)


def _with_gaps(time: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a series, sorted, with NaN where the next time is more than `LONGEST_STEP` usual steps away."""
    order = np.argsort(time)
    time, values = time[order], values[order]
    if time.size < 3:
        return time, values
    steps = np.diff(time)
    gaps = np.flatnonzero(steps > LONGEST_STEP * np.median(steps)) + 1
    return np.insert(time, gaps, time[gaps - 1] + np.median(steps)), np.insert(values, gaps, np.nan)


def _chosen(series: StationSeries) -> list[int]:
    """Return the stations with the least, the median and the largest error."""
    difference = series.analysed - series.observed
    error = np.array([difference[series.place == place].std() for place in range(series.places.size)])
    order = np.argsort(error)
    return sorted({int(order[k]) for k in np.linspace(0, order.size - 1, min(SHOWN_STATIONS, order.size)).astype(int)})


def _title(series: StationSeries, place: int, names: Sequence[str]) -> str:
    word = names[place] if place < len(names) else str(series.places[place])
    return f"{word}, {series.latitude[place]:.2f}° N, {series.longitude[place]:.2f}° E".replace("-", "−")


def _rain(history: Path, series: StationSeries, start: np.datetime64 | None) -> tuple[np.ndarray, np.ndarray] | None:
    """Return middles of records and precipitation at the stations, (time, place) [mm per day]."""
    data = read_file(history)
    if "precipitation" not in data:
        return None
    if start is not None:
        data = data.isel(time=data["time_bounds"].values[:, 0] >= start)
    latitude, longitude = (data[name].values.ravel() for name in ("latitude", "longitude"))
    cell = [int(np.nanargmin(np.hypot(latitude - a, longitude - b)))
            for a, b in zip(series.latitude, series.longitude, strict=True)]
    values = data["precipitation"].values.reshape(data.sizes["time"], -1)[:, cell]
    bounds = data["time_bounds"].values
    return bounds[:, 0] + (bounds[:, 1] - bounds[:, 0]) // 2, values * _DAY


def _draw_rain(axis: Any, time: np.ndarray, rain: np.ndarray, place: int) -> None:
    """Draw bars from the top of a panel."""
    twin = axis.twinx()
    width = float((time[1] - time[0]) / np.timedelta64(1, "D")) if time.size > 1 else 1.0
    twin.bar(time, rain[:, place], width=width, color=style.PEERS[2], alpha=0.75, zorder=0)
    twin.set_ylim(3.0 * max(float(np.nanmax(rain)), 1.0), 0.0)
    twin.set_ylabel("rain [mm d$^{-1}$]")
    twin.grid(False)
    twin.spines["right"].set_visible(True)
    axis.set_zorder(twin.get_zorder() + 1)
    axis.patch.set_visible(False)
