"""Analysed states that a smoother goes on updating until they leave its window.

At each analysis the states of the window are further elements of the same local domains: the transform that the new
observations give to the present state is given to them too (Evensen and van Leeuwen 2000; Nerger et al. 2014).

References
----------
.. [1] Evensen, G., van Leeuwen, P. J. (2000). An ensemble Kalman smoother for nonlinear dynamics. Mon. Weather Rev.
   128, 1852-1867.
.. [2] Nerger, L., Schulte, S., Bunse-Gerstner, A. (2014). On the influence of model nonlinearity and localization on
   ensemble Kalman smoothing. Q. J. R. Meteorol. Soc. 140, 2249-2259.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pyland.base.cell_ranks import CellRanks
from pyland.driver.analysis.filter_call import FilterCall, StatePlaces

PREFIX = "smoother:"
"""Names of its arrays in a restart."""

TIMES = f"{PREFIX}times"
"""Name of the one that has no cell axis."""


@dataclass(frozen=True)
class PastState:
    """An analysed state.

    Attributes
    ----------
    time : numpy.datetime64
        Time of its analysis, UTC.
    fields : dict of str to numpy.ndarray
        Updated variables, all members, each ([layer,] member, cell) of the cells that this rank analyses.
    """

    time: np.datetime64
    fields: dict[str, np.ndarray]


class SmootherWindow:
    """The analysed states of the last while.

    Parameters
    ----------
    length : float
        A state is updated as long as it is not older than this [s].
    damping : float
        Share of each increment that is applied [1].
    """

    def __init__(self, length: float, damping: float) -> None:
        self._length = np.timedelta64(round(length), "s")
        self._damping = damping
        self._states: list[PastState] = []

    def leave(self, time: np.datetime64) -> list[PastState]:
        """Return the states that are too old for an analysis at ``time``, and forget them."""
        left = [one for one in self._states if time - one.time > self._length]
        self._states = self._states[len(left):]
        return left

    def drain(self) -> list[PastState]:
        """Return all states, and forget them."""
        left, self._states = self._states, []
        return left

    def add(self, time: np.datetime64, fields: Mapping[str, np.ndarray]) -> None:
        """Take the analysed state of ``time``, see `PastState`."""
        copies = {name: np.array(values, order="C") for name, values in fields.items()}
        self._states.append(PastState(np.datetime64(time, "s"), copies))

    def update(self, call: FilterCall, coordinates: np.ndarray, depths: Mapping[str, np.ndarray]) -> None:
        """Let all states follow an analysis.

        Parameters
        ----------
        call : FilterCall
            The analysis.
        coordinates : numpy.ndarray, shape (cell, 2)
            Cells of this rank [m].
        depths : mapping of str to numpy.ndarray, shape (layer,) or (1,)
            Depth of the layers of variables, or one for all of them [m]; NaN: all depths alike. Others lie at the
            surface.
        """
        named = [(name, values) for one in self._states for name, values in one.fields.items()]
        if not named:
            return
        nmember, ncell = named[0][1].shape[-2:]
        fields = [values.reshape(-1, nmember, ncell) for _, values in named]  # views: what changes is kept
        depth = np.concatenate([np.broadcast_to(depths.get(name, np.zeros(1)), len(rows))
                                for (name, _), rows in zip(named, fields, strict=True)])
        state = np.concatenate(fields)
        ensemble = state.transpose(1, 2, 0).reshape(nmember, -1)
        analysed = call.update_past(ensemble, StatePlaces.of_layers(coordinates, depth))
        moved = ensemble + self._damping * (analysed - ensemble)
        moved = moved.reshape(nmember, ncell, len(state)).transpose(2, 0, 1)
        first = 0
        for rows in fields:
            rows[...] = moved[first:first + len(rows)]
            first += len(rows)

    def oldest(self) -> np.datetime64 | None:
        """Return the time of the oldest state, None without any."""
        return self._states[0].time if self._states else None

    # ---- restart -----------------------------------------------------------------------------------

    def state(self, ranks: CellRanks) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return arrays over this rank's members and cells, and those that are the same on all ranks; collective."""
        whole = {f"{PREFIX}{place}:{name}": ranks.my_members(values)
                 for place, one in enumerate(self._states) for name, values in one.fields.items()}
        return whole, {TIMES: np.array([one.time.astype(np.int64) for one in self._states], dtype=np.int64)}

    def restore(self, state: Mapping[str, np.ndarray], ranks: CellRanks, names: Sequence[str]) -> None:
        """Continue from `state`; ``names`` are the updated variables. Collective."""
        self._states = [
            PastState(np.datetime64(int(time), "s"), {
                name: np.array(ranks.all_members(state[f"{PREFIX}{place}:{name}"]), order="C") for name in names})
            for place, time in enumerate(state[TIMES])
        ]
