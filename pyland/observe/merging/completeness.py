"""How complete products are, before and after merging: over time, and from place to place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pyland.base.errors import InputError

MERGED = "merged"
"""Name of what the products were merged to."""


@dataclass(frozen=True)
class Completeness:
    """Counts of values.

    Attributes
    ----------
    names : tuple of str, length series
        Products, and `MERGED` if there is one.
    by_time : ndarray of int32, shape (series, time)
        Places with a value.
    by_place : ndarray of int32, shape (series, place)
        Times with a value.
    together : ndarray of int32, shape (place,)
        Times at which all products have a value.
    size : tuple of int
        Number of times and of places.
    """

    names: tuple[str, ...]
    by_time: np.ndarray
    by_place: np.ndarray
    together: np.ndarray
    size: tuple[int, int]

    @property
    def share(self) -> np.ndarray:
        """Share of all times and places that have a value, shape (series,) [1]."""
        return self.by_place.sum(axis=1) / max(self.size[0] * self.size[1], 1)

    def lines(self) -> list[str]:
        """Return the report in words, one line for each series."""
        found = [f"{name}: {100.0 * share:.1f} % of {self.size[0]} times and {self.size[1]} places; from "
                 f"{100.0 * low:.1f} to {100.0 * high:.1f} % of the times of a place"
                 for name, share, low, high in zip(
                     self.names, self.share, *(getattr(self.by_place, one)(axis=1, initial=start) / max(self.size[0], 1)
                                               for one, start in (("min", self.size[0]), ("max", 0))), strict=True)]
        share = self.together.sum() / max(self.size[0] * self.size[1], 1)
        return [*found, f"all products at once: {100.0 * share:.1f} %"]


def completeness_of(products: np.ndarray, names: Sequence[str], merged: np.ndarray | None = None) -> Completeness:
    """Count values.

    Parameters
    ----------
    products : array_like, shape (product, time, place)
        Values, NaN without one.
    names : sequence of str, length product
        Names of the products.
    merged : array_like, shape (time, place), optional
        What they were merged to.

    Returns
    -------
    Completeness

    Raises
    ------
    InputError
        If shapes or names do not fit.
    """
    products = np.asarray(products)
    if products.ndim != 3 or len(names) != len(products) or (merged is not None and merged.shape != products.shape[1:]):
        raise InputError(f"completeness: expected products (product, time, place) with {len(names)} names and a merged "
                         f"product (time, place), got {products.shape} and {None if merged is None else merged.shape}.")
    there = [np.isfinite(one) for one in products]
    together = np.logical_and.reduce(there) if there else np.zeros(products.shape[1:], bool)
    if merged is not None:
        there.append(np.isfinite(merged))
    return Completeness(
        (*names, *(() if merged is None else (MERGED,))),
        np.array([one.sum(axis=1) for one in there], np.int32), np.array([one.sum(axis=0) for one in there], np.int32),
        together.sum(axis=0).astype(np.int32), products.shape[1:])
