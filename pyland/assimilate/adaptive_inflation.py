"""Inflation that observations estimate: one factor per element of the state (Anderson 2007, 2009).

The factor lambda multiplies the variance of an element. An observation whose predicted value correlates with it by r
and reaches it with the localisation weight w has, if lambda is right, an innovation D of variance

    theta**2 = R + (1 + gamma (sqrt(lambda) - 1))**2 var(Y),    gamma = w |r|

(Anderson 2009, eq. 10), which is a likelihood of lambda. Before the observations, lambda has a distribution with a mode
and a standard deviation: normal (Anderson 2009), or inverse gamma, which has no weight at 0 and a tail towards large
factors (El Gharamti 2018). After them, the mode of the posterior is the new factor, and the width of the posterior
gives the new standard deviation (Anderson 2009, sect. 3d).

Anderson updates with one observation after the other, with an approximation in between. Here the likelihoods of all
observations of an element are multiplied and the mode is found once: nothing depends on the order of observations.

References
----------
.. [1] Anderson, J. L. (2007). An adaptive covariance inflation error correction algorithm for ensemble filters.
   Tellus A 59, 210-224.
.. [2] Anderson, J. L. (2009). Spatially and temporally varying adaptive covariance inflation for ensemble filters.
   Tellus A 61, 72-83.
.. [3] El Gharamti, M. (2018). Enhanced adaptive inflation algorithm for ensemble filters. Mon. Weather Rev. 146,
   623-640.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyland.assimilate import arguments
from pyland.assimilate.reach import CHUNK, Pairs, Reach
from pyland.base.errors import ConvergenceError, InputError

PRIORS = ("gaussian", "inverse_gamma")
"""Distributions of the factor before the observations."""

_GRID = 12  # factors at which the posterior is looked at before its mode is refined
_ITERATIONS = 80  # bisections alone bring the widest bracket to the last bits of a factor
_CLOSE = 1e-10  # relative accuracy of the mode


class AdaptiveInflation:
    """Factors of the variance of each element of a state.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of the state.
    initial : float
        Factor of the variance at the start [1].
    std : float
        Its standard deviation at the start [1], above 0.
    smallest_std : float, optional
        The standard deviation does not fall below [1]; default: ``std``, which then stays as it is.
    lower, upper : float
        Bounds of the factor [1], above 0.
    damping : float
        `damp` keeps this share of the factor minus 1, in (0, 1].
    prior : {"gaussian", "inverse_gamma"}
        Distribution of the factor before the observations.

    Attributes
    ----------
    factor, std : numpy.ndarray, shape (state,)
        Mode and standard deviation of the factor of the variance [1].

    Raises
    ------
    InputError
        If a number is out of range.
    """

    def __init__(
        self,
        shape: int | tuple[int, ...],
        initial: float = 1.0,
        std: float = 0.6,
        *,
        smallest_std: float | None = None,
        lower: float = 1.0,
        upper: float = 50.0,
        damping: float = 1.0,
        prior: str = "inverse_gamma",
    ) -> None:
        std = arguments.check_number("std", std, 0.0, np.inf, open_low=True)
        self.smallest_std = arguments.check_number(
            "smallest_std", std if smallest_std is None else smallest_std, 0.0, std, open_low=True)
        self.lower = arguments.check_number("lower", lower, 0.0, np.inf, open_low=True)
        self.upper = arguments.check_number("upper", upper, self.lower, np.inf, open_low=True)
        self.damping = arguments.check_number("damping", damping, 0.0, 1.0, open_low=True)
        if prior not in PRIORS:
            raise InputError(f"prior must be one of {', '.join(PRIORS)}; got {prior!r}")
        self.prior = prior
        initial = arguments.check_number("initial", initial, self.lower, self.upper)
        self.factor = np.full(int(np.prod(shape)), initial)
        self.std = np.full(self.factor.size, std)

    def damp(self, where: np.ndarray | None = None) -> None:
        """Bring factors nearer to 1: what is not observed forgets.

        Parameters
        ----------
        where : numpy.ndarray of bool, optional
            Elements whose factors are damped, shape ``(state,)``; default: all.
        """
        damped = np.clip(1.0 + self.damping * (self.factor - 1.0), self.lower, self.upper)
        self.factor = damped if where is None else np.where(where, damped, self.factor)

    def apply(self, E: Any, where: np.ndarray | None = None) -> np.ndarray:
        """Inflate an ensemble around its mean.

        Parameters
        ----------
        E : array_like
            Ensemble, shape ``(member, state)``. Not changed.
        where : numpy.ndarray of bool, optional
            Elements that are inflated, shape ``(state,)``; the others keep their bits. Default: all.

        Returns
        -------
        numpy.ndarray
            Shape ``(member, state)``.

        Raises
        ------
        InputError
            If the shape does not fit.
        """
        ensemble = self._checked("E (member, state)", E)
        root = np.sqrt(self.factor)
        chosen = (root != 1.0) if where is None else (root != 1.0) & np.asarray(where)
        mean = _member_mean(ensemble)
        return np.where(chosen, mean + root * (ensemble - mean), ensemble)

    def update(
        self,
        E: Any,
        Y: Any,
        d: Any,
        R: Any,
        reach: Reach | None = None,
        domain_of_state: Any = None,
        where: np.ndarray | None = None,
    ) -> None:
        """Learn from the observations of one analysis.

        Parameters
        ----------
        E : array_like
            Forecast ensemble before inflation, shape ``(member, state)``; at least 2 members.
        Y : array_like
            What its members predict, before inflation, shape ``(member, obs)``.
        d : array_like
            Observations, shape ``(obs,)``.
        R : array_like
            Error variances, shape ``(obs,)``.
        reach : Reach, optional
            Places of domains and observations; None: all observations reach all elements.
        domain_of_state : array_like of int, optional
            Domain of each state element, shape ``(state,)``; default: one domain per element.
        where : numpy.ndarray of bool, optional
            Elements that learn, shape ``(state,)``; the others keep factor and width. Default: all.

        Raises
        ------
        InputError
            If a shape or a value does not fit.
        ConvergenceError
            If the mode of a posterior is not found.

        Notes
        -----
        The factor of an element depends on its own members and on Y, d, R alone: shares of a state give the same bits
        as the whole.
        """
        ensemble = self._checked("E (member, state)", E)
        seen = _seen(len(ensemble), Y, d, R)
        if seen.variance.size == 0:
            return
        anomalies = ensemble - _member_mean(ensemble)
        if reach is None:
            reach = Reach(np.zeros((1, 1)), np.zeros((seen.variance.size, 1)), np.inf, "none")
            domain_of_state = np.zeros(self.factor.size, np.int64)
        domain = np.arange(self.factor.size) if domain_of_state is None else np.asarray(domain_of_state)
        if domain.shape != (self.factor.size,):
            raise InputError(f"domain_of_state must have shape ({self.factor.size},); got {domain.shape}")
        order = np.argsort(domain, kind="stable")
        if where is not None:
            order = order[np.asarray(where, bool)[order]]
        ordered = domain[order]
        for pairs in reach.pairs():
            first, last = np.searchsorted(ordered, (pairs.domains.start, pairs.domains.stop))
            elements = order[first:last]
            mine = ordered[first:last] - pairs.domains.start
            count = np.diff(pairs.start)[mine]
            elements, mine, count = elements[count > 0], mine[count > 0], count[count > 0]
            chunk = np.cumsum(count) // CHUNK
            for part in np.split(np.arange(elements.size), np.flatnonzero(np.diff(chunk)) + 1):
                if part.size:
                    self._update_elements(elements[part], mine[part], pairs, anomalies, seen)

    def state(self) -> dict[str, np.ndarray]:
        """Return the factors and their standard deviations for a restart; exact."""
        return {"factor": self.factor.copy(), "std": self.std.copy()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue from `state`.

        Raises
        ------
        InputError
            If a shape does not fit.
        """
        found = {name: np.asarray(state[name], float).reshape(-1) for name in ("factor", "std")}
        if any(one.shape != self.factor.shape for one in found.values()):
            raise InputError(f"restart: adaptive inflation needs {self.factor.size} factors, got "
                             f"{found['factor'].size}.")
        self.factor, self.std = found["factor"].copy(), found["std"].copy()

    # ---- inside ----------------------------------------------------------------------------------

    def _checked(self, name: str, value: Any) -> np.ndarray:
        array = np.asarray(value, dtype=np.float64)
        if array.ndim != 2 or array.shape[1] != self.factor.size:
            raise InputError(f"{name} must have shape (member, {self.factor.size}); got {array.shape}")
        return array

    def _update_elements(
        self, elements: np.ndarray, domain: np.ndarray, pairs: Pairs, anomalies: np.ndarray, seen: _Seen
    ) -> None:
        """Update elements of a chunk of domains, each of which is reached."""
        count = np.diff(pairs.start)[domain]
        start = np.concatenate([[0], np.cumsum(count)])
        owner = np.repeat(np.arange(elements.size), count)
        pair = np.arange(start[-1]) - start[owner] + pairs.start[domain[owner]]
        observation = pairs.observation[pair]
        joint, squares = np.zeros(observation.size), np.zeros(elements.size)
        for mine, theirs in zip(anomalies[:, elements], seen.anomalies, strict=True):  # in the order of members
            joint += mine[owner] * theirs[observation]
            squares += mine**2
        scale = np.sqrt(squares)[owner] * np.sqrt(seen.spread2[observation] * (len(anomalies) - 1))
        correlation = np.divide(np.abs(joint), scale, out=np.zeros_like(joint), where=scale > 0.0)
        gamma = pairs.weight[pair] * np.minimum(correlation, 1.0)
        posterior = _Posterior(
            self.prior, self.factor[elements], self.std[elements], start[:-1], owner, gamma,
            seen.innovation2[observation], seen.variance[observation], seen.spread2[observation])
        mode = posterior.mode(self.lower, self.upper)
        width = np.maximum(posterior.width(mode), self.smallest_std)
        learns = np.maximum.reduceat(gamma, start[:-1]) > 0.0  # nothing is learnt where nothing is correlated
        self.std[elements[learns]] = width[learns]
        self.factor[elements[learns]] = mode[learns]


