"""DREAM(ZS) and DE-MC(Z): proposals from differences of past states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyland.assimilate import arguments
from pyland.assimilate.sampling.chains import LogDensity, Walkers, check_bounds, evaluate, reflect
from pyland.base.errors import InputError

OPTIMAL_SCALE = 2.38
"""Of a jump along a difference of two states, over the root of twice the dimensions that jump [1]_."""

UNIT_JUMP_SHARE = 0.2
"""Of the generations whose jumps have a factor of 1, which joins distant modes [1]_, [2]_ [1]."""

SNOOKER_FACTORS = (1.2, 2.2)
"""Range of the factor of snooker jumps [3]_ [1]."""

JITTER = 0.05
"""Largest relative change of the factor of a jump (e of [1]_) [1]."""

SMALL_NOISE = 1e-6
"""Standard deviation of what is added to a jump, as a share of the spread of the first archive (b* of [1]_) [1]."""


class DifferentialEvolution:
    """DREAM(ZS), and with one crossover and one pair DE-MC(Z).

    Each chain jumps along the differences of pairs from an archive Z of past states:

        q = x + (1 + e) gamma(pairs, d') sum(z_a - z_b) + eps,    gamma = 2.38 / sqrt(2 pairs d')

    in d' of the d parameters, which a crossover probability picks; every fifth generation, on average, gamma is 1. A
    share of the jumps is of the snooker kind: along the line to an archived state, whose acceptance has the factor
    ``(|q - z| / |x - z|)^(d - 1)``. The archive grows by the chains every ``archive_every`` generations. Crossover
    probabilities learn from the squared jumps until ``learning`` generations.

    Parameters
    ----------
    archive : array_like, shape (state, parameter)
        First archive: draws of the prior, some 10 times the number of parameters.
    low, high : array_like, shape (parameter,), optional
        Bounds, at which proposals are reflected; where there are any, snooker jumps that leave them are rejected.
    pairs : int
        Largest number of pairs of a jump.
    crossovers : int
        Number of crossover probabilities, 1/n to 1; 1: all parameters jump.
    snooker : float
        Share of snooker jumps [1].
    archive_every : int
        Generations between additions to the archive.
    learning : int
        Generations over which crossover probabilities learn.

    Raises
    ------
    InputError
        If an argument does not fit.

    References
    ----------
    .. [1] Vrugt, J. A., et al. (2009). Accelerating Markov chain Monte Carlo simulation by differential evolution with
       self-adaptive randomized subspace sampling. Int. J. Nonlin. Sci. Num. 10, 273-290.
    .. [2] Vrugt, J. A. (2016). Markov chain Monte Carlo simulation using the DREAM software package. Environ. Model.
       Softw. 75, 273-316 (DREAM(ZS): section 5.1).
    .. [3] ter Braak, C. J. F., and Vrugt, J. A. (2008). Differential evolution Markov chain with snooker updater and
       fewer walkers. Stat. Comput. 18, 435-446.
    """

    def __init__(
        self, archive: Any, low: Any = None, high: Any = None, *, pairs: int = 3, crossovers: int = 3,
        snooker: float = 0.1, archive_every: int = 10, learning: int = 500,
    ) -> None:
        self._archive = arguments.to_floats("archive (state, parameter)", archive, 2)
        size = self._archive.shape[1]
        if min(pairs, crossovers, archive_every) < 1 or learning < 0:
            raise InputError("pairs, crossovers and archive_every must be at least 1 and learning at least 0; got "
                             f"{pairs}, {crossovers}, {archive_every}, {learning}.")
        if len(self._archive) < 2 * pairs + 3:
            raise InputError(f"archive: expected at least {2 * pairs + 3} states for jumps of {pairs} pairs and a "
                             f"snooker line, got {len(self._archive)}.")
        self._snooker = arguments.check_number("snooker", snooker, 0.0, 1.0)
        self._low, self._high = check_bounds(low, high, size)
        self._pairs, self._crossovers = int(pairs), int(crossovers)
        self._archive_every, self._learning = int(archive_every), int(learning)
        self._noise = SMALL_NOISE * self._archive.std(axis=0)

    def advance(self, walkers: Walkers, log_density: LogDensity, generator: np.random.Generator) -> Walkers:
        """Return the walkers one generation later: one call of ``log_density`` with a point for each chain."""
        memory = walkers.memory or self._first_memory()
        here, archive = walkers.points, memory["archive"]
        count, size = here.shape
        is_snooker = generator.random(count) < self._snooker
        picks = _distinct(generator, count, 2 * self._pairs + 3, len(archive))
        along, crossover = self._differences(here, archive[picks], memory["probability"], generator)
        line, correction = _snooker_jumps(here, archive[picks[:, -3:]], generator)
        proposed = here + np.where(is_snooker[:, None], line, along)
        inside = ((proposed >= self._low) & (proposed <= self._high)).all(axis=1)
        proposed = np.where(is_snooker[:, None], np.where(inside[:, None], proposed, here),
                            reflect(proposed, self._low, self._high))
        luck = np.log(generator.random(count))
        density = evaluate(log_density, proposed)
        accepted = luck < density - walkers.log_density + np.where(is_snooker, correction, 0.0)
        accepted &= inside | ~is_snooker
        points = np.where(accepted[:, None], proposed, here)
        learned = self._learn(memory, here, points, crossover, ~is_snooker, walkers.generation)
        return walkers.advanced(points, np.where(accepted, density, walkers.log_density), accepted,
                            self._remember(learned, points, walkers.generation + 1))

    def _first_memory(self) -> dict[str, np.ndarray]:
        number = self._crossovers
        return {"archive": self._archive, "probability": np.full(number, 1.0 / number),
                "distance": np.zeros(number), "uses": np.zeros(number)}

    def _differences(
        self, here: np.ndarray, states: np.ndarray, probability: np.ndarray, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return jumps along differences, (chain, parameter), and the crossover of each chain, (chain,)."""
        count, size = here.shape
        npair = generator.integers(1, self._pairs + 1, count)
        crossover = np.searchsorted(np.cumsum(probability)[:-1], generator.random(count), side="right")
        moves = generator.random((count, size)) < ((crossover + 1) / self._crossovers)[:, None]
        chosen = generator.integers(0, size, count)  # one parameter moves at least
        moves[np.arange(count), chosen] |= ~moves.any(axis=1)
        is_unit = generator.random(count) < UNIT_JUMP_SHARE
        gamma = np.where(is_unit, 1.0, OPTIMAL_SCALE / np.sqrt(2.0 * npair * moves.sum(axis=1)))
        jitter = generator.uniform(-JITTER, JITTER, (count, size))
        noise = self._noise * generator.standard_normal((count, size))
        used = np.arange(self._pairs) < npair[:, None]
        pairs = states[:, :self._pairs] - states[:, self._pairs:2 * self._pairs]
        total = (pairs * used[..., None]).sum(axis=1)
        return np.where(moves, (1.0 + jitter) * gamma[:, None] * total + noise, 0.0), crossover

    def _learn(
        self, memory: Mapping[str, np.ndarray], here: np.ndarray, points: np.ndarray, crossover: np.ndarray,
        counts: np.ndarray, generation: int
    ) -> dict[str, np.ndarray]:
        """Return crossover probabilities in proportion to the squared jumps that each has brought."""
        if generation >= self._learning or self._crossovers == 1:
            return dict(memory)
        spread = points.std(axis=0)
        scaled = np.divide(points - here, spread, out=np.zeros_like(points), where=spread > 0.0)
        jumps = (scaled**2).sum(axis=1) * counts
        distance = memory["distance"] + np.bincount(crossover, jumps, self._crossovers)
        uses = memory["uses"] + np.bincount(crossover, counts, self._crossovers)
        probability = memory["probability"]
        if (distance > 0.0).all():
            mean = distance / uses
            probability = mean / mean.sum()
        return {**memory, "distance": distance, "uses": uses, "probability": probability}

    def _remember(self, memory: dict[str, np.ndarray], points: np.ndarray, generation: int) -> dict[str, np.ndarray]:
        """Add the chains to the archive when it is due."""
        if generation % self._archive_every:
            return memory
        return {**memory, "archive": np.concatenate([memory["archive"], points])}


