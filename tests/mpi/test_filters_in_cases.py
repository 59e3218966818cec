"""Filters in a case on ranks of which two of three tiles see nothing: the same bits as on one rank.

The EnKF and LEnKF of PDAF hang where a rank has no observation, which is the usual thing under a satellite's swath.
"""

from __future__ import annotations

import pytest

from cases import TWIN, assert_same_run, changed, write_case
from pyland.assimilate import FILTERS

pytestmark = pytest.mark.mpi
PATIENCE = 120.0  # [s]
NAMES = [name for name, one in FILTERS.items() if one.family != "variational"]
CORNER = {"name": "corner", "x": "-1 km", "y": "-0.5 km"}


def small_case(method):
    """A twin of six cells, of which the first one is seen."""
    case = changed(TWIN, {
        "assimilation.filter": method, "assimilation.open_loop": False, "time.end": "2020-05-02",
        "observations.0.every": "6 h", "observations.0.twin": {"seed": 77, "locations": [CORNER]}})
    if not FILTERS[method].is_local:
        case = changed(case, {"assimilation.localization": None})
    return case


@pytest.mark.parametrize("method", [
    pytest.param(name, marks=() if name == "lenkf" else pytest.mark.slow) for name in NAMES])
def test_tiles_that_see_nothing(pyland_command, tmp_path, method):
    folders = []
    for ranks in (1, 3):
        folder = write_case(tmp_path / str(ranks), small_case(method), **({"parallel__tiles": 3} if ranks > 1 else {}))
        done = pyland_command("run", folder, ranks=ranks, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        folders.append(folder / "run")
    assert_same_run(*folders)
