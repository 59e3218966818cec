"""`pyland merge` with the methods that learn: from tables, stations and predictors in files to a merged file."""

import netCDF4
import numpy as np
import pytest
import xarray as xr
import yaml

from pyland.base.errors import ConfigError, InputError
from pyland.config.merge import load_merge_settings
from pyland.driver.commands.merge import merge_files
from pyland.observe import ObservationTable, write_table
from pyland.observe.merging import CommonGrid, read_predictor, stations_at_places, times_between

STEPS, ROWS, COLUMNS = 150, 3, 4


@pytest.fixture
def region(tmp_path):
    """Three products of 0.1 degree cells, four stations beside the middles, and two predictors."""
    rng = np.random.default_rng(0)
    grid = CommonGrid.regular((50.0, 50.3, 6.0, 6.4), 0.1)
    times = times_between("2018-01-01", "2018-05-31", np.timedelta64(86400, "s"))
    assert (times.size, grid.size) == (STEPS, ROWS * COLUMNS)
    memory = np.empty((STEPS, grid.size))
    memory[0] = rng.standard_normal(grid.size)
    for step in range(1, STEPS):
        memory[step] = 0.9 * memory[step - 1] + np.sqrt(1 - 0.81) * (0.9 * rng.standard_normal() + 0.44
                                                                    * rng.standard_normal(grid.size))
    truth = 0.25 + 0.05 * memory
    for number, sigma in enumerate((0.02, 0.03, 0.04)):
        when, where = np.nonzero(rng.random(truth.shape) < 0.7)
        value = truth[when, where] + sigma * rng.standard_normal(when.size)
        write_table(tmp_path / f"p{number}.nc", ObservationTable(
            f"p{number}", "soil_moisture", value, times[when], grid.latitude[where], grid.longitude[where], sigma,
            location=where, footprint=10e3, top=0.0, bottom=0.05))
    when, where = np.nonzero(np.ones((STEPS, 4), bool))
    write_table(tmp_path / "stations.nc", ObservationTable(
        "stations", "soil_moisture", truth[when, 2 * where], times[when], grid.latitude[2 * where] + 0.01,
        grid.longitude[2 * where], 0.01, location=where, top=0.0, bottom=0.05))
    lat, lon = grid.latitude[::COLUMNS], grid.longitude[:COLUMNS]
    hours = np.datetime64("2018-01-01T00:00") + 12 * np.arange(2 * STEPS) * np.timedelta64(1, "h")
    xr.Dataset({"rain": (("time", "lat", "lon"), rng.random((2 * STEPS, ROWS, COLUMNS))),
                "sand": (("lat", "lon"), rng.random((ROWS, COLUMNS)))},
               {"time": hours, "lat": lat, "lon": lon}).to_netcdf(tmp_path / "weather.nc")
    return tmp_path, truth, grid, times


def _write(folder, **more):
    text = {"products": [{"name": f"p{number}", "files": f"p{number}.nc", "radius": 8000.0} for number in range(3)],
            "period": {"start": "2018-01-01", "end": "2018-05-31"},
            "grid": {"bounds": [50.0, 50.3, 6.0, 6.4], "spacing": 0.1}, "output": "merged.nc", **more}
    path = folder / "merge.yaml"
    path.write_text(yaml.safe_dump(text))
    return path


def test_bme_fills_all_gaps_and_beats_the_best_product(region):
    folder, truth, grid, _ = region
    said = merge_files(_write(folder, method="bme"))
    assert "merged by bme" in said
    with netCDF4.Dataset(folder / "merged.nc") as file:
        value = file["soil_moisture"][:].reshape(truth.shape).filled(np.nan)
        sigma = file["soil_moisture_sigma"][:].reshape(truth.shape).filled(np.nan)
        filled = file["interpolated"][:].reshape(truth.shape) == 1
    assert np.isfinite(value).all() and filled.any()
    assert (value - truth).std() < 0.017  # the best product has 0.02, least squares of all three 0.0154
    assert ((value - truth) / sigma).std() == pytest.approx(1.0, abs=0.15)


def test_bme_takes_errors_from_a_collocation(region):
    folder, truth, _, _ = region
    merge_files(_write(folder, method="bme", bme={"errors": "collocation", "mean": "place", "structures": 1}))
    with netCDF4.Dataset(folder / "merged.nc") as file:
        assert (file["soil_moisture"][:].reshape(truth.shape) - truth).std() < 0.019


