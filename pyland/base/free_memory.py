"""Memory that this process may still take."""

from __future__ import annotations

from pathlib import Path

_MACHINE = Path("/proc/meminfo")
_GROUP = (("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
          ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"))
"""Limit and use of the control group, versions 2 and 1 (Linux kernel, Documentation/admin-guide/cgroup-v2.rst)."""


def free_memory() -> float:
    """Return memory that can be had without swapping [byte], infinite where the system does not say.

    The smaller one of what the machine has and what is left to the control group of a container or a batch job.
    """
    found = [float("inf")]
    if _MACHINE.exists():
        lines = (line.split() for line in _MACHINE.read_text().splitlines())
        found += [1024.0 * float(words[1]) for words in lines if words and words[0] == "MemAvailable:"]
    for limit, used in _GROUP:
        if Path(limit).exists() and Path(used).exists():
            text = Path(limit).read_text().strip()
            found += [float(text) - float(Path(used).read_text())] if text.isdigit() else []
    return min(found)
