"""Iterative ensemble smoother in the subspace of the ensemble (IES): history matching by few runs of an ensemble."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyland.assimilate import arguments
from pyland.assimilate.ensemble_gauss_newton import Settings, minimise, step_lengths
from pyland.assimilate.failed_members import check_forward, check_share, successful


@dataclass(frozen=True)
class IterativeAnalysis:
    """Result of an iterative smoother.

    Attributes
    ----------
    ensemble : numpy.ndarray
        Analysis, shape ``(member, state)``; members whose run failed are not there.
    members : numpy.ndarray of int
        Which members of the prior they are, shape ``(member,)``.
    iterations : int
        Runs of the model (of the whole ensemble).
    converged : bool
        Whether the last full Gauss-Newton step was shorter than the tolerance.
    misfits : tuple of float
        Per run: mean over members of ``|R^(-1/2) (d - y)|^2 / obs``.
    message : str
        How it ended, a sentence.
    """

    ensemble: np.ndarray
    members: np.ndarray
    iterations: int
    converged: bool
    misfits: tuple[float, ...]
    message: str


def ies(
    forward: Callable[[np.ndarray], Any],
    E: Any,
    d: Any,
    R: Any,
    *,
    steps: int = 10,
    step_length: float | Sequence[float] = 1.0,
    tolerance: float = 1e-3,
    variant: str = "perturbed",
    backtracking: bool = False,
    failure_limit: float = 0.5,
    rng: np.random.Generator | int | None = None,
) -> IterativeAnalysis:
    """Estimate parameters or initial states by an iterative ensemble smoother.

    Parameters
    ----------
    forward : callable
        Runs the model: ensemble ``(member, state)`` -> predicted observations ``(member, obs)``. A member whose run
        failed has a value that is not finite.
    E : array_like
        Prior ensemble, shape ``(member, state)``.
    d, R : array_like
        Observations ``(obs,)``; error variances ``(obs,)`` or covariance ``(obs, obs)``.
    steps : int
        Largest number of runs, at least 1.
    step_length : float or sequence of float
        Share of the Gauss-Newton step, in (0, 1]; a sequence gives one per step, the last holds for the rest. Strongly
        nonlinear problems need less than 1 at first.
    tolerance : float
        Ends when a full Gauss-Newton step (before ``step_length``) is shorter than this many prior standard deviations
        (root mean square over members); 0: always ``steps`` runs.
    variant : {"perturbed", "sqrt"}
        Every member with perturbed observations (randomised maximum likelihood), or the mean and the symmetric square
        root of its inverse Hessian (deterministic).
    backtracking : bool
        Halve a step that has made the cost function larger, and run again from where it started.
    failure_limit : float
        Largest share of the prior members whose runs may fail, 0 to 1. They leave the ensemble; the rest runs again.
    rng : numpy.random.Generator or int, optional
        Source of the perturbations.

    Returns
    -------
    IterativeAnalysis
        Analysis and how it was found.

    Raises
    ------
    InputError
        If an argument does not fit.
    StateError
        If more members fail than allowed.
    ConvergenceError
        If the ensemble loses a direction during the iteration.

    Notes
    -----
    All is computed in the space of the N members; for a linear model and a step length of 1 the first step is the EnKF
    (``perturbed``) or the ETKF (``sqrt``) and the second has length 0. Not localised: for more independent directions
    than members take `esmda` with localisation.

    References
    ----------
    .. [1] Evensen, G., Raanes, P. N., Stordal, A. S., and Hove, J. (2019). Front. Appl. Math. Stat. 5, 47.
    .. [2] Raanes, P. N., Stordal, A. S., and Evensen, G. (2019). Nonlin. Processes Geophys. 26, 325-338.

    Examples
    --------
    >>> import numpy as np
    >>> E = np.random.default_rng(0).normal(1.0, 1.0, (50, 1))
    >>> result = ies(lambda E: E**3, E, d=[8.0], R=[0.01], variant="sqrt", step_length=0.5, steps=30)
    >>> result.converged, bool(abs(result.ensemble.mean() - 2.0) < 0.01)
    (True, True)
    """
    check_forward(forward)
    ensemble = arguments.to_floats("E (member, state)", E, 2)
    observed = arguments.to_floats("d (obs)", d, 1)
    settings = Settings(variant, "transform", steps, tolerance, step_lengths(step_length), bool(backtracking))
    limit = check_share(failure_limit)
    found = minimise(
        forward, ensemble, observed, R, settings, arguments.check_generator(rng),
        lambda predicted: successful(predicted, len(ensemble), limit, nobs=observed.size))
    prior = ensemble[found.members]
    mean = prior.mean(axis=0)
    lost = len(ensemble) - len(prior)
    message = found.message(settings) + (f"; {lost} of {len(ensemble)} members failed and are left out" if lost else "")
    return IterativeAnalysis(
        mean + found.coefficients @ (prior - mean), found.members, found.iterations, found.converged,
        tuple(found.misfits), message)


__all__ = ["IterativeAnalysis", "ies"]
