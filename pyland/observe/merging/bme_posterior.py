"""Posterior of a Gaussian field given hard, Gaussian soft and interval soft data, many targets at once.

With a mean and a covariance as general knowledge the prior of maximum entropy is Gaussian. Hard data are values,
Gaussian soft data values with an error variance, interval soft data bounds. The posterior of a target x_k,

    f(x_k) = 1/A  integral f_S(x_s) f_G(x_h, x_s, x_k) dx_s,

is closed for hard and Gaussian data: kriging with the error variances on the diagonal. Given those, targets and points
with intervals are jointly Gaussian, and the intervals cut that distribution: exactly for one interval, by the
sequential conditioning of Genz with quasi-random points for several.

References
----------
.. [1] Christakos, G. (2000). Modern Spatiotemporal Geostatistics. Oxford University Press, ch. 5-7.
.. [2] He, J., Kolovos, A. (2018). Bayesian maximum entropy approach and its applications: a review. Stoch. Environ.
   Res. Risk Assess. 32, 859-877.
.. [3] Genz, A. (1992). Numerical computation of multivariate normal probabilities. J. Comput. Graph. Stat. 1, 141-149.
.. [4] Genz, A., Bretz, F. (2009). Computation of Multivariate Normal and t Probabilities. Springer, sec. 4.1-4.2.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import log_ndtr, ndtri_exp

from pyland.base.errors import InputError

SHIFTS = 8
"""Random shifts of the quasi-random points; their scatter is the stated accuracy."""

POINTS = 128
"""Quasi-random points of each shift."""

_TARGETS_AT_ONCE = 512  # of the sampling: some 20 MB for each array with four intervals
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71)
_PURPOSE = 0x626D6500  # keeps these numbers apart from others of one seed
_LOG_HALF_PI = 0.5 * np.log(2.0 * np.pi)


class Conditioned(NamedTuple):
    """Gaussian distribution of some points given data, for each target of a batch.

    Attributes
    ----------
    mean : ndarray, shape (target, point)
        Means of the anomalies [unit].
    covariance : ndarray, shape (target, point, point)
        Covariances [unit2].
    weights : ndarray, shape (target, point, datum)
        Weights of the data in the means [1].
    """

    mean: np.ndarray
    covariance: np.ndarray
    weights: np.ndarray


class TruncatedMoments(NamedTuple):
    """Moments of a Gaussian distribution within bounds.

    Attributes
    ----------
    mean : ndarray, shape (target, point)
        Means [unit].
    covariance : ndarray, shape (target, point, point)
        Covariances [unit2].
    error : ndarray, shape (target, point)
        Standard errors of the means by sampling [unit]; zero where the moments are exact.
    """

    mean: np.ndarray
    covariance: np.ndarray
    error: np.ndarray


def condition(anomalies: np.ndarray, variance: np.ndarray, among_data: np.ndarray, to_points: np.ndarray,
              among_points: np.ndarray) -> Conditioned:
    """Condition points on hard and Gaussian soft data: simple kriging with error variances.

    Parameters
    ----------
    anomalies : ndarray, shape (target, datum)
        Data minus their prior means [unit]; NaN: there is no datum in this slot.
    variance : ndarray, shape (target, datum)
        Error variances [unit2]; 0: hard.
    among_data : ndarray, shape (target, datum, datum)
        Prior covariances of the field at the data [unit2].
    to_points : ndarray, shape (target, datum, point)
        Prior covariances between data and points [unit2].
    among_points : ndarray, shape (target, point, point)
        Prior covariances of the points [unit2].

    Returns
    -------
    Conditioned

    Raises
    ------
    InputError
        If the data of a target contradict each other: two hard data at one place and time.
    """
    there = np.isfinite(anomalies)
    both = there[:, :, None] & there[:, None, :]
    size = anomalies.shape[1]
    system = np.where(both, among_data, 0.0)
    diagonal = np.arange(size)
    # an empty slot is a datum of its own that is linked to nothing
    system[:, diagonal, diagonal] = np.where(there, system[:, diagonal, diagonal] + variance, 1.0)
    right = np.where(there[:, :, None], to_points, 0.0)
    deviation = np.sqrt(np.einsum("tii->ti", system))
    same = system >= (1.0 - 4.0 * np.finfo(float).eps) * deviation[:, :, None] * deviation[:, None, :]
    same[:, diagonal, diagonal] = False
    if same.any():
        raise InputError("bme: the system of a target is singular. Two hard data (sigma 0) of one place and time were "
                         "given; leave one out or give them a sigma.")
    weights = np.linalg.solve(system, right)
    mean = np.einsum("tdp,td->tp", weights, np.where(there, anomalies, 0.0))
    covariance = among_points - np.einsum("tdp,tdq->tpq", weights, right)
    return Conditioned(mean, covariance, np.swapaxes(weights, 1, 2))


def truncated_moments(mean: np.ndarray, covariance: np.ndarray, lower: np.ndarray, upper: np.ndarray,
                      seed: int = 0) -> TruncatedMoments:
    """Return the moments of Gaussian variables that lie within bounds.

    Parameters
    ----------
    mean : ndarray, shape (target, point)
        Means [unit].
    covariance : ndarray, shape (target, point, point)
        Covariances [unit2], positive definite.
    lower, upper : ndarray, shape (target, point)
        Bounds [unit]; infinite: none.
    seed : int, optional
        Seed of the random shifts.

    Returns
    -------
    TruncatedMoments

    Raises
    ------
    InputError
        If a lower bound is not below its upper bound, or there are more than 20 points.

    Notes
    -----
    One point: exact [1]_. Several: :data:`SHIFTS` shifts of :data:`POINTS` points of the Richtmyer lattice through the
    sequential conditioning of [3]_, whose products of conditional probabilities weigh the points; the standard error
    comes from the scatter of the shifts [4]_. The shifts are counter-based and the same for all targets: a target
    depends on its own data only. All is done with logarithms of probabilities, so that bounds may lie any number of
    standard deviations away.
    """
    if not (lower < upper).all():
        first = np.argwhere(~(lower < upper))[0]
        raise InputError(f"bme: the lower bound of an interval must be below its upper bound, got "
                         f"{lower[tuple(first)]} and {upper[tuple(first)]}.")
    points = mean.shape[1]
    if points > len(_PRIMES):
        raise InputError(f"bme: at most {len(_PRIMES)} interval data may act on one target, got {points}.")
    if points == 1:
        deviation = np.sqrt(covariance[:, 0, 0])
        first, second = _one_interval((lower[:, 0] - mean[:, 0]) / deviation, (upper[:, 0] - mean[:, 0]) / deviation)
        return TruncatedMoments((mean[:, 0] + deviation * first)[:, None],
                                (covariance[:, 0, 0] * second)[:, None, None], np.zeros_like(mean))
    given = (mean, covariance, lower, upper)
    parts = [_several_intervals(*(one[begin:begin + _TARGETS_AT_ONCE] for one in given), seed)
             for begin in range(0, max(len(mean), 1), _TARGETS_AT_ONCE)]
    return TruncatedMoments(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def target_posterior(given: Conditioned, lower: np.ndarray, upper: np.ndarray,
                     seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean and variance of targets given bounds of the points beside them.

    Parameters
    ----------
    given : Conditioned
        Distribution of points with intervals, and of the target as the last point, given hard and Gaussian data.
    lower, upper : ndarray, shape (target, point - 1)
        Bounds of the anomalies [unit].
    seed : int, optional
        Seed of `truncated_moments`.

    Returns
    -------
    mean, variance, error : ndarray, shape (target,)
        Moments of the target [unit, unit2], and the standard error of the mean by sampling [unit].
    """
    within = given.covariance[:, :-1, :-1]
    cross = given.covariance[:, :-1, -1]
    slope = np.linalg.solve(within, cross[:, :, None])[:, :, 0]
    cut = truncated_moments(given.mean[:, :-1], within, lower, upper, seed)
    mean = given.mean[:, -1] + np.einsum("tp,tp->t", slope, cut.mean - given.mean[:, :-1])
    variance = (given.covariance[:, -1, -1] - np.einsum("tp,tp->t", slope, cross)
                + np.einsum("tp,tpq,tq->t", slope, cut.covariance, slope))
    return mean, variance, np.sqrt(np.einsum("tp,tp->t", slope**2, cut.error**2))


