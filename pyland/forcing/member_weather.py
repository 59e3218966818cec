"""Ensemble weather: each member of the ensemble has weather of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pyland.base.errors import InputError
from pyland.forcing.precipitation_phase import PrecipitationPhase
from pyland.forcing.protocol import Forcing


class MemberWeather:
    """Weather of the members of this rank, from one source for each that is needed.

    Parameters
    ----------
    sources : sequence of Forcing
        Sources over the same cells and period; each is read once a step, however many members it drives.
    source_of_member : sequence of int, shape (member,)
        Which source drives each member.

    Raises
    ------
    InputError
        If there is no source, a member has none, or sources differ in their cells or height.
    """

    def __init__(self, sources: Sequence[Forcing], source_of_member: Sequence[int]) -> None:
        index = np.asarray(source_of_member, dtype=np.int64)
        if not sources or index.size == 0 or index.min() < 0 or index.max() >= len(sources):
            raise InputError(f"ensemble weather: expected a source for each member, got {len(sources)} sources and "
                             f"{index.tolist()} as those of the members.")
        first = sources[0]
        for one in sources[1:]:
            if one.ncell != first.ncell or not np.array_equal(one.reference_height, first.reference_height):
                raise InputError("ensemble weather: expected the same cells and heights in the weather of all members.")
        self._sources, self._index = list(sources), index
        self.start: np.datetime64 = max(one.start for one in sources)
        self.end: np.datetime64 = min(one.end for one in sources)
        self.ncell: int = first.ncell
        self.reference_height: np.ndarray = first.reference_height
        self.phase: PrecipitationPhase | None = first.phase

    def weather(self, start: np.datetime64, dt: float) -> dict[str, np.ndarray]:
        """Mean weather of a step, ``(member, cell)``; see `pyland.forcing.protocol.Forcing.weather`."""
        each = [source.weather(start, dt) for source in self._sources]
        return {name: np.stack([one[name] for one in each])[self._index] for name in each[0]}

    def checksums(self) -> dict[str, str]:
        """SHA-256 of every input file, by path."""
        return {path: text for source in self._sources for path, text in source.checksums().items()}

    def describe(self) -> dict[str, Any]:
        """Provenance: that of the first source, and how many there are."""
        return {**self._sources[0].describe(), "members_of_weather": len(self._sources)}


def source_of_member(member: int, count: int) -> int:
    """Return which of ``count`` members of the weather drives a member of the ensemble: they take turns."""
    return member % count


__all__ = ["MemberWeather", "source_of_member"]
