"""Global filters: one update for the whole state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pyland.assimilate import arguments
from pyland.assimilate.diagnostics import AnalysisDiagnostics, empty, signal_and_chi2
from pyland.assimilate.filter_options import check_bounds, check_options, weight_options
from pyland.assimilate.filter_table import FilterInfo, find_filter
from pyland.assimilate.particle_filter import draw_particles
from pyland.assimilate.random_numbers import centred_normal
from pyland.assimilate.treatment import make_treatment, without_observations
from pyland.base.errors import InputError
from pyland.core import filters as core
from pyland.core.localisation import TAPERS, Localisation
from pyland.core.transforms import weight_matrix

STATES_OF_A_TASK = 64
"""State elements that a thread of a serial filter takes at a time."""


def analyse(
    E: Any,
    Y: Any,
    d: Any,
    R: Any,
    method: str = "etkf",
    *,
    inflation: float = 1.0,
    relaxation: float = 0.0,
    relaxation_to: str = "spread",
    rotation: bool = False,
    rng: np.random.Generator | int | None = None,
    threads: int | None = None,
    return_diagnostics: bool = False,
    **options: Any,
) -> np.ndarray | tuple[np.ndarray, AnalysisDiagnostics]:
    """Update an ensemble with all observations at once.

    Parameters
    ----------
    E : array_like
        Prior ensemble, shape ``(member, state)``, any unit; at least 2 members. Not changed.
    Y : array_like
        Predicted observations of each member, shape ``(member, obs)``, in the unit of ``d``. Not changed.
    d : array_like
        Observations, shape ``(obs,)``. Without observations the analysis is a copy of ``E``, mixed where ``rotation``
        asks for it.
    R : array_like
        Observation error variances, shape ``(obs,)``, above 0; or error covariance, shape ``(obs, obs)``.
    method : {"etkf", "estkf", "enkf", "denkf", "seik", "ensrf", "eakf", "rhf", "netf", "knetf", "pf"}
        Filter, see `FILTERS`.
    inflation : float
        Factor on the prior anomalies (on the standard deviation; the forgetting factor rho of PDAF is
        ``inflation = 1/sqrt(rho)``). In (0, 100].
    relaxation : float
        Relaxation to the prior before inflation, 0 to 1.
    relaxation_to : {"spread", "perturbations"}
        Relax to the prior spread (RTPS) or to the prior anomalies (RTPP).
    rotation : bool
        Mix the analysis anomalies by a random orthogonal matrix that keeps mean and covariance.
    rng : numpy.random.Generator or int, optional
        Source of perturbations, resampling and rotation; an integer is a seed. Ranks that hold shares of one state
        must pass generators in the same state. None draws fresh entropy and is not reproducible.
    threads : int, optional
        OpenMP threads; the result does not depend on it.
    return_diagnostics : bool
        Return the observation-space statistics as well.
    **options
        Of single filters: ``root`` ("symmetric", "cholesky") of ``seik``; ``likelihood`` ("gaussian", "laplace") and
        ``least_effective`` (least effective sample size over N) of ``netf``, with ``variant`` ("hnk", "hkn", "hsync"),
        ``hybrid_rule`` ("fixed", "lin", "alpha", "ska", "sklin"), ``hybrid_weight`` and ``hybrid_norm`` of ``knetf``,
        see `global_weights`; ``bounds`` (lower, upper) of the observed quantity, numbers or ``(obs,)``, of ``rhf``;
        ``jitter``, ``resampling``, ``dimension`` (of the whole state, where ``E`` is a share of it), ``likelihood`` and
        ``least_effective`` of ``pf``, see `particle_analysis`.

    Returns
    -------
    numpy.ndarray
        Analysis ensemble, shape ``(member, state)``, a new array.
    AnalysisDiagnostics
        Only with ``return_diagnostics``.

    Raises
    ------
    InputError
        If shapes do not fit, a value is not finite, R is not positive, or an option is out of range or belongs to
        another filter.
    UnavailableError
        If ``method`` is a known filter that pyland does not have.
    ConvergenceError
        If an eigenvalue iteration does not converge.

    Notes
    -----
    The update of a state element depends on its own members and on ``Y``, ``d``, ``R`` only, so that analysing shares
    of a state gives the same bits as analysing the whole. Cost: O(obs N min(obs, N)) once and O(N min(2 obs, N)) per
    element; of the serial filters O(obs^2 N) once.
    No system of the order of the observations is solved where they outnumber the members (unless R is a matrix).

    References
    ----------
    .. [1] Bishop, C. H., et al. (2001). Mon. Weather Rev. 129, 420-436. Hunt, B. R., et al. (2007). Physica D 230,
       112-126.
    .. [2] Burgers, G., et al. (1998). Mon. Weather Rev. 126, 1719-1724. Evensen, G. (2003). Ocean Dyn. 53, 343-367.
    .. [3] Whitaker, J. S., and Hamill, T. M. (2012). Mon. Weather Rev. 140, 3078-3089. Zhang, F., Snyder, C., and Sun,
       J. (2004). Mon. Weather Rev. 132, 1238-1253.
    .. [4] docs/theory/assimilation.md has those of the other filters.

    Examples
    --------
    >>> import numpy as np
    >>> from pyland.assimilate import analyse
    >>> E = np.array([[1.0], [2.0], [3.0]])
    >>> analyse(E, E, d=[4.0], R=[1.0]).mean()      # prior variance 1, error variance 1: halfway
    np.float64(3.0)
    """
    chosen = find_filter(method, is_local=False)
    check_options(chosen.name, options)
    inflation = arguments.check_number("inflation", inflation, 0.0, 100.0, open_low=True)
    problem = arguments.check_problem(E, Y, d, R, inflation, full_covariance=True)
    generator = arguments.check_generator(rng) if rotation or not chosen.is_deterministic else None
    treatment = make_treatment(
        len(problem.ensemble), inflation=inflation, relaxation=relaxation, relaxation_to=relaxation_to,
        rotation=rotation, generator=generator, threads=threads)
    if chosen.family == "particle":
        _refuse_for_particles(treatment)
    if problem.size == 0:
        analysis = without_observations(problem.ensemble, treatment)
        return (analysis, empty()) if return_diagnostics else analysis
    update = _update(chosen, problem, treatment, generator, options)
    analysis = update(problem.ensemble)
    if not return_diagnostics:
        return analysis
    analysed = update(problem.predicted)
    signal, chi2 = signal_and_chi2(problem.anomalies, problem.scaled)
    return analysis, AnalysisDiagnostics(
        innovation=problem.innovation,
        residual=problem.observed - analysed.mean(axis=0),
        spread_prior=problem.predicted.std(axis=0, ddof=1),
        spread_analysis=analysed.std(axis=0, ddof=1),
        chi2=chi2,
        degrees_of_freedom=signal,
    )


def _update(
    chosen: FilterInfo, problem: arguments.Problem, treatment: core.Treatment,
    generator: np.random.Generator | None, options: Mapping[str, Any],
) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function that updates a state or its prediction of the observations, by the same transform."""
    if chosen.family == "serial":
        return _serial_update(chosen, problem, treatment, options)
    if chosen.family == "particle":
        options = {"dimension": max(1, problem.ensemble.shape[1]), **options}
        return draw_particles(problem, generator, options).apply  # drawn once, for a state and for its prediction
    if chosen.family == "weights":
        weights = weight_matrix(problem.anomalies, problem.scaled[np.newaxis], method=chosen.kernel,
                                **weight_options(chosen.kernel, options))
        return lambda state: core.update_by_weights(state, weights, treatment)
    kind = "etkf" if chosen.kernel == "estkf" else chosen.kernel
    innovations = problem.scaled[np.newaxis]
    if kind == "enkf":
        innovations = problem.scaled - problem.anomalies + centred_normal(problem.anomalies.shape, generator)
    return lambda state: core.update_global(state, problem.anomalies, innovations, kind, treatment)


