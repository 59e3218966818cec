"""How the ranks of a run share it: (member groups) x (tiles of cells)."""

from __future__ import annotations

import copy

import numpy as np

from pyland.base.cell_ranks import CellRanks
from pyland.base.errors import InputError
from pyland.base.parallel import Communicator, share_of


class RankLayout:
    """Ranks of a run as a grid of member groups and tiles.

    Rank ``group * tiles + tile`` computes the members of its group in the cells of its tile. The ranks of a group are
    neighbours, so that a solver that couples cells talks within a node where it can.

    Parameters
    ----------
    comm : Communicator
        All ranks of the run.
    ncell, nmember : int
        Cells of the run and size of the ensemble [1].
    member_groups, tiles : int or str
        As in section ``parallel`` of the case; ``auto`` is chosen by `choose_split`.
    prefers_members : bool
        See `choose_split`.

    Attributes
    ----------
    comm : Communicator
        All ranks.
    groups, tiles : int
        How many there are; groups x tiles is the number of ranks.
    group_index, tile_index : int
        Those of this rank.
    comm_tiles : Communicator
        The ranks of this member group, one for each tile.
    comm_members : Communicator
        The ranks that share this tile, one for each member group.
    members : slice
        Members of this rank.
    cells : numpy.ndarray of int, shape (tile,)
        Places of this rank's cells among those of the run, where cells are not coupled: neighbours in the order of the
        grid.

    Raises
    ------
    InputError
        If the ranks cannot be split so.
    """

    def __init__(
        self,
        comm: Communicator,
        ncell: int,
        nmember: int,
        member_groups: int | str = "auto",
        tiles: int | str = "auto",
        *,
        prefers_members: bool = False,
    ) -> None:
        self.comm, self.nmember = comm, nmember
        self.groups, self.tiles = choose_split(
            comm.size, ncell, nmember, member_groups, tiles, prefers_members=prefers_members)
        self.group_index, self.tile_index = divmod(comm.rank, self.tiles)
        is_split = self.groups > 1
        self.comm_tiles = comm.split(self.group_index) if is_split else comm
        self.comm_members = comm.split(self.tile_index) if is_split else Communicator()
        self.members = share_of(nmember, self.groups, self.group_index)
        mine = share_of(ncell, self.tiles, self.tile_index)
        self.cells = np.arange(mine.start, mine.stop)

    def of_members(self, nmember: int) -> RankLayout:
        """Return the same split for an ensemble of another size, such as the truth of a twin experiment.

        With fewer members than groups every group computes all of them, with the same bits: no rank has to wait for
        another, and none needs the weather of another tile.
        """
        out = copy.copy(self)
        out.nmember = nmember
        out.members = share_of(nmember, self.groups, self.group_index) if nmember >= self.groups else slice(0, nmember)
        return out

    def cell_ranks(self, cells: np.ndarray) -> CellRanks:
        """Return the ranks as records, analyses and restarts see them.

        Parameters
        ----------
        cells : numpy.ndarray of int, shape (tile,)
            Places of this rank's cells among the cells of the run, in any order; the same on all ranks of a tile.
        """
        return CellRanks(self.comm, self.comm_members, self.nmember, cells)


def choose_split(
    ranks: int,
    ncell: int,
    nmember: int,
    member_groups: int | str = "auto",
    tiles: int | str = "auto",
    *,
    prefers_members: bool = False,
) -> tuple[int, int]:
    """Return member groups and tiles for a number of ranks.

    Parameters
    ----------
    ranks, ncell, nmember : int
        Ranks, cells of the run and size of the ensemble [1].
    member_groups, tiles : int or str
        A number, or ``auto``: as many tiles as possible, since columns of different tiles share nothing; the rest of
        the ranks are member groups.
    prefers_members : bool
        ``auto`` is as many member groups as possible: for a model whose tiles wait for each other.

    Raises
    ------
    InputError
        If there are more groups than members or more tiles than cells, or groups x tiles is not the number of ranks.
    """
    given = {"parallel.member_groups": (member_groups, nmember, "member(s)"),
             "parallel.tiles": (tiles, ncell, "cell(s)")}
    for key, (value, limit, what) in given.items():
        if value != "auto" and int(value) > limit:
            raise InputError(f"{key}: expected at most {limit}, as the run has {limit} {what}, got {value}.")
    fitting = _splits(ranks, ncell, nmember, member_groups, tiles)
    if not fitting:
        near = next(one for one in (*range(ranks - 1, 0, -1), *range(ranks + 1, ncell * nmember + 1))
                    if _splits(one, ncell, nmember, member_groups, tiles))
        asked = ", ".join(f"{key}: {value}" for key, (value, *_) in given.items() if value != "auto")
        raise InputError(
            f"{ranks} rank(s) for {ncell} cell(s) and {nmember} member(s){' with ' + asked if asked else ''}: expected "
            "member groups (at most one for each member) x tiles (at most one for each cell) = ranks. "
            f"Use {near} rank(s), and threads (OMP_NUM_THREADS) for more cores.")
    return max(fitting) if prefers_members else min(fitting)


def _splits(
    ranks: int, ncell: int, nmember: int, member_groups: int | str, tiles: int | str
) -> list[tuple[int, int]]:
    """Return all (groups, tiles) that use all ranks and fit."""
    return [(groups, ranks // groups) for groups in range(1, min(ranks, nmember) + 1)
            if ranks % groups == 0 and ranks // groups <= ncell
            and member_groups in ("auto", groups) and tiles in ("auto", ranks // groups)]
