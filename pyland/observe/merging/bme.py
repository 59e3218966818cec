"""Bayesian maximum entropy: merging that knows how the field hangs together in space and time.

A mean field and a covariance (`bme_covariance`) are the general knowledge; products with their errors, exact values and
intervals the knowledge of the case. Each target takes its nearest data in space and time and gets mean and standard
deviation of the posterior (`bme_posterior`), also where no product saw anything that day.

References
----------
.. [1] Christakos, G. (2000). Modern Spatiotemporal Geostatistics. Oxford University Press, ch. 5-7.
.. [2] He, J., Kolovos, A. (2018). Bayesian maximum entropy approach and its applications: a review. Stoch. Environ.
   Res. Risk Assess. 32, 859-877.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from pyland.base.errors import InputError
from pyland.observe.merging.anomalies import anomalies_of
from pyland.observe.merging.bme_covariance import (
    SpaceTimeCovariance,
    empirical_covariance,
    fit_covariance,
    sphere_coordinates,
)
from pyland.observe.merging.bme_posterior import Conditioned, condition, target_posterior
from pyland.observe.merging.collocation import extended_collocation
from pyland.observe.merging.merged import MergeContext, Merged, checked_products, taken_options

NEIGHBOURS = 16
"""Nearest space-time data of a target."""

BME_OPTIONS: Mapping[str, Any] = MappingProxyType({
    "errors": "given", "mean": "climatology", "structures": 2, "neighbours": NEIGHBOURS, "covariance": None,
    "interval": None, "seed": 0,
})
"""Options of `merge_bme` and their defaults."""

INTERVALS = 4
"""Nearest intervals of a target."""

MEANS = ("climatology", "place")
"""Ways to a mean field: mean and two harmonics of the year at each place, or the mean of each place."""

_LEAST_FOR_SEASON = 100  # days with data below which a place has no season of its own
_BATCH = 20000  # targets of one call of the solver: some 100 MB with 16 neighbours
_DAY = np.timedelta64(86400, "s")


@dataclass(frozen=True)
class SpaceTimeData:
    """Data of one kind at points of space and time, and how to find the nearest.

    Attributes
    ----------
    step, place : ndarray of int, shape (datum,)
        Indices of the points.
    first, second : ndarray, shape (datum,)
        Anomaly and error variance of values [unit, unit2]; lower and upper bound of intervals [unit].
    """

    step: np.ndarray
    place: np.ndarray
    first: np.ndarray
    second: np.ndarray


def merge_bme(
    products: np.ndarray, sigma: np.ndarray | None = None, context: MergeContext | None = None,
    options: Mapping[str, Any] | None = None,
) -> Merged:  # fmt: skip
    """Merge products by Bayesian maximum entropy, with a value and an error at each time and place.

    Parameters
    ----------
    products : array_like, shape (product, time, place)
        Values, NaN without one, without differences of their means: rescale them first.
    sigma : array_like that broadcasts to products, or of shape (product,), optional
        Standard deviations of their errors [unit of the products]; 0: exact (hard data).
    context : MergeContext
        Times and places; times are equally spaced if the covariance is to be fitted.
    options : mapping, optional
        ``errors``: ``"given"`` (default): sigma; ``"collocation"``: from a collocation of the anomalies of three and
        more products, at places where it fails of all places together;
        ``mean``: ``"climatology"`` (default), ``"place"`` or an array (time, place);
        ``structures``: exponentials of the fitted covariance, 1 to 3, default 2;
        ``covariance``: a `SpaceTimeCovariance` instead of a fitted one;
        ``neighbours``: nearest data of a target, 1 to 20, default :data:`NEIGHBOURS`;
        ``interval``: pair of arrays (time, place), bounds between which the field is known to lie, NaN where nothing
        is known;
        ``seed``: of the sampling where several intervals act, default 0.

    Returns
    -------
    Merged
        ``weights`` are those of the products in the anomaly, all data of a product together; what is lacking to 1 is
        the weight of the mean field. Details: ``interpolated`` is 1 where no product has a value of that time and
        place, ``mean_field`` is the mean field, ``sampling_error`` the standard error of the value by sampling.

    Raises
    ------
    InputError
        If sigma or context is not given, a product that has a value has no error, two exact values contradict each
        other, or an option cannot be.
    ConvergenceError
        If the fit of the covariance does not end.

    Notes
    -----
    Products of one time and place are first joined to one datum with the sum of their precisions, which is exact for
    Gaussian errors that are independent.

    The covariance is that of anomalies in time. Where no product ever saw a place, its own mean is not known either:
    there sigma holds the spread of the means of the others too (`mean_variance`), and is NaN with fewer than two.
    """
    products = checked_products(products)
    chosen = _checked_options(options)
    if context is None:
        raise InputError("merge bme: expected where and when the products are (context).")
    if products.shape[1:] != (context.times.size, np.size(context.latitude)):
        raise InputError(f"merge bme: products must have shape (product, {context.times.size}, "
                         f"{np.size(context.latitude)}), got {products.shape}.")
    if chosen["errors"] == "collocation":
        sigma = errors_by_collocation(products, context.times)
    elif sigma is None:
        raise InputError("merge bme: expected the errors of the products (sigma), or errors: collocation.")
    value, variance, share = join_products(products, sigma)
    mean = mean_field(value, context.times, chosen["mean"])
    anomalies = value - mean
    coordinates = sphere_coordinates(context.latitude, context.longitude)
    days = (context.times - context.times[:1]) / _DAY if context.times.size else np.zeros(0)
    covariance = chosen["covariance"] or _fitted(anomalies, variance, coordinates, days, chosen["structures"])
    data = _data_of(anomalies, variance)
    bounds = _intervals_of(chosen["interval"], mean)
    estimate = _Estimate(covariance, coordinates, days, data, bounds, chosen["neighbours"], chosen["seed"])
    found, spread, error, weights = estimate.everywhere(share)
    count = np.isfinite(products).sum(axis=0)
    shape = mean.shape
    return Merged(
        value=mean + found.reshape(shape), sigma=np.sqrt(spread.reshape(shape) + mean_variance(value, chosen["mean"])),
        weights=weights.reshape(products.shape), count=count.astype(np.int8),
        flag=(count == 0).all(axis=0).astype(np.int8),
        flag_words=("merged", "from_other_places"),
        details={"interpolated": (count == 0).astype(np.int8), "mean_field": mean,
                 "sampling_error": error.reshape(shape)},
        detail_attributes={
            "interpolated": {"long_name": "no product has a value of this time and place", "units": "1"},
            "mean_field": {"long_name": "mean field of the prior", "units": ""},
            "sampling_error": {"long_name": "standard error of the value by sampling", "units": ""},
        })


def join_products(products: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Join the products of each time and place to one datum.

    Parameters
    ----------
    products : ndarray, shape (product, time, place)
        Values, NaN without one.
    sigma : array_like that broadcasts to products, or of shape (product,), optional
        Standard deviations of the errors; 0: exact.

    Returns
    -------
    value, variance : ndarray, shape (time, place)
        Mean by precision, and its error variance; NaN where there is no product. An exact value takes all weight.
    share : ndarray, shape (product, time, place)
        Weights of the products [1].

    Raises
    ------
    InputError
        If an error is negative or lacks beside a value, or exact values differ.
    """
    there = np.isfinite(products)
    sigma = np.asarray(sigma, float)
    if sigma.ndim == 1:
        sigma = sigma[:, None, None]
    sigma = np.broadcast_to(sigma, products.shape)
    wrong = there & ~((sigma >= 0) & np.isfinite(sigma))
    if wrong.any():
        product, step, place = np.argwhere(wrong)[0]
        raise InputError(f"merge bme: product {product} has a value at time {step} and place {place} with the error "
                         f"{sigma[product, step, place]}; expected a standard deviation, 0 or more. Leave the value "
                         "out (NaN) or give its error.")
    hard = there & (sigma == 0)
    any_hard = hard.any(axis=0)
    low = np.where(hard, products, np.inf).min(axis=0)
    high = np.where(hard, products, -np.inf).max(axis=0)
    if (low[any_hard] != high[any_hard]).any():
        step, place = np.argwhere(any_hard & (low != high))[0]
        raise InputError(f"merge bme: exact values (sigma 0) of one time and place differ: {low[step, place]} and "
                         f"{high[step, place]} at time {step}, place {place}.")
    precision = np.where(there & ~any_hard, 1.0 / np.where(sigma > 0, sigma, 1.0) ** 2, hard.astype(float))
    total = precision.sum(axis=0)
    known = total > 0
    share = precision / np.where(known, total, 1.0)
    value = np.where(known, np.where(there, share * products, 0.0).sum(axis=0), np.nan)
    variance = np.where(known, np.where(any_hard, 0.0, 1.0 / np.where(known, total, 1.0)), np.nan)
    return value, variance, share


