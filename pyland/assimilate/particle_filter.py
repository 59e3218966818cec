"""Particle filter: members as a sample of the posterior, by weights and resampling.

Gordon, N. J., et al. (1993). IEE Proc. F 140, 107-113. Resampling: Kitagawa, G. (1996). J. Comput. Graph. Stat. 5, 1-25
(systematic); Liu, J. S., and Chen, R. (1998). J. Am. Stat. Assoc. 93, 1032-1044 (residual). Kernels: Musso, C., et al.
(2001), in Doucet, A., et al. (eds.), Sequential Monte Carlo Methods in Practice, chapter 12.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyland.assimilate import arguments
from pyland.assimilate.filter_options import weight_options
from pyland.base.errors import InputError
from pyland.core import transforms as core

RESAMPLINGS = ("systematic", "residual", "multinomial")


class ParticleFilter:
    """Particle filter that carries weights from one analysis to the next.

    An analysis multiplies the weights by the likelihood of the observations. If the effective sample size falls below a
    share of the ensemble, members are resampled: those of large weight are copied, those of small weight dropped, and
    all weights are equal again. Copies may be moved by noise (jitter); without model noise they would stay copies.
    The noise has the covariance of the weighted members, or that of all members alike where the effective sample size
    is below 2: a filter that has lost the observations finds back from the spread of the prior, not from one member.

    Parameters
    ----------
    nmember : int
        Number of members, at least 2.
    threshold : float
        Effective sample size over the number of members below which members are resampled, 0 to 1. 1 resamples at
        every analysis, 0 never.
    resampling : {"systematic", "residual", "multinomial"}
        How copies are drawn; the first adds the least noise.
    jitter : float
        Bandwidth of the noise on copies over ``nmember ** (-1 / (dimension + 4))``; 0 for none. In [0, 100].
    dimension : int, optional
        Number of state elements in the rule for the bandwidth. Default: ``nmember - 1``, the dimension of the space in
        which noise is drawn, the same for every rank that holds a share of the state.
    likelihood : {"gaussian", "laplace"}
        Distribution of the observation errors; R is its variance.
    least_effective : float
        Least effective sample size of the likelihood alone over the number of members, 0 to 1: R is inflated until it
        is reached, so that one analysis does not leave a single member. Default 0.

    Attributes
    ----------
    weights : numpy.ndarray
        Weights of the members [1], shape ``(member,)``; they sum to 1.
    resampled : bool
        Whether the last analysis resampled.

    Raises
    ------
    InputError
        If an option is out of range.

    Notes
    -----
    Indices and noise follow from the weights, Y, d, R and the generator alone: ranks that hold shares of a state and
    pass all observations and generators in the same state draw the same members.

    Examples
    --------
    >>> import numpy as np
    >>> from pyland.assimilate import ParticleFilter
    >>> particles = ParticleFilter(4, threshold=0.0)
    >>> E = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> E = particles.analyse(E, E, d=[3.0], R=[0.5], rng=1)
    >>> round(float(particles.mean(E)[0]), 3)
    2.708
    """

    def __init__(
        self,
        nmember: int,
        *,
        threshold: float = 0.5,
        resampling: str = "systematic",
        jitter: float = 0.0,
        dimension: int | None = None,
        likelihood: str = "gaussian",
        least_effective: float = 0.0,
    ) -> None:
        if isinstance(nmember, bool) or not isinstance(nmember, int | np.integer) or nmember < 2:
            raise InputError(f"nmember must be a whole number of at least 2; got {nmember!r}")
        self.threshold = arguments.check_number("threshold", threshold, 0.0, 1.0)
        self._options = _check_options(resampling, jitter, dimension, likelihood, least_effective)
        self.weights = np.full(int(nmember), 1.0 / int(nmember))
        self.resampled = False

    @property
    def effective_size(self) -> float:
        """Effective sample size 1/sum(w^2), between 1 and the number of members."""
        return float(1.0 / (self.weights**2).sum())

    def analyse(
        self, E: Any, Y: Any, d: Any, R: Any, *, rng: np.random.Generator | int | None = None
    ) -> np.ndarray:
        """Take in observations.

        Parameters
        ----------
        E : array_like
            Members, shape ``(member, state)``, any unit. Not changed.
        Y, d, R : array_like
            Predicted observations, observations and error variances (or covariance), as in `pyland.assimilate.analyse`.
        rng : numpy.random.Generator or int, optional
            Source of resampling and jitter; an integer is a seed. None draws fresh entropy.

        Returns
        -------
        numpy.ndarray
            Members after the analysis, shape ``(member, state)``, a new array; to be read with `weights`.

        Raises
        ------
        InputError
            If shapes do not fit or a value is not finite.
        """
        problem = arguments.check_problem(E, Y, d, R, 1.0, full_covariance=True)
        nmember = self.weights.size
        if problem.ensemble.shape[0] != nmember:
            raise InputError(f"E must have the {nmember} members of this filter; got shape {problem.ensemble.shape}")
        generator = arguments.check_generator(rng)
        self.resampled = False
        if problem.innovation.size == 0:
            return problem.ensemble.copy()
        self.weights = _reweigh(self.weights, _logs(problem, self._options))
        if self.effective_size >= self.threshold * nmember and self.threshold < 1.0:
            return problem.ensemble.copy()
        analysis = _draw(self.weights, self._options, generator).apply(problem.ensemble)
        self.weights = np.full(nmember, 1.0 / nmember)
        self.resampled = True
        return analysis

    def mean(self, E: Any) -> np.ndarray:
        """Return the weighted mean of members (member, state), added in their order; shape ``(state,)``."""
        members = arguments.to_floats("E (member, state)", E, 2)
        if members.shape[0] != self.weights.size:
            raise InputError(f"E must have the {self.weights.size} members of this filter; got shape {members.shape}")
        return _weighted_mean(members, self.weights)

    def state(self) -> dict[str, np.ndarray]:
        """Return what a restart needs: the weights of the members, shape ``(member,)``."""
        return {"weights": self.weights.copy()}

    def restore(self, state: dict[str, Any]) -> None:
        """Take over the state of another run.

        Raises
        ------
        InputError
            If the weights are missing, are those of another number of members, or are no weights.
        """
        if "weights" not in state:
            raise InputError(f"the state of a particle filter must hold 'weights'; got {', '.join(map(str, state))}")
        weights = arguments.to_floats("weights (member)", state["weights"], 1)
        if weights.shape != self.weights.shape:
            raise InputError(f"weights must have shape {self.weights.shape}, one per member; got {weights.shape}")
        if (weights < 0.0).any() or abs(weights.sum() - 1.0) > np.sqrt(np.finfo(float).eps):
            raise InputError(f"weights must be at least 0 and sum to 1; their sum is {float(weights.sum())!r}")
        self.weights = weights.copy()
        self.resampled = False


def particle_analysis(
    E: Any,
    Y: Any,
    d: Any,
    R: Any,
    *,
    jitter: float = 0.0,
    rng: np.random.Generator | int | None = None,
    resampling: str = "systematic",
    dimension: int | None = None,
    likelihood: str = "gaussian",
    least_effective: float = 0.0,
) -> np.ndarray:
    """Update an ensemble of equal weights by a particle filter that resamples at once.

    Parameters
    ----------
    E, Y, d, R : array_like
        As in `ParticleFilter.analyse`.
    jitter, resampling, dimension, likelihood, least_effective
        As in `ParticleFilter`.
    rng : numpy.random.Generator or int, optional
        Source of resampling and jitter; an integer is a seed. None draws fresh entropy.

    Returns
    -------
    numpy.ndarray
        Analysis, shape ``(member, state)``, a new array. Without observations a copy of ``E``.

    Raises
    ------
    InputError
        If shapes do not fit, a value is not finite or an option is out of range.
    """
    problem = arguments.check_problem(E, Y, d, R, 1.0, full_covariance=True)
    options = {"jitter": jitter, "resampling": resampling, "dimension": dimension, "likelihood": likelihood,
               "least_effective": least_effective}
    draw = draw_particles(problem, arguments.check_generator(rng), options)
    return problem.ensemble.copy() if draw is None else draw.apply(problem.ensemble)


@dataclass(frozen=True)
class Draw:
    """Members that were drawn, and the noise on their copies.

    Attributes
    ----------
    drawn : numpy.ndarray of int
        Index of the prior member that each member becomes, ascending, shape ``(member,)``.
    is_moved : numpy.ndarray of bool
        Which of them get noise: copies of one another, shape ``(member,)``; none without jitter.
    noise : numpy.ndarray
        Coefficients of the noise by prior anomaly [1], shape ``(moved, member)``.
    weights : numpy.ndarray
        Weights of the mean that these anomalies are taken from [1], shape ``(member,)``.
    """

    drawn: np.ndarray
    is_moved: np.ndarray
    noise: np.ndarray
    weights: np.ndarray

    def apply(self, ensemble: np.ndarray) -> np.ndarray:
        """Return members (member, any) after the draw; in order, without BLAS: the same bits for any share."""
        analysis = ensemble[self.drawn]
        if not self.is_moved.any():
            return analysis
        centre = _weighted_mean(ensemble, self.weights)
        moves = np.zeros((len(self.noise), ensemble.shape[1]))
        for member in np.flatnonzero(self.weights):
            moves += self.noise[:, member, None] * (ensemble[member] - centre)
        analysis[self.is_moved] += moves
        return analysis


def draw_particles(
    problem: arguments.Problem, generator: np.random.Generator, options: Mapping[str, Any]
) -> Draw | None:
    """Draw members of equal prior weight by the likelihood of the observations.

    Parameters
    ----------
    problem : Problem
        Checked arrays, without inflation.
    generator : numpy.random.Generator
        Source of resampling and jitter; advanced.
    options : mapping
        ``jitter``, ``resampling``, ``dimension``, ``likelihood``, ``least_effective`` as in `ParticleFilter`.

    Returns
    -------
    Draw or None
        To be applied to anything the members have, a state or what they predict; None without observations.

    Raises
    ------
    InputError
        If an option is out of range.
    """
    checked = _check_options(**{"resampling": "systematic", "jitter": 0.0, "dimension": None, "likelihood": "gaussian",
                                "least_effective": 0.0, **options})
    if problem.size == 0:
        return None
    nmember = len(problem.predicted)
    return _draw(_reweigh(np.full(nmember, 1.0 / nmember), _logs(problem, checked)), checked, generator)


def resample(weights: Any, rng: np.random.Generator | int | None, resampling: str = "systematic") -> np.ndarray:
    """Draw members by their weights.

    Parameters
    ----------
    weights : array_like
        Weights [1], shape ``(member,)``, at least 0 and not all 0.
    rng : numpy.random.Generator or int or None
        Source of the draws: one uniform number (systematic), one per member (multinomial), or one per member that the
        whole parts leave open (residual).
    resampling : {"systematic", "residual", "multinomial"}
        How they are drawn. The expected number of copies is ``member * weight`` for all.

    Returns
    -------
    numpy.ndarray
        Indices of the members, ascending, shape ``(member,)``.

    Raises
    ------
    InputError
        If weights are negative or all zero, or ``resampling`` is unknown.
    """
    share = arguments.to_floats("weights (member)", weights, 1)
    if (share < 0.0).any() or not share.sum() > 0.0:
        raise InputError("weights must be at least 0, and one of them above 0")
    arguments.check_choice("resampling", resampling, RESAMPLINGS)
    return _resample(share / share.sum(), arguments.check_generator(rng), resampling)


def _resample(weights: np.ndarray, generator: np.random.Generator, resampling: str) -> np.ndarray:
    """Return ascending indices of the members drawn."""
    nmember = weights.size
    if resampling == "systematic":
        return _places(weights, (np.arange(nmember) + generator.random()) / nmember)
    if resampling == "multinomial":
        return _places(weights, np.sort(generator.random(nmember)))
    whole = np.floor(nmember * weights)
    copies = np.repeat(np.arange(nmember), whole.astype(int))
    rest = nmember * weights - whole
    missing = nmember - copies.size
    if missing > 0 and rest.sum() > 0.0:
        copies = np.concatenate([copies, _places(rest / rest.sum(), np.sort(generator.random(missing)))])
    elif missing > 0:  # whole parts that rounding has cut
        copies = np.concatenate([copies, np.full(missing, int(np.argmax(weights)))])
    return np.sort(copies)[:nmember]


def _places(weights: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the members at points in [0, 1) of the cumulated weights; one of weight 0 is never drawn."""
    total = np.cumsum(weights)
    last = int(np.flatnonzero(weights)[-1])
    return np.minimum(np.searchsorted(total, points * total[-1], side="right"), last)


