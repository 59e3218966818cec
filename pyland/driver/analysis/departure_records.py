"""What an analysis leaves in ``analysis.nc`` about its observations: departures, ranks and scores."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from pyland.diagnose.ensemble_scores import crps, crps_fair
from pyland.diagnose.information import degrees_of_freedom_for_signal, effective_sample_size, likelihood_weights
from pyland.diagnose.moments import ensemble_moments
from pyland.diagnose.rank_histogram import add_observation_error, observation_ranks
from pyland.driver.analysis.filtering import Outcome
from pyland.observe import ObservationSet
from pyland.output.analysis import EnsembleRecord, ObservationRecord
from pyland.output.grid import OutputGrid

_PURPOSE = "noise of scores"
_WORD_SPAN = 2**64  # of a word of a key; times before 1970 are negative


def observation_record(outcome: Outcome, streams: Sequence[str], grid: OutputGrid) -> ObservationRecord:
    """Return what is written of the observations of one analysis.

    Parameters
    ----------
    outcome : Outcome
        What the analysis did.
    streams : sequence of str
        Names of all streams of the run, in the order of their codes.
    grid : OutputGrid
        All cells of the run.
    """
    sets = outcome.sets
    nearest = np.concatenate([one.cells[:, 0] for one in sets])
    repeat = [one.size for one in sets]
    stream = np.repeat([streams.index(one.name) for one in sets], repeat)
    return ObservationRecord(
        stream=stream,
        latitude=np.where(nearest >= 0, grid.latitude[nearest], np.nan),
        longitude=np.where(nearest >= 0, grid.longitude[nearest], np.nan),
        depth_top=np.repeat([one.top for one in sets], repeat),
        depth_bottom=np.repeat([one.bottom for one in sets], repeat),
        value=np.concatenate([one.values for one in sets]),
        error=np.sqrt(np.concatenate([one.variance for one in sets])),
        prior_mean=outcome.prior.mean(axis=0),
        prior_spread=outcome.prior.std(axis=0, ddof=1),
        posterior_mean=outcome.posterior.mean(axis=0),
        posterior_spread=outcome.posterior.std(axis=0, ddof=1),
        rejection=np.concatenate([one.flags for one in sets]),
        ensemble=_ensemble_record(outcome, stream, len(streams)),
    )


def _ensemble_record(outcome: Outcome, stream: np.ndarray, nstream: int) -> EnsembleRecord:
    """Score the members before and after the analysis; both get the same noise of the observations."""
    sets, parts = outcome.sets, []
    bounds = np.cumsum([0, *(one.size for one in sets)])
    for one, first, last in zip(sets, bounds[:-1], bounds[1:], strict=True):
        parts.append(_scores_of_set(one, outcome.prior[:, first:last], outcome.posterior[:, first:last]))
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    signal, size = _by_stream(outcome, stream, nstream)
    return EnsembleRecord(
        place=np.concatenate([one.location for one in sets]), **joined, degrees_of_freedom=signal,
        effective_sample_size=size, members=outcome.prior)


def _scores_of_set(one: ObservationSet, prior: np.ndarray, posterior: np.ndarray) -> dict[str, np.ndarray]:
    """Return rank and scores of the observations of a set, each (observation,)."""
    error = np.sqrt(one.variance)
    seen_before = add_observation_error(prior, error, _noise(one))
    seen_after = add_observation_error(posterior, error, _noise(one))
    moments = ensemble_moments(prior)
    return {
        "prior_rank": observation_ranks(seen_before, one.values, rng=_noise(one)),
        "prior_crps": crps(seen_before, one.values),
        "prior_crps_fair": crps_fair(seen_before, one.values),
        "posterior_crps": crps(seen_after, one.values),
        "posterior_crps_fair": crps_fair(seen_after, one.values),
        "prior_skewness": moments["skewness"],
        "prior_kurtosis": moments["kurtosis"],
    }


def _noise(one: ObservationSet) -> np.random.Generator:
    """Return the generator of a set, keyed by its name and time alone."""
    stamp = int(one.time.astype(np.int64)) % _WORD_SPAN
    return np.random.Generator(np.random.Philox(key=[zlib.crc32(f"{_PURPOSE} {one.name}".encode()), stamp]))


def _by_stream(outcome: Outcome, stream: np.ndarray, nstream: int) -> tuple[np.ndarray, np.ndarray]:
    """Return degrees of freedom for signal and effective sample size of each stream, NaN where nothing was used."""
    used = np.concatenate([one.used for one in outcome.sets])
    values = np.concatenate([one.values for one in outcome.sets])
    error = np.sqrt(np.concatenate([one.variance for one in outcome.sets]))
    signal, size = np.full(nstream, np.nan), np.full(nstream, np.nan)
    for code in range(nstream):
        mine = used & (stream == code)
        if mine.any():
            signal[code] = degrees_of_freedom_for_signal(outcome.posterior[:, mine].std(axis=0, ddof=1), error[mine])
            size[code] = effective_sample_size(likelihood_weights(outcome.prior[:, mine], values[mine], error[mine]))
    return signal, size
