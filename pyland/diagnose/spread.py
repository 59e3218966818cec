"""Spread of the ensemble against the error of its mean, over all and by spread.

References
----------
.. [1] Fortin, V., Abaza, M., Anctil, F., Turcotte, R. (2014). Why should ensemble spread match the RMSE of the ensemble
   mean? J. Hydrometeorol. 15, 1708-1713.
.. [2] Leutbecher, M., Palmer, T. N. (2008). Ensemble forecasting. J. Comput. Phys. 227, 3515-3539; section 5.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from pyland.base.errors import InputError
from pyland.diagnose.ensemble_arguments import equal_lengths, variance_factor


def spread_error(
    innovation: ArrayLike, spread: ArrayLike, error: ArrayLike, members: int | None
) -> dict[str, float | int]:
    """Compare the spread of an ensemble with the error of its mean.

    Parameters
    ----------
    innovation : array_like, shape (obs,)
        Observation minus ensemble mean [unit of the observation].
    spread, error : array_like, shape (obs,)
        Standard deviations of the ensemble (sample) and of the observation error.
    members : int or None
        Ensemble size, 2 or more: the variance counts (N+1)/N times [1]_, once where None says that it is not known.

    Returns
    -------
    dict
        ``n``; ``spread``, root mean of (N+1)/N spread^2; ``error``, root of the mean square innovation less the
        variance of the observation error, NaN where the former is smaller; ``ratio`` of the two [1]; ``total_ratio``,
        root mean of (N+1)/N spread^2 + error^2 by the root mean square innovation [1], which is always there. Ratios
        are 1 for a reliable ensemble, below 1 for one that is too narrow.

    Raises
    ------
    InputError
        If lengths differ or there are fewer than 2 members.
    """
    d, s, sigma = equal_lengths(innovation=innovation, spread=spread, error=error)
    factor = variance_factor(members)
    names = ("spread", "error", "ratio", "total_ratio")
    if d.size == 0:
        return {"n": 0, **dict.fromkeys(names, float("nan"))}
    variance, noise, square = (float(np.mean(one)) for one in (factor * s**2, sigma**2, d**2))
    excess = square - noise
    numbers = (
        np.sqrt(variance),
        np.sqrt(excess) if excess > 0.0 else np.nan,
        np.sqrt(variance / excess) if excess > 0.0 else np.nan,
        np.sqrt((variance + noise) / square) if square > 0.0 else np.nan,
    )
    return {"n": int(d.size), **{name: float(number) for name, number in zip(names, numbers, strict=True)}}


def spread_skill(
    innovation: ArrayLike, spread: ArrayLike, error: ArrayLike, members: int | None, bins: int = 10
) -> dict[str, Any]:
    """Sort observations by what the ensemble promises, and compare with what came, in bins of near equal counts [2]_.

    Parameters
    ----------
    innovation, spread, error, members
        As for :func:`spread_error`.
    bins : int
        Number of bins, 2 or more; fewer are made where there are not 2 observations for each, and where many have the
        same promise, which are never parted.

    Returns
    -------
    dict
        ``expected``, root mean of (N+1)/N spread^2 + error^2 of each bin, and ``found``, root mean square innovation
        [unit of the observation], ``count``; ``slope`` and ``intercept`` of the line of found^2 over expected^2 through
        the observations [1, square of the unit]: 1 and 0 where the ensemble knows when it is uncertain; NaN where the
        promise is always the same.

    Raises
    ------
    InputError
        If lengths differ, there are fewer than 2 members or fewer than 2 bins.
    """
    if bins < 2:
        raise InputError(f"Spread and skill: expected at least 2 bins, got {bins}.")
    d, s, sigma = equal_lengths(innovation=innovation, spread=spread, error=error)
    factor = variance_factor(members)
    expected = factor * s**2 + sigma**2
    order = np.lexsort((d, expected))  # sums do not depend on the order of observations
    d, expected = d[order], expected[order]
    first = np.searchsorted(expected, expected)  # equal promises share a bin, that of the first of them
    number = first * min(bins, max(d.size // 2, 1)) // max(d.size, 1)
    parts = [np.flatnonzero(number == one) for one in np.unique(number)]
    slope = intercept = float("nan")
    if d.size:
        anomaly = expected - expected.mean()
        size = float(anomaly @ anomaly)
        if expected.max() > expected.min():
            slope = float(anomaly @ d**2) / size
            intercept = float(np.mean(d**2) - slope * expected.mean())
    return {
        "expected": [float(np.sqrt(expected[one].mean())) for one in parts],
        "found": [float(np.sqrt(np.mean(d[one] ** 2))) for one in parts],
        "count": [int(one.size) for one in parts],
        "slope": slope,
        "intercept": intercept,
    }