def mean_field(value: np.ndarray, times: np.ndarray, mean: str | np.ndarray) -> np.ndarray:
    """Return the mean of the prior, shape (time, place).

    Parameters
    ----------
    value : ndarray, shape (time, place)
        Data, NaN without one.
    times : ndarray of datetime64, shape (time,)
        Times of the rows.
    mean : str or ndarray
        One of :data:`MEANS`, or the field itself.

    Returns
    -------
    ndarray, shape (time, place)

    Raises
    ------
    InputError
        If the mean is none of these, has gaps or another shape, or there are no data at all.

    Notes
    -----
    A place with fewer than 100 values has its own mean and the season of all places; one without values their mean.
    """
    if not isinstance(mean, str):
        field = np.asarray(mean, float)
        if field.shape != value.shape or not np.isfinite(field).all():
            raise InputError(f"merge bme: the mean must be a field without gaps of shape {value.shape}, got shape "
                             f"{field.shape} with {int((~np.isfinite(field)).sum())} gaps.")
        return field
    if mean not in MEANS:
        raise InputError(f"merge bme: mean must be one of {', '.join(MEANS)} or an array, got {mean!r}.")
    there = np.isfinite(value)
    count = there.sum(axis=0)
    if not count.any():
        raise InputError("merge bme: no product has any value.")
    filled = np.where(there, value, 0.0)
    of_all = filled.sum() / count.sum()
    own = np.where(count > 0, filled.sum(axis=0) / np.maximum(count, 1), of_all)
    if mean == "place":
        return np.broadcast_to(own, value.shape).copy()
    season = seasonal_terms(times)
    away = np.where(there, value - own, 0.0)
    weight = there.astype(float)
    system = np.einsum("ti,tj,tp->pij", season, season, weight)
    right = np.einsum("ti,tp->pi", season, away)
    shared = np.linalg.lstsq(system.sum(axis=0), right.sum(axis=0), rcond=None)[0]
    coefficients = np.where(count[:, None] > 0, np.concatenate(([0.0], shared[1:]))[None, :], shared[None, :])
    # a year seen only in one season does not fix the harmonics: there the season of all places is taken too
    fixed = (count >= _LEAST_FOR_SEASON) & (np.linalg.cond(system) < 1e3)
    coefficients[fixed] = np.linalg.solve(system[fixed], right[fixed][:, :, None])[:, :, 0]
    return own + season @ coefficients.T


