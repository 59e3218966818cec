"""Member groups and tiles of a coupled assimilation give the numbers of one rank."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hillslopes import HILLSLOPE

from cases import changed, write_case
from pyland.config import load_case
from pyland.driver.run import run_case

pytestmark = pytest.mark.mpi
PATIENCE = 180.0  # [s]
CASE = changed(HILLSLOPE, {"time.end": "2020-05-01T15:00", "ensemble.size": 4, "output.every": "5 h"})


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Run directory of the hillslope on one rank."""
    folder = write_case(tmp_path_factory.mktemp("alone"), CASE)
    run_case(load_case(folder))
    return folder / "run"


@pytest.mark.parametrize(("groups", "tiles"), [(1, 2), (2, 1)])
def test_splits_give_the_numbers_of_one_rank(pyland_command, tmp_path, alone, groups, tiles):
    """Which cells are saturated is asked of all members; what differs is what the tolerance of the solver leaves."""
    folder = write_case(tmp_path, CASE)
    done = pyland_command("run", folder, "--set", f"parallel.member_groups={groups}", "--set",
                          f"parallel.tiles={tiles}", ranks=2, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    for file, limits in (("history.nc", {"pressure_head": 1e-5, "soil_water": 1e-6, "water_table_depth": 1e-5}),
                         ("members.nc", {"water_table_depth": 1e-5}),
                         ("analysis.nc", {"pressure_head_increment": 1e-5, "prior_mean": 1e-5,
                                          "posterior_spread": 1e-5}),
                         ("balance.nc", {"increment": 1e-3, "storage_subsurface": 1e-3})):
        with xr.open_dataset(alone / file) as left, xr.open_dataset(folder / "run" / file) as right:
            for name, limit in limits.items():
                assert np.abs(left[name] - right[name]).max() < limit, (file, name)
