"""Latency board: how old each input of a real-time cycle is, and whether it comes as expected.

A file of an input holds values up to its valid time [UTC]; the next one is due one interval later, and expected to be
there a latency after that. The board compares the newest valid time with the clock:

* age = now - newest valid time;
* ok: the next file is not yet expected, now <= newest + interval + latency;
* late: it is, but the cycle still waits, now <= newest + interval + patience;
* missing: the patience has ended, or nothing ever came.

All follows from the arrivals and ``now``; the same arrivals and the same time give the same board.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from pyland.base.errors import InputError
from pyland.base.text import one_of
from pyland.output.atomic import write_json

OK, LATE, MISSING = "ok", "late", "missing"
STATUSES = (OK, LATE, MISSING)
"""From best to worst."""

KINDS = ("forcing", "observations", "forecast")

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_COLUMNS = ("input", "stream", "kind", "newest valid", "arrived", "age", "expected", "usual", "status")


@dataclass(frozen=True)
class InputArrival:
    """What came of one stream of one input.

    Parameters
    ----------
    name : str
        The input, such as ``weather``.
    stream : str
        Which of its streams: ``final``, ``early``, ...
    interval : float
        Time between two files [s].
    latency : float
        How long after its valid time a file is expected [s].
    patience : float, optional
        How long after its valid time a cycle waits for it [s]; at least ``latency``, which it is if left out.
    kind : str
        One of ``KINDS``.
    valid, arrived : sequence of datetime64, shape (file,)
        Valid time (end of what the file holds) and arrival of each file [UTC], in any order.

    Raises
    ------
    InputError
        If a duration is negative, the patience is shorter than the latency, or the times do not pair.
    """

    name: str
    stream: str
    interval: float
    latency: float
    patience: float | None = None
    kind: str = "forcing"
    valid: ArrayLike = field(default=())
    arrived: ArrayLike = field(default=())

    def __post_init__(self) -> None:
        """Check durations and times."""
        about = f"Latency of '{self.name}' ({self.stream})"
        if self.kind not in KINDS:
            raise InputError(f"{about}: expected the kind {one_of(KINDS)}, got '{self.kind}'.")
        if not (self.interval > 0.0 and self.latency >= 0.0):
            raise InputError(f"{about}: expected an interval above 0 s and a latency of 0 s or more, got "
                             f"{self.interval:g} s and {self.latency:g} s.")
        if self.patience is not None and self.patience < self.latency:
            raise InputError(f"{about}: expected a patience of at least the latency {self.latency:g} s, got "
                             f"{self.patience:g} s; a cycle would give up before the input is due.")
        if np.shape(self.valid) != np.shape(self.arrived) or np.ndim(self.valid) != 1:
            raise InputError(f"{about}: expected as many arrivals as valid times, got {np.size(self.arrived)} and "
                             f"{np.size(self.valid)}.")

    def row(self, now: np.datetime64) -> dict[str, Any]:
        """Return the line of the board at ``now`` [UTC]; files that arrive later do not count."""
        valid = np.asarray(self.valid, "datetime64[s]")
        arrived = np.asarray(self.arrived, "datetime64[s]")
        here = arrived <= now
        valid, arrived = valid[here], arrived[here]
        newest = valid.max() if valid.size else None
        age = None if newest is None else float((now - newest) / np.timedelta64(1, "s"))
        came = None if newest is None else arrived[valid == newest].min()
        usual = float(np.median((arrived - valid) / np.timedelta64(1, "s"))) if valid.size else None
        return {
            "name": self.name,
            "stream": self.stream,
            "kind": self.kind,
            "newest_valid": None if newest is None else str(newest),
            "arrived": None if came is None else str(came),
            "age": age,
            "interval": float(self.interval),
            "expected_latency": float(self.latency),
            "usual_latency": usual,
            "patience": self._patience,
            "files": int(valid.size),
            "status": self._status(age),
        }

    @property
    def _patience(self) -> float:
        return float(self.latency if self.patience is None else self.patience)

    def _status(self, age: float | None) -> str:
        """Compare an age [s] with what is expected."""
        if age is None or age > self.interval + self._patience:
            return MISSING
        return LATE if age > self.interval + self.latency else OK


def latency_board(inputs: Sequence[InputArrival], now: Any) -> dict[str, Any]:
    """Return the board at a time.

    Parameters
    ----------
    inputs : sequence of InputArrival
        One per stream of an input; no two with the same name and stream.
    now : datetime or datetime64
        The time [UTC].

    Returns
    -------
    dict
        ``time``; ``status``, the worst among inputs of which each counts with its best stream (a late final stream does
        no harm while the early one comes); ``inputs``, one mapping per stream with ``name``, ``stream``, ``kind``,
        ``newest_valid`` and ``arrived`` [UTC], ``age``, ``interval``, ``expected_latency``, ``usual_latency`` (median
        of arrival less valid time) and ``patience`` [s], ``files`` and ``status``. Null where nothing came.

    Raises
    ------
    InputError
        If a stream is there twice.
    """
    moment = np.datetime64(now, "s")
    keys = [(one.name, one.stream) for one in inputs]
    twice = sorted({f"{name} ({stream})" for name, stream in keys if keys.count((name, stream)) > 1})
    if twice:
        raise InputError(f"Latency board: expected each stream of an input once, got {', '.join(twice)} more than "
                         "once.")
    rows = [one.row(moment) for one in inputs]
    best: dict[str, int] = {}
    for row in rows:
        place = STATUSES.index(row["status"])
        best[row["name"]] = min(place, best.get(row["name"], place))
    return {"time": str(moment), "status": STATUSES[max(best.values(), default=0)], "inputs": rows}


def write_board(path: str | Path, board: dict[str, Any]) -> Path:
    """Write a board as JSON, complete or not at all; returns ``path``."""
    write_json(path, board)
    return Path(path)


def board_text(board: dict[str, Any]) -> str:
    """Return a board as a table for the terminal, one line per stream."""
    lines = [list(_COLUMNS)]
    lines += [
        [row["name"], row["stream"], row["kind"], _minute(row["newest_valid"]), _minute(row["arrived"]),
         duration_text(row["age"]), duration_text(row["expected_latency"]), duration_text(row["usual_latency"]),
         row["status"]]
        for row in board["inputs"]]
    widths = [max(len(line[place]) for line in lines) for place in range(len(_COLUMNS))]
    table = ["  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([f"Inputs at {_minute(board['time'])} UTC: {board['status']}", *table])


def duration_text(seconds: float | None) -> str:
    """Return a duration [s] in the largest unit that keeps it above 1: ``36.0 h``, ``2.5 d``; a dash for None."""
    if seconds is None:
        return "-"
    for unit, length, limit in (("min", _MINUTE, 2 * _HOUR), ("h", _HOUR, 2 * _DAY)):
        if abs(seconds) < limit:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds / _DAY:.1f} d"


def _minute(text: str | None) -> str:
    """Return a time of the board to the minute."""
    return "-" if text is None else text[:16].replace("T", " ")
