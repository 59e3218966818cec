"""Local filters: one small analysis per local domain, with the observations around it."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyland.assimilate import arguments
from pyland.assimilate.diagnostics import AnalysisDiagnostics, empty
from pyland.base.errors import InputError
from pyland.core import filters as core


def analyse_local(
    E: Any,
    Y: Any,
    d: Any,
    R: Any,
    coords_state: Any,
    coords_obs: Any,
    radius: float,
    method: str = "letkf",
    *,
    taper: str = "gaspari_cohn",
    inflation: float = 1.0,
    relaxation: float = 0.0,
    domain_of_state: Any = None,
    metric: str = "euclidean",
    threads: int | None = None,
    return_diagnostics: bool = False,
) -> np.ndarray | tuple[np.ndarray, AnalysisDiagnostics]:
    """Update an ensemble domain by domain, each with the observations within a radius.

    Parameters
    ----------
    E : array_like
        Prior ensemble, shape ``(member, state)``, any unit; at least 2 members. Not changed.
    Y : array_like
        Predicted observations of each member, shape ``(member, obs)``, in the unit of ``d``: all observations, also on
        a rank that holds a share of the state. Not changed.
    d : array_like
        Observations, shape ``(obs,)``. Without observations the analysis is a copy of ``E``.
    R : array_like
        Observation error variances, shape ``(obs,)``, above 0.
    coords_state : array_like
        Coordinates of the local domains, shape ``(domain, ndim)`` or ``(domain,)``, ndim 1 to 3. One domain per state
        element unless ``domain_of_state`` is given.
    coords_obs : array_like
        Coordinates of the observations, shape ``(obs, ndim)`` or ``(obs,)``.
    radius : float
        Support radius: an observation farther than this has no weight (PDAF: cradius = sradius = radius). In the unit
        of the coordinates, in metres with ``haversine``; above 0, ``inf`` for no localisation.
    method : {"letkf"}
        Local ensemble transform Kalman filter with the symmetric square root.
    taper : {"gaspari_cohn", "exponential", "none"}
        Weight of the inverse error variance with distance s: the fifth-order function of Gaspari and Cohn that vanishes
        at the radius, ``exp(-s/radius)`` cut off at the radius, or 1 up to the radius.
    inflation : float
        Factor on the prior anomalies (PDAF: ``1/sqrt(forget)``), in (0, 100].
    relaxation : float
        Relaxation to the prior spread (RTPS), 0 to 1; the prior spread is that before inflation.
    domain_of_state : array_like of int, optional
        Domain of each state element, shape ``(state,)``, from 0: the layers of a column share one analysis.
    metric : {"euclidean", "haversine"}
        Distance between coordinates; ``haversine``: great circle between (latitude, longitude) in degrees.
    threads : int, optional
        OpenMP threads; the result does not depend on it.
    return_diagnostics : bool
        Return the observation-space statistics as well; each observation is then analysed at its own place.

    Returns
    -------
    numpy.ndarray
        Analysis ensemble, shape ``(member, state)``, a new array whose members are contiguous.
    AnalysisDiagnostics
        Only with ``return_diagnostics``.

    Raises
    ------
    InputError
        If shapes do not fit, a value is not finite, R or the radius is not positive, or an option is unknown.
    UnavailableError
        If ``method`` is a known filter that this version does not have.
    ConvergenceError
        If an eigenvalue iteration does not converge.

    Notes
    -----
    A domain without observations within the radius keeps its ensemble as it is, without inflation (the LETKF of PDAF
    inflates it). Domains are independent: shares of the domains, analysed apart, give the same bits as all at once.

    References
    ----------
    .. [1] Hunt, B. R., Kostelich, E. J., and Szunyogh, I. (2007). Physica D 230, 112-126.
    .. [2] Gaspari, G., and Cohn, S. E. (1999). Q. J. R. Meteorol. Soc. 125, 723-757, eq. 4.10.
    """
    arguments.check_method(method, arguments.LOCAL_FILTERS, arguments.GLOBAL_FILTERS, "analyse")
    inflation = arguments.check_number("inflation", inflation, 0.0, 100.0, open_low=True)
    options = {
        "radius": arguments.check_number("radius", radius, 0.0, np.inf, open_low=True),
        "metric": _check_choice("metric", metric, core.METRICS),
        "taper": _check_choice("taper", taper, core.TAPERS),
        "inflation": inflation,
        "relaxation": arguments.check_number("relaxation", relaxation, 0.0, 1.0),
        "threads": arguments.check_threads(threads),
    }
    if np.ndim(R) == 2:
        raise InputError(
            "R must be a list of variances, shape (obs,), in a local analysis; use analyse for a full matrix"
        )
    problem = arguments.check_problem(E, Y, d, R, inflation, full_covariance=False)
    if problem.innovation.size == 0:
        analysis = np.array(problem.ensemble, order="F")
        return (analysis, empty()) if return_diagnostics else analysis
    domains, places = _check_places(coords_state, coords_obs, problem.innovation.size, metric)
    members = _check_domains(domain_of_state, len(domains), problem.ensemble.shape[1])
    scaled = problem.anomalies, problem.innovation / problem.whiten
    analysis = core.update_local(
        problem.ensemble, *scaled, observation_places=places, domain_places=domains, domain_of_state=members, **options)
    if not return_diagnostics:
        return analysis
    predicted = np.asarray(Y, dtype=np.float64)
    at_observations = {"observation_places": places, "domain_places": places, "domain_of_state": np.arange(len(places))}
    analysed = core.update_local(predicted, *scaled, **at_observations, **options)
    unrelaxed = core.update_local(predicted, *scaled, **at_observations, **{**options, "relaxation": 0.0})
    variance = problem.whiten**2
    return analysis, AnalysisDiagnostics(
        innovation=problem.innovation,
        residual=np.asarray(d, dtype=np.float64) - analysed.mean(axis=0),
        spread_prior=predicted.std(axis=0, ddof=1),
        spread_analysis=analysed.std(axis=0, ddof=1),
        chi2=float((problem.innovation**2 / (variance + inflation**2 * predicted.var(axis=0, ddof=1))).sum()),
        degrees_of_freedom=float((unrelaxed.var(axis=0, ddof=1) / variance).sum()),
    )


def local_weights(
    Y: Any,
    d: Any,
    R: Any,
    coords_state: Any,
    coords_obs: Any,
    radius: float,
    *,
    taper: str = "gaspari_cohn",
    inflation: float = 1.0,
    metric: str = "euclidean",
    threads: int | None = None,
) -> np.ndarray:
    """Return the transform of every local domain as a matrix, to look at or to apply elsewhere.

    Parameters
    ----------
    Y, d, R, coords_state, coords_obs, radius, taper, inflation, metric, threads
        As in `analyse_local`.

    Returns
    -------
    numpy.ndarray
        Weights ``W``, shape ``(domain, member, member)``: the analysis of a state element is
        ``mean(E) + (E - mean(E)) @ W`` in the domain of the element, for any element.

    Raises
    ------
    InputError
        As `analyse_local`.

    Notes
    -----
    Computed by analysing the N unit vectors of member space in every domain, by the code that updates states.
    """
    predicted = arguments.to_floats("Y (member, obs)", Y, 2)
    nmember = predicted.shape[0]
    places = _as_points("coords_state (domain, ndim)", coords_state)
    units = np.tile(np.eye(nmember), (1, len(places)))
    owner = np.repeat(np.arange(len(places)), nmember)
    analysed = analyse_local(
        units, predicted, d, R, places, coords_obs, radius,
        taper=taper, inflation=inflation, metric=metric, threads=threads, domain_of_state=owner)
    return (analysed - 1.0 / nmember).reshape(nmember, len(places), nmember).transpose(1, 2, 0)


def localisation_weights(distances: Any, radius: float, taper: str = "gaspari_cohn") -> np.ndarray:
    """Evaluate the localisation taper.

    Parameters
    ----------
    distances : array_like
        Distances, any shape, at least 0.
    radius : float
        Support radius in the unit of the distances, above 0.
    taper : {"gaspari_cohn", "exponential", "none"}
        As in `analyse_local`.

    Returns
    -------
    numpy.ndarray
        Weights, 0 to 1, same shape; 0 beyond the radius.

    Raises
    ------
    InputError
        If a distance is negative or not finite, or the radius is not positive.
    """
    array = np.asarray(distances)
    flat = arguments.to_floats("distances", array.ravel(), 1)
    if (flat < 0).any():
        raise InputError(f"distances must be at least 0; got {flat.min()!r}")
    radius = arguments.check_number("radius", radius, 0.0, np.inf, open_low=True)
    return core.taper_weights(flat, radius, _check_choice("taper", taper, core.TAPERS)).reshape(array.shape)


def _check_choice(name: str, value: str, choices: dict[str, int]) -> str:
    if value not in choices:
        raise InputError(f"{name} must be one of {', '.join(choices)}; got {value!r}")
    return value


def _as_points(name: str, value: Any) -> np.ndarray:
    """Return coordinates as (point, ndim); a list of numbers is one coordinate each."""
    return arguments.to_floats(name, np.asarray(value)[:, np.newaxis] if np.ndim(value) == 1 else value, 2)


def _check_places(coords_state: Any, coords_obs: Any, nobs: int, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Check coordinates of domains and observations."""
    domains = _as_points("coords_state (domain, ndim)", coords_state)
    places = _as_points("coords_obs (obs, ndim)", coords_obs)
    if len(places) != nobs:
        raise InputError(f"coords_obs must have one row per observation, {nobs}; got shape {places.shape}")
    ndim = places.shape[1]
    if domains.shape[1] != ndim or not 1 <= ndim <= 3:
        raise InputError(
            "coords_state and coords_obs must have the same 1 to 3 coordinates per row; "
            f"got shapes {domains.shape} and {places.shape}"
        )
    if metric == "haversine":
        if ndim != 2:
            raise InputError(f"metric 'haversine' needs (latitude, longitude) per row; got {ndim} coordinates")
        for name, points in (("coords_state", domains), ("coords_obs", places)):
            if len(points) and np.abs(points[:, 0]).max() > 90.0:
                raise InputError(
                    f"{name} must hold (latitude, longitude) in degrees for metric 'haversine'; "
                    f"got a latitude of {points[np.abs(points[:, 0]).argmax(), 0]!r}"
                )
    return domains, places


def _check_domains(domain_of_state: Any, ndomain: int, nstate: int) -> np.ndarray:
    """Return the domain of each state element."""
    if domain_of_state is None:
        if ndomain != nstate:
            raise InputError(
                f"coords_state has {ndomain} rows for {nstate} state elements; give one row per element, "
                "or domain_of_state to share a row"
            )
        return np.arange(nstate)
    members = np.asarray(domain_of_state)
    if members.shape != (nstate,) or not np.issubdtype(members.dtype, np.integer):
        raise InputError(
            f"domain_of_state must hold one whole number per state element, shape ({nstate},); "
            f"got shape {members.shape} of {members.dtype}"
        )
    if nstate and (members.min() < 0 or members.max() >= ndomain):
        raise InputError(
            f"domain_of_state must lie in 0 to {ndomain - 1} (rows of coords_state); "
            f"got {members.min()} to {members.max()}"
        )
    return members


__all__ = ["analyse_local", "local_weights", "localisation_weights"]
