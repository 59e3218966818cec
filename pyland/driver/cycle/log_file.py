"""The log of a cycle folder: one line for what happened, of bounded size."""

from __future__ import annotations

from pathlib import Path

import numpy as np

LOG = "log"
LARGEST = 2**20
"""Size of the log at which it becomes ``log.1``, which replaces the one before [byte]."""


def write_line(root: Path, text: str) -> None:
    """Append a line with the time of the clock, UTC."""
    path = root / LOG
    if path.exists() and path.stat().st_size > LARGEST:
        path.replace(root / f"{LOG}.1")
    with path.open("a", encoding="utf-8") as stream:
        stream.write(f"{np.datetime64('now', 's')} {text}\n")
