"""Scores of the ensemble against the observations of a run: for each region, stream and group of observations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.diagnose.analysis_file import ASSIMILATED, INDEPENDENT, ObservedEnsemble, read_observed_ensemble
from pyland.diagnose.departures import departure_statistics, desroziers
from pyland.diagnose.ensemble_scores import crps_decomposition, crps_normal
from pyland.diagnose.information import degrees_of_freedom_for_signal, observed_degrees_of_freedom
from pyland.diagnose.innovation_series import innovation_autocorrelation
from pyland.diagnose.rank_histogram import add_observation_error, flatness, rank_counts
from pyland.diagnose.regions import WHOLE, Region, check_names
from pyland.diagnose.reliability import reliability_budget
from pyland.diagnose.spread import spread_error, spread_skill

GROUPS = (ASSIMILATED, INDEPENDENT)
"""Observations that the filter had seen, and those that were withheld from it."""

Scores = dict[str, Any]


def observation_scores(analysis_file: str | Path, regions: Sequence[Region] = ()) -> dict[str, dict[str, Scores]]:
    """Judge a run by its observations.

    Parameters
    ----------
    analysis_file : str or Path
        ``analysis.nc`` of a run. A file of an earlier version, without ranks and scores of the members, gives what
        means and spreads say.
    regions : sequence of Region
        Boxes to judge apart, besides the whole domain.

    Returns
    -------
    dict
        ``{region: {stream: {"type", "units", "assimilated": scores, "independent": scores}}}``; the region ``all`` is
        the whole domain; a group without observations is not there. See :func:`scores_of` for the scores.

    Raises
    ------
    InputError
        If the file is missing or none of analyses, or two regions have one name.
    """
    data = read_observed_ensemble(analysis_file)
    latitude, longitude = data.values["latitude"], data.values["longitude"]
    masks = {WHOLE: np.ones(data.size, bool)}
    masks |= {one.name: one.contains(latitude, longitude) for one in check_names(regions)}
    return {region: _scores_of_region(data, mask, region == WHOLE) for region, mask in masks.items()}


def need_observations(analysis_file: str | Path, regions: Sequence[Region]) -> None:
    """Raise InputError if a region holds no observation, used or not, and say where there are some."""
    data = read_observed_ensemble(analysis_file)
    latitude, longitude = data.values["latitude"], data.values["longitude"]
    known = np.isfinite(latitude) & np.isfinite(longitude)
    for one in regions:
        if one.contains(latitude, longitude).any():
            continue
        where = f"Region '{one.name}': no observation of {analysis_file} lies within"
        if not known.any():
            raise InputError(f"{where}; none of them has a latitude and longitude. Leave --region out.")
        south, north, west, east = (
            f"{f(axis[known]):.6g}" for axis in (latitude, longitude) for f in (np.min, np.max))
        raise InputError(f"{where}; they lie from {south} to {north} degrees north and from {west} to {east} degrees "
                         "east. Choose a box around some of them.")


def _scores_of_region(data: ObservedEnsemble, mask: np.ndarray, is_whole: bool) -> dict[str, Scores]:
    """Return the scores of all streams in a region."""
    out: dict[str, Scores] = {}
    for code, stream in enumerate(data.streams):
        out[stream] = {"type": data.types[code], "units": data.units[code]}
        for group in GROUPS:
            mine = mask & data.of_stream(code) & data.group(group)
            if mine.any():
                out[stream][group] = scores_of(data.chosen(mine), data.members, is_assimilated=group == ASSIMILATED)
        if is_whole and ASSIMILATED in out[stream]:
            out[stream][ASSIMILATED] |= _of_analyses(data, code)
    return out


def scores_of(values: Mapping[str, np.ndarray], members: int | None, *, is_assimilated: bool) -> Scores:
    """Return the scores of some observations of one stream.

    Parameters
    ----------
    values : mapping of str to numpy.ndarray, shape (obs, ...)
        As of :class:`pyland.diagnose.analysis_file.ObservedEnsemble`.
    members : int or None
        Ensemble size; None: not known.
    is_assimilated : bool
        The filter has seen these observations. Of those that it has not, O-A says nothing of the errors of the
        observations, and they add no degrees of freedom.

    Returns
    -------
    dict
        ``departures`` (:func:`departure_statistics`), ``autocorrelation`` (:func:`innovation_autocorrelation`),
        ``spread_error`` and ``spread_skill`` (:mod:`pyland.diagnose.spread`), ``reliability_budget``, and of
        assimilated ones ``desroziers`` and ``degrees_of_freedom`` (sums over all analyses, by the ensemble and by the
        departures). ``crps``: means before and after the analysis, ``normal`` that of a normal distribution, and the
        ``decomposition`` before it. ``rank_histogram``: ``counts`` and :func:`flatness`; ``moments``: means of skewness
        and kurtosis. The last two, and all of ``crps`` but ``normal``, need what earlier versions did not write.
    """
    before, after, spread, error = (values[name] for name in ("innovation", "residual", "prior_spread", "error"))
    place, step = values["place"], values["step"]
    out: Scores = {
        "departures": departure_statistics(before, after, spread, error),
        "autocorrelation": innovation_autocorrelation(before, step, place),
        "spread_error": spread_error(before, spread, error, members),
        "spread_skill": spread_skill(before, spread, error, members),
        "reliability_budget": reliability_budget(before, spread, error, members, step, place),
    }
    if is_assimilated:
        out["desroziers"] = desroziers(before, after, spread, error)
        out["degrees_of_freedom"] = {
            "ensemble": degrees_of_freedom_for_signal(values["posterior_spread"], error),
            "departures": observed_degrees_of_freedom(before, after, error),
            "per_observation": degrees_of_freedom_for_signal(values["posterior_spread"], error) / len(error),
        }
    out["crps"] = _crps(values)
    if "prior_rank" in values and members is not None:
        counts = rank_counts(values["prior_rank"], members)
        out["rank_histogram"] = {"counts": counts.tolist(), **flatness(counts)}
    if "prior_skewness" in values:
        out["moments"] = {name: _mean(values[f"prior_{name}"]) for name in ("skewness", "kurtosis")}
    return out


def _crps(values: Mapping[str, np.ndarray]) -> Scores:
    """Return means of the CRPS, its decomposition where the members are there, and that of a normal distribution."""
    total = np.hypot(values["prior_spread"], values["error"])
    normal = crps_normal(np.zeros(total.size), total, values["innovation"])
    out: Scores = {"normal": float(normal.mean())}
    for name in ("prior", "prior_fair", "posterior", "posterior_fair"):
        key = name.replace("_fair", "_crps_fair") if name.endswith("_fair") else f"{name}_crps"
        if key in values:
            out[name] = _mean(values[key])
    if "prior_members" in values:
        members = values["prior_members"].astype(np.float64).T
        seen = add_observation_error(members, values["error"])
        out["decomposition"] = crps_decomposition(seen, values["value"]).as_dict()
    return out


def _of_analyses(data: ObservedEnsemble, code: int) -> Scores:
    """Return what is known for each analysis of the whole domain: effective sample size of the members."""
    if "effective_sample_size" not in data.by_stream:
        return {}
    size = data.by_stream["effective_sample_size"][:, code]
    size = size[np.isfinite(size)]
    return {"effective_sample_size": {"mean": float(size.mean()), "least": float(size.min())}} if size.size else {}


def _mean(values: np.ndarray) -> float:
    """Return the mean of what is finite, NaN of nothing."""
    known = values[np.isfinite(values)]
    return float(known.astype(np.float64).mean()) if known.size else float("nan")
