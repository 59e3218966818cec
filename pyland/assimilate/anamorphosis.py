"""Gaussian anamorphosis: the normal score of a value within a sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import ndtri

from pyland.assimilate.variable_transforms import finite
from pyland.base.errors import InputError

BLOCK = 512
"""Elements of a state that are transformed at once; the result does not depend on it."""


class GaussianAnamorphosis:
    """Empirical normal-score transform with tails to stated bounds.

    The k-th smallest of n sample values has the score of probability ``(k - 1/2)/n`` of the standard normal
    distribution; between them the function is linear.

    Parameters
    ----------
    reference : array_like
        Sample, shape ``(sample, ...)``, at least 2 in the sample: the ensemble itself, or another one (a climatology).
        With more than one dimension each element has a function of its own and what is transformed has the shape
        ``(any, ...)`` with the same elements. With one dimension the function holds for any value.
    lower, upper : float
        Bounds of the variable, in its unit; infinite for none. The sample must lie within.

    Raises
    ------
    InputError
        If the sample is too small, not finite or out of bounds, or the bounds are not in order.

    Notes
    -----
    *Tails.* Beyond the sample the function goes on with the mean slope of the whole sample, (largest - smallest) over
    the difference of their scores, and ends at the bounds: scores beyond them give the bound. A sample without spread
    has the slope 1 (in the unit of the variable).

    *Ties.* Equal values (snow: many members without any) fill a range of scores, which all give that value back; the
    value itself has the score of the middle of its probabilities. Members that are tied therefore stay tied under an
    update that moves all of them alike, and leave the value only when the score leaves the range.

    The way there and back gives the value to rounding for everything within the bounds.

    References
    ----------
    .. [1] Simon, E., and Bertino, L. (2009). Ocean Sci. 5, 495-510.
    .. [2] Beal, D., Brasseur, P., Brankart, J.-M., Ourmieres, Y., and Verron, J. (2010). Characterization of mixing
       errors in a coupled physical biogeochemical model of the North Atlantic: implications for nonlinear estimation
       using Gaussian anamorphosis. Ocean Sci. 6, 247-262.

    Examples
    --------
    >>> snow = GaussianAnamorphosis([0.0, 0.0, 0.0, 12.0], lower=0.0)          # mm
    >>> snow.inverse(snow.forward([0.0, 5.0, 30.0])).round(9)
    array([ 0.,  5., 30.])
    >>> snow.inverse([-3.0])
    array([0.])
    """

    def __init__(self, reference: Any, lower: float = -np.inf, upper: float = np.inf) -> None:
        sample = finite("reference (sample, ...)", reference)
        if sample.ndim < 1 or sample.shape[0] < 2:
            raise InputError(f"reference must hold at least 2 values per element, (sample, ...); got {sample.shape}")
        self.lower, self.upper = float(lower), float(upper)
        if not self.lower < self.upper:
            raise InputError(f"lower must be below upper; got {lower!r} and {upper!r}")
        if sample.size and (sample.min() < self.lower or sample.max() > self.upper):
            raise InputError(
                f"reference must lie within [{self.lower:g}, {self.upper:g}]; got {sample.min()!r} to {sample.max()!r}"
            )
        self._pooled = sample.ndim == 1
        self._shape = sample.shape[1:]
        self._values = np.sort(sample.reshape(sample.shape[0], -1), axis=0)
        count = sample.shape[0]
        self._probabilities = (np.arange(count) + 0.5) / count
        self._scores = ndtri(self._probabilities)
        spread = self._values[-1] - self._values[0]
        rounding = np.spacing(np.abs(self._values).max(axis=0))
        slope = spread / (self._scores[-1] - self._scores[0])
        self._slope = np.where(spread > rounding, slope, 1.0)

    def forward(self, x: Any) -> np.ndarray:
        """Return normal scores.

        Parameters
        ----------
        x : array_like
            Values within the bounds, shape ``(any, ...)`` with the elements of the reference, or any shape.

        Returns
        -------
        numpy.ndarray
            Scores [1], same shape.

        Raises
        ------
        InputError
            If the shape does not fit, or a value is not finite or out of bounds.
        """
        values = finite("x", x)
        inside = (values >= self.lower) & (values <= self.upper)
        if not inside.all():
            index = tuple(int(i) for i in np.argwhere(~inside)[0])
            raise InputError(
                f"values must lie within [{self.lower:g}, {self.upper:g}]; got {values[index]!r} at index {index}")
        return self._by_blocks("x", values, self._scores_of)

    def inverse(self, z: Any) -> np.ndarray:
        """Return values of scores.

        Parameters
        ----------
        z : array_like
            Scores [1], shape as in `forward`.

        Returns
        -------
        numpy.ndarray
            Values within the bounds, same shape.

        Raises
        ------
        InputError
            If the shape does not fit or a score is not finite.
        """
        return self._by_blocks("z", finite("z", z), self._values_of)

    def _scores_of(self, flat: np.ndarray, sample: np.ndarray, slope: np.ndarray) -> np.ndarray:
        """Return scores of values (any, element) of elements with the sorted ``sample`` (sample, element)."""
        last = len(sample) - 1
        below = _count_below(sample, flat)
        left, right = np.maximum(below - 1, 0), np.minimum(below, last)
        low, high = _pick(sample, left), _pick(sample, right)
        gap = np.where(right > left, high - low, 1.0)
        scores = self._scores[left] + (flat - low) / gap * (self._scores[right] - self._scores[left])
        scores = np.where(below == 0, self._scores[0] + (flat - sample[0]) / slope, scores)
        scores = np.where(below > last, self._scores[-1] + (flat - sample[-1]) / slope, scores)
        return np.where(high == flat, _pick(self._scores_of_sample(sample), right), scores)

    def _values_of(self, flat: np.ndarray, sample: np.ndarray, slope: np.ndarray) -> np.ndarray:
        """Return values of scores (any, element), within the bounds."""
        left = np.clip(np.searchsorted(self._scores, flat, side="right") - 1, 0, len(sample) - 2)
        low, high = _pick(sample, left), _pick(sample, left + 1)
        share = (flat - self._scores[left]) / (self._scores[left + 1] - self._scores[left])
        values = low + np.clip(share, 0.0, 1.0) * (high - low)
        values = np.where(flat < self._scores[0], sample[0] + (flat - self._scores[0]) * slope, values)
        values = np.where(flat >= self._scores[-1], sample[-1] + (flat - self._scores[-1]) * slope, values)
        return np.clip(values, self.lower, self.upper)

    def _by_blocks(self, name: str, array: np.ndarray, function: Callable[..., np.ndarray]) -> np.ndarray:
        """Apply a function to blocks of elements, which stay in cache."""
        flat = self._flat(name, array)
        result = np.empty(flat.shape)
        for first in range(0, flat.shape[1], BLOCK):
            part = slice(first, first + BLOCK)
            result[:, part] = function(flat[:, part], np.ascontiguousarray(self._values[:, part]), self._slope[part])
        return result.reshape(array.shape)

    def _flat(self, name: str, array: np.ndarray) -> np.ndarray:
        """Return (any, element); one column for a pooled reference."""
        if self._pooled:
            return array.reshape(-1, 1)
        if array.ndim != len(self._shape) + 1 or array.shape[1:] != self._shape:
            raise InputError(f"{name} must have shape (any, {', '.join(map(str, self._shape))}); got {array.shape}")
        return array.reshape(array.shape[0], -1)

    def _scores_of_sample(self, sample: np.ndarray) -> np.ndarray:
        """Return the scores of the sorted sample itself (sample, element); of equal values that of their middle."""
        count = len(sample)
        scores = np.repeat(self._scores[:, np.newaxis], sample.shape[1], axis=1)
        is_same = sample[1:] == sample[:-1]
        if not is_same.any():
            return scores
        below = np.repeat(np.arange(count)[:, np.newaxis], sample.shape[1], axis=1)
        upto = below + 1
        for k in range(1, count):
            np.copyto(below[k], below[k - 1], where=is_same[k - 1])
        for k in range(count - 2, -1, -1):
            np.copyto(upto[k], upto[k + 1], where=is_same[k])
        tied = upto - below > 1
        middle = 0.5 * (below[tied] + upto[tied]) / count
        scores[tied] = ndtri(np.clip(middle, self._probabilities[0], self._probabilities[-1]))
        return scores


def _count_below(sample: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return how many of the sorted sample (sample, element) are below each value (any, element)."""
    if values.shape[1] == 1:
        return np.searchsorted(sample[:, 0], values[:, 0])[:, np.newaxis]
    count = len(sample)
    below = np.zeros(values.shape, dtype=np.intp)
    for power in range(count.bit_length() - 1, -1, -1):  # bisection of all elements at once: the count, bit by bit
        more = below + 2**power
        is_below = (_pick(sample, np.minimum(more, count) - 1) < values) & (more <= count)
        np.copyto(below, more, where=is_below)
    return below


def _pick(sample: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return ``sample[place[i, k], k]``; numpy.take_along_axis with half the time."""
    return sample.ravel().take(place * sample.shape[1] + np.arange(sample.shape[1]))


__all__ = ["GaussianAnamorphosis"]
