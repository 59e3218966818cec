"""Skill of a gridded run at many stations: means over records, scores in rows, medians over stations."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

SCORES = ("rmse", "bias", "ubrmse", "r", "n", "mean_obs", "std_obs")
"""Scores of a row, in the order of tables."""


@dataclass(frozen=True)
class StationPlace:
    """A station and the cell that it is compared with.

    Attributes
    ----------
    station : str
        Its name.
    latitude, longitude : float
        Of the station [degrees].
    cell : int
        Place of the cell in the flattened grid.
    distance_km : float
        From the station to the middle of the cell [km].
    """

    station: str
    latitude: float
    longitude: float
    cell: int
    distance_km: float


def station_row(
    place: StationPlace, variable: str, units: str, step: str, found: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a row of the table of stations from a score of `pyland.diagnose.scores.score`."""
    spread = found["rmse"] ** 2 - found["bias"] ** 2
    values = {**found, "ubrmse": math.sqrt(max(spread, 0.0)) if math.isfinite(spread) else math.nan}
    return {**asdict(place), "variable": variable, "units": units, "step": step,
            **{name: values[name] for name in SCORES}}


def record_means(
    time: np.ndarray, value: np.ndarray, start: np.ndarray, end: np.ndarray
) -> np.ndarray:
    """Return the mean of observations in each record of a run.

    Parameters
    ----------
    time : numpy.ndarray of datetime64, shape (obs,)
        Times of the observations, UTC.
    value : numpy.ndarray, shape (obs,)
        Values; those that are not finite do not count.
    start, end : numpy.ndarray of datetime64, shape (record,)
        Bounds of the records, ascending; an observation at the end belongs to the record, one at its start to the one
        before.

    Returns
    -------
    numpy.ndarray, shape (record,)
        NaN where nothing was observed.
    """
    stamp, first, last = (np.asarray(one).astype("datetime64[s]") for one in (time, start, end))
    place = np.minimum(np.searchsorted(last, stamp, side="left"), len(last) - 1)
    known = np.isfinite(value) & (stamp > first[place]) & (stamp <= last[place])
    count = np.bincount(place[known], minlength=len(last))
    total = np.bincount(place[known], weights=value[known], minlength=len(last))
    return np.where(count > 0, total, np.nan) / np.maximum(count, 1)




def medians(rows: Iterable[Mapping[str, Any]], least: int) -> list[dict[str, Any]]:
    """Return the median of the scores over stations, for each variable and step.

    Parameters
    ----------
    rows : iterable of mapping
        From `station_row`.
    least : int
        Fewest points of a station that counts.

    Returns
    -------
    list of dict
        ``variable``, ``step``, ``stations`` (that count), and the median of each score; NaN without stations. A score
        that a station does not have, such as the correlation of a constant, is left out.
    """
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["variable"], row["step"]), []).append(row)
    out = []
    for (variable, step), members in groups.items():
        counted = [row for row in members if row["n"] >= least]
        out.append({"variable": variable, "step": step, "stations": len(counted),
                    **{name: _median([row[name] for row in counted]) for name in SCORES}})
    return out


def _median(values: Sequence[float]) -> float:
    known = [value for value in values if math.isfinite(value)]
    return float(np.median(known)) if known else math.nan


__all__ = ["SCORES", "StationPlace", "medians", "record_means", "station_row"]
