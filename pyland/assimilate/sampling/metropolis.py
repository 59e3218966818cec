"""Metropolis sampling with a normal proposal, fixed or adapted to the covariance of the walkers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyland.assimilate.sampling.chains import LogDensity, Walkers, check_bounds, evaluate, reflect
from pyland.base.errors import InputError

OPTIMAL_SCALE = 2.38
"""Of a normal proposal to a normal target, over the root of the number of parameters (Gelman et al. 1996)."""

WANTED_ACCEPTANCE = 0.234
"""Share of accepted moves that is best for normal proposals in several dimensions (Roberts et al. 1997) [1]."""

SCALE_DECAY = 0.6
"""Power with which changes of the scale fall with the generation, between 1/2 and 1 [3]_."""

LARGEST_LOG_SCALE = 4.0
"""Bound of the logarithm of the scale, on either side: a factor of 55. Where every move is accepted (a flat density
between bounds) the scale would grow for ever; adaptation within a compact set keeps the sampler ergodic [3]_."""

INITIAL_SHARE = 1e-4
"""Of the covariance of the first proposal that stays in the adapted one (epsilon of Haario et al. 2001) [1]."""


class Metropolis:
    """Metropolis sampler: ``q = x + N(0, C)``, accepted with probability ``min(1, p(q) / p(x))``.

    Parameters
    ----------
    covariance : array_like, shape (parameter, parameter) or (parameter,)
        Covariance of the proposal, or its variances.
    low, high : array_like, shape (parameter,), optional
        Bounds, at which proposals are reflected.

    Raises
    ------
    InputError
        If the covariance is not positive definite.

    References
    ----------
    .. [1] Metropolis, N., et al. (1953). Equation of state calculations by fast computing machines. J. Chem. Phys. 21,
       1087-1092.
    """

    def __init__(self, covariance: Any, low: Any = None, high: Any = None) -> None:
        self._first = _matrix(covariance)
        size = len(self._first)
        self._low, self._high = check_bounds(low, high, size)

    def advance(self, walkers: Walkers, log_density: LogDensity, generator: np.random.Generator) -> Walkers:
        """Return the walkers one generation later: one call of ``log_density`` with a point for each chain."""
        count, size = walkers.points.shape
        noise = generator.standard_normal((count, size))
        luck = np.log(generator.random(count))
        root = self._root(walkers)
        jumps = np.matmul(root, noise[..., None])[..., 0] if root.ndim == 3 else noise @ root.T
        proposed = reflect(walkers.points + jumps, self._low, self._high)
        density = evaluate(log_density, proposed)
        accepted = luck < density - walkers.log_density
        points = np.where(accepted[:, None], proposed, walkers.points)
        log_densities = np.where(accepted, density, walkers.log_density)
        return walkers.advanced(points, log_densities, accepted, self._learn(walkers, points, accepted))

    def _root(self, walkers: Walkers) -> np.ndarray:
        """Return the Cholesky factor of the proposal, ([chain,] parameter, parameter)."""
        return np.linalg.cholesky(self._first)

    def _learn(self, walkers: Walkers, points: np.ndarray, accepted: np.ndarray) -> Mapping[str, np.ndarray]:
        """Return what is remembered with the new points."""
        return walkers.memory


class AdaptiveMetropolis(Metropolis):
    """Adaptive Metropolis: the proposal follows the covariance of what has been drawn [1]_.

    After ``delay`` generations the proposal is ``s^2 (2.38^2 / d) (cov + epsilon C0)``, with the covariance of all
    draws since half of the delay. The chains learn together (``is_pooled``), the inter-chain adaptation of [2]_, or
    each from its own past as in [1]_. The scale s of all chains follows their share of accepted moves towards 0.234
    [3]_, within ``LARGEST_LOG_SCALE``. What one generation changes falls with its number and stays bounded, which keeps
    the sampler ergodic.

    Parameters
    ----------
    covariance : array_like, shape (parameter, parameter) or (parameter,)
        Covariance of the first proposals, C0.
    low, high : array_like, shape (parameter,), optional
        Bounds, at which proposals are reflected.
    delay : int
        Generations with the first proposal, at least 2.
    is_pooled : bool
        Whether the chains learn together.

    Raises
    ------
    InputError
        If an argument does not fit.

    References
    ----------
    .. [1] Haario, H., Saksman, E., and Tamminen, J. (2001). An adaptive Metropolis algorithm. Bernoulli 7, 223-242.
    .. [2] Craiu, R. V., Rosenthal, J., and Yang, C. (2009). Learn from thy neighbor: parallel-chain and regional
       adaptive MCMC. J. Am. Stat. Assoc. 104, 1454-1466.
    .. [3] Andrieu, C., and Thoms, J. (2008). A tutorial on adaptive MCMC. Stat. Comput. 18, 343-373 (algorithm 4).
    """

    def __init__(self, covariance: Any, low: Any = None, high: Any = None, *, delay: int = 50,
                 is_pooled: bool = True) -> None:
        super().__init__(covariance, low, high)
        if delay < 2:
            raise InputError(f"delay: expected at least 2 generations with the first proposal, got {delay}.")
        self._delay, self._is_pooled = int(delay), is_pooled

    def _root(self, walkers: Walkers) -> np.ndarray:
        if walkers.generation < self._delay or "count" not in walkers.memory:
            return np.linalg.cholesky(self._first)
        scatter, count = walkers.memory["scatter"], float(walkers.memory["count"])
        learned = scatter / max(count - 1.0, 1.0)
        scale = OPTIMAL_SCALE**2 / len(self._first) * np.exp(2.0 * walkers.memory["log_scale"])
        return np.linalg.cholesky(scale * (learned + INITIAL_SHARE * self._first))

    def _learn(self, walkers: Walkers, points: np.ndarray, accepted: np.ndarray) -> Mapping[str, np.ndarray]:
        if walkers.generation < self._delay // 2:
            return walkers.memory
        groups = points[None] if self._is_pooled else points[:, None]  # (group, draw, parameter)
        ngroup, ndraw, size = groups.shape
        count = float(walkers.memory.get("count", 0.0))
        mean = walkers.memory.get("mean", np.zeros((ngroup, size))).reshape(ngroup, size)
        scatter = walkers.memory.get("scatter", np.zeros((ngroup, size, size))).reshape(ngroup, size, size)
        new_mean = groups.mean(axis=1)
        inner = groups - new_mean[:, None]
        step = new_mean - mean
        total = count + ndraw
        mean = mean + step * (ndraw / total)
        scatter = (scatter + np.einsum("gdi,gdj->gij", inner, inner)
                   + np.einsum("gi,gj->gij", step, step) * (count * ndraw / total))
        log_scale, age = float(walkers.memory.get("log_scale", 0.0)), walkers.generation - self._delay
        if age >= 0:
            log_scale += (accepted.mean() - WANTED_ACCEPTANCE) * (age + 1.0) ** -SCALE_DECAY
            log_scale = float(np.clip(log_scale, -LARGEST_LOG_SCALE, LARGEST_LOG_SCALE))
        plain = {"count": np.array(total), "log_scale": np.array(log_scale)}
        if self._is_pooled:
            return {**plain, "mean": mean[0], "scatter": scatter[0]}
        return {**plain, "mean": mean, "scatter": scatter}


def _matrix(covariance: Any) -> np.ndarray:
    """Return a covariance matrix, or say what is wrong."""
    given = np.asarray(covariance, dtype=np.float64)
    matrix = np.diag(given) if given.ndim == 1 else given
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.isfinite(matrix).all():
        raise InputError(f"covariance of the proposal: expected a finite square matrix or variances, got shape "
                         f"{given.shape}.")
    if not np.array_equal(matrix, matrix.T) or np.linalg.eigvalsh(matrix)[0] <= 0.0:
        raise InputError("covariance of the proposal: expected a symmetric, positive definite matrix.")
    return matrix


__all__ = ["AdaptiveMetropolis", "Metropolis"]
