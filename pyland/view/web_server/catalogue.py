"""What can be looked at: the runs that were named, and what lies in their folders, each with a name for URLs."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyland.base.errors import InputError
from pyland.view.web_server.kept_records import KeptRecords
from pyland.view.web_server.record_files import record_paths
from pyland.view.web_server.viewed_run import ViewedRun

MOST_PRODUCTS = 60
"""Most products of a cycle that are listed, the newest."""

PRODUCT_PARTS = {
    "analysis": {"analysis": "departures", "balance": "balance", "members": "analysis_members"},
    "forecast": {"balance": "forecast_balance", "members": "forecast_members"},
}
"""Histories in the product of a cycle, and what lies beside them under which names."""

_LOOP_PARTS = {"balance": "balance", "members": "members"}
_MOST_DIAGNOSES = 40


@dataclass(frozen=True)
class NamedRun:
    """A run directory or a cycle that the user named.

    Attributes
    ----------
    name : str
        Name of the case, for titles and URLs.
    folder : Path
        Run directory, or folder of a cycle.
    is_cycle : bool
        Whether it is one.
    station : Path or None
        Station file that drove a site run.
    """

    name: str
    folder: Path
    is_cycle: bool = False
    station: Path | None = None


class Catalogue:
    """Runs by the identifier that URLs use.

    Parameters
    ----------
    named : sequence of NamedRun
        What the user named; the first is shown first.
    title : str
        Title of the page.
    language : str, optional
        Language of the page when it opens, ``en``, ``de`` or ``zh``; that of the browser without it.
    tiles : str, optional
        Template of the URLs of a base map; none is fetched without it.
    """

    def __init__(
        self,
        named: Sequence[NamedRun],
        *,
        title: str | None = None,
        language: str | None = None,
        tiles: str | None = None,
    ) -> None:
        if not named:
            raise InputError("pyland view: no run was named; give a case, a run directory or a cycle.")
        self.named, self.language, self.tiles = tuple(named), language, tiles
        self.title = title or ", ".join(dict.fromkeys(one.name for one in named))
        self._runs: dict[str, ViewedRun] = {}
        self._lock, self._kept = threading.RLock(), KeptRecords()
        self._prefixes = _distinct([_slug(one.name) for one in named])
        self.refresh()

    def refresh(self) -> None:
        """Look for runs and products that have appeared, or gone."""
        with self._lock:
            present: list[str] = []
            for entry, prefix in zip(self.named, self._prefixes, strict=True):
                present += self._look(entry, prefix)
            for gone in set(self._runs) - set(present):
                self._runs.pop(gone).close()
            self._runs = {name: self._runs[name] for name in present}

    def run(self, identifier: str) -> ViewedRun:
        """Return a run, its files looked at again.

        Raises
        ------
        InputError
            If there is none of that name.
        """
        with self._lock:
            if identifier not in self._runs:
                raise InputError(f"no run '{identifier}'; there are {', '.join(self._runs)}.")
            found = self._runs[identifier]
            found.refresh()
            return found

    @property
    def runs(self) -> tuple[ViewedRun, ...]:
        """All runs in their order."""
        return tuple(self._runs.values())

    def describe(self, is_static: bool = False) -> dict[str, Any]:
        """Return ``catalogue.json``."""
        return {
            "title": self.title, "language": self.language, "language_default": self.language, "tiles": self.tiles,
            "is_static": is_static, "version": f"{len(self._runs)}-{hash(tuple(self._runs)) & 0xffffffff:x}",
            "runs": [{"id": one.id, "title": one.title, "role": one.role, "parent": one.parent,
                      "is_open_loop": one.role == "open_loop", "is_cycle": one.role == "cycle",
                      "has_fields": not one.records.is_empty} for one in self._runs.values()],
        }

    def close(self) -> None:
        """Close all files."""
        for one in self._runs.values():
            one.close()

    # ---- inside ----------------------------------------------------------------------------------

    def _look(self, entry: NamedRun, prefix: str) -> list[str]:
        """Open what lies in a folder now, and return the identifiers of all of it."""
        return self._look_at_cycle(entry, prefix) if entry.is_cycle else self._look_at_run(entry, prefix)

    def _look_at_run(self, entry: NamedRun, prefix: str) -> list[str]:
        folder = entry.folder
        found = [prefix]
        main = self._open(
            prefix,
            lambda: ViewedRun(
                prefix,
                entry.name,
                folder,
                lambda: record_paths(folder, "history"),
                station=entry.station,
                kept=self._kept,
            ),
        )
        parts: list[tuple[str, str, Path, Callable[[], Sequence[Path]]]] = []
        if record_paths(folder / "open_loop", "history"):
            loop = folder / "open_loop"
            parts.append(("open_loop", "open loop", loop, lambda: record_paths(loop, "history")))
        if (folder / "truth.nc").is_file():
            parts.append(("truth", "truth", folder, lambda: [one for one in (folder / "truth.nc",) if one.exists()]))
        if record_paths(folder, "smoothed"):
            parts.append(("smoothed", "smoother", folder, lambda: record_paths(folder, "smoothed")))
        for role, words, where, find in parts:
            name = f"{prefix}-{role}"
            found.append(name)
            part = self._open(
                name,
                lambda n=name, w=words, f=where, g=find, r=role: ViewedRun(
                    n,
                    f"{entry.name}: {w}",
                    f,
                    g,
                    role=r,
                    parent=prefix,
                    parts=_LOOP_PARTS if r == "open_loop" else {},
                    kept=self._kept,
                ),
            )
            if role in ("open_loop", "truth"):
                setattr(main, role, part)
        files = [one for one in sorted((folder / "diagnose").glob("*/*.nc")) if one.stem != "climatology"]
        files = files[:_MOST_DIAGNOSES]
        return found + self._look_at_files(files, entry, prefix, "diagnosis")

    def _look_at_cycle(self, entry: NamedRun, prefix: str) -> list[str]:
        main = self._open(prefix, lambda: ViewedRun(
            prefix, entry.name, entry.folder, lambda: [], role="cycle", parts={}))
        products = sorted(one for one in (entry.folder / "products").glob("[!.]*") if one.is_dir())[-MOST_PRODUCTS:]
        files = [product / f"{kind}.nc" for product in reversed(products) for kind in PRODUCT_PARTS]
        files = [file for file in files if file.is_file()]
        return [main.id, *self._look_at_files(files, entry, prefix, "product")]

    def _look_at_files(self, files: Sequence[Path], entry: NamedRun, prefix: str, role: str) -> list[str]:
        """Open files with maps, each as a run of its own."""
        found = []
        for file in files:
            name = f"{prefix}-{_slug(file.parent.name)}-{_slug(file.stem)}"
            words = file.parent.name if file.stem == file.parent.name else f"{file.parent.name} {file.stem}"
            try:
                one = self._open(name, lambda n=name, w=words, f=file: ViewedRun(
                    n, f"{entry.name}: {w}", f.parent, lambda: [f] if f.exists() else [], role=role, parent=prefix,
                    parts=PRODUCT_PARTS[f.stem] if role == "product" else {}, kept=self._kept))
                if one.variables and one.grid is not None:
                    found.append(name)
            except InputError:  # a file without maps is no business of the page
                continue
        return found

    def _open(self, name: str, make: Callable[[], ViewedRun]) -> ViewedRun:
        if name not in self._runs:
            self._runs[name] = make()
        return self._runs[name]


def _slug(name: str) -> str:
    """Return a name that stands in a URL as it is."""
    return re.sub(r"[^A-Za-z0-9_.]+", "_", name).strip("_.") or "run"


def _distinct(names: Sequence[str]) -> list[str]:
    """Return names without repetition: the second of a name gets 2."""
    out: list[str] = []
    for name in names:
        number, fresh = 2, name
        while fresh in out:
            fresh, number = f"{name}_{number}", number + 1
        out.append(fresh)
    return out
