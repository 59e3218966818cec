"""What sensors see of the surface, against numbers worked out by hand and limits of the formulas."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.base.errors import InputError
from pyland.observe import (
    Scene,
    fluorescence,
    land_surface_temperature,
    operator_for,
    snow_cover_niu_yang,
    storage_anomaly,
    two_source_temperature,
    vegetation_share,
    water_storage,
)

SIGMA = 5.67e-8


def test_a_product_with_the_emissivity_of_the_surface_gives_back_its_temperature():
    for emissivity in (1.0, 0.97, 0.9):
        up = emissivity * SIGMA * 300.0**4 + (1.0 - emissivity) * 350.0
        assert land_surface_temperature(np.array([[up]]), np.array([[350.0]]), emissivity)[0, 0] == pytest.approx(300.0)
    with pytest.raises(InputError, match="emissivity above 0"):
        land_surface_temperature(np.array([[400.0]]), 0.0, 1.2)
    with pytest.raises(InputError, match="emits nothing"):
        land_surface_temperature(np.array([[10.0]]), np.array([[400.0]]), 0.5)


def test_the_view_fills_with_leaves_as_the_angle_grows():
    assert vegetation_share(np.array([0.0]))[0] == 0.0
    assert vegetation_share(np.array([2.0]))[0] == pytest.approx(1.0 - np.exp(-1.0))
    assert vegetation_share(np.array([2.0]), 60.0)[0] == pytest.approx(1.0 - np.exp(-2.0))
    with pytest.raises(InputError, match="below 90"):
        vegetation_share(np.array([1.0]), 90.0)


def test_two_sources_mix_by_the_fourth_power():
    leaves, ground = np.full((2, 1, 1), 290.0), np.full((1, 1), 310.0)
    bare, dense, shares = np.zeros((2, 1, 1)), np.full((2, 1, 1), 200.0), np.array([0.25, 0.75]).reshape(2, 1, 1)
    assert two_source_temperature(leaves, ground, bare, shares)[0, 0] == pytest.approx(310.0)
    assert two_source_temperature(leaves, ground, dense, shares)[0, 0] == pytest.approx(290.0)
    half = np.full((2, 1, 1), 2.0 * np.log(2.0))  # f_v is one half
    expected = (0.5 * 290.0**4 + 0.5 * 310.0**4) ** 0.25
    assert two_source_temperature(leaves, ground, half, shares)[0, 0] == pytest.approx(expected)


def test_snow_cover_of_new_and_of_old_snow():
    """10 cm of new snow: tanh(0.1 / 0.025) = 0.99933; at 300 kg m-3: tanh(4 / 3**1.6) = 0.59780."""
    assert snow_cover_niu_yang(0.1, 10.0) == pytest.approx(np.tanh(4.0))
    assert snow_cover_niu_yang(0.1, 30.0) == pytest.approx(0.597795, abs=1e-6)
    assert snow_cover_niu_yang(np.array([0.0, 0.1]), np.array([0.0, 0.0])).tolist() == [0.0, 0.0]
    with pytest.raises(InputError, match="must be positive"):
        snow_cover_niu_yang(0.1, 10.0, roughness=0.0)


def test_storage_is_the_sum_of_its_parts():
    water, ice = np.full((2, 1, 3), 0.3), np.full((2, 1, 3), 0.05)
    stored = water_storage(water, [0.1, 0.9], ice, 20.0, 0.5, 3.0, 1000.0)
    assert stored == pytest.approx(np.full((1, 3), 350.0 + 1023.5))
    assert storage_anomaly(stored, np.full(3, 1300.0)) == pytest.approx(np.full((1, 3), 73.5))
    with pytest.raises(InputError, match="tws operator: soil_water must have shape"):
        water_storage(water[0], [0.1, 0.9])


def test_options_choose_the_fields():
    assert operator_for("lst").fields == ("radiative_temperature",)
    assert operator_for("lst", {"emissivity": 0.98}).fields == ("longwave_up", "longwave_down")
    assert operator_for("lst", {"method": "two_source"}).recorded == ()
    assert operator_for("snow_cover", {"method": "niu_yang"}).fields == ("snow_mass", "snow_depth")
    seen = operator_for("sif").columns({"gross_primary_production": np.array([[1e-7]])},
                                       Scene(np.ones(1), settings={"sif_yield": 2e7}))
    assert seen[0, 0] == pytest.approx(2.0) == fluorescence(np.array([[1e-7]]), 2e7)[0, 0]
