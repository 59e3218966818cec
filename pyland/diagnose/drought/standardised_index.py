"""Standardised indices of monthly sums: SPI of precipitation, SPEI of precipitation less potential evapotranspiration.

References
----------
.. [1] McKee, T. B., Doesken, N. J., Kleist, J. (1993). The relationship of drought frequency and duration to time
   scales. 8th Conference on Applied Climatology, 179-184.
.. [2] Thom, H. C. S. (1966). Some methods of climatological analysis. WMO Technical Note 81: the gamma distribution.
.. [3] Vicente-Serrano, S. M., Begueria, S., Lopez-Moreno, J. I. (2010). A multiscalar drought index sensitive to global
   warming: the SPEI. J. Climate 23, 1696-1718.
.. [4] Begueria, S., Vicente-Serrano, S. M., Reig, F., Latorre, B. (2014). SPEI revisited. Int. J. Climatol. 34,
   3001-3023: unbiased probability-weighted moments.
.. [5] Hosking, J. R. M., Wallis, J. R. (1997). Regional frequency analysis. Cambridge University Press: A.7 generalized
   logistic, A.9 Pearson type III.
.. [6] Stagge, J. H., Tallaksen, L. M., Gudmundsson, L., Van Loon, A. F., Stahl, K. (2015). Candidate distributions for
   climatological drought indices (SPI and SPEI). Int. J. Climatol. 35, 4027-4040: the centre of the mass of zeros.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammainc, gammaln, ndtr, ndtri

from pyland.base.errors import InputError
from pyland.diagnose.drought.monthly import MONTHS, accumulate, calendar_month, calibration_months, check_months

LEAST_YEARS = 4
"""Values from which three moments can be told; a distribution of fewer is not fitted."""

LARGEST = 3.09
"""Bound of the indices [1], a probability of 0.1 %: thirty years say nothing of rarer months."""

ZEROS = ("share", "centre")
"""Probability of a sum of 0 where a share q of the sums is 0: q [1]_, or q/2, the centre of their mass [6]_."""

_NEARLY_NORMAL = 1.0e-6  # L-skewness below which the limit of the three-parameter distributions is taken

Array = NDArray[Any]


@dataclass(frozen=True)
class _Sample:
    """Values of one calendar month, shape (year, cell), and which of them calibrate, in each cell."""

    values: Array
    counts: Array


def spi(
    precipitation: ArrayLike,
    months: ArrayLike,
    scale: int,
    *,
    distribution: str = "gamma",
    calibration: tuple[int, int] | None = None,
    zeros: str = "share",
) -> Array:
    """Compute the Standardised Precipitation Index [1]_.

    Parameters
    ----------
    precipitation : array_like, shape (month, ...)
        Precipitation [kg m-2 per month].
    months : array_like of datetime64, shape (month,)
        Months, one after the other.
    scale : int
        Months that are added up.
    distribution : {"gamma", "pearson3"}
        What is fitted to the sums above 0 of each calendar month; the share of zeros stands apart.
    calibration : tuple of int, optional
        First and last year that are fitted; all without it.
    zeros : {"share", "centre"}
        What a month without rain gets, see ``ZEROS``. With ``share`` it is above 0 where most of the months are dry.

    Returns
    -------
    numpy.ndarray, shape (month, ...)
        Standard normal [1], within +-3.09; NaN in the first ``scale - 1`` months, and where fewer than four values or
        only equal ones can be fitted.

    Raises
    ------
    InputError
        If shapes, scale, distribution or calibration do not fit, or precipitation is negative.
    """
    rain = np.asarray(precipitation, float)
    if (rain < 0.0).any():
        raise InputError(f"SPI: expected precipitation of 0 or more, got {np.nanmin(rain):g} kg m-2.")
    if distribution not in ("gamma", "pearson3"):
        raise InputError(f"SPI: expected the distribution gamma or pearson3, got {distribution!r}.")
    return standardised_index(accumulate(rain, scale), months, distribution, calibration=calibration, has_zeros=True,
                              zeros=zeros)


def spei(
    precipitation: ArrayLike,
    potential: ArrayLike,
    months: ArrayLike,
    scale: int,
    *,
    distribution: str = "log_logistic",
    calibration: tuple[int, int] | None = None,
) -> Array:
    """Compute the Standardised Precipitation Evapotranspiration Index [3]_, [4]_.

    Parameters
    ----------
    precipitation, potential : array_like, shape (month, ...)
        Precipitation and potential evapotranspiration [kg m-2 per month].
    months, scale, calibration
        As for `spi`.
    distribution : {"log_logistic", "pearson3"}
        What is fitted to the sums of each calendar month.

    Returns
    -------
    numpy.ndarray, shape (month, ...)
        As of `spi`.
    """
    if distribution not in ("log_logistic", "pearson3"):
        raise InputError(f"SPEI: expected the distribution log_logistic or pearson3, got {distribution!r}.")
    excess = np.asarray(precipitation, float) - np.asarray(potential, float)
    return standardised_index(accumulate(excess, scale), months, distribution, calibration=calibration)


def standardised_index(
    values: ArrayLike,
    months: ArrayLike,
    distribution: str,
    *,
    calibration: tuple[int, int] | None = None,
    has_zeros: bool = False,
    zeros: str = "share",
) -> Array:
    """Bring each calendar month of a series to a standard normal distribution.

    Parameters
    ----------
    values : array_like, shape (month, ...)
        Sums or means of any variable.
    months : array_like of datetime64, shape (month,)
        Months, one after the other.
    distribution : {"gamma", "pearson3", "log_logistic"}
        Distribution of the values.
    calibration : tuple of int, optional
        First and last year that are fitted.
    has_zeros : bool
        Fit what is above 0, and give the share of zeros a probability of its own; a month with fewer than four values
        above 0 has no index, not even where it is 0.
    zeros : {"share", "centre"}
        Probability of a zero, see ``ZEROS``; without effect where ``has_zeros`` is False.

    Returns
    -------
    numpy.ndarray, shape (month, ...)
    """
    series = np.asarray(values, float)
    moments = check_months(months, len(series))
    counted = calibration_months(moments, calibration)
    probability = _DISTRIBUTIONS.get(distribution)
    if probability is None:
        raise InputError(f"drought index: expected a distribution among {', '.join(_DISTRIBUTIONS)}, got "
                         f"{distribution!r}.")
    if zeros not in ZEROS:
        raise InputError(f"drought index: expected zeros among {', '.join(ZEROS)}, got {zeros!r}.")
    flat = series.reshape(len(series), -1)
    out = np.full(flat.shape, np.nan)
    calendar = calendar_month(moments)
    for month in range(MONTHS):
        rows = np.flatnonzero(calendar == month)
        part = flat[rows]
        fits = counted[rows][:, None] & np.isfinite(part)
        if has_zeros:
            positive = fits & (part > 0.0)
            dry = (fits & (part == 0.0)).sum(axis=0) / np.maximum(fits.sum(axis=0), 1)
            wet = dry + (1.0 - dry) * probability(_Sample(part, positive))
            chance = np.where(part > 0.0, wet, 0.5 * dry if zeros == "centre" else dry)
            chance[np.isnan(part) | (positive.sum(axis=0) < LEAST_YEARS)] = np.nan  # nothing tells dry from usual
        else:
            chance = probability(_Sample(part, fits))
        out[rows] = np.clip(ndtri(chance), -LARGEST, LARGEST)
    return out.reshape(series.shape)


# ---- distributions: probability of each value of a sample -----------------------------------------------


def _gamma(sample: _Sample) -> Array:
    """Two-parameter gamma distribution with the shape of Thom's solution of the likelihood [2]_."""
    number = sample.counts.sum(axis=0)
    known = np.where(sample.counts, sample.values, 1.0)  # log 1 = 0
    divisor = np.maximum(number, 1)
    mean = (known * sample.counts).sum(axis=0) / divisor
    with np.errstate(divide="ignore", invalid="ignore"):
        skew = np.log(mean) - np.log(known).sum(axis=0) / divisor
        shape = (1.0 + np.sqrt(1.0 + 4.0 * skew / 3.0)) / (4.0 * skew)
        chance = gammainc(shape, np.maximum(sample.values, 0.0) * shape / mean)
    return np.where((number >= LEAST_YEARS) & (skew > 0.0), chance, np.nan)


