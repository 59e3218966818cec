"""Have chains converged, and how many independent draws are they worth: R-hat, effective sizes, autocorrelation time.

References
----------
.. [1] Vehtari, A., Gelman, A., Simpson, D., Carpenter, B., and Buerkner, P.-C. (2021). Rank-normalization, folding, and
   localization: an improved R-hat for assessing convergence of MCMC. Bayesian Anal. 16, 667-718.
.. [2] Geyer, C. J. (1992). Practical Markov chain Monte Carlo. Stat. Sci. 7, 473-483 (initial monotone sequence).
.. [3] Sokal, A. (1997). Monte Carlo methods in statistical mechanics: foundations and new algorithms, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata

from pyland.assimilate import arguments
from pyland.base.errors import InputError

LEAST_DRAWS = 8
"""Generations that split chains need for a variance of each half and a lag."""

WINDOW = 5.0
"""The sum of autocorrelations ends at the first lag beyond this many autocorrelation times [3]_."""

TAILS = (0.05, 0.95)
"""Quantiles whose effective size is that of the tails [1]_."""


@dataclass(frozen=True)
class Convergence:
    """How far chains can be trusted, one number per parameter.

    Attributes
    ----------
    r_hat : numpy.ndarray, shape (parameter,)
        Rank-normalised split R-hat, the larger of that of bulk and tails; 1.01 is the usual limit [1].
    bulk_size, tail_size : numpy.ndarray, shape (parameter,)
        Effective sample sizes [1].
    autocorrelation_time : numpy.ndarray, shape (parameter,)
        Integrated autocorrelation time, mean over chains [generations].
    """

    r_hat: np.ndarray
    bulk_size: np.ndarray
    tail_size: np.ndarray
    autocorrelation_time: np.ndarray


def convergence(draws: Any) -> Convergence:
    """Judge chains.

    Parameters
    ----------
    draws : array_like, shape (draw, chain, parameter)
        Draws after the burn-in.

    Raises
    ------
    InputError
        If there are fewer draws than ``LEAST_DRAWS``.
    """
    values = arguments.to_floats("draws (draw, chain, parameter)", draws, 3)
    each = [values[..., place] for place in range(values.shape[2])]
    return Convergence(*(np.array([function(one) for one in each]) for function in (
        r_hat, bulk_size, tail_size, autocorrelation_time)))


def r_hat(draws: Any) -> float:
    """Return the rank-normalised split R-hat of one parameter, (draw, chain), eqs. 3, 14 and section 4.2 of [1]_.

    Chains that stand still, all at one value, have none: NaN.
    """
    halves = split_chains(_checked(draws))
    folded = np.abs(halves - np.median(halves))
    return float(np.fmax(_plain_r_hat(rank_normal(halves)), _plain_r_hat(rank_normal(folded))))


def bulk_size(draws: Any) -> float:
    """Return the effective sample size of the bulk of one parameter, (draw, chain) [1]."""
    return _effective_size(rank_normal(split_chains(_checked(draws))))


def tail_size(draws: Any) -> float:
    """Return the smaller effective sample size of the 5 and 95 % quantiles of one parameter, (draw, chain) [1]."""
    values = _checked(draws)
    sizes = []
    for share in TAILS:
        below = (values <= np.quantile(values, share)).astype(np.float64)
        sizes.append(_effective_size(split_chains(below)))
    return float(min(sizes))


def autocorrelation_time(draws: Any) -> float:
    """Return the integrated autocorrelation time of one parameter, (draw, chain) [draws].

    1 + 2 sum of the autocorrelations, their mean over chains, up to the first lag beyond ``WINDOW`` such times [3]_.
    """
    values = _checked(draws)
    covariance = _autocovariance(values)
    moves = covariance[0] > 0.0
    if not moves.any():
        return float("nan")
    correlation = (covariance[:, moves] / covariance[0, moves]).mean(axis=1)
    times = 2.0 * np.cumsum(correlation) - 1.0
    beyond = np.arange(len(times)) >= WINDOW * times
    return float(times[np.argmax(beyond)] if beyond.any() else times[-1])


def split_chains(values: np.ndarray) -> np.ndarray:
    """Return the first and the last half of each chain as chains of their own, (draw // 2, 2 chain)."""
    half = len(values) // 2
    return np.concatenate([values[:half], values[-half:]], axis=1)


def rank_normal(values: np.ndarray) -> np.ndarray:
    """Return the normal scores of the ranks among all draws, of one shape; ties share their mean rank."""
    ranks = rankdata(values, method="average").reshape(values.shape)
    return ndtri((ranks - 0.375) / (values.size + 0.25))


def _plain_r_hat(values: np.ndarray) -> float:
    """Return the root of the ratio of the variance of all chains to that within them."""
    count = len(values)
    between = count * values.mean(axis=0).var(ddof=1)
    within = values.var(axis=0, ddof=1).mean()
    if within == 0.0:
        return float("nan")
    return float(np.sqrt((between / within + count - 1.0) / count))


def _effective_size(values: np.ndarray) -> float:
    """Return the effective size of chains, (draw, chain), with the initial monotone sequence of [2]_."""
    count, nchain = values.shape
    if values.max() == values.min():
        return float(values.size)
    covariance = _autocovariance(values)
    mean_covariance = covariance.mean(axis=1)
    within = mean_covariance[0] * count / (count - 1.0)
    total = within * (count - 1.0) / count
    if nchain > 1:
        total += values.mean(axis=0).var(ddof=1)
    correlation = 1.0 - (within - mean_covariance) / total
    correlation[0] = 1.0
    npair = (count - 1) // 2
    pairs = correlation[: 2 * npair].reshape(-1, 2).sum(axis=1)
    negative = np.flatnonzero(pairs[1:] < 0.0)
    last = int(negative[0] + 1) if negative.size else max(npair - 1, 1)  # of the last pair there is, its half
    kept = np.minimum.accumulate(pairs[:last])
    beyond = correlation[2 * last] if 2 * last < count else 0.0
    time = -1.0 + 2.0 * kept.sum() + max(beyond, 0.0)
    least = 1.0 / np.log10(values.size)  # antithetic chains: the size is at most draws times log10(draws), as in Stan
    return float(values.size / max(time, least))


def _autocovariance(values: np.ndarray) -> np.ndarray:
    """Return the biased autocovariances of each chain by lag, (lag, chain)."""
    count = len(values)
    size = 1 << (2 * count - 1).bit_length()
    spectrum = np.fft.rfft(values - values.mean(axis=0), size, axis=0)
    return np.fft.irfft(spectrum * spectrum.conj(), size, axis=0)[:count] / count


def _checked(draws: Any) -> np.ndarray:
    """Return draws of one parameter, or say what is wrong."""
    values = arguments.to_floats("draws (draw, chain)", draws, 2)
    if len(values) < LEAST_DRAWS:
        raise InputError(f"draws: expected at least {LEAST_DRAWS} of each chain, got {len(values)}.")
    return values


__all__ = ["Convergence", "autocorrelation_time", "bulk_size", "convergence", "r_hat", "rank_normal", "split_chains",
           "tail_size"]
