"""Ensemble smoother with multiple data assimilation: the same observations several times, each time weaker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyland.assimilate import arguments
from pyland.assimilate.any_filter import is_local, update_ensemble, whitened_problem
from pyland.assimilate.correlation_localisation import analyse_correlated
from pyland.assimilate.failed_members import check_forward, check_share, successful
from pyland.assimilate.filter_table import LOCAL_FILTERS
from pyland.base.errors import InputError

SUM_TOLERANCE = 1e-3
"""How far from 1 a given sum of 1/alpha may be; published tables are rounded (9.333, 7, 4, 2). It is then scaled."""

_EVERYWHERE = {"radius": np.inf, "taper": "none"}  # all places are one: only correlation tells observations apart


@dataclass(frozen=True)
class MultipleAnalysis:
    """Result of `esmda`.

    Attributes
    ----------
    ensemble : numpy.ndarray
        Analysis, shape ``(member, state)``; members whose run failed are not there.
    members : numpy.ndarray of int
        Which members of the prior they are, shape ``(member,)``.
    alphas : tuple of float
        Factors on R, one per step; their inverses sum to 1.
    misfits : tuple of float
        Before each step (and after the last one with ``run_analysis``): mean over members of
        ``|R^(-1/2) (d - y)|^2 / obs``.
    predicted : numpy.ndarray or None
        Predicted observations of the analysis, shape ``(member, obs)``; only with ``run_analysis``.
    message : str
        What was done, a sentence.
    """

    ensemble: np.ndarray
    members: np.ndarray
    alphas: tuple[float, ...]
    misfits: tuple[float, ...]
    predicted: np.ndarray | None
    message: str


def esmda(
    forward: Callable[[np.ndarray], Any],
    E: Any,
    d: Any,
    R: Any,
    *,
    alphas: int | Sequence[float] | str = 4,
    method: str = "enkf",
    adaptive: float | str | None = None,
    steps_limit: int = 20,
    failure_limit: float = 0.5,
    run_analysis: bool = False,
    rng: np.random.Generator | int | None = None,
    **options: Any,
) -> MultipleAnalysis:
    """Estimate parameters or initial states by multiple data assimilation.

    Parameters
    ----------
    forward : callable
        Runs the model: ensemble ``(member, state)`` -> predicted observations ``(member, obs)``. A member whose run
        failed has a value that is not finite.
    E : array_like
        Prior ensemble, shape ``(member, state)``.
    d, R : array_like
        Observations ``(obs,)``; error variances ``(obs,)``, or covariance ``(obs, obs)`` without localisation by
        distance.
    alphas : int, sequence of float or "auto"
        Number of steps with equal factors; or the factors on R, whose inverses sum to 1 (see `geometric_alphas`); or
        ``auto``: chosen from the misfits of the members as the analysis goes (see Notes).
    method : str
        Filter of each step. ``enkf``: perturbed observations, drawn anew in each step; ``etkf`` or any other
        deterministic filter. A local one where ``options`` has places.
    adaptive : float or "auto", optional
        Localisation by correlation, with places or without: a state element is updated by the observations with which
        its sample correlation is larger than this, the more the larger it is, as in `analyse_local`; ``auto``:
        ``3/sqrt(N)``. Where R is a matrix, or the filter has no local version, as in `analyse_correlated`.
    steps_limit : int
        Largest number of steps of ``auto``; the last takes what is left to 1.
    failure_limit : float
        Largest share of the prior members whose runs may fail, 0 to 1; they are left out from there on.
    run_analysis : bool
        Run the model for the analysis too.
    rng : numpy.random.Generator or int, optional
        Source of the perturbations.
    **options
        Options of each analysis: those of `analyse`, or of `analyse_local` with ``coords_state``, ``coords_obs``,
        ``radius``.

    Returns
    -------
    MultipleAnalysis
        Analysis and how it was found.

    Raises
    ------
    InputError
        If an argument does not fit.
    StateError
        If more members fail than allowed.

    Notes
    -----
    With a linear model and Gaussian errors any factors with sum(1/alpha) = 1 give the Kalman update: of the ensemble
    itself with a deterministic filter, in the limit of many members with perturbed observations [1]_.

    ``auto`` is the data misfit controller of Iglesias and Yang [2]_: with the misfits Phi_j = |R^(-1/2)(d - y_j)|^2/2
    of the members and M observations, 1/alpha = max(M/(2 mean Phi), sqrt(M/(2 var Phi))), and what is left to 1 at the
    end: large factors while the members are far from the observations, small ones when they are near.

    References
    ----------
    .. [1] Emerick, A. A., and Reynolds, A. C. (2013). Ensemble smoother with multiple data assimilation. Comput.
       Geosci. 55, 3-15.
    .. [2] Iglesias, M., and Yang, Y. (2021). Adaptive regularisation for ensemble Kalman inversion. Inverse Problems
       37, 025008.

    Examples
    --------
    >>> import numpy as np
    >>> E = np.random.default_rng(0).normal(1.0, 1.0, (50, 1))
    >>> result = esmda(lambda E: np.exp(E), E, d=[np.exp(2.0)], R=[0.01], alphas=[8.0, 4.0, 8 / 3, 4.0], method="etkf")
    >>> bool(abs(result.ensemble.mean() - 2.0) < 0.05)
    True
    """
    check_forward(forward)
    ensemble = arguments.to_floats("E (member, state)", E, 2)
    observed = arguments.to_floats("d (obs)", d, 1)
    factors = _check_alphas(alphas)
    if isinstance(steps_limit, bool) or int(steps_limit) != steps_limit or steps_limit < 1:
        raise InputError(f"steps_limit must be a whole number of at least 1; got {steps_limit!r}")
    limit = check_share(failure_limit)
    if options.get("return_diagnostics"):
        raise InputError("esmda returns misfits of every step; return_diagnostics belongs to a single analysis")
    generator = arguments.check_generator(rng)
    variances = arguments.to_floats("R", R, 2 if np.ndim(R) == 2 else 1)
    nprior, members = len(ensemble), np.arange(len(ensemble))
    taken: list[float] = []
    misfits: list[float] = []
    done = 0.0
    while len(taken) < (steps_limit if factors is None else len(factors)) and done < 1.0:
        predicted = np.asarray(forward(ensemble))
        good = successful(predicted, nprior, limit, nobs=observed.size, nmember=len(ensemble))
        ensemble, members, predicted = ensemble[good], members[good], predicted[good].astype(np.float64)
        losses = _misfits(ensemble, predicted, observed, variances)
        misfits.append(float(losses.mean() * 2.0 / max(observed.size, 1)))
        if factors is None:
            share = _misfit_controller(losses, observed.size)
            share = 1.0 - done if len(taken) + 1 == steps_limit else min(share, 1.0 - done)
            alpha, done = 1.0 / share, 1.0 if share == 1.0 - done else done + share
        else:
            alpha = factors[len(taken)]
        taken.append(alpha)
        ensemble = _update(ensemble, predicted, observed, alpha * variances, method, adaptive, generator, options)
    last = None
    if run_analysis:
        last = np.asarray(forward(ensemble))
        good = successful(last, nprior, limit, nobs=observed.size, nmember=len(ensemble))
        ensemble, members, last = ensemble[good], members[good], last[good].astype(np.float64)
        misfits.append(float(_misfits(ensemble, last, observed, variances).mean() * 2.0 / max(observed.size, 1)))
    return MultipleAnalysis(
        ensemble, members, tuple(taken), tuple(misfits), last, _message(taken, factors is None, steps_limit, nprior,
                                                                        len(members)))


def geometric_alphas(steps: int, ratio: float) -> tuple[float, ...]:
    """Return factors that fall geometrically: alpha_k proportional to ``ratio**k``, sum of inverses 1.

    Parameters
    ----------
    steps : int
        Number of factors, at least 1.
    ratio : float
        Each factor over the one before, in (0, 1]; 1: all equal.

    Returns
    -------
    tuple of float
        Factors.

    Raises
    ------
    InputError
        If an argument is out of range.

    References
    ----------
    .. [1] Rafiee, J., and Reynolds, A. C. (2017). Theoretical and efficient practical procedures for the generation of
       inflation factors for ES-MDA. Inverse Problems 33, 115003.
    .. [2] Emerick, A. A. (2019). Analysis of geometric selection of the data-error covariance inflation for ES-MDA.
       J. Petrol. Sci. Eng. 182, 106168.

    Examples
    --------
    >>> geometric_alphas(3, 0.5)
    (7.0, 3.5, 1.75)
    """
    if isinstance(steps, bool) or int(steps) != steps or steps < 1:
        raise InputError(f"steps must be a whole number of at least 1; got {steps!r}")
    ratio = arguments.check_number("ratio", ratio, 0.0, 1.0, open_low=True)
    series = ratio ** np.arange(int(steps))
    return tuple(float(one) for one in series * (1.0 / series).sum())


def _check_alphas(alphas: Any) -> tuple[float, ...] | None:
    """Return the factors, scaled to sum(1/alpha) = 1; None for ``auto``."""
    if isinstance(alphas, str):
        if alphas != "auto":
            raise InputError(f"alphas must be a number of steps, a list of factors or 'auto'; got {alphas!r}")
        return None
    if np.ndim(alphas) == 0:
        if isinstance(alphas, bool) or int(alphas) != alphas or alphas < 1:
            raise InputError(f"alphas, as a number of steps, must be a whole number of at least 1; got {alphas!r}")
        return (float(alphas),) * int(alphas)
    factors = arguments.to_floats("alphas", alphas, 1)
    if not len(factors) or (factors <= 0).any():
        raise InputError(f"alphas must be factors above 0, at least one; got {factors.tolist()}")
    total = (1.0 / factors).sum()
    if abs(total - 1.0) > SUM_TOLERANCE:
        raise InputError(
            f"the inverses of alphas must sum to 1 (each observation counts once); they sum to {total:.6g}. "
            f"Multiply all by that: {(factors * total).round(4).tolist()}"
        )
    return tuple(float(one) for one in factors * total)


def _misfits(ensemble: np.ndarray, predicted: np.ndarray, observed: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """Return half the squared misfit of every member, shape ``(member,)``."""
    anomalies, innovation = whitened_problem(ensemble, predicted, observed, variances)
    return 0.5 * ((innovation - anomalies) ** 2).sum(axis=1)


def _misfit_controller(losses: np.ndarray, nobs: int) -> float:
    """Return 1/alpha of Iglesias and Yang (2021), section 3; at most 1."""
    mean, variance = losses.mean(), losses.var(ddof=1)
    if 2.0 * mean <= nobs or 2.0 * variance <= nobs:
        return 1.0
    return float(max(nobs / (2.0 * mean), np.sqrt(nobs / (2.0 * variance))))


def _update(
    ensemble: np.ndarray, predicted: np.ndarray, observed: np.ndarray, variances: np.ndarray, method: str,
    adaptive: float | str | None, generator: np.random.Generator, options: dict[str, Any]
) -> np.ndarray:
    """Run one analysis, localised by distance, by correlation, by both or not at all."""
    if adaptive is None:
        return update_ensemble(ensemble, predicted, observed, variances, method, generator, options)
    if not is_local(options):
        local = f"l{str(method).lower()}"
        if variances.ndim == 2 or local not in LOCAL_FILTERS:
            return analyse_correlated(
                ensemble, predicted, observed, variances, method, threshold=adaptive, rng=generator, **options)
        method = local
        options = {**_EVERYWHERE, "coords_state": np.zeros(ensemble.shape[1]), "coords_obs": np.zeros(observed.size),
                   **({"localise": "errors"} if method == "lenkf" else {}), **options}
    return update_ensemble(
        ensemble, predicted, observed, variances, method, generator, {**options, "adaptive": adaptive})


def _message(taken: list[float], is_auto: bool, steps_limit: int, nprior: int, nleft: int) -> str:
    """Return what was done."""
    text = f"{len(taken)} steps with factors " + ", ".join(f"{one:.4g}" for one in taken)
    if is_auto and len(taken) == steps_limit:
        text += f"; ended at its bound of {steps_limit} steps, where the last takes what was left: look at the misfits"
    lost = nprior - nleft
    return text + (f"; {lost} of {nprior} members failed and are left out" if lost else "")


__all__ = ["MultipleAnalysis", "esmda", "geometric_alphas"]
