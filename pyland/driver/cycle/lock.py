"""One lock: a cycle folder is written by one call at a time."""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path
from types import TracebackType
from typing import TextIO

import numpy as np

from pyland.base.errors import InputError

LOCK = "lock"
"""Name of the file below the folder of a cycle."""


class CycleLock:
    """Hold the lock of a cycle folder within a ``with`` block.

    The system holds the lock for the process, not the file: it ends with the process, however that ends, and a file
    that is left behind locks nothing.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    InputError
        On entry, if another process holds it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: TextIO | None = None

    def __enter__(self) -> CycleLock:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "a process that has not said who it is"
            file.close()
            raise InputError(f"{self.path}: another `pyland cycle` is at work in this folder ({holder}). Wait until it "
                             "has ended; this call has done nothing.") from None
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()} since {np.datetime64('now', 's')} UTC\n")
        file.flush()
        self._file = file
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None
