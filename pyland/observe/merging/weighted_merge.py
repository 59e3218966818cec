"""Merging by weights: the arithmetic mean, and weights from the errors that a collocation finds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.observe.merging.merged import MergeContext, Merged, checked_products


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
        ``error_correlation``: correlation of the errors of any two products [1], default 0.

    Returns
    -------
    Merged
        ``sigma`` is :math:`(\\sum_i\\sum_j \\rho_{ij} \\sigma_i \\sigma_j)^{1/2}/n`.

    Raises
    ------
    InputError
        If a shape, an error or the correlation cannot be.
    """
    products = checked_products(products)
    correlation = float(dict(options or {}).get("error_correlation", 0.0))
    if not 0.0 <= correlation <= 1.0:
        raise InputError(f"merge mean: error_correlation must lie in 0..1, got {correlation:g}.")
    there = np.isfinite(products)
    count = there.sum(axis=0)
    some = np.maximum(count, 1)
    value = np.where(there, products, 0.0).sum(axis=0) / some
    if sigma is None:
        error = np.where(there, _spread(products, there, value, count), np.nan)
    else:
        error = np.broadcast_to(np.asarray(sigma, float), products.shape)
        if (error[there] < 0).any():
            raise InputError("merge mean: sigma must not be negative.")
    error = np.where(there, error, 0.0)  # NaN of a product that is there stays, and makes the error unknown
    square = (1.0 - correlation) * (error**2).sum(axis=0) + correlation * error.sum(axis=0) ** 2
    none = count == 0
    return Merged(
        value=np.where(none, np.nan, value), sigma=np.where(none, np.nan, np.sqrt(square) / some),
        weights=there / some, count=count.astype(np.int8), flag=none.all(axis=0).astype(np.int8),
        flag_words=("merged", "no_values"))


def _spread(products: np.ndarray, there: np.ndarray, value: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Return the standard deviation (place,) of a product around the mean of all, pooled over time."""
    square = np.where(there, products - value, 0.0) ** 2
    freedom = np.maximum(count - 1, 0).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.sqrt(np.where(freedom > 0, square.sum(axis=(0, 1)) / freedom, np.nan))
