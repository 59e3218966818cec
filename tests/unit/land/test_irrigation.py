"""Irrigation: deficits, their application, and the hours of prescribed amounts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyland.base.errors import InputError
from pyland.land.irrigation import PatchIrrigation, irrigate_soil, irrigation_hours

LAYERS = np.array([0.1, 0.2, 0.4, 0.8])
DT = 1800.0


def soil(water=0.2, wilting=0.1, target=0.3, temperature=290.0):
    return LAYERS, *(np.full(4, value) for value in (water, wilting, target, temperature))


def test_deficit_of_the_root_zone():
    assert irrigate_soil(DT, *soil()).deficit[0] == pytest.approx(1000.0 * 0.6 * 0.1, rel=1e-13)
    assert irrigate_soil(DT, *soil(), depth=0.15).deficit[0] == pytest.approx(1000.0 * 0.15 * 0.1, rel=1e-13)
    assert irrigate_soil(DT, *soil(water=0.31)).deficit[0] == 0.0


def test_threshold():
    assert irrigate_soil(DT, *soil(water=0.21), threshold=0.5).deficit[0] == 0.0
    assert irrigate_soil(DT, *soil(water=0.19), threshold=0.5).deficit[0] == pytest.approx(600.0 * 0.11)


def test_frozen_layers_end_the_soil():
    temperature = np.array([290.0, 270.0, 290.0, 290.0])
    assert irrigate_soil(DT, *soil()[:4], temperature).deficit[0] == pytest.approx(100.0 * 0.1)


@settings(deadline=None)
@given(water=st.floats(0.0, 0.4), duration=st.floats(600.0, 40000.0), dt=st.sampled_from([600.0, 1800.0, 3600.0]),
       method=st.sampled_from(["sprinkler", "flood", "drip"]))
def test_the_deficit_is_filled_and_not_more(water, duration, dt, method):
    given_water, state = 0.0, {"remaining": 0.0, "rate": 0.0}
    first = irrigate_soil(dt, *soil(water=water), duration=duration, method=method)
    step = first
    for index in range(int(duration / dt) + 2):
        step = step if index == 0 else irrigate_soil(
            dt, *soil(water=water), duration=duration, method=method, is_start=False, **state)
        given_water += dt * (step.above[0] + step.ground[0])
        assert (step.ground[0] if method == "sprinkler" else step.above[0]) == 0.0
        assert step.above[0] + step.ground[0] <= first.deficit[0] / duration * (1.0 + 1e-14)
        state = {"remaining": step.remaining, "rate": step.rate}
    assert given_water == pytest.approx(first.deficit[0], rel=1e-12, abs=1e-12)
    assert step.remaining[0] < 1e-12


def test_no_leaves_no_demand():
    assert irrigate_soil(DT, *soil(), leaf_area=0.0).ground[0] == 0.0
    assert irrigate_soil(DT, *soil(), by_deficit=False).ground[0] == 0.0
    assert irrigate_soil(DT, *soil(), by_deficit=False, supply=1e-4).ground[0] == 1e-4


def test_a_lane_depends_on_its_own_data_only():
    rng = np.random.default_rng(1)
    n = 70
    layers = np.repeat(LAYERS[:, None], n, axis=1)
    water, temperature = rng.uniform(0.05, 0.4, (4, n)), rng.uniform(268.0, 300.0, (4, n))
    rest = np.full((4, n), 0.1), np.full((4, n), 0.3)
    whole = irrigate_soil(DT, layers, water, *rest, temperature)
    for k in range(0, n, 9):
        one = slice(k, k + 1)
        alone = irrigate_soil(DT, layers[:, one], water[:, one], rest[0][:, one], rest[1][:, one], temperature[:, one])
        assert alone.ground[0] == whole.ground[k] and alone.deficit[0] == whole.deficit[k]


def hours(patch, longitude, dt=1800.0, days=3, begin="2020-02-27"):
    start = np.datetime64(begin, "s")
    steps = int(days * 86400 / dt)
    return [irrigation_hours([patch, None], [longitude], start + np.timedelta64(int(i * dt), "s"), dt)
            for i in range(steps)]


@pytest.mark.parametrize(("longitude", "hour"), [(0.0, 6.0), (15.0, 5.0), (-90.0, 12.0), (97.5, 23.5)])
def test_the_check_is_at_six_local_time(longitude, hour):
    starts = np.array([one["irrigation_start"][0, 0] for one in hours(PatchIrrigation(), longitude)])
    assert starts.sum() == 3 and (np.flatnonzero(starts) % 48 == hour * 2).all()
    assert all(one["irrigation_start"][1, 0] == 0.0 for one in hours(PatchIrrigation(), longitude))


@settings(deadline=None)  # a step is a call
@given(longitude=st.floats(-180.0, 180.0), dt=st.sampled_from([1800.0, 3600.0, 10800.0, 86400.0]),
       start=st.floats(0.0, 86399.0))
def test_one_check_every_day(longitude, dt, start):
    patch = PatchIrrigation(start=start)
    assert sum(one["irrigation_start"][0, 0] for one in hours(patch, longitude, dt, days=5)) == 5


@settings(deadline=None)
@given(longitude=st.floats(-180.0, 180.0), dt=st.sampled_from([1800.0, 3600.0, 10800.0, 86400.0]),
       duration=st.floats(60.0, 86400.0))
def test_daily_amount_is_applied(longitude, dt, duration):
    patch = PatchIrrigation(demand="amount", amount=(7.0,), duration=duration)
    rates = [one["irrigation_supply"][0, 0] for one in hours(patch, longitude, dt, days=6)]
    assert dt * sum(rates) == pytest.approx(6 * 7.0, rel=0.17)  # the first and last application may be cut
    assert dt * sum(rates[: round(5 * 86400 / dt)]) <= 6 * 7.0 * (1 + 1e-12)
    middle = rates[round(86400 / dt): round(3 * 86400 / dt)]
    assert dt * sum(middle) == pytest.approx(14.0, rel=1e-9)


def test_calendar():
    patch = PatchIrrigation(demand="calendar", amount=(5.0, 9.0), days=(59, 60), duration=7200.0)
    rates = np.array([one["irrigation_supply"][0, 0] for one in hours(patch, 0.0)])  # 27 February is day 58
    applied = 1800.0 * rates.reshape(3, 48).sum(axis=1)
    np.testing.assert_allclose(applied, [0.0, 5.0, 9.0])
    assert (np.flatnonzero(rates) == [48 + 12, 48 + 13, 48 + 14, 48 + 15, 96 + 12, 96 + 13, 96 + 14, 96 + 15]).all()


def test_bad_input_is_named():
    with pytest.raises(InputError, match="one of sprinkler, flood, drip"):
        irrigate_soil(DT, *soil(), method="bucket")
    with pytest.raises(InputError, match="threshold from 0 to 1"):
        irrigate_soil(DT, *soil(), threshold=2.0)
