"""Stages that a run takes from others instead of computing them: one truth and one open loop serve many experiments."""

from __future__ import annotations

import copy
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyland.base.errors import InputError
from pyland.base.parallel import Communicator
from pyland.observe import ObservationSet

_TRUTH = ("truth.nc", "truth_discharge.nc")
_OPEN_LOOP = ("history.nc", "discharge.nc")


@dataclass(frozen=True)
class GivenStages:
    """What is there already.

    Attributes
    ----------
    observations : list of ObservationSet
        Observations of all names that a run may ask for, the same on every rank; a run changes copies of them.
    truth, open_loop : Path or None
        Run directories with the truth and with the open loop; None: there is none.
    """

    observations: list[ObservationSet]
    truth: Path | None = None
    open_loop: Path | None = None

    def take(self, names: Sequence[str], run_dir: Path, comm: Communicator) -> list[ObservationSet]:
        """Return copies of the observations of some names, and lay the files of the other stages beside a run.

        With them, ``pyland diagnose`` and ``pyland plot`` compare the run with truth and open loop, as if it had
        computed both.

        Raises
        ------
        InputError
            If a name has no observation.
        """
        lacking = sorted(set(names) - {one.name for one in self.observations})
        if lacking:
            raise InputError(f"{run_dir}: expected observations of '{lacking[0]}', got none; is the run shorter than "
                             "the time to the first of them?")
        if comm.is_root:
            for folder, files, target in ((self.truth, _TRUTH, run_dir), (self.open_loop, _OPEN_LOOP,
                                                                          run_dir / "open_loop")):
                for name in files if folder is not None else ():
                    if (folder / name).exists():
                        _place(folder / name, target / name)
        comm.barrier()
        return [_copy(one) for one in self.observations if one.name in names]


def _copy(one: ObservationSet) -> ObservationSet:
    """Return a set whose values and flags may be changed."""
    return copy.deepcopy(one)


def _place(source: Path, target: Path) -> None:
    """Make a file appear in another folder, without a copy where the file system can."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
