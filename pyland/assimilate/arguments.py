"""Checks that the filters share: shapes, finite values, options; every message is a sentence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular

from pyland.base.errors import InputError

#: Largest ratio of predicted spread to observation error whose fourth power is still far from overflow.
LARGEST_RATIO = 1e70


@dataclass(frozen=True)
class Problem:
    """Checked arrays of one analysis.

    Attributes
    ----------
    ensemble : numpy.ndarray
        Prior ensemble, shape ``(member, state)``.
    anomalies : numpy.ndarray
        Anomalies of the predicted observations, inflated and whitened, shape ``(member, obs)``.
    innovation : numpy.ndarray
        Observation minus mean predicted observation, shape ``(obs,)``.
    predicted, observed : numpy.ndarray
        Predicted observations, shape ``(member, obs)``, and observations, shape ``(obs,)``.
    whiten : numpy.ndarray
        Error deviations, shape ``(obs,)``, or lower Cholesky factor of R, shape ``(obs, obs)``.
    """

    ensemble: np.ndarray
    anomalies: np.ndarray
    innovation: np.ndarray
    predicted: np.ndarray
    observed: np.ndarray
    whiten: np.ndarray

    @property
    def size(self) -> int:
        """Number of observations."""
        return self.innovation.size

    @property
    def scaled(self) -> np.ndarray:
        """Innovation in units of the observation error, shape ``(obs,)``."""
        return _whitened(self.whiten, self.innovation)


def to_floats(name: str, value: Any, ndim: int) -> np.ndarray:
    """Return ``value`` as float64 with ``ndim`` dimensions and finite entries, or say what is wrong."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be an array of numbers; got {type(value).__name__} ({error})") from error
    if array.ndim != ndim:
        raise InputError(f"{name} must have {ndim} dimension{'s' if ndim > 1 else ''}; got shape {array.shape}")
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise InputError(
            f"{name} holds {array[where]} at index {where}; all values must be finite: "
            "remove missing observations and look for a failed member"
        )
    return array


def check_choice(name: str, value: Any, choices: Iterable[str]) -> str:
    """Return ``value`` if it is one of ``choices``."""
    choices = tuple(choices)
    if value not in choices:
        raise InputError(f"{name} must be one of {', '.join(choices)}; got {value!r}")
    return str(value)


def check_generator(rng: np.random.Generator | int | None) -> np.random.Generator:
    """Return a generator; an integer is a seed, None draws fresh entropy."""
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise InputError(f"rng must be a numpy.random.Generator, a seed or None; got {rng!r}") from error


def check_number(name: str, value: Any, low: float, high: float, *, open_low: bool = False) -> float:
    """Return ``value`` as float if it lies within bounds."""
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be a number; got {value!r}") from error
    if not (low <= number <= high) or (open_low and number == low):
        bracket = "(" if open_low else "["
        raise InputError(f"{name} must lie in {bracket}{low:g}, {high:g}]; got {number!r}")
    return number


def check_threads(threads: int | None) -> int:
    """Return the number of OpenMP threads; 0 stands for the default."""
    if threads is None:
        return 0
    if isinstance(threads, bool) or int(threads) != threads or threads < 1:
        raise InputError(f"threads must be a whole number of at least 1, or None for the default; got {threads!r}")
    return int(threads)


def check_problem(E: Any, Y: Any, d: Any, R: Any, inflation: float, *, full_covariance: bool) -> Problem:
    """Check the arrays of an analysis and whiten the predicted observations.

    Parameters
    ----------
    E, Y, d, R : array_like
        As in `pyland.assimilate.analyse`.
    inflation : float
        Factor on the prior anomalies.
    full_covariance : bool
        Whether R may be a matrix.

    Returns
    -------
    Problem
        Checked arrays.

    Raises
    ------
    InputError
        If a shape, a value or R does not fit.
    """
    ensemble = to_floats("E (member, state)", E, 2)
    predicted = np.ascontiguousarray(to_floats("Y (member, obs)", Y, 2))  # the order of sums follows the layout
    observed = to_floats("d (obs)", d, 1)
    nmember, nobs = ensemble.shape[0], observed.shape[0]
    if nmember < 2:
        raise InputError(f"a filter needs at least 2 members; E (member, state) has shape {ensemble.shape}")
    if predicted.shape != (nmember, nobs):
        raise InputError(
            f"Y must have shape (member, obs) = ({nmember}, {nobs}) to fit E {ensemble.shape} and d {observed.shape}; "
            f"got {predicted.shape}"
        )
    whiten = _error_root(R, nobs, full_covariance)
    mean = _mean(predicted)
    anomalies = inflation * (predicted - mean)
    anomalies = _whitened(whiten, anomalies)
    innovation = observed - mean
    largest = max(np.abs(anomalies).max(initial=0.0), np.abs(_whitened(whiten, innovation)).max(initial=0.0))
    if largest > LARGEST_RATIO:
        raise InputError(
            f"R is too small for this ensemble: an anomaly or innovation is {largest:.1e} error standard deviations, "
            f"more than {LARGEST_RATIO:g}; check the units of R (variances) and Y"
        )
    return Problem(ensemble, anomalies, innovation, predicted, observed, whiten)


def whitened(problem: Problem, values: np.ndarray) -> np.ndarray:
    """Return ``values`` (..., obs) in units of the observation error."""
    return _whitened(problem.whiten, values)


def _whitened(root: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return values (..., obs) over the deviations (obs,), or solved with the lower Cholesky factor (obs, obs)."""
    return values / root if root.ndim == 1 else solve_triangular(root, values.T, lower=True).T


def _mean(predicted: np.ndarray) -> np.ndarray:
    """Return the mean over members, exact where all members are equal."""
    return predicted[0] + (predicted - predicted[0]).mean(axis=0)


def _error_root(R: Any, nobs: int, full_covariance: bool) -> np.ndarray:
    """Return error deviations (obs) or the Cholesky factor (obs, obs) of R."""
    if np.ndim(R) == 2 and full_covariance:
        matrix = to_floats("R (obs, obs)", R, 2)
        if matrix.shape != (nobs, nobs):
            raise InputError(
                f"R must have shape (obs,) = ({nobs},) or (obs, obs) = ({nobs}, {nobs}); got {matrix.shape}"
            )
        if not np.allclose(matrix, matrix.T, rtol=1e-10, atol=0.0):
            raise InputError("R (obs, obs) must be symmetric; R[i, j] and R[j, i] differ")
        try:
            return np.linalg.cholesky(matrix)
        except np.linalg.LinAlgError as error:
            raise InputError("R (obs, obs) must be positive definite; its Cholesky factorisation failed") from error
    variances = to_floats("R (obs), error variances,", R, 1)
    if variances.shape != (nobs,):
        raise InputError(f"R must hold one error variance per observation, shape ({nobs},); got {variances.shape}")
    if (variances <= 0).any():
        i = int(np.argmax(variances <= 0))
        raise InputError(f"R must hold error variances above 0; got {variances[i]!r} at observation {i}")
    return np.sqrt(variances)
