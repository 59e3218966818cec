"""Innovations of one place after another in time: white, if the filter uses all that they say.

References
----------
.. [1] Kailath, T. (1968). An innovations approach to least-squares estimation, part I. IEEE Trans. Autom. Control 13,
   646-655.
.. [2] Daley, R. (1992). The lagged innovation covariance: a performance diagnostic for atmospheric data assimilation.
   Mon. Wea. Rev. 120, 178-196.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pyland.base.errors import InputError
from pyland.diagnose.ensemble_arguments import equal_lengths

NORMAL_RANGE = 1.96
"""Standard deviations that hold 95 % of normal numbers."""


def innovation_autocorrelation(
    innovation: ArrayLike, step: ArrayLike, place: ArrayLike, lags: int = 5
) -> dict[str, list[float] | list[int]]:
    """Return the correlation of innovations with those of the same place some steps later.

    Parameters
    ----------
    innovation : array_like, shape (obs,)
        Observation minus ensemble mean [any unit]; NaN is left out. Several of one step and place are averaged.
    step, place : array_like of int, shape (obs,)
        Number of the analysis, and identity of the place.
    lags : int
        Largest lag [steps], 1 or more.

    Returns
    -------
    dict
        ``lag`` [steps], 1 to ``lags``; ``correlation`` [1], over the pairs of all places; ``pairs``, their number;
        ``white_limit`` [1], 1.96/sqrt(pairs): beyond it white and independent innovations lie once in 20. NaN without
        pairs or where innovations do not vary.

    Raises
    ------
    InputError
        If lengths differ or ``lags`` is below 1.

    Notes
    -----
    The mean of each place is taken out, so that a lasting bias of a place is not called memory. That lowers the
    correlation of n steps by some 1/n. Places that share their weather are not independent, and the limit is too
    narrow for many of them.
    """
    if lags < 1:
        raise InputError(f"Autocorrelation of innovations: expected lags of 1 or more, got {lags}.")
    values, when, where = equal_lengths(innovation=innovation, step=step, place=place)
    known = np.isfinite(values)
    values, when, where = values[known], when[known].astype(np.int64), where[known].astype(np.int64)
    out: dict[str, list] = {"lag": list(range(1, lags + 1)), "correlation": [], "pairs": [], "white_limit": []}
    if values.size == 0:
        return out | {"correlation": [float("nan")] * lags, "pairs": [0] * lags, "white_limit": [float("nan")] * lags}
    where = np.unique(where, return_inverse=True)[1]
    when = when - when.min()
    key, position = np.unique(where * (int(when.max()) + lags + 1) + when, return_inverse=True)
    series = np.bincount(position, values) / np.bincount(position)
    owner = key // (int(when.max()) + lags + 1)
    series = series - (np.bincount(owner, series) / np.bincount(owner))[owner]
    for lag in out["lag"]:
        later = np.minimum(np.searchsorted(key, key + lag), key.size - 1)
        first = np.flatnonzero(key[later] == key + lag)
        a, b = series[first], series[later[first]]
        size = float(np.sqrt(np.sum(a**2) * np.sum(b**2)))
        out["correlation"].append(float(np.sum(a * b)) / size if size > 0.0 else float("nan"))
        out["pairs"].append(int(first.size))
        out["white_limit"].append(NORMAL_RANGE / float(np.sqrt(first.size)) if first.size else float("nan"))
    return out
