"""Sun positions against almanacs, integrals against fine sums."""

import numpy as np
import pytest

from pyland.forcing.solar import SMALLEST_DAYLENGTH_FACTOR, SolarGeometry, seconds_since_1970, sun_position


def at(text):
    return seconds_since_1970(np.datetime64(text, "s"))


def geometry(*places):
    latitude, longitude = np.array(places, dtype=float).T
    return SolarGeometry(latitude, longitude)


@pytest.mark.parametrize(
    ("time", "declination"),
    [
        ("2020-06-20T21:44", 23.436),  # solstices and equinoxes of 2020 (USNO)
        ("2020-12-21T10:02", -23.436),
        ("2020-03-20T03:50", 0.0),
        ("2020-09-22T13:31", 0.0),
        ("2001-06-21T07:38", 23.439),
    ],
)
def test_declination(time, declination):
    assert np.degrees(sun_position(at(time)).declination) == pytest.approx(declination, abs=0.012)


@pytest.mark.parametrize(
    ("time", "minutes"), [("2019-11-03T12:00", 16.43), ("2019-02-11T12:00", -14.22), ("2019-06-13T06:00", 0.0)]
)
def test_equation_of_time(time, minutes):
    # The sun at longitude 0 stands highest at 12 h minus the equation of time.
    assert (np.pi - sun_position(at(time)).noon) * 1440.0 / (2.0 * np.pi) == pytest.approx(minutes, abs=0.1)


def test_distance_at_perihelion_and_aphelion():
    assert sun_position(at("2020-01-05T07:48")).irradiance_factor == pytest.approx(0.98324**-2, rel=2e-4)
    assert sun_position(at("2020-07-04T11:35")).irradiance_factor == pytest.approx(1.01669**-2, rel=2e-4)


def test_published_position():
    # Example of Reda and Andreas (2004), Solar Energy 76, 577-589: Golden; 50.111 degrees with 0.020 of refraction.
    cosine = geometry((39.742476, -105.1786)).cosine_zenith(at("2003-10-17T19:30:30"))
    assert np.degrees(np.arccos(cosine))[0] == pytest.approx(50.13, abs=0.02)


def test_solstice_noon():
    sun = sun_position(at("2020-06-20T12:00"))
    noon = at("2020-06-20T00:00") + sun.noon * 86400.0 / (2.0 * np.pi)
    assert geometry((40.0, 0.0)).cosine_zenith(noon)[0] == pytest.approx(np.cos(np.radians(40.0 - 23.436)), abs=1e-5)


def test_polar_night_and_day():
    sun = geometry((80.0, 0.0), (-80.0, 0.0), (90.0, 0.0), (-90.0, 0.0))
    length = sun.day_length(at("2020-12-21T12:00"))
    assert length[[0, 2]] == pytest.approx(0.0, abs=1e-9)
    assert length[[1, 3]] == pytest.approx(86400.0)
    for hour in range(24):
        cosine = sun.mean_sunlit_cosine(at("2020-12-21") + hour * 3600, 3600.0)
        assert np.all(cosine[[0, 2]] == 0.0)
        assert np.all(cosine[[1, 3]] > 0.2)


def test_equinox_day_length():
    assert geometry((0.0, 0.0), (60.0, 30.0)).day_length(at("2020-03-20T03:50")) == pytest.approx(43200.0, abs=60.0)


@pytest.mark.parametrize("duration", [900.0, 3600.0, 6 * 3600.0, 86400.0, 2.5 * 86400.0])
@pytest.mark.parametrize("start", ["2020-03-01T05:30", "2021-07-10T17:40", "2019-12-31T23:10"])
def test_integral_is_the_fine_sum(start, duration):
    places = [(lat, lon) for lat in (-90, -66.6, -35, 0, 23.4, 52, 69, 89.9) for lon in (-179, -60, 0, 7, 170)]
    sun = geometry(*places)
    begin = at(start)
    position = sun_position(begin + 0.5 * duration)
    a, b = sun._coefficients(position)
    moments = begin + (np.arange(40000) + 0.5) * duration / 40000
    angle = 2.0 * np.pi * ((moments / 86400.0) % 1.0)[:, None] - position.noon + np.radians([p[1] for p in places])
    cosine = a + b * np.cos(angle)
    integral, sunshine = sun.sunlit(begin, duration)
    assert integral == pytest.approx(
        np.maximum(cosine, 0.0).mean(axis=0) * duration, rel=1e-5, abs=1e-4 * duration / 3600
    )
    assert sunshine == pytest.approx((cosine > 0.0).mean(axis=0) * duration, abs=4.0 * duration / 40000)


def test_parts_add_up():
    sun = geometry((48.0, 11.0), (70.0, -150.0), (-90.0, 0.0))
    begin = at("2020-05-01T03:00")
    position = sun_position(begin + 5400.0)
    whole, _ = sun.sunlit(begin, 10800.0, position)
    parts = sum(sun.sunlit(begin + k * 600, 600.0, position)[0] for k in range(18))
    assert parts == pytest.approx(whole, rel=1e-12, abs=1e-9)


def test_cosine_is_bounded_near_sunrise():
    sun = geometry(*[(lat, lon) for lat in np.linspace(-90, 90, 61) for lon in np.linspace(-180, 180, 73)])
    for second in range(0, 86400, 1500):
        cosine = sun.mean_sunlit_cosine(at("2020-09-22") + second, 1800.0)
        assert np.all((cosine >= 0.0) & (cosine <= 1.0))
        integral, sunshine = sun.sunlit(at("2020-09-22") + second, 1800.0)
        assert np.all(cosine[sunshine < 30.0] < 0.005)
        assert np.all(integral <= sunshine + 1e-9)


def test_daylength_factor():
    sun = geometry((50.0, 0.0), (-50.0, 0.0), (0.0, 0.0), (85.0, 0.0))
    june = sun.daylength_factor(at("2020-06-20T21:44"))
    december = sun.daylength_factor(at("2020-12-21T10:02"))
    assert june[0] == pytest.approx(1.0, abs=1e-3)
    assert june[1] == pytest.approx(december[0], rel=1e-3)
    assert december[0] == pytest.approx((7.85 / 16.15) ** 2, rel=0.01)  # geometric day lengths at 50 degrees [h]
    assert june[2] == pytest.approx(1.0)
    assert december[3] == SMALLEST_DAYLENGTH_FACTOR
