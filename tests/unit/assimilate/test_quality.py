"""Innovation quality control."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.assimilate import reject_outliers
from pyland.base.errors import InputError


def test_reasons():
    Y = np.tile(np.array([[-1.0], [1.0]]), (1, 6))  # variance 2
    Y[0, 5] = np.nan
    d = np.array([0.0, np.nan, 5.9, 6.1, 0.0, 0.0])
    R = np.array([2.0, 2.0, 2.0, 2.0, 0.0, 2.0])
    used, reason = reject_outliers(d, Y, R, limit=3.0)
    assert used.dtype == bool
    assert used.tolist() == [True, False, True, False, False, False]
    assert reason.tolist() == ["used", "missing", "used", "innovation beyond limit",
                               "error variance missing or not positive", "predicted observation not finite"]


def test_limit_and_empty():
    assert reject_outliers([100.0], np.array([[0.0], [1.0]]), [1.0], limit=np.inf)[0].all()
    assert reject_outliers([], np.empty((2, 0)), [])[0].shape == (0,)


@pytest.mark.parametrize("change, text", [
    ({"limit": 0.0}, "limit must lie in"),
    ({"R": np.ones(2)}, "one length"),
    ({"Y": np.ones((1, 3))}, "at least 2 members"),
    ({"Y": np.ones((4, 2))}, "3 observations"),
])
def test_bad_input(change, text):
    with pytest.raises(InputError, match=text):
        reject_outliers(**{"d": np.ones(3), "Y": np.ones((4, 3)), "R": np.ones(3), **change})
