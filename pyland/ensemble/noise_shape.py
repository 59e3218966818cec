"""From a standard-normal number to a factor of mean 1 or a shift of mean 0, with the wanted spread after truncation.

Noise is cut at +-c standard deviations. A cut distribution has a smaller spread and, for the log-normal, another mean;
both are corrected with the exact moments of a clipped normal variable, so that the spread a user asks for is the
spread the members get.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pyland.base.errors import InputError

MULTIPLY = "multiply_lognormal"
ADD = "add_normal"

DEFAULT_TRUNCATION = 2.5
"""Cut of the noise [standard deviations]: the value of the SMAP Level-4 system (2.5 to 3 there)."""

_BISECTIONS = 80
"""Halvings of the bracket of the log-normal scale: the bracket ends at the spacing of floating-point numbers."""


@dataclass(frozen=True)
class NoiseShape:
    """Turns standard-normal noise into factors or shifts.

    Attributes
    ----------
    kind : str
        ``"multiply_lognormal"`` (factor with mean 1) or ``"add_normal"`` (shift with mean 0).
    scale : float
        Factor of the clipped noise, in log space for ``multiply_lognormal``.
    log_mean : float
        Logarithm of the mean of exp(scale * clipped noise); 0 for ``add_normal``.
    truncation : float
        Cut of the noise [standard deviations]; infinity means no cut.
    """

    kind: str
    scale: float
    log_mean: float
    truncation: float

    @classmethod
    def build(cls, where: str, kind: str, std: float, truncation: float | None) -> NoiseShape:
        """Build the shape with a given spread.

        Parameters
        ----------
        where : str
            Key of the configuration, for messages.
        kind : str
            ``"multiply_lognormal"`` or ``"add_normal"``.
        std : float
            Standard deviation: of the factor [1] (coefficient of variation), or of the shift [unit of the variable].
        truncation : float or None
            Cut of the noise [standard deviations]; None for no cut.

        Raises
        ------
        InputError
            If the kind is unknown or a number is out of range.
        """
        if kind not in (MULTIPLY, ADD):
            raise InputError(f"{where}.kind: expected '{MULTIPLY}' or '{ADD}', got {kind!r}.")
        cut = math.inf if truncation is None else _number(f"{where}.truncation", truncation)
        if not cut >= 1.0:
            raise InputError(f"{where}.truncation: expected at least 1 standard deviation or null, got {truncation}.")
        std = _number(f"{where}.std", std)
        if std < 0:
            raise InputError(f"{where}.std: expected 0 or a positive number, got {std}.")
        if kind == ADD:
            return cls(kind, std / math.sqrt(_clipped_variance(cut)), 0.0, cut)
        scale = _log_scale(where, std, cut)
        return cls(kind, scale, math.log(_clipped_moment(scale, cut)), cut)

    def of(self, noise: np.ndarray) -> np.ndarray:
        """Return factors or shifts of standard-normal ``noise`` (any shape)."""
        value = np.clip(noise, -self.truncation, self.truncation)
        value *= self.scale
        if self.kind == MULTIPLY:
            value -= self.log_mean
            np.exp(value, out=value)
        return value

    @property
    def neutral(self) -> float:
        """The factor or shift that changes nothing."""
        return 1.0 if self.kind == MULTIPLY else 0.0


def _number(where: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not np.isfinite(value):
        raise InputError(f"{where}: expected a finite number, got {value!r}.")
    return float(value)


def _phi(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def _clipped_variance(cut: float) -> float:
    """Return the variance of a standard-normal variable clipped at +-cut."""
    if math.isinf(cut):
        return 1.0
    density = math.exp(-0.5 * cut**2) / math.sqrt(2.0 * math.pi)
    return 1.0 - 2.0 * _phi(-cut) - 2.0 * cut * density + 2.0 * cut**2 * _phi(-cut)


def _clipped_moment(scale: float, cut: float) -> float:
    """Return E[exp(scale * n)] of a standard-normal n clipped at +-cut."""
    full = math.exp(0.5 * scale**2)
    if math.isinf(cut):
        return full
    middle = full * (_phi(cut - scale) - _phi(-cut - scale))
    return middle + 2.0 * math.cosh(scale * cut) * _phi(-cut)


def _log_scale(where: str, std: float, cut: float) -> float:
    """Return the scale in log space for which the clipped log-normal factor has the coefficient of variation std."""
    if math.isinf(cut):
        return math.sqrt(math.log1p(std**2))

    def variation(scale: float) -> float:
        return math.sqrt(max(_clipped_moment(2.0 * scale, cut) / _clipped_moment(scale, cut) ** 2 - 1.0, 0.0))

    low, high = 0.0, 4.0
    if std > variation(high):
        raise InputError(
            f"{where}.std: a log-normal factor cut at {cut} standard deviations cannot vary by {std}; "
            f"the bound is {variation(high):.3g}. Lower std or set truncation to null."
        )
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if variation(middle) < std else (low, middle)
    return 0.5 * (low + high)