def mean_variance(value: np.ndarray, mean: str | np.ndarray) -> np.ndarray:
    """Return the error variance of the mean of `mean_field` at places without values, shape (place,).

    Parameters
    ----------
    value : ndarray, shape (time, place)
        Data, NaN without one.
    mean : str or ndarray
        As in `mean_field`; a field that is given is taken to be exact.

    Returns
    -------
    ndarray
        ``s**2 (1 + 1/n)`` with the variance of the means of the n places that have values, the error with which their
        mean predicts that of another place [unit2]; 0 at places with values, NaN elsewhere if n is 1.
    """
    there = np.isfinite(value)
    count = there.sum(axis=0)
    seen = count > 0
    if not isinstance(mean, str) or seen.all():
        return np.zeros(count.shape)
    own = np.where(there, value, 0.0).sum(axis=0)[seen] / count[seen]
    spread = own.var(ddof=1) * (1.0 + 1.0 / own.size) if own.size > 1 else np.nan
    return np.where(seen, 0.0, spread)


def seasonal_terms(times: np.ndarray) -> np.ndarray:
    """Return 1 and sine and cosine of one and two waves in a year of 365.2425 days, shape (time, 5)."""
    phase = 2.0 * np.pi * ((np.asarray(times, "datetime64[s]") - np.datetime64("2000-01-01", "s")) / _DAY) / 365.2425
    return np.stack((np.ones_like(phase), np.sin(phase), np.cos(phase), np.sin(2 * phase), np.cos(2 * phase)), axis=1)


