"""Complete files only: write aside, force to disk, rename.

A reader, or a run that resumes after a kill, finds either the old file or the new one, never half of one.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

PARTIAL_SUFFIX = ".partial"
"""Suffix of files that are being written; such a file is never read."""


def partial_path(path: Path) -> Path:
    """Return the hidden name beside ``path`` under which it is written."""
    return path.with_name(f".{path.name}{PARTIAL_SUFFIX}")


def publish(partial: Path, path: Path) -> None:
    """Force ``partial`` to disk and give it its final name ``path`` (replaces an older file)."""
    force_to_disk(partial)
    partial.replace(path)
    force_to_disk(path.parent)


@contextlib.contextmanager
def written_aside(path: str | Path) -> Iterator[Path]:
    """Give the name to write to; the file becomes ``path`` when the block ends without an error.

    Parameters
    ----------
    path : str or Path
        Final name; its folder is made if missing.

    Yields
    ------
    Path
        Name of the file to write. It must be closed when the block ends; after an error it is removed.
    """
    path = Path(path)
    partial = partial_path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield partial
        publish(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def force_to_disk(path: Path) -> None:
    """Call fsync on a file or folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
