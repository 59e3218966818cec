"""Draws that keep the mean of an ensemble: perturbations, orthogonal matrices, and the Omega of the SEIK filter."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyland.assimilate.arguments import check_generator
from pyland.base.errors import InputError
from pyland.core.transforms import householder_omega


def centred_normal(shape: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
    """Draw standard normal numbers (member, any) whose mean over the members is 0."""
    draws = generator.standard_normal(shape)
    return draws - draws.mean(axis=0)


def random_rotation(nmember: int, rng: np.random.Generator | int | None) -> np.ndarray:
    """Draw a random orthogonal matrix with ``(1, ..., 1)`` as an eigenvector.

    Anomalies times this matrix have the same mean (zero) and the same covariance. All such matrices are equally likely
    (Haar measure on the orthogonal group across the mean).

    Parameters
    ----------
    nmember : int
        Number of members, at least 2.
    rng : numpy.random.Generator or int or None
        Source of the draws; an integer is a seed. ``member (member - 1) / 2`` normal numbers are taken, whatever they
        are. Ranks that hold shares of one state must pass generators in the same state.

    Returns
    -------
    numpy.ndarray
        Rotation [1], shape ``(member, member)``; its rows and columns sum to 1.

    Raises
    ------
    InputError
        If ``nmember`` is less than 2 or ``rng`` is no generator.

    References
    ----------
    .. [1] Stewart, G. W. (1980). SIAM J. Numer. Anal. 17, 403-409: Haar-random matrices as products of reflections.
    .. [2] Sakov, P., and Oke, P. R. (2008). Mon. Weather Rev. 136, 1042-1053: rotations that keep the mean.
    """
    count = _check_members(nmember)
    generator = check_generator(rng)
    inner = np.eye(count)
    inner[: count - 1, : count - 1] = _haar(count - 1, generator)
    mirror = np.full(count, 1.0 / np.sqrt(count))  # the reflection along it takes (1, ..., 1) to the last axis
    mirror[-1] += 1.0
    inner = _reflect(inner, mirror)
    rotation = np.ascontiguousarray(_reflect(inner.T, mirror).T)
    return rotation - (rotation.sum(axis=1, keepdims=True) - 1.0) / count  # what rounding left along (1, ..., 1)


def seik_omega(nmember: int, rng: np.random.Generator | int | None = None) -> np.ndarray:
    """Return a matrix of orthonormal columns that sum to zero, which makes members of the modes of the SEIK filter.

    Parameters
    ----------
    nmember : int
        Number of members, at least 2.
    rng : numpy.random.Generator or int, optional
        Source of a random matrix, as in `random_rotation`. None gives the deterministic one, a Householder reflection
        less its last column.

    Returns
    -------
    numpy.ndarray
        Omega [1], shape ``(member, member - 1)``.

    Raises
    ------
    InputError
        If ``nmember`` is less than 2 or ``rng`` is no generator.

    References
    ----------
    .. [1] Hoteit, I., Pham, D.-T., and Blum, J. (2002). J. Mar. Syst. 36, 101-127.
    """
    count = _check_members(nmember)
    if rng is None:
        return householder_omega(count)
    inner = np.zeros((count, count - 1))
    inner[:-1] = _haar(count - 1, check_generator(rng))
    mirror = np.full(count, 1.0 / np.sqrt(count))
    mirror[-1] += 1.0
    return _reflect(inner, mirror)


def _check_members(nmember: Any) -> int:
    """Return the number of members, or say what is wrong."""
    if isinstance(nmember, bool) or not isinstance(nmember, int | np.integer) or nmember < 2:
        raise InputError(f"nmember must be a whole number of at least 2; got {nmember!r}")
    return int(nmember)


def _haar(order: int, generator: np.random.Generator) -> np.ndarray:
    """Draw an orthogonal matrix from the Haar measure as a product of reflections of random vectors."""
    matrix = np.eye(order)
    for first in range(order - 1, -1, -1):
        vector = generator.standard_normal(order - first)
        sign = 1.0 if vector[0] >= 0.0 else -1.0
        vector[0] += sign * np.sqrt((vector**2).sum())
        matrix[first:] = _reflect(matrix[first:], vector)
        matrix[first] *= -sign
    return matrix


def _reflect(matrix: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Return the reflection of the columns of ``matrix`` along ``vector``; sums in the order of rows, without BLAS."""
    shadow = (vector[:, None] * matrix).sum(axis=0)
    return matrix - vector[:, None] * (2.0 / (vector**2).sum() * shadow)


__all__ = ["centred_normal", "random_rotation", "seik_omega"]
