"""Gauss-Newton iteration in the space of an ensemble: what IES and the iterative ensemble Kalman smoother share.

Members are ``mean(E) + C @ X`` with the prior anomalies X and coefficients C (member, member), at first the unit
matrix. An iteration runs the model for all members, takes its sensitivity to the coefficients from the anomalies of
what they predict, and moves the coefficients towards the minimum of

    J(c) = (N-1)/2 |c - c_prior|^2 + 1/2 |R^(-1/2) (d - predicted(c))|^2

for the mean (``sqrt``; the spread is the symmetric root of the inverse Hessian) or for every member with observations
of its own (``perturbed``).

References
----------
.. [1] Bocquet, M., and Sakov, P. (2014). An iterative ensemble Kalman smoother. Q. J. R. Meteorol. Soc. 140, 1521-1535.
.. [2] Raanes, P. N., Stordal, A. S., and Evensen, G. (2019). Revising the stochastic iterative ensemble smoother.
   Nonlin. Processes Geophys. 26, 325-338.
.. [3] Evensen, G., Raanes, P. N., Stordal, A. S., and Hove, J. (2019). Efficient implementation of an iterative
   ensemble smoother for data assimilation and reservoir history matching. Front. Appl. Math. Stat. 5, 47.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from pyland.assimilate import arguments
from pyland.assimilate.any_filter import whitened_problem
from pyland.assimilate.random_numbers import centred_normal
from pyland.base.errors import ConvergenceError, InputError

VARIANTS = ("sqrt", "perturbed")
METHODS = ("transform", "bundle")
BUNDLE_WIDTH = 1e-4
"""Spread of a bundle in units of the prior spread: between the curvature of the model and the rounding of differences
of float64 (Bocquet and Sakov 2014, section 2.4)."""


@dataclass(frozen=True)
class Settings:
    """How to iterate.

    Attributes
    ----------
    variant : {"sqrt", "perturbed"}
        Deterministic root, or observations perturbed per member.
    method : {"transform", "bundle"}
        Sensitivities from the ensemble with the spread of the current estimate, or from one of a tiny spread around
        the current mean (a finite difference).
    iterations : int
        Largest number of runs of the model, at least 1.
    tolerance : float
        The iteration ends when a full Gauss-Newton step is shorter than this, whatever share of it is taken, in units
        of the prior standard deviation: the length of the step of ``sqrt(N-1) c`` (of the mean; with ``perturbed`` the
        root mean square over members). 0: always ``iterations``.
    step_length : tuple of float
        Share of the Gauss-Newton step that is taken, one per iteration; the last holds for all that follow.
    backtracking : bool
        Halve a step that has made J larger, and run again from where it started.
    bundle_width : float
        Spread of the bundle in units of the prior spread.
    """

    variant: str
    method: str
    iterations: int
    tolerance: float
    step_length: tuple[float, ...] = (1.0,)
    backtracking: bool = False
    bundle_width: float = BUNDLE_WIDTH

    def __post_init__(self) -> None:
        if self.variant not in VARIANTS:
            raise InputError(f"variant must be one of {', '.join(VARIANTS)}; got {self.variant!r}")
        if self.method not in METHODS:
            raise InputError(f"method must be one of {', '.join(METHODS)}; got {self.method!r}")
        if self.variant == "perturbed" and self.method == "bundle":
            raise InputError(
                "variant 'perturbed' moves each member on its own and has no bundle; take method 'transform', or "
                "variant 'sqrt'"
            )
        if isinstance(self.iterations, bool) or int(self.iterations) != self.iterations or self.iterations < 1:
            raise InputError(f"the number of iterations must be a whole number of at least 1; got {self.iterations!r}")
        arguments.check_number("tolerance", self.tolerance, 0.0, np.inf)
        arguments.check_number("bundle_width", self.bundle_width, 0.0, 1.0, open_low=True)


def step_lengths(value: float | Sequence[float]) -> tuple[float, ...]:
    """Return step lengths of a number or a list; each must lie in (0, 1]."""
    values = [value] if np.ndim(value) == 0 else list(value)
    if not values:
        raise InputError("step_length must be a number or a list of at least one number; got an empty list")
    return tuple(arguments.check_number("step_length", one, 0.0, 1.0, open_low=True) for one in values)


@dataclass
class Minimum:
    """Where the iteration ended.

    Attributes
    ----------
    coefficients : numpy.ndarray
        C, shape ``(member, member)``: the analysis is ``mean(E) + C @ (E - mean(E))``.
    last : numpy.ndarray
        Coefficients of the ensemble that ran last.
    members : numpy.ndarray of int
        Prior members that are left.
    iterations : int
        Runs of the model.
    converged : bool
        Whether the last Gauss-Newton step was shorter than the tolerance.
    step : float
        Length of the last Gauss-Newton step, before its ``step_length``, in units of the prior standard deviation.
    misfits : list of float
        Mean over members of ``|R^(-1/2)(d - y)|^2 / obs`` in each run (about 1 for a perfect model); of the members of
        a bundle it is that of the mean.
    """

    coefficients: np.ndarray
    last: np.ndarray
    members: np.ndarray
    iterations: int = 0
    converged: bool = False
    step: float = np.inf
    misfits: list[float] = field(default_factory=list)

    def message(self, settings: Settings) -> str:
        """Return a sentence about how it ended."""
        if self.converged:
            return f"converged after {self.iterations} runs of the model: the last full step was {self.step:.1e} " \
                f"prior standard deviations (tolerance {settings.tolerance:g})"
        return f"ended at its bound of {settings.iterations} runs of the model: the last full step was " \
            f"{self.step:.1e} prior standard deviations (tolerance {settings.tolerance:g}); allow more iterations or " \
            "shorten the steps"


@dataclass(frozen=True)
class Direction:
    """A Gauss-Newton step: coefficients are ``start + length * step + root``; its length 1 is ``size``.

    ``cost`` is J where it starts.
    """

    start: np.ndarray
    step: np.ndarray
    root: np.ndarray
    size: float
    cost: float


def minimise(
    predict: Callable[[np.ndarray], np.ndarray],
    E: np.ndarray,
    d: np.ndarray,
    R: np.ndarray,
    settings: Settings,
    generator: np.random.Generator,
    keep: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Minimum:
    """Iterate.

    Parameters
    ----------
    predict : callable
        Ensemble (member, state) -> predicted observations (member, obs).
    E : numpy.ndarray
        Prior, shape ``(member, state)``.
    d, R : numpy.ndarray
        Observations (obs,); error variances (obs,) or covariance (obs, obs).
    settings : Settings
        How.
    generator : numpy.random.Generator
        Source of the perturbations of ``perturbed``.
    keep : callable, optional
        Predicted observations -> which members to keep, bool (member,); the others leave the ensemble for good and the
        rest runs again. Without it all must be finite.

    Returns
    -------
    Minimum
        Coefficients and how they were found.

    Raises
    ------
    InputError
        If predictions do not fit the observations.
    ConvergenceError
        If the ensemble that ran has lost a direction, so that there is no sensitivity.
    """
    mean, anomalies = E.mean(axis=0), E - E.mean(axis=0)
    nmember, nobs = len(E), np.size(d)
    unit = np.eye(nmember)
    found = Minimum(unit, unit, np.arange(nmember))
    if nobs == 0:
        found.converged, found.step = True, 0.0
        return found
    known = _explained(anomalies)
    noise = centred_normal((nmember, nobs), generator) if settings.variant == "perturbed" else None
    best: Direction | None = None
    length = 1.0
    while found.iterations < settings.iterations and not found.converged:
        trial = _bundle(found.coefficients, settings) if settings.method == "bundle" else found.coefficients
        predicted = np.asarray(predict(mean + trial @ anomalies))
        found.iterations += 1
        found.last = trial
        good = np.ones(len(trial), dtype=bool) if keep is None else keep(predicted)
        if not good.all():
            chosen = np.flatnonzero(good)
            found.members = found.members[chosen]
            prior = E[found.members]
            found.coefficients = found.coefficients[np.ix_(chosen, chosen)]  # a starting point, no more
            mean, anomalies = prior.mean(axis=0), prior - prior.mean(axis=0)
            known = _explained(anomalies)
            noise = None if noise is None else noise[chosen] - noise[chosen].mean(axis=0)
            best = None
            continue
        scaled, innovation = whitened_problem(trial, predicted, d, R)
        found.misfits.append(float(np.mean((innovation - scaled) ** 2)))
        cost = _cost(found.coefficients, innovation, scaled, noise)
        if settings.backtracking and best is not None and cost > best.cost:
            length *= 0.5
        else:
            sensitivity = _sensitivity(trial, scaled, known)
            best = _direction(found.coefficients, sensitivity, innovation, scaled, noise, cost)
            length = settings.step_length[min(found.iterations, len(settings.step_length)) - 1]
        found.coefficients = best.start + length * best.step + best.root
        found.step = best.size  # not the share of it that is taken: a short step may be far from the minimum
        found.converged = found.step < settings.tolerance
    return found


def continue_linearly(found: Minimum, E: np.ndarray) -> np.ndarray:
    """Bring what ran last to the coefficients that came out of it.

    Parameters
    ----------
    found : Minimum
        Result of `minimise`.
    E : numpy.ndarray
        Anything that the model made of the ensemble that ran last, shape ``(member, any)``.

    Returns
    -------
    numpy.ndarray
        What it would make of the analysis, to first order; exact where the iteration has converged and the members
        that ran last are the analysis.
    """
    mean = E.mean(axis=0)
    derivative = _sensitivity(found.last, E - mean)
    return mean + (found.coefficients - found.last.mean(axis=0)) @ derivative


def _bundle(coefficients: np.ndarray, settings: Settings) -> np.ndarray:
    """Return the coefficients of a tight bundle of prior anomalies around the current mean."""
    return coefficients.mean(axis=0) + settings.bundle_width * _centred(len(coefficients))


def _centred(nmember: int) -> np.ndarray:
    return np.eye(nmember) - 1.0 / nmember


def _explained(anomalies: np.ndarray) -> np.ndarray | None:
    """Return a basis (member, rank) of what combinations of states can be; None where that is all.

    The rank is smaller than N-1 where the state is small, or constant in part. It is that of the anomalies in units of
    their spread, by the eigenvalues of their product: units of the state do not matter.
    """
    nmember = len(anomalies)
    length = np.linalg.norm(anomalies, axis=0)
    unit = anomalies[:, length > 0.0] / length[length > 0.0]
    values, vectors = np.linalg.eigh(unit @ unit.T)
    seen = values > values.max() * nmember * np.finfo(np.float64).eps
    return None if seen.sum() >= nmember - 1 else vectors[:, seen]


def _sensitivity(trial: np.ndarray, scaled: np.ndarray, known: np.ndarray | None = None) -> np.ndarray:
    """Return the derivative S (member, obs) of the predicted observations by the coefficients.

    ``scaled = Omega S`` with the anomalies Omega of the coefficients, a matrix of rank N-1 that maps vectors without
    mean to such. What of ``scaled`` no combination of states (``known``, of the prior) explains is curvature, not
    sensitivity, and is taken out (Evensen et al. 2019, section 2.4).
    """
    nmember = len(trial)
    omega = trial - trial.mean(axis=0)
    omega = omega - omega.mean(axis=1, keepdims=True)
    if known is not None:
        basis = np.linalg.qr(omega @ known)[0]
        scaled = basis @ (basis.T @ scaled)
    try:
        # the size of the mean direction, which both sides lack, is that of the others
        return np.linalg.solve(omega + np.abs(omega).max() / nmember, scaled)
    except np.linalg.LinAlgError as error:
        raise ConvergenceError(
            "the ensemble has lost a direction in the course of the iteration and has no sensitivity along it; "
            "take shorter steps (step_length), variant 'sqrt', or other members"
        ) from error


def _cost(
    coefficients: np.ndarray, innovation: np.ndarray, scaled: np.ndarray, noise: np.ndarray | None
) -> float:
    """Return J of the mean, or the mean J of members with perturbed observations."""
    freedom = len(coefficients) - 1.0
    if noise is None:
        now = coefficients.mean(axis=0)
        return 0.5 * float(freedom * ((now - now.mean()) ** 2).sum() + innovation @ innovation)
    background = freedom * ((coefficients - np.eye(len(coefficients))) ** 2).sum()
    return 0.5 * float(background + ((innovation + noise - scaled) ** 2).sum()) / len(coefficients)


def _direction(
    coefficients: np.ndarray,
    sensitivity: np.ndarray,
    innovation: np.ndarray,
    scaled: np.ndarray,
    noise: np.ndarray | None,
    cost: float,
) -> Direction:
    """Return the Gauss-Newton step."""
    nmember = len(sensitivity)
    freedom = nmember - 1.0
    # all N left vectors, and never more right ones than that
    vectors, values, _ = np.linalg.svd(sensitivity, full_matrices=sensitivity.shape[1] < nmember)
    spectrum = np.zeros(nmember)
    spectrum[: len(values)] = values**2
    inverse = (vectors / (spectrum + freedom)) @ vectors.T
    if noise is None:
        now = coefficients.mean(axis=0)
        now = now - now.mean()  # anomalies have no mean: a constant means nothing
        step = (sensitivity @ innovation - freedom * now) @ inverse
        root = (vectors * np.sqrt(freedom / (spectrum + freedom))) @ vectors.T
        return Direction(now, step, root - root.mean(axis=0), float(np.sqrt(freedom) * np.linalg.norm(step)), cost)
    gradient = freedom * (np.eye(nmember) - coefficients) + (innovation + noise - scaled) @ sensitivity.T
    steps = gradient @ inverse
    size = float(np.sqrt(freedom * (steps**2).sum() / nmember))
    return Direction(coefficients, steps, np.zeros(1), size, cost)


__all__ = [
    "BUNDLE_WIDTH", "METHODS", "VARIANTS", "Minimum", "Settings", "continue_linearly", "minimise", "step_lengths",
]
