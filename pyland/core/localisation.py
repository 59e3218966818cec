"""Handle of a localisation: which observations each local domain uses, with what weight; owns its Fortran memory."""

from __future__ import annotations

from typing import NoReturn

import numpy as np

from pyland.core import wrapped
from pyland.core.errors import check

METRICS = {"euclidean": 0, "haversine": 1}
TAPERS = {"none": 0, "exponential": 1, "gaspari_cohn": 2}


def members_first(array: np.ndarray) -> np.ndarray:
    """Return ``array`` with its first index contiguous, as float64; a view where it is so already."""
    return np.asarray(array, dtype=np.float64, order="F")


class Localisation:
    """What links local domains and observations.

    Made by :meth:`by_place` or :meth:`by_distance`; the setters below add to it.

    Attributes
    ----------
    ndomain, nobs : int
        Local domains and observations.
    """

    def __init__(self, ndomain: int, nobs: int) -> None:
        self._api = wrapped.pl_api_localisation
        self.handle = self._api.localisation_handle()
        self.ndomain, self.nobs = ndomain, nobs

    def __reduce__(self) -> NoReturn:
        raise TypeError("a localisation holds Fortran memory and cannot be pickled; make it again")

    @classmethod
    def by_place(
        cls, observation_places: np.ndarray, domain_places: np.ndarray, *, radius: np.ndarray, taper: np.ndarray,
        metric: str, period: np.ndarray,
    ) -> Localisation:
        """Link by place.

        Parameters
        ----------
        observation_places, domain_places : numpy.ndarray
            Coordinates, shapes ``(obs, ndim)`` and ``(domain, ndim)``.
        radius : numpy.ndarray, shape (obs,)
            Support radius in the unit of the coordinates; metres for ``haversine``.
        taper : numpy.ndarray of int, shape (obs,)
            Values of ``TAPERS``.
        metric : {"euclidean", "haversine"}
            Distance.
        period : numpy.ndarray, shape (ndim,)
            Length of periodic axes, 0 for the others.

        Raises
        ------
        InputError
            If shapes or values do not fit.
        """
        new = cls(len(domain_places), len(observation_places))
        check(*new._api.localisation_by_place(
            new.handle, members_first(observation_places.T), members_first(domain_places.T), _floats(radius),
            _integers(taper), METRICS[metric], _floats(period)))
        return new

    @classmethod
    def by_distance(
        cls, ndomain: int, domain: np.ndarray, observation: np.ndarray, distance: np.ndarray, *, radius: np.ndarray,
        taper: np.ndarray,
    ) -> Localisation:
        """Link by distances of pairs, each (pair,), in any order; indices from 0.

        Raises
        ------
        InputError
            If shapes or values do not fit.
        """
        order = np.lexsort((observation, domain))
        start = np.searchsorted(domain[order], np.arange(ndomain + 1))
        new = cls(ndomain, len(radius))
        check(*new._api.localisation_by_distance(
            new.handle, _integers(start + 1), _integers(observation[order] + 1), _floats(distance[order]),
            _floats(radius), _integers(taper)))
        return new

    def set_depth(
        self, domain_depth: np.ndarray, observation_depth: np.ndarray, radius: np.ndarray, taper: str
    ) -> None:
        """Let weights fall with depth: (domain,), (obs,) with NaN for every depth, (obs,) [m]."""
        check(*self._api.localisation_set_depth(
            self.handle, _floats(domain_depth), _floats(observation_depth), _floats(radius), TAPERS[taper]))

    def set_errors(self, group: np.ndarray, length: np.ndarray) -> None:
        """Let errors be correlated within groups (obs,) with a length (obs,), 0 for none."""
        check(*self._api.localisation_set_errors(self.handle, _integers(group), _floats(length)))

    def set_threshold(self, threshold: float) -> None:
        """Let weights fall with the sample correlation; none below the threshold, or hardly any."""
        check(*self._api.localisation_set_threshold(self.handle, threshold))


def taper_weights(distances: np.ndarray, radius: float, taper: str) -> np.ndarray:
    """Evaluate a localisation taper at ``distances`` (any shape); 0 beyond ``radius``."""
    flat = np.ascontiguousarray(distances, dtype=np.float64).ravel()
    weights = np.zeros_like(flat)
    check(*wrapped.pl_api_localisation.localisation_taper(flat, weights, radius, TAPERS[taper]))
    return weights.reshape(np.shape(distances))


def _floats(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values, dtype=np.float64)


def _integers(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values, dtype=np.int32)


__all__ = ["METRICS", "TAPERS", "Localisation", "members_first", "taper_weights"]