def _logs(problem: arguments.Problem, options: dict[str, Any]) -> np.ndarray:
    """Return logarithms of the likelihoods (member), the largest of which is 0."""
    innovation = arguments.whitened(problem, problem.innovation)
    return core.log_likelihoods(
        problem.anomalies, innovation, likelihood=options["likelihood"], least_effective=options["least_effective"])


def _reweigh(weights: np.ndarray, logs: np.ndarray) -> np.ndarray:
    """Multiply weights by likelihoods; relative to the largest product, which therefore does not underflow."""
    alive = weights > 0.0
    total = np.full(weights.shape, -np.inf)
    total[alive] = np.log(weights[alive]) + logs[alive]
    product = np.exp(total - total.max())
    return product / product.sum()


def _draw(weights: np.ndarray, options: dict[str, Any], generator: np.random.Generator) -> Draw:
    """Draw members by their weights, and the noise that moves copies of one another apart."""
    drawn = _resample(weights, generator, options["resampling"])
    nmember = weights.size
    if options["jitter"] == 0.0:
        return Draw(drawn, np.zeros(nmember, dtype=bool), np.zeros((0, nmember)), weights)
    dimension = nmember - 1 if options["dimension"] is None else options["dimension"]
    bandwidth = options["jitter"] * nmember ** (-1.0 / (dimension + 4.0))
    copied = np.bincount(drawn, minlength=nmember)[drawn] > 1
    draws = generator.standard_normal((nmember, nmember))[copied]
    if (weights**2).sum() > 0.5:  # fewer than two members count: no covariance of their own
        weights = np.full(nmember, 1.0 / nmember)
    root = bandwidth * np.sqrt(weights / (1.0 - (weights**2).sum()))  # of the covariance, unbiased for fixed weights
    return Draw(drawn, copied, draws * root, weights)


def _weighted_mean(members: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted mean of members (member, state), added in order; exact where all members are equal."""
    total = np.zeros(members.shape[1])
    for member, weight in zip(members, weights, strict=True):
        total += weight * (member - members[0])
    return members[0] + total


def _check_options(
    resampling: Any, jitter: Any, dimension: Any, likelihood: Any, least_effective: Any
) -> dict[str, Any]:
    """Return checked options."""
    if dimension is not None and (isinstance(dimension, bool) or int(dimension) != dimension or dimension < 1):
        raise InputError(f"dimension must be a whole number of at least 1, or None; got {dimension!r}")
    return {
        "resampling": arguments.check_choice("resampling", resampling, RESAMPLINGS),
        "jitter": arguments.check_number("jitter", jitter, 0.0, 100.0),
        "dimension": None if dimension is None else int(dimension),
        **weight_options("netf", {"likelihood": likelihood, "least_effective": least_effective}),
    }


__all__ = ["RESAMPLINGS", "Draw", "ParticleFilter", "draw_particles", "particle_analysis", "resample"]
