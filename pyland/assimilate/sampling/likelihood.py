"""Likelihood of residuals with normal errors, independent or with a memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyland.base.errors import InputError

LOG_TWO_PI = float(np.log(2.0 * np.pi))


def log_likelihood(residuals: Any, sigma: Any, times: Any = None, memory: float = 0.0) -> np.ndarray:
    """Return the log likelihood of members whose residuals are one series of normal errors.

    Parameters
    ----------
    residuals : array_like, shape (member, obs)
        Observed minus predicted; a member with a value that is not finite has likelihood zero.
    sigma : array_like, shape (obs,), (member, 1) or scalar
        Standard deviations of the errors, above 0 [unit of the residuals].
    times : array_like, shape (obs,), optional
        Times that ascend [s]; needed with ``memory``.
    memory : float
        Time after which the correlation of the errors has fallen to 1/e [s]; 0: independent.

    Returns
    -------
    numpy.ndarray, shape (member,)
        Log likelihood; ``-inf`` where a residual is not finite.

    Raises
    ------
    InputError
        If an argument does not fit.

    Notes
    -----
    With a memory the errors are a first-order autoregressive process of stationary variance sigma^2: the scaled
    residual u_k has, given u_(k-1), the mean phi u_(k-1) and the variance 1 - phi^2 with phi = exp(-(t_k -
    t_(k-1))/memory) [1]_. Days of daily residuals that follow each other are then not counted as so many independent
    ones, which would make the posterior too narrow.

    References
    ----------
    .. [1] Sorooshian, S., and Dracup, J. A. (1980). Stochastic parameter estimation procedures for hydrologic
       rainfall-runoff models. Water Resour. Res. 16, 430-442.
    """
    values = np.asarray(residuals, dtype=np.float64)
    deviation = np.asarray(sigma, dtype=np.float64)
    if values.ndim != 2:
        raise InputError(f"residuals: expected (member, obs), got shape {values.shape}.")
    if not (deviation > 0.0).all() or not np.isfinite(deviation).all():
        raise InputError("sigma: expected finite standard deviations above 0.")
    good = np.isfinite(values).all(axis=1)
    scaled = np.where(good[:, None], values, 0.0) / deviation
    total = -np.broadcast_to(np.log(deviation), values.shape).sum(axis=1) - 0.5 * values.shape[1] * LOG_TWO_PI
    if memory <= 0.0:
        total = total - 0.5 * (scaled**2).sum(axis=1)
    else:
        persistence = np.exp(-np.diff(_ascending(times, values.shape[1])) / memory)
        variance = 1.0 - persistence**2
        fresh = scaled[:, 1:] - persistence * scaled[:, :-1]
        total = total - 0.5 * (scaled[:, :1] ** 2).sum(axis=1) - 0.5 * (fresh**2 / variance).sum(axis=1)
        total = total - 0.5 * np.log(variance).sum()
    return np.where(good, total, -np.inf)


def _ascending(times: Any, count: int) -> np.ndarray:
    """Return times of observations, or say what is wrong."""
    if times is None:
        raise InputError("times: errors with a memory need the times of the observations.")
    seconds = np.asarray(times, dtype=np.float64)
    if seconds.shape != (count,) or not (np.diff(seconds) > 0.0).all():
        raise InputError(f"times: expected {count} times that ascend, each once.")
    return seconds


__all__ = ["log_likelihood"]
