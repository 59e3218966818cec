"""Local filters: one small analysis per local domain, with the observations around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyland.assimilate import arguments
from pyland.assimilate.diagnostics import AnalysisDiagnostics, empty
from pyland.assimilate.distances import Distances
from pyland.assimilate.filter_options import LOCALISE, check_bounds, check_options, weight_options
from pyland.assimilate.filter_table import FilterInfo, find_filter
from pyland.assimilate.links import Links, link
from pyland.assimilate.random_numbers import centred_normal
from pyland.assimilate.treatment import make_treatment, without_observations
from pyland.base.errors import InputError
from pyland.core import filters as core
from pyland.core.localisation import TAPERS, Localisation, taper_weights


def analyse_local(
    E: Any,
    Y: Any,
    d: Any,
    R: Any,
    coords_state: Any,
    coords_obs: Any,
    radius: Any,
    method: str = "letkf",
    *,
    taper: Any = "gaspari_cohn",
    inflation: float = 1.0,
    relaxation: float = 0.0,
    relaxation_to: str = "spread",
    domain_of_state: Any = None,
    metric: str = "euclidean",
    period: Any = None,
    depth_state: Any = None,
    depth_obs: Any = None,
    depth_radius: Any = None,
    depth_taper: str = "gaspari_cohn",
    distances: Distances | None = None,
    adaptive: float | str | None = None,
    error_group: Any = None,
    error_length: Any = None,
    inflate_unobserved: bool = False,
    rotation: bool = False,
    rng: np.random.Generator | int | None = None,
    threads: int | None = None,
    return_diagnostics: bool = False,
    **options: Any,
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
        Observations, shape ``(obs,)``; without any, all domains are domains without observations.
    R : array_like
        Observation error variances, shape ``(obs,)``, above 0.
    coords_state : array_like
        Coordinates of the local domains, shape ``(domain, ndim)`` or ``(domain,)``, ndim 1 to 3. One domain per state
        element unless ``domain_of_state`` is given. With ``distances``: the number of domains.
    coords_obs : array_like
        Coordinates of the observations, shape ``(obs, ndim)`` or ``(obs,)``; None with ``distances``. For an
        anisotropic support divide the coordinates of both by the radius along each axis.
    radius : float or array_like
        Support radius, of all observations or ``(obs,)``: farther than this an observation has no weight (PDAF:
        cradius = sradius = radius). In the unit of the coordinates, in metres with ``haversine``; above 0, ``inf`` for
        no localisation.
    method : {"letkf", "lestkf", "lseik", "ldenkf", "lenkf", "lensrf", "leakf", "lrhf", "lnetf", "lknetf"}
        Filter, see `FILTERS`.
    taper : {"gaspari_cohn", "exponential", "none"} or sequence of them
        Weight of the inverse error variance (of the regression in serial filters, of the covariance in the LEnKF) with
        distance s: the fifth-order function of Gaspari and Cohn that vanishes at the radius, ``exp(-s/radius)`` cut off
        at the radius, or 1 up to the radius; one for all observations, or one for each.
    inflation : float
        Factor on the prior anomalies (PDAF: ``1/sqrt(forget)``), in (0, 100].
    relaxation : float
        Relaxation to the prior before inflation, 0 to 1.
    relaxation_to : {"spread", "perturbations"}
        Relax to the prior spread (RTPS) or to the prior anomalies (RTPP).
    domain_of_state : array_like of int, optional
        Domain of each state element, shape ``(state,)``, from 0: the layers of a column share one analysis.
    metric : {"euclidean", "haversine"}
        Distance between coordinates; ``haversine``: great circle between (latitude, longitude) in degrees.
    period : array_like, optional
        Length of each axis that is periodic, 0 for one that is not, shape ``(ndim,)``; ``euclidean`` only.
    depth_state, depth_obs, depth_radius, depth_taper
        Localisation in 2+1 dimensions: depths of the domains ``(domain,)`` and of the observations ``(obs,)`` (NaN for
        one that sees all depths alike) [m], support over depth [m], number or ``(obs,)``, and taper over depth. The
        weight is the product with that of the distance; layers then are domains of their own.
    distances : Distances, optional
        Pairs of domains and observations with their distances instead of coordinates, as of `river_distances`.
    adaptive : float or "auto", optional
        Multiply weights by a function of the sample correlation r between state and predicted observation, that of
        Gaspari and Cohn of (1 - abs(r))/(1 - adaptive) where abs(r) is at least ``adaptive``, 0 below (after Luo and
        Bhakta 2020); ``auto`` is 3/sqrt(N), at most 0.9. Each element of a domain has weights of its own.
    error_group, error_length : array_like, optional
        Groups ``(obs,)`` within which errors are correlated, exp(-distance/length), and the length, number or
        ``(obs,)``. Filters in the space of members only.
    inflate_unobserved : bool
        Inflate domains without observations within their radius too, as the LETKF of PDAF does.
    rotation : bool
        Mix the analysis anomalies of all domains by one random orthogonal matrix that keeps mean and covariance.
    rng : numpy.random.Generator or int, optional
        Source of perturbations and rotation; an integer is a seed. Ranks that hold shares of one state must pass
        generators in the same state. None draws fresh entropy and is not reproducible.
    threads : int, optional
        OpenMP threads; the result does not depend on it.
    return_diagnostics : bool
        Return the observation-space statistics as well; each observation is then analysed at its own place.
    **options
        Of single filters as in `analyse`, and ``localise`` ("covariance", "errors") of ``lenkf``: localise covariances
        (Houtekamer and Mitchell 2001), or error variances as the LETKF.

    Returns
    -------
    numpy.ndarray
        Analysis ensemble, shape ``(member, state)``, a new array whose members are contiguous.
    AnalysisDiagnostics
        Only with ``return_diagnostics``.

    Raises
    ------
    InputError
        If shapes do not fit, a value is not finite, R or the radius is not positive, or an option is unknown or belongs
        to another filter.
    UnavailableError
        If ``method`` is a known filter that pyland does not have.
    ConvergenceError
        If an eigenvalue iteration or the conjugate gradients of the LEnKF do not converge.

    Notes
    -----
    A domain without observations within the radius keeps its ensemble as it is, unless inflation
    (``inflate_unobserved``) or ``rotation`` is asked for.
    Domains are independent: shares of the domains, analysed apart, give the same bits as all at once. Serial filters
    take observations in the order in which they come.

    References
    ----------
    .. [1] Hunt, B. R., Kostelich, E. J., and Szunyogh, I. (2007). Physica D 230, 112-126.
    .. [2] Gaspari, G., and Cohn, S. E. (1999). Q. J. R. Meteorol. Soc. 125, 723-757, eq. 4.10.
    .. [3] Houtekamer, P. L., and Mitchell, H. L. (2001). Mon. Weather Rev. 129, 123-137.
    .. [4] Anderson, J. L. (2003). Mon. Weather Rev. 131, 634-642.
    .. [5] Luo, X., and Bhakta, T. (2020). J. Pet. Sci. Eng. 184, 106559.
    """
    chosen = find_filter(method, is_local=True)
    check_options(chosen.name, options)
    if np.ndim(R) == 2:
        raise InputError("R must be a list of variances, shape (obs,), in a local analysis; use analyse for a full "
                         "matrix, or error_group and error_length for errors correlated with distance")
    inflation = arguments.check_number("inflation", inflation, 0.0, 100.0, open_low=True)
    problem = arguments.check_problem(E, Y, d, R, inflation, full_covariance=False)
    generator = arguments.check_generator(rng) if rotation or not chosen.is_deterministic else None
    treatment = make_treatment(
        len(problem.ensemble), inflation=inflation, relaxation=relaxation, relaxation_to=relaxation_to,
        rotation=rotation, generator=generator, threads=threads, inflate_unobserved=inflate_unobserved)
    if problem.size == 0:
        analysis = without_observations(problem.ensemble, treatment)
        return (analysis, empty()) if return_diagnostics else analysis
    links = link(
        coords_state, coords_obs, radius, nobs=problem.size, nmember=len(problem.ensemble), taper=taper, metric=metric,
        period=period, depth_state=depth_state, depth_obs=depth_obs, depth_radius=depth_radius,
        depth_taper=depth_taper, distances=distances, adaptive=adaptive, error_group=error_group,
        error_length=error_length)
    domains = _check_domains(domain_of_state, links.ndomain, problem.ensemble.shape[1])
    update = _Update(chosen, problem, links, generator, options)
    analysis = update(problem.ensemble, links.domains(), domains, treatment)
    if not return_diagnostics:
        return analysis
    return analysis, _diagnose(update, treatment)