@dataclass(frozen=True)
class _Seen:
    """Observations: anomalies of what members predict (member, obs), innovation squared, error variance, spread**2."""

    anomalies: np.ndarray
    innovation2: np.ndarray
    variance: np.ndarray
    spread2: np.ndarray


class _Posterior:
    """Logarithm of the posterior density of the factors of some elements, up to a constant.

    Parameters are the prior's name, mode and standard deviation, (element,), and for pairs that are sorted by element:
    the first of each element, the element, gamma, innovation squared, error variance and predicted variance, (pair,).
    """

    def __init__(
        self, prior: str, mode: np.ndarray, std: np.ndarray, start: np.ndarray, owner: np.ndarray, gamma: np.ndarray,
        innovation2: np.ndarray, variance: np.ndarray, spread2: np.ndarray
    ) -> None:
        self._mode, self._std, self._start, self._owner = mode, std, start, owner
        self._gamma, self._innovation2, self._variance, self._spread2 = gamma, innovation2, variance, spread2
        self._shape = None if prior == "gaussian" else inverse_gamma_shape(mode, std)

    def value(self, factor: np.ndarray) -> np.ndarray:
        """Return the logarithm of the density at one factor per element."""
        expected = self._variance + self._spread2 * self._growth(np.sqrt(factor)[self._owner]) ** 2
        return self._prior(factor)[0] + self._sum(-0.5 * (np.log(expected) + self._innovation2 / expected))

    def derivatives(self, factor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return its first and second derivative by the factor."""
        root = np.sqrt(factor)[self._owner]
        rest = self._gamma * (1.0 - self._gamma)
        expected = self._variance + self._spread2 * self._growth(root) ** 2
        slope = self._spread2 * (rest / root + self._gamma**2) / expected
        bend = -0.5 * self._spread2 * rest / root**3 / expected
        ratio = self._innovation2 / expected
        _, first, second = self._prior(factor)
        return (first + self._sum(0.5 * slope * (ratio - 1.0)),
                second + self._sum(0.5 * (bend * (ratio - 1.0) - slope**2 * (2.0 * ratio - 1.0))))

    def mode(self, lower: float, upper: float) -> np.ndarray:
        """Return the factor of the largest density between the bounds: a grid, then Newton within its bracket."""
        grid = np.geomspace(lower, upper, _GRID)
        count = self._mode.size
        values = np.stack([self.value(np.full(count, one)) for one in grid])
        best = values.argmax(axis=0)
        left, right = grid[np.maximum(best - 1, 0)], grid[np.minimum(best + 1, _GRID - 1)]
        factor, active = grid[best], np.ones(count, bool)  # what is found rests: it must not depend on its neighbours
        for _ in range(_ITERATIONS):
            first, second = self.derivatives(factor)
            left, right = np.where(first > 0.0, factor, left), np.where(first > 0.0, right, factor)
            with np.errstate(divide="ignore", invalid="ignore"):
                step = factor - first / second
            inside = (second < 0.0) & (step > left) & (step < right)
            new = np.where(inside, step, 0.5 * (left + right))
            new = np.where(active & (first != 0.0), new, factor)
            active &= (np.abs(new - factor) > _CLOSE * factor) & (right - left > _CLOSE * factor)
            factor = new
            if not active.any():
                return np.clip(factor, lower, upper)
        worst = int(np.argmax(right - left))
        raise ConvergenceError(
            f"adaptive inflation: the mode of a factor is not found in {_ITERATIONS} iterations; element {worst} of a "
            f"chunk lies between {left[worst]:g} and {right[worst]:g}. Narrow the bounds of the factor.")

    def width(self, mode: np.ndarray) -> np.ndarray:
        """Return the standard deviation after the observations, not above the one before.

        It is that of a density of the prior's kind with the mode of the posterior which falls as far from there within
        one standard deviation of before: normal (Anderson 2009) or inverse gamma (El Gharamti 2018). Where the
        observations say nothing, the posterior is the prior, and so is its width.
        """
        fall = self.value(mode) - self.value(mode + self._std)
        with np.errstate(divide="ignore", invalid="ignore"):
            if self._shape is None:
                width = self._std / np.sqrt(2.0 * fall)
            else:  # one of the shape a falls by (a + 1) times this
                relative = self._std / mode
                shape = fall / (np.log1p(relative) - relative / (1.0 + relative)) - 1.0
                width = np.where(shape > 2.0, mode * (shape + 1.0) / ((shape - 1.0) * np.sqrt(shape - 2.0)), np.inf)
        return np.where(fall > 0.0, np.minimum(width, self._std), self._std)

    def _growth(self, root: np.ndarray) -> np.ndarray:
        return 1.0 + self._gamma * (root - 1.0)

    def _sum(self, values: np.ndarray) -> np.ndarray:
        """Add the pairs of each element."""
        return np.add.reduceat(values, self._start)

    def _prior(self, factor: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the logarithm of the prior density and its derivatives."""
        if self._shape is None:
            distance, precision = factor - self._mode, self._std**-2
            return -0.5 * precision * distance**2, -precision * distance, -precision
        power = self._shape + 1.0
        scale = self._mode * power
        return (-power * np.log(factor) - scale / factor, (scale / factor - power) / factor,
                (power - 2.0 * scale / factor) / factor**2)


def inverse_gamma_shape(mode: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Return the shape a of inverse gamma distributions of given mode and standard deviation; scale is mode (a + 1).

    The variance is scale**2 / ((a - 1)**2 (a - 2)), so that a is the largest root, above 2, of
    (a - 1)**2 (a - 2) = k (a + 1)**2 with k = (mode / std)**2. Newton's method comes down on it from 8 + 2 k: the
    polynomial is convex and rises there.

    Raises
    ------
    ConvergenceError
        If Newton's method does not end.
    """
    k = (np.asarray(mode, float) / np.asarray(std, float)) ** 2
    shape = 8.0 + 2.0 * k
    for _ in range(_ITERATIONS):
        value = (shape - 1.0) ** 2 * (shape - 2.0) - k * (shape + 1.0) ** 2
        slope = (shape - 1.0) * (3.0 * shape - 5.0) - 2.0 * k * (shape + 1.0)
        new = shape - value / slope
        if (np.abs(new - shape) <= 4.0 * np.finfo(float).eps * shape).all():
            return new
        shape = new
    raise ConvergenceError(f"adaptive inflation: no inverse gamma distribution is found in {_ITERATIONS} iterations "
                           "for the modes and standard deviations of the factors.")


def _seen(nmember: int, Y: Any, d: Any, R: Any) -> _Seen:
    """Check the observations of an analysis."""
    predicted, observed = arguments.to_floats("Y (member, obs)", Y, 2), arguments.to_floats("d (obs)", d, 1)
    variance = arguments.to_floats("R (obs), error variances,", R, 1)
    if nmember < 2 or predicted.shape != (nmember, observed.size) or variance.shape != observed.shape:
        raise InputError(f"adaptive inflation needs at least 2 members, Y of shape ({nmember}, {observed.size}) and R "
                         f"of shape ({observed.size},) to fit E and d; got {nmember} members, {predicted.shape} and "
                         f"{variance.shape}")
    if (variance <= 0.0).any():
        raise InputError(f"R must hold error variances above 0; got {variance.min()!r}")
    mean = _member_mean(predicted)
    anomalies = predicted - mean
    spread2 = np.zeros(observed.size)
    for one in anomalies:
        spread2 += one**2
    return _Seen(anomalies, (observed - mean) ** 2, variance, spread2 / (nmember - 1))


def _member_mean(ensemble: np.ndarray) -> np.ndarray:
    """Return the mean over members, added in their order: numpy adds those of a single element in pairs."""
    total = np.zeros(ensemble.shape[1])
    for one in ensemble:
        total += one - ensemble[0]
    return ensemble[0] + total / len(ensemble)


__all__ = ["AdaptiveInflation", "inverse_gamma_shape"]
