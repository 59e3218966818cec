"""How merged products compare with stations, all on the same days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pyland.base.errors import InputError

LEAST_DAYS = 10
"""Fewest common days of a place that counts."""


@dataclass(frozen=True)
class MergeSkill:
    """Skill of a merged product, means over places of what is found at each.

    Attributes
    ----------
    bias : float
        Mean of the absolute biases [unit of the products].
    ubrmse : float
        Standard deviation of the differences [unit of the products].
    correlation : float
        Pearson's [1]; NaN where a series is constant.
    places, values : int
        What was counted.
    """

    bias: float
    ubrmse: float
    correlation: float
    places: int
    values: int

    def __str__(self) -> str:
        return (f"bias {self.bias:.4f}, ubRMSE {self.ubrmse:.4f}, R {self.correlation:.3f} at {self.places} places, "
                f"{self.values} values")


def compare_merged(estimates: Mapping[str, np.ndarray], target: np.ndarray,
                   counted: np.ndarray | None = None) -> dict[str, MergeSkill]:
    """Compare estimates with a target on the days on which all of them have a value.

    Parameters
    ----------
    estimates : mapping of str to ndarray, shape (time, place)
        By name, NaN without a value.
    target : ndarray, shape (time, place)
        Values of stations, or a truth; NaN without one.
    counted : ndarray of bool, shape (time, place), optional
        Where to compare; everywhere by default.

    Returns
    -------
    dict of str to MergeSkill

    Raises
    ------
    InputError
        If no place has :data:`LEAST_DAYS` common days.
    """
    common = np.isfinite(target) & np.all([np.isfinite(one) for one in estimates.values()], axis=0)
    common = common if counted is None else common & counted
    count = common.sum(axis=0)
    judged = count >= LEAST_DAYS
    if not judged.any():
        raise InputError(f"merge: no place has {LEAST_DAYS} days on which {', '.join(estimates)} and the target have "
                         f"values; the most are {int(count.max(initial=0))}.")
    common, count = common[:, judged], count[judged]

    def centred(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values = np.where(common, values[:, judged], 0.0)
        mean = values.sum(axis=0) / count
        return mean, np.where(common, values - mean, 0.0)

    truth_mean, truth = centred(np.asarray(target, float))
    found = {}
    for name, values in estimates.items():
        mean, away = centred(np.asarray(values, float))
        spread = np.sqrt((away**2).sum(axis=0) * (truth**2).sum(axis=0))
        with np.errstate(invalid="ignore", divide="ignore"):
            correlation = (away * truth).sum(axis=0) / spread
        found[name] = MergeSkill(
            float(np.abs(mean - truth_mean).mean()), float(np.sqrt(((away - truth) ** 2).sum(axis=0) / count).mean()),
            float(correlation.mean()), int(judged.sum()), int(count.sum()))
    return found
