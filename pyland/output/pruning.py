"""Pruning: products of past cycles leave the disk by stated rules, whole folders at a time.

A product is a folder ``YYYYMMDDTHHMM`` or, of a later version of the same cycle, ``YYYYMMDDTHHMM_vN``. One that goes
is first renamed into ``.trash`` beside the others, which is one step of the file system, and then deleted there: a kill
leaves a folder either whole in its place or in the trash, and the next call deletes what is there.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from pyland.base.errors import InputError
from pyland.output.atomic import explained

TRASH = ".trash"
_FOLDER = re.compile(r"(?P<stamp>\d{8}T\d{4})(?:_v(?P<version>[1-9]\d*))?")


class KeepRules(Protocol):
    """What is kept, as `pyland.config.pruning.PruningSection` has it."""

    cycles: int | None
    monthly: int | None
    yearly: int | None
    superseded: int


@dataclass(frozen=True)
class Product:
    """A folder of products.

    Attributes
    ----------
    path : Path
        The folder.
    cycle : numpy.datetime64
        Its cycle [UTC].
    version : int
        1 for the first run of the cycle.
    """

    path: Path
    cycle: np.datetime64
    version: int


@dataclass(frozen=True)
class Removal:
    """A product that goes, and why.

    Attributes
    ----------
    name : str
        Name of the folder.
    reason : str
        Which rule does not keep it.
    size : int
        Bytes of its files.
    """

    name: str
    reason: str
    size: int


def cycle_products(products_root: str | Path) -> list[Product]:
    """Return the products below a folder by cycle and version; other names, also hidden ones, are not products."""
    root = Path(products_root)
    if not root.is_dir():
        return []
    found = []
    for path in root.iterdir():
        match = _FOLDER.fullmatch(path.name)
        if match is not None and path.is_dir():
            found.append(Product(path, stamp_time(match["stamp"]), int(match["version"] or 1)))
    return sorted(found, key=lambda one: (one.cycle, one.version))


def stamp_time(stamp: str) -> np.datetime64:
    """Return the time [UTC] of a stamp ``YYYYMMDDTHHMM``.

    Raises
    ------
    InputError
        If it is no such time.
    """
    try:
        if re.fullmatch(r"\d{8}T\d{4}", stamp) is None:
            raise ValueError
        return np.datetime64(f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:11]}:{stamp[11:]}", "s")
    except ValueError:
        raise InputError(f"'{stamp}': expected the stamp of a cycle such as 20200601T0600 (UTC).") from None


def plan_pruning(products_root: str | Path, rules: KeepRules, needed: Iterable[str] = ()) -> list[Removal]:
    """Return what the rules do not keep, oldest first; nothing is removed.

    Parameters
    ----------
    products_root : str or Path
        Folder of the products.
    rules : KeepRules
        The newest ``cycles`` are kept; of the last ``monthly`` months and ``yearly`` years that have a cycle, the first
        one there is. With a cycle stay its newest version and ``superseded`` older ones.
    needed : iterable of str
        Names of folders that stay whatever the rules say: forecasts that are not verified to their end, what a kept
        product refers to.

    Returns
    -------
    list of Removal
    """
    products = cycle_products(products_root)
    wanted = set(needed)
    cycles = np.unique(np.array([one.cycle for one in products], "datetime64[s]"))
    kept = _kept_cycles(cycles, rules)
    newer: dict[np.datetime64, int] = {}
    out = []
    for product in reversed(products):
        above = newer.get(product.cycle, 0)
        newer[product.cycle] = above + 1
        if product.path.name in wanted:
            continue
        if product.cycle not in kept:
            reason = f"older than the {rules.cycles} newest cycles and the first of no month or year that is kept"
        elif above > rules.superseded:
            reason = f"{above} newer versions of the cycle are there, {rules.superseded} older ones are kept"
        else:
            continue
        out.append(Removal(product.path.name, reason, _size(product.path)))
    return out[::-1]


def prune(products_root: str | Path, rules: KeepRules, needed: Iterable[str] = (),
          *, dry_run: bool = False) -> list[Removal]:
    """Remove what the rules do not keep.

    Parameters
    ----------
    products_root, rules, needed
        As for :func:`plan_pruning`.
    dry_run : bool
        Tell only what would go.

    Returns
    -------
    list of Removal
        What went, or would go. A second call returns an empty list.

    Raises
    ------
    OutputError
        If the system refuses to rename or delete a folder.
    """
    root = Path(products_root)
    removals = plan_pruning(root, rules, needed)
    if dry_run:
        return removals
    finish_removal(root)
    for removal in removals:
        source, target = root / removal.name, root / TRASH / removal.name
        with explained(source):
            target.parent.mkdir(exist_ok=True)
            source.rename(target)
    finish_removal(root)
    return removals


def finish_removal(products_root: str | Path) -> None:
    """Delete what lies in the trash, such as a kill left it; call it at the start of a cycle.

    Raises
    ------
    OutputError
        If the system refuses.
    """
    trash = Path(products_root) / TRASH
    if trash.is_dir():
        with explained(trash):
            shutil.rmtree(trash)


def _kept_cycles(cycles: np.ndarray, rules: KeepRules) -> set[np.datetime64]:
    """Return the cycles that a rule keeps; ``cycles`` ascend and are unique."""
    if rules.cycles is None:
        return set(cycles)
    kept = set(cycles[-rules.cycles:])
    for unit, most in (("M", rules.monthly), ("Y", rules.yearly)):
        _, first = np.unique(cycles.astype(f"datetime64[{unit}]"), return_index=True)
        kept |= set(cycles[first if most is None else first[max(first.size - most, 0):]])
    return kept


def _size(folder: Path) -> int:
    """Return the bytes of the files below a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())
