"""Members whose run of the model failed: told by their predictions, left out, counted, and not too many."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyland.assimilate import arguments
from pyland.base.errors import InputError, StateError


def check_share(failure_limit: float) -> float:
    """Return the largest share of members that may fail, 0 to 1."""
    return arguments.check_number("failure_limit", failure_limit, 0.0, 1.0)


def successful(predicted: Any, nprior: int, limit: float) -> np.ndarray:
    """Tell which members have finite predictions.

    Parameters
    ----------
    predicted : array_like
        Predicted observations, shape ``(member, obs)``.
    nprior : int
        Members at the beginning.
    limit : float
        Largest share of ``nprior`` that may be lost since.

    Returns
    -------
    numpy.ndarray of bool
        Shape ``(member,)``.

    Raises
    ------
    InputError
        If the predictions are no matrix of numbers.
    StateError
        If more members are lost than allowed, or fewer than 2 are left.
    """
    try:
        values = np.asarray(predicted, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"forward must return predicted observations (member, obs), numbers; {error}") from error
    if values.ndim != 2:
        raise InputError(f"forward must return predicted observations (member, obs); got shape {values.shape}")
    good = np.isfinite(values).all(axis=1)
    lost = nprior - int(good.sum())
    if lost > limit * nprior or good.sum() < 2:
        raise StateError(
            f"{lost} of {nprior} members have failed (predictions that are not finite), more than the share of "
            f"{limit:g} that failure_limit allows, or fewer than 2 are left; first failed member of the last run: "
            f"{int(np.argmin(good))}. Narrow the prior or look for what stops the model."
        )
    return good


__all__ = ["check_share", "successful"]
