"""A gauge that reaches along its river: the same bits for any split of members and cells."""

from __future__ import annotations

import pytest
from valleys import GAUGE, write_valleys

from cases import assert_same_run
from pyland.config import load_case
from pyland.driver.run import run_case

pytestmark = [pytest.mark.mpi, pytest.mark.slow]

PROBES = {"name": "probes", "type": "soil_moisture", "depth": [0, "5 cm"], "error": 0.02, "every": "6 h",
          "twin": {"seed": 78, "coverage": 0.7}, "localization": {"radius": "1.5 km"}}
CASES = {
    "gauge": {},
    "smoother": {"assimilation.filter": "letks", "assimilation.window": "12 h", "assimilation.rotation": True,
                 "assimilation.localization": {"radius": "5 km", "depth": "50 cm", "adaptive": "correlation"},
                 "assimilation.inflation": {"adaptive": {}, "additive": {"soil_water": 0.003}},
                 "observations": [GAUGE, PROBES]},
}


@pytest.mark.parametrize("name", CASES)
def test_splits(run_split, tmp_path, name):
    """One rank, three tiles, three groups of members, and a restart of another split."""
    alone = write_valleys(tmp_path / "alone", CASES[name])
    run_case(load_case(alone))
    for groups, tiles in ((1, 3), (3, 1)):
        folder = write_valleys(tmp_path / f"{groups} groups", CASES[name])
        assert_same_run(alone / "run", run_split(folder, groups, tiles))
    folder = write_valleys(tmp_path / "parts", CASES[name])
    run_split(folder, 1, 3, "--until", "2020-05-01T15:00")
    assert_same_run(alone / "run", run_split(folder, 1, 2, "--resume"))
