import numpy as np
import pytest
import xarray as xr

from pyland.base.errors import InputError
from pyland.observe import TargetCells, read_measurements

START = np.datetime64("2005-06-01T00:00:00", "s")
SITE = TargetCells([31.7365], [-109.9419], [0.0], [0.0], 1000.0)


def station(path, values=None, n=48 * 3, qc=None, units="m3 m-3", **attributes):
    values = np.linspace(0.1, 0.2, n) if values is None else np.asarray(values, float)
    time = START + np.arange(values.size) * np.timedelta64(1800, "s")
    variables = {"SoilMoist_5cm": ("time", values, {} if units is None else {"units": units})}
    if qc is not None:
        variables["SoilMoist_5cm_qc"] = ("time", np.asarray(qc))
    attributes = {"lat": 31.7365, "lon": -109.9419, "Conventions": "ALMA-like",
                  "time_convention": "UTC, start of averaging interval"} | attributes
    xr.Dataset(variables, {"time": time.astype("datetime64[ns]")}, attributes).to_netcdf(path)
    return path


def read(path, target=SITE, **options):
    options = {"name": "probe", "error": 0.02, "depth": (0.05, 0.05)} | options
    variable = options.pop("variable", "SoilMoist_5cm")
    return read_measurements(path, variable, target, **options)


def test_instant_value_is_the_interval_that_ends_at_the_analysis(tmp_path):
    path = station(tmp_path / "s.nc", np.arange(144) / 1000)
    times = START + np.array([6, 30]) * np.timedelta64(3600, "s")
    first, second = read(path, times=times)
    assert first.time == times[0] and first.values[0] == pytest.approx(0.011)  # 05:30 to 06:00
    assert second.values[0] == pytest.approx(0.059)
    assert first.variance[0] == pytest.approx(4e-4) and (first.top, first.bottom) == (0.05, 0.05)
    assert first.cells.tolist() == [[0]] and first.weights.tolist() == [[1.0]]


def test_daily_mean_is_centred_on_the_analysis(tmp_path):
    path = station(tmp_path / "s.nc", np.arange(144) / 1000)
    noon = START + np.array([12, 36]) * np.timedelta64(3600, "s")
    first, second = read(path, times=noon, window=86400.0)
    assert first.values[0] == pytest.approx(np.arange(48).mean() / 1000)
    assert second.values[0] == pytest.approx(np.arange(48, 96).mean() / 1000)


def test_times_without_a_value_are_an_error_that_names_the_cover(tmp_path):
    path = station(tmp_path / "s.nc")
    with pytest.raises(InputError, match="none of the 1 analysis times.*covers 2005-06-01"):
        read(path, times=[np.datetime64("2006-01-01")])


def test_missing_and_rejected_values_keep_their_reason(tmp_path):
    values = np.full(144, 0.2)
    values[:40] = np.nan
    values[60], values[61] = 1.7, -0.1
    qc = np.zeros(144)
    qc[70] = 1
    path = station(tmp_path / "s.nc", values, qc=qc)
    every = read(path)
    assert len(every) == 104
    reasons = {one.time: one.reasons()[0] for one in every}
    half_hour = np.timedelta64(1800, "s")
    assert reasons[START + 61 * half_hour] == reasons[START + 62 * half_hour] == "value_out_of_range"
    assert reasons[START + 71 * half_hour] == "rejected_by_quality_flag"
    days = read(path, times=START + np.array([12, 36]) * np.timedelta64(3600, "s"), window=86400.0)
    assert [one.reasons()[0] for one in days] == ["used"]  # no set for the day with 8 of 48 samples
    assert days[0].values[0] == pytest.approx(0.2)
    assert read(path, accepted_quality=(0, 1))[30].flags[0] == 0
    with pytest.raises(InputError, match="no quality variable 'flag'"):
        read(path, quality_variable="flag")


def test_place_outside_the_domain(tmp_path):
    path = station(tmp_path / "s.nc", lat=33.0)
    with pytest.raises(InputError, match=r"all 1 observations.*33\.0000.*domain covers latitude 31\.7365"):
        read(path)


