"""Retention curves and their inverse."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.subsurface import Subsurface, head_from_water, water_from_head

SOILS = {
    "van_genuchten": {
        "porosity": 0.43,
        "residual_water": 0.08,
        "van_genuchten_alpha": 4.0,
        "van_genuchten_n": 1.6,
        "saturated_conductivity": 5.8e-6,
    },
    "clapp_hornberger": {
        "porosity": 0.44,
        "clapp_hornberger_b": 6.0,
        "air_entry_head": -0.2,
        "saturated_conductivity": 4e-6,
    },
    "gardner": {"porosity": 0.40, "residual_water": 0.06, "gardner_alpha": 2.0, "saturated_conductivity": 3e-6},
}


def test_van_genuchten_against_the_formula():
    head = -np.geomspace(1e-3, 1e5, 60)
    n, m = 1.6, 1 - 1 / 1.6
    expected = 0.08 + 0.35 * (1 + (4.0 * -head) ** n) ** -m
    np.testing.assert_allclose(water_from_head(head, SOILS["van_genuchten"]), expected, rtol=1e-11)


def test_air_entry_of_ippisch_for_small_n():
    soil = SOILS["van_genuchten"] | {"van_genuchten_n": 1.2}
    head = -np.geomspace(0.021, 1e4, 40)
    n, m = 1.2, 1 - 1 / 1.2
    at_entry = (1 + (4.0 * 0.02) ** n) ** -m
    expected = 0.08 + 0.35 * (1 + (4.0 * -head) ** n) ** -m / at_entry
    np.testing.assert_allclose(water_from_head(head, soil), expected, rtol=1e-13)
    assert water_from_head([-0.019], soil)[0] == 0.43
    assert water_from_head([-0.019], soil, air_entry=0.0)[0] < 0.43


def test_clapp_hornberger_against_the_formula():
    head = -np.geomspace(0.2001, 1e5, 40)
    expected = 0.44 * (-head / 0.2) ** (-1 / 6.0)
    np.testing.assert_allclose(
        water_from_head(head, SOILS["clapp_hornberger"], retention="clapp_hornberger"), expected, rtol=1e-13
    )
    assert water_from_head([-0.19], SOILS["clapp_hornberger"], retention="clapp_hornberger")[0] == 0.44


@pytest.mark.parametrize("retention", list(SOILS))
def test_inverse_returns_the_head(retention):
    deepest = 5.0 if retention == "gardner" else 1e4
    head = -np.geomspace(0.25, deepest, 50)
    water = water_from_head(head, SOILS[retention], retention=retention)
    np.testing.assert_allclose(head_from_water(water, SOILS[retention], retention=retention), head, rtol=1e-6)


@pytest.mark.parametrize("retention", list(SOILS))
def test_extreme_heads_give_finite_ordered_water(retention):
    head = np.array([-1e6, -1e5, -1e3, -1.0, 0.0, 1.0, 100.0])
    water = water_from_head(head, SOILS[retention], retention=retention)
    assert np.isfinite(water).all()
    assert (np.diff(water) >= 0).all()
    assert (water <= SOILS[retention]["porosity"]).all()
    assert (water >= SOILS[retention].get("residual_water", 0.0)).all()


def test_extreme_shapes_do_not_overflow():
    for n in (1.02, 14.0):
        soil = SOILS["van_genuchten"] | {"van_genuchten_n": n, "van_genuchten_alpha": 50.0}
        water = water_from_head(np.array([-1e6, -1.0, -1e-3]), soil)
        assert np.isfinite(water).all()
        assert np.isfinite(head_from_water(np.array([0.0800001, 0.2, 0.43]), soil)).all()


def test_saturated_water_gives_the_air_entry_head():
    assert head_from_water([0.44], SOILS["clapp_hornberger"], retention="clapp_hornberger")[0] == -0.2


def test_conductivity_through_unit_gradient():
    # free drainage of a uniform column: the flux through its base is the conductivity at that head
    for retention, relative in (
        ("van_genuchten", lambda s: np.sqrt(s) * (1 - (1 - s ** (1 / 0.375)) ** 0.375) ** 2),
        ("clapp_hornberger", lambda s: s**15),
        ("gardner", lambda s: s),
    ):
        soil = SOILS[retention]
        column = Subsurface([0.1] * 5, soil, retention=retention, pressure_head=-1.0)
        water = column.soil_water[-1, 0]
        share = (water - soil.get("residual_water", 0)) / (soil["porosity"] - soil.get("residual_water", 0))
        flux = column.advance(1e-3)["drainage"][0]
        assert flux == pytest.approx(1000 * soil["saturated_conductivity"] * relative(share), rel=2e-4)


def test_missing_and_unknown_parameters_are_named():
    with pytest.raises(InputError, match="van_genuchten_n"):
        water_from_head([-1.0], {"porosity": 0.4, "saturated_conductivity": 1e-6, "van_genuchten_alpha": 1.0})
    with pytest.raises(InputError, match="colour"):
        water_from_head([-1.0], SOILS["van_genuchten"] | {"colour": 3})
    with pytest.raises(InputError, match="retention"):
        water_from_head([-1.0], SOILS["van_genuchten"], retention="brooks")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("van_genuchten_n", 1.0, "retention_shape"),
        ("van_genuchten_alpha", -1.0, "positive"),
        ("saturated_conductivity", 0.0, "positive"),
        ("porosity", 0.05, "residual_water"),
        ("porosity", np.nan, "NaN"),
    ],
)
def test_parameters_out_of_range_are_refused(name, value, message):
    with pytest.raises(InputError, match=message):
        water_from_head([-1.0], SOILS["van_genuchten"] | {name: value})
