"""Evaporation of open water against worked numbers."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.subsurface import open_water_evaporation

MILD = {"air_temperature": 293.15, "specific_humidity": 0.008, "surface_pressure": 101300.0, "wind_speed": 2.0,
        "shortwave_down": 250.0, "longwave_down": 340.0}


def daily(method, height=2.0, **changes):
    """Evaporation of a day [mm]."""
    weather = {name: np.array([value]) for name, value in (MILD | changes).items()}
    return float(open_water_evaporation(weather, height, method)[0]) * 86400.0


def test_parts_of_the_formulas():
    """At 20 degC: slope 0.145 kPa/K and latent heat 2.45 MJ/kg (Allen et al. 1998, annex 2), gamma 0.0673 kPa/K."""
    radiation = 0.92 * 250.0 + 0.97 * (340.0 - 5.67e-8 * 293.15**4)
    energy = radiation * 0.0864 / 2.454
    assert daily("priestley_taylor") == pytest.approx(1.26 * 0.145 / (0.145 + 0.0673) * energy, rel=5e-3)
    vapour = 0.008 * 101.3 / (0.622 + 0.378 * 0.008)
    wind = 2.0 * 4.87 / np.log(67.8 * 2.0 - 5.42)
    drying = 6.43 * (1.0 + 0.536 * wind) * (2.338 - vapour) / 2.454
    assert daily("penman") == pytest.approx((0.145 * energy + 0.0673 * drying) / (0.145 + 0.0673), rel=5e-3)


def test_dry_wind_counts_for_penman_only():
    assert daily("penman", wind_speed=6.0) > daily("penman") + 1.0
    assert daily("priestley_taylor", wind_speed=6.0) == daily("priestley_taylor")
    assert daily("penman", height=10.0) < daily("penman")  # the same wind higher up is less at the water


def test_night_is_negative_and_none_is_nothing():
    assert daily("priestley_taylor", shortwave_down=0.0, longwave_down=250.0) < 0.0
    assert daily("none") == 0.0
    with pytest.raises(InputError, match="priestley_taylor, penman, none"):
        daily("makkink")
