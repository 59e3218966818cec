"""Which observations reach a local domain, and with which weight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from pyland.assimilate import arguments
from pyland.assimilate.distances import Distances
from pyland.assimilate.local import localisation_weights
from pyland.base.errors import InputError

CHUNK = 2**14
"""Pairs of domain and observation that are worked on at a time, more or less: they stay in the cache."""

_PROBE = 64  # domains whose neighbours are counted to choose how many are asked at a time


@dataclass(frozen=True)
class Pairs:
    """Domains of a chunk and the observations that reach them, domain after domain, observations in their order.

    Attributes
    ----------
    domains : slice
        Domains of the chunk.
    start : numpy.ndarray of int, shape (domain + 1,)
        First pair of each domain of the chunk, and their number.
    observation : numpy.ndarray of int, shape (pair,)
        Observation of each pair.
    weight : numpy.ndarray, shape (pair,)
        Localisation weight, above 0 [1].
    """

    domains: slice
    start: np.ndarray
    observation: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True)
class Reach:
    """How far observations reach.

    Attributes
    ----------
    domains, observations : numpy.ndarray, shape (domain, ndim), (obs, ndim)
        Coordinates.
    radius : float or numpy.ndarray, shape (obs,)
        Support radius in the unit of the coordinates; ``inf``: everywhere.
    taper : str or sequence of str, one per observation
        As in `pyland.assimilate.analyse_local`.
    domain_depth, observation_depth : numpy.ndarray, shape (domain,), (obs,), optional
        Depths [m]; NaN of an observation: every depth. Only with ``depth_radius``.
    depth_radius : float or numpy.ndarray, shape (obs,), optional
        Support over depth [m].
    depth_taper : str
        Taper over depth.
    distances : Distances, optional
        Pairs of domains and observations with their distances, such as along rivers, instead of those between the
        coordinates, which then tell no more than how many there are.
    """

    domains: np.ndarray
    observations: np.ndarray
    radius: Any
    taper: str | Sequence[str] = "gaspari_cohn"
    domain_depth: np.ndarray | None = None
    observation_depth: np.ndarray | None = None
    depth_radius: Any = None
    depth_taper: str = "gaspari_cohn"
    distances: Distances | None = None

    def __post_init__(self) -> None:
        for name in ("domains", "observations"):
            given = np.asarray(getattr(self, name))
            points = arguments.to_floats(name, given[:, np.newaxis] if given.ndim == 1 else given, 2)
            object.__setattr__(self, name, points)
        if self.domains.shape[1] != self.observations.shape[1]:
            raise InputError(f"domains and observations must have the same coordinates per row; got shapes "
                             f"{self.domains.shape} and {self.observations.shape}")
        count = len(self.observations)
        for name in ("radius", "depth_radius"):
            if getattr(self, name) is None:
                continue
            values = np.asarray(getattr(self, name), dtype=np.float64)
            if values.shape not in ((), (count,)) or not (values > 0.0).all():
                raise InputError(f"{name} must be a number above 0 or one for each of the {count} observations; got "
                                 f"shape {values.shape} and {values.min(initial=np.inf)!r} as the smallest")
            object.__setattr__(self, name, np.broadcast_to(values, (count,)))
        if not isinstance(self.taper, str) and len(self.taper) != count:
            raise InputError(f"taper must be a word or one for each of the {count} observations; got {len(self.taper)}")
        if self.depth_radius is not None and (
                np.shape(self.domain_depth) != (len(self.domains),) or np.shape(self.observation_depth) != (count,)):
            raise InputError(f"depth_radius needs a depth of each domain, ({len(self.domains)},), and of each "
                             f"observation, ({count},); got shapes {np.shape(self.domain_depth)} and "
                             f"{np.shape(self.observation_depth)}")
        if self.distances is not None and (self.distances.domain.max(initial=-1) >= len(self.domains) or
                                           self.distances.obs.max(initial=-1) >= count):
            raise InputError(f"distances must name domains below {len(self.domains)} and observations below {count}; "
                             f"got {self.distances.domain.max()} and {self.distances.obs.max()}")

    def pairs(self) -> Iterator[Pairs]:
        """Yield the pairs in chunks of domains; what a domain gets does not depend on the chunks."""
        ndomain = len(self.domains)
        if not len(self.observations):
            yield Pairs(slice(0, ndomain), np.zeros(ndomain + 1, np.int64), np.zeros(0, np.int64), np.zeros(0))
            return
        by_search = self.distances is None and bool(np.isfinite(self.radius).all())
        tree = cKDTree(self.observations) if by_search else None
        first, width = 0, _PROBE
        while first < ndomain:
            domains = slice(first, min(first + width, ndomain))
            found = self._chunk(domains, tree)
            yield found
            first = domains.stop
            mean = max(found.observation.size / (domains.stop - domains.start), 1.0)
            width = max(int(CHUNK / mean), 1)

    def is_reached(self) -> np.ndarray:
        """Return for each domain whether an observation reaches it, shape (domain,)."""
        return np.concatenate([np.diff(one.start) > 0 for one in self.pairs()]) if len(self.domains) else np.zeros(
            0, bool)

    def _chunk(self, domains: slice, tree: cKDTree | None) -> Pairs:
        domain, observation, distance = self._near(domains, tree)
        weight = self._weights(distance, self.radius, observation, self.taper)
        if self.depth_radius is not None:
            difference = np.abs(np.asarray(self.domain_depth)[domains][domain] -
                                np.asarray(self.observation_depth)[observation])
            weight *= self._weights(np.nan_to_num(difference, nan=0.0), self.depth_radius, observation,
                                    self.depth_taper)
        keep = weight > 0.0
        domain, observation, weight = domain[keep], observation[keep], weight[keep]
        start = np.concatenate([[0], np.cumsum(np.bincount(domain, minlength=domains.stop - domains.start))])
        return Pairs(domains, start, observation, weight)

    def _near(self, domains: slice, tree: cKDTree | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return domain of the chunk, observation and distance of the pairs that may have a weight."""
        if self.distances is not None:
            mine = slice(*np.searchsorted(self.distances.domain, [domains.start, domains.stop]))
            return self.distances.domain[mine] - domains.start, self.distances.obs[mine], self.distances.distance[mine]
        places, count = self.domains[domains], len(self.observations)
        if tree is None:
            domain = np.repeat(np.arange(len(places)), count)
            observation = np.tile(np.arange(count), len(places))
        else:
            lists = tree.query_ball_point(places, self.radius.max() * (1.0 + 1e-9), return_sorted=True)
            domain = np.repeat(np.arange(len(places)), [len(one) for one in lists])
            observation = np.concatenate([np.asarray(one, np.int64) for one in lists])
        return domain, observation, np.sqrt(((places[domain] - self.observations[observation]) ** 2).sum(axis=1))

    def _weights(
        self, distance: np.ndarray, radius: np.ndarray, observation: np.ndarray, taper: str | Sequence[str]
    ) -> np.ndarray:
        """Return the weights of pairs; distances are taken in units of the radius of each observation."""
        relative = distance / radius[observation]
        if isinstance(taper, str):
            return localisation_weights(relative, 1.0, taper)
        names = np.asarray(taper)[observation]
        weight = np.zeros_like(relative)
        for name in np.unique(names):
            mine = names == name
            weight[mine] = localisation_weights(relative[mine], 1.0, str(name))
        return weight


__all__ = ["Pairs", "Reach"]
