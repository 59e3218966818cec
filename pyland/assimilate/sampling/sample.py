"""Samplers of a log density by name: all chains are evaluated in one call, and every generation can be resumed."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from pyland.assimilate import arguments
from pyland.assimilate.sampling.chains import Chains, LogDensity, Walkers, begin, generator_of
from pyland.assimilate.sampling.differential_evolution import DifferentialEvolution
from pyland.assimilate.sampling.metropolis import OPTIMAL_SCALE, AdaptiveMetropolis, Metropolis
from pyland.assimilate.sampling.stretch import StretchMove
from pyland.base.errors import InputError

SAMPLERS = MappingProxyType({
    "metropolis": ("covariance", "low", "high"),
    "adaptive_metropolis": ("covariance", "low", "high", "delay", "is_pooled"),
    "dream": ("archive", "low", "high", "pairs", "crossovers", "snooker", "archive_every", "learning"),
    "de_mc": ("archive", "low", "high", "snooker", "archive_every"),
    "stretch": ("stretch", "low", "high"),
})
"""Samplers and the options that each takes."""


class Sampler(Protocol):
    """What moves walkers."""

    def advance(self, walkers: Walkers, log_density: LogDensity, generator: np.random.Generator) -> Walkers:
        """Return the walkers one generation later."""


def build_sampler(method: str, start: Any, **options: Any) -> Sampler:
    """Return a sampler by name.

    Parameters
    ----------
    method : str
        One of `SAMPLERS`.
    start : array_like, shape (chain, parameter)
        Starting points, spread over the prior: without ``covariance`` the first proposal of the Metropolis samplers is
        ``2.38^2 / d`` times their variances, without ``archive`` they are the first archive of `dream` and `de_mc`.
    **options
        Those of the sampler.

    Raises
    ------
    InputError
        If the sampler or an option is unknown, or does not fit.
    """
    arguments.check_choice("method", method, SAMPLERS)
    unknown = sorted(set(options) - set(SAMPLERS[method]))
    if unknown:
        raise InputError(f"method {method}: expected options {', '.join(SAMPLERS[method])}, got '{unknown[0]}'.")
    points = arguments.to_floats("start (chain, parameter)", start, 2)
    if method == "stretch":
        return StretchMove(**options)
    if method in ("dream", "de_mc"):
        given = {"archive": points, **options}
        return DifferentialEvolution(**given, **({"pairs": 1, "crossovers": 1} if method == "de_mc" else {}))
    if "covariance" not in options:
        if len(points) < 2:
            raise InputError(f"method {method}: expected a covariance of the proposal with a single chain, got none.")
        options["covariance"] = OPTIMAL_SCALE**2 / points.shape[1] * points.var(axis=0, ddof=1)
    return (AdaptiveMetropolis if method == "adaptive_metropolis" else Metropolis)(**options)


def sample(
    log_density: LogDensity,
    start: Any,
    generations: int,
    *,
    method: str = "dream",
    seed: int = 0,
    resumed: Chains | None = None,
    after_each: Callable[[Chains], None] | None = None,
    **options: Any,
) -> Chains:
    """Draw from a distribution known by its log density.

    Parameters
    ----------
    log_density : callable
        Log density of many points at once, see `LogDensity`: a model whose members are the chains.
    start : array_like, shape (chain, parameter)
        Starting points, spread over the prior.
    generations : int
        Moves of every chain in all, those of ``resumed`` included.
    method : str
        ``metropolis``, ``adaptive_metropolis``, ``dream``, ``de_mc`` or ``stretch``.
    seed : int
        Seed; the numbers of a generation depend on seed and generation alone.
    resumed : Chains, optional
        Go on from here instead of from the start; the rest of the arguments must be those of the first call. The
        result has the bits of a run in one piece.
    after_each : callable, optional
        Called with the chains so far after each generation, for instance to keep them in a file.
    **options
        Options of the sampler, see `build_sampler`.

    Returns
    -------
    Chains
        All draws.

    Raises
    ------
    InputError
        If an argument does not fit.
    StateError
        If a chain starts where the density is zero, or the density is infinite.

    Examples
    --------
    >>> import numpy as np
    >>> start = np.random.default_rng(1).normal(0.0, 3.0, (20, 2))
    >>> chains = sample(lambda x: -0.5 * ((x - 1.0) ** 2).sum(axis=1), start, 1000, seed=1)
    >>> bool(abs(chains.after(200).mean() - 1.0) < 0.1)
    True
    """
    if isinstance(generations, bool) or int(generations) != generations or generations < 1:
        raise InputError(f"generations must be a whole number of at least 1; got {generations!r}")
    if isinstance(seed, bool) or int(seed) != seed or not 0 <= seed < 2**64:
        raise InputError(f"seed must be a whole number from 0 to 2**64 - 1; got {seed!r}")
    points = arguments.to_floats("start (chain, parameter)", start, 2)
    sampler = build_sampler(method, points, **options)
    count, size = points.shape
    draws, density = np.empty((generations, count, size)), np.empty((generations, count))
    accepted = np.empty((generations, count), dtype=bool)
    done = 0
    if resumed is None:
        walkers = begin(log_density, points)
    else:
        walkers, done = resumed.walkers, len(resumed.draws)
        if walkers.points.shape != points.shape or done > generations:
            raise InputError(
                f"resumed chains: expected {count} chains of {size} parameters and at most {generations} generations, "
                f"got {walkers.points.shape[0]} of {walkers.points.shape[1]} and {done}. Resume with what they were "
                "begun with.")
        draws[:done], density[:done], accepted[:done] = resumed.draws, resumed.log_densities, resumed.accepted
    for place in range(done, generations):
        walkers = sampler.advance(walkers, log_density, generator_of(seed, walkers.generation))
        draws[place], density[place], accepted[place] = walkers.points, walkers.log_density, walkers.moved
        if after_each is not None:
            end = place + 1
            after_each(Chains(walkers, draws[:end], density[:end], accepted[:end]))
    return Chains(walkers, draws, density, accepted)


__all__ = ["SAMPLERS", "build_sampler", "sample"]