class _Update:
    """The update of states in local domains by one set of observations; checks what the filter allows."""

    def __init__(
        self, chosen: FilterInfo, problem: arguments.Problem, links: Links, generator: np.random.Generator | None,
        options: Mapping[str, Any],
    ) -> None:
        self.chosen, self.problem, self.links = chosen, problem, links
        self._localise = "errors"
        if chosen.family == "covariance":
            self._localise = arguments.check_choice("localise", options.get("localise", "covariance"), LOCALISE)
        by_regression = chosen.family == "serial" or self._localise == "covariance"
        if by_regression and links.has_correlated_errors:
            raise InputError(f"error_group is for filters in the space of members; '{chosen.name}' takes observations "
                             "with independent errors")
        if by_regression and links.distances is not None:
            raise InputError(f"distances are for filters in the space of members; '{chosen.name}' needs distances "
                             "between observations too: give coordinates")
        if self._localise == "covariance" and links.is_adaptive:
            raise InputError("adaptive is not for localised covariances, which it can make indefinite; use "
                             "localise='errors' or another filter")
        if self._localise == "covariance" and links.is_cut_off:
            raise InputError("taper must be gaspari_cohn for localised covariances: a taper that is cut off at the "
                             "radius makes them indefinite; or use localise='errors'")
        self._noise = centred_normal(problem.anomalies.shape, generator) if chosen.kernel == "enkf" else None
        self._bounds = check_bounds(options.get("bounds"), problem.predicted) if chosen.family == "serial" else None
        self._options = weight_options(chosen.kernel, options) if chosen.family == "weights" else {}

    def __call__(
        self, state: np.ndarray, localisation: Localisation, domains: np.ndarray, treatment: core.Treatment
    ) -> np.ndarray:
        """Return the analysis of ``state`` (member, state), whose elements lie in ``domains`` (state,)."""
        problem, kernel = self.problem, self.chosen.kernel
        if self.chosen.family == "serial":
            return core.update_serial(
                localisation, state, domains, problem.anomalies * problem.whiten,
                problem.observed - problem.innovation, problem.observed, problem.whiten**2, self._bounds,
                "rhf" if kernel == "rhf" else "ensrf", treatment)
        if self._localise == "covariance":
            innovations = problem.scaled - problem.anomalies + self._noise
            return core.update_covariance(
                localisation, state, domains, problem.anomalies, innovations, treatment)
        if self.chosen.family == "weights":
            return core.update_local_weights(
                localisation, state, domains, problem.anomalies, problem.scaled, kernel, treatment, **self._options)
        return core.update_local(
            localisation, state, domains, problem.anomalies, problem.scaled, self._noise,
            "etkf" if kernel == "estkf" else kernel, treatment)


