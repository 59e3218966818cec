"""One call of the filter of a case: what each observation brings along, and which options go with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pyland.assimilate import Distances, Reach, analyse, analyse_local
from pyland.base.errors import InputError
from pyland.base.member_statistics import member_mean
from pyland.config import CaseConfig
from pyland.config.filters import is_local, method_of
from pyland.driver.rivers.river_reach import Lookout, RiverReach
from pyland.observe import AnalysisInput, ObservationSet

LARGEST_COVARIANCE = 20_000
"""Observations of a global filter of which some have correlated errors: their full matrix takes 3.2 GB."""


@dataclass(frozen=True)
class Localization:
    """How far an observation reaches.

    Attributes
    ----------
    radius : float
        Horizontal support [m]; infinite for a global filter.
    taper : str
        Decrease of the weight with distance; over depth it is that of `FilterChoice.otherwise`.
    depth : float
        Support over depth [m]; infinite: all layers alike.
    metric : str
        ``euclidean``: the radius is a distance in the plane; ``river``: one along the rivers.
    direction : str
        Along rivers: as of `pyland.assimilate.river_distances`.
    """

    radius: float = np.inf
    taper: str = "gaspari_cohn"
    depth: float = np.inf
    metric: str = "euclidean"
    direction: str = "both"


@dataclass(frozen=True)
class FilterChoice:
    """Which filter, and its options.

    Attributes
    ----------
    method : str
        Word of ``assimilation.filter``; a smoother is the filter it is made of.
    inflation, relaxation : float
        Factor on prior anomalies, and share of the prior that is given back [1].
    relaxation_to : str
        ``spread`` or ``perturbations``.
    rotation, unobserved : bool
        Rotate the analysed anomalies; inflate where nothing is observed.
    adaptive : str or float, optional
        Threshold of the sample correlation for adaptive localisation, ``auto`` for that of the ensemble size.
    localization : mapping of str to Localization
        By name of the observation entry; names that are missing have ``otherwise``.
    otherwise : Localization
        That of all other entries.
    correlation : mapping of str to float
        Correlation length of errors by name of the entry [m]; missing: independent.
    seed : int
        Seed of what a filter draws.
    options : mapping of str to object
        Those of the single filter (``assimilation.options``).
    bounds : mapping of str to (float, float)
        Bounds of what is observed by name of the entry [unit of the type]; missing: none.
    """

    method: str
    inflation: float = 1.0
    relaxation: float = 0.0
    relaxation_to: str = "spread"
    rotation: bool = False
    unobserved: bool = False
    adaptive: str | float | None = None
    localization: Mapping[str, Localization] = field(default_factory=dict)
    otherwise: Localization = field(default_factory=Localization)
    correlation: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def of_case(cls, config: CaseConfig) -> FilterChoice:
        """Return the choice of a case."""
        section = config.assimilation
        common, inflation = section.localization, section.inflation
        otherwise = Localization(common.radius or np.inf, common.taper, common.depth or np.inf, common.metric,
                                 common.direction)
        own = {
            entry.name: Localization(
                given.radius or otherwise.radius, given.taper or otherwise.taper, given.depth or otherwise.depth,
                given.metric or otherwise.metric, given.direction or otherwise.direction)
            for entry in config.observations if (given := entry.localization) is not None
        }
        threshold = None if common.adaptive == "none" else common.threshold or "auto"
        return cls(
            section.filter, inflation.factor, inflation.relaxation, inflation.relaxation_to, section.rotation,
            inflation.unobserved, threshold, own, otherwise,
            {entry.name: entry.error_correlation for entry in config.observations if entry.error_correlation > 0},
            config.ensemble.seed, section.options.given(),
            {entry.name: (entry.bounds[0], entry.bounds[1]) for entry in config.observations
             if entry.bounds is not None})

    @property
    def has_depth(self) -> bool:
        """Whether an observation reaches some layers of a column only: each layer is then a domain."""
        return any(np.isfinite(one.depth) for one in (self.otherwise, *self.localization.values()))

    @property
    def is_along_rivers(self) -> bool:
        """Whether observations may reach along rivers."""
        return any(one.metric == "river" for one in (self.otherwise, *self.localization.values()))

    def of_past(self) -> FilterChoice:
        """Return the choice with which past states follow: they are not inflated, and nothing is given back to them."""
        return replace(self, inflation=1.0, relaxation=0.0, relaxation_to="spread", unobserved=False)


@dataclass(frozen=True)
class StatePlaces:
    """Where the elements of a state lie.

    Attributes
    ----------
    coordinates : numpy.ndarray, shape (cell, 2)
        Cells of this rank [m].
    cell : numpy.ndarray of int, shape (state,)
        Cell of each element.
    depth : numpy.ndarray, shape (state,)
        Depth of each element [m]; NaN for one that belongs to all depths alike, such as a parameter that the layers
        of a column share: localisation over depth leaves it alone.
    """

    coordinates: np.ndarray
    cell: np.ndarray
    depth: np.ndarray

    @classmethod
    def of_layers(cls, coordinates: np.ndarray, depth: np.ndarray) -> StatePlaces:
        """Return the places of a state with the same rows in all cells, row after row of each cell.

        Parameters
        ----------
        coordinates : numpy.ndarray, shape (cell, 2)
            [m]
        depth : numpy.ndarray, shape (row,)
            Depth of each row [m]; NaN: all depths alike.
        """
        depth, ncell = np.asarray(depth, float), len(coordinates)
        return cls(coordinates, np.repeat(np.arange(ncell), depth.size), np.tile(depth, ncell))

    def domains(self, has_depth: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return cell and depth of each local domain, (domain,), and the domain of each element, (state,)."""
        if not has_depth:
            return np.arange(len(self.coordinates)), np.full(len(self.coordinates), np.nan), self.cell
        order = np.lexsort((self.depth, self.cell))  # NaN last
        cell, depth = self.cell[order], self.depth[order]
        level = np.where(np.isnan(depth), np.inf, depth)
        is_new = np.ones(cell.size, bool)
        is_new[1:] = (np.diff(cell) != 0) | (level[1:] != level[:-1])
        owner = np.empty(cell.size, np.int64)
        owner[order] = np.cumsum(is_new) - 1
        return cell[is_new], depth[is_new], owner


