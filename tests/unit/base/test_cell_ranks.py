"""Blocks of members x cells: on one rank, and on ranks that are threads."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from pyland.base.cell_ranks import CellRanks, PlacedRanks
from pyland.base.member_statistics import member_mean, member_spread
from pyland.base.parallel import Communicator, share_of


class Threads:
    """What the communicator asks of MPI, among threads."""

    def __init__(self, size: int) -> None:
        self.size, self.wait, self.slots = size, threading.Barrier(size, timeout=10.0), [None] * size

    def member(self, rank: int) -> ThreadRank:
        return ThreadRank(self, rank)


class ThreadRank:
    """One of the threads."""

    def __init__(self, team: Threads, rank: int) -> None:
        self._team, self._rank = team, rank

    def Get_rank(self):
        return self._rank

    def Get_size(self):
        return self._team.size

    def allgather(self, value):
        team = self._team
        team.slots[self._rank] = value
        team.wait.wait()
        out = list(team.slots)
        team.wait.wait()
        return out

    def gather(self, value, root):
        out = self.allgather(value)
        return out if self._rank == root else None

    def scatter(self, values, root):
        return self.allgather(values)[root][self._rank]

    def Alltoallv(self, send, receive):
        numbers, counts = send
        parts = [np.array(part) for part in np.split(numbers, np.cumsum(counts)[:-1])]
        everyone = self.allgather(parts)
        mine = [one[self._rank] for one in everyone]
        assert [part.size for part in mine] == receive[1]
        receive[0][...] = np.concatenate(mine)


def on_threads(size, action):
    """Run ``action(rank)`` on as many threads; return the results."""
    results, errors = [None] * size, []

    def work(rank):
        try:
            results[rank] = action(rank)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(size)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    if errors:
        raise errors[0]
    return results


@pytest.mark.parametrize(("groups", "tiles", "nmember"), [(1, 3, 4), (2, 2, 4), (3, 1, 4), (2, 2, 1), (8, 1, 8)])
def test_blocks_come_together_and_go_back(groups, tiles, nmember):
    ncell = 7
    whole = np.random.default_rng(1).normal(size=(3, nmember, ncell))
    cells = np.random.default_rng(2).permutation(ncell)  # tiles in no order
    world, sharers = Threads(groups * tiles), [Threads(groups) for _ in range(tiles)]

    def action(rank):
        group, tile = divmod(rank, tiles)
        mine = cells[share_of(ncell, tiles, tile)]
        ranks = CellRanks(Communicator(world.member(rank)), Communicator(sharers[tile].member(group)), nmember, mine)
        block = ranks.hand_out(whole if rank == 0 else None)
        assert np.array_equal(block, whole[..., ranks.members, :][..., mine])
        shared = ranks.all_members(block)
        assert np.array_equal(shared, whole[..., ranks.position])
        assert np.array_equal(ranks.my_members(shared), block)
        assert np.array_equal(ranks.join_members(block), whole[..., mine])
        assert np.array_equal(ranks.allgather_last(shared), whole)
        return ranks.gather_last(shared)

    gathered = on_threads(groups * tiles, action)
    assert np.array_equal(gathered[0], whole) and all(one is None for one in gathered[1:])


def test_one_rank_copies_nothing():
    ranks = CellRanks(Communicator(), Communicator(), 4, np.arange(5))
    block = np.ones((4, 5))
    assert ranks.all_members(block) is block and ranks.my_members(block) is block
    assert ranks.gather_last(block) is block


def test_places_in_any_order():
    ranks = PlacedRanks(Communicator(), np.array([2, 0, 1]))
    assert ranks.gather_last(np.array([[20.0, 0.0, 10.0]])).tolist() == [[0.0, 10.0, 20.0]]


def test_statistics_do_not_depend_on_the_number_of_cells():
    """numpy's own mean of a single column of 16 members differs in the last bit."""
    values = np.random.default_rng(3).normal(size=(2, 16, 9))
    for statistic, peer in ((member_mean, values.mean(axis=-2)), (member_spread, values.std(axis=-2, ddof=1))):
        whole = statistic(values)
        apart = np.concatenate([statistic(np.ascontiguousarray(values[..., k:k + 1])) for k in range(9)], axis=-1)
        assert np.array_equal(whole, apart)
        np.testing.assert_allclose(whole, peer, rtol=1e-14)
