"""``pyland info``: versions, compiler, flags, MPI and threads."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib import metadata

PACKAGES = ("numpy", "netCDF4", "xarray", "f90wrap", "mpi4py", "pydantic", "pint")


def collect_info() -> dict[str, str]:
    """Return what a bug report needs, as text by title; starts MPI only under a launcher."""
    import pyland
    from pyland.base.parallel import world
    from pyland.core import wrapped

    runtime = wrapped.pl_api_runtime
    compiler, flags, with_mpi, with_openmp, width = runtime.runtime_info()
    ranks = world()
    result = {"pyland": pyland.__version__, "python": f"{platform.python_version()} on {platform.platform()}"}
    for name in PACKAGES:
        try:
            result[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            result[name] = "not installed"
    return result | {
        "compiler": _text(compiler),
        "flags": _text(flags),
        "MPI": _mpi_library(ranks.size) if with_mpi else "built without MPI",
        "ranks": str(ranks.size),
        "OpenMP": "yes" if with_openmp else "no",
        "threads": str(int(runtime.runtime_get_threads())),
        "cores": str(os.cpu_count()),
        "columns per chunk": str(int(width)),
    }


def _mpi_library(ranks: int) -> str:
    """Return name and version of the MPI library; asks in another process, so that this one stays without MPI."""
    code = "\n".join(
        (
            "import mpi4py",
            "mpi4py.rc(initialize=False, finalize=False)",
            "from mpi4py import MPI",
            "print(MPI.Get_library_version())",
        )
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OMPI_", "PMIX_", "PMI_"))}
    try:
        answer = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True, env=environment
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return "built with MPI, but mpi4py finds no library"
    return answer.splitlines()[0].strip(" \x00") + (f", {ranks} ranks" if ranks > 1 else "")


def _text(value: bytes | str) -> str:
    return (value.decode("utf-8", "replace") if isinstance(value, bytes) else value).strip()