def _pearson3(sample: _Sample) -> Array:
    """Pearson type III distribution from L-moments (A.9 of [5]_)."""
    first, second, skewness = _moments(sample)
    size = np.abs(skewness)
    small = size < 1.0 / 3.0
    z = 3.0 * np.pi * size**2
    rest = 1.0 - size
    with np.errstate(divide="ignore", invalid="ignore"):
        shape = np.where(
            small, (1.0 + 0.2906 * z) / (z + 0.1882 * z**2 + 0.0442 * z**3),
            (0.36067 * rest - 0.59567 * rest**2 + 0.25361 * rest**3)
            / (1.0 - 2.78861 * rest + 2.56096 * rest**2 - 0.77045 * rest**3))
        deviation = np.sqrt(np.pi * shape) * second * np.exp(gammaln(shape) - gammaln(shape + 0.5))
        # a gamma distribution whose foot is at mean - sign 2 deviation / skew, with skew = 2 / sqrt(shape)
        beyond = np.sqrt(shape) * np.sign(skewness) * (sample.values - first) / deviation + shape
        chance = gammainc(shape, np.maximum(beyond, 0.0))
        chance = np.where(skewness < 0.0, 1.0 - chance, chance)
        normal = _normal(sample.values, first, second * np.sqrt(np.pi))
    return np.where(size < _NEARLY_NORMAL, normal, chance)


