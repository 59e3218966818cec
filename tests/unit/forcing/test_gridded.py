"""Gridded products: names, units, accumulations, time meanings, elevation; files as the products lay them out."""

import netCDF4
import numpy as np
import pytest
import reanalysis_files as files
from reanalysis_files import START

from pyland.base.errors import InputError
from pyland.forcing import WEATHER_FIELDS, ElevationCorrected, GriddedForcing, open_forcing
from pyland.forcing.products import PRODUCTS

LATITUDE, LONGITUDE = np.array([50.1, 49.87, 50.3]), np.array([7.0, 6.95, 7.2])
HOUR = np.timedelta64(3600, "s")
WRITERS = {"era5": files.write_era5, "era5-land": files.write_era5_land, "cosmo-rea6": files.write_cosmo,
           "cmfd": files.write_cmfd}


def open_at(name, path, **arguments):
    return open_forcing(name, path=path, latitude=LATITUDE, longitude=LONGITUDE, **arguments)


def stamp_fields(hour):
    """Fields of ERA5 and ERA5-Land that hold at stamps, at the cells."""
    here = LATITUDE, LONGITUDE, np.array([hour])
    return {"air_temperature": files.at_stamp("air_temperature", *here)[0],
            "surface_pressure": files.at_stamp("surface_pressure", *here)[0],
            "specific_humidity": files.expected_humidity(*here)[0],
            "wind_speed": np.hypot(files.at_stamp("eastward_wind", *here), files.at_stamp("northward_wind", *here))[0]}


def means(hour):
    """Means over the hour after ``hour``, at the cells."""
    names = ("shortwave_down", "longwave_down", "precipitation", "snowfall")
    fields = {name: files.mean_after(name, LATITUDE, LONGITUDE, np.array([hour]))[0] for name in names}
    fields["rain"] = fields.pop("precipitation") - fields["snowfall"]
    return fields


@pytest.mark.parametrize("style", ["new", "old", "versions"])
def test_era5_in_all_layouts(tmp_path, style):
    forcing = open_at("era5", files.write_era5(tmp_path, style=style))
    assert (forcing.start, forcing.end) == (START, START + 48 * HOUR)
    assert forcing.phase is None and forcing.reference_height.tolist() == [10.0] * 3
    tolerance = 2e-3 if style == "old" else 2e-5  # 16 bits, or single precision and the curve of humidity
    for hour in (0, 11, 23, 24, 44, 47):  # the last ones are ERA5T, and across files
        weather = forcing.weather(START + hour * HOUR, 3600.0)
        assert set(weather) == set(WEATHER_FIELDS)
        for name, expected in (stamp_fields(hour + 0.5) | means(hour)).items():
            assert weather[name] == pytest.approx(expected, rel=tolerance, abs=1e-9 if style != "old" else 3e-7), name
    described = forcing.describe()
    assert described["variables"]["specific_humidity"] == ["d2m [K]", "sp [Pa]"]
    assert described["precipitation_phase"] == "as in the files"


def test_era5_land_sums_since_midnight(tmp_path):
    forcing = open_at("era5-land", files.write_era5_land(tmp_path, packed=False))
    assert (forcing.start, forcing.end) == (START, START + 48 * HOUR)
    for hour in range(48):  # hours 0 and 24 begin a sum; hours 23 and 47 end one, at the stamp of the next day
        weather = forcing.weather(START + hour * HOUR, 3600.0)
        for name, expected in means(hour).items():
            assert weather[name] == pytest.approx(expected, rel=1e-5, abs=1e-9), (hour, name)


def test_noise_of_packing_is_set_to_zero_and_counted(tmp_path):
    files.write_era5_land(tmp_path, packed=False)
    with netCDF4.Dataset(tmp_path / "era5_land_202006.nc", "a") as file:  # 0.005 mm less at the end of a dry hour
        file["tp"][11:25] = file["tp"][11:25] - 5e-6
    forcing = open_at("era5-land", tmp_path)
    assert forcing.weather(START + 10 * HOUR, 3600.0)["rain"].tolist() == [0.0] * 3
    assert forcing.describe()["small_offsets_set_to_zero"] == 3
    packed = open_at("era5-land", files.write_era5_land(tmp_path / "packed", packed=True))
    for hour in (3, 23, 30):
        rain = packed.weather(START + hour * HOUR, 3600.0)["rain"]
        assert rain == pytest.approx(means(hour)["rain"], abs=2e-7)


