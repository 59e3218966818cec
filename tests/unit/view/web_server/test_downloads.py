"""Files that the web map hands out, read back by other libraries."""

from __future__ import annotations

import csv
import io

import netCDF4
import numpy as np
import pytest
import xarray as xr

from pyland.output.grid import OutputGrid
from pyland.output.history import HistoryWriter
from pyland.view.web_server.downloads import download_map, download_series
from pyland.view.web_server.record_files import record_paths
from pyland.view.web_server.viewed_run import ViewedRun

warp = pytest.importorskip("rasterio.warp", reason="GeoTIFF needs rasterio (extra view)")
MemoryFile = pytest.importorskip("rasterio.io").MemoryFile

RUN = "small_twin"
START = np.datetime64("2021-03-01", "s")
DAY = np.timedelta64(1, "D")


def written_run(folder, latitude, longitude, shape=None, index=None, names=(), days=3):
    """Return a run with a temperature that tells the place of each cell."""
    grid = OutputGrid(latitude, longitude, shape=shape, index=index, names=names)
    folder.mkdir(parents=True, exist_ok=True)
    writer = HistoryWriter(folder, grid, ["ground_temperature"], {"title": "places"}, ("mean", "std"))
    writer.start()
    spread = np.array([[-1.0], [1.0]])
    for day in range(days):
        values = 280.0 + day + latitude + 0.01 * longitude + spread
        writer.add(START + day * DAY, START + (day + 1) * DAY, {"ground_temperature": values})
    writer.flush("20210304T0000")
    writer.finish()
    return ViewedRun("places", "places", folder, lambda: record_paths(folder, "history"))


def test_netcdf_of_a_map(client, run_dir, tmp_path):
    status, content, headers = client.ask(f"/data/{RUN}/download/soil_water/p05/1/2.nc")
    assert status == 200 and headers["Content-Type"] == "application/x-netcdf"
    assert 'filename="small_twin_soil_water_p05_layer2_20200502T1200.nc"' in headers["Content-Disposition"]
    (tmp_path / "map.nc").write_bytes(content)
    with xr.open_dataset(tmp_path / "map.nc") as part, xr.open_dataset(run_dir / "history.nc") as whole:
        expected = whole["soil_water_p05"][2:3, 1]
        assert part["soil_water_p05"].dims == ("time", "y", "x")
        np.testing.assert_array_equal(part["soil_water_p05"], expected)
        np.testing.assert_array_equal(part["time"], whole["time"][2:3])
        np.testing.assert_array_equal(part["time_bounds"], whole["time_bounds"][2:3])
        np.testing.assert_allclose(part["x"], whole["x"], atol=1e-3)
        assert part["soil_water_p05"].attrs["layer_bottom_m"] == pytest.approx(0.05)
        assert part["crs"].attrs["grid_mapping_name"] == "sinusoidal"
        assert part.attrs["config_hash"] == whole.attrs["config_hash"] and part.attrs["Conventions"] == "CF-1.11"


def test_csv_of_a_map(client, run_dir):
    text = client.bytes(f"/data/{RUN}/download/ground_temperature/mean/0/3.csv").decode()
    head = [line for line in text.splitlines() if line.startswith("#")]
    assert any("from 2020-05-02T12:00:00Z to 2020-05-03T00:00:00Z" in line for line in head)
    rows = list(csv.DictReader(io.StringIO("\n".join(line for line in text.splitlines() if line[0] != "#"))))
    with netCDF4.Dataset(run_dir / "history.nc") as file:
        np.testing.assert_allclose([float(one["ground_temperature [K]"]) for one in rows],
                                   file["ground_temperature"][3].ravel(), rtol=1e-6)
        np.testing.assert_allclose([float(one["latitude"]) for one in rows], file["latitude"][:].ravel(), atol=1e-6)


def test_series_as_csv_and_netcdf(client, run_dir, tmp_path):
    with netCDF4.Dataset(run_dir / "history.nc") as file:
        expected, spread = file["soil_water"][:, 0, 1, 1], file["soil_water_std"][:, 0, 1, 1]
    text = client.bytes(f"/data/{RUN}/download/series/soil_water/0/1_1.csv").decode()
    assert "p25, p75: normal, from mean and standard deviation" in text
    rows = list(csv.DictReader(io.StringIO("\n".join(line for line in text.splitlines() if line[0] != "#"))))
    np.testing.assert_allclose([float(one["mean"]) for one in rows], expected, rtol=1e-6)
    assert rows[0]["time_end"] == "2020-05-01T12:00:00Z" and rows[1]["time_start"] == "2020-05-01T12:00:00Z"
    (tmp_path / "series.nc").write_bytes(client.bytes(f"/data/{RUN}/download/series/soil_water/0/1_1.nc"))
    with xr.open_dataset(tmp_path / "series.nc") as part:
        assert part.attrs["featureType"] == "timeSeries"
        np.testing.assert_array_equal(part["soil_water"][0], expected)
        np.testing.assert_array_equal(part["soil_water_std"][0], spread)


