"""Snow through a winter: mass and depth of the model and of other models beside what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pyland.base.errors import InputError
from pyland.base.text import significant
from pyland.diagnose.peers import model_label
from pyland.diagnose.scores import score
from pyland.diagnose.series import Station, read_history, read_model, read_station
from pyland.diagnose.skill import Pairs, daily_pairs
from pyland.view import style

SNOW_NAMES = ("SWE", "SnowDepth")
"""ALMA names of the panels, one row each."""

TRACE = 0.01
"""Share of the largest measured value up to which a day counts as free of snow when the time axis is chosen [1]."""


def plot_snow_series(
    runs: Sequence[tuple[str | Path, str | Path]],
    path: str | Path,
    *,
    peers: Sequence[Sequence[str | Path]] = (),
    names: Sequence[str] = SNOW_NAMES,
) -> Path:
    """Draw daily snow of runs at stations: one column per station, one row per variable.

    Parameters
    ----------
    runs : sequence of (path, path)
        ``history.nc`` of a run, and the ALMA-like station file.
    path : str or Path
        PNG file.
    peers : sequence of sequence of path
        Outputs of other models for each run, ``<station>_<model>.nc``; none if empty.
    names : sequence of str
        ALMA names; those that are not both modelled and observed at any station are left out.

    Returns
    -------
    Path
        The figure.

    Raises
    ------
    InputError
        If no snow is both modelled and observed.
    """
    plt = style.pyplot()
    others = list(peers) or [()] * len(runs)
    stations = [read_station(station) for _, station in runs]
    panels = [
        _matched(history, station_file, observed, files, names)
        for (history, station_file), observed, files in zip(runs, stations, others, strict=True)
    ]
    shown = [name for name in names if any(name in panel for panel in panels)]
    if not shown:
        places = ", ".join(str(station) for _, station in runs)
        raise InputError(f"No daily value of {list(names)} is both modelled and observed in {places}.")
    labels = sorted({label for panel in panels for one in panel.values() for label in one} - {"pyland"})
    colours = {label: style.PEERS[place % len(style.PEERS)] for place, label in enumerate(labels)}
    figure, axes = plt.subplots(
        len(shown), len(runs), figsize=(style.WIDTH, 0.7 + 2.4 * len(shown)), sharex="col", squeeze=False
    )
    for column, (observed, panel) in enumerate(zip(stations, panels, strict=True)):
        for row, name in enumerate(shown):
            axis = axes[row, column]
            if name not in panel:
                axis.set_visible(False)
                continue
            _draw(axis, panel[name], colours)
            axis.set_title(f"{observed.name}: {style.label_of(name).lower()}", loc="left")
            axis.set_ylabel(style.unit_of(name))
            axis.set_ylim(bottom=0.0)
        axes[0, column].set_xlim(*_snow_season(panel))
        for row in range(len(shown)):
            style.plain_dates(plt, axes[row, column])
    entries = {label: handle for axis in axes.ravel() for handle, label in zip(*axis.get_legend_handles_labels(),
                                                                               strict=True)}  # fmt: skip
    figure.legend(entries.values(), entries.keys(), loc="outside upper center", ncols=len(entries))
    return style.save(figure, path)


def has_snow(station: str | Path) -> bool:
    """Tell whether a station measured snow on the ground."""
    observed = read_station(station)
    series = [observed.native, *([observed.daily] if observed.daily is not None else [])]
    return any(name in one.values and np.nanmax(one.values[name], initial=0.0) > 0.0
               for one in series for name in SNOW_NAMES)  # fmt: skip


def _matched(
    history: str | Path, station_file: str | Path, observed: Station, peers: Sequence[str | Path], names: Sequence[str]
) -> dict[str, dict[str, Pairs]]:
    """Return variable to model to daily pairs, pyland last, for the variables that pyland has."""
    models = [read_model(path, model_label(path, station_file)) for path in peers]
    models.append(read_history(history, names, label="pyland"))
    out = {}
    for name in names:
        pairs = {model.label: found for model in models if (found := daily_pairs(model, observed, name)) is not None}
        if "pyland" in pairs and score(pairs["pyland"].model, pairs["pyland"].observed)["n"] > 0:
            out[name] = pairs
    return out


def _draw(axis, matched: dict[str, Pairs], colours: dict[str, str]) -> None:  # noqa: ANN001
    """Draw one panel: other models thin, pyland over them, measurements as a black line of points."""
    for label, pairs in matched.items():
        if label != "pyland":
            axis.plot(pairs.start, pairs.model, color=colours[label], lw=1.1, label=label)
    mine = matched["pyland"]
    axis.plot(mine.start, mine.model, color=style.ANALYSIS, lw=2.2, label="pyland")
    measured = np.isfinite(mine.observed)
    axis.plot(mine.start[measured], mine.observed[measured], ".", ms=3, color=style.OBSERVED, label="observed")
    numbers = score(mine.model, mine.observed)
    error, bias = significant(numbers["rmse"], 2), significant(numbers["bias"], 1, sign=True)
    axis.set_title(f"pyland: RMSE {error}, bias {bias}", loc="right", fontsize=9)


def _snow_season(panel: dict[str, dict[str, Pairs]]) -> tuple[np.datetime64, np.datetime64]:
    """Return the first and last day with snow, modelled by pyland or measured, and a week on both sides."""
    mine = [matched["pyland"] for matched in panel.values()]
    white = [one.start[np.fmax(one.model, one.observed) > TRACE * np.nanmax(one.observed)] for one in mine]
    days = np.concatenate(white) if any(one.size for one in white) else mine[0].start
    week = np.timedelta64(7, "D")
    return days.min() - week, days.max() + week
