"""States that a radar tells by change against a reference: wet snow, frozen ground, degree of saturation.

All take backscatter at one incidence angle (:mod:`pyland.observe.microwave.incidence`), with references of the same
place, and work on arrays of any shape at once. What they find are flags; the values stay.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pyland.base.errors import InputError

WET_SNOW = -3.0
"""Change against dry snow or snow-free ground at which snow counts as wet [dB] (Nagler and Rott 2000)."""


def seasonal_reference(backscatter: ArrayLike, season: ArrayLike, least: int = 5) -> np.ndarray:
    """Return the mean backscatter of a season.

    Parameters
    ----------
    backscatter : array_like, shape (time, ...)
        [dB]; NaN is left out.
    season : array_like of bool, shape (time,) or that of ``backscatter``
        Times of the season: a cold winter for frozen ground or dry snow, a summer for thawed ground.
    least : int
        Values that a reference needs.

    Returns
    -------
    numpy.ndarray, shape (...)
        Mean in dB; NaN where there are fewer values.

    Raises
    ------
    InputError
        If shapes do not fit or ``least`` is below 1.
    """
    values, chosen = np.asarray(backscatter, float), np.asarray(season, bool)
    if values.ndim < 1 or least < 1 or chosen.shape not in (values.shape[:1], values.shape):
        raise InputError(
            f"seasonal reference: expected backscatter (time, ...), a season (time,) or of the same shape and at least "
            f"one value; got {values.shape}, {chosen.shape} and {least}.")
    chosen = chosen.reshape(chosen.shape + (1,) * (values.ndim - chosen.ndim)) & np.isfinite(values)
    count = chosen.sum(axis=0)
    total = np.where(chosen, values, 0.0).sum(axis=0)
    return np.where(count >= least, total / np.maximum(count, 1), np.nan)


def wet_snow(backscatter: ArrayLike, reference: ArrayLike, threshold: float = WET_SNOW) -> np.ndarray:
    """Return where snow is wet: backscatter below the reference of dry snow by more than 3 dB.

    Nagler and Rott (2000), IEEE Trans. Geosci. Remote Sens. 38, 754-765. Liquid water absorbs; a rough wet surface late
    in the season, forest and bare glacier ice do not follow this.

    Parameters
    ----------
    backscatter, reference : array_like
        [dB].
    threshold : float
        Change [dB], negative.

    Returns
    -------
    numpy.ndarray of bool
        False where a value is missing.

    Raises
    ------
    InputError
        If the threshold is not negative.
    """
    if not threshold < 0.0:
        raise InputError(f"wet snow: expected a negative threshold [dB], got {threshold}.")
    return np.asarray(backscatter, float) - np.asarray(reference, float) < threshold


def thaw_share(
    backscatter: ArrayLike, frozen: ArrayLike, thawed: ArrayLike, least_contrast: float = 1.0
) -> np.ndarray:
    """Return where a value lies between the references of frozen (0) and of thawed ground (1).

    The seasonal threshold of SMAP's freeze/thaw product (Dunbar et al. 2014, ATBD L3_FT_A; Kim et al. 2011, Remote
    Sens. Environ. 115, 949-960); ground counts as frozen below 0.5.

    Parameters
    ----------
    backscatter : array_like
        [dB].
    frozen, thawed : array_like
        References of the same place [dB], see :func:`seasonal_reference`.
    least_contrast : float
        Thawed less frozen reference below which the place cannot be told [dB].

    Returns
    -------
    numpy.ndarray
        [1], not limited to 0 to 1; NaN where a value is missing or the contrast is too small.

    Raises
    ------
    InputError
        If ``least_contrast`` is not positive.
    """
    if not least_contrast > 0.0:
        raise InputError(f"freeze and thaw: expected a positive least contrast [dB], got {least_contrast}.")
    low, high = np.asarray(frozen, float), np.asarray(thawed, float)
    contrast = np.where(high - low >= least_contrast, high - low, np.nan)
    return (np.asarray(backscatter, float) - low) / contrast


def is_frozen(share: ArrayLike, threshold: float = 0.5) -> np.ndarray:
    """Return where ground is frozen, by its :func:`thaw_share`; False where that is missing."""
    return np.asarray(share, float) < threshold


def change_detection(
    backscatter: ArrayLike, dry: ArrayLike, wet: ArrayLike, least_contrast: float = 1.0
) -> np.ndarray:
    """Return the degree of saturation of the surface between a dry and a wet reference.

    Linear change detection as for ASCAT (Wagner, Lemoine and Rott 1999, Remote Sens. Environ. 70, 191-207).

    Parameters
    ----------
    backscatter : array_like
        [dB], at the reference angle and with the effect of vegetation removed.
    dry, wet : array_like
        References of the driest and the wettest surface of the same place [dB].
    least_contrast : float
        Wet less dry reference below which there is no retrieval [dB].

    Returns
    -------
    numpy.ndarray
        [%], limited to 0 to 100; NaN where a value is missing or the contrast is too small.

    Raises
    ------
    InputError
        If ``least_contrast`` is not positive.
    """
    return np.clip(100.0 * thaw_share(backscatter, dry, wet, least_contrast), 0.0, 100.0)


__all__ = [
    "WET_SNOW",
    "change_detection",
    "is_frozen",
    "seasonal_reference",
    "thaw_share",
    "wet_snow",
]
