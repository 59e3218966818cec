"""Files of pyland name their own format, so that one of another kind is refused with a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pyland.base.errors import InputError

ATTRIBUTE = "pyland_format"
"""Global attribute with the name of the format."""


def check_format(where: str | Path, found: Any, expected: str, what: str, advice: str = "") -> None:
    """Refuse a file of another kind.

    Parameters
    ----------
    where : str or Path
        The file.
    found : object
        Its attribute ``pyland_format``; None without one.
    expected : str
        What it has to be.
    what : str
        What is expected, in words with an article where it takes one.
    advice : str
        What to do, a sentence.

    Raises
    ------
    InputError
        If they differ.
    """
    if found != expected:
        got = "none" if found is None else f"'{found}'"
        raise InputError(f"{where}: is not {what} (attribute {ATTRIBUTE} must be '{expected}', got {got})."
                         + (f" {advice}" if advice else ""))


__all__ = ["ATTRIBUTE", "check_format"]
