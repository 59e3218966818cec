"""Complete files only: write aside, force to disk, rename.

A reader, or a run that resumes after a kill, finds either the old file or the new one, never half of one.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.errors import OutputError, PylandError

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

    Raises
    ------
    OutputError
        If the system refuses to write it.
    """
    path = Path(path)
    partial = partial_path(path)
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            publish(partial, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Say in a sentence what keeps ``path`` from being written; netCDF tells of a full disk in riddles.

    Raises
    ------
    OutputError
        For what the system or netCDF refuses within the block.
    """
    try:
        yield
    except PylandError:
        raise
    except (OSError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not str(error).startswith("NetCDF"):
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise OutputError(
            f"{path}: the file cannot be written ({reason}); {_free_space(path)}. Make room there, look at quota and "
            "permissions, then go on with `pyland run CASE --resume`: files with their final names are complete, and "
            "the last restart is untouched."
        ) from error


def _free_space(path: Path) -> str:
    """Say how much space is left where ``path`` lies."""
    folder = next(one for one in path.absolute().parents if one.exists())
    try:
        return f"{shutil.disk_usage(folder).free / 2**30:.2f} GiB are free on its disk"
    except OSError:
        return "its disk does not say how much space is left"


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
