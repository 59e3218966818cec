"""Error models of observations: the standard deviation of each, and how errors of one type go together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from pyland.assimilate.arguments import check_number, to_floats
from pyland.assimilate.nearby_points import NearbyPoints
from pyland.base.errors import InputError

LARGEST_COVARIANCE = 20_000
"""Observations of the largest error covariance; the matrix takes 3.2 GB, its Cholesky factor as much and minutes."""


class ErrorModel(Protocol):
    """What gives an error to each observation."""

    def deviations(self, values: np.ndarray) -> np.ndarray:
        """Return the standard deviation of each error (obs,) for observed values (obs,); NaN values give NaN or one."""
        ...


@dataclass(frozen=True)
class ConstantError:
    """One standard deviation for all, above 0, in the unit of the values."""

    deviation: float

    def __post_init__(self) -> None:
        check_number("error", self.deviation, 0.0, np.finfo(float).max, open_low=True)

    def deviations(self, values: np.ndarray) -> np.ndarray:
        """Return the deviation for each value."""
        return np.full(np.shape(values), float(self.deviation))


@dataclass(frozen=True, eq=False)
class GivenErrors:
    """A standard deviation for each observation (obs,); where it is NaN or not above 0, it is not used."""

    each: np.ndarray

    def deviations(self, values: np.ndarray) -> np.ndarray:
        """Return the given deviations."""
        given = np.asarray(self.each, dtype=np.float64)
        if given.shape != np.shape(values):
            raise InputError(f"error must hold one deviation per value, shape {np.shape(values)}; got {given.shape}")
        return np.where(np.isfinite(given) & (given > 0), given, np.nan)


@dataclass(frozen=True)
class RelativeError:
    """A share [1] of the observed value, at least ``floor`` in the unit of the values: small values are not certain.

    An error that grows with the observed value gives observations that happen to be low more weight: the analysis has a
    bias towards low values of the order of share².
    """

    share: float
    floor: float

    def __post_init__(self) -> None:
        check_number("share", self.share, 0.0, np.finfo(float).max, open_low=True)
        check_number("floor", self.floor, 0.0, np.finfo(float).max, open_low=True)

    def deviations(self, values: np.ndarray) -> np.ndarray:
        """Return the deviation for each value."""
        return np.maximum(self.share * np.abs(values), self.floor)


@dataclass(frozen=True, eq=False)
class TableError:
    """Standard deviations at tabulated values, linear between them and constant beyond.

    Attributes
    ----------
    values : array_like
        Observed values, ascending, shape ``(entry,)``.
    errors : array_like
        Their standard deviations, above 0, shape ``(entry,)``.
    """

    values: Any
    errors: Any

    def __post_init__(self) -> None:
        values = to_floats("values of the error table", self.values, 1)
        errors = to_floats("errors of the error table", self.errors, 1)
        if not values.size or values.shape != errors.shape or (np.diff(values) <= 0).any() or (errors <= 0).any():
            raise InputError(
                "an error table needs ascending values and as many deviations above 0; got values "
                f"{values.tolist()} and errors {errors.tolist()}"
            )

    def deviations(self, values: np.ndarray) -> np.ndarray:
        """Return the deviation for each value."""
        return np.interp(values, np.asarray(self.values, np.float64), np.asarray(self.errors, np.float64))


def error_model(error: Any) -> ErrorModel:
    """Return an error model: itself, a constant for a number, given errors for an array."""
    if hasattr(error, "deviations"):
        return error
    if isinstance(error, (int, float, np.number)) and not isinstance(error, bool):
        return ConstantError(float(error))
    try:
        each = np.asarray(error, dtype=np.float64)
    except (TypeError, ValueError) as wrong:
        raise InputError(
            "error must be a number, one number per observation, or an error model such as RelativeError; "
            f"got {type(error).__name__}"
        ) from wrong
    if each.ndim != 1:
        raise InputError(f"error must be a number or one number per observation, shape (obs,); got shape {each.shape}")
    return GivenErrors(each)


def correlated_covariance(
    coords: Any, variance: Any, length: float, *, metric: str = "euclidean", period: Any = None, name: str = "coords"
) -> np.ndarray:
    """Return the error covariance of observations whose errors are correlated as exp(-distance/length).

    Parameters
    ----------
    coords : array_like
        Coordinates of the observations, shape ``(obs, ndim)``.
    variance : array_like
        Error variances, shape ``(obs,)``.
    length : float
        Correlation length in the unit of the coordinates (metres with ``haversine``), above 0.
    metric, period
        As in `NearbyPoints`.
    name : str
        Name of the observations for messages.

    Returns
    -------
    numpy.ndarray
        Covariance, shape ``(obs, obs)``, positive definite where no two observations share a place and axes are not
        periodic; on the sphere and on periodic axes exp(-distance/length) is so too for one coordinate or a great
        circle, and in practice for lengths well below the period.

    Raises
    ------
    InputError
        If two observations share a place: their errors would be one and the same; or if there are too many.
    """
    check_covariance_size(len(np.asarray(coords)), name)
    index = NearbyPoints(coords, metric, period, name=name)
    length = check_number("correlation_length", length, 0.0, np.finfo(float).max, open_low=True)
    distance = np.empty((len(index.points), len(index.points)))
    for row, place in enumerate(index.points):  # coordinates of all pairs at once would take ndim times the memory
        distance[row] = index.distance(place, index.points)
    same = np.argwhere(np.triu(distance == 0.0, k=1))
    if len(same):
        first, second = same[0]
        raise InputError(
            f"{name}: observations {first} and {second} share the place {index.points[first].tolist()}, where "
            "correlated errors are one and the same; thin them (CellMean, CellBest) or leave out correlation_length"
        )
    deviation = np.sqrt(np.asarray(variance, dtype=np.float64))
    return np.exp(-distance / length) * np.outer(deviation, deviation)


def check_covariance_size(count: int, name: str) -> None:
    """Refuse a matrix of more than ``LARGEST_COVARIANCE`` observations; ``name`` says which.

    Raises
    ------
    InputError
        If there are more.
    """
    if count > LARGEST_COVARIANCE:
        raise InputError(
            f"{name}: the error covariance of {count} observations would take {8e-9 * count**2:.1f} GB; a global "
            f"filter takes correlated errors of at most {LARGEST_COVARIANCE}. Thin them, leave out the correlation, or "
            "take a local filter (letkf, lestkf, lseik, ldenkf, lnetf, lknetf), which groups errors domain by domain"
        )


__all__ = [
    "LARGEST_COVARIANCE",
    "ConstantError",
    "ErrorModel",
    "GivenErrors",
    "RelativeError",
    "TableError",
    "check_covariance_size",
    "correlated_covariance",
    "error_model",
]
