"""Floating-point traps while the compiled core runs.

The compiler flag -ffpe-trap acts in a Fortran main program only, and here is none.
"""

from __future__ import annotations

import ctypes
import functools
import platform
from collections.abc import Callable
from typing import Any

INVALID, ZERO, OVERFLOW = 0x01, 0x04, 0x08  # x86 exception bits of <fenv.h>
WATCHED = INVALID | ZERO | OVERFLOW


def trap_core() -> bool:
    """Make every call of the core end the process with SIGFPE where it divides by zero, overflows or makes a NaN.

    Returns
    -------
    bool
        False where this machine has no such traps.
    """
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return False
    from pyland.core._wrapped import _wrapped

    library = ctypes.CDLL("libm.so.6")
    for name in dir(_wrapped):
        if name.startswith("f90wrap_"):
            setattr(_wrapped, name, _trapping(getattr(_wrapped, name), library))
    return True


def _trapping(function: Callable[..., Any], library: ctypes.CDLL) -> Callable[..., Any]:
    @functools.wraps(function, assigned=())
    def call(*arguments: Any, **keywords: Any) -> Any:
        library.feclearexcept(WATCHED)
        library.feenableexcept(WATCHED)
        try:
            return function(*arguments, **keywords)
        finally:
            library.fedisableexcept(WATCHED)

    return call
