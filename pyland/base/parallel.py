"""Ranks: the only module that imports mpi4py, with a serial stand-in.

Land columns need no communication: a rank owns some members of a tile of cells, so results do not depend on the number
of ranks (`pyland.base.cell_ranks`). Observations in ensemble space are small and are shared by all ranks.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import numpy as np

from pyland.base.errors import PylandError

_LAUNCHED = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK", "SLURM_NTASKS")


_END_TAG = 30911  # of messages that announce the end of a run; no other message has it
_PROBES = 100  # looks for such a message


class Communicator:
    """The ranks of a run; serial unless an MPI communicator is given."""

    def __init__(self, comm: Any = None) -> None:
        self._comm = comm
        self.rank: int = 0 if comm is None else comm.Get_rank()
        self.size: int = 1 if comm is None else comm.Get_size()

    @property
    def handle(self) -> int:
        """Handle of the MPI communicator for the compiled core; 0 on a serial run."""
        return 0 if self._comm is None else int(self._comm.py2f())

    @property
    def is_root(self) -> bool:
        """Whether this rank writes files and talks to the user."""
        return self.rank == 0

    def tile(self, count: int) -> slice:
        """Return the contiguous share of ``count`` items that this rank owns; shares differ by one at most."""
        return share_of(count, self.size, self.rank)

    def split(self, colour: int) -> Communicator:
        """Return the ranks that give the same ``colour``, in the order of their numbers; collective."""
        if self._comm is None:
            return Communicator()
        part = self._comm.Split(colour, self.rank)
        return Communicator(part) if part.Get_size() > 1 else Communicator()

    def all_members(self, local: np.ndarray) -> np.ndarray:
        """Return ``local`` itself: these ranks hold all members of their cells (see `pyland.base.cell_ranks`)."""
        return local

    def my_members(self, shared: np.ndarray) -> np.ndarray:
        """Return ``shared`` itself, as `all_members` does."""
        return shared

    def broadcast(self, value: Any) -> Any:
        """Return the root's ``value`` on every rank."""
        return value if self._comm is None else self._comm.bcast(value, root=0)

    def allgather(self, value: Any) -> list[Any]:
        """Return the values of all ranks, in rank order, on every rank."""
        return [value] if self._comm is None else self._comm.allgather(value)

    def exchange(self, parts: Sequence[np.ndarray], sizes: Sequence[int]) -> list[np.ndarray]:
        """Send one array to each rank and return what each sent here, flat.

        Parameters
        ----------
        parts : sequence of numpy.ndarray
            One array for each rank, of one type.
        sizes : sequence of int
            How many numbers come from each rank.
        """
        if self._comm is None:
            return [np.ravel(parts[0])]
        sent = np.concatenate([np.ravel(part) for part in parts])
        received = np.empty(sum(sizes), sent.dtype)
        self._comm.Alltoallv([sent, [part.size for part in parts]], [received, list(sizes)])
        return np.split(received, np.cumsum(sizes)[:-1])

    def gather(self, value: Any) -> list[Any] | None:
        """Return the values of all ranks, in rank order, on the root; None elsewhere."""
        return [value] if self._comm is None else self._comm.gather(value, root=0)

    def scatter(self, values: Sequence[Any] | None) -> Any:
        """Return the root's value for this rank; ``values`` holds one for each rank, and is not looked at elsewhere."""
        if self._comm is not None:
            return self._comm.scatter(values, root=0)
        return None if values is None else values[0]

    def allgather_last(self, local: np.ndarray) -> np.ndarray:
        """Join arrays that are split over ranks along their last axis, on every rank."""
        if self._comm is None:
            return local
        return np.concatenate(self._comm.allgather(np.ascontiguousarray(local)), axis=-1)

    def gather_last(self, local: np.ndarray) -> np.ndarray | None:
        """Join arrays that are split over ranks along their last axis, on the root; None elsewhere."""
        if self._comm is None:
            return local
        parts = self._comm.gather(np.ascontiguousarray(local), root=0)
        return None if parts is None else np.concatenate(parts, axis=-1)

    def any(self, flag: bool) -> bool:
        """Tell every rank whether ``flag`` is true on one of them."""
        return bool(flag) if self._comm is None else any(self._comm.allgather(bool(flag)))

    @contextmanager
    def together(self) -> Iterator[None]:
        """Raise on all ranks what a :class:`PylandError` of one of them says; they would wait for it for ever.

        Nothing within may communicate.
        """
        error: PylandError | None = None
        try:
            yield
        except PylandError as raised:
            error = raised
        first = next((one for one in self.allgather(error) if one is not None), None)
        if error is not None or first is not None:
            raise error or first

    def barrier(self) -> None:
        """Wait for all ranks."""
        if self._comm is not None:
            self._comm.Barrier()

    def announce_end(self) -> None:
        """Tell the other ranks that this one says why the run ends, and is about to end it."""
        if self._comm is not None:
            for rank in range(self.size):
                if rank != self.rank:
                    self._comm.isend(None, dest=rank, tag=_END_TAG)

    def is_ending(self) -> bool:
        """Whether another rank has announced the end of the run."""
        if self._comm is None:
            return False
        return any(self._comm.iprobe(tag=_END_TAG) for _ in range(_PROBES))  # a probe finds what the one before fetched

    def abort(self, code: int) -> None:
        """End all ranks at once; returns on a serial run."""
        if self._comm is not None and self.size > 1:
            self._comm.Abort(code)


def share_of(count: int, parts: int, index: int) -> slice:
    """Return the contiguous share ``index`` of ``count`` items; larger shares, by one at most, come first."""
    base, extra = divmod(count, parts)
    start = index * base + min(index, extra)
    return slice(start, start + base + (index < extra))


def world() -> Communicator:
    """Return the ranks this process was launched with.

    MPI is initialised only under a launcher (mpirun, srun), so that plain Python starts without it.
    """
    if any(name in os.environ for name in _LAUNCHED):
        from mpi4py import MPI

        if MPI.COMM_WORLD.Get_size() > 1:
            _end_all_with_one(MPI.COMM_WORLD)
            return Communicator(MPI.COMM_WORLD)
    return Communicator()


def _end_all_with_one(comm: Any) -> None:
    """Let an exception that nobody catches end all ranks; Python would wait for the others in MPI_Finalize for ever."""
    if isinstance(sys.excepthook, _EndAll):
        return
    sys.excepthook = _EndAll(comm, sys.excepthook)


class _EndAll:
    """Shows an exception as before, then ends all ranks."""

    def __init__(self, comm: Any, show: Callable[..., Any]) -> None:
        self._comm, self._show = comm, show

    def __call__(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        self._show(kind, error, trace)
        sys.stderr.flush()
        self._comm.Abort(getattr(error, "exit_code", PylandError.exit_code))
