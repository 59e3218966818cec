"""Every filter on ranks of which one sees nothing: the same bits as on one rank, and no rank waits for another.

The field of PDAF's offline test: observations in its outer thirds only, so that the middle one of three ranks has none,
where the EnKF and LEnKF of PDAF hang. Ranks hold shares of the state and bring together the predicted observations.
"""

from __future__ import annotations

import numpy as np
import pytest

pytestmark = pytest.mark.mpi
PATIENCE = 120.0  # [s]

SCRIPT = '''
import sys
import numpy as np
from pyland.assimilate import FILTERS, analyse, analyse_local
from pyland.base.parallel import world

comm = world()
given = np.load(sys.argv[1])
E, cells, d, R, places = (given[name] for name in ("E", "cells", "d", "R", "places"))
mine = comm.tile(E.shape[1])
own = E[:, mine]
here = (cells >= mine.start) & (cells < mine.stop)
Y = comm.allgather_last(own[:, cells[here] - mine.start])  # cells are in rising order, as ranks are
counts = comm.allgather(int(here.sum()))
out = {}
for name, one in FILTERS.items():
    if one.family == "variational":
        continue
    if one.is_local:
        part = analyse_local(own, Y, d, R, places[mine], places[cells], 5.0, name, inflation=1.1, rotation=True, rng=3)
    else:
        options = {"dimension": E.shape[1], "jitter": 0.5} if name == "pf" else {"inflation": 1.1, "rotation": True}
        part = analyse(own, Y, d, R, name, rng=3, **options)
    out[name] = comm.allgather_last(part)
if comm.is_root:
    np.savez(sys.argv[2], counts=counts, **out)
'''


def test_same_bits_where_a_rank_sees_nothing(pyland_command, tmp_path):
    rng = np.random.default_rng(1)
    j, i = np.divmod(np.arange(36 * 18), 18)
    phase = rng.uniform(0.0, 2.0 * np.pi, (8, 1))
    E = np.sin(np.pi * (i / 18.0 + j / 36.0) + phase)
    cells = np.sort(rng.choice(np.flatnonzero((j < 12) | (j >= 24)), 36, replace=False))
    np.savez(tmp_path / "given.npz", E=E, cells=cells, d=rng.standard_normal(36), R=np.full(36, 0.25),
             places=np.column_stack([i, j]).astype(float))
    script = tmp_path / "filters.py"
    script.write_text(SCRIPT)
    results = {}
    for ranks in (1, 2, 3, 4):
        result = tmp_path / f"{ranks}.npz"
        done = pyland_command(tmp_path / "given.npz", result, script=script, ranks=ranks, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        results[ranks] = dict(np.load(result))
    assert results[3].pop("counts").tolist()[1] == 0
    names = sorted(set(results[1]) - {"counts"})
    assert len(names) == 21
    for ranks in (2, 3, 4):
        assert [name for name in names if not np.array_equal(results[1][name], results[ranks][name])] == []
