"""What has arrived for a cycle: found, copied, looked at, and refused where it cannot be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pyland.base.errors import InputError
from pyland.base.logging import get_logger
from pyland.config import CaseConfig
from pyland.domain import Domain
from pyland.driver.cycle.file_patterns import FoundFile, found_files
from pyland.driver.cycle.staged_files import StagedFile, check_whole, stage_file, without_copies
from pyland.driver.cycle.state_file import CycleState

DAY = np.timedelta64(86400, "s")
"""Files whose names stand for times so far before or after a cycle may hold values of it."""

_log = get_logger("cycle")


@dataclass(frozen=True)
class Arrivals:
    """The files that are there, on the root.

    Attributes
    ----------
    config : CaseConfig
        The case.
    whole : Domain
        All cells of the run.
    state : CycleState
        Remembers what is refused.
    now : numpy.datetime64
        The time, UTC.
    is_replay : bool
        Files that were written after ``now`` have not arrived yet.
    """

    config: CaseConfig
    whole: Domain
    state: CycleState
    now: np.datetime64
    is_replay: bool

    def find(self, pattern: str, moments: np.ndarray) -> list[FoundFile]:
        """Return the files of a pattern for some times that are not refused as they are."""
        found = found_files(pattern, moments, self.now if self.is_replay else None)
        return [one for one in found if not self.is_refused(one)]

    def is_refused(self, one: FoundFile) -> bool:
        """Tell whether a file was refused and has not changed since."""
        known = self.state.refused.get(str(one.path))
        return known is not None and (known["size"], known["changed"]) == (one.size, one.changed)

    def refuse(self, one: FoundFile | StagedFile, reason: str) -> None:
        """Remember that a file is not used, until it changes."""
        path = one.source if isinstance(one, StagedFile) else str(one.path)
        self.state.refused.pop(path, None)  # the newest comes last
        self.state.refused[path] = {"size": one.size, "changed": one.changed, "reason": reason}
        _log.warning("%s: refused, %s", path, reason)

    def stage(self, found: Sequence[FoundFile], folder: Path) -> list[StagedFile]:
        """Copy files into a folder and return those that are whole; of copies of one content the first by name."""
        staged = []
        for one in found:
            try:
                copy = stage_file(one, folder)
            except InputError as error:
                self.refuse(one, str(error))
                continue
            try:
                check_whole(folder / copy.name)
            except InputError as error:
                (folder / copy.name).unlink()
                self.refuse(one, str(error))
                continue
            staged.append(copy)
            self.state.refused.pop(copy.source, None)  # what was broken has come again
        kept, repeated = without_copies(staged)
        for one in repeated:
            (folder / one.name).unlink()
            twin = next(other for other in kept if other.sha256 == one.sha256)
            _log.info("%s: left out, its content is that of %s", one.source, twin.source)
        return kept
