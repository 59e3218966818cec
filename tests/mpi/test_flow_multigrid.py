"""Multigrid on several ranks: Krylov iterations do not grow with their number."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.mpi
PATIENCE = 120.0  # [s]

SCRIPT = """
import json
import sys
import numpy as np
from pyland.base.parallel import world
from pyland.subsurface import Boundary, DistributedSubsurface

comm = world()
found = {}
for nx, ny, ratio in ((64, 64, 1.0), (50, 37, 10.0), (90, 3, 30.0), (5, 2, 1.0)):
    rng = np.random.default_rng(11)
    shape = (8, ny, nx)
    soil = {"porosity": 0.3, "saturated_conductivity": 10.0 ** rng.normal(-5.0, 0.7, shape), "van_genuchten_alpha": 2.0,
            "van_genuchten_n": 2.0, "specific_storage": 1e-6}
    flow = DistributedSubsurface(np.ones(8), soil, nx=nx, ny=ny, dx=ratio, dy=ratio, pressure_head=200.0, comm=comm,
                                 boundaries={"top": Boundary("no_flow"), "west": Boundary("head", 200.0)})
    source = np.zeros(shape)
    source[3, ny // 3, nx // 2] = -1e-5
    source[:, ny // 4, 3 * nx // 4] = 1e-6
    out = flow.advance(1e12, source=source)
    mean = sum(comm.allgather(float(flow.pressure.sum()))) / np.prod(shape)
    found[f"{nx} x {ny}"] = (out["krylov_iterations"], out["newton_iterations"], mean)
if comm.is_root:
    with open(sys.argv[1], "w") as file:
        json.dump(found, file)
"""


@pytest.fixture
def steady_on(clean_environment, tmp_path):
    """Return a function that runs the script on a number of ranks: iterations and mean heads by grid."""
    import json

    def start(ranks: int) -> dict[str, tuple[int, int, float]]:
        launcher = shutil.which("mpirun")
        if launcher is None:
            pytest.skip("mpirun is not installed")
        script, saved = tmp_path / "steady.py", tmp_path / f"{ranks}.json"
        script.write_text(SCRIPT)
        command = [sys.executable, str(script), str(saved)]
        if ranks > 1:
            command = [launcher, "--oversubscribe", "--bind-to", "none", "-n", str(ranks), *command]
        done = subprocess.run(command, env=clean_environment, cwd=tmp_path, capture_output=True, text=True,
                              timeout=PATIENCE, stdin=subprocess.DEVNULL, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(saved.read_text())

    return start


@pytest.mark.slow
def test_iterations_do_not_grow_with_ranks(steady_on):
    """Steady confined flow to a well, lognormal conductivity: 1, 2 and 4 ranks, 1.3 times as many iterations at most.

    Also a strip and a handful of columns, where tiles are a column or two wide and the grid that all ranks hold has
    more rows than a tile. Mean heads agree to what iterations leave: 1e-6 m.
    """
    alone = steady_on(1)
    for ranks in (2, 4):
        for grid, (krylov, newton, mean) in steady_on(ranks).items():
            first, _, same = alone[grid]
            assert krylov <= 1.3 * first + 1, f"{grid}: {first} iterations on one rank, {krylov} on {ranks}"
            assert krylov < 15 * newton, f"{grid}: {krylov} in {newton} on {ranks} ranks"
            assert mean == pytest.approx(same, abs=1e-6), grid
