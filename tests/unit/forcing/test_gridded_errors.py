"""Bad files of gridded products: each gets its sentence, and all problems come at once."""

import netCDF4
import numpy as np
import pytest
import reanalysis_files as files
from reanalysis_files import START

from pyland.base.errors import InputError
from pyland.forcing import open_forcing

HOUR = np.timedelta64(3600, "s")
PERIOD = {"start": START, "end": START + 48 * HOUR}


def open_at(path, name="era5", latitude=50.1, longitude=7.0, **arguments):
    return open_forcing(name, path=path, latitude=[latitude], longitude=[longitude], **arguments)


def change(path, action):
    with netCDF4.Dataset(path, "a") as file:
        action(file)
    return path.parent


@pytest.fixture
def era5(tmp_path):
    return files.write_era5(tmp_path / "era5", style="old")


def test_no_files(tmp_path):
    with pytest.raises(InputError, match=r"no netCDF files there.*a folder, a file, or a pattern such as era5/\*\.nc"):
        open_at(tmp_path)
    with pytest.raises(InputError, match="no netCDF files there"):
        open_at(tmp_path / "era5_*.nc")
    with pytest.raises(InputError, match="'era5' needs path, longitude"):
        open_forcing("era5", latitude=[1.0])


def test_pattern_and_single_file(era5):
    assert open_at(era5 / "era5_?.nc").end == START + 48 * HOUR
    assert open_at(era5 / "era5_0.nc").end == START + 23 * HOUR


def test_files_of_something_else(tmp_path):
    path = files.write_cmfd(tmp_path)
    with pytest.raises(InputError, match=r"no file has a variable of ERA5 \(10m_u_.*forcing\.variables"):
        open_at(path)


def test_missing_variables_come_at_once(era5):
    for name in ("era5_0.nc", "era5_1.nc"):
        change(era5 / name, lambda file: (file.renameVariable("ssrd", "x"), file.renameVariable("u10", "y")))
    with pytest.raises(InputError) as caught:
        open_at(era5)
    message = str(caught.value)
    assert message.startswith("the files of ERA5 have 2 problems:")
    assert "no file has shortwave_down; expected shortwave_down (ssrd" in message
    assert "wind_speed (si10, ws10) or eastward_wind (u10, 10u) with northward_wind (v10, 10v) over time" in message


def test_units(era5):
    change(era5 / "era5_1.nc", lambda file: file["t2m"].setncattr("units", "hPa"))
    with pytest.raises(InputError, match=r"era5_1\.nc: variable 't2m' has units 'hPa', which cannot be converted"):
        open_at(era5)


def test_gap_and_cover(era5):
    (era5 / "era5_1.nc").rename(era5 / "rest")
    files.write_era5(era5 / "more", style="old", with_height=False)
    (era5 / "more" / "era5_0.nc").unlink()
    first = era5 / "more" / "era5_1.nc"
    change(first, lambda file: file["time"].__setitem__(slice(None), file["time"][:] + 5))
    with pytest.raises(InputError, match=r"'t2m' has 1 gap\(s\) of 5 stamps; the first is between 2020-06-10T23:00:00"):
        open_at(era5, **PERIOD)
    forcing = open_at(era5, start=START, end=START + 20 * HOUR)  # a gap outside the period is none
    assert forcing.end == START + 23 * HOUR
    with pytest.raises(InputError, match="covers 2020-06-10T00:00:00 to 2020-06-10T23:00:00 UTC, but"):
        open_at(era5 / "era5_0.nc", **PERIOD)


def test_overlap(era5):
    files.write_era5(era5 / "copy", style="old", with_height=False)
    with pytest.raises(InputError, match=r"'t2m' at 2020-06-10T00:00:00 UTC is in .*; 49 stamps overlap; keep one of"):
        open_at(era5)


