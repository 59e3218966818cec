"""SHA-256 of files, read block by block."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

_BLOCK = 2**20


def sha256_of_file(path: str | Path) -> str:
    """Return the SHA-256 checksum of a file as hexadecimal digits."""
    digest = hashlib.sha256()
    add_file(digest, path)
    return digest.hexdigest()


def add_file(digest: Any, path: str | Path) -> None:
    """Add the bytes of a file to a checksum."""
    with Path(path).open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)


__all__ = ["add_file", "sha256_of_file"]
