"""Below which an estimate of irrigation may be noise: from ground that is not irrigated, or from errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyland.base.errors import InputError

LEAST_CELLS = 10
"""Cells without irrigation from which a floor can be told."""

SIGNIFICANT = 2.0
"""Estimates beyond so many standard deviations of the noise count."""

Array = NDArray[Any]


@dataclass(frozen=True)
class NoiseFloor:
    """What a method finds where nothing is irrigated [kg m-2 per season].

    Attributes
    ----------
    mean : float
        Systematic part: rain or fluxes that model and observations do not share.
    deviation : float
        Standard deviation between cells.
    cells : int
        Cells that it is made of; 0 where it comes from errors.
    """

    mean: float
    deviation: float
    cells: int


def noise_floor(totals: ArrayLike, is_irrigated: ArrayLike) -> NoiseFloor:
    """Return what a method finds in cells that are not irrigated.

    Parameters
    ----------
    totals : array_like, shape (cell,)
        Estimates of a season [kg m-2].
    is_irrigated : array_like of bool, shape (cell,)

    Raises
    ------
    InputError
        If fewer than ten cells without irrigation have an estimate.
    """
    values, mask = np.asarray(totals, float).ravel(), np.asarray(is_irrigated, bool).ravel()
    if values.shape != mask.shape:
        raise InputError(f"irrigation: {values.size} estimates and a mask of {mask.size} cells.")
    rest = values[~mask & np.isfinite(values)]
    if len(rest) < LEAST_CELLS:
        raise InputError(f"irrigation: {len(rest)} cells without irrigation have an estimate; a noise floor needs "
                         f"{LEAST_CELLS}. Give a mask that leaves more, or take the floor from errors.")
    return NoiseFloor(float(rest.mean()), float(rest.std(ddof=1)), len(rest))


def propagated_noise(error: ArrayLike, depth: float) -> Array:
    """Return the standard deviation of a change of storage between two observations [kg m-2].

    The steps of an unclipped sum cancel but for the first and the last observation, so that a season is as uncertain
    as two observations, however many there are. Errors of fluxes and of the model come on top.

    Parameters
    ----------
    error : array_like
        Error of an observation of soil moisture [m3 m-3].
    depth : float
        Depth of soil that it stands for [m].
    """
    return np.sqrt(2.0) * np.asarray(error, float) * depth * 1000.0


def is_significant(totals: ArrayLike, floor: NoiseFloor, factor: float = SIGNIFICANT) -> Array:
    """Tell where an estimate is above the mean of the noise by ``factor`` of its standard deviations."""
    return np.asarray(totals, float) > floor.mean + factor * floor.deviation
