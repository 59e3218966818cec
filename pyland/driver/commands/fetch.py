"""``pyland fetch``: public data into the data folder, complete or not at all, and never a file that has changed."""

from __future__ import annotations

import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException
from importlib import resources
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote, urlsplit

import yaml

from pyland.base.checksums import sha256_of_file
from pyland.base.complete_files import partial_path, publish
from pyland.base.data_folder import MIRROR_VARIABLE, data_folder, local_mirror, mirror_address
from pyland.base.errors import InputError
from pyland.base.text import one_of, suggestion

PATIENCE = 60.0
"""Longest silence of a server [s]."""

_PARTIAL_CONTENT, _NOT_FOUND, _PAST_THE_END = 206, 404, 416  # answers of a server
_MEBIBYTE = 2**20


@dataclass(frozen=True)
class DataFile:
    """A file of a data set.

    Attributes
    ----------
    path : str
        Below the folder of the data set.
    size : int
        [byte]
    sha256 : str
        Checksum.
    at : str or None
        Path below the public source; None if only a mirror has it.
    """

    path: str
    size: int
    sha256: str
    at: str | None = None

    def is_at(self, file: Path) -> bool:
        """Tell whether a file is this one, by size and checksum."""
        return file.stat().st_size == self.size and sha256_of_file(file) == self.sha256


@dataclass(frozen=True)
class DataSet:
    """What the registry ``data_sets.yaml`` says of a data set."""

    name: str
    title: str
    licence: str
    source: str
    files: tuple[DataFile, ...]

    @property
    def size(self) -> int:
        """All files together [byte]."""
        return sum(file.size for file in self.files)


@cache
def data_sets() -> Mapping[str, DataSet]:
    """Return the registry."""
    text = resources.files("pyland.driver").joinpath("data_sets.yaml").read_text(encoding="utf-8")
    return {name: DataSet(name, one["title"], one["licence"], one["source"],
                          tuple(DataFile(path, **facts) for path, facts in one["files"].items()))
            for name, one in yaml.safe_load(text).items()}


def list_data() -> Iterator[str]:
    """Yield a line per data set, and where they go."""
    for one in data_sets().values():
        yield f"{one.name}: {one.title}; {len(one.files)} files, {one.size / _MEBIBYTE:.1f} MiB. {one.licence}."
    yield f"`pyland fetch NAME` brings a data set into {data_folder()}."


def fetch_data(name: str, to: Path | None = None) -> Iterator[str]:
    """Bring the files of a data set that are not there yet.

    Parameters
    ----------
    name : str
        Data set.
    to : Path, optional
        Folder that gets a folder ``name``; by default the data folder of the user.

    Yields
    ------
    str
        What was done, a sentence per line.

    Raises
    ------
    InputError
        If there is no such data set, a source cannot be reached, or a file here or there is not the one of the
        registry. Files that are complete stay, and the next call goes on.
    """
    known = data_sets()
    if name not in known:
        raise InputError(f"pyland fetch: expected one of {one_of(known)}, got '{name}'{suggestion(name, known)}")
    chosen, folder = known[name], (data_folder() if to is None else to.expanduser()) / name
    mirror = mirror_address()
    brought, absent = 0, []
    for file in chosen.files:
        target = folder / file.path
        if target.exists():
            if not file.is_at(target):
                raise InputError(
                    f"{target}: expected {file.size} bytes with the SHA-256 {file.sha256}, got another file; it was "
                    "changed or damaged. Move it away and call pyland fetch again."
                )
            continue
        address = _address(chosen, file, mirror)
        if address is None:
            absent.append(file.path)
            continue
        if _bring(address, file, target):
            brought += 1
        else:
            absent.append(file.path)
    if absent:
        yield f"{name}: only a mirror has {', '.join(absent)}; nothing needs it to run (set {MIRROR_VARIABLE})."
    there = len(chosen.files) - brought - len(absent)
    yield f"{folder}: {brought} of {len(chosen.files)} files fetched, {there} were there."
    if to is not None:
        yield f"Cases find them with {MIRROR_VARIABLE}={to}."


def _address(chosen: DataSet, file: DataFile, mirror: str | None) -> str | None:
    """Return where a file comes from; None if it is not to be had.

    Raises
    ------
    InputError
        If a mirror on this machine lacks a file of the public source.
    """
    if mirror is None:
        return None if file.at is None else f"{chosen.source}/{quote(file.at)}"
    folder = local_mirror()
    if folder is None:
        return f"{mirror.rstrip('/')}/{chosen.name}/{quote(file.path)}"
    place = folder / chosen.name / file.path
    if place.is_file():
        return str(place)
    if file.at is None:
        return None
    raise InputError(f"{place}: there is no such file in the mirror that {MIRROR_VARIABLE} names; complete the mirror, "
                     f"or unset {MIRROR_VARIABLE} to fetch from {urlsplit(chosen.source).netloc}.")


def _bring(address: str, file: DataFile, target: Path) -> bool:
    """Copy a file, going on where an earlier call was cut off; it appears when it is complete and right.

    Returns
    -------
    bool
        False if a mirror elsewhere does not have it, and it is none of the public source.

    Raises
    ------
    InputError
        If the source cannot be reached, or has another file.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_path(target)
    begun = partial.stat().st_size if partial.exists() else 0
    if begun >= file.size:  # not what was asked for, or only the name was missing
        if file.is_at(partial):
            publish(partial, target)
            return True
        partial.unlink()
        begun = 0
    try:
        stream, goes_on = _open(address, begun)
        with stream, partial.open("ab" if goes_on else "wb") as out:
            shutil.copyfileobj(stream, out, _MEBIBYTE)
    except (OSError, HTTPException) as error:
        if file.at is None and getattr(error, "code", None) == _NOT_FOUND:
            return False
        reason = getattr(error, "reason", None) or error
        raise InputError(
            f"{address}: cannot be fetched ({reason}). Call pyland fetch again to go on, or set {MIRROR_VARIABLE} to a "
            "folder or an address with the same files."
        ) from None
    if not file.is_at(partial):
        size, checksum = partial.stat().st_size, sha256_of_file(partial)
        if size < file.size:
            raise InputError(f"{address}: ended after {size} of {file.size} bytes; call pyland fetch again to go on. "
                             "If it ends there again, the source has changed.")
        partial.unlink()
        raise InputError(
            f"{address}: expected {file.size} bytes with the SHA-256 {file.sha256}, got {size} bytes with {checksum}; "
            "the source has changed or the transfer was damaged. Nothing was kept of it; call pyland fetch again."
        )
    publish(partial, target)
    return True


def _open(address: str, begun: int) -> tuple[BinaryIO | Any, bool]:
    """Open a source behind the first bytes; say whether it could be, or starts anew, as files of this machine do."""
    if urlsplit(address).scheme not in ("http", "https"):
        return urllib.request.urlopen(Path(address).absolute().as_uri()), False
    wish = urllib.request.Request(address, headers={"Range": f"bytes={begun}-"} if begun else {})
    try:
        answer = urllib.request.urlopen(wish, timeout=PATIENCE)
    except urllib.error.HTTPError as error:
        if error.code != _PAST_THE_END:
            raise
        answer = urllib.request.urlopen(address, timeout=PATIENCE)
    return answer, answer.status == _PARTIAL_CONTENT
