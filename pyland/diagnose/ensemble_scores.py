"""The continuous ranked probability score of an ensemble, and what it is made of.

Ensembles are step functions here: each member carries the same probability. A member predicts the true value; to be
compared with an observation it needs the error of the observation too, see
:func:`pyland.diagnose.rank_histogram.add_observation_error`.

References
----------
.. [1] Hersbach, H. (2000). Decomposition of the continuous ranked probability score for ensemble prediction systems.
   Wea. Forecasting 15, 559-570.
.. [2] Ferro, C. A. T., Richardson, D. S., Weigel, A. P. (2008). On the effect of ensemble size on the discrete and
   continuous ranked probability scores. Meteorol. Appl. 15, 19-24.
.. [3] Gneiting, T., Raftery, A. E., Westveld, A. H., Goldman, T. (2005). Calibrated probabilistic forecasting using
   ensemble model output statistics and minimum CRPS estimation. Mon. Wea. Rev. 133, 1098-1118; eq. 5.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from pyland.base.errors import InputError
from pyland.diagnose.ensemble_arguments import ensemble_and_observations, equal_lengths

_BLOCK = 2**16  # observations whose distances to the members are held at once


def crps(predicted: ArrayLike, observed: ArrayLike) -> np.ndarray:
    """Return the CRPS of each observation.

    Parameters
    ----------
    predicted : array_like, shape (member, obs)
        What the members predict [unit of the observation].
    observed : array_like, shape (obs,)
        Observed values.

    Returns
    -------
    numpy.ndarray, shape (obs,)
        Mean |x - y| less half the mean distance of all pairs of members [unit of the observation]; NaN where the
        observation or a member is not finite. For one member it is the absolute error.

    Raises
    ------
    InputError
        If shapes do not fit.
    """
    members, values, _ = ensemble_and_observations(predicted, observed)
    distance, between = _distances(members, values)
    return distance - between / members.shape[0] ** 2


def crps_fair(predicted: ArrayLike, observed: ArrayLike) -> np.ndarray:
    """Return the fair CRPS: its expectation is that of an ensemble of infinite size [2]_.

    Parameters and returns as for :func:`crps`; at least 2 members. A value may be negative.
    """
    members, values, _ = ensemble_and_observations(predicted, observed, least_members=2)
    distance, between = _distances(members, values)
    return distance - between / (members.shape[0] * (members.shape[0] - 1.0))


def _distances(members: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of |x_i - y| and the sum of |x_i - x_j| over pairs i < j; sorted, so that order is no matter."""
    ordered = np.sort(members, axis=0)
    count = ordered.shape[0]
    gaps = np.diff(ordered, axis=0)
    below = np.arange(1.0, count)
    between = np.tensordot(below * (count - below), gaps, axes=(0, 0)) if count > 1 else np.zeros(values.size)
    distance = np.abs(ordered - values).mean(axis=0)
    between = np.where(np.isfinite(distance), between, np.nan)
    return distance, between


def crps_normal(mean: ArrayLike, spread: ArrayLike, observed: ArrayLike) -> np.ndarray:
    """Return the CRPS of normal distributions [3]_: s (z (2 Phi(z) - 1) + 2 phi(z) - 1/sqrt(pi)), z = (y - m)/s.

    Parameters
    ----------
    mean, spread : array_like, shape (obs,)
        Mean and standard deviation; the latter is not negative, and includes the error of the observation where that
        is to be predicted.
    observed : array_like, shape (obs,)
        Observed values.

    Returns
    -------
    numpy.ndarray, shape (obs,)
        CRPS [unit of the observation]; the absolute error where the spread is 0.

    Raises
    ------
    InputError
        If lengths differ or a spread is negative.
    """
    centre, width, values = equal_lengths(mean=mean, spread=spread, observed=observed)
    if (width < 0.0).any():
        raise InputError(f"crps_normal: expected standard deviations of 0 or more, got {np.nanmin(width):g}.")
    is_sharp = width == 0.0
    z = (values - centre) / np.where(is_sharp, 1.0, width)
    density = np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi)
    wide = width * (z * (2.0 * ndtr(z) - 1.0) + 2.0 * density - 1.0 / np.sqrt(np.pi))
    return np.where(is_sharp, np.abs(values - centre), wide)


