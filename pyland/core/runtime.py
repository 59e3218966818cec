"""How the compiled core was built, and its threads."""

from __future__ import annotations

from pyland.core import wrapped


def build() -> dict[str, str | bool | int]:
    """Return ``compiler``, ``flags``, ``mpi``, ``openmp`` and ``chunk_width`` of the core."""
    compiler, flags, with_mpi, with_openmp, width = wrapped.pl_api_runtime.runtime_info()
    return {
        "compiler": compiler.decode().strip(),
        "flags": _plain_flags(flags.decode()),
        "mpi": bool(with_mpi),
        "openmp": bool(with_openmp),
        "chunk_width": int(width),
    }


def _plain_flags(flags: str) -> str:
    """Keep what decides about numbers: optimisation, floating point and architecture; drop paths and warnings."""
    words = flags.split()
    kept = [one for one in words if one.startswith(("-O", "-f", "-march", "-mtune", "-mprefer", "-std", "-g"))]
    return " ".join(one for one in kept if "/" not in one and not one.startswith("-fdiagnostics"))


def threads() -> int:
    """Return the number of threads that the next kernel will use."""
    return int(wrapped.pl_api_runtime.runtime_get_threads())


def set_threads(count: int) -> None:
    """Set the number of threads of this process."""
    wrapped.pl_api_runtime.runtime_set_threads(count)
