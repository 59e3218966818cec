"""What the experiments of a study gain over the open loop, at stations and, in a twin experiment, everywhere."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyland.diagnose.assimilation import error_reduction
from pyland.diagnose.station_scores import SCORES, on_common_times, station_scores, station_series

CHANGES = ("ubrmse", "r", "absolute_bias")
"""Scores whose change from the open loop is stated: the first as a share, the others as a difference."""

SHOWN_DEPTHS = 3
"""Depth ranges of the table of the whole domain."""

_WORDS = {"open_loop": "open loop"}


def study_scores(
    runs: Mapping[str, Mapping[int, Path]],
    stations: Sequence[str],
    open_loop: str,
    start: np.datetime64 | None = None,
    station_names: Mapping[str, Mapping[int, str]] | None = None,
) -> dict[str, Any]:
    """Judge all runs of a study by the stations that none of them has seen.

    Parameters
    ----------
    runs : mapping of str to mapping of int to Path
        Run folders by experiment and seed, with ``analysis.nc``; of a twin experiment also with ``truth.nc`` and
        ``open_loop/history.nc``.
    stations : sequence of str
        Names of the observations that judge.
    open_loop : str
        Experiment that the others are compared with.
    start : datetime64, optional
        Times before do not count (UTC).
    station_names : mapping, optional
        Words for the places of each name.

    Returns
    -------
    dict
        ``stations``: by name ``unit``, ``places`` (words), ``latitude``, ``longitude``, ``scores`` (by run and seed,
        the list of the places for each of `SCORES`) and ``summary`` (see `summarise`). ``field``: by run and depth
        range the share of the error of the open loop that is gone [1], mean and standard deviation over seeds.
    """
    out: dict[str, Any] = {"seeds": sorted({seed for one in runs.values() for seed in one}), "runs": list(runs),
                           "open_loop": open_loop, "start": None if start is None else str(start), "stations": {}}
    for name in stations:
        words, about = (station_names or {}).get(name, {}), {}
        scores: dict[str, dict[int, Any]] = {run: {} for run in runs}
        for seed in out["seeds"]:
            found = {run: station_series(seeds[seed] / "analysis.nc", [name], start)[name]
                     for run, seeds in runs.items() if seed in seeds}
            for run, series in on_common_times(found).items():
                scores[run][seed] = station_scores(series)
                about = {"unit": series.unit, "places": [words.get(int(one), str(int(one))) for one in series.places],
                         "latitude": series.latitude, "longitude": series.longitude}
        out["stations"][name] = {**about, "scores": scores, "summary": summarise(scores, open_loop)}
    out["field"] = _field(runs, open_loop)
    return out


def summarise(scores: Mapping[str, Mapping[int, Mapping[str, np.ndarray]]], open_loop: str) -> dict[str, Any]:
    """Sum up scores over stations and seeds.

    Parameters
    ----------
    scores : mapping
        By run and seed, each score (place,).
    open_loop : str
        Run that the others are compared with.

    Returns
    -------
    dict
        By run: means of the scores over stations and seeds (``absolute_bias`` is that of the sizes), ``seeds``, and
        ``change``: for each of `CHANGES` ``value`` (mean over seeds), ``std_over_seeds`` (None for one seed) and
        ``standard_error_over_stations``, of the difference to the open loop of the same seed and stations; that of
        ubrmse is a share of the open loop's mean.
    """
    out: dict[str, Any] = {}
    for run, seeds in scores.items():
        both = [seed for seed in seeds if seed in scores[open_loop]]
        mine = [_with_size(seeds[seed]) for seed in both]
        theirs = [_with_size(scores[open_loop][seed]) for seed in both]
        out[run] = {name: float(np.mean([_mean(one[name]) for one in mine]))
                    for name in (*SCORES, "absolute_bias")}
        out[run]["seeds"] = len(both)
        out[run]["change"] = {name: _change(name, mine, theirs) for name in CHANGES} if run != open_loop else {}
    return out


def _with_size(one: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {**one, "absolute_bias": np.abs(one["bias"])}


def _change(
    name: str, mine: Sequence[Mapping[str, np.ndarray]], theirs: Sequence[Mapping[str, np.ndarray]]
) -> dict[str, float | None]:
    """Return the change of a score with its uncertainty."""
    scale = [_mean(one[name]) if name == "ubrmse" else 1.0 for one in theirs]
    difference = np.array([(a[name] - b[name]) / c for a, b, c in zip(mine, theirs, scale, strict=True)])
    by_seed, by_station = (np.array([_mean(one) for one in values]) for values in (difference, difference.T))
    known = by_station[np.isfinite(by_station)]
    return {"value": float(by_seed.mean()),
            "std_over_seeds": float(by_seed.std(ddof=1)) if by_seed.size > 1 else None,
            "standard_error_over_stations": float(known.std(ddof=1) / np.sqrt(known.size)) if known.size > 1 else None}


def _mean(values: np.ndarray) -> float:
    """Return the mean of what is finite, NaN of nothing: stations that have too few times."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")


