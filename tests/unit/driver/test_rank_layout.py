"""How ranks are split into member groups and tiles."""

from __future__ import annotations

import pytest

from pyland.base.errors import InputError
from pyland.driver.rank_layout import choose_split


@pytest.mark.parametrize(("ranks", "ncell", "nmember", "split"), [
    (1, 1, 1, (1, 1)), (4, 6, 4, (1, 4)), (8, 1, 8, (8, 1)), (6, 4, 2, (2, 3)), (8, 6, 32, (2, 4)), (7, 3, 7, (7, 1)),
    (64, 16, 32, (4, 16))])
def test_tiles_come_first(ranks, ncell, nmember, split):
    assert choose_split(ranks, ncell, nmember) == split


@pytest.mark.parametrize(("ranks", "ncell", "nmember", "split"), [
    (4, 100, 4, (4, 1)), (8, 100, 4, (4, 2)), (6, 100, 4, (3, 2)), (5, 100, 4, (1, 5))])
def test_members_come_first_where_tiles_wait_for_each_other(ranks, ncell, nmember, split):
    assert choose_split(ranks, ncell, nmember, prefers_members=True) == split


def test_what_is_given_holds():
    assert choose_split(4, 6, 4, member_groups=2) == (2, 2)
    assert choose_split(4, 6, 4, tiles=1) == (4, 1)
    assert choose_split(4, 6, 4, 2, 2) == (2, 2)


@pytest.mark.parametrize(("arguments", "words"), [
    ((4, 6, 4, 3), "parallel.member_groups: 3: expected .* Use 3 rank"),
    ((4, 6, 4, "auto", 5), "parallel.tiles: 5: expected .* Use 5 rank"),
    ((4, 6, 4, 2, 3), "parallel.member_groups: 2, parallel.tiles: 3: .* Use 6 rank"),
    ((4, 6, 4, 5), "parallel.member_groups: expected at most 4, .* got 5"),
    ((4, 2, 4, "auto", 3), "parallel.tiles: expected at most 2, .* got 3"),
    ((7, 2, 3), r"7 rank\(s\) for 2 cell\(s\) and 3 member\(s\): expected .* Use 6 rank"),
])
def test_what_cannot_be_is_told(arguments, words):
    with pytest.raises(InputError, match=words):
        choose_split(*arguments)
