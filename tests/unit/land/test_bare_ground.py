"""Fluxes of ground without a canopy."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.land.canopy_processes import bare_ground_fluxes

SIGMA = 5.67e-8


def weather(**changes):
    values = {"air_temperature": 290.0, "specific_humidity": 0.008, "air_pressure": 1.0e5, "wind_speed": 3.0,
              "longwave_down": 330.0, "co2": 4e-4, "reference_height": 10.0}
    return values | changes


def ground(**changes):
    values = {"temperature": 295.0, "emissivity": 0.96, "roughness": 0.01, "humidity": 0.012, "humidity_slope": 0.0007,
              "resistance": 50.0}
    return values | changes


def test_neutral_ground_follows_the_logarithmic_profile():
    air = weather(wind_speed=10.0)
    got = bare_ground_fluxes(air, ground(temperature=290.0 + 0.098 - 1e-6, humidity=0.008))
    z = 10.01
    ustar = 0.4 * 10.0 / np.log(z / 0.01)
    assert got["friction_velocity"][0] == pytest.approx(ustar, rel=1e-4)
    log_heat = np.log(z / 0.01) + 0.13 * (ustar * 0.01 / 1.5e-5) ** 0.45
    vapour = 0.008 * 1e5 / (0.622 + 0.378 * 0.008)
    density = (1e5 - 0.378 * vapour) / (287.042 * 290.0)
    assert got["sensible_ground_slope"][0] == pytest.approx(density * 1004.64 * 0.4 * ustar / log_heat, rel=1e-4)


def test_signs_and_longwave():
    t = np.array([275.0, 290.0, 310.0])
    got = bare_ground_fluxes(weather(), ground(temperature=t))
    np.testing.assert_array_equal(np.sign(got["sensible_ground"]), [-1.0, -1.0, 1.0])
    np.testing.assert_allclose(got["longwave_ground"], 0.96 * (SIGMA * t**4 - 330.0), rtol=1e-12)
    np.testing.assert_allclose(got["longwave_up"], 330.0 + got["longwave_ground"], rtol=1e-14)
    np.testing.assert_allclose(got["longwave_ground_slope"], 4 * 0.96 * SIGMA * t**3, rtol=1e-12)
    for name in ("sensible_canopy", "transpiration", "canopy_evaporation", "longwave_canopy", "gross_photosynthesis"):
        np.testing.assert_array_equal(got[name], 0.0)


def test_soil_resistance_slows_evaporation_but_not_dew():
    free = bare_ground_fluxes(weather(), ground(resistance=0.0, humidity=np.array([0.012, 0.004])))
    held = bare_ground_fluxes(weather(), ground(resistance=500.0, humidity=np.array([0.012, 0.004])))
    assert 0 < held["ground_evaporation"][0] < 0.3 * free["ground_evaporation"][0]
    assert held["ground_evaporation"][1] == free["ground_evaporation"][1] < 0


def test_stability_limit_bounds_the_calm_night():
    cold = ground(temperature=280.0)
    strict = bare_ground_fluxes(weather(wind_speed=0.5), cold, stability_limit=0.5)
    loose = bare_ground_fluxes(weather(wind_speed=0.5), cold, stability_limit=2.0)
    assert loose["sensible_ground"][0] > strict["sensible_ground"][0]
    log_m = np.log(10.01 / 0.01)
    assert strict["friction_velocity"][0] == pytest.approx(0.4 / (log_m + 5 * 0.5 * (1 - 0.01 / 10.01)), rel=1e-9)


def test_extremes_are_finite():
    rng = np.random.default_rng(5)
    n = 2000
    t = rng.uniform(213.0, 328.0, n)
    air = weather(air_temperature=t, wind_speed=rng.uniform(0, 40, n) * (rng.random(n) > 0.1),
                  specific_humidity=10 ** rng.uniform(-6, -1.6, n), air_pressure=rng.uniform(5e4, 1.06e5, n))
    soil = ground(temperature=t + rng.uniform(-40, 40, n), humidity=10 ** rng.uniform(-6, -1.3, n),
                  resistance=rng.uniform(0, 5000, n))
    got = bare_ground_fluxes(air, soil)
    for values in got.values():
        assert np.all(np.isfinite(values))
    assert np.all(got["friction_velocity"] > 0)


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="stability_limit"):
        bare_ground_fluxes(weather(), ground(), stability_limit=0.0)
    with pytest.raises(InputError, match=r"ground\.temperature"):
        bare_ground_fluxes(weather(wind_speed=[1.0, 2.0]), ground(temperature=[1.0, 2.0, 3.0]))