def _field(runs: Mapping[str, Mapping[int, Path]], open_loop: str) -> dict[str, Any]:
    """Return the reduction of errors over all cells and times, where the truth is known."""
    out: dict[str, Any] = {}
    for run, seeds in runs.items():
        found = [error_reduction(folder / "truth.nc", folder / "open_loop" / "history.nc", folder / "history.nc")
                 for folder in seeds.values() if run != open_loop and (folder / "truth.nc").exists()]
        if found:
            out[run] = {
                depth: {name: float(np.mean([one[depth][name] for one in found]))
                        for name in ("rmse_open_loop", "rmse_analysis", "reduction")}
                | {"std_over_seeds": float(np.std([one[depth]["reduction"] for one in found], ddof=1))
                   if len(found) > 1 else None}
                for depth in found[0]}
    return out


def markdown(study: Mapping[str, Any]) -> str:
    """Return the tables of a study in Markdown."""
    lines: list[str] = []
    count = len(study["seeds"])
    how = f"mean over {count} seeds, ± standard deviation over seeds" if count > 1 else (
        "one seed, ± standard error over stations")
    for name, one in study["stations"].items():
        lines += [f"Stations `{name}` ({len(one['places'])}), {how}; differences are to the open loop:", "",
                  f"| run | ubRMSE [{one['unit']}] | change | R | change | bias [{one['unit']}] | mean size of bias | "
                  "change |", "|---|---|---|---|---|---|---|---|"]
        for run, mean in one["summary"].items():
            change = mean["change"]
            words = [_signed(change.get(key), percent=key == "ubrmse") for key in CHANGES]
            lines.append(f"| {_WORDS.get(run, run)} | {mean['ubrmse']:.4f} | {words[0]} | {mean['r']:.3f} | {words[1]} "
                         f"| {mean['bias']:+.4f} | {mean['absolute_bias']:.4f} | {words[2]} |")
        lines.append("")
    if study["field"]:
        depths = list(next(iter(study["field"].values())))[:SHOWN_DEPTHS]
        lines += ["All cells and days, share of the error (RMSE) of the open loop against the truth that is gone:", "",
                  f"| run | {' | '.join(depths)} |", "|---|" + "---|" * len(depths)]
        for run, one in study["field"].items():
            cells = [f"{100 * one[depth]['reduction']:.0f} %" + ("" if one[depth]["std_over_seeds"] is None else
                     f" ± {100 * one[depth]['std_over_seeds']:.0f}") for depth in depths]
            lines.append(f"| {run} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def _signed(change: Mapping[str, float | None] | None, *, percent: bool) -> str:
    """Return a change with its uncertainty, ``-21.3 ± 2.0 %``."""
    if change is None:
        return ""
    spread = change["std_over_seeds"]
    if spread is None:
        spread = change["standard_error_over_stations"]
    if percent:
        return f"{100 * change['value']:+.1f}" + ("" if spread is None else f" ± {100 * spread:.1f}") + " %"
    return f"{change['value']:+.3f}" + ("" if spread is None else f" ± {spread:.3f}")


def comma_separated(study: Mapping[str, Any]) -> str:
    """Return the scores of each station, run and seed as CSV with a header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("observations", "station", "latitude", "longitude", "run", "seed", *SCORES))
    for name, one in study["stations"].items():
        for run, seeds in one["scores"].items():
            for seed, scores in seeds.items():
                for place, word in enumerate(one["places"]):
                    writer.writerow((name, word, f"{one['latitude'][place]:.4f}", f"{one['longitude'][place]:.4f}", run,
                                     seed, *(f"{scores[key][place]:.6g}" for key in SCORES)))
    return text.getvalue()
