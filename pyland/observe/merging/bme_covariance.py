"""Covariance of a field in space and time: the nested exponential model, and how it is fitted to data.

The general knowledge of Bayesian maximum entropy (`bme`) is a mean and a covariance. The covariance here is a sum of
separable exponentials with a nugget,

    C(h, tau) = sum_k c_k exp(-3 h / a_k) exp(-3 tau / b_k) + c_0 [h = 0 and tau = 0],

so that a structure has fallen to 5 % of its sill at its range. Each term is a product of covariances of Euclidean
space and of time, hence the sum is one, for any positive ranges.

References
----------
.. [1] Christakos, G., Bogaert, P., Serre, M. (2002). Temporal GIS. Springer, ch. 2-4.
.. [2] Cressie, N. (1985). Fitting variogram models by weighted least squares. Math. Geol. 17, 563-586.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares, nnls
from scipy.spatial.distance import cdist

from pyland.base.errors import ConvergenceError, InputError

EARTH_RADIUS = 6371008.8
"""Mean radius of the Earth [m] (IUGG)."""

MINIMUM_PAIRS = 30
"""Fewest pairs of a bin that take part in a fit (Journel and Huijbregts 1978, Mining Geostatistics, p. 194)."""

MOST_PLACES = 400
"""Places of which all pairs are formed; of more, an even selection."""

_MOST_EVALUATIONS = 400
_STARTS = ((0.3, 0.3), (0.1, 1.0), (1.0, 0.1))  # fractions of the longest distance and lag: where a search begins


@dataclass(frozen=True)
class SpaceTimeCovariance:
    """Nested exponential covariance of space and time.

    Attributes
    ----------
    sill : tuple of float
        Variances of the structures [unit2], not negative.
    space_range : tuple of float
        Distances at which they have fallen to 5 % [m], positive; infinite: constant in space.
    time_range : tuple of float
        Lags at which they have fallen to 5 % [d], positive; infinite: constant in time.
    nugget : float
        Variance of the field at distances shorter than those of the data [unit2]; it belongs to the truth, unlike the
        error of a datum.

    Raises
    ------
    InputError
        If lengths differ, a range is not positive, a variance is negative, or all variances are zero.
    """

    sill: tuple[float, ...]
    space_range: tuple[float, ...]
    time_range: tuple[float, ...]
    nugget: float = 0.0

    def __post_init__(self) -> None:
        if not len(self.sill) == len(self.space_range) == len(self.time_range) > 0:
            raise InputError("bme covariance: sill, space_range and time_range must have one value for each structure, "
                             f"got {len(self.sill)}, {len(self.space_range)} and {len(self.time_range)}.")
        if not (np.array(self.space_range) > 0).all() or not (np.array(self.time_range) > 0).all():
            raise InputError(f"bme covariance: ranges must be positive, got {self.space_range} m and "
                             f"{self.time_range} d.")
        if not (np.array((*self.sill, self.nugget)) >= 0).all() or not self.variance > 0 or np.isinf(self.variance):
            raise InputError(f"bme covariance: variances must not be negative and not all zero, got sills {self.sill} "
                             f"and nugget {self.nugget}.")

    @property
    def variance(self) -> float:
        """Variance of the field [unit2]: all sills and the nugget."""
        return float(sum(self.sill) + self.nugget)

    def __call__(self, distance: np.ndarray, lag: np.ndarray) -> np.ndarray:
        """Return the covariance [unit2] at distances [m] and lags [d] (absolute), of their common shape."""
        distance, lag = np.asarray(distance, float), np.asarray(lag, float)
        total = self.nugget * ((distance == 0) & (lag == 0))
        for sill, space, time in zip(self.sill, self.space_range, self.time_range, strict=True):
            total = total + sill * np.exp(-3.0 * distance / space - 3.0 * lag / time)
        return total

    def scales(self) -> tuple[float, float]:
        """Return the inverse ranges of space [m-1] and time [d-1], means weighted by the sills.

        They make one metric of distance and lag, in which neighbours are sought.
        """
        sill = np.array(self.sill)
        if not sill.sum() > 0:
            sill = np.ones_like(sill)
        weight = sill / sill.sum()
        return float((weight / np.array(self.space_range)).sum()), float((weight / np.array(self.time_range)).sum())


@dataclass(frozen=True)
class EmpiricalCovariance:
    """Covariance of data in bins of distance and lag.

    Attributes
    ----------
    distance : ndarray, shape (bin,)
        Mean distance of the pairs of a bin [m]; the first bin is the place itself.
    lag : ndarray, shape (lag,)
        Lags [d], the first is 0.
    value : ndarray, shape (lag, bin)
        Mean product of the anomalies [unit2]; NaN without pairs.
    count : ndarray of int, shape (lag, bin)
        Number of pairs.
    """

    distance: np.ndarray
    lag: np.ndarray
    value: np.ndarray
    count: np.ndarray


def sphere_coordinates(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Return places on a sphere as Cartesian coordinates [m].

    Parameters
    ----------
    latitude, longitude : array_like, shape (place,)
        Places [degrees].

    Returns
    -------
    ndarray, shape (place, 3)
        Coordinates of which Euclidean distances are chords: 0.03 % shorter than arcs at 500 km. An exponential of the
        chord is a covariance on the sphere.
    """
    latitude, longitude = np.deg2rad(np.asarray(latitude, float)), np.deg2rad(np.asarray(longitude, float))
    return EARTH_RADIUS * np.stack((np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude),
                                    np.sin(latitude)), axis=-1)


