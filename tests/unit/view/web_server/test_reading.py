"""Grids, records and statistics behind the web map, against other ways to the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, percentileofscore

from pyland.base.errors import InputError
from pyland.domain.grid import EARTH_RADIUS, regular_grid
from pyland.driver.commands.view import named_run, open_catalogue
from pyland.output.grid import OutputGrid
from pyland.output.history import HistoryWriter
from pyland.view.web_server.field_statistics import mid_rank_percentile, normal_quantile, seasonal_records
from pyland.view.web_server.kept_records import KeptRecords
from pyland.view.web_server.observed_places import matching, record_means
from pyland.view.web_server.viewed_grid import viewed_grid
from pyland.view.web_server.viewed_run import ViewedRun

START = np.datetime64("2021-03-01", "s")
DAY = np.timedelta64(1, "D")

# ---- grids ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("latitude", "longitude"), [(50.9, 6.4), (-37.0, 179.9), (70.0, -120.0)])
def test_a_grid_in_metres_is_known_by_its_coordinates(latitude, longitude):
    domain = regular_grid(latitude, longitude, 30, 20, 5000.0, 4000.0)
    north, east = (one.reshape(20, 30).copy() for one in (domain.latitude, domain.longitude))
    whole = viewed_grid(north, east)
    assert whole.projection["name"] == "sinusoidal"
    assert whole.projection["latitude_0"] == pytest.approx(latitude)
    assert (whole.projection["longitude_0"] - longitude + 180) % 360 - 180 == pytest.approx(0, abs=1e-7)
    assert whole.projection["x"] == pytest.approx((-72500.0, 5000.0)) and whole.projection["y"][1] == pytest.approx(
        4000
    )
    np.testing.assert_allclose(whole.cell_area(), 2.0e7, rtol=1e-6)
    assert np.abs(np.diff(whole.longitude, axis=1)).max() < 1.0  # no jump at the date line
    holes = np.zeros((20, 30), bool)
    holes[3, 4] = holes[:, -1] = holes[0] = True
    north[holes] = east[holes] = np.nan
    part = viewed_grid(north, east)
    np.testing.assert_allclose(part.latitude, whole.latitude, atol=1e-6)
    np.testing.assert_allclose(part.longitude, whole.longitude, atol=1e-5)
    assert (part.is_active == ~holes).all()


def test_a_regular_grid_keeps_rows_and_columns_where_cells_are_missing():
    north, east = np.meshgrid(np.arange(60.0, 40.0, -1.0), np.arange(-10.0, 20.0, 1.5), indexing="ij")
    areas = viewed_grid(north, east).cell_area()
    band = np.radians(1.5) * EARTH_RADIUS**2 * (np.sin(np.radians(north + 0.5)) - np.sin(np.radians(north - 0.5)))
    np.testing.assert_allclose(areas[1:-1, 1:-1], band[1:-1, 1:-1], rtol=1e-3)
    missing = north > 55
    found = viewed_grid(np.where(missing, np.nan, north), np.where(missing, np.nan, east))
    assert found.kind == "regular" and found.projection["epsg"] == 4326
    np.testing.assert_allclose(found.latitude, north, atol=1e-9)
    assert found.bounds == pytest.approx((-10.75, 40.5, 19.25, 60.5))
    np.testing.assert_allclose(found.corners(), [[-10.75, 60.5], [19.25, 60.5], [19.25, 40.5], [-10.75, 40.5]])


def test_a_rotated_grid_is_continued_smoothly_over_the_sea():
    """EUR-11 has its pole at 39.25 N, 162 W; a third of its cells are sea."""
    rows, columns = np.meshgrid(np.radians(np.arange(-23.375, 21.9, 1.1)), np.radians(np.arange(-28.375, 18.2, 1.1)),
                                indexing="ij")
    pole = np.radians(39.25)
    north = np.arcsin(np.sin(pole) * np.sin(rows) + np.cos(pole) * np.cos(rows) * np.cos(columns))
    east = np.arctan2(np.cos(rows) * np.sin(columns),
                      np.sin(pole) * np.cos(rows) * np.cos(columns) - np.cos(pole) * np.sin(rows)) + np.radians(18.0)
    north, east = np.degrees(north), np.degrees(east)
    sea = (np.indices(north.shape).sum(axis=0) % 7 < 2) | (np.indices(north.shape)[0] < 4)
    found = viewed_grid(np.where(sea, np.nan, north), np.where(sea, np.nan, east))
    assert found.kind == "curvilinear"
    assert np.abs(found.latitude - north).max() < 0.05 and np.abs(found.longitude - east).max() < 0.2
    cell, distance = found.nearest(np.array([52.5]), np.array([13.4]))
    y, x = divmod(int(cell[0]), north.shape[1])
    assert distance[0] < 90_000 and abs(north[y, x] - 52.5) < 1.0 and not sea[y, x]


# ---- statistics ----------------------------------------------------------------------------------


def test_percentiles_are_mid_ranks():
    random = np.random.default_rng(3)
    stack = random.integers(0, 6, (25, 4)).astype(np.float32)
    found = mid_rank_percentile(stack, stack[7], np.arange(25))
    expected = [percentileofscore(stack[:, cell], stack[7, cell], kind="mean") for cell in range(4)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    stack[:, 2] = np.nan
    assert np.isnan(mid_rank_percentile(stack, stack[7], np.arange(25))[2])


def test_normal_quantiles_stay_within_physical_bounds():
    mean, spread = np.float32([0.3, 0.01]), np.float32([0.02, 0.1])
    np.testing.assert_allclose(normal_quantile(mean, spread, "p95", None), mean + norm.ppf(0.95) * spread, rtol=1e-6)
    assert normal_quantile(mean, spread, "p05", (0.0, 1.0))[1] == 0.0


def test_long_records_are_compared_within_their_season():
    times = np.datetime64("2000-01-01", "s") + np.arange(4 * 365 + 1) * DAY
    assert seasonal_records(times[:700], 5).size == 700
    season = seasonal_records(times, 3)  # 4 January, over the turn of the year
    days = (times[season].astype("datetime64[D]") - times[season].astype("datetime64[Y]")).astype(int)
    assert set(days) == {*range(0, 19), *range(353, 366)} and season.size >= 4 * 31 - 13


def test_measurements_become_means_over_records():
    begin = START + np.arange(96) * np.timedelta64(1800, "s")
    values = np.arange(96.0)
    values[48:70] = np.nan  # less than three quarters of the second day
    times, means = record_means(begin, 1800.0, values, START + np.arange(2) * DAY, START + np.arange(1, 3) * DAY)
    assert list(times) == [START + DAY] and means[0] == pytest.approx(23.5)
    times, means = record_means(begin, 1800.0, values, begin, begin + np.timedelta64(1800, "s"))
    assert means.size == 74 and means[-1] == 95.0


def test_observations_fit_the_layers_that_they_see():
    observed = [{"variable": "soil_water", "depth": [0.0, 0.05]}, {"variable": "soil_water", "depth": [0.2, 0.2]},
                {"variable": "soil_water", "depth": None}, {"variable": "snow_mass", "depth": None}]
    layers = [{"top": 0.0, "bottom": 0.02}, {"top": 0.02, "bottom": 0.05}, {"top": 0.05, "bottom": 0.15},
              {"top": 0.15, "bottom": 0.3}]
    fits = [[observed.index(one) for one in matching(observed, "soil_water", layer)] for layer in layers]
    assert fits == [[0, 2], [0], [], [1]]
    assert matching(observed, "snow_mass", None) == [observed[3]]


# ---- runs that grow ------------------------------------------------------------------------------


def test_a_run_is_read_as_it_grows(tmp_path, monkeypatch):
    monkeypatch.setattr("pyland.view.web_server.viewed_run.LOOK_AGAIN", 0.0)
    grid = OutputGrid(np.repeat([50.0, 51.0], 2), np.tile([6.0, 7.0], 2), shape=(2, 2))
    writer = HistoryWriter(tmp_path / "run", grid, ["ground_temperature"], {"title": "growing"})

    def add(day):
        values = np.full((1, 4), 280.0 + day)
        writer.add(START + day * DAY, START + (day + 1) * DAY, {"ground_temperature": values})

    (tmp_path / "run").mkdir()
    writer.start()
    add(0)
    writer.flush("20210302T0000")
    assert named_run(tmp_path / "run").folder == tmp_path / "run"
    run = open_catalogue([tmp_path]).run(tmp_path.name)
    first = run.index()
    assert first["is_growing"] and len(first["times"]) == 1
    add(1)
    add(2)
    writer.flush("20210304T0000")
    run.refresh()
    second = run.index()
    assert second["is_growing"] and len(second["times"]) == 3 and second["version"] != first["version"]
    assert run.map("ground_temperature", "mean", 0, 2)[1, 1] == 282.0
    assert run.series("ground_temperature", 0, 1, 0)["mean"] == [280.0, 281.0, 282.0]
    before = [run.map("ground_temperature", "mean", 0, one).tobytes() for one in range(3)]
    writer.finish()  # the segments are joined and removed
    run.refresh()
    assert not run.is_growing and len(run.index()["times"]) == 3
    assert [run.map("ground_temperature", "mean", 0, one).tobytes() for one in range(3)] == before
    run.close()


def test_a_run_without_records_is_empty_and_not_an_error(tmp_path):
    run = ViewedRun("new", "new", tmp_path, lambda: [])
    assert run.index()["times"] == [] and run.index()["is_growing"]
    with pytest.raises(InputError, match="there are none yet"):
        run.map("soil_water", "mean", 0, 0)


def test_sources_that_are_no_runs_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file or folder"):
        named_run(tmp_path / "nowhere")
    with pytest.raises(InputError, match="run the case first"):
        named_run(tmp_path)
    with pytest.raises(InputError, match="expected a URL with"):
        open_catalogue([tmp_path], tiles="file:///etc/{X}")


def test_kept_records_are_bounded_and_the_oldest_goes_first():
    kept, made = KeptRecords(limit=100), []

    def make(name):
        made.append(name)
        return np.zeros(5)  # 40 bytes

    for name in ("a", "b", "a", "c", "a", "b"):
        kept.get(name, lambda name=name: make(name))
    assert made == ["a", "b", "c", "b"]
