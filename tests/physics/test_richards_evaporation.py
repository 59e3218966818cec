"""Evaporation from a drying column: from the demand to what the soil gives."""

from __future__ import annotations

import numpy as np
import pytest

from pyland.subsurface import Subsurface

LOAM = {
    "porosity": 0.43,
    "residual_water": 0.08,
    "van_genuchten_alpha": 4.0,
    "van_genuchten_n": 1.6,
    "saturated_conductivity": 0.5 / 86400,
    "specific_storage": 1e-7,
}


def graded(first: float, ratio: float, total: float) -> np.ndarray:
    thickness = [first]
    while sum(thickness) < total:
        thickness.append(thickness[-1] * ratio)
    thickness[-1] -= sum(thickness) - total
    return np.array(thickness)


def evaporate(demand: float, days: list[float]) -> tuple[np.ndarray, float]:
    """Evaporation [cm/d] at given days, and the day on which it falls below the demand [cm/d]."""
    column = Subsurface(
        graded(0.0002, 1.05, 1.0),
        LOAM,
        pressure_head=-2.0,
        air_entry=0.0,
        air_dry_head=-100.0,
        lower_boundary="no_flow",
    )
    rates, switch, time, dt = [], np.inf, 0.0, 120.0
    while time < days[-1] * 86400 - 1:
        flux = column.advance(dt, evaporation=demand * 10 / 86400)
        time += dt
        rate = flux["surface_evaporation"][0] * 86400 / 10
        if rate < 0.999 * demand:
            switch = min(switch, time / 86400)
        if any(abs(time - day * 86400) < 0.5 * dt for day in days):
            rates.append(rate)
    assert abs(column.balance["residual"][0]) < 1e-12 * column.balance["storage"][0]
    return np.array(rates), switch


def test_vanderborght_2005_evaporation_of_a_loam():
    # Vanderborght et al. (2005), case M2.2: 0.3 cm/d, head at the surface not below -100 m. The reference leaves out
    # gravity, which takes a few percent here.
    rates, switch = evaporate(0.3, [0.2, 0.5, 1.0, 2.0])
    np.testing.assert_allclose(rates, [0.18448, 0.10366, 0.07137, 0.04986], rtol=0.08)
    assert switch == pytest.approx(0.1465, rel=0.15)


def test_demand_is_met_while_the_soil_is_wet_and_never_exceeded():
    column = Subsurface(
        [0.02, 0.04, 0.06, 0.08, 0.12, 0.16, 0.2], LOAM, water_table_depth=0.9, lower_boundary="no_flow"
    )
    rates = np.array([column.advance(3600.0, evaporation=5e-5)["surface_evaporation"][0] for _ in range(24 * 40)])
    assert rates[0] == pytest.approx(5e-5)
    assert rates.max() <= 5e-5 * (1 + 1e-14)
    assert rates[-1] < 0.5 * rates[0]
    assert (rates >= 0).all()
    assert abs(column.balance["residual"][0]) < 1e-12 * column.balance["storage"][0]


def test_evaporation_takes_rain_and_pond_before_the_soil():
    column = Subsurface([0.1, 0.1], LOAM, pressure_head=-1.0, lower_boundary="no_flow")
    column.surface_water[:] = 0.0
    before = column.soil_water.copy()
    flux = column.advance(1800.0, rain=1e-4, evaporation=1e-4)
    assert flux["surface_evaporation"][0] == pytest.approx(1e-4)
    assert flux["infiltration"][0] == 0.0
    np.testing.assert_allclose((column.soil_water * 0.1).sum(), (before * 0.1).sum(), rtol=1e-13)

    wet = Subsurface([0.1, 0.1], LOAM, pressure_head=[0.1, 0.2], lower_boundary="no_flow", ponding_depth=0.02)
    wet.advance(1800.0, rain=5e-3)
    pond = wet.surface_water[0]
    assert pond > 0.5
    flux = wet.advance(1800.0, evaporation=1e-4)
    assert wet.surface_water[0] == pytest.approx(pond - 0.18, abs=1e-6)
    assert flux["surface_evaporation"][0] == pytest.approx(1e-4)
