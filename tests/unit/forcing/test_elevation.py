"""Weather at another elevation."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.forcing import WEATHER_FIELDS, AlmaForcing, ElevationCorrected, Forcing
from pyland.forcing.elevation import satterlund_emissivity
from pyland.forcing.moist_air import relative_humidity


@pytest.fixture
def source(write, dataset):
    return AlmaForcing(write(dataset), latitude=[45.0] * 3, longitude=[10.0] * 3)


def test_correction(source):
    forcing = ElevationCorrected(source, source.elevation, np.array([200.0, 1200.0, 0.0]), 0.0065)
    assert isinstance(forcing, Forcing)
    t = source.start + np.timedelta64(12 * 3600, "s")
    before, after = source.weather(t, 1800.0), forcing.weather(t, 1800.0)
    assert all(before[name][0] == after[name][0] for name in WEATHER_FIELDS)
    change = after["air_temperature"] - before["air_temperature"]
    assert change == pytest.approx([0.0, -6.5, 1.3])
    humidity = [
        relative_humidity(w["specific_humidity"], w["air_temperature"], w["surface_pressure"]) for w in (before, after)
    ]
    assert humidity[1] == pytest.approx(humidity[0], rel=1e-12)
    # 1000 m of air of 290 K weigh 11.1 percent (hypsometric equation, scale height R T / g).
    middle = before["air_temperature"][1] - 3.25
    assert after["surface_pressure"][1] / before["surface_pressure"][1] == pytest.approx(
        np.exp(-1000.0 * 9.80616 / 287.042 / middle), rel=1e-12
    )
    assert 20.0 < before["longwave_down"][1] - after["longwave_down"][1] < 50.0  # about 3 W m-2 per 100 m (Marty 2002)
    assert after["longwave_down"][2] > before["longwave_down"][2]
    for name in ("wind_speed", "shortwave_down", "cosine_zenith", "daylength_factor"):
        assert np.array_equal(before[name], after[name])


def test_phase_follows_temperature_and_water_is_kept(source):
    forcing = ElevationCorrected(source, source.elevation, np.array([200.0, 3500.0, -100.0]), 0.0065)
    for k in range(48):
        t = source.start + np.timedelta64(1800 * k, "s")
        before, after = source.weather(t, 1800.0), forcing.weather(t, 1800.0)
        assert after["rain"] + after["snowfall"] == pytest.approx(before["rain"] + before["snowfall"], rel=1e-14)
        assert after["rain"][1] == 0.0 and after["snowfall"][2] == 0.0
        assert after["snowfall"][0] == before["snowfall"][0]


def test_dry_air_has_no_vapour_to_correct(write, dataset):
    dataset["Qair"][:] = 0.0
    source = AlmaForcing(write(dataset))
    weather = ElevationCorrected(source, [0.0], [1000.0], 0.0065).weather(source.start, 1800.0)
    assert all(np.all(np.isfinite(v)) for v in weather.values())


def test_emissivity_of_the_paper():
    # Satterlund (1979): saturated vapour of 12 hPa at 283 K.
    assert satterlund_emissivity(np.array([1227.0]), np.array([283.15]))[0] == pytest.approx(0.819, abs=0.002)


@pytest.mark.parametrize("rate", [6.5, np.nan])
def test_lapse_rate_per_kilometre_is_refused(source, rate):
    with pytest.raises(InputError, match="K m-1"):
        ElevationCorrected(source, [0.0], [0.0], rate)


def test_missing_elevation_is_refused(source):
    with pytest.raises(InputError, match="missing values"):
        ElevationCorrected(source, source.elevation, [0.0, np.nan, 1.0], 0.0065)
