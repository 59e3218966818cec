"""Moments of an ensemble, which say whether it is normal, as Kalman filters take it to be."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pyland.base.errors import InputError


def ensemble_moments(values: ArrayLike, axis: int = 0) -> dict[str, np.ndarray]:
    """Return mean, spread, skewness and kurtosis over the members.

    Parameters
    ----------
    values : array_like, shape (..., member, ...)
        Any unit; at least 2 members.
    axis : int
        Axis of the members.

    Returns
    -------
    dict of str to numpy.ndarray
        ``mean`` and ``spread`` (sample standard deviation, divided by members - 1) [unit of the values], ``skewness``
        m3/m2^(3/2) and excess ``kurtosis`` m4/m2^2 - 3 [1] with central moments m divided by members; NaN where all
        members are equal.

    Raises
    ------
    InputError
        If there are fewer than 2 members.

    Notes
    -----
    Of N members of a normal ensemble, the expected kurtosis is -6/(N + 1) and the standard deviations are near
    sqrt(6/N) and sqrt(24/N) (Cramer 1946, Mathematical Methods of Statistics, 29.3).
    """
    members = np.moveaxis(np.asarray(values, dtype=np.float64), axis, 0)
    if members.shape[0] < 2:
        raise InputError(f"Moments of an ensemble: expected at least 2 members, got {members.shape[0]}.")
    members = np.sort(members, axis=0)  # sums do not depend on the order of members
    mean = members.mean(axis=0)
    anomalies = members - mean
    second = np.mean(anomalies**2, axis=0)
    is_flat = members[0] == members[-1]
    scale = np.sqrt(np.where(is_flat, 1.0, second))
    ratio = anomalies / scale
    return {
        "mean": mean,
        "spread": np.sqrt(np.sum(anomalies**2, axis=0) / (members.shape[0] - 1)),
        "skewness": np.where(is_flat, np.nan, np.mean(ratio**3, axis=0)),
        "kurtosis": np.where(is_flat, np.nan, np.mean(ratio**4, axis=0) - 3.0),
    }
