"""The weather generator: reproducible, split-independent, plausible."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.forcing import CLIMATES, WEATHER_FIELDS, Forcing, WeatherGenerator
from pyland.forcing.checks import BOUNDS
from pyland.forcing.interval import INTERVAL_FIELDS
from pyland.forcing.moist_air import relative_humidity
from pyland.forcing.random_field import RandomField, draw_normals, exceedance
from pyland.forcing.solar import SOLAR_CONSTANT, sun_position

START, END = np.datetime64("2019-01-01"), np.datetime64("2021-01-01")
TEMPERATURE, HUMIDITY, PRESSURE, WIND, LONGWAVE, RAIN, SNOW, SHORTWAVE = range(8)


def grid(n, spacing):
    x, y = np.meshgrid(np.arange(n) * spacing, np.arange(n) * spacing)
    return x.ravel(), y.ravel()


def make(x, y, climate="temperate", latitude=None, seed=1, elevation=0.0, start=START, end=END):
    latitude = CLIMATES[climate].latitude if latitude is None else latitude
    return WeatherGenerator(latitude, 7.0, elevation, x, y, start, end, climate, seed)


def hourly(generator):
    return np.stack([generator.interval_means(i) for i in range(generator.count)])


@pytest.fixture(scope="module")
def years():
    """Two years of six far places in every climate: (hour, field, place)."""
    x, y = np.arange(6) * 1.0e6, np.arange(6) * 0.37e6
    return {climate: hourly(make(x, y, climate)) for climate in CLIMATES}


def test_exceedance():
    z = np.array([-3.0, -1.0, 0.0, 1.0, 1.96, 4.0])
    expected = [
        0.9986501019683699,
        0.8413447460685429,
        0.5,
        0.15865525393145707,
        0.024997895148220435,
        3.167124183311998e-05,
    ]
    assert exceedance(z) == pytest.approx(expected, rel=2e-7)


def test_random_field_statistics():
    x, y = np.arange(60) * 5.0e3, np.zeros(60)
    field = RandomField(x, y, 3, 9, 20.0e3, 24, 0.6)
    values = np.concatenate([field.day(d) for d in range(-100, 400)])
    assert values.mean() == pytest.approx(0.0, abs=0.05)
    assert values.std() == pytest.approx(1.0, abs=0.03)
    assert np.mean(values > 1.6449) == pytest.approx(0.05, abs=0.01)
    for apart in (2, 4, 8, 16):
        expected = np.exp(-0.5 * (apart * 5.0 / 20.0) ** 2)
        assert np.mean(values[:, :-apart] * values[:, apart:]) == pytest.approx(expected, abs=0.08)
    assert np.mean(values[1:] * values[:-1]) == pytest.approx(field.step_correlation, abs=0.02)
    assert field.step_correlation == pytest.approx(0.6, abs=0.001)


def test_random_field_moves():
    x = np.arange(40) * 5.0e3
    field = RandomField(x, np.zeros(40), 3, 9, 20.0e3, 24, 0.9, velocity=(5.0e3 / 3600.0, 0.0))
    values = np.concatenate([field.day(d) for d in range(100)])
    with_wind = np.mean(values[:-4, :-4] * values[4:, 4:])
    against = np.mean(values[:-4, 4:] * values[4:, :-4])
    assert with_wind > 0.55 and against < 0.3


def test_blocks_and_purposes_are_independent_streams():
    a = draw_normals(1, 2, 3, (50,))
    assert np.array_equal(a, draw_normals(1, 2, 3, (50,)))
    for other in ((2, 2, 3), (1, 3, 3), (1, 2, 4), (1, 2, -3), (1, 2, -4), (2**63 + 1, 2, 3), (2**64 - 1, 2, 3)):
        assert not np.any(a == draw_normals(*other, (50,)))


def test_reproducible_in_any_order_and_from_any_start():
    x, y = grid(3, 4.0e3)
    generator = make(x, y)
    assert isinstance(generator, Forcing)
    times = [START + np.timedelta64(h, "h") for h in (0, 5000, 23, 24, 5001, 12000, 1)]
    first = [generator.weather(t, 1800.0) for t in times]
    for other in (make(x, y), make(x, y, start=np.datetime64("2018-05-03T07:00"), end=np.datetime64("2022-01-01"))):
        for t, weather in reversed(list(zip(times[1:6], first[1:6], strict=True))):
            again = other.weather(t, 1800.0)
            assert all(np.array_equal(weather[name], again[name]) for name in WEATHER_FIELDS)
    assert not np.array_equal(make(x, y, seed=2).weather(times[1], 3600.0)["wind_speed"], first[1]["wind_speed"])


@pytest.mark.parametrize("dt", [900.0, 3600.0, 10800.0])
def test_split_of_cells_changes_no_bit(dt):
    x, y = grid(5, 3.0e3)
    latitude, elevation = 45.0 + y / 1.1e5, 20.0 * np.arange(25)
    whole = make(x, y, "tropical", latitude, elevation=elevation)
    pieces = [slice(0, 1), slice(1, 4), slice(4, 12), slice(12, 25)]
    parts = [make(x[p], y[p], "tropical", latitude[p], elevation=elevation[p]) for p in pieces]
    for hours in (0.0, 7.0, 3000.0, 3009.0, 5000.0, 5012.0):
        t = START + np.timedelta64(int(hours * 3600), "s")
        everything = whole.weather(t, dt)
        for piece, part in zip(pieces, parts, strict=True):
            weather = part.weather(t, dt)
            assert all(np.array_equal(weather[name], everything[name][piece]) for name in WEATHER_FIELDS)


@pytest.mark.parametrize("climate", CLIMATES)
def test_climate(years, climate):
    numbers, data = CLIMATES[climate], years[climate]
    assert np.all(np.isfinite(data))
    for position, name in enumerate(INTERVAL_FIELDS):
        bounds = BOUNDS[name]
        assert data[:, position].min() >= max(bounds.lowest, 0.0) and data[:, position].max() <= bounds.highest
    daily = data.reshape(731, 24, 8, -1)
    precipitation = (daily[:, :, RAIN] + daily[:, :, SNOW]).sum(axis=1) * 3600.0
    assert precipitation.sum(axis=0).mean() / 2.0 == pytest.approx(numbers.annual_precipitation, rel=0.2)
    assert data[:, TEMPERATURE].mean() == pytest.approx(numbers.mean_temperature, abs=1.0)
    assert data[:, WIND].mean() == pytest.approx(numbers.wind_speed, rel=0.05)
    wet = np.mean(precipitation >= 1.0)
    assert wet == pytest.approx(np.mean(numbers.wet_day_frequency), abs=0.06)
    month = (START + np.arange(731)).astype("datetime64[M]").astype(int) % 12
    summer, winter = np.isin(month, [5, 6, 7]), np.isin(month, [11, 0, 1])
    fade = np.tanh(numbers.latitude / 10.0)
    ratio = (1.0 + (numbers.summer_precipitation - 1.0) * fade) / (1.0 - (numbers.summer_precipitation - 1.0) * fade)
    found = precipitation[summer].mean() / precipitation[winter].mean()
    assert np.log(found) == pytest.approx(np.log(ratio), abs=0.5)
    quarter = 2.0 * np.sqrt(2.0) / np.pi  # mean of a cosine over three months around its maximum
    swing = daily[summer, :, TEMPERATURE].mean() - daily[winter, :, TEMPERATURE].mean()
    assert swing == pytest.approx(2.0 * numbers.annual_amplitude * fade * quarter, abs=3.0)
    # Radiation: rainy days are dark, and the sky radiates less than a black body at air temperature.
    rainy = np.corrcoef(precipitation[summer].ravel(), daily[summer, :, SHORTWAVE].mean(axis=1).ravel())[0, 1]
    assert rainy < -0.25
    black = 5.67e-8 * data[:, TEMPERATURE] ** 4
    assert np.all(data[:, LONGWAVE] < black)
    assert 0.68 < np.mean(data[:, LONGWAVE] / black) < 0.93


@pytest.mark.parametrize(
    ("climate", "shortwave", "humidity"),
    [
        ("temperate", (105, 145), (0.70, 0.85)),
        ("continental", (125, 170), (0.62, 0.80)),
        ("semi_arid", (190, 245), (0.40, 0.62)),
        ("mediterranean", (165, 210), (0.60, 0.76)),
        ("cold", (75, 115), (0.70, 0.86)),
        ("tropical", (170, 225), (0.72, 0.88)),
        ("plateau", (150, 190), (0.58, 0.75)),
    ],
)
def test_annual_radiation_and_humidity(years, climate, shortwave, humidity):
    data = years[climate]
    relative = relative_humidity(data[:, HUMIDITY], data[:, TEMPERATURE], data[:, PRESSURE])
    assert shortwave[0] < data[:, SHORTWAVE].mean() < shortwave[1]
    assert humidity[0] < relative.mean() < humidity[1]
    assert relative.max() <= 0.98 + 1e-9
    wet = data[:, RAIN] > 1.0 / 3600.0
    assert relative[wet].mean() > relative[~wet].mean() + 0.05


def test_interpolated_humidity_stays_below_saturation():
    generator = make(*grid(4, 2.0e4), "cold")
    for k in range(0, 17000, 61):
        w = generator.weather(START + np.timedelta64(k * 3600 + 900, "s"), 900.0)
        assert relative_humidity(w["specific_humidity"], w["air_temperature"], w["surface_pressure"]).max() < 1.0


def test_shortwave_stays_below_the_top_of_the_atmosphere(years):
    generator = make(np.zeros(1), np.zeros(1), "semi_arid", elevation=4000.0)
    first = int(generator.start.astype(np.int64))
    for hour in range(0, generator.count, 7):
        sun = sun_position(first + hour * 3600 + 1800)
        integral, _ = generator._sun.sunlit(first + hour * 3600, 3600.0, sun)
        top = SOLAR_CONSTANT * sun.irradiance_factor * integral / 3600.0
        assert np.all(generator.interval_means(hour)[SHORTWAVE] <= top)


def test_diurnal_cycle(years):
    daily = years["continental"].reshape(731, 24, 8, -1)
    local = (np.arange(24) + 0.5 + 7.0 / 15.0) % 24.0
    temperature = daily[:, :, TEMPERATURE].mean(axis=(0, 2))
    assert local[np.argmax(temperature)] == pytest.approx(15.0, abs=1.0)
    assert local[np.argmin(temperature)] == pytest.approx(3.0, abs=1.0)
    assert local[np.argmax(daily[:, :, SHORTWAVE].mean(axis=(0, 2)))] == pytest.approx(12.0, abs=1.0)
    span = np.ptp(daily[:, :, TEMPERATURE], axis=1)
    light = daily[:, :, SHORTWAVE].mean(axis=1)
    month = (START + np.arange(731)).astype("datetime64[M]").astype(int) % 12
    july = month == 6
    assert np.corrcoef(span[july].ravel(), light[july].ravel())[0, 1] > 0.4
    showers = years["tropical"].reshape(731, 24, 8, -1)[:, :, RAIN].mean(axis=(0, 2))
    assert showers[np.abs(local - 16.0) < 3.0].mean() > 2.0 * showers[np.abs(local - 4.0) < 3.0].mean()


def test_rain_is_correlated_in_space_and_decays():
    x = np.array([0.0, 5.0e3, 20.0e3, 100.0e3, 1000.0e3])
    rain = hourly(make(x, np.zeros(5), "continental"))[:, RAIN]
    correlation = np.corrcoef(rain.T)[0]
    assert correlation[1] > 0.8 > correlation[2] > correlation[3]
    assert abs(correlation[4]) < 0.1
    daily = rain.reshape(731, 24, 5).sum(axis=1)
    assert np.corrcoef(daily.T)[0, 3] > np.corrcoef(daily.T)[0, 4] + 0.05


def test_snow_falls_in_the_cold(years):
    data = years["cold"]
    assert np.all(data[:, SNOW][data[:, TEMPERATURE] >= 275.15] == 0.0)
    assert np.all(data[:, RAIN][data[:, TEMPERATURE] <= 273.15] == 0.0)
    share = data[:, SNOW].sum() / (data[:, SNOW] + data[:, RAIN]).sum()
    assert 0.2 < share < 0.5


def test_mountains_are_cold_and_thin():
    data = hourly(make(np.zeros(2), np.zeros(2), elevation=np.array([0.0, 2000.0]), end=np.datetime64("2019-03-01")))
    assert data[:, TEMPERATURE, 0] - data[:, TEMPERATURE, 1] == pytest.approx(13.0, abs=1e-9)
    assert data[:, PRESSURE, 1].mean() == pytest.approx(79000.0, rel=0.02)  # standard atmosphere: 79.5 kPa
    assert data[:, SHORTWAVE, 1].mean() > data[:, SHORTWAVE, 0].mean()
    assert data[:, LONGWAVE, 1].mean() < data[:, LONGWAVE, 0].mean() - 30.0


def test_seasons_of_the_southern_hemisphere():
    data = hourly(make(np.zeros(1), np.zeros(1), latitude=-50.0)).reshape(731, 24, 8)[:, :, TEMPERATURE].mean(axis=1)
    month = (START + np.arange(731)).astype("datetime64[M]").astype(int) % 12
    assert data[month == 0].mean() > data[month == 6].mean() + 10.0


@pytest.mark.parametrize("latitude", [-90.0, -66.6, 0.0, 23.44, 90.0])
@pytest.mark.parametrize("climate", ["cold", "tropical"])
def test_poles_and_equator(latitude, climate):
    generator = make(np.zeros(1), np.zeros(1), climate, latitude, elevation=2800.0)
    for hour in range(0, generator.count, 37):
        weather = generator.weather(START + np.timedelta64(hour, "h"), 3600.0)
        for name in INTERVAL_FIELDS:
            assert max(BOUNDS[name].lowest, 0.0) <= weather[name][0] <= BOUNDS[name].highest, name


def test_hours_of_the_period():
    generator = make(
        np.zeros(1), np.zeros(1), start=np.datetime64("2020-01-01T10:30"), end=np.datetime64("2020-01-02T00:10")
    )
    assert generator.start == np.datetime64("2020-01-01T10:00:00")
    assert generator.end == np.datetime64("2020-01-02T01:00:00")
    with pytest.raises(InputError, match="weather generator: the forcing covers"):
        generator.weather(generator.end, 1.0)
    assert generator.checksums() == {} and generator.describe()["climate"] == "temperate"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"climate": "martian"}, "expected one of temperate"),
        ({"seed": -1}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"latitude": 91.0}, "latitude"),
        ({"longitude": [1.0, 2.0, 3.0]}, "longitude must be one number or 2"),
        ({"elevation": np.nan}, "elevation"),
        ({"end": START}, "must be after"),
        ({"x": [0.0]}, "x and y"),
        ({"reference_height": 0.0}, "height"),
        ({"annual_precipitation": [100.0, 200.0]}, "ascending"),
        ({"annual_precipitation": [100.0, 200.0], "precipitation_elevation": [5.0, 5.0]}, "ascending"),
        ({"annual_precipitation": -1.0}, "not negative"),
    ],
)
def test_wrong_arguments(change, message):
    arguments = {
        "latitude": 50.0,
        "longitude": 7.0,
        "elevation": 0.0,
        "x": [0.0, 1.0],
        "y": [0.0, 1.0],
        "start": START,
        "end": END,
        **change,
    }
    with pytest.raises(InputError, match=message):
        WeatherGenerator(**arguments)


def test_precipitation_of_a_year_follows_the_elevation():
    """The same showers, more or less of them; all else stays but what rain does to it."""
    place = {"latitude": 40.0, "longitude": 100.0, "x": [0.0] * 3, "y": [0.0] * 3, "start": START, "end": END,
             "climate": "semi_arid"}
    plain = hourly(WeatherGenerator(elevation=[500.0, 2000.0, 4000.0], **place))
    wetter = hourly(WeatherGenerator(elevation=[500.0, 2000.0, 4000.0], annual_precipitation=[100.0, 500.0],
                                     precipitation_elevation=[1000.0, 3000.0], **place))
    amount, more = (weather[:, RAIN] + weather[:, SNOW] for weather in (plain, wetter))
    assert amount.sum() > 0.0
    assert more == pytest.approx(amount / CLIMATES["semi_arid"].annual_precipitation * np.array([100.0, 300.0, 500.0]))
