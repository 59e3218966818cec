"""Errors of observations: constant, relative, by vegetation, by the product itself, or by collocation.

A product that gives no error, or one that nobody believes, needs a model of it; a filter weighs by nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from pyland.base.errors import InputError
from pyland.base.observation_reasons import BAD_ERROR
from pyland.observe.climatology.seasonal_windows import SeasonalWindows
from pyland.observe.merging.collocation import LEAST_COUNT, SIGNIFICANCE, extended_collocation
from pyland.observe.observation_table import ObservationTable


class ErrorModel(Protocol):
    """Anything with a standard deviation for each row of a table."""

    def sigma(self, table: ObservationTable) -> np.ndarray:
        """Return standard deviations [unit of the type], shape (obs,); NaN where none is known."""
        ...


@dataclass(frozen=True)
class ConstantError:
    """The same standard deviation for all, ``error`` [unit of the type]."""

    error: float

    def sigma(self, table: ObservationTable) -> np.ndarray:
        """Return standard deviations, shape (obs,)."""
        return np.full(table.size, float(self.error))


@dataclass(frozen=True)
class RelativeError:
    """A share [1] of the value, and at least ``floor`` [unit of the type]."""

    share: float
    floor: float

    def sigma(self, table: ObservationTable) -> np.ndarray:
        """Return standard deviations, shape (obs,)."""
        return np.maximum(np.abs(table.value) * self.share, self.floor)


@dataclass(frozen=True)
class ProductError:
    """What the product says, times a factor [1], and at least ``floor`` [unit of the type]."""

    factor: float = 1.0
    floor: float = 0.0

    def sigma(self, table: ObservationTable) -> np.ndarray:
        """Return standard deviations, shape (obs,)."""
        return np.maximum(table.sigma * self.factor, self.floor)


@dataclass(frozen=True)
class ClassError:
    """One standard deviation for each class of a column, such as vegetation water or optical depth.

    Attributes
    ----------
    column : str
        Extra column of the table.
    edges : tuple of float
        Rising limits between the classes [unit of the column]; a value on a limit belongs to the upper class.
    errors : tuple of float
        Of the classes, one more than limits [unit of the type].
    """

    column: str
    edges: tuple[float, ...]
    errors: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.errors) != len(self.edges) + 1 or (np.diff(self.edges) <= 0).any():
            raise InputError(f"error model: expected rising limits of {self.column} and one error more than limits, "
                             f"got {self.edges} and {self.errors}.")

    def sigma(self, table: ObservationTable) -> np.ndarray:
        """Return standard deviations, shape (obs,)."""
        if self.column not in table.extra:
            raise InputError(f"error model: {table.product} has no column '{self.column}'; it has "
                             f"{', '.join(table.extra) or 'no extra column'}.")
        values = np.asarray(table.extra[self.column], float)
        found = np.asarray(self.errors, float)[np.searchsorted(self.edges, values, side="right")]
        return np.where(np.isfinite(values), found, np.nan)


@dataclass(frozen=True, eq=False)
class CollocationError:
    """What a collocation found, by place and part of the year; made by `fit`.

    Attributes
    ----------
    location : ndarray of int, shape (place,)
        Identity of the places, rising.
    windows : SeasonalWindows
        Parts of the year.
    errors : ndarray, shape (part, place)
        Standard deviations in the scale of the product [unit]; NaN where the collocation fails.
    otherwise : float
        Error where it fails [unit]; NaN leaves such rows out.
    """

    location: np.ndarray
    windows: SeasonalWindows
    errors: np.ndarray
    otherwise: float = np.nan

    @classmethod
    def fit(
        cls, products: np.ndarray, times: np.ndarray, *, product: int = 0, location: np.ndarray | None = None,
        window: str | int = "year", least_count: int = LEAST_COUNT, significance: float = SIGNIFICANCE,
        otherwise: float = np.nan,
    ) -> CollocationError:  # fmt: skip
        """Collocate three and more products in each part of the year.

        Parameters
        ----------
        products : array_like, shape (product, time, place)
            Products in one unit, anomalies rather than values; NaN without one.
        times : array_like of datetime64, shape (time,)
            Their times.
        product : int
            Number of the product whose errors are meant.
        location : array_like of int, shape (place,), optional
            Identity of the places, rising; default 0, 1, ...
        window : {"year", "season"} or int
            As in `SeasonalWindows`.
        least_count, significance
            As in `triple_collocation`.
        otherwise : float
            Error where the collocation fails [unit].

        Raises
        ------
        InputError
            If a shape or an option cannot be.
        """
        products = np.asarray(products, float)
        if products.ndim != 3 or products.shape[1] != np.size(times):
            raise InputError(f"error model: products must have shape (product, {np.size(times)}, place), got "
                             f"{products.shape}.")
        location = np.arange(products.shape[2]) if location is None else np.asarray(location, np.int64)
        if location.shape != (products.shape[2],) or (np.diff(location) <= 0).any():
            raise InputError(f"error model: expected {products.shape[2]} rising identities of places.")
        windows = SeasonalWindows(window)
        errors = [extended_collocation(products[:, one], reference=product, least_count=least_count,
                                       significance=significance).error_std[product] for one in windows.members(times)]
        return cls(location, windows, np.stack(errors), otherwise)

    def sigma(self, table: ObservationTable) -> np.ndarray:
        """Return standard deviations, shape (obs,)."""
        row = np.minimum(np.searchsorted(self.location, table.location), max(self.location.size - 1, 0))
        if not self.location.size:
            return np.full(table.size, self.otherwise)
        first, second, weight = self.windows.weights(table.time)
        one, other = self.errors[first, row], self.errors[second, row]
        other = np.where(np.isnan(other), one, other)
        found = np.where(np.isnan(one), other, one + weight * (other - one))
        found = np.where(self.location[row] == table.location, found, np.nan)
        return np.where(np.isnan(found), self.otherwise, found)


@dataclass(frozen=True)
class ErrorOrElse:
    """Errors of ``model``, and ``otherwise`` [unit of the type] where it knows none."""

    model: ErrorModel
    otherwise: float

    def sigma(self, table: ObservationTable) -> np.ndarray:
        """Return standard deviations, shape (obs,)."""
        found = np.asarray(self.model.sigma(table), float)
        return np.where(np.isfinite(found) & (found > 0), found, self.otherwise)


def error_of_table(table: ObservationTable, model: ErrorModel) -> ObservationTable:
    """Give a table the errors of a model.

    Parameters
    ----------
    table : ObservationTable
        Observations.
    model : ErrorModel
        `ConstantError`, `RelativeError`, `ProductError`, `ClassError`, `CollocationError`, `ErrorOrElse`, or anything
        like them.

    Returns
    -------
    ObservationTable
        Used rows without a positive error get the reason ``error_not_positive``.

    Raises
    ------
    InputError
        If the model needs a column that the table lacks.
    """
    sigma = np.asarray(model.sigma(table), float)
    if sigma.shape != (table.size,):
        raise InputError(f"error model of {table.product}: expected errors of shape ({table.size},), got "
                         f"{sigma.shape}.")
    known = replace(table, sigma=sigma).with_history(f"errors: {model if _is_short(model) else type(model).__name__}")
    return known.rejected(~(np.isfinite(sigma) & (sigma > 0)), BAD_ERROR)


def _is_short(model: ErrorModel) -> bool:
    if isinstance(model, ErrorOrElse):
        return _is_short(model.model)
    return isinstance(model, (ConstantError, RelativeError, ProductError, ClassError))
