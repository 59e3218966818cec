"""Checks of the arrays that scores of an ensemble are computed from."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pyland.base.errors import InputError


def ensemble_and_observations(
    predicted: ArrayLike, observed: ArrayLike, error: ArrayLike | None = None, *, least_members: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return an ensemble, observations and their errors as checked arrays.

    Parameters
    ----------
    predicted : array_like, shape (member, obs)
        What the members predict; NaN where a member predicts nothing.
    observed : array_like, shape (obs,)
        Observed values; NaN where missing.
    error : array_like, shape (obs,) or float, optional
        Standard deviation of the observation error, not negative.
    least_members : int
        Members that the score needs.

    Returns
    -------
    predicted, observed, error : numpy.ndarray
        In double precision; the error of shape (obs,), or None where none is given.

    Raises
    ------
    InputError
        If shapes do not fit, members are too few, or an error is negative.
    """
    members, values = np.asarray(predicted, dtype=np.float64), np.asarray(observed, dtype=np.float64)
    if values.ndim != 1 or members.ndim != 2 or members.shape[1] != values.size:
        raise InputError(
            f"Scores of an ensemble: expected predictions of shape (member, obs) and observations of shape (obs,), got "
            f"{members.shape} and {values.shape}. Transpose the predictions if members are the last axis."
        )
    if members.shape[0] < least_members:
        raise InputError(
            f"Scores of an ensemble: expected at least {least_members} members, got {members.shape[0]}."
        )
    return members, values, None if error is None else observation_error(error, values.shape)


def observation_error(error: ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
    """Return standard deviations of observation errors, of the shape of the observations.

    Raises
    ------
    InputError
        If the shape does not fit or an error is negative.
    """
    try:
        out = np.array(np.broadcast_to(np.asarray(error, dtype=np.float64), shape))
    except ValueError:
        raise InputError(
            f"Observation errors: expected one number or shape {shape}, got shape {np.shape(error)}."
        ) from None
    if (out < 0.0).any():
        raise InputError(
            f"Observation errors: expected standard deviations of 0 or more, got {out.min():g}; variances or flags?"
        )
    return out


def equal_lengths(**arrays: ArrayLike) -> list[np.ndarray]:
    """Return lists of numbers, checked to be of one length, in double precision.

    Raises
    ------
    InputError
        If one is not a list, or the lengths differ; the message names them.
    """
    out = {name: np.asarray(values, dtype=np.float64) for name, values in arrays.items()}
    shapes = {name: values.shape for name, values in out.items()}
    if any(len(shape) != 1 for shape in shapes.values()) or len(set(shapes.values())) > 1:
        raise InputError(f"Departures: expected lists of one length, got the shapes {shapes}.")
    return list(out.values())


def variance_factor(members: int | None) -> float:
    """Return (N+1)/N, by which a sample variance is the expected square error of the mean of N members.

    Raises
    ------
    InputError
        If there are fewer than 2 members. None, a size that is not known, gives 1.
    """
    if members is None:
        return 1.0
    if members < 2:
        raise InputError(f"Spread of an ensemble: expected at least 2 members, got {members}.")
    return (members + 1.0) / members
