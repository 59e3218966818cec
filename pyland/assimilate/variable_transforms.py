"""Transforms of bounded variables: what a filter takes for Gaussian, and bounds that no update can leave.

A transform maps a variable to a score and back, element by element. The analysis is done on scores.

References
----------
.. [1] Bertino, L., Evensen, G., and Wackernagel, H. (2003). Sequential data assimilation techniques in oceanography.
   Int. Stat. Rev. 71, 223-241.
.. [2] Simon, E., and Bertino, L. (2009). Application of the Gaussian anamorphosis to assimilation in a 3-D coupled
   physical-ecosystem model of the North Atlantic with the EnKF: a twin experiment. Ocean Sci. 5, 495-510.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from scipy.special import expit

from pyland.base.errors import InputError


class VariableTransform(Protocol):
    """What every transform can do; arrays of any shape, the member first where elements differ."""

    def forward(self, x: Any) -> np.ndarray:
        """Return scores [1] of values."""
        ...

    def inverse(self, z: Any) -> np.ndarray:
        """Return values of scores, within bounds whatever the scores are."""
        ...


class IdentityTransform:
    """The variable itself, for elements that need no transform."""

    def forward(self, x: Any) -> np.ndarray:
        """Return a copy of ``x``, any shape and unit.

        Raises
        ------
        InputError
            If a value is not finite.
        """
        return finite("x", x).copy()

    def inverse(self, z: Any) -> np.ndarray:
        """Return a copy of ``z``; raises InputError if a value is not finite."""
        return finite("z", z).copy()


class LogTransform:
    """Logarithm of the distance from a lower bound: conductivities, concentrations.

    Parameters
    ----------
    lower : float
        Bound that values stay above, in their unit.

    Raises
    ------
    InputError
        If the bound is not finite.

    Examples
    --------
    >>> LogTransform().inverse(LogTransform().forward([1e-6]) - 100.0) > 0.0
    array([ True])
    """

    def __init__(self, lower: float = 0.0) -> None:
        self.lower = _bound("lower", lower)

    def forward(self, x: Any) -> np.ndarray:
        """Return ``log(x - lower)``.

        Parameters
        ----------
        x : array_like
            Values above ``lower``, any shape.

        Returns
        -------
        numpy.ndarray
            Scores, same shape.

        Raises
        ------
        InputError
            If a value is not finite or not above the bound.
        """
        values = finite("x", x)
        _inside(values, values > self.lower, f"above {self.lower:g}")
        return np.log(values - self.lower)

    def inverse(self, z: Any) -> np.ndarray:
        """Return ``lower + exp(z)``, above ``lower`` and finite for any finite ``z``.

        Where the sum would round to the bound or overflow, it is the next number of float64 above the bound, or the
        largest one: what comes back can be transformed again.

        Raises
        ------
        InputError
            If a score is not finite.
        """
        scores = finite("z", z)
        with np.errstate(over="ignore"):
            values = self.lower + np.exp(scores)
        return np.clip(values, np.nextafter(self.lower, np.inf), np.finfo(np.float64).max)


class LogitTransform:
    """Logit of the position between two bounds: saturation, fractions, albedo.

    Parameters
    ----------
    lower, upper : float
        Bounds that values stay between, in their unit; lower < upper.

    Raises
    ------
    InputError
        If the bounds are not finite or not in this order.
    """

    def __init__(self, lower: float, upper: float) -> None:
        self.lower, self.upper = _bound("lower", lower), _bound("upper", upper)
        if not self.lower < self.upper or np.nextafter(self.lower, self.upper) == self.upper:
            raise InputError(f"lower must be below upper with numbers between them; got {lower!r} and {upper!r}")

    def forward(self, x: Any) -> np.ndarray:
        """Return ``log((x - lower)/(upper - x))``.

        Parameters
        ----------
        x : array_like
            Values between the bounds and on neither, any shape.

        Returns
        -------
        numpy.ndarray
            Scores, same shape.

        Raises
        ------
        InputError
            If a value is not finite or not between the bounds.
        """
        values = finite("x", x)
        _inside(values, (values > self.lower) & (values < self.upper), f"between {self.lower:g} and {self.upper:g}")
        return np.log(values - self.lower) - np.log(self.upper - values)

    def inverse(self, z: Any) -> np.ndarray:
        """Return ``lower + (upper - lower)/(1 + exp(-z))``, between the bounds for any finite ``z``.

        Where it would round to a bound it is the next number of float64 inside.

        Raises
        ------
        InputError
            If a score is not finite.
        """
        scores = finite("z", z)
        width = self.upper - self.lower
        values = np.where(scores < 0.0, self.lower + width * expit(scores), self.upper - width * expit(-scores))
        return np.clip(values, np.nextafter(self.lower, self.upper), np.nextafter(self.upper, self.lower))


class TransformedVector:
    """A transform for each slice of a state vector; the rest stays as it is.

    Parameters
    ----------
    parts : sequence of pairs
        ``[(part, transform), ...]``; a part is a ``slice`` or an array of element numbers. No element may be in two.

    Examples
    --------
    >>> import numpy as np
    >>> vector = TransformedVector([(slice(0, 1), LogTransform()), (slice(1, 2), LogitTransform(0.0, 0.5))])
    >>> E = np.array([[1e-6, 0.2, 280.0], [1e-5, 0.3, 281.0]])
    >>> bool(np.allclose(vector.inverse(vector.forward(E)), E))
    True
    """

    def __init__(self, parts: Sequence[tuple[Any, VariableTransform]]) -> None:
        self.parts = [(part if isinstance(part, slice) else np.asarray(part), one) for part, one in parts]

    def forward(self, E: Any) -> np.ndarray:
        """Return scores of a state.

        Parameters
        ----------
        E : array_like
            Ensemble, shape ``(member, state)``.

        Returns
        -------
        numpy.ndarray
            Same shape.

        Raises
        ------
        InputError
            If parts overlap or do not fit the state, or a value is out of the bounds of its transform.
        """
        return self._apply("E (member, state)", E, "forward")

    def inverse(self, Z: Any) -> np.ndarray:
        """Return the state of scores, shape ``(member, state)``; raises InputError as `forward`."""
        return self._apply("Z (member, state)", Z, "inverse")

    def _apply(self, name: str, values: Any, direction: str) -> np.ndarray:
        array = finite(name, values)
        if array.ndim != 2:
            raise InputError(f"{name} must have 2 dimensions; got shape {array.shape}")
        result = array.copy()
        taken = np.zeros(array.shape[1], dtype=int)
        for number, (part, transform) in enumerate(self.parts):
            try:
                np.add.at(taken, part, 1)
            except IndexError as error:
                raise InputError(
                    f"part {number} of the transforms does not fit a state of {taken.size}: {error}") from error
            if taken.max(initial=0) > 1:
                raise InputError(
                    f"state element {int(taken.argmax())} is in more than one part of the transforms (again in part "
                    f"{number}); every element may have one transform"
                )
            try:
                result[:, part] = getattr(transform, direction)(array[:, part])
            except InputError as error:
                raise InputError(f"part {number} of the transforms: {error}") from error
        return result


def finite(name: str, value: Any) -> np.ndarray:
    """Return ``value`` as finite float64 numbers of any shape, or say what is wrong."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} must be an array of numbers; got {type(value).__name__} ({error})") from error
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise InputError(f"{name} holds {array[where]} at index {where}; all values must be finite")
    return array


def _bound(name: str, value: Any) -> float:
    return float(finite(name, value))


def _inside(values: np.ndarray, inside: np.ndarray, where: str) -> None:
    if not inside.all():
        index = tuple(int(i) for i in np.argwhere(~inside)[0])
        raise InputError(
            f"values must lie {where}; got {values[index]!r} at index {index}. Values on a bound (dry, bare, full) "
            "have no finite score here; take GaussianAnamorphosis for them"
        )


__all__ = ["IdentityTransform", "LogTransform", "LogitTransform", "TransformedVector", "VariableTransform", "finite"]
