"""Cases of the distributed subsurface on several ranks: the numbers of one, restarts for any number."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from cases import FLOW, assert_same_run, write_case

pytestmark = pytest.mark.mpi
PATIENCE = 180.0  # [s]
HEAD, VOLUME = 1e-6, 1e-6  # what the tolerance of the solver, 1e-9 m per step, leaves of freedom [m], [m3 per m3]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Run directory of the small hill on one rank."""
    from pyland.config import load_case
    from pyland.driver.run import run_case

    folder = write_case(tmp_path_factory.mktemp("alone"), FLOW)
    run_case(load_case(folder))
    return folder / "run"


def assert_near(one, other):
    """Compare maps, hydrographs and the water of the domain."""
    for file, limits in (("history.nc", {"pressure_head": HEAD, "saturation": HEAD, "surface_water_depth": HEAD}),
                         ("discharge.nc", {"discharge": 1e-7}),
                         ("balance.nc", {"boundary_east": VOLUME, "storage_subsurface": 100 * VOLUME})):
        with xr.open_dataset(one / file) as left, xr.open_dataset(other / file) as right:
            for name, limit in limits.items():
                assert np.abs(left[name] - right[name]).max() < limit, (file, name)


@pytest.mark.parametrize("ranks", [pytest.param(2, marks=pytest.mark.slow), 4])
def test_several_ranks_give_the_numbers_of_one(pyland_command, tmp_path, alone, ranks):
    folder = write_case(tmp_path / "case", FLOW)
    done = pyland_command("run", folder, ranks=ranks, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert_near(alone, folder / "run")


@pytest.mark.slow
def test_resume_on_ranks(pyland_command, tmp_path, alone):
    """The same number of ranks gives the same bits; another number goes on from the same file."""
    whole, parts = (write_case(tmp_path / name, FLOW) for name in ("whole", "parts"))
    for arguments in ([whole], [parts, "--until", "2020-01-01T04:20"], [parts, "--resume"]):
        done = pyland_command("run", *arguments, ranks=2, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
    assert_same_run(whole / "run", parts / "run")
    other = write_case(tmp_path / "other", FLOW)
    for ranks, arguments in ((2, ["--until", "2020-01-01T04:20"]), (1, ["--resume"])):
        done = pyland_command("run", other, *arguments, ranks=ranks, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
    assert_near(alone, other / "run")


def test_ranks_that_cannot_share_the_grid(pyland_command, tmp_path):
    folder = write_case(tmp_path / "case", FLOW, domain__nx=2, domain__ny=2, subsurface__outlets=[])
    done = pyland_command("run", folder, ranks=3, timeout=PATIENCE)
    assert done.returncode == 2 and done.stderr.count("3 ranks cannot share 2 x 2 columns") == 1
    assert "Traceback" not in done.stderr
