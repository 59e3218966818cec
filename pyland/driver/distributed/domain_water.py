"""The water of a whole domain: what passed its rim in an output interval of a run, and what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pyland.base.cell_ranks import CellRanks
from pyland.base.logging import get_logger
from pyland.base.parallel import Communicator
from pyland.base.units import WATER_DENSITY
from pyland.output.domain_balance import COUNTS, DomainBalanceWriter, DomainTerms, residual_of

_log = get_logger("run")

DOMAIN_STATE = ("counts", "flows", "stored")
"""Arrays of a restart that have no cell axis, and are the same on all ranks."""


class DomainWater:
    """Balance of the members of this rank, and of their mean in ``balance.nc``.

    Parameters
    ----------
    run_dir : Path
        Where the file goes.
    attrs : mapping
        Global attributes.
    area : float
        Of the domain [m2].
    terms : DomainTerms
        What passes the rim, and where water is.
    ranks : CellRanks
        Ranks of the run, as they share members and cells.
    tiles : Communicator
        Ranks that share the members of this rank.
    """

    def __init__(
        self, run_dir: Path, attrs: Mapping[str, Any], area: float, terms: DomainTerms, ranks: CellRanks,
        tiles: Communicator,
    ) -> None:
        self.writer = DomainBalanceWriter(run_dir, {**attrs, "domain_area": area}, terms, communicator=ranks)
        self.largest_residual = 0.0
        self._area, self._terms, self._ranks, self._tiles = area, terms, ranks, tiles
        self._stored = np.zeros((ranks.nmember_local, len(terms.stores)))
        self._open()

    def _open(self) -> None:
        """Begin an output interval."""
        self._flows = np.zeros((self._ranks.nmember_local, len(self._terms.flows)))
        self._counts = np.zeros(len(COUNTS), dtype=np.int64)

    def start(self, stored: Mapping[str, np.ndarray]) -> None:
        """Begin a run with the water that is there, each (member,) [m3]."""
        self._stored = self._table(stored, self._terms.stores)
        self._open()

    def add(self, flows: Mapping[str, np.ndarray], counts: Mapping[str, int] | None = None) -> None:
        """Add what passed the rim of this rank's tile, each (member,) [m3], and what it cost; collective.

        Parameters
        ----------
        flows : mapping of str to numpy.ndarray
            Volumes of the terms that had any; others are 0.
        counts : mapping of str to int, optional
            Names as in ``COUNTS``; the same on all tiles.
        """
        nothing = np.zeros(self._flows.shape[0])
        mine = np.stack([flows.get(name, nothing) for name in self._terms.flows], axis=1)
        self._flows += np.sum(self._tiles.allgather(mine), axis=0)
        if counts is not None:
            self._counts += np.array([counts[name] for name in COUNTS])

    def close_interval(self, start: np.datetime64, end: np.datetime64, stored: Mapping[str, np.ndarray]) -> None:
        """Write the ensemble mean of an interval, with the water at its end, each (member,) [m3]; collective."""
        now = self._table(stored, self._terms.stores)
        change = now.sum(axis=1) - self._stored.sum(axis=1)
        rates = dict(zip(self._terms.flows, self._flows.T, strict=True))
        residual = residual_of(self._terms, rates, change)
        table = self._ranks.join_members(np.column_stack([self._flows, now, change, residual]))
        names = (*self._terms.flows, *self._terms.stores, "storage_change", "residual")
        counts = self._total_counts()
        record = dict(zip(names, map(float, table.mean(axis=0)), strict=True))
        self.writer.add(start, end, {**record, **dict(zip(COUNTS, map(float, counts), strict=True))})
        per_area = WATER_DENSITY * float(np.abs(table[:, -1]).max()) / self._area
        self.largest_residual = max(self.largest_residual, per_area)
        _log.debug("%s: %d steps, %d Newton and %d Krylov iterations, largest residual %.1e kg m-2", end, *counts,
                   per_area)
        self._stored = now
        self._open()

    def state(self) -> dict[str, np.ndarray]:
        """Return the half-filled interval for a restart, all members; collective."""
        return {"flows": self._ranks.join_members(self._flows), "stored": self._ranks.join_members(self._stored),
                "counts": self._total_counts()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take up the interval of a restart."""
        mine = self._ranks.members
        self._flows, self._stored = np.array(state["flows"][mine]), np.array(state["stored"][mine])
        self._counts = np.array(state["counts"])
        if mine.start:  # the group of member 0 goes on counting for all
            self._counts[:] = 0

    def _total_counts(self) -> np.ndarray:
        """Sum what the member groups counted; one row for each, so that each counts once."""
        return self._ranks.join_members(self._counts[None]).sum(axis=0)

    @staticmethod
    def _table(values: Mapping[str, np.ndarray], names: Mapping[str, Any]) -> np.ndarray:
        return np.stack([np.atleast_1d(values[name]) for name in names], axis=1)
