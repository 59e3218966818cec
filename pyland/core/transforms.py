"""Boundary to the compiled ensemble transforms: predicted observations in, matrices of weights out."""

from __future__ import annotations

import numpy as np

from pyland.core import wrapped
from pyland.core.errors import check
from pyland.core.localisation import members_first

METHODS = {"etkf": 1, "estkf": 1, "enkf": 2, "denkf": 3, "seik": 4, "netf": 5, "knetf": 6}
LIKELIHOODS = {"gaussian": 1, "laplace": 2}
ROOTS = {"symmetric": 1, "cholesky": 2}
VARIANTS = {"hnk": 1, "hkn": 2, "hsync": 3}
HYBRID_RULES = {"fixed": 1, "lin": 2, "alpha": 3, "ska": 4, "sklin": 5}


def weight_matrix(
    anomalies: np.ndarray,
    innovations: np.ndarray,
    *,
    method: str,
    likelihood: str = "gaussian",
    least_effective: float = 0.0,
    root: str = "symmetric",
    variant: str = "hnk",
    hybrid_rule: str = "lin",
    hybrid_weight: float = 0.95,
    hybrid_norm: float = 0.0,
    rotation: np.ndarray | None = None,
) -> np.ndarray:
    """Compute the weights of the members in the analysis members.

    Parameters
    ----------
    anomalies : numpy.ndarray
        Inflated, whitened anomalies of the predicted observations [1], shape ``(member, obs)``.
    innovations : numpy.ndarray
        Whitened innovations [1], shape ``(1, obs)``; for ``enkf`` perturbed ones, shape ``(member, obs)``.
    method, likelihood, root, variant, hybrid_rule : str
        Keys of `METHODS`, `LIKELIHOODS`, `ROOTS`, `VARIANTS` and `HYBRID_RULES`.
    least_effective, hybrid_weight, hybrid_norm : float
        See ``fortran/assimilate/pl_transform_netf.f90`` and ``pl_transform_knetf.f90``; ``hybrid_norm`` 0 stands for
        the number of members.
    rotation : numpy.ndarray, optional
        Rotation that keeps the mean, shape ``(member, member)``; for ``seik`` Omega, shape ``(member, member - 1)``.

    Returns
    -------
    numpy.ndarray
        Weights [1], shape ``(member, member)``; columns sum to 0.

    Raises
    ------
    InputError
        If shapes do not fit, a value is not finite or a share is not between 0 and 1.
    ConvergenceError
        If an eigenvalue iteration does not converge.
    """
    nmember = anomalies.shape[0]
    weights = np.zeros((nmember, nmember), order="F")
    turn = np.zeros((nmember, nmember), order="F") if rotation is None else members_first(rotation)
    check(*wrapped.pl_api_transform.transform_weights(
        members_first(anomalies), members_first(innovations), METHODS[method], LIKELIHOODS[likelihood],
        least_effective, ROOTS[root], VARIANTS[variant], HYBRID_RULES[hybrid_rule], hybrid_weight, hybrid_norm,
        int(rotation is not None), turn, weights))
    return weights


def log_likelihoods(
    anomalies: np.ndarray, innovations: np.ndarray, *, likelihood: str = "gaussian", least_effective: float = 0.0
) -> np.ndarray:
    """Compute logarithms of the likelihoods of the members, relative to the best one.

    Parameters
    ----------
    anomalies, innovations : numpy.ndarray
        Whitened anomalies of the predicted observations and whitened innovations [1], shapes ``(member, obs)`` and
        ``(obs,)``.
    likelihood : str
        Key of `LIKELIHOODS`.
    least_effective : float
        Least effective sample size over the number of members, 0 to 1: the likelihood is raised to a power of at most
        1 that reaches it.

    Returns
    -------
    numpy.ndarray
        Logarithms [1], shape ``(member,)``; the largest is 0.

    Raises
    ------
    InputError
        If shapes do not fit, a value is not finite or the share is not between 0 and 1.
    """
    logs = np.zeros(anomalies.shape[0])
    check(*wrapped.pl_api_transform.transform_likelihood(
        members_first(anomalies), np.ascontiguousarray(innovations, dtype=np.float64), LIKELIHOODS[likelihood],
        least_effective, logs))
    return logs


def householder_omega(nmember: int) -> np.ndarray:
    """Return the deterministic Omega of the SEIK filter [1], shape ``(member, member - 1)``."""
    omega = np.zeros((nmember, nmember - 1), order="F")
    check(*wrapped.pl_api_transform.transform_omega(omega))
    return omega


__all__ = [
    "HYBRID_RULES",
    "LIKELIHOODS",
    "METHODS",
    "ROOTS",
    "VARIANTS",
    "householder_omega",
    "log_likelihoods",
    "weight_matrix",
]
