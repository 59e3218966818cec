"""Random numbers that smoothers draw: one generator, perturbations without mean, rotations that keep the mean."""

from __future__ import annotations

import numpy as np

from pyland.base.errors import InputError


def to_generator(rng: np.random.Generator | int | None) -> np.random.Generator:
    """Return a generator: the one given, or a new one of a seed (None: of fresh entropy, not reproducible).

    Raises
    ------
    InputError
        If ``rng`` is none of the three.
    """
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise InputError(f"rng must be a numpy.random.Generator, a seed or None; got {rng!r}") from error


def centred_normal(shape: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
    """Draw standard normal numbers (member, any) whose mean over the members is 0."""
    draws = generator.standard_normal(shape)
    return draws - draws.mean(axis=0)


def mean_preserving_rotation(nmember: int, generator: np.random.Generator) -> np.ndarray:
    """Draw a random orthogonal matrix (member, member) that keeps the vector of ones.

    Anomalies (member, any) multiplied by it from the left keep their mean of 0 and their covariance.

    Notes
    -----
    Uniform over the orthogonal matrices of the space without the mean: QR of a normal matrix with the signs of the
    diagonal of R taken out (Mezzadri 2007, Not. Am. Math. Soc. 54, 592-604).
    """
    ones = np.full((nmember, 1), 1.0 / np.sqrt(nmember))
    basis = np.linalg.qr(np.hstack([ones, np.eye(nmember)[:, 1:]]))[0][:, 1:]
    turn, upper = np.linalg.qr(generator.standard_normal((nmember - 1, nmember - 1)))
    return basis @ (turn * np.sign(np.diag(upper))) @ basis.T + ones @ ones.T


__all__ = ["centred_normal", "mean_preserving_rotation", "to_generator"]
