"""3D-Var, 3D ensemble variational and hybrid 3D-Var: the same analysis by minimisation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.sparse.linalg import LinearOperator, cg

from pyland.assimilate import arguments
from pyland.assimilate.any_filter import update_ensemble, whitened_problem
from pyland.assimilate.ensemble_gauss_newton import BUNDLE_WIDTH
from pyland.base.errors import ConvergenceError, InputError

METHODS = ("3dvar", "3denvar", "hybrid3dvar")
MINIMISERS = ("L-BFGS-B", "CG")


@dataclass(frozen=True)
class VariationalDiagnostics:
    """How the minimum was found.

    Attributes
    ----------
    control : numpy.ndarray
        Control variable at the minimum, one per mode of the background error: N of the ensemble, then static ones.
    cost_background, cost_observations : float
        Both parts of the cost function there, ``|v|^2/2`` and ``|R^(-1/2) (d - y)|^2/2`` of the last linearisation.
        Twice their sum is expected to be the number of observations.
    gradient : float
        Length of the gradient there over its length at the background.
    iterations : int
        Iterations of the minimiser, all outer loops together.
    outer_steps : tuple of float
        Length of the step of the control variable in each outer loop.
    """

    control: np.ndarray
    cost_background: float
    cost_observations: float
    gradient: float
    iterations: int
    outer_steps: tuple[float, ...]


def variational(
    E: Any,
    Y: Any,
    d: Any,
    R: Any,
    method: str = "3denvar",
    *,
    static: Any = None,
    static_predicted: Any = None,
    weight: float = 0.5,
    observe: Callable[[np.ndarray], Any] | None = None,
    outer: int = 1,
    minimiser: str = "L-BFGS-B",
    tolerance: float = 1e-6,
    iterations: int = 500,
    ensemble_method: str | None = None,
    ensemble_options: Mapping[str, Any] | None = None,
    rng: np.random.Generator | int | None = None,
    return_diagnostics: bool = False,
) -> np.ndarray | tuple[np.ndarray, VariationalDiagnostics]:
    """Find the mean by minimising a cost function; update the ensemble around it by a filter.

    Parameters
    ----------
    E : array_like
        Prior ensemble, shape ``(member, state)``; its mean is the background. ``3dvar`` takes a single member too.
    Y : array_like or None
        Predicted observations, shape ``(member, obs)``; None where ``observe`` makes them.
    d, R : array_like
        Observations ``(obs,)``; error variances ``(obs,)`` or covariance ``(obs, obs)``.
    method : {"3dvar", "3denvar", "hybrid3dvar"}
        Background error covariance B: static; that of the ensemble; ``weight`` times that of the ensemble plus
        ``1 - weight`` times the static one.
    static : array_like, optional
        Modes L of the static covariance, shape ``(mode, state)``, ``B = L^T L``: see `static_modes`. Needed by
        ``3dvar`` and ``hybrid3dvar``.
    static_predicted : array_like, optional
        The (linear) observation operator applied to the modes, shape ``(mode, obs)``; needed without ``observe``.
    weight : float
        Share of the ensemble covariance in ``hybrid3dvar``, 0 to 1.
    observe : callable, optional
        Observation operator: states ``(any, state)`` -> observations ``(any, obs)``. It may be nonlinear: it is
        linearised along the modes by central differences, anew in each outer loop.
    outer : int
        Outer loops, at least 1; more than one needs ``observe``.
    minimiser : {"L-BFGS-B", "CG"}
        Quasi-Newton of SciPy, or linear conjugate gradients of SciPy (the inner cost function is quadratic).
    tolerance : float
        The minimum is found when the gradient is shorter than this share of the gradient at the background.
    iterations : int
        Largest number of iterations of each minimisation.
    ensemble_method : str, optional
        Filter that gives the analysed anomalies, with the options ``ensemble_options``; ``"none"`` keeps those of the
        prior. Default: ``etkf``; for ``3dvar``, ``none``.
    ensemble_options : mapping, optional
        Options of that filter: inflation, or places and radius of a local one.
    rng : numpy.random.Generator or int, optional
        Source of random numbers of the filter.
    return_diagnostics : bool
        Return how the minimum was found as well.

    Returns
    -------
    numpy.ndarray
        Analysis ensemble, shape ``(member, state)``; its mean is the minimum.
    VariationalDiagnostics
        Only with ``return_diagnostics``.

    Raises
    ------
    InputError
        If an argument does not fit.
    ConvergenceError
        If the minimiser reaches its bound, or cannot go on, before the gradient is small enough.

    Notes
    -----
    With x = mean(E) + L^T v the cost function is |v|^2/2 + |R^(-1/2)(d - H(x))|^2/2; in the control variable v its
    Hessian is I + S S^T, which needs no B inverse and is well conditioned [1]_. Without localisation the minimum of
    ``3denvar`` is the mean of the ETKF; the ensemble filter may be local, the minimum is not.

    References
    ----------
    .. [1] Bannister, R. N. (2017). A review of operational methods of variational and ensemble-variational data
       assimilation. Q. J. R. Meteorol. Soc. 143, 607-633.
    .. [2] Hamill, T. M., and Snyder, C. (2000). A hybrid ensemble Kalman filter-3D variational analysis scheme. Mon.
       Weather Rev. 128, 2905-2919.

    Examples
    --------
    >>> import numpy as np
    >>> E = np.array([[1.0], [2.0], [3.0]])
    >>> variational(E, E, d=[4.0], R=[1.0]).mean().round(6)
    np.float64(3.0)
    """
    kind = str(method).lower()
    if kind not in METHODS:
        raise InputError(f"unknown method '{method}'; available are {', '.join(METHODS)}")
    if minimiser not in MINIMISERS:
        raise InputError(f"minimiser must be one of {', '.join(MINIMISERS)}; got {minimiser!r}")
    for name, value in (("outer", outer), ("iterations", iterations)):
        if isinstance(value, bool) or int(value) != value or value < 1:
            raise InputError(f"{name} must be a whole number of at least 1; got {value!r}")
    if outer > 1 and observe is None:
        raise InputError("more than one outer loop needs observe, the observation operator; Y alone is linear already")
    tolerance = arguments.check_number("tolerance", tolerance, 0.0, 1.0, open_low=True)
    ensemble = arguments.to_floats("E (member, state)", E, 2)
    if Y is None and observe is None:
        raise InputError("predicted observations are missing: give Y, or observe")
    predicted = arguments.to_floats("Y (member, obs)", observe(ensemble) if Y is None else Y, 2)
    observed = arguments.to_floats("d (obs)", d, 1)
    modes, seen = _modes(kind, ensemble, predicted, static, static_predicted, weight, observe is not None)
    filter_name = ensemble_method or ("none" if kind == "3dvar" else "etkf")
    if filter_name != "none" and len(ensemble) < 2:
        raise InputError(f"the filter '{filter_name}' needs at least 2 members; got {len(ensemble)}")
    mean = ensemble.mean(axis=0)
    anomalies = ensemble - mean
    if observed.size == 0:
        control, diagnostics = np.zeros(len(modes)), VariationalDiagnostics(np.zeros(len(modes)), 0.0, 0.0, 0.0, 0, ())
    else:
        control, diagnostics = _minimise(
            mean, modes, predicted.mean(axis=0), seen, observed, R, observe, outer, minimiser, tolerance, iterations)
    if filter_name != "none":
        updated = update_ensemble(
            ensemble, predicted, observed, R, filter_name, arguments.check_generator(rng), dict(ensemble_options or {}))
        anomalies = updated - updated.mean(axis=0)
    elif ensemble_options:
        raise InputError("ensemble_options belong to a filter; name one with ensemble_method")
    analysis = np.array(mean + control @ modes + anomalies, order="F")
    return (analysis, diagnostics) if return_diagnostics else analysis


def static_modes(covariance: Any = None, *, sample: Any = None, count: int | None = None) -> np.ndarray:
    """Return modes L of a static covariance, ``B = L^T L``, largest first (EOFs times their standard deviation).

    Parameters
    ----------
    covariance : array_like, optional
        B, shape ``(state, state)``, symmetric and positive semidefinite.
    sample : array_like, optional
        States of which B is the sample covariance, shape ``(sample, state)``; in place of ``covariance``.
    count : int, optional
        Number of modes; default: all that are above rounding.

    Returns
    -------
    numpy.ndarray
        Shape ``(mode, state)``.

    Raises
    ------
    InputError
        If not exactly one of both is given, or it is no covariance.

    Examples
    --------
    >>> import numpy as np
    >>> L = static_modes([[4.0, 0.0], [0.0, 1.0]])
    >>> bool(np.allclose(L.T @ L, [[4.0, 0.0], [0.0, 1.0]]))
    True
    """
    if (covariance is None) == (sample is None):
        raise InputError("static_modes needs either a covariance or a sample")
    if sample is not None:
        states = arguments.to_floats("sample (sample, state)", sample, 2)
        if len(states) < 2:
            raise InputError(f"a sample must hold at least 2 states; got shape {states.shape}")
        _, values, right = np.linalg.svd(states - states.mean(axis=0), full_matrices=False)
        values = values / np.sqrt(len(states) - 1)
        rank = int((values > values.max(initial=0.0) * np.finfo(float).eps * max(states.shape)).sum())
    else:
        matrix = arguments.to_floats("covariance (state, state)", covariance, 2)
        if matrix.shape[0] != matrix.shape[1] or not np.allclose(matrix, matrix.T, rtol=1e-10, atol=0.0):
            raise InputError(f"a covariance must be square and symmetric; got shape {matrix.shape}")
        eigenvalues, vectors = np.linalg.eigh(matrix)
        eigenvalues, right = eigenvalues[::-1], vectors.T[::-1]
        rounding = np.abs(eigenvalues).max(initial=0.0) * np.finfo(float).eps * len(matrix)
        if (eigenvalues < -rounding).any():
            raise InputError(f"a covariance has no negative eigenvalue; got {eigenvalues.min():.3g}")
        values = np.sqrt(np.maximum(eigenvalues, 0.0))
        rank = int((eigenvalues > rounding).sum())
    if count is not None and (isinstance(count, bool) or int(count) != count or not 1 <= count <= rank):
        raise InputError(f"count must be 1 to {rank}, the rank of the covariance; got {count!r}")
    keep = rank if count is None else int(count)
    return values[:keep, np.newaxis] * right[:keep]


def _modes(
    kind: str, ensemble: np.ndarray, predicted: np.ndarray, static: Any, static_predicted: Any, weight: float,
    has_operator: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return modes (mode, state) and, without an operator, their observations (mode, obs)."""
    share = arguments.check_number("weight", weight, 0.0, 1.0) if kind == "hybrid3dvar" else float(kind == "3denvar")
    parts, seen = [], []
    if kind != "3dvar":
        nmember = len(ensemble)
        if nmember < 2:
            raise InputError(f"method '{kind}' needs at least 2 members; E has shape {ensemble.shape}")
        factor = np.sqrt(share / (nmember - 1))
        parts.append(factor * (ensemble - ensemble.mean(axis=0)))
        seen.append(factor * (predicted - predicted.mean(axis=0)))
    if kind == "3denvar":
        if static is not None or static_predicted is not None:
            raise InputError("method '3denvar' has no static covariance; take 'hybrid3dvar'")
    else:
        if static is None:
            raise InputError(f"method '{kind}' needs static, modes (mode, state) of a covariance; see static_modes")
        modes = arguments.to_floats("static (mode, state)", static, 2)
        if modes.shape[1] != ensemble.shape[1]:
            raise InputError(f"static must have {ensemble.shape[1]} state elements per mode; got shape {modes.shape}")
        parts.append(np.sqrt(1.0 - share) * modes)
        if has_operator:
            if static_predicted is not None:
                raise InputError("give observe or static_predicted, not both: they say the same of the modes")
        else:
            if static_predicted is None:
                raise InputError("static modes need static_predicted (mode, obs), or observe")
            there = arguments.to_floats("static_predicted (mode, obs)", static_predicted, 2)
            if there.shape != (len(modes), predicted.shape[1]):
                raise InputError(
                    f"static_predicted must have shape ({len(modes)}, {predicted.shape[1]}); got {there.shape}")
            seen.append(np.sqrt(1.0 - share) * there)
    return np.concatenate(parts), None if has_operator else np.concatenate(seen)


