"""Global filters: one update for the whole state."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyland.assimilate import arguments
from pyland.assimilate.diagnostics import AnalysisDiagnostics, empty, signal_and_chi2
from pyland.base.errors import InputError
from pyland.core import filters as core


def analyse(
    E: Any,
    Y: Any,
    d: Any,
    R: Any,
    method: str = "etkf",
    *,
    inflation: float = 1.0,
    relaxation: float = 0.0,
    rng: np.random.Generator | int | None = None,
    threads: int | None = None,
    return_diagnostics: bool = False,
) -> np.ndarray | tuple[np.ndarray, AnalysisDiagnostics]:
    """Update an ensemble with all observations at once.

    Parameters
    ----------
    E : array_like
        Prior ensemble, shape ``(member, state)``, any unit; at least 2 members. Not changed.
    Y : array_like
        Predicted observations of each member, shape ``(member, obs)``, in the unit of ``d``. Not changed.
    d : array_like
        Observations, shape ``(obs,)``. Without observations the analysis is a copy of ``E``.
    R : array_like
        Observation error variances, shape ``(obs,)``, above 0; or error covariance, shape ``(obs, obs)``.
    method : {"etkf", "enkf"}
        ``etkf``: symmetric square root, deterministic. ``enkf``: perturbed observations.
    inflation : float
        Factor on the prior anomalies (on the standard deviation; the forgetting factor rho of PDAF is
        ``inflation = 1/sqrt(rho)``). In (0, 100].
    relaxation : float
        Relaxation to the prior spread (RTPS), 0 to 1; the prior spread is that before inflation.
    rng : numpy.random.Generator or int, optional
        Source of the observation perturbations of ``enkf``; an integer is a seed. Ranks that hold shares of one state
        must pass generators in the same state. None draws fresh entropy and is not reproducible.
    threads : int, optional
        OpenMP threads; the result does not depend on it.
    return_diagnostics : bool
        Return the observation-space statistics as well.

    Returns
    -------
    numpy.ndarray
        Analysis ensemble, shape ``(member, state)``, a new array whose members are contiguous.
    AnalysisDiagnostics
        Only with ``return_diagnostics``.

    Raises
    ------
    InputError
        If shapes do not fit, a value is not finite, R is not positive or an option is out of range.
    UnavailableError
        If ``method`` is a known filter that this version does not have.
    ConvergenceError
        If an eigenvalue iteration does not converge.

    Notes
    -----
    The update of a state element depends on its own members and on ``Y``, ``d``, ``R`` only, so that analysing shares
    of a state gives the same bits as analysing the whole. Cost: O(obs N min(obs, N)) once and O(N min(2 obs, N)) per
    element.
    No system of the order of the observations is solved where they outnumber the members (unless R is a matrix).

    References
    ----------
    .. [1] Bishop, C. H., et al. (2001). Mon. Weather Rev. 129, 420-436. Hunt, B. R., et al. (2007). Physica D 230,
       112-126.
    .. [2] Burgers, G., et al. (1998). Mon. Weather Rev. 126, 1719-1724. Evensen, G. (2003). Ocean Dyn. 53, 343-367.
    .. [3] Whitaker, J. S., and Hamill, T. M. (2012). Mon. Weather Rev. 140, 3078-3089.

    Examples
    --------
    >>> import numpy as np
    >>> from pyland.assimilate import analyse
    >>> E = np.array([[1.0], [2.0], [3.0]])
    >>> analyse(E, E, d=[4.0], R=[1.0]).mean()      # prior variance 1, error variance 1: halfway
    np.float64(3.0)
    """
    name = arguments.check_method(method, arguments.GLOBAL_FILTERS, arguments.LOCAL_FILTERS, "analyse_local")
    inflation = arguments.check_number("inflation", inflation, 0.0, 100.0, open_low=True)
    relaxation = arguments.check_number("relaxation", relaxation, 0.0, 1.0)
    threads = arguments.check_threads(threads)
    problem = arguments.check_problem(E, Y, d, R, inflation, full_covariance=True)
    if problem.innovation.size == 0:
        analysis = np.array(problem.ensemble, order="F")
        return (analysis, empty()) if return_diagnostics else analysis
    innovation = arguments.whitened(problem, problem.innovation)
    if name == "enkf":
        innovations = innovation - problem.anomalies + _perturbations(problem.anomalies.shape, rng)
    else:
        innovations = innovation[np.newaxis]
    options = {"method": name, "inflation": inflation, "relaxation": relaxation, "threads": threads}
    analysis = core.update_global(problem.ensemble, problem.anomalies, innovations, **options)
    if not return_diagnostics:
        return analysis
    predicted = np.asarray(Y, dtype=np.float64)
    analysed = core.update_global(predicted, problem.anomalies, innovations, **options)
    signal, chi2 = signal_and_chi2(problem.anomalies, innovation)
    return analysis, AnalysisDiagnostics(
        innovation=problem.innovation,
        residual=np.asarray(d, dtype=np.float64) - analysed.mean(axis=0),
        spread_prior=predicted.std(axis=0, ddof=1),
        spread_analysis=analysed.std(axis=0, ddof=1),
        chi2=chi2,
        degrees_of_freedom=signal,
    )


def _perturbations(shape: tuple[int, int], rng: np.random.Generator | int | None) -> np.ndarray:
    """Draw whitened observation perturbations (member, obs) with zero mean over the members."""
    try:
        generator = np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise InputError(f"rng must be a numpy.random.Generator, a seed or None; got {rng!r}") from error
    draws = generator.standard_normal(shape)
    return draws - draws.mean(axis=0)


__all__ = ["analyse"]
