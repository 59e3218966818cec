"""Weights of the members in the analysis members, for all observations together."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyland.assimilate import arguments
from pyland.assimilate.rotations import random_rotation, seik_omega, to_generator
from pyland.base.errors import InputError
from pyland.core import transforms as core

#: Options that belong to some methods only, with their defaults.
METHOD_OPTIONS = {
    "perturbations": (("enkf",), None),
    "root": (("seik",), "symmetric"),
    "likelihood": (("netf", "knetf"), "gaussian"),
    "least_effective": (("netf",), 0.0),
    "variant": (("knetf",), "hnk"),
    "hybrid_rule": (("knetf",), "lin"),
    "hybrid_weight": (("knetf",), 0.95),
    "hybrid_norm": (("knetf",), None),
}
_CHOICES = {
    "root": core.ROOTS, "likelihood": core.LIKELIHOODS, "variant": core.VARIANTS, "hybrid_rule": core.HYBRID_RULES,
}  # fmt: skip


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
    root: str | None = None,
    likelihood: str | None = None,
    least_effective: float | None = None,
    variant: str | None = None,
    hybrid_rule: str | None = None,
    hybrid_weight: float | None = None,
    hybrid_norm: float | None = None,
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
    root : {"symmetric", "cholesky"}, optional
        ``seik``: square root of the matrix of the analysis covariance. Default symmetric.
    likelihood : {"gaussian", "laplace"}, optional
        ``netf``, ``knetf``: distribution of the observation errors; R is its variance. Default Gaussian.
    least_effective : float, optional
        ``netf``: least effective sample size over the number of members, 0 to 1; R is inflated until it is reached
        (``limit_winf`` of PDAF). Default 0.
    variant : {"hnk", "hkn", "hsync"}, optional
        ``knetf``: nonlinear before Kalman (default), Kalman before nonlinear, both at once.
    hybrid_rule : {"fixed", "lin", "alpha", "ska", "sklin"}, optional
        ``knetf``: how the share of the Kalman filter is found, see Notes. Default ``lin``.
    hybrid_weight : float, optional
        ``knetf``: the number h of these rules, 0 to 1. Default 0.95.
    hybrid_norm : float, optional
        ``knetf``: the number c of these rules, above 0. Default: the number of members.

    Returns
    -------
    numpy.ndarray
        Weights ``W`` [1], shape ``(member, member)``, columns of which sum to 0: the analysis of a state element with
        members ``e`` is ``mean(e) + (e - mean(e)) @ W``. Inflation is part of W. Without observations the analysis is
        the prior, not inflated.

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
    name = check_transform(method)
    given = {
        "perturbations": perturbations, "root": root, "likelihood": likelihood, "least_effective": least_effective,
        "variant": variant, "hybrid_rule": hybrid_rule, "hybrid_weight": hybrid_weight, "hybrid_norm": hybrid_norm,
    }  # fmt: skip
    options = check_method_options(name, given)
    inflation = arguments.check_number("inflation", inflation, 0.0, 100.0, open_low=True)
    predicted = arguments.to_floats("Y (member, obs)", Y, 2)
    nmember = predicted.shape[0]
    if nmember < 2:
        raise InputError(f"a filter needs at least 2 members; Y (member, obs) has shape {predicted.shape}")
    problem = arguments.check_problem(predicted, predicted, d, R, inflation, full_covariance=True)
    generator = to_generator(rng) if rotation is True or name == "enkf" else None
    if problem.innovation.size == 0:
        return np.eye(nmember) - 1.0 / nmember
    innovations = arguments.whitened(problem, problem.innovation)[np.newaxis]
    if name == "enkf":
        innovations = innovations - problem.anomalies + _perturbations(problem, options.pop("perturbations"), generator)
    turn = _rotation(name, nmember, rotation, generator)
    return inflation * core.weight_matrix(problem.anomalies, innovations, method=name, rotation=turn, **options)


def check_transform(method: Any) -> str:
    """Return the lower-case name of a transform, or raise a sentence that lists them."""
    name = str(method).lower()
    if name not in core.METHODS:
        raise InputError(f"method '{method}' has no weight matrix; available are {', '.join(core.METHODS)}")
    return name


def check_method_options(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the options of a method with their defaults; one of another method is refused by name.

    Parameters
    ----------
    name : str
        Transform.
    given : dict
        Value or None (not given) of each key of `METHOD_OPTIONS`.

    Returns
    -------
    dict
        Checked options of `name`, as `pyland.core.transforms.weight_matrix` takes them, and ``perturbations``.

    Raises
    ------
    InputError
        If an option is out of range or belongs to other methods.
    """
    options = {}
    for key, (methods, default) in METHOD_OPTIONS.items():
        value = given.get(key)
        if name not in methods:
            if value is not None:
                raise InputError(f"{key} is an option of {' and '.join(methods)}, not of method '{name}'; leave it out")
            continue
        options[key] = default if value is None else value
    for key in options.keys() & _CHOICES.keys():
        choice = str(options[key]).lower()
        if choice not in _CHOICES[key]:
            raise InputError(f"{key} must be one of {', '.join(_CHOICES[key])}; got {options[key]!r}")
        options[key] = choice
    for key in options.keys() & {"least_effective", "hybrid_weight"}:
        options[key] = arguments.check_number(key, options[key], 0.0, 1.0)
    if "hybrid_norm" in options:
        norm = options["hybrid_norm"]
        options["hybrid_norm"] = (
            0.0 if norm is None else arguments.check_number("hybrid_norm", norm, 0.0, 1e9, open_low=True))
    return options


def _perturbations(problem: arguments.Problem, given: Any, generator: np.random.Generator) -> np.ndarray:
    """Return whitened perturbations (member, obs): those given, or draws with zero mean over the members."""
    shape = problem.anomalies.shape
    if given is None:
        draws = generator.standard_normal(shape)
        return draws - draws.mean(axis=0)
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


__all__ = ["METHOD_OPTIONS", "check_method_options", "check_transform", "global_weights"]
