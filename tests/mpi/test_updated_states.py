"""States and parameters that a filter changes have the same bits on any split of members and cells."""

from __future__ import annotations

import pytest
from updated_cases import TEXTURE, WINTER

from cases import assert_same_run, changed, write_case
from pyland.config import load_case
from pyland.driver.run import run_case

pytestmark = pytest.mark.mpi
PATIENCE = 120.0  # [s]

CASES = {
    "winter": changed(WINTER, {"time.spinup": None, "time.end": "2020-01-11T06:00", "output.every": "6 h",
                               "assimilation.open_loop": False}),
    "texture": TEXTURE,
}


@pytest.mark.parametrize("name", CASES)
def test_splits(pyland_command, tmp_path, name):
    alone = write_case(tmp_path / "alone", CASES[name])
    run_case(load_case(alone))
    for groups, tiles in ((1, 2), (2, 1)):
        folder = write_case(tmp_path / f"{groups}x{tiles}", CASES[name])
        done = pyland_command("run", folder, "--set", f"parallel.member_groups={groups}", ranks=2, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        assert_same_run(alone / "run", folder / "run")


def test_a_restart_of_another_split(pyland_command, tmp_path):
    alone = write_case(tmp_path / "alone", CASES["winter"])
    run_case(load_case(alone))
    folder = write_case(tmp_path / "parts", CASES["winter"])
    for ranks, groups, more in ((2, 2, ("--until", "2020-01-10T20:00")), (2, 1, ("--resume",))):
        done = pyland_command("run", folder, "--set", f"parallel.member_groups={groups}", *more, ranks=ranks,
                              timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
    assert_same_run(alone / "run", folder / "run")
