"""Rain by a table, and functions that are constant between given times."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.base.piecewise import PiecewiseConstant
from pyland.forcing import RainSchedule

START = np.datetime64("2020-01-01T00:00:00")


def test_means_over_pieces():
    function = PiecewiseConstant([600.0, 1200.0, None], [3.0, 1.0, 0.3])
    assert function.mean(0.0, 600.0) == 3.0 and function.mean(300.0, 900.0) == 2.0
    assert function.mean(0.0, 2400.0) == pytest.approx((600 * 3 + 600 * 1 + 1200 * 0.3) / 2400)
    assert function.mean(1e6, 1e6 + 0.1) == 0.3  # to the last bit
    assert not function.is_constant
    assert function.mean(-1200.0, -600.0) == 3.0 and function.mean(-600.0, 1200.0) == pytest.approx(7.0 / 3.0)


def test_what_comes_after_the_last_end():
    assert PiecewiseConstant([600.0], [3.0], after=0.0).mean(600.0, 700.0) == 0.0
    assert PiecewiseConstant([600.0], [3.0]).mean(600.0, 700.0) == 3.0
    assert PiecewiseConstant([600.0], [3.0]).is_constant
    assert PiecewiseConstant([], [], after=0.0).mean(0.0, 1.0) == 0.0


def test_rain_counts_from_the_start_and_stops():
    forcing = RainSchedule(START, START + np.timedelta64(1, "D"), 3, [3600.0], [2e-3], evaporation=1e-5)
    first = forcing.weather(START, 1800.0)
    assert np.array_equal(first["rain"], [2e-3] * 3) and np.array_equal(first["evaporation"], [1e-5] * 3)
    assert forcing.weather(START + np.timedelta64(45, "m"), 1800.0)["rain"][0] == pytest.approx(1e-3)
    assert forcing.weather(START + np.timedelta64(60, "m"), 1800.0)["rain"][0] == 0.0
    assert forcing.weather(START, 1800.0)["snowfall"].sum() == 0.0
    assert forcing.describe()["rain"] == [(3600.0, 2e-3)] and forcing.checksums() == {}
