"""Humidity at the soil surface, dry surface layer and beta."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.land.surface_processes import compute_soil_surface

LOAM = {"porosity": 0.45, "air_dry_water": 0.06, "field_capacity": 0.3, "exponent": 6.0}
T, P = 295.0, 1.0e5


def surface(scheme="dry_surface_layer", **changes):
    arguments = {"specific_humidity": 0.005, "air_pressure": P, **LOAM,
                 "water": 0.2, "pressure_head": -10.0, "temperature": T}
    return compute_soil_surface(scheme, **(arguments | changes))


def saturation(t):
    """Specific humidity at saturation, Magnus form (Alduchov and Eskridge 1996), good to 0.4 %."""
    e = 610.94 * np.exp(17.625 * (t - 273.15) / (t - 273.15 + 243.04))
    return 0.622 * e / (P - 0.378 * e)


def test_wet_soil_has_the_humidity_of_saturation():
    s = surface(pressure_head=0.0)
    assert s.humidity[0] == pytest.approx(saturation(T), rel=4e-3)
    assert s.humidity_slope[0] == pytest.approx((saturation(T + 0.5) - saturation(T - 0.5)), rel=1e-2)


def test_pressure_head_lowers_humidity():
    wet, dry = surface(pressure_head=0.0), surface(pressure_head=-3000.0)
    alpha = np.exp(-3000.0 * 9.80616 / (461.504 * T))
    assert dry.humidity[0] / wet.humidity[0] == pytest.approx(alpha, rel=1e-13)
    assert dry.humidity_slope[0] / wet.humidity_slope[0] == pytest.approx(alpha, rel=1e-13)


def test_pressure_head_is_bounded():
    assert surface(pressure_head=-1e9, specific_humidity=0.0).humidity == \
        surface(pressure_head=-1e5, specific_humidity=0.0).humidity
    assert surface(pressure_head=0.4).humidity == surface(pressure_head=0.0).humidity


def test_air_between_soil_and_saturation_stops_the_exchange():
    s = surface(specific_humidity=0.9 * saturation(T), pressure_head=-1e4)
    assert s.humidity[0] == 0.9 * saturation(T) and s.humidity_slope[0] == 0.0


@pytest.mark.parametrize("scheme", ["dry_surface_layer", "beta"])
def test_dew_meets_no_hold(scheme):
    s = surface(scheme, specific_humidity=1.2 * saturation(T), water=0.1)
    assert s.resistance[0] == 0.0 and s.evaporation_factor[0] == 1.0


def test_dew_sets_in_without_a_jump_and_stops_at_the_dew_point():
    """Exchange goes with the difference of humidities: 0 between soil and saturation, from 0 on above."""
    dry = {"pressure_head": -1e4, "specific_humidity": 1.0001 * surface(pressure_head=0.0).humidity[0]}
    s = surface(**dry)
    assert 0.0 < dry["specific_humidity"] - s.humidity[0] < 2e-4 * s.humidity[0]
    assert s.humidity_slope[0] == surface(pressure_head=0.0).humidity_slope[0]


def test_dry_surface_layer():
    s = surface(water=0.2)
    depth = 0.015 * (0.36 - 0.2) / (0.36 - 0.06)
    air = 0.45 - 0.06
    tortuosity = air**2 * (air / 0.45) ** (3 / 6.0)
    diffusivity = 2.12e-5 * (T / 273.15) ** 1.75
    assert s.resistance[0] == pytest.approx(depth / (diffusivity * tortuosity) + 20.0, rel=1e-12)
    assert s.evaporation_factor[0] == 1.0
    many = surface(water=np.linspace(0.01, 0.45, 200))
    assert (np.diff(many.resistance) <= 0).all()
    assert many.resistance[-1] < 60.0  # no dry layer: the 20 s m-1 and CTSM's least deficit


def test_beta():
    s = surface("beta", water=[0.0, 0.15, 0.3, 0.4])
    np.testing.assert_allclose(s.evaporation_factor, [0.0, 0.25, 1.0, 1.0], atol=1e-15)
    assert (s.resistance == 0).all()


def test_ice_takes_pores_from_the_dry_layer():
    """CTSM, SurfaceResistanceMod: 0.8 (porosity - ice) - liquid over what it is in air-dry soil without ice."""
    s = surface(water=0.1, ice=0.2)
    plain = surface(water=0.1)
    share = (0.8 * (0.45 - 0.2) - 0.1) / (0.36 - 0.1)
    assert (s.resistance[0] - 20.0) / (plain.resistance[0] - 20.0) == pytest.approx(share, rel=1e-12)
    full = surface(water=0.05, ice=0.4)
    assert full.resistance[0] == surface(water=0.45).resistance[0]  # no dry layer: CTSM's least deficit


def test_beta_counts_ice_as_water():
    frozen, wet = surface("beta", water=0.05, ice=0.1), surface("beta", water=0.15)
    assert frozen.evaporation_factor == pytest.approx(wet.evaporation_factor, rel=1e-14)


def test_bad_input_is_named():
    with pytest.raises(InputError, match="choose one of dry_surface_layer, beta"):
        surface("moisture")
    with pytest.raises(InputError, match="below the porosity"):
        surface(air_dry_water=0.5)