def read_raster(content):
    """Return values, system and the longitude and latitude of each pixel."""
    with MemoryFile(content) as memory, memory.open() as raster:
        rows, columns = np.mgrid[0 : raster.height, 0 : raster.width]
        x, y = raster.transform * (columns.ravel() + 0.5, rows.ravel() + 0.5)
        east, north = warp.transform(raster.crs, "EPSG:4326", x, y)
        shape = raster.shape
        return raster.read(1), raster.crs, np.reshape(east, shape), np.reshape(north, shape), raster.tags()


def test_geotiff_of_a_grid_in_metres_lies_where_its_cells_lie(client, run_dir):
    values, system, east, north, tags = read_raster(
        client.bytes(f"/data/{RUN}/download/ground_temperature/mean/0/0.tif")
    )
    assert system.to_dict()["proj"] == "sinu" and tags["units"] == "K" and tags["time_end"] == "2020-05-01T12:00:00Z"
    with netCDF4.Dataset(run_dir / "history.nc") as file:
        np.testing.assert_array_equal(values[::-1], file["ground_temperature"][0])
        np.testing.assert_allclose(north[::-1], file["latitude"][:], atol=1e-5)  # a sphere read as such: metres
        np.testing.assert_allclose(east[::-1], file["longitude"][:], atol=1e-5)


@pytest.mark.parametrize("southwards", [False, True])
def test_geotiff_of_a_regular_grid_has_degrees(tmp_path, southwards):
    north, east = np.arange(40.25, 43.0, 0.5), np.arange(-3.25, 1.0, 0.5)
    latitude, longitude = np.meshgrid(north[::-1] if southwards else north, east, indexing="ij")
    run = written_run(tmp_path / "run", latitude.ravel(), longitude.ravel(), shape=latitude.shape)
    content, media_type, name = download_map(run, "ground_temperature", "mean", 0, 1, "tif")
    assert media_type == "image/tiff" and name.endswith("20210303T0000.tif")
    values, system, found_east, found_north, _ = read_raster(content)
    assert system.to_epsg() == 4326
    np.testing.assert_allclose(values, 281.0 + found_north + 0.01 * found_east, atol=1e-4)
    np.testing.assert_allclose(found_north[:, 0], north[::-1], atol=1e-9)
    with MemoryFile(content) as memory, memory.open() as raster:
        assert tuple(raster.bounds) == pytest.approx((-3.5, 40.0, 1.0, 43.0))


def test_geotiff_of_a_rotated_grid_is_brought_to_degrees(tmp_path):
    row, column = np.meshgrid(np.arange(40.0), np.arange(30.0), indexing="ij")
    turn = np.radians(20.0)
    latitude = 50.0 + 0.1 * (row * np.cos(turn) - column * np.sin(turn))
    longitude = 10.0 + 0.15 * (row * np.sin(turn) + column * np.cos(turn))
    run = written_run(tmp_path / "run", latitude.ravel(), longitude.ravel(), shape=latitude.shape)
    assert run.grid.kind == "curvilinear" and run.grid.projection["name"] is None
    content, _, _ = download_map(run, "ground_temperature", "mean", 0, 0, "tif")
    values, system, east, north, tags = read_raster(content)
    assert system.to_epsg() == 4326 and "nearest" in tags["resampling"]
    inside = np.isfinite(values)
    assert 0.4 < inside.mean() < 0.9  # the corners of the box lie outside of the turned grid
    step = np.degrees(run.grid.cell_size() / 6371008.8)
    assert np.abs(values - (280.0 + north + 0.01 * east))[inside].max() < 1.5 * step


def test_sites_are_points(tmp_path):
    run = written_run(tmp_path / "run", np.array([31.7, 52.1]), np.array([-109.9, 5.2]), names=("US-Wkg", "NL-Cab"))
    index = run.index()
    assert index["grid"]["kind"] == "sites" and (index["grid"]["ny"], index["grid"]["nx"]) == (1, 2)
    assert index["grid"]["names"] == ["US-Wkg", "NL-Cab"] and index["downloads"] == ["nc", "csv"]
    assert run.map("ground_temperature", "mean", 0, 2)[0, 1] == pytest.approx(282.0 + 52.1 + 0.052)
    series = run.series("ground_temperature", 0, 0, 1)
    assert series["name"] == "NL-Cab" and series["mean"][2] == pytest.approx(282.0 + 52.1 + 0.052, rel=1e-6)
    text = download_map(run, "ground_temperature", "mean", 0, 0, "csv")[0].decode()
    assert "site,latitude,longitude,ground_temperature [K]" in text and "US-Wkg,31.700000,-109.900000" in text
    (tmp_path / "sites.nc").write_bytes(download_map(run, "ground_temperature", "mean", 0, 0, "nc")[0])
    with xr.open_dataset(tmp_path / "sites.nc") as part:
        assert list(part["site_name"].values) == ["US-Wkg", "NL-Cab"]
    assert download_series(run, "ground_temperature", 0, 0, 0, "csv")[2] == "places_ground_temperature_US-Wkg.csv"
    with pytest.raises(Exception, match="sites make no GeoTIFF"):
        download_map(run, "ground_temperature", "mean", 0, 0, "tif")