def _log_logistic(sample: _Sample) -> Array:
    """Three-parameter log-logistic distribution from L-moments (A.7 of [5]_; the same as of [3]_)."""
    first, second, skewness = _moments(sample)
    k = -skewness
    near = np.abs(k) < _NEARLY_NORMAL
    safe = np.where(near, 1.0, k)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = second * np.where(near, 1.0, np.sin(safe * np.pi) / (safe * np.pi))
        place = first - scale * np.where(near, 0.0, 1.0 / safe - np.pi / np.sin(safe * np.pi))
        reduced = (sample.values - place) / scale
        y = np.where(near, reduced, -np.log(np.maximum(1.0 - safe * reduced, 0.0)) / safe)
        return 1.0 / (1.0 + np.exp(-y))


_DISTRIBUTIONS: dict[str, Callable[[_Sample], Array]] = {
    "gamma": _gamma, "pearson3": _pearson3, "log_logistic": _log_logistic}


def _normal(values: Array, mean: Array, deviation: Array) -> Array:
    """Return the normal probability."""
    return np.asarray(ndtr((values - mean) / deviation))


def _moments(sample: _Sample) -> tuple[Array, Array, Array]:
    """Return mean, second L-moment and L-skewness from unbiased probability-weighted moments, each (cell,).

    NaN in cells with fewer than four values, or without any difference between them.
    """
    number = sample.counts.sum(axis=0)
    ordered = np.sort(np.where(sample.counts, sample.values, np.nan), axis=0)
    rank = np.arange(len(ordered))[:, None]
    known = np.where(rank < number, ordered, 0.0)
    enough = np.where(number >= LEAST_YEARS, number, LEAST_YEARS)
    b0 = known.sum(axis=0) / enough
    b1 = (rank * known).sum(axis=0) / (enough * (enough - 1))
    b2 = (rank * (rank - 1) * known).sum(axis=0) / (enough * (enough - 1) * (enough - 2))
    second = 2.0 * b1 - b0
    good = (number >= LEAST_YEARS) & (second > 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        skewness = (6.0 * b2 - 6.0 * b1 + b0) / second
    good &= np.abs(skewness) < 1.0
    return tuple(np.where(good, one, np.nan) for one in (b0, second, skewness))
