"""Files of a run: complete ones only (`pyland.base.complete_files`), with a sentence where one cannot be written."""

from __future__ import annotations

import contextlib
import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.complete_files import PARTIAL_SUFFIX, written_aside
from pyland.base.errors import OutputError, PylandError


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
    with explained(path), written_aside(path) as partial:
        yield partial


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
            "permissions, then give the command again, a run with --resume: files with their final names are complete, "
            "and the last restart is untouched."
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
