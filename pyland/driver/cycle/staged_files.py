"""Copies of input files in the folder of a cycle: what happens to the originals later does no harm."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np

from pyland.base.checksums import sha256_of_file
from pyland.base.errors import InputError
from pyland.base.netcdf_access import NETCDF_ACCESS
from pyland.driver.cycle.file_patterns import FoundFile

NETCDF_ENDINGS = (".nc", ".nc4", ".cdf", ".netcdf", ".h5", ".hdf5", ".he5")
"""Files that are read whole to see whether they are."""

_BLOCK_BYTES = 2**26  # of a variable that is read at once [byte]


@dataclass(frozen=True)
class StagedFile:
    """A copy.

    Attributes
    ----------
    name : str
        Of the copy in its folder.
    source : str
        Path of the original.
    size : int
        [byte].
    sha256 : str
        Of the copy.
    arrived : str
        When the original arrived, UTC.
    changed : int
        The same [ns since 1970].
    """

    name: str
    source: str
    size: int
    sha256: str
    arrived: str
    changed: int


@dataclass(frozen=True)
class StagedInput:
    """What one input of a cycle is made of.

    Attributes
    ----------
    stream : str
        Name of the stream.
    rank : int
        Its place in the order of preference.
    files : tuple of StagedFile
        Copies; none where weather is generated.
    source : str
        ``files``, ``forecast`` or ``generator``.
    is_complete : bool
        Nothing more is waited for.
    members : tuple of int
        Members of the weather, in folders ``member_NNN``; none where there is one for all.
    about : dict
        What a reader should know, such as the time from which a forecast was.
    """

    stream: str
    rank: int
    files: tuple[StagedFile, ...] = ()
    source: str = "files"
    is_complete: bool = True
    members: tuple[int, ...] = ()
    about: dict[str, Any] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """Return what the state and the product remember."""
        return {"stream": self.stream, "rank": self.rank, "source": self.source, "members": list(self.members),
                "files": [asdict(one) for one in self.files], **self.about}


def stage_file(found: FoundFile, folder: Path) -> StagedFile:
    """Copy a file into a folder, force it to disk, and return its facts.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name, number = found.path.name, 1
    while (folder / name).exists():  # files of one name from several folders
        name, number = f"{number}_{found.path.name}", number + 1
    try:
        with found.path.open("rb") as source, (folder / name).open("wb") as target:
            shutil.copyfileobj(source, target, 2**20)
            target.flush()
            os.fsync(target.fileno())
    except OSError as error:
        (folder / name).unlink(missing_ok=True)
        raise InputError(f"cannot be read ({error.strerror})") from error
    size = (folder / name).stat().st_size
    return StagedFile(name, str(found.path), size, sha256_of_file(folder / name), found.arrived, found.changed)


def link_file(source: Path | str, target: Path | str) -> None:
    """Give a file of ours a second name, or a copy where the file system has one name for each file."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def check_whole(path: Path) -> None:
    """Make sure that a file is not empty and, where it is netCDF or HDF5, that all of it can be read.

    Raises
    ------
    InputError
        With the reason, as the end of a sentence about the file.
    """
    if path.stat().st_size == 0:
        raise InputError("is empty")
    if path.suffix.lower() not in NETCDF_ENDINGS:
        return
    try:
        with NETCDF_ACCESS, netCDF4.Dataset(path) as data:
            data.set_auto_maskandscale(False)
            _read_group(data)
    except (OSError, RuntimeError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"is truncated or damaged ({error})".replace(str(path), path.name)) from error


def _read_group(group: netCDF4.Group) -> None:
    """Read all variables, piece by piece."""
    for variable in group.variables.values():
        if variable.ndim == 0 or variable.size == 0 or variable.dtype is str:
            variable[...]
            continue
        step = max(_BLOCK_BYTES * variable.shape[0] // max(variable.size * np.dtype(variable.dtype).itemsize, 1), 1)
        for first in range(0, variable.shape[0], step):
            variable[first:first + step]
    for inner in group.groups.values():
        _read_group(inner)


def folder_name(text: str) -> str:
    """Return a name of the case as the name of a folder."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", text)


def without_copies(files: Sequence[StagedFile]) -> tuple[list[StagedFile], list[StagedFile]]:
    """Return files each content of which is there once, and those that repeat one; the first by name stays."""
    kept: dict[str, StagedFile] = {}
    repeated = []
    for one in sorted(files, key=lambda one: one.name):
        if one.sha256 in kept:
            repeated.append(one)
        else:
            kept[one.sha256] = one
    return list(kept.values()), repeated


def damaged_copies(folder: Path, facts: dict[str, Any]) -> list[str]:
    """Return which copies of an input are missing or differ from what the state says; names."""
    wrong = []
    for one in facts.get("files", []):
        places = list(folder.rglob(one["name"]))
        if not any(place.stat().st_size == one["size"] and sha256_of_file(place) == one["sha256"] for place in places):
            wrong.append(one["name"])
    return wrong
