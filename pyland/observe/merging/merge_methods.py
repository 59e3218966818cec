"""Table of the ways to merge products: what `pyland merge` and scripts find by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.base.text import one_of, suggestion
from pyland.observe.merging.bme import merge_bme
from pyland.observe.merging.error_weighted_merge import merge_tc
from pyland.observe.merging.lstm import merge_lstm
from pyland.observe.merging.merged import MergeContext, Merged
from pyland.observe.merging.weighted_merge import merge_mean

MergeMethod = Callable[[np.ndarray, np.ndarray | None, MergeContext, Mapping[str, Any]], Merged]
"""``method(products, sigma, context, options)``: products (product, time, place) with NaN gaps, the standard
deviations of their errors of the same shape or None, where and when they are, and the options of the section of
`pyland.config.merge` that has the name of the method."""

MERGE_METHODS: Mapping[str, MergeMethod] = MappingProxyType({
    "mean": merge_mean,
    "tc": merge_tc,
    "bme": merge_bme,
    "lstm": merge_lstm,
})
"""By name."""


def merge_products(
    method: str, products: np.ndarray, sigma: np.ndarray | None, context: MergeContext,
    options: Mapping[str, Any] | None = None,
) -> Merged:  # fmt: skip
    """Merge products by a method of `MERGE_METHODS`.

    Raises
    ------
    InputError
        If there is no such method, or it cannot take what it is given.
    """
    if method not in MERGE_METHODS:
        raise InputError(f"merge: unknown method '{method}'; expected one of {one_of(MERGE_METHODS)}"
                         f"{suggestion(method, MERGE_METHODS)}.")
    return MERGE_METHODS[method](products, sigma, context, dict(options or {}))
