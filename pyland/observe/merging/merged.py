"""What every way of merging products is told, and what it gives back.

Products are an array (product, time, place) with NaN where a product has no value; see `common_grid.align_tables`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.base.text import one_of, suggestion

PLACES_AT_A_TIME = 512
"""Places that are merged at a time; what is in work then stays in the cache."""


@dataclass(frozen=True)
class MergeContext:
    """Where and when the products are, and what else a method may learn from.

    Attributes
    ----------
    names : tuple of str, length product
        Names of the products, in their order.
    times : ndarray of datetime64[s], shape (time,)
        Middle of each interval (UTC), rising.
    latitude, longitude : ndarray, shape (place,)
        Places [degrees].
    predictors : mapping of str to ndarray, shape (time, place) or (place,)
        Weather, leaf area, texture and so on, by name, for methods that learn.
    target : ndarray, shape (time, place), or None
        What such a method learns from, for instance values of stations at their places [unit of the products]; NaN
        elsewhere.

    Raises
    ------
    InputError
        If names repeat, times do not rise, or a shape differs.
    """

    names: tuple[str, ...]
    times: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    predictors: Mapping[str, np.ndarray] = field(default_factory=dict)
    target: np.ndarray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "times", np.asarray(self.times, "datetime64[s]"))
        if len(set(self.names)) != len(self.names):
            raise InputError(f"merge: expected a name of its own for each product, got {', '.join(self.names)}.")
        if self.times.ndim != 1 or (np.diff(self.times) <= np.timedelta64(0, "s")).any():
            raise InputError(f"merge: expected rising times of shape (time,), got shape {self.times.shape}.")
        shape = (self.times.size, np.size(self.latitude))
        for name, values in {"longitude": self.longitude, **self.predictors}.items():
            if np.shape(values) not in (shape, shape[1:]):
                raise InputError(f"merge: {name} must have shape {shape} or {shape[1:]}, got {np.shape(values)}.")
        if self.target is not None and np.shape(self.target) != shape:
            raise InputError(f"merge: the target must have shape {shape}, got {np.shape(self.target)}.")

    def index_of(self, name: str) -> int:
        """Return the number of a product by its name.

        Raises
        ------
        InputError
            If there is no such product.
        """
        if name not in self.names:
            raise InputError(f"merge: there is no product '{name}'; there are {', '.join(self.names)}.")
        return self.names.index(name)


@dataclass(frozen=True)
class Merged:
    """A merged product.

    Attributes
    ----------
    value, sigma : ndarray, shape (time, place)
        Merged values and standard deviations of their errors [unit of the products]; NaN without a value. ``sigma``
        may be NaN beside a value where the method cannot know it.
    weights : ndarray, shape (product, time, place)
        Share of each product in the value [1]; they add up to 1 where products alone make a value.
    count : ndarray of int8, shape (time, place)
        Products that took part.
    flag : ndarray of int8, shape (place,)
        What the method says of a place, see ``flag_words``; 0 is that all is well.
    flag_words : tuple of str
        Meaning of the flags 0, 1, ...; one word each.
    details : dict of str to ndarray
        What the method found, for the file: shape (product, place), (place,), (product, time, place) or (time, place).
    detail_attributes : dict of str to dict
        netCDF attributes of ``details``, ``units`` and ``long_name`` at least.
    """

    value: np.ndarray
    sigma: np.ndarray
    weights: np.ndarray
    count: np.ndarray
    flag: np.ndarray
    flag_words: tuple[str, ...] = ("merged",)
    details: dict[str, np.ndarray] = field(default_factory=dict)
    detail_attributes: dict[str, dict[str, str]] = field(default_factory=dict)


def checked_products(products: np.ndarray, least: int = 1) -> np.ndarray:
    """Return products as numbers, shape (product, time, place); (product, time) is one place.

    Raises
    ------
    InputError
        If the shape is another, or there are fewer than ``least`` products.
    """
    products = np.asarray(products, float)
    if products.ndim == 2:
        products = products[:, :, None]
    if products.ndim != 3:
        raise InputError(f"merge: products must have shape (product, time, place), got {products.shape}.")
    if products.shape[0] < least:
        raise InputError(f"merge: this method needs {least} products at least, got {products.shape[0]}.")
    return products


def taken_options(given: Mapping[str, Any] | None, defaults: Mapping[str, Any], method: str) -> dict[str, Any]:
    """Return the options of a method, defaults filled in.

    Raises
    ------
    InputError
        If there is no such option.
    """
    given = dict(given or {})
    for name in given:
        if name not in defaults:
            raise InputError(f"merge {method}: unknown option '{name}'; expected one of {one_of(defaults)}"
                             f"{suggestion(name, defaults)}.")
    return {**defaults, **given}
