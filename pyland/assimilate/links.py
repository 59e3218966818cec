"""What links local domains and observations: places or distances, depth, correlation; checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pyland.assimilate import arguments
from pyland.assimilate.distances import Distances
from pyland.base.errors import InputError
from pyland.core.localisation import METRICS, TAPERS, Localisation

LARGEST_THRESHOLD = 0.9
"""Largest threshold of the correlation that ``auto`` takes; that of 11 members, fewer cannot tell."""


@dataclass(frozen=True)
class Links:
    """Checked arguments of a localisation.

    Attributes
    ----------
    places : numpy.ndarray, shape (obs, ndim)
        Coordinates of the observations; empty with ``distances``.
    domain_places : numpy.ndarray, shape (domain, ndim)
        Coordinates of the local domains; empty with ``distances``.
    ndomain : int
        Local domains.
    radius, taper : numpy.ndarray, shape (obs,)
        Support radius, and number of the taper.
    metric : str
        Distance.
    period : numpy.ndarray, shape (ndim,)
        Length of periodic axes, 0 for others.
    depth : tuple, optional
        Depths of the domains (domain,) and observations (obs,), support (obs,), taper.
    distances : Distances, optional
        Distances instead of places.
    threshold : float, optional
        Threshold of the correlation [1].
    errors : tuple, optional
        Groups and lengths of correlated errors, (obs,) each.
    """

    places: np.ndarray
    domain_places: np.ndarray
    ndomain: int
    radius: np.ndarray
    taper: np.ndarray
    metric: str
    period: np.ndarray
    depth: tuple[np.ndarray, np.ndarray, np.ndarray, str] | None
    distances: Distances | None
    threshold: float | None
    errors: tuple[np.ndarray, np.ndarray] | None

    @property
    def is_adaptive(self) -> bool:
        """Whether weights fall with the sample correlation."""
        return self.threshold is not None

    @property
    def is_cut_off(self) -> bool:
        """Whether weights of an observation jump to 0 at its radius."""
        over_depth = self.depth is not None and self.depth[3] != "gaspari_cohn"
        return over_depth or bool(((self.taper != TAPERS["gaspari_cohn"]) & np.isfinite(self.radius)).any())

    @property
    def has_correlated_errors(self) -> bool:
        """Whether errors are correlated."""
        return self.errors is not None

    def domains(self) -> Localisation:
        """Return the localisation of the domains."""
        if self.distances is not None:
            found = self.distances
            made = Localisation.by_distance(
                self.ndomain, found.domain, found.obs, found.distance, radius=self.radius, taper=self.taper)
        else:
            made = self._by_place(self.domain_places)
        return self._complete(made, None if self.depth is None else self.depth[0])

    def at_observations(self) -> Localisation:
        """Return a localisation whose domains are the places of the observations."""
        if self.distances is not None:
            raise InputError("return_diagnostics needs coordinates of the observations; leave it out with distances")
        depth = None
        if self.depth is not None:  # one that sees all depths is analysed at the depth of the topmost domain
            depth = np.where(np.isnan(self.depth[1]), self.depth[0].min(initial=0.0), self.depth[1])
        return self._complete(self._by_place(self.places), depth)

    def _by_place(self, domain_places: np.ndarray) -> Localisation:
        return Localisation.by_place(
            self.places, domain_places, radius=self.radius, taper=self.taper, metric=self.metric, period=self.period)

    def _complete(self, made: Localisation, domain_depth: np.ndarray | None) -> Localisation:
        if self.depth is not None and domain_depth is not None:
            made.set_depth(domain_depth, *self.depth[1:])
        if self.errors is not None:
            made.set_errors(*self.errors)
        if self.threshold is not None:
            made.set_threshold(self.threshold)
        return made


def link(
    coords_state: Any, coords_obs: Any, radius: Any, *, nobs: int, nmember: int, taper: Any, metric: str, period: Any,
    depth_state: Any, depth_obs: Any, depth_radius: Any, depth_taper: str, distances: Distances | None,
    adaptive: float | str | None, error_group: Any, error_length: Any,
) -> Links:
    """Check the arguments of a localisation; they are those of `analyse_local`.

    Raises
    ------
    InputError
        If shapes or values do not fit.
    """
    metric = arguments.check_choice("metric", metric, METRICS)
    if distances is None:
        domains, places = _check_places(coords_state, coords_obs, nobs, metric)
        ndomain = len(domains)
    else:
        domains, places = np.zeros((0, 1)), np.zeros((nobs, 1))
        ndomain = _check_distances(distances, coords_state, coords_obs, nobs)
        if error_group is not None:
            raise InputError("error_group needs coordinates of the observations; leave it out with distances")
        if period is not None:
            raise InputError("period belongs to coordinates; leave it out with distances")
    return Links(
        places=places, domain_places=domains, ndomain=ndomain, radius=_check_radius("radius", radius, nobs),
        taper=_check_taper(taper, nobs), metric=metric, period=_check_period(period, places.shape[1], metric),
        depth=_check_depth(depth_state, depth_obs, depth_radius, depth_taper, ndomain, nobs), distances=distances,
        threshold=_check_threshold(adaptive, nmember), errors=_check_errors(error_group, error_length, nobs))


def _as_points(name: str, value: Any) -> np.ndarray:
    """Return coordinates as (point, ndim); a list of numbers is one coordinate each."""
    return arguments.to_floats(name, np.asarray(value)[:, np.newaxis] if np.ndim(value) == 1 else value, 2)


def _check_places(coords_state: Any, coords_obs: Any, nobs: int, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Check coordinates of domains and observations."""
    domains = _as_points("coords_state (domain, ndim)", coords_state)
    places = _as_points("coords_obs (obs, ndim)", coords_obs)
    if len(places) != nobs:
        raise InputError(f"coords_obs must have one row per observation, {nobs}; got shape {places.shape}")
    ndim = places.shape[1]
    if domains.shape[1] != ndim or not 1 <= ndim <= 3:
        raise InputError(
            "coords_state and coords_obs must have the same 1 to 3 coordinates per row; "
            f"got shapes {domains.shape} and {places.shape}"
        )
    if metric == "haversine":
        if ndim != 2:
            raise InputError(f"metric 'haversine' needs (latitude, longitude) per row; got {ndim} coordinates")
        for name, points in (("coords_state", domains), ("coords_obs", places)):
            if len(points) and np.abs(points[:, 0]).max() > 90.0:
                raise InputError(
                    f"{name} must hold (latitude, longitude) in degrees for metric 'haversine'; "
                    f"got a latitude of {points[np.abs(points[:, 0]).argmax(), 0]!r}"
                )
    return domains, places


