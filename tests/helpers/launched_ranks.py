"""Ranks that a launcher has started."""

from __future__ import annotations

import subprocess
from pathlib import Path


def ranks_of(process: subprocess.Popen) -> list[int]:
    """Return the process numbers of the ranks below a launcher on this machine; empty without one."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(word) for word in children.read_text().split()] if children.exists() else []
