"""Land over the distributed subsurface on several ranks: member groups give the same bits, tiles the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from cases import COUPLED, assert_same_run, write_case
from pyland.config import load_case
from pyland.driver.run import run_case

pytestmark = pytest.mark.mpi
PATIENCE = 180.0  # [s]
SHORT = {"time__end": "2020-03-11", "output__restart_every": "11 h"}
LIMITS = {"pressure_head": 1e-6, "soil_water": 1e-7, "soil_temperature": 1e-5, "latent_heat_flux": 1e-3}
"""What the tolerance of the solver, 1e-9 m per step, leaves of freedom in a day [m], [m3 m-3], [K], [W m-2]."""


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    folder = write_case(tmp_path_factory.mktemp("alone"), COUPLED, **SHORT)
    run_case(load_case(folder))
    return folder / "run"


def run(pyland_command, folder, groups, tiles, *arguments):
    """Run the hill on groups x tiles ranks."""
    split = ["--set", f"parallel.member_groups={groups}", "--set", f"parallel.tiles={tiles}"]
    done = pyland_command("run", folder, *split, *arguments, ranks=groups * tiles, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return folder / "run"


def assert_near(one, other):
    with xr.open_dataset(one / "history.nc") as left, xr.open_dataset(other / "history.nc") as right:
        for name, limit in LIMITS.items():
            assert float(np.abs(left[name] - right[name]).max()) < limit, name


@pytest.mark.parametrize(("groups", "tiles"), [(2, 1), (3, 1)])
def test_member_groups_give_the_same_bits(pyland_command, tmp_path, alone, groups, tiles):
    folder = write_case(tmp_path / "case", COUPLED, **SHORT)
    assert_same_run(alone, run(pyland_command, folder, groups, tiles))


@pytest.mark.parametrize(("groups", "tiles"), [
    (2, 2), pytest.param(1, 2, marks=pytest.mark.slow), pytest.param(1, 4, marks=pytest.mark.slow)])
def test_tiles_give_the_same_numbers(pyland_command, tmp_path, alone, groups, tiles):
    folder = write_case(tmp_path / "case", COUPLED, **SHORT)
    assert_near(alone, run(pyland_command, folder, groups, tiles))


def test_a_restart_of_one_split_is_read_by_another(pyland_command, tmp_path, alone):
    folder = write_case(tmp_path / "case", COUPLED, **SHORT)
    run(pyland_command, folder, 2, 2, "--until", "2020-03-10T11:00")
    run(pyland_command, folder, 1, 3, "--resume", "--until", "2020-03-10T22:00")
    assert_near(alone, run(pyland_command, folder, 3, 1, "--resume"))


def test_an_error_names_the_member_of_the_ensemble(pyland_command, tmp_path):
    """Whatever the groups, a member that fails has its own number and the step its time."""
    hard = {"ensemble__size": 6, "ensemble__seed": 5, "subsurface__solver": {"min_step": 900, "max_iterations": 6}}
    folder, said = write_case(tmp_path / "case", COUPLED, **hard), set()
    for ranks in (1, 3):
        done = pyland_command("run", folder, ranks=ranks, timeout=PATIENCE)
        assert done.returncode == 3
        line = next(one for one in done.stderr.splitlines() if "did not converge" in one)
        assert "(in the step from 2020-03-" in line
        said.add(line.partition("pyland: ")[2].partition(":")[0])
    assert said == {"member 5"}