def _check_distances(distances: Distances, coords_state: Any, coords_obs: Any, nobs: int) -> int:
    """Check a list of distances; return the number of domains."""
    if coords_obs is not None or isinstance(coords_state, bool) or not isinstance(coords_state, (int, np.integer)):
        raise InputError("with distances give the number of domains as coords_state and None as coords_obs; got "
                         f"{type(coords_state).__name__} and {type(coords_obs).__name__}")
    for name, index, count in (("domain", distances.domain, int(coords_state)), ("obs", distances.obs, nobs)):
        if len(index) and (index.min() < 0 or index.max() >= count):
            raise InputError(f"distances.{name} must lie in 0 to {count - 1}; got {index.min()} to {index.max()}")
    return int(coords_state)


def _check_radius(name: str, radius: Any, nobs: int) -> np.ndarray:
    """Return the radius of each observation."""
    if np.ndim(radius) == 0:
        return np.full(nobs, arguments.check_number(name, radius, 0.0, np.inf, open_low=True))
    values = np.asarray(radius, dtype=float)
    if values.shape != (nobs,) or not (values > 0.0).all():
        raise InputError(f"{name} must be a number above 0 or one for each observation, shape ({nobs},); got shape "
                         f"{values.shape}, smallest {values.min(initial=np.inf):g}")
    return values


