"""How much an analysis took from its observations: degrees of freedom for signal, effective sample size.

References
----------
.. [1] Rodgers, C. D. (2000). Inverse Methods for Atmospheric Sounding; section 2.4.
.. [2] Liu, J., Kalnay, E., Miyoshi, T., Cardinali, C. (2009). Analysis sensitivity calculation in an ensemble Kalman
   filter. Q. J. R. Meteorol. Soc. 135, 1842-1851.
.. [3] Lupu, C., Gauthier, P., Laroche, S. (2011). Evaluation of the impact of observations on analyses in 3D- and
   4D-Var based on information content. Mon. Wea. Rev. 139, 726-737.
.. [4] Kong, A., Liu, J. S., Wong, W. H. (1994). Sequential imputations and Bayesian missing data problems. J. Am. Stat.
   Assoc. 89, 278-288.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pyland.base.errors import InputError
from pyland.diagnose.ensemble_arguments import ensemble_and_observations, equal_lengths


def degrees_of_freedom_for_signal(posterior_spread: ArrayLike, error: ArrayLike) -> float:
    """Return the trace of the influence of observations on their own analysis, from the analysed ensemble.

    Parameters
    ----------
    posterior_spread : array_like, shape (obs,)
        Standard deviation of the analysed ensemble in observation space (sample, members - 1).
    error : array_like, shape (obs,)
        Standard deviation of the observation error, above 0 and not correlated between observations.

    Returns
    -------
    float
        Sum of spread^2/error^2 = tr(R^-1 H A H^T) = tr(H K) [1]; 0 without observations. Between 0 and the number of
        observations [1]_ [2]_ for a Kalman filter; inflation and relaxation widen the analysed ensemble and count too.

    Raises
    ------
    InputError
        If lengths differ or an error is not positive.
    """
    spread, sigma = equal_lengths(posterior_spread=posterior_spread, error=error)
    _check_errors(sigma)
    return float(np.sum((spread / sigma) ** 2))


def observed_degrees_of_freedom(innovation: ArrayLike, residual: ArrayLike, error: ArrayLike) -> float:
    """Return the degrees of freedom for signal that departures show, whatever the ensemble says of itself [3]_.

    Parameters
    ----------
    innovation, residual : array_like, shape (obs,)
        O-F and O-A [unit of the observation].
    error : array_like, shape (obs,)
        Standard deviation of the observation error, above 0.

    Returns
    -------
    float
        Sum of (A-F)(O-A)/error^2 [1], whose expectation is tr(H K) if all errors are right; 0 without observations.

    Raises
    ------
    InputError
        If lengths differ or an error is not positive.
    """
    before, after, sigma = equal_lengths(innovation=innovation, residual=residual, error=error)
    _check_errors(sigma)
    return float(np.sum((before - after) * after / sigma**2))


def effective_sample_size(weights: ArrayLike) -> float:
    """Return the number of equally weighted members that know as much as a weighted ensemble [4]_.

    Parameters
    ----------
    weights : array_like, shape (member,)
        Not negative, with a positive sum, which need not be 1.

    Returns
    -------
    float
        (sum w)^2 / sum w^2, from 1 to the number of members.

    Raises
    ------
    InputError
        If there are no weights, one is negative or not finite, or all are 0.
    """
    w = np.asarray(weights, dtype=np.float64)
    if w.ndim != 1 or not np.isfinite(w).all() or (w < 0.0).any() or not (w > 0.0).any():
        raise InputError(
            f"Effective sample size: expected a list of weights of 0 or more, not all 0, got shape {w.shape}."
        )
    w = w / w.max()
    return float(w.sum() ** 2 / np.sum(w**2))


def likelihood_weights(predicted: ArrayLike, observed: ArrayLike, error: ArrayLike) -> np.ndarray:
    """Return the weights that a particle filter would give the members: the likelihood of normal, independent errors.

    Parameters
    ----------
    predicted : array_like, shape (member, obs)
        What the members predict [unit of the observation].
    observed : array_like, shape (obs,)
        Observed values.
    error : array_like, shape (obs,) or float
        Standard deviation of the observation error, above 0.

    Returns
    -------
    numpy.ndarray, shape (member,)
        Weights with the sum 1; equal without observations. Their effective sample size says how near an ensemble is to
        the collapse of a particle filter, whichever filter is used.

    Raises
    ------
    InputError
        If shapes do not fit, a number is not finite or an error is not positive.
    """
    members, values, sigma = ensemble_and_observations(predicted, observed, error)
    _check_errors(sigma)
    if not (np.isfinite(members).all() and np.isfinite(values).all()):
        raise InputError("Likelihood weights: a prediction or an observation is not finite; leave these out.")
    misfit = 0.5 * np.sum(((values - members) / sigma) ** 2, axis=1)
    weights = np.exp(misfit.min() - misfit)
    return weights / weights.sum()


def _check_errors(sigma: np.ndarray) -> None:
    if not (sigma > 0.0).all():
        raise InputError("Observation errors: expected standard deviations above 0 to weigh observations with.")