def empirical_covariance(
    anomalies: np.ndarray,
    coordinates: np.ndarray,
    step: float = 1.0,
    *,
    bins: int = 12,
    lags: int = 20,
    longest_distance: float | None = None,
) -> EmpiricalCovariance:
    """Return the covariance of anomalies in bins of distance and lag.

    Parameters
    ----------
    anomalies : array_like, shape (time, place)
        Values minus their mean field [unit], NaN where there is none; times are equally spaced.
    coordinates : array_like, shape (place, dimension)
        Places [m].
    step : float, optional
        Time between rows [d].
    bins : int, optional
        Bins of distance, of equal width, beside that of the place itself.
    lags : int, optional
        Longest lag in steps.
    longest_distance : float, optional
        Upper edge of the last bin [m]; half the longest distance by default.

    Returns
    -------
    EmpiricalCovariance

    Raises
    ------
    InputError
        If shapes differ or there are no data.

    Notes
    -----
    Of more than :data:`MOST_PLACES` places an even selection is taken.
    """
    anomalies, coordinates = np.asarray(anomalies, float), np.asarray(coordinates, float)
    if anomalies.ndim != 2 or coordinates.shape[:1] != anomalies.shape[1:] or coordinates.ndim != 2:
        raise InputError("bme covariance: anomalies must have shape (time, place) and coordinates (place, dimension), "
                         f"got {anomalies.shape} and {coordinates.shape}.")
    if bins < 1 or lags < 0 or not step > 0:
        raise InputError(f"bme covariance: expected bins >= 1, lags >= 0 and step > 0, got {bins}, {lags} and {step}.")
    known = np.isfinite(anomalies)
    if not known.any():
        raise InputError("bme covariance: there are no data to take a covariance from.")
    seen = np.flatnonzero(known.any(axis=0))
    if seen.size > MOST_PLACES:
        seen = seen[np.linspace(0, seen.size - 1, MOST_PLACES).astype(int)]
    filled, known = np.where(known, anomalies, 0.0)[:, seen], known[:, seen].astype(float)
    distance = cdist(coordinates[seen], coordinates[seen])
    edge = longest_distance if longest_distance is not None else 0.5 * distance.max()
    which = np.where(distance == 0, 0, 1)
    if edge > 0:
        which = np.where(distance == 0, 0, 1 + np.floor(distance / edge * bins).astype(int))
    outside = which > bins
    which = np.where(outside, bins + 1, which).ravel()
    lags = min(lags, anomalies.shape[0] - 1)
    total, count = np.zeros((lags + 1, bins + 2)), np.zeros((lags + 1, bins + 2))
    for lag in range(lags + 1):
        end = anomalies.shape[0] - lag
        total[lag] = np.bincount(which, (filled[:end].T @ filled[lag:]).ravel(), bins + 2)
        count[lag] = np.bincount(which, (known[:end].T @ known[lag:]).ravel(), bins + 2)
    pairs = np.maximum(np.bincount(which, minlength=bins + 2), 1)
    mean_distance = np.bincount(which, distance.ravel(), bins + 2) / pairs
    total, count, mean_distance = total[:, :-1], count[:, :-1], mean_distance[:-1]
    value = np.where(count > 0, total / np.maximum(count, 1.0), np.nan)
    return EmpiricalCovariance(mean_distance, step * np.arange(lags + 1), value, np.rint(count).astype(np.int64))


