"""Boundary to the compiled ensemble filters: arrays in, arrays out."""

from __future__ import annotations

import numpy as np

from pyland.core import wrapped
from pyland.core.errors import check

METHODS = {"etkf": 1, "enkf": 2}
METRICS = {"euclidean": 0, "haversine": 1}
TAPERS = {"none": 0, "exponential": 1, "gaspari_cohn": 2}


def _members_first(array: np.ndarray) -> np.ndarray:
    """Return ``array`` with its first index contiguous, as float64; a view where it is so already."""
    return np.asarray(array, dtype=np.float64, order="F")


def update_global(
    ensemble: np.ndarray,
    anomalies: np.ndarray,
    innovations: np.ndarray,
    *,
    method: str,
    inflation: float,
    relaxation: float,
    threads: int,
) -> np.ndarray:
    """Update an ensemble with a global filter.

    Parameters
    ----------
    ensemble : numpy.ndarray
        Prior, shape ``(member, state)``; not changed.
    anomalies : numpy.ndarray
        Inflated, whitened anomalies of the predicted observations, shape ``(member, obs)``.
    innovations : numpy.ndarray
        Whitened innovations, shape ``(1, obs)`` for ``etkf``, ``(member, obs)`` for ``enkf``.
    method : {"etkf", "enkf"}
        Filter.
    inflation, relaxation : float
        Factor on the prior anomalies; relaxation to the prior spread.
    threads : int
        OpenMP threads; 0 for the default.

    Returns
    -------
    numpy.ndarray
        Analysis, shape ``(member, state)``, members contiguous in memory.

    Raises
    ------
    InputError
        If shapes do not fit or a value is not finite.
    ConvergenceError
        If an eigenvalue iteration does not converge.
    """
    analysis = np.array(ensemble, dtype=np.float64, order="F")
    check(*wrapped.pl_api_assimilate.assimilate_global(
        analysis, _members_first(anomalies), _members_first(innovations), METHODS[method], inflation, relaxation,
        threads))
    return analysis


def update_local(
    ensemble: np.ndarray,
    anomalies: np.ndarray,
    innovations: np.ndarray,
    *,
    observation_places: np.ndarray,
    domain_places: np.ndarray,
    domain_of_state: np.ndarray,
    radius: float,
    metric: str,
    taper: str,
    inflation: float,
    relaxation: float,
    threads: int,
) -> np.ndarray:
    """Update an ensemble with the local ensemble transform Kalman filter.

    Parameters
    ----------
    ensemble : numpy.ndarray
        Prior, shape ``(member, state)``; not changed.
    anomalies : numpy.ndarray
        Inflated anomalies of the predicted observations over the error deviation, shape ``(member, obs)``.
    innovations : numpy.ndarray
        Innovations over the error deviation, shape ``(obs,)``.
    observation_places, domain_places : numpy.ndarray
        Coordinates, shapes ``(obs, ndim)`` and ``(domain, ndim)``.
    domain_of_state : numpy.ndarray
        Domain of each state element, shape ``(state,)``, from 0.
    radius : float
        Support radius, in the unit of the coordinates; metres for ``haversine``.
    metric : {"euclidean", "haversine"}
        Distance.
    taper : {"gaspari_cohn", "exponential", "none"}
        Localisation weight.
    inflation, relaxation : float
        Factor on the prior anomalies; relaxation to the prior spread.
    threads : int
        OpenMP threads; 0 for the default.

    Returns
    -------
    numpy.ndarray
        Analysis, shape ``(member, state)``, members contiguous in memory.

    Raises
    ------
    InputError
        If shapes do not fit or a value is not finite.
    ConvergenceError
        If an eigenvalue iteration does not converge.
    """
    analysis = np.array(ensemble, dtype=np.float64, order="F")
    order = np.argsort(domain_of_state, kind="stable")
    start = np.searchsorted(domain_of_state[order], np.arange(len(domain_places) + 1))
    check(*wrapped.pl_api_assimilate.assimilate_local(
        analysis, _members_first(anomalies), np.ascontiguousarray(innovations, dtype=np.float64),
        _members_first(observation_places.T), _members_first(domain_places.T),
        (start + 1).astype(np.int32), (order + 1).astype(np.int32),
        radius, METRICS[metric], TAPERS[taper], inflation, relaxation, threads))
    return analysis


def taper_weights(distances: np.ndarray, radius: float, taper: str) -> np.ndarray:
    """Evaluate a localisation taper at ``distances`` (any shape); 0 beyond ``radius``."""
    flat = np.ascontiguousarray(distances, dtype=np.float64).ravel()
    weights = np.zeros_like(flat)
    check(*wrapped.pl_api_assimilate.assimilate_taper(flat, weights, radius, TAPERS[taper]))
    return weights.reshape(np.shape(distances))


__all__ = ["METHODS", "METRICS", "TAPERS", "taper_weights", "update_global", "update_local"]
