"""Merging by the errors that a collocation finds: least squares on rescaled anomalies (Yilmaz et al. 2012).

Where all errors are known, ``w = C^-1 1/(1' C^-1 1)`` has the smallest error of all weights that add up to one; where a
product is missing, it is the same of those that are there (Gruber et al. 2017). Anomalies of all products are brought
to the amplitude of the reference first, and the climatology of the reference is added: the merged product has its mean
and its season.

References
----------
.. [1] Yilmaz, M. T., Crow, W. T., Anderson, M. C., Hain, C. (2012). An objective methodology for merging satellite- and
   model-based soil moisture products. Water Resour. Res. 48, W11502.
.. [2] Gruber, A., Dorigo, W. A., Crow, W., Wagner, W. (2017). Triple collocation-based merging of satellite soil
   moisture retrievals. IEEE Trans. Geosci. Remote Sens. 55, 6780-6792.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.base.text import one_of
from pyland.observe.merging.anomalies import LEAST_IN_WINDOW, WINDOW, anomalies_of
from pyland.observe.merging.collocation import (
    LEAST_COUNT,
    REASON_WORDS,
    SIGNIFICANCE,
    Collocation,
    extended_collocation,
)
from pyland.observe.merging.merged import PLACES_AT_A_TIME, MergeContext, Merged, checked_products, taken_options
from pyland.observe.merging.weighted_merge import merge_mean

TC_OPTIONS: Mapping[str, Any] = MappingProxyType({
    "reference": None, "anomalies": "climatology", "window_days": WINDOW, "least_in_window": LEAST_IN_WINDOW,
    "least_count": LEAST_COUNT, "significance": SIGNIFICANCE, "least_snr_db": -3.0, "least_error": 0.0,
    "correlated": (), "fallback": "none",
})
"""Options of `merge_tc` and their defaults."""

FLAG_WORDS = ("merged", *REASON_WORDS[1:], "signal_to_noise_too_small")
"""Meaning of the flags of places."""

TOO_NOISY = len(FLAG_WORDS) - 1

_DETAILS = {
    "error_std": "standard deviation of the errors of a product in its own scale",
    "scaling": "factor to the amplitude of the reference",
    "r2": "squared correlation with the truth",
    "snr_db": "signal-to-noise ratio",
    "fmse": "share of the errors in the variance",
    "common_count": "times at which all products have values",
}


def merge_tc(
    products: np.ndarray, sigma: np.ndarray | None = None, context: MergeContext | None = None,
    options: Mapping[str, Any] | None = None,
) -> Merged:  # fmt: skip
    """Merge three and more products by the errors that they show against each other.

    Parameters
    ----------
    products : array_like, shape (product, time, place)
        Values in one unit, NaN without one; (product, time) is one place.
    sigma : array_like, optional
        Not used: the collocation finds the errors, at each place one for all times.
    context : MergeContext, optional
        Names and times; needed for ``reference`` and ``correlated`` by name and for anomalies.
    options : mapping, optional
        ``reference``: name or number of the product whose climatology and amplitude the result has (default: the
        first); ``anomalies``: ``"climatology"``, or ``"none"`` for values without their mean (default: the former with
        a context, whose times it needs, the latter without); ``window_days``, ``least_in_window``: of
        `anomalies_of`; ``least_count``, ``significance``: of `triple_collocation`;
        ``least_snr_db``: products below it are left out at the place [dB]; ``least_error``: smallest error that a
        product can have [unit], smaller ones that short records give by chance are raised to it; ``correlated``: pairs
        of products with correlated errors, for four products and more; ``fallback``: what to do where the collocation
        fails, with the flag that says why: ``"none"``, ``"region"`` for errors and scalings that are the medians over
        the places where it does not, or ``"mean"`` for `merge_mean` of the values as they are.

    Returns
    -------
    Merged
        ``sigma`` is in the scale of the reference; ``details`` holds what the collocation found.

    Raises
    ------
    InputError
        If there are fewer than three products, or an option cannot be.
    """
    products = checked_products(products, least=3)
    defaults = TC_OPTIONS if context is not None else {**TC_OPTIONS, "anomalies": "none"}
    chosen = _checked(taken_options(options, defaults, "tc"), len(products), context)
    names = {name: {"long_name": text, "units": {"snr_db": "dB", "error_std": ""}.get(name, "1")}
             for name, text in _DETAILS.items()}
    number, times, places = products.shape
    merged = Merged(
        value=np.empty((times, places)), sigma=np.empty((times, places)), weights=np.empty(products.shape),
        count=np.empty((times, places), np.int8), flag=np.empty(places, np.int8), flag_words=FLAG_WORDS,
        details={name: np.empty((number, places)) for name in _DETAILS if name != "common_count"}
        | {"common_count": np.empty(places, np.int32)}, detail_attributes=names)
    covariance = np.empty((number, number, places))
    for start in range(0, places, PLACES_AT_A_TIME):
        part = slice(start, start + PLACES_AT_A_TIME)
        covariance[:, :, part] = _merge_block(
            np.ascontiguousarray(products[:, :, part]), chosen, context, _part_of(merged, part))
    if chosen["fallback"] != "none":
        _fall_back(products, chosen, context, covariance, merged)
    return merged


def _part_of(merged: Merged, part: slice) -> Merged:
    """Return views of some places."""
    views = {name: getattr(merged, name)[..., part] for name in ("value", "sigma", "weights", "count", "flag")}
    return Merged(**views, details={name: one[..., part] for name, one in merged.details.items()})


def optimal_weights(error_covariance: np.ndarray, there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights with the smallest error of those that add up to one, whatever products are there.

    Parameters
    ----------
    error_covariance : ndarray, shape (product, product, place)
        Covariances of the errors in one scale [unit squared]; NaN at places without.
    there : ndarray of bool, shape (product, time, place)
        Which products have a value.

    Returns
    -------
    weights : ndarray, shape (product, time, place)
        ``C^-1 1/(1' C^-1 1)`` of the products that are there, 0 of others; weights of products with strongly
        correlated errors may be negative.
    variance : ndarray, shape (time, place)
        Of the error of what they merge, ``1/(1' C^-1 1)`` [unit squared]; NaN where nothing is there.
    """
    number = len(there)
    known = np.isfinite(error_covariance).all(axis=(0, 1))
    there = there & known
    is_diagonal = not error_covariance[:, :, known][~np.eye(number, dtype=bool)].any()
    with np.errstate(divide="ignore", invalid="ignore"):
        if is_diagonal:
            precision = np.where(known, 1.0 / np.einsum("iip->ip", error_covariance), 0.0)
            weights = there * precision[:, None, :]
            total = weights.sum(axis=0)
            weights /= np.where(total > 0.0, total, 1.0)
            return weights, np.where(total > 0.0, 1.0 / total, np.nan)
        return _weights_by_pattern(np.moveaxis(error_covariance, -1, 0), there)


