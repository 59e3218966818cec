"""Products on common places and times: nearest and area against sums by hand, intervals, what cannot be."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.observe import ObservationTable
from pyland.observe.merging import CommonGrid, align_table, align_tables, times_between
from pyland.observe.target_cells import EARTH_RADIUS

DAY = np.timedelta64(1, "D")


def table(**changes):
    times = ["2018-01-01T03:00", "2018-01-01T20:00", "2018-01-02T00:00", "2018-01-03T23:59:59"]
    given = {"value": [0.1, 0.2, 0.3, 0.5], "time": np.array(times, "datetime64[s]"),
             "latitude": [50.0, 50.0, 50.1, 50.0], "longitude": [6.0, 6.0, 6.0, 6.0], "sigma": [0.03, 0.04, 0.05, 0.06],
             "location": [7, 7, 9, 7], "footprint": 20000.0}
    return ObservationTable("p", "soil_moisture", **{**given, **changes})


def test_times_are_middles_of_whole_intervals():
    assert times_between("2018-01-01", "2018-01-03").tolist() == [
        np.datetime64("2018-01-01T12:00:00").item(), np.datetime64("2018-01-02T12:00:00").item()]
    with pytest.raises(InputError, match="whole number of intervals"):
        times_between("2018-01-01", "2018-01-02T01:00")


def test_the_nearest_place_within_the_radius_and_the_mean_of_a_day():
    grid = CommonGrid(np.array([50.02, 50.09, 51.0]), np.array([6.0, 6.0, 6.0]))
    values, sigma = align_table(table(), times_between("2018-01-01", "2018-01-04"), grid)
    np.testing.assert_allclose(values, [[0.15, np.nan, np.nan], [np.nan, 0.3, np.nan], [0.5, np.nan, np.nan]])
    np.testing.assert_allclose(sigma, [[0.035, np.nan, np.nan], [np.nan, 0.05, np.nan], [0.06, np.nan, np.nan]])
    _, free = align_table(table(), times_between("2018-01-01", "2018-01-04"), grid, error_correlation=0.0)
    assert free[0, 0] == pytest.approx(np.hypot(0.03, 0.04) / 2)


def test_an_area_is_the_mean_of_all_within_the_radius():
    random = np.random.default_rng(1)
    count = 600
    scattered = ObservationTable(
        "p", "soil_moisture", random.random(count), np.datetime64("2018-01-01T00:00:00"),
        random.uniform(49.5, 50.5, count), random.uniform(5.5, 6.5, count), random.uniform(0.01, 0.1, count))
    grid = CommonGrid.regular((49.5, 50.5, 5.5, 6.5), 0.25)
    values, sigma = align_table(scattered, times_between("2018-01-01", "2018-01-02"), grid, method="area", radius=2e4)
    for one in range(grid.size):
        up, other = np.deg2rad(grid.latitude[one]), np.deg2rad(scattered.latitude)
        east = np.deg2rad(scattered.longitude - grid.longitude[one])
        far = 2 * EARTH_RADIUS * np.arcsin(np.sqrt(
            np.sin((other - up) / 2) ** 2 + np.cos(up) * np.cos(other) * np.sin(east / 2) ** 2))
        assert values[0, one] == pytest.approx(scattered.value[far <= 2e4].mean(), rel=1e-9)
        assert sigma[0, one] == pytest.approx(scattered.sigma[far <= 2e4].mean(), rel=1e-9)


def test_rows_that_are_not_used_do_not_count_and_unknown_errors_stay_unknown():
    grid = CommonGrid(np.array([50.0]), np.array([6.0]))
    times = times_between("2018-01-01", "2018-01-02")
    values, _ = align_table(table().rejected(np.arange(4) == 0, 3), times, grid)
    assert values.tolist() == [[0.2]]
    for method in ("nearest", "area"):
        values, sigma = align_table(table(sigma=[np.nan, 0.04, 0.05, 0.06]), times, grid, method=method)
        assert values[0, 0] == pytest.approx(0.15) and np.isnan(sigma[0, 0])
    values, _ = align_table(table(), times_between("2020-01-01", "2020-01-02"), grid)
    assert np.isnan(values).all()


def test_grids():
    grid = CommonGrid.regular((-10, 10, 170, -170), 5.0)
    assert grid.shape == (4, 4) and grid.longitude[:4].tolist() == [172.5, 177.5, -177.5, -172.5]
    assert CommonGrid.regular((-90, 90, -180, 180), 90.0).shape == (2, 4)
    own = CommonGrid.of_table(table())
    assert own.location.tolist() == [7, 9] and own.latitude.tolist() == [50.0, 50.1]
    stacked = align_tables([table(), table()], times_between("2018-01-01", "2018-01-04"), own)
    assert stacked.shape == (2, 3, 2)
    for bounds, spacing in (((10, 5, 0, 1), 0.1), ((0, 1, 0, 1), 2.0), ((0, 1, 0, 1), -1.0)):
        with pytest.raises(InputError, match="expected bounds south, north"):
            CommonGrid.regular(bounds, spacing)


@pytest.mark.parametrize("changes, message", [
    ({"method": "linear"}, "alignment must be"), ({"radius": 0.0}, "must be positive"),
    ({"interval": 2 * DAY}, "do not overlap"), ({"error_correlation": 1.5}, "must lie in 0..1"),
])
def test_what_cannot_be_is_said(changes, message):
    with pytest.raises(InputError, match=message):
        align_table(table(), times_between("2018-01-01", "2018-01-03"), CommonGrid.of_table(table()), **changes)


def test_tables_of_different_types_are_refused():
    other = ObservationTable("q", "lst", [290.0], START := np.datetime64("2018-01-01T00:00:00"), 50.0, 6.0)
    with pytest.raises(InputError, match="must be of one type, got lst, soil_moisture"):
        align_tables([table(), other], times_between(START, START + DAY), CommonGrid.of_table(table()))
    with pytest.raises(InputError, match="A table without footprint needs one"):
        align_table(other, times_between(START, START + DAY), CommonGrid.of_table(table()))