def _distinct(generator: np.random.Generator, count: int, picked: int, size: int) -> np.ndarray:
    """Draw different places of an archive for each chain, (chain, picked), in random order.

    Floyd's algorithm (Bentley and Floyd 1987, Commun. ACM 30, 754-757): as many draws as places, whatever the size.
    """
    chosen = np.empty((count, picked), dtype=np.int64)
    for place in range(picked):
        last = size - picked + place
        drawn = generator.integers(0, last + 1, count)
        is_taken = (chosen[:, :place] == drawn[:, None]).any(axis=1)
        chosen[:, place] = np.where(is_taken, last, drawn)
    return generator.permuted(chosen, axis=1)


def _snooker_jumps(
    here: np.ndarray, states: np.ndarray, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return jumps along the line to an archived state, (chain, parameter), and their log correction, (chain,)."""
    size = here.shape[1]
    to, first, second = (states[:, place] for place in range(3))
    line = here - to
    length2 = (line**2).sum(axis=1)
    factor = generator.uniform(*SNOOKER_FACTORS, len(here))
    apart = length2 > 0.0  # a chain on the archived state has no line
    share = np.divide((line * (first - second)).sum(axis=1), length2, out=np.zeros(len(here)), where=apart)
    jumps = (factor * share)[:, None] * line
    after = np.sqrt(((here + jumps - to) ** 2).sum(axis=1))
    ratio = np.divide(after, np.sqrt(length2), out=np.ones(len(here)), where=apart)
    with np.errstate(divide="ignore"):  # a jump onto the archived state has density zero
        return jumps, (size - 1) * np.log(ratio) if size > 1 else np.zeros(len(here))


__all__ = ["DifferentialEvolution"]
