"""Rain or snow: ramp, wet-bulb temperature, elevation."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.forcing import AlmaForcing, ElevationCorrected, PrecipitationPhase, wet_bulb_temperature
from pyland.forcing.moist_air import humidity_from_vapour, vapour_from_humidity
from pyland.forcing.precipitation_phase import wet_bulb_rain_share


def saturation(temperature):
    """Magnus formula over water, WMO-No. 8 (2008), annex 4.B [Pa]."""
    celsius = np.asarray(temperature) - 273.15
    return 611.2 * np.exp(17.62 * celsius / (243.12 + celsius))


def humidity(relative, temperature, pressure):
    return humidity_from_vapour(relative * saturation(temperature), np.asarray(pressure))


def weather_of(forcing, count=48, dt=1800.0):
    stamps = [forcing.start + np.timedelta64(int(k * dt), "s") for k in range(count)]
    steps = [forcing.weather(stamp, dt) for stamp in stamps]
    return {name: np.array([step[name] for step in steps]) for name in steps[0]}


def test_ramp_by_hand():
    air = np.array([272.15, 273.15, 273.65, 275.15, 280.0])
    assert PrecipitationPhase("ramp").rain_share(air, air, air) == pytest.approx([0.0, 0.0, 0.25, 1.0, 1.0])
    wide = PrecipitationPhase("ramp", 271.15, 277.15)  # -2 to 4 degC
    assert wide.rain_share(air, air, air) == pytest.approx([1 / 6, 1 / 3, 2.5 / 6, 4 / 6, 1.0])


def test_wet_bulb_by_hand():
    # Stull (2011), J. Appl. Meteorol. Climatol. 50, 2267-2269: 20 degC and 50 % at sea level give 13.7 degC. Saturated
    # air has its own temperature. 30 degC, 12.73 hPa, 1000 hPa: at 17.92 degC e_s - e is 20.54 - 12.73 = 7.81 hPa, and
    # 0.6458 hPa K-1 times 12.08 K is 7.80 hPa.
    air, relative = np.array([293.15, 303.15, 278.15]), np.array([0.5, 0.3, 1.0])
    wet = wet_bulb_temperature(air, humidity(relative, air, 1.0e5), 1.0e5)
    assert wet - 273.15 == pytest.approx([13.7, 17.92, 5.0], abs=0.06)
    assert wet[2] == pytest.approx(278.15, abs=1e-9)


def test_wet_bulb_solves_its_equation_in_any_air():
    air, relative, pressure = (g.ravel() for g in np.meshgrid(
        np.linspace(185.0, 333.0, 60), np.array([0.0, 0.05, 0.5, 0.95, 1.0]), np.array([3.0e4, 6.0e4, 1.05e5])))
    moist = np.minimum(humidity(relative, air, pressure), 0.05)
    wet = wet_bulb_temperature(air, moist, pressure)
    vapour = np.minimum(vapour_from_humidity(moist, pressure), saturation(air))
    residual = saturation(wet) - vapour - 1004.64 * pressure / (0.622 * 2.501e6) * (air - wet)
    assert np.abs(residual).max() < 1e-7  # [Pa]
    assert np.all(wet <= air + 1e-9)


def test_wet_bulb_of_a_cell_knows_no_neighbour():
    rng = np.random.default_rng(3)
    air, moist = rng.uniform(250.0, 300.0, 17), rng.uniform(0.0, 0.01, 17)
    whole = wet_bulb_temperature(air, moist, np.full(17, 9.0e4))
    one_by_one = [wet_bulb_temperature(air[k:k + 1], moist[k:k + 1], 9.0e4)[0] for k in range(17)]
    assert np.array_equal(whole, one_by_one)


def test_sigmoid_by_hand():
    # Wang et al. (2019), equation 1, at 0 degC: 1 / (1 + 6.99e-5 exp(7.94)) = 1 / (1 + 0.19624) = 0.836 of snow
    assert 1.0 - wet_bulb_rain_share(np.array([273.15]))[0] == pytest.approx(0.8360, abs=2e-4)
    # half and half where a exp(b (T + c)) is 1: T = ln(1 / 6.99e-5) / 2 - 3.97 = 0.8142 degC
    assert wet_bulb_rain_share(np.array([273.15 + 0.81421]))[0] == pytest.approx(0.5, abs=1e-4)
    share = wet_bulb_rain_share(np.array([180.0, 268.15, 278.15, 400.0]))
    assert share == pytest.approx([0.0, 0.0, 1.0, 1.0], abs=0.01) and np.isfinite(share).all()


def test_dry_air_snows_where_moist_air_rains():
    air, pressure = np.array([275.15, 275.15]), np.full(2, 8.0e4)
    share = PrecipitationPhase("wet_bulb").rain_share(air, humidity(np.array([0.4, 1.0]), air, pressure), pressure)
    assert share[0] < 0.1 and share[1] > 0.9


def test_override_of_a_file_keeps_the_water(write, dataset):
    dataset["Tair"][:] = 270.15 + np.arange(48) / 8.0
    path = write(dataset)
    given, ramp, wet = (AlmaForcing(path, phase=PrecipitationPhase(m)) for m in ("given", "ramp", "wet_bulb"))
    assert given.phase is None and ramp.phase.method == "ramp"
    total = dataset["Rainf"].values + dataset["Snowf"].values
    before = weather_of(given)
    assert np.array_equal(before["rain"][:, 0], dataset["Rainf"].values)
    for forcing in (ramp, wet):
        after = weather_of(forcing)
        assert (after["rain"] + after["snowfall"])[:, 0] == pytest.approx(total, rel=1e-14)
        assert not np.array_equal(after["rain"], before["rain"])
    assert "wet-bulb" in wet.describe()["precipitation_phase"]
    assert "0 to 2 degC" in ramp.describe()["precipitation_phase"]
    assert given.describe()["precipitation_phase"] == "as in the file"


def test_other_elevation_uses_the_rule_of_the_source(write, dataset):
    dataset["Tair"][:] = 277.15
    source = AlmaForcing(write(dataset), phase=PrecipitationPhase("wet_bulb"))
    forcing = ElevationCorrected(source, source.elevation, np.array([200.0 + 500.0]), 0.0065)
    after = weather_of(forcing)
    total = dataset["Rainf"].values + dataset["Snowf"].values
    air = tuple(after[name] for name in ("air_temperature", "specific_humidity", "surface_pressure"))
    assert forcing.phase == source.phase
    assert after["rain"][:, 0] == pytest.approx(total * source.phase.rain_share(*air)[:, 0], rel=1e-12)


@pytest.mark.parametrize(("arguments", "words"), [(("snow",), "expected one of"), (("ramp", 275.0, 274.0), "must lie")])
def test_impossible_rules_are_refused(arguments, words):
    with pytest.raises(InputError, match=words):
        PrecipitationPhase(*arguments)
