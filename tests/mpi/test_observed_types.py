"""Every type of observation gives the same bits on any split of members and cells."""

from __future__ import annotations

import pytest
from observed_cases import EVERY_TYPE, MICROWAVE

from cases import assert_same_run, changed, write_case
from pyland.config import load_case
from pyland.driver.run import run_case

pytestmark = [pytest.mark.mpi, pytest.mark.slow]
PATIENCE = 180.0  # [s]

CASES = {
    "winter": changed(EVERY_TYPE, {"time.end": "2020-01-11"}),
    "microwave": changed(MICROWAVE, {"ensemble.size": 6}),
    "scaled": changed(MICROWAVE, {
        "ensemble.size": 6, "assimilation.open_loop": True,
        "observations": [one | {"every": "2 h", "scaling": "mean_std"} for one in MICROWAVE["observations"]]}),
}


@pytest.mark.parametrize("name", CASES)
def test_splits(pyland_command, tmp_path, name):
    alone = write_case(tmp_path / "alone", CASES[name])
    run_case(load_case(alone))
    for groups in (1, 3):
        folder = write_case(tmp_path / str(groups), CASES[name])
        done = pyland_command("run", folder, "--set", f"parallel.member_groups={groups}", ranks=3, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        assert_same_run(alone / "run", folder / "run")
