"""Turn ``ierr, errmsg`` of the compiled core into exceptions."""

from __future__ import annotations

from pyland.base.errors import (
    BalanceError,
    ConvergenceError,
    InputError,
    PylandError,
    StateError,
    UnavailableError,
)

_BY_HUNDRED = {1: InputError, 2: ConvergenceError, 3: BalanceError, 4: StateError, 5: UnavailableError}


def check(ierr: int, errmsg: bytes | str) -> None:
    """Raise the exception that belongs to a Fortran error code; 0 passes."""
    if ierr == 0:
        return
    text = errmsg.decode("utf-8", "replace") if isinstance(errmsg, bytes) else errmsg
    raise _BY_HUNDRED.get(int(ierr) // 100, PylandError)(text.strip() or f"[E{ierr}] the core gave no message")
