"""What a learning merge may learn from, what stops it, and what judges it: stations and blocks of time kept apart.

A network that has seen a station knows it. Scores are therefore taken at stations that were left out altogether, in a
block of time after that of training; what stops the training is a block of time of its own, between the two.

References
----------
.. [1] Roberts, D. R., Bahn, V., Ciuti, S., et al. (2017). Cross-validation strategies for data with temporal, spatial,
   hierarchical, or phylogenetic structure. Ecography 40, 913-929.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pyland.base.errors import InputError

TRAINING, VALIDATION, TEST, GAP = range(4)
"""Codes of `time_blocks`."""


@dataclass(frozen=True)
class TrainingSplit:
    """Which values of the target are used for what.

    Attributes
    ----------
    training, validation, test : ndarray of bool, shape (time, place)
        Values from which the weights are learned, that stop the training, and that are kept for scores.

    Raises
    ------
    InputError
        If two of them overlap, shapes differ, or training or validation is empty.
    """

    training: np.ndarray
    validation: np.ndarray
    test: np.ndarray

    def __post_init__(self) -> None:
        parts = {"training": self.training, "validation": self.validation, "test": self.test}
        for name, part in parts.items():
            if part.shape != self.training.shape or part.dtype != bool or part.ndim != 2:
                raise InputError(f"lstm split: {name} must be a mask of shape {self.training.shape} (time, place), got "
                                 f"{part.dtype} of shape {part.shape}.")
        for one, other in (("training", "validation"), ("training", "test"), ("validation", "test")):
            common = parts[one] & parts[other]
            if common.any():
                step, place = np.argwhere(common)[0]
                raise InputError(f"lstm split: {one} and {other} share {int(common.sum())} values, the first at time "
                                 f"{step}, place {place}. Scores of values that were learned are no scores.")
        for name in ("training", "validation"):
            if not parts[name].any():
                raise InputError(f"lstm split: there are no values for {name}. Give a longer period or more stations.")


def time_blocks(times: np.ndarray, validation: float = 0.15, test: float = 0.2, gap: int = 30) -> np.ndarray:
    """Divide a period into a block for training, one for validation and one for tests, in this order.

    Parameters
    ----------
    times : ndarray of datetime64, shape (time,)
        Rising times.
    validation, test : float
        Shares of the period [1]; test may be 0.
    gap : int
        Days between the blocks that belong to none: the memory of the soil ties the days on both sides.

    Returns
    -------
    ndarray of int8, shape (time,)
        `TRAINING`, `VALIDATION`, `TEST` or `GAP`.

    Raises
    ------
    InputError
        If the shares cannot be, or nothing is left for training or validation.
    """
    if not (0.0 < validation < 1.0 and 0.0 <= test < 1.0 and validation + test < 1.0 and gap >= 0):
        raise InputError("lstm split: expected 0 < validation, 0 <= test, validation + test < 1 and gap >= 0, got "
                         f"{validation}, {test} and {gap}.")
    times = np.asarray(times, "datetime64[s]")
    if times.size < 3:
        raise InputError(f"lstm split: {times.size} times cannot be divided into blocks.")
    span = times[-1] - times[0]
    day = np.timedelta64(86400, "s")
    from_validation = times[0] + (span / day * (1.0 - validation - test) * 86400.0) * np.timedelta64(1, "s")
    from_test = times[0] + (span / day * (1.0 - test) * 86400.0) * np.timedelta64(1, "s")
    blocks = np.full(times.shape, GAP, np.int8)
    blocks[times < from_validation] = TRAINING
    blocks[(times >= from_validation + gap * day) & ((times < from_test) | (test == 0))] = VALIDATION
    if test > 0:
        blocks[times >= from_test + gap * day] = TEST
    for code, name in ((TRAINING, "training"), (VALIDATION, "validation"), (TEST, "test")):
        if not (blocks == code).any() and (code != TEST or test > 0):
            raise InputError(f"lstm split: with gaps of {gap} days no day of {times.size} is left for {name}.")
    return blocks


def split_values(known: np.ndarray, blocks: np.ndarray, test_places: np.ndarray | None = None) -> TrainingSplit:
    """Return the split of a target by blocks of time and places.

    Parameters
    ----------
    known : ndarray of bool, shape (time, place)
        Where the target has values.
    blocks : ndarray of int8, shape (time,)
        Of `time_blocks`.
    test_places : ndarray of bool, shape (place,), optional
        Places that are left out of training and validation. Without them the test is one of time alone.

    Returns
    -------
    TrainingSplit
        ``test`` holds test places in the test block, or if there is no such block, at all times.
    """
    known, blocks = np.asarray(known, bool), np.asarray(blocks)[:, None]
    out = np.zeros(known.shape[1], bool) if test_places is None else np.asarray(test_places, bool)
    judged = known & ((blocks == TEST) | ~(blocks == TEST).any())
    test = judged & out if out.any() else known & (blocks == TEST)
    return TrainingSplit(known & ~out & (blocks == TRAINING), known & ~out & (blocks == VALIDATION), test)


def station_folds(stations: np.ndarray, folds: int | None = None, seed: int = 0) -> list[np.ndarray]:
    """Return which stations are left out in turn.

    Parameters
    ----------
    stations : ndarray of bool, shape (place,)
        Places with a station.
    folds : int, optional
        Number of groups; one station at a time by default.
    seed : int, optional
        Of the order in which stations are dealt to groups.

    Returns
    -------
    list of ndarray of bool, shape (place,)
        Masks; each station is in exactly one.

    Raises
    ------
    InputError
        If there are fewer than two stations, or folds is not in 2..stations.
    """
    where = np.flatnonzero(stations)
    folds = where.size if folds is None else folds
    if where.size < 2 or not 2 <= folds <= where.size:
        raise InputError(f"lstm split: expected 2 to {where.size} groups of stations that are left out in turn, got "
                         f"{folds} with {where.size} stations.")
    order = np.random.Generator(np.random.Philox(key=[seed % 2**64, 0x6C73746D])).permutation(where)
    masks = []
    for fold in range(folds):
        mask = np.zeros(len(stations), bool)
        mask[order[fold::folds]] = True
        masks.append(mask)
    return masks
