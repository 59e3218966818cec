"""The time that a file name says."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import numpy as np

from pyland.base.errors import InputError

_WIDTHS = {"Y": 4, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2, "j": 3, "y": 2}


def time_of_name(path: Path, pattern: str) -> np.datetime64:
    """Return the time in the name of a file.

    Parameters
    ----------
    path : Path
        The file.
    pattern : str
        Part of the name with ``%Y %m %d %j %H %M %S %y`` as in ``strptime``; ``*`` stands for anything.

    Returns
    -------
    datetime64[s]

    Raises
    ------
    InputError
        If the name does not fit, or what it says is no time.

    Examples
    --------
    >>> str(time_of_name(Path("MOD11A1.A2012003.h18v03.061.nc"), "MOD11A1.A%Y%j"))
    '2012-01-03T00:00:00'
    """
    codes = re.findall(r"%(.)", pattern)
    unknown = [one for one in codes if one not in _WIDTHS]
    if unknown or not codes:
        raise InputError(f"mapping: time.file_name '{pattern}' has %{unknown[0]}" if unknown else
                         f"mapping: time.file_name '{pattern}' has no time in it; use %Y, %m, %d, %j, %H, %M, %S.")
    parts = re.split(r"(%.|\*)", pattern)
    expression = "".join(f"(\\d{{{_WIDTHS[one[1]]}}})" if one.startswith("%") else ".*?" if one == "*" else
                         re.escape(one) for one in parts)
    match = re.search(expression, path.name)
    if match is None:
        raise InputError(f"{path}: the file name does not fit the pattern '{pattern}' of the mapping (time.file_name), "
                         "so that its time is unknown.")
    try:
        found = datetime.strptime(" ".join(match.groups()), " ".join(f"%{one}" for one in codes))
    except ValueError as error:
        raise InputError(f"{path}: the file name says no time by the pattern '{pattern}' ({error}).") from None
    return np.datetime64(found, "s")
