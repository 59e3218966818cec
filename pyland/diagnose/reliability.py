"""Reliability budget: where the squared departure of the ensemble mean comes from.

References
----------
.. [1] Rodwell, M. J., Lang, S. T. K., Ingleby, N. B., Bormann, N., Holm, E., Rabier, F., Richardson, D. S., Yamaguchi,
   M. (2016). Reliability in ensemble data assimilation. Q. J. R. Meteorol. Soc. 142, 443-454.
.. [2] Wilks, D. S. (2011). Statistical Methods in the Atmospheric Sciences, 3rd ed.; section 5.2.4, the
   mean of a series with memory.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pyland.diagnose.ensemble_arguments import equal_lengths, variance_factor

LEAST_STEPS = 10
"""Analyses from which the uncertainty of a residual is estimated."""


def reliability_budget(
    innovation: ArrayLike, spread: ArrayLike, error: ArrayLike, members: int | None, step: ArrayLike, place: ArrayLike
) -> dict[str, float | int]:
    """Return the terms of departure^2 = bias^2 + ensemble variance + observation variance + residual [1]_.

    Parameters
    ----------
    innovation : array_like, shape (obs,)
        Observation minus ensemble mean [unit of the observation].
    spread, error : array_like, shape (obs,)
        Standard deviations of the ensemble (sample, members - 1) and of the observation error.
    members : int or None
        Ensemble size, 2 or more; None where it is not known, as if there were very many.
    step, place : array_like of int, shape (obs,)
        Number of the analysis, and identity of the place. Places with a single observation are left out.

    Returns
    -------
    dict
        ``n`` and ``places``; ``departure_squared``, ``bias_squared``, ``ensemble_variance``, ``observation_variance``
        and ``residual`` [square of the unit], each the mean over time at a place, and then over places weighted by
        their observations; ``residual_error``, the standard deviation of the residual by sampling in time (NaN with
        fewer than 10 analyses). A residual well above 0 is an ensemble (or an error) that is too narrow.

    Raises
    ------
    InputError
        If lengths differ or there are fewer than 2 members.

    Notes
    -----
    For n observations of a place and N members: departure^2 = n/(n-1) <d^2>, bias^2 = n/(n-1) <d>^2, ensemble
    variance = (N+1)/N <s^2>, as the mean of N members is itself uncertain. The uncertainty is that of the mean over
    analyses of a series with the lag-1 correlation r of the residuals: n becomes n (1-r)/(1+r) where r is above 0 [2]_.
    """
    size = variance_factor(members)
    d, s, sigma, when, where = equal_lengths(innovation=innovation, spread=spread, error=error, step=step, place=place)
    owner = np.unique(where, return_inverse=True)[1]
    count = np.bincount(owner)
    kept = (count > 1)[owner] if count.size else np.zeros(0, bool)
    names = ("departure_squared", "bias_squared", "ensemble_variance", "observation_variance", "residual",
             "residual_error")
    if not kept.any():
        return {"n": 0, "places": 0, **dict.fromkeys(names, float("nan"))}
    d, s, sigma, when = d[kept], s[kept], sigma[kept], when[kept]
    owner = np.unique(owner[kept], return_inverse=True)[1]
    count = np.bincount(owner)
    factor = (count / (count - 1.0))[owner]
    bias = (np.bincount(owner, d) / count)[owner]
    terms = (factor * d**2, factor * bias**2, size * s**2, sigma**2)
    residual = terms[0] - terms[1] - terms[2] - terms[3]
    means = [float(one.mean()) for one in (*terms, residual)]
    return {"n": int(d.size), "places": int(count.size),
            **dict(zip(names, (*means, _uncertainty(residual, when)), strict=True))}


def _uncertainty(residual: np.ndarray, when: np.ndarray) -> float:
    """Return the standard deviation of the mean of residuals, from their means at each analysis."""
    step = np.unique(when, return_inverse=True)[1]
    weight = np.bincount(step)
    count = weight.size
    if count < LEAST_STEPS:
        return float("nan")
    series = np.bincount(step, residual) / weight.mean()  # the mean of this is the mean of all
    anomaly = series - series.mean()
    variance = float(np.sum(anomaly**2) / (count - 1))
    if variance == 0.0:
        return 0.0
    memory = max(float(np.sum(anomaly[1:] * anomaly[:-1]) / np.sum(anomaly**2)), 0.0)
    return float(np.sqrt(variance / count * (1.0 + memory) / (1.0 - memory)))
