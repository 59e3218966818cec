"""Reading, checking and interpolating ALMA files."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.forcing import WEATHER_FIELDS, AlmaForcing, Forcing, check_cover

HALF_HOUR = np.timedelta64(1800, "s")


def steps(forcing, dt, count=None):
    count = int((forcing.end - forcing.start).astype(int) // dt) if count is None else count
    return [forcing.weather(forcing.start + np.timedelta64(int(k * dt), "s"), dt) for k in range(count)]


def total(weather, name, dt):
    return sum(w[name] for w in weather) * dt


def test_step_of_the_data_returns_the_data(write, dataset):
    forcing = AlmaForcing(write(dataset))
    assert isinstance(forcing, Forcing)
    assert (forcing.ncell, forcing.interval) == (1, 1800)
    assert forcing.reference_height.tolist() == [8.0]
    assert (forcing.start, forcing.end) == (np.datetime64("2020-06-01T00:00:00"), np.datetime64("2020-06-02T00:00:00"))
    names = {
        "air_temperature": "Tair",
        "shortwave_down": "SWdown",
        "rain": "Rainf",
        "snowfall": "Snowf",
        "wind_speed": "Wind",
        "surface_pressure": "PSurf",
        "specific_humidity": "Qair",
        "longwave_down": "LWdown",
    }
    for k, weather in enumerate(steps(forcing, 1800.0)):
        assert set(weather) == set(WEATHER_FIELDS)
        for name, label in names.items():
            assert weather[name].shape == (1,)
            assert weather[name][0] == dataset[label].values[k]


@pytest.mark.parametrize("dt", [300.0, 600.0, 1200.0, 1800.0, 2700.0, 3600.0, 10800.0])
def test_water_and_energy_are_conserved(write, dataset, dt):
    forcing = AlmaForcing(write(dataset))
    weather = steps(forcing, dt)
    for name, label in (("rain", "Rainf"), ("snowfall", "Snowf"), ("shortwave_down", "SWdown")):
        assert total(weather, name, dt) == pytest.approx(dataset[label].values.sum() * 1800.0, rel=1e-12)


def test_energy_of_each_interval_is_conserved(write, make_dataset):
    dataset = make_dataset(count=24, step=3600)
    forcing = AlmaForcing(write(dataset))
    weather = steps(forcing, 600.0)
    for k in range(24):
        hour = weather[6 * k : 6 * k + 6]
        assert total(hour, "shortwave_down", 600.0)[0] == pytest.approx(dataset["SWdown"].values[k] * 3600.0, rel=1e-12)
        assert all(w["rain"][0] == pytest.approx(dataset["Rainf"].values[k], rel=1e-14) for w in hour)


def test_shortwave_follows_the_sun(write, make_dataset):
    dataset = make_dataset(count=8, step=10800)
    dataset["SWdown"][:] = 100.0
    forcing = AlmaForcing(write(dataset))
    weather = steps(forcing, 900.0)
    morning = [w["shortwave_down"][0] for w in weather[12:36]]  # 03 to 09 UTC at 10 degrees east
    assert morning[0] == 0.0
    for k in (1, 2):  # within an interval, proportional to the interval mean of the cosine
        block = weather[12 * k : 12 * k + 12]
        ratios = [w["shortwave_down"][0] / w["cosine_zenith"][0] for w in block if w["cosine_zenith"][0] > 0.05]
        assert np.ptp(ratios) < 0.01 * max(ratios)
    for w in weather[8:10]:  # 02 UTC: night
        assert w["cosine_zenith"][0] == 0.0


def test_shortwave_of_a_night_interval_is_spread_evenly(write, make_dataset):
    dataset = make_dataset(count=24, step=3600)
    dataset["SWdown"][:] = 0.0
    dataset["SWdown"][0] = 6.0
    weather = steps(AlmaForcing(write(dataset)), 600.0, count=6)
    assert [w["shortwave_down"][0] for w in weather] == pytest.approx([6.0] * 6)


def test_smooth_fields_on_a_line_between_interval_middles(write, dataset):
    dataset["Tair"][:] = 280.0 + np.arange(48)
    forcing = AlmaForcing(write(dataset))
    temperature = [w["air_temperature"][0] for w in steps(forcing, 600.0)]
    expected = np.clip(280.0 + (np.arange(144) + 0.5) / 3.0 - 0.5, 280.0, 327.0)  # held over the outer half intervals
    assert temperature == pytest.approx(expected, abs=1e-10)
    wind = np.array([w["wind_speed"][0] for w in steps(forcing, 600.0)])
    assert wind.min() >= dataset["Wind"].values.min() and wind.max() <= dataset["Wind"].values.max()


def test_longer_step_is_the_exact_mean(write, dataset):
    forcing = AlmaForcing(write(dataset))
    weather = forcing.weather(forcing.start + HALF_HOUR, 4500.0)  # intervals 1, 2 and half of 3
    for name, label in (("air_temperature", "Tair"), ("specific_humidity", "Qair"), ("rain", "Rainf")):
        v = dataset[label].values
        assert weather[name][0] == pytest.approx((v[1] + v[2] + 0.5 * v[3]) / 2.5, rel=1e-13)


def test_weather_has_no_memory(write, dataset):
    path = write(dataset)
    first = AlmaForcing(path)
    times = [first.start + np.timedelta64(k * 600, "s") for k in range(144)]
    forward = [first.weather(t, 600.0) for t in times]
    second = AlmaForcing(path)
    for t, a in reversed(list(zip(times, forward, strict=True))):
        b = second.weather(t, 600.0)
        assert all(np.array_equal(a[name], b[name]) for name in WEATHER_FIELDS)
    forward[5]["rain"][:] = 99.0  # a caller may change what it got
    assert first.weather(times[5], 600.0)["rain"][0] < 1.0


def test_units_are_converted(write, dataset):
    original = AlmaForcing(write(dataset, "si.nc"))
    dataset["Tair"] = (dataset["Tair"] - 273.15).assign_attrs(units="degC")
    dataset["PSurf"] = (dataset["PSurf"] / 100.0).assign_attrs(units="hPa")
    dataset["Rainf"] = (dataset["Rainf"] * 1800.0).assign_attrs(units="mm/30min")
    dataset["Snowf"] = (dataset["Snowf"] * 3600.0).assign_attrs(units="mm/h")
    dataset["Qair"] = (dataset["Qair"] * 1000.0).assign_attrs(units="g kg-1")
    converted = AlmaForcing(write(dataset))
    for a, b in zip(steps(original, 1800.0), steps(converted, 1800.0), strict=True):
        for name in WEATHER_FIELDS:
            assert b[name] == pytest.approx(a[name], rel=1e-12)


@pytest.mark.parametrize("unit", [None, "smoots"])
def test_bad_unit(write, dataset, unit):
    dataset["PSurf"].attrs = {} if unit is None else {"units": unit}
    with pytest.raises(InputError, match=r"site\.nc.*'PSurf'.*'Pa'"):
        AlmaForcing(write(dataset))


def test_end_stamps(write, dataset):
    path = write(dataset)
    assert AlmaForcing(path, time_label="end").start == np.datetime64("2020-05-31T23:30:00")
    dataset.attrs["time_convention"] = "UTC, end of averaging interval"
    path = write(dataset, "end.nc")
    assert AlmaForcing(path).start == np.datetime64("2020-05-31T23:30:00")
    assert AlmaForcing(path, time_label="start").start == np.datetime64("2020-06-01T00:00:00")
    with pytest.raises(InputError, match="time_label"):
        AlmaForcing(path, time_label="middle")


@pytest.mark.parametrize(("shift", "label"), [(0, "start"), (-900, "middle"), (-1800, "end")])
def test_time_bounds_decide(write, dataset, shift, label):
    seconds = dataset["time"].values + shift
    dataset["time_bnds"] = (("time", "nv"), np.stack([seconds, seconds + 1800.0], axis=1))
    dataset["time"].attrs["bounds"] = "time_bnds"
    forcing = AlmaForcing(write(dataset))
    assert forcing.start == np.datetime64("2020-06-01") + np.timedelta64(shift, "s")
    assert forcing.describe()["time_stamps_mark"] == label


def test_missing_stamps(write, dataset):
    with pytest.raises(
        InputError, match=r"3 time stamps are missing in 2 gaps.*after index 9.*04:30:00 and .*05:30:00"
    ):
        AlmaForcing(write(dataset.drop_isel(time=[10, 20, 21])))


def test_missing_values(write, dataset):
    dataset["Qair"][7] = np.nan
    dataset["Qair"][9] = np.nan
    with pytest.raises(InputError, match=r"'Qair' has 2 missing values.*index 7 \(2020-06-01T03:30:00"):
        AlmaForcing(write(dataset))


def test_fill_value_is_a_gap(write, dataset):
    dataset["Wind"][11] = -9999.0
    dataset["Wind"].attrs["_FillValue"] = -9999.0
    with pytest.raises(InputError, match=r"'Wind' has 1 missing values.*index 11"):
        AlmaForcing(write(dataset))


def test_undeclared_fill_value_is_out_of_range(write, dataset):
    dataset["Wind"][11] = -9999.0
    with pytest.raises(
        InputError, match=r"site\.nc: variable 'Wind' at index 11 \(2020-06-01T05:30:00 UTC\) is -9999 m s-1"
    ):
        AlmaForcing(write(dataset))


@pytest.mark.parametrize(
    ("label", "value"),
    [
        ("Tair", 15.0),
        ("Tair", np.inf),
        ("Qair", 0.6),
        ("PSurf", 950.0),
        ("Rainf", -0.1),
        ("SWdown", 2000.0),
        ("LWdown", 0.0),
    ],
)
def test_out_of_range(write, dataset, label, value):
    dataset[label][30] = value
    with pytest.raises(InputError, match=rf"'{label}' at index 30 .*outside \["):
        AlmaForcing(write(dataset))


def test_small_offsets_are_set_to_zero_and_reported(write, dataset):
    dataset["SWdown"][0] = -2.5
    forcing = AlmaForcing(write(dataset))
    assert forcing.weather(forcing.start, 1800.0)["shortwave_down"][0] == 0.0
    assert forcing.describe()["small_offsets_set_to_zero"] == 1


def test_time_must_increase(write, dataset):
    order = np.arange(48)
    order[[3, 4]] = [4, 3]
    with pytest.raises(InputError, match="time is not increasing: stamp 4"):
        AlmaForcing(write(dataset.isel(time=order)))


def test_time_must_be_regular(write, dataset):
    dataset = dataset.assign_coords(time=dataset["time"] + np.where(np.arange(48) == 5, 60.0, 0.0))
    dataset["time"].attrs["units"] = "seconds since 1970-01-01"
    with pytest.raises(InputError, match="time is not regular"):
        AlmaForcing(write(dataset))


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"units": "days since 2000-01-01", "calendar": "noleap"}, "calendar"),
        ({"units": "moons since 2000-01-01"}, "moons"),
        ({}, "expected units such as"),
    ],
)
def test_bad_time_axis(write, dataset, attributes, message):
    dataset["time"].attrs = attributes
    with pytest.raises(InputError, match=message):
        AlmaForcing(write(dataset))


def test_local_time_is_refused(write, dataset):
    dataset.attrs["time_convention"] = "local standard time"
    with pytest.raises(InputError, match="UTC"):
        AlmaForcing(write(dataset))


def test_missing_variable_lists_what_is_there(write, dataset):
    with pytest.raises(InputError, match=r"longwave_down \(LWdown\).*the file has PSurf, Qair"):
        AlmaForcing(write(dataset.drop_vars("LWdown")))


def test_names_of_the_user_and_aliases(write, dataset):
    plain = AlmaForcing(write(dataset))
    renamed = dataset.rename({"Tair": "my_temperature", "SWdown": "rsds", "Wind": "u10"})
    renamed["u10"].attrs["standard_name"] = "wind_speed"
    forcing = AlmaForcing(write(renamed, "renamed.nc"), variables={"air_temperature": "my_temperature"})
    t = plain.start + HALF_HOUR
    for name in WEATHER_FIELDS:
        assert np.array_equal(plain.weather(t, 1800.0)[name], forcing.weather(t, 1800.0)[name])
    with pytest.raises(InputError, match="'temperature' is no forcing variable"):
        AlmaForcing(write(renamed, "r.nc"), variables={"temperature": "my_temperature"})
    with pytest.raises(InputError, match=r"'nothing' \(forcing.variables.Tair\) is not there"):
        AlmaForcing(write(renamed, "r.nc"), variables={"Tair": "nothing"})


def test_phase_of_total_precipitation(write, dataset):
    dataset["Tair"][:] = 272.15 + np.arange(48) / 12.0
    dataset["Precip"] = (dataset["Rainf"] + dataset["Snowf"]).assign_attrs(units="kg m-2 s-1")
    forcing = AlmaForcing(write(dataset.drop_vars(["Rainf", "Snowf"])))
    weather = steps(forcing, 1800.0)
    rain = np.array([w["rain"][0] for w in weather])
    snow = np.array([w["snowfall"][0] for w in weather])
    assert rain + snow == pytest.approx(dataset["Precip"].values, rel=1e-14)
    assert rain == pytest.approx(dataset["Precip"].values * np.clip(0.5 * (dataset["Tair"].values - 273.15), 0.0, 1.0))
    assert np.all(rain[:12] == 0.0) and np.all(snow[36:] == 0.0) and snow[:12].max() > 0.0
    with pytest.raises(InputError, match=r"snowfall \(Snowf\), or precipitation \(Precip\)"):
        AlmaForcing(write(dataset.drop_vars(["Snowf", "Precip"]), "rain_only.nc"))


def test_missing_and_damaged_files(write, dataset, tmp_path):
    with pytest.raises(InputError, match="no such file"):
        AlmaForcing(tmp_path / "nowhere.nc")
    path = write(dataset)
    content = path.read_bytes()
    for length in (len(content) // 3, len(content) - 2000, 100, 0):
        damaged = tmp_path / f"damaged_{length}.nc"
        damaged.write_bytes(content[:length])
        with pytest.raises(InputError, match=r"damaged_\d+\.nc.*(truncated|damaged)"):
            AlmaForcing(damaged)
    text = tmp_path / "text.nc"
    text.write_text("no netCDF")
    with pytest.raises(InputError, match="cannot be opened"):
        AlmaForcing(text)


def test_cover(write, dataset):
    forcing = AlmaForcing(write(dataset))
    for start, dt in (("2020-05-31T23:30", 1800.0), ("2020-06-01T23:45", 1800.0), ("2021-01-01", 60.0)):
        with pytest.raises(InputError, match=r"covers 2020-06-01T00:00:00 to 2020-06-02T00:00:00"):
            forcing.weather(np.datetime64(start), dt)
    for dt in (0.0, -5.0, np.nan):
        with pytest.raises(InputError, match="above 0 s"):
            forcing.weather(forcing.start, dt)
    check_cover(forcing, forcing.start, forcing.end)
    with pytest.raises(InputError, match=r"site\.nc.*is needed"):
        check_cover(forcing, forcing.start, forcing.end + HALF_HOUR)


def test_grid_cells_and_coordinates(write, make_dataset):
    dataset = make_dataset(shape=(3, 4))
    dataset.attrs.pop("lat"), dataset.attrs.pop("lon")
    dataset["lat"] = ("y", [50.0, 51.0, 52.0])
    dataset["lon"] = ("x", [5.0, 6.0, 7.0, 8.0])
    path = write(dataset)
    whole = AlmaForcing(path)
    assert whole.ncell == 12
    assert whole.latitude.reshape(3, 4)[:, 0].tolist() == [50.0, 51.0, 52.0]
    assert whole.longitude.reshape(3, 4)[0].tolist() == [5.0, 6.0, 7.0, 8.0]
    t = whole.start + np.timedelta64(9 * 3600, "s")
    everything = whole.weather(t, 600.0)
    for cells in ([5, 6, 7], [0], [11, 2], np.arange(1, 12)):
        part = AlmaForcing(path, cells=cells)
        assert np.array_equal(part.latitude, whole.latitude[np.asarray(cells)])
        weather = part.weather(t, 600.0)
        assert all(np.array_equal(weather[name], everything[name][np.asarray(cells)]) for name in WEATHER_FIELDS)
    for cells in ([12], [-1], [], [0.5]):
        with pytest.raises(InputError, match="cells"):
            AlmaForcing(path, cells=cells)
    with pytest.raises(InputError, match="2 values of latitude for 12 cells"):
        AlmaForcing(path, latitude=[50.0, 51.0])


def test_windows_do_not_change_weather(write, make_dataset, monkeypatch):
    path = write(make_dataset(count=100, shape=(6,)))
    whole = AlmaForcing(path, cells=[1, 4])
    monkeypatch.setattr("pyland.forcing.alma._WINDOW_MEMORY", 7 * 8 * 8 * 2)  # seven intervals at once
    windowed = AlmaForcing(path, cells=[1, 4])
    assert windowed._window_length == 7
    for k in (98, 3, 50, 7, 6, 13, 0, 99):
        t = whole.start + np.timedelta64(k * 1800, "s")
        a, b = whole.weather(t, 900.0), windowed.weather(t, 900.0)
        assert all(np.array_equal(a[name], b[name]) for name in WEATHER_FIELDS)
    assert len(windowed._windows) == 2


def test_a_gap_late_in_a_large_file_is_found_by_verify(write, make_dataset, monkeypatch):
    dataset = make_dataset(count=100, shape=(2,))
    dataset["Tair"][77, 1] = np.nan
    monkeypatch.setattr("pyland.forcing.alma._WINDOW_MEMORY", 10 * 8 * 8 * 2)
    forcing = AlmaForcing(write(dataset))
    forcing.weather(forcing.start, 1800.0)
    with pytest.raises(InputError, match="index 77"):
        forcing.verify()


def test_station_as_a_grid_of_one_cell_with_stamps_in_days(write, make_dataset):
    plain = AlmaForcing(write(make_dataset()))
    dataset = make_dataset(shape=(1, 1))
    days = (dataset["time"].values - dataset["time"].values[0]) / 86400.0
    dataset = dataset.assign_coords(time=("time", days, {"units": "days since 2020-06-01", "calendar": "standard"}))
    for name in ("lat", "lon", "z_meas_m"):
        dataset[name] = (("y", "x"), [[dataset.attrs.pop(name)]])
    forcing = AlmaForcing(write(dataset, "grid.nc"))
    assert (forcing.start, forcing.end, forcing.ncell) == (plain.start, plain.end, 1)
    a, b = plain.weather(plain.start, 900.0), forcing.weather(plain.start, 900.0)
    assert all(np.array_equal(a[name], b[name]) for name in WEATHER_FIELDS)


def test_one_station_serves_many_cells(write, dataset):
    forcing = AlmaForcing(write(dataset), latitude=[45.0, -45.0, 89.0], longitude=[10.0, 10.0, 190.0])
    weather = forcing.weather(forcing.start + np.timedelta64(10 * 3600, "s"), 1800.0)
    assert all(weather[name].shape == (3,) for name in WEATHER_FIELDS)
    assert np.ptp(weather["air_temperature"]) == 0.0
    assert np.ptp(weather["cosine_zenith"]) > 0.1
    assert forcing.reference_height.shape == (3,)


def test_place_and_height_are_needed(write, dataset):
    for name, key in (("lat", "latitude"), ("lon", "longitude"), ("z_meas_m", "forcing.height")):
        bare = dataset.copy()
        bare.attrs = {k: v for k, v in dataset.attrs.items() if k != name}
        with pytest.raises(InputError, match=key):
            AlmaForcing(write(bare, f"{name}.nc"))
    path = write(bare)
    assert AlmaForcing(path, reference_height=30.0).reference_height.tolist() == [30.0]
    with pytest.raises(InputError, match=r"forcing\.height"):
        AlmaForcing(path, reference_height=-2.0)
    with pytest.raises(InputError, match="latitude must lie within"):
        AlmaForcing(path, latitude=95.0, reference_height=2.0)


def test_dimensions_are_checked(write, dataset):
    dataset["Wind"] = (("level", "time"), np.ones((2, 48)), {"units": "m s-1"})
    with pytest.raises(InputError, match=r"'Wind' has dimensions \(level, time\)"):
        AlmaForcing(write(dataset))


def test_provenance(write, dataset):
    path = write(dataset)
    forcing = AlmaForcing(path)
    (digest,) = forcing.checksums().values()
    assert len(digest) == 64
    assert forcing.describe()["variables"]["rain"] == "Rainf"


@pytest.mark.parametrize("station", ["US-Wkg", "CN-Cng", "US-NC2", "SE-Svb", "US-Bo1", "US-RME", "FR-CdP"])
def test_stations(shared_data, station):
    forcing = AlmaForcing(shared_data / "sites" / f"{station}.nc")
    shortwave = forcing._window(0)[:, 7, 0]
    first = int(forcing.start.astype(np.int64))
    count = min(forcing.count, 12000)
    cosine = np.array(
        [forcing._sun.sunlit(first + i * forcing.interval, forcing.interval)[0][0] for i in range(-3, count + 3)]
    )
    correlation = [np.corrcoef(cosine[3 + lag : 3 + lag + count], shortwave[:count])[0, 1] for lag in range(-3, 4)]
    assert np.argmax(correlation) == 3  # the sun of the file is the sun of the sky: stamps are starts, in UTC
    coarse = forcing.weather(forcing.start, 86400.0)
    fine = [forcing.weather(forcing.start + np.timedelta64(600 * k, "s"), 600.0) for k in range(144)]
    for name in ("rain", "snowfall", "shortwave_down"):
        assert sum(w[name] for w in fine) * 600.0 == pytest.approx(coarse[name] * 86400.0, rel=1e-11, abs=1e-15)