@dataclass(frozen=True)
class CrpsDecomposition:
    """Mean CRPS and its parts [unit of the observation]: crps = reliability + potential.

    Attributes
    ----------
    crps : float
        Mean over observations.
    reliability : float
        What a calibration of the probabilities would gain; of a reliable ensemble near 0 for many members, a little
        more for few, below and above which observations lie that no member predicts.
    potential : float
        CRPS after such a calibration.
    uncertainty : float
        CRPS of the climatology of these observations.
    resolution : float
        ``uncertainty - potential``: what the ensemble knows beyond the climatology.
    outliers : float
        Share of observations below or above all members [1].
    n : int
        Observations that count.
    """

    crps: float
    reliability: float
    potential: float
    uncertainty: float
    resolution: float
    outliers: float
    n: int

    def as_dict(self) -> dict[str, float | int]:
        """Return the numbers by name."""
        return asdict(self)


def crps_decomposition(predicted: ArrayLike, observed: ArrayLike) -> CrpsDecomposition:
    """Decompose the mean CRPS of an ensemble [1]_.

    Parameters
    ----------
    predicted : array_like, shape (member, obs)
        What the members predict [unit of the observation]; at least 2 members.
    observed : array_like, shape (obs,)
        Observed values; pairs that are not finite are left out.

    Returns
    -------
    CrpsDecomposition
        NaN without observations.

    Raises
    ------
    InputError
        If shapes do not fit or there are fewer than 2 members.

    Notes
    -----
    In the notation of [1]_, alpha_i and beta_i are the mean lengths of bin i below and above the observation, o_i =
    beta_i / (alpha_i + beta_i) its observed frequency; in the two outer bins o is the share of observations
    below (not above) the ensemble. Bins of no length add nothing.
    """
    members, values, _ = ensemble_and_observations(predicted, observed, least_members=2)
    known = np.isfinite(values) & np.isfinite(members).all(axis=0)
    members, values = members[:, known], values[known]
    nan = float("nan")
    if values.size == 0:
        return CrpsDecomposition(nan, nan, nan, nan, nan, nan, 0)
    below, above, lower, upper = _bins(members, values)
    length = below + above
    frequency = np.divide(above, length, out=np.zeros_like(length), where=length > 0.0)
    if lower > 0.0:
        frequency[0], length[0] = lower, above[0] / lower
    if upper > 0.0:
        frequency[-1], length[-1] = 1.0 - upper, below[-1] / upper
    level = np.arange(members.shape[0] + 1) / members.shape[0]
    reliability = float(np.sum(length * (frequency - level) ** 2))
    potential = float(np.sum(length * frequency * (1.0 - frequency)))
    ordered = np.sort(values)
    share = np.arange(1.0, values.size) / values.size
    uncertainty = float(np.sum(np.diff(ordered) * share * (1.0 - share)))
    return CrpsDecomposition(
        reliability + potential, reliability, potential, uncertainty, uncertainty - potential, lower + upper,
        int(values.size))


def _bins(members: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Return mean lengths of the bins below and above the observation, and the shares of the two kinds of outliers."""
    count = members.shape[0]
    below, above = np.zeros(count + 1), np.zeros(count + 1)
    lower = upper = 0
    for first in range(0, values.size, _BLOCK):
        y = values[first : first + _BLOCK]
        x = np.sort(members[:, first : first + _BLOCK], axis=0)
        inside = np.clip(y, x[:-1], x[1:])
        below[1:-1] += (inside - x[:-1]).sum(axis=1)
        above[1:-1] += (x[1:] - inside).sum(axis=1)
        above[0] += np.maximum(x[0] - y, 0.0).sum()
        below[-1] += np.maximum(y - x[-1], 0.0).sum()
        lower += int(np.count_nonzero(y < x[0]))
        upper += int(np.count_nonzero(y > x[-1]))
    return below / values.size, above / values.size, lower / values.size, upper / values.size