def test_clock(era5):
    change(era5 / "era5_1.nc", lambda file: file["time"].setncattr("units", "hours since 1900-01-01 00:30"))
    with pytest.raises(InputError, match="is not a multiple of 3600 s after the first stamp of 't2m'"):
        open_at(era5)


def test_time_units(era5):
    change(era5 / "era5_1.nc", lambda file: file["time"].setncattr("units", "day as %Y%m%d.%f"))
    with pytest.raises(InputError, match=r"time axis 'time' has units 'day as %Y%m%d\.%f'"):
        open_at(era5)


def test_other_grid(era5):
    files.write_era5(era5 / "other", style="old", axes=files.make_axes(0.5), with_height=False)
    with pytest.raises(InputError, match=r"has another grid than .*one area and resolution"):
        open_at(era5)


def test_dimensions(era5):
    def widen(file):
        file.createDimension("number", 3)
        file.createVariable("si10", "f4", ("time", "number", "latitude", "longitude"))

    change(era5 / "era5_0.nc", widen)
    with pytest.raises(InputError, match=r"variable 'si10' has dimensions \(time, number, latitude, longitude\)"):
        open_at(era5)

    def turn(file):
        file.createVariable("2t", "f4", ("time", "longitude", "latitude"))

    change(era5 / "era5_1.nc", turn)
    with pytest.raises(InputError, match=r"'2t' has dimensions \(time, longitude, latitude\).*\(time, latitude, lon"):
        open_at(era5)


def test_outside(era5):
    with pytest.raises(InputError, match=r"cell 0 at 52\.0000 degrees north, 7\.0000 degrees east lies outside"):
        open_at(era5, latitude=52.0)
    open_at(era5, latitude=51.1)  # within the cell around the outermost point


def test_damaged(era5):
    broken = era5 / "era5_1.nc"
    broken.write_bytes(broken.read_bytes()[:400])
    with pytest.raises(InputError, match=r"era5_1\.nc: cannot be opened as netCDF .*truncated or damaged, or GRIB"):
        open_at(era5)


def test_impossible_and_missing_values(tmp_path):
    path = files.write_era5(tmp_path) / "data_stream-oper_stepType-instant.nc"

    def spoil(file):
        file["sp"][3, 2:5, 3:6] = 20000.0
        file["t2m"][5, 2:5, 3:6] = np.ma.masked

    change(path, spoil)
    with pytest.raises(InputError, match=r"variable 't2m' has 1 missing values in 1 time steps; the first is at"):
        open_at(tmp_path).weather(START, 3600.0)
    change(path, lambda file: file["t2m"].__setitem__((5, slice(2, 5), slice(3, 6)), 280.0))
    with pytest.raises(InputError, match=r"variable 'sp' at index 3 \(2020-06-10T03:00:00 UTC\) is 20000 Pa, outside"):
        open_at(tmp_path).weather(START, 3600.0)


def test_negative_amounts_beyond_the_noise_of_packing(tmp_path):
    path = files.write_era5_land(tmp_path, packed=False)

    def spoil(file):
        file["tp"][10] = file["tp"][9] - 2e-5  # 0.02 mm

    change(path / "era5_land_202006.nc", spoil)
    with pytest.raises(InputError, match=r"variable 'tp' at index \d+ \(2020-06-10T10:00:00 UTC\) is -5\.5\d*e-06"):
        open_at(path, "era5-land").weather(START, 3600.0)


def test_sea_far_from_any_land(tmp_path):
    path = files.write_era5_land(tmp_path, sea_from=0.0, packed=False)
    with pytest.raises(InputError, match=r"no point of the weather within 32 rows and columns .*domain\.mask"):
        open_at(path, "era5-land")


def test_regridding_and_size():
    with pytest.raises(InputError, match=r"conservative' needs the size of the cells"):
        open_at("x", regridding="conservative")
    with pytest.raises(InputError, match=r"forcing\.regridding has no meaning for forcing\.format 'alma'"):
        open_forcing("alma", path="x", regridding="nearest")
