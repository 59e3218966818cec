"""Distances between local domains and observations as a list of pairs, where coordinates do not tell them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyland.base.errors import InputError


@dataclass(frozen=True, eq=False)
class Distances:
    """Pairs of a local domain and an observation that see each other.

    A pair that is not listed has no weight. Pairs stand in the order of domains, then of observations.

    Attributes
    ----------
    domain, obs : numpy.ndarray of int, shape (pair,)
        Local domain and observation of each pair, from 0.
    distance : numpy.ndarray, shape (pair,)
        Distance between them, at least 0, in the unit of the localisation radius.

    Raises
    ------
    InputError
        If the lists differ in length, a number is negative or not finite, or pairs are not in order or given twice.
    """

    domain: np.ndarray
    obs: np.ndarray
    distance: np.ndarray

    def __post_init__(self) -> None:
        for name in ("domain", "obs"):
            numbers = np.asarray(getattr(self, name))
            if numbers.ndim != 1 or (numbers.size and not np.issubdtype(numbers.dtype, np.integer)):
                raise InputError(
                    f"Distances: {name} must be a list of whole numbers; got shape {numbers.shape} of {numbers.dtype}"
                )
            object.__setattr__(self, name, numbers.astype(np.int64))
        object.__setattr__(self, "distance", np.asarray(self.distance, dtype=np.float64))
        if not self.domain.shape == self.obs.shape == self.distance.shape:
            raise InputError(
                "Distances: domain, obs and distance must be lists of one length; got shapes "
                f"{self.domain.shape}, {self.obs.shape} and {self.distance.shape}"
            )
        if not self.domain.size:
            return
        if self.domain.min() < 0 or self.obs.min() < 0:
            raise InputError("Distances: numbers of domains and observations start at 0; got a negative one")
        if not (np.isfinite(self.distance).all() and (self.distance >= 0).all()):
            raise InputError("Distances: every distance must be finite and at least 0; leave far pairs out")
        step = np.diff(self.domain)
        if (step < 0).any() or ((step == 0) & (np.diff(self.obs) <= 0)).any():
            raise InputError(
                "Distances: pairs must be in the order of domains, then of observations, each pair once; "
                "Distances.in_order sorts them"
            )

    @classmethod
    def in_order(cls, domain: np.ndarray, obs: np.ndarray, distance: np.ndarray) -> Distances:
        """Return pairs sorted by domain, then by observation; arguments as the attributes."""
        order = np.lexsort((obs, domain))
        return cls(np.asarray(domain)[order], np.asarray(obs)[order], np.asarray(distance)[order])

    @classmethod
    def at_places(cls, places: np.ndarray, place: np.ndarray, obs: np.ndarray, distance: np.ndarray) -> Distances:
        """Return the pairs of domains that lie at places, from the pairs of places and observations.

        Parameters
        ----------
        places : numpy.ndarray of int, shape (domain,)
            Place of each domain, such as a cell or a node. Several domains may share a place; a place may have none.
        place, obs, distance : numpy.ndarray, shape (pair,)
            Pairs of places and observations, in any order.
        """
        order = np.argsort(places, kind="stable")
        ranked = places[order]
        first = np.searchsorted(ranked, place, side="left")
        count = np.searchsorted(ranked, place, side="right") - first
        domain = order[np.repeat(first - np.cumsum(count) + count, count) + np.arange(count.sum())]
        return cls.in_order(domain, np.repeat(obs, count), np.repeat(distance, count))

    @property
    def size(self) -> int:
        """Number of pairs."""
        return self.domain.size