def fit_covariance(empirical: EmpiricalCovariance, structures: int = 2,
                   error_variance: float = 0.0) -> SpaceTimeCovariance:
    """Fit the nested model to an empirical covariance by weighted least squares.

    Parameters
    ----------
    empirical : EmpiricalCovariance
        Covariance of the data, errors and all.
    structures : int, optional
        Number of exponential terms, 1 to 3.
    error_variance : float, optional
        Mean error variance of the data [unit2]. Errors of different days and places are taken as independent: they
        show at distance and lag zero only, and what is there beyond them and the sills is the nugget.

    Returns
    -------
    SpaceTimeCovariance

    Raises
    ------
    InputError
        If there are too few bins with :data:`MINIMUM_PAIRS` pairs, or the data vary no more than their errors.
    ConvergenceError
        If no search ends.

    Notes
    -----
    Weights are numbers of pairs [2]_. The sills follow from the ranges by non-negative least squares, so that the
    search goes over the logarithms of ranges only: from the shortest distance (lag) of the data to ten times the
    longest. Of some starts the best is taken.
    """
    if structures not in (1, 2, 3):
        raise InputError(f"bme covariance: structures must be 1, 2 or 3, got {structures!r}.")
    distance, lag = (part.ravel() for part in np.meshgrid(empirical.distance, empirical.lag))
    value, count = empirical.value.ravel(), empirical.count.ravel()
    taken = (count >= MINIMUM_PAIRS) & ((distance > 0) | (lag > 0))
    if taken.sum() < 3 * structures:
        raise InputError(
            f"bme covariance: only {int(taken.sum())} bins of distance and lag have {MINIMUM_PAIRS} pairs of data; "
            f"{3 * structures} are needed for {structures} structures. Give a longer period, more places or the "
            "covariance itself."
        )
    distance, lag, value = distance[taken], lag[taken], value[taken]
    weight = np.sqrt(count[taken] / count[taken].max())
    lower, upper = _range_bounds(distance, lag, structures)

    def design(log_ranges: np.ndarray) -> np.ndarray:
        space, time = np.exp(log_ranges[:structures]), np.exp(log_ranges[structures:])
        return np.exp(-3.0 * distance[:, None] / space - 3.0 * lag[:, None] / time)

    def sills(log_ranges: np.ndarray) -> np.ndarray:
        return nnls(weight[:, None] * design(log_ranges), weight * value)[0]

    scale = np.abs(value).max()

    def misfit(log_ranges: np.ndarray) -> np.ndarray:
        return weight * (design(log_ranges) @ sills(log_ranges) - value) / scale

    best = None
    for start in _STARTS:
        shares = np.repeat(np.log(start), structures) + np.tile(-np.log(4.0) * np.arange(structures), 2)
        begin = np.clip(np.repeat((np.log(max(distance.max(), 1.0)), np.log(max(lag.max(), 1.0))), structures) + shares,
                        lower, upper)
        found = least_squares(misfit, begin, bounds=(lower, upper), max_nfev=_MOST_EVALUATIONS)
        if found.status > 0 and (best is None or found.cost < best.cost):
            best = found
    if best is None:
        raise ConvergenceError(f"bme covariance: the fit of {structures} structures did not end within "
                               f"{_MOST_EVALUATIONS} evaluations. Take fewer structures, or give the covariance.")
    sill = sills(best.x)
    origin = empirical.value[0, 0]
    nugget = max(float(origin - error_variance - sill.sum()), 0.0) if np.isfinite(origin) else 0.0
    if not sill.sum() + nugget > 0:
        raise InputError(f"bme covariance: the variance of the data, {origin:.3g}, is not more than that of their "
                         f"errors, {error_variance:.3g}: there is no signal. Check the standard deviations.")
    order = np.argsort(-sill, kind="stable")
    kept = order[sill[order] > 0] if (sill > 0).any() else order[:1]
    space, time = np.exp(best.x[:structures]), np.exp(best.x[structures:])
    if not (distance > 0).any():
        space = np.full(structures, np.inf)
    return SpaceTimeCovariance(tuple(sill[kept].tolist()), tuple(space[kept].tolist()), tuple(time[kept].tolist()),
                               nugget)


def _range_bounds(distance: np.ndarray, lag: np.ndarray, structures: int) -> tuple[np.ndarray, np.ndarray]:
    """Return bounds of the logarithms of the ranges: shortest of the data to ten times the longest."""
    bounds = []
    for one in (distance, lag):
        some = one[one > 0] if (one > 0).any() else np.ones(1)
        bounds.append((np.log(some.min()), np.log(10.0 * some.max())))
    (space, time) = bounds
    return (np.repeat((space[0], time[0]), structures), np.repeat((space[1], time[1]), structures))
