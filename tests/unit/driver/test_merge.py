"""`pyland merge`: files of products to a gridded product, a table and a report; configuration and its errors."""

import netCDF4
import numpy as np
import pytest
import yaml

from pyland.base.errors import ConfigError, InputError
from pyland.config.merge import load_merge_settings
from pyland.config.settings_file import parse_changes
from pyland.driver.commands.merge import merge_files
from pyland.observe import ObservationTable, read_table, write_table
from pyland.observe.merging import merge_mean

ROWS, COLUMNS, DAYS = 4, 5, 365
ERRORS = {"smap": 0.02, "ascat": 0.03, "amsr2": 0.04}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Three tables of products with known errors, and their truth (day, place)."""
    folder, random = tmp_path_factory.mktemp("products"), np.random.default_rng(11)
    latitude, longitude = np.meshgrid(50.05 + 0.1 * np.arange(ROWS), 6.05 + 0.1 * np.arange(COLUMNS), indexing="ij")
    truth = 0.25 + 0.06 * random.standard_normal((DAYS, latitude.size))
    days = np.datetime64("2018-01-01T00:00:00") + np.arange(DAYS) * np.timedelta64(1, "D")
    for hour, (name, error) in enumerate(ERRORS.items()):
        values = truth + error * random.standard_normal(truth.shape)
        day, place = np.nonzero(random.random(truth.shape) < 0.9)
        write_table(folder / f"{name}.nc", ObservationTable(
            name, "soil_moisture", values[day, place], days[day] + np.timedelta64(hour, "h"), latitude.ravel()[place],
            longitude.ravel()[place], error, location=place, footprint=9000.0, top=0.0, bottom=0.05,
            extra={"frozen_probability": (day < 10).astype(float)}))
    return folder, truth


def settings(folder, **changes):
    """Write a file of a merge and return its path."""
    products = [{"name": name, "files": f"{name}.nc", "radius": "5 km"} for name in ERRORS]
    content = {
        "products": products, "period": {"start": "2018-01-01", "end": "2019-01-01"},
        "grid": {"bounds": [50, 50.4, 6, 6.5], "spacing": 0.1}, "method": "tc", "output": "out/merged.nc", **changes}
    path = folder / "merge.yaml"
    path.write_text(yaml.safe_dump({name: one for name, one in content.items() if one is not None}))
    return path


def values_of(path, name):
    with netCDF4.Dataset(path) as file:
        return np.ma.filled(file[name][:].astype(float), np.nan)


def test_a_merge_from_files_to_files(inputs):
    folder, truth = inputs
    said = merge_files(settings(folder, table="out/table.nc", report="out/report"))
    merged = folder / "out" / "merged.nc"
    value, sigma = values_of(merged, "soil_moisture"), values_of(merged, "soil_moisture_sigma")
    assert value.shape == (DAYS, ROWS, COLUMNS)
    error = value.reshape(DAYS, -1) - truth
    assert np.nanstd(error) < 0.9 * ERRORS["smap"]
    # of one year, sigma is too small by 8 %: weights are estimated, and the climatology of the reference has an error
    assert 0.88 < np.sqrt(np.nanmean(sigma**2)) / np.nanstd(error) < 1.0
    weights = values_of(merged, "weight")
    np.testing.assert_allclose(weights.sum(axis=0)[np.isfinite(value)], 1.0, rtol=1e-6)
    table = read_table(folder / "out" / "table.nc")
    assert table.size == np.isfinite(value).sum() == table.used.sum() and table.type == "soil_moisture"
    assert (table.bottom == 0.05).all() and "merged by tc from smap, ascat, amsr2" in table.provenance["history"]
    at = (table.time - np.datetime64("2018-01-01T12:00:00")).astype(int) // 86400
    np.testing.assert_array_equal(table.value, value.reshape(DAYS, -1)[at, table.location])
    report = folder / "out" / "report"
    counts = values_of(report / "completeness.nc", "count_by_place")
    np.testing.assert_array_equal(counts[-1], np.isfinite(value).sum(axis=0))
    assert values_of(report / "completeness.nc", "count_by_time").shape == (4, DAYS)
    for name in ("completeness_series", "completeness_maps", "merged_series", "merged_maps"):
        assert (report / f"{name}.png").read_bytes()[1:4] == b"PNG"
    assert "20 merged" in said and "merged: 9" in said and f"{merged}: soil_moisture of smap, ascat, amsr2" in said


def test_rules_errors_and_the_places_of_a_product(inputs):
    folder, _ = inputs
    products = [{"name": name, "files": [f"{name}.nc"], "quality": {"largest_frozen_probability": 0.5},
                 "errors": {"error": 0.05}, "alignment": "area", "radius": 3000.0} for name in ERRORS]
    merge_files(settings(folder, products=products, grid={"product": "ascat"}, method="mean",
                         mean={"error_correlation": 1.0}))
    value, sigma = (values_of(folder / "out" / "merged.nc", name) for name in ("soil_moisture", "soil_moisture_sigma"))
    assert value.shape == (DAYS, ROWS * COLUMNS) and np.isnan(value[:10]).all()
    assert np.isfinite(value[10:]).mean() > 0.99
    np.testing.assert_allclose(sigma[np.isfinite(value)], 0.05, rtol=1e-12)


def test_rescaling_to_the_reference_comes_before_the_mean(inputs):
    folder, truth = inputs
    table = read_table(folder / "amsr2.nc")
    table.value[:] = 2.0 * table.value + 0.1
    write_table(folder / "moved.nc", table)
    path = settings(folder, rescale="mean_std", method="mean")
    merge_files(path, {"products.2.files": "moved.nc"})
    moved = values_of(folder / "out" / "merged.nc", "soil_moisture")
    assert abs(np.nanmean(moved.reshape(DAYS, -1) - truth)) < 0.002
    merge_files(path)
    np.testing.assert_allclose(moved, values_of(folder / "out" / "merged.nc", "soil_moisture"), rtol=1e-9)


def test_the_mean_of_a_file_is_that_of_the_arrays(inputs):
    folder, _ = inputs
    merge_files(settings(folder, method="mean"))
    products = []
    for name in ERRORS:
        table, grid = read_table(folder / f"{name}.nc"), np.full((DAYS, ROWS * COLUMNS), np.nan)
        day = (table.time - np.datetime64("2018-01-01T00:00:00")).astype(int) // 86400
        grid[day, table.location] = table.value
        products.append(grid)
    found = values_of(folder / "out" / "merged.nc", "soil_moisture").reshape(DAYS, -1)
    np.testing.assert_allclose(found, merge_mean(np.stack(products)).value, rtol=1e-12)


@pytest.mark.parametrize("changes, line, message", [
    ({"method": "mean", "tc": {"least_count": 50}}, "tc:", "expected no tc with method: mean"),
    ({"tc": {"reference": "smos"}}, "reference:", "expected one of the products smap, ascat or amsr2, got 'smos'"),
    ({"tc": {"window_days": 30}}, "window_days:", "expected an odd number"),
    ({"tc": {"least_cuont": 30}}, "least_cuont:", "did you mean 'least_count'"),
    ({"grid": {"spacing": 0.1}}, "", "expected either bounds and spacing, or product"),
    ({"grid": {"bounds": [51, 50, 6, 7], "spacing": 0.1}}, "bounds:", "expected south below north"),
    ({"period": {"start": "2018-01-01", "end": "2018-01-02", "interval": "7 h"}}, "interval:", "a multiple"),
    ({"products": [{"name": "a", "files": "a.nc"}] * 2}, "", "a name of its own, got 'a' again"),
    ({"products": [{"name": "a", "files": "a.nc", "errors": {"share": 0.1}}]}, "", "expected a floor"),
    ({"output": None}, "", "expected the path of a netCDF file"),
    ({"rescale_reference": "smap"}, "rescale_reference:", "without rescale"),
])
def test_errors_of_the_file_name_line_and_key(inputs, changes, line, message):
    path = settings(inputs[0], **changes)
    with pytest.raises(ConfigError, match=message) as caught:
        load_merge_settings(path)
    if line:
        number = next(k for k, text in enumerate(path.read_text().splitlines(), 1) if text.strip().startswith(line))
        assert f"merge.yaml:{number}:" in str(caught.value)


def test_values_of_the_command_line(inputs):
    path = settings(inputs[0])
    changed = load_merge_settings(path, parse_changes(["tc.least_count=200", "products.1.radius=9 km"]))
    assert changed.tc.least_count == 200 and changed.products[1].radius == 9000.0
    assert changed.products[0].files == [str(inputs[0] / "smap.nc")]
    for text, message in (("tc.least_count", "expected KEY.PATH=VALUE"), ("products.5.name=x", "a number below 3"),
                          ("products.0.radius=-1", "command line: products.0.radius: expected a number")):
        with pytest.raises(ConfigError, match=message):
            load_merge_settings(path, parse_changes([text]))


def test_products_that_are_not_there_or_of_another_kind(inputs):
    folder, _ = inputs
    path = settings(folder)
    for changes, message in (
        ({"products.0.files": "none.nc"}, "none.nc"),
        ({"products.0.reader": "smupp"}, "no reader 'smupp'"),
        ({"grid.bounds": [40, 40.4, 6, 6.5]}, "no observation is left"),
        ({"products.0.quality": {"largest_open_water": 0.1}}, "needs the column open_water"),
    ):
        with pytest.raises(InputError, match=message):
            merge_files(path, changes)
    table = read_table(folder / "smap.nc")
    write_table(folder / "lst.nc", ObservationTable(
        "lst", "lst", table.value + 280.0, table.time, table.latitude, table.longitude, 1.0, location=table.location))
    with pytest.raises(InputError, match="must be of one type, got smap lst, ascat soil_moisture"):
        merge_files(path, {"products.0.files": "lst.nc"})


@pytest.mark.parametrize("changes, expected", [
    ({"output": "smap.nc"}, "smap.nc is a file of 'smap', which would be lost. Name another file."),
    ({"table": "smap.nc"}, "smap.nc is a file of 'smap', which would be lost"),
    ({"table": "out/merged.nc"}, "merged.nc is output, which would be lost"),
    ({"table": "out/table.csv"}, "a table is netCDF or zarr; expected a name that ends in .nc"),
    ({"output": "out/merged.txt"}, "output: expected the name of a netCDF file that ends in .nc or .nc4, got "),
    ({"report": "smap.nc"}, "report: expected a folder, got the file "),
    ({"grid": {"bounds": [-90, 90, -180, 180], "spacing": 0.001}}, "365 times and 64800000000 places need "),
])
def test_results_that_cannot_be_are_refused_before_files_are_read(inputs, changes, expected):
    folder, _ = inputs
    before = (folder / "smap.nc").read_bytes()
    with pytest.raises(InputError) as error:
        merge_files(settings(folder, **changes))
    assert expected in str(error.value) and "\n" not in str(error.value)
    assert (folder / "smap.nc").read_bytes() == before


def test_a_file_without_period_and_grid_names_both(inputs):
    with pytest.raises(ConfigError) as error:
        merge_files(settings(inputs[0], period=None, grid=None))
    assert "period: expected a section with start and end, got nothing" in str(error.value)
    assert "grid: expected a section with bounds and spacing, or with product, got nothing" in str(error.value)


def test_a_file_that_is_not_there_or_no_text(inputs):
    folder, _ = inputs
    for name, expected in (("none.yaml", "the file cannot be read (No such file or directory). Check the path."),
                           ("smap.nc", "expected a YAML file in UTF-8, got a file that is no text.")):
        with pytest.raises(ConfigError) as error:
            merge_files(folder / name)
        assert str(error.value) == f"{folder / name}: {expected}"


def test_a_result_without_values_warns(inputs, caplog):
    caplog.set_level("WARNING", "pyland")
    merge_files(settings(inputs[0], tc={"least_count": 5000}))
    assert "the result has no value at all" in caplog.text
