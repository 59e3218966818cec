"""The registry of variables and the conversion of units."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyland.base.errors import InputError
from pyland.base.registry import attributes, variable, variables
from pyland.base.units import convert, is_unit

DIMS = {"lake_layer", "column", "layer", "thermal_layer", "snow_layer", "patch", "band", "layer_patch"}


def test_every_entry_is_complete():
    assert len(variables()) > 60
    for item in variables():
        assert item.id == item.id.lower() and item.long_name and is_unit(item.units), item.id
        assert set(item.dims) <= DIMS and item.dims[-1] == "column", item.id
        assert item.valid_range is not None and item.valid_range[0] < item.valid_range[1], item.id
        assert item.positive in (None, "up", "down"), item.id
        assert set(item.aliases) <= {"cmip6", "clm", "alma", "parflow"}, item.id


def test_names_of_the_forcing_state_and_flux_fields_are_there():
    from pyland.forcing import WEATHER_FIELDS

    for name in (
        *WEATHER_FIELDS,
        "co2",
        "soil_temperature",
        "soil_water",
        "pressure_head",
        "surface_water",
        "canopy_water",
        "leaf_temperature",
        "growth_temperature",
        "latent_heat_flux",
        "infiltration",
        "water_balance_residual",
    ):
        assert variable(name).id == name


def test_names_of_the_plant_tables_are_parameters():
    from pyland.config.plants import PLANT_PARAMETERS, VEGETATION_TYPES
    from pyland.land.plant_types import plant_parameters, plant_type_names

    assert set(PLANT_PARAMETERS) <= set(plant_parameters("c3_grass"))
    assert plant_type_names() == [name for name in VEGETATION_TYPES if name != "bare_ground"]
    for name in plant_type_names():
        table = plant_parameters(name)
        assert (table["canopy_top"], table["canopy_bottom"]) == VEGETATION_TYPES[name][1:], name
        for key in PLANT_PARAMETERS:
            low, high = variable(key).valid_range
            assert low <= table[key] <= high, (name, key)


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("Qle", "latent_heat_flux"),
        ("H2OSOI", "soil_water"),
        ("tas", "air_temperature"),
        ("press", "pressure_head"),
        ("Rainf", "rain"),
        ("soil_water", "soil_water"),
    ],
)
def test_aliases(alias, name):
    assert variable(alias).id == name


def test_aliases_of_one_system_are_unique():
    for system in ("cmip6", "clm", "alma", "parflow"):
        names = [item.aliases[system] for item in variables() if system in item.aliases]
        assert len(names) == len(set(names)), system


def test_unknown_name_suggests():
    with pytest.raises(InputError, match="'soil_watr' is not known; did you mean 'soil_water'"):
        variable("soil_watr")


def test_attributes():
    found = attributes("Qle")
    assert found["standard_name"] == "surface_upward_latent_heat_flux"
    assert found["units"] == "W m-2" and found["positive"] == "up" and found["alma_name"] == "Qle"
    assert "standard_name" not in attributes("infiltration")


def test_range_check_names_the_value():
    with pytest.raises(
        InputError, match=r"a.nc: air_temperature must lie between 180 and 335 K, got 20 at index \(1,\)"
    ):
        variable("air_temperature").check_range(np.array([280.0, 20.0]), "a.nc")
    with pytest.raises(InputError, match="got nan"):
        variable("air_temperature").check_range(np.array([np.nan]), "a.nc")


@pytest.mark.parametrize(
    ("value", "source", "target", "expected"),
    [
        (3.6, "mm/h", "kg m-2 s-1", 1e-3),
        (86.4, "mm/day", "kg m-2 s-1", 1e-3),
        (1, "mm hr-1", "kg m-2 s-1", 1 / 3600),
        (1, "m", "kg m-2", 1000.0),
        (20, "degC", "K", 293.15),
        (20, "C", "K", 293.15),
        (1013.25, "hPa", "Pa", 101325.0),
        (5, "g kg-1", "kg kg-1", 5e-3),
        (50, "%", "1", 0.5),
        (0.3, "m3 m-3", "1", 0.3),
        (0.3, "m^3/m^3", "m3 m-3", 0.3),
        (30, "min", "s", 1800.0),
        (2, "km", "m", 2000.0),
        (380, "ppm", "mol mol-1", 380e-6),
        (1, "W m-2", "W m**-2", 1.0),
        (1, "MJ m-2 day-1", "W m-2", 1e6 / 86400),
        (1, "cm/day", "m s-1", 0.01 / 86400),
        (1, "umol m-2 s-1", "mol m-2 s-1", 1e-6),
    ],
)
def test_conversions(value, source, target, expected):
    assert convert(value, source, target) == pytest.approx(expected, rel=1e-12)


def test_conversion_of_arrays_and_errors():
    values = np.array([[0.0, 10.0]])
    assert np.allclose(convert(values, "degC", "K"), [[273.15, 283.15]])
    with pytest.raises(InputError, match="rain: expected a unit that converts to 'kg m-2 s-1', got 'K'"):
        convert(values, "K", "kg m-2 s-1", "rain")
    with pytest.raises(InputError, match="rain: the unit 'furlongs per fortnite' is not known"):
        convert(values, "furlongs per fortnite", "m s-1", "rain")


@given(st.floats(-1e6, 1e6))
def test_water_depth_there_and_back(value):
    assert convert(convert(value, "mm h-1", "kg m-2 s-1"), "kg m-2 s-1", "mm h-1") == pytest.approx(
        value, rel=1e-12, abs=1e-12
    )
