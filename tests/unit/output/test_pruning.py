"""Pruning of products: rules, what is needed stays, a kill leaves no half folder."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.config.pruning import PruningSection
from pyland.output.pruning import TRASH, cycle_products, finish_removal, plan_pruning, prune, stamp_time


@pytest.fixture
def products(tmp_path):
    """A cycle per day from 25 January to 5 March 2020, with a second version of 4 March and a third of 5 March."""
    days = np.arange(np.datetime64("2020-01-25"), np.datetime64("2020-03-06"))
    names = [f"{str(day).replace('-', '')}T0000" for day in days]
    for name in [*names, "20200304T0000_v2", "20200305T0000_v2", "20200305T0000_v3"]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "analysis.nc").write_bytes(b"x" * 10)
    (tmp_path / "notes").mkdir()  # not a product
    return tmp_path


def names(root):
    return [one.path.name for one in cycle_products(root)]


def test_last_cycles_first_of_month_and_versions_stay(products):
    rules = PruningSection(cycles=3, monthly=2, yearly=0, superseded=1)
    gone = prune(products, rules)
    assert names(products) == [
        "20200201T0000", "20200301T0000", "20200303T0000", "20200304T0000", "20200304T0000_v2",
        "20200305T0000_v2", "20200305T0000_v3"]
    assert len(gone) == 44 - 7 and all(one.size == 10 for one in gone)
    assert gone[0].name == "20200125T0000" and "first of no month" in gone[0].reason
    assert gone[-1].name == "20200305T0000" and "2 newer versions" in gone[-1].reason
    assert (products / "notes").is_dir() and not (products / TRASH).exists()
    assert prune(products, rules) == []


def test_first_cycle_of_a_year_and_all_months(products):
    prune(products, PruningSection(cycles=1, monthly=None, yearly=None, superseded=0))
    assert names(products) == ["20200125T0000", "20200201T0000", "20200301T0000", "20200305T0000_v3"]
    assert plan_pruning(products, PruningSection(cycles=None, superseded=0)) == []


def test_what_is_needed_stays_and_a_dry_run_removes_nothing(products):
    before = names(products)
    rules = PruningSection(cycles=1, monthly=0, yearly=0, superseded=0)
    told = prune(products, rules, ["20200210T0000", "20200305T0000"], dry_run=True)
    assert names(products) == before
    assert prune(products, rules, ["20200210T0000", "20200305T0000"]) == told
    assert names(products) == ["20200210T0000", "20200305T0000", "20200305T0000_v3"]


def test_a_kill_leaves_whole_folders_or_the_trash(products, monkeypatch):
    rules = PruningSection(cycles=1, monthly=0, yearly=0, superseded=0)
    planned = [one.name for one in plan_pruning(products, rules)]

    def killed(_folder):
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        prune(products, rules)
    assert names(products) == ["20200305T0000_v3"]
    assert sorted(one.name for one in (products / TRASH).iterdir()) == planned  # each is whole
    assert all((products / TRASH / name / "analysis.nc").exists() for name in planned)
    monkeypatch.undo()
    finish_removal(products)
    assert not (products / TRASH).exists() and names(products) == ["20200305T0000_v3"]


def test_stamps():
    assert stamp_time("20200601T0630") == np.datetime64("2020-06-01T06:30")
    for wrong in ("20201301T0000", "2020-06-01", "20200601T06301"):
        with pytest.raises(InputError, match="expected the stamp of a cycle"):
            stamp_time(wrong)
    assert cycle_products("/nowhere") == []
