"""Gridded products by a mapping: values, times, places, flags, and mappings that are wrong."""

import netCDF4
import numpy as np
import pytest
from satellite_files import write_modis_tile

from pyland.base.errors import InputError
from pyland.observe import read_product
from pyland.observe.readers.ease_grid import EaseGrid
from pyland.observe.readers.mapping import load_mapping, shipped_mappings
from pyland.observe.readers.name_time import time_of_name

MAPPING = {
    "product": "a product", "type": "soil_moisture", "value": {"variable": "sm"}, "sigma": 0.03,
    "time": {"variable": "time"}, "place": {"latitude": "lat", "longitude": "lon"}, "footprint": 9000.0,
    "depth": [0.0, 0.05]}  # fmt: skip
SIZE = 1200


def changed(**changes):
    return {**MAPPING, **changes}


def write_grid(path, days=3, units="m3 m-3", days_of=None):
    """Write days of a grid of 4 by 6 cells from 50 to 53 degrees north; return the values."""
    values = np.random.default_rng(0).uniform(0.1, 0.4, (days, 4, 6)).astype("f4")
    with netCDF4.Dataset(path, "w") as file:
        for name, size in (("time", days), ("lat", 4), ("lon", 6)):
            file.createDimension(name, size)
        time = file.createVariable("time", "f8", ("time",))
        time.units = "days since 2018-06-01"
        time[:] = np.arange(days) + 0.25 if days_of is None else days_of
        file.createVariable("lat", "f8", ("lat",))[:] = 53.0 - np.arange(4)
        file.createVariable("lon", "f8", ("lon",))[:] = 5.0 + np.arange(6)
        one = file.createVariable("sm", "f4", ("time", "lat", "lon"), fill_value=-1.0)
        one.units = units
        values[:, 0, 0] = -1.0
        one[:] = values
        file.createVariable("qc", "i1", ("time", "lat", "lon"))[:] = np.arange(days * 24).reshape(days, 4, 6) % 4
        file.createVariable("error", "f4", ("lat", "lon"))[:] = np.linspace(1.0, 5.0, 24).reshape(4, 6)
        file["error"].units = "vol%"
    return values


