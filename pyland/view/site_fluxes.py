"""A station: daily means and the mean diurnal cycle of the model beside what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.base.text import significant
from pyland.diagnose.scores import score
from pyland.diagnose.series import Series, Station, read_history, read_station
from pyland.diagnose.skill import Pairs, daily_pairs, native_pairs
from pyland.view import style

DAILY_NAMES = ("Qle", "Qh", "Rnet", "SoilMoist_5cm")
"""ALMA names of the panels of daily means."""

DIURNAL_NAMES = ("Qle", "Qh", "Rnet", "Qg")
"""ALMA names of the panels of the diurnal cycle."""


def plot_site_days(
    history: str | Path,
    station: str | Path,
    path: str | Path,
    *,
    open_loop: str | Path | None = None,
    names: Sequence[str] = DAILY_NAMES,
) -> Path:
    """Draw means over local days, with the scores in each panel.

    Parameters
    ----------
    history : str or Path
        ``history.nc`` of a run at the station.
    station : str or Path
        ALMA-like station file.
    path : str or Path
        PNG file.
    open_loop : str or Path, optional
        History without assimilation.
    names : sequence of str
        ALMA names; those that are not both modelled and observed are left out.

    Returns
    -------
    Path
        The figure.
    """
    plt = style.pyplot()
    observed, models = _read(history, station, open_loop, names)
    panels = _panels(observed, models, names, daily_pairs)
    if not panels:
        raise InputError(f"{history}: no daily value of {list(names)} is both modelled and observed in {station}.")
    figure, axes = plt.subplots(
        len(panels), 1, figsize=(style.WIDTH, 0.8 + 1.75 * len(panels)), sharex=True, squeeze=False
    )
    for axis, (name, matched) in zip(axes[:, 0], panels.items(), strict=True):
        for place, (model, pairs) in enumerate(zip(models, matched, strict=True)):
            if place == 0:
                axis.plot(pairs.start, pairs.observed, "o", ms=3, mfc="none", mec=style.OBSERVED, mew=0.9,
                          label="observed")  # fmt: skip
            axis.plot(pairs.start, pairs.model, color=_colour(place, len(models)), label=model.label)
        axis.set_title(style.label_of(name), loc="left")
        axis.set_title(_score_text(matched[-1]), loc="right", fontsize=9.5)
        axis.set_ylabel(style.unit_of(name))
        axis.margins(x=0.01)
    _legend(figure, axes[0, 0])
    start = panels[next(iter(panels))][-1].start
    covered = [pairs.start[np.isfinite(pairs.model)] for pairs in panels[next(iter(panels))]]
    first = min((days[0] for days in covered if len(days)), default=start[0])
    last = max((days[-1] for days in covered if len(days)), default=start[-1])
    style.span_of_times(axes[0, 0], np.array([first, last]))
    style.plain_dates(plt, axes[-1, 0])
    return style.save(figure, path)


def plot_diurnal_cycle(
    history: str | Path,
    station: str | Path,
    path: str | Path,
    *,
    open_loop: str | Path | None = None,
    names: Sequence[str] = DIURNAL_NAMES,
) -> Path:
    """Draw means by local hour over the points that are both modelled and observed.

    Parameters and Returns as :func:`plot_site_days`; the output interval must be shorter than a day.
    """
    plt = style.pyplot()
    observed, models = _read(history, station, open_loop, names)
    panels = _panels(observed, models, names, native_pairs)
    if not panels:
        raise InputError(f"{history}: the diurnal cycle needs an output interval of at most 3 h; set output.every.")
    columns = 2 if len(panels) > 1 else 1
    rows = -(-len(panels) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(style.WIDTH, 0.6 + 2.6 * rows), sharex=True, squeeze=False)
    for axis, (name, matched) in zip(axes.ravel(), panels.items(), strict=False):
        for place, (model, pairs) in enumerate(zip(models, matched, strict=True)):
            hour, modelled, measured = _by_hour(pairs, observed.utc_offset)
            if place == 0:
                axis.plot(hour, measured, "o-", ms=3.5, lw=1.0, mfc="white", color=style.OBSERVED, label="observed")
            axis.plot(hour, modelled, color=_colour(place, len(models)), label=model.label)
        axis.set_title(style.label_of(name), loc="left")
        axis.set_title(_score_text(matched[-1], short=True), loc="right", fontsize=9)
        axis.set_ylabel(style.unit_of(name))
        axis.axhline(0.0, color="#888888", lw=0.8, zorder=0)
        axis.set(xlim=(0, 24), xticks=range(0, 25, 6))
    for axis in axes.ravel()[len(panels) :]:
        axis.set_visible(False)
    for axis in axes[-1]:
        axis.set_xlabel("local hour")
    _legend(figure, axes[0, 0])
    return style.save(figure, path)


def _read(
    history: str | Path, station: str | Path, open_loop: str | Path | None, names: Sequence[str]
) -> tuple[Station, list[Series]]:
    """Read the observations and the models, the run itself last."""
    observed = read_station(station)
    if open_loop is None:
        return observed, [read_history(history, names)]
    return observed, [read_history(open_loop, names, label="open loop"), read_history(history, names, label="analysis")]


def _panels(observed: Station, models: list[Series], names: Sequence[str], match: Any) -> dict[str, list[Pairs]]:
    """Return the matched values of each variable that all models and the station have."""
    out = {}
    for name in names:
        matched = [match(model, observed, name) for model in models]
        complete = [pairs for pairs in matched if pairs is not None]
        if len(complete) == len(models) and score(complete[-1].model, complete[-1].observed)["n"] > 0:
            out[name] = complete
    return out


def _by_hour(pairs: Pairs, utc_offset: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return local hour at the middle of the intervals, and means of model and observations."""
    both = np.isfinite(pairs.model) & np.isfinite(pairs.observed)
    local = pairs.start[both] + np.timedelta64(int(round(utc_offset * 3600)), "s")
    second = local.astype(np.int64) % 86400
    slots, place = np.unique(second, return_inverse=True)
    count = np.bincount(place)
    step = np.median(np.diff(slots)) if len(slots) > 1 else 0.0
    modelled = np.bincount(place, weights=pairs.model[both]) / count
    measured = np.bincount(place, weights=pairs.observed[both]) / count
    return (slots + step / 2.0) / 3600.0, modelled, measured


def _colour(place: int, count: int) -> str:
    """Return the colour of a model: the run itself is the last."""
    return style.ANALYSIS if place == count - 1 else style.OPEN_LOOP


def _score_text(pairs: Pairs, *, short: bool = False) -> str:
    """Return the scores of the run in one line."""
    numbers = score(pairs.model, pairs.observed)
    error, bias = significant(numbers["rmse"], 3), significant(numbers["bias"], 2, sign=True)
    if short:
        return f"RMSE {error}, bias {bias}"
    return f"RMSE {error}   bias {bias}   r {numbers['r']:.2f}   n {numbers['n']}"


def _legend(figure: Any, axis: Any) -> None:
    """Put one legend above all panels."""
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
