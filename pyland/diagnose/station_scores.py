"""Scores of a run at stations that were not assimilated: what each of them observed, and what was analysed.

The scores are those of satellite soil moisture validation (Entekhabi et al. 2010, J. Hydrometeorol. 11, 832-840; Gruber
et al. 2020, Remote Sens. Environ. 244, 111806): bias, root mean square error without bias, correlation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path

import numpy as np

from pyland.base.errors import InputError
from pyland.diagnose.analysis_file import INDEPENDENT, read_observed_ensemble

SCORES = ("ubrmse", "r", "bias", "rmse", "n")
"""Scores of a station; ``n`` is the number of times."""

LEAST_TIMES = 10
"""Fewest times of a station that is judged."""


@dataclass(frozen=True)
class StationSeries:
    """What stations observed and what a run said of it.

    Attributes
    ----------
    time : ndarray of datetime64[s], shape (obs,)
        Times of the observations (UTC).
    place : ndarray of int, shape (obs,)
        Station, a number within ``places``.
    observed, analysed, spread : ndarray, shape (obs,)
        Observation, mean of the members after the analysis of that time, and their standard deviation [``unit``].
    latitude, longitude : ndarray, shape (place,)
        Cells of the stations [degrees].
    places : ndarray of int, shape (place,)
        Identities of the stations.
    unit : str
        Of the observations.
    """

    time: np.ndarray
    place: np.ndarray
    observed: np.ndarray
    analysed: np.ndarray
    spread: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    places: np.ndarray
    unit: str


def station_series(
    analysis_file: str | Path, stations: Sequence[str], start: np.datetime64 | None = None
) -> dict[str, StationSeries]:
    """Return the series of stations of a run.

    Parameters
    ----------
    analysis_file : str or Path
        ``analysis.nc`` of the run.
    stations : sequence of str
        Names of the observations that were withheld from it.
    start : datetime64, optional
        Times before are left out (UTC).

    Returns
    -------
    dict of str to StationSeries
        By name.

    Raises
    ------
    InputError
        If the file lacks a name, or none of its observations was withheld.
    """
    data, out = read_observed_ensemble(analysis_file), {}
    time = data.values["observation_time"].astype("datetime64[s]")
    late = np.ones(data.size, bool) if start is None else time >= np.datetime64(start, "s")
    for name in stations:
        if name not in data.streams:
            raise InputError(f"{analysis_file}: expected observations '{name}', got {', '.join(data.streams)}.")
        code = data.streams.index(name)
        mine = data.of_stream(code) & data.group(INDEPENDENT) & late
        if not mine.any():
            raise InputError(f"{analysis_file}: none of the observations '{name}' was withheld from the run and lies "
                             "in the time that counts.")
        values = data.chosen(mine)
        places, first, place = np.unique(values["place"], return_index=True, return_inverse=True)
        out[name] = StationSeries(
            time[mine], place.ravel(), values["value"], values["value"] - values["residual"],
            values["posterior_spread"], values["latitude"][first], values["longitude"][first], places,
            data.units[code])
    return out


def on_common_times(series: Mapping[str, StationSeries]) -> dict[str, StationSeries]:
    """Return the series of several runs at the places and times that all of them have.

    A run may reject an observation that another does not, for instance where its ground is frozen.
    """
    keys = {name: np.rec.fromarrays([one.places[one.place], one.time.astype(np.int64)]) for name, one in series.items()}
    common = reduce(np.intersect1d, keys.values())
    out = {}
    for name, one in series.items():
        kept = np.isin(keys[name], common)
        out[name] = replace(one, **{column: getattr(one, column)[kept]
                                    for column in ("time", "place", "observed", "analysed", "spread")})
    return out


def station_scores(series: StationSeries) -> dict[str, np.ndarray]:
    """Return the scores of each station.

    Parameters
    ----------
    series : StationSeries
        Of one name.

    Returns
    -------
    dict of str to ndarray, shape (place,)
        `SCORES` by name, in the unit of the observations; NaN for stations with fewer than `LEAST_TIMES` times, and
        the correlation of a series that does not vary.

    Notes
    -----
    With d = analysed - observed: bias = mean(d), rmse = sqrt(mean(d^2)), ubrmse = sqrt(rmse^2 - bias^2), which is the
    standard deviation of d.
    """
    count = np.bincount(series.place, minlength=series.places.size)
    enough = count >= LEAST_TIMES

    def mean(values: np.ndarray) -> np.ndarray:
        sums = np.bincount(series.place, weights=values, minlength=series.places.size)
        return np.where(enough, sums, np.nan) / np.where(enough, count, 1)

    difference = series.analysed - series.observed
    bias = mean(difference)
    within = [values - mean(values)[series.place] for values in (difference, series.observed, series.analysed)]
    spread, observed, analysed = (mean(one**2) for one in within)
    product = np.sqrt(observed * analysed)
    varies = enough & (product > 0)
    correlation = np.where(varies, mean(within[1] * within[2]), np.nan) / np.where(varies, product, 1.0)
    return {"ubrmse": np.sqrt(spread), "r": correlation, "bias": bias, "rmse": np.sqrt(spread + bias**2),
            "n": count.astype(float)}
