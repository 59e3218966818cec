"""Weights of the members in the analysis members, for all observations together."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyland.assimilate import arguments
from pyland.assimilate.filter_options import check_options, weight_options
from pyland.assimilate.random_numbers import centred_normal, random_rotation, seik_omega
from pyland.base.errors import InputError
from pyland.core import transforms as core


def global_weights(
    Y: Any,
    d: Any,
    R: Any,
    method: str = "etkf",
    *,
    inflation: float = 1.0,
    rotation: Any = False,
    rng: np.random.Generator | int | None = None,
    perturbations: Any = None,
    **options: Any,
) -> np.ndarray:
    """Compute the matrix that takes prior anomalies to the analysis.

    Parameters
    ----------
    Y : array_like
        Predicted observations of each member, shape ``(member, obs)``, in the unit of ``d``; at least 2 members.
    d : array_like
        Observations, shape ``(obs,)``.
    R : array_like
        Observation error variances, shape ``(obs,)``, above 0; or error covariance, shape ``(obs, obs)``.
    method : {"etkf", "estkf", "denkf", "enkf", "seik", "netf", "knetf"}
        Transform: symmetric square root (``etkf``; the ESTKF makes the same members), half the gain, perturbed
        observations, subspace of N - 1 directions, nonlinear, hybrid of the last and the first.
    inflation : float
        Factor on the prior anomalies, in (0, 100].
    rotation : bool or array_like
        True: turn the analysis anomalies by a random rotation that keeps the mean, drawn from ``rng``; an array, shape
        ``(member, member)``: by this one. For ``seik`` Omega is meant, shape ``(member, member - 1)``.
    rng : numpy.random.Generator or int, optional
        Source of the rotation and, for ``enkf``, of the perturbations (drawn first).
    perturbations : array_like, optional
        ``enkf``: perturbations of the observations, shape ``(member, obs)``, in the unit of ``d``. Without them they
        are drawn from ``rng``, with zero mean over the members.
    **options
        Of single methods, the same as in `analyse`:

        root : {"symmetric", "cholesky"}
            ``seik``: square root of the matrix of the analysis covariance. Default symmetric.
        likelihood : {"gaussian", "laplace"}
            ``netf``, ``knetf``: distribution of the observation errors; R is its variance. Default Gaussian.
        least_effective : float
            ``netf``: least effective sample size over the number of members, 0 to 1; R is inflated until it is reached
            (``limit_winf`` of PDAF). Default 0.
        variant : {"hnk", "hkn", "hsync"}
            ``knetf``: nonlinear before Kalman (default), Kalman before nonlinear, both at once.
        hybrid_rule : {"fixed", "lin", "alpha", "ska", "sklin"}
            ``knetf``: how the share of the Kalman filter is found, see Notes. Default ``lin``.
        hybrid_weight : float
            ``knetf``: the number h of these rules, 0 to 1. Default 0.95.
        hybrid_norm : float
            ``knetf``: the number c of these rules, above 0. Default: the number of members.

    Returns
    -------
    numpy.ndarray
        Weights ``W`` [1], shape ``(member, member)``, columns of which sum to 0: the analysis of a state element with
        members ``e`` is ``mean(e) + (e - mean(e)) @ W``. Inflation is part of W. Without observations the analysis is
        the prior, not inflated, mixed where ``rotation`` asks for it.

    Raises
    ------
    InputError
        If shapes do not fit, a value is not finite, R is not positive, an option is out of range, or an option is given
        that the method does not have.
    ConvergenceError
        If an eigenvalue iteration does not converge.

    Notes
    -----
    Share g of the Kalman filter in ``knetf`` [6]_, with the effective sample size Neff of the likelihood and the mean
    over the observations of the absolute skewness s and excess kurtosis k of their predictions:

    ``fixed``  g = h
    ``lin``    g = h (1 - Neff/N)
    ``alpha``  the least g with which Neff/N >= h
    ``ska``    max(min(1 - s/sqrt(c), 1 - k/c), that of alpha)
    ``sklin``  max(min(1 - s/sqrt(c), 1 - k/c), 1 - Neff/N)

    PDAF looks for the g of ``alpha`` and for the inflation of ``least_effective`` in steps of 0.05; here they are found
    to the last digits.

    With a matrix R the observations are decorrelated first: a Laplace likelihood, skewness and kurtosis are then those
    of the decorrelated observations.

    References
    ----------
    .. [1] Bishop, C. H., et al. (2001). Mon. Weather Rev. 129, 420-436 (ETKF).
    .. [2] Sakov, P., and Oke, P. R. (2008). Tellus A 60, 361-371 (DEnKF).
    .. [3] Burgers, G., et al. (1998). Mon. Weather Rev. 126, 1719-1724 (EnKF).
    .. [4] Nerger, L., et al. (2005). Tellus A 57, 715-735 (SEIK).
    .. [5] Toedter, J., and Ahrens, B. (2015). Mon. Weather Rev. 143, 1347-1367 (NETF).
    .. [6] Nerger, L. (2022). Q. J. R. Meteorol. Soc. 148, 620-640 (KNETF).

    Examples
    --------
    >>> import numpy as np
    >>> from pyland.assimilate import global_weights
    >>> e = np.array([1.0, 2.0, 3.0])
    >>> W = global_weights(e[:, None], d=[4.0], R=[1.0])
    >>> float((e.mean() + (e - e.mean()) @ W).mean())
    3.0
    """
    name = _check_transform(method)
    if perturbations is not None and name != "enkf":
        raise InputError(f"perturbations are an option of enkf, not of method '{name}'; leave them out")
    check_options(name, options)
    chosen = weight_options(name, options)
    inflation = arguments.check_number("inflation", inflation, 0.0, 100.0, open_low=True)
    predicted = arguments.to_floats("Y (member, obs)", Y, 2)
    nmember = predicted.shape[0]
    if nmember < 2:
        raise InputError(f"a filter needs at least 2 members; Y (member, obs) has shape {predicted.shape}")
    problem = arguments.check_problem(predicted, predicted, d, R, inflation, full_covariance=True)
    generator = arguments.check_generator(rng) if rotation is True or name == "enkf" else None
    if problem.innovation.size == 0:
        turn = _rotation(name, nmember, rotation, generator)
        if turn is None:
            return np.eye(nmember) - 1.0 / nmember
        nothing = np.zeros((nmember, 1))  # an observation of something without spread, as expected
        return core.weight_matrix(nothing, nothing if name == "enkf" else nothing[:1], method=name, rotation=turn)
    innovations = problem.scaled[np.newaxis]
    if name == "enkf":
        innovations = innovations - problem.anomalies + _perturbations(problem, perturbations, generator)
    turn = _rotation(name, nmember, rotation, generator)
    return inflation * core.weight_matrix(problem.anomalies, innovations, method=name, rotation=turn, **chosen)


def _check_transform(method: Any) -> str:
    """Return the lower-case name of a transform, or raise a sentence that lists them."""
    name = str(method).lower()
    if name not in core.METHODS:
        raise InputError(f"method '{method}' has no weight matrix; available are {', '.join(core.METHODS)}")
    return name


def _perturbations(problem: arguments.Problem, given: Any, generator: np.random.Generator) -> np.ndarray:
    """Return whitened perturbations (member, obs): those given, or draws with zero mean over the members."""
    shape = problem.anomalies.shape
    if given is None:
        return centred_normal(shape, generator)
    perturbations = arguments.to_floats("perturbations (member, obs)", given, 2)
    if perturbations.shape != shape:
        raise InputError(f"perturbations must have shape (member, obs) = {shape}; got {perturbations.shape}")
    return arguments.whitened(problem, perturbations)


def _rotation(name: str, nmember: int, rotation: Any, generator: np.random.Generator | None) -> np.ndarray | None:
    """Return the rotation that is drawn or given, checked, or None."""
    if isinstance(rotation, bool | np.bool_):
        if not rotation:
            return None
        return seik_omega(nmember, generator) if name == "seik" else random_rotation(nmember, generator)
    turn = arguments.to_floats("rotation", rotation, 2)
    shape = (nmember, nmember - 1) if name == "seik" else (nmember, nmember)
    if turn.shape != shape:
        raise InputError(f"rotation must be False, True or an array of shape {shape} for {name}; got {turn.shape}")
    sums = turn.sum(axis=0) - (0.0 if name == "seik" else 1.0)
    closeness = np.sqrt(np.finfo(float).eps)  # half the digits: what is given may have been read from a file
    if np.abs(turn.T @ turn - np.eye(shape[1])).max() > closeness or np.abs(sums).max() > closeness:
        raise InputError(
            "rotation must have orthonormal columns that sum to 1 (for seik: to 0), or it changes mean or spread; "
            "draw one with random_rotation or seik_omega")
    return turn


__all__ = ["global_weights"]