def _weights_by_pattern(covariance: np.ndarray, there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Solve once for each set of products that is there anywhere, at all places."""
    number, place = len(there), np.arange(there.shape[2])
    pattern = (there * (1 << np.arange(number))[:, None, None]).sum(axis=0)
    weights, variance = np.zeros(there.shape), np.full(there.shape[1:], np.nan)
    for one in np.unique(pattern[pattern > 0]):
        members = np.flatnonzero(one & (1 << np.arange(number)))
        rows, columns = np.nonzero(pattern == one)
        at = np.unique(columns)
        part = covariance[np.ix_(at, members, members)]
        solved = np.linalg.solve(part, np.ones((at.size, members.size, 1)))[:, :, 0]
        total = solved.sum(axis=1)
        index = np.searchsorted(at, columns)
        for k, product in enumerate(members):
            weights[product, rows, place[columns]] = (solved[:, k] / total)[index]
        variance[rows, columns] = (1.0 / total)[index]
    return weights, variance


def _checked(options: dict[str, Any], number: int, context: MergeContext | None) -> dict[str, Any]:
    """Return options with numbers for names."""
    def numbered(one: str | int) -> int:
        if isinstance(one, str):
            if context is None:
                raise InputError(f"merge tc: '{one}' is a name; give a context with names, or a number.")
            return context.index_of(one)
        if not 0 <= one < number:
            raise InputError(f"merge tc: expected the number of a product, 0 to {number - 1}, got {one}.")
        return int(one)

    for name, words in (("anomalies", ("climatology", "none")), ("fallback", ("none", "region", "mean"))):
        if options[name] not in words:
            raise InputError(f"merge tc: {name} must be {one_of(words)}, got {options[name]!r}.")
    if options["anomalies"] == "climatology" and context is None:
        raise InputError("merge tc: anomalies from a climatology need times; give a context, or anomalies: none.")
    if options["correlated"] and number == 3:
        raise InputError("merge tc: three products do not tell correlated errors; add a product with errors of its "
                         "own, or leave one of the pair out.")
    if not options["least_error"] >= 0.0:
        raise InputError(f"merge tc: least_error must not be negative, got {options['least_error']}.")
    reference = 0 if options["reference"] is None else numbered(options["reference"])
    return {**options, "reference": reference, "correlated": [tuple(map(numbered, one)) for one in
                                                              options["correlated"]]}


def _merge_block(
    products: np.ndarray, options: dict[str, Any], context: MergeContext | None, out: Merged
) -> np.ndarray:
    """Merge some places into ``out``; return the covariances of errors in the scale of the reference."""
    series, base = _series(products, options, context)
    found = _collocated(series, options)
    if base is None:
        series = series - found.mean[:, None, :]
        base = np.broadcast_to(found.mean[options["reference"]], products.shape[1:])
    clear = found.snr_db >= options["least_snr_db"]
    out.flag[...] = np.where(found.is_valid & ~clear.any(axis=0), TOO_NOISY, found.reason)
    covariance = found.scaled_error_covariance
    missing = np.maximum(options["least_error"] ** 2 - found.error_std**2, 0.0) * found.scaling**2
    covariance[range(len(missing)), range(len(missing))] += missing
    _combine(series, base, clear, found.scaling, covariance, out)
    for name in _DETAILS:
        out.details[name][...] = found.count if name == "common_count" else getattr(found, name)
    return covariance


def _series(
    products: np.ndarray, options: dict[str, Any], context: MergeContext | None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return what is collocated, and the climatology (time, place) of the reference, None of values."""
    if options["anomalies"] == "none":
        return products, None
    series = np.empty_like(products)
    for one, values in enumerate(products):
        series[one], climatology = anomalies_of(
            values, context.times, options["window_days"], options["least_in_window"])
        if one == options["reference"]:
            base = climatology
    return series, base


def _combine(
    anomaly: np.ndarray, base: np.ndarray, clear: np.ndarray, scaling: np.ndarray, covariance: np.ndarray, out: Merged
) -> None:
    """Weigh anomalies (changed here) of the products that are ``clear`` and add the climatology."""
    anomaly *= scaling[:, None, :]
    there = np.isfinite(anomaly)
    there &= clear[:, None, :]
    there &= np.isfinite(base)
    weights, variance = optimal_weights(covariance, there)
    anomaly[~there] = 0.0
    out.value[...] = np.einsum("itp,itp->tp", weights, anomaly) + base
    out.value[np.isnan(variance)] = np.nan
    out.sigma[...] = np.sqrt(variance)
    out.weights[...] = weights
    out.count[...] = there.sum(axis=0, dtype=np.int8)


def _fall_back(
    products: np.ndarray, options: dict[str, Any], context: MergeContext | None, covariance: np.ndarray, merged: Merged
) -> None:
    """Fill places at which the collocation fails."""
    bad, good = np.flatnonzero(merged.flag != 0), merged.flag == 0
    if options["fallback"] == "region" and not good.any():
        return  # no place says anything of the errors
    for start in range(0, bad.size, PLACES_AT_A_TIME):
        part = bad[start:start + PLACES_AT_A_TIME]
        values = products[:, :, part]
        shape = values.shape[1:]
        out = Merged(np.empty(shape), np.empty(shape), np.empty(values.shape), np.empty(shape, np.int8), merged.flag)
        if options["fallback"] == "mean":
            out = merge_mean(values)
        else:
            series, base = _series(values, options, context)
            if base is None:
                count = np.isfinite(values).sum(axis=1)
                mean = np.where(count > 0, np.nansum(values, axis=1) / np.maximum(count, 1), np.nan)
                series, base = values - mean[:, None, :], np.broadcast_to(mean[options["reference"]], shape)
            shared = np.median(covariance[:, :, good], axis=2)
            scaling = np.median(merged.details["scaling"][:, good], axis=1)
            every = np.ones((len(values), part.size), bool)
            _combine(series, base, every, scaling[:, None] * every, np.repeat(shared[:, :, None], part.size, axis=2),
                     out)
        for name in ("value", "sigma", "weights", "count"):
            getattr(merged, name)[..., part] = getattr(out, name)


def _collocated(series: np.ndarray, options: dict[str, Any]) -> Collocation:
    return extended_collocation(
        series, options["correlated"], reference=options["reference"], least_count=options["least_count"],
        significance=options["significance"])
