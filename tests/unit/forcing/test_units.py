"""Units of files."""

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.forcing.units import to_si


@pytest.mark.parametrize(
    ("unit", "expected", "value"),
    [
        ("W m-2", "W m-2", 1.0),
        ("W/m2", "W m-2", 1.0),
        ("W m^-2", "W m-2", 1.0),
        ("W m**-2", "W m-2", 1.0),
        ("degC", "K", 274.15),
        ("degrees_C", "K", 274.15),
        ("Celsius", "K", 274.15),
        ("°C", "K", 274.15),
        ("Kelvin", "K", 1.0),
        ("hPa", "Pa", 100.0),
        ("mb", "Pa", 100.0),
        ("kPa", "Pa", 1000.0),
        ("mm/h", "kg m-2 s-1", 1.0 / 3600),
        ("mm h-1", "kg m-2 s-1", 1.0 / 3600),
        ("mm/30min", "kg m-2 s-1", 1.0 / 1800),
        ("mm/30 min", "kg m-2 s-1", 1.0 / 1800),
        ("mm per 3 h", "kg m-2 s-1", 1.0 / 10800),
        ("mm/day", "kg m-2 s-1", 1.0 / 86400),
        ("mm s-1", "kg m-2 s-1", 1.0),
        ("m/s", "kg m-2 s-1", 1000.0),
        ("kg/m^2/s", "kg m-2 s-1", 1.0),
        ("kg m**-2 s**-1", "kg m-2 s-1", 1.0),
        ("g/kg", "kg kg-1", 1.0e-3),
        ("g kg-1", "kg kg-1", 1.0e-3),
        ("1", "kg kg-1", 1.0),
        ("km/h", "m s-1", 1.0 / 3.6),
    ],
)
def test_conversion(unit, expected, value):
    assert to_si(np.array([1.0]), unit, expected, "v", "f.nc")[0] == pytest.approx(value, rel=1e-12)


def test_same_unit_is_untouched():
    values = np.array([1.0, 2.0])
    assert to_si(values, "W  m-2", "W m-2", "v", "f.nc") is values


@pytest.mark.parametrize("unit", [None, "mm", "furlong per", "W", "kg m-2", "((", "furlongs-of-rain"])
def test_refusal_names_variable_and_expected_unit(unit):
    with pytest.raises(InputError, match=r"f\.nc.*'Rainf'.*kg m-2 s-1"):
        to_si(np.array([1.0]), unit, "kg m-2 s-1", "Rainf", "f.nc")
