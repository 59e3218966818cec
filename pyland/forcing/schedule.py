"""Rain by a table, for runs without a land model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pyland.base.piecewise import PiecewiseConstant


class RainSchedule:
    """Rain that is the same everywhere and constant between given times, and constant evaporation.

    It is no weather: it has the water at the surface alone.

    Parameters
    ----------
    start, end : numpy.datetime64
        Period that will be asked for, UTC; times of the table count from ``start``.
    ncell : int
        Number of cells.
    until : sequence of float or None
        Ends of the entries [s]; None, for the last, has no end. After the last end there is no rain.
    rate : sequence of float
        Rain of each entry [kg m-2 s-1].
    evaporation : float
        [kg m-2 s-1].
    """

    def __init__(
        self,
        start: np.datetime64,
        end: np.datetime64,
        ncell: int,
        until: Sequence[float | None],
        rate: Sequence[float],
        evaporation: float = 0.0,
    ) -> None:
        self.start, self.end, self.ncell = np.datetime64(start, "s"), np.datetime64(end, "s"), ncell
        self._rain = PiecewiseConstant(until, rate, after=0.0)
        self._evaporation = float(evaporation)
        self._entries = list(zip(until, rate, strict=True))

    def weather(self, start: np.datetime64, dt: float) -> dict[str, np.ndarray]:
        """Return mean rain, snowfall and evaporation of the step of ``dt`` [s], each (cell,) [kg m-2 s-1]."""
        begin = float((np.datetime64(start, "s") - self.start) / np.timedelta64(1, "s"))
        rates = {"rain": self._rain.mean(begin, begin + dt), "snowfall": 0.0, "evaporation": self._evaporation}
        return {name: np.full(self.ncell, rate) for name, rate in rates.items()}

    def checksums(self) -> dict[str, str]:
        """Return no checksums: there is no file."""
        return {}

    def describe(self) -> dict[str, Any]:
        """Return plain values that say where the rain comes from."""
        return {"format": "schedule", "rain": self._entries, "evaporation": self._evaporation}