def test_units(tmp_path):
    assert read(station(tmp_path / "a.nc", np.full(4, 20.0), units="vol%"))[0].values[0] == pytest.approx(0.2)
    path = station(tmp_path / "b.nc", np.full(4, 20.0), units="%")
    assert read(path, units="vol%")[0].values[0] == pytest.approx(0.2)
    with pytest.raises(InputError, match="the unit '%'"):
        read(tmp_path / "b.nc")
    with pytest.raises(InputError, match="no unit"):
        read(station(tmp_path / "c.nc", units=None))
    with pytest.raises(InputError, match="probably wrong"):
        read(station(tmp_path / "d.nc", np.full(4, 20.0)))


def test_files_that_are_not_what_they_should_be(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read(tmp_path / "none.nc")
    path = station(tmp_path / "s.nc")
    with pytest.raises(InputError, match="holds SoilMoist_5cm"):
        read(path, variable="SM")
    (tmp_path / "cut.nc").write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match="truncated"):
        read(tmp_path / "cut.nc")
    with pytest.raises(InputError, match="no value at all"):
        read(station(tmp_path / "nan.nc", np.full(4, np.nan)))
    with pytest.raises(InputError, match="error must be"):
        read(path, error=0.0)
    with pytest.raises(InputError, match="stamps"):
        read(path, stamps="middle")


def gridded(path, latitude, longitude, values, dims=("time", "lat", "lon")):
    time = (START + np.arange(len(values)) * np.timedelta64(86400, "s")).astype("datetime64[ns]")
    coords = {"time": time}
    if dims[-1] == "lon":
        coords |= {"lat": latitude, "lon": longitude}
    else:
        coords |= {"lat": (dims[1:], latitude), "lon": (dims[1:], longitude)}
    xr.Dataset({"sm": (dims, values, {"units": "m3/m3"})}, coords).to_netcdf(path)
    return path


def catchment():
    degree = 1000.0 / (6371229.0 * np.pi / 180)
    x, y = np.meshgrid(500.0 + 1000 * np.arange(4), 500.0 + 1000 * np.arange(3))
    latitude, longitude = 50.0 + (y.ravel() - 1500) / 1000 * degree, 6.0 + (x.ravel() - 2000) / 1000 * degree / 0.643
    return TargetCells(latitude, longitude, x.ravel(), y.ravel(), 1000.0), degree


def test_grid_on_latitude_and_longitude_with_positive_longitudes(tmp_path):
    target, degree = catchment()
    latitude, longitude = 50.0 + degree * np.array([-30.0, -0.5, 0.5, 30.0]), 366.0 + np.array([-3.0, 0.0])
    values = np.full((2, 4, 2), 0.25)
    values[0, 1, 1], values[1, 2, 1] = np.nan, 0.31
    first, second = read(gridded(tmp_path / "g.nc", latitude, longitude, values), target, variable="sm",
                         depth=(0.0, 0.05), footprint=2500.0)
    assert first.time == START and first.location.tolist() == [3, 5]
    assert first.reasons() == ["missing_value", "used"] and second.values[1] == 0.31
    assert first.x == pytest.approx([2000.0, 2000.0], abs=1.0) and first.y == pytest.approx([1000, 2000], abs=1.0)
    within = [set(row[row >= 0]) for row in first.cells]
    assert within == [{1, 2, 5, 6}, {5, 6, 9, 10}]
    assert first.weights.sum(axis=1) == pytest.approx(1.0)


def test_points_keep_the_flag_of_those_outside(tmp_path):
    target, degree = catchment()
    path = gridded(tmp_path / "p.nc", [50.0, 51.0], [6.0, 6.0], np.full((3, 2), 0.2), ("time", "place"))
    sets = read(path, target, variable="sm", times=[START], depth=(0.0, 0.05))
    assert len(sets) == 1 and sets[0].reasons() == ["used", "outside_domain"]
    assert sets[0].counts() == {"used": 1, "outside_domain": 1}


def test_curvilinear_grid(tmp_path):
    target, _ = catchment()
    path = gridded(tmp_path / "c.nc", target.latitude.reshape(3, 4), target.longitude.reshape(3, 4),
                   np.full((1, 3, 4), 0.2), ("time", "y", "x"))
    one, = read(path, target, variable="sm", depth=(0.0, 0.05))
    assert one.cells[:, 0].tolist() == list(range(12))
    assert one.x == pytest.approx(target.x, abs=1e-6)
