"""A study on ranks gives the bits of one rank: truth, observations, merged product and all runs."""

from __future__ import annotations

import pytest

from cases import TWIN, arrays, changed, write_case

pytestmark = [pytest.mark.mpi, pytest.mark.slow]
PATIENCE = 240.0  # [s]
CASE = changed(TWIN, {
    "time.end": "2020-05-02", "output.members": [],
    "observations": [
        {"name": name, "depth": [0, 0.05], "error": 0.02, "every": "6 h", "footprint": "2 km",
         "twin": {"seed": seed, "errors": {"noise_per_leaf_area": 0.005, "noise_length": "2 km"}}}
        for name, seed in (("smap", 7), ("ascat", 8), ("probe", 9))],
    "study": {"products": ["smap", "ascat"], "stations": ["probe"], "experiments": ["joint", "merged"],
              "merging": {"methods": ["mean"], "spacing": "1 km", "footprint": 0, "scaling": "none"}},
})


def test_bits_do_not_depend_on_ranks(pyland_command, tmp_path):
    for ranks in (1, 3):
        folder = write_case(tmp_path / str(ranks), CASE)
        done = pyland_command("study", folder, "--no-figures", ranks=ranks, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
    for name in ("open_loop", "joint", "merged_mean"):
        alone, split = (arrays(tmp_path / str(ranks) / "study" / "seed_5" / name / "history.nc") for ranks in (1, 3))
        assert all((alone[key] == split[key]).all() for key in ("soil_water", "latent_heat_flux")), name
