"""Merging by weights: the arithmetic mean, and weights from the errors that a collocation finds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.observe.merging.merged import PLACES_AT_A_TIME, MergeContext, Merged, checked_products, taken_options


def merge_mean(
    products: np.ndarray, sigma: np.ndarray | None = None, context: MergeContext | None = None,
    options: Mapping[str, Any] | None = None,
) -> Merged:  # fmt: skip
    """Take the mean of the products that are there, as they are.

    Parameters
    ----------
    products : array_like, shape (product, time, place)
        Values, NaN without one.
    sigma : array_like that broadcasts to products, optional
        Standard deviations of their errors [unit of the products]. Without them the error follows from how much the
        products of one time differ, over all times of a place; what all have wrong together is not in it.
    context : MergeContext, optional
        Not needed here.
    options : mapping, optional
        ``error_correlation``: correlation r of the errors of any two products [1], default 0. Without ``sigma`` it
        must be below 1: products differ by the share 1 - r of their error variance only, and the error is what they
        differ over (1 - r)**(1/2).

    Returns
    -------
    Merged
        ``sigma`` is the root of the sum of ``r_ij sigma_i sigma_j`` over all pairs, over the number of products.

    Raises
    ------
    InputError
        If a shape, an error or the correlation cannot be.
    """
    products = checked_products(products)
    correlation = float(taken_options(options, {"error_correlation": 0.0}, "mean")["error_correlation"])
    if not 0.0 <= correlation <= 1.0:
        raise InputError(f"merge mean: error_correlation must lie in 0..1, got {correlation:g}.")
    if correlation == 1.0 and sigma is None:
        raise InputError("merge mean: with error_correlation 1 all products have the same error, of which their "
                         "differences say nothing. Give their errors (sigma), or a smaller correlation.")
    if sigma is not None:
        sigma = np.broadcast_to(np.asarray(sigma, float), products.shape)
        if (sigma < 0).any():
            raise InputError("merge mean: sigma must not be negative.")
    shape = products.shape[1:]
    merged = Merged(np.empty(shape), np.empty(shape), np.empty(products.shape), np.empty(shape, np.int8),
                    np.empty(shape[1:], np.int8), ("merged", "no_values"))
    for start in range(0, shape[1], PLACES_AT_A_TIME):
        part = (..., slice(start, start + PLACES_AT_A_TIME))
        _mean_block(np.ascontiguousarray(products[part]), None if sigma is None else sigma[part], correlation,
                    Merged(*(getattr(merged, name)[part] for name in ("value", "sigma", "weights", "count", "flag"))))
    return merged


def _mean_block(products: np.ndarray, sigma: np.ndarray | None, correlation: float, out: Merged) -> None:
    """Merge some places into ``out``."""
    there = np.isfinite(products)
    count = there.sum(axis=0, dtype=np.int8)
    some = np.maximum(count, 1)
    value = np.where(there, products, 0.0).sum(axis=0) / some
    # NaN of a product that is there stays, and makes the error unknown
    error = np.where(there, _spread(products, there, value, count, correlation) if sigma is None else sigma,
                     0.0)
    square = (1.0 - correlation) * (error**2).sum(axis=0) + correlation * error.sum(axis=0) ** 2
    none = count == 0
    value[none] = np.nan
    square[none] = np.nan
    out.value[...] = value
    np.divide(np.sqrt(square), some, out=out.sigma)
    np.divide(there, some, out=out.weights)
    out.count[...] = count
    out.flag[...] = none.all(axis=0)


def _spread(
    products: np.ndarray, there: np.ndarray, value: np.ndarray, count: np.ndarray, correlation: float
) -> np.ndarray:
    """Return the standard deviation (place,) of the error of a product, from what products differ, pooled over time.

    The expected square around the mean of n products, over n - 1, is the variance of an error less the covariance of
    two.
    """
    square = np.where(there, products - value, 0.0) ** 2
    freedom = np.maximum(count - 1, 0).sum(axis=0, dtype=np.int64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.sqrt(np.where(freedom > 0, square.sum(axis=(0, 1)) / freedom / (1.0 - correlation), np.nan))
