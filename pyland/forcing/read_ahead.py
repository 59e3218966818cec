"""Blocks of weather kept in memory, the next one read in a thread while the model computes."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

Content = TypeVar("Content")

_KEPT = 2  # a step can lie across two blocks; the one that is read ahead comes on top


@dataclass
class ReadingTimes:
    """Where the time of reading went.

    Attributes
    ----------
    blocks : int
        Blocks that were read.
    blocks_ready : int
        Of these, blocks that were complete when they were needed.
    reading : float
        Time that reading took, in whichever thread [s].
    waiting : float
        Time that the caller waited for blocks [s].
    """

    blocks: int = 0
    blocks_ready: int = 0
    reading: float = 0.0
    waiting: float = 0.0


@runtime_checkable
class ReadsAhead(Protocol):
    """A source of weather that can read while the model computes."""

    def read_ahead(self) -> AbstractContextManager[None]:
        """Read the next block in a thread within the context."""
        ...


def reading_ahead(forcing: object) -> AbstractContextManager[None]:
    """Let a source read ahead within the context, if it can.

    Whoever touches netCDF files within the context does so under `pyland.base.netcdf_access.NETCDF_ACCESS`.
    """
    return forcing.read_ahead() if isinstance(forcing, ReadsAhead) else nullcontext()


class BlockCache(Generic[Content]):
    """The blocks that were used last, and the one that comes next.

    Parameters
    ----------
    read : callable
        Reads a block, given its number; the answer depends on the number alone.
    count : int
        Number of blocks.

    Attributes
    ----------
    times : ReadingTimes
        Where the time went so far.
    """

    def __init__(self, read: Callable[[int], Content], count: int) -> None:
        self._read, self._count = read, count
        self._blocks: OrderedDict[int, Content] = OrderedDict()
        self._worker: ThreadPoolExecutor | None = None
        self._next: tuple[int, Future[Content]] | None = None
        self.times = ReadingTimes()

    def block(self, number: int) -> Content:
        """Return a block, and begin to read the following one within `read_ahead`.

        Raises
        ------
        InputError
            What reading this block raises, in whichever thread it was read.
        """
        if number in self._blocks:
            self._blocks.move_to_end(number)
        else:
            self._blocks[number] = self._obtain(number)
            while len(self._blocks) > _KEPT:
                self._blocks.popitem(last=False)
        following = number + 1
        if self._worker is not None and following < self._count and following not in self._blocks and (
                self._next is None or self._next[0] != following):
            self._drop_next()
            self._next = following, self._worker.submit(self._timed, following)
        return self._blocks[number]

    @contextmanager
    def read_ahead(self) -> Iterator[None]:
        """Read in a thread within the context; at its end no thread is left."""
        if self._worker is not None:
            yield
            return
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="forcing")
        try:
            yield
        finally:
            self._drop_next()
            self._worker.shutdown(wait=True)
            self._worker = None

    def _obtain(self, number: int) -> Content:
        begin = time.perf_counter()
        if self._next is not None and self._next[0] == number:
            future, self._next = self._next[1], None
            self.times.blocks_ready += future.done()
            content = future.result()
        elif self._worker is not None:  # one thread reads at a time, in the order of need
            self._drop_next()
            content = self._worker.submit(self._timed, number).result()
        else:
            content = self._timed(number)
        self.times.waiting += time.perf_counter() - begin
        return content

    def _timed(self, number: int) -> Content:
        begin = time.perf_counter()
        content = self._read(number)
        self.times.reading += time.perf_counter() - begin
        self.times.blocks += 1
        return content

    def _drop_next(self) -> None:
        """Forget what was read ahead in vain; a thread that has begun comes to its end."""
        if self._next is not None:
            self._next[1].cancel()
            self._next = None
