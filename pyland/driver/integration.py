"""What every integration has: a clock, records, restarts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pyland.base.parallel import Communicator
from pyland.config import CaseConfig
from pyland.output.restart import Restart, restart_path, write_restart

if TYPE_CHECKING:
    from pyland.driver.records import Records


class Integration(ABC):
    """A model on its way from start to end.

    Parameters
    ----------
    config : CaseConfig
        The case.
    comm : Communicator
        Ranks of the run.
    records : Records
        What is written.
    end : numpy.datetime64
        End of the integration, UTC.
    attrs : mapping
        Global attributes of restart files.
    """

    def __init__(
        self, config: CaseConfig, comm: Communicator, records: Records, end: np.datetime64, attrs: Mapping[str, Any]
    ) -> None:
        self.records = records
        self.end = np.datetime64(end, "s")
        self.step_length = float(config.time.step)
        self.start = config.time.start64
        self.time, self.step_index = self.start, 0
        self.progress: Callable[[float, np.datetime64], None] = lambda done, moment: None
        self._comm, self._attrs = comm, dict(attrs)

    def move_to(self, time: np.datetime64) -> None:
        """Set the clock after a step."""
        self.time, self.step_index = time, self.step_index + 1

    def show_progress(self) -> None:
        """Tell how far the integration is."""
        self.progress(float((self.time - self.start) / (self.end - self.start)), self.time)

    def write_restart(self) -> None:
        """Flush the records, then write the state of all ranks."""
        self.records.flush(self.time)
        gathered = {name: self._gather(array) for name, array in self._cell_state().items()}
        plain = self._plain_state()
        if self._comm.is_root:
            path = restart_path(self.records.run_dir, self.time)
            write_restart(path, gathered | plain, self._attrs, self.time)
        self._comm.barrier()

    def _gather(self, array: np.ndarray) -> np.ndarray | None:
        """Join an array over members and cells of all ranks, in the order of the grid, on the root."""
        return self._comm.gather_last(self._comm.all_members(array))

    @abstractmethod
    def _cell_state(self) -> dict[str, np.ndarray]:
        """Return all arrays over this rank's cells, cell last."""

    @abstractmethod
    def _plain_state(self) -> dict[str, np.ndarray]:
        """Return the arrays that are the same on all ranks."""

    def take_up(self, restart: Restart | None, *, in_new_files: bool = False) -> None:
        """Go on from the restart that the root has read, None elsewhere; each rank receives its members and cells.

        The records go on in the files of the run that wrote the restart, or begin in new ones.
        """
        head = None
        if restart is not None:
            plain = {name: array for name, array in restart.state.items() if self.is_plain(name)}
            head = replace(restart, state=plain), [name for name in restart.state if name not in plain]
        head, blocks = self._comm.broadcast(head)
        state = {name: self._comm.hand_out(None if restart is None else restart.state[name]) for name in blocks}
        self.resume(replace(head, state=head.state | state), in_new_files=in_new_files)

    @abstractmethod
    def is_plain(self, name: str) -> bool:
        """Tell whether an array of a restart has no cell axis."""

    @abstractmethod
    def resume(self, restart: Restart, *, in_new_files: bool = False) -> None:
        """Take up the state of a restart, reduced to this rank's members and cells; arguments as for `take_up`."""
