"""Ends of a CDF by beta distributions: bounded, so that no matched value leaves what the quantity can be.

A beta distribution with the mean and variance of a sample is fitted within bounds (method of moments; Johnson, Kotz and
Balakrishnan 1995, chapter 25). Beyond an outer percentile, a value goes to the value of the reference with the same
probability, stretched so that the curve meets the percentile and the bound.

References
----------
.. [1] Johnson, N. L., Kotz, S., Balakrishnan, N. (1995). Continuous univariate distributions, volume 2. Wiley.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betainc, betaincc, betainccinv, betaincinv, betaln


def beta_shapes(mean: np.ndarray, variance: np.ndarray, bounds: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Return both shapes of the beta distributions with these moments within bounds; NaN where there is none."""
    width = bounds[1] - bounds[0]
    centre, square = (mean - bounds[0]) / width, variance / width**2
    can = (square > 0.0) & (square < centre * (1.0 - centre))
    total = np.where(can, centre * (1.0 - centre) / np.where(can, square, 1.0) - 1.0, np.nan)
    return centre * total, (1.0 - centre) * total


def beta_tail(
    values: np.ndarray, anchor: tuple[np.ndarray, np.ndarray], shapes: tuple[np.ndarray, ...],
    bounds: tuple[float, float], is_low: bool,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Match values beyond an outer percentile.

    Parameters
    ----------
    values : ndarray, shape (obs,)
        Values of the source, beyond the first of ``anchor``.
    anchor : tuple of two ndarrays, shape (obs,)
        The percentile of source and reference.
    shapes : tuple of four ndarrays, shape (obs,)
        Shapes of the beta distributions of source and reference.
    bounds : tuple of float
        Least and largest possible value of both.
    is_low : bool
        Whether it is the lower end.

    Returns
    -------
    y, slope : ndarray, shape (obs,)
    """
    low, width = bounds[0], bounds[1] - bounds[0]
    a, b, c, d = shapes

    def matched(x: np.ndarray) -> np.ndarray:
        share = np.clip((x - low) / width, 0.0, 1.0)  # at the upper end by 1 - F, which does not round to 0
        return betaincinv(c, d, betainc(a, b, share)) if is_low else betainccinv(c, d, betaincc(a, b, share))

    def log_density(x: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return (one - 1.0) * np.log(x) + (other - 1.0) * np.log1p(-x) - betaln(one, other)

    edge = 0.0 if is_low else 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        at, mine = matched(anchor[0]), matched(values)
        stretch = ((anchor[1] - low) / width - edge) / (at - edge)
        y = low + width * (edge + (mine - edge) * stretch)
        density = log_density((values - low) / width, a, b) - log_density(mine, c, d)
        slope = np.exp(density) * stretch
    return y, np.where(np.isfinite(slope), slope, 0.0)  # at a bound nothing moves
