"""Provenance: global attributes that say how a file came to be, without naming the machine or the user."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyland
from pyland.base.checksums import sha256_of_file
from pyland.output.atomic import plain


def hash_of_config(config: Mapping[str, Any] | str) -> str:
    """Return a hash of a configuration that does not depend on the order of its keys.

    Parameters
    ----------
    config : mapping or str
        The configuration after defaults are filled in, or its text.
    """
    text = config if isinstance(config, str) else json.dumps(plain(dict(config)), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def source_commit() -> str:
    """Return the git commit of the source tree that pyland is imported from, or 'unknown' for an installed copy."""
    folder = Path(pyland.__file__).resolve().parent.parent
    if not (folder / ".git").exists():
        return "unknown"
    command = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def provenance(
    *,
    config_hash: str,
    inputs: Iterable[str | Path] = (),
    base: str | Path | None = None,
    build: Mapping[str, Any] | None = None,
    ranks: int = 1,
    threads: int = 1,
    seed: int | None = None,
    title: str = "",
) -> dict[str, Any]:
    """Return the global attributes of all output files of a run.

    Parameters
    ----------
    config_hash : str
        From :func:`hash_of_config`.
    inputs : iterable of path
        Files that the run reads; their SHA-256 checksums are kept.
    base : path, optional
        Case directory: inputs below it are named relative to it, others by file name alone.
    build : mapping, optional
        ``compiler``, ``flags`` and ``commit`` of the compiled core.
    ranks, threads : int
        Parallel set-up of the run; results do not depend on it.
    seed : int, optional
        Seed of the ensemble.
    title : str
        Name of the case.
    """
    about = dict(build or {})
    commit = about.get("commit") or source_commit()
    attributes: dict[str, Any] = {
        "title": title or "pyland run",
        "source": f"pyland {pyland.__version__}",
        "history": f"written by pyland {pyland.__version__}, commit {commit}",
        "pyland_version": pyland.__version__,
        "commit": commit,
        "config_hash": config_hash,
        "input_checksums": "; ".join(_checksums(inputs, base)),
        "compiler": str(about.get("compiler", "unknown")).strip(),
        "compiler_flags": str(about.get("flags", "unknown")).strip(),
        "ranks": int(ranks),
        "threads": int(threads),
    }
    if seed is not None:
        attributes["seed"] = int(seed)
    return attributes


def _checksums(inputs: Iterable[str | Path], base: str | Path | None) -> list[str]:
    """Return 'name sha256' of each input in a fixed order."""
    out = []
    root = Path(base).resolve() if base is not None else None
    for path in sorted({Path(name).resolve() for name in inputs}):
        inside = root is not None and path.is_relative_to(root)
        out.append(f"{path.relative_to(root) if inside else path.name} sha256:{sha256_of_file(path)}")
    return out
