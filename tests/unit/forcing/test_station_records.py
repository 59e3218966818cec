"""Weather from a logger's record: round trip, sums, gaps, clocks, longwave against measurements."""

import netCDF4
import numpy as np
import pytest
from site_files import write_station_record

from pyland.base.errors import InputError
from pyland.base.record_lengths import record_lengths
from pyland.forcing import open_forcing, read_station_record, station_forcing
from pyland.forcing.checks import BOUNDS
from pyland.forcing.moist_air import STEFAN_BOLTZMANN, vapour_from_humidity
from pyland.forcing.sky import CLEAR_SKY_LONGWAVE, clear_sky_transmittance, longwave_of_shortwave
from pyland.forcing.solar import SOLAR_CONSTANT, SolarGeometry, sun_positions

PLACE = {"latitude": 38.2346, "longitude": -97.571}
HERE = {**PLACE, "elevation": 455.0, "height": 2.5, "utc_offset": -6.0}


def test_a_record_returns_through_its_file(tmp_path):
    weather = station_forcing(write_station_record(tmp_path / "a.dat"), tmp_path / "a.nc", **HERE)
    assert weather.start == np.datetime64("2022-06-01T06:00") and weather.size == 240
    opened = open_forcing("alma", path=tmp_path / "a.nc")
    for hour in (0, 17, 100):
        now = opened.weather(weather.start + np.timedelta64(hour, "h"), 3600.0)
        for name, ours in (("air_temperature", "air_temperature"), ("wind_speed", "wind_speed"),
                           ("shortwave_down", "shortwave_down"), ("longwave_down", "longwave_down")):
            assert abs(float(np.ravel(now[name])[0]) - weather.values[ours][hour]) < 1e-9, name
    # 8 records of 2 mm in ten days; hourly means of hourly records are the records
    assert abs(weather.values["precipitation"].sum() * 3600.0 - 16.0) < 1e-9
    assert abs(weather.values["air_temperature"][6] - (293.15 + 6.0 * np.cos(2 * np.pi * (6.5 - 12.5) / 24))) < 1e-4
    vapour = vapour_from_humidity(weather.values["specific_humidity"], weather.values["surface_pressure"])
    assert abs(vapour[0] - 100.0 * (12.0 + np.cos(1 / 20))) < 1e-2
    for name, values in weather.values.items():
        assert (values >= BOUNDS[name].lowest).all() and (values <= BOUNDS[name].highest).all()


def test_half_hours_keep_sums_and_means(tmp_path):
    path = write_station_record(tmp_path / "a.dat")
    hourly = read_station_record(path, **PLACE, utc_offset=-6.0)
    half = read_station_record(path, **PLACE, utc_offset=-6.0, interval=1800.0)
    third = read_station_record(path, **PLACE, utc_offset=-6.0, interval=10800.0)
    assert np.allclose(half.values["air_temperature"].reshape(-1, 2).mean(axis=1), hourly.values["air_temperature"])
    assert np.allclose(third.values["shortwave_down"], hourly.values["shortwave_down"].reshape(-1, 3).mean(axis=1))
    assert abs(third.values["precipitation"].sum() * 10800.0 - 16.0) < 1e-9


def test_gaps_are_filled_up_to_a_length_and_say_so(tmp_path):
    gaps = {"wind_speed_Avg": slice(50, 58), "solar_flux_density_Avg": slice(34, 38),
            "precipitation_Tot": slice(88, 90)}
    path = write_station_record(tmp_path / "a.dat", gaps=gaps)
    with pytest.raises(InputError, match="wind_speed is missing for 8 h from 2022-06-03T08:00:00 UTC, .* = 6 h: 1"):
        read_station_record(path, **PLACE, utc_offset=-6.0)
    weather = read_station_record(path, **PLACE, utc_offset=-6.0, longest_gap={"wind_speed": 8 * 3600.0})
    wind = weather.values["wind_speed"]
    assert np.allclose(np.diff(wind[49:59]), (wind[58] - wind[49]) / 9.0)  # a straight line
    assert weather.filled["wind_speed"].sum() == 8 and weather.filled["precipitation"].sum() == 2
    assert (weather.values["precipitation"][88:90] == 0.0).all()  # the rain of hour 90 is lost, and said to be
    assert any("unknown" in note for note in weather.notes)
    whole = read_station_record(write_station_record(tmp_path / "b.dat"), **PLACE, utc_offset=-6.0)
    filled = weather.values["shortwave_down"][34:38]
    assert np.allclose(filled, whole.values["shortwave_down"][34:38], rtol=0.1)  # follows the sun
    with pytest.raises(InputError, match="longest_gap has no quantity 'wind_sped'; did you mean 'wind_speed'"):
        read_station_record(path, **PLACE, longest_gap={"wind_sped": 1.0})


@pytest.mark.parametrize("noon, offset, message", [
    (12.5, 0.0, "h before noon .* utc_offset = 0 h .about -6"),
    (13.5, -6.0, "1.0 h after noon .*about -5"),
    (12.5, -6.0, None),
])
def test_the_sun_judges_the_clock(tmp_path, noon, offset, message):
    path = write_station_record(tmp_path / "a.dat", noon=noon)
    if message is None:
        read_station_record(path, **PLACE, utc_offset=offset)
        return
    with pytest.raises(InputError, match=message):
        read_station_record(path, **PLACE, utc_offset=offset)
    assert read_station_record(path, **PLACE, utc_offset=offset, check_clock=False).size == 240