def _minimise(
    mean: np.ndarray, modes: np.ndarray, centre: np.ndarray, seen: np.ndarray | None, observed: np.ndarray, R: Any,
    observe: Callable[[np.ndarray], Any] | None, outer: int, minimiser: str, tolerance: float, iterations: int
) -> tuple[np.ndarray, VariationalDiagnostics]:
    """Minimise, with a new linearisation in each outer loop."""
    control = np.zeros(len(modes))
    steps, count, reference, final = [], 0, 0.0, 0.0
    residual = np.zeros(observed.size)
    for loop in range(outer):
        if observe is not None:
            here = mean + control @ modes
            probes = np.vstack([here, here + BUNDLE_WIDTH * modes, here - BUNDLE_WIDTH * modes])
            values = arguments.to_floats("what observe returns (state, obs)", observe(probes), 2)
            centre, ahead, behind = values[0], values[1 : len(modes) + 1], values[len(modes) + 1 :]
            seen = (ahead - behind) / (2.0 * BUNDLE_WIDTH)
        # whitening treats its rows as members around their mean: the rows of +seen and -seen have the mean 0
        pair = centre + np.vstack([seen, -seen])
        anomalies, innovation = whitened_problem(pair, pair, observed, R)
        slopes = anomalies[: len(modes)]
        target = innovation + control @ slopes  # residual of v is target - v S
        if loop == 0:
            reference = np.linalg.norm(slopes @ target)
        start = control
        control, used = _solve(slopes, target, control, minimiser, tolerance * reference, iterations)
        count += used
        residual = target - control @ slopes
        final = np.linalg.norm(control - slopes @ residual)
        steps.append(float(np.linalg.norm(control - start)))
        if final > tolerance * reference:
            raise ConvergenceError(
                f"the minimiser {minimiser} ended after {used} iterations (bound {iterations}) with a gradient of "
                f"{final / reference:.1e} of that at the background, above the tolerance {tolerance:g}; allow more "
                "iterations, a larger tolerance, or take the other minimiser"
            )
    return control, VariationalDiagnostics(
        control, 0.5 * float(control @ control), 0.5 * float(residual @ residual),
        float(final / reference) if reference > 0.0 else 0.0, count, tuple(steps))


