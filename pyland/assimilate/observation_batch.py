"""All observations of one analysis: from types to the arrays of a filter, and from its result back to the types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import block_diag
from scipy.sparse import csr_array

from pyland.assimilate.arguments import to_floats
from pyland.assimilate.diagnostics import AnalysisDiagnostics
from pyland.assimilate.distances import Distances
from pyland.assimilate.filter_table import LOCAL_FILTERS
from pyland.assimilate.filters import analyse
from pyland.assimilate.local import analyse_local
from pyland.assimilate.observation_departures import TypeDepartures
from pyland.assimilate.observation_errors import check_covariance_size, correlated_covariance
from pyland.assimilate.observation_type import ObservationType
from pyland.base.errors import InputError
from pyland.base.text import suggestion


@dataclass(frozen=True, eq=False)
class BatchAnalysis:
    """Result of `ObservationBatch.analyse`.

    Attributes
    ----------
    ensemble : numpy.ndarray
        Analysis ensemble, shape ``(member, state)``.
    departures : dict of str to TypeDepartures
        What became of the observations of each type.
    diagnostics : AnalysisDiagnostics or None
        Those of the filter, with ``return_diagnostics=True``.
    """

    ensemble: np.ndarray
    departures: dict[str, TypeDepartures]
    diagnostics: AnalysisDiagnostics | None = None


@dataclass(frozen=True, eq=False)
class ObservationBatch:
    """Checked arrays of one analysis; made by `ObservationBatch.join`.

    Attributes
    ----------
    types : tuple of ObservationType
        The types, in order.
    predicted_all : tuple of numpy.ndarray
        Predictions of all observations of each type, used or not, shape ``(member, obs of the type)``.
    flags : tuple of numpy.ndarray
        Why each is used or not, shape ``(obs of the type,)``.
    weights : tuple of scipy.sparse.csr_array
        What of each type goes into each assimilated observation, shape ``(kept, obs of the type)``.
    predicted : numpy.ndarray
        Y, shape ``(member, obs)``: assimilated observations of all types.
    values, variance : numpy.ndarray
        d and the diagonal of R, shape ``(obs,)``.
    coords : numpy.ndarray
        Places, shape ``(obs, ndim)``.
    type_of_obs : numpy.ndarray of int
        Type of each, shape ``(obs,)``.
    """

    types: tuple[ObservationType, ...]
    predicted_all: tuple[np.ndarray, ...]
    flags: tuple[np.ndarray, ...]
    weights: tuple[csr_array, ...]
    predicted: np.ndarray
    values: np.ndarray
    variance: np.ndarray
    coords: np.ndarray
    type_of_obs: np.ndarray

    @classmethod
    def join(cls, types: Sequence[ObservationType], E: Any) -> ObservationBatch:
        """Predict, screen and thin the observations of all types.

        Parameters
        ----------
        types : sequence of ObservationType
            At least one, with names of their own and the same metric and number of coordinates.
        E : array_like
            Prior ensemble, shape ``(member, state)``, finite; at least 2 members. Not changed.

        Raises
        ------
        InputError
            If types do not fit together, or an operator does not fit the state.
        """
        types = tuple(types)
        _check_types(types)
        ensemble = to_floats("E (member, state)", E, 2)
        if len(ensemble) < 2:
            raise InputError(f"an ensemble needs at least 2 members; E (member, state) has shape {ensemble.shape}")
        predicted_all, flags, weights, predicted, values, variance, coords = [], [], [], [], [], [], []
        for one in types:
            every = _predict(one, ensemble)
            flag, weight = one.screen(every)
            place, spread = one.assimilated(weight)
            predicted_all.append(every)
            flags.append(flag)
            weights.append(weight)
            predicted.append((weight @ every.T).T)
            values.append((weight @ one.values[:, np.newaxis])[:, 0])
            variance.append(spread)
            coords.append(place)
        return cls(
            types, tuple(predicted_all), tuple(flags), tuple(weights),
            np.ascontiguousarray(np.concatenate(predicted, axis=1)), np.concatenate(values), np.concatenate(variance),
            np.concatenate(coords), np.repeat(np.arange(len(types)), [one.size for one in values]),
        )  # fmt: skip

    @property
    def nobs(self) -> int:
        """Number of assimilated observations; a cell mean is one."""
        return self.values.size

    def covariance(self) -> np.ndarray:
        """Return R: variances (obs,), or the matrix (obs, obs) where a type has correlated errors.

        Raises
        ------
        InputError
            If a matrix would have more than ``LARGEST_COVARIANCE`` rows.
        """
        if all(one.correlation_length is None for one in self.types):
            return self.variance
        check_covariance_size(self.nobs, "observations with correlated errors, of all types together")
        blocks = []
        for k, (one, weight) in enumerate(zip(self.types, self.weights, strict=True)):
            if one.correlation_length is None:
                blocks.append(np.diag(self.variance[self.type_of_obs == k]))
                continue
            chosen = np.unique(weight.indices)
            full = correlated_covariance(
                one.coords[chosen], one.deviation[chosen] ** 2, one.correlation_length,
                metric=one.metric, period=one.period, name=f"observations '{one.name}'",
            )  # fmt: skip
            few = csr_array(weight[:, chosen])
            blocks.append(few @ (few @ full).T)
        return block_diag(*blocks)

    def local_arguments(
        self, *, radius: float | None = None, taper: str = "gaspari_cohn", depth_radius: float | None = None
    ) -> dict[str, Any]:
        """Return what `analyse_local` takes about the observations.

        Parameters
        ----------
        radius, taper, depth_radius
            For types that have none of their own; see `ObservationType`.

        Returns
        -------
        dict
            ``coords_obs``, ``radius`` and ``taper`` (one, or one per observation), ``metric``; ``period``,
            ``depth_obs``, ``depth_radius``, ``error_group`` and ``error_length`` where a type has them.

        Raises
        ------
        InputError
            If a type has no radius and none is given, or a depth but no radius over depth.

        Notes
        -----
        A cell mean has the radius and the depth of its first observation. Its error variance is that of the mean;
        between cell means, errors are correlated as between single observations at their places.
        """
        chosen: dict[str, Any] = {"coords_obs": self.coords, "metric": self.types[0].metric}
        if radius is None and self.nobs:
            lacking = [one.name for one in self.types if one.radius is None]
            if lacking:
                raise InputError(f"observations '{lacking[0]}' have no radius; give them one, or analyse(radius=...)")
        radii = self._per_observation("radius", np.inf if radius is None else radius)
        chosen["radius"] = _one_if_equal(radii)
        tapers = [self.types[k].taper or taper for k in self.type_of_obs]
        chosen["taper"] = tapers if len(set(tapers)) > 1 else (tapers[0] if tapers else taper)
        if self.types[0].index.period.any():
            chosen["period"] = self.types[0].index.period
        if any(one.depth is not None for one in self.types) and (
            depth_radius is not None or any(one.depth_radius is not None for one in self.types)
        ):
            lacking = [one.name for one in self.types if one.depth is not None and one.depth_radius is None]
            if lacking and depth_radius is None:
                raise InputError(
                    f"observations '{lacking[0]}' have a depth but no depth_radius, as others have; give them one, or "
                    "analyse(depth_radius=...)"
                )
            chosen["depth_obs"] = self._per_observation("depth", np.nan)
            chosen["depth_radius"] = _one_if_equal(
                self._per_observation("depth_radius", np.inf if depth_radius is None else depth_radius)
            )
        if any(one.correlation_length is not None for one in self.types):
            chosen |= self._error_groups()
        return chosen

    def distances(self, pairs: Mapping[str, Distances]) -> Distances:
        """Return pairs of domains and assimilated observations for pairs with the observations of each type.

        Parameters
        ----------
        pairs : mapping of str to Distances
            By type, with numbers of all its observations, used or not (`river_distances`).

        Raises
        ------
        InputError
            If a type is missing or has cell means, which lie at no one place of a network.
        """
        domain, obs, distance = [], [], []
        start = 0
        for one, weight in zip(self.types, self.weights, strict=True):
            if one.name not in pairs:
                raise InputError(f"distances lack observations '{one.name}'; they have {', '.join(pairs) or 'none'}")
            if weight.nnz != weight.shape[0]:
                raise InputError(f"observations '{one.name}' are cell means, which have no distance along a network")
            row = np.full(one.size, -1)
            row[weight.indices] = start + np.arange(weight.shape[0])
            start += weight.shape[0]
            given = pairs[one.name]
            if given.size and given.obs.max() >= one.size:
                raise InputError(f"distances of '{one.name}' name observation {given.obs.max()} of {one.size}")
            used = row[given.obs] >= 0
            domain.append(given.domain[used])
            obs.append(row[given.obs[used]])
            distance.append(given.distance[used])
        return Distances.in_order(*(np.concatenate(part) for part in (domain, obs, distance)))

    def analyse(
        self,
        E: Any,
        method: str = "letkf",
        *,
        coords_state: Any = None,
        radius: float | None = None,
        taper: str | None = None,
        depth_radius: float | None = None,
        distances: Mapping[str, Distances] | None = None,
        return_diagnostics: bool = False,
        **options: Any,
    ) -> BatchAnalysis:
        """Update an ensemble and say what became of every observation.

        Parameters
        ----------
        E : array_like
            The prior ensemble that `join` got, shape ``(member, state)``. Not changed.
        method : str
            A global method of `analyse` or a local one of `analyse_local`.
        coords_state : array_like or int, optional
            Places of the local domains, shape ``(domain, ndim)``, with ``distances`` their number; for local methods.
        radius, taper, depth_radius : optional
            For types that have none of their own; for local methods.
        distances : mapping of str to Distances, optional
            In place of distances between coordinates, by type; for local methods.
        return_diagnostics : bool
            Keep the diagnostics of the filter as well.
        **options
            All others of the method: ``inflation``, ``relaxation``, ``domain_of_state``, ``depth_state``, ``rng``,
            ``threads``, ...

        Returns
        -------
        BatchAnalysis
            Ensemble and departures; O-A by the operators from the analysed ensemble.

        Raises
        ------
        InputError
            If an option does not belong to the method, or as the method.
        """
        name = str(method).lower()
        if name in LOCAL_FILTERS:
            if coords_state is None:
                raise InputError(
                    f"method '{name}' needs coords_state, the places of the local domains (their number with distances)"
                )
            arguments = self.local_arguments(
                radius=radius, taper="gaspari_cohn" if taper is None else taper, depth_radius=depth_radius
            )
            if "depth_radius" in arguments and "depth_state" not in options:
                raise InputError("depth_radius needs depth_state, the depth of each local domain")
            if depth_radius is not None and "depth_radius" not in arguments:
                raise InputError("depth_radius is given, but no type of observations has a depth")
            if distances is not None:
                if any(one.correlation_length is not None for one in self.types):
                    raise InputError("correlated errors need coordinates; leave out correlation_length with distances")
                arguments |= {"distances": self.distances(distances), "coords_obs": None}
                arguments = {key: value for key, value in arguments.items() if key not in ("metric", "period")}
            result = analyse_local(
                E, self.predicted, self.values, self.variance, coords_state, method=name,
                return_diagnostics=return_diagnostics, **arguments, **options,
            )  # fmt: skip
        else:
            given = {"coords_state": coords_state, "radius": radius, "taper": taper, "depth_radius": depth_radius,
                     "distances": distances}  # fmt: skip
            self._refuse_localisation(name, [key for key, value in given.items() if value is not None])
            result = analyse(
                E, self.predicted, self.values, self.covariance(), method=name, return_diagnostics=return_diagnostics,
                **options,
            )  # fmt: skip
        ensemble, diagnostics = result if return_diagnostics else (result, None)
        return BatchAnalysis(ensemble, self.departures(ensemble), diagnostics)

    def departures(self, E_analysis: Any) -> dict[str, TypeDepartures]:
        """Return what became of the observations of each type, given the analysed ensemble (member, state)."""
        ensemble = to_floats("E_analysis (member, state)", E_analysis, 2)
        result = {}
        start = 0
        for one, before, flags, weight in zip(self.types, self.predicted_all, self.flags, self.weights, strict=True):
            after = _predict(one, ensemble)
            if after.shape != before.shape:
                raise InputError(f"E_analysis must have {len(before)} members, as E; got {len(after)}")
            row = np.full(one.size, -1)
            row[weight.indices] = start + np.repeat(np.arange(weight.shape[0]), np.diff(weight.indptr))
            start += weight.shape[0]
            result[one.name] = TypeDepartures.of(
                one.name, one.values, one.deviation, flags, row, one.operator.outside, before, after
            )
        return result

    def _per_observation(self, name: str, default: float) -> np.ndarray:
        """Return a number of each assimilated observation, shape (obs,); of a cell mean that of its first."""
        columns = []
        for one, weight in zip(self.types, self.weights, strict=True):
            each = getattr(one, name)
            first = weight.indices[weight.indptr[:-1]]
            columns.append(np.full(weight.shape[0], default) if each is None else each[first])
        return np.concatenate(columns)

    def _error_groups(self) -> dict[str, np.ndarray]:
        """Return group and correlation length of each error; an uncorrelated error is a group of its own."""
        group, length = np.empty(self.nobs, np.int64), np.ones(self.nobs)
        following = len(self.types)
        for k, one in enumerate(self.types):
            mine = np.flatnonzero(self.type_of_obs == k)
            if one.correlation_length is None:
                group[mine] = following + np.arange(mine.size)
                following += mine.size
            else:
                group[mine], length[mine] = k, one.correlation_length
        return {"error_group": group, "error_length": length}

    def _refuse_localisation(self, method: str, given: list[str]) -> None:
        if given:
            raise InputError(
                f"{given[0]} belongs to local methods ({', '.join(LOCAL_FILTERS)}), which '{method}' is not"
                f"{suggestion(method, LOCAL_FILTERS)}"
            )
        for one in self.types:
            for name in ("radius", "taper", "depth_radius"):
                if getattr(one, name) is not None:
                    raise InputError(
                        f"observations '{one.name}' have a {name}, which belongs to local methods "
                        f"({', '.join(LOCAL_FILTERS)}), which '{method}' is not{suggestion(method, LOCAL_FILTERS)}"
                    )


def _check_types(types: tuple[ObservationType, ...]) -> None:
    if not types:
        raise InputError("a batch needs at least one type of observations; a type may have no observations")
    names = [one.name for one in types]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"two types of observations are named '{twice}'; give each a name of its own")
    for one in types[1:]:
        for about, mine, other in (
            ("metric", one.metric, types[0].metric),
            ("period", one.index.period.tolist(), types[0].index.period.tolist()),
            ("number of coordinates", one.coords.shape[1], types[0].coords.shape[1]),
        ):
            if mine != other:
                raise InputError(
                    f"observations '{one.name}' and '{types[0].name}' differ in their {about} ({mine}, {other}); "
                    "one analysis has one kind of distance"
                )


def _predict(one: ObservationType, ensemble: np.ndarray) -> np.ndarray:
    try:
        return one.operator(ensemble)
    except InputError as error:
        raise InputError(f"observations '{one.name}': {error}") from None


def _one_if_equal(numbers: np.ndarray) -> float | np.ndarray:
    """Return the one number that all are, or all of them; infinite without any."""
    if not numbers.size:
        return np.inf
    return float(numbers[0]) if (numbers == numbers[0]).all() else numbers


__all__ = ["BatchAnalysis", "ObservationBatch"]
