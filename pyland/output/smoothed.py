"""``smoothed.nc``: analysed states after all observations of the window that follows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.parallel import Communicator
from pyland.output.attributes import TIME_ATTRIBUTES
from pyland.output.grid import OutputGrid
from pyland.output.history import HistoryWriter, seconds, stamp_of
from pyland.output.segments import RecordVariable


class SmoothedWriter(HistoryWriter):
    """Write mean and spread of the updated variables, one record per analysis, stamped with its time.

    Parameters
    ----------
    run_dir : str or Path
        Run directory.
    grid : OutputGrid
        All cells of the run.
    variables : sequence of str
        Identifiers of the updated variables.
    attrs : mapping
        Global attributes.
    nmember : int
        Members that the statistics are over.
    communicator : Communicator, optional
        Ranks that each hold a tile of cells.
    """

    def __init__(
        self, run_dir: str | Path, grid: OutputGrid, variables: Sequence[str], attrs: Mapping[str, Any], *,
        nmember: int = 1, communicator: Communicator | None = None
    ) -> None:
        super().__init__(run_dir, grid, dict.fromkeys(variables, "point"), attrs, ("mean", "std"), kind="smoothed",
                         nmember=nmember, communicator=communicator)

    def resume(self, time: np.datetime64, interval_start: np.datetime64 | None = None) -> None:
        """Continue after the restart of ``time``; records from ``interval_start`` on are still in the window.

        A run that ended there has written them too early: they leave the window again.
        """
        if self._file is None:
            return
        last = np.datetime64(time, "s") if interval_start is None else (
            np.datetime64(interval_start, "s") - np.timedelta64(1, "s"))
        self._file.resume(stamp_of(time), last)

    def add_state(self, time: Any, values: Mapping[str, np.ndarray]) -> None:
        """Add the state of one analysis; ``values`` (layer, member, cell) of this rank's cells."""
        record = self._reduce(values)
        if self._file is None:
            return
        if not self._defined:
            self._file.define(self._definitions(values))
            self._defined = True
        self._file.append({**record, "time": np.array([seconds(time)])})

    def flush(self, stamp: str) -> None:
        """Write a complete segment; call it before the restart of the same stamp is written."""
        if self._file is not None:
            if not self._defined:  # no record yet: the segment holds the times only
                self._file.define(_times())
            self._file.flush(stamp)

    def _definitions(self, values: Mapping[str, np.ndarray]) -> dict[str, RecordVariable]:
        whole = super()._definitions(values)
        return _times() | {name: one for name, one in whole.items() if not name.startswith("time")}


def _times() -> dict[str, RecordVariable]:
    """Return the time variable of states."""
    return {"time": RecordVariable(("time",), TIME_ATTRIBUTES, "i8")}
