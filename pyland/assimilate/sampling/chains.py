"""Chains: what a sampler has drawn, where it stands, and the random numbers of each of its generations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pyland.assimilate import arguments
from pyland.base.errors import InputError, StateError

LogDensity = Callable[[np.ndarray], Any]
"""Log density of many points at once: ``(point, parameter)`` -> ``(point,)``, up to a constant; ``-inf`` is allowed."""

_STREAM = 0x63616C69
"""Second word of the Philox key of all samplers, so that a filter with the same seed draws other numbers."""

_WALKERS = ("points", "log_density", "generation", "moved")
"""Arrays of the walkers in a state; what the sampler has learned carries a prefix."""

_DRAWN = ("draws", "log_densities", "accepted")

_MEMORY = "memory:"


@dataclass(frozen=True)
class Walkers:
    """Where the chains of a sampler stand.

    Attributes
    ----------
    points : numpy.ndarray, shape (chain, parameter)
        Where they stand.
    log_density : numpy.ndarray, shape (chain,)
        Log density there.
    generation : int
        Generations done.
    moved : numpy.ndarray of bool, shape (chain,)
        Whether the last generation moved the chain.
    memory : mapping of str to numpy.ndarray
        What the sampler has learned.
    """

    points: np.ndarray
    log_density: np.ndarray
    generation: int
    moved: np.ndarray
    memory: Mapping[str, np.ndarray] = field(default_factory=dict)

    def advanced(self, points: np.ndarray, log_density: np.ndarray, moved: np.ndarray,
                 memory: Mapping[str, np.ndarray]) -> Walkers:
        """Return the walkers one generation later."""
        return Walkers(points, log_density, self.generation + 1, moved, dict(memory))


@dataclass(frozen=True)
class Chains:
    """Draws of a sampler, and all that it needs to go on.

    Attributes
    ----------
    walkers : Walkers
        Where the chains stand.
    draws : numpy.ndarray, shape (generation, chain, parameter)
        Points after each generation; the start is not among them.
    log_densities : numpy.ndarray, shape (generation, chain)
        Their log densities.
    accepted : numpy.ndarray of bool, shape (generation, chain)
        Whether the chain moved.
    """

    walkers: Walkers
    draws: np.ndarray
    log_densities: np.ndarray
    accepted: np.ndarray

    @property
    def acceptance(self) -> np.ndarray:
        """Share of moves that were accepted, by chain [1]; NaN before the first generation."""
        return self.accepted.mean(axis=0) if len(self.accepted) else np.full(len(self.walkers.points), np.nan)

    def after(self, burn_in: int) -> np.ndarray:
        """Return the draws after some generations, (draw, chain, parameter).

        Raises
        ------
        InputError
            If nothing is left.
        """
        if not 0 <= burn_in < len(self.draws):
            raise InputError(f"burn-in: expected fewer generations than the chains have ({len(self.draws)}), got "
                             f"{burn_in}.")
        return self.draws[burn_in:]

    def state(self) -> dict[str, np.ndarray]:
        """Return all arrays by name, for a file; see `from_state`."""
        out = {name: np.asarray(getattr(self.walkers, name)) for name in _WALKERS}
        out |= {name: getattr(self, name) for name in _DRAWN}
        return out | {_MEMORY + name: np.asarray(values) for name, values in self.walkers.memory.items()}

    @classmethod
    def from_state(cls, state: Mapping[str, np.ndarray]) -> Chains:
        """Return the chains whose `state` this was.

        Raises
        ------
        InputError
            If arrays are missing.
        """
        missing = [name for name in (*_WALKERS, *_DRAWN) if name not in state]
        if missing:
            raise InputError(f"state of chains: expected arrays {', '.join((*_WALKERS, *_DRAWN))}, got none called "
                             f"'{missing[0]}'.")
        memory = {name.removeprefix(_MEMORY): np.array(values) for name, values in state.items()
                  if name.startswith(_MEMORY)}
        walkers = Walkers(np.array(state["points"]), np.array(state["log_density"]), int(state["generation"]),
                          np.array(state["moved"]), memory)
        return cls(walkers, *(np.array(state[name]) for name in _DRAWN))


def begin(log_density: LogDensity, start: Any) -> Walkers:
    """Return walkers at their start.

    Parameters
    ----------
    log_density : callable
        See `LogDensity`.
    start : array_like, shape (chain, parameter)
        Starting points, spread over the prior.

    Raises
    ------
    InputError
        If the start does not fit.
    StateError
        If the density is zero at a start.
    """
    points = arguments.to_floats("start (chain, parameter)", start, 2)
    density = evaluate(log_density, points)
    lost = np.flatnonzero(~np.isfinite(density))
    if lost.size:
        raise StateError(f"chain {lost[0]} starts where the density is zero, at {points[lost[0]].tolist()}; give "
                         "starting points within the prior and where the model runs.")
    return Walkers(points, density, 0, np.zeros(len(points), dtype=bool))


def evaluate(log_density: LogDensity, points: np.ndarray) -> np.ndarray:
    """Return the log density of points, (point,); NaN counts as zero density, +inf is an error."""
    found = np.array(log_density(points), dtype=np.float64)
    if found.shape != (len(points),):
        raise InputError(f"log_density: expected {len(points)} numbers for {len(points)} points, got shape "
                         f"{found.shape}.")
    if (found == np.inf).any():
        raise StateError("log_density: got +inf; a density must be finite. Look at priors and error variances.")
    return np.where(np.isnan(found), -np.inf, found)


def generator_of(seed: int, generation: int) -> np.random.Generator:
    """Return the random numbers of one generation: they depend on seed and generation alone (Philox counter)."""
    return np.random.Generator(np.random.Philox(key=[seed, _STREAM], counter=[0, 0, generation, 0]))


def check_bounds(low: Any, high: Any, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return bounds of ``size`` parameters, infinite where none are given, or say what is wrong."""
    ends = [np.full(size, end) if given is None else np.asarray(given, dtype=np.float64)
            for given, end in ((low, -np.inf), (high, np.inf))]
    if any(end.shape != (size,) for end in ends) or not (ends[0] < ends[1]).all():
        raise InputError(f"low and high: expected {size} numbers each, every low one below its high one, got {low!r} "
                         f"and {high!r}.")
    return ends[0], ends[1]


def reflect(points: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Fold points back at bounds, as often as needed; symmetric proposals stay symmetric.

    Parameters
    ----------
    points : numpy.ndarray, shape (point, parameter)
        Any points.
    low, high : numpy.ndarray, shape (parameter,)
        Bounds, infinite where there is none.

    Returns
    -------
    numpy.ndarray, shape (point, parameter)
        Points within the bounds.
    """
    both = np.isfinite(low) & np.isfinite(high)
    below, above = np.where(np.isfinite(low), low, 0.0), np.where(np.isfinite(high), high, 0.0)
    width = np.where(both, above - below, 1.0)
    folded = below + width - np.abs(np.mod(points - below, 2.0 * width) - width)
    lower = np.where(np.isfinite(low), below + np.abs(points - below), points)
    upper = np.where(np.isfinite(high), above - np.abs(points - above), points)
    return np.where(both, folded, np.where(np.isfinite(low), lower, upper))


__all__ = ["Chains", "LogDensity", "Walkers", "begin", "check_bounds", "evaluate", "generator_of", "reflect"]