def test_cosmo_rea6(tmp_path):
    forcing = open_at("cosmo-rea6", files.write_cosmo(tmp_path))
    for hour in (0, 12, 23, 47):
        here = LATITUDE, LONGITUDE, np.array([hour + 0.5])
        weather, expected = forcing.weather(START + hour * HOUR, 3600.0), stamp_fields(hour + 0.5)
        expected |= {"specific_humidity": files.at_stamp("specific_humidity", *here)[0]}
        expected |= {name: value for name, value in means(hour).items() if name != "shortwave_down"}
        for name, value in expected.items():
            assert weather[name] == pytest.approx(value, rel=2e-5, abs=1e-9), name
    humid = open_at("cosmo-rea6", files.write_cosmo(tmp_path / "relative", humidity="RELHUM_2M"))
    weather = humid.weather(START, 3600.0)
    from pyland.forcing.moist_air import relative_humidity

    share = relative_humidity(weather["specific_humidity"], weather["air_temperature"], weather["surface_pressure"])
    expected = files.at_stamp("relative_humidity", LATITUDE, LONGITUDE, np.array([0.5]))[0]
    assert share == pytest.approx(expected, rel=1e-4)


def test_longwave_from_net(tmp_path):
    """A net flux of 0.996 (L - sigma T^4) over a ground of 290 K gives L back."""
    path = files.write_cosmo(tmp_path)
    (path / "ATHD_S" / "ATHD_S.2D.202006.nc").unlink()
    latitude, longitude = files.rotated_grid()
    moments = START + np.arange(49) * HOUR
    net = np.full((49, *latitude.shape), 0.996 * (320.0 - 5.67e-8 * 290.0**4))
    for name, unit, values in (("THBS_RAD", "W m-2", net), ("T_G", "K", np.full_like(net, 290.0))):
        files.write(path / f"{name}.nc", {name: (unit, values)}, latitude, longitude, moments, names=("lat", "lon"),
                    dimensions=("rlat", "rlon"))
    assert open_at("cosmo-rea6", path).weather(START, 3600.0)["longwave_down"] == pytest.approx([320.0] * 3, rel=1e-5)


def test_shortwave_at_stamps_follows_the_sun(tmp_path):
    """A constant clearness comes back within a step of any length, through sunrise and sunset."""
    forcing = GriddedForcing("cosmo-rea6", files.write_cosmo(tmp_path), cells_of(np.array([50.0]), np.array([7.0])))
    from pyland.forcing.solar import SolarGeometry

    sun = SolarGeometry(np.array([50.0]), np.array([7.0]))
    for dt in (900.0, 1800.0, 3600.0, 10800.0):
        day = [forcing.weather(START + np.timedelta64(int(i * dt), "s"), dt)["shortwave_down"][0]
               for i in range(int(86400 / dt))]
        seconds = START.astype(np.int64) + np.arange(int(86400 / dt)) * dt
        lit = np.array([sun.sunlit(one, dt)[0][0] for one in seconds]) / dt
        assert np.array(day) == pytest.approx(680.0 * lit, rel=2e-3, abs=1.0)
        assert np.mean(day) == pytest.approx(680.0 * lit.mean(), rel=2e-4)


@pytest.mark.parametrize("unit", ["mm hr-1", "kg m-2 s-1"])
def test_cmfd_windows_around_and_before_the_stamp(tmp_path, unit):
    forcing = open_at("cmfd", files.write_cmfd(tmp_path, unit=unit))
    assert (forcing.start, forcing.end) == (START, START + 48 * HOUR)
    here = LATITUDE, LONGITUDE
    for hour in (0, 3, 45):
        weather = forcing.weather(START + hour * HOUR, 10800.0)
        for name in ("air_temperature", "specific_humidity", "surface_pressure", "wind_speed"):
            middle = files.at_stamp(name, *here, np.array([hour + 1.5]))[0]
            assert weather[name] == pytest.approx(middle, rel=1e-4), name
        rate = files.mean_after("precipitation", *here, np.array([hour]))[0]
        assert weather["rain"] + weather["snowfall"] == pytest.approx(rate, rel=1e-3, abs=1e-8)
        halves = [files.mean_after("longwave_down", *here, np.array([hour + one]))[0] for one in (-1.5, 1.5)]
        assert weather["longwave_down"] == pytest.approx(0.5 * (halves[0] + halves[1]), rel=1e-4)
    # the window of radiation from 07:30 to 10:30 returns its mean
    steps = [forcing.weather(START + np.timedelta64(27000 + i * 1800, "s"), 1800.0) for i in range(6)]
    for name in ("shortwave_down", "longwave_down"):
        mean = files.mean_after(name, *here, np.array([7.5]))[0]
        assert np.mean([one[name] for one in steps], axis=0) == pytest.approx(mean, rel=1e-4)
    assert forcing.phase is not None


@pytest.mark.parametrize("name", PRODUCTS)
def test_steps_return_what_the_intervals_hold(tmp_path, name):
    forcing = open_at(name, WRITERS[name](tmp_path))
    for dt in (1200.0, 3600.0, 5400.0, 21600.0):
        steps = [forcing.weather(START + np.timedelta64(int(i * dt), "s"), dt) for i in range(int(86400 / dt))]
        day = forcing.weather(START, 86400.0)
        for field in ("rain", "snowfall", "shortwave_down", "longwave_down", "air_temperature"):
            mean = np.mean([one[field] for one in steps], axis=0)
            loose = name == "cosmo-rea6" and field == "shortwave_down"  # held at stamps: not an amount
            assert mean == pytest.approx(day[field], rel=5e-3 if loose else 1e-9), (dt, field)


