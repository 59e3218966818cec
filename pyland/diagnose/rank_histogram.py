"""Ranks of observations among the members of an ensemble: flat if the observation could be one of them.

References
----------
.. [1] Hamill, T. M. (2001). Interpretation of rank histograms for verifying ensemble forecasts. Mon. Wea. Rev. 129,
   550-560.
.. [2] Delle Monache, L., Hacker, J. P., Zhou, Y., Deng, X., Stull, R. B. (2006). Probabilistic aspects of
   meteorological and ozone regional ensemble forecasts. J. Geophys. Res. 111, D24307.
.. [3] Jolliffe, I. T., Primo, C. (2008). Evaluating rank histograms using decompositions of the chi-square test
   statistic. Mon. Wea. Rev. 136, 2133-2139.
.. [4] Candille, G., Talagrand, O. (2005). Evaluation of probabilistic prediction systems for a scalar variable.
   Q. J. R. Meteorol. Soc. 131, 2131-2150.
.. [5] Cochran, W. G. (1954). Some methods for strengthening the common chi-square tests. Biometrics 10, 417-451.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from pyland.base.errors import InputError
from pyland.diagnose.ensemble_arguments import ensemble_and_observations

UNRANKED = -1
"""Rank where the observation or a member is not finite."""

LEAST_EXPECTED = 5.0
"""Observations that a bin must expect for the chi-square distribution to hold [5]_."""


def add_observation_error(
    predicted: ArrayLike, error: ArrayLike, rng: np.random.Generator | int = 0
) -> np.ndarray:
    """Turn predictions of the truth into predictions of an observation, which has an error [1]_.

    Parameters
    ----------
    predicted : array_like, shape (member, obs)
        What the members predict.
    error : array_like, shape (obs,) or float
        Standard deviation of the observation error [unit of the observation].
    rng : numpy.random.Generator or int
        Draws the normal noise; an int is a seed.

    Returns
    -------
    numpy.ndarray, shape (member, obs)
        In ascending order of the predictions without noise: the draws go to the sorted members, so that the order of
        the members is no matter.

    Raises
    ------
    InputError
        If shapes do not fit or an error is negative.
    """
    members = np.asarray(predicted, dtype=np.float64)
    columns = members.shape[1] if members.ndim == 2 else -1
    members, _, width = ensemble_and_observations(members, np.zeros(max(columns, 0)), error)
    noise = np.random.default_rng(rng).standard_normal(members.shape[::-1]).T  # observation by observation
    return np.sort(members, axis=0) + width * noise


def observation_ranks(
    predicted: ArrayLike,
    observed: ArrayLike,
    error: ArrayLike | None = None,
    rng: np.random.Generator | int = 0,
) -> np.ndarray:
    """Return the rank of each observation among the members.

    Parameters
    ----------
    predicted : array_like, shape (member, obs)
        What the members predict [unit of the observation].
    observed : array_like, shape (obs,)
        Observed values.
    error : array_like, shape (obs,) or float, optional
        Standard deviation of the observation error, drawn for each member; without it the observation is the truth,
        or the error is in the predictions already.
    rng : numpy.random.Generator or int
        Draws the noise and the rank among members that equal the observation; an int is a seed.

    Returns
    -------
    numpy.ndarray of int, shape (obs,)
        Number of members below the observation, 0 to the number of members; ``UNRANKED`` where the observation or a
        member is not finite. Among members equal to the observation all ranks are equally likely.

    Raises
    ------
    InputError
        If shapes do not fit or an error is negative.
    """
    members, values, width = ensemble_and_observations(predicted, observed, error)
    generator = np.random.default_rng(rng)
    if width is not None:
        members = add_observation_error(members, width, generator)
    below, equal = (members < values).sum(axis=0), (members == values).sum(axis=0)
    ranks = below + generator.integers(0, equal, endpoint=True)
    return np.where(np.isfinite(values) & np.isfinite(members).all(axis=0), ranks, UNRANKED)


def rank_counts(ranks: ArrayLike, members: int) -> np.ndarray:
    """Count the observations of each rank.

    Parameters
    ----------
    ranks : array_like of int
        Ranks from :func:`observation_ranks`; those below 0 are left out.
    members : int
        Ensemble size.

    Returns
    -------
    numpy.ndarray of int, shape (members + 1,)
        Counts.

    Raises
    ------
    InputError
        If a rank is larger than the ensemble.
    """
    values = np.asarray(ranks, dtype=np.int64).ravel()
    values = values[values >= 0]
    if values.size and values.max() > members:
        raise InputError(f"Rank histogram: expected ranks of at most {members}, the ensemble size, got {values.max()}.")
    return np.bincount(values, minlength=members + 1)


def flatness(counts: ArrayLike) -> dict[str, float | int]:
    """Test whether a rank histogram is flat.

    Parameters
    ----------
    counts : array_like of int, shape (members + 1,)
        From :func:`rank_counts`.

    Returns
    -------
    dict
        ``n``, observations; ``chi2`` of the counts against equal ones and its ``p_value`` (NaN where a bin expects
        fewer than ``LEAST_EXPECTED``); ``delta``, chi2 by its expectation, 1 for a reliable ensemble [4]_;
        ``slope`` and ``convexity``, the parts of chi2 that a line and a parabola explain, as standard normal numbers
        [3]_: a slope above 0 is an ensemble below the observations, a convexity above 0 one that is too narrow, below 0
        one that is too wide; ``reliability_index``, the sum of the deviations from equal shares [2]_, and
        ``reliability_index_flat``, what sampling alone gives.

    Notes
    -----
    The distributions are those of independent observations. Observations of one time see the same errors: with many
    of them the test rejects what is flat enough. Judge then by ``reliability_index``.
    """
    seen = np.asarray(counts, dtype=np.float64)
    if seen.ndim != 1 or seen.size < 2 or (seen < 0.0).any():
        raise InputError(f"Rank histogram: expected counts of at least 2 ranks, got shape {seen.shape}.")
    total, bins = float(seen.sum()), seen.size
    names = ("chi2", "p_value", "delta", "slope", "convexity", "reliability_index", "reliability_index_flat")
    if total == 0.0:
        return {"n": 0, **dict.fromkeys(names, float("nan"))}
    expected = total / bins
    deviation = (seen - expected) / np.sqrt(expected)
    chi2 = float(deviation @ deviation)
    line, parabola = _contrasts(bins)
    share = 1.0 / bins
    return {
        "n": int(total),
        "chi2": chi2,
        "p_value": float(chdtrc(bins - 1, chi2)) if expected >= LEAST_EXPECTED else float("nan"),
        "delta": chi2 / (bins - 1),
        "slope": float(deviation @ line),
        "convexity": float(deviation @ parabola) if bins > 2 else float("nan"),
        "reliability_index": float(np.abs(seen / total - share).sum()),
        "reliability_index_flat": float(bins * np.sqrt(2.0 * share * (1.0 - share) / (np.pi * total))),
    }


def _contrasts(bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the normalised line and the parabola orthogonal to it and to a constant; zeros for 2 bins."""
    place = np.arange(bins) - 0.5 * (bins - 1)
    parabola = place**2 - np.mean(place**2)
    size = np.linalg.norm(parabola)
    return place / np.linalg.norm(place), parabola / size if bins > 2 else parabola