def _log_probability(lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Return log(Phi(upper) - Phi(lower)); the caller has turned bounds above zero to the other side."""
    high = log_ndtr(upper)
    return high + np.log1p(-np.exp(log_ndtr(lower) - high))


def _turned(lower: np.ndarray, upper: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return bounds mirrored where both are above zero, and the sign: small probabilities are exact on the left."""
    mirror = lower > 0
    return np.where(mirror, -upper, lower), np.where(mirror, -lower, upper), np.where(mirror, -1.0, 1.0)


def _one_interval(lower: np.ndarray, upper: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance of a standard normal variable within bounds [1]."""
    low, high, sign = _turned(lower, upper)
    log_mass = _log_probability(low, high)

    def edge(bound: np.ndarray) -> np.ndarray:
        finite = np.where(np.isfinite(bound), bound, 0.0)
        return np.where(np.isfinite(bound), np.exp(-0.5 * finite**2 - _LOG_HALF_PI - log_mass), 0.0)

    at_low, at_high = edge(low), edge(high)
    first = at_low - at_high
    second = 1.0 + np.where(np.isfinite(low), low, 0.0) * at_low - np.where(np.isfinite(high), high, 0.0) * at_high
    spread = second - first**2
    # round-off leaves nothing of the difference in narrow or far intervals: there the density is exponential in a box
    return sign * np.clip(first, low, high), np.where(_is_narrow(low, high), _box_variance(low, high), spread)


def _is_narrow(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return where the closed variance loses its digits: a tail, or a width below 1e-2 standard deviations."""
    return (high - low < 1e-2) | (high < -6.0)


def _box_variance(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the variance of a normal variable in a narrow box or a tail by quadrature over its main part.

    Gauss-Legendre with 40 points over the box, cut where the density has fallen to exp(-50) of that at ``high``.
    """
    node, weight = np.polynomial.legendre.leggauss(40)
    top = np.where(np.isfinite(high), high, 0.0)
    width = np.minimum(top - np.where(np.isfinite(low), low, -np.inf), 50.0 / np.maximum(np.abs(top), 1.0))
    below = 0.5 * width[..., None] * (1.0 - node)
    density = weight * np.exp(below * top[..., None] - 0.5 * below**2)  # relative to that at the upper bound
    density /= density.sum(axis=-1, keepdims=True)
    centre = (density * below).sum(axis=-1, keepdims=True)
    return (density * (below - centre) ** 2).sum(axis=-1)


def _shifts(seed: int, points: int) -> np.ndarray:
    key = np.array([seed % 2**64, _PURPOSE], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key)).random((SHIFTS, 1, points))


def _several_intervals(mean: np.ndarray, covariance: np.ndarray, lower: np.ndarray, upper: np.ndarray,
                       seed: int) -> TruncatedMoments:
    targets, points = mean.shape
    lattice = np.arange(1, POINTS + 1)[:, None] * np.sqrt(np.array(_PRIMES[:points], float))
    uniform = np.abs(2.0 * ((lattice + _shifts(seed, points)) % 1.0) - 1.0)  # (shift, sample, point), tent-transformed
    uniform = np.clip(uniform, np.finfo(float).tiny, 1.0)
    factor = np.linalg.cholesky(covariance)
    normal = np.zeros((targets, SHIFTS, POINTS, points))
    log_weight = np.zeros((targets, SHIFTS, POINTS))
    for point in range(points):
        shift = np.einsum("tj,tsnj->tsn", factor[:, point, :point], normal[..., :point])
        scale = factor[:, point, point][:, None, None]
        low = ((lower - mean)[:, point, None, None] - shift) / scale
        high = ((upper - mean)[:, point, None, None] - shift) / scale
        low, high, sign = _turned(low, high)
        log_mass = _log_probability(low, high)
        log_weight += log_mass
        drawn = ndtri_exp(np.minimum(np.logaddexp(log_ndtr(low), np.log(uniform[..., point]) + log_mass), 0.0))
        normal[..., point] = sign * np.clip(drawn, low, high)
    sample = mean[:, None, None, :] + np.einsum("tij,tsnj->tsni", factor, normal)
    weight = np.exp(log_weight - log_weight.max(axis=(1, 2), keepdims=True))
    share = weight / weight.sum(axis=(1, 2), keepdims=True)
    centre = np.einsum("tsn,tsni->ti", share, sample)
    away = sample - centre[:, None, None, :]
    spread = np.einsum("tsn,tsni,tsnj->tij", share, away, away)
    # a ratio estimator: deviations of the sums of single shifts, over the mean sum of weights
    single = SHIFTS * np.einsum("tsn,tsni->tsi", share, away)
    return TruncatedMoments(centre, spread, single.std(axis=1, ddof=1) / np.sqrt(SHIFTS))