class _Estimate:
    """Search and solution for all targets, in batches."""

    def __init__(self, covariance: SpaceTimeCovariance, coordinates: np.ndarray, days: np.ndarray, data: SpaceTimeData,
                 bounds: SpaceTimeData, neighbours: int, seed: int) -> None:
        self.covariance, self.coordinates, self.days, self.seed = covariance, coordinates, days, seed
        self.data, self.bounds, self.neighbours = data, bounds, neighbours
        space, time = covariance.scales()
        self._metric = np.concatenate((np.full(coordinates.shape[1], space), (time,)))
        self._data_tree = cKDTree(self._points(data.step, data.place)) if data.step.size else None
        self._bound_tree = cKDTree(self._points(bounds.step, bounds.place)) if bounds.step.size else None

    def _points(self, step: np.ndarray, place: np.ndarray) -> np.ndarray:
        return np.concatenate((self.coordinates[place], self.days[step][:, None]), axis=1) * self._metric

    def _between(self, one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """Return covariances of points (target, a) and (target, b), shape (target, a, b)."""
        first, second = self.coordinates[one[1]][:, :, None, :], self.coordinates[other[1]][:, None, :, :]
        lag = np.abs(self.days[one[0]][:, :, None] - self.days[other[0]][:, None, :])
        return self.covariance(np.sqrt(((first - second) ** 2).sum(axis=-1)), lag)

    def everywhere(self, share: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return anomaly, variance, sampling error (point,) and weights (product, point); points go by time, place."""
        steps, places = self.days.size, self.coordinates.shape[0]
        of_data = share[:, self.data.step, self.data.place]
        parts = [self._batch(np.arange(begin, min(begin + _BATCH, steps * places)), places, of_data)
                 for begin in range(0, steps * places, _BATCH)]
        return tuple(np.concatenate(part, axis=-1) for part in zip(*parts, strict=True))

    def _batch(self, points: np.ndarray, places: int, of_data: np.ndarray) -> tuple[np.ndarray, ...]:
        step, place = points // places, points % places
        target = (step[:, None], place[:, None])
        near = self._nearest(self._data_tree, self.data, step, place, self.neighbours)
        near_bounds = self._nearest(self._bound_tree, self.bounds, step, place, INTERVALS)
        given = self._condition(near, target)
        mean, variance = given.mean[:, 0].copy(), given.covariance[:, 0, 0].copy()
        error = np.zeros(points.size)
        if near_bounds.shape[1]:
            mean, variance, error = self._with_intervals(near, near_bounds, target)
        weights = np.zeros((of_data.shape[0], points.size))
        if near.shape[1]:
            taken = of_data[:, np.minimum(near, self.data.step.size - 1)]  # an empty slot has the weight 0
            weights = np.einsum("ptd,td->pt", taken, given.weights[:, 0, :])
        # round-off of the difference may leave a hard datum's own variance at -1e-17
        return mean, np.maximum(variance, 0.0), error, weights

    def _nearest(self, tree: cKDTree | None, data: SpaceTimeData, step: np.ndarray, place: np.ndarray,
                 most: int) -> np.ndarray:
        """Return indices of the nearest data, shape (target, neighbour); the number of data where there are fewer."""
        if tree is None:
            return np.zeros((step.size, 0), int)
        most = min(most, data.step.size)
        found = tree.query(self._points(step, place), k=most)[1]
        return np.sort(found.reshape(step.size, most), axis=1)

    def _condition(self, near: np.ndarray, points: tuple[np.ndarray, np.ndarray]) -> Conditioned:
        at = (self.data.step[near], self.data.place[near])
        return condition(self.data.first[near], self.data.second[near], self._between(at, at),
                         self._between(at, points), self._between(points, points))

    def _with_intervals(self, near: np.ndarray, bounds: np.ndarray,
                        target: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        points = tuple(np.concatenate((part[bounds], one), axis=1)
                       for part, one in zip((self.bounds.step, self.bounds.place), target, strict=True))
        given = self._condition(near, points)
        lower, upper = self.bounds.first[bounds], self.bounds.second[bounds]
        # where data already fix a point, its interval says nothing: it becomes a free point that is linked to nothing
        covariance = given.covariance.copy()
        fixed = np.einsum("tii->ti", covariance)[:, :-1] <= np.finfo(float).eps ** 0.5 * self.covariance.variance
        row = np.concatenate((fixed, np.zeros_like(fixed[:, :1])), axis=1)
        covariance[row[:, :, None] | row[:, None, :]] = 0.0
        diagonal = np.arange(row.shape[1])
        covariance[:, diagonal, diagonal] = np.where(row, self.covariance.variance, covariance[:, diagonal, diagonal])
        return target_posterior(given._replace(covariance=covariance), np.where(fixed, -np.inf, lower),
                                np.where(fixed, np.inf, upper), self.seed)


def errors_by_collocation(products: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return standard deviations of the errors that products show against each other.

    Parameters
    ----------
    products : ndarray, shape (product, time, place)
        Three products and more, NaN without a value.
    times : ndarray of datetime64, shape (time,)
        Their times.

    Returns
    -------
    ndarray, shape (product, 1, place)
        Of `extended_collocation` of anomalies from the season; where it fails, those of the anomalies of all places
        taken as one series.

    Raises
    ------
    InputError
        If there are fewer than three products, or it fails everywhere.
    """
    anomalies = np.stack([anomalies_of(values, times)[0] for values in products])
    error = extended_collocation(anomalies).error_std
    known = np.isfinite(error).all(axis=0)
    if not known.all():
        of_all = extended_collocation(anomalies.reshape(len(products), -1)).error_std
        if not np.isfinite(of_all).all():
            raise InputError("merge bme: the collocation fails, also with all places together; the products have too "
                             "few common times or nothing in common. Give their errors.")
        error = np.where(known, error, of_all[:, None])
    return error[:, None, :]


def _checked_options(options: Mapping[str, Any] | None) -> dict[str, Any]:
    chosen = taken_options(options, BME_OPTIONS, "bme")
    if chosen["errors"] not in ("given", "collocation"):
        raise InputError(f"merge bme: errors must be given or collocation, got {chosen['errors']!r}.")
    if not 1 <= chosen["neighbours"] <= 20:
        raise InputError(f"merge bme: neighbours must lie in 1..20, got {chosen['neighbours']}.")
    return chosen


def _fitted(anomalies: np.ndarray, variance: np.ndarray, coordinates: np.ndarray, days: np.ndarray,
            structures: int) -> SpaceTimeCovariance:
    step = np.diff(days)
    if not step.size or not np.allclose(step, step[0], rtol=1e-6, atol=0.0):
        raise InputError("merge bme: a covariance is fitted to equally spaced times only. Give the covariance, or put "
                         "the products on equally spaced times.")
    empirical = empirical_covariance(anomalies, coordinates, float(step[0]))
    return fit_covariance(empirical, structures, float(np.nanmean(variance)))


def _data_of(anomalies: np.ndarray, variance: np.ndarray) -> SpaceTimeData:
    step, place = np.nonzero(np.isfinite(anomalies))
    return SpaceTimeData(step, place, anomalies[step, place], variance[step, place])


def _intervals_of(interval: tuple[np.ndarray, np.ndarray] | None, mean: np.ndarray) -> SpaceTimeData:
    none = np.zeros(0, int)
    if interval is None:
        return SpaceTimeData(none, none, np.zeros(0), np.zeros(0))
    lower, upper = (np.broadcast_to(np.asarray(bound, float), mean.shape) for bound in interval)
    step, place = np.nonzero(~(np.isnan(lower) | np.isnan(upper)))
    return SpaceTimeData(step, place, (lower - mean)[step, place], (upper - mean)[step, place])
