"""Complete files only: write aside, force to disk, rename.

A reader, or a run that resumes after a kill, finds either the old file or the new one, never half of one.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

PARTIAL_SUFFIX = ".partial"
"""Suffix of files that are being written; such a file is never read."""


def partial_path(path: Path) -> Path:
    """Return the hidden name beside ``path`` under which it is written."""
    return path.with_name(f".{path.name}{PARTIAL_SUFFIX}")


def publish(partial: Path, path: Path) -> None:
    """Force ``partial`` to disk and give it its final name ``path`` (replaces an older file)."""
    _force_to_disk(partial)
    partial.replace(path)
    _force_to_disk(path.parent)


@contextlib.contextmanager
def complete_file(path: str | Path) -> Iterator[Path]:
    """Give the name to write to; the file becomes ``path`` when the block ends without an error.

    Parameters
    ----------
    path : str or Path
        Final name; its folder is made if missing.

    Yields
    ------
    Path
        Name of the file to write. It must be closed when the block ends.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_path(path)
    try:
        yield partial
        publish(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def remove_partial_files(folder: Path) -> None:
    """Delete what a killed run left half written in ``folder``."""
    if folder.is_dir():
        for leftover in folder.glob(f".*{PARTIAL_SUFFIX}"):
            leftover.unlink(missing_ok=True)


def write_json(path: str | Path, content: Any) -> None:
    """Write ``content`` as JSON under ``path``; numbers that are not finite become null."""
    text = json.dumps(plain(content), indent=2, allow_nan=False)
    with complete_file(path) as partial:
        partial.write_text(text + "\n", encoding="utf-8")


def plain(content: Any) -> Any:
    """Return ``content`` in the types of JSON: numpy scalars and arrays become numbers and lists."""
    if isinstance(content, dict):
        return {str(key): plain(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [plain(value) for value in content]
    if isinstance(content, np.datetime64):
        return str(content)
    if isinstance(content, np.ndarray):
        return plain(content.tolist())
    if isinstance(content, np.generic):
        return plain(content.item())
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if isinstance(content, Path):
        return str(content)
    return content


def _force_to_disk(path: Path) -> None:
    """Call fsync on a file or folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
