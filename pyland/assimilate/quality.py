"""Innovation quality control: which observations may enter an analysis, and why the others may not."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyland.assimilate import arguments
from pyland.base.errors import InputError

USED = "used"
MISSING = "missing"
BAD_ERROR = "error variance missing or not positive"
NO_PREDICTION = "predicted observation not finite"
OUTLIER = "innovation beyond limit"


def reject_outliers(d: Any, Y: Any, R: Any, limit: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    """Screen observations against the ensemble.

    An observation is used if ``|d - mean(Y)| <= limit * sqrt(var(Y) + R)``. Missing values (NaN) are reasons here, not
    errors: this is where gaps leave the data stream.

    Parameters
    ----------
    d : array_like
        Observations, shape ``(obs,)``; NaN where missing.
    Y : array_like
        Predicted observations, shape ``(member, obs)``; at least 2 members.
    R : array_like
        Error variances, shape ``(obs,)``.
    limit : float
        Largest normalised innovation [1], above 0; ``inf`` keeps all that are defined.

    Returns
    -------
    used : numpy.ndarray of bool
        True where the observation may be used, shape ``(obs,)``.
    reason : numpy.ndarray of str
        One of the reasons of this module per observation, ``"used"`` where it may be used, shape ``(obs,)``.

    Raises
    ------
    InputError
        If shapes do not fit, there are fewer than 2 members or the limit is not positive.

    References
    ----------
    .. [1] Lorenc, A. C. (1981). Mon. Weather Rev. 109, 701-721; background check.
    """
    limit = arguments.check_number("limit", limit, 0.0, np.inf, open_low=True)
    observed, predicted, variance = (np.asarray(a, dtype=np.float64) for a in (d, Y, R))
    if observed.ndim != 1 or variance.shape != observed.shape:
        raise InputError(f"d and R must be lists of one length; got shapes {observed.shape} and {variance.shape}")
    if predicted.ndim != 2 or predicted.shape[0] < 2 or predicted.shape[1] != observed.size:
        raise InputError(
            f"Y must have shape (member, obs) with at least 2 members and {observed.size} observations; "
            f"got {predicted.shape}"
        )
    reason = np.full(observed.shape, USED, dtype=f"<U{len(BAD_ERROR)}")
    reason[~np.isfinite(observed)] = MISSING
    reason[(reason == USED) & ~(np.isfinite(variance) & (variance > 0))] = BAD_ERROR
    reason[(reason == USED) & ~np.isfinite(predicted).all(axis=0)] = NO_PREDICTION
    good = reason == USED
    known = predicted[:, good]
    innovation = observed[good] - known.mean(axis=0)
    expected = np.sqrt(known.var(axis=0, ddof=1) + variance[good])
    reason[np.flatnonzero(good)[np.abs(innovation) > limit * expected]] = OUTLIER
    return reason == USED, reason


__all__ = ["BAD_ERROR", "MISSING", "NO_PREDICTION", "OUTLIER", "USED", "reject_outliers"]
