"""Incremental analysis update: an increment enters over the steps that follow its analysis (Bloom et al. 1996).

A state that jumps excites what the model then has to get rid of: infiltration fronts, runoff, fluxes. Parts of the
increment, added one step after the other, are small compared with what the model does itself in a step.

References
----------
.. [1] Bloom, S. C., Takacs, L. L., da Silva, A. M., Ledvina, D. (1996). Data assimilation using incremental analysis
   updates. Mon. Weather Rev. 124, 1256-1271.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pyland.base.errors import InputError

PREFIX = "incremental:"
"""Names of its arrays in a restart."""

NEXT = f"{PREFIX}next"
"""Name of the one that has no cell axis."""


def part_weights(kind: str, count: int) -> np.ndarray:
    """Return the share of an increment that enters at each step.

    Parameters
    ----------
    kind : {"constant", "linear"}
        ``linear`` rises from the first step to the middle and falls to the last, as ``PDAF_iau_init`` does with type 2.
    count : int
        Number of steps, at least 1.

    Returns
    -------
    numpy.ndarray, shape (step,)
        Shares [1]; they sum to 1.

    Raises
    ------
    InputError
        If there is no such kind, or no step.

    Examples
    --------
    >>> part_weights("linear", 3).tolist()
    [0.25, 0.5, 0.25]
    """
    if count < 1:
        raise InputError(f"assimilation.incremental.window: expected at least one step, got {count}.")
    if kind == "constant":
        return np.full(count, 1.0 / count)
    if kind != "linear":
        raise InputError(f"assimilation.incremental.weights: expected constant or linear, got {kind!r}.")
    steps = np.arange(1, count + 1)
    hat = np.minimum(steps, steps[::-1]).astype(float)
    return hat / hat.sum()


class IncrementalUpdate:
    """Increments that wait to be added to the state of this rank.

    Parameters
    ----------
    weights : array_like, shape (step,)
        Share that enters at each step after an analysis [1].
    """

    def __init__(self, weights: np.ndarray) -> None:
        self._weights = np.asarray(weights, float)
        self._increments: dict[str, np.ndarray] = {}
        self._next = self._weights.size

    @property
    def is_waiting(self) -> bool:
        """Whether something is left to be added."""
        return self._next < self._weights.size

    def begin(self, increments: Mapping[str, np.ndarray]) -> None:
        """Take the increments of an analysis, each ([layer,] member, cell) of this rank, in the unit of its field.

        Raises
        ------
        InputError
            If an earlier increment is not yet all in.
        """
        if self.is_waiting:
            raise InputError("incremental update: an increment begins before the one before has ended; take `rest` "
                             "first.")
        self._increments = {name: np.array(values) for name, values in increments.items()}
        self._next = 0

    def part(self) -> dict[str, np.ndarray]:
        """Return what enters before the coming step, and go on to the next."""
        share = self._weights[self._next]
        self._next += 1
        return self._taken(share)

    def rest(self) -> dict[str, np.ndarray]:
        """Return all that has not yet entered; nothing is left."""
        share = self._weights[self._next:].sum()
        self._next = self._weights.size
        return self._taken(share)

    def _taken(self, share: float) -> dict[str, np.ndarray]:
        parts = {name: share * values for name, values in self._increments.items()}
        if not self.is_waiting:
            self._increments = {}
        return parts

    # ---- restart -----------------------------------------------------------------------------------

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return arrays over this rank's members and cells, and those that are the same on all ranks."""
        waiting = {PREFIX + name: values.copy() for name, values in self._increments.items()}
        return waiting, {NEXT: np.array([self._next], dtype=np.int64)}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue from `state`."""
        self._next = int(state[NEXT][0])
        self._increments = {name.removeprefix(PREFIX): np.array(values) for name, values in state.items()
                            if name.startswith(PREFIX) and name != NEXT}