def test_a_grid_with_times(tmp_path):
    values = write_grid(tmp_path / "grid.nc")
    table = read_product(tmp_path / "grid.nc", "mapped", mapping=changed(
        flags=[{"variable": "qc", "accepted": [0, 1]}], sigma={"variable": "error"},
        columns={"quality": {"variable": "qc"}}))
    valid = values.reshape(3, 24) != -1.0
    assert table.size == valid.sum() == 69 and np.allclose(table.value, values.reshape(3, 24)[valid].astype(float))
    step, cell = np.nonzero(valid)
    assert (table.location == cell).all()
    assert (table.time == np.datetime64("2018-06-01T06:00:00") + step * np.timedelta64(1, "D")).all()
    assert np.allclose(table.latitude, 53.0 - cell // 6) and np.allclose(table.longitude, 5.0 + cell % 6)
    assert np.allclose(table.sigma, np.linspace(0.01, 0.05, 24)[cell])
    quality = (np.arange(72) % 4).reshape(3, 24)[valid]
    assert (table.used == (quality < 2)).all() and (table.extra["quality"] == quality).all()
    box = read_product(tmp_path / "grid.nc", "mapped", mapping=MAPPING, bounds=(50.5, 52.5, 6.5, 8.5),
                       period=("2018-06-02", "2018-06-03"))
    assert (box.value == values[1, 1:3, 2:4].ravel().astype(float)).all() and (box.location == [8, 9, 14, 15]).all()


def test_doubled_times_are_marked(tmp_path):
    write_grid(tmp_path / "grid.nc", days_of=[0.0, 1.0, 1.0])
    table = read_product(tmp_path / "grid.nc", "mapped", mapping=MAPPING)
    assert table.counts() == {"used": 46, "duplicate": 23}


def test_errors_that_grow_with_the_value(tmp_path):
    write_grid(tmp_path / "grid.nc")
    table = read_product(tmp_path / "grid.nc", "mapped", mapping=changed(relative_sigma=0.2))
    assert np.allclose(table.sigma, np.maximum(0.03, 0.2 * table.value))


def test_parts_of_an_ease_grid_by_row_and_column(tmp_path):
    row, column, grid = np.arange(100, 103), np.arange(700, 705), EaseGrid(9)
    with netCDF4.Dataset(tmp_path / "part_20180601.nc", "w") as file:
        for name, axis in (("y", row), ("x", column)):
            file.createDimension(name, axis.size)
            file.createVariable(f"ease_{name}", "i4", (name,))[:] = axis
        file.createVariable("sm", "f4", ("y", "x"))[:] = 0.2
    mapping = changed(place={"ease_grid": 9, "row": "ease_y", "column": "ease_x"}, time={"file_name": "_%Y%m%d"},
                      value={"variable": "sm", "unit": "m3 m-3"})
    table = read_product(tmp_path / "part_20180601.nc", "mapped", mapping=mapping)
    assert (table.location == (row[:, None] * 3856 + column).ravel()).all()
    assert np.allclose(table.latitude, np.repeat(grid.latitude[row], 5))
    assert np.allclose(table.longitude, np.tile(grid.longitude[column], 3))
    del mapping["place"]["row"], mapping["place"]["column"]
    with pytest.raises(InputError, match=r"shape \(3, 5\); expected \(1624, 3856\)"):
        read_product(tmp_path / "part_20180601.nc", "mapped", mapping=mapping)


def tile(rows=SIZE, **layers):
    return {name: np.zeros((rows, rows), kind) for name, kind in layers.items()}


def test_modis_lst_of_a_tile(tmp_path):
    layers = tile(LST_Day_1km="u2", QC_Day="u1", Day_view_time="u1", Day_view_angl="u1")
    row, column = np.array([0, 300, 600, 601, 700]), np.array([0, 1, 600, 601, 700])
    layers["LST_Day_1km"][row, column] = [14000, 14500, 15000, 15100, 100]  # the last is below the valid range
    layers["QC_Day"][row, column] = [0, 65, 129, 2, 0]  # good, other quality, error above 2 K, cloud
    layers["Day_view_time"][:] = 105
    layers["Day_view_angl"][:] = 45
    path = write_modis_tile(tmp_path / "MOD11A1.A2018152.h18v03.061.2021.nc", layers)
    table = read_product(path, "mapped", mapping="modis_lst_day")
    order = np.argsort(table.location)
    assert np.allclose(table.value[order], [280.0, 290.0, 300.0, 302.0])
    assert [table.reasons()[one] for one in order] == ["used", "used"] + ["rejected_by_quality_flag"] * 2
    assert (table.incidence_angle == 20.0).all()
    # upper left corner of tile h18v03: 60 N, 0 E (MODIS grid); a cell is 926.625433 m on the sphere of 6371007.181 m
    latitude = 60.0 - np.rad2deg((row[:4] + 0.5) * 926.6254330555 / 6371007.181)
    longitude = np.rad2deg((column[:4] + 0.5) * 926.6254330555 / (6371007.181 * np.cos(np.deg2rad(latitude))))
    assert np.allclose(table.latitude[order], latitude, atol=1e-6)
    assert np.allclose(table.longitude[order], longitude, atol=1e-6)
    utc = np.datetime64("2018-06-01T10:30:00") - np.rint(longitude * 240).astype("timedelta64[s]")
    assert np.abs((table.time[order] - utc).astype(int)).max() <= 1, "10.5 h local solar time"
    assert (table.location[order] == (3 * SIZE + row[:4]) * 36 * SIZE + 18 * SIZE + column[:4]).all()


@pytest.mark.parametrize("name, mapping, layer, quality", [
    ("MOD10A1.A2018032.h18v03.061.nc", "modis_snow_cover", "NDSI_Snow_Cover", "NDSI_Snow_Cover_Basic_QA"),
    ("VNP10A1.A2018032.h18v03.002.h5", "viirs_snow_cover",
     "HDFEOS/GRIDS/VIIRS_Grid_IMG_2D/Data Fields/NDSI_Snow_Cover",
     "HDFEOS/GRIDS/VIIRS_Grid_IMG_2D/Data Fields/Basic_QA"),
])
def test_snow_cover_from_the_snow_index(tmp_path, name, mapping, layer, quality):
    layers = {layer: np.full((300, 300), 250, "u1"), quality: np.zeros((300, 300), "u1")}  # clouds
    layers[layer][0, :7] = [0, 10, 40, 69, 70, 100, 237]  # NDSI in percent; 237 is water
    layers[quality][0, 1] = 3
    table = read_product(write_modis_tile(tmp_path / name, layers), "mapped", mapping=mapping)
    order = np.argsort(table.location)
    # Salomonson and Appel (2006): 0 and 1 are the limits; 0.69 gives 0.9905
    assert np.allclose(table.value[order], [0.0, 0.135, 0.57, 0.9905, 1.0, 1.0])
    assert table.used[order].tolist() == [True, False, True, True, True, True]
    assert table.provenance["left_out"] == '{"no_value": 89994}'


def test_leaf_area_index_with_its_own_error(tmp_path):
    layers = {"Lai_500m": np.full((240, 240), 255, "u1"), "LaiStdDev_500m": np.full((240, 240), 248, "u1"),
              "FparLai_QC": np.zeros((240, 240), "u1")}
    layers["Lai_500m"][5, :5], layers["LaiStdDev_500m"][5, :4] = [0, 15, 32, 40, 50], [0, 4, 12, 3]
    layers["FparLai_QC"][5, :5] = [0, 0, 1, 8, 0]
    table = read_product(write_modis_tile(tmp_path / "MOD15A2H.A2018153.h18v03.061.nc", layers), "mapped",
                         mapping="modis_lai")
    order = np.argsort(table.location)
    assert np.allclose(table.value[order], [0.0, 1.5, 3.2, 4.0, 5.0])
    assert np.allclose(table.sigma[order], [0.1, 0.4, 1.2, 0.3, np.nan], equal_nan=True)
    assert [table.reasons()[one] for one in order] == ["used", "used", *["rejected_by_quality_flag"] * 2,
                                                       "error_not_positive"]
    assert (table.time == np.datetime64("2018-06-06")).all(), "day 153 and half of eight days"


def test_nnsm(tmp_path):
    with netCDF4.Dataset(tmp_path / "NNsm_20180601.nc", "w") as file:
        file.createDimension("y", 406)
        file.createDimension("x", 964)
        field = np.full((406, 964), np.nan, "f4")
        field[80, 500] = 0.3
        file.createVariable("soil_moisture", "f4", ("y", "x"))[:] = field
    table = read_product(tmp_path / "NNsm_20180601.nc", "mapped", mapping="nnsm")
    assert table.size == 1 and table.location[0] == 80 * 964 + 500 and table.footprint[0] == 36e3
    assert table.latitude[0] == pytest.approx(EaseGrid(36).latitude[80])


def test_map_coordinates_of_the_sinusoidal_projection(tmp_path):
    edge = 926.6254330555
    with netCDF4.Dataset(tmp_path / "MOD11A1.A2018152.nc", "w") as file:
        for name, axis in (("ydim", 5559752.6 - edge * (np.arange(8) + 0.5)), ("xdim", 400000 + edge * np.arange(6))):
            file.createDimension(name, axis.size)
            file.createVariable(name, "f8", (name,))[:] = axis
        one = file.createVariable("LST", "u2", ("ydim", "xdim"), fill_value=0)
        one.set_auto_maskandscale(False)
        one.units, one.scale_factor = "K", 0.02
        one[:] = 14000
    table = read_product(tmp_path / "MOD11A1.A2018152.nc", "mapped", mapping=changed(
        type="lst", value={"variable": "LST"}, sigma=2.0, time={"file_name": ".A%Y%j", "hours": 10.5},
        place={"x": "xdim", "y": "ydim", "projection": "sinusoidal"}, depth=None))
    latitude = np.rad2deg((5559752.6 - edge * (table.location // 6 + 0.5)) / 6371007.181)
    assert table.size == 48 and np.allclose(table.value, 280.0) and np.allclose(table.latitude, latitude)
    assert np.allclose(table.longitude, np.rad2deg((400000 + edge * (table.location % 6)) / (
        6371007.181 * np.cos(np.deg2rad(latitude)))))


def test_every_mapping_that_comes_along_is_one():
    names = shipped_mappings()
    assert {"modis_lst_day", "modis_lst_night", "modis_snow_cover", "viirs_snow_cover", "modis_lai", "nnsm",
            "daspy_rur_lst"} <= set(names)
    for name in names:
        assert load_mapping(name).product


@pytest.mark.parametrize("changes, message", [
    ({"typ": "lst"}, r"mapping: typ: there is no such key; did you mean .type.\?"),
    ({"type": "moisture"}, "type must be one of soil_moisture"),
    ({"value": {}}, "mapping: value.variable: this key is missing"),
    ({"sigma": -1.0}, "sigma"),
    ({"place": {"latitude": "lat"}}, "latitude and longitude belong together"),
    ({"place": {"latitude": "lat", "longitude": "lon", "modis_tile": True}}, "exactly one of"),
    ({"time": {}}, "exactly one of variable, attribute and file_name"),
    ({"flags": [{"variable": "qc"}]}, "give either accepted"),
    ({"flags": [{"variable": "qc", "accepted": [0], "reason": "cloud"}]}, "reason must be one of missing_value"),
])
def test_mappings_that_are_wrong(changes, message):
    with pytest.raises(InputError, match=message):
        load_mapping(changed(**changes))


def test_mapping_files(tmp_path):
    (tmp_path / "one.yaml").write_text("product: [")
    (tmp_path / "two.yaml").write_text("hello")
    for given, message in ((tmp_path / "one.yaml", "is no YAML"), (tmp_path / "two.yaml", "expected keys such as"),
                           ("nothing", "there is no mapping file nothing"), (None, "give the option mapping")):
        with pytest.raises(InputError, match=message):
            load_mapping(given)


@pytest.mark.parametrize("changes, message", [
    ({"value": {"variable": "SM"}}, "has no variable 'SM'; it holds time, lat, lon, sm, qc, error"),
    ({"flags": [{"variable": "flag", "accepted": [0]}]}, "has no quality flag 'flag', which the mapping names"),
    ({"value": {"variable": "sm", "unit": "%"}}, "has the unit '%'; expected for soil_moisture"),
    ({"place": {"latitude": "lon", "longitude": "lat"}}, r"shapes \(6,\) and \(4,\); expected \(4,\) and \(6,\)"),
    ({"time": {"file_name": "x_%Y%m%d"}}, "does not fit the pattern 'x_%Y%m%d'"),
    ({"time": {"attribute": "day"}}, "has no attribute 'day' for its time"),
    ({"time": {"variable": "lat"}}, "'lat' has the unit ''; expected one of time"),
])
def test_files_that_do_not_fit_their_mapping(tmp_path, changes, message):
    write_grid(tmp_path / "grid.nc")
    with pytest.raises(InputError, match=message):
        read_product(tmp_path / "grid.nc", "mapped", mapping=changed(**changes))


@pytest.mark.parametrize("name, pattern, expected", [
    ("MOD11A1.A2012366.h18v03.nc", ".A%Y%j.", "2012-12-31T00:00:00"),
    ("MODIS-LST-2012-01-03-11.nc", "LST-%Y-%m-%d-%H", "2012-01-03T11:00:00"),
    ("SM_20180601T061530_x.nc", "SM_%Y%m%dT%H%M%S", "2018-06-01T06:15:30"),
    ("a_v2_day180601.nc", "a_*_day%y%m%d", "2018-06-01T00:00:00"),
])
def test_times_of_file_names(tmp_path, name, pattern, expected):
    assert str(time_of_name(tmp_path / name, pattern)) == expected


def test_file_names_that_say_no_time(tmp_path):
    with pytest.raises(InputError, match="says no time by the pattern"):
        time_of_name(tmp_path / "x_20181341.nc", "x_%Y%m%d")
    with pytest.raises(InputError, match="has %Z"):
        time_of_name(tmp_path / "x.nc", "x_%Z")
