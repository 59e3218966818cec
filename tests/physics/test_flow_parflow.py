"""The same input as ParFlow v3.15.0, and its pressure heads: equal to what ParFlow's own preconditioners differ by."""

from __future__ import annotations

import numpy as np
import pytest
from flow_cases import assert_water_closes, little_washita, parflow_field, richards_a, run, tilted_v_soil


def compare(found: np.ndarray, reference: np.ndarray, mean: float, most: float) -> None:
    """Difference of the means and largest difference [m]."""
    of_mean, largest = abs(found.mean() - reference.mean()), np.abs(found - reference).max()
    assert of_mean < mean and largest < most, f"means differ by {of_mean:.2e} m, cells by up to {largest:.2e} m"


def test_heterogeneous_richards(shared_data):
    """100x100x20, 24 h: ParFlow's mean is -1.99121845551 m; its preconditioners differ by up to 3.4e-8 m in a cell."""
    case = richards_a(shared_data)
    flow = case.build()
    run(flow, case.steps)
    compare(flow.pressure, parflow_field(shared_data, "richards_a_100x100x20.nc", "pressure_head_24h"), 1e-8, 1e-6)
    saturation = parflow_field(shared_data, "richards_a_100x100x20.nc", "saturation_24h")
    assert np.abs(flow.saturation - saturation).max() < 1e-6
    assert_water_closes(flow)


@pytest.mark.slow
def test_mirrored_richards(shared_data):
    """200x200x20, mirrored at two sides: the mean of the quarter, -1.99121845551 m."""
    case = richards_a(shared_data, mirrored=True)
    flow = case.build()
    run(flow, case.steps)
    assert flow.pressure.mean() == pytest.approx(case.parflow_mean, abs=1e-8)
    assert np.abs(flow.pressure - flow.pressure[:, ::-1, ::-1]).max() < 1e-7
    assert_water_closes(flow)


@pytest.mark.parametrize(("nx", "ny"), [(64, 32), pytest.param(256, 128, marks=pytest.mark.slow)])
def test_storm_on_a_tilted_v_with_soil(shared_data, nx, ny):
    """Terrain-following with kinematic flow over land: means 2.24990709007 (64x32) and 2.2510114601 m (256x128).

    ParFlow stops at 1e-6 m3 in a cell, 1e-10 m of water here. The ground is full after the storm and stores Ss S p
    alone: 1e-10 m of water are 2e-7 m of head of a column (1e-4 m-1 on 5 m). It has drained after a day.
    """
    case = tilted_v_soil(nx, ny)
    flow = case.build()
    name = f"tilted_v_soil_{nx}x{ny}x10.nc"
    run(flow, case.steps[:4])
    compare(flow.pressure, parflow_field(shared_data, name, "pressure_head_4h"), 2e-7, 1e-5)
    run(flow, case.steps[4:])
    compare(flow.pressure, parflow_field(shared_data, name, "pressure_head_24h"), 1e-8, 1e-5)
    assert_water_closes(flow)


def test_little_washita(shared_data):
    """41x41x50, 24 h of rain and recession: mean 44.156036596 m.

    ParFlow cut its first hour into steps down to 1/16 h and a step of backward Euler leaves an error: cells differ by
    up to 3.8e-4 m, 1.3e-5 m in the root of the mean square, when the hour is one step.
    """
    case = little_washita(shared_data)
    flow = case.build()
    run(flow, case.steps)
    reference = parflow_field(shared_data, "little_washita_rain_overlandkinematic.nc", "pressure_head_24h")
    compare(flow.pressure, reference, 1e-6, 1e-3)
    assert np.sqrt(np.mean((flow.pressure - reference) ** 2)) < 5e-5
    assert_water_closes(flow)