def _diagnose(update: _Update, treatment: core.Treatment) -> AnalysisDiagnostics:
    """Analyse each observation at its own place."""
    problem, own = update.problem, np.arange(update.problem.size)
    places = update.links.at_observations()
    analysed = update(problem.predicted, places, own, treatment)
    gain = core.Treatment(inflation=treatment.inflation, threads=treatment.threads)
    optimal = core.update_local(
        places, problem.predicted, own, problem.anomalies, problem.scaled, None, "etkf", gain)
    variance, inflated = problem.whiten**2, problem.anomalies * problem.whiten
    return AnalysisDiagnostics(
        innovation=problem.innovation,
        residual=problem.observed - analysed.mean(axis=0),
        spread_prior=problem.predicted.std(axis=0, ddof=1),
        spread_analysis=analysed.std(axis=0, ddof=1),
        chi2=float((problem.innovation**2 / (variance + inflated.var(axis=0, ddof=1))).sum()),
        degrees_of_freedom=float((optimal.var(axis=0, ddof=1) / variance).sum()),
    )


def local_weights(
    Y: Any,
    d: Any,
    R: Any,
    coords_state: Any,
    coords_obs: Any,
    radius: Any,
    method: str = "letkf",
    *,
    inflation: float = 1.0,
    **options: Any,
) -> np.ndarray:
    """Return the transform of every local domain as a matrix, to look at or to apply elsewhere.

    Parameters
    ----------
    Y, d, R, coords_state, coords_obs, radius, method, inflation, **options
        As in `analyse_local`, of filters in the space of members; not what depends on the state element (``adaptive``,
        relaxation to the spread, ``domain_of_state``), nor ``return_diagnostics``.

    Returns
    -------
    numpy.ndarray
        Weights ``W``, shape ``(domain, member, member)``: the analysis of a state element is
        ``mean(E) + (E - mean(E)) @ W`` in the domain of the element, for any element.

    Raises
    ------
    InputError
        As `analyse_local`; or if the analysis of an element is not a matrix of its domain.

    Notes
    -----
    Computed by analysing the N unit vectors of member space in every domain, by the code that updates states.
    """
    chosen = find_filter(method, is_local=True)
    if chosen.family == "serial" or (chosen.family == "covariance" and options.get("localise") != "errors"):
        raise InputError(f"method '{method}' has no weights: each state element follows on its own")
    _refuse_without_weights(options)
    predicted = arguments.to_floats("Y (member, obs)", Y, 2)
    nmember = predicted.shape[0]
    ndomain = coords_state if options.get("distances") is not None else len(np.asarray(coords_state))
    units = np.tile(np.eye(nmember), (1, ndomain))
    owner = np.repeat(np.arange(ndomain), nmember)
    analysed = analyse_local(
        units, predicted, d, R, coords_state, coords_obs, radius, method, inflation=inflation, domain_of_state=owner,
        **options)
    return (analysed - 1.0 / nmember).reshape(nmember, ndomain, nmember).transpose(1, 2, 0)


def _refuse_without_weights(options: Mapping[str, Any]) -> None:
    """Refuse what makes the analysis depend on more than the domain: unit vectors would give the wrong matrix."""
    for name, is_given, why in (
        ("adaptive", options.get("adaptive") is not None, "weights by correlation are those of each state element"),
        ("relaxation", options.get("relaxation", 0.0) != 0.0 and options.get("relaxation_to", "spread") == "spread",
         "relaxation to the spread has a factor of its own for each state element; relaxation_to='perturbations' has "
         "weights"),
        ("domain_of_state", options.get("domain_of_state") is not None, "there is one matrix for each domain"),
        ("return_diagnostics", bool(options.get("return_diagnostics", False)), "ask analyse_local for them"),
    ):
        if is_given:
            raise InputError(f"{name} is not for local_weights: {why}")


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
    return taper_weights(flat, radius, arguments.check_choice("taper", taper, TAPERS)).reshape(array.shape)


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
