"""Members whose run of the model failed: told by their predictions, left out, counted, and not too many."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyland.assimilate import arguments
from pyland.base.errors import InputError, StateError


def check_share(failure_limit: float) -> float:
    """Return the largest share of members that may fail, 0 to 1."""
    return arguments.check_number("failure_limit", failure_limit, 0.0, 1.0)


def check_forward(forward: Any) -> None:
    """Refuse what is no model to run.

    Raises
    ------
    InputError
        If ``forward`` cannot be called.
    """
    if not callable(forward):
        raise InputError(
            "forward must be a function that runs the model, (member, state) -> predicted observations (member, obs); "
            f"got {type(forward).__name__}. With predictions at hand and no model to run again use analyse(E, Y, d, R)."
        )


def successful(
    predicted: Any, nprior: int, limit: float, *, nobs: int, nmember: int | None = None
) -> np.ndarray:
    """Tell which members have finite predictions.

    Parameters
    ----------
    predicted : array_like
        Predicted observations, shape ``(member, obs)``.
    nprior : int
        Members at the beginning.
    limit : float
        Largest share of ``nprior`` that may be lost since.
    nobs : int
        Observations that there must be.
    nmember : int, optional
        Members that ran; default: any number up to ``nprior``.

    Returns
    -------
    numpy.ndarray of bool
        Shape ``(member,)``.

    Raises
    ------
    InputError
        If the predictions are no matrix of numbers, or not of the members and observations.
    StateError
        If more members are lost than allowed, or fewer than 2 are left.
    """
    try:
        values = np.asarray(predicted, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"forward must return predicted observations (member, obs), numbers; {error}") from error
    if values.ndim != 2:
        raise InputError(f"forward must return predicted observations (member, obs); got shape {values.shape}")
    rows, columns = values.shape
    if columns != nobs or (rows != nmember if nmember is not None else rows > nprior):
        swapped = columns in (nprior, nmember) and rows == nobs
        raise InputError(
            f"forward must return predicted observations (member, obs), shape ({nmember or nprior}, {nobs}); got "
            f"{values.shape}{', which is transposed: return one row for each member' if swapped else ''}"
        )
    good = np.isfinite(values).all(axis=1)
    lost = nprior - int(good.sum())
    if lost > limit * nprior or good.sum() < 2:
        raise StateError(
            f"{lost} of {nprior} members have failed (predictions that are not finite), more than the share of "
            f"{limit:g} that failure_limit allows, or fewer than 2 are left; first failed member of the last run: "
            f"{int(np.argmin(good))}. Narrow the prior or look for what stops the model."
        )
    return good


__all__ = ["check_forward", "check_share", "successful"]
