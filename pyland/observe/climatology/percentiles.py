"""Percentiles of many places at once, and the line through those of two products.

References
----------
.. [1] Moesinger, L., Dorigo, W., de Jeu, R., van der Schalie, R., Scanlon, T., Teubner, I., Forkel, M. (2020). The
   global long-term microwave Vegetation Optical Depth Climate Archive (VODCA). Earth Syst. Sci. Data 12, 177-196.
"""

from __future__ import annotations

import numpy as np


def sorted_values(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return values (time, place) in rising order, gaps last, and how many there are of each place."""
    return np.sort(np.where(np.isfinite(values), values, np.nan), axis=0), np.isfinite(values).sum(axis=0)


def quantiles(ordered: np.ndarray, first: np.ndarray, count: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Interpolate between ordered values; the k-th of n (from 0) stands for the share (k + 1/2)/n.

    Parameters
    ----------
    ordered : ndarray, shape (time, place)
        Values in rising order.
    first, count : ndarray of int, shape (place,)
        Rows of each place that count: ``first`` to ``first + count``.
    share : ndarray, shape (row, 1) or (row, place)
        Shares [1].

    Returns
    -------
    ndarray, shape (row, place)
        NaN of places without values.
    """
    place = np.clip(share * count - 0.5, 0.0, np.maximum(count - 1, 0))
    low = np.floor(place).astype(int)
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    last = len(ordered) - 1
    below = np.take_along_axis(ordered, np.minimum(first + low, last), axis=0)
    above = np.take_along_axis(ordered, np.minimum(first + high, last), axis=0)
    return np.where(count > 0, below + (above - below) * (place - low), np.nan)


def spread_ties(knots: np.ndarray, percentiles: np.ndarray) -> np.ndarray:
    """Make percentiles (percentile, place) that are equal rise: on a line from the first of them to the next larger.

    Those that are equal at the upper end lie on a line from the next smaller to the last. All equal ones stay.
    """
    number = len(knots)
    index = np.arange(number)[:, None]
    rises = np.vstack([np.ones((1, knots.shape[1]), bool), knots[1:] > knots[:-1]])
    is_kept = np.where(knots == knots[-1], index == number - 1, rises)
    is_kept[0] = True
    before = np.maximum.accumulate(np.where(is_kept, index, 0), axis=0)
    after = np.minimum.accumulate(np.where(is_kept, index, number - 1)[::-1], axis=0)[::-1]
    low, high = (np.take_along_axis(knots, one, axis=0) for one in (before, after))
    span = percentiles[after] - percentiles[before]
    share = np.where(span > 0, (percentiles[:, None] - percentiles[before]) / np.where(span > 0, span, 1.0), 0.0)
    return np.where(is_kept, knots, low + (high - low) * share)


def regressed_ends(
    x: np.ndarray, y: np.ndarray, counts: tuple[np.ndarray, np.ndarray], x_knots: np.ndarray, y_knots: np.ndarray
) -> np.ndarray:
    """Move the first and the last percentile of y onto lines fitted to all values beyond the next (Moesinger 2020).

    Smallest and largest values are single ones, and decide over the whole end; the line goes through the second (last
    but one) percentile of both and has the slope of least squares of the ordered values beyond.

    Parameters
    ----------
    x, y : ndarray, shape (time, place)
        Values in rising order, gaps last.
    counts : tuple of two ndarrays of int, shape (place,)
        Number of values of x and y.
    x_knots, y_knots : ndarray, shape (percentile, place)
        Percentiles.

    Returns
    -------
    ndarray, shape (percentile, place)
        ``y_knots`` with new ends, where a line can be fitted.
    """
    out = y_knots.copy()
    for end, inner, is_low in ((0, 1, True), (-1, -2, False)):
        part = []
        for values, knots, count in ((x, x_knots, counts[0]), (y, y_knots, counts[1])):
            number = (values <= knots[inner]).sum(axis=0) if is_low else (values >= knots[inner]).sum(axis=0)
            part.append((np.zeros_like(count) if is_low else count - number, number))
        number = part[1][1]
        step = np.arange(max(int(number.max(initial=0)), 1))[:, None]
        share = step / np.maximum(number - 1, 1)
        same = part[0][1] == number
        own = (step + 0.5) / np.maximum(number, 1)  # the shares at which the ordered values themselves stand
        dx = quantiles(x, *part[0], np.where(same, own, share)) - x_knots[inner]
        dy = quantiles(y, *part[1], own) - y_knots[inner]
        counts_there = (step < number) & np.isfinite(dx) & np.isfinite(dy)
        dx, dy = np.where(counts_there, dx, 0.0), np.where(counts_there, dy, 0.0)
        square = (dx**2).sum(axis=0)
        fits = square > 0.0
        slope = np.where(fits, (dx * dy).sum(axis=0) / np.where(fits, square, 1.0), 0.0)
        out[end] = np.where(fits, y_knots[inner] + slope * (x_knots[end] - x_knots[inner]), y_knots[end])
    return out


def along_knots(values: np.ndarray, x_knots: np.ndarray, y_knots: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Follow for each value the line through its own knots; the first and last piece go on beyond.

    Parameters
    ----------
    values : ndarray, shape (obs,)
    x_knots, y_knots : ndarray, shape (percentile, obs)
        Rising x.

    Returns
    -------
    y, slope : ndarray, shape (obs,)
        NaN where knots are NaN or do not rise.
    """
    piece = (values >= x_knots[1:-1]).sum(axis=0)[None, :]
    x0, x1, y0, y1 = (
        np.take_along_axis(knots, piece + one, axis=0)[0] for knots in (x_knots, y_knots) for one in (0, 1))
    width = x1 - x0
    slope = np.where(width > 0, (y1 - y0) / np.where(width > 0, width, 1.0), np.nan)
    return y0 + slope * (values - x0), slope
