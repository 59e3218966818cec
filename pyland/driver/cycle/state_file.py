"""``state.json``: what a cycle folder has done, is doing, and refuses; written aside, forced to disk, renamed.

See docs/decisions/0009-cycle-state.md for the steps of a cycle and what a kill between them leaves.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pyland.base.errors import InputError
from pyland.driver.cycle.timeline import product_name
from pyland.output.atomic import write_json

STATE, STATUS = "state.json", "status.json"
"""Files below the folder of a cycle: what it needs to go on, and what the last call left for people to read."""

FORMAT = "pyland cycle 1"

STAGED, ANALYSED, FORECAST, PUBLISHED = "staged", "analysed", "forecast", "published"
STEPS = (STAGED, ANALYSED, FORECAST, PUBLISHED)
"""Steps of a cycle that are done, in their order; after the last the cycle becomes a record."""

REFUSED_KEPT = 200
"""Refused files that are remembered; an older one that is met again is looked at again."""

RECORDS_KEPT = 40
"""Cycles that are remembered beyond those that may be run again."""


@dataclass
class CycleRecord:
    """A cycle that is done.

    Attributes
    ----------
    index : int
        Number of the cycle.
    stamp : str
        Its end, ``YYYYMMDDTHHMM``.
    version : int
        How often it was run.
    inputs : dict
        By input (``weather``, ``observations/<entry>``, ``forecast``): ``stream``, ``rank`` in the order of preference,
        ``files`` with name, size, SHA-256 and arrival, ``missing`` with the reason.
    """

    index: int
    stamp: str
    version: int
    inputs: dict[str, Any]

    @property
    def name(self) -> str:
        """Name of the newest product."""
        return product_name(self.stamp, self.version)


@dataclass
class CurrentCycle(CycleRecord):
    """A cycle on its way; ``step`` is the last that is done.

    Attributes
    ----------
    step : str
        One of `STEPS`.
    with_forecast : bool
        Whether it has a forecast.
    """

    step: str = STAGED
    with_forecast: bool = True


@dataclass
class CycleState:
    """What a cycle folder remembers.

    Attributes
    ----------
    state_hash : str
        Hash of what the state of the ensemble depends on.
    start : str
        Begin of the first cycle, UTC.
    interval : float
        Length of a cycle [s].
    next_index : int
        The cycle that is due.
    cycles, products : int
        Cycles that are done, and products that were published, versions included.
    records : dict of int to CycleRecord
        Cycles that are done, the newest ones.
    current : CurrentCycle or None
        The cycle on its way.
    refused : dict of str to dict
        Files that are not used, by path: ``size``, ``changed`` [ns], ``reason``.
    """

    state_hash: str
    start: str
    interval: float
    next_index: int = 0
    cycles: int = 0
    products: int = 0
    records: dict[int, CycleRecord] = field(default_factory=dict)
    current: CurrentCycle | None = None
    refused: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def last_index(self) -> int:
        """Newest cycle that is done; -1 for none."""
        return max(self.records, default=-1)

    def finish(self, redo: int) -> None:
        """Turn the current cycle into a record; forget records and refused files that no longer matter."""
        done = self.current
        self.cycles += done.index not in self.records
        self.products += 1
        self.records[done.index] = CycleRecord(done.index, done.stamp, done.version, done.inputs)
        self.next_index, self.current = done.index + 1, None
        oldest = self.last_index - max(redo, RECORDS_KEPT)
        self.records = {index: one for index, one in self.records.items() if index >= oldest}
        for path in list(self.refused)[:-REFUSED_KEPT]:
            del self.refused[path]

    def write(self, path: Path) -> None:
        """Write the file: the old one stays until the new one is complete."""
        content = asdict(self)
        content["records"] = [asdict(self.records[index]) for index in sorted(self.records)]
        write_json(path, {"format": FORMAT, **content})


def read_state(path: Path) -> CycleState | None:
    """Return the state of a cycle folder, None if it has none yet.

    Raises
    ------
    InputError
        If the file is damaged or of another version.
    """
    if not path.exists():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.pop("format") != FORMAT:
            raise ValueError("unknown format")
        content["records"] = {one["index"]: CycleRecord(**one) for one in content["records"]}
        if content["current"] is not None:
            content["current"] = CurrentCycle(**content["current"])
        return CycleState(**content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: the state of the cycle is damaged or of another version ({error}). Products and restarts are "
            "untouched: give the newest restart as cycle.initial and another --output to go on from it.") from error