def _serial_update(
    chosen: FilterInfo, problem: arguments.Problem, treatment: core.Treatment, options: Mapping[str, Any]
) -> Callable[[np.ndarray], np.ndarray]:
    """Return the update of a serial filter; correlated errors are made independent first."""
    anomalies, mean, observed = problem.anomalies, np.zeros(problem.size), problem.scaled
    variance = np.ones(problem.size)
    bounds = np.tile([-np.inf, np.inf], (problem.size, 1))
    if chosen.kernel == "rhf":
        if problem.whiten.ndim == 2:
            raise InputError("R must be a list of variances, shape (obs,), for method 'rhf'")
        bounds = check_bounds(options.get("bounds"), problem.predicted)
        mean = problem.observed - problem.innovation
        anomalies, observed, variance = anomalies * problem.whiten, problem.observed, problem.whiten**2
    kind, nmember = "rhf" if chosen.kernel == "rhf" else "ensrf", len(problem.ensemble)

    def regress(state: np.ndarray, treatment: core.Treatment) -> np.ndarray:
        task = np.arange(state.shape[1]) // STATES_OF_A_TASK
        everywhere = Localisation.by_place(
            np.zeros((problem.size, 1)), np.zeros((int(task[-1]) + 1 if task.size else 0, 1)),
            radius=np.full(problem.size, np.inf), taper=np.full(problem.size, TAPERS["none"]), metric="euclidean",
            period=np.zeros(1))
        return core.update_serial(
            everywhere, state, task, anomalies, mean, observed, variance, bounds, kind, treatment)

    if problem.size < nmember:
        return lambda state: regress(state, treatment)
    # many observations: the same regressions of the unit vectors are the weights of every element
    weights = (regress(np.eye(nmember), core.Treatment(threads=treatment.threads)) - 1.0 / nmember).T
    return lambda state: core.update_by_weights(state, weights, treatment)


def _refuse_for_particles(treatment: core.Treatment) -> None:
    """Particles are copied as they are."""
    for name, present in (("inflation", treatment.inflation != 1.0), ("relaxation", treatment.relaxation > 0.0),
                          ("rotation", treatment.rotation is not None)):
        if present:
            raise InputError(f"{name} is not for method 'pf', which copies particles as they are; use jitter")


__all__ = ["analyse"]
