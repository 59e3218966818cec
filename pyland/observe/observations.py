"""Observations of one kind at one time, with the reason why each is used or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from pyland.base.errors import InputError
from pyland.base.observation_reasons import MISSING, USED, reason_counts, reason_words

Setting = float | str | list
"""Value of an option of an operator."""


@dataclass(eq=False)
class ObservationSet:
    """Observations of one name that are assimilated together.

    Attributes
    ----------
    name : str
        Name of the observation entry.
    type : str
        Kind of the observation, for example ``"soil_moisture"``.
    time : numpy.datetime64
        Time of the observations (UTC, seconds).
    values, variance : ndarray, shape (obs,)
        Values and error variances, in the unit of the type (`QUANTITIES`) and its square; values may be NaN where not
        used.
    x, y : ndarray, shape (obs,)
        Coordinates in the domain [m].
    cells, weights : ndarray, shape (obs, slot)
        Global cells of each footprint (-1: empty slot) and their weights [1].
    top, bottom : float
        Depth window [m]; NaN where it has no meaning.
    location : ndarray of int, shape (obs,)
        Identity of the place, the same in all sets of a name; for statistics over time.
    flags : ndarray of int8, shape (obs,)
        Codes of `pyland.base.observation_reasons`.
    e_folding_depth : float
        Depth over which the weight of the soil within the window falls to 1/e [m]; infinite: all of it weighs alike.

    settings : mapping of str to float, str or list
        Options of the operator: how the sensor looks, for instance ``incidence_angle`` [degrees], ``polarisation``.

    Raises
    ------
    InputError
        If shapes differ, or a used observation has a value that is not finite or a variance that is not positive.
    """

    name: str
    type: str
    time: np.datetime64
    values: np.ndarray
    variance: np.ndarray
    x: np.ndarray
    y: np.ndarray
    cells: np.ndarray
    weights: np.ndarray
    top: float = 0.0
    bottom: float = 0.0
    location: np.ndarray | None = None
    flags: np.ndarray | None = field(default=None)
    e_folding_depth: float = float("inf")
    settings: Mapping[str, Setting] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.time = np.datetime64(self.time, "s")
        self.values = np.atleast_1d(np.array(self.values, float))
        count = self.values.size
        for name in ("variance", "x", "y"):
            setattr(self, name, np.array(np.broadcast_to(np.asarray(getattr(self, name), float), (count,))))
        self.cells, self.weights = np.asarray(self.cells, np.int64), np.asarray(self.weights, float)
        if self.cells.ndim != 2 or len(self.cells) != count or self.cells.shape != self.weights.shape:
            raise InputError(
                f"observation '{self.name}': cells and weights must have shape ({count}, slot), got "
                f"{self.cells.shape} and {self.weights.shape}."
            )
        self.location = np.arange(count) if self.location is None else np.asarray(self.location, np.int64)
        self.flags = np.zeros(count, np.int8) if self.flags is None else np.array(self.flags, np.int8)
        if self.location.shape != (count,) or self.flags.shape != (count,):
            raise InputError(f"observation '{self.name}': location and flags must have shape ({count},).")
        self.flags[(self.flags == USED) & ~np.isfinite(self.values)] = MISSING
        if not (self.variance[self.used] > 0).all():
            raise InputError(f"observation '{self.name}': error variances must be positive. Set `error` above 0.")

    @property
    def used(self) -> np.ndarray:
        """Mask of the observations that take part, shape (obs,)."""
        return self.flags == USED

    @property
    def size(self) -> int:
        """Number of observations, used or not."""
        return self.values.size

    def reasons(self) -> list[str]:
        """Return for each observation the word that says why it is used or not."""
        return reason_words(self.flags)

    def counts(self) -> dict[str, int]:
        """Return how many observations have each reason, without zeros."""
        return reason_counts(self.flags)


def sets_between(sets: list[ObservationSet], after: np.datetime64, until: np.datetime64) -> list[ObservationSet]:
    """Return the sets with ``after < time <= until``, in the order of time and then of name."""
    chosen = [one for one in sets if np.datetime64(after, "s") < one.time <= np.datetime64(until, "s")]
    return sorted(chosen, key=lambda one: (one.time, one.name))