class FilterCall:
    """The observations of one analysis as the filter takes them.

    Parameters
    ----------
    choice : FilterChoice
        Filter and options.
    time : numpy.datetime64
        Time of the analysis; names the random numbers.
    sets : sequence of ObservationSet
        Sets of the analysis.
    used : AnalysisInput
        Their used observations.
    rivers : RiverReach, optional
        Rivers of the run; needed where an observation reaches along them.

    Raises
    ------
    InputError
        If an observation reaches along rivers and there are none.
    """

    def __init__(
        self, choice: FilterChoice, time: np.datetime64, sets: Sequence[ObservationSet], used: AnalysisInput,
        rivers: RiverReach | None = None,
    ) -> None:
        self.choice, self.used = choice, used
        self._stamp = int(np.datetime64(time, "s").astype(np.int64))
        self._group = used.set_index
        names = [one.name for one in sets]
        reach = [choice.localization.get(name, choice.otherwise) for name in names]
        self._radius, self._depth_radius = (np.array([getattr(one, name) for one in reach])[self._group]
                                            for name in ("radius", "depth"))
        self._taper = [reach[one].taper for one in self._group]
        self._depth = np.array([0.5 * (one.top + one.bottom) for one in sets])[self._group]
        self._bounds = np.array([choice.bounds.get(name, (-np.inf, np.inf)) for name in names])[self._group].T
        self._length = np.array([choice.correlation.get(name, 0.0) for name in names])[self._group]
        self._rivers, self._lookouts = rivers, _lookouts(sets, reach, used)
        if self._lookouts and rivers is None:
            raise InputError("assimilation.localization.metric: expected euclidean in a run without rivers, got river; "
                             "set rivers.scheme.")

    def update(self, ensemble: np.ndarray, places: StatePlaces) -> np.ndarray:
        """Analyse a state.

        Without observations, because none of an analysis is used, nothing changes but what the choice inflates where
        nothing is observed; members are not rotated then.

        Parameters
        ----------
        ensemble : numpy.ndarray, shape (member, state)
            Forecast; any unit.
        places : StatePlaces
            Where its elements lie.
        """
        if self.used.size:
            return self._analysed(self.choice, ensemble, places)
        if not self.choice.unobserved or self.choice.inflation == 1.0:
            return np.array(ensemble)
        mean = member_mean(ensemble, axis=0)
        return mean + self.choice.inflation * (ensemble - mean)

    def update_past(self, ensemble: np.ndarray, places: StatePlaces) -> np.ndarray:
        """Let past states follow the analysis: the same transform, by their correlation with what is observed now.

        A state is inflated once, before its own analysis. For the past the inflation is in the predicted observations
        only, so that the transform is that of the filter: the joint update of (past, inflated present). What no
        observation reaches keeps its spread, turned as the present is where the case rotates.

        With adaptive localisation the weights of a past element are those of its own correlation with what is
        observed now, which are not those of the present one.

        Parameters
        ----------
        ensemble : numpy.ndarray, shape (member, state)
            Past states; any unit.
        places : StatePlaces
            Where their elements lie.
        """
        if not self.used.size:
            return np.array(ensemble)
        call, factor = self, self.choice.inflation
        if factor != 1.0:
            mean = member_mean(self.used.predicted, axis=0)
            call = self.with_predictions(mean + factor * (self.used.predicted - mean))
        return call._analysed(self.choice.of_past(), ensemble, places)

    def reach(self, places: StatePlaces) -> tuple[Reach | None, np.ndarray]:
        """Return which observations reach which local domain, None if all do, and the domain of each element."""
        if not is_local(self.choice.method):
            return None, np.zeros(places.cell.size, np.int64)
        cell, depth, owner = places.domains(self.choice.has_depth)
        with_depth = (depth, self._depth, self._depth_radius, self.choice.otherwise.taper) if (
            self.choice.has_depth) else ()
        found = Reach(places.coordinates[cell], self.used.coordinates, self._radius, self._taper, *with_depth,
                      distances=self._distances(places, cell))
        return found, owner

    def is_reached(self, places: StatePlaces) -> np.ndarray:
        """Return which elements of a state an observation reaches, (state,)."""
        reach, owner = self.reach(places)
        if reach is None:
            return np.full(places.cell.size, self.used.size > 0)
        return reach.is_reached()[owner]

    def with_predictions(self, predicted: np.ndarray) -> FilterCall:
        """Return the same call with other predicted observations (member, obs), such as inflated ones.

        What inflation brings beyond the bounds of what is observed is set to them, as the filter does with its own.
        """
        if self.choice.bounds:
            predicted = np.clip(predicted, *self._bounds)
        other = object.__new__(FilterCall)
        other.__dict__ = {**self.__dict__, "used": replace(self.used, predicted=predicted)}
        return other

    # ---- inside ----------------------------------------------------------------------------------

    def _distances(self, places: StatePlaces, cell: np.ndarray) -> Distances | None:
        """Return the distances of local domains, which lie in ``cell``; None where coordinates tell all of them."""
        return self._rivers.distances(self._lookouts, places.coordinates, cell) if self._lookouts else None

    def _analysed(self, choice: FilterChoice, ensemble: np.ndarray, places: StatePlaces) -> np.ndarray:
        if not is_local(choice.method):
            return analyse(ensemble, self.used.predicted, self.used.observed, self._covariance(),
                           **self._options(choice))
        of_all_depths = np.isnan(places.depth)
        if not (choice.has_depth and of_all_depths.any()):
            return self._analysed_locally(choice, ensemble, places, choice.has_depth)
        analysed = np.empty_like(ensemble)
        for mine, has_depth in ((~of_all_depths, True), (of_all_depths, False)):
            part = StatePlaces(places.coordinates, places.cell[mine], places.depth[mine])
            analysed[:, mine] = self._analysed_locally(choice, ensemble[:, mine], part, has_depth)
        return analysed

    def _options(self, choice: FilterChoice) -> dict[str, Any]:
        """Return the options of a filter; each call draws the same numbers."""
        options = {
            "method": method_of(choice.method), "inflation": choice.inflation, "relaxation": choice.relaxation,
            "relaxation_to": choice.relaxation_to, "rotation": choice.rotation,
            "rng": np.random.Generator(np.random.Philox(key=[choice.seed, self._stamp])), **choice.options,
        }  # fmt: skip
        if choice.bounds:
            options["bounds"] = self._bounds
        if method_of(choice.method) == "pf":  # the space of the noise: the same on every rank, whatever its share is
            options = {"dimension": max(len(self.used.predicted) - 1, 1), **options}
        return options

    def _analysed_locally(
        self, choice: FilterChoice, ensemble: np.ndarray, places: StatePlaces, has_depth: bool
    ) -> np.ndarray:
        """Analyse with a local filter; domains are layers of cells, or cells."""
        used, options = self.used, self._options(choice)
        cell, depth, owner = places.domains(has_depth)
        if has_depth:
            options |= {"depth_state": depth, "depth_obs": self._depth, "depth_radius": self._depth_radius,
                        "depth_taper": choice.otherwise.taper}
        if (self._length > 0).any():
            options |= {"error_group": self._group, "error_length": self._length}
        distances = self._distances(places, cell)
        where = (places.coordinates[cell], used.coordinates) if distances is None else (len(cell), None)
        return analyse_local(
            ensemble, used.predicted, used.observed, used.variance, *where, self._radius, distances=distances,
            taper=self._taper, domain_of_state=owner, adaptive=choice.adaptive,
            inflate_unobserved=choice.unobserved, **options)

    def _covariance(self) -> np.ndarray:
        """Return error variances (obs,), or their covariance (obs, obs) where errors of a set are correlated.

        Raises
        ------
        InputError
            If the matrix would be too large.
        """
        if not (self._length > 0).any():
            return self.used.variance
        if self.used.size > LARGEST_COVARIANCE:
            raise InputError(
                "assimilation: a global filter takes correlated errors as a full matrix of all observations of a time, "
                f"at most {LARGEST_COVARIANCE}; got {self.used.size} with filter: {self.choice.method}. Take a local "
                "filter such as letkf, which needs the observations of one domain at a time, or thin the observations.")
        error = np.sqrt(self.used.variance)
        covariance = np.diag(self.used.variance)
        for group in np.unique(self._group[self._length > 0]):
            mine = np.flatnonzero(self._group == group)
            x, y = self.used.coordinates[mine].T
            distance = np.hypot(x[:, None] - x, y[:, None] - y)
            covariance[np.ix_(mine, mine)] = np.outer(error[mine], error[mine]) * np.exp(-distance / self._length[mine])
        return covariance


def _lookouts(sets: Sequence[ObservationSet], reach: Sequence[Localization], used: AnalysisInput) -> list[Lookout]:
    """Return the used observations set by set; nothing if none of them reaches along rivers."""
    found = []
    for number in np.unique(used.set_index):
        mine, one = np.flatnonzero(used.set_index == number), reach[number]
        cells = sets[number].cells[used.row[mine], 0]
        found.append(Lookout(mine, used.coordinates[mine], cells, one.radius, one.metric == "river", one.direction))
    return found if any(one.along_river for one in found) else []