@pytest.mark.parametrize("old, new, options, message", [
    ("wind_speed_Avg", "wind", {}, "names no column of wind_speed, or the file lacks it"),
    (",celsius,", ",furlong,", {}, "the unit 'furlong' is not known|expected a unit that converts to 'K'"),
    (",m/s,celsius,", ",m/s,K,", {}, "air_temperature is .* outside .180, 335.; 240 of 240"),
    ("x", "x", {"longwave": "guess"}, "longwave must be one of dilley_obrien, brutsaert, prata"),
    ("x", "x", {"start": "2021-01-01"}, "reaches beyond the record, 2022-06-01T00:00:00 to 2022-06-11T00:00:00 UTC"),
    ("x", "x", {"time_label": "now"}, "time_label must be"),
])
def test_bad_records_are_a_sentence(tmp_path, old, new, options, message):
    path = write_station_record(tmp_path / "a.dat")
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InputError, match=message):
        read_station_record(path, **PLACE, **options)


def test_a_real_record_keeps_its_rain(tmp_path, shared_data):
    record = shared_data / "observations/crns/calibration_station_data.csv"
    with pytest.raises(InputError, match="air_temperature is missing for 10 h from 2021-10-01T07:00:00 UTC"):
        read_station_record(record, **PLACE, utc_offset=-6.0)
    weather = station_forcing(record, tmp_path / "a.nc", **HERE, longest_gap=30 * 3600.0, name="KS003")
    lines = record.read_text().splitlines()
    at = lines[1].replace('"', "").split(",").index("precipitation_Tot")
    rain = sum(float(line.split(",")[at]) for line in lines[4:])
    assert 299.0 < rain < 301.0 and abs(weather.values["precipitation"].sum() * 3600.0 - rain) < 0.1
    assert weather.size == 7006 and weather.filled["wind_speed"].sum() == 218
    with netCDF4.Dataset(tmp_path / "a.nc") as file:
        assert file["Wind_qc"][:].sum() == 218 and file.site == "KS003" and "sha256" in file.source
        assert 280.0 < file["LWdown"][:].mean() < 330.0  # between 9 degrees C of a clear and of a grey sky


@pytest.mark.parametrize("site, bias, spread", [("US-Wkg", 8.0, 24.0), ("FR-CdP", 4.0, 27.0)])
def test_longwave_of_shortwave_against_measured_longwave(shared_data, site, bias, spread):
    with netCDF4.Dataset(shared_data / "sites" / f"{site}.nc") as file:
        get = {name: np.ma.filled(file[name][:].astype(float), np.nan).reshape(-1)
               for name in ("Tair", "Qair", "PSurf", "SWdown", "LWdown")}
        step = float(file.time_step_s)
        seconds = netCDF4.num2date(file["time"][:], file["time"].units, only_use_cftime_datetimes=False)
        seconds = np.array(seconds, "datetime64[s]").astype(np.int64).astype(float)
        place = [np.array([float(getattr(file, name))]) for name in ("lat", "lon")]
    position = sun_positions(seconds + 0.5 * step)
    integral, sunshine = SolarGeometry(*place).sunlit(seconds[:, None], step, position)
    integral, sunshine = integral[:, 0], sunshine[:, 0]
    vapour = vapour_from_humidity(get["Qair"], get["PSurf"])
    top = SOLAR_CONSTANT * position.irradiance_factor[:, 0] * integral / step
    clear = top * clear_sky_transmittance(integral / np.maximum(sunshine, 1.0), get["PSurf"], vapour)
    told = integral > 0.2 * step
    hours = np.arange(seconds.size)
    index = np.interp(hours, hours[told], (get["SWdown"] / np.where(told, clear, 1.0))[told])
    error = longwave_of_shortwave(get["Tair"], vapour, index) - get["LWdown"]
    assert abs(np.nanmean(error)) < bias and np.nanstd(error) < spread


def test_clear_and_overcast_skies_are_the_limits():
    air, vapour = np.array([280.0, 300.0]), np.array([800.0, 2000.0])
    for formula, function in CLEAR_SKY_LONGWAVE.items():
        black = STEFAN_BOLTZMANN * air**4
        assert np.allclose(longwave_of_shortwave(air, vapour, np.zeros(2), formula), black)
        assert np.allclose(longwave_of_shortwave(air, vapour, np.full(2, 1.3), formula), function(air, vapour))
        assert (function(air, vapour) < 0.95 * black).all() and (function(air, vapour) > 0.6 * black).all()
    # Dilley and O'Brien at 273.16 K and 25 kg m-2 of water: 59.38 + 113.7 + 96.96 W m-2
    vapour = np.array([25.0 * 273.16 / 4.65])
    assert np.allclose(CLEAR_SKY_LONGWAVE["dilley_obrien"](np.array([273.16]), vapour), 270.04)
    assert np.allclose(CLEAR_SKY_LONGWAVE["brutsaert"](np.array([300.0]), np.array([2000.0])),
                       1.24 * (20.0 / 300.0) ** (1 / 7) * STEFAN_BOLTZMANN * 300.0**4)


def test_records_last_as_long_as_the_steps_around_them():
    steps = np.array([3600] * 5 + [7200] + [3600] * 4 + [6300] + [900] * 6 + [600] + [900] * 3)
    times = np.datetime64("2022-01-01T00:00:00") + np.r_[0, steps.cumsum()].astype("timedelta64[s]")
    expected = [3600] * 6 + [3600] + [3600] * 4 + [900] + [900] * 6 + [600] + [900] * 3
    assert record_lengths(times, "a").tolist() == expected
    with pytest.raises(InputError, match="time is not increasing: record 3"):
        record_lengths(times[[0, 2, 1]], "a")
