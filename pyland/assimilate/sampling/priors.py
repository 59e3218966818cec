"""Priors of single parameters, and their standard form: a parameter as a function of a standard normal number.

Samplers and smoothers work on standard normal numbers z; the parameter is F^-1(Phi(z)) with the distribution function F
of its prior. Every z is then a possible parameter, bounds need no care, all parameters have one scale, and ensemble
smoothers meet the normal prior that they assume.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr, ndtri

from pyland.base.errors import InputError


class Prior(ABC):
    """Distribution of one parameter."""

    @abstractmethod
    def from_standard(self, z: Any) -> np.ndarray:
        """Return the parameter that belongs to standard normal numbers, of any shape."""

    @abstractmethod
    def to_standard(self, value: Any) -> np.ndarray:
        """Return the standard normal numbers of parameters; NaN outside the support."""

    @property
    def median(self) -> float:
        """Median [unit of the parameter]."""
        return float(self.from_standard(0.0))


@dataclass(frozen=True)
class NormalPrior(Prior):
    """Normal distribution, cut at bounds if there are any.

    Attributes
    ----------
    mean, std : float
        Of the distribution before it is cut.
    low, high : float
        Bounds.
    """

    mean: float
    std: float
    low: float = -np.inf
    high: float = np.inf

    def __post_init__(self) -> None:
        if not self.std > 0.0 or not self.low < self.high:
            raise InputError(f"normal prior: expected a standard deviation above 0 and low below high, got {self.std}, "
                             f"{self.low}, {self.high}.")
        if not self._share[1] > self._share[0]:
            raise InputError(f"normal prior: mean {self.mean:g} and standard deviation {self.std:g} leave nothing "
                             f"between {self.low:g} and {self.high:g}.")

    @property
    def _is_whole(self) -> bool:
        return bool(np.isinf(self.low) and np.isinf(self.high))

    @property
    def _share(self) -> tuple[float, float]:
        """Distribution function at the bounds [1]."""
        return float(ndtr((self.low - self.mean) / self.std)), float(ndtr((self.high - self.mean) / self.std))

    def from_standard(self, z: Any) -> np.ndarray:
        """See `Prior`."""
        z = np.asarray(z, dtype=np.float64)
        if self._is_whole:
            return self.mean + self.std * z
        first, last = self._share
        return np.clip(self.mean + self.std * ndtri(first + (last - first) * ndtr(z)), self.low, self.high)

    def to_standard(self, value: Any) -> np.ndarray:
        """See `Prior`."""
        value = np.asarray(value, dtype=np.float64)
        plain = (value - self.mean) / self.std
        if self._is_whole:
            return plain
        first, last = self._share
        inside = (value >= self.low) & (value <= self.high)
        return np.where(inside, ndtri(np.clip((ndtr(plain) - first) / (last - first), 0.0, 1.0)), np.nan)


@dataclass(frozen=True)
class LognormalPrior(Prior):
    """Log-normal distribution: the logarithm is normal, cut at bounds if there are any.

    Attributes
    ----------
    median_value : float
        Median, above 0.
    log_std : float
        Standard deviation of the natural logarithm [1].
    low, high : float
        Bounds.
    """

    median_value: float
    log_std: float
    low: float = 0.0
    high: float = np.inf

    def __post_init__(self) -> None:
        if not self.median_value > 0.0 or self.low < 0.0:
            raise InputError(f"lognormal prior: expected a median above 0 and a lower bound of at least 0, got "
                             f"{self.median_value} and {self.low}.")
        _ = self._log  # says what else is wrong

    @property
    def _log(self) -> NormalPrior:
        low = np.log(self.low) if self.low > 0.0 else -np.inf
        return NormalPrior(float(np.log(self.median_value)), self.log_std, float(low), float(np.log(self.high)))

    def from_standard(self, z: Any) -> np.ndarray:
        """See `Prior`."""
        return np.exp(self._log.from_standard(z))

    def to_standard(self, value: Any) -> np.ndarray:
        """See `Prior`."""
        value = np.asarray(value, dtype=np.float64)
        is_positive = value > 0.0
        return np.where(is_positive, self._log.to_standard(np.log(np.where(is_positive, value, 1.0))), np.nan)


@dataclass(frozen=True)
class UniformPrior(Prior):
    """All values between two bounds alike, or all logarithms.

    Attributes
    ----------
    low, high : float
        Bounds.
    is_log : bool
        Whether the logarithm is uniform.
    """

    low: float
    high: float
    is_log: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high or not np.isfinite([self.low, self.high]).all():
            raise InputError(f"uniform prior: expected finite bounds, low below high, got {self.low} and {self.high}.")
        if self.is_log and self.low <= 0.0:
            raise InputError(f"uniform prior of a logarithm: expected bounds above 0, got {self.low}.")

    def from_standard(self, z: Any) -> np.ndarray:
        """See `Prior`."""
        share = ndtr(np.asarray(z, dtype=np.float64))
        if self.is_log:
            return np.exp(np.log(self.low) + share * (np.log(self.high) - np.log(self.low)))
        return self.low + share * (self.high - self.low)

    def to_standard(self, value: Any) -> np.ndarray:
        """See `Prior`."""
        value = np.asarray(value, dtype=np.float64)
        inside = (value >= self.low) & (value <= self.high)
        kept = np.where(inside, value, self.high)
        share = (kept - self.low) / (self.high - self.low)
        if self.is_log:
            share = np.log(kept / self.low) / np.log(self.high / self.low)
        return np.where(inside, ndtri(np.clip(share, 0.0, 1.0)), np.nan)


@dataclass(frozen=True)
class QuantilePrior(Prior):
    """Two halves of normal distributions that meet three given quantiles, or the same of the logarithm.

    SoilGrids publishes the 5, 50 and 95 % quantiles of its predictions; they are rarely symmetric.

    Attributes
    ----------
    q05, q50, q95 : float
        Quantiles.
    is_log : bool
        Whether the halves are of the logarithm.
    """

    q05: float
    q50: float
    q95: float
    is_log: bool = False

    def __post_init__(self) -> None:
        if not self.q05 < self.q50 < self.q95:
            raise InputError(f"quantiles: expected q05 < q50 < q95, got {self.q05}, {self.q50}, {self.q95}.")
        if self.is_log and self.q05 <= 0.0:
            raise InputError(f"quantiles of a logarithm: expected all above 0, got {self.q05}.")

    @property
    def _halves(self) -> tuple[float, float, float]:
        """Median and the standard deviations below and above, of the value or its logarithm."""
        q05, q50, q95 = np.log([self.q05, self.q50, self.q95]) if self.is_log else (self.q05, self.q50, self.q95)
        reach = float(ndtri(0.95))
        return float(q50), float(q50 - q05) / reach, float(q95 - q50) / reach

    def from_standard(self, z: Any) -> np.ndarray:
        """See `Prior`."""
        z = np.asarray(z, dtype=np.float64)
        middle, below, above = self._halves
        value = middle + z * np.where(z < 0.0, below, above)
        return np.exp(value) if self.is_log else value

    def to_standard(self, value: Any) -> np.ndarray:
        """See `Prior`."""
        value = np.asarray(value, dtype=np.float64)
        middle, below, above = self._halves
        if self.is_log:
            value = np.log(np.where(value > 0.0, value, np.nan))
        return (value - middle) / np.where(value < middle, below, above)


__all__ = ["LognormalPrior", "NormalPrior", "Prior", "QuantilePrior", "UniformPrior"]
