"""``alarms.json`` of a product: the alarms of its cycle."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.output.atomic import write_json


def write_alarms(path: str | Path, alarms: Sequence[Mapping[str, Any]], reference_time: Any) -> Path:
    """Write the alarms of a cycle.

    Parameters
    ----------
    path : str or Path
        The file.
    alarms : sequence of mapping
        As `pyland.diagnose.alarms.Alarm.as_dict` gives them; may be none.
    reference_time : datetime or datetime64
        Time of the analysis [UTC].

    Returns
    -------
    Path
        The file.
    """
    write_json(path, {"reference_time": str(np.datetime64(reference_time, "s")), "alarms": list(alarms)})
    return Path(path)


def read_alarms(path: str | Path) -> list[dict[str, Any]]:
    """Read the alarms of a cycle; of no file: none, as before the first cycle.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    path = Path(path)
    if not path.exists():
        return []
    try:
        alarms = json.loads(path.read_text(encoding="utf-8"))["alarms"]
        if not all({"name", "status", "reference_time"} <= set(one) for one in alarms):
            raise TypeError("an alarm without name, status or reference_time")
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise InputError(f"{path}: expected alarms of a cycle as JSON ({error}). Remove the file: alarms that were on "
                         "then count as new.") from error
    return alarms
