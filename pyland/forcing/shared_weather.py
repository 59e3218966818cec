"""Weather that one rank reads and the others that share its cells receive."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pyland.base.errors import PylandError
from pyland.base.parallel import Communicator
from pyland.forcing.precipitation_phase import PrecipitationPhase
from pyland.forcing.protocol import Forcing


class SharedWeather:
    """A source of weather for ranks with the same cells: the first reads, the others receive.

    Parameters
    ----------
    comm : Communicator
        The ranks that share the cells. All of them ask for the same steps in the same order.
    open_source : callable
        Opens the source; called on the first rank only.

    Raises
    ------
    PylandError
        On all ranks, what the first says when it opens or reads the source.
    """

    def __init__(self, comm: Communicator, open_source: Callable[[], Forcing]) -> None:
        self._comm = comm
        with comm.together():
            source = self._source = open_source() if comm.is_root else None
        facts = self._receive(lambda: (source.start, source.end, source.ncell, source.reference_height, source.phase))
        self.start: np.datetime64 = facts[0]
        self.end: np.datetime64 = facts[1]
        self.ncell: int = facts[2]
        self.reference_height: np.ndarray = facts[3]
        self.phase: PrecipitationPhase | None = facts[4]

    def weather(self, start: np.datetime64, dt: float) -> dict[str, np.ndarray]:
        """Mean weather of a step; see `pyland.forcing.protocol.Forcing.weather`. Collective."""
        return self._receive(lambda: self._source.weather(start, dt))

    def checksums(self) -> dict[str, str]:
        """SHA-256 of every input file, by path. Collective."""
        return self._receive(lambda: self._source.checksums())

    def describe(self) -> dict[str, Any]:
        """Provenance as plain values. Collective."""
        return self._receive(lambda: self._source.describe())

    def _receive(self, action: Callable[[], Any]) -> Any:
        """Return on every rank what the first rank's action returns; raise on every rank what it raises."""
        answer: Any = None
        if self._comm.is_root:
            try:
                answer = action()
            except PylandError as error:
                answer = error
        answer = self._comm.broadcast(answer)
        if isinstance(answer, PylandError):
            raise answer
        return answer


__all__ = ["SharedWeather"]
