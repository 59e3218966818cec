"""Localisation by correlation, where there are no distances: parameters, textures, catchments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular

from pyland.assimilate import arguments
from pyland.assimilate.any_filter import whitened_problem
from pyland.assimilate.filters import analyse
from pyland.assimilate.random_numbers import centred_normal
from pyland.base.errors import InputError

BLOCK = 2**22
"""Correlations that are in memory at once (32 MB); the result does not depend on it."""


def significant(E: Any, Y: Any, threshold: float | str = "auto") -> np.ndarray:
    """Tell which observations a state element is correlated with.

    Parameters
    ----------
    E : array_like
        Ensemble, shape ``(member, state)``.
    Y : array_like
        Predicted observations, shape ``(member, obs)``.
    threshold : float or "auto"
        Smallest sample correlation that counts, 0 to 1; ``auto``: ``3/sqrt(N)``, three standard deviations of the
        sample correlation of two independent normal variables.

    Returns
    -------
    numpy.ndarray of bool
        Shape ``(state, obs)``. Elements or observations without spread are correlated with nothing.

    Raises
    ------
    InputError
        If shapes do not fit or the threshold is out of range.

    References
    ----------
    .. [1] Luo, X., Bhakta, T., and Naevdal, G. (2018). Correlation-based adaptive localization with applications to
       ensemble-based 4D-seismic history matching. SPE J. 23, 396-427.
    """
    state, predicted = arguments.to_floats("E (member, state)", E, 2), arguments.to_floats("Y (member, obs)", Y, 2)
    if len(state) != len(predicted) or len(state) < 2:
        raise InputError(
            f"E and Y must have the same members, at least 2; got shapes {state.shape} and {predicted.shape}")
    result = np.zeros((state.shape[1], predicted.shape[1]), dtype=bool)
    for part, chosen in _blocks(state, predicted, _check_threshold(threshold, len(state))):
        result[part] = chosen
    return result


def analyse_correlated(
    E: Any,
    Y: Any,
    d: Any,
    R: Any,
    method: str = "enkf",
    *,
    threshold: float | str = "auto",
    rng: np.random.Generator | int | None = None,
    **options: Any,
) -> np.ndarray:
    """Update each state element with the observations that it is correlated with, and not with the others.

    `analyse_local` with ``adaptive`` does so too, but lets weights fall gradually, and has independent errors. Here an
    observation counts in full or not at all, the errors may be correlated, any global filter may be used, and threshold
    0 is the global analysis.

    Parameters
    ----------
    E, Y, d, R
        As in `analyse`.
    method : str
        A filter of `analyse`. All elements see the same perturbations of the same observation with ``enkf``; other
        stochastic filters, and ``rotation``, take the same random numbers for each set of observations.
    threshold : float or "auto"
        As in `significant`.
    rng : numpy.random.Generator or int, optional
        Source of random numbers: of the perturbations of ``enkf``; for other filters of one draw that seeds all sets.
    **options
        Further options of `analyse`; none with ``enkf``.

    Returns
    -------
    numpy.ndarray
        Analysis, shape ``(member, state)``.

    Raises
    ------
    InputError
        If an argument does not fit.

    Notes
    -----
    Elements of a block with the same set of observations share one analysis; the cost is one analysis per different
    set, at worst per element. Which observations count is known for one block of elements at a time: memory does not
    grow with elements times observations.
    """
    name = str(method).lower()
    if name == "enkf" and options:
        raise InputError(f"with localisation by correlation 'enkf' has no option {', '.join(options)}; take 'etkf'")
    state, predicted = arguments.to_floats("E (member, state)", E, 2), arguments.to_floats("Y (member, obs)", Y, 2)
    observed = arguments.to_floats("d (obs)", d, 1)
    error = arguments.to_floats("R", R, 2 if np.ndim(R) == 2 else 1)
    whitened_problem(state, predicted, observed, error)  # checks everything once, before the parts
    generator = arguments.check_generator(rng)
    limit = _check_threshold(threshold, len(state))
    perturbations = _error_draws(error, predicted.shape, generator) if name == "enkf" else None
    seed = None if name == "enkf" else int(generator.integers(2**63))
    analysis = np.array(state, order="F")
    for block, chosen in _blocks(state, predicted, limit):
        for elements, mine in _sets(chosen):
            elements = elements + block.start
            part = error[np.ix_(mine, mine)] if error.ndim == 2 else error[mine]
            if perturbations is None:
                analysis[:, elements] = analyse(
                    state[:, elements], predicted[:, mine], observed[mine], part, method, rng=seed, **options)
            else:
                analysis[:, elements] = _perturbed(
                    state[:, elements], predicted[:, mine], observed[mine], part, perturbations[:, mine])
    return analysis


def _blocks(state: np.ndarray, predicted: np.ndarray, limit: float) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield blocks of state elements and which observations they are correlated with, bool (element, obs)."""
    seen = _normalised(predicted)
    width = max(1, BLOCK // max(1, predicted.shape[1]))
    for first in range(0, state.shape[1], width):
        part = slice(first, first + width)
        yield part, np.abs(_normalised(state[:, part]).T @ seen) > limit


def _sets(chosen: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the elements that share a set of observations, and these observations; empty sets are left out."""
    sets, owner = np.unique(np.packbits(chosen, axis=1), axis=0, return_inverse=True)
    owner = owner.ravel()
    order = np.argsort(owner, kind="stable")
    bounds = np.searchsorted(owner[order], np.arange(len(sets) + 1))
    for index, packed in enumerate(sets):
        mine = np.flatnonzero(np.unpackbits(packed, count=chosen.shape[1]))
        if mine.size:
            yield order[bounds[index] : bounds[index + 1]], mine


def _check_threshold(threshold: float | str, nmember: int) -> float:
    if isinstance(threshold, str):
        if threshold != "auto":
            raise InputError(f"the threshold of correlation must be a number or 'auto'; got {threshold!r}")
        return min(1.0, 3.0 / np.sqrt(nmember))
    return arguments.check_number("the threshold of correlation", threshold, 0.0, 1.0)


def _normalised(values: np.ndarray) -> np.ndarray:
    """Return anomalies of length 1, or 0 where there is no spread."""
    anomalies = values - values[0]
    anomalies -= anomalies.mean(axis=0)
    length = np.linalg.norm(anomalies, axis=0)
    return np.divide(anomalies, length, out=np.zeros_like(anomalies), where=length > 0.0)


def _error_draws(error: np.ndarray, shape: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
    """Draw observation errors (member, obs) with covariance R and without mean."""
    draws = centred_normal(shape, generator)
    return draws @ np.linalg.cholesky(error).T if error.ndim == 2 else draws * np.sqrt(error)


def _perturbed(E: np.ndarray, Y: np.ndarray, d: np.ndarray, R: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Update with given observation errors (member, obs); solved in the smaller of both spaces by its SVD."""
    anomalies, _ = whitened_problem(E, Y, d, R)
    root = np.linalg.cholesky(R) if R.ndim == 2 else np.sqrt(R)
    innovations = d + errors - Y
    innovations = solve_triangular(root, innovations.T, lower=True).T if R.ndim == 2 else innovations / root
    left, values, right = np.linalg.svd(anomalies, full_matrices=False)
    weights = ((innovations @ right.T) * (values / (values**2 + len(E) - 1.0))) @ left.T
    return E + weights @ (E - E.mean(axis=0))


__all__ = ["analyse_correlated", "significant"]
