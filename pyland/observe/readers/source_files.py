"""The files that a user names, and what identifies them afterwards."""

from __future__ import annotations

import glob
import hashlib
from collections.abc import Iterable
from pathlib import Path

from pyland.base.checksums import add_file, sha256_of_file
from pyland.base.errors import InputError

LARGEST_HASHED = 10**9
"""Files up to this size [byte] are known by their SHA-256; larger ones, stacks of years, by size and time of change:
reading them twice would take longer than reading what is asked of them."""


def expand_paths(paths: str | Path | Iterable[str | Path]) -> list[Path]:
    """Return the files that names and patterns stand for, each once, in the order given and patterns sorted.

    Parameters
    ----------
    paths : str, Path or iterable of them
        Names, or patterns with ``*``, ``?``, ``[...]`` and ``**``.

    Returns
    -------
    list of Path

    Raises
    ------
    InputError
        If a file does not exist, a pattern fits none, a folder is given, or there is nothing at all.
    """
    found: dict[Path, Path] = {}
    for one in [paths] if isinstance(paths, str | Path) else list(paths):
        text = str(Path(one).expanduser())
        if Path(text).exists():
            matches = [text]
        elif glob.has_magic(text):
            matches = sorted(glob.glob(text, recursive=True))  # noqa: PTH207 (absolute patterns, too)
            if not matches:
                raise InputError(f"observations: no file fits the pattern {text}. Check folder and pattern, and quote "
                                 "it on the command line.")
        else:
            raise InputError(f"observations: {text} does not exist. Check the path.")
        for name in matches:
            path = Path(name)
            if path.is_dir() and path.suffix != ".zarr":
                if len(matches) > 1:
                    continue  # a pattern such as ** fits folders on its way to files
                raise InputError(f"observations: {path} is a folder; expected files. Give a pattern, for instance "
                                 f"'{path}/*.nc'.")
            found.setdefault(path.resolve(), path)
    if not found:
        raise InputError("observations: no file is given. Name one, several, or a pattern.")
    return list(found.values())


def identity(path: Path) -> str:
    """Return the name of a file with its SHA-256, or with size and time of change if it is larger than a gigabyte."""
    if path.is_dir():
        parts = sorted(one for one in path.rglob("*") if one.is_file())
        digest = hashlib.sha256()
        for part in parts:
            digest.update(str(part.relative_to(path)).encode())
            add_file(digest, part)
        return f"{path.name} sha256:{digest.hexdigest()}"
    status = path.stat()
    if status.st_size > LARGEST_HASHED:
        return f"{path.name} size:{status.st_size} mtime:{int(status.st_mtime)}"
    return f"{path.name} sha256:{sha256_of_file(path)}"