def test_lstm_learns_from_stations_and_says_so(region):
    pytest.importorskip("torch", reason="the extra lstm (PyTorch) is not installed")
    folder, truth, _, _ = region
    options = {"hidden": 4, "window": 40, "epochs": 2, "patience": 2, "gap": 3, "folds": 2, "save": "network"}
    more = {"stations": {"name": "s", "files": "stations.nc", "radius": 8000.0}, "method": "lstm",
            "predictors": [{"name": name, "file": "weather.nc"} for name in ("rain", "sand")]}
    merge_files(_write(folder, lstm=options, **more))
    with netCDF4.Dataset(folder / "merged.nc") as file:
        first = file["soil_moisture"][:].filled(np.nan)
        assert np.isfinite(first).all()
        assert file["correction"].training_target == "in_situ"
        assert np.isfinite(file["held_out_value"][:].filled(np.nan)).sum() == 4 * STEPS
        assert (file["training_values"][:] > 0).sum() == 4
    del more["stations"]
    merge_files(_write(folder, lstm={"model": "network"}, **more))
    with netCDF4.Dataset(folder / "merged.nc") as file:
        np.testing.assert_array_equal(file["soil_moisture"][:], first)


def test_predictors_are_means_of_the_nearest_value(region):
    folder, _, grid, times = region
    rain = read_predictor(folder / "weather.nc", "rain", times, grid, 1000.0)
    with netCDF4.Dataset(folder / "weather.nc") as file:
        expected = file["rain"][:].reshape(STEPS, 2, grid.size).mean(axis=1)
        sand = file["sand"][:].ravel()
    np.testing.assert_allclose(rain, expected, rtol=1e-12)
    np.testing.assert_array_equal(read_predictor(folder / "weather.nc", "sand", times, grid, 1000.0), sand)
    late = read_predictor(folder / "weather.nc", "rain", times + np.timedelta64(100, "D"), grid, 1000.0)
    np.testing.assert_allclose(late[:50], expected[100:], rtol=1e-12)
    assert np.isnan(late[50:]).all()
    with pytest.raises(InputError, match="no variable 'snow'; there are rain, sand"):
        read_predictor(folder / "weather.nc", "snow", times, grid, 1000.0)
    with pytest.raises(InputError, match="no value within 100 m of 12 of 12 places"):
        read_predictor(folder / "weather.nc", "rain", times,
                       CommonGrid(grid.latitude + 0.01, grid.longitude), 100.0)
    (folder / "broken.nc").write_bytes(b"CDF")
    with pytest.raises(InputError, match="cannot be read as predictors"):
        read_predictor(folder / "broken.nc", "rain", times, grid, 1000.0)


def test_a_station_counts_at_one_place_only():
    grid = CommonGrid.regular((50.0, 50.2, 6.0, 6.2), 0.1)
    times = times_between("2018-01-01", "2018-01-03", np.timedelta64(86400, "s"))
    table = ObservationTable("s", "soil_moisture", [0.1, 0.3, 0.5], times[[0, 0, 1]], [50.06, 50.04, 55.0],
                             [6.06, 6.04, 6.0], location=[1, 2, 3])
    found = stations_at_places(table, times, grid, 50e3)
    assert np.isfinite(found).sum() == 1
    assert found[0, 0] == pytest.approx(0.2)  # two stations in the first cell; that of 55 degrees is far away
    with pytest.raises(InputError, match="no station of 's'"):
        stations_at_places(table, times, CommonGrid(np.zeros(1), np.zeros(1)), 1000.0)


@pytest.mark.parametrize(("more", "message"), [
    ({"method": "lstm"}, "expected files of stations"),
    ({"method": "bme", "predictors": [{"name": "rain", "file": "w.nc"}]}, "expected no predictors with method: bme"),
    ({"method": "mean", "bme": {"neighbours": 3}}, "expected no bme with method: mean"),
    ({"method": "bme", "bme": {"neighbours": 40}}, "neighbours"),
    ({"method": "lstm", "lstm": {"model": "net", "epochs": 5}}, "the saved network is trained"),
    ({"method": "lstm", "lstm": {"target": "withheld_product", "folds": 1}}, "expected 0, or 2 and more groups"),
    ({"method": "lstm", "lstm": {"target": "withheld_product"},
      "predictors": [{"name": "rain", "file": "w.nc"}, {"name": "rain", "file": "v.nc"}]}, "'rain' again"),
    ({"method": "lstm", "stations": {"name": "s", "files": "s.nc"}}, "how far a station may be"),
])  # fmt: skip
def test_settings_that_do_not_fit_are_named(tmp_path, more, message):
    with pytest.raises(ConfigError, match=message):
        load_merge_settings(_write(tmp_path, **more))


def test_options_of_the_file_are_those_of_the_methods(tmp_path):
    from pyland.observe.merging.bme import BME_OPTIONS
    from pyland.observe.merging.lstm import LSTM_OPTIONS

    of_lstm = load_merge_settings(_write(tmp_path, method="lstm", lstm={"target": "withheld_product"})).options
    assert of_lstm == {**LSTM_OPTIONS, "target": "withheld_product"}
    of_bme = load_merge_settings(_write(tmp_path, method="bme")).options
    assert of_bme == {name: BME_OPTIONS[name] for name in of_bme}
    trained = load_merge_settings(_write(tmp_path, method="lstm", lstm={"model": "net", "device": "auto"})).options
    assert trained == {"model": str(tmp_path / "net"), "device": "auto"}