def _check_taper(taper: Any, nobs: int) -> np.ndarray:
    """Return the number of the taper of each observation."""
    if isinstance(taper, str):
        return np.full(nobs, TAPERS[arguments.check_choice("taper", taper, TAPERS)])
    names = list(taper)
    if len(names) != nobs:
        raise InputError(f"taper must be one name or one for each of {nobs} observations; got {len(names)}")
    return np.array([TAPERS[arguments.check_choice("taper", name, TAPERS)] for name in names], dtype=int)


def _check_period(period: Any, ndim: int, metric: str) -> np.ndarray:
    """Return the period of each axis, 0 for none."""
    if period is None:
        return np.zeros(ndim)
    values = arguments.to_floats("period (ndim)", np.where(np.isinf(np.atleast_1d(period)), 0.0, period), 1)
    if metric != "euclidean":
        raise InputError("period is for metric 'euclidean'; great circles close on themselves")
    if values.shape != (ndim,) or (values < 0.0).any():
        raise InputError(f"period must hold a length of at least 0 for each of {ndim} axes; got {values}")
    return values


def _check_depth(
    depth_state: Any, depth_obs: Any, depth_radius: Any, depth_taper: str, ndomain: int, nobs: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, str] | None:
    """Return the arguments over depth, None without."""
    given = [one is not None for one in (depth_state, depth_obs, depth_radius)]
    if not any(given):
        return None
    if not all(given):
        raise InputError("depth_state, depth_obs and depth_radius belong together; give all of them or none")
    depth = arguments.to_floats("depth_state (domain)", depth_state, 1)
    seen = np.asarray(depth_obs, dtype=float)
    if depth.shape != (ndomain,) or seen.shape != (nobs,) or np.isinf(seen).any():
        raise InputError(f"depth_state must have shape ({ndomain},) and depth_obs ({nobs},), finite or NaN; got "
                         f"{depth.shape} and {seen.shape}")
    return (depth, seen, _check_radius("depth_radius", depth_radius, nobs),
            arguments.check_choice("depth_taper", depth_taper, TAPERS))


def _check_threshold(adaptive: float | str | None, nmember: int) -> float | None:
    """Return the threshold of the correlation, None for none."""
    if adaptive is None:
        return None
    if isinstance(adaptive, str):
        arguments.check_choice("adaptive", adaptive, ("auto",))
        return min(3.0 / np.sqrt(nmember), LARGEST_THRESHOLD)
    threshold = arguments.check_number("adaptive", adaptive, 0.0, 1.0, open_low=True)
    if threshold == 1.0:
        raise InputError("adaptive must lie below 1: no sample is correlated better")
    return threshold


def _check_errors(group: Any, length: Any, nobs: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Return groups and lengths of correlated errors, None without."""
    if group is None and length is None:
        return None
    if group is None or length is None:
        raise InputError("error_group and error_length belong together; give both or none")
    groups = np.asarray(group)
    try:
        lengths = np.broadcast_to(np.asarray(length, dtype=float), (nobs,))
    except ValueError as error:
        raise InputError(f"error_length must be a number or have shape ({nobs},); got {np.shape(length)}") from error
    if groups.shape != (nobs,) or not np.issubdtype(groups.dtype, np.integer):
        raise InputError(f"error_group must hold one whole number per observation, shape ({nobs},); got "
                         f"{groups.shape} of {groups.dtype}")
    if not (np.isfinite(lengths) & (lengths >= 0.0)).all():
        raise InputError("error_length must be finite and at least 0")
    # numbered anew: the core has small numbers, the caller any
    names, first, number = np.unique(groups, return_index=True, return_inverse=True)
    differs = lengths != lengths[first][number]
    if differs.any():
        group = names[number[int(np.argmax(differs))]]
        raise InputError(f"error_length must be the same within a group; group {group} has several")
    return number.astype(np.int32), lengths


__all__ = ["Links", "link"]
