"""The same bits for any number of threads and any split of state or domains."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.assimilate import analyse, analyse_local
from pyland.core import wrapped


@pytest.fixture(scope="module")
def arrays():
    rng = np.random.default_rng(11)
    n, layers, nobs = 24, 3, 90
    places = np.array([(x, y) for x in range(n) for y in range(n)], dtype=float)
    E = rng.standard_normal((16, layers * n * n))
    owner = np.tile(np.arange(n * n), layers)
    where = rng.uniform(0, n, (nobs, 2))
    Y, d, R = rng.standard_normal((16, nobs)), rng.standard_normal(nobs), rng.uniform(0.1, 1.0, nobs)
    return E, Y, d, R, places, where, owner


def local(arrays, E=None, owner=None, places=None, **options):
    E0, Y, d, R, places0, where, owner0 = arrays
    return analyse_local(E0 if E is None else E, Y, d, R, places0 if places is None else places, where, 6.0,
                         domain_of_state=owner0 if owner is None else owner, inflation=1.05, relaxation=0.3, **options)


def test_threads(arrays):
    E, Y, d, R = arrays[:4]
    one = local(arrays, threads=1)
    for threads in (2, 3, 7):
        np.testing.assert_array_equal(local(arrays, threads=threads), one)
        for method in ("etkf", "enkf"):
            np.testing.assert_array_equal(analyse(E, Y, d, R, method=method, rng=1, threads=threads),
                                          analyse(E, Y, d, R, method=method, rng=1, threads=1))


def test_default_threads_follow_the_runtime(arrays):
    before = wrapped.pl_api_runtime.runtime_get_threads()
    try:
        wrapped.pl_api_runtime.runtime_set_threads(2)
        two = local(arrays)
    finally:
        wrapped.pl_api_runtime.runtime_set_threads(before)
    np.testing.assert_array_equal(two, local(arrays, threads=1))


@pytest.mark.parametrize("pieces", [2, 5, 13])
def test_split_of_domains(arrays, pieces):
    E, places, owner = arrays[0], arrays[4], arrays[6]
    whole = local(arrays)
    rng = np.random.default_rng(pieces)
    share = rng.integers(0, pieces, len(places))
    for piece in range(pieces):
        mine = np.flatnonzero(share == piece)
        states = np.flatnonzero(np.isin(owner, mine))
        part = local(arrays, E=E[:, states], owner=np.searchsorted(mine, owner[states]), places=places[mine])
        np.testing.assert_array_equal(part, whole[:, states])


@pytest.mark.parametrize("method", ["etkf", "enkf"])
@pytest.mark.parametrize("nobs", [4, 90])
def test_split_of_state(arrays, method, nobs):
    E, Y, d, R = arrays[0], arrays[1][:, :nobs], arrays[2][:nobs], arrays[3][:nobs]
    options = {"method": method, "inflation": 1.1, "relaxation": 0.2}
    whole = analyse(E, Y, d, R, rng=3, **options)
    for cut in (1, 8, 13, 1000):
        parts = [analyse(part, Y, d, R, rng=3, **options) for part in (E[:, :cut], E[:, cut:])]
        np.testing.assert_array_equal(np.hstack(parts), whole)


def test_repetition(arrays):
    np.testing.assert_array_equal(local(arrays), local(arrays))
