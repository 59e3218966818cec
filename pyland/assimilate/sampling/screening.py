"""Morris screening: which parameters matter at all, by elementary effects along trajectories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pyland.assimilate import arguments
from pyland.base.errors import InputError


@dataclass(frozen=True)
class Effects:
    """Elementary effects, one column per parameter.

    Attributes
    ----------
    mu : numpy.ndarray, shape (output, parameter)
        Mean effect: change of the output over the whole range of the parameter [unit of the output].
    mu_star : numpy.ndarray, shape (output, parameter)
        Mean absolute effect, by which parameters are ranked (Campolongo et al. 2007).
    sigma : numpy.ndarray, shape (output, parameter)
        Standard deviation of the effects: nonlinearity and interactions.
    mu_star_error : numpy.ndarray, shape (output, parameter)
        Standard error of ``mu_star``.
    """

    mu: np.ndarray
    mu_star: np.ndarray
    sigma: np.ndarray
    mu_star_error: np.ndarray


def morris_trajectories(
    count: int, size: int, *, levels: int = 4, candidates: int | None = None,
    rng: np.random.Generator | int | None = None,
) -> np.ndarray:
    """Draw trajectories through the unit cube in which one parameter at a time takes a step.

    Parameters
    ----------
    count : int
        Trajectories, at least 2.
    size : int
        Parameters.
    levels : int
        Levels of the grid, even; a step is ``levels / (2 (levels - 1))``, so that all levels are equally likely [1]_.
    candidates : int, optional
        Trajectories that are drawn; of these, ``count`` are kept that lie far from each other, chosen one after the
        other [2]_, [3]_. None: all that are drawn.
    rng : numpy.random.Generator or int, optional
        Source of the draws.

    Returns
    -------
    numpy.ndarray, shape (trajectory, size + 1, size)
        Points in [0, 1].

    Raises
    ------
    InputError
        If an argument does not fit.

    References
    ----------
    .. [1] Morris, M. D. (1991). Factorial sampling plans for preliminary computational experiments. Technometrics 33,
       161-174.
    .. [2] Campolongo, F., Cariboni, J., and Saltelli, A. (2007). An effective screening design for sensitivity analysis
       of large models. Environ. Model. Softw. 22, 1509-1518.
    .. [3] Ruano, M. V., Ribes, J., Seco, A., and Ferrer, J. (2012). An improved sampling strategy based on trajectory
       design for application of the Morris method to systems with many input factors. Environ. Model. Softw. 37,
       103-109.
    """
    if count < 2 or size < 1 or levels < 2 or levels % 2:
        raise InputError(f"Morris trajectories: expected at least 2 of them, 1 parameter and an even number of levels, "
                         f"got {count}, {size}, {levels}.")
    drawn = count if candidates is None else int(candidates)
    if drawn < count:
        raise InputError(f"Morris trajectories: expected at least {count} candidates, got {drawn}.")
    generator = arguments.check_generator(rng)
    step = levels / (2.0 * (levels - 1.0))
    base = generator.integers(0, levels // 2, (drawn, size)) / (levels - 1.0)
    is_up = generator.random((drawn, size)) < 0.5
    order = np.argsort(generator.random((drawn, size)), axis=1)
    rank = np.argsort(order, axis=1)  # after how many steps a parameter has moved
    has_moved = np.arange(size + 1)[:, None] > rank[:, None, :]
    low, high = base[:, None, :], base[:, None, :] + step
    points = np.where(has_moved == is_up[:, None, :], high, low)
    return points if drawn == count else points[_far_apart(points, count)]


def morris_effects(trajectories: Any, outputs: Any) -> Effects:
    """Return the elementary effects of a model.

    Parameters
    ----------
    trajectories : array_like, shape (trajectory, size + 1, size)
        From `morris_trajectories`.
    outputs : array_like, shape (trajectory, size + 1) or (trajectory, size + 1, output)
        What the model gives at the points. Trajectories with a value that is not finite are left out.

    Raises
    ------
    InputError
        If shapes do not fit, or fewer than 2 trajectories are left.
    """
    points = arguments.to_floats("trajectories", trajectories, 3)
    values = np.asarray(outputs, dtype=np.float64)
    values = values[..., None] if values.ndim == 2 else values
    if values.shape[:2] != points.shape[:2] or points.shape[1] != points.shape[2] + 1:
        raise InputError(f"outputs: expected {points.shape[:2]} values, one per point of the trajectories, got "
                         f"{values.shape}.")
    good = np.isfinite(values).all(axis=(1, 2))
    if good.sum() < 2:
        raise InputError(f"Morris screening: {good.sum()} of {len(good)} trajectories have finite outputs throughout; "
                         "expected at least 2. Narrow the ranges, or look at why the model fails.")
    steps, changes = np.diff(points[good], axis=1), np.diff(values[good], axis=1)
    moved = np.abs(steps).argmax(axis=2)  # (trajectory, step): which parameter
    length = np.take_along_axis(steps, moved[..., None], axis=2)
    effects = np.empty((len(steps), points.shape[2], values.shape[2]))
    np.put_along_axis(effects, np.broadcast_to(moved[..., None], changes.shape), changes / length, axis=1)
    spread = effects.std(axis=0, ddof=1).T
    error = np.abs(effects).std(axis=0, ddof=1).T / np.sqrt(len(effects))
    return Effects(effects.mean(axis=0).T, np.abs(effects).mean(axis=0).T, spread, error)


def _far_apart(points: np.ndarray, count: int) -> np.ndarray:
    """Return the places of trajectories that lie far from each other: the two farthest, then one after the other."""
    each = points.reshape(-1, points.shape[2])
    squares = (each**2).sum(axis=1)
    distance = np.sqrt(np.maximum(squares[:, None] + squares - 2.0 * each @ each.T, 0.0))
    size = points.shape[1]
    between = distance.reshape(len(points), size, len(points), size).sum(axis=(1, 3))
    np.fill_diagonal(between, 0.0)
    chosen = list(np.unravel_index(between.argmax(), between.shape))
    while len(chosen) < count:
        total = (between[chosen] ** 2).sum(axis=0)
        total[chosen] = -1.0
        chosen.append(int(total.argmax()))
    return np.sort(chosen)


__all__ = ["Effects", "morris_effects", "morris_trajectories"]
