"""States and parameters that a filter changes have the same bits on any split of members and cells."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from updated_cases import GROUND, TEXTURE, WINTER

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


@pytest.mark.parametrize("name", ["winter", pytest.param("texture", marks=pytest.mark.slow)])
def test_splits(pyland_command, tmp_path, name):
    alone = write_case(tmp_path / "alone", CASES[name])
    run_case(load_case(alone))
    for groups, tiles in ((1, 2), (2, 1)):
        folder = write_case(tmp_path / f"{groups}x{tiles}", CASES[name])
        done = pyland_command("run", folder, "--set", f"parallel.member_groups={groups}", ranks=2, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        assert_same_run(alone / "run", folder / "run")


@pytest.mark.slow
def test_a_restart_of_another_split(pyland_command, tmp_path):
    alone = write_case(tmp_path / "alone", CASES["winter"])
    run_case(load_case(alone))
    folder = write_case(tmp_path / "parts", CASES["winter"])
    for ranks, groups, more in ((2, 2, ("--until", "2020-01-10T20:00")), (2, 1, ("--resume",))):
        done = pyland_command("run", folder, "--set", f"parallel.member_groups={groups}", *more, ranks=ranks,
                              timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
    assert_same_run(alone / "run", folder / "run")


@pytest.mark.slow
@pytest.mark.parametrize(("groups", "tiles"), [(1, 2), (2, 1)])
def test_conductivity_of_the_ground(pyland_command, tmp_path, groups, tiles):
    """Faces between tiles have the conductivity of both cells; what differs is what the solver leaves."""
    case = changed(GROUND, {"time.end": "2020-05-01T15:00", "ensemble.size": 4, "output.every": "5 h"})
    alone, folder = write_case(tmp_path / "alone", case), write_case(tmp_path / "split", case)
    run_case(load_case(alone))
    done = pyland_command("run", folder, "--set", f"parallel.member_groups={groups}", "--set",
                          f"parallel.tiles={tiles}", ranks=2, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    with xr.open_dataset(alone / "run/history.nc") as left, xr.open_dataset(folder / "run/history.nc") as right:
        assert np.abs(left["pressure_head"] - right["pressure_head"]).max() < 1e-5
        one, other = left["saturated_conductivity"], right["saturated_conductivity"]
        assert np.abs(other / one - 1.0).max() < 1e-4
        assert np.abs(one[-1] / one[0] - 1.0).max() > 0.01
