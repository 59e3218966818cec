"""Log of a run: sentences on the terminal of the root rank, everything in a file, ranks named.

The standard ``logging`` module does the work; every logger of pyland hangs below ``pyland``.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = "pyland"
_FILE_FORMAT = "%(asctime)s %(levelname)-7s %(rank)s%(name)s: %(message)s"
_TERMINAL_FORMAT = "%(rank)s%(message)s"


class _RankName(logging.Filter):
    """Puts the rank in front of a message when there are several."""

    def __init__(self, rank: int, size: int) -> None:
        super().__init__()
        self.text = f"[rank {rank}] " if size > 1 else ""

    def filter(self, record: logging.LogRecord) -> bool:
        record.rank = self.text
        return True


class _LogFile(logging.FileHandler):
    """A log file that says nothing of its own troubles: on a full disk the error of the run is the message."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Let the message go; it stands on the terminal."""

    def close(self) -> None:
        """Close the file, also where its last lines find no room."""
        with contextlib.suppress(OSError):
            super().close()


def get_logger(name: str) -> logging.Logger:
    """Return the logger of a room, for instance ``get_logger("forcing")``."""
    return logging.getLogger(name if name.split(".")[0] == ROOT else f"{ROOT}.{name}")


def start_terminal_log(rank: int = 0, size: int = 1, debug: bool = False) -> None:
    """Send messages to standard error: from the root rank all, from other ranks warnings and errors.

    Parameters
    ----------
    rank, size : int
        This rank and the number of ranks.
    debug : bool
        Show debug messages too.
    """
    logger = logging.getLogger(ROOT)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    _remove(logger, "terminal")
    handler = logging.StreamHandler(sys.stderr)
    handler.set_name("terminal")
    handler.setLevel(logging.DEBUG if debug else logging.INFO if rank == 0 else logging.WARNING)
    handler.setFormatter(logging.Formatter(_TERMINAL_FORMAT))
    handler.addFilter(_RankName(rank, size))
    logger.addHandler(handler)


def start_file_log(path: Path, rank: int = 0, size: int = 1, append: bool = False) -> None:
    """Send all messages of this rank to a file as well; rank r > 0 writes ``<stem>.r<suffix>`` beside it.

    Parameters
    ----------
    path : pathlib.Path
        Log file of the root rank; its folder must exist.
    rank, size : int
        This rank and the number of ranks.
    append : bool
        Keep what an earlier run wrote.
    """
    logger = logging.getLogger(ROOT)
    logger.setLevel(logging.DEBUG)
    _remove(logger, "file")
    if rank > 0:
        path = path.with_name(f"{path.stem}.{rank}{path.suffix}")
    # other ranks open their file with their first message, so that quiet ranks leave none
    handler = _LogFile(path, mode="a" if append else "w", encoding="utf-8", delay=rank > 0)
    handler.set_name("file")
    handler.setLevel(logging.DEBUG if rank == 0 else logging.WARNING)
    handler.setFormatter(logging.Formatter(_FILE_FORMAT))
    handler.addFilter(_RankName(rank, size))
    logger.addHandler(handler)


def has_terminal_log() -> bool:
    """Whether messages go to standard error."""
    return any(handler.get_name() == "terminal" for handler in logging.getLogger(ROOT).handlers)


def stop_logs() -> None:
    """Send messages neither to standard error nor to a file any more."""
    for name in ("terminal", "file"):
        _remove(logging.getLogger(ROOT), name)


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Keep what is less than a warning to itself within the block: for files that are only looked at."""
    logger = logging.getLogger(ROOT)
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)


def stop_file_log() -> None:
    """Send messages to no file any more, so that its folder can go."""
    _remove(logging.getLogger(ROOT), "file")


def _remove(logger: logging.Logger, name: str) -> None:
    for handler in list(logger.handlers):
        if handler.get_name() == name:
            logger.removeHandler(handler)
            handler.close()