def test_weather_depends_on_time_alone_and_not_on_blocks(tmp_path):
    path = files.write_era5(tmp_path)
    forcing, other = open_at("era5", path), open_at("era5", path, start=START + 5 * HOUR, end=START + 40 * HOUR)
    other._block_length = 7  # many blocks
    for hour in (30, 6, 5, 38, 13):
        for dt in (1800.0, 3600.0, 7200.0):
            one, two = (source.weather(START + hour * HOUR, dt) for source in (forcing, other))
            assert all(np.array_equal(one[field], two[field]) for field in WEATHER_FIELDS)


def test_elevation(tmp_path):
    path = files.write_era5(tmp_path)
    source = files.height(LATITUDE, LONGITUDE)
    forcing = open_at("era5", path, lapse_rate=0.006, elevation=source + np.array([0.0, 500.0, -300.0]))
    assert isinstance(forcing, ElevationCorrected)
    plain, moved = (one.weather(START, 3600.0) for one in (open_at("era5", path), forcing))
    change = moved["air_temperature"] - plain["air_temperature"]
    assert change == pytest.approx([0.0, -3.0, 1.8], abs=1e-3)
    ratio = moved["surface_pressure"] / plain["surface_pressure"]
    assert ratio == pytest.approx(np.exp(-9.80616 * np.array([0, 500, -300]) / 287.042 / (
        plain["air_temperature"] + 0.5 * change)), rel=1e-5)
    brighter = moved["longwave_down"] - plain["longwave_down"]
    assert brighter[1] < -5.0 and brighter[2] > 3.0
    (path / "geopotential.nc").unlink()  # the one of the whole earth has another grid
    latitude, longitude = np.arange(60.0, 39.9, -0.5), np.arange(0.0, 360.0, 0.5)
    here = np.meshgrid(latitude, np.where(longitude > 180.0, longitude - 360.0, longitude), indexing="ij")
    files.write(path / "earth.nc", {"z": ("m**2 s**-2", 9.80665 * files.height(*here)[None])}, latitude, longitude,
                np.array([START]))
    assert open_at("era5", path).source_elevation == pytest.approx(source, abs=0.01)
    cosmo = open_at("cosmo-rea6", files.write_cosmo(tmp_path / "cosmo"), lapse_rate=0.0065, elevation=source)
    assert cosmo.describe()["elevation_change"] == pytest.approx([0.0, 0.0], abs=0.01)
    with pytest.raises(InputError, match=r"no file has it \(elevation"):
        open_at("cmfd", files.write_cmfd(tmp_path / "cmfd"), lapse_rate=0.0065, elevation=source)


def test_wind_comes_to_the_height_of_the_case(tmp_path):
    path = files.write_era5(tmp_path)
    ten, two = (open_at("era5", path, reference_height=height).weather(START, 3600.0) for height in (None, 2.0))
    assert two["wind_speed"] / ten["wind_speed"] == pytest.approx(np.full(3, np.log(2 / 0.03) / np.log(10 / 0.03)))
    assert np.array_equal(two["air_temperature"], ten["air_temperature"])
    with pytest.raises(InputError, match=r"forcing\.height must be 1 m or more"):
        open_at("era5", path, reference_height=0.5)


def test_names_of_the_case_come_first(tmp_path):
    path = files.write_cmfd(tmp_path)
    moments = START + 3 * np.arange(17) * HOUR
    latitude, longitude = files.make_axes(0.1, 0.5, 6.55)
    values = np.full((17, latitude.size, longitude.size), 20.0)
    files.write(tmp_path / "warm.nc", {"my_t": ("degC", values)}, latitude[::-1] + 0.05, longitude, moments)
    forcing = open_at("cmfd", path, variables={"air_temperature": "my_t"})
    assert forcing.weather(START, 3600.0)["air_temperature"] == pytest.approx([293.15] * 3)
    with pytest.raises(InputError, match="CMFD has no eastward_wind; expected one of air_temperature"):
        open_at("cmfd", path, variables={"eastward_wind": "u"})


def test_snow_by_the_rule_of_the_case(tmp_path):
    from pyland.forcing import PrecipitationPhase

    forcing = open_at("era5", files.write_era5(tmp_path), phase=PrecipitationPhase("ramp", 284.0, 288.0))
    weather, given = forcing.weather(START + 6 * HOUR, 3600.0), means(6)
    share = (stamp_fields(6.5)["air_temperature"] - 284.0) / 4.0
    assert weather["rain"] == pytest.approx((given["rain"] + given["snowfall"]) * share, rel=1e-4)


def cells_of(latitude, longitude):
    from pyland.forcing import CellPlaces

    return CellPlaces(latitude, longitude, (1000.0, 1000.0))
