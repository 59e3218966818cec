"""Repeated learning: split the samples, fit all models, judge them by what was withheld, predict everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pyland.base.errors import InputError
from pyland.diagnose.permafrost.learned_models import learned_model
from pyland.diagnose.scores import score

LEAST_SAMPLES = 10
"""Samples below which a tenth cannot be withheld."""

ENSEMBLE = "ensemble"
"""Name of the mean of the models in the scores."""


@dataclass(frozen=True)
class LearnedField:
    """What an ensemble of learned models says.

    Attributes
    ----------
    mean, spread : numpy.ndarray, shape (cell,)
        Mean and standard deviation over repeats and models, unit of the target; NaN where a predictor is missing.
    scores : dict of str to dict
        Of each model and of their mean (``ensemble``): bias, rmse, r and n over all withheld samples of all splits.
    importance : dict of str to float
        Increase of the root mean square error of the withheld samples when a predictor is
        that of another sample, mean over the splits, unit of the target.
    left_out : tuple of str
        Predictors that do not vary among the samples.
    """

    mean: np.ndarray
    spread: np.ndarray
    scores: dict[str, dict[str, float]]
    importance: dict[str, float]
    left_out: tuple[str, ...]


def learn(
    predictors: np.ndarray,
    target: np.ndarray,
    everywhere: np.ndarray,
    names: Sequence[str],
    *,
    models: Sequence[str],
    repeats: int,
    test_share: float,
    seed: int,
    block: np.ndarray | None = None,
) -> LearnedField:
    """Learn a field from samples of it.

    Parameters
    ----------
    predictors : numpy.ndarray, shape (sample, predictor)
        Of the samples, any units.
    target : numpy.ndarray, shape (sample,)
        What is learned; samples with a missing value are left out.
    everywhere : numpy.ndarray, shape (cell, predictor)
        Predictors of the cells.
    names : sequence of str
        Names of the predictors.
    models : sequence of str
        See `learned_model`.
    repeats : int
        Number of splits.
    test_share : float
        Share of the samples that a split withholds, about, if whole blocks are withheld [1].
    seed : int
        Of splits, shuffles and models.
    block : numpy.ndarray of int, shape (sample,), optional
        Samples of a block are withheld together.

    Returns
    -------
    LearnedField

    Raises
    ------
    InputError
        If there are too few samples or blocks, or no predictor varies.
    UnavailableError
        If the packages of the extra ``ml`` are not installed.
    """
    whole = np.isfinite(target) & np.isfinite(predictors).all(axis=1)
    x, y = predictors[whole], target[whole]
    if y.size < LEAST_SAMPLES:
        raise InputError(f"Learned models: expected {LEAST_SAMPLES} samples with all predictors at least, got "
                         f"{y.size}.")
    varies = np.ptp(x, axis=0) > 0.0
    if not varies.any():
        raise InputError(f"Learned models: none of {', '.join(names)} varies among the samples.")
    used = np.flatnonzero(varies)
    x, known = x[:, used], np.isfinite(everywhere).all(axis=1)
    groups = np.arange(y.size) if block is None else np.unique(np.asarray(block)[whole], return_inverse=True)[1]
    ngroup = int(groups.max()) + 1
    if ngroup < 2:
        raise InputError("Learned models: all samples lie in one block; give smaller blocks (block_size).")
    total, squares = np.zeros(known.sum()), np.zeros(known.sum())
    count, tested = 0, {name: [] for name in (*models, ENSEMBLE)}
    truth, gain = [], np.zeros((repeats, used.size))
    for number in range(repeats):
        rng = np.random.default_rng([seed, number])
        test = withheld(groups, ngroup, test_share, rng)
        fitted = [learned_model(name, used.size, int(rng.integers(2**31 - 1))).fit(x[~test], y[~test])
                  for name in models]
        found = np.stack([np.asarray(one.predict(x[test]), dtype=float) for one in fitted])
        for name, values in zip((*models, ENSEMBLE), (*found, found.mean(axis=0)), strict=True):
            tested[name].append(values)
        truth.append(y[test])
        gain[number] = _importance(fitted, x, test, y[test], found.mean(axis=0), rng)
        for one in fitted:
            values = np.asarray(one.predict(everywhere[known][:, used]), dtype=float)
            count += 1
            step = values - total
            total += step / count  # Welford (1962)
            squares += step * (values - total)
    full = [np.full(known.size, np.nan) for _ in range(2)]
    full[0][known], full[1][known] = total, np.sqrt(squares / (count - 1))
    joined = np.concatenate(truth)
    return LearnedField(
        *full,
        scores={name: score(np.concatenate(values), joined) for name, values in tested.items()},
        importance=dict(zip([names[place] for place in used], gain.mean(axis=0).tolist(), strict=True)),
        left_out=tuple(name for name, one in zip(names, varies, strict=True) if not one),
    )


def withheld(groups: np.ndarray, ngroup: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """Choose whole groups at random until a share of the samples is withheld, but never all groups.

    Parameters
    ----------
    groups : numpy.ndarray of int, shape (sample,)
        Group of each sample, 0 to ``ngroup`` - 1.
    ngroup : int
        Number of groups, 2 at least.
    share : float
        [1].
    rng : numpy.random.Generator
        Source of the order.

    Returns
    -------
    numpy.ndarray of bool, shape (sample,)
    """
    order = rng.permutation(ngroup)
    sizes = np.cumsum(np.bincount(groups, minlength=ngroup)[order])
    chosen = int(np.searchsorted(sizes, share * groups.size)) + 1
    return np.isin(groups, order[: min(chosen, ngroup - 1)])


def blocks_of_places(x: np.ndarray, y: np.ndarray, size: float) -> np.ndarray:
    """Return the number of the square that each place lies in.

    Parameters
    ----------
    x, y : numpy.ndarray, shape (place,)
        On a plane [m].
    size : float
        Side of the squares [m].

    Returns
    -------
    numpy.ndarray of int, shape (place,)
    """
    squares = np.stack([np.floor(x / size), np.floor(y / size)], axis=1)
    return np.unique(squares, axis=0, return_inverse=True)[1].ravel()


def _importance(
    fitted: Sequence, x: np.ndarray, test: np.ndarray, y: np.ndarray, found: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return by how much the error grows when one predictor is that of another sample (Breiman 2001).

    Other samples are drawn from all, so that splits that withhold a single one count too.
    """
    error = np.sqrt(np.mean((found - y) ** 2))
    gain = np.zeros(x.shape[1])
    for place in range(x.shape[1]):
        exchanged = x[test].copy()
        exchanged[:, place] = rng.choice(x[:, place], exchanged.shape[0])
        again = np.mean([one.predict(exchanged) for one in fitted], axis=0)
        gain[place] = np.sqrt(np.mean((again - y) ** 2)) - error
    return gain