def _solve(
    slopes: np.ndarray, target: np.ndarray, start: np.ndarray, minimiser: str, largest: float, iterations: int
) -> tuple[np.ndarray, int]:
    """Minimise ``|v|^2/2 + |target - v S|^2/2``; return v and the number of iterations."""
    if minimiser == "CG":
        count = 0

        def tell(_: np.ndarray) -> None:
            nonlocal count
            count += 1

        hessian = LinearOperator((len(slopes),) * 2, matvec=lambda v: v + slopes @ (v @ slopes), dtype=np.float64)
        control, _ = cg(hessian, slopes @ target, x0=start, rtol=0.0, atol=largest, maxiter=iterations, callback=tell)
        return control, count

    # The cost relative to that at the start: rounding of a large constant would hide the last steps. What L-BFGS-B
    # leaves, because its line search sees no difference any more, a second start from there sees again.
    control, used = start, 0
    while used < iterations:
        gradient = control - slopes @ (target - control @ slopes)
        if np.linalg.norm(gradient) <= largest:
            break

        def cost(u: np.ndarray, gradient: np.ndarray = gradient) -> tuple[float, np.ndarray]:
            seen = u @ slopes
            return gradient @ u + 0.5 * (u @ u + seen @ seen), gradient + u + slopes @ seen

        result = minimize(
            cost, np.zeros_like(control), jac=True, method="L-BFGS-B",
            options={"maxiter": iterations - used, "maxfun": 20 * iterations, "ftol": 0.0,
                     "gtol": largest / np.sqrt(len(start)), "maxcor": 20})
        if result.nit == 0:
            break
        control, used = control + result.x, used + int(result.nit)
    return control, used


__all__ = ["METHODS", "MINIMISERS", "VariationalDiagnostics", "static_modes", "variational"]
