"""Ranks that hold an ensemble of cells in blocks, and how the blocks come together.

A rank computes some members of all cells of its tile. Where all members of a cell are needed (records, analyses,
restarts), the ranks that share the tile exchange blocks, and each gets all members of its share of the tile's cells.
What is joined over ranks comes in the order of the grid, whatever the tiles are.
"""

from __future__ import annotations

import numpy as np

from pyland.base.parallel import Communicator, share_of


class PlacedRanks(Communicator):
    """Ranks that each hold some places of a common last axis; what they join is in the order of the places.

    Parameters
    ----------
    comm : Communicator
        The ranks.
    position : numpy.ndarray of int, shape (place,)
        Places of this rank, any; each place belongs to one rank.
    """

    def __init__(self, comm: Communicator, position: np.ndarray) -> None:
        super().__init__(comm._comm)
        self.rank, self.size = comm.rank, comm.size
        self.position = np.asarray(position, dtype=np.int64)
        self._order: np.ndarray | None = None

    def allgather_last(self, local: np.ndarray) -> np.ndarray:
        """Join arrays that are split over ranks along their last axis, on every rank."""
        return self._sorted(super().allgather_last(local))

    def gather_last(self, local: np.ndarray) -> np.ndarray | None:
        """Join arrays that are split over ranks along their last axis, on the root; None elsewhere."""
        self._find_order()
        joined = super().gather_last(local)
        return None if joined is None else self._sorted(joined)

    def _find_order(self) -> np.ndarray:
        """Return the order that sorts the joined places; collective when called first."""
        if self._order is None:
            self._order = np.argsort(np.concatenate(self.allgather(self.position)))
        return self._order

    def _sorted(self, joined: np.ndarray) -> np.ndarray:
        order = self._find_order()
        is_sorted = bool((np.diff(order) == 1).all())
        return joined if is_sorted else np.ascontiguousarray(joined[..., order])


class CellRanks(PlacedRanks):
    """Ranks that hold members x cells of an ensemble in blocks.

    Parameters
    ----------
    comm : Communicator
        All ranks of the run.
    sharers : Communicator
        The ranks that share this rank's tile, one of each member group.
    nmember : int
        Size of the ensemble. If there are fewer members than groups, every group computes all of them, with the same
        bits.
    cells : numpy.ndarray of int, shape (tile,)
        Places of the tile's cells among the cells of the run.

    Attributes
    ----------
    members : slice
        Members that this rank computes.
    cells : numpy.ndarray of int, shape (tile,)
        As given.
    share : slice
        Cells of the tile of which this rank gets all members.
    position : numpy.ndarray of int, shape (share,)
        Their places among the cells of the run.
    """

    def __init__(self, comm: Communicator, sharers: Communicator, nmember: int, cells: np.ndarray) -> None:
        self.cells, self.nmember = np.asarray(cells, dtype=np.int64), nmember
        self._sharers = sharers
        self.share = sharers.tile(self.cells.size)
        self._is_split = sharers.size > 1 and nmember >= sharers.size
        groups = range(sharers.size)
        self._members = [share_of(nmember, len(groups), one) if self._is_split else slice(0, nmember) for one in groups]
        self._shares = [share_of(self.cells.size, len(groups), one) for one in groups]
        self.members = self._members[sharers.rank]
        super().__init__(comm, self.cells[self.share])

    @property
    def nmember_local(self) -> int:
        """Members that this rank computes [1]."""
        return self.members.stop - self.members.start

    def all_members(self, local: np.ndarray) -> np.ndarray:
        """Return all members of this rank's share of cells; collective.

        Parameters
        ----------
        local : numpy.ndarray, shape (..., member, cell)
            This rank's members of all cells of its tile.

        Returns
        -------
        numpy.ndarray, shape (..., member, cell)
            All members of the cells of ``position``; ``local`` itself where one rank has all members of a tile.
        """
        if self._sharers.size == 1:
            return local
        local = np.asarray(local)
        if not self._is_split:
            return np.ascontiguousarray(local[..., self.share])
        lead, width = local.shape[:-2], _length(self.share)
        shapes = [(*lead, _length(one), width) for one in self._members]
        parts = self._sharers.exchange([local[..., one] for one in self._shares], [_count(one) for one in shapes])
        return np.concatenate([part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)], axis=-2)

    def my_members(self, shared: np.ndarray) -> np.ndarray:
        """Return this rank's members of all cells of its tile: the way back from `all_members`; collective."""
        if self._sharers.size == 1:
            return shared
        shared = np.asarray(shared)
        lead, mine = shared.shape[:-2], _length(self.members)
        if not self._is_split:
            return np.concatenate(self._sharers.allgather(shared), axis=-1)
        shapes = [(*lead, mine, _length(one)) for one in self._shares]
        parts = self._sharers.exchange([shared[..., one, :] for one in self._members], [_count(one) for one in shapes])
        return np.concatenate([part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)], axis=-1)

    def join_members(self, local: np.ndarray) -> np.ndarray:
        """Return all members of an array (..., member, place) that each group has for its own; on every rank."""
        if not self._is_split:
            return local
        return np.concatenate(self._sharers.allgather(np.ascontiguousarray(local)), axis=-2)

    def hand_out(self, whole: np.ndarray | None) -> np.ndarray:
        """Return each rank's block of an array (..., member, cell) that the root has; collective."""
        blocks = self.gather((self.members, self.cells))
        return self.scatter(None if blocks is None else [
            np.ascontiguousarray(whole[..., members, :][..., cells]) for members, cells in blocks])


def _length(part: slice) -> int:
    return part.stop - part.start


def _count(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=np.int64))
